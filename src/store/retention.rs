//! What is kept no longer: what is due to be forgotten, how far it was looked for, and forgetting it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::{
    StoreError, Tx,
    assistants::time,
    calls, contacts, deliveries,
    privacy::{NO_WORDS, forget_spoken_messages, pseudonym, sid_of},
    removals, turn_words,
};
use crate::domain::{AssistantId, CallId, Removable};

/// What is due to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// The words of calls.
    Transcripts,
    /// Recordings, and the links to them.
    Recordings,
    /// Messages that were spoken.
    Messages,
    /// Callers' numbers, and what was noted of who they are.
    Callers,
}

impl Due {
    /// The word for it where it is noted how far it was looked for; nothing for what few calls have,
    /// which is found by an index of those alone.
    const fn noted(self) -> Option<&'static str> {
        match self {
            Self::Transcripts => Some("transcripts"),
            Self::Callers => Some("callers"),
            Self::Recordings | Self::Messages => None,
        }
    }
}

/// How far it was looked for what is due.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    until: BTreeMap<(AssistantId, Due), Timestamp>,
    noted: BTreeMap<(AssistantId, Due), Timestamp>,
    newest: i64,
}

/// A note that is behind by less costs the next look a few calls; to write it would cost as much.
const WORTH_NOTING: SignedDuration = SignedDuration::from_hours(1);

impl Reached {
    /// Of an assistant's calls that began before, nothing is due any more.
    pub fn of(&self, assistant: AssistantId, due: Due) -> Timestamp {
        self.until.get(&(assistant, due)).copied().unwrap_or(Timestamp::MIN)
    }

    /// It was looked as far as that.
    pub fn come(&mut self, assistant: AssistantId, due: Due, until: Timestamp) {
        if due.noted().is_some() {
            self.until.insert((assistant, due), until);
        }
    }

    fn is_worth_noting(&self, key: &(AssistantId, Due), until: Timestamp) -> bool {
        let ahead = |noted: &Timestamp| until.duration_since(*noted);
        self.noted
            .get(key)
            .map(ahead)
            .is_none_or(|ahead| ahead.is_negative() || ahead >= WORTH_NOTING)
    }
}

/// How far it was looked, as far as it still holds: a call of before may have been entered since.
pub fn reached(tx: &Tx) -> Result<Reached, StoreError> {
    let mut until = BTreeMap::new();
    let mut marks = tx.prepare_cached("SELECT assistant_id, what, until FROM looked_for")?;
    let mut rows = marks.query([])?;
    while let Some(row) = rows.next()? {
        let due = match row.get::<_, String>(1)?.as_str() {
            "transcripts" => Due::Transcripts,
            _ => Due::Callers,
        };
        until.insert((AssistantId(row.get(0)?), due), time(row.get(2)?)?);
    }
    let newest = |sql: &str| tx.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0));
    let looked = newest("SELECT coalesce(max(newest_call), 0) FROM forgetting")?;
    let newest = newest("SELECT coalesce(max(id), 0) FROM calls")?;
    let noted = until.clone();
    if until.is_empty() {
        return Ok(Reached { until, noted, newest });
    }
    let mut entered = tx.prepare_cached(
        "SELECT assistant_id, min(started_at) FROM calls NOT INDEXED WHERE id > ?1 GROUP BY assistant_id",
    )?;
    let mut rows = entered.query([looked])?;
    while let Some(row) = rows.next()? {
        let (assistant, begun) = (AssistantId(row.get(0)?), time(row.get(1)?)?);
        for due in [Due::Transcripts, Due::Callers] {
            until.entry((assistant, due)).and_modify(|until| *until = begun.min(*until));
        }
    }
    Ok(Reached { until, noted, newest })
}

