//! The index of what was said, kept in the transaction that keeps or takes out what was said.

use std::ops::RangeInclusive;

use rusqlite::params;

use super::{StoreError, Tx, calls};
use crate::domain::{AssistantId, CallId, Speaker, TurnId, text_roots};

/// A turn with a higher number is not indexed: no call has so many.
const MOST_TURNS: u32 = 1 << 16;

/// Of so many calls, the rows of one are marked. FTS5 gives no sign of life, looks at no lower bound, and
/// does not even go to an upper one, before it has a row: where each of some words may be the mark instead, it
/// has one at least this often.
const MARKED: i64 = 1 << 16;

/// What marked rows have. Letters and figures of one word are two to `search_words`: nobody can say it.
pub(super) const MARK: &str = "m0";

/// Which row of the index a side of a turn is.
fn place(id: TurnId, speaker: Speaker) -> Option<i64> {
    let side = i64::from(speaker == Speaker::Assistant);
    (id.number < MOST_TURNS).then_some((id.call.0 << 17) | (i64::from(id.number) << 1) | side)
}

/// The side of a turn that a row of the index is.
pub(super) fn side_of(place: i64) -> (TurnId, Speaker) {
    let number = u32::try_from((place >> 1) & i64::from(MOST_TURNS - 1)).unwrap_or(0);
    let speaker = if place & 1 == 1 { Speaker::Assistant } else { Speaker::Caller };
    (TurnId { call: CallId(place >> 17), number }, speaker)
}

/// The row of a call with the lowest number.
pub(super) fn first_place(call: CallId) -> i64 {
    call.0.saturating_mul(1 << 17)
}

/// Whether the rows of a call are marked.
pub(super) fn is_marked(call: CallId) -> bool {
    call.0 % MARKED == 0
}

/// A text as it is indexed; nothing where it has no word.
fn indexed(text: &str, assistant: AssistantId, marked: bool) -> Option<String> {
    let mut roots = text_roots(text);
    if roots.is_empty() {
        return None;
    }
    roots.push(whose(assistant));
    if marked {
        roots.push(MARK.to_owned());
    }
    Some(roots.join(" "))
}

/// What the rows of an assistant have; nobody can say it either.
pub(super) fn whose(assistant: AssistantId) -> String {
    format!("a{}", assistant.0)
}

/// What was said in a side of a turn is another text from now on; either may be empty.
pub(super) fn change(
    tx: &Tx,
    id: TurnId,
    speaker: Speaker,
    before: &str,
    now: &str,
) -> Result<(), StoreError> {
    let Some(place) = place(id, speaker).filter(|_| before != now) else { return Ok(()) };
    let Some(assistant) = calls::assistant_id(tx, id.call)? else { return Ok(()) };
    take_out(tx, place, before, assistant)?;
    put_in(tx, place, now, assistant)
}

fn put_in(tx: &Tx, place: i64, text: &str, assistant: AssistantId) -> Result<(), StoreError> {
    let marked = is_marked(side_of(place).0.call);
    if let Some(words) = indexed(text, assistant, marked) {
        insert(tx, place, &words)?;
    }
    Ok(())
}

fn insert(tx: &Tx, place: i64, words: &str) -> Result<(), StoreError> {
    tx.prepare_cached("INSERT INTO turn_words (rowid, words) VALUES (?1, ?2)")?
        .execute(params![place, words])?;
    Ok(())
}

/// The index holds no texts: it must be told what it was given.
fn take_out(tx: &Tx, place: i64, text: &str, assistant: AssistantId) -> Result<(), StoreError> {
    let marked = is_marked(side_of(place).0.call);
    if let Some(words) = indexed(text, assistant, marked) {
        delete(tx, place, &words)?;
    }
    Ok(())
}

fn delete(tx: &Tx, place: i64, words: &str) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO turn_words (turn_words, rowid, words) VALUES ('delete', ?1, ?2)",
    )?
    .execute(params![place, words])?;
    Ok(())
}

/// Takes all that was said in a call out of the index, before it is taken out of its turns.
pub(super) fn forget(tx: &Tx, call: CallId) -> Result<(), StoreError> {
    each(tx, call..=call, take_out)
}

/// Indexes all turns there are; once, when there is an index for the first time.
pub(super) fn index_all(tx: &Tx) -> Result<(), StoreError> {
    index(tx, CallId(0)..=CallId(i64::MAX))
}

/// Indexes what was said in some calls that were written without it.
///
/// # Errors
/// When the store cannot be read or written.
pub fn index(tx: &Tx, calls: RangeInclusive<CallId>) -> Result<(), StoreError> {
    each(tx, calls, put_in)
}

