//! What calls cost: of one that is over, the sums that its end left; of one that goes on, its entries,
//! which are in no sum yet.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{StoreError, Tx, assistants::time, call_figures::GOES_ON};
use crate::domain::{AssistantId, CallCost, CallId, Cost, Currency, LedgerEntry, Micros};

/// What a call `c` has cost so far: added up while it goes on.
pub(super) const COST_EUR: &str = "iif(c.ended_at IS NULL, \
    (SELECT sum(e.eur) FROM ledger_entries e WHERE e.call_id = c.id), c.cost_eur)";
/// The same in dollars.
pub(super) const COST_USD: &str = "iif(c.ended_at IS NULL, \
    (SELECT sum(e.usd) FROM ledger_entries e WHERE e.call_id = c.id), c.cost_usd)";
/// How many of its entries have no price that is known.
pub(super) const COST_UNPRICED: &str = "iif(c.ended_at IS NULL, \
    (SELECT sum(r.unpriced) FROM ledger_entries e JOIN ledger_rates r ON r.id = e.rate_id \
     WHERE e.call_id = c.id), c.cost_unpriced)";

/// When the first entry of a call `c` was made: noted at its end, and kept afterwards.
pub(super) const ENTERED_FROM: &str = "iif(c.ended_at IS NULL, \
    (SELECT min(e.at) FROM ledger_entries e WHERE e.call_id = c.id), c.entered_from)";
/// The same of the last one.
pub(super) const ENTERED_UNTIL: &str = "iif(c.ended_at IS NULL, \
    (SELECT max(e.at) FROM ledger_entries e WHERE e.call_id = c.id), c.entered_until)";

/// What calls that go on have used, which is in no sum yet: rows as those of days.
pub(super) fn of_live_calls() -> String {
    format!(
        "SELECT e.at / 86400000 AS day, e.assistant_id AS assistant_id, e.rate_id AS rate_id, 1 AS entries,
                e.quantity AS quantity, e.eur AS eur, e.usd AS usd
         FROM calls c INDEXED BY calls_not_completed CROSS JOIN ledger_entries e ON e.call_id = c.id
         WHERE {GOES_ON}"
    )
}

/// The entries of a call: what is of it as a whole, then turn by turn.
pub fn of_call(tx: &Tx, call: CallId) -> Result<Vec<LedgerEntry>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT e.turn, e.at, r.provider, r.product, r.unit, e.quantity, r.price, r.currency, r.rate,
                r.unpriced, e.amount, e.eur, e.usd
         FROM ledger_entries e JOIN ledger_rates r ON r.id = e.rate_id
         WHERE e.call_id = ?1 ORDER BY e.turn, e.kind, e.number, r.id",
    )?;
    let mut rows = statement.query([call.0])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let micros = |column: usize| -> rusqlite::Result<Micros> {
            row.get(column).map(Micros::from_micros)
        };
        let (unit, currency): (String, String) = (row.get(4)?, row.get(7)?);
        entries.push(LedgerEntry {
            turn: u32::try_from(row.get::<_, i64>(0)?).ok(),
            at: time(row.get(1)?)?,
            provider: row.get(2)?,
            product: row.get(3)?,
            unit: unit.parse().map_err(|()| StoreError::Row(format!("the unit `{unit}`")))?,
            quantity: row.get::<_, i64>(5)?.max(0).unsigned_abs(),
            price: micros(6)?,
            currency: currency.parse::<Currency>().map_err(StoreError::User)?,
            rate: row.get(8)?,
            unpriced: row.get(9)?,
            amount: micros(10)?,
            cost: Cost { eur: micros(11)?, usd: micros(12)? },
        });
    }
    Ok(entries)
}

/// What the calls of an assistant that began since a moment have cost so far.
pub fn since(tx: &Tx, assistant: AssistantId, since: Timestamp) -> Result<Cost, StoreError> {
    let sql = format!(
        "SELECT coalesce(sum({COST_EUR}), 0), coalesce(sum({COST_USD}), 0) FROM calls c
         WHERE c.assistant_id = ?1 AND c.started_at >= ?2"
    );
    Ok(tx.prepare_cached(&sql)?.query_row(params![assistant.0, since.as_millisecond()], |row| {
        Ok(Cost { eur: Micros::from_micros(row.get(0)?), usd: Micros::from_micros(row.get(1)?) })
    })?)
}

/// Calls of an assistant that go on, and began since a moment.
pub fn live_since(
    tx: &Tx,
    assistant: AssistantId,
    since: Timestamp,
) -> Result<Vec<CallId>, StoreError> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT c.id FROM calls c WHERE {GOES_ON} AND c.assistant_id = ?1 AND c.started_at >= ?2"
    ))?;
    let ids = statement
        .query_map(params![assistant.0, since.as_millisecond()], |row| Ok(CallId(row.get(0)?)))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// What a call has cost so far, in a row of it; nothing when nothing was ever entered.
pub(super) fn cost_in(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<CallCost>> {
    let amount = |column: usize| -> rusqlite::Result<Option<Micros>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(Micros::from_micros))
    };
    let unpriced: Option<u32> = row.get(first + 2)?;
    Ok(amount(first)?
        .zip(amount(first + 1)?)
        .map(|(eur, usd)| CallCost { cost: Cost { eur, usd }, unpriced: unpriced.unwrap_or(0) }))
}
