//! The one writer: a thread that commits many writes in one transaction.
//!
//! A write is answered only after the commit that holds it is on disk, so many callers share one
//! fsync. Each write runs in a savepoint of its own: one that fails takes nobody along.

#[cfg(test)]
mod schedules;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::{FileId, Options, StoreError, Tx, connection, is_in_place};
use crate::domain::Kind;

/// Writes in one transaction at most: bounds how long the first one waits for the last.
const BATCH: usize = 256;

/// How long a busy writer waits for company: a fraction of what the fsync takes that it spares.
const GATHER: Duration = Duration::from_micros(300);

/// How often the write-ahead log is moved into the file, and when it must be shortened at all cost.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(500);
const LOG_TOO_LONG: u64 = 64 * 1024 * 1024;

/// How long it is left alone when somebody who reads for long, such as a backup, is in the way: at
/// first, and at most. Each attempt holds writers up.
const LEFT_ALONE: Duration = Duration::from_secs(1);
const LEFT_ALONE_AT_MOST: Duration = Duration::from_secs(30);

/// What to tell the caller once the fate of the transaction is known.
type Answer = Box<dyn FnOnce(Result<(), &StoreError>) + Send>;
/// A write; without a transaction to run in it runs nothing, and its answer is the batch's error.
type Job = Box<dyn FnOnce(Option<&Tx>) -> Answer + Send>;

pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        path: PathBuf,
        file: FileId,
        options: Options,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        if options.checkpoints {
            let (path, stop) = (path.clone(), Arc::clone(&stop));
            threads.push(
                std::thread::Builder::new()
                    .name("checkpointer".to_owned())
                    .spawn(move || checkpoint_until(&stop, &path))?,
            );
        }
        threads.push(std::thread::Builder::new().name("writer".to_owned()).spawn(move || {
            Loop { connection, path, file, options, is_in_doubt: false }.run(&queue);
        })?);
        Ok(Self { jobs: Some(jobs), threads, stop })
    }

    /// Queues a write; the receiver gets its result after the commit.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        let (job, receiver) = job(work);
        if let Some(jobs) = &self.jobs {
            // A closed queue drops the job and with it the sender: the receiver sees `Closed`.
            let _ = jobs.send(job);
        }
        receiver
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.jobs = None;
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// A write as the queue takes it, and where its result will be.
fn job<T: Send + 'static>(
    work: impl FnOnce(&Tx) -> Result<T, StoreError> + Send + 'static,
) -> (Job, oneshot::Receiver<Result<T, StoreError>>) {
    let (sender, receiver) = oneshot::channel();
    let job: Job = Box::new(move |tx| {
        let result = tx.map_or(Err(StoreError::Closed), |tx| in_savepoint(tx, work));
        Box::new(move |committed| {
            let result = match committed {
                Ok(()) => result,
                Err(error) => Err(StoreError::NotCommitted(error.to_string(), error.kind())),
            };
            // The caller may have stopped waiting; the write stands all the same.
            let _ = sender.send(result);
        })
    });
    (job, receiver)
}

