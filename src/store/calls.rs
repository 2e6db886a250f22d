//! Calls: rows, and the transaction that ends one.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params, types::Type};

use super::{
    StoreError, Tx,
    assistants::time,
    call_costs::{self, COST_EUR, COST_UNPRICED, COST_USD, ENTERED_FROM, ENTERED_UNTIL},
    call_figures::AGAIN,
    figures, ledger, stats,
};
use crate::domain::{
    AccountSid, After, AnsweredBy, AssistantId, Call, CallId, CallSid, CallStatus, Direction,
    EndReason, KeptRecording, LanguageTag, RecordingConsent, Sight, VoiceLine,
};

pub(super) const COLUMNS: &str = "c.id, c.sid, c.assistant_id, a.name, c.caller, c.to_number, c.status, c.line, \
                       c.language, c.started_at, c.ended_at, c.duration_s, c.satisfaction, c.end_reason, \
                       coalesce(c.assistant_revision, a.revision), c.disclosed_at, c.recording_consent, \
                       c.outcome, c.topic, c.summary, c.summary_source, c.satisfaction_source, \
                       c.satisfaction_why, c.extracted, c.direction, c.answered_by";

/// What it cost, which follows the columns: known when it is over.
const COST: &str = "c.cost_eur, c.cost_usd, c.cost_unpriced";

/// A call that begins, or that was turned down at once.
#[derive(Debug, Clone)]
pub struct NewCall {
    /// Twilio's identifier.
    pub sid: CallSid,
    /// Who answers.
    pub assistant: AssistantId,
    /// In which version.
    pub assistant_revision: i64,
    /// Who calls; nothing when withheld.
    pub caller: Option<String>,
    /// The number dialled.
    pub to_number: String,
    /// Who began it.
    pub direction: Direction,
    /// How speech travels.
    pub line: VoiceLine,
    /// In which language it starts.
    pub language: LanguageTag,
    /// When it rang.
    pub started_at: Timestamp,
    /// Whose call it is at Twilio.
    pub account: Option<AccountSid>,
}

/// How a call ended.
#[derive(Debug, Clone)]
pub struct CallEnd {
    /// A final status.
    pub status: CallStatus,
    /// When.
    pub ended_at: Timestamp,
    /// Twilio's figure; from the times otherwise.
    pub duration_s: Option<u32>,
    /// Why; kept as it is when not known.
    pub reason: Option<EndReason>,
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Call> {
    fn word<T>(column: usize, text: &str, read: Option<T>) -> rusqlite::Result<T> {
        read.ok_or_else(|| {
            rusqlite::Error::FromSqlConversionFailure(
                column,
                Type::Text,
                format!("unknown word `{text}`").into(),
            )
        })
    }
    let text = |column: usize| -> rusqlite::Result<&str> { Ok(row.get_ref(column)?.as_str()?) };
    let moment = |column: usize, ms: i64| {
        Timestamp::from_millisecond(ms).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, error.into())
        })
    };
    let ended_at: Option<i64> = row.get(10)?;
    let reason: Option<&str> = row.get_ref(13)?.as_str_or_null()?;
    Ok(Call {
        id: CallId(row.get(0)?),
        sid: word(1, text(1)?, text(1)?.parse().ok())?,
        assistant_id: AssistantId(row.get(2)?),
        assistant: word(3, text(3)?, text(3)?.parse().ok())?,
        direction: word(24, text(24)?, text(24)?.parse().ok())?,
        answered_by: row
            .get_ref(25)?
            .as_str_or_null()?
            .map(|text| word(25, text, text.parse().ok()))
            .transpose()?,
        caller: row.get(4)?,
        to_number: row.get(5)?,
        status: word(6, text(6)?, text(6)?.parse().ok())?,
        line: word(7, text(7)?, text(7)?.parse().ok())?,
        language: word(8, text(8)?, text(8)?.parse().ok())?,
        started_at: moment(9, row.get(9)?)?,
        ended_at: ended_at.map(|ms| moment(10, ms)).transpose()?,
        duration_s: row.get(11)?,
        cost: call_costs::cost_in(row, 26)?,
        satisfaction: row.get(12)?,
        end_reason: reason.and_then(EndReason::from_stored),
        assistant_revision: row.get(14)?,
        disclosed_at: row.get::<_, Option<i64>>(15)?.map(|ms| moment(15, ms)).transpose()?,
        recording_consent: row
            .get_ref(16)?
            .as_str_or_null()?
            .map(|text| word(16, text, text.parse().ok()))
            .transpose()?,
        after: After {
            outcome: row
                .get_ref(17)?
                .as_str_or_null()?
                .map(|text| word(17, text, text.parse().ok()))
                .transpose()?,
            topic: row.get(18)?,
            summary: row.get(19)?,
            summary_source: row
                .get_ref(20)?
                .as_str_or_null()?
                .map(|text| word(20, text, text.parse().ok()))
                .transpose()?,
            satisfaction_source: row
                .get_ref(21)?
                .as_str_or_null()?
                .map(|text| word(21, text, text.parse().ok()))
                .transpose()?,
            satisfaction_why: row.get(22)?,
            // Should somebody else have written there, it is as if nothing were known.
            extract: row
                .get_ref(23)?
                .as_str_or_null()?
                .and_then(|text| serde_json::from_str(text).ok()),
        },
    })
}

