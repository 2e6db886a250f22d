//! Where backups lie: a folder, or a bucket. Only files that are named as ours are seen at all.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};

use sha2::Digest as _;
use tempfile::{NamedTempFile, TempPath};

use super::archive;
use crate::{
    domain::{BackupName, Error, Kind, Result},
    files,
    integrations::s3::Storage,
    store::backup::{give_to_owner, sync_folder},
};

/// Says whose backups lie in a place: the identity of their database.
const OWNER: &str = ".webox-store";

/// No identity is longer.
const LONGEST_OWNER: usize = 256;

/// How files are called that are not whole yet.
const UNFINISHED: &str = ".webox-backup-";

/// A place for backups.
#[derive(Debug, Clone)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// A bucket, and what stands before names in it.
    Bucket(Box<Storage>, String),
}

/// A file to read a backup from; one that was fetched is gone with it.
pub(super) enum Fetched {
    There(PathBuf),
    Here(TempPath),
}

impl Fetched {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::There(path) => path,
            Self::Here(path) => path,
        }
    }
}

impl Place {
    fn shown(&self, name: BackupName) -> String {
        match self {
            Self::Folder(folder) => folder.join(name.to_string()).display().to_string(),
            Self::Bucket(_, prefix) => format!("{prefix}{name}"),
        }
    }

    /// The backups there, the newest first, with their lengths.
    pub(super) async fn list(&self) -> Result<Vec<(BackupName, u64)>> {
        let mut found: Vec<(BackupName, u64)> = match self {
            Self::Folder(folder) => {
                // It may lie on another machine, which may not answer.
                let folder = folder.clone();
                super::blocking(move || in_folder(&folder)).await?
            }
            Self::Bucket(storage, prefix) => storage
                .list(prefix)
                .await?
                .into_iter()
                .filter_map(|stored| {
                    Some((stored.key.strip_prefix(prefix.as_str())?.parse().ok()?, stored.bytes))
                })
                .collect(),
        };
        found.sort_unstable_by(|a, b| b.cmp(a));
        Ok(found)
    }

    /// The beginning of a backup.
    pub(super) async fn head(&self, name: BackupName) -> Result<Vec<u8>> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name.to_string());
                super::blocking(move || {
                    let read = || -> io::Result<Vec<u8>> {
                        let mut head = Vec::new();
                        File::open(&path)?.take(archive::HEAD as u64).read_to_end(&mut head)?;
                        Ok(head)
                    };
                    read().map_err(|error| unreadable(&path, error))
                })
                .await
            }
            Self::Bucket(storage, prefix) => {
                storage.head(&format!("{prefix}{name}"), archive::HEAD).await
            }
        }
    }

    /// Has the place be one database's alone. A folder that is not there yet is made, for whom `store`
    /// belongs to.
    ///
    /// # Errors
    /// When it is another one's.
    pub(super) async fn claim(&self, store_id: &str, store: &Path) -> Result<()> {
        if self.is_of(store_id).await? {
            return Ok(());
        }
        match self {
            Self::Folder(folder) => {
                let (folder, store_id) = (folder.clone(), store_id.to_owned());
                let store = store.to_owned();
                super::blocking(move || enter(&folder, &store_id, &store)).await?;
            }
            Self::Bucket(storage, prefix) => {
                let said = say(&std::env::temp_dir(), store_id)?;
                let digest = sha2::Sha256::digest(store_id.as_bytes());
                storage.put(&format!("{prefix}{OWNER}"), said.path(), &digest).await?;
            }
        }
        // Another one may have been quicker.
        self.is_of(store_id).await.map(drop)
    }

    /// Whether the place is a database's; no, where nobody has said so yet.
    ///
    /// # Errors
    /// When it is another one's.
    pub(super) async fn is_of(&self, store_id: &str) -> Result<bool> {
        let owner = match self {
            Self::Folder(folder) => {
                let path = folder.join(OWNER);
                // It may lie on another machine, which may not answer.
                let read = super::blocking(move || match std::fs::read(&path) {
                    Ok(said) => Ok(Some(said)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(unreadable(&path, error)),
                });
                read.await?
            }
            Self::Bucket(storage, prefix) => {
                match storage.head(&format!("{prefix}{OWNER}"), LONGEST_OWNER).await {
                    Ok(said) => Some(said),
                    Err(error) if error.kind() == Kind::NotFound => None,
                    Err(error) => return Err(error),
                }
            }
        };
        let Some(owner) = owner else { return Ok(false) };
        let owner = String::from_utf8_lossy(&owner);
        let owner = owner.trim();
        if owner == store_id {
            return Ok(true);
        }
        // As a proxy between would answer that wants one to log in.
        if owner.len() != store_id.len() || !owner.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::unavailable(format!("`{OWNER}` in {self} names no database"))
                .hint("look at what answers there, and at that file; whose backups these are is not known"));
        }
        Err(Error::config(format!("{self} has backups of another database")).hint(format!(
            "name a place of its own as `backup.to`; where the other one is given up for good, remove `{OWNER}` there"
        )))
    }

    /// A backup as a file; one in a bucket is fetched into `scratch`.
    pub(super) async fn fetch(&self, name: BackupName, scratch: &Path) -> Result<Fetched> {
        match self {
            Self::Folder(folder) => Ok(Fetched::There(folder.join(name.to_string()))),
            Self::Bucket(storage, prefix) => {
                let fetched = tempfile::Builder::new()
                    .prefix(UNFINISHED)
                    .tempfile_in(scratch)
                    .map_err(|error| unwritable(scratch, error))?;
                storage.get(&format!("{prefix}{name}"), fetched.as_file()).await?;
                Ok(Fetched::Here(fetched.into_temp_path()))
            }
        }
    }

    /// A file to write a backup of a store into, before it has its name. Those that a webox left behind
    /// which was killed over them go now.
    pub(super) fn begin(&self, store: &Path, scratch: &Path) -> Result<NamedTempFile> {
        let folder = match self {
            Self::Folder(folder) => {
                files::make_folder(folder, store).map_err(|error| unwritable(folder, error))?;
                tidy(folder);
                folder
            }
            Self::Bucket(..) => scratch,
        };
        let begun = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(folder)
            .map_err(|error| unwritable(folder, error))?;
        give_to_owner(begun.path(), folder);
        // Says that somebody is still at it.
        let _ = begun.as_file().try_lock();
        Ok(begun)
    }

    /// Gives a backup its name, once it is whole and on disk; in a folder where something has that name,
    /// one that nothing has. Answers which.
    pub(super) async fn put(
        &self,
        whole: NamedTempFile,
        name: BackupName,
        sha256: &[u8],
    ) -> Result<BackupName> {
        match self {
            Self::Folder(folder) => {
                let folder = folder.clone();
                super::blocking(move || put_in_folder(whole, &folder, name)).await
            }
            Self::Bucket(storage, prefix) => {
                storage.put(&format!("{prefix}{name}"), whole.path(), sha256).await?;
                Ok(name)
            }
        }
    }

    /// Takes a backup away.
    pub(super) async fn remove(&self, name: BackupName) -> Result<()> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name.to_string());
                super::blocking(move || {
                    std::fs::remove_file(&path).map_err(|error| {
                        Error::failure(format!("{} cannot be removed", path.display()))
                            .because(error)
                    })
                })
                .await
            }
            Self::Bucket(storage, prefix) => storage.delete(&format!("{prefix}{name}")).await,
        }
    }

    pub(super) fn not_there(&self, name: BackupName) -> Error {
        Error::not_found(format!("there is no backup {}", self.shown(name)))
            .hint("`webox backup list` shows those that there are")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Bucket(_, prefix) if prefix.is_empty() => f.write_str("the bucket"),
            Self::Bucket(_, prefix) => write!(f, "`{prefix}` of the bucket"),
        }
    }
}

