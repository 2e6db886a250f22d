//! Figures of calls by hour, which triggers keep (migration 0022): read over any window, whole hours from them
//! and the ragged ends from the calls themselves.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Row, params};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::{StoreError, Tx};
use crate::domain::{
    AssistantId, AssistantSpec, Breakdown, CallOutcome, CallStatus, Cost, Micros, Sight, Stage,
};

const HOUR_MS: i64 = 3_600_000;
const QUARTER_MS: i64 = 900_000;
const DAY_MS: i64 = 86_400_000;

/// Whether the caller (`?3`) of a call that rings (at `?8`, in the direction `?11`) called the same assistant
/// (`?2`) in the seven days before.
pub(super) const AGAIN: &str = "CASE WHEN ?3 IS NOT NULL AND ?11 = 'inbound' THEN EXISTS (
    SELECT 1 FROM calls INDEXED BY calls_by_caller WHERE caller = ?3 AND started_at BETWEEN ?8 - 604800000 AND ?8
    AND assistant_id = ?2 AND direction = 'inbound' AND status <> 'rejected') END";

/// A window of time, both ends optional, and whose calls.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Inclusive.
    pub since: Option<Timestamp>,
    /// Exclusive.
    pub until: Option<Timestamp>,
    /// Of these assistants only.
    pub assistants: Option<Vec<AssistantId>>,
    /// Those that may be seen only.
    pub sight: Sight,
}

/// What is looked at: the sums of everybody's calls have rows of their own.
struct Whose {
    /// A JSON list of ids.
    ids: String,
    everybody: bool,
}

impl Whose {
    /// What raw rows are picked by, and the index that answers it.
    const fn raw(&self) -> (&'static str, &'static str) {
        if self.everybody {
            // The parameter is bound in any case.
            ("calls_by_start", "?1 IS NOT NULL")
        } else {
            ("calls_by_assistant", "c.assistant_id IN (SELECT value FROM json_each(?1))")
        }
    }
}

impl Reach {
    fn whose(&self, tx: &Tx) -> Result<Whose, StoreError> {
        if self.sight == Sight::All && self.assistants.is_none() {
            return Ok(Whose { ids: "[0]".to_owned(), everybody: true });
        }
        let mut statement =
            tx.prepare_cached("SELECT id FROM assistants WHERE (?1 IS NULL OR owner_id = ?1)")?;
        let seen = statement.query_map([self.sight.owner()], |row| row.get(0))?;
        let mut ids = seen.collect::<rusqlite::Result<Vec<i64>>>()?;
        if let Some(wanted) = &self.assistants {
            ids.retain(|id| wanted.contains(&AssistantId(*id)));
        }
        Ok(Whose { ids: serde_json::to_string(&ids)?, everybody: false })
    }

    fn bounds(&self) -> (i64, i64) {
        (
            self.since.map_or(i64::MIN / 2, Timestamp::as_millisecond),
            self.until.map_or(i64::MAX / 2, Timestamp::as_millisecond),
        )
    }

    /// Whole stretches of a length, from and to in numbers of them; and what is ragged, in milliseconds.
    fn cut(&self, length: i64) -> (Option<Stretch>, Vec<Stretch>) {
        let (since, until) = self.bounds();
        let first = since.div_euclid(length) + i64::from(since.rem_euclid(length) != 0);
        let end = until.div_euclid(length);
        if first >= end {
            return (None, vec![(since, until)]);
        }
        let ragged = [(since, first * length), (end * length, until)];
        (Some((first, end)), ragged.into_iter().filter(|(from, to)| from < to).collect())
    }
}

/// From, and up to.
type Stretch = (i64, i64);

/// How finely time is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// Quick.
    Hour,
    /// From the calls alone; for zones whose days do not begin with an hour of UTC.
    Quarter,
}

/// Calls that began within one grain and share status, outcome and language.
#[derive(Debug, Clone, Copy)]
pub struct Figure<'a> {
    /// Since when, in milliseconds.
    pub at_ms: i64,
    /// How they stand.
    pub status: CallStatus,
    /// What came of them; nothing when it is not known.
    pub outcome: Option<CallOutcome>,
    /// In which language.
    pub language: &'a str,
    /// Their sums.
    pub sums: Breakdown,
    /// How many a human took.
    pub transferred: u64,
    /// Of how many it is known whether somebody called again.
    pub callers: u64,
    /// In how many somebody did.
    pub again: u64,
    /// Of how many it is known what they cost.
    pub costed: u64,
    /// What they cost.
    pub cost: Cost,
}