fn in_savepoint<T>(
    tx: &Tx,
    work: impl FnOnce(&Tx) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    tx.prepare_cached("SAVEPOINT job")?.execute([])?;
    let result = catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or(Err(StoreError::Broken));
    if tx.is_autocommit() {
        // SQLite gave up the whole transaction (disk full, I/O error): there is nothing to undo.
        return result;
    }
    if result.is_err() {
        tx.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    tx.prepare_cached("RELEASE job")?.execute([])?;
    result
}

/// Where writes wait for the writer.
trait Queue {
    /// The next one, waited for; none once nobody can bring any more.
    fn next(&self) -> Option<Job>;
    /// The next one, if there is one.
    fn waiting(&self) -> Option<Job>;
    /// Whether others have had the time to queue theirs; else lets them.
    fn gathered(&self, begun: Instant) -> bool;
}

impl Queue for mpsc::Receiver<Job> {
    fn next(&self) -> Option<Job> {
        self.recv().ok()
    }

    fn waiting(&self) -> Option<Job> {
        self.try_recv().ok()
    }

    fn gathered(&self, begun: Instant) -> bool {
        if begun.elapsed() > GATHER {
            return true;
        }
        // They may need this very core.
        std::thread::yield_now();
        false
    }
}

/// Takes what is queued. After a batch of many, those who were answered ask again at once: a
/// moment's wait for as many spares most of the fsyncs. A lone writer is never kept waiting.
fn gather(first: Job, queue: &impl Queue, last: usize) -> Vec<Job> {
    let mut jobs = vec![first];
    let begun = Instant::now();
    loop {
        jobs.extend(std::iter::from_fn(|| queue.waiting()).take(BATCH - jobs.len()));
        if jobs.len() >= last || jobs.len() == BATCH || queue.gathered(begun) {
            return jobs;
        }
    }
}

struct Loop {
    connection: Connection,
    path: PathBuf,
    file: FileId,
    options: Options,
    /// Whether a commit over this connection has failed.
    is_in_doubt: bool,
}

impl Loop {
    fn run(mut self, queue: &impl Queue) {
        let mut last = 1;
        while let Some(first) = queue.next() {
            let jobs = gather(first, queue, last);
            last = self.batch(jobs, queue);
        }
    }

    /// Runs and commits jobs, and those that come meanwhile; answers how many.
    fn batch(&mut self, jobs: Vec<Job>, queue: &impl Queue) -> usize {
        let mut answers = Vec::new();
        let mut begun = self.begin();
        let mut jobs = jobs.into_iter();
        let mut next = jobs.next();
        while let Some(job) = next.take() {
            answers.push(job(begun.is_ok().then_some(&self.connection)));
            if begun.is_ok() && self.connection.is_autocommit() {
                begun = Err(StoreError::NotCommitted(
                    "SQLite gave up the transaction".to_owned(),
                    Kind::Failure,
                ));
            }
            next = jobs.next();
            if next.is_none() && answers.len() < BATCH {
                next = queue.waiting();
            }
        }
        let committed = begun.and_then(|()| self.commit());
        if let Err(error) = &committed {
            tracing::error!(path = %self.path.display(), %error, "a write could not be committed");
        }
        let count = answers.len();
        for answer in answers {
            answer(committed.as_ref().copied());
        }
        if committed.is_err() {
            self.is_in_doubt = true;
        }
        count
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        // Nobody would find again what is written into a file that is elsewhere now: nothing is promised. One
        // that cannot be looked at is not known to be.
        if matches!(is_in_place(&self.path, self.file), Ok(false)) {
            return Err(StoreError::Moved);
        }
        if self.is_in_doubt {
            self.reopen()?;
        }
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    fn commit(&self) -> Result<(), StoreError> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// After a failed commit nothing that this connection believes can be trusted: a failed fsync is not
    /// made good by a second one. Until there is another, nothing is written.
    fn reopen(&mut self) -> Result<(), StoreError> {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        self.connection = connection::open_writer(&self.path, self.options.lock_timeout)?;
        self.is_in_doubt = false;
        Ok(())
    }
}

/// Moves the write-ahead log into the file; says whether nobody kept it from doing so whole.
pub(super) fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<bool> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok(row.get::<_, i64>(0)? == 0)
    })
}

/// Moves into the file what the last process left in the log, before anything is acknowledged. If a
/// sync of it failed, the kernel takes those pages for written, and no later sync of the log writes
/// them: what came after them would be lost with the power.
pub(super) fn settle(connection: &Connection, path: &std::path::Path) {
    // How many frames the log has, and how many of them are in the file.
    let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    });
    match moved {
        Ok((log, moved)) if moved < log => tracing::warn!(
            path = %path.display(), log, moved,
            "somebody reads an old state: what the last process left in the log is not all in the file yet"
        ),
        Ok(_) => {}
        // A full disk, say: it is tried again as we go.
        Err(error) => tracing::warn!(
            path = %path.display(), %error, "the write-ahead log was not checkpointed"
        ),
    }
}

fn checkpoint_until(stop: &AtomicBool, path: &std::path::Path) {
    let mut connection = None;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let mut held_up: Option<(Instant, Duration)> = None;
    while !stop.load(Ordering::Relaxed) {
        std::thread::park_timeout(CHECKPOINT_EVERY);
        let length = std::fs::metadata(&log).map_or(0, |meta| meta.len());
        if length == 0 {
            continue;
        }
        if connection.is_none() {
            connection = connection::open_writer(path, Duration::from_secs(1)).ok();
        }
        let Some(open) = &connection else { continue };
        let mut outcome = checkpoint(open, "PASSIVE");
        let left_alone = held_up.is_some_and(|(since, wait)| since.elapsed() < wait);
        if length > LOG_TOO_LONG && outcome.is_ok() && !left_alone {
            // Holds writers up, but only for what they added since.
            outcome = checkpoint(open, "TRUNCATE");
            held_up = if matches!(outcome, Ok(true)) {
                None
            } else {
                let wait = held_up.map_or(LEFT_ALONE, |(_, wait)| wait.saturating_mul(2));
                Some((Instant::now(), wait.min(LEFT_ALONE_AT_MOST)))
            };
        }
        if let Err(error) = outcome
            && error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy)
        {
            tracing::warn!(path = %path.display(), %error, "the write-ahead log was not checkpointed");
            connection = None;
        }
    }
}
