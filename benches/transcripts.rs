//! Words in what was said, in a store of 100,000 calls and 600,000 turns (`WEBOX_BENCH_CALLS=10000000` for
//! sixty million turns; `WEBOX_BENCH_DB` keeps the file for the next run).
//!
//! The words are the worst there are: in every tenth side of a turn, in one of all, two that never stand in
//! the same one, for owners of a few assistants and of nearly all. A page is what one request answers; to the
//! end are as many as it takes to have 50 hits or to know that there are fewer.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use support::{Result, machine, population, report, setting};
use webox::{
    domain::{Account, Actor, AssistantId, Role, Scope, TranscriptQuery, UserId},
    operations::transcripts,
    store::{Options, Store},
};

/// How often each is looked for.
const TIMES: usize = 9;

/// How long no page may take.
const AIM: Duration = Duration::from_millis(200);

/// What is looked for, and by whom: an owner of so many assistants, from the quietest on, or somebody who sees all.
struct Search {
    what: &'static str,
    words: &'static str,
    owns: Option<u64>,
    assistant: Option<i64>,
    days: Option<i64>,
}

const fn search(what: &'static str, words: &'static str) -> Search {
    Search { what, words, owns: None, assistant: None, days: None }
}

const SEARCHES: [Search; 17] = [
    search("a common word", "voudrais"),
    search("a word of one turn", "hippopotame"),
    search("a word that nobody said", "zyxw"),
    search("two common words", "voudrais personnes"),
    search("three", "bonjour terrasse samedi"),
    search("a common word and that of one turn", "bonjour hippopotame"),
    search("two words, never together", "vaccin collègue"),
    search("two common words, never together", "voudrais puis"),
    Search { days: Some(1), ..search("the same, of a day", "voudrais puis") },
    Search { days: Some(30), ..search("the same, of thirty days", "voudrais puis") },
    Search { assistant: Some(100), ..search("a common word, of one assistant", "voudrais") },
    Search { assistant: Some(100), ..search("never together, of one assistant", "voudrais puis") },
    Search { owns: Some(3), ..search("a common word, owner of 3", "voudrais") },
    Search { owns: Some(30), ..search("a common word, owner of 30", "voudrais") },
    Search { owns: Some(30), ..search("never together, owner of 30", "voudrais puis") },
    Search { owns: Some(199), ..search("a common word, owner of 199", "voudrais") },
    Search { owns: Some(199), ..search("never together, owner of 199", "voudrais puis") },
];

fn main() -> Result<()> {
    println!("{}", machine::describe());
    let calls = setting("WEBOX_BENCH_CALLS", 100_000);
    let folder = tempfile::tempdir()?;
    let db = population::busy(folder.path(), calls, 6)?;
    println!("store of {} MB", std::fs::metadata(&db)?.len() / 1_000_000);
    report::title("first run, the longest page of the others' median, and to the end");
    for search in &SEARCHES {
        own(&db, search.owns.unwrap_or(0))?;
        let store = Store::open(&db, Options::terminal())?;
        let actor = if search.owns.is_some() { member()? } else { Actor::webox("bench") };
        let run = || run(&store, &actor, search);
        let first = run()?;
        let runs = (0..TIMES).map(|_| run()).collect::<Result<Vec<_>>>()?;
        let page = report::median(runs.iter().map(|run| run.longest).collect());
        let whole = report::median(runs.iter().map(|run| run.whole).collect());
        let kept = if first.longest.max(page) < AIM { "aim" } else { "MISSES" };
        println!(
            "{:<40} {:>3} hits  {:>9} {:>9} {:>9}  ({kept} {})",
            search.what,
            first.hits,
            report::milliseconds(first.longest),
            report::milliseconds(page),
            report::milliseconds(whole),
            report::milliseconds(AIM),
        );
    }
    own(&db, 0)
}

struct Run {
    hits: usize,
    longest: Duration,
    whole: Duration,
}

fn run(store: &Store, actor: &Actor, search: &Search) -> Result<Run> {
    let mut query = TranscriptQuery::of(search.words, 50)?;
    query.assistant = search.assistant.map(AssistantId);
    query.since = search.days.map(|days| Timestamp::now() - SignedDuration::from_hours(24 * days));
    let begun = Instant::now();
    let mut run = Run { hits: 0, longest: Duration::ZERO, whole: Duration::ZERO };
    loop {
        let asked = Instant::now();
        let page = transcripts::search(store, actor, &query)?;
        run.longest = run.longest.max(asked.elapsed());
        run.hits += page.hits.len();
        query.before = page.next;
        if page.next.is_none() || run.hits >= 50 {
            run.whole = begun.elapsed();
            return Ok(run);
        }
    }
}

/// The account that owns assistants while they are looked through.
const OWNER: UserId = UserId(1_000);

fn member() -> Result<Actor> {
    let email = "bench@example.fr".parse()?;
    let account =
        Account { user: OWNER, email, role: Role::Member, scope: Scope::Read, token: None };
    Ok(Actor::of(account, None, "bench"))
}

/// Has the account own the first so many assistants, and nobody the others.
fn own(db: &Path, assistants: u64) -> Result<()> {
    let connection = Connection::open(db)?;
    connection.execute(
        "INSERT OR IGNORE INTO users (id, email, role, created_at) VALUES (?1, 'bench@example.fr', 'member', 0)",
        [OWNER.0],
    )?;
    connection.execute(
        "UPDATE assistants SET owner_id = iif(id <= ?2, ?1, NULL)",
        [OWNER.0, assistants as i64],
    )?;
    Ok(())
}