/// Notes how far it was looked.
pub fn set_reached(tx: &Tx, reached: &Reached) -> Result<(), StoreError> {
    let mut note = tx.prepare_cached(
        "INSERT INTO looked_for (assistant_id, what, until) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET until = excluded.until",
    )?;
    for (key, until) in &reached.until {
        if let Some(what) = key.1.noted().filter(|_| reached.is_worth_noting(key, *until)) {
            note.execute(params![key.0.0, what, until.as_millisecond()])?;
        }
    }
    tx.prepare_cached("UPDATE forgetting SET newest_call = ?1 WHERE id = 1")?
        .execute([reached.newest])?;
    Ok(())
}

/// Calls of an assistant of which something is due, and how far was looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Oldest first.
    pub calls: Vec<CallId>,
    /// Once these are forgotten, nothing is due of calls that began before.
    pub until: Timestamp,
}

/// Looks for calls of an assistant that ended before a moment and of which something is due, among
/// those that began at another or later.
pub fn look(
    tx: &Tx,
    due: Due,
    assistant: AssistantId,
    from: Timestamp,
    before: Timestamp,
    most: usize,
) -> Result<Look, StoreError> {
    let mut statement = tx.prepare_cached(&of_calls(due))?;
    let span = params![assistant.0, from.as_millisecond(), before.as_millisecond()];
    let mut rows = statement.query(span)?;
    let (mut found, mut until) = (Vec::new(), before);
    while let Some(row) = rows.next()? {
        let begun = time(row.get(1)?)?;
        let ended: Option<i64> = row.get(2)?;
        if ended.is_none_or(|ended| ended >= before.as_millisecond()) {
            // It is due once it is over for long enough.
            until = until.min(begun);
            continue;
        }
        found.push(CallId(row.get(0)?));
        if found.len() == most {
            until = until.min(begun);
            break;
        }
    }
    Ok(Look { calls: found, until })
}

/// Calls of which there is something to be forgotten, of an assistant between two moments.
fn of_calls(due: Due) -> String {
    let (calls, condition) = match due {
        Due::Transcripts => ("calls", "transcript_erased_at IS NULL"),
        Due::Recordings => ("calls", "recording_url IS NOT NULL"),
        // Whoever withheld the number may still have said who they are.
        Due::Callers => ("calls", "caller_erased_at IS NULL"),
        Due::Messages => (
            "(SELECT DISTINCT call_id FROM messages WHERE assistant_id = ?1 AND recording_url IS NOT NULL) m
             CROSS JOIN calls ON calls.id = m.call_id",
            "TRUE",
        ),
    };
    format!(
        "SELECT id, started_at, ended_at FROM {calls}
         WHERE assistant_id = ?1 AND started_at >= ?2 AND started_at < ?3 AND {condition}
         ORDER BY started_at"
    )
}

/// Forgets what is due of some calls; answers of how many. `salt` makes pseudonyms that nobody can
/// trace back to a number.
pub fn forget(
    tx: &Tx,
    due: Due,
    calls: &[CallId],
    salt: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let at = now.as_millisecond();
    for CallId(id) in calls {
        if due != Due::Recordings {
            deliveries::forget_call(tx, CallId(*id))?;
        }
        match due {
            Due::Transcripts => {
                turn_words::forget(tx, CallId(*id))?;
                let sql = format!("UPDATE turns SET {NO_WORDS} WHERE call_id = ?1");
                tx.prepare_cached(&sql)?.execute([id])?;
                forget_spoken_messages(tx, CallId(*id), now)?;
                tx.prepare_cached("DELETE FROM messages WHERE call_id = ?1")?.execute([id])?;
                tx.prepare_cached(
                    "UPDATE calls SET transcription = NULL, metadata = NULL, topic = NULL,
                     summary = NULL, summary_source = NULL, summary_due = NULL,
                     satisfaction_why = NULL, extracted = NULL,
                     transcript_erased_at = ?2 WHERE id = ?1",
                )?
                .execute(params![id, at])?;
            }
            Due::Recordings => {
                if let Some(kept) = calls::take_recording(tx, CallId(*id))? {
                    let call = sid_of(tx, CallId(*id))?;
                    removals::ask(tx, &call, &Removable::Recording(kept), now)?;
                }
            }
            Due::Messages => forget_spoken_messages(tx, CallId(*id), now)?,
            Due::Callers => {
                let caller: Option<String> = tx
                    .prepare_cached("SELECT caller FROM calls WHERE id = ?1")?
                    .query_row([id], |row| row.get(0))?;
                let pseudonym = caller.as_deref().map(|caller| pseudonym(salt, caller));
                tx.prepare_cached(
                    "UPDATE calls SET caller = ?2, caller_erased_at = ?3, topic = NULL, summary = NULL,
                     summary_source = NULL, summary_due = NULL, satisfaction_why = NULL,
                     extracted = NULL WHERE id = ?1",
                )?
                .execute(params![id, pseudonym, at])?;
                tx.prepare_cached(
                    "UPDATE messages SET caller = NULL, name = NULL WHERE call_id = ?1",
                )?
                .execute([id])?;
                if let Some(caller) = &caller {
                    let called = calls::by_id(tx, CallId(*id))?;
                    if let Some(call) = called {
                        contacts::tidy(tx, call.assistant_id, caller)?;
                    }
                }
            }
        }
    }
    Ok(calls.len() as u64)
}

