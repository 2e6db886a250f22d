//! Secrets at rest: each sealed with a key of its own, which a master key wraps.
//!
//! XChaCha20-Poly1305 throughout, with random nonces. What a secret is called goes into both seals
//! as associated data: a row copied over another one does not open. Several master keys may be at
//! hand, the first being the one in force, so that one can replace another while webox runs.

use std::{
    fmt,
    os::unix::fs::DirBuilderExt,
    path::Path,
    sync::{PoisonError, RwLock},
};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};

use crate::{
    domain::{Error, KeySource, Kind, Result, Secret},
    files,
};

/// Bytes of a key.
const KEY: usize = 32;
/// Bytes of a nonce, which stands before what it seals.
const NONCE: usize = 24;
/// What a passphrase for backups is derived with.
const BACKUP: &[u8] = b"webox/1/backup";

/// Where systemd shows a daemon its master keys (systemd.exec(5), `LoadCredential=`): a copy, as old as the daemon's
/// start. Only root and the daemon see it.
pub const HANDED_OVER: &str = "/run/credentials/webox.service/webox-master-key";

/// A sealed secret: of no use without the master key, and only under its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Which master key wrapped the key.
    pub key_id: String,
    /// The key, wrapped.
    pub wrapped: Vec<u8>,
    /// The value, sealed with the key.
    pub sealed: Vec<u8>,
}

struct MasterKey {
    id: String,
    key: SecretBox<[u8; KEY]>,
}

/// Seals and opens. The master keys are read when first needed, and again when a seal names one
/// that is not at hand: another process may have put a new one into force.
pub struct Vault {
    source: KeySource,
    keys: RwLock<Vec<MasterKey>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.source)
    }
}

impl Vault {
    /// Reads nothing yet.
    pub fn new(source: KeySource) -> Self {
        Self { source, keys: RwLock::new(Vec::new()) }
    }

    /// Where the keys are.
    pub fn source(&self) -> &KeySource {
        &self.source
    }

    /// Which master key is in force; an error that says what is wrong when there is none.
    pub fn key_in_force(&self) -> Result<String> {
        self.with_keys(|keys| Ok(keys.first().map(|key| key.id.clone())))?
            .ok_or_else(|| self.wrong("holds no key"))
    }

    /// Seals a value under a name, with the master key that is in force at this moment: another
    /// process may have put a new one there since the last time. What is sealed must be stored in the
    /// transaction in which this is called, so that [`Vault::drop_old_keys`] cannot come between.
    pub fn seal(&self, name: &str, value: &Secret) -> Result<Sealed> {
        self.load()?;
        let own = random::<KEY>()?;
        let sealed = encrypt(&own, &aad(name, "value"), value.expose().as_bytes())?;
        self.wrap(name, &own, sealed)
    }

    /// Opens what was sealed under a name.
    pub fn open(&self, name: &str, sealed: &Sealed) -> Result<Secret> {
        let own = self.unwrap_key(name, sealed)?;
        let value = decrypt(own.expose_secret(), &aad(name, "value"), &sealed.sealed)
            .ok_or_else(|| broken(name))?;
        String::from_utf8(value).map(Secret::new).map_err(|_| broken(name))
    }

    /// The same value with its key wrapped by the master key in force; nothing when it is already.
    /// Like [`Vault::seal`] it looks at the keys anew, and must be called in the transaction that
    /// stores what it answers: a key that only this process remembers may be gone.
    pub fn rewrap(&self, name: &str, sealed: &Sealed) -> Result<Option<Sealed>> {
        self.load()?;
        if sealed.key_id == self.key_in_force()? {
            return Ok(None);
        }
        let own = self.unwrap_key(name, sealed)?;
        self.wrap(name, own.expose_secret(), sealed.sealed.clone()).map(Some)
    }

    fn wrap(&self, name: &str, own: &[u8; KEY], sealed: Vec<u8>) -> Result<Sealed> {
        let wrapped = self.with_keys(|keys| {
            let Some(master) = keys.first() else { return Ok(None) };
            let wrapped = encrypt(master.key.expose_secret(), &aad(name, "key"), own)?;
            Ok(Some((master.id.clone(), wrapped)))
        })?;
        let (key_id, wrapped) = wrapped.ok_or_else(|| self.wrong("holds no key"))?;
        Ok(Sealed { key_id, wrapped, sealed })
    }

