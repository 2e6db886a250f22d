//! SQLite: the only room with SQL.
//!
//! One writer thread owns the write connection and commits many writes in one transaction
//! ([`Store::write`]); reads use a few read-only connections ([`Store::read`]). The daemon and the
//! terminal open the same file at once. Row functions take a [`Tx`] and live one file a noun.

pub mod afterwards;
pub mod alert_measures;
pub mod alert_notices;
pub mod alerts;
pub mod assistants;
pub mod audit;
pub mod backup;
pub mod billing;
pub mod bookings;
pub mod busy;
pub mod call_costs;
pub mod call_figures;
pub mod call_list;
pub mod calls;
pub mod campaign_rows;
pub mod campaigns;
pub mod charges;
pub mod checkup;
mod connection;
pub mod contacts;
pub mod costs;
pub mod datasets;
pub mod deliveries;
pub mod do_not_call;
pub mod embeddings;
mod error;
pub mod events;
pub mod feeds;
pub mod figures;
pub mod idempotency;
pub mod imports;
pub mod invoices;
pub mod knowledge;
pub mod latency;
pub mod ledger;
mod ledger_rows;
pub mod messages;
mod migrate;
pub mod outbound;
pub mod places;
pub mod privacy;
pub mod prototype;
pub mod recordings;
pub mod removals;
pub mod retention;
pub mod secrets;
pub mod stats;
pub mod tickets;
pub mod transfers;
pub mod turn_search;
pub mod turn_words;
pub mod turns;
pub mod usage;
pub mod users;
pub mod versions;
mod writer;

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::domain::{Allowances, Error, Kind, PriceBook, Result};

pub use error::StoreError;
pub use migrate::SCHEMA_VERSION;
use writer::Writer;

/// A connection inside [`Store::read`] or [`Store::write`].
pub type Tx = rusqlite::Connection;

/// How to open a store.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long to wait for another process that holds the lock.
    pub lock_timeout: Duration,
    /// Whether this process moves the write-ahead log into the file as it goes (the daemon does).
    pub checkpoints: bool,
    /// Whether a copy of a store of an older schema is kept beside it before it is brought forward.
    pub keeps_a_copy: bool,
    /// Whether a store is begun where there is none.
    pub begins: bool,
}

impl Options {
    /// For a command that opens, does one thing and closes.
    pub fn terminal() -> Self {
        Self {
            lock_timeout: Duration::from_secs(5),
            checkpoints: false,
            keeps_a_copy: true,
            begins: true,
        }
    }

    /// For the daemon.
    pub fn daemon() -> Self {
        Self {
            lock_timeout: Duration::from_secs(30),
            checkpoints: true,
            keeps_a_copy: true,
            begins: true,
        }
    }
}

/// The store of one webox: cheap to clone, closed when the last clone is dropped.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// Which file it is: its device, and its number on it.
type FileId = (u64, u64);

struct Inner {
    path: PathBuf,
    /// Which file was opened there.
    file: FileId,
    options: Options,
    readers: Mutex<Vec<rusqlite::Connection>>,
    assistants: assistants::Cache,
    prices: OnceLock<Arc<PriceBook>>,
    allowances: OnceLock<Arc<Allowances>>,
    writer: Writer,
    failures: AtomicU64,
    /// Last: with it goes the word that the store is used.
    _hold: Option<backup::Hold>,
    /// How many scrubs were asked for, and up to which one all are done.
    scrubs: AtomicU64,
    scrubbed: Mutex<u64>,
}

/// A file up to this is written anew in less than a second: callers hear nothing of it.
pub const SCRUB_AT_ONCE: u64 = 64 * 1024 * 1024;

/// A file up to this is written anew in a few seconds: while nobody is on the phone.
pub const SCRUB_WHEN_QUIET: u64 = 256 * 1024 * 1024;

/// A reader that goes on for longer than this keeps the log from being emptied.
const SCRUB_WAITS: Duration = Duration::from_secs(5);

/// Idle read connections kept open.
const IDLE_READERS: usize = 4;

