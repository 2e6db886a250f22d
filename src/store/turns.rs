//! Turns: begun when something is heard, finished when there is a reply.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, ToSql, params};

use super::{StoreError, Tx, assistants::time, turn_words};
use crate::domain::{
    Attempt, CallId, Delivery, Heard, LanguageTag, Next, PhoneNumber, Reply, Speaker, TokenUsage,
    Turn, TurnId, TurnTimings,
};

const COLUMNS: &str = "call_id, number, heard_kind, heard, confidence, heard_at, said, unheard, \
                       language, next, transfer_to, engine, attempts, tools, state, first_token_ms, \
                       reply_ms, input_tokens, cached_tokens, output_tokens, fillers, twiml, \
                       endpoint_ms, words_ms, sentence_ms, audio_ms, frame_ms, ear, mouth, \
                       heard_language";

/// A reply with what the line made of it.
#[derive(Debug, Clone)]
pub struct Finished<'a> {
    /// What the engine decided.
    pub reply: &'a Reply,
    /// How long it took.
    pub timings: TurnTimings,
    /// What was answered to Twilio.
    pub twiml: &'a str,
    /// Whether the caller is known to hear it; what is still on its way is told by [`deliver`].
    pub heard: bool,
}

fn read(row: &Row<'_>) -> Result<Turn, StoreError> {
    let optional = |column: usize| -> rusqlite::Result<Option<String>> { row.get(column) };
    let kind = optional(2)?;
    let heard = match kind.as_deref() {
        None => None,
        Some("speech") => Some(Heard::Speech {
            text: row.get(3)?,
            confidence: row.get(4)?,
            language: optional(29)?.and_then(|tag| tag.parse().ok()),
        }),
        Some("digits") => Some(Heard::Digits(row.get(3)?)),
        Some("silence") => Some(Heard::Silence),
        Some(other) => return Err(StoreError::Row(format!("heard_kind `{other}`"))),
    };
    let next = match (optional(9)?.as_deref(), optional(10)?) {
        (Some("listen"), _) => Some(Next::Listen),
        (Some("hang-up"), _) => Some(Next::HangUp),
        (Some("transfer"), Some(number)) => {
            Some(Next::Transfer(number.parse::<PhoneNumber>().map_err(StoreError::User)?))
        }
        _ => None,
    };
    let attempts = optional(12)?.map_or(Ok(Vec::new()), |json| serde_json::from_str(&json))?;
    let tools = optional(13)?.map_or(Ok(Vec::new()), |json| serde_json::from_str(&json))?;
    Ok(Turn {
        call: CallId(row.get(0)?),
        number: row.get(1)?,
        heard,
        heard_at: time(row.get(5)?)?,
        said: row.get(6)?,
        unheard: row.get(7)?,
        language: row.get::<_, String>(8)?.parse().map_err(StoreError::User)?,
        next,
        engine: row.get(11)?,
        attempts,
        tools,
        state: row.get(14)?,
        timings: TurnTimings {
            first_token_ms: row.get(15)?,
            reply_ms: row.get(16)?,
            endpoint_ms: row.get(22)?,
            words_ms: row.get(23)?,
            sentence_ms: row.get(24)?,
            audio_ms: row.get(25)?,
            frame_ms: row.get(26)?,
        },
        usage: TokenUsage {
            input: row.get(17)?,
            cached: row.get(18)?,
            cache_write: 0,
            output: row.get(19)?,
            estimated: false,
        },
        fillers: row.get(20)?,
        twiml: row.get(21)?,
        ear: row.get(27)?,
        mouth: row.get(28)?,
    })
}

/// The turns of a call, in order.
pub fn of_call(tx: &Tx, call: CallId) -> Result<Vec<Turn>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM turns WHERE call_id = ?1 ORDER BY number");
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query([call.0])?;
    let mut turns = Vec::new();
    while let Some(row) = rows.next()? {
        turns.push(read(row)?);
    }
    Ok(turns)
}