/// Takes names and numbers out of bookings that took place before a moment; answers of how many.
pub fn forget_bookings(
    tx: &Tx,
    assistant: AssistantId,
    before: Timestamp,
    most: usize,
) -> Result<u64, StoreError> {
    let changed = tx
        .prepare_cached(
            "UPDATE bookings SET caller = NULL, name = '', note = NULL WHERE id IN (
                SELECT id FROM bookings WHERE assistant_id = ?1 AND ends_at < ?2
                AND (name <> '' OR caller IS NOT NULL OR note IS NOT NULL) LIMIT ?3)",
        )?
        .execute(params![assistant.0, before.as_millisecond(), most as i64])?;
    Ok(changed as u64)
}

/// When it was last looked for what is due, and until when nothing is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The last look.
    pub seen_at: Timestamp,
    /// Nothing is forgotten before.
    pub hold_until: Timestamp,
}

/// The last look, if there was one.
pub fn clock(tx: &Tx) -> Result<Option<Clock>, StoreError> {
    tx.prepare_cached("SELECT seen_at, hold_until FROM forgetting WHERE id = 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .map(|(seen, hold)| Ok(Clock { seen_at: time(seen)?, hold_until: time(hold)? }))
        .transpose()
}

/// Notes a look.
pub fn set_clock(tx: &Tx, clock: &Clock) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO forgetting (id, seen_at, hold_until) VALUES (1, ?1, ?2)
         ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at, hold_until = excluded.hold_until",
    )?
    .execute(params![clock.seen_at.as_millisecond(), clock.hold_until.as_millisecond()])?;
    Ok(())
}

/// Which deletion was the last that may have left copies in the file's free space. Each has its own,
/// so that nobody takes what was deleted while the file was written anew for cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScrubDue(i64);

/// Notes that what was just deleted may still lie in free space. A mark that is settled is kept below
/// zero: none is given twice.
pub fn set_scrub_due(tx: &Tx, now: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO forgetting (id, seen_at, hold_until, scrub) VALUES (1, ?1, ?1, 1)
         ON CONFLICT DO UPDATE SET scrub = abs(scrub) + 1",
    )?
    .execute([now.as_millisecond()])?;
    Ok(())
}

/// Whether copies of what was deleted may stand in the file's free space.
pub fn scrub_due(tx: &Tx) -> Result<Option<ScrubDue>, StoreError> {
    Ok(tx
        .prepare_cached("SELECT scrub FROM forgetting WHERE scrub > 0")?
        .query_row([], |row| row.get(0).map(ScrubDue))
        .optional()?)
}

/// What may still lie in free space, where nobody is on the phone.
pub fn may_scrub(tx: &Tx) -> Result<Option<ScrubDue>, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT scrub FROM forgetting WHERE scrub > 0
             AND NOT EXISTS (SELECT 1 FROM assistant_figures WHERE live_calls > 0)",
        )?
        .query_row([], |row| row.get(0).map(ScrubDue))
        .optional()?)
}

