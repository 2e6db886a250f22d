//! Bookings: rows, and the places they take.

use jiff::{Timestamp, ToSpan, civil::DateTime};
use rusqlite::{Row, params};

use super::{StoreError, Tx, assistants::time};
use crate::domain::{AssistantId, Booked, Booking, BookingId, CallId, Sight};

const COLUMNS: &str = "id, assistant_id, call_id, name, party, caller, local_time, timezone, \
                       starts_at, ends_at, created_at";

/// No booking lasts longer; bounds how far back an overlapping one can start.
const LONGEST_DAYS: i64 = 2;

fn read(row: &Row<'_>) -> Result<Booking, StoreError> {
    Ok(Booking {
        id: BookingId(row.get(0)?),
        assistant: AssistantId(row.get(1)?),
        call: row.get::<_, Option<i64>>(2)?.map(CallId),
        name: row.get(3)?,
        party: row.get(4)?,
        caller: row.get(5)?,
        at: row
            .get::<_, String>(6)?
            .parse::<DateTime>()
            .map_err(|error| StoreError::Row(error.to_string()))?,
        timezone: row.get(7)?,
        starts_at: time(row.get(8)?)?,
        ends_at: time(row.get(9)?)?,
        created_at: time(row.get(10)?)?,
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

/// All bookings that may be seen, of one assistant or of all, in the order they take place.
pub fn list(
    tx: &Tx,
    sight: Sight,
    assistant: Option<AssistantId>,
) -> Result<Vec<Booking>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM bookings WHERE (?1 IS NULL OR assistant_id = ?1)
         AND (?2 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?2))
         ORDER BY starts_at, id"
    );
    many(tx, &sql, params![assistant.map(|id| id.0), sight.owner()])
}

/// Those made in a call.
pub fn of_call(tx: &Tx, call: CallId) -> Result<Vec<Booking>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM bookings WHERE call_id = ?1 ORDER BY id");
    many(tx, &sql, params![call.0])
}

/// The places taken that can touch a window of time.
pub fn taken(
    tx: &Tx,
    assistant: AssistantId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Booked>, StoreError> {
    let earliest = from.saturating_sub((LONGEST_DAYS * 24).hours()).unwrap_or(Timestamp::MIN);
    let mut statement = tx.prepare_cached(
        "SELECT starts_at, ends_at, party FROM bookings
         WHERE assistant_id = ?1 AND starts_at >= ?2 AND starts_at < ?3 AND ends_at > ?4",
    )?;
    let mut rows = statement.query(params![
        assistant.0,
        earliest.as_millisecond(),
        until.as_millisecond(),
        from.as_millisecond()
    ])?;
    let mut taken = Vec::new();
    while let Some(row) = rows.next()? {
        taken.push(Booked {
            starts_at: time(row.get(0)?)?,
            ends_at: time(row.get(1)?)?,
            party: row.get(2)?,
        });
    }
    Ok(taken)
}

/// Adds a booking; its `id` is ignored and the stored row returned.
pub fn insert(tx: &Tx, booking: &Booking) -> Result<Booking, StoreError> {
    let id: i64 = tx
        .prepare_cached(
            "INSERT INTO bookings (assistant_id, call_id, name, party, caller, local_time, timezone,
             starts_at, ends_at, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING id",
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
                booking.created_at.as_millisecond()
            ],
            |row| row.get(0),
        )?;
    Ok(Booking { id: BookingId(id), ..booking.clone() })
}
