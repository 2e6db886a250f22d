//! Turns with some words in what was said, from the index of `turn_words`.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{
    StoreError, Tx,
    assistants::time,
    turn_words::{self, MARK, whose},
};
use crate::domain::{
    AssistantId, CallId, Sight, Snippet, Speaker, TranscriptHit, TranscriptPage, TranscriptQuery,
    TurnId, text_roots,
};

/// Calls of a row of `call_blocks`.
const BLOCK: i64 = 4096;

/// So few assistants are asked for by name at once: their rows are few beside all.
const FEW: usize = 8;

/// More of them than this are not asked for by name: the index goes through the names one by one.
const MOST: usize = 500;

/// After so many rows of other people's assistants in a row, assistants are asked for by name.
const OTHERS: u32 = 2_000;

/// Turns with all of some words, the newest call first, as far as they may be seen. What takes longer than
/// `patience` is broken off: a page is then shorter than the limit, may be empty, and says where to go on.
///
/// # Errors
/// When the store cannot be read.
pub fn search(
    tx: &Tx,
    sight: Sight,
    query: &TranscriptQuery,
    patience: Duration,
) -> Result<TranscriptPage, StoreError> {
    let Some(wanted) = Wanted::of(tx, sight, query)? else { return Ok(TranscriptPage::default()) };
    let mut page = Pages { tx, query, wanted, hits: Vec::new(), until: Instant::now() + patience };
    let mut before = query.before.unwrap_or(i64::MAX);
    let mut by_name = page.wanted.assistants.as_ref().is_some_and(|own| own.len() <= FEW);
    loop {
        match page.go_on(before, by_name)? {
            Stop::Done(next) => return Ok(TranscriptPage { hits: page.hits, next }),
            Stop::Others(place) => (before, by_name) = (place, true),
        }
    }
}

/// Why no more rows are read.
enum Stop {
    /// There are no more, or the page goes on before a place.
    Done(Option<i64>),
    /// Nearly all before a place are other people's.
    Others(i64),
}

/// Which rows are looked at, and whose are wanted.
struct Wanted {
    /// Of these alone; of all where there is nothing.
    assistants: Option<HashSet<i64>>,
    /// In the calls from one number to before another.
    calls: (CallId, CallId),
}

impl Wanted {
    /// Nothing where no call can be.
    fn of(tx: &Tx, sight: Sight, query: &TranscriptQuery) -> Result<Option<Self>, StoreError> {
        let assistants = match (sight.owner(), query.assistant) {
            (None, None) => None,
            (owner, one) => Some(
                tx.prepare_cached(
                    "SELECT id FROM assistants
                     WHERE (?1 IS NULL OR owner_id = ?1) AND (?2 IS NULL OR id = ?2)",
                )?
                .query_map(params![owner, one.map(|id| id.0)], |row| row.get(0))?
                .collect::<rusqlite::Result<HashSet<i64>>>()?,
            ),
        };
        if assistants.as_ref().is_some_and(HashSet::is_empty) {
            return Ok(None);
        }
        let (first, last): (Option<i64>, Option<i64>) = tx
            .prepare_cached(
                "SELECT (SELECT min(block) FROM call_blocks WHERE ?1 IS NULL OR newest >= ?1),
                        (SELECT max(block) FROM call_blocks WHERE ?2 IS NULL OR oldest < ?2)",
            )?
            .query_row(
                [query.since, query.until].map(|at| at.map(Timestamp::as_millisecond)),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
        let calls = first.zip(last).map(|(first, last)| (first * BLOCK, (last + 1) * BLOCK));
        Ok(calls.map(|(from, to)| Self { assistants, calls: (CallId(from), CallId(to)) }))
    }

    /// What is asked of the index. Letters and figures between quotes: nothing in them is an operator.
    /// Of several words, each may be the mark instead: all lists of rows meet at marked ones.
    fn asked(&self, roots: &[String], by_name: bool) -> String {
        let quoted = |word: &str| format!("\"{word}\"");
        let mut terms: Vec<String> = roots.iter().map(|root| quoted(root)).collect();
        if let Some(own) = self.assistants.as_ref().filter(|_| by_name) {
            let mut names: Vec<i64> = own.iter().copied().collect();
            names.sort_unstable();
            let names: Vec<_> = names.iter().map(|id| quoted(&whose(AssistantId(*id)))).collect();
            terms.push(names.join(" OR "));
        }
        if let [one] = &terms[..] {
            return one.clone();
        }
        let marked = terms.iter().map(|term| format!("({term} OR {})", quoted(MARK)));
        marked.collect::<Vec<_>>().join(" AND ")
    }

    fn has(&self, assistant: i64) -> bool {
        self.assistants.as_ref().is_none_or(|own| own.contains(&assistant))
    }
}

/// A page that is being read.
struct Pages<'a> {
    tx: &'a Tx,
    query: &'a TranscriptQuery,
    wanted: Wanted,
    hits: Vec<TranscriptHit>,
    until: Instant,
}

