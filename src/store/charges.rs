//! What Twilio charged for calls, and for which it is still to be asked.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::{StoreError, Tx, assistants::time, costs::Window};
use crate::domain::{AccountSid, CallCharge, CallId, CallSid, Charged, Cost, Currency, Micros};

const DAY_MS: i64 = 86_400_000;

/// The first time to wait when Twilio does not know yet; twice as long each time after it.
const FIRST_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// The longest time to wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(12);

/// How often it is asked: for some three days.
const MOST_ATTEMPTS: u32 = 12;

/// A call of which Twilio is to be asked.
#[derive(Debug, Clone)]
pub struct Due {
    /// The call.
    pub id: CallId,
    /// Its name at Twilio.
    pub sid: CallSid,
    /// Whose it is there, where a signed request said so.
    pub account: Option<AccountSid>,
    /// How often it was asked.
    pub attempts: u32,
}

/// Has Twilio asked of a call from a moment on; once is enough.
pub fn ask(tx: &Tx, call: CallId, from: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO ledger_charges (call_id, due_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?
    .execute(params![call.0, from.as_millisecond()])?;
    Ok(())
}

/// Those that are due, oldest first.
pub fn due(tx: &Tx, now: Timestamp, most: u32) -> Result<Vec<Due>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT g.call_id, c.sid, c.account_sid, g.attempts
         FROM ledger_charges g JOIN calls c ON c.id = g.call_id
         WHERE g.due_at <= ?1 ORDER BY g.due_at LIMIT ?2",
    )?;
    let mut rows = statement.query(params![now.as_millisecond(), most])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let account: Option<String> = row.get(2)?;
        found.push(Due {
            id: CallId(row.get(0)?),
            sid: row.get::<_, String>(1)?.parse().map_err(StoreError::User)?,
            account: account.map(|sid| sid.parse()).transpose().map_err(StoreError::User)?,
            attempts: row.get(3)?,
        });
    }
    Ok(found)
}

/// Twilio says what it charged: kept once, with what was reckoned for the same until then.
pub fn charged(
    tx: &Tx,
    call: CallId,
    (amount, currency): (Micros, Currency),
    charged: Cost,
    now: Timestamp,
) -> Result<(), StoreError> {
    let reckoned = reckoned(tx, call)?;
    let changed = tx
        .prepare_cached(
            "UPDATE ledger_charges SET due_at = NULL, failure = NULL, charged_at = ?2, amount = ?3,
             currency = ?4, eur = ?5, usd = ?6, reckoned_eur = ?7, reckoned_usd = ?8
             WHERE call_id = ?1 AND amount IS NULL",
        )?
        .execute(params![
            call.0,
            now.as_millisecond(),
            amount.get(),
            currency.as_str(),
            charged.eur.get(),
            charged.usd.get(),
            reckoned.eur.get(),
            reckoned.usd.get()
        ])?;
    if changed == 0 {
        return Ok(());
    }
    tx.prepare_cached(
        "INSERT INTO ledger_charge_days
         SELECT started_at / ?2, assistant_id, 1, ?3, ?4, ?5, ?6 FROM calls WHERE id = ?1
         ON CONFLICT DO UPDATE SET calls = calls + 1, eur = eur + excluded.eur,
            usd = usd + excluded.usd, reckoned_eur = reckoned_eur + excluded.reckoned_eur,
            reckoned_usd = reckoned_usd + excluded.reckoned_usd",
    )?
    .execute(params![
        call.0,
        DAY_MS,
        charged.eur.get(),
        charged.usd.get(),
        reckoned.eur.get(),
        reckoned.usd.get()
    ])?;
    Ok(())
}

