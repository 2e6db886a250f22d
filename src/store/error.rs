//! What can go wrong with the file, and how a person is told.

use std::path::Path;

use rusqlite::ErrorCode;

use super::backup;
use crate::domain::{Error, Kind};

/// An error inside the store. [`StoreError::explain`] makes it readable.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite's own.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A rule of ours that the caller must read as it is.
    #[error("{0}")]
    User(Error),
    /// The file system's.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Made by a newer webox.
    #[error("schema {found} is newer than {known}")]
    NewerSchema {
        /// In the file.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A database, but not one of ours.
    #[error("not a webox store")]
    Foreign,
    /// Not a database at all.
    #[error("not a database")]
    NoStore,
    /// A folder, a pipe or the like.
    #[error("not a file")]
    NoFile,
    /// No file, where none is to be made.
    #[error("there is no store")]
    Missing,
    /// The SQLite in this binary has a bug that corrupts stores.
    #[error("SQLite {0} is too old")]
    OldSqlite(i32),
    /// A row says something no webox writes.
    #[error("unreadable row: {0}")]
    Row(String),
    /// A write panicked; nothing of it is stored.
    #[error("a write was broken off")]
    Broken,
    /// The transaction that held this write could not be committed.
    #[error("not committed: {0}")]
    NotCommitted(String, Kind),
    /// Something else is at its path now, or nothing.
    #[error("the database was moved away or exchanged: put it back, or start webox anew")]
    Moved,
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self::User(error)
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Row(error.to_string())
    }
}

impl StoreError {
    /// Which kind of error a person sees.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Kind::Busy,
                Some(
                    ErrorCode::PermissionDenied
                    | ErrorCode::ReadOnly
                    | ErrorCode::AuthorizationForStatementDenied,
                ) => Kind::Denied,
                _ => Kind::Failure,
            },
            Self::User(error) => error.kind(),
            Self::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Kind::Denied,
            Self::NewerSchema { .. }
            | Self::Foreign
            | Self::NoStore
            | Self::NoFile
            | Self::Missing
            | Self::OldSqlite(_) => Kind::Config,
            Self::NotCommitted(_, kind) => *kind,
            Self::Io(_) | Self::Row(_) | Self::Broken | Self::Moved | Self::Closed => Kind::Failure,
        }
    }

    /// The error as a person reads it, naming the file and what to do.
    pub fn explain(self, path: &Path) -> Error {
        let file = path.display();
        let kind = self.kind();
        match self {
            Self::User(error) => error,
            Self::NewerSchema { found, known } => Error::new(
                kind,
                format!("the store {file} was written by a newer webox (schema {found}, this one knows {known})"),
            )
            .hint("upgrade webox; the file was left as it is"),
            Self::Foreign => Error::new(kind, format!("{file} is a database, but not a webox store"))
                .hint("choose another file with `--db`; this one was left as it is"),
            Self::NoStore => Error::new(kind, format!("{file} is not a database"))
                .hint("choose another file with `--db`; this one was left as it is"),
            Self::NoFile => Error::new(kind, format!("{file} is no file"))
                .hint("name the file of the database with `--db`"),
            Self::Missing => Error::new(kind, format!("there is no database {file}"))
                .hint("name another with `--db`, or begin this one: `webox init`"),
            Self::OldSqlite(version) => Error::new(
                kind,
                format!("this webox was built with SQLite {version}, which can corrupt a store written by two processes"),
            )
            .hint("build it with the bundled SQLite (3.51.3 or later)"),
            Self::Sqlite(error) => explain_sqlite(error, kind, path),
            Self::NotCommitted(detail, _) => {
                Error::new(kind, format!("the store {file} could not be written")).because(detail).maybe_hint(write_hint(kind))
            }
            Self::Io(error) => {
                let hint = (kind == Kind::Denied).then(|| permission_hint(path));
                Error::new(kind, format!("cannot open the store {file}")).because(error).maybe_hint(hint)
            }
            other @ (Self::Row(_) | Self::Broken | Self::Moved | Self::Closed) => {
                Error::new(kind, format!("the store {file} cannot be used")).because(other)
            }
        }
    }
}

fn write_hint(kind: Kind) -> Option<String> {
    (kind == Kind::Busy).then(|| "another process holds it; try again".to_owned())
}

fn permission_hint(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let owner = |path: &Path| std::fs::metadata(path).ok().map(|of| of.uid());
    let folder = backup::folder_of(path);
    // Whose this process is, Linux says of its own entry.
    let us = owner(Path::new("/proc/self"));
    let ours = us.is_some() && owner(folder) == us && (owner(path) == us || !path.exists());
    if ours {
        format!("let yourself in: chmod u+rwx {}, and u+rw the files in it", folder.display())
    } else {
        format!("run as the user that owns {}", folder.display())
    }
}

fn explain_sqlite(error: rusqlite::Error, kind: Kind, path: &Path) -> Error {
    let file = path.display();
    // Asked and not tried: to open and close the file would drop the locks that this process holds there.
    let closed_to_us = || {
        let may = rustix::fs::access(path, rustix::fs::Access::WRITE_OK);
        may == Err(rustix::io::Errno::ACCESS)
    };
    // SQLite does not say why it cannot open a file.
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) if closed_to_us() => Kind::Denied,
        _ => kind,
    };
    let (message, hint) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            format!("the store {file} is in use by another process"),
            Some("try again in a moment".to_owned()),
        ),
        Some(ErrorCode::NotADatabase) => (
            format!("{file} is not a database"),
            Some("choose another file with `--db`; this one was left as it is".to_owned()),
        ),
        Some(ErrorCode::DatabaseCorrupt) => (
            format!("the store {file} is damaged"),
            Some("stop the daemon and restore a backup: `webox backup restore latest --yes`; nothing was changed".to_owned()),
        ),
        Some(ErrorCode::DiskFull) => (
            format!("the disk that holds {file} is full"),
            Some("free some space; nothing acknowledged was lost".to_owned()),
        ),
        // Among others, when there is no room for the shared memory of the write-ahead log.
        Some(ErrorCode::SystemIoFailure) => (
            format!("the disk that holds {file} is full, or failing"),
            Some(
                "look at its free space and at the system's log; nothing acknowledged was lost"
                    .to_owned(),
            ),
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            (format!("cannot open the store {file}"), Some(permission_hint(path)))
        }
        _ => (format!("the store {file} failed"), None),
    };
    Error::new(kind, message).because(error).maybe_hint(hint)
}
