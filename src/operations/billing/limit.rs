//! What happens when an assistant is used up to what its plan covers: looked at when a call rings, and
//! before one is made.

use jiff::Timestamp;

use crate::{
    domain::{Allowance, Assistant, AtLimit, Month, PaidDays},
    store::{Store, StoreError, Tx, billing as rows},
};

/// How far an assistant has used up what the days of this month cover.
pub(in crate::operations) struct Used {
    allowance: Allowance,
    days: PaidDays,
    month: Month,
    /// Calls, those that go on among them: a limit is not passed by many who ring at once.
    pub(in crate::operations) calls: u64,
    /// Their length.
    pub(in crate::operations) seconds: u64,
}

impl Used {
    /// Calls that are covered; any number otherwise.
    pub(in crate::operations) fn most_calls(&self) -> Option<u64> {
        self.allowance.calls.map(|calls| self.days.part(calls.into()))
    }

    /// Seconds that are covered; any number otherwise.
    pub(in crate::operations) fn most_seconds(&self) -> Option<u64> {
        self.allowance.minutes.map(|minutes| self.days.part(minutes.into()) * 60)
    }
}

/// Nothing for an assistant without a plan that minds its limit: what is beyond is billed then.
pub(in crate::operations) fn used(
    tx: &Tx,
    store: &Store,
    assistant: &Assistant,
    now: Timestamp,
) -> Result<Option<Used>, StoreError> {
    let Some(allowances) = store.allowances() else { return Ok(None) };
    let spec = &assistant.spec;
    let plan = allowances.of(spec.billing.plan.as_deref(), &spec.client);
    let Some(allowance) = plan.filter(|plan| plan.at_limit != AtLimit::Bill) else {
        return Ok(None);
    };
    let agreed = allowances.agreed(&spec.client);
    let made = allowances.day(assistant.created_at);
    let first = if agreed.start.is_some_and(|start| start < made) {
        rows::first_of(tx, &spec.client)?.map_or(made, |first| allowances.day(first))
    } else {
        made
    };
    let month = allowances.month(now);
    let Some(days) = PaidDays::of(month, agreed.start_of(made, first), agreed.end) else {
        return Ok(None);
    };
    let bounds = days.bounds(&allowances.zone)?;
    let over = rows::used(tx, assistant.id, bounds, &allowance.counts)?;
    let live = rows::going_on(tx, assistant.id, bounds, &allowance.counts, now)?;
    let (calls, seconds) = (over.calls + live.calls, over.seconds + live.seconds);
    Ok(Some(Used { allowance: allowance.clone(), days, month, calls, seconds }))
}

/// Whether what was agreed with a client is over, and its plan answers nothing that is not paid for.
fn is_over(store: &Store, assistant: &Assistant, now: Timestamp) -> bool {
    let Some(allowances) = store.allowances() else { return false };
    let spec = &assistant.spec;
    let plan = allowances.of(spec.billing.plan.as_deref(), &spec.client);
    plan.is_some_and(|plan| plan.at_limit == AtLimit::Block)
        && allowances.agreed(&spec.client).end.is_some_and(|end| allowances.day(now) > end)
}

/// Whether one more call of an assistant is turned down by its plan. That the limit is reached is noted
/// once a month, also where calls go on being answered.
pub(in crate::operations) fn refuses(
    tx: &Tx,
    store: &Store,
    assistant: &Assistant,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if is_over(store, assistant, now) {
        return Ok(true);
    }
    let Some(used) = used(tx, store, assistant, now)? else { return Ok(false) };
    let Used { allowance, days, month, calls, seconds } = used;
    if !allowance.is_used_up(days, calls, seconds) {
        return Ok(false);
    }
    let spec = &assistant.spec;
    if rows::note_limit(tx, assistant.id, month, now)? {
        tracing::warn!(
            assistant = %spec.name, client = spec.client, %month,
            "an assistant is used up to what its plan covers"
        );
    }
    Ok(allowance.at_limit == AtLimit::Block)
}
