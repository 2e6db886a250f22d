//! Bills: rows that are added, and never changed. What a bill says is text here.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{StoreError, Tx};
use crate::domain::{AssistantId, Cents, Month, Sight};

/// A bill, or what takes one back, as it is about to be stored.
#[derive(Debug)]
pub struct NewInvoice<'n> {
    /// What its number begins with, and which one it is.
    pub series: &'n str,
    /// From 1.
    pub counter: u64,
    /// The number.
    pub number: &'n str,
    /// The client.
    pub client: &'n str,
    /// The month.
    pub month: Month,
    /// The number of the bill that it takes back.
    pub credits: Option<&'n str>,
    /// When.
    pub issued_at: Timestamp,
    /// Before tax.
    pub net: Cents,
    /// All that it says, as JSON.
    pub document: &'n str,
    /// For which assistants.
    pub assistants: &'n [AssistantId],
}

/// A bill that was issued.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The row.
    pub id: i64,
    /// All that it says, as JSON.
    pub document: String,
    /// The number of what took it back.
    pub credited_by: Option<String>,
}

/// Which bills.
#[derive(Debug, Clone, Default)]
pub struct InvoiceFilter {
    /// For a month.
    pub month: Option<Month>,
    /// Of a client.
    pub client: Option<String>,
    /// Older than this row.
    pub before: Option<i64>,
    /// At most so many; all otherwise.
    pub limit: Option<u64>,
}

/// How a client's month stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Billed {
    /// There was never a bill.
    Never,
    /// There is one, of this number and before tax.
    Issued(String, Cents),
    /// The last one was taken back.
    TakenBack,
}

/// Takes the next number of a series, counted from 1; `elsewhere` is the last one that is known to have been
/// given elsewhere, and is kept where it is more than those that are here.
pub fn take_counter(tx: &Tx, series: &str, elsewhere: u64) -> Result<u64, StoreError> {
    let last: i64 = tx
        .prepare_cached(
            "SELECT max((SELECT coalesce(max(counter), 0) FROM invoices WHERE series = ?1),
                        (SELECT coalesce(max(last), 0) FROM invoices_elsewhere WHERE series = ?1))",
        )?
        .query_row([series], |row| row.get(0))?;
    let last = last.max(0).unsigned_abs();
    if elsewhere <= last {
        return Ok(last + 1);
    }
    tx.prepare_cached(
        "INSERT INTO invoices_elsewhere (series, last) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET last = excluded.last",
    )?
    .execute(params![series, i64::try_from(elsewhere).unwrap_or(i64::MAX)])?;
    Ok(elsewhere + 1)
}

/// Adds one.
pub fn insert(tx: &Tx, new: &NewInvoice<'_>) -> Result<(), StoreError> {
    let month = new.month.to_string();
    let id: i64 = tx
        .prepare_cached(
            "INSERT INTO invoices
                (series, counter, number, client, month, round, credits, issued_at, net, document)
             VALUES (?1, ?2, ?3, ?4, ?5,
                (SELECT count(*) FROM invoices
                 WHERE client = ?4 AND month = ?5 AND credits IS NOT NULL),
                ?6, ?7, ?8, ?9) RETURNING id",
        )?
        .query_row(
            params![
                new.series,
                i64::try_from(new.counter).unwrap_or(i64::MAX),
                new.number,
                new.client,
                month,
                new.credits,
                new.issued_at.as_millisecond(),
                new.net.get(),
                new.document
            ],
            |row| row.get(0),
        )?;
    let mut statement = tx.prepare_cached("INSERT INTO invoice_assistants VALUES (?1, ?2)")?;
    for assistant in new.assistants {
        statement.execute(params![id, assistant.0])?;
    }
    Ok(())
}

/// How a client's month stands.
pub fn standing(tx: &Tx, client: &str, month: Month) -> Result<Billed, StoreError> {
    let last: Option<(String, i64, bool)> = tx
        .prepare_cached(
            "SELECT i.number, i.net,
                    EXISTS (SELECT 1 FROM invoices c WHERE c.credits = i.number)
             FROM invoices i WHERE i.client = ?1 AND i.month = ?2 AND i.credits IS NULL
             ORDER BY i.round DESC LIMIT 1",
        )?
        .query_row(params![client, month.to_string()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    Ok(match last {
        None => Billed::Never,
        Some((_, _, true)) => Billed::TakenBack,
        Some((number, net, false)) => Billed::Issued(number, Cents::new(net)),
    })
}

/// A bill of a month that an assistant is on and that was not taken back, and whose it is.
pub fn billed_with(
    tx: &Tx,
    assistant: AssistantId,
    month: Month,
) -> Result<Option<(String, String)>, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT i.number, i.client FROM invoice_assistants s JOIN invoices i ON i.id = s.invoice_id
             WHERE s.assistant_id = ?1 AND i.month = ?2 AND i.credits IS NULL
             AND NOT EXISTS (SELECT 1 FROM invoices c WHERE c.credits = i.number) LIMIT 1",
        )?
        .query_row(params![assistant.0, month.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// The clients who were ever billed for a month.
pub fn clients_of(tx: &Tx, month: Month) -> Result<Vec<String>, StoreError> {
    let mut statement =
        tx.prepare_cached("SELECT DISTINCT client FROM invoices WHERE month = ?1 ORDER BY 1")?;
    let clients = statement.query_map([month.to_string()], |row| row.get(0))?;
    Ok(clients.collect::<rusqlite::Result<_>>()?)
}

/// Bills are seen by who owns all the assistants that they are for; `?1` is the owner.
const SEEN: &str = "(?1 IS NULL OR (
        EXISTS (SELECT 1 FROM invoice_assistants s WHERE s.invoice_id = i.id)
        AND NOT EXISTS (SELECT 1 FROM invoice_assistants s
                        JOIN assistants a ON a.id = s.assistant_id
                        WHERE s.invoice_id = i.id AND a.owner_id IS NOT ?1)))";

const COLUMNS: &str =
    "i.id, i.document, (SELECT c.number FROM invoices c WHERE c.credits = i.number)";

fn read(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored { id: row.get(0)?, document: row.get(1)?, credited_by: row.get(2)? })
}

/// Those that may be seen, the newest first.
pub fn list(tx: &Tx, sight: Sight, filter: &InvoiceFilter) -> Result<Vec<Stored>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM invoices i
         WHERE {SEEN} AND (?2 IS NULL OR i.month = ?2) AND (?3 IS NULL OR i.client = ?3)
           AND (?4 IS NULL OR i.id < ?4) ORDER BY i.id DESC LIMIT ?5"
    );
    let limit = filter.limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
    let values = params![
        sight.owner(),
        filter.month.map(|month| month.to_string()),
        filter.client,
        filter.before,
        limit
    ];
    let mut statement = tx.prepare_cached(&sql)?;
    let rows = statement.query_map(values, read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One, by its number, if it may be seen.
pub fn seen(tx: &Tx, sight: Sight, number: &str) -> Result<Option<Stored>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM invoices i WHERE {SEEN} AND i.number = ?2");
    let values = params![sight.owner(), number];
    Ok(tx.prepare_cached(&sql)?.query_row(values, read).optional()?)
}

/// For which assistants one is.
pub fn assistants_of(tx: &Tx, id: i64) -> Result<Vec<AssistantId>, StoreError> {
    let mut statement =
        tx.prepare_cached("SELECT assistant_id FROM invoice_assistants WHERE invoice_id = ?1")?;
    let ids = statement.query_map([id], |row| Ok(AssistantId(row.get(0)?)))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}
