//! The ledger: an entry for each metered use, the sums of days, and the sum of each call. The sums are
//! made of the entries when a call ends, and kept with each change afterwards; while it goes on, whoever
//! asks adds its entries, so that a turn writes nothing else.

use jiff::Timestamp;
use rusqlite::{ffi::SQLITE_CONSTRAINT_NOTNULL, params};

use super::{StoreError, Tx};
use crate::domain::{AssistantId, CallId, Cost, Micros, Reckoned};

pub(super) const DAY_MS: i64 = 86_400_000;

/// What sort of use an entry is of. With call, turn and number it names the use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A model that was asked.
    Model,
    /// Words that were spoken.
    Mouth,
    /// Sound that was listened to.
    Ear,
    /// Speech that Twilio heard.
    Heard,
    /// The call itself: its minutes, and those of what it goes over.
    Line,
    /// A human who was rung.
    Human,
    /// A recording.
    Recording,
    /// Words of a recording.
    Transcription,
    /// A text message.
    Text,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Mouth => "mouth",
            Self::Ear => "ear",
            Self::Heard => "heard",
            Self::Line => "line",
            Self::Human => "human",
            Self::Recording => "recording",
            Self::Transcription => "transcription",
            Self::Text => "text",
        }
    }
}

/// What an entry belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Of {
    /// The call; nothing for what is of none.
    pub call: Option<CallId>,
    /// Whose.
    pub assistant: AssistantId,
    /// The turn; nothing for what is of none.
    pub turn: Option<u32>,
    /// What sort.
    pub kind: Kind,
    /// When it was used.
    pub at: Timestamp,
}

impl Of {
    fn call_id(&self) -> i64 {
        self.call.map_or(0, |id| id.0)
    }

    fn turn(&self) -> i64 {
        self.turn.map_or(-1, i64::from)
    }
}

/// Enters uses that have no name of their own, after those of the same sort.
pub fn add(tx: &Tx, of: &Of, reckoned: &[Reckoned]) -> Result<(), StoreError> {
    if reckoned.is_empty() {
        return Ok(());
    }
    let (last, is_over): (Option<i64>, Option<bool>) = tx
        .prepare_cached(
            "SELECT (SELECT max(number) FROM ledger_entries WHERE call_id = ?1 AND turn = ?2 AND kind = ?3),
                    (SELECT ended_at IS NOT NULL FROM calls WHERE id = ?1)",
        )?
        .query_row(params![of.call_id(), of.turn(), of.kind.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let in_sums = match of.call {
        // What is of no call is in the sums at once.
        None => true,
        Some(_) => is_over.ok_or(rusqlite::Error::QueryReturnedNoRows)?,
    };
    insert(tx, of, last.map_or(0, |last| last + 1), reckoned, in_sums)
}

/// Makes a use what it is now: entered again, it is corrected, or stays.
pub fn set(tx: &Tx, of: &Of, number: i64, reckoned: &[Reckoned]) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT e.rate_id, e.at, e.quantity, e.amount, e.eur, e.usd, r.unpriced, r.provider,
                r.product, r.unit
         FROM ledger_entries e JOIN ledger_rates r ON r.id = e.rate_id
         WHERE e.call_id = ?1 AND e.turn = ?2 AND e.kind = ?3 AND e.number = ?4",
    )?;
    let key = params![of.call_id(), of.turn(), of.kind.as_str(), number];
    let mut rows = statement.query(key)?;
    let (mut old, mut is_same) = (Vec::new(), true);
    while let Some(row) = rows.next()? {
        let cost =
            Cost { eur: Micros::from_micros(row.get(4)?), usd: Micros::from_micros(row.get(5)?) };
        let (quantity, provider, product, unit): (i64, String, String, String) =
            (row.get(2)?, row.get(7)?, row.get(8)?, row.get(9)?);
        is_same &= reckoned.iter().any(|new| {
            let used = &new.used;
            whole(used.quantity) == quantity
                && used.provider == provider
                && used.product == product
                && used.unit.as_str() == unit
        });
        let entry = Entry {
            rate: row.get(0)?,
            at: row.get(1)?,
            quantity,
            amount: row.get(3)?,
            cost,
            unpriced: row.get(6)?,
        };
        old.push(entry);
    }
    drop(rows);
    drop(statement);
    if is_same && old.len() == reckoned.len() {
        return Ok(());
    }
    let in_sums = is_in_sums(tx, of)?;
    for entry in &old {
        tx.prepare_cached(
            "DELETE FROM ledger_entries
             WHERE call_id = ?1 AND turn = ?2 AND kind = ?3 AND number = ?4 AND rate_id = ?5",
        )?
        .execute(params![
            of.call_id(),
            of.turn(),
            of.kind.as_str(),
            number,
            entry.rate
        ])?;
        if in_sums {
            roll_up(tx, of, entry, -1)?;
        }
    }
    insert(tx, of, number, reckoned, in_sums)
}