/// A file, whatever it is called: its device, and its number on it.
fn which(path: &Path) -> std::io::Result<FileId> {
    std::fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

/// Whether a file is still where it was opened.
fn is_in_place(path: &Path, file: FileId) -> std::io::Result<bool> {
    match which(path) {
        Ok(found) => Ok(found == file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Store {
    /// Opens the file, creating it (mode 0600) where the options let it, and bringing its schema up to
    /// date as needed. A newer or unreadable file is refused and left alone, and nothing is laid beside
    /// a file that is no store.
    pub fn open(path: &Path, options: Options) -> Result<Self> {
        // What SQLite writes beside the file lies where the file is, not where a link to it is.
        let path = &backup::resolved(path);
        let explain = |error: StoreError| error.explain(path);
        connection::find(path, options.begins).map_err(explain)?;
        let mut hold = backup::hold(path).map_err(explain)?;
        backup::forget_other_names(path);
        let mut connection =
            connection::open_writer(path, options.lock_timeout).map_err(explain)?;
        let copied = options.keeps_a_copy.then_some(path.as_path());
        // A daemon that runs knows the schema that it began with. It goes on with the file once it is
        // started anew, and that brings the file forward.
        let is_of_before = migrate::is_of_before(&connection).map_err(explain)?;
        let alone = if is_of_before && !options.checkpoints && hold.is_some() {
            drop(hold.take());
            Some(backup::hold_alone(path).map_err(|error| {
                if error.kind() == Kind::Busy { migrate::not_beside(path) } else { error }
            })?)
        } else {
            None
        };
        migrate::migrate(&mut connection, copied).map_err(explain)?;
        if alone.is_some() {
            drop(alone);
            hold = backup::hold(path).map_err(explain)?;
        }
        if options.checkpoints {
            writer::settle(&connection, path);
        }
        let file = which(path).map_err(|error| StoreError::from(error).explain(path))?;
        let writer = Writer::start(connection, path.to_owned(), file, options)
            .map_err(|error| Error::failure("cannot start the store's writer").because(error))?;
        Ok(Self {
            inner: Arc::new(Inner {
                path: path.to_owned(),
                file,
                options,
                readers: Mutex::new(Vec::new()),
                assistants: assistants::Cache::default(),
                prices: OnceLock::new(),
                allowances: OnceLock::new(),
                writer,
                failures: AtomicU64::new(0),
                _hold: hold,
                scrubs: AtomicU64::new(0),
                scrubbed: Mutex::new(0),
            }),
        })
    }

    /// Whether the file is still where it was opened. What is written into one that was moved away goes
    /// with it, and the next start finds nothing of it.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn is_in_place(&self) -> std::io::Result<bool> {
        is_in_place(&self.inner.path, self.inner.file)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Assistants already read, by revision.
    pub fn assistants(&self) -> &assistants::Cache {
        &self.inner.assistants
    }

    /// The prices that this process reckons by, if any were given.
    pub fn prices(&self) -> Option<Arc<PriceBook>> {
        self.inner.prices.get().cloned()
    }

    /// Reckons by these prices from now on; those given first stand.
    pub fn reckon_by(&self, prices: Arc<PriceBook>) {
        let _ = self.inner.prices.set(prices);
    }

    /// What plans let assistants be used in this process, if any were given.
    pub fn allowances(&self) -> Option<Arc<Allowances>> {
        self.inner.allowances.get().cloned()
    }

    /// Goes by these plans from now on; those given first stand.
    pub fn allow_by(&self, allowances: Arc<Allowances>) {
        let _ = self.inner.allowances.set(allowances);
    }

    /// Reads from one consistent state of the store.
    pub fn read<T>(&self, work: impl FnOnce(&Tx) -> Result<T, StoreError>) -> Result<T> {
        let run = || -> Result<T, StoreError> {
            let connection = match self.lock_readers().pop() {
                Some(connection) => connection,
                None => connection::open_reader(&self.inner.path, self.inner.options.lock_timeout)?,
            };
            connection.execute_batch("BEGIN")?;
            let result = work(&connection);
            // What went wrong is in `result`: SQLite may have given up the transaction over it.
            let ended = connection.execute_batch("COMMIT");
            if ended.is_ok() {
                let mut idle = self.lock_readers();
                if idle.len() < IDLE_READERS {
                    idle.push(connection);
                }
            }
            let read = result?;
            ended?;
            Ok(read)
        };
        run().map_err(|error| self.failed(error))
    }

    /// [`Store::read`] from async code: on a thread that may block.
    pub async fn read_async<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.read(work))
            .await
            .unwrap_or_else(|error| Err(Error::failure("a read was broken off").because(error)))
    }

    /// Writes, and returns once the write is on disk. Must not be called from async code.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T> {
        self.inner
            .writer
            .submit(work)
            .blocking_recv()
            .unwrap_or(Err(StoreError::Closed))
            .map_err(|error| self.failed(error))
    }

    /// [`Store::write`] from async code. Dropping the future does not undo the write.
    pub async fn write_async<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T> {
        self.inner
            .writer
            .submit(work)
            .await
            .unwrap_or(Err(StoreError::Closed))
            .map_err(|error| self.failed(error))
    }

    /// Leaves nothing of what was deleted before this was called: the file is written anew and the
    /// write-ahead log is emptied. SQLite's `secure_delete` clears what it frees, but not the copies
    /// that it leaves in a page when it moves rows. Says whether it was done: not for a file above
    /// `largest` bytes, which would be held up for too long, nor while somebody reads for long.
    /// Many who ask at once are served by one.
    pub fn scrub(&self, largest: u64) -> Result<bool> {
        let mine = self.inner.scrubs.fetch_add(1, Ordering::SeqCst) + 1;
        let mut scrubbed = self.inner.scrubbed.lock().unwrap_or_else(PoisonError::into_inner);
        if *scrubbed >= mine {
            return Ok(true);
        }
        let up_to = self.inner.scrubs.load(Ordering::SeqCst);
        let run = || -> Result<bool, StoreError> {
            let connection = connection::open_writer(&self.inner.path, SCRUB_WAITS)?;
            let emptied = writer::checkpoint(&connection, "TRUNCATE")?;
            if !emptied || std::fs::metadata(&self.inner.path)?.len() > largest {
                return Ok(false);
            }
            connection.execute_batch("VACUUM")?;
            Ok(writer::checkpoint(&connection, "TRUNCATE")?)
        };
        let done = match run() {
            // Somebody else writes just now: it was not done, and that is all.
            Err(error) if error.kind() == Kind::Busy => false,
            other => other.map_err(|error| error.explain(&self.inner.path))?,
        };
        if done {
            *scrubbed = up_to;
        }
        Ok(done)
    }

    /// How often the file failed since this was last asked.
    pub fn take_failures(&self) -> u64 {
        self.inner.failures.swap(0, Ordering::Relaxed)
    }

    /// The error as a person reads it. One of a rule of ours is no failure of the file.
    fn failed(&self, error: StoreError) -> Error {
        if !matches!(error, StoreError::User(_)) {
            self.inner.failures.fetch_add(1, Ordering::Relaxed);
        }
        error.explain(&self.inner.path)
    }

    fn lock_readers(&self) -> std::sync::MutexGuard<'_, Vec<rusqlite::Connection>> {
        // A panic elsewhere cannot leave a list of idle connections half changed.
        self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod call_figures_tests;
#[cfg(test)]
mod tests;
