//! Calls that we were asked to make: rows. One is written before Twilio is asked, and taken once.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{StoreError, Tx, assistants::time};
use crate::domain::{
    AnsweredBy, AssistantId, CallContext, CallId, CallSid, CampaignId, DialTerms, NewOutbound,
    OutboundCall, OutboundId, OutboundState, PhoneNumber, Sight, ZoneName,
};

const COLUMNS: &str = "o.id, o.assistant_id, a.name, o.number, o.context, o.opening, o.message, \
                       o.kind, o.machine, o.state, o.failure, o.answered_by, o.call_sid, o.asked_at, \
                       o.dialled_at, o.ended_at";

const TABLES: &str = "outbound_calls o JOIN assistants a ON a.id = o.assistant_id";

fn read(row: &Row<'_>) -> Result<OutboundCall, StoreError> {
    let word = |column: usize| row.get::<_, String>(column);
    let number = word(3)?;
    let context: std::collections::BTreeMap<String, String> = serde_json::from_str(&word(4)?)?;
    let moment = |column: usize| -> Result<Option<Timestamp>, StoreError> {
        row.get::<_, Option<i64>>(column)?.map(time).transpose()
    };
    Ok(OutboundCall {
        id: OutboundId(row.get(0)?),
        assistant_id: AssistantId(row.get(1)?),
        assistant: word(2)?.parse().map_err(StoreError::User)?,
        number: PhoneNumber::from_e164(&number)
            .ok_or_else(|| StoreError::Row("a call to be made has no number".to_owned()))?,
        context: CallContext::try_from(context).map_err(StoreError::User)?,
        opening: word(5)?,
        message: row.get(6)?,
        kind: word(7)?.parse().map_err(StoreError::User)?,
        machine: word(8)?.parse().map_err(StoreError::User)?,
        state: word(9)?.parse().map_err(StoreError::User)?,
        failure: row.get(10)?,
        answered_by: row
            .get::<_, Option<String>>(11)?
            .map(|text| text.parse())
            .transpose()
            .map_err(StoreError::User)?,
        call: row
            .get::<_, Option<String>>(12)?
            .map(|text| text.parse())
            .transpose()
            .map_err(StoreError::User)?,
        asked_at: time(row.get(13)?)?,
        dialled_at: moment(14)?,
        ended_at: moment(15)?,
    })
}

fn one(
    tx: &Tx,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Option<OutboundCall>, StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    rows.next()?.map(read).transpose()
}

/// Adds one.
pub fn insert(tx: &Tx, new: &NewOutbound) -> Result<OutboundId, StoreError> {
    let asked_at = new.asked_at.as_millisecond();
    let id = tx
        .prepare_cached(
            "INSERT INTO outbound_calls (assistant_id, number, context, opening, message, kind,
             machine, state, due_at, expires_at, asked_at, anyway, zone, campaign_row_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'queued', ?9, ?8, ?9, ?10, ?11, ?12) RETURNING id",
        )?
        .query_row(
            params![
                new.assistant.0,
                new.number.as_str(),
                serde_json::to_string(new.context.values())?,
                new.opening,
                new.message,
                new.kind.as_str(),
                new.machine.as_str(),
                new.expires_at.as_millisecond(),
                asked_at,
                new.anyway,
                new.zone.as_ref().map(ZoneName::as_str),
                new.campaign_row.map(|row| row.0)
            ],
            |row| row.get(0),
        )?;
    Ok(OutboundId(id))
}

/// By row.
pub fn by_id(tx: &Tx, id: OutboundId) -> Result<Option<OutboundCall>, StoreError> {
    one(tx, &format!("SELECT {COLUMNS} FROM {TABLES} WHERE o.id = ?1"), params![id.0])
}

