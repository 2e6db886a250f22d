//! Bookings: rows, and how they are found again.

use jiff::{Timestamp, civil::DateTime};
use rusqlite::{OptionalExtension, Row, params};

use super::{StoreError, Tx, assistants::time};
use crate::domain::{AssistantId, Booking, BookingFilter, BookingId, CallId, LanguageTag, Sight};

const COLUMNS: &str = "id, assistant_id, call_id, name, party, caller, local_time, timezone, \
                       starts_at, ends_at, created_at, reference, service, resource, nights, note, \
                       language, free_at, updated_at, cancelled_at";

/// The assistant's owner, where the asker sees only his own; `?2` is the owner, or nothing.
const SEEN: &str =
    "(?2 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?2))";

fn read(row: &Row<'_>) -> Result<Booking, StoreError> {
    let wrong = |error: &dyn std::fmt::Display| StoreError::Row(error.to_string());
    Ok(Booking {
        id: BookingId(row.get(0)?),
        assistant: AssistantId(row.get(1)?),
        call: row.get::<_, Option<i64>>(2)?.map(CallId),
        name: row.get(3)?,
        party: row.get(4)?,
        caller: row.get(5)?,
        at: row.get::<_, String>(6)?.parse::<DateTime>().map_err(|error| wrong(&error))?,
        timezone: row.get(7)?,
        starts_at: time(row.get(8)?)?,
        ends_at: time(row.get(9)?)?,
        created_at: time(row.get(10)?)?,
        reference: row.get(11)?,
        service: row.get(12)?,
        resource: row.get(13)?,
        nights: row.get(14)?,
        note: row.get(15)?,
        language: row.get::<_, String>(16)?.parse::<LanguageTag>().map_err(|e| wrong(&e))?,
        free_at: time(row.get(17)?)?,
        updated_at: time(row.get(18)?)?,
        cancelled_at: row.get::<_, Option<i64>>(19)?.map(time).transpose()?,
    })
}

fn many(tx: &Tx, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Booking>, StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut bookings = Vec::new();
    while let Some(row) = rows.next()? {
        bookings.push(read(row)?);
    }
    Ok(bookings)
}

/// Bookings that may be seen, in the order they take place.
pub fn list(tx: &Tx, sight: Sight, filter: &BookingFilter) -> Result<Vec<Booking>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM bookings WHERE (?1 IS NULL OR assistant_id = ?1) AND {SEEN}
         AND (?3 IS NULL OR starts_at >= ?3) AND (?4 IS NULL OR starts_at < ?4)
         AND (?5 OR cancelled_at IS NULL) ORDER BY starts_at, id LIMIT ?6"
    );
    let limit = filter.limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
    many(
        tx,
        &sql,
        params![
            filter.assistant.map(|id| id.0),
            sight.owner(),
            filter.since.map(Timestamp::as_millisecond),
            filter.until.map(Timestamp::as_millisecond),
            filter.cancelled,
            limit
        ],
    )
}

/// Those with a reference, which is one a client: an agency's clients may have the same.
pub fn by_reference(tx: &Tx, sight: Sight, reference: &str) -> Result<Vec<Booking>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM bookings WHERE reference = ?1 AND {SEEN} ORDER BY id");
    many(tx, &sql, params![reference, sight.owner()])
}

/// One that may be seen.
pub fn seen(tx: &Tx, sight: Sight, id: BookingId) -> Result<Option<Booking>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM bookings WHERE id = ?1 AND {SEEN}");
    Ok(many(tx, &sql, params![id.0, sight.owner()])?.pop())
}

/// Those made in a call, also such as were cancelled since.
pub fn of_call(tx: &Tx, call: CallId) -> Result<Vec<Booking>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM bookings WHERE call_id = ?1 ORDER BY id");
    many(tx, &sql, params![call.0])
}

/// Those of a client that are still to come: under a caller's number, or with a reference.
pub fn coming(
    tx: &Tx,
    assistant: AssistantId,
    caller: Option<&str>,
    reference: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Booking>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM bookings WHERE assistant_id = ?1 AND (caller = ?2 OR reference = ?3)
         AND cancelled_at IS NULL AND ends_at > ?4 ORDER BY starts_at, id LIMIT 20"
    );
    many(tx, &sql, params![assistant.0, caller, reference, now.as_millisecond()])
}