/// What was reckoned for a call changed after Twilio had said what it charged, as where its length had been
/// guessed: the two are told of the same.
pub fn reckoned_anew(tx: &Tx, call: CallId) -> Result<(), StoreError> {
    let before: Option<(i64, i64)> = tx
        .prepare_cached(
            "SELECT reckoned_eur, reckoned_usd FROM ledger_charges
             WHERE call_id = ?1 AND amount IS NOT NULL",
        )?
        .query_row([call.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some(before) = before else { return Ok(()) };
    let now = reckoned(tx, call)?;
    let now = (now.eur.get(), now.usd.get());
    if now == before {
        return Ok(());
    }
    tx.prepare_cached(
        "UPDATE ledger_charge_days SET reckoned_eur = reckoned_eur + ?3, reckoned_usd = reckoned_usd + ?4
         WHERE (day, assistant_id) = (SELECT started_at / ?2, assistant_id FROM calls WHERE id = ?1)",
    )?
    .execute(params![call.0, DAY_MS, now.0 - before.0, now.1 - before.1])?;
    tx.prepare_cached(
        "UPDATE ledger_charges SET reckoned_eur = ?2, reckoned_usd = ?3 WHERE call_id = ?1",
    )?
    .execute(params![call.0, now.0, now.1])?;
    Ok(())
}

/// What the ledger says of the same: the minutes of the call's own leg.
fn reckoned(tx: &Tx, call: CallId) -> Result<Cost, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT coalesce(sum(e.eur), 0), coalesce(sum(e.usd), 0)
             FROM ledger_entries e JOIN ledger_rates r ON r.id = e.rate_id
             WHERE e.call_id = ?1 AND e.turn = -1 AND e.kind = 'line'
               AND (r.product LIKE 'inbound-%' OR r.product LIKE 'outbound-%')",
        )?
        .query_row([call.0], |row| {
            Ok(Cost {
                eur: Micros::from_micros(row.get(0)?),
                usd: Micros::from_micros(row.get(1)?),
            })
        })?)
}

/// Twilio does not know yet, or did not answer: it is asked again later, and not for ever.
pub fn not_yet(tx: &Tx, due: &Due, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let wait = FIRST_WAIT.saturating_mul(1_i32 << due.attempts.min(16)).min(LONGEST_WAIT);
    let next = (due.attempts + 1 < MOST_ATTEMPTS)
        .then(|| now.checked_add(wait).unwrap_or(Timestamp::MAX).as_millisecond());
    tx.prepare_cached(
        "UPDATE ledger_charges SET attempts = attempts + 1, failure = ?2, due_at = ?3
         WHERE call_id = ?1 AND due_at IS NOT NULL",
    )?
    .execute(params![due.id.0, why, next])?;
    Ok(())
}

/// Twilio will never know: it is not asked again.
pub fn given_up(tx: &Tx, due: &Due, why: &str) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE ledger_charges SET attempts = attempts + 1, failure = ?2, due_at = NULL
         WHERE call_id = ?1",
    )?
    .execute(params![due.id.0, why])?;
    Ok(())
}

/// What Twilio charged for a call, if that is known.
pub fn of_call(tx: &Tx, call: CallId) -> Result<Option<CallCharge>, StoreError> {
    let found = tx
        .prepare_cached(
            "SELECT amount, currency, eur, usd, charged_at FROM ledger_charges
             WHERE call_id = ?1 AND amount IS NOT NULL",
        )?
        .query_row([call.0], |row| {
            let charged = Cost {
                eur: Micros::from_micros(row.get(2)?),
                usd: Micros::from_micros(row.get(3)?),
            };
            Ok((Micros::from_micros(row.get(0)?), row.get::<_, String>(1)?, charged, row.get(4)?))
        })
        .optional()?;
    let Some((amount, currency, charged, at)) = found else { return Ok(None) };
    Ok(Some(CallCharge {
        amount,
        currency: currency.parse().map_err(StoreError::User)?,
        charged,
        reckoned: reckoned(tx, call)?,
        at: time(at)?,
    }))
}

/// What Twilio charged in a time, by the day that calls began.
pub fn total(tx: &Tx, window: &Window) -> Result<Charged, StoreError> {
    let (first, end) = window.days();
    let values = params![first, end, window.assistant.map(|id| id.0), window.sight.owner()];
    Ok(tx
        .prepare_cached(
            "SELECT coalesce(sum(calls), 0), coalesce(sum(eur), 0), coalesce(sum(usd), 0),
                    coalesce(sum(reckoned_eur), 0), coalesce(sum(reckoned_usd), 0)
             FROM ledger_charge_days d
             WHERE day >= ?1 AND day < ?2 AND (?3 IS NULL OR assistant_id = ?3)
               AND (?4 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?4))",
        )?
        .query_row(values, |row| {
            let micros = |column: usize| -> rusqlite::Result<Micros> {
                row.get(column).map(Micros::from_micros)
            };
            Ok(Charged {
                calls: row.get::<_, i64>(0)?.max(0).unsigned_abs(),
                charged: Cost { eur: micros(1)?, usd: micros(2)? },
                reckoned: Cost { eur: micros(3)?, usd: micros(4)? },
            })
        })?)
}