/// Whether the sums hold what this is of: not while its call goes on.
fn is_in_sums(tx: &Tx, of: &Of) -> Result<bool, StoreError> {
    let Some(call) = of.call else { return Ok(true) };
    Ok(tx
        .prepare_cached("SELECT ended_at IS NOT NULL FROM calls WHERE id = ?1")?
        .query_row([call.0], |row| row.get(0))?)
}

/// What the sums hold of an entry.
struct Entry {
    rate: i64,
    at: i64,
    quantity: i64,
    amount: i64,
    cost: Cost,
    unpriced: bool,
}

fn whole(quantity: u64) -> i64 {
    i64::try_from(quantity).unwrap_or(i64::MAX)
}

fn insert(
    tx: &Tx,
    of: &Of,
    number: i64,
    reckoned: &[Reckoned],
    in_sums: bool,
) -> Result<(), StoreError> {
    for one in reckoned {
        match put(tx, of, number, one) {
            Err(error) if lacks_rate(&error) => {
                add_rate(tx, one)?;
                put(tx, of, number, one)?;
            }
            put => put?,
        }
        if in_sums {
            let entry = Entry {
                rate: rate(tx, one)?,
                at: of.at.as_millisecond(),
                quantity: whole(one.used.quantity),
                amount: one.amount.get(),
                cost: one.cost,
                unpriced: one.unpriced,
            };
            roll_up(tx, of, &entry, 1)?;
        }
    }
    Ok(())
}

/// Writes an entry, and finds the row of its rate by itself. By its values: for the rows of a query SQLite
/// would keep pages to go back to.
fn put(tx: &Tx, of: &Of, number: i64, one: &Reckoned) -> rusqlite::Result<()> {
    tx.prepare_cached(&format!(
        "INSERT INTO ledger_entries (call_id, turn, kind, number, rate_id, assistant_id, at,
             quantity, amount, eur, usd)
             VALUES (?8, ?9, ?10, ?11, (SELECT id FROM ledger_rates WHERE {THE_RATE}), ?12, ?13,
             ?14, ?15, ?16, ?17)"
    ))?
    .execute(params![
        one.used.provider,
        one.used.product,
        one.used.unit.as_str(),
        one.price.get(),
        one.currency.as_str(),
        one.rate,
        one.unpriced,
        of.call_id(),
        of.turn(),
        of.kind.as_str(),
        number,
        of.assistant.0,
        of.at.as_millisecond(),
        whole(one.used.quantity),
        one.amount.get(),
        one.cost.eur.get(),
        one.cost.usd.get()
    ])?;
    Ok(())
}

/// Whether an entry was not written since its rate has no row: no other column can be without a value.
fn lacks_rate(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(failure, _)
        if failure.extended_code == SQLITE_CONSTRAINT_NOTNULL)
}

const THE_RATE: &str = "provider = ?1 AND product = ?2 AND unit = ?3
    AND price = ?4 AND currency = ?5 AND rate = ?6 AND unpriced = ?7";

/// What is told apart of a rate.
fn columns(one: &Reckoned) -> (&str, &str, &str, i64, &str, &str, bool) {
    let (used, currency) = (&one.used, one.currency.as_str());
    let unit = used.unit.as_str();
    (&used.provider, &used.product, unit, one.price.get(), currency, &one.rate, one.unpriced)
}

/// The row of a rate.
fn rate(tx: &Tx, one: &Reckoned) -> Result<i64, StoreError> {
    Ok(tx
        .prepare_cached(&format!("SELECT id FROM ledger_rates WHERE {THE_RATE}"))?
        .query_row(columns(one), |row| row.get(0))?)
}

/// Makes the row of a rate, by which something is reckoned for the first time.
fn add_rate(tx: &Tx, one: &Reckoned) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO ledger_rates (provider, product, unit, price, currency, rate, unpriced)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(columns(one))?;
    Ok(())
}