/// Which bookings' callers are to be reminded.
#[derive(Debug, Clone)]
pub struct ToRemind {
    /// Of whose client.
    pub assistant: AssistantId,
    /// By which place of the file.
    pub destination: String,
    /// Beginning after.
    pub from: Timestamp,
    /// And not later than.
    pub until: Timestamp,
    /// How many minutes before they begin.
    pub minutes: i64,
}

/// Those that stood as they are before the reminder was due, and whose callers the place was not told
/// to remind yet; after a row, in the order they take place.
pub fn to_remind(
    tx: &Tx,
    wanted: &ToRemind,
    after: Option<(Timestamp, BookingId)>,
    limit: u32,
) -> Result<Vec<Booking>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM bookings WHERE assistant_id = ?1 AND starts_at > ?2 AND starts_at <= ?3
         AND (?6 IS NULL OR (starts_at, id) > (?6, ?7))
         AND cancelled_at IS NULL AND caller IS NOT NULL AND starts_at - ?4 * 60000 > updated_at
         AND NOT EXISTS (
            SELECT 1 FROM deliveries d WHERE d.assistant_id = ?1 AND d.destination = ?5
              AND d.source = 'booking.reminder/' || bookings.id || '/' || bookings.starts_at || '/' || ?4)
         ORDER BY starts_at, id LIMIT ?8"
    );
    many(
        tx,
        &sql,
        params![
            wanted.assistant.0,
            wanted.from.as_millisecond(),
            wanted.until.as_millisecond(),
            wanted.minutes,
            wanted.destination,
            after.map(|(at, _)| at.as_millisecond()),
            after.map(|(_, id)| id.0),
            limit
        ],
    )
}

/// Whether a client's booking has this reference already.
pub fn has_reference(tx: &Tx, assistant: AssistantId, reference: &str) -> Result<bool, StoreError> {
    let found = tx
        .prepare_cached("SELECT 1 FROM bookings WHERE assistant_id = ?1 AND reference = ?2")?
        .query_row(params![assistant.0, reference], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// Adds a booking; its `id` is ignored and the stored row returned.
pub fn insert(tx: &Tx, booking: &Booking) -> Result<Booking, StoreError> {
    let id: i64 = tx
        .prepare_cached(
            "INSERT INTO bookings (assistant_id, call_id, name, party, caller, local_time, timezone,
             starts_at, ends_at, created_at, reference, service, resource, nights, note, language,
             free_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
             RETURNING id",
        )?
        .query_row(
            params![
                booking.assistant.0,
                booking.call.map(|id| id.0),
                booking.name,
                booking.party,
                booking.caller,
                booking.at.to_string(),
                booking.timezone,
                booking.starts_at.as_millisecond(),
                booking.ends_at.as_millisecond(),
                booking.created_at.as_millisecond(),
                booking.reference,
                booking.service,
                booking.resource,
                booking.nights,
                booking.note,
                booking.language.as_str(),
                booking.free_at.as_millisecond(),
                booking.updated_at.as_millisecond(),
            ],
            |row| row.get(0),
        )?;
    Ok(Booking { id: BookingId(id), ..booking.clone() })
}

/// Writes what a change of mind may change: time, party, place, and whether it is cancelled.
pub fn update(tx: &Tx, booking: &Booking) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE bookings SET party = ?2, local_time = ?3, timezone = ?4, starts_at = ?5, ends_at = ?6,
         free_at = ?7, resource = ?8, nights = ?9, updated_at = ?10, cancelled_at = ?11 WHERE id = ?1",
    )?
    .execute(params![
        booking.id.0,
        booking.party,
        booking.at.to_string(),
        booking.timezone,
        booking.starts_at.as_millisecond(),
        booking.ends_at.as_millisecond(),
        booking.free_at.as_millisecond(),
        booking.resource,
        booking.nights,
        booking.updated_at.as_millisecond(),
        booking.cancelled_at.map(Timestamp::as_millisecond),
    ])?;
    Ok(())
}