    fn unwrap_key(&self, name: &str, sealed: &Sealed) -> Result<SecretBox<[u8; KEY]>> {
        let find = |keys: &[MasterKey]| {
            let Some(master) = keys.iter().find(|key| key.id == sealed.key_id) else {
                return Ok(None);
            };
            let own = decrypt(master.key.expose_secret(), &aad(name, "key"), &sealed.wrapped);
            let own: [u8; KEY] =
                own.and_then(|own| own.try_into().ok()).ok_or_else(|| broken(name))?;
            Ok(Some(SecretBox::new(Box::new(own))))
        };
        let lost = |error| self.lost(error);
        if let Some(own) = self.with_keys(find).map_err(lost)? {
            return Ok(own);
        }
        self.load().map_err(lost)?;
        self.with_keys(find)?.ok_or_else(|| {
            Error::config(format!(
                "the secret `{}` is sealed with the master key {}, which is not in {}",
                shown(name),
                sealed.key_id,
                self.source
            ))
            .hint("put that key back, beside the one there: one a line, the one in force first")
        })
    }

    fn with_keys<T>(&self, work: impl Fn(&[MasterKey]) -> Result<Option<T>>) -> Result<Option<T>> {
        {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            if !keys.is_empty() {
                return work(&keys);
            }
        }
        self.load()?;
        work(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn load(&self) -> Result<()> {
        let text = match &self.source {
            KeySource::Given(text, _) => text.clone(),
            KeySource::File(path) => {
                refuse_open_to_others(path)?;
                read(path)?
            }
            KeySource::Credential(path) => read(path)?,
        };
        let keys = parse(&text).ok_or_else(|| {
            self.wrong("is not a list of master keys (64 hexadecimal digits each)")
        })?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// An error about keys where something was sealed already: a key that is not there must be put back, since
    /// a new one would open nothing of it.
    pub fn lost(&self, error: Error) -> Error {
        match &self.source {
            KeySource::File(path) if !path.exists() => {
                error.hint("put back the copy of the master key that is kept elsewhere: a new one opens nothing of before")
            }
            _ => error,
        }
    }

    fn wrong(&self, what: &str) -> Error {
        Error::config(format!("the master key: {} {what}", self.source))
            .hint("put back the one that was there; nothing but that one opens what it sealed")
    }

    /// Makes the file and a first key, readable by its owner alone. Says whether there was none.
    pub fn init(path: &Path) -> Result<bool> {
        make_folder(path)?;
        let _alone = alone(path)?;
        if path.exists() {
            Self::new(KeySource::File(path.to_owned())).key_in_force()?;
            return Ok(false);
        }
        write(path, &[hex::encode(random::<KEY>()?)])?;
        Ok(true)
    }

    /// Puts a new key before those that are there. What is sealed still opens.
    pub fn add_key(&self) -> Result<()> {
        let KeySource::File(path) = &self.source else {
            return Err(Error::new(
                Kind::Refused,
                format!("the master key is in {}, which webox does not write", self.source),
            )
            .hint("put a new key before the old one yourself, and run this again"));
        };
        let _alone = alone(path)?;
        self.load()?;
        let mut lines = vec![hex::encode(random::<KEY>()?)];
        lines.extend(self.lines(|_| true)?);
        write(path, &lines)?;
        self.load()
    }

    /// What backups are sealed with: a passphrase derived from each master key, under the key's name,
    /// the one in force first. It is made so that it can be had without webox (`docs/backups.md`).
    pub fn backup_passphrases(&self) -> Result<Vec<(String, Secret)>> {
        self.load()?;
        let derived = self.with_keys(|keys| {
            let derived = keys.iter().map(|key| {
                let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.key.expose_secret())
                    .map_err(|_| Error::failure("no passphrase can be derived"))?;
                mac.update(BACKUP);
                Ok((key.id.clone(), Secret::new(hex::encode(mac.finalize().into_bytes()))))
            });
            derived.collect::<Result<Vec<_>>>().map(Some)
        })?;
        let derived = derived.unwrap_or_default();
        if derived.is_empty() { Err(self.wrong("holds no key")) } else { Ok(derived) }
    }

    /// How many keys there are.
    pub fn count(&self) -> Result<usize> {
        Ok(self.with_keys(|keys| Ok(Some(keys.len())))?.unwrap_or(0))
    }

    /// Takes out the keys that are neither in force nor `needed`. Must be called in a transaction,
    /// so that nobody seals with them meanwhile.
    pub fn drop_old_keys(&self, needed: &[String]) -> Result<()> {
        let KeySource::File(path) = &self.source else { return Ok(()) };
        let _alone = alone(path)?;
        self.load()?;
        let in_force = self.key_in_force()?;
        let lines = self.lines(|id| id == in_force || needed.iter().any(|needed| needed == id))?;
        write(path, &lines)?;
        self.load()
    }

    fn lines(&self, keep: impl Fn(&str) -> bool) -> Result<Vec<String>> {
        let lines = self.with_keys(|keys| {
            let kept = keys.iter().filter(|key| keep(&key.id));
            Ok(Some(kept.map(|key| hex::encode(key.key.expose_secret())).collect()))
        })?;
        Ok(lines.unwrap_or_default())
    }
}

/// One process at a time changes a file of keys: the lock is held until this is dropped.
fn alone(path: &Path) -> Result<std::fs::File> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = Path::new(&beside);
    let open = || -> std::io::Result<std::fs::File> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(false);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(beside)?;
        files::give(beside, if path.exists() { path } else { files::nearest(path) });
        file.lock()?;
        Ok(file)
    };
    open().map_err(|cause| {
        Error::failure(format!(
            "the master key cannot be changed: {} is not to be had",
            beside.display()
        ))
        .because(cause)
    })
}