/// Notes that the file was written anew after this was noted; what was noted since is still due.
pub fn scrubbed(tx: &Tx, due: ScrubDue) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE forgetting SET scrub = -scrub WHERE scrub = ?1")?.execute([due.0])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Options, Store};

    #[test]
    fn what_is_deleted_while_the_file_is_written_anew_is_still_due() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("webox.db"), Options::terminal()).unwrap();
        let delete = || store.write(|tx| set_scrub_due(tx, Timestamp::UNIX_EPOCH)).unwrap();
        let due = || store.read(scrub_due).unwrap();
        let settle = |due| store.write(move |tx| scrubbed(tx, due)).unwrap();
        assert_eq!(due(), None);
        delete();
        let first = due().unwrap();
        delete();
        settle(first);
        let second = due().unwrap();
        settle(second);
        assert_eq!(due(), None);
        assert_eq!(store.read(may_scrub).unwrap(), None);
        // Whoever was slow to say that the first one is settled settles no other.
        delete();
        settle(first);
        settle(second);
        assert_eq!(store.read(may_scrub).unwrap(), due());
        assert!(due().is_some());
    }

    #[test]
    fn a_look_begins_where_the_last_one_came_to() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("webox.db"), Options::terminal()).unwrap();
        let (assistant, at) = (AssistantId(1), |s| Timestamp::from_second(s).unwrap());
        let due = Due::Transcripts;
        store
            .write(move |tx| {
                tx.execute_batch(
                    "INSERT INTO forgetting (id, seen_at, hold_until) VALUES (1, 0, 0);
                     INSERT INTO assistants (id, name, phone, active, spec, created_at, updated_at)
                         VALUES (1, 'a', '+33140000000', 1, '{}', 0, 0);",
                )?;
                let mut reached = reached(tx)?;
                assert_eq!(reached.of(assistant, due), Timestamp::MIN);
                reached.come(assistant, due, at(100_000));
                reached.come(assistant, Due::Recordings, at(100_000));
                set_reached(tx, &reached)?;
                // A little further is not written, a lot is.
                for (until, noted) in [(100_010, 100_000), (110_000, 110_000), (50, 50)] {
                    let mut further = super::reached(tx)?;
                    further.come(assistant, due, at(until));
                    set_reached(tx, &further)?;
                    assert_eq!(super::reached(tx)?.of(assistant, due), at(noted));
                }
                assert_eq!(super::reached(tx)?.of(assistant, Due::Recordings), Timestamp::MIN);
                Ok(())
            })
            .unwrap();
        store
            .read(|tx| {
                // By an index, between both moments, and without sorting; the bookings by theirs.
                let between = "(assistant_id=? AND started_at>? AND started_at<?)";
                let by = |index: &str| format!("SEARCH calls USING INDEX {index} {between}");
                for (sql, plan) in [
                    (of_calls(Due::Transcripts), by("calls_by_assistant")),
                    (of_calls(Due::Callers), by("calls_by_assistant")),
                    (of_calls(Due::Recordings), by("calls_with_recording")),
                    (
                        "SELECT id FROM bookings WHERE assistant_id = ?1 AND ends_at < ?2
                         AND (name <> '' OR caller IS NOT NULL OR note IS NOT NULL) LIMIT ?3"
                            .to_owned(),
                        "SEARCH bookings USING INDEX bookings_named (assistant_id=? AND ends_at<?)"
                            .to_owned(),
                    ),
                ] {
                    let mut explained = tx.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                    let mut rows = explained.raw_query();
                    let mut steps = Vec::new();
                    while let Some(row) = rows.next()? {
                        steps.push(row.get::<_, String>(3)?);
                    }
                    assert_eq!(steps, [plan]);
                }
                Ok(())
            })
            .unwrap();
    }
}
