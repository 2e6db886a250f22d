//! What was spent: the sums of days in the ledger, and the entries of calls that go on.

use jiff::Timestamp;
use rusqlite::params;

use super::{StoreError, Tx, call_costs::of_live_calls, ledger::DAY_MS};
use crate::domain::{AssistantId, Cost, CostsBy, CostsRow, CostsTotal, Micros, Sight, Unit};

/// What costs are wanted: whole days, UTC.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// From the day of this moment on.
    pub since: Option<Timestamp>,
    /// Until the day of this moment; that day is in it, unless it only begins.
    pub until: Option<Timestamp>,
    /// Of one assistant.
    pub assistant: Option<AssistantId>,
    /// Whose may be seen.
    pub sight: Sight,
}

impl Window {
    /// The first day, and the first one after the last.
    pub(super) fn days(&self) -> (i64, i64) {
        let day = |at: Timestamp| at.as_millisecond().div_euclid(DAY_MS);
        let after = |at: Timestamp| (at.as_millisecond() - 1).div_euclid(DAY_MS) + 1;
        (self.since.map_or(i64::MIN, day), self.until.map_or(i64::MAX, after))
    }
}

/// The sums of a window, as `d`, by rate `r`: those of days, and what goes on.
fn of_window(window: &Window, by: Option<CostsBy>) -> String {
    const DAYS: &str = "day >= ?1 AND day < ?2 UNION ALL";
    let live = of_live_calls();
    let live = format!("{live} AND e.at / 86400000 >= ?1 AND e.at / 86400000 < ?2");
    let named = matches!(by, Some(CostsBy::Assistant | CostsBy::Client));
    if window.assistant.is_none() && window.sight == Sight::All && !named {
        // Those of everybody together are kept.
        return format!(
            "FROM (SELECT day, 0 AS assistant_id, rate_id, entries, quantity, eur, usd
                   FROM ledger_days_together WHERE {DAYS} {live}) d
             JOIN ledger_rates r ON r.id = d.rate_id
             WHERE d.entries <> 0 AND ?3 IS NULL AND ?4 IS NULL"
        );
    }
    format!(
        "FROM (SELECT day, assistant_id, rate_id, entries, quantity, eur, usd
               FROM ledger_days WHERE {DAYS} {live}) d
         JOIN ledger_rates r ON r.id = d.rate_id JOIN assistants a ON a.id = d.assistant_id
         WHERE d.entries <> 0 AND (?3 IS NULL OR d.assistant_id = ?3)
           AND (?4 IS NULL OR a.owner_id = ?4)"
    )
}

/// What was spent, in all.
pub fn total(tx: &Tx, window: &Window) -> Result<CostsTotal, StoreError> {
    let of_window = of_window(window, None);
    let sql = format!(
        "SELECT coalesce(sum(d.entries), 0), coalesce(sum(d.entries) FILTER (WHERE r.unpriced), 0),
                coalesce(sum(d.eur), 0), coalesce(sum(d.usd), 0) {of_window}"
    );
    let (first, end) = window.days();
    let values = params![first, end, window.assistant.map(|id| id.0), window.sight.owner()];
    Ok(tx.prepare_cached(&sql)?.query_row(values, |row| {
        Ok(CostsTotal {
            entries: row.get::<_, i64>(0)?.max(0).unsigned_abs(),
            unpriced: row.get::<_, i64>(1)?.max(0).unsigned_abs(),
            cost: Cost {
                eur: Micros::from_micros(row.get(2)?),
                usd: Micros::from_micros(row.get(3)?),
            },
        })
    })?)
}

/// What was spent, put together: the dearest first, days in order.
pub fn grouped(tx: &Tx, window: &Window, by: CostsBy) -> Result<Vec<CostsRow>, StoreError> {
    let (key, only, order) = match by {
        CostsBy::Provider => ("r.provider", "", "5 DESC, 1"),
        CostsBy::Product => ("r.provider || '/' || r.product", "", "5 DESC, 1"),
        CostsBy::Model => (
            "r.provider || '/' || r.product",
            "AND r.unit IN ('input', 'cached', 'cache-write', 'output')",
            "5 DESC, 1",
        ),
        CostsBy::Unit => ("r.unit", "", "5 DESC, 1"),
        CostsBy::Assistant => ("a.name", "", "5 DESC, 1"),
        CostsBy::Client => ("a.spec ->> '$.client'", "", "5 DESC, 1"),
        CostsBy::Day => ("date(d.day * 86400, 'unixepoch')", "", "1"),
    };
    let of_window = of_window(window, Some(by));
    let sql = format!(
        "SELECT {key}, sum(d.entries), coalesce(sum(d.entries) FILTER (WHERE r.unpriced), 0),
                sum(d.quantity), sum(d.eur), sum(d.usd) {of_window} {only}
         GROUP BY 1 ORDER BY {order}"
    );
    let (first, end) = window.days();
    let values = params![first, end, window.assistant.map(|id| id.0), window.sight.owner()];
    let mut statement = tx.prepare_cached(&sql)?;
    let rows = statement.query_map(values, |row| {
        let count = |column: usize| -> rusqlite::Result<u64> {
            Ok(row.get::<_, i64>(column)?.max(0).unsigned_abs())
        };
        Ok(CostsRow {
            key: row.get::<_, Option<String>>(0)?.unwrap_or_default(),
            entries: count(1)?,
            unpriced: count(2)?,
            quantity: if by == CostsBy::Unit { Some(count(3)?) } else { None },
            cost: Cost {
                eur: Micros::from_micros(row.get(4)?),
                usd: Micros::from_micros(row.get(5)?),
            },
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Every use that was reckoned without a price that is known, and how often.
pub fn unpriced(tx: &Tx) -> Result<Vec<(String, String, Unit, u64)>, StoreError> {
    let live = of_live_calls();
    let mut statement = tx.prepare_cached(&format!(
        "SELECT r.provider, r.product, r.unit, sum(d.entries)
         FROM (SELECT rate_id, entries FROM ledger_days_together
               UNION ALL SELECT rate_id, entries FROM ({live})) d
         JOIN ledger_rates r ON r.id = d.rate_id
         WHERE r.unpriced GROUP BY 1, 2, 3 HAVING sum(d.entries) > 0 ORDER BY 1, 2, 3"
    ))?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let unit: String = row.get(2)?;
        let unit = unit.parse().map_err(|()| StoreError::Row(format!("the unit `{unit}`")))?;
        let times: i64 = row.get(3)?;
        found.push((row.get(0)?, row.get(1)?, unit, times.max(0).unsigned_abs()));
    }
    Ok(found)
}
