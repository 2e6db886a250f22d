//! Where a backup is made: a folder beside the store, on its disk, that only its owner sees. One at a
//! time works in it; what one that was killed left there is cleared out by the next. And where one is
//! unpacked, which is another folder there.

use std::{
    fs::File,
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::place::unwritable;
use crate::{
    domain::{Error, Kind, Result},
    files,
    store::backup::{beside, folder_of, give_to_owner},
};

pub(super) struct Workshop {
    folder: PathBuf,
    _lock: File,
}

impl Workshop {
    pub(super) fn open(store: &Path) -> Result<Self> {
        let folder = beside(store, ".backup");
        let failed = |cause| unwritable(&folder, cause);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
        // Where root is killed over it, the daemon must be able to clear it out.
        give_to_owner(&folder, store);
        clear_out(store);
        let lock = File::open(&folder).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(Error::new(
                    Kind::Busy,
                    format!("another backup of {} is being made", store.display()),
                )
                .hint("try again once it is done"));
            }
            Err(std::fs::TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        for entry in std::fs::read_dir(&folder).map_err(failed)?.flatten() {
            std::fs::remove_file(entry.path()).map_err(failed)?;
        }
        Ok(Self { folder, _lock: lock })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a name in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(folder = %self.folder.display(), %error, "what a backup was made in stays");
        }
    }
}

/// How folders are called that backups are unpacked in.
const UNPACKED: &str = ".webox-restore-";

/// A folder of our own on the disk of the store, where a backup is unpacked: what callers said lies there
/// unsealed, until this is dropped.
pub(super) struct Scratch {
    folder: TempDir,
    _lock: Option<File>,
}

impl Scratch {
    pub(super) fn open(store: &Path) -> Result<Self> {
        let beside = folder_of(store);
        let failed = |cause: io::Error| {
            let kind = match cause.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Kind::Denied,
                _ => Kind::Failure,
            };
            Error::new(kind, format!("no backup can be unpacked in {}", beside.display()))
                .hint("it is unpacked beside the database: name a place that you may write to with `--db`")
                .because(cause)
        };
        files::make_folder(beside, files::nearest(store)).map_err(failed)?;
        clear_out(store);
        let folder =
            tempfile::Builder::new().prefix(UNPACKED).tempdir_in(beside).map_err(failed)?;
        give_to_owner(folder.path(), store);
        // Says that somebody is still at it.
        let lock = File::open(folder.path()).ok().filter(|folder| folder.try_lock().is_ok());
        Ok(Self { folder, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes what was unpacked by one that was killed, so that no copy of a database outlives what is
/// forgotten in it.
pub(super) fn clear_out(store: &Path) {
    let Ok(entries) = std::fs::read_dir(folder_of(store)) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(UNPACKED));
        let path = entry.path();
        if !is_ours || !File::open(&path).is_ok_and(|folder| folder.try_lock().is_ok()) {
            continue;
        }
        match std::fs::remove_dir_all(&path) {
            Ok(()) => {
                tracing::info!(path = %path.display(), "removed what a backup was unpacked in");
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "what a backup was unpacked in stays");
            }
        }
    }
}