/// Under which terms one may be dialled.
pub fn terms(tx: &Tx, id: OutboundId) -> Result<DialTerms, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT o.anyway, o.zone, c.hours, c.id, c.state = 'running' FROM outbound_calls o
         LEFT JOIN campaign_rows r ON r.id = o.campaign_row_id
         LEFT JOIN campaigns c ON c.id = r.campaign_id WHERE o.id = ?1",
    )?;
    let mut rows = statement.query([id.0])?;
    let row =
        rows.next()?.ok_or_else(|| StoreError::Row("a call to be made is gone".to_owned()))?;
    let text = |column: usize| row.get::<_, Option<String>>(column);
    Ok(DialTerms {
        anyway: row.get(0)?,
        zone: text(1)?.map(|zone| zone.parse()).transpose().map_err(StoreError::User)?,
        window: text(2)?.map(|hours| hours.parse()).transpose().map_err(StoreError::User)?,
        campaign: row.get::<_, Option<i64>>(3)?.map(CampaignId),
        rests: row.get::<_, Option<bool>>(4)? == Some(false),
    })
}

/// By row, if it may be seen.
pub fn seen(tx: &Tx, sight: Sight, id: OutboundId) -> Result<Option<OutboundCall>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE o.id = ?1 AND (?2 IS NULL OR a.owner_id = ?2)"
    );
    one(tx, &sql, params![id.0, sight.owner()])
}

/// By the call that was made of it.
pub fn by_call(tx: &Tx, sid: &CallSid) -> Result<Option<OutboundCall>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE o.call_sid = ?1 ORDER BY o.id DESC");
    one(tx, &sql, params![sid.as_str()])
}

/// Those that may be seen, the newest first.
pub fn list(tx: &Tx, sight: Sight, most: u32) -> Result<Vec<OutboundCall>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE (?1 IS NULL OR a.owner_id = ?1)
         ORDER BY o.id DESC LIMIT ?2"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query(params![sight.owner(), most])?;
    let mut calls = Vec::new();
    while let Some(row) = rows.next()? {
        calls.push(read(row)?);
    }
    Ok(calls)
}

/// Those that are due, the oldest of each assistant: first of whom the fewest are called for now, and among
/// equals by lot, so that nobody who asks for many has all others wait.
pub fn due(tx: &Tx, now: Timestamp) -> Result<Vec<OutboundCall>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM {TABLES} WHERE o.id IN (
             SELECT min(id) FROM outbound_calls
             WHERE ended_at IS NULL AND state = 'queued' AND due_at <= ?1 GROUP BY assistant_id)
         ORDER BY (
             SELECT count(*) FROM outbound_calls l JOIN assistants b ON b.id = l.assistant_id
             WHERE l.ended_at IS NULL AND l.state IN ('dialling', 'ringing', 'answered')
             AND b.owner_id IS a.owner_id), random()"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query(params![now.as_millisecond()])?;
    let mut calls = Vec::new();
    while let Some(row) = rows.next()? {
        calls.push(read(row)?);
    }
    Ok(calls)
}

/// How many of an assistant's are under way that have no row of a call yet.
pub fn under_way(tx: &Tx, assistant: AssistantId) -> Result<u32, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT count(*) FROM outbound_calls WHERE ended_at IS NULL
             AND state IN ('dialling', 'ringing') AND assistant_id = ?1",
        )?
        .query_row([assistant.0], |row| row.get(0))?)
}

/// Whether a number is being called already, or is about to be, by assistants of the same owner. Whom another's
/// calls is not theirs to know.
pub fn is_under_way(
    tx: &Tx,
    assistant: AssistantId,
    number: &PhoneNumber,
) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT EXISTS (
                 SELECT 1 FROM outbound_calls o JOIN assistants a ON a.id = o.assistant_id
                 WHERE o.number = ?1 AND o.ended_at IS NULL
                 AND a.owner_id IS (SELECT owner_id FROM assistants WHERE id = ?2))",
        )?
        .query_row(params![number.as_str(), assistant.0], |row| row.get(0))?)
}