/// By Twilio's identifier. What a call that goes on has cost is not added up for it.
pub fn by_sid(tx: &Tx, sid: &CallSid) -> Result<Option<Call>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, {COST} FROM calls c JOIN assistants a ON a.id = c.assistant_id
         WHERE c.sid = ?1"
    );
    Ok(tx.prepare_cached(&sql)?.query_row([sid.as_str()], read).optional()?)
}

/// By row. What a call that goes on has cost is not added up for it.
pub fn by_id(tx: &Tx, id: CallId) -> Result<Option<Call>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, {COST} FROM calls c JOIN assistants a ON a.id = c.assistant_id
         WHERE c.id = ?1"
    );
    Ok(tx.prepare_cached(&sql)?.query_row([id.0], read).optional()?)
}

/// Whose a call is.
pub fn assistant_id(tx: &Tx, id: CallId) -> Result<Option<AssistantId>, StoreError> {
    Ok(tx
        .prepare_cached("SELECT assistant_id FROM calls WHERE id = ?1")?
        .query_row([id.0], |row| Ok(AssistantId(row.get(0)?)))
        .optional()?)
}

/// Who answers a call, and in which version.
pub fn assistant_of(tx: &Tx, sid: &CallSid) -> Result<Option<(AssistantId, i64)>, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT c.assistant_id, coalesce(c.assistant_revision, a.revision)
             FROM calls c JOIN assistants a ON a.id = c.assistant_id WHERE c.sid = ?1",
        )?
        .query_row([sid.as_str()], |row| Ok((AssistantId(row.get(0)?), row.get(1)?)))
        .optional()?)
}

/// By Twilio's identifier, if it may be seen.
pub fn seen(tx: &Tx, sight: Sight, sid: &CallSid) -> Result<Option<Call>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, {COST_EUR}, {COST_USD}, {COST_UNPRICED} FROM calls c JOIN assistants a ON a.id = c.assistant_id
         WHERE c.sid = ?1 AND (?2 IS NULL OR a.owner_id = ?2)"
    );
    let values = params![sid.as_str(), sight.owner()];
    Ok(tx.prepare_cached(&sql)?.query_row(values, read).optional()?)
}

/// The SIDs that start with some text and may be seen, at most `most`.
pub fn sids_starting_with(
    tx: &Tx,
    sight: Sight,
    prefix: &str,
    most: u32,
) -> Result<Vec<CallSid>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT sid FROM calls WHERE sid >= ?1 AND sid < ?1 || char(0x10FFFF)
         AND (?3 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?3))
         ORDER BY sid LIMIT ?2",
    )?;
    let values = params![prefix, most, sight.owner()];
    let sids = statement.query_map(values, |row| row.get::<_, String>(0))?;
    sids.map(|sid| sid?.parse().map_err(StoreError::User)).collect()
}

/// Adds a live call.
pub fn insert_live(tx: &Tx, call: &NewCall) -> Result<CallId, StoreError> {
    let id = insert(tx, call, CallStatus::InProgress)?;
    figures::count_call(tx, call.assistant, true, call.started_at)?;
    Ok(id)
}

/// Adds a call that is over as soon as it is known.
pub fn insert_ended(tx: &Tx, call: &NewCall, end: &CallEnd) -> Result<CallId, StoreError> {
    let id = insert(tx, call, CallStatus::InProgress)?;
    figures::count_call(tx, call.assistant, true, call.started_at)?;
    self::end(tx, id, end)?;
    Ok(id)
}

