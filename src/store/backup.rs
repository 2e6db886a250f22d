//! Copies of the file: made while others write, looked over, and put in its place again.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use super::{Store, StoreError, connection, migrate, writer};
use crate::{
    domain::{Error, Kind, Result},
    files,
};

/// Pages copied at a time: a mebibyte. Between two of them others have the disk.
const PAGES: i32 = 256;

/// How long it is waited when somebody is in the way of a piece.
const WAIT: Duration = Duration::from_millis(50);

/// What the name of a store that is put aside has before the moment.
pub const ASIDE: &str = ".replaced-";

/// How long a command that is about to end may still hold the store.
const HELD_FOR: Duration = Duration::from_secs(3);

/// Free room wanted beyond the copy, in parts of it: the steps themselves write as well.
const SPARE: u64 = 4;

/// What is in a file: enough to tell that a copy is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Its schema.
    pub schema: i64,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
}

/// The SQLite in this binary.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

impl Store {
    /// Looks whether a copy has room beside the store, so that none is begun that fills its disk.
    pub fn has_room_for_a_copy(&self) -> Result<()> {
        let path = self.path();
        let missing =
            missing_for_a_copy(path).map_err(|error| StoreError::Io(error).explain(path))?;
        let Some(missing) = missing else { return Ok(()) };
        Err(Error::failure(format!("there is no room for a copy beside {}", path.display()))
            .hint("free some space; nothing was written")
            .because(missing))
    }

    /// Copies the store, as it is at this moment, into an empty file. Whoever writes meanwhile goes
    /// on: only the write-ahead log grows by what they write. Says what is in it. `progress` hears
    /// how many pages are done, and of how many; it says whether to go on.
    pub fn copy_to(&self, to: &Path, progress: impl FnMut(u64, u64) -> bool) -> Result<Contents> {
        copy(self.path(), to, self.inner.options.lock_timeout, progress)
            .map_err(|error| error.explain(self.path()))
    }
}

/// What a copy beside the store lacks, in words; nothing where there is room for it, or nobody knows.
pub(super) fn missing_for_a_copy(path: &Path) -> std::io::Result<Option<String>> {
    let size = std::fs::metadata(path)?.len();
    let Ok(disk) = rustix::fs::statvfs(folder_of(path)) else { return Ok(None) };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let needed = size + size / SPARE;
    Ok((free < needed).then(|| {
        format!("{} MiB are free, and {} MiB are needed", free >> 20, needed.div_ceil(1 << 20))
    }))
}

/// Copies a file of ours. What is read is one state of it: the reading begun here holds until the end.
pub(super) fn copy(
    from: &Path,
    to: &Path,
    lock_timeout: Duration,
    mut progress: impl FnMut(u64, u64) -> bool,
) -> Result<Contents, StoreError> {
    let source = connection::open_reader(from, lock_timeout)?;
    source.execute_batch("BEGIN")?;
    let contents = contents(&source)?;
    let mut target = Connection::open(to)?;
    target.busy_timeout(lock_timeout)?;
    {
        let backup = Backup::new(&source, &mut target)?;
        loop {
            match backup.step(PAGES)? {
                StepResult::Done => break,
                StepResult::More => {}
                // Busy or locked: nobody but us knows the copy, and a reader waits for nobody.
                _ => std::thread::sleep(WAIT),
            }
            let now = backup.progress();
            let all = u64::try_from(now.pagecount).unwrap_or(0);
            let left = u64::try_from(now.remaining).unwrap_or(0);
            if !progress(all.saturating_sub(left), all) {
                return Err(Error::new(Kind::Interrupted, "the copy was broken off").into());
            }
            std::thread::yield_now();
        }
    }
    source.execute_batch("COMMIT")?;
    // One file, without a log beside it.
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    target.close().map_err(|(_, error)| error)?;
    File::open(to)?.sync_all()?;
    Ok(contents)
}

