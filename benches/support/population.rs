//! A store full of calls, as an agency's would be after some months: written in bulk, in the
//! schema that webox itself made.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use rusqlite::{Connection, params};
use webox::{
    domain::{AssistantSpec, Author, CallId},
    store::{Options, Store, assistants, call_figures, turn_words, versions::Stamp},
};

use super::{Result, speech};

/// How many assistants share the calls.
pub const ASSISTANTS: u64 = 200;

/// Over how many days the calls are spread, up to now.
pub const DAYS: u64 = 90;

const DAY_MS: i64 = 86_400_000;

/// Calls in one transaction: bounds the write-ahead log.
const BATCH: u64 = 250_000;

/// Statuses, how many in a thousand have each, and why such calls end.
const STATUSES: [(&str, u64, Option<&str>); 5] = [
    ("completed", 931, Some("caller-hung-up")),
    ("no-answer", 30, None),
    ("busy", 17, None),
    ("rejected", 12, Some("too-many-calls")),
    ("failed", 10, Some("our-failure")),
];

/// What came of completed calls; as many of each as there are.
const OUTCOMES: [&str; 8] =
    ["booked", "booked", "informed", "informed", "informed", "transferred", "message", "abandoned"];

const TOPICS: [&str; 12] = [
    "Réservation",
    "Horaires",
    "Annulation",
    "Allergies",
    "Parking",
    "Terrasse",
    "Menu de groupe",
    "Retard",
    "Objet oublié",
    "Facture",
    "Privatisation",
    "Livraison",
];

/// Numbers that look random and are the same every time (SplitMix64).
pub struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below another.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }
}

/// Fills a store with so many calls, the newest of them just now, and so many turns of each. The file must not
/// exist yet.
pub fn generate(db: &Path, calls: u64, turns: u64) -> Result<()> {
    if db.exists() {
        return Err(format!("{} exists already; choose a new file", db.display()).into());
    }
    let now = jiff::Timestamp::now();
    let store = Store::open(db, Options::terminal())?;
    for n in 0..ASSISTANTS {
        let spec: AssistantSpec = serde_json::from_value(serde_json::json!({
            "name": format!("client-{n:03}"),
            "client": format!("Client {n}"),
            "phone": format!("+331{:08}", 40_000_000 + n),
            "context": "Tu es l'assistant d'une petite entreprise.",
        }))?;
        store.write(move |tx| {
            let author = Author::new("generator", "generate");
            assistants::insert(tx, &spec, None, &Stamp { at: now, author: &author, apply: None })
        })?;
    }
    drop(store);
    let connection = Connection::open(db)?;
    // If this breaks off, the file is thrown away and made anew.
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144;")?;
    let later = drop_what_is_kept_beside(&connection)?;
    insert_calls(&connection, calls, turns, now.as_millisecond())?;
    for sql in later {
        connection.execute_batch(&sql)?;
    }
    connection.execute_batch(SUMS)?;
    // What is sorted may be longer than the memory: on a connection that sorts in files.
    call_figures::rebuild(&connection)?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// The store of a benchmark: as many calls as `WEBOX_BENCH_CALLS` says, in the file that `WEBOX_BENCH_DB` names, which
/// stays for the next run, or in a folder.
pub fn busy(folder: &Path, calls: u64, turns: u64) -> Result<PathBuf> {
    let kept = std::env::var_os("WEBOX_BENCH_DB");
    let db = kept.map_or_else(|| folder.join("busy.db"), Into::into);
    if !db.exists() {
        let begun = Instant::now();
        generate(&db, calls, turns)?;
        let seconds = begun.elapsed().as_secs_f64();
        println!("{calls} calls of {turns} turns generated in {seconds:.0} s");
    }
    Ok(db)
}

/// Takes the triggers of calls and turns away, which keep the figures.
pub fn forget_figures(db: &Path) -> Result<()> {
    let connection = Connection::open(db)?;
    let mut statement = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN ('calls', 'turns')",
    )?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    for name in names.collect::<rusqlite::Result<Vec<_>>>()? {
        connection.execute_batch(&format!("DROP TRIGGER {name}"))?;
    }
    Ok(())
}

/// Filling indexes and figures afterwards is many times as quick. Gives what makes them again.
fn drop_what_is_kept_beside(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT type, name, sql FROM sqlite_schema
         WHERE type IN ('index', 'trigger') AND tbl_name IN ('calls', 'turns') AND sql IS NOT NULL",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let found = rows.collect::<rusqlite::Result<Vec<(String, String, String)>>>()?;
    for (kind, name, _) in &found {
        connection.execute_batch(&format!("DROP {kind} {name}"))?;
    }
    Ok(found.into_iter().map(|(_, _, sql)| sql).collect())
}

