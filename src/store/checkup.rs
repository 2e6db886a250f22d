//! What can be told of a file without changing anything in it: it is opened for reading alone, and not
//! brought up to date.

use std::{path::Path, sync::mpsc, time::Duration};

use rusqlite::{Connection, ErrorCode};

use super::{StoreError, connection, migrate};
use crate::domain::Result;

/// How long to wait for another process that holds the lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Faults that are told; a broken file may have one a page.
const MOST: u32 = 20;

/// How a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Integrity {
    /// Nothing is wrong.
    Sound,
    /// This is wrong.
    Broken(Vec<String>),
    /// It was not looked through in time.
    Unfinished,
}

/// The schema of a file; an error for one that is newer than this webox, or that is not ours.
pub fn schema(path: &Path) -> Result<i64> {
    let look = || migrate::check(&connection::open_reader(path, LOCK_TIMEOUT)?);
    look().map_err(|error| error.explain(path))
}

/// Looks through a file as SQLite does; `deep` also compares every index with its table, and every
/// reference with what it refers to. Given up after a while.
pub fn integrity(path: &Path, deep: bool, within: Duration) -> Result<Integrity> {
    let look = || -> Result<Integrity, StoreError> {
        let connection = connection::open_reader(path, LOCK_TIMEOUT)?;
        let handle = connection.get_interrupt_handle();
        let (done, waits) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                if waits.recv_timeout(within) == Err(mpsc::RecvTimeoutError::Timeout) {
                    handle.interrupt();
                }
            });
            let found = faults(&connection, deep);
            drop(done);
            match found {
                Ok(faults) if faults.is_empty() => Ok(Integrity::Sound),
                Ok(faults) => Ok(Integrity::Broken(faults)),
                Err(StoreError::Sqlite(error))
                    if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) =>
                {
                    Ok(Integrity::Unfinished)
                }
                // So broken that it cannot even be looked through.
                Err(StoreError::Sqlite(error))
                    if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) =>
                {
                    Ok(Integrity::Broken(vec![error.to_string()]))
                }
                Err(error) => Err(error),
            }
        })
    };
    look().map_err(|error| error.explain(path))
}

fn faults(connection: &Connection, deep: bool) -> Result<Vec<String>, StoreError> {
    let check = if deep { "integrity_check" } else { "quick_check" };
    let mut statement = connection.prepare(&format!("PRAGMA {check}({MOST})"))?;
    let told = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut faults = told.collect::<Result<Vec<_>, _>>()?;
    faults.retain(|fault| fault != "ok");
    if deep {
        let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
        let told = statement.query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, String>(2)?))
        })?;
        for dangling in told.take(MOST as usize) {
            let (table, row, parent) = dangling?;
            let row = row.unwrap_or_default();
            faults.push(format!("row {row} of `{table}` refers to what is not in `{parent}`"));
        }
    }
    Ok(faults)
}
