//! Documents of assistants, and the passages they are looked up by.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params, types::Value};
use sha2::{Digest as _, Sha256};

use super::{StoreError, Tx, embeddings};
use crate::domain::{
    Assistant, AssistantId, AssistantSpec, Digest, Document, DocumentPath, Error, KeptDocument,
    Passage, Question, knowledge_too_large, passages, put_texts, search_words,
};

/// Passages that are looked at for one question.
const CANDIDATES: usize = 48;

/// Documents whose passages are dropped in one transaction.
const AT_ONCE: usize = 20;

/// Which text it is.
///
/// # Panics
///
/// Never: a SHA-256 in hexadecimal is a digest.
pub fn digest(text: &str) -> Digest {
    #[expect(clippy::expect_used, reason = "64 hexadecimal figures are a digest")]
    hex::encode(Sha256::digest(text.as_bytes())).parse().expect("a digest")
}

/// Keeps the documents that an assistant names from now on, and makes their passages. Texts that come
/// along are kept; of the others the assistant must have had the text before.
pub(super) fn keep(tx: &Tx, id: AssistantId, spec: &AssistantSpec) -> Result<(), StoreError> {
    let mut bytes = 0_usize;
    for document in &spec.knowledge {
        if let Some(text) = &document.text {
            if digest(text) != document.sha256 {
                let message =
                    format!("the text of `{}` is not the one that its digest names", document.path);
                return Err(Error::input(message).hint("plan again from the files").into());
            }
            tx.prepare_cached(
                "INSERT INTO documents (assistant_id, sha256, text, bytes) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                id.0,
                document.sha256.as_str(),
                &**text,
                text.len() as i64
            ])?;
        }
        let row: Option<(i64, i64, bool)> = tx
            .prepare_cached(
                "SELECT id, bytes, indexed FROM documents WHERE assistant_id = ?1 AND sha256 = ?2",
            )?
            .query_row(params![id.0, document.sha256.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((row, length, indexed)) = row else {
            let message = format!(
                "assistant `{}`: the text of `{}` did not come along",
                spec.name, document.path
            );
            let hint = "send it as `text`, or apply the assistant's file and its documents";
            return Err(Error::input(message).hint(hint).into());
        };
        bytes += usize::try_from(length).unwrap_or(usize::MAX);
        if !indexed {
            index(tx, id, row)?;
        }
    }
    match knowledge_too_large(bytes) {
        None => embeddings::want(tx, id, spec),
        Some(message) => {
            Err(Error::input(format!("assistant `{}`: `knowledge` {message}", spec.name)).into())
        }
    }
}

fn index(tx: &Tx, assistant: AssistantId, document: i64) -> Result<(), StoreError> {
    let text: String = tx
        .prepare_cached("SELECT text FROM documents WHERE id = ?1")?
        .query_row([document], |row| row.get(0))?;
    let mut passage = tx.prepare_cached(
        "INSERT INTO passages (document_id, heading, text, digest) VALUES (?1, ?2, ?3, ?4) RETURNING id",
    )?;
    let mut words = tx.prepare_cached(
        "INSERT INTO passage_words (rowid, whose, heading, body) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (heading, text) in passages(&text) {
        let values = params![document, heading, text, embeddings::digest(&heading, &text)];
        let id: i64 = passage.query_row(values, |row| row.get(0))?;
        words.execute(params![
            id,
            format!("a{}", assistant.0),
            search_words(&heading).join(" "),
            search_words(&text).join(" ")
        ])?;
    }
    tx.prepare_cached("UPDATE documents SET indexed = 1 WHERE id = ?1")?.execute([document])?;
    Ok(())
}

/// The documents of a version, by path, with their texts if they are asked for.
pub fn of_assistant(
    tx: &Tx,
    assistant: &Assistant,
    texts: bool,
) -> Result<Vec<KeptDocument>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT bytes, (SELECT count(*) FROM passages WHERE document_id = documents.id),
                CASE WHEN ?3 THEN text END, id
         FROM documents WHERE assistant_id = ?1 AND sha256 = ?2",
    )?;
    let mut documents = Vec::new();
    for Document { path, sha256, .. } in &assistant.spec.knowledge {
        let values = params![assistant.id.0, sha256.as_str(), texts];
        let (mut document, row) = statement.query_row(values, |row| {
            let document = KeptDocument {
                path: path.clone(),
                sha256: sha256.clone(),
                bytes: row.get::<_, i64>(0)?.max(0) as u64,
                passages: row.get::<_, i64>(1)?.max(0) as u64,
                embedded: None,
                failure: None,
                text: row.get(2)?,
            };
            Ok((document, row.get::<_, i64>(3)?))
        })?;
        if let Some(model) = &assistant.spec.ai.embeddings {
            let (embedded, failure) = embeddings::progress(tx, row, assistant.id, model)?;
            (document.embedded, document.failure) = (Some(embedded), failure);
        }
        documents.push(document);
    }
    documents.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(documents)
}