/// How often a number was dialled since a moment, by assistants of the same owner; what nobody knows
/// the outcome of counts too.
pub fn dialled_since(
    tx: &Tx,
    assistant: AssistantId,
    number: &PhoneNumber,
    since: Timestamp,
) -> Result<u32, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT count(*) FROM outbound_calls o JOIN assistants a ON a.id = o.assistant_id
             WHERE o.number = ?1 AND o.dialled_at >= ?2 AND o.state <> 'refused'
             AND a.owner_id IS (SELECT owner_id FROM assistants WHERE id = ?3)",
        )?
        .query_row(params![number.as_str(), since.as_millisecond(), assistant.0], |row| {
            row.get(0)
        })?)
}

/// Takes one to be dialled; says whether it was still to be had.
pub fn take(tx: &Tx, id: OutboundId, now: Timestamp) -> Result<bool, StoreError> {
    let taken = tx
        .prepare_cached(
            "UPDATE outbound_calls SET state = 'dialling', dialled_at = ?2
             WHERE id = ?1 AND state = 'queued' AND ended_at IS NULL",
        )?
        .execute(params![id.0, now.as_millisecond()])?;
    Ok(taken == 1)
}

/// Nobody was dialled: it may be tried again later. Answers how often that was so.
pub fn put_back(tx: &Tx, id: OutboundId, why: &str) -> Result<u32, StoreError> {
    Ok(tx
        .prepare_cached(
            "UPDATE outbound_calls SET state = 'queued', dialled_at = NULL, failure = ?2,
             tries = tries + 1 WHERE id = ?1 AND state = 'dialling' RETURNING tries",
        )?
        .query_row(params![id.0, why], |row| row.get(0))
        .optional()?
        .unwrap_or(0))
}

/// When one that was put back is due.
pub fn set_due(tx: &Tx, id: OutboundId, due_at: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE outbound_calls SET due_at = ?2 WHERE id = ?1")?
        .execute(params![id.0, due_at.as_millisecond()])?;
    Ok(())
}

/// Notes which call it became, where that is one of its own assistant. What was thought lost is found again.
pub fn link(
    tx: &Tx,
    id: OutboundId,
    sid: &CallSid,
    assistant: Option<AssistantId>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE outbound_calls SET call_sid = ?2,
         ended_at = CASE WHEN state = 'unknown' THEN NULL ELSE ended_at END,
         failure = CASE WHEN state IN ('dialling', 'unknown') THEN NULL ELSE failure END,
         state = CASE WHEN state IN ('dialling', 'unknown') THEN 'ringing' ELSE state END
         WHERE id = ?1 AND call_sid IS NULL AND (?3 IS NULL OR assistant_id = ?3)",
    )?
    .execute(params![id.0, sid.as_str(), assistant.map(|assistant| assistant.0)])?;
    Ok(())
}

/// Somebody, or something, picked up.
pub fn answered(tx: &Tx, id: OutboundId) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE outbound_calls SET state = 'answered' WHERE id = ?1 AND ended_at IS NULL",
    )?
    .execute([id.0])?;
    Ok(())
}

/// Notes who picked up.
pub fn set_answered_by(tx: &Tx, id: OutboundId, who: AnsweredBy) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE outbound_calls SET answered_by = ?2 WHERE id = ?1")?
        .execute(params![id.0, who.as_str()])?;
    Ok(())
}

/// It is over, unless it was before.
pub fn end(
    tx: &Tx,
    id: OutboundId,
    state: OutboundState,
    failure: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    debug_assert!(state.is_final());
    let ended = tx
        .prepare_cached(
            "UPDATE outbound_calls SET state = ?2, failure = ?3, ended_at = ?4,
             dialled_at = CASE WHEN ?2 IN ('refused', 'cancelled') THEN NULL ELSE dialled_at END
             WHERE id = ?1 AND ended_at IS NULL",
        )?
        .execute(params![id.0, state.as_str(), failure, now.as_millisecond()])?;
    Ok(ended == 1)
}