fn shown(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn broken(name: &str) -> Error {
    Error::failure(format!("the secret `{}` does not open: its row was changed", shown(name)))
        .hint("set it again with `webox secrets set`")
}

/// What belongs to a seal without being in it.
fn aad(name: &str, part: &str) -> Vec<u8> {
    format!("webox/1/{part}/{name}").into_bytes()
}

fn encrypt(key: &[u8; KEY], aad: &[u8], value: &[u8]) -> Result<Vec<u8>> {
    let nonce = random::<NONCE>()?;
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(nonce), Payload { msg: value, aad })
        .map_err(|_| Error::failure("a secret could not be sealed"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn decrypt(key: &[u8; KEY], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
    XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad })
        .ok()
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Error::failure("this machine gives no random numbers").because(cause.to_string())
    })?;
    Ok(bytes)
}

fn parse(text: &Secret) -> Option<Vec<MasterKey>> {
    let lines = text.expose().lines().filter(|line| !line.trim_start().starts_with('#'));
    lines
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|key| !key.is_empty())
        .map(|digits| {
            let mut key = [0; KEY];
            hex::decode_to_slice(digits, &mut key).ok()?;
            let id = hex::encode(&Sha256::digest(key)[..4]);
            Some(MasterKey { id, key: SecretBox::new(Box::new(key)) })
        })
        .collect()
}

fn read(path: &Path) -> Result<Secret> {
    std::fs::read_to_string(path).map(Secret::new).map_err(|cause| {
        let missing = cause.kind() == std::io::ErrorKind::NotFound;
        let message = if missing {
            format!("there is no master key: {} does not exist", path.display())
        } else {
            format!("the master key cannot be read from {}", path.display())
        };
        Error::config(message)
            .hint("put back the one that was there, or run with what the daemon reads it by (`CREDENTIALS_DIRECTORY` under systemd); only where there never was one, `webox init` makes it")
            .because(cause)
    })
}

/// A key that others can read is no secret any more.
fn refuse_open_to_others(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(meta) = std::fs::metadata(path) else { return Ok(()) };
    let mode = meta.permissions().mode() & 0o777;
    if mode.trailing_zeros() >= 6 {
        return Ok(());
    }
    Err(Error::config(format!(
        "the master key {} can be read by others (mode {mode:04o})",
        path.display()
    ))
    .hint(format!(
        "`chmod 600 {0}`; if others may have read it, `webox secrets rotate-key` after that",
        path.display()
    )))
}

fn make_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|cause| unwritten(path, cause))
}

fn unwritten(path: &Path, cause: std::io::Error) -> Error {
    let error = Error::failure(format!("the master key cannot be written to {}", path.display()));
    let leads_nowhere = path.is_symlink() && !path.exists();
    error
        .maybe_hint(
            leads_nowhere.then(|| "its link leads nowhere: is the disk mounted?".to_owned()),
        )
        .because(cause)
}