/// The same assistant with the texts of its documents at hand.
pub fn with_texts(tx: &Tx, assistant: &Assistant) -> Result<AssistantSpec, StoreError> {
    let mut spec = assistant.spec.clone();
    put_texts(&mut spec.knowledge, of_assistant(tx, assistant, true)?);
    Ok(spec)
}

/// Passages of a version's documents with words of a question, the likeliest first, and how many
/// passages there are in all.
pub fn look_up(
    tx: &Tx,
    assistant: &Assistant,
    question: &Question,
) -> Result<(Vec<Passage>, usize), StoreError> {
    let terms: Vec<String> = question
        .terms()
        // Letters and figures between quotes: nothing in them is an operator.
        .map(|(term, is_beginning)| format!("\"{term}\"{}", if is_beginning { "*" } else { "" }))
        .collect();
    if terms.is_empty() || assistant.spec.knowledge.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let paths = paths(tx, assistant)?;
    let ids: Vec<i64> = paths.keys().copied().collect();
    let ids = serde_json::to_string(&ids)?;
    let count: i64 = tx
        .prepare_cached(
            "SELECT count(*) FROM passages WHERE document_id IN (SELECT value FROM json_each(?1))",
        )?
        .query_row([&ids], |row| row.get(0))?;
    let matched =
        format!("whose : \"a{}\" AND {{heading body}} : ({})", assistant.id.0, terms.join(" OR "));
    let mut statement = tx.prepare_cached(
        "SELECT p.document_id, p.heading, p.text
         FROM passage_words w JOIN passages p ON p.id = w.rowid
         WHERE passage_words MATCH ?1 AND p.document_id IN (SELECT value FROM json_each(?2))
         ORDER BY bm25(passage_words, 0.0, 3.0, 1.0), p.id LIMIT ?3",
    )?;
    let mut rows = statement.query(params![matched, ids, Value::from(CANDIDATES as i64)])?;
    let mut passages = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(path) = paths.get(&row.get::<_, i64>(0)?) else { continue };
        passages.push(Passage { document: path.clone(), heading: row.get(1)?, text: row.get(2)? });
    }
    Ok((passages, usize::try_from(count).unwrap_or(0)))
}

/// The rows of a version's documents, and where each stands.
pub(super) fn paths(
    tx: &Tx,
    assistant: &Assistant,
) -> Result<BTreeMap<i64, DocumentPath>, StoreError> {
    let mut statement =
        tx.prepare_cached("SELECT id, sha256 FROM documents WHERE assistant_id = ?1")?;
    let mut rows = statement.query([assistant.id.0])?;
    let named: BTreeMap<&str, &DocumentPath> =
        assistant.spec.knowledge.iter().rev().map(|one| (one.sha256.as_str(), &one.path)).collect();
    let mut paths = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let sha256 = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        if let Some(path) = named.get(sha256) {
            paths.insert(row.get(0)?, (*path).clone());
        }
    }
    Ok(paths)
}

/// The digests of the documents that a version names, as a JSON list.
pub(super) fn named(spec: &AssistantSpec) -> Result<String, StoreError> {
    let named: Vec<&Digest> = spec.knowledge.iter().map(|one| &one.sha256).collect();
    Ok(serde_json::to_string(&named)?)
}

/// Documents whose passages nobody looks up any more: no assistant in service names them, and no call
/// goes on that may have begun with them. Their texts stay, for the versions that name them.
pub fn unused(tx: &Tx) -> Result<Vec<i64>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT d.id FROM documents d JOIN assistants a ON a.id = d.assistant_id
         LEFT JOIN assistant_figures f ON f.assistant_id = a.id
         WHERE d.indexed = 1 AND coalesce(f.live_calls, 0) = 0
           AND (a.deleted_at IS NOT NULL
                OR NOT EXISTS (SELECT 1 FROM json_each(a.spec, '$.knowledge') named
                               WHERE json_extract(named.value, '$.sha256') = d.sha256))
         LIMIT ?1",
    )?;
    let ids = statement.query_map([AT_ONCE as i64], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Drops the passages of documents that nobody looks up any more.
pub fn drop_unused(tx: &Tx) -> Result<u64, StoreError> {
    let unused = unused(tx)?;
    for id in &unused {
        tx.prepare_cached(
            "DELETE FROM passage_words WHERE rowid IN (SELECT id FROM passages WHERE document_id = ?1)",
        )?
        .execute([id])?;
        tx.prepare_cached("DELETE FROM passages WHERE document_id = ?1")?.execute([id])?;
        tx.prepare_cached("UPDATE documents SET indexed = 0 WHERE id = ?1")?.execute([id])?;
    }
    Ok(unused.len() as u64)
}
