//! A backup as a file: a tar of what it is and of the database, packed by zstd, sealed by age. Each of
//! the three can be undone without webox, and none of them needs more memory for a larger database.

use std::{
    fs::File,
    io::{self, BufRead, BufWriter, Read, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use age::{DecryptError, Decryptor, Encryptor, Identity, Recipient};
use sha2::{Digest, Sha256};

use crate::domain::BackupManifest;

/// Where zstd spends three times less time than at its best, for a tenth more bytes.
const LEVEL: i32 = 3;

const MANIFEST: &str = "manifest.json";
const DATABASE: &str = "webox.db";

/// How the last line of age's header begins (C2SP, "The age file encryption format"), and how far into a file:
/// further than that of a hundred recipients.
const END_OF_HEADER: &[u8] = b"\n--- ";
const LONGEST_HEADER: usize = 16 * 1024;

/// No manifest of ours is longer.
const LONGEST_MANIFEST: u64 = 1 << 20;

/// The beginning of an archive that holds the manifest, whatever it is sealed for: age seals 64 KiB
/// at a time, and the manifest ends a block of zstd.
pub(super) const HEAD: usize = 128 * 1024;

/// Why an archive does not open.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// By the keys that there are.
    #[error("none of the keys opens it")]
    WrongKey,
    /// It is for others to open.
    #[error("it is sealed for age recipients")]
    ForRecipients,
    /// It is something else.
    #[error("it is no backup of webox")]
    Foreign,
    /// A webox of the future made it.
    #[error("it was made by a newer webox (format {0})")]
    Newer(u32),
    /// It was, but is not any more.
    #[error("{0}")]
    Damaged(String),
    /// The place that it lies in.
    #[error("{0}")]
    Unread(io::Error),
    /// The place that it is written to.
    #[error("{0}")]
    Write(io::Error),
}

/// Counts what goes by into a digest.
pub(super) struct Hashing<T> {
    inner: T,
    digest: Sha256,
    bytes: u64,
}

impl<T> Hashing<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, digest: Sha256::new(), bytes: 0 }
    }

    pub(super) fn finish(self) -> (T, [u8; 32], u64) {
        (self.inner, self.digest.finalize().into(), self.bytes)
    }

    fn saw(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.saw(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A file as it is read, until somebody says to stop.
pub(super) struct Stoppable {
    file: File,
    stop: Arc<AtomicBool>,
}

impl Stoppable {
    pub(super) fn open(path: &Path, stop: &Arc<AtomicBool>) -> io::Result<io::BufReader<Self>> {
        let file = Self { file: File::open(path)?, stop: Arc::clone(stop) };
        Ok(io::BufReader::with_capacity(1 << 20, file))
    }
}

impl Read for Stoppable {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("the backup was broken off"));
        }
        self.file.read(into)
    }
}

/// The digest of a file, and its length.
pub(super) fn digest(path: &Path, stop: &Arc<AtomicBool>) -> io::Result<([u8; 32], u64)> {
    let mut sink = Hashing::new(io::sink());
    io::copy(&mut Stoppable::open(path, stop)?, &mut sink)?;
    let (_, digest, bytes) = sink.finish();
    Ok((digest, bytes))
}

/// Writes an archive, down to the disk; answers its digest and its length.
pub(super) fn write<'a>(
    manifest: &BackupManifest,
    database: &Path,
    to: File,
    recipients: impl Iterator<Item = &'a dyn Recipient>,
    stop: &Arc<AtomicBool>,
) -> io::Result<([u8; 32], u64)> {
    let sealed = Encryptor::with_recipients(recipients)
        .map_err(|error| io::Error::other(error.to_string()))?
        .wrap_output(Hashing::new(BufWriter::new(to)))?;
    let mut archive = tar::Builder::new(zstd::Encoder::new(sealed, LEVEL)?);
    let about = serde_json::to_vec_pretty(manifest)?;
    let at = u64::try_from(manifest.made_at.as_second()).unwrap_or(0);
    let header = |length: u64| {
        let mut header = tar::Header::new_gnu();
        header.set_size(length);
        header.set_mode(0o600);
        header.set_mtime(at);
        header.set_entry_type(tar::EntryType::Regular);
        header
    };
    archive.append_data(&mut header(about.len() as u64), MANIFEST, about.as_slice())?;
    // So that a list need not read more than the beginning.
    archive.get_mut().flush()?;
    let length = std::fs::metadata(database)?.len();
    archive.append_data(&mut header(length), DATABASE, Stoppable::open(database, stop)?)?;
    let sealed = archive.into_inner()?.finish()?;
    let (file, digest, bytes) = sealed.finish()?.finish();
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok((digest, bytes))
}