fn write(path: &Path, lines: &[String]) -> Result<()> {
    let text = format!(
        "# The master key of webox. Keep a copy apart from the database: without it, what\n\
         # `webox secrets` keeps cannot be read by anybody.\n{}\n",
        lines.join("\n")
    );
    files::replace(path, text.as_bytes(), 0o600).map_err(|cause| unwritten(path, cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(folder: &tempfile::TempDir) -> Vault {
        let path = folder.path().join("master.key");
        Vault::init(&path).unwrap();
        Vault::new(KeySource::File(path))
    }

    #[test]
    fn the_passphrase_of_backups_is_what_openssl_makes() {
        let key = Secret::new("00".repeat(31) + "01\n" + &"ab".repeat(32));
        let vault = Vault::new(KeySource::Given(key, "test".to_owned()));
        let passphrases = vault.backup_passphrases().unwrap();
        assert_eq!(passphrases.len(), 2);
        // printf webox/1/backup | openssl dgst -sha256 -mac HMAC -macopt hexkey:00…01
        assert_eq!(
            passphrases[0].1.expose(),
            "46b5c10bb5adbbac1e55f81a9bd415ad97dcfab59d32b42cb4642db5cc74cb13"
        );
    }

    #[test]
    fn a_secret_opens_under_its_own_name_only_and_as_it_was_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(&folder);
        let sealed = vault.seal("a", &Secret::new("sk-1")).unwrap();
        assert_eq!(vault.open("a", &sealed).unwrap().expose(), "sk-1");
        assert!(vault.open("b", &sealed).is_err());
        // Nor with parts of another one.
        let other = vault.seal("a", &Secret::new("sk-2")).unwrap();
        let mixed = Sealed { sealed: other.sealed.clone(), ..sealed.clone() };
        assert!(vault.open("a", &mixed).is_err());
        for at in 0..sealed.sealed.len() {
            let mut changed = sealed.clone();
            changed.sealed[at] ^= 1;
            assert!(vault.open("a", &changed).is_err(), "byte {at}");
        }
        assert_ne!(vault.seal("a", &Secret::new("sk-1")).unwrap().sealed, sealed.sealed);
    }

    #[test]
    fn a_key_is_replaced_while_another_process_has_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let terminal = vault(&folder);
        let daemon = Vault::new(terminal.source().clone());
        let sealed = daemon.seal("a", &Secret::new("sk-1")).unwrap();
        terminal.add_key().unwrap();
        let rewrapped = terminal.rewrap("a", &sealed).unwrap().unwrap();
        assert_eq!(terminal.rewrap("a", &rewrapped).unwrap(), None);
        terminal.drop_old_keys(&[]).unwrap();
        // What the daemon seals from now on has the new key; the old one would be lost with it.
        // Nor does it wrap anew with a key that only it remembers.
        assert_eq!(daemon.rewrap("a", &rewrapped).unwrap(), None);
        let later = daemon.seal("b", &Secret::new("sk-2")).unwrap();
        assert_eq!(later.key_id, rewrapped.key_id);
        // The daemon still has the old key in memory; the new one it finds by itself.
        assert_eq!(daemon.open("a", &rewrapped).unwrap().expose(), "sk-1");
        let error = Vault::new(terminal.source().clone()).open("a", &sealed).unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.to_string().contains(&sealed.key_id), "{error}");
    }

    #[test]
    fn keys_that_are_needed_stay_whoever_else_makes_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let first = vault(&folder);
        let sealed = first.seal("a", &Secret::new("sk-1")).unwrap();
        let path = folder.path().join("master.key");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| Vault::new(KeySource::File(path.clone())).add_key().unwrap());
            }
        });
        let last = Vault::new(KeySource::File(path.clone()));
        assert_eq!(last.count().unwrap(), 9, "none was written over");
        last.drop_old_keys(std::slice::from_ref(&sealed.key_id)).unwrap();
        assert_eq!(last.count().unwrap(), 2);
        assert_eq!(last.open("a", &sealed).unwrap().expose(), "sk-1");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(&folder);
        let KeySource::File(path) = vault.source() else { unreachable!() };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = vault.seal("a", &Secret::new("x")).unwrap_err();
        assert!(error.to_string().contains("0640"), "{error}");
    }

    #[test]
    fn a_key_that_is_none_is_never_repeated() {
        for text in ["", "canary", "0123", &"z".repeat(64)] {
            let vault = Vault::new(KeySource::Given(Secret::new(text), "WEBOX_MASTER_KEY".into()));
            let error = vault.key_in_force().unwrap_err();
            assert!(!error.to_string().contains("canary"), "{error}");
            assert!(error.to_string().contains("WEBOX_MASTER_KEY"), "{error}");
        }
        let two = format!("{},{}", "ab".repeat(32), "cd".repeat(32));
        let vault = Vault::new(KeySource::Given(Secret::new(two), "here".into()));
        assert_eq!(vault.count().unwrap(), 2);
    }
}
