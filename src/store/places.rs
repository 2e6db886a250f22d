//! Places: those that bookings take, and those held while a caller decides.

use jiff::{Timestamp, ToSpan};
use rusqlite::params;

use super::{StoreError, Tx, assistants::time};
use crate::domain::{AssistantId, Booked, BookingId, CallId, Place};

/// A stretch of time in which places are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// From.
    pub from: Timestamp,
    /// Until.
    pub until: Timestamp,
    /// How long a booking lasts at most, in days: how far back one can start that reaches into it.
    pub longest_days: i64,
}

/// Whose own places do not stand in the way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Except {
    /// What a call holds.
    pub call: Option<CallId>,
    /// A booking about to be moved.
    pub booking: Option<BookingId>,
}

/// The places taken or held, and the time that calendars of others take up, as far as they can touch
/// a stretch of time.
pub fn taken(
    tx: &Tx,
    assistant: AssistantId,
    stretch: Stretch,
    except: Except,
    now: Timestamp,
) -> Result<Vec<Booked>, StoreError> {
    // A row that lasts longer than the rules of today allow was made under others.
    let back = (stretch.longest_days.max(2) * 24).hours();
    let earliest = stretch.from.saturating_sub(back).unwrap_or(Timestamp::MIN);
    let mut statement = tx.prepare_cached(
        "SELECT starts_at, free_at, party, resource, 0 FROM bookings
         WHERE assistant_id = ?1 AND starts_at >= ?2 AND starts_at < ?3 AND free_at > ?4
         AND cancelled_at IS NULL AND id IS NOT ?5
         UNION ALL
         SELECT starts_at, free_at, party, resource, 0 FROM holds
         WHERE assistant_id = ?1 AND starts_at >= ?2 AND starts_at < ?3 AND free_at > ?4
         AND expires_at > ?7 AND call_id IS NOT ?6
         UNION ALL
         SELECT starts_at, ends_at, 0, resource, 1 FROM calendar_busy
         WHERE assistant_id = ?1 AND ends_at > ?4 AND starts_at < ?3",
    )?;
    let mut rows = statement.query(params![
        assistant.0,
        earliest.as_millisecond(),
        stretch.until.as_millisecond(),
        stretch.from.as_millisecond(),
        except.booking.map(|id| id.0),
        except.call.map(|id| id.0),
        now.as_millisecond(),
    ])?;
    let mut taken = Vec::new();
    while let Some(row) = rows.next()? {
        taken.push(Booked {
            starts_at: time(row.get(0)?)?,
            free_at: time(row.get(1)?)?,
            party: row.get(2)?,
            resource: row.get(3)?,
            whole: row.get(4)?,
        });
    }
    Ok(taken)
}

/// Holds a place for a call, instead of what it held before.
pub fn hold(
    tx: &Tx,
    call: CallId,
    assistant: AssistantId,
    place: &Place,
    party: u32,
    until: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO holds
         (call_id, assistant_id, starts_at, free_at, party, resource, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        call.0,
        assistant.0,
        place.starts_at.as_millisecond(),
        place.free_at.as_millisecond(),
        party,
        place.resource,
        until.as_millisecond(),
    ])?;
    Ok(())
}

/// Lets go of what a call holds.
pub fn release(tx: &Tx, call: CallId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM holds WHERE call_id = ?1")?.execute([call.0])?;
    Ok(())
}