/// One turn.
pub fn get(tx: &Tx, id: TurnId) -> Result<Option<Turn>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM turns WHERE call_id = ?1 AND number = ?2");
    tx.prepare_cached(&sql)?
        .query_row(params![id.call.0, id.number], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// The number of the last turn of a call.
#[cfg(test)]
pub(super) fn last_number(tx: &Tx, call: CallId) -> Result<Option<u32>, StoreError> {
    Ok(tx
        .prepare_cached("SELECT max(number) FROM turns WHERE call_id = ?1")?
        .query_row([call.0], |row| row.get(0))?)
}

/// Begins a turn with what was heard. A turn of that number must not exist.
pub fn begin(
    tx: &Tx,
    id: TurnId,
    heard: Option<&Heard>,
    language: &LanguageTag,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (kind, text, confidence, heard_as) = match heard {
        None => (None, None, None, None),
        Some(Heard::Speech { text, confidence, language }) => {
            (Some("speech"), Some(text), *confidence, language.as_ref())
        }
        Some(Heard::Digits(keys)) => (Some("digits"), Some(keys), None, None),
        Some(Heard::Silence) => (Some("silence"), None, None, None),
    };
    tx.prepare_cached(
        "INSERT INTO turns (call_id, number, heard_kind, heard, confidence, heard_at, language,
         heard_language)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        id.call.0,
        id.number,
        kind,
        text,
        confidence,
        at.as_millisecond(),
        language.as_str(),
        heard_as.map(LanguageTag::as_str)
    ])?;
    if let Some(Heard::Speech { text, .. }) = heard {
        turn_words::change(tx, id, Speaker::Caller, "", text)?;
    }
    Ok(())
}

/// Adds a turn in which nothing was heard, finished: a greeting, or a word of our own accord.
/// A turn of that number must not exist.
pub fn insert(
    tx: &Tx,
    id: TurnId,
    at: Timestamp,
    finished: &Finished<'_>,
) -> Result<(), StoreError> {
    let heard_at = at.as_millisecond();
    written(finished, |values| {
        tx.prepare_cached(
            "INSERT INTO turns (call_id, number, said, language, next, transfer_to, engine,
             attempts, tools, state, first_token_ms, reply_ms, input_tokens, cached_tokens,
             output_tokens, twiml, unheard, heard_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
             ?18)",
        )?
        .execute(rusqlite::params_from_iter(
            [&id.call.0 as &dyn ToSql, &id.number].iter().chain(values).chain(&[&heard_at as _]),
        ))
    })?;
    turn_words::change(tx, id, Speaker::Assistant, "", said_in(finished))
}

/// Finishes a turn, unless it is finished already: the first reply stands. Nor is a reply kept that
/// comes after its call was forgotten. Says whether it was.
pub fn finish(tx: &Tx, id: TurnId, finished: &Finished<'_>) -> Result<bool, StoreError> {
    let changed = written(finished, |values| {
        tx.prepare_cached(
            "UPDATE turns SET said = ?3, language = ?4, next = ?5, transfer_to = ?6, engine = ?7,
             attempts = ?8, tools = ?9, state = ?10, first_token_ms = ?11, reply_ms = ?12,
             input_tokens = ?13, cached_tokens = ?14, output_tokens = ?15, twiml = ?16, unheard = ?17
             WHERE call_id = ?1 AND number = ?2 AND said IS NULL
               AND NOT EXISTS (SELECT 1 FROM calls WHERE id = ?1 AND transcript_erased_at IS NOT NULL)",
        )?
        .execute(rusqlite::params_from_iter(
            [&id.call.0 as &dyn ToSql, &id.number].iter().chain(values),
        ))
    })?;
    if changed == 1 {
        turn_words::change(tx, id, Speaker::Assistant, "", said_in(finished))?;
    }
    Ok(changed == 1)
}

/// What of a reply the caller is known to hear.
fn said_in<'a>(finished: &Finished<'a>) -> &'a str {
    if finished.heard { &finished.reply.text } else { "" }
}

