//! Vectors of passages: those that came, and those that are still to be asked for.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{params, types::Value};
use sha2::{Digest as _, Sha256};

use super::{StoreError, Tx, knowledge::named};
use crate::domain::{Assistant, AssistantId, AssistantSpec, ModelRef, Passage, Vector};

/// The first time to wait after a failure; twice as long each time after it.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(2);

/// The longest time to wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// Vectors dropped in one transaction.
const AT_ONCE: i64 = 2_000;

/// Which text a vector is of.
pub type TextDigest = Vec<u8>;

/// Passages of an assistant that a model is to be asked for.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Whose they are.
    pub assistant: Assistant,
    /// The model.
    pub model: ModelRef,
    /// Digest and text of each.
    pub texts: Vec<(TextDigest, String)>,
    /// How often it failed so far.
    pub attempts: u32,
}

/// Which vectors of an assistant there are: the same as long as none came and none went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    count: i64,
    newest: Option<i64>,
}

/// The text of a passage as a model is asked for it.
pub fn told(heading: &str, text: &str) -> String {
    if heading.is_empty() { text.to_owned() } else { format!("{heading}\n{text}") }
}

/// Which text a passage is.
pub(super) fn digest(heading: &str, text: &str) -> TextDigest {
    Sha256::digest(told(heading, text)).to_vec()
}

/// Asks for what an assistant's passages lack from now on, in the transaction that changes it. What was
/// waited for is asked for anew, at once; what came stays.
pub(super) fn want(tx: &Tx, id: AssistantId, spec: &AssistantSpec) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM embeddings WHERE assistant_id = ?1 AND vector IS NULL")?
        .execute([id.0])?;
    let Some(model) = spec.ai.embeddings.as_ref().filter(|_| !spec.knowledge.is_empty()) else {
        return Ok(());
    };
    let mut passages = tx.prepare_cached(
        "SELECT p.id, p.heading, p.text, p.digest FROM documents d JOIN passages p ON p.document_id = d.id
         WHERE d.assistant_id = ?1 AND d.sha256 IN (SELECT value FROM json_each(?2)) ORDER BY p.id",
    )?;
    let mut known = tx.prepare_cached("UPDATE passages SET digest = ?2 WHERE id = ?1")?;
    let mut wanted = tx.prepare_cached(
        "INSERT INTO embeddings (assistant_id, model, digest, due_at) VALUES (?1, ?2, ?3, 0)
         ON CONFLICT DO NOTHING",
    )?;
    let mut rows = passages.query(params![id.0, named(spec)?])?;
    while let Some(row) = rows.next()? {
        let kept: Option<TextDigest> = row.get(3)?;
        let of = if let Some(of) = kept {
            of
        } else {
            let of = digest(&row.get::<_, String>(1)?, &row.get::<_, String>(2)?);
            known.execute(params![row.get::<_, i64>(0)?, of])?;
            of
        };
        wanted.execute(params![id.0, model.as_str(), of])?;
    }
    Ok(())
}

