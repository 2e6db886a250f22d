//! What trust costs, and what a clock could tell: signed calls beside a flood of unsigned ones (S6),
//! keys that are nearly right (S4), and forgetting in a store of a million calls (L1, L2).
//! `cargo bench --bench trust -- strangers` runs one part: strangers, keys, forgetting.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use support::{
    Result,
    daemon::{self, Daemon},
    flood::{Manner, flood},
    load, machine, population, report, setting,
};
use webox::{
    domain::{Actor, Role, Scope},
    operations::{
        accounts::{self, Wanted},
        privacy::{self, Whose},
    },
    store::{Options, Store},
};

/// What an answer must have in it.
const LISTENS: &str = "<Gather";

fn main() -> Result<()> {
    machine::settle()?;
    println!("{}", machine::describe());
    let parts: [(&str, &dyn Fn() -> Result<()>); 3] =
        [("strangers", &strangers), ("keys", &keys), ("forgetting", &forgetting)];
    let wanted: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            part()?;
        }
    }
    Ok(())
}

/// Signed calls alone, then beside a stranger who sends unsigned ones at the rate that S6 names, in each
/// manner; then over a connection that came from where calls come from, where nobody is held back, both as
/// fast as they are answered.
fn strangers() -> Result<()> {
    report::title("signed calls, alone and beside unsigned ones");
    let folder = tempfile::tempdir()?;
    daemon::apply_assistant(folder.path(), "builtin")?;
    let daemon = Daemon::start(folder.path(), &[])?;
    let calls = setting("WEBOX_BENCH_REQUESTS", 10_000) as usize;
    let address = daemon.address;
    load::closed_loop(address, 8, load::ringing(9, 2_000), LISTENS)?;
    let (signed, unsigned) =
        (setting("WEBOX_BENCH_SIGNED", 100) as u32, setting("WEBOX_BENCH_UNSIGNED", 10_000) as u32);
    let seconds = setting("WEBOX_BENCH_SECONDS", 20) as u32;
    let manners = [Manner::KeptAlive(64), Manner::KeptAlive(1_024), Manner::HangsUp];
    for (round, manner) in (0..).zip([manners; 3].concat()) {
        let ringing = |series| load::ringing(series, (signed * seconds) as usize);
        let alone = load::paced(address, 16, ringing(10 + 2 * round), signed, LISTENS)?;
        let forgeries = forged(1_000);
        let flood = std::thread::spawn(move || {
            let length = Duration::from_secs(u64::from(seconds) + 1);
            machine::give_way()
                .and_then(|()| flood(address, manner, forgeries, unsigned, length))
                .map_err(|e| e.to_string())
        });
        std::thread::sleep(Duration::from_millis(500));
        let beside = load::paced(address, 16, ringing(11 + 2 * round), signed, LISTENS)?;
        let came = flood.join().map_err(|_| "the flood broke off")??;
        told(&[("alone", &alone), ("beside", &beside)]);
        let a_second = |count: u64| report::number(count as f64 / f64::from(seconds + 1));
        println!(
            "{manner:?}: {}/s sent, {}/s answered, {} let in",
            a_second(came.sent),
            a_second(came.answered),
            came.let_in
        );
    }
    let alone = load::closed_loop(address, 4, load::ringing(1, calls), LISTENS)?;
    let forged = forged(60_000);
    let flood = std::thread::spawn(move || {
        machine::give_way()
            .and_then(|()| load::closed_loop(address, 32, forged, LISTENS))
            .map(|measured| (measured.a_second(), measured.latencies.len() - measured.wrong))
            .map_err(|e| e.to_string())
    });
    std::thread::sleep(Duration::from_millis(300));
    let beside = load::closed_loop(daemon.address, 4, load::ringing(2, calls), LISTENS)?;
    let (unsigned, answered) = flood.join().map_err(|_| "the flood broke off")??;
    told(&[("alone", &alone), ("beside", &beside)]);
    println!("not held back: {}/s unsigned, {answered} of them let in", report::number(unsigned));
    Ok(())
}

