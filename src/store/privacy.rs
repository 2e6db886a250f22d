//! One caller's rows, everywhere: found, and taken out. What counts and sums stays.

use jiff::Timestamp;
use rusqlite::params;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{StoreError, Tx, removals};
use crate::domain::{AssistantId, CallId, CallSid, KeptRecording, Removable, Sight};

/// How much was taken out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erasure {
    /// Calls whose number and words are gone; the calls still count.
    pub calls: u64,
    /// Turns whose words are gone.
    pub turns: u64,
    /// Bookings taken out.
    pub bookings: u64,
    /// Messages taken out.
    pub messages: u64,
}

/// Asks Twilio to remove what it keeps of a caller's calls: their records and recordings. Answers
/// how much that is, and the addresses of recordings that are not Twilio's.
pub fn ask_twilio(
    tx: &Tx,
    sight: Sight,
    caller: &str,
    now: Timestamp,
) -> Result<(u64, Vec<String>), StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT sid, recording_url FROM calls WHERE caller = ?1
         AND (?2 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?2))
         ORDER BY id",
    )?;
    let mut rows = statement.query(params![caller, sight.owner()])?;
    let (mut asked, mut elsewhere) = (0, Vec::new());
    while let Some(row) = rows.next()? {
        let call: CallSid = row.get::<_, String>(0)?.parse().map_err(StoreError::User)?;
        removals::ask(tx, &call, &Removable::CallRecord, now)?;
        asked += 1;
        let Some(address) = row.get::<_, Option<String>>(1)? else { continue };
        match KeptRecording::at(&address) {
            Some(kept) => {
                removals::ask(tx, &call, &Removable::Recording(kept), now)?;
                asked += 1;
            }
            None => elsewhere.push(address),
        }
    }
    Ok((asked, elsewhere))
}

/// Rows of a table as JSON objects, column by column: an export leaves nothing out.
pub fn rows(tx: &Tx, table: Table, sight: Sight, caller: &str) -> Result<Vec<Value>, StoreError> {
    let mut statement = tx.prepare_cached(table.query())?;
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut rows = statement.query(params![caller, sight.owner()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut object = Map::new();
        for (at, name) in columns.iter().enumerate() {
            let value = match row.get_ref(at)? {
                rusqlite::types::ValueRef::Null | rusqlite::types::ValueRef::Blob(_) => Value::Null,
                rusqlite::types::ValueRef::Integer(number) => number.into(),
                rusqlite::types::ValueRef::Real(number) => number.into(),
                rusqlite::types::ValueRef::Text(text) => {
                    String::from_utf8_lossy(text).into_owned().into()
                }
            };
            object.insert(name.clone(), value);
        }
        found.push(Value::Object(object));
    }
    Ok(found)
}

/// The tables that hold something of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// The calls.
    Calls,
    /// What was said in them.
    Turns,
    /// What was booked.
    Bookings,
    /// What was written down.
    Messages,
}

impl Table {
    fn query(self) -> &'static str {
        match self {
            Self::Calls => {
                "SELECT * FROM calls WHERE caller = ?1
                 AND (?2 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?2))
                 ORDER BY id"
            }
            Self::Turns => {
                "SELECT * FROM turns WHERE call_id IN (SELECT id FROM calls WHERE caller = ?1
                 AND (?2 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?2)))
                 ORDER BY call_id, number"
            }
            Self::Bookings => {
                "SELECT * FROM bookings
                 WHERE (caller = ?1 OR call_id IN (SELECT id FROM calls WHERE caller = ?1))
                 AND (?2 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?2))
                 ORDER BY id"
            }
            Self::Messages => {
                "SELECT * FROM messages
                 WHERE (caller = ?1 OR call_id IN (SELECT id FROM calls WHERE caller = ?1))
                 AND (?2 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?2))
                 ORDER BY id"
            }
        }
    }
}

/// Takes a caller out. A pseudonym takes the number's place, so that sums stay right and two calls
/// of one person are still two calls of one person.
pub fn erase(
    tx: &Tx,
    sight: Sight,
    caller: &str,
    pseudonym: &str,
    now: Timestamp,
) -> Result<Erasure, StoreError> {
    let owner = sight.owner();
    let mut erasure = Erasure::default();
    let own = "(?2 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?2))";
    let calls = format!("SELECT id FROM calls WHERE caller = ?1 AND {own}");
    for (table, count) in [("bookings", &mut erasure.bookings), ("messages", &mut erasure.messages)]
    {
        let sql =
            format!("DELETE FROM {table} WHERE (caller = ?1 OR call_id IN ({calls})) AND {own}");
        *count = tx.prepare_cached(&sql)?.execute(params![caller, owner])? as u64;
    }
    let sql = format!("UPDATE turns SET {NO_WORDS} WHERE call_id IN ({calls})");
    erasure.turns = tx.prepare_cached(&sql)?.execute(params![caller, owner])? as u64;
    let sql = format!(
        "UPDATE calls SET {NO_EXTRAS}, caller = ?3, transcript_erased_at = ?4, caller_erased_at = ?4,
         recording_consent = CASE WHEN recording_consent IS NULL THEN NULL ELSE 'withdrawn' END
         WHERE caller = ?1 AND {own}"
    );
    let values = params![caller, owner, pseudonym, now.as_millisecond()];
    erasure.calls = tx.prepare_cached(&sql)?.execute(values)? as u64;
    Ok(erasure)
}

