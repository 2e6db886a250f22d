//! The writer and those who wait for it, in whatever order their threads may run (shuttle).

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;
use shuttle::{
    Config, Runner,
    rand::Rng,
    scheduler::RandomScheduler,
    sync::mpsc::{Receiver, channel},
    thread,
};
use tokio::sync::oneshot::error::TryRecvError;

use super::{Job, Loop, Options, Queue, job};
use crate::store::{Store, StoreError, connection, which};

/// How many orders are tried in the suite, and with `WEBOX_CHAOS=long`.
const ORDERS: (usize, usize) = (300, 100_000);

/// SQLite runs on the stacks that shuttle switches between.
const STACK: usize = 1024 * 1024;

const CALLERS: i64 = 3;
const WRITES: i64 = 3;

impl Queue for Receiver<Job> {
    fn next(&self) -> Option<Job> {
        self.recv().ok()
    }

    fn waiting(&self) -> Option<Job> {
        self.try_recv().ok()
    }

    fn gathered(&self, _: Instant) -> bool {
        // Time passes as the schedule has it.
        thread::yield_now();
        shuttle::rand::thread_rng().gen_bool(0.3)
    }
}

/// What becomes of a write.
#[derive(Clone, Copy)]
enum Fate {
    Stands,
    Fails,
    /// Whoever asked for it waits no more; it stands.
    Forsaken,
}

fn path_of(folder: &Path) -> std::path::PathBuf {
    folder.join("webox.db")
}

/// A write whose caller may see its answer before the writer goes on.
fn seen_at_once(job: Job) -> Job {
    Box::new(move |tx| {
        let answer = job(tx);
        Box::new(move |committed| {
            answer(committed);
            thread::yield_now();
        })
    })
}

/// What others see of a caller's writes, in their order.
fn seen(reader: &Connection, run: i64, caller: i64) -> Vec<i64> {
    let mut rows = reader
        .prepare_cached("SELECT n FROM t WHERE run = ?1 AND caller = ?2 ORDER BY rowid")
        .unwrap();
    let numbers = rows.query_map([run, caller], |row| row.get(0)).unwrap();
    numbers.map(Result::unwrap).collect()
}

/// Callers who write one after the other, beside others who do.
fn one_order(folder: &Path, run: i64) {
    let path = path_of(folder);
    let connection = connection::open_writer(&path, Duration::from_secs(5)).unwrap();
    let (jobs, queue) = channel::<Job>();
    let of_writer = path.clone();
    let writer = thread::spawn(move || {
        let options = Options::terminal();
        let file = which(&of_writer).unwrap();
        Loop { connection, path: of_writer, file, options, is_in_doubt: false }.run(&queue);
    });
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (jobs, reader) = (jobs.clone(), Connection::open(&path).unwrap());
            thread::spawn(move || {
                let mut stand = Vec::new();
                for n in 0..WRITES {
                    let fates = [Fate::Stands, Fate::Stands, Fate::Fails, Fate::Forsaken];
                    let fate = fates[shuttle::rand::thread_rng().gen_range(0..fates.len())];
                    let (job, mut answer) = job(move |tx| {
                        tx.execute("INSERT INTO t VALUES (?1, ?2, ?3)", [run, caller, n])?;
                        if matches!(fate, Fate::Fails) { Err(StoreError::Broken) } else { Ok(n) }
                    });
                    jobs.send(seen_at_once(job)).unwrap();
                    if !matches!(fate, Fate::Fails) {
                        stand.push(n);
                    }
                    if matches!(fate, Fate::Forsaken) {
                        continue;
                    }
                    let answer = loop {
                        match answer.try_recv() {
                            Ok(answer) => break answer,
                            Err(TryRecvError::Empty) => thread::yield_now(),
                            Err(TryRecvError::Closed) => panic!("a write was lost"),
                        }
                    };
                    // What is answered is there for everybody, and nothing else is.
                    match fate {
                        Fate::Fails => assert!(matches!(answer, Err(StoreError::Broken))),
                        Fate::Stands | Fate::Forsaken => assert_eq!(answer.unwrap(), n),
                    }
                    assert_eq!(seen(&reader, run, caller), stand);
                }
                (reader, stand)
            })
        })
        .collect();
    drop(jobs);
    let ended: Vec<_> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
    // Whoever closes the store waits for what is queued.
    writer.join().unwrap();
    for (caller, (reader, stand)) in (0..).zip(ended) {
        assert_eq!(seen(&reader, run, caller), stand);
    }
}

#[test]
fn in_every_order_of_threads_an_answer_comes_once_and_after_the_commit() {
    let long = std::env::var("WEBOX_CHAOS").is_ok_and(|form| form == "long");
    let orders = if long { ORDERS.1 } else { ORDERS.0 };
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(&path_of(folder.path()), Options::terminal()).unwrap());
    Connection::open(path_of(folder.path()))
        .unwrap()
        .execute_batch(
            "CREATE TABLE t (run INTEGER, caller INTEGER, n INTEGER); CREATE INDEX i ON t (run);",
        )
        .unwrap();
    let mut config = Config::new();
    config.stack_size = STACK;
    let runs = AtomicI64::new(0);
    let at: Arc<Path> = folder.path().into();
    let runner = Runner::new(RandomScheduler::new(orders), config);
    runner.run(move || one_order(&at, runs.fetch_add(1, Ordering::Relaxed)));
}