/// Calls that ring, signed well and then changed: each has to be looked at to be refused.
fn forged(calls: usize) -> Vec<load::Wire> {
    let changed = |wire: load::Wire| {
        let text = String::from_utf8_lossy(&wire)
            .replace("CallStatus=in-progress", "CallStatus=in-progresS");
        text.into_bytes().into()
    };
    load::ringing(8, calls).into_iter().map(changed).collect()
}

fn told(measured: &[(&str, &load::Measured)]) {
    for (name, measured) in measured {
        println!(
            "{name:<7} {:>7}/s  p50 {:>8}  p99 {:>8}  wrong {}",
            report::number(measured.a_second()),
            report::milliseconds(measured.quantile(0.5)),
            report::milliseconds(measured.quantile(0.99)),
            measured.wrong
        );
    }
}

/// A key that is right up to its last letter, and one that is wrong from its first: Welch's t of how
/// long each takes to be refused. Beyond 4.5 a clock could tell them apart (dudect).
fn keys() -> Result<()> {
    report::title("keys that are nearly right");
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().join("webox.db"), Options::terminal())?;
    let (actor, now) = (Actor::webox("bench"), Timestamp::now());
    let email: webox::domain::EmailAddress = "a@example.com".parse()?;
    accounts::add(&store, &actor, email.clone(), Role::Member, now)?;
    let wanted = Wanted { email, name: "bench".to_owned(), scope: Scope::Read, expires_at: None };
    let (_, key) = accounts::create_token(&store, &actor, wanted, now)?;
    let near = with_secret(key.expose(), |secret| {
        let last = if secret.ends_with('a') { 'b' } else { 'a' };
        format!("{}{last}", &secret[..secret.len() - 1])
    });
    let far = with_secret(key.expose(), |secret| secret.chars().rev().collect());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let samples = setting("WEBOX_BENCH_SAMPLES", 100_000);
    let mut times = [Vec::new(), Vec::new()];
    let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..samples {
        // In no order, so that what else the machine does falls on both.
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let which = (dice >> 63) as usize;
        let text = if which == 0 { &near } else { &far };
        let begun = Instant::now();
        let refused = runtime.block_on(accounts::authenticate(&store, text, now))?;
        times[which].push(begun.elapsed().as_secs_f64() * 1e6);
        assert!(refused.is_err(), "a wrong key is let in");
    }
    // The slowest are the machine's doing.
    let kept = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times.truncate(times.len() * 9 / 10);
        times
    });
    let [near, far] = kept.map(|times| moments(&times));
    let t = (near.0 - far.0) / (near.1 / near.2 + far.1 / far.2).sqrt();
    println!(
        "{samples} refusals: nearly right {:.2} µs, wrong from the start {:.2} µs, t = {t:.2}",
        near.0, far.0
    );
    Ok(())
}

/// The same key with another secret part and the checksum that belongs to it.
fn with_secret(key: &str, change: impl Fn(&str) -> String) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let (head, rest) = key.split_at(16);
    let body = format!("{head}{}", change(&rest[..32]));
    let mut sum = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(sum % 62) as usize];
        sum /= 62;
    }
    body + std::str::from_utf8(&digits).unwrap_or_default()
}

/// Mean, variance, count.
fn moments(values: &[f64]) -> (f64, f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance, count)
}

