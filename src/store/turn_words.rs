//! The index of what was said, kept in the transaction that keeps or takes out what was said.

use jiff::Timestamp;
use rusqlite::params;

use super::{StoreError, Tx, assistants::time};
use crate::domain::{
    AssistantId, CallId, Sight, Snippet, Speaker, TranscriptHit, TranscriptPage, TranscriptQuery,
    TurnId, text_roots,
};

/// A turn with a higher number is not indexed: no call has so many.
const MOST_TURNS: u32 = 1 << 16;

/// Calls looked at to tell how far back a window of time reaches in the index; above this, every hit is
/// looked at by itself.
const WINDOW: i64 = 100_000;

/// Assistants of one owner that are asked for by name; above this, every hit is looked at by itself.
const MOST_OWN: usize = 500;

/// Which row of the index a side of a turn is.
fn place(id: TurnId, speaker: Speaker) -> Option<i64> {
    let side = i64::from(speaker == Speaker::Assistant);
    (id.number < MOST_TURNS).then_some((id.call.0 << 17) | (i64::from(id.number) << 1) | side)
}

/// The side of a turn that a row of the index is.
fn side_of(place: i64) -> (TurnId, Speaker) {
    let number = u32::try_from((place >> 1) & i64::from(MOST_TURNS - 1)).unwrap_or(0);
    let speaker = if place & 1 == 1 { Speaker::Assistant } else { Speaker::Caller };
    (TurnId { call: CallId(place >> 17), number }, speaker)
}

/// A text as it is indexed; nothing where it has no word.
fn indexed(text: &str, assistant: AssistantId) -> Option<String> {
    let mut roots = text_roots(text);
    if roots.is_empty() {
        return None;
    }
    roots.push(whose(assistant));
    Some(roots.join(" "))
}

/// Letters and figures of one word are two to `search_words`: nobody can say this one.
fn whose(assistant: AssistantId) -> String {
    format!("a{}", assistant.0)
}

fn assistant_of(tx: &Tx, call: CallId) -> Result<AssistantId, StoreError> {
    let id = tx
        .prepare_cached("SELECT assistant_id FROM calls WHERE id = ?1")?
        .query_row([call.0], |row| row.get(0))?;
    Ok(AssistantId(id))
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
    let assistant = assistant_of(tx, id.call)?;
    take_out(tx, place, before, assistant)?;
    put_in(tx, place, now, assistant)
}

fn put_in(tx: &Tx, place: i64, text: &str, assistant: AssistantId) -> Result<(), StoreError> {
    if let Some(words) = indexed(text, assistant) {
        tx.prepare_cached("INSERT INTO turn_words (rowid, words) VALUES (?1, ?2)")?
            .execute(params![place, words])?;
    }
    Ok(())
}

/// The index holds no texts: it must be told what it was given.
fn take_out(tx: &Tx, place: i64, text: &str, assistant: AssistantId) -> Result<(), StoreError> {
    if let Some(words) = indexed(text, assistant) {
        tx.prepare_cached(
            "INSERT INTO turn_words (turn_words, rowid, words) VALUES ('delete', ?1, ?2)",
        )?
        .execute(params![place, words])?;
    }
    Ok(())
}

/// Takes all that was said in a call out of the index, before it is taken out of its turns.
pub(super) fn forget(tx: &Tx, call: CallId) -> Result<(), StoreError> {
    each(tx, Some(call), take_out)
}

/// Indexes all turns there are; once, when there is an index for the first time.
pub(super) fn index_all(tx: &Tx) -> Result<(), StoreError> {
    each(tx, None, put_in)
}

/// Whether the index is whole.
pub fn check(tx: &Tx) -> Result<(), StoreError> {
    let broken: Option<String> = tx.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    match broken {
        Some(told) if told != "ok" => Err(StoreError::Row(told)),
        _ => Ok(()),
    }
}

