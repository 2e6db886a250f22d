//! One caller's rows, everywhere: found, and taken out. What counts and sums stays.

use jiff::Timestamp;
use rusqlite::{ToSql, params};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    StoreError, Tx, calls, campaign_rows, contacts, deliveries, idempotency, messages, outbound,
    removals, turn_words,
};
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
    /// Deliveries to others whose content is gone.
    pub deliveries: u64,
    /// Contacts taken out.
    pub contacts: u64,
}

/// How many rows were changed over this connection so far.
pub fn changes(tx: &Tx) -> Result<i64, StoreError> {
    Ok(tx.prepare_cached("SELECT total_changes()")?.query_row([], |row| row.get(0))?)
}

/// Whose rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Everything of a caller.
    Caller(String),
    /// Everything of a call: for callers who withheld their number.
    Call(CallId),
}

impl Subject {
    /// What stands for `?1` in the conditions.
    fn key(&self) -> &dyn ToSql {
        match self {
            Self::Caller(caller) => caller,
            Self::Call(CallId(id)) => id,
        }
    }

    /// Which calls.
    const fn calls(&self) -> &'static str {
        match self {
            Self::Caller(_) => "caller = ?1",
            Self::Call(_) => "id = ?1",
        }
    }

    /// Which bookings and messages: those made in the calls, and those under the number.
    fn made(&self) -> String {
        let theirs = format!("call_id IN (SELECT id FROM calls WHERE {} AND {OWN})", self.calls());
        match self {
            Self::Caller(_) => format!("(caller = ?1 OR {theirs})"),
            Self::Call(_) => theirs,
        }
    }

    /// Which deliveries: those of the calls, those of the number, and those that name it.
    fn told(&self) -> String {
        let theirs = format!("call_id IN (SELECT id FROM calls WHERE {} AND {OWN})", self.calls());
        match self {
            Self::Caller(_) => format!("(contact = ?1 OR {theirs} OR instr(payload, ?1) > 0)"),
            // A booking that was changed by hand is told apart from its call.
            Self::Call(_) => format!(
                "({theirs} OR contact IN (SELECT 'booking/' || id FROM bookings WHERE {theirs}))"
            ),
        }
    }
}

/// As far as they may be seen: `?2` is the owner, or nothing for all.
const OWN: &str = "(?2 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?2))";

/// Whether one of the calls goes on.
pub fn goes_on(tx: &Tx, sight: Sight, subject: &Subject) -> Result<bool, StoreError> {
    // Whose telephone rings has no row of a call yet.
    let rings = match subject {
        Subject::Caller(_) => format!(
            "OR EXISTS (SELECT 1 FROM outbound_calls WHERE number = ?1 AND {OWN}
                        AND ended_at IS NULL AND state <> 'queued')"
        ),
        Subject::Call(_) => String::new(),
    };
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM calls WHERE {} AND {OWN} AND ended_at IS NULL) {rings}",
        subject.calls()
    );
    Ok(tx
        .prepare_cached(&sql)?
        .query_row(params![subject.key(), sight.owner()], |row| row.get(0))?)
}

/// Whether a call's words were taken out: nothing may be added to it any more.
pub fn is_erased(tx: &Tx, call: CallId) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT transcript_erased_at IS NOT NULL OR caller_erased_at IS NOT NULL
             FROM calls WHERE id = ?1",
        )?
        .query_row([call.0], |row| row.get(0))?)
}