/// A reply as columns, `said` to `twiml`, then `unheard`.
fn written<T>(
    finished: &Finished<'_>,
    write: impl FnOnce(&[&dyn ToSql]) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    let reply = finished.reply;
    let (next, transfer_to) = match &reply.next {
        Next::Listen => ("listen", None),
        Next::HangUp => ("hang-up", None),
        Next::Transfer(number) => ("transfer", Some(number.as_str())),
    };
    let mut usage = TokenUsage::default();
    for attempt in &reply.attempts {
        usage.add(&attempt.usage);
    }
    let attempts =
        (!reply.attempts.is_empty()).then(|| serde_json::to_string(&reply.attempts)).transpose()?;
    let tools =
        (!reply.tools.is_empty()).then(|| serde_json::to_string(&reply.tools)).transpose()?;
    let (said, unheard) =
        if finished.heard { (reply.text.as_str(), None) } else { ("", Some(&reply.text)) };
    Ok(write(&[
        &said,
        &reply.language.as_str(),
        &next,
        &transfer_to,
        &reply.engine,
        &attempts,
        &tools,
        &reply.state,
        &finished.timings.first_token_ms,
        &finished.timings.reply_ms,
        &usage.input,
        &usage.cached,
        &usage.output,
        &finished.twiml,
        &unheard,
    ])?)
}

/// Adds models that were asked besides to a turn that is finished: they have been paid for. Nothing is
/// added to a call that was forgotten.
pub fn add_attempts(tx: &Tx, id: TurnId, attempts: &[Attempt]) -> Result<(), StoreError> {
    let mut usage = TokenUsage::default();
    for attempt in attempts {
        usage.add(&attempt.usage);
        tx.prepare_cached(
            "UPDATE turns SET attempts = json_insert(coalesce(attempts, '[]'), '$[#]', json(?3))
             WHERE call_id = ?1 AND number = ?2 AND said IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM calls WHERE id = ?1 AND transcript_erased_at IS NOT NULL)",
        )?
        .execute(params![id.call.0, id.number, serde_json::to_string(attempt)?])?;
    }
    tx.prepare_cached(
        "UPDATE turns SET input_tokens = input_tokens + ?3, cached_tokens = cached_tokens + ?4,
         output_tokens = output_tokens + ?5 WHERE call_id = ?1 AND number = ?2",
    )?
    .execute(params![id.call.0, id.number, usage.input, usage.cached, usage.output])?;
    Ok(())
}

/// Notes what became of a finished reply on its way. Nothing is brought back of a call that was
/// forgotten in the meantime.
pub fn deliver(tx: &Tx, id: TurnId, delivery: &Delivery) -> Result<bool, StoreError> {
    let timings = &delivery.timings;
    let before: Option<String> = tx
        .prepare_cached("SELECT said FROM turns WHERE call_id = ?1 AND number = ?2")?
        .query_row(params![id.call.0, id.number], |row| row.get(0))
        .optional()?
        .flatten();
    let changed = tx
        .prepare_cached(
            "UPDATE turns SET said = ?3, unheard = ?4,
             next = CASE WHEN ?5 THEN 'listen' ELSE next END,
             transfer_to = CASE WHEN ?5 THEN NULL ELSE transfer_to END,
             endpoint_ms = coalesce(?6, endpoint_ms), words_ms = coalesce(?7, words_ms),
             sentence_ms = coalesce(?8, sentence_ms), audio_ms = coalesce(?9, audio_ms),
             frame_ms = coalesce(?10, frame_ms), ear = coalesce(?11, ear),
             mouth = coalesce(?12, mouth)
             WHERE call_id = ?1 AND number = ?2 AND said IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM calls WHERE id = ?1 AND transcript_erased_at IS NOT NULL)",
        )?
        .execute(params![
            id.call.0,
            id.number,
            delivery.said,
            delivery.unheard,
            delivery.interrupted,
            timings.endpoint_ms,
            timings.words_ms,
            timings.sentence_ms,
            timings.audio_ms,
            timings.frame_ms,
            delivery.ear,
            delivery.mouth,
        ])?;
    if let (1, Some(before)) = (changed, before) {
        turn_words::change(tx, id, Speaker::Assistant, &before, &delivery.said)?;
    }
    Ok(changed == 1)
}

/// Notes that the caller has been given this many fillers while waiting.
pub fn count_filler(tx: &Tx, id: TurnId, fillers: u32) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE turns SET fillers = max(fillers, ?3) WHERE call_id = ?1 AND number = ?2",
    )?
    .execute(params![id.call.0, id.number, fillers])?;
    Ok(())
}

/// Drops what only a live call needs: the concierge's memory.
pub fn tidy(tx: &Tx, call: CallId) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE turns SET state = NULL WHERE call_id = ?1 AND state IS NOT NULL")?
        .execute([call.0])?;
    Ok(())
}
