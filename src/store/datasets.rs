//! Rows to be taken out, a page at a time in the order of a key, so that neither the memory nor a
//! reader's view of the store grows with them.

use jiff::Timestamp;
use rusqlite::{
    OptionalExtension,
    types::{Value, ValueRef},
};

use super::{
    StoreError, Tx,
    call_costs::{COST_EUR, COST_UNPRICED, COST_USD},
    ledger_rows,
};
use crate::domain::{AssistantId, Cell, Dataset, Field, FieldKind, Sight, WhenRedacted};

/// Which rows.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    /// Of which kind.
    pub dataset: Dataset,
    /// Whose.
    pub sight: Sight,
    /// Of which assistant; all otherwise.
    pub assistant: Option<AssistantId>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this one.
    pub until: Option<Timestamp>,
}

/// The row that a page ended with: the next one begins after it.
#[derive(Debug, Clone)]
pub struct Place(pub(super) Vec<Value>);

pub(super) type Column = (&'static str, &'static str, FieldKind, WhenRedacted);

/// Where rows come from. `?1` is the owner, `?2` the assistant, `?3` and `?4` the window, which begins and ends
/// with the page where it can be parted, `?5` how many; from `?6` on the key of the row before.
struct Source {
    from: &'static str,
    filter: &'static str,
    /// What rows are ordered by: unique.
    key: &'static [&'static str],
    /// What is true of the rows after one.
    after: &'static str,
    columns: &'static [Column],
}

use FieldKind::{Amount, Flag, Json, Moment, Real, Text, Whole};
use WhenRedacted::{Empty, Masked, Pseudonym, Stays};

const CALLS: &[Column] = &[
    ("id", "c.id", Whole, Stays),
    ("assistant_id", "c.assistant_id", Whole, Stays),
    ("assistant", "a.name", Text, Stays),
    ("assistant_revision", "coalesce(c.assistant_revision, a.revision)", Whole, Stays),
    ("call_sid", "c.sid", Text, Stays),
    ("direction", "c.direction", Text, Stays),
    ("answered_by", "c.answered_by", Text, Stays),
    ("from_number", "c.caller", Text, Pseudonym),
    ("to_number", "c.to_number", Text, Stays),
    ("duration", "c.duration_s", Whole, Stays),
    ("status", "c.status", Text, Stays),
    ("satisfaction_score", "c.satisfaction", Whole, Stays),
    ("satisfaction_source", "c.satisfaction_source", Text, Stays),
    ("satisfaction_why", "c.satisfaction_why", Text, Empty),
    ("line", "c.line", Text, Stays),
    ("language", "c.language", Text, Stays),
    ("end_reason", "c.end_reason", Text, Stays),
    ("outcome", "c.outcome", Text, Stays),
    ("topic", "c.topic", Text, Masked),
    ("summary", "c.summary", Text, Empty),
    ("summary_source", "c.summary_source", Text, Stays),
    ("extract", "c.extracted", Json, Empty),
    ("disclosed_at", "c.disclosed_at", Moment, Stays),
    ("recording_consent", "c.recording_consent", Text, Stays),
    ("started_at", "c.started_at", Moment, Stays),
    ("ended_at", "c.ended_at", Moment, Stays),
    ("cost_eur", COST_EUR, Amount, Stays),
    ("cost_usd", COST_USD, Amount, Stays),
    ("cost_unpriced", COST_UNPRICED, Whole, Stays),
];

const TURNS: &[Column] = &[
    ("call_id", "t.call_id", Whole, Stays),
    ("call_sid", "c.sid", Text, Stays),
    ("assistant_id", "c.assistant_id", Whole, Stays),
    ("assistant", "a.name", Text, Stays),
    ("number", "t.number", Whole, Stays),
    ("heard", "t.heard", Text, Masked),
    ("heard_as", "t.heard_kind", Text, Stays),
    ("confidence", "round(t.confidence, 2)", Real, Stays),
    ("heard_language", "t.heard_language", Text, Stays),
    ("heard_at", "t.heard_at", Moment, Stays),
    ("said", "t.said", Text, Masked),
    ("unheard", "t.unheard", Text, Masked),
    ("language", "t.language", Text, Stays),
    ("next", "t.next", Text, Stays),
    ("transfer_to", "t.transfer_to", Text, Stays),
    ("engine", "t.engine", Text, Stays),
    ("attempts", "t.attempts", Json, Empty),
    ("tools", "t.tools", Json, Empty),
    ("first_token_ms", "t.first_token_ms", Whole, Stays),
    ("reply_ms", "t.reply_ms", Whole, Stays),
    ("endpoint_ms", "t.endpoint_ms", Whole, Stays),
    ("words_ms", "t.words_ms", Whole, Stays),
    ("sentence_ms", "t.sentence_ms", Whole, Stays),
    ("audio_ms", "t.audio_ms", Whole, Stays),
    ("frame_ms", "t.frame_ms", Whole, Stays),
    ("ear", "t.ear", Text, Stays),
    ("mouth", "t.mouth", Text, Stays),
    ("input_tokens", "t.input_tokens", Whole, Stays),
    ("cached_tokens", "t.cached_tokens", Whole, Stays),
    ("output_tokens", "t.output_tokens", Whole, Stays),
    ("fillers", "t.fillers", Whole, Stays),
];

