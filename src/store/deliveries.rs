//! Deliveries: what happened, told to places outside, in order for each caller.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Row, params};

use super::{StoreError, Tx, assistants::time};
use crate::domain::{
    AssistantId, CallId, DeliveryEvent, DeliveryFilter, DeliveryId, DeliveryState, DeliveryTotals,
    DestinationKind, OutboxDelivery, Sight, TRIED_FOR,
};

const COLUMNS: &str = "d.id, d.message_id, d.assistant_id, a.name, d.call_id, c.sid, \
                       d.destination, d.kind, d.event, d.contact, d.payload, d.state, d.created_at, \
                       d.due_at, d.expires_at, d.attempts, d.failure, d.settled_at";

const TABLES: &str = "deliveries d JOIN assistants a ON a.id = d.assistant_id
                      LEFT JOIN calls c ON c.id = d.call_id";

/// What a place is to be told.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// The name it is delivered under.
    pub message_id: String,
    /// Whose assistant tells it.
    pub assistant: AssistantId,
    /// The call it comes of.
    pub call: Option<CallId>,
    /// The place.
    pub destination: String,
    /// Of what kind.
    pub to: DestinationKind,
    /// What happened.
    pub event: DeliveryEvent,
    /// What it tells, by a name of its own: told once.
    pub source: String,
    /// Who called.
    pub contact: String,
    /// What is sent.
    pub payload: String,
    /// When it happened.
    pub at: Timestamp,
}

/// What a place has of a delivery already, by words of its own.
pub type Progress = BTreeMap<String, String>;

/// A delivery that was taken, to be tried now.
#[derive(Debug, Clone)]
pub struct Taken {
    /// It, with this try counted.
    pub delivery: OutboxDelivery,
    /// What is sent.
    pub payload: String,
    /// What the place has of it already.
    pub progress: Progress,
}

/// Adds a delivery, unless the place is told of it already.
pub fn insert(tx: &Tx, new: &NewDelivery) -> Result<(), StoreError> {
    let at = new.at.as_millisecond();
    let expires_at = expiry(new.at);
    tx.prepare_cached(
        "INSERT INTO deliveries (message_id, assistant_id, call_id, destination, kind, event, source,
         contact, payload, state, created_at, due_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'pending', ?10, ?10, ?11)
         ON CONFLICT (assistant_id, destination, source) DO NOTHING",
    )?
    .execute(params![
        new.message_id,
        new.assistant.0,
        new.call.map(|id| id.0),
        new.destination,
        new.to.as_str(),
        new.event.as_str(),
        new.source,
        new.contact,
        new.payload,
        at,
        expires_at
    ])?;
    Ok(())
}

fn expiry(from: Timestamp) -> i64 {
    from.checked_add(TRIED_FOR).unwrap_or(Timestamp::MAX).as_millisecond()
}

/// Nobody is at it, it is due, and nothing of the same caller goes before it.
const READY: &str = "d.state = 'pending' AND d.due_at <= ?1
     AND (d.leased_until IS NULL OR d.leased_until <= ?1)
     AND NOT EXISTS (SELECT 1 FROM deliveries e
                     WHERE e.assistant_id = d.assistant_id AND e.destination = d.destination
                       AND e.contact = d.contact AND e.state = 'pending' AND e.id < d.id)";