/// Has the campaigns of a copy wait that ran when it was made: it does not know whom they called since.
/// Answers how many.
pub fn pause_campaigns(copy: &Path) -> Result<u64> {
    let run = || -> Result<usize, StoreError> {
        let copy = Connection::open(copy)?;
        if !copy.table_exists(None, "campaigns")? {
            return Ok(0);
        }
        Ok(copy.execute(
            "UPDATE campaigns SET state = 'paused', why = 'restored from a backup'
             WHERE state = 'running'",
            [],
        )?)
    };
    run().map(|paused| paused as u64).map_err(|error| error.explain(copy))
}

/// Why a copy is not known to be sound.
#[derive(Debug)]
pub enum Unsound {
    /// What is wrong with it.
    Damaged(String),
    /// It could not be looked over.
    Unread(Error),
}

impl Unsound {
    fn of(error: StoreError, path: &Path) -> Self {
        use rusqlite::ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, OperationInterrupted, OutOfMemory,
            PermissionDenied, SystemIoFailure,
        };
        let code = match &error {
            StoreError::Sqlite(error) => error.sqlite_error_code(),
            _ => None,
        };
        let is_ours = code.is_some_and(|code| {
            [CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, OperationInterrupted, OutOfMemory]
                .contains(&code)
                || [PermissionDenied, SystemIoFailure].contains(&code)
        });
        if is_ours || matches!(error, StoreError::Io(_)) {
            return Self::Unread(error.explain(path));
        }
        Self::Damaged(error.to_string())
    }
}

/// Looks a copy over, whole: its schema, `integrity_check`, `foreign_key_check`, its rows. A copy that
/// is not as it should be is an error that says what is wrong.
pub fn examine(path: &Path) -> Result<Contents, Unsound> {
    let look = || -> Result<Result<Contents, String>, StoreError> {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        let found = contents(&connection)?;
        let verdict: String =
            connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Ok(Err(verdict));
        }
        let mut orphans = connection.prepare("PRAGMA foreign_key_check")?;
        let orphan: Option<String> = orphans.query_map([], |row| row.get(0))?.next().transpose()?;
        Ok(match orphan {
            Some(table) => Err(format!("`{table}` names rows that are not there")),
            None => Ok(found),
        })
    };
    look().map_err(|error| Unsound::of(error, path))?.map_err(Unsound::Damaged)
}

fn contents(connection: &Connection) -> Result<Contents, StoreError> {
    let schema = migrate::check(connection)?;
    let mut tables = connection.prepare(
        "SELECT name FROM pragma_table_list
         WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'",
    )?;
    let tables: Vec<String> =
        tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut rows = BTreeMap::new();
    for table in tables {
        let count: i64 =
            connection
                .query_row(&format!("SELECT count(*) FROM \"{table}\""), [], |row| row.get(0))?;
        rows.insert(table, u64::try_from(count).unwrap_or(0));
    }
    Ok(Contents { schema, rows })
}

/// Held while a store is used, and while one takes its place. `flock`, on a file beside it: SQLite's
/// own locks are on the database, and a second descriptor there would lose them.
#[derive(Debug)]
pub struct Hold {
    _file: File,
}

fn lock_file(path: &Path) -> std::io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let name = beside(path, ".lock");
    let file = options.open(&name)?;
    give_to_owner(&name, path);
    Ok(file)
}

/// What root makes beside the store belongs to whom the store belongs to, or its folder while there is
/// none.
pub fn give_to_owner(made: &Path, store: &Path) {
    files::give(made, if store.exists() { store } else { folder_of(store) });
}

/// The same for the store itself: a package's folder is its daemon's, and root sets it up.
pub(super) fn give_to_owner_of_folder(store: &Path) {
    files::give(store, folder_of(store));
}

/// Where a store is: what a link leads to, if it is one.
pub fn resolved(path: &Path) -> PathBuf {
    let is_link = path.is_symlink();
    let led_to = is_link.then(|| path.canonicalize().ok()).flatten();
    led_to.unwrap_or_else(|| path.to_owned())
}

/// The folder that a store is in.
pub fn folder_of(store: &Path) -> &Path {
    store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A name beside the store: `webox.db` and an ending.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// That a process uses the store. Where no such file can be had (a full disk, a folder that is not
/// ours) it is done without: it only keeps a restore from coming between.
pub(super) fn hold(path: &Path) -> Result<Option<Hold>, StoreError> {
    let Ok(file) = lock_file(path) else { return Ok(None) };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(Hold { _file: file })),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(Error::new(Kind::Busy, format!("the store {} is being restored", path.display()))
                .hint("try again in a moment")
                .into())
        }
        Err(std::fs::TryLockError::Error(_)) => Ok(None),
    }
}