/// What is known of a row before its texts are read.
enum Row {
    Wanted,
    Others,
    Unwanted,
}

impl Pages<'_> {
    /// Reads rows before a place until there is a reason to stop.
    fn go_on(&mut self, before: i64, by_name: bool) -> Result<Stop, StoreError> {
        let (from, to) = self.wanted.calls;
        let mut statement = self.tx.prepare_cached(
            "SELECT rowid FROM turn_words WHERE turn_words MATCH ?1 AND rowid < ?2 AND rowid >= ?3
             ORDER BY rowid DESC",
        )?;
        let mut rows = statement.query(params![
            self.wanted.asked(&self.query.roots, by_name),
            before.min(turn_words::first_place(to)),
            turn_words::first_place(from),
        ])?;
        let can_name =
            !by_name && self.wanted.assistants.as_ref().is_some_and(|own| own.len() <= MOST);
        let mut others = 0;
        while let Some(row) = rows.next()? {
            let place: i64 = row.get(0)?;
            let (id, speaker) = turn_words::side_of(place);
            match self.look_at(id.call)? {
                Row::Wanted => {
                    others = 0;
                    if let Some(hit) = self.hit(place, id, speaker)? {
                        // One more than fits: there is a next page.
                        if self.hits.len() as u64 >= self.query.limit {
                            return Ok(Stop::Done(self.hits.last().map(|last| last.place)));
                        }
                        self.hits.push(hit);
                    }
                }
                Row::Others => others += 1,
                Row::Unwanted => {}
            }
            if Instant::now() >= self.until {
                return Ok(Stop::Done(Some(place)));
            }
            if can_name && others >= OTHERS {
                return Ok(Stop::Others(place));
            }
        }
        Ok(Stop::Done(None))
    }

    fn look_at(&self, call: CallId) -> Result<Row, StoreError> {
        let found: Option<(i64, i64)> = self
            .tx
            .prepare_cached("SELECT assistant_id, started_at FROM calls WHERE id = ?1")?
            .query_row([call.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((assistant, began)) = found else { return Ok(Row::Unwanted) };
        if !self.wanted.has(assistant) {
            return Ok(Row::Others);
        }
        let since = self.query.since.is_none_or(|since| began >= since.as_millisecond());
        let until = self.query.until.is_none_or(|until| began < until.as_millisecond());
        Ok(if since && until { Row::Wanted } else { Row::Unwanted })
    }

    /// Nothing for a row that is marked, and has not all of the words.
    fn hit(
        &self,
        place: i64,
        id: TurnId,
        speaker: Speaker,
    ) -> Result<Option<TranscriptHit>, StoreError> {
        let mut statement = self.tx.prepare_cached(
            "SELECT c.sid, a.name, c.caller, t.heard_at, t.heard, t.said
             FROM turns t JOIN calls c ON c.id = t.call_id JOIN assistants a ON a.id = c.assistant_id
             WHERE t.call_id = ?1 AND t.number = ?2",
        )?;
        let mut rows = statement.query(params![id.call.0, id.number])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let column = if speaker == Speaker::Caller { 4 } else { 5 };
        let text: Option<String> = row.get(column)?;
        let text = text.unwrap_or_default();
        if turn_words::is_marked(id.call) {
            let has = text_roots(&text);
            if !self.query.roots.iter().all(|root| has.contains(root)) {
                return Ok(None);
            }
        }
        Ok(Some(TranscriptHit {
            call_sid: row.get::<_, String>(0)?.parse().map_err(StoreError::User)?,
            assistant: row.get::<_, String>(1)?.parse().map_err(StoreError::User)?,
            caller: row.get(2)?,
            turn: id.number,
            at: time(row.get(3)?)?,
            speaker,
            snippet: Snippet::of(&text, &self.query.roots),
            place,
        }))
    }
}
