//! Messages taken for clients.

use rusqlite::params;

use super::{StoreError, Tx, assistants::time};
use crate::domain::{AssistantId, CallId, Message};

/// Adds a message, once: the same words in the same call are the same message. One that comes after
/// its call was forgotten is not kept. Answers its row, if it was added.
pub fn insert(tx: &Tx, message: &Message) -> Result<Option<i64>, StoreError> {
    let added = tx
        .prepare_cached(
            "INSERT INTO messages (assistant_id, call_id, caller, name, text, created_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6
         WHERE NOT EXISTS (SELECT 1 FROM messages WHERE call_id = ?2 AND text = ?5)
           AND NOT EXISTS (SELECT 1 FROM calls WHERE id = ?2 AND transcript_erased_at IS NOT NULL)",
        )?
        .execute(params![
            message.assistant.0,
            message.call.0,
            message.caller,
            message.name,
            message.text,
            message.created_at.as_millisecond()
        ])?;
    Ok((added == 1).then(|| tx.last_insert_rowid()))
}

/// Those taken in a call, in order.
pub fn of_call(tx: &Tx, call: CallId) -> Result<Vec<Message>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT assistant_id, caller, name, text, created_at FROM messages WHERE call_id = ?1 ORDER BY id",
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
            created_at: time(row.get(4)?)?,
        });
    }
    Ok(messages)
}