type Unsealed<R> =
    tar::Archive<zstd::Decoder<'static, io::BufReader<age::stream::StreamReader<R>>>>;

/// Opens with whichever of the identities fits. age itself gives up at the first passphrase that does
/// not, so each is tried on the beginning first.
fn unseal<R: BufRead>(
    mut input: R,
    identities: &[Box<dyn Identity>],
) -> Result<Unsealed<R>, Broken> {
    let mut last = Broken::WrongKey;
    let mut fitting = None;
    let head = input.fill_buf().map_err(damaged)?;
    // age reads what it takes for a header anew with every line of it.
    if head.len() > LONGEST_HEADER
        && !head.windows(END_OF_HEADER.len()).take(LONGEST_HEADER).any(|part| part == END_OF_HEADER)
    {
        return Err(Broken::Foreign);
    }
    for identity in identities {
        if let Err(broken @ (Broken::WrongKey | Broken::ForRecipients)) = decrypt(head, &**identity)
        {
            last = broken;
        } else {
            // What is wrong with it, if anything is, may be the disk after so many bytes.
            fitting = Some(identity);
            break;
        }
    }
    let plain = decrypt(input, &**fitting.ok_or(last)?)?;
    zstd::Decoder::new(plain).map(tar::Archive::new).map_err(damaged)
}

fn decrypt<R: BufRead>(
    input: R,
    identity: &dyn Identity,
) -> Result<age::stream::StreamReader<R>, Broken> {
    let sealed = Decryptor::new_buffered(input).map_err(|error| match error {
        DecryptError::Io(cause) if is_of_the_system(&cause) => Broken::Unread(cause),
        DecryptError::InvalidHeader | DecryptError::UnknownFormat => Broken::Foreign,
        DecryptError::Io(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Broken::Foreign,
        error => Broken::Damaged(error.to_string()),
    })?;
    let by_passphrase = sealed.is_scrypt();
    sealed.decrypt(std::iter::once(identity)).map_err(|error| match error {
        DecryptError::NoMatchingKeys if !by_passphrase => Broken::ForRecipients,
        DecryptError::NoMatchingKeys
        | DecryptError::KeyDecryptionFailed
        | DecryptError::DecryptionFailed => Broken::WrongKey,
        error => Broken::Damaged(error.to_string()),
    })
}

fn damaged(error: io::Error) -> Broken {
    if is_of_the_system(&error) {
        return Broken::Unread(error);
    }
    let what = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it breaks off before its end".to_owned(),
        _ => error.to_string(),
    };
    Broken::Damaged(what)
}

/// Whether the place failed that the bytes come from, and not what they say. Whoever unpacks them wraps that.
fn is_of_the_system(error: &io::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>()
            && error.raw_os_error().is_some()
        {
            return true;
        }
        cause = error.source();
    }
    false
}

fn about(entry: &mut impl Read) -> Result<BackupManifest, Broken> {
    let mut text = Vec::new();
    entry.take(LONGEST_MANIFEST).read_to_end(&mut text).map_err(damaged)?;
    // A newer one may say other things.
    let format = serde_json::from_slice::<serde_json::Value>(&text)
        .ok()
        .and_then(|about| u32::try_from(about.get("format")?.as_u64()?).ok())
        .ok_or(Broken::Foreign)?;
    if format > BackupManifest::FORMAT {
        return Err(Broken::Newer(format));
    }
    serde_json::from_slice(&text).map_err(|error| Broken::Damaged(error.to_string()))
}