/// Does something with every text of a call's turns, or of all.
fn each(
    tx: &Tx,
    call: Option<CallId>,
    mut with: impl FnMut(&Tx, i64, &str, AssistantId) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let only = if call.is_some() { "t.call_id = ?1" } else { "?1 IS NULL" };
    let mut statement = tx.prepare_cached(&format!(
        "SELECT t.call_id, t.number, CASE WHEN t.heard_kind = 'speech' THEN t.heard END, t.said,
                c.assistant_id
         FROM turns t JOIN calls c ON c.id = t.call_id WHERE {only} ORDER BY t.call_id, t.number"
    ))?;
    let mut rows = statement.query([call.map(|call| call.0)])?;
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

/// Turns with all of some words, the newest call first, as far as they may be seen.
pub fn search(
    tx: &Tx,
    sight: Sight,
    query: &TranscriptQuery,
) -> Result<TranscriptPage, StoreError> {
    let nothing = TranscriptPage { hits: Vec::new(), next: None };
    let Some(whose) = whose_turns(tx, sight, query.assistant)? else { return Ok(nothing) };
    // Letters and figures between quotes: nothing in them is an operator.
    let words: Vec<String> = query.roots.iter().map(|root| format!("\"{root}\"")).collect();
    let matched = format!("{}{whose}", words.join(" AND "));
    let least = match query.since {
        Some(since) => oldest_since(tx, since.as_millisecond())?,
        None => None,
    };
    // The index gives its rows in their order, and no more than are taken: a word that is in every
    // second turn costs no more than a rare one.
    let mut statement = tx.prepare_cached(
        "SELECT w.rowid, c.sid, a.name, c.caller, t.heard_at, t.heard, t.said
         FROM turn_words w CROSS JOIN calls c ON c.id = w.rowid >> 17
         CROSS JOIN turns t ON t.call_id = c.id AND t.number = (w.rowid >> 1) & 65535
         CROSS JOIN assistants a ON a.id = c.assistant_id
         WHERE turn_words MATCH ?1 AND w.rowid < ?2 AND w.rowid >= ?3
           AND (?4 IS NULL OR c.started_at >= ?4) AND (?5 IS NULL OR c.started_at < ?5)
           AND (?6 IS NULL OR a.owner_id = ?6) AND (?7 IS NULL OR a.id = ?7)
         ORDER BY w.rowid DESC LIMIT ?8",
    )?;
    let values = params![
        matched,
        query.before.unwrap_or(i64::MAX),
        least.map_or(0, |CallId(id)| id << 17),
        query.since.map(Timestamp::as_millisecond),
        query.until.map(Timestamp::as_millisecond),
        sight.owner(),
        query.assistant.map(|assistant| assistant.0),
        i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1),
    ];
    let mut rows = statement.query(values)?;
    let mut hits = Vec::new();
    while let Some(row) = rows.next()? {
        let place: i64 = row.get(0)?;
        let (id, speaker) = side_of(place);
        let column = if speaker == Speaker::Caller { 5 } else { 6 };
        let text: Option<String> = row.get(column)?;
        hits.push(TranscriptHit {
            call_sid: row.get::<_, String>(1)?.parse().map_err(StoreError::User)?,
            assistant: row.get::<_, String>(2)?.parse().map_err(StoreError::User)?,
            caller: row.get(3)?,
            turn: id.number,
            at: time(row.get(4)?)?,
            speaker,
            snippet: Snippet::of(text.as_deref().unwrap_or_default(), &query.roots),
            place,
        });
    }
    let more = hits.len() as u64 > query.limit;
    if more {
        hits.pop();
    }
    let next = hits.last().filter(|_| more).map(|last| last.place);
    Ok(TranscriptPage { hits, next })
}

/// What else a row of the index must have for its turns to be seen: nothing where all may be, and no
/// answer at all where none may.
fn whose_turns(
    tx: &Tx,
    sight: Sight,
    assistant: Option<AssistantId>,
) -> Result<Option<String>, StoreError> {
    if let Some(assistant) = assistant {
        return Ok(Some(format!(" AND \"{}\"", whose(assistant))));
    }
    let Some(owner) = sight.owner() else { return Ok(Some(String::new())) };
    let own: Vec<String> = tx
        .prepare_cached("SELECT id FROM assistants WHERE owner_id = ?1 ORDER BY id LIMIT ?2")?
        .query_map(params![owner, MOST_OWN as i64 + 1], |row| {
            Ok(format!("\"{}\"", whose(AssistantId(row.get(0)?))))
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(match own.len() {
        0 => None,
        1..=MOST_OWN => Some(format!(" AND ({})", own.join(" OR "))),
        _ => Some(String::new()),
    })
}

/// The call with the lowest row of those that began since a moment; nothing where that would take long to
/// tell, and is of little use.
fn oldest_since(tx: &Tx, since: i64) -> Result<Option<CallId>, StoreError> {
    let (oldest, count): (Option<i64>, i64) = tx
        .prepare_cached(
            "SELECT min(id), count(*) FROM (SELECT id FROM calls WHERE started_at >= ?1 LIMIT ?2)",
        )?
        .query_row([since, WINDOW + 1], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(oldest.filter(|_| count <= WINDOW).map(CallId))
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
