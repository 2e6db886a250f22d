//! What the calls of a day used: minutes, things heard, tokens.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::params;

use super::{StoreError, Tx, embeddings};
use crate::domain::AssistantId;

/// The use of an assistant's calls since a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayUsage {
    /// Minutes of calls, begun ones counted whole; calls that go on count up to now.
    pub minutes: u64,
    /// Minutes of calls that may be recorded.
    pub recorded_minutes: u64,
    /// Things heard by Twilio.
    pub heard: u64,
    /// Tokens by model, those of models that failed included.
    pub models: BTreeMap<String, ModelUsage>,
}

/// Tokens of one model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ModelUsage {
    /// Read, from the cache or not.
    pub input: u64,
    /// Of those, from the provider's cache.
    pub cached: u64,
    /// Written.
    pub output: u64,
}

/// What calls that began since a moment have used.
pub fn since(
    tx: &Tx,
    assistant: AssistantId,
    since: Timestamp,
    now: Timestamp,
) -> Result<DayUsage, StoreError> {
    let values = params![assistant.0, since.as_millisecond(), now.as_millisecond()];
    let (minutes, recorded): (i64, i64) = tx
        .prepare_cached(
            "SELECT coalesce(sum(m), 0), coalesce(sum(m) FILTER (WHERE r), 0) FROM (
                SELECT (coalesce(duration_s, max(?3 - started_at, 0) / 1000) + 59) / 60 AS m,
                       recording_consent IN ('granted', 'announced') AS r
                FROM calls WHERE assistant_id = ?1 AND started_at >= ?2)",
        )?
        .query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let values = params![assistant.0, since.as_millisecond()];
    let heard: i64 = tx
        .prepare_cached(
            "SELECT count(*) FROM calls c JOIN turns t ON t.call_id = c.id
             WHERE c.assistant_id = ?1 AND c.started_at >= ?2 AND t.heard_kind = 'speech'",
        )?
        .query_row(values, |row| row.get(0))?;
    let mut statement = tx.prepare_cached(
        "SELECT a.value ->> '$.model', sum(a.value ->> '$.usage.input'),
                sum(a.value ->> '$.usage.cached'), sum(a.value ->> '$.usage.output')
         FROM calls c JOIN turns t ON t.call_id = c.id, json_each(t.attempts) a
         WHERE c.assistant_id = ?1 AND c.started_at >= ?2 AND t.attempts IS NOT NULL
         GROUP BY 1",
    )?;
    let mut rows = statement.query(values)?;
    let mut models = BTreeMap::new();
    let count = |value: Option<i64>| value.unwrap_or(0).max(0) as u64;
    while let Some(row) = rows.next()? {
        let usage = ModelUsage {
            input: count(row.get(1)?),
            cached: count(row.get(2)?),
            output: count(row.get(3)?),
        };
        models.insert(row.get(0)?, usage);
    }
    // What is read for vectors: of questions in calls, and of documents.
    for (model, tokens) in embeddings::tokens_since(tx, assistant, since)? {
        models.entry(model).or_insert_with(ModelUsage::default).input += tokens;
    }
    Ok(DayUsage {
        minutes: minutes.max(0) as u64,
        recorded_minutes: recorded.max(0) as u64,
        heard: heard.max(0) as u64,
        models,
    })
}

/// Seconds of an assistant's calls that began since a moment; those that go on count up to now.
pub fn seconds_since(
    tx: &Tx,
    assistant: AssistantId,
    since: Timestamp,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let seconds: i64 = tx
        .prepare_cached(
            "SELECT coalesce(sum(coalesce(duration_s, max(?3 - started_at, 0) / 1000)), 0)
             FROM calls WHERE assistant_id = ?1 AND started_at >= ?2",
        )?
        .query_row(params![assistant.0, since.as_millisecond(), now.as_millisecond()], |row| {
            row.get(0)
        })?;
    Ok(seconds.max(0) as u64)
}