fn figure<'a>(row: &'a Row<'_>, length: i64) -> Result<Figure<'a>, StoreError> {
    let count = |column: usize| -> rusqlite::Result<u64> {
        Ok(row.get::<_, i64>(column)?.max(0).unsigned_abs())
    };
    let word = |column: usize| -> Result<&'a str, StoreError> {
        Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
    };
    let outcome = word(2)?;
    Ok(Figure {
        at_ms: row.get::<_, i64>(0)? * length,
        status: word(1)?.parse().map_err(StoreError::User)?,
        outcome: match outcome {
            "" => None,
            word => Some(word.parse().map_err(StoreError::User)?),
        },
        language: word(3)?,
        sums: Breakdown {
            calls: count(4)?,
            duration_s: count(5)?,
            satisfaction_sum: count(6)?,
            satisfaction_count: count(7)?,
        },
        transferred: count(8)?,
        callers: count(9)?,
        again: count(10)?,
        costed: count(11)?,
        cost: Cost {
            eur: Micros::from_micros(row.get(12)?),
            usd: Micros::from_micros(row.get(13)?),
        },
    })
}

const RAW: &str = "c.status, coalesce(c.outcome, ''), c.language, count(*), coalesce(sum(c.duration_s), 0),
    coalesce(sum(c.satisfaction), 0), count(c.satisfaction),
    coalesce(sum(c.end_reason IS 'transferred' OR c.outcome IS 'transferred'), 0), count(c.again),
    coalesce(sum(c.again), 0), count(c.cost_eur), coalesce(sum(c.cost_eur), 0), coalesce(sum(c.cost_usd), 0)";

/// Says of a call `c` that it goes on, in the words of the index `calls_not_completed`.
pub(super) const GOES_ON: &str =
    "c.status IN ('ringing', 'in-progress') AND c.status <> 'completed' AND c.ended_at IS NULL";