/// What is due, a batch of at most so many texts for each of some assistants.
pub fn due(
    tx: &Tx,
    now: Timestamp,
    assistants: usize,
    texts: usize,
) -> Result<Vec<Batch>, StoreError> {
    let now = now.as_millisecond();
    let ids: Vec<i64> = tx
        .prepare_cached(
            "SELECT e.assistant_id FROM embeddings e JOIN assistants a ON a.id = e.assistant_id
             WHERE e.due_at <= ?1 AND a.deleted_at IS NULL
               AND e.model IS a.spec ->> '$.ai.embeddings'
             GROUP BY e.assistant_id ORDER BY min(e.due_at), e.assistant_id LIMIT ?2",
        )?
        .query_map(params![now, assistants as i64], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut batches = Vec::new();
    for id in ids {
        let Some(assistant) = super::assistants::by_id(tx, AssistantId(id))? else { continue };
        let Some(model) = assistant.spec.ai.embeddings.clone() else { continue };
        let mut statement = tx.prepare_cached(
            "SELECT e.digest, e.alone, e.attempts, p.heading, p.text FROM embeddings e
             JOIN passages p ON p.digest = e.digest
             JOIN documents d ON d.id = p.document_id AND d.assistant_id = e.assistant_id
             WHERE e.assistant_id = ?1 AND e.model = ?2 AND e.due_at <= ?3
             GROUP BY e.id ORDER BY e.id LIMIT ?4",
        )?;
        let mut rows = statement.query(params![id, model.as_str(), now, texts as i64])?;
        let mut batch = Batch { assistant, model, texts: Vec::new(), attempts: 0 };
        while let Some(row) = rows.next()? {
            let alone: bool = row.get(1)?;
            if alone && !batch.texts.is_empty() {
                break;
            }
            batch.attempts = batch.attempts.max(row.get(2)?);
            let (heading, text): (String, String) = (row.get(3)?, row.get(4)?);
            batch.texts.push((row.get(0)?, told(&heading, &text)));
            if alone {
                break;
            }
        }
        if !batch.texts.is_empty() {
            batches.push(batch);
        }
    }
    Ok(batches)
}

/// The vectors of a batch came. One that nobody wants any more is not kept.
pub fn came(
    tx: &Tx,
    id: AssistantId,
    model: &ModelRef,
    vectors: &[(TextDigest, Vector)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "UPDATE embeddings SET vector = ?4, made_at = ?5, due_at = NULL, failure = NULL
         WHERE assistant_id = ?1 AND model = ?2 AND digest = ?3 AND vector IS NULL",
    )?;
    for (digest, vector) in vectors {
        statement.execute(params![
            id.0,
            model.as_str(),
            digest,
            vector.bytes(),
            now.as_millisecond()
        ])?;
    }
    Ok(())
}

/// A batch was refused for what is in it: each of it is asked for by itself. One that was is not asked
/// for again.
pub fn refused(tx: &Tx, batch: &Batch, why: &str) -> Result<(), StoreError> {
    let is_one = batch.texts.len() == 1;
    let mut statement = tx.prepare_cached(
        "UPDATE embeddings SET alone = 1, failure = ?4, due_at = iif(?5, NULL, due_at)
         WHERE assistant_id = ?1 AND model = ?2 AND digest = ?3 AND vector IS NULL",
    )?;
    for (digest, _) in &batch.texts {
        statement.execute(params![
            batch.assistant.id.0,
            batch.model.as_str(),
            digest,
            why,
            is_one
        ])?;
    }
    Ok(())
}

/// The model did not answer: nothing more is asked of it for this assistant until later, and not before
/// it said. A text that was asked for by itself waits by itself, and keeps no others back.
pub fn failed(
    tx: &Tx,
    batch: &Batch,
    why: &str,
    not_before: SignedDuration,
    now: Timestamp,
) -> Result<(), StoreError> {
    let wait = FIRST_WAIT.saturating_mul(1_i32 << batch.attempts.min(16));
    let wait = wait.max(not_before).min(LONGEST_WAIT);
    let due = now.checked_add(wait).unwrap_or(Timestamp::MAX);
    let only = match &batch.texts[..] {
        [(digest, _)] => Some(digest),
        _ => None,
    };
    tx.prepare_cached(
        "UPDATE embeddings SET attempts = ?3, failure = ?4, due_at = ?5
         WHERE assistant_id = ?1 AND model = ?2 AND due_at IS NOT NULL
         AND (?6 IS NULL OR digest = ?6)",
    )?
    .execute(params![
        batch.assistant.id.0,
        batch.model.as_str(),
        batch.attempts.saturating_add(1),
        why,
        due.as_millisecond(),
        only
    ])?;
    Ok(())
}

/// How many passages of a document have their vector, and why not all.
pub(super) fn progress(
    tx: &Tx,
    document: i64,
    id: AssistantId,
    model: &ModelRef,
) -> Result<(u64, Option<String>), StoreError> {
    let (count, failure): (i64, Option<String>) = tx
        .prepare_cached(
            "SELECT count(e.vector), max(e.failure) FROM passages p
             JOIN embeddings e ON e.digest = p.digest AND e.assistant_id = ?2 AND e.model = ?3
             WHERE p.document_id = ?1",
        )?
        .query_row(params![document, id.0, model.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((count.max(0) as u64, failure))
}

/// Which vectors of an assistant there are now.
pub fn stamp(tx: &Tx, id: AssistantId, model: &ModelRef) -> Result<Stamp, StoreError> {
    let stamp = tx
        .prepare_cached(
            "SELECT count(*), max(made_at) FROM embeddings
             WHERE assistant_id = ?1 AND model = ?2 AND made_at IS NOT NULL",
        )?
        .query_row(params![id.0, model.as_str()], |row| {
            Ok(Stamp { count: row.get(0)?, newest: row.get(1)? })
        })?;
    Ok(stamp)
}

/// The vectors of a version's passages, and the rows that these are.
pub fn of_version(
    tx: &Tx,
    assistant: &Assistant,
    model: &ModelRef,
) -> Result<(Vec<i64>, Vec<Vector>), StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT p.id, e.vector FROM documents d JOIN passages p ON p.document_id = d.id
         JOIN embeddings e ON e.assistant_id = d.assistant_id AND e.model = ?2 AND e.digest = p.digest
         WHERE d.assistant_id = ?1 AND d.sha256 IN (SELECT value FROM json_each(?3))
           AND e.vector IS NOT NULL ORDER BY p.id",
    )?;
    let values = params![assistant.id.0, model.as_str(), named(&assistant.spec)?];
    let mut rows = statement.query(values)?;
    let (mut ids, mut vectors) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        ids.push(row.get(0)?);
        let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        vectors.push(Vector::from_bytes(bytes));
    }
    Ok((ids, vectors))
}