/// One caller is forgotten, and a month of calls becomes due, while others are answered.
fn forgetting() -> Result<()> {
    let calls = setting("WEBOX_BENCH_CALLS", 1_000_000);
    report::title(&format!("forgetting among {} calls", report::number(calls as f64)));
    let folder = tempfile::tempdir()?;
    let db = folder.path().join("webox.db");
    population::generate(&db, calls, 0)?;
    daemon::apply_assistant(folder.path(), "builtin")?;
    let size = std::fs::metadata(&db)?.len() as f64 / 1e6;
    let store = Store::open(&db, Options::terminal())?;
    let caller: String = rusqlite::Connection::open(&db)?.query_row(
        "SELECT caller FROM calls WHERE caller IS NOT NULL LIMIT 1",
        [],
        |row| row.get(0),
    )?;
    let daemon = Daemon::start(folder.path(), &[])?;
    load::closed_loop(daemon.address, 4, load::ringing(9, 2_000), LISTENS)?;
    let before = load::closed_loop(daemon.address, 4, load::ringing(1, 5_000), LISTENS)?;
    println!("{size:.0} MB; webhooks before: p99 {}", report::milliseconds(before.quantile(0.99)));
    let actor = Actor::webox("bench");
    let (took, p99) = beside(&daemon, 2, || {
        privacy::erase(&store, &actor, &Whose::Caller(caller.clone()), Timestamp::now())?;
        Ok(())
    })?;
    println!(
        "one caller forgotten in {}, webhooks beside it p99 {}",
        report::milliseconds(took),
        report::milliseconds(p99)
    );
    // Every assistant keeps callers' numbers for a month: two thirds of all calls are due, and the daemon
    // forgets them at its own pace. It looks as it starts.
    drop(daemon);
    let keep = |months: &str| -> Result<()> {
        let set = "UPDATE assistants SET spec = json_set(spec, '$.compliance', json(?1))";
        rusqlite::Connection::open(&db)?.execute(set, [months])?;
        Ok(())
    };
    for (round, series) in (0..3).zip((20..).step_by(2)) {
        keep("{}")?;
        let daemon = Daemon::start(folder.path(), &[])?;
        load::closed_loop(daemon.address, 4, load::ringing(90 + round, 2_000), LISTENS)?;
        let alone = load::closed_loop(daemon.address, 4, load::ringing(series, 20_000), LISTENS)?;
        drop(daemon);
        keep("{\"keep_callers\":\"30d\"}")?;
        let daemon = Daemon::start(folder.path(), &[])?;
        load::closed_loop(daemon.address, 4, load::ringing(80 + round, 2_000), LISTENS)?;
        let (before, begun) = (forgotten(&db)?, Instant::now());
        let beside =
            load::closed_loop(daemon.address, 4, load::ringing(series + 1, 20_000), LISTENS)?;
        let (came, took) = (forgotten(&db)? - before, begun.elapsed());
        println!(
            "{came} calls forgotten in {}: webhooks p50 {} and p99 {} beside it, {} and {} alone; wrong {}",
            report::milliseconds(took),
            report::milliseconds(beside.quantile(0.5)),
            report::milliseconds(beside.quantile(0.99)),
            report::milliseconds(alone.quantile(0.5)),
            report::milliseconds(alone.quantile(0.99)),
            alone.wrong + beside.wrong
        );
    }
    let begun = Instant::now();
    let done = store.scrub(u64::MAX)?;
    println!(
        "the file written anew, with nobody on the phone: {} ({done})",
        report::milliseconds(begun.elapsed())
    );
    check_gone(folder.path(), &caller)
}

/// How many callers were forgotten so far.
fn forgotten(db: &Path) -> Result<i64> {
    let count = "SELECT count(*) FROM calls WHERE caller_erased_at IS NOT NULL";
    Ok(rusqlite::Connection::open(db)?.query_row(count, [], |row| row.get(0))?)
}

/// Does something while webhooks are answered; how long it took, and the p99 of the webhooks.
fn beside(
    daemon: &Daemon,
    series: u32,
    work: impl FnOnce() -> Result<()>,
) -> Result<(Duration, Duration)> {
    let address = daemon.address;
    let calls = std::thread::spawn(move || {
        load::closed_loop(address, 4, load::ringing(series, 20_000), LISTENS)
            .map(|measured| (measured.quantile(0.99), measured.wrong))
            .map_err(|error| error.to_string())
    });
    let begun = Instant::now();
    work()?;
    let took = begun.elapsed();
    let (p99, wrong) = calls.join().map_err(|_| "the calls broke off")??;
    if wrong > 0 {
        println!("{wrong} WRONG ANSWERS");
    }
    Ok((took, p99))
}

/// No byte of a caller is left.
fn check_gone(folder: &Path, caller: &str) -> Result<()> {
    for name in ["webox.db", "webox.db-wal"] {
        let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
        if bytes.windows(caller.len()).any(|part| part == caller.as_bytes()) {
            return Err(format!("the caller is still in {name}").into());
        }
    }
    println!("no byte of the caller is left");
    Ok(())
}