pub(super) fn insert(tx: &Tx, call: &NewCall, status: CallStatus) -> Result<CallId, StoreError> {
    let sql = format!(
        "INSERT INTO calls (sid, assistant_id, caller, to_number, status, line, language, started_at,
         assistant_revision, account_sid, direction, again)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, {AGAIN}) RETURNING id"
    );
    let id = tx.prepare_cached(&sql)?.query_row(
        params![
            call.sid.as_str(),
            call.assistant.0,
            call.caller,
            call.to_number,
            status.as_str(),
            call.line.as_str(),
            call.language.as_str(),
            call.started_at.as_millisecond(),
            call.assistant_revision,
            call.account.as_ref().map(AccountSid::as_str),
            call.direction.as_str()
        ],
        |row| row.get(0),
    )?;
    Ok(CallId(id))
}

/// Notes why a call is about to end; the status callback ends it.
pub fn set_end_reason(tx: &Tx, id: CallId, reason: EndReason) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE calls SET end_reason = ?2 WHERE id = ?1 AND ended_at IS NULL")?
        .execute(params![id.0, reason.as_str()])?;
    Ok(())
}

/// Notes who picked up when we called.
pub fn set_answered_by(tx: &Tx, id: CallId, who: AnsweredBy) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE calls SET answered_by = ?2 WHERE id = ?1")?
        .execute(params![id.0, who.as_str()])?;
    Ok(())
}

/// Notes that the call goes on in another language.
pub fn set_language(tx: &Tx, id: CallId, language: &LanguageTag) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE calls SET language = ?2 WHERE id = ?1 AND ended_at IS NULL")?
        .execute(params![id.0, language.as_str()])?;
    Ok(())
}

/// The call goes on after all.
pub fn clear_end_reason(tx: &Tx, id: CallId) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE calls SET end_reason = NULL WHERE id = ?1 AND ended_at IS NULL")?
        .execute([id.0])?;
    Ok(())
}

/// A call that ended while a human rang was not handed over: the caller hung up.
pub fn was_not_handed_over(tx: &Tx, id: CallId) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE calls SET end_reason = ?2 WHERE id = ?1 AND end_reason = ?3 AND ended_at IS NOT NULL",
    )?
    .execute(params![
        id.0,
        EndReason::CallerHungUp.as_str(),
        EndReason::Transferred.as_str()
    ])?;
    Ok(())
}

/// Notes that the caller was told that a machine speaks.
pub fn set_disclosed(tx: &Tx, id: CallId, at: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE calls SET disclosed_at = ?2 WHERE id = ?1 AND disclosed_at IS NULL")?
        .execute(params![id.0, at.as_millisecond()])?;
    Ok(())
}

/// Notes what the caller said to being recorded.
pub fn set_recording_consent(
    tx: &Tx,
    id: CallId,
    consent: RecordingConsent,
) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE calls SET recording_consent = ?2 WHERE id = ?1")?
        .execute(params![id.0, consent.as_str()])?;
    Ok(())
}

/// Notes where a call's recording is; says whether there is no other one.
pub fn set_recording(tx: &Tx, id: CallId, kept: &KeptRecording) -> Result<bool, StoreError> {
    let changed = tx
        .prepare_cached(
            "UPDATE calls SET recording_url = ?2
             WHERE id = ?1 AND (recording_url IS NULL OR recording_url = ?2)",
        )?
        .execute(params![id.0, kept.address()])?;
    Ok(changed == 1)
}