/// What a turn without words still says: when it was, who answered, how long it took, its tokens.
/// An empty reply is a reply: without one the turn would wait to be thought about.
const NO_WORDS: &str = "heard = CASE WHEN heard IS NULL THEN NULL ELSE '' END, \
     said = CASE WHEN said IS NULL THEN NULL ELSE '' END, unheard = NULL, tools = NULL, \
     state = NULL, transfer_to = NULL, twiml = CASE WHEN twiml IS NULL THEN NULL ELSE '<Response/>' END";

const NO_EXTRAS: &str = "transcription = NULL, recording_url = NULL, metadata = NULL";

/// What is due to be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The words of calls.
    Transcripts,
    /// Recordings, and the links to them.
    Recordings,
    /// Callers' numbers.
    Callers,
}

/// Calls in one transaction: the next webhook waits no longer than a moment.
const AT_ONCE: u32 = 200;

/// Calls of an assistant that ended before a moment and of which something is due, oldest first.
pub fn due(
    tx: &Tx,
    due: Due,
    assistant: AssistantId,
    before: Timestamp,
) -> Result<Vec<CallId>, StoreError> {
    let condition = match due {
        Due::Transcripts => "transcript_erased_at IS NULL",
        Due::Recordings => "recording_url IS NOT NULL",
        Due::Callers => "caller_erased_at IS NULL AND caller IS NOT NULL",
    };
    let sql = format!(
        "SELECT id FROM calls WHERE assistant_id = ?1 AND started_at < ?2
         AND ended_at IS NOT NULL AND ended_at < ?2 AND {condition} ORDER BY started_at LIMIT ?3"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let ids = statement
        .query_map(params![assistant.0, before.as_millisecond(), AT_ONCE], |row| {
            Ok(CallId(row.get(0)?))
        })?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
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
        match due {
            Due::Transcripts => {
                let sql = format!("UPDATE turns SET {NO_WORDS} WHERE call_id = ?1");
                tx.prepare_cached(&sql)?.execute([id])?;
                tx.prepare_cached("DELETE FROM messages WHERE call_id = ?1")?.execute([id])?;
                tx.prepare_cached(
                    "UPDATE calls SET transcription = NULL, metadata = NULL,
                     transcript_erased_at = ?2 WHERE id = ?1",
                )?
                .execute(params![id, at])?;
            }
            Due::Recordings => {
                let (call, address): (String, Option<String>) = tx
                    .prepare_cached("SELECT sid, recording_url FROM calls WHERE id = ?1")?
                    .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
                if let Some(kept) = address.as_deref().and_then(KeptRecording::at) {
                    let call = call.parse().map_err(StoreError::User)?;
                    removals::ask(tx, &call, &Removable::Recording(kept), now)?;
                }
                tx.prepare_cached("UPDATE calls SET recording_url = NULL WHERE id = ?1")?
                    .execute([id])?;
            }
            Due::Callers => {
                let caller: Option<String> = tx
                    .prepare_cached("SELECT caller FROM calls WHERE id = ?1")?
                    .query_row([id], |row| row.get(0))?;
                let pseudonym = pseudonym(salt, caller.as_deref().unwrap_or_default());
                tx.prepare_cached(
                    "UPDATE calls SET caller = ?2, caller_erased_at = ?3 WHERE id = ?1",
                )?
                .execute(params![id, pseudonym, at])?;
                for table in ["bookings", "messages"] {
                    let sql = format!("UPDATE {table} SET caller = NULL WHERE call_id = ?1");
                    tx.prepare_cached(&sql)?.execute([id])?;
                }
            }
        }
    }
    Ok(calls.len() as u64)
}

/// A word for a caller that says nothing of the number, and is the same for the same salt.
pub fn pseudonym(salt: &str, caller: &str) -> String {
    let digest = Sha256::digest(format!("{salt}\0{caller}").as_bytes());
    format!("erased:{}", hex::encode(&digest[..6]))
}