/// That nobody uses the store, for as long as this is held.
pub fn hold_alone(path: &Path) -> Result<Hold> {
    let failed = |cause: std::io::Error| StoreError::Io(cause).explain(path);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        files::make_folder(folder, files::nearest(path)).map_err(failed)?;
    }
    let file = lock_file(path).map_err(failed)?;
    let begun = std::time::Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Hold { _file: file }),
            Err(std::fs::TryLockError::Error(cause)) => return Err(failed(cause)),
            Err(std::fs::TryLockError::WouldBlock) if begun.elapsed() < HELD_FOR => {
                std::thread::sleep(WAIT);
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(Error::new(
                    Kind::Busy,
                    format!("a webox that runs uses the store {}", path.display()),
                )
                .hint("stop the daemon first: `systemctl stop 'webox*.socket' webox`"));
            }
        }
    }
}

/// How what belongs to a database is called beside it: its write-ahead log, and what another program that
/// was killed over it would have rolled back. Neither may meet another database in its place.
const LOGS: [&str; 2] = ["-wal", "-journal"];

/// Whether there is something at a place: a store, or what is left of one.
pub fn is_there(path: &Path) -> bool {
    [""].iter()
        .chain(&LOGS)
        .any(|ending| std::fs::metadata(beside(path, ending)).is_ok_and(|found| found.len() > 0))
}

/// Takes away names that the store has beside its own: a restore that was killed had put it aside already,
/// and a file that two names lead to has two logs.
pub(super) fn forget_other_names(path: &Path) {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(store) = std::fs::metadata(path) else { return };
    if store.nlink() < 2 {
        return;
    }
    let Ok(entries) = std::fs::read_dir(folder_of(path)) else { return };
    let Some(name) = path.file_name() else { return };
    let mut aside = name.to_owned();
    aside.push(ASIDE);
    for entry in entries.flatten() {
        let is_aside = entry.file_name().as_encoded_bytes().starts_with(aside.as_encoded_bytes());
        let is_it = || {
            entry
                .metadata()
                .is_ok_and(|found| (found.dev(), found.ino()) == (store.dev(), store.ino()))
        };
        if is_aside && is_it() {
            let removed = std::fs::remove_file(entry.path());
            tracing::info!(path = %entry.path().display(), ?removed, "a restore was broken off: the database is in force, and not put aside");
        }
    }
}

/// Puts a copy in the store's place. What was there goes to `aside`, whole; nothing is lost whenever
/// this breaks off. Nobody may use the store.
pub fn replace(path: &Path, copy: tempfile::TempPath, aside: &Path, _alone: &Hold) -> Result<bool> {
    let run = || -> Result<bool, StoreError> {
        let was_there = is_there(path);
        forget_other_names(path);
        give_to_owner(&copy, path);
        if was_there {
            // A log that belongs to another file is the end of it: it goes into its own file, or, where
            // that one is damaged, aside with it.
            let emptied = connection::open_writer(path, WAIT)
                .and_then(|connection| Ok(writer::checkpoint(&connection, "TRUNCATE")?));
            if !matches!(emptied, Ok(true)) {
                tracing::debug!(path = %path.display(), "its log is put aside with the store");
            }
            if path.exists() && std::fs::hard_link(path, aside).is_err() {
                std::fs::rename(path, aside)?;
            }
            for ending in LOGS {
                let log = beside(path, ending);
                if log.exists() {
                    std::fs::rename(&log, beside(aside, ending))?;
                }
            }
            let index = beside(path, "-shm");
            if index.exists() {
                std::fs::remove_file(index)?;
            }
        }
        copy.persist(path).map_err(|error| error.error)?;
        sync_folder(path)?;
        Ok(was_there)
    };
    run().map_err(|error| error.explain(path))
}

/// A name that is not on disk is a file that is lost with the power.
pub fn sync_folder(of: &Path) -> std::io::Result<()> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