/// Forgets where a call's recording is, and says where it was at Twilio.
pub fn take_recording(tx: &Tx, id: CallId) -> Result<Option<KeptRecording>, StoreError> {
    let address: Option<String> = tx
        .prepare_cached("SELECT recording_url FROM calls WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))?;
    tx.prepare_cached("UPDATE calls SET recording_url = NULL WHERE id = ?1")?.execute([id.0])?;
    Ok(address.as_deref().and_then(KeptRecording::at))
}

/// Notes that the caller was told that time is nearly up; says whether this was the first time.
pub fn set_warned(tx: &Tx, id: CallId, at: Timestamp) -> Result<bool, StoreError> {
    let changed = tx
        .prepare_cached("UPDATE calls SET warned_at = ?2 WHERE id = ?1 AND warned_at IS NULL")?
        .execute(params![id.0, at.as_millisecond()])?;
    Ok(changed == 1)
}

/// What the roll-ups hold of a call that ended before.
struct Ended {
    status: String,
    duration_s: i64,
    satisfaction: Option<i64>,
}

/// Ends a call, with its share of the roll-ups. Ending it again corrects both.
pub fn end(tx: &Tx, id: CallId, end: &CallEnd) -> Result<(), StoreError> {
    debug_assert!(end.status.is_final());
    let (assistant, started_at, old) = tx
        .prepare_cached(
            "SELECT assistant_id, started_at, ended_at, status, duration_s, satisfaction
             FROM calls WHERE id = ?1",
        )?
        .query_row([id.0], |row| {
            let ended: Option<i64> = row.get(2)?;
            let old = match ended {
                Some(_) => Some(Ended {
                    status: row.get(3)?,
                    duration_s: row.get::<_, Option<i64>>(4)?.unwrap_or(0),
                    satisfaction: row.get(5)?,
                }),
                None => None,
            };
            Ok((AssistantId(row.get(0)?), row.get::<_, i64>(1)?, old))
        })?;
    if let Some(old) = &old {
        let (seconds, rated) = (-old.duration_s, old.satisfaction);
        stats::roll_up(tx, assistant, started_at, &old.status, -1, seconds, rated)?;
    } else {
        figures::count_end(tx, assistant)?;
        ledger::settle(tx, id)?;
    }
    let ended_ms = end.ended_at.as_millisecond().max(started_at);
    let duration = end.duration_s.map_or((ended_ms - started_at + 500) / 1000, i64::from);
    let sql = format!(
        "UPDATE calls AS c SET status = ?2, ended_at = ?3, duration_s = ?4,
         end_reason = coalesce(?5, end_reason), cost_eur = {COST_EUR}, cost_usd = {COST_USD},
         cost_unpriced = {COST_UNPRICED}, entered_from = {ENTERED_FROM},
         entered_until = {ENTERED_UNTIL} WHERE id = ?1 RETURNING satisfaction"
    );
    let satisfaction: Option<i64> = tx.prepare_cached(&sql)?.query_row(
        params![id.0, end.status.as_str(), ended_ms, duration, end.reason.map(EndReason::as_str)],
        |row| row.get(0),
    )?;
    stats::roll_up(tx, assistant, started_at, end.status.as_str(), 1, duration, satisfaction)
}

/// A live call that may have been forgotten.
#[derive(Debug, Clone)]
pub struct LiveCall {
    /// The call.
    pub id: CallId,
    /// Its identifier.
    pub sid: CallSid,
    /// Who answers.
    pub assistant: AssistantId,
    /// In which version.
    pub assistant_revision: i64,
    /// When it rang.
    pub started_at: Timestamp,
    /// When something was last heard.
    pub last_heard_at: Timestamp,
    /// Why it was about to end.
    pub end_reason: Option<EndReason>,
}

/// Live calls that rang before a moment, oldest first.
pub fn live_before(tx: &Tx, before: Timestamp, most: u32) -> Result<Vec<LiveCall>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT c.id, c.sid, c.assistant_id, c.started_at, c.end_reason,
                (SELECT max(heard_at) FROM turns t WHERE t.call_id = c.id),
                coalesce(c.assistant_revision, a.revision)
         FROM calls c JOIN assistants a ON a.id = c.assistant_id
         WHERE c.status IN ('ringing', 'in-progress') AND c.status <> 'completed'
           AND c.started_at < ?1 AND c.ended_at IS NULL
         ORDER BY c.started_at LIMIT ?2",
    )?;
    let mut rows = statement.query(params![before.as_millisecond(), most])?;
    let mut calls = Vec::new();
    while let Some(row) = rows.next()? {
        let started_at = time(row.get(3)?)?;
        let reason: Option<String> = row.get(4)?;
        calls.push(LiveCall {
            id: CallId(row.get(0)?),
            sid: row.get::<_, String>(1)?.parse().map_err(StoreError::User)?,
            assistant: AssistantId(row.get(2)?),
            assistant_revision: row.get(6)?,
            started_at,
            last_heard_at: row.get::<_, Option<i64>>(5)?.map_or(Ok(started_at), time)?,
            end_reason: reason.as_deref().and_then(EndReason::from_stored),
        });
    }
    Ok(calls)
}

/// How many calls of a caller to an assistant began since a moment, counted up to `most`.
pub fn count_recent(
    tx: &Tx,
    assistant: AssistantId,
    caller: &str,
    since: Timestamp,
    most: u32,
) -> Result<u32, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM calls
             WHERE caller = ?1 AND started_at > ?2 AND assistant_id = ?3 LIMIT ?4)",
        )?
        .query_row(params![caller, since.as_millisecond(), assistant.0, most], |row| row.get(0))?)
}