fn put_in_folder(
    mut whole: NamedTempFile,
    folder: &Path,
    mut name: BackupName,
) -> Result<BackupName> {
    loop {
        let path = folder.join(name.to_string());
        match whole.persist_noclobber(&path) {
            Ok(_) => {
                return sync_folder(&path).map(|()| name).map_err(|error| unwritable(&path, error));
            }
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                (whole, name) = (error.file, name.next());
            }
            Err(error) => return Err(unwritable(&path, error.error)),
        }
    }
}

/// Says whose a folder is, where nobody has said so yet.
fn enter(folder: &Path, store_id: &str, store: &Path) -> Result<()> {
    files::make_folder(folder, store).map_err(|error| unwritable(folder, error))?;
    let path = folder.join(OWNER);
    match say(folder, store_id)?.persist_noclobber(&path) {
        Ok(_) => sync_folder(&path).map_err(|error| unwritable(&path, error)),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(unwritable(&path, error.error)),
    }
}

/// A file that says whose.
fn say(folder: &Path, store_id: &str) -> Result<NamedTempFile> {
    let write = || {
        let mut said = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        said.write_all(store_id.as_bytes())?;
        said.as_file().sync_all()?;
        give_to_owner(said.path(), folder);
        Ok(said)
    };
    write().map_err(|error| unwritable(folder, error))
}

/// Removes what is unfinished, and nobody's any more.
fn tidy(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(UNFINISHED));
        if !is_ours {
            continue;
        }
        let path = entry.path();
        let removed = match File::open(&path) {
            // Somebody is still at it.
            Ok(file) if file.try_lock().is_err() => continue,
            Ok(_) => std::fs::remove_file(&path),
            Err(error) => Err(error),
        };
        match removed {
            Ok(()) => tracing::info!(path = %path.display(), "removed an unfinished backup"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "an unfinished backup stays");
            }
        }
    }
}

/// The backups in a folder; none where there is no such folder yet.
fn in_folder(folder: &Path) -> Result<Vec<(BackupName, u64)>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, error)),
    };
    let ours = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_str()?.parse().ok()?;
        let about = std::fs::metadata(entry.path()).ok().filter(std::fs::Metadata::is_file)?;
        Some((name, about.len()))
    };
    Ok(entries.flatten().filter_map(ours).collect())
}

fn unreadable(path: &Path, cause: io::Error) -> Error {
    let kind = match cause.kind() {
        io::ErrorKind::PermissionDenied => Kind::Denied,
        io::ErrorKind::NotFound => Kind::NotFound,
        _ => Kind::Failure,
    };
    Error::new(kind, format!("{} cannot be read", path.display()))
        .hint("is it mounted, and may this user read it?")
        .because(cause)
}

pub(super) fn unwritable(path: &Path, cause: io::Error) -> Error {
    let (kind, hint) = match cause.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            (Kind::Denied, "let the user that webox runs as write there, or choose another place")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (Kind::Failure, "free some space; the database was left as it is")
        }
        _ => (Kind::Failure, "look at the disk, and at `backup.to`"),
    };
    Error::new(kind, format!("no backup can be written to {}", path.display()))
        .hint(hint)
        .because(cause)
}
