//! The folder of sounds: a file each, named by its hash. A file is believed only when it is whole.

use std::{
    collections::HashMap,
    fs, io,
    io::Write as _,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Mutex,
    time::SystemTime,
};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{LARGEST, SoundName, lock};
use crate::files;

/// What the folder's secret is called.
const SALT: &str = "salt";

/// What files begin with; another way of writing them has another.
const SIGN: &[u8; 8] = b"wxsound1";

/// The sign, the sound's length, and its hash with the folder's secret.
const HEADER: usize = 8 + 8 + 32;

/// The end of a file's name.
const EXTENSION: &str = "ulaw";

/// How much is thrown out when there is too much: down to nine tenths.
const SPARE: u64 = 10;

pub(super) struct Folder {
    path: PathBuf,
    most: u64,
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    files: HashMap<SoundName, Entry>,
    bytes: u64,
    /// Counts uses, so that it is known which was used last.
    uses: u64,
}

struct Entry {
    bytes: u64,
    used: u64,
}

impl Folder {
    /// Opens a folder, and tells its secret.
    pub(super) fn open(path: &Path, most: u64) -> io::Result<(Self, [u8; 32])> {
        files::make_folder(path, files::nearest(path))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        let salt = salt(path)?;
        let mut found: Vec<(SystemTime, SoundName, u64)> = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let Ok(metadata) = entry.metadata() else { continue };
            let name = entry.file_name();
            match name.to_str().and_then(name_of) {
                Some(name) if metadata.is_file() => {
                    found.push((
                        metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                        name,
                        metadata.len(),
                    ));
                }
                _ => {
                    // What a process that was killed had half written.
                    if name.to_str().is_some_and(|name| name.starts_with(HALF)) {
                        let _ = fs::remove_file(entry.path());
                    }
                }
            }
        }
        found.sort_unstable();
        let mut list = List::default();
        for (_, name, bytes) in found {
            list.uses += 1;
            list.bytes += bytes;
            list.files.insert(name, Entry { bytes, used: list.uses });
        }
        let folder = Self { path: path.to_owned(), most, list: Mutex::new(list) };
        folder.make_room();
        Ok((folder, salt))
    }

    /// Whether a sound should be there.
    pub(super) fn lists(&self, name: SoundName) -> bool {
        lock(&self.list).files.contains_key(&name)
    }

    /// Whether its file is there, and as long as it was.
    pub(super) fn holds(&self, name: SoundName) -> bool {
        let bytes = lock(&self.list).files.get(&name).map(|entry| entry.bytes);
        bytes.is_some_and(|bytes| {
            fs::metadata(self.file(name)).is_ok_and(|file| file.is_file() && file.len() == bytes)
        })
    }

    /// A sound that is whole. One that is not is thrown out.
    pub(super) fn read(&self, name: SoundName, salt: &[u8; 32]) -> Option<Bytes> {
        {
            let mut list = lock(&self.list);
            list.uses += 1;
            let used = list.uses;
            list.files.get_mut(&name)?.used = used;
        }
        let sound = match fs::read(self.file(name)) {
            Ok(file) => whole(file, salt),
            Err(error) => {
                tracing::warn!(%error, "a sound that was kept cannot be read");
                None
            }
        };
        if sound.is_none() {
            tracing::warn!("a sound that was kept is not whole: it is spoken anew");
            self.forget(name);
        }
        sound
    }

    pub(super) fn write(&self, name: SoundName, sound: &[u8], salt: &[u8; 32]) -> io::Result<()> {
        // Written beside, and then renamed: there is no half of a file. Mode 0600.
        let mut half = tempfile::Builder::new().prefix(HALF).tempfile_in(&self.path)?;
        half.write_all(SIGN)?;
        half.write_all(&(sound.len() as u64).to_le_bytes())?;
        half.write_all(&hash(sound, salt))?;
        half.write_all(sound)?;
        files::give(half.path(), &self.path);
        half.persist(self.file(name)).map_err(|error| error.error)?;
        let bytes = (HEADER + sound.len()) as u64;
        let mut list = lock(&self.list);
        list.uses += 1;
        list.bytes += bytes;
        let used = list.uses;
        if let Some(before) = list.files.insert(name, Entry { bytes, used }) {
            list.bytes = list.bytes.saturating_sub(before.bytes);
        }
        drop(list);
        self.make_room();
        Ok(())
    }

    /// Files, their bytes, and how many bytes there may be.
    pub(super) fn size(&self) -> (u64, u64, u64) {
        let list = lock(&self.list);
        (list.files.len() as u64, list.bytes, self.most)
    }

    /// Throws out what was used longest ago, when there is too much.
    fn make_room(&self) {
        let mut out = Vec::new();
        {
            let mut list = lock(&self.list);
            if list.bytes <= self.most {
                return;
            }
            let aim = self.most - self.most / SPARE;
            let mut by_use: Vec<(u64, SoundName)> =
                list.files.iter().map(|(name, entry)| (entry.used, *name)).collect();
            by_use.sort_unstable();
            for (_, name) in by_use {
                if list.bytes <= aim {
                    break;
                }
                if let Some(entry) = list.files.remove(&name) {
                    list.bytes = list.bytes.saturating_sub(entry.bytes);
                }
                out.push(name);
            }
        }
        tracing::debug!(sounds = out.len(), "sounds that were not used for long are thrown out");
        for name in out {
            self.remove(name);
        }
    }

    fn forget(&self, name: SoundName) {
        let mut list = lock(&self.list);
        if let Some(entry) = list.files.remove(&name) {
            list.bytes = list.bytes.saturating_sub(entry.bytes);
        }
        drop(list);
        self.remove(name);
    }

    fn remove(&self, name: SoundName) {
        match fs::remove_file(self.file(name)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, "a sound could not be thrown out"),
        }
    }

    fn file(&self, name: SoundName) -> PathBuf {
        self.path.join(format!("{}.{EXTENSION}", hex::encode(name.0)))
    }
}