/// The figures of a window, live calls included.
pub fn each(
    tx: &Tx,
    reach: &Reach,
    grain: Grain,
    mut take: impl FnMut(&Figure<'_>),
) -> Result<(), StoreError> {
    let whose = reach.whose(tx)?;
    let (length, (whole, ragged)) = match grain {
        Grain::Hour => (HOUR_MS, reach.cut(HOUR_MS)),
        Grain::Quarter => (QUARTER_MS, (None, vec![reach.bounds()])),
    };
    if let Some((first, end)) = whole {
        let mut statement = tx.prepare_cached(
            "SELECT hour, status, outcome, language, calls, duration_s, satisfaction_sum, satisfaction_count,
                    transferred, callers, again, costed, eur, usd
             FROM call_hours WHERE assistant_id IN (SELECT value FROM json_each(?1))
               AND hour >= ?2 AND hour < ?3 AND calls <> 0",
        )?;
        let mut rows = statement.query(params![whose.ids, first, end])?;
        while let Some(row) = rows.next()? {
            take(&figure(row, HOUR_MS)?);
        }
    }
    let (index, theirs) = whose.raw();
    let ended = format!(
        "SELECT c.started_at / {length}, {RAW} FROM calls c INDEXED BY {index}
         WHERE c.started_at >= ?2 AND c.started_at < ?3 AND {theirs} AND c.ended_at IS NOT NULL
         GROUP BY 1, 2, 3, 4"
    );
    for (from, to) in ragged {
        let mut statement = tx.prepare_cached(&ended)?;
        let mut rows = statement.query(params![whose.ids, from, to])?;
        while let Some(row) = rows.next()? {
            take(&figure(row, length)?);
        }
    }
    // What goes on is in no figure yet; what it costs is known when it ends.
    let live = format!(
        "SELECT c.started_at / {length}, {RAW} FROM calls c INDEXED BY calls_not_completed
         WHERE {GOES_ON} AND c.started_at >= ?2 AND c.started_at < ?3 AND {theirs}
         GROUP BY 1, 2, 3, 4"
    );
    let (since, until) = reach.bounds();
    let mut statement = tx.prepare_cached(&live)?;
    let mut rows = statement.query(params![whose.ids, since, until])?;
    while let Some(row) = rows.next()? {
        let live = figure(row, length)?;
        take(&Figure { callers: 0, again: 0, costed: 0, cost: Cost::default(), ..live });
    }
    Ok(())
}

/// What calls of a window were about, as it was said, in no order.
pub fn topics(tx: &Tx, reach: &Reach) -> Result<Vec<(String, Breakdown)>, StoreError> {
    let whose = reach.whose(tx)?;
    let (whole, ragged) = reach.cut(DAY_MS);
    let mut found = Vec::new();
    let mut collect = |sql: &str, from: i64, to: i64| -> Result<(), StoreError> {
        let mut statement = tx.prepare_cached(sql)?;
        let mut rows = statement.query(params![whose.ids, from, to])?;
        while let Some(row) = rows.next()? {
            let count = |column: usize| -> rusqlite::Result<u64> {
                Ok(row.get::<_, i64>(column)?.max(0).unsigned_abs())
            };
            let sums = Breakdown {
                calls: count(1)?,
                duration_s: count(2)?,
                satisfaction_sum: count(3)?,
                satisfaction_count: count(4)?,
            };
            found.push((row.get(0)?, sums));
        }
        Ok(())
    };
    if let Some((first, end)) = whole {
        collect(
            "SELECT topic, sum(calls), sum(duration_s), sum(satisfaction_sum), sum(satisfaction_count)
             FROM call_topics WHERE assistant_id IN (SELECT value FROM json_each(?1))
               AND day >= ?2 AND day < ?3 GROUP BY topic",
            first,
            end,
        )?;
    }
    let (index, theirs) = whose.raw();
    let raw = format!(
        "SELECT c.topic, count(*), coalesce(sum(c.duration_s), 0), coalesce(sum(c.satisfaction), 0),
                count(c.satisfaction)
         FROM calls c INDEXED BY {index}
         WHERE c.started_at >= ?2 AND c.started_at < ?3 AND {theirs} AND c.topic IS NOT NULL
         GROUP BY c.topic"
    );
    for (from, to) in ragged {
        collect(&raw, from, to)?;
    }
    Ok(found)
}

/// How many turns of a window waited for how long, by stage: from how many milliseconds on.
pub fn waits(tx: &Tx, reach: &Reach) -> Result<BTreeMap<(Stage, u32), u64>, StoreError> {
    let whose = reach.whose(tx)?;
    let (whole, ragged) = reach.cut(HOUR_MS);
    let mut found = Waits::default();
    if let Some((first, end)) = whole {
        let mut statement = tx.prepare_cached(
            "SELECT stage, steps FROM turn_waits WHERE assistant_id IN (SELECT value FROM json_each(?1))
               AND hour >= ?2 AND hour < ?3",
        )?;
        let mut rows = statement.query(params![whose.ids, first, end])?;
        while let Some(row) = rows.next()? {
            let steps = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            let adding = Adding(found.of(stage(row)?));
            adding.deserialize(&mut serde_json::Deserializer::from_str(steps))?;
        }
    }
    let (index, theirs) = whose.raw();
    // As the view `waits_of_turns` has it, which would be made of all turns before it is joined.
    let of_turns = |index: &str, state: &str| {
        format!(
            "SELECT t.reply_ms, coalesce(t.words_ms, 0) + t.frame_ms
             FROM calls c INDEXED BY {index} CROSS JOIN turns t ON t.call_id = c.id
             WHERE c.started_at >= ?2 AND c.started_at < ?3 AND {theirs} AND {state}
             AND t.heard_kind IN ('speech', 'digits') AND t.reply_ms IS NOT NULL"
        )
    };
    let mut add = |sql: &str, (from, to): Stretch| -> Result<(), StoreError> {
        let mut statement = tx.prepare_cached(sql)?;
        let mut rows = statement.query(params![whose.ids, from, to])?;
        while let Some(row) = rows.next()? {
            for (stage, column) in [(Stage::Reply, 0), (Stage::Felt, 1)] {
                if let Some(ms) = row.get(column)? {
                    *found.of(stage).entry(crate::domain::wait_step(ms).0).or_default() += 1;
                }
            }
        }
        Ok(())
    };
    let ended = of_turns(index, "c.ended_at IS NOT NULL");
    for stretch in ragged {
        add(&ended, stretch)?;
    }
    // What goes on is in no figure yet.
    add(&of_turns("calls_not_completed", GOES_ON), reach.bounds())?;
    let of = |stage, steps: BTreeMap<u32, i64>| {
        steps.into_iter().filter_map(move |(step, turns)| {
            let turns = u64::try_from(turns).ok().filter(|turns| *turns > 0)?;
            Some(((stage, step), turns))
        })
    };
    Ok(of(Stage::Reply, found.reply).chain(of(Stage::Felt, found.felt)).collect())
}

/// Turns by how long they waited.
#[derive(Default)]
struct Waits {
    reply: BTreeMap<u32, i64>,
    felt: BTreeMap<u32, i64>,
}

impl Waits {
    const fn of(&mut self, stage: Stage) -> &mut BTreeMap<u32, i64> {
        match stage {
            Stage::Felt => &mut self.felt,
            _ => &mut self.reply,
        }
    }
}

/// Adds the numbers of a JSON object to what is there, without making one of it: a month has thousands.
struct Adding<'w>(&'w mut BTreeMap<u32, i64>);