/// What an archive says of itself, by its beginning.
pub(super) fn manifest(
    head: impl BufRead,
    identities: &[Box<dyn Identity>],
) -> Result<BackupManifest, Broken> {
    let mut archive = unseal(head, identities)?;
    let mut entries = archive.entries().map_err(damaged)?;
    let mut first = entries.next().ok_or(Broken::Foreign)?.map_err(damaged)?;
    if first.path_bytes() != MANIFEST.as_bytes() {
        return Err(Broken::Foreign);
    }
    about(&mut first)
}

/// Reads an archive to its very end, and writes the database that is in it. What was changed or is
/// missing is an error.
pub(super) fn unpack(
    input: impl BufRead,
    identities: &[Box<dyn Identity>],
    to: impl Write,
) -> Result<BackupManifest, Broken> {
    let mut archive = unseal(input, identities)?;
    let mut entries = archive.entries().map_err(damaged)?;
    let mut first = entries.next().ok_or(Broken::Foreign)?.map_err(damaged)?;
    if first.path_bytes() != MANIFEST.as_bytes() {
        return Err(Broken::Foreign);
    }
    let manifest = about(&mut first)?;
    let mut database = entries
        .next()
        .ok_or_else(|| Broken::Damaged("the database is not in it".to_owned()))?
        .map_err(damaged)?;
    if database.path_bytes() != DATABASE.as_bytes() {
        return Err(Broken::Foreign);
    }
    let mut to = Hashing::new(to);
    let mut piece = vec![0; 256 * 1024];
    loop {
        let length = database.read(&mut piece).map_err(damaged)?;
        if length == 0 {
            break;
        }
        to.write_all(&piece[..length]).map_err(Broken::Write)?;
    }
    to.flush().map_err(Broken::Write)?;
    let (_, digest, bytes) = to.finish();
    if bytes != manifest.bytes || hex::encode(digest) != manifest.sha256 {
        return Err(Broken::Damaged(
            "the database in it is not the one that it tells of".to_owned(),
        ));
    }
    if entries.next().transpose().map_err(damaged)?.is_some() {
        return Err(Broken::Damaged("there is more in it than belongs there".to_owned()));
    }
    // The last piece says that it is the last: without it, something may have been cut off.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(damaged)?;
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file on a disk that fails after some bytes.
    struct Failing<'a>(&'a [u8]);

    impl Read for Failing<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.0.read(into)? {
                // EIO.
                0 => Err(io::Error::from_raw_os_error(5)),
                length => Ok(length),
            }
        }
    }

    #[test]
    fn a_disk_that_fails_says_nothing_about_the_backup() {
        let key = age::x25519::Identity::generate();
        let recipient = key.to_public();
        let folder = tempfile::tempdir().unwrap();
        let (database, sealed) = (folder.path().join("db"), folder.path().join("sealed"));
        let noise: Vec<u8> =
            (0..400_000_u32).flat_map(|n| n.wrapping_mul(n ^ 0x9E37).to_le_bytes()).collect();
        std::fs::write(&database, &noise).unwrap();
        let about = BackupManifest {
            format: BackupManifest::FORMAT,
            webox: String::new(),
            sqlite: String::new(),
            made_at: jiff::Timestamp::UNIX_EPOCH,
            schema: 1,
            bytes: noise.len() as u64,
            sha256: hex::encode(Sha256::digest(&noise)),
            rows: std::collections::BTreeMap::new(),
        };
        let recipients = std::iter::once(&recipient as &dyn Recipient);
        let to = File::create(&sealed).unwrap();
        write(&about, &database, to, recipients, &Arc::default()).unwrap();
        let whole = std::fs::read(&sealed).unwrap();
        let keys: Vec<Box<dyn Identity>> = vec![Box::new(key)];
        assert!(unpack(whole.as_slice(), &keys, io::sink()).is_ok());
        for length in [0, 100, whole.len() / 2, whole.len() - 1] {
            let failing = io::BufReader::with_capacity(64, Failing(&whole[..length]));
            let failed = unpack(failing, &keys, io::sink()).unwrap_err();
            assert!(matches!(failed, Broken::Unread(_)), "after {length}: {failed:?}");
            let cut = unpack(&whole[..length], &keys, io::sink()).unwrap_err();
            assert!(!matches!(cut, Broken::Unread(_)), "cut off after {length}: {cut:?}");
        }
    }
}