/// How the names of files begin that are being written.
const HALF: &str = ".half-";

/// The sound of a file's name, where it is one of ours.
fn name_of(file: &str) -> Option<SoundName> {
    let name = file.strip_suffix(EXTENSION)?.strip_suffix('.')?;
    let mut bytes = [0; 16];
    hex::decode_to_slice(name, &mut bytes).ok()?;
    Some(SoundName(bytes))
}

/// The sound in a file, if all of it is there and nothing else.
fn whole(file: Vec<u8>, salt: &[u8; 32]) -> Option<Bytes> {
    let file = Bytes::from(file);
    if file.len() < HEADER || !file.starts_with(SIGN) {
        return None;
    }
    let length = u64::from_le_bytes(file[8..16].try_into().ok()?);
    let sound = file.slice(HEADER..);
    let is_whole = sound.len() as u64 == length
        && sound.len() <= LARGEST
        && file[16..HEADER] == hash(&sound, salt);
    is_whole.then_some(sound)
}

fn hash(sound: &[u8], salt: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(b"sound").chain_update(sound).finalize().into()
}

/// The folder's secret, made when there is none. Two processes that begin at once agree on one.
fn salt(folder: &Path) -> io::Result<[u8; 32]> {
    let path = folder.join(SALT);
    for _ in 0..2 {
        match fs::read(&path) {
            Ok(bytes) => {
                if let Ok(salt) = bytes.as_slice().try_into() {
                    return Ok(salt);
                }
                // Not ours, or cut: what was kept with it cannot be found any more.
                tracing::warn!("the secret of the folder of sounds is damaged: a new one is made");
                fs::remove_file(&path)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let salt = new_salt()?;
        let mut half = tempfile::Builder::new().prefix(HALF).tempfile_in(folder)?;
        half.write_all(&salt)?;
        half.as_file().sync_all()?;
        files::give(half.path(), folder);
        match half.persist_noclobber(&path) {
            Ok(_) => return Ok(salt),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.error),
        }
    }
    let bytes = fs::read(&path)?;
    bytes.as_slice().try_into().map_err(|_| io::Error::other("the secret is not whole"))
}

/// Thirty-two bytes that nobody can guess.
pub(super) fn new_salt() -> io::Result<[u8; 32]> {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(salt)
}