/// Those that may be tried now, with their places; a few of each place, so that one that does not
/// answer keeps nobody else waiting.
pub fn ready(
    tx: &Tx,
    now: Timestamp,
    of_each: u32,
    most: u32,
) -> Result<Vec<(DeliveryId, AssistantId, String)>, StoreError> {
    let sql = format!(
        "SELECT id, assistant_id, destination FROM (
            SELECT d.id, d.assistant_id, d.destination, d.due_at, row_number() OVER (
                PARTITION BY d.assistant_id, d.destination ORDER BY d.due_at, d.id) AS place
            FROM deliveries d WHERE {READY})
         WHERE place <= ?2 ORDER BY due_at, id LIMIT ?3"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let rows = statement.query_map(params![now.as_millisecond(), of_each, most], |row| {
        Ok((DeliveryId(row.get(0)?), AssistantId(row.get(1)?), row.get(2)?))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Takes a delivery for as long as a try may last, if it may still be tried.
pub fn take(
    tx: &Tx,
    id: DeliveryId,
    now: Timestamp,
    lease: SignedDuration,
) -> Result<Option<Taken>, StoreError> {
    let until = now.checked_add(lease).unwrap_or(Timestamp::MAX).as_millisecond();
    let sql = format!(
        "UPDATE deliveries SET leased_until = ?3, attempts = attempts + 1
         WHERE id = (SELECT d.id FROM deliveries d WHERE d.id = ?2 AND {READY})
         RETURNING progress"
    );
    let progress: Option<Option<String>> = tx
        .prepare_cached(&sql)?
        .query_row(params![now.as_millisecond(), id.0, until], |row| row.get(0))
        .optional()?;
    let Some(progress) = progress else { return Ok(None) };
    let Some(delivery) = get(tx, Sight::All, id)? else { return Ok(None) };
    let payload = delivery.payload.clone().unwrap_or_default();
    let progress = progress.map(|json| serde_json::from_str(&json)).transpose()?;
    let progress = match progress {
        Some(progress) => progress,
        None => before(tx, &delivery)?,
    };
    Ok(Some(Taken { delivery, payload, progress }))
}

/// Whom the place took the same caller for the last time: it may not find by number yet whom it was
/// told of a moment ago.
fn before(tx: &Tx, delivery: &OutboxDelivery) -> Result<Progress, StoreError> {
    let known: Option<Option<String>> = tx
        .prepare_cached(
            "SELECT progress ->> '$.contact' FROM deliveries
             WHERE contact = ?1 AND assistant_id = ?2 AND destination = ?3 AND kind = ?4
               AND id < ?5 AND progress IS NOT NULL ORDER BY id DESC LIMIT 1",
        )?
        .query_row(
            params![
                delivery.contact,
                delivery.assistant_id.0,
                delivery.destination,
                delivery.to.as_str(),
                delivery.id.0
            ],
            |row| row.get(0),
        )
        .optional()?;
    Ok(known.flatten().map(|contact| ("contact".to_owned(), contact)).into_iter().collect())
}

/// How a try ended.
#[derive(Debug, Clone)]
pub enum Ended {
    /// It arrived.
    Delivered,
    /// It is tried again.
    Again {
        /// When.
        at: Timestamp,
        /// Why it did not arrive.
        failure: String,
    },
    /// It is given up.
    Dead {
        /// Why it did not arrive.
        failure: String,
    },
}

/// Notes how a try ended; says whether it was still that try's to say: the caller may have been
/// forgotten meanwhile, or another daemon may be at it.
pub fn settle(
    tx: &Tx,
    taken: &OutboxDelivery,
    ended: &Ended,
    progress: &Progress,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (state, due, failure) = match ended {
        Ended::Delivered => (DeliveryState::Delivered, None, None),
        Ended::Again { at, failure } => (DeliveryState::Pending, Some(*at), Some(failure)),
        Ended::Dead { failure } => (DeliveryState::Dead, None, Some(failure)),
    };
    let settled = (state != DeliveryState::Pending).then(|| now.as_millisecond());
    let progress = (!progress.is_empty()).then(|| serde_json::to_string(progress)).transpose()?;
    let changed = tx
        .prepare_cached(
            "UPDATE deliveries SET state = ?3, due_at = coalesce(?4, due_at), failure = ?5,
             settled_at = ?6, progress = coalesce(?7, progress), leased_until = NULL
             WHERE id = ?1 AND attempts = ?2 AND state = 'pending' AND payload IS NOT NULL",
        )?
        .execute(params![
            taken.id.0,
            taken.attempts,
            state.as_str(),
            due.map(Timestamp::as_millisecond),
            failure,
            settled,
            progress
        ])?;
    Ok(changed == 1)
}

/// Leaves a place alone until a moment, as it asked.
pub fn hold(
    tx: &Tx,
    assistant: AssistantId,
    destination: &str,
    until: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE deliveries SET due_at = ?3
         WHERE assistant_id = ?1 AND destination = ?2 AND state = 'pending' AND due_at < ?3",
    )?
    .execute(params![assistant.0, destination, until.as_millisecond()])?;
    Ok(())
}

/// Tries one again from the beginning, if it is not there yet; says whether it is.
pub fn retry(tx: &Tx, id: DeliveryId, now: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .prepare_cached(
            "UPDATE deliveries SET state = 'pending', due_at = ?2, expires_at = ?3, settled_at = NULL,
             attempts = CASE state WHEN 'dead' THEN 0 ELSE attempts END
             WHERE id = ?1 AND state <> 'delivered' AND payload IS NOT NULL",
        )?
        .execute(params![id.0, now.as_millisecond(), expiry(now)])?;
    Ok(changed == 1)
}