const BOOKINGS: &[Column] = &[
    ("id", "b.id", Whole, Stays),
    ("reference", "b.reference", Text, Stays),
    ("status", "iif(b.cancelled_at IS NULL, 'confirmed', 'cancelled')", Text, Stays),
    ("assistant_id", "b.assistant_id", Whole, Stays),
    ("assistant", "a.name", Text, Stays),
    ("call_id", "b.call_id", Whole, Stays),
    ("name", "b.name", Text, Empty),
    ("party", "b.party", Whole, Stays),
    ("caller", "b.caller", Text, Pseudonym),
    ("service", "b.service", Text, Stays),
    ("resource", "b.resource", Text, Stays),
    ("nights", "b.nights", Whole, Stays),
    ("note", "b.note", Text, Empty),
    ("language", "b.language", Text, Stays),
    ("at", "b.local_time", Text, Stays),
    ("timezone", "b.timezone", Text, Stays),
    ("starts_at", "b.starts_at", Moment, Stays),
    ("ends_at", "b.ends_at", Moment, Stays),
    ("free_at", "b.free_at", Moment, Stays),
    ("created_at", "b.created_at", Moment, Stays),
    ("updated_at", "b.updated_at", Moment, Stays),
    ("cancelled_at", "b.cancelled_at", Moment, Stays),
];

/// What entries are ordered by.
pub(super) const LEDGER_KEY: &[&str] = &["e.call_id", "e.turn", "e.kind", "e.number", "e.rate_id"];

pub(super) const LEDGER: &[Column] = &[
    ("call_id", "nullif(e.call_id, 0)", Whole, Stays),
    ("call_sid", "c.sid", Text, Stays),
    ("assistant_id", "e.assistant_id", Whole, Stays),
    ("assistant", "a.name", Text, Stays),
    ("turn", "nullif(e.turn, -1)", Whole, Stays),
    ("at", "e.at", Moment, Stays),
    ("provider", "r.provider", Text, Stays),
    ("product", "r.product", Text, Stays),
    ("unit", "r.unit", Text, Stays),
    ("quantity", "e.quantity", Whole, Stays),
    ("price", "r.price", Amount, Stays),
    ("currency", "r.currency", Text, Stays),
    ("rate", "r.rate", Text, Stays),
    ("unpriced", "r.unpriced", Flag, Stays),
    ("amount", "e.amount", Amount, Stays),
    ("eur", "e.eur", Amount, Stays),
    ("usd", "e.usd", Amount, Stays),
];

const CONTACTS: &[Column] = &[
    ("id", "k.id", Whole, Stays),
    ("owner_id", "k.owner_id", Whole, Stays),
    ("number", "k.number", Text, Pseudonym),
    ("name", "k.name", Text, Empty),
    ("language", "k.language", Text, Stays),
    ("notes", "k.notes", Text, Empty),
    ("recording_consent", "k.recording_consent", Text, Stays),
    ("first_call_at", "k.first_call_at", Moment, Stays),
    ("last_call_at", "k.last_call_at", Moment, Stays),
    ("calls", "k.calls", Whole, Stays),
];

