//! What happens when an assistant is used up to what its plan covers: looked at when a call rings, and
//! before one is made.

use jiff::Timestamp;

use crate::{
    domain::{Assistant, AtLimit, PaidDays},
    store::{Store, StoreError, Tx, billing as rows},
};

/// Whether one more call of an assistant is turned down by its plan. That the limit is reached is noted
/// once a month, also where calls go on being answered.
pub(in crate::operations) fn refuses(
    tx: &Tx,
    store: &Store,
    assistant: &Assistant,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(allowances) = store.allowances() else { return Ok(false) };
    let spec = &assistant.spec;
    let plan = allowances.of(spec.billing.plan.as_deref(), &spec.client);
    let Some(allowance) = plan.filter(|plan| plan.at_limit != AtLimit::Bill) else {
        return Ok(false);
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
        return Ok(false);
    };
    let bounds = days.bounds(&allowances.zone)?;
    let used = rows::used(tx, assistant.id, bounds, &allowance.counts)?;
    // Those that go on are as good as used: a limit is not passed by many who ring at once.
    let live = rows::going_on(tx, assistant.id, bounds, now)?;
    if !allowance.is_used_up(days, used.calls + live.calls, used.seconds + live.seconds) {
        return Ok(false);
    }
    if rows::note_limit(tx, assistant.id, month, now)? {
        tracing::warn!(
            assistant = %spec.name, client = spec.client, %month,
            "an assistant is used up to what its plan covers"
        );
    }
    Ok(allowance.at_limit == AtLimit::Block)
}