/// One, if it may be seen.
pub fn get(tx: &Tx, sight: Sight, id: DeliveryId) -> Result<Option<OutboxDelivery>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE d.id = ?1 AND (?2 IS NULL OR a.owner_id = ?2)"
    );
    tx.prepare_cached(&sql)?
        .query_row(params![id.0, sight.owner()], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// Conditions of a list; `?1` to `?5`.
const LISTED: &str = "(?1 IS NULL OR a.owner_id = ?1) AND (?2 IS NULL OR d.assistant_id = ?2)
     AND (?3 IS NULL OR d.state = ?3) AND (?4 IS NULL OR d.created_at >= ?4)
     AND (?5 IS NULL OR d.id < ?5)";

/// Those that match and may be seen, newest first.
pub fn list(
    tx: &Tx,
    sight: Sight,
    filter: &DeliveryFilter,
) -> Result<Vec<OutboxDelivery>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE {LISTED} ORDER BY d.id DESC LIMIT ?6");
    let limit = filter.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query(params![
        sight.owner(),
        filter.assistant.map(|id| id.0),
        filter.state.map(DeliveryState::as_str),
        filter.since.map(Timestamp::as_millisecond),
        filter.older_than.map(|id| id.0),
        limit
    ])?;
    let mut deliveries = Vec::new();
    while let Some(row) = rows.next()? {
        deliveries.push(read(row)?);
    }
    Ok(deliveries)
}

/// How many stand how, of those that may be seen.
pub fn totals(
    tx: &Tx,
    sight: Sight,
    assistant: Option<AssistantId>,
) -> Result<DeliveryTotals, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT d.state, count(*) FROM deliveries d JOIN assistants a ON a.id = d.assistant_id
         WHERE (?1 IS NULL OR a.owner_id = ?1) AND (?2 IS NULL OR d.assistant_id = ?2)
         GROUP BY d.state",
    )?;
    let mut rows = statement.query(params![sight.owner(), assistant.map(|id| id.0)])?;
    let mut totals = DeliveryTotals::default();
    while let Some(row) = rows.next()? {
        let count = row.get::<_, i64>(1)?.max(0) as u64;
        match row.get::<_, String>(0)?.parse().map_err(StoreError::User)? {
            DeliveryState::Pending => totals.pending = count,
            DeliveryState::Delivered => totals.delivered = count,
            DeliveryState::Dead => totals.dead = count,
        }
    }
    Ok(totals)
}

/// What takes everything of a caller out of a delivery. One that waits is given up: nobody is told
/// of somebody who was forgotten.
pub(super) const FORGOTTEN: &str = "contact = NULL, payload = NULL, progress = NULL, \
     leased_until = NULL, \
     failure = CASE state WHEN 'pending' THEN 'the caller was forgotten' ELSE NULL END, \
     settled_at = coalesce(settled_at, due_at), \
     state = CASE state WHEN 'pending' THEN 'dead' ELSE state END";

/// Takes the caller out of the deliveries of a call.
pub(super) fn forget_call(tx: &Tx, call: CallId) -> Result<(), StoreError> {
    let sql =
        format!("UPDATE deliveries SET {FORGOTTEN} WHERE call_id = ?1 AND payload IS NOT NULL");
    tx.prepare_cached(&sql)?.execute([call.0])?;
    Ok(())
}

/// Drops deliveries that were settled before a moment, a thousand at a time; answers how many.
pub fn drop_settled(tx: &Tx, before: Timestamp) -> Result<u64, StoreError> {
    let gone = tx
        .prepare_cached(
            "DELETE FROM deliveries WHERE id IN (
                SELECT id FROM deliveries WHERE settled_at < ?1 ORDER BY settled_at LIMIT 1000)",
        )?
        .execute([before.as_millisecond()])?;
    Ok(gone as u64)
}

fn read(row: &Row<'_>) -> Result<OutboxDelivery, StoreError> {
    fn word<T: std::str::FromStr<Err = crate::domain::Error>>(
        row: &Row<'_>,
        column: usize,
    ) -> Result<T, StoreError> {
        row.get::<_, String>(column)?.parse().map_err(StoreError::User)
    }
    let call: Option<i64> = row.get(4)?;
    let sid: Option<String> = row.get(5)?;
    let sid = sid.map(|sid| sid.parse()).transpose().map_err(StoreError::User)?;
    Ok(OutboxDelivery {
        id: DeliveryId(row.get(0)?),
        message_id: row.get(1)?,
        assistant_id: AssistantId(row.get(2)?),
        assistant: word(row, 3)?,
        call: call.map(CallId).zip(sid),
        destination: row.get(6)?,
        to: word(row, 7)?,
        event: word(row, 8)?,
        contact: row.get(9)?,
        payload: row.get(10)?,
        state: word(row, 11)?,
        created_at: time(row.get(12)?)?,
        due_at: time(row.get(13)?)?,
        expires_at: time(row.get(14)?)?,
        attempts: row.get(15)?,
        failure: row.get(16)?,
        settled_at: row.get::<_, Option<i64>>(17)?.map(time).transpose()?,
    })
}