fn insert_calls(connection: &Connection, calls: u64, turns: u64, now: i64) -> Result<()> {
    let mut dice = Dice(20_261_123);
    let pairs = speech::pairs(&mut dice);
    let span = DAY_MS * DAYS as i64;
    for first in (0..calls).step_by(BATCH as usize) {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut insert = connection.prepare_cached(
            "INSERT INTO calls (sid, assistant_id, caller, to_number, status, line, language,
             started_at, ended_at, duration_s, satisfaction, end_reason, outcome, topic, again, cost_eur,
             cost_usd, id)
             VALUES (?1, ?2, ?3, ?4, ?5, 'gather', ?11, ?6, ?7, ?8, ?9, ?10, ?12, ?13, ?14, ?15, ?15, ?16)",
        )?;
        let mut insert_turn = connection.prepare_cached(
            "INSERT INTO turns (call_id, number, heard_kind, heard, heard_at, said, language, engine,
             first_token_ms, reply_ms, words_ms, frame_ms)
             VALUES (?1, ?2, 'speech', ?8, ?3, ?9, 'fr-FR', 'openai/gpt-6-luna', ?4, ?5, ?6, ?7)",
        )?;
        for n in first..(first + BATCH).min(calls) {
            // The square gives some assistants many more calls than others.
            let share = dice.below(ASSISTANTS * ASSISTANTS);
            let assistant = share.isqrt();
            let started =
                now - span + (i128::from(span) * i128::from(n + 1) / i128::from(calls)) as i64 - 1;
            let mut at = dice.below(1_000);
            let (status, _, reason) = STATUSES
                .into_iter()
                .find(|(_, share, _)| {
                    let found = at < *share;
                    at = at.saturating_sub(*share);
                    found
                })
                .unwrap_or(STATUSES[0]);
            let answered = status == "completed";
            let seconds = if answered { 15 + dice.below(240) as i64 } else { 0 };
            let ended = (started + seconds * 1000).min(now);
            let score = (answered && dice.below(3) == 0).then(|| 2 + dice.below(4) as i64);
            let caller =
                (dice.below(20) > 0).then(|| format!("+336{:08}", dice.below(100_000_000)));
            insert.execute(params![
                format!("CA{:016x}{:016x}", dice.roll(), n),
                assistant as i64 + 1,
                caller,
                format!("+331{:08}", 40_000_000 + assistant),
                status,
                started,
                ended,
                seconds,
                score,
                reason,
                ["fr-FR", "fr-FR", "fr-FR", "en-GB", "es-ES"][dice.below(5) as usize],
                if answered { OUTCOMES[dice.below(8) as usize] } else { "abandoned" },
                (answered && dice.below(2) == 0).then(|| TOPICS[dice.below(12) as usize]),
                caller.as_ref().map(|_| i64::from(dice.below(6) == 0)),
                20_000 + dice.below(200_000) as i64,
                n as i64 + 1,
            ])?;
            for turn in 1..=turns {
                let first = 150 + dice.below(900) as i64;
                let reply = first + dice.below(1_500) as i64;
                let felt = first + 200 + dice.below(400) as i64;
                let (heard, said) = &pairs[dice.below(pairs.len() as u64) as usize];
                // One call has a word that no other has.
                let heard = if (n, turn) == (7, 1) { "Un hippopotame" } else { heard };
                insert_turn.execute(params![
                    n as i64 + 1,
                    turn as i64,
                    started,
                    first,
                    reply,
                    100,
                    felt,
                    heard,
                    said
                ])?;
            }
        }
        drop(insert);
        drop(insert_turn);
        let last = (first + BATCH).min(calls);
        turn_words::index(connection, CallId(first as i64 + 1)..=CallId(last as i64))?;
        connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    Ok(())
}

/// What webox writes call by call.
const SUMS: &str = "
    INSERT INTO call_blocks SELECT id / 4096, min(started_at), max(started_at) FROM calls GROUP BY 1;
    INSERT INTO call_days (day, assistant_id, status, calls, duration_s, satisfaction_sum, satisfaction_count)
    SELECT started_at / 86400000, assistant_id, status, count(*), sum(duration_s),
           coalesce(sum(satisfaction), 0), count(satisfaction)
    FROM calls GROUP BY 1, 2, 3;
    UPDATE assistant_figures SET
        total_calls = (SELECT count(*) FROM calls c WHERE c.assistant_id = assistant_figures.assistant_id),
        last_call_at = (SELECT max(started_at) FROM calls c WHERE c.assistant_id = assistant_figures.assistant_id);
    -- Twelve rates: what costs are read from is as long as it would be; entries are not read for sums.
    INSERT INTO ledger_rates (provider, product, unit, price, currency, rate, unpriced)
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 12)
    SELECT 'provider-' || (n % 4), 'product-' || n, 'minute', n, 'EUR', 'bench:' || n, 0 FROM n;
    INSERT INTO ledger_days SELECT d.day, d.assistant_id, r.id, d.calls, d.duration_s, d.calls * 100, d.calls * 100,
        d.calls * 115 FROM (SELECT day, assistant_id, sum(calls) AS calls, sum(duration_s) AS duration_s
        FROM call_days GROUP BY 1, 2) d, ledger_rates r;
";
