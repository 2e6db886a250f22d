//! Messages taken for clients.

use rusqlite::{Row, params};

use super::{StoreError, Tx, assistants::time};
use crate::domain::{AssistantId, CallId, KeptRecording, Message, MessageRecording};

/// Adds a message, once: the same words in the same call, or the same recording, are the same message.
/// One that comes after its call was forgotten is not kept. Answers its row, if it was added.
pub fn insert(tx: &Tx, message: &Message) -> Result<Option<i64>, StoreError> {
    let recording = message.recording.as_ref();
    let added = tx
        .prepare_cached(
            "INSERT INTO messages (assistant_id, call_id, caller, name, text, created_at,
             recording_url, recording_s)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
             WHERE NOT EXISTS (SELECT 1 FROM messages WHERE call_id = ?2
                 AND CASE WHEN ?7 IS NULL THEN text = ?5 ELSE recording_url IS ?7 END)
               AND NOT EXISTS (SELECT 1 FROM calls WHERE id = ?2 AND transcript_erased_at IS NOT NULL)",
        )?
        .execute(params![
            message.assistant.0,
            message.call.0,
            message.caller,
            message.name,
            message.text,
            message.created_at.as_millisecond(),
            recording.map(|recording| recording.kept.address()),
            recording.map(|recording| recording.seconds),
        ])?;
    Ok((added == 1).then(|| tx.last_insert_rowid()))
}

/// Notes the words of a message that was spoken; says whether there is such a message without words.
pub fn set_text(
    tx: &Tx,
    call: CallId,
    recording: &KeptRecording,
    text: &str,
) -> Result<bool, StoreError> {
    let changed = tx
        .prepare_cached(
            "UPDATE messages SET text = ?3 WHERE call_id = ?1 AND recording_url = ?2 AND text = ''",
        )?
        .execute(params![call.0, recording.address(), text])?;
    Ok(changed == 1)
}

/// Notes how long a message is, where that was not known yet.
pub fn set_seconds(tx: &Tx, call: CallId, recording: &MessageRecording) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE messages SET recording_s = ?3
         WHERE call_id = ?1 AND recording_url = ?2 AND recording_s = 0",
    )?
    .execute(params![call.0, recording.kept.address(), recording.seconds])?;
    Ok(())
}

/// Whether a call has the message of a recording.
pub fn has_recording(tx: &Tx, call: CallId, recording: &KeptRecording) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM messages WHERE call_id = ?1 AND recording_url = ?2)",
        )?
        .query_row(params![call.0, recording.address()], |row| row.get(0))?)
}

fn recording(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<MessageRecording>> {
    let address: Option<String> = row.get(column)?;
    let seconds: Option<u32> = row.get(column + 1)?;
    let kept = address.as_deref().and_then(KeptRecording::at);
    Ok(kept.map(|kept| MessageRecording { kept, seconds: seconds.unwrap_or_default() }))
}

/// Those taken in a call, in order.
pub fn of_call(tx: &Tx, call: CallId) -> Result<Vec<Message>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT assistant_id, caller, name, text, created_at, recording_url, recording_s
         FROM messages WHERE call_id = ?1 ORDER BY id",
    )?;
    let mut rows = statement.query([call.0])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        messages.push(Message {
            assistant: AssistantId(row.get(0)?),
            call,
            caller: row.get(1)?,
            name: row.get(2)?,
            text: row.get(3)?,
            recording: recording(row, 5)?,
            created_at: time(row.get(4)?)?,
        });
    }
    Ok(messages)
}

/// Forgets the recordings of a call's messages, and says where they were at Twilio.
pub fn take_recordings(tx: &Tx, call: CallId) -> Result<Vec<KeptRecording>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT recording_url FROM messages WHERE call_id = ?1 AND recording_url IS NOT NULL",
    )?;
    let addresses = statement
        .query_map([call.0], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    tx.prepare_cached("UPDATE messages SET recording_url = NULL WHERE call_id = ?1")?
        .execute([call.0])?;
    Ok(addresses.iter().filter_map(|address| KeptRecording::at(address)).collect())
}