/// Asks Twilio to remove what it keeps of a caller's calls: their records and recordings. Answers
/// how much that is, and the addresses of recordings that are not Twilio's.
pub fn ask_twilio(
    tx: &Tx,
    sight: Sight,
    subject: &Subject,
    now: Timestamp,
) -> Result<(u64, Vec<String>), StoreError> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT sid, recording_url, id FROM calls WHERE {} AND {OWN} ORDER BY id",
        subject.calls()
    ))?;
    let mut rows = statement.query(params![subject.key(), sight.owner()])?;
    let (mut asked, mut elsewhere) = (0, Vec::new());
    while let Some(row) = rows.next()? {
        let call: CallSid = row.get::<_, String>(0)?.parse().map_err(StoreError::User)?;
        removals::ask(tx, &call, &Removable::CallRecord, now)?;
        asked += 1;
        for kept in messages::take_recordings(tx, CallId(row.get(2)?))? {
            removals::ask(tx, &call, &Removable::Recording(kept), now)?;
            asked += 1;
        }
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
pub fn rows(
    tx: &Tx,
    table: Table,
    sight: Sight,
    subject: &Subject,
) -> Result<Vec<Value>, StoreError> {
    let mut statement = tx.prepare_cached(&table.query(subject))?;
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut rows = statement.query(params![subject.key(), sight.owner()])?;
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
    /// What others were told of it.
    Deliveries,
    /// Who it is.
    Contacts,
    /// What calls to them were asked for.
    Outbound,
    /// The campaigns that they are in.
    Campaigns,
    /// Whether they are not to be called.
    DoNotCall,
}

impl Table {
    fn query(self, subject: &Subject) -> String {
        let (calls, made) = (subject.calls(), subject.made());
        match self {
            Self::Calls => format!("SELECT * FROM calls WHERE {calls} AND {OWN} ORDER BY id"),
            Self::Turns => format!(
                "SELECT * FROM turns WHERE call_id IN (SELECT id FROM calls WHERE {calls} AND {OWN})
                 ORDER BY call_id, number"
            ),
            Self::Bookings => format!("SELECT * FROM bookings WHERE {made} AND {OWN} ORDER BY id"),
            Self::Messages => format!("SELECT * FROM messages WHERE {made} AND {OWN} ORDER BY id"),
            Self::Contacts => match subject {
                Subject::Caller(_) => {
                    "SELECT * FROM contacts WHERE number = ?1 AND (?2 IS NULL OR owner_id = ?2)"
                        .to_owned()
                }
                // A caller may have made other calls, and is no part of this one.
                Subject::Call(_) => "SELECT * FROM contacts WHERE 0 AND ?1 = ?2".to_owned(),
            },
            Self::Outbound => match subject {
                Subject::Caller(_) => {
                    format!("SELECT * FROM outbound_calls WHERE number = ?1 AND {OWN} ORDER BY id")
                }
                Subject::Call(_) => format!(
                    "SELECT * FROM outbound_calls
                     WHERE call_sid IN (SELECT sid FROM calls WHERE {calls} AND {OWN}) ORDER BY id"
                ),
            },
            Self::Campaigns => match subject {
                Subject::Caller(_) => format!(
                    "SELECT r.*, c.assistant_id, c.name FROM campaign_rows r
                     JOIN campaigns c ON c.id = r.campaign_id WHERE r.number = ?1 AND {OWN}
                     ORDER BY r.id"
                ),
                Subject::Call(_) => "SELECT * FROM campaign_rows WHERE 0 AND ?1 = ?2".to_owned(),
            },
            Self::DoNotCall => match subject {
                Subject::Caller(_) => {
                    "SELECT * FROM do_not_call WHERE number = ?1 AND (?2 IS NULL OR owner_id = ?2)"
                        .to_owned()
                }
                Subject::Call(_) => "SELECT * FROM do_not_call WHERE 0 AND ?1 = ?2".to_owned(),
            },
            Self::Deliveries => {
                let told = subject.told();
                format!("SELECT * FROM deliveries WHERE {told} AND {OWN} ORDER BY id")
            }
        }
    }
}

/// Takes a caller out. A pseudonym takes the number's place, so that sums stay right and two calls
/// of one person are still two calls of one person.
pub fn erase(
    tx: &Tx,
    sight: Sight,
    subject: &Subject,
    pseudonym: &str,
    now: Timestamp,
) -> Result<Erasure, StoreError> {
    let owner = sight.owner();
    let mut erasure = Erasure::default();
    let (calls, made) = (subject.calls(), subject.made());
    // Before the calls and bookings, which say whose they are.
    let sql = format!(
        "UPDATE deliveries SET {} WHERE {} AND payload IS NOT NULL AND {OWN}",
        deliveries::FORGOTTEN,
        subject.told()
    );
    erasure.deliveries = tx.prepare_cached(&sql)?.execute(params![subject.key(), owner])? as u64;
    for (table, count) in [("bookings", &mut erasure.bookings), ("messages", &mut erasure.messages)]
    {
        let sql = format!("DELETE FROM {table} WHERE {made} AND {OWN}");
        *count = tx.prepare_cached(&sql)?.execute(params![subject.key(), owner])? as u64;
    }
    let mut once: Option<(AssistantId, String)> = None;
    match subject {
        Subject::Caller(caller) => {
            erasure.contacts = contacts::erase(tx, sight, caller)?;
            // Who is not to be called stays on that list: it is what they asked for.
            outbound::erase(tx, sight, caller)?;
            campaign_rows::erase(tx, sight, caller)?;
            idempotency::erase(tx, caller)?;
        }
        Subject::Call(call) => {
            outbound::erase_call(tx, sight, *call)?;
            if let Some(call) = calls::by_id(tx, *call)? {
                idempotency::erase(tx, call.sid.as_str())?;
                once = call.caller.map(|number| (call.assistant_id, number));
            }
        }
    }
    let ids: Vec<i64> = tx
        .prepare_cached(&format!("SELECT id FROM calls WHERE {calls} AND {OWN}"))?
        .query_map(params![subject.key(), owner], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for id in ids {
        turn_words::forget(tx, CallId(id))?;
    }
    let sql = format!(
        "UPDATE turns SET {NO_WORDS}
         WHERE call_id IN (SELECT id FROM calls WHERE {calls} AND {OWN})"
    );
    erasure.turns = tx.prepare_cached(&sql)?.execute(params![subject.key(), owner])? as u64;
    // Who withheld a number has none to be replaced.
    let sql = format!(
        "UPDATE calls SET {NO_EXTRAS}, caller = CASE WHEN caller IS NULL THEN NULL ELSE ?3 END,
         transcript_erased_at = ?4, caller_erased_at = ?4,
         recording_consent = CASE WHEN recording_consent IS NULL THEN NULL ELSE 'withdrawn' END
         WHERE {calls} AND {OWN}"
    );
    let values = params![subject.key(), owner, pseudonym, now.as_millisecond()];
    erasure.calls = tx.prepare_cached(&sql)?.execute(values)? as u64;
    if let Some((assistant, number)) = once {
        contacts::tidy(tx, assistant, &number)?;
    }
    Ok(erasure)
}

/// What a turn without words still says: when it was, who answered, how long it took, its tokens.
/// An empty reply is a reply: without one the turn would wait to be thought about.
pub(super) const NO_WORDS: &str = "heard = CASE WHEN heard IS NULL THEN NULL ELSE '' END, \
     said = CASE WHEN said IS NULL THEN NULL ELSE '' END, unheard = NULL, tools = NULL, \
     state = NULL, transfer_to = NULL, twiml = CASE WHEN twiml IS NULL THEN NULL ELSE '<Response/>' END";

const NO_EXTRAS: &str = "transcription = NULL, recording_url = NULL, metadata = NULL, \
     topic = NULL, summary = NULL, summary_source = NULL, summary_due = NULL, \
     satisfaction_why = NULL, extracted = NULL";

/// Asks Twilio to remove the messages that were spoken in a call.
pub(super) fn forget_spoken_messages(
    tx: &Tx,
    call: CallId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let recordings = messages::take_recordings(tx, call)?;
    if recordings.is_empty() {
        return Ok(());
    }
    let sid = sid_of(tx, call)?;
    for kept in recordings {
        removals::ask(tx, &sid, &Removable::Recording(kept), now)?;
    }
    Ok(())
}

pub(super) fn sid_of(tx: &Tx, call: CallId) -> Result<CallSid, StoreError> {
    let sid: String = tx
        .prepare_cached("SELECT sid FROM calls WHERE id = ?1")?
        .query_row([call.0], |row| row.get(0))?;
    sid.parse().map_err(StoreError::User)
}

/// A word for a caller that says nothing of the number, and is the same for the same salt.
pub fn pseudonym(salt: &str, caller: &str) -> String {
    let digest = Sha256::digest(format!("{salt}\0{caller}").as_bytes());
    format!("erased:{}", hex::encode(&digest[..6]))
}