/// `CROSS JOIN` and `INDEXED BY` keep the order of the key the order of reading: each page costs what
/// it holds.
const fn source(dataset: Dataset, of_one: bool) -> Source {
    match dataset {
        Dataset::Calls => Source {
            from: if of_one {
                "calls c INDEXED BY calls_by_assistant CROSS JOIN assistants a ON a.id = c.assistant_id"
            } else {
                "calls c INDEXED BY calls_by_start CROSS JOIN assistants a ON a.id = c.assistant_id"
            },
            filter: BY_CALL,
            key: &["c.started_at", "c.id"],
            after: "(c.started_at > ?6 OR c.id > ?7)",
            columns: CALLS,
        },
        Dataset::Turns => Source {
            from: if of_one {
                "calls c INDEXED BY calls_by_assistant CROSS JOIN assistants a ON a.id = c.assistant_id
                 CROSS JOIN turns t ON t.call_id = c.id"
            } else {
                "calls c INDEXED BY calls_by_start CROSS JOIN assistants a ON a.id = c.assistant_id
                 CROSS JOIN turns t ON t.call_id = c.id"
            },
            filter: BY_CALL,
            key: &["c.started_at", "c.id", "t.number"],
            after: "(c.started_at > ?6 OR c.id > ?7 OR c.id = ?7 AND t.number > ?8)",
            columns: TURNS,
        },
        Dataset::Bookings => Source {
            from: "bookings b CROSS JOIN assistants a ON a.id = b.assistant_id",
            filter: "b.starts_at >= ?3 AND b.starts_at < ?4 AND (?1 IS NULL OR a.owner_id = ?1)
                     AND (?2 IS NULL OR b.assistant_id = ?2)",
            key: &["b.id"],
            after: "b.id > ?6",
            columns: BOOKINGS,
        },
        Dataset::Ledger => Source {
            from: "ledger_entries e CROSS JOIN ledger_rates r ON r.id = e.rate_id
                   CROSS JOIN assistants a ON a.id = e.assistant_id LEFT JOIN calls c ON c.id = e.call_id",
            filter: "e.at >= ?3 AND e.at < ?4 AND (?1 IS NULL OR a.owner_id = ?1)
                     AND (?2 IS NULL OR e.assistant_id = ?2)",
            key: LEDGER_KEY,
            after: "(e.call_id, e.turn, e.kind, e.number, e.rate_id) > (?6, ?7, ?8, ?9, ?10)",
            columns: LEDGER,
        },
        Dataset::Contacts => Source {
            from: "contacts k",
            filter: "k.last_call_at >= ?3 AND k.last_call_at < ?4 AND (?1 IS NULL OR k.owner_id = ?1)
                     AND ?2 IS NULL",
            key: &["k.id"],
            after: "k.id > ?6",
            columns: CONTACTS,
        },
    }
}

const BY_CALL: &str = "c.started_at >= ?3 AND c.started_at < ?4 AND (?1 IS NULL OR a.owner_id = ?1)
                       AND (?2 IS NULL OR c.assistant_id = ?2)";

/// The same with the assistant named, which an index on it needs.
const BY_CALL_OF_ONE: &str = "c.assistant_id = ?2 AND c.started_at >= ?3 AND c.started_at < ?4
     AND (?1 IS NULL OR a.owner_id = ?1)";

/// The fields of a dataset, in their order.
pub fn fields(dataset: Dataset) -> Vec<Field> {
    let field = |&(name, _, kind, redacted): &Column| Field { name, kind, redacted };
    source(dataset, false).columns.iter().map(field).collect()
}

