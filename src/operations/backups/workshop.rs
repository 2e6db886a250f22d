//! Where a backup is made: a folder beside the store, on its disk, that only its owner sees. One at a
//! time works in it; what one that was killed left there is cleared out by the next.

use std::{
    fs::File,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::place::unwritable;
use crate::{
    domain::{Error, Kind, Result},
    store::backup::beside,
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

    /// A name in it, with an empty file that only its owner reads.
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