/// Adds an entry to the sums of its day and call, or takes it out of them.
fn roll_up(tx: &Tx, of: &Of, entry: &Entry, sign: i64) -> Result<(), StoreError> {
    let (eur, usd) = (sign * entry.cost.eur.get(), sign * entry.cost.usd.get());
    tx.prepare_cached(
        "INSERT INTO ledger_days (day, assistant_id, rate_id, entries, quantity, amount, eur, usd)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET entries = entries + excluded.entries,
            quantity = quantity + excluded.quantity, amount = amount + excluded.amount,
            eur = eur + excluded.eur, usd = usd + excluded.usd",
    )?
    .execute(params![
        entry.at.div_euclid(DAY_MS),
        of.assistant.0,
        entry.rate,
        sign,
        sign * entry.quantity,
        sign * entry.amount,
        eur,
        usd
    ])?;
    if let Some(call) = of.call {
        tx.prepare_cached(
            "UPDATE calls SET cost_eur = coalesce(cost_eur, 0) + ?2,
             cost_usd = coalesce(cost_usd, 0) + ?3,
             cost_unpriced = coalesce(cost_unpriced, 0) + ?4,
             entered_from = min(coalesce(entered_from, ?5), ?5),
             entered_until = max(coalesce(entered_until, ?5), ?5) WHERE id = ?1",
        )?
        .execute(params![call.0, eur, usd, sign * i64::from(entry.unpriced), entry.at])?;
    }
    Ok(())
}

/// Adds what a call used to the sums of days, in the transaction that ends it.
pub(super) fn settle(tx: &Tx, call: CallId) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO ledger_days (day, assistant_id, rate_id, entries, quantity, amount, eur, usd)
         SELECT at / 86400000, assistant_id, rate_id, count(*), sum(quantity), sum(amount), sum(eur), sum(usd)
         FROM ledger_entries WHERE call_id = ?1 GROUP BY 1, 2, 3
         ON CONFLICT DO UPDATE SET entries = entries + excluded.entries,
            quantity = quantity + excluded.quantity, amount = amount + excluded.amount,
            eur = eur + excluded.eur, usd = usd + excluded.usd",
    )?
    .execute([call.0])?;
    Ok(())
}

/// The sums of days, and of calls that are over, that are not those of their entries: none, ever.
pub fn differences(tx: &Tx) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for (what, sql) in [
        (
            "day",
            "WITH raw AS (SELECT at / 86400000 AS day, assistant_id, rate_id, count(*) AS entries,
                sum(quantity) AS quantity, sum(amount) AS amount, sum(eur) AS eur, sum(usd) AS usd
                FROM ledger_entries WHERE call_id NOT IN (SELECT id FROM calls WHERE ended_at IS NULL)
                GROUP BY 1, 2, 3),
              sums AS (SELECT * FROM ledger_days WHERE entries <> 0 OR quantity <> 0 OR eur <> 0)
             SELECT printf('%d/%d/%d', day, assistant_id, rate_id) FROM
                (SELECT * FROM raw EXCEPT SELECT * FROM sums)
             UNION SELECT printf('%d/%d/%d', day, assistant_id, rate_id) FROM
                (SELECT * FROM sums EXCEPT SELECT * FROM raw)",
        ),
        (
            "day together",
            "WITH sums AS (SELECT day, rate_id, sum(entries), sum(quantity), sum(eur), sum(usd)
                FROM ledger_days GROUP BY 1, 2)
             SELECT printf('%d/%d', day, rate_id) FROM
                (SELECT * FROM sums EXCEPT SELECT * FROM ledger_days_together)
             UNION SELECT printf('%d/%d', day, rate_id) FROM
                (SELECT * FROM ledger_days_together EXCEPT SELECT * FROM sums)",
        ),
        (
            "call",
            "SELECT c.sid FROM calls c WHERE c.ended_at IS NULL AND c.cost_eur IS NOT NULL OR c.ended_at IS NOT NULL AND (
                coalesce(c.cost_eur, 0) <> (SELECT coalesce(sum(eur), 0) FROM ledger_entries e WHERE e.call_id = c.id)
             OR coalesce(c.cost_usd, 0) <> (SELECT coalesce(sum(usd), 0) FROM ledger_entries e WHERE e.call_id = c.id))",
        ),
        (
            "time of a call",
            "SELECT c.sid FROM calls c WHERE c.ended_at IS NULL AND c.entered_until IS NOT NULL
             OR c.ended_at IS NOT NULL AND EXISTS (SELECT 1 FROM ledger_entries e WHERE e.call_id = c.id
                AND (c.entered_until IS NULL OR e.at NOT BETWEEN c.entered_from AND c.entered_until))",
        ),
    ] {
        let mut statement = tx.prepare(sql)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        for row in rows {
            found.push(format!("{what} {}", row?));
        }
    }
    Ok(found)
}
