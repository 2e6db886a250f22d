//! What came of calls, and what is known of callers by it.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{StoreError, Tx, assistants::time, stats};
use crate::domain::{
    Assistant, AssistantId, Call, CallId, CallOutcome, PastCall, Rating, Recollection,
    SatisfactionSource, SummarySource,
};

/// Calls that a caller is known by.
const RECALLED: u32 = 3;

/// Notes what came of a call, by rule; `due` is since when a model is to say it better. What a model
/// said stays.
pub fn settle(
    tx: &Tx,
    call: CallId,
    outcome: CallOutcome,
    summary: &str,
    due: Option<Timestamp>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE calls SET outcome = ?2,
         summary = CASE WHEN summary_source = 'model' THEN summary ELSE ?3 END,
         summary_source = coalesce(summary_source, ?4),
         summary_due = coalesce(?5, summary_due)
         WHERE id = ?1 AND transcript_erased_at IS NULL AND caller_erased_at IS NULL",
    )?
    .execute(params![
        call.0,
        outcome.as_str(),
        summary,
        SummarySource::Rule.as_str(),
        due.map(Timestamp::as_millisecond)
    ])?;
    Ok(())
}

/// Calls that a model is to be asked about, the oldest first.
pub fn due(tx: &Tx, most: u32) -> Result<Vec<CallId>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT id FROM calls WHERE summary_due IS NOT NULL
         AND transcript_erased_at IS NULL AND caller_erased_at IS NULL
         ORDER BY summary_due LIMIT ?1",
    )?;
    let ids = statement.query_map([most], |row| Ok(CallId(row.get(0)?)))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// What a model said of a call, as it is kept; what it did not say is left as it was.
#[derive(Debug, Clone, Default)]
pub struct Looked {
    /// What came of it, and what it was about.
    pub summary: Option<(String, Option<String>)>,
    /// How satisfied the caller was.
    pub rating: Option<Rating>,
    /// What was found out, as a JSON object.
    pub extracted: Option<String>,
}

/// Keeps what a model said of a call, once: nothing when it failed, and nothing of a call that was
/// forgotten meanwhile. Says whether a model was to be asked, and the call still is to be known.
pub fn summarise(tx: &Tx, call: CallId, looked: &Looked) -> Result<bool, StoreError> {
    let was_due = tx
        .prepare_cached(
            "UPDATE calls SET summary_due = NULL WHERE id = ?1 AND summary_due IS NOT NULL
             AND transcript_erased_at IS NULL AND caller_erased_at IS NULL",
        )?
        .execute([call.0])?;
    if was_due != 1 {
        return Ok(false);
    }
    if let Some((summary, topic)) = &looked.summary {
        tx.prepare_cached(
            "UPDATE calls SET summary = ?2, topic = ?3, summary_source = ?4 WHERE id = ?1",
        )?
        .execute(params![call.0, summary, topic, SummarySource::Model.as_str()])?;
    }
    if let Some(rating) = &looked.rating {
        rate(tx, call, rating, SatisfactionSource::Judged)?;
    }
    if let Some(extracted) = &looked.extracted {
        tx.prepare_cached("UPDATE calls SET extracted = ?2 WHERE id = ?1")?
            .execute(params![call.0, extracted])?;
    }
    Ok(true)
}

/// Notes how satisfied a caller was, with its share of the figures where the call has ended. The first
/// score stays; answers whether this was it.
pub fn rate(
    tx: &Tx,
    call: CallId,
    rating: &Rating,
    source: SatisfactionSource,
) -> Result<bool, StoreError> {
    let rated = tx
        .prepare_cached(
            "UPDATE calls SET satisfaction = ?2, satisfaction_source = ?3, satisfaction_why = ?4
             WHERE id = ?1 AND satisfaction IS NULL
             AND transcript_erased_at IS NULL AND caller_erased_at IS NULL
             RETURNING assistant_id, started_at, status, ended_at",
        )?
        .query_row(params![call.0, rating.score, source.as_str(), rating.why], |row| {
            let ended: Option<i64> = row.get(3)?;
            Ok((AssistantId(row.get(0)?), row.get::<_, i64>(1)?, row.get::<_, String>(2)?, ended))
        })
        .optional()?;
    let Some((assistant, started_at, status, ended)) = rated else { return Ok(false) };
    // A live call adds its score when it ends.
    if ended.is_some() {
        stats::add_score(tx, assistant, started_at, &status, i64::from(rating.score))?;
    }
    Ok(true)
}

/// What an assistant knows of a caller, by calls to itself since a moment. Nothing of who withheld
/// the number, has no contact, or never called this assistant.
pub fn recall(
    tx: &Tx,
    assistant: &Assistant,
    call: &Call,
    since: Timestamp,
) -> Result<Option<Recollection>, StoreError> {
    let Some(caller) = &call.caller else { return Ok(None) };
    let owner = assistant.owner.as_ref().map(|owner| owner.id.0);
    let contact: Option<(Option<String>, bool, Option<String>, i64)> = tx
        .prepare_cached(
            "SELECT name, name_by_hand, notes, first_call_at FROM contacts
             WHERE number = ?1 AND owner_id IS ?2",
        )?
        .query_row(params![caller, owner], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((name, by_hand, notes, first_call_at)) = contact else { return Ok(None) };
    // A contact that was deleted and began anew knows nothing of what was before.
    let since = since.as_millisecond().max(first_call_at);
    let mut statement = tx.prepare_cached(
        "SELECT started_at, outcome, summary FROM calls
         WHERE caller = ?1 AND assistant_id = ?2 AND started_at >= ?3 AND id <> ?4
         AND ended_at IS NOT NULL AND outcome IS NOT NULL
         ORDER BY started_at DESC LIMIT ?5",
    )?;
    let mut rows = statement.query(params![caller, assistant.id.0, since, call.id.0, RECALLED])?;
    let mut calls = Vec::new();
    while let Some(row) = rows.next()? {
        calls.push(PastCall {
            at: time(row.get(0)?)?,
            outcome: row.get::<_, String>(1)?.parse().map_err(StoreError::User)?,
            summary: row.get(2)?,
        });
    }
    if calls.is_empty() {
        return Ok(None);
    }
    // What another client's assistant was told is that client's.
    let name = if by_hand {
        name
    } else {
        tx.prepare_cached(
            "SELECT name FROM (
                SELECT name, created_at FROM bookings
                WHERE assistant_id = ?1 AND caller = ?2 AND name <> '' AND created_at >= ?3
                UNION ALL SELECT name, created_at FROM messages
                WHERE assistant_id = ?1 AND caller = ?2 AND name <> '' AND created_at >= ?3)
             ORDER BY created_at DESC LIMIT 1",
        )?
        .query_row(params![assistant.id.0, caller, since], |row| row.get(0))
        .optional()?
    };
    Ok(Some(Recollection { name, notes, calls }))
}