impl<'de> DeserializeSeed<'de> for Adding<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Adding<'_> {
    type Value = ();
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("how many turns there were of each step")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((step, turns)) = map.next_entry::<u32, i64>()? {
            *self.0.entry(step).or_default() += turns;
        }
        Ok(())
    }
}

fn stage(row: &Row<'_>) -> Result<Stage, StoreError> {
    match row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)? {
        "reply" => Ok(Stage::Reply),
        "felt" => Ok(Stage::Felt),
        other => Err(StoreError::Row(format!("the stage `{other}`"))),
    }
}

/// The figures that are not those of the calls and turns: none, ever.
pub fn differences(tx: &Tx) -> Result<Vec<String>, StoreError> {
    let hours = "calls <> 0 OR duration_s <> 0 OR eur <> 0 OR again <> 0 OR transferred <> 0";
    let steps = "SELECT t.assistant_id, t.hour, t.stage, CAST(j.key AS INTEGER), j.value
                 FROM turn_waits t, json_each(t.steps) j WHERE j.value <> 0 AND t.assistant_id";
    let mut found = Vec::new();
    for (what, kept, raw) in [
        (
            "call_hours",
            format!("SELECT * FROM call_hours WHERE assistant_id <> 0 AND ({hours})"),
            "SELECT * FROM call_hours_of_calls".to_owned(),
        ),
        (
            "call_hours together",
            format!("SELECT * FROM call_hours WHERE assistant_id = 0 AND ({hours})"),
            format!("SELECT * FROM call_hours_together WHERE {hours}"),
        ),
        (
            "call_topics",
            "SELECT * FROM call_topics WHERE assistant_id <> 0".to_owned(),
            "SELECT * FROM call_topics_of_calls".to_owned(),
        ),
        (
            "call_topics together",
            "SELECT * FROM call_topics WHERE assistant_id = 0".to_owned(),
            "SELECT * FROM call_topics_together".to_owned(),
        ),
        ("turn_waits", format!("{steps} <> 0"), "SELECT * FROM turn_waits_of_turns".to_owned()),
        (
            "turn_waits together",
            format!("{steps} = 0"),
            "SELECT * FROM turn_waits_together WHERE turns <> 0".to_owned(),
        ),
    ] {
        for (more, less, sign) in [(&kept, &raw, "too much"), (&raw, &kept, "missing")] {
            let mut statement = tx.prepare(&format!("{more} EXCEPT {less}"))?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let values: Result<Vec<String>, _> = (0..columns)
                    .map(|column| row.get_ref(column).map(|value| format!("{value:?}")))
                    .collect();
                found.push(format!("{what}: {sign}: {}", values?.join(" ")));
            }
        }
    }
    Ok(found)
}

/// Makes the figures anew from the calls and turns: for a store that was filled past the triggers.
pub fn rebuild(tx: &Tx) -> Result<(), StoreError> {
    let steps = "SELECT assistant_id, hour, stage, json_group_object(step, turns)";
    tx.execute_batch(&format!(
        "DELETE FROM call_hours; INSERT INTO call_hours SELECT * FROM call_hours_of_calls;
         INSERT INTO call_hours SELECT * FROM call_hours_together;
         DELETE FROM call_topics; INSERT INTO call_topics SELECT * FROM call_topics_of_calls;
         INSERT INTO call_topics SELECT * FROM call_topics_together;
         DELETE FROM turn_waits; INSERT INTO turn_waits {steps} FROM turn_waits_of_turns GROUP BY 1, 2, 3;
         INSERT INTO turn_waits {steps} FROM turn_waits_together GROUP BY 1, 2, 3;"
    ))?;
    Ok(())
}

/// The assistants that may be seen, deleted ones included: their calls still count.
pub fn assistants(tx: &Tx, sight: Sight) -> Result<Vec<(AssistantId, AssistantSpec)>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT id, spec FROM assistants WHERE (?1 IS NULL OR owner_id = ?1) ORDER BY id",
    )?;
    let mut rows = statement.query([sight.owner()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let spec = serde_json::from_str(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
        found.push((AssistantId(row.get(0)?), spec));
    }
    Ok(found)
}