/// Those that are lost: Twilio was asked and its answer never noted, or the end never told.
/// Answers how many. `rang_before` is when they rang at the latest.
pub fn give_up(
    tx: &Tx,
    asked_before: Timestamp,
    rang_before: Timestamp,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let asked = tx
        .prepare_cached(
            "UPDATE outbound_calls SET state = 'unknown', ended_at = ?2,
             failure = 'Twilio was asked, and its answer was not noted: whether it rang is not known'
             WHERE ended_at IS NULL AND state = 'dialling' AND dialled_at < ?1",
        )?
        .execute(params![asked_before.as_millisecond(), now.as_millisecond()])?;
    let rang = tx
        .prepare_cached(
            "UPDATE outbound_calls SET state = 'unknown', ended_at = ?2,
             failure = 'it rang, and Twilio never told what came of it'
             WHERE ended_at IS NULL AND state = 'ringing' AND dialled_at < ?1",
        )?
        .execute(params![rang_before.as_millisecond(), now.as_millisecond()])?;
    tx.prepare_cached(
        "UPDATE outbound_calls SET state = 'cancelled', ended_at = ?1,
         failure = coalesce(failure, 'it was not dialled in time')
         WHERE ended_at IS NULL AND state = 'queued' AND expires_at < ?1",
    )?
    .execute([now.as_millisecond()])?;
    Ok(asked + rang)
}

/// Whoever was still to be called does not want to be, by assistants of the same owner; when it has
/// none, by nobody's.
pub fn call_off(
    tx: &Tx,
    assistant: AssistantId,
    number: &PhoneNumber,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE outbound_calls SET state = 'cancelled', ended_at = ?2,
         failure = 'the one to be called asked not to be'
         WHERE number = ?1 AND state = 'queued' AND ended_at IS NULL AND assistant_id IN (
             SELECT theirs.id FROM assistants theirs JOIN assistants asked ON asked.id = ?3
             WHERE asked.owner_id IS NULL OR theirs.owner_id = asked.owner_id)",
    )?
    .execute(params![number.as_str(), now.as_millisecond(), assistant.0])?;
    Ok(())
}

/// Whether any is not over: otherwise there is nothing to look after.
pub fn any_live(tx: &Tx) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM outbound_calls WHERE ended_at IS NULL)")?
        .query_row([], |row| row.get(0))?)
}

/// Takes out what was asked for of one call that is over, as far as it may be seen, and of whom in a
/// campaign it was to.
pub fn erase_call(tx: &Tx, sight: Sight, call: CallId) -> Result<(), StoreError> {
    const ITS: &str = "SELECT o.id FROM outbound_calls o JOIN calls c ON c.sid = o.call_sid
                       JOIN assistants a ON a.id = o.assistant_id
                       WHERE c.id = ?1 AND o.ended_at IS NOT NULL AND (?2 IS NULL OR a.owner_id = ?2)";
    let of = params![call.0, sight.owner()];
    tx.prepare_cached(&format!("DELETE FROM campaign_rows WHERE outbound_id IN ({ITS})"))?
        .execute(of)?;
    tx.prepare_cached(&format!("DELETE FROM outbound_calls WHERE id IN ({ITS})"))?.execute(of)?;
    Ok(())
}

/// Takes out what is kept of a number, as far as it may be seen: what is over, and what was not dialled yet.
pub fn erase(tx: &Tx, sight: Sight, number: &str) -> Result<u64, StoreError> {
    Ok(tx
        .prepare_cached(
            "DELETE FROM outbound_calls WHERE number = ?1 AND (ended_at IS NOT NULL OR state = 'queued')
             AND (?2 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?2))",
        )?
        .execute(params![number, sight.owner()])? as u64)
}

/// Takes out those that were over before a moment.
pub fn forget_before(tx: &Tx, before: Timestamp) -> Result<u64, StoreError> {
    Ok(tx
        .prepare_cached("DELETE FROM outbound_calls WHERE ended_at < ?1")?
        .execute([before.as_millisecond()])? as u64)
}