/// Marks the rows that are to be marked; once, in an index that was made before there were marks.
pub(super) fn mark(tx: &Tx) -> Result<(), StoreError> {
    let calls = tx
        .prepare("SELECT id FROM calls WHERE id IN (SELECT block * 4096 FROM call_blocks) AND id % ?1 = 0")?
        .query_map([MARKED], |row| row.get(0).map(CallId))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for call in calls {
        each(tx, call..=call, |tx, place, text, assistant| {
            let (before, now) = (indexed(text, assistant, false), indexed(text, assistant, true));
            if let (Some(before), Some(now)) = (before, now) {
                delete(tx, place, &before)?;
                insert(tx, place, &now)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Whether the index is whole.
pub fn check(tx: &Tx) -> Result<(), StoreError> {
    let broken: Option<String> = tx.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    match broken {
        Some(told) if told != "ok" => Err(StoreError::Row(told)),
        _ => Ok(()),
    }
}

/// Does something with every text of some calls' turns.
fn each(
    tx: &Tx,
    calls: RangeInclusive<CallId>,
    mut with: impl FnMut(&Tx, i64, &str, AssistantId) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT t.call_id, t.number, CASE WHEN t.heard_kind = 'speech' THEN t.heard END, t.said,
                c.assistant_id
         FROM turns t JOIN calls c ON c.id = t.call_id WHERE t.call_id BETWEEN ?1 AND ?2
         ORDER BY t.call_id, t.number",
    )?;
    let mut rows = statement.query([calls.start().0, calls.end().0])?;
    while let Some(row) = rows.next()? {
        let id = TurnId { call: CallId(row.get(0)?), number: row.get(1)? };
        let assistant = AssistantId(row.get(4)?);
        for (column, speaker) in [(2, Speaker::Caller), (3, Speaker::Assistant)] {
            let text: Option<String> = row.get(column)?;
            if let (Some(text), Some(place)) = (text, place(id, speaker)) {
                with(tx, place, &text, assistant)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("migrations/0020_transcripts.sql")).unwrap();
        connection
    }

    fn count(connection: &Connection, words: &str) -> i64 {
        connection
            .query_row(
                "SELECT count(*) FROM turn_words WHERE turn_words MATCH ?1",
                [words],
                |row| row.get(0),
            )
            .unwrap()
    }

    #[test]
    fn what_is_taken_out_is_gone_and_the_index_is_whole() {
        let connection = connection();
        let assistant = AssistantId(7);
        for n in 0..200_i64 {
            let text = format!("Bonjour, mon code est zyxwvut et {n}.");
            put_in(&connection, n << 17, &text, assistant).unwrap();
        }
        assert_eq!(count(&connection, "\"zyxwvut\""), 200);
        for n in 0..200_i64 {
            let text = format!("Bonjour, mon code est zyxwvut et {n}.");
            take_out(&connection, n << 17, &text, assistant).unwrap();
            if n % 2 == 0 {
                put_in(&connection, n << 17, "Bonjour.", assistant).unwrap();
            }
        }
        assert_eq!(
            (count(&connection, "\"zyxwvut\""), count(&connection, "\"bonjour\"")),
            (0, 100)
        );
        assert_eq!(count(&connection, "\"bonjour\" AND (\"a7\" OR \"a8\")"), 100);
        assert_eq!(count(&connection, "\"bonjour\" AND \"a8\""), 0);
        connection
            .execute_batch("INSERT INTO turn_words (turn_words) VALUES ('integrity-check')")
            .unwrap();
        let left: i64 = connection
            .query_row(
                "SELECT count(*) FROM turn_words_data WHERE instr(block, CAST('zyxwvut' AS BLOB)) > 0",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(left, 0, "not a letter of it is in the index");
    }

    #[test]
    fn an_index_that_was_made_without_marks_gets_them() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("migrations/0020_transcripts.sql")).unwrap();
        connection
            .execute_batch(
                "CREATE VIEW series AS WITH RECURSIVE n (value) AS (
                     SELECT 65000 UNION ALL SELECT value + 1 FROM n WHERE value < 67000
                 ) SELECT value FROM n;
                 CREATE TABLE calls (id INTEGER PRIMARY KEY, assistant_id INTEGER);
                 CREATE TABLE turns (call_id INTEGER, number INTEGER, heard_kind TEXT, heard TEXT, said TEXT);
                 CREATE TABLE call_blocks (block INTEGER PRIMARY KEY);
                 INSERT INTO calls SELECT value, 7 FROM series;
                 INSERT INTO turns SELECT value, 1, 'speech', 'Bonjour', 'Oui ' || value
                 FROM series;
                 INSERT INTO call_blocks VALUES (15), (16);",
            )
            .unwrap();
        for n in 65_000..=67_000_i64 {
            for (place, text) in
                [(n << 17 | 2, "Bonjour".to_owned()), (n << 17 | 3, format!("Oui {n}"))]
            {
                insert(&connection, place, &indexed(&text, AssistantId(7), false).unwrap())
                    .unwrap();
            }
        }
        mark(&connection).unwrap();
        assert_eq!(count(&connection, "\"m0\""), 2, "both sides of call 65,536");
        assert_eq!(count(&connection, "\"m0\" AND \"bonjour\""), 1);
        assert_eq!(count(&connection, "\"a7\""), 2 * 2001, "none is there twice");
        forget(&connection, CallId(65_536)).unwrap();
        assert_eq!(count(&connection, "\"m0\""), 0);
        assert_eq!(count(&connection, "\"65536\""), 0);
        connection
            .execute_batch("INSERT INTO turn_words (turn_words) VALUES ('integrity-check')")
            .unwrap();
    }

    #[test]
    fn a_row_says_which_turn_it_is() {
        for (call, number, speaker) in [
            (1, 0, Speaker::Assistant),
            (60_000_000, 65_535, Speaker::Caller),
            (7, 3, Speaker::Caller),
        ] {
            let id = TurnId { call: CallId(call), number };
            assert_eq!(side_of(place(id, speaker).unwrap()), (id, speaker));
        }
        assert_eq!(place(TurnId { call: CallId(1), number: MOST_TURNS }, Speaker::Caller), None);
    }
}