impl Rows {
    fn filter(&self, source: &Source) -> &'static str {
        let of_calls = matches!(self.dataset, Dataset::Calls | Dataset::Turns);
        if of_calls && self.assistant.is_some() { BY_CALL_OF_ONE } else { source.filter }
    }

    pub(super) fn window(&self) -> [Value; 4] {
        let moment = |at: Option<Timestamp>, end: i64| {
            Value::Integer(at.map_or(end, Timestamp::as_millisecond))
        };
        [
            self.sight.owner().map_or(Value::Null, Value::Integer),
            self.assistant.map_or(Value::Null, |id| Value::Integer(id.0)),
            moment(self.since, i64::MIN),
            moment(self.until, i64::MAX),
        ]
    }

    /// How many there are.
    pub fn count(&self, tx: &Tx) -> Result<u64, StoreError> {
        if self.is_ledger_of_a_window() {
            return ledger_rows::count(self, tx);
        }
        let source = source(self.dataset, self.assistant.is_some());
        let sql = format!("SELECT count(*) FROM {} WHERE {}", source.from, self.filter(&source));
        let mut statement = tx.prepare_cached(&sql)?;
        Ok(statement
            .query_row(rusqlite::params_from_iter(self.window()), |row| row.get::<_, i64>(0))?
            as u64)
    }

    /// Whether pages can be parted before they are read.
    pub const fn parts(&self) -> bool {
        matches!(self.dataset, Dataset::Calls | Dataset::Turns)
    }

    /// The places that the next pages end with, of so many calls each; fewer than `most` where there are
    /// not as many pages. An index alone is read for it.
    pub fn ends(
        &self,
        tx: &Tx,
        after: Option<&Place>,
        calls: u32,
        most: usize,
    ) -> Result<Vec<Place>, StoreError> {
        let (index, of_one) = if self.assistant.is_some() {
            ("calls_by_assistant", "c.assistant_id = ?1 AND")
        } else {
            ("calls_by_start", "?1 IS NULL AND")
        };
        let sql = format!(
            "SELECT c.started_at, c.id FROM calls c INDEXED BY {index}
             WHERE {of_one} c.started_at >= ?2 AND c.started_at < ?3
               AND (c.started_at > ?2 OR c.id > ?4)
             ORDER BY c.started_at, c.id LIMIT 1 OFFSET ?5"
        );
        let mut statement = tx.prepare_cached(&sql)?;
        let [_, assistant, begin, end] = self.window();
        let (mut at, mut id) = match after {
            Some(Place(key)) => (key[0].clone(), key[1].clone()),
            None => (begin, Value::Integer(i64::MIN)),
        };
        let mut ends = Vec::new();
        while ends.len() < most {
            let skipped = i64::from(calls.max(1)) - 1;
            let found = statement
                .query_row(rusqlite::params![assistant, at, end, id, skipped], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            let Some(found) = found else { break };
            (at, id) = found;
            let mut key = vec![at.clone(), id.clone()];
            if self.dataset == Dataset::Turns {
                key.push(Value::Integer(i64::MAX));
            }
            ends.push(Place(key));
        }
        Ok(ends)
    }

    /// Hands out as many as `most` after a place, or from the beginning, and up to another, or to the end.
    /// Answers where the next page begins; nothing where this was the last one.
    pub fn page(
        &self,
        tx: &Tx,
        (after, up_to): (Option<&Place>, Option<&Place>),
        most: u32,
        take: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), StoreError>,
    ) -> Result<Option<Place>, StoreError> {
        if self.is_ledger_of_a_window() {
            return ledger_rows::page(self, tx, after, most, take);
        }
        let source = source(self.dataset, self.assistant.is_some());
        let mut sql = select(source.key, source.columns);
        sql.push_str(&format!(" FROM {} WHERE {}", source.from, self.filter(&source)));
        let mut values = Vec::from(self.window());
        // An index is read within one bound at either side, and it need not be the narrower of two.
        if self.parts() {
            if let Some(Place(key)) = after {
                values[2] = key[0].clone();
            }
            if let Some(Place(key)) = up_to
                && let Value::Integer(at) = key[0]
            {
                values[3] = Value::Integer(at.saturating_add(1));
            }
        }
        values.push(Value::Integer(i64::from(most)));
        if let Some(Place(key)) = after {
            sql.push_str(&format!(" AND {}", source.after));
            values.extend(key.iter().cloned());
        }
        if let Some(Place(key)) = up_to {
            let (at, id) = (values.len() + 1, values.len() + 2);
            sql.push_str(&format!(" AND (c.started_at < ?{at} OR c.id <= ?{id})"));
            values.extend(key.iter().take(2).cloned());
        }
        sql.push_str(&format!(" ORDER BY {} LIMIT ?5", source.key.join(", ")));
        let read = Read { dataset: self.dataset, keys: source.key.len(), most };
        Ok(read.all(tx, &sql, values, take)?.1)
    }

    /// Whether they are entries of a window, which are found by their calls.
    fn is_ledger_of_a_window(&self) -> bool {
        self.dataset == Dataset::Ledger && (self.since.is_some() || self.until.is_some())
    }
}

/// The beginning of a statement that reads columns behind the key of their row.
pub(super) fn select(key: &[&str], columns: &[Column]) -> String {
    let columns = columns.iter().map(|(_, expression, ..)| *expression);
    let all: Vec<&str> = key.iter().copied().chain(columns).collect();
    format!("SELECT {}", all.join(", "))
}

/// How rows are read: behind how many columns of a key, and how many at most.
pub(super) struct Read {
    pub(super) dataset: Dataset,
    pub(super) keys: usize,
    pub(super) most: u32,
}

impl Read {
    /// Hands out the rows of a statement. Answers how many there were, and the place of the last one
    /// where there may be more.
    pub(super) fn all(
        &self,
        tx: &Tx,
        sql: &str,
        values: Vec<Value>,
        take: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), StoreError>,
    ) -> Result<(u32, Option<Place>), StoreError> {
        let mut statement = tx.prepare_cached(sql)?;
        let (mut count, mut last) = (0, None);
        {
            let columns = statement.column_count();
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                let mut cells = Vec::with_capacity(columns - self.keys);
                for at in self.keys..columns {
                    cells.push(match row.get_ref(at)? {
                        ValueRef::Null | ValueRef::Blob(_) => Cell::Null,
                        ValueRef::Integer(whole) => Cell::Whole(whole),
                        ValueRef::Real(real) => Cell::Real(real),
                        ValueRef::Text(text) => {
                            Cell::Text(std::str::from_utf8(text).map_err(|_| {
                                StoreError::Row(format!("a row of {} is no UTF-8", self.dataset))
                            })?)
                        }
                    });
                }
                take(&cells)?;
                count += 1;
                if count == self.most {
                    let key =
                        (0..self.keys).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
                    last = Some(Place(key));
                }
            }
        }
        #[cfg(test)]
        tests::note(&statement);
        Ok((count, last))
    }
}

#[cfg(test)]
#[path = "datasets_tests.rs"]
pub(super) mod tests;
