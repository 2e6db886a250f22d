//! Rows that come from another program: they keep their ids and times, and are taken once only.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{
    StoreError, Tx,
    calls::{self, CallEnd, NewCall},
    figures,
    versions::{self, Stamp},
};
use crate::domain::{AssistantId, AssistantSpec, CallExtras, CallId, CallSid, CallStatus};

/// An assistant that is in the store already.
#[derive(Debug, Clone)]
pub struct Known {
    /// Row number.
    pub id: AssistantId,
    /// What is set about it.
    pub spec: AssistantSpec,
    /// Whether it is out of service for good; its id stays taken, its name and number do not.
    pub deleted: bool,
    /// Which row elsewhere it was made from.
    pub origin: Option<String>,
}

/// Every assistant there ever was.
pub fn known(tx: &Tx) -> Result<Vec<Known>, StoreError> {
    let mut statement =
        tx.prepare_cached("SELECT id, spec, deleted_at IS NOT NULL, origin FROM assistants")?;
    let mut rows = statement.query([])?;
    let mut known = Vec::new();
    while let Some(row) = rows.next()? {
        known.push(Known {
            id: AssistantId(row.get(0)?),
            spec: serde_json::from_str(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?,
            deleted: row.get(2)?,
            origin: row.get(3)?,
        });
    }
    Ok(known)
}

/// An assistant to add under an id that is free.
#[derive(Debug, Clone)]
pub struct NewAssistant {
    /// Row number.
    pub id: AssistantId,
    /// What is set about it.
    pub spec: AssistantSpec,
    /// Which row elsewhere it is made from.
    pub origin: String,
    /// When it was made there.
    pub created_at: Timestamp,
}

/// Adds an assistant whose id, name and number are free.
pub fn insert_assistant(tx: &Tx, new: &NewAssistant, stamp: &Stamp<'_>) -> Result<(), StoreError> {
    let json = serde_json::to_string(&new.spec)?;
    tx.prepare_cached(
        "INSERT INTO assistants (id, name, phone, active, spec, created_at, updated_at, origin)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        new.id.0,
        new.spec.name.as_str(),
        new.spec.phone.as_str(),
        new.spec.active,
        json,
        new.created_at.as_millisecond(),
        stamp.at.as_millisecond(),
        new.origin
    ])?;
    tx.prepare_cached("INSERT INTO assistant_figures (assistant_id) VALUES (?1)")?
        .execute([new.id.0])?;
    versions::keep(tx, new.id, 1, &json, false, stamp)
}

/// Whether a call is in the store.
pub fn has_call(tx: &Tx, sid: &CallSid) -> Result<bool, StoreError> {
    let found = tx
        .prepare_cached("SELECT 1 FROM calls WHERE sid = ?1")?
        .query_row([sid.as_str()], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// Adds a call that is over, with its share of the figures.
pub fn insert_call(
    tx: &Tx,
    call: &NewCall,
    end: &CallEnd,
    satisfaction: Option<u8>,
    extras: &CallExtras,
) -> Result<CallId, StoreError> {
    let id = calls::insert(tx, call, CallStatus::InProgress)?;
    // Before the end: the roll-ups take the score from the row.
    tx.prepare_cached(
        "UPDATE calls SET satisfaction = ?2, transcription = ?3, recording_url = ?4, metadata = ?5
         WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        satisfaction,
        extras.transcription,
        extras.recording_url,
        extras.metadata
    ])?;
    figures::count_call(tx, call.assistant, true, call.started_at)?;
    calls::end(tx, id, end)?;
    Ok(id)
}

/// What a call brought along.
pub fn extras(tx: &Tx, id: CallId) -> Result<CallExtras, StoreError> {
    Ok(tx
        .prepare_cached("SELECT transcription, recording_url, metadata FROM calls WHERE id = ?1")?
        .query_row([id.0], |row| {
            Ok(CallExtras {
                transcription: row.get(0)?,
                recording_url: row.get(1)?,
                metadata: row.get(2)?,
            })
        })?)
}