/// Passages of a version by their rows, in the order of these; one that is gone is left out.
pub fn passages(
    tx: &Tx,
    assistant: &Assistant,
    ids: &[i64],
) -> Result<Vec<(i64, Passage)>, StoreError> {
    let paths = super::knowledge::paths(tx, assistant)?;
    let mut statement =
        tx.prepare_cached("SELECT document_id, heading, text FROM passages WHERE id = ?1")?;
    let mut found = Vec::new();
    for id in ids {
        let mut rows = statement.query([id])?;
        let Some(row) = rows.next()? else { continue };
        let Some(path) = paths.get(&row.get::<_, i64>(0)?) else { continue };
        let (heading, text) = (row.get(1)?, row.get(2)?);
        found.push((*id, Passage { document: path.clone(), heading, text }));
    }
    Ok(found)
}

/// Vectors that nobody looks at any more: of passages that are gone, of a model that is not asked any
/// more, of an assistant that is out of service; and no call goes on that may have begun with them.
pub fn unused(tx: &Tx) -> Result<Vec<i64>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT e.id FROM embeddings e JOIN assistants a ON a.id = e.assistant_id
         LEFT JOIN assistant_figures f ON f.assistant_id = a.id
         WHERE coalesce(f.live_calls, 0) = 0
           AND (a.deleted_at IS NOT NULL OR e.model IS NOT a.spec ->> '$.ai.embeddings'
                OR NOT EXISTS (SELECT 1 FROM passages p JOIN documents d ON d.id = p.document_id
                               WHERE p.digest = e.digest AND d.assistant_id = e.assistant_id))
         LIMIT ?1",
    )?;
    let ids = statement.query_map([AT_ONCE], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Drops them.
pub fn drop_unused(tx: &Tx) -> Result<u64, StoreError> {
    let unused = unused(tx)?;
    let ids = Value::from(serde_json::to_string(&unused)?);
    tx.prepare_cached("DELETE FROM embeddings WHERE id IN (SELECT value FROM json_each(?1))")?
        .execute([ids])?;
    Ok(unused.len() as u64)
}
