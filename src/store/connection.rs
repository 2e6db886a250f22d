//! Opening the file: permissions, pragmas, and the SQLite that must not be used.

use std::{
    os::unix::{ffi::OsStrExt, fs::DirBuilderExt},
    path::Path,
    time::Duration,
};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use super::{StoreError, backup, migrate};

/// Older ones corrupt a WAL database written by two processes, which ours is
/// (sqlite.org, "WAL-reset bug", fixed in 3.51.3).
const OLDEST_SQLITE: i32 = 3_051_003;

/// Filled only as far as there is something to write.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

/// Opens for writing, creating the file with mode 0600 (SQLite gives its -wal and -shm the same).
pub(super) fn open_writer(path: &Path, lock_timeout: Duration) -> Result<Connection, StoreError> {
    refuse_old_sqlite(rusqlite::version_number())?;
    make_folder(path)?;
    create_private(path)?;
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(lock_timeout)?;
    steady_plans(&connection)?;
    // Before anything is changed: the journal mode is kept in the file, which may be somebody else's.
    migrate::check(&connection)?;
    close_to_others(path)?;
    // Asking first keeps a second process from needing the lock that changing takes.
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if mode != "wal" {
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    }
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA mmap_size = 0; \
         PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY; \
         PRAGMA secure_delete = ON;",
    )?;
    // A busy batch touches more pages than SQLite's 2 MiB hold: it would write some of them twice.
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Looks for the file before anything is made: its folder, where a store may be begun there; and whether
/// it may be one, as far as that is seen without touching it.
pub(super) fn find(path: &Path, begins: bool) -> Result<(), StoreError> {
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !path.is_symlink() => {
            return if begins { Ok(make_folder(path)?) } else { Err(StoreError::Missing) };
        }
        Err(error) => return Err(error.into()),
    };
    if !found.is_file() {
        return Err(StoreError::NoFile);
    }
    if found.len() == 0 {
        return if begins { Ok(()) } else { Err(StoreError::Missing) };
    }
    match said_of_itself(path) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(StoreError::NoStore)
        }
        // What does not make sense without its log is looked at together with it.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => Ok(()),
        Err(error) => Err(error.into()),
        // It may say it in its log alone: it was begun a moment ago, or the power went while webox used it.
        Ok((page, _))
            if found.len() == u64::from(page) && backup::beside(path, "-wal").exists() =>
        {
            Ok(())
        }
        Ok(_) if backup::beside(path, ".lock").exists() => Ok(()),
        Ok((_, id)) if id == migrate::APPLICATION_ID => Ok(()),
        Ok(_) => Err(StoreError::Foreign),
    }
}

/// Bytes of a page, and whose a file says it is. By SQLite, as one that does not change: it makes nothing
/// beside it, and knows of the locks that this process may hold there. To read and close the file
/// otherwise would lose them (sqlite.org/howtocorrupt, "POSIX advisory locks canceled by a separate thread
/// doing close()").
fn said_of_itself(path: &Path) -> rusqlite::Result<(u32, i64)> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = percent_encode(path.as_os_str().as_bytes(), NON_ALPHANUMERIC);
    let connection = Connection::open_with_flags(
        format!("file:{name}?immutable=1"),
        OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI,
    )?;
    let id = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    Ok((connection.query_row("PRAGMA page_size", [], |row| row.get(0))?, id))
}

/// Makes the folder of the file, where there is none, for its owner alone.
fn make_folder(path: &Path) -> std::io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

/// Opens for reading only.
pub(super) fn open_reader(path: &Path, lock_timeout: Duration) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(lock_timeout)?;
    steady_plans(&connection)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA mmap_size = 0;")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Has a statement planned once. Where a partial index might serve for some values of a parameter only,
/// SQLite plans it again for each new value (sqlite.org/c3ref, `SQLITE_DBCONFIG_ENABLE_QPSG`).
fn steady_plans(connection: &Connection) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => {
            backup::give_to_owner_of_folder(path);
            Ok(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// What callers said is nobody else's business: SQLite gives the log and the index the mode of the
/// file. Where the file is not ours to change, whoever made it answers for its mode.
fn close_to_others(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode.trailing_zeros() >= 6 {
        return Ok(());
    }
    let private = std::fs::Permissions::from_mode(mode & 0o700);
    match std::fs::set_permissions(path, private) {
        Ok(()) => {
            tracing::warn!(path = %path.display(), "others could read the database; its mode is 0600 now");
        }
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

fn refuse_old_sqlite(version: i32) -> Result<(), StoreError> {
    if version < OLDEST_SQLITE { Err(StoreError::OldSqlite(version)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_sqlite_with_the_wal_reset_bug_is_refused() {
        assert!(matches!(refuse_old_sqlite(3_051_002), Err(StoreError::OldSqlite(_))));
        assert!(refuse_old_sqlite(rusqlite::version_number()).is_ok());
    }

    #[test]
    fn a_file_that_webox_used_is_looked_at_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("webox.db");
        let foreign = Connection::open(&file).unwrap();
        foreign.execute_batch("CREATE TABLE mine (x); CREATE TABLE more (x);").unwrap();
        drop(foreign);
        assert!(matches!(find(&file, true), Err(StoreError::Foreign)));
        std::fs::write(folder.path().join("webox.db.lock"), "").unwrap();
        assert!(find(&file, true).is_ok());
        std::fs::write(&file, "not a database".repeat(1_000)).unwrap();
        assert!(matches!(find(&file, true), Err(StoreError::NoStore)));
        std::fs::write(&file, "SQL").unwrap();
        assert!(matches!(find(&file, true), Err(StoreError::NoStore)));
    }

    #[test]
    fn looking_at_a_file_lets_go_of_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a store? 50 % é.db");
        let holds = Connection::open(&file).unwrap();
        holds.pragma_update(None, "application_id", migrate::APPLICATION_ID).unwrap();
        holds.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let inode = format!(":{}", std::fs::metadata(&file).unwrap().ino());
        let locks = || {
            let all = std::fs::read_to_string("/proc/locks").unwrap();
            all.split_whitespace().filter(|word| word.ends_with(&inode)).count()
        };
        let held = locks();
        assert!(held > 0);
        find(&file, false).unwrap();
        assert_eq!(locks(), held);
        assert!(!backup::beside(&file, "-wal").exists());
    }

    #[test]
    fn another_value_is_not_another_plan() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("webox.db");
        let mut writer = open_writer(&file, Duration::from_secs(5)).unwrap();
        migrate::migrate(&mut writer, None).unwrap();
        let reader = open_reader(&file, Duration::from_secs(5)).unwrap();
        for connection in [&writer, &reader] {
            // One of the indexes of this table has the rows of call 0 alone.
            let mut statement = connection
                .prepare("SELECT max(number) FROM ledger_entries WHERE call_id = ?1")
                .unwrap();
            for call in 0..5 {
                let last: Option<i64> = statement.query_row([call], |row| row.get(0)).unwrap();
                assert_eq!(last, None);
            }
            assert_eq!(statement.get_status(rusqlite::StatementStatus::RePrepare), 0);
        }
    }
}
