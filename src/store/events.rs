//! Events: what happened on the phone, in order, for those who watch.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{StoreError, Tx, assistants::time};
use crate::domain::{AssistantId, CallEvent, CallId, EventId, Happening, Sight};

/// Notes an event, in the transaction of what it tells.
pub fn note(
    tx: &Tx,
    at: Timestamp,
    call: CallId,
    kind: &'static str,
    turn: Option<u32>,
) -> Result<(), StoreError> {
    tx.prepare_cached("INSERT INTO events (at, call_id, kind, turn) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![at.as_millisecond(), call.0, kind, turn])?;
    Ok(())
}

/// The last event of all.
pub fn newest(tx: &Tx) -> Result<EventId, StoreError> {
    let id: Option<i64> =
        tx.prepare_cached("SELECT max(id) FROM events")?.query_row([], |row| row.get(0))?;
    Ok(EventId(id.unwrap_or(0)))
}

/// Looks through `most` events after one, oldest first. Answers those that may be seen, and the last
/// that was looked at: whoever may see none need not look at them again.
pub fn after(
    tx: &Tx,
    last: EventId,
    sight: Sight,
    most: u32,
) -> Result<(Vec<CallEvent>, EventId), StoreError> {
    let until: Option<i64> = tx
        .prepare_cached(
            "SELECT max(id) FROM (SELECT id FROM events WHERE id > ?1 ORDER BY id LIMIT ?2)",
        )?
        .query_row(params![last.0, most], |row| row.get(0))?;
    let Some(until) = until else { return Ok((Vec::new(), last)) };
    let mut statement = tx.prepare_cached(
        "SELECT e.id, e.at, c.sid, c.assistant_id, a.name, c.status, e.kind, e.turn, t.heard, t.said
         FROM events e JOIN calls c ON c.id = e.call_id JOIN assistants a ON a.id = c.assistant_id
         LEFT JOIN turns t ON t.call_id = e.call_id AND t.number = e.turn
         WHERE e.id > ?1 AND e.id <= ?3 AND (?2 IS NULL OR a.owner_id = ?2) ORDER BY e.id",
    )?;
    let mut rows = statement.query(params![last.0, sight.owner(), until])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(read(row)?);
    }
    Ok((events, EventId(until)))
}

fn read(row: &Row<'_>) -> Result<CallEvent, StoreError> {
    let word = |column: usize| row.get::<_, String>(column);
    let turn: Option<u32> = row.get(7)?;
    let happening = match (word(6)?.as_str(), turn) {
        ("turn", Some(number)) => Happening::Turn { number, heard: row.get(8)?, said: row.get(9)? },
        ("end", _) => Happening::End,
        _ => Happening::Ring,
    };
    Ok(CallEvent {
        id: EventId(row.get(0)?),
        at: time(row.get(1)?)?,
        call: word(2)?.parse().map_err(StoreError::User)?,
        assistant_id: AssistantId(row.get(3)?),
        assistant: word(4)?.parse().map_err(StoreError::User)?,
        status: word(5)?.parse().map_err(StoreError::User)?,
        happening,
    })
}

/// Forgets events from before a moment; a thousand at a time, not to keep callers waiting.
pub fn forget(tx: &Tx, before: Timestamp) -> Result<u64, StoreError> {
    let gone = tx
        .prepare_cached(
            "DELETE FROM events WHERE id IN
                (SELECT id FROM events WHERE at < ?1 ORDER BY id LIMIT 1000)",
        )?
        .execute([before.as_millisecond()])?;
    Ok(gone as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::UserId,
        store::{Options, Store},
    };

    #[test]
    fn what_may_not_be_seen_is_looked_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("webox.db"), Options::terminal()).unwrap();
        store
            .write(|tx| {
                (0..7).try_for_each(|n| note(tx, Timestamp::UNIX_EPOCH, CallId(n), "ring", None))
            })
            .unwrap();
        let look = |last| {
            let nobody = Sight::Of(UserId(3));
            store.read(|tx| after(tx, EventId(last), nobody, 5)).unwrap()
        };
        assert_eq!(look(0), (Vec::new(), EventId(5)));
        assert_eq!(look(5), (Vec::new(), EventId(7)));
        assert_eq!(look(7), (Vec::new(), EventId(7)));
    }
}
