//! How a client's assistants were used in a month, and what that comes to by their plans.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    billing::{
        catalogue::{Catalogue, Client},
        reckoned::Usage,
        statement::{self, Line, Use},
    },
    domain::{Allowances, AssistantId, AtLimit, Error, Month, PaidDays},
    store::{
        StoreError, Tx,
        billing::{self as rows, Billable},
    },
};

/// A client's month.
#[derive(Debug, Default)]
pub(super) struct Reckoning {
    pub(super) client: String,
    pub(super) usage: Vec<Usage>,
    pub(super) lines: Vec<Line>,
    /// The assistants that it is for.
    pub(super) assistants: Vec<AssistantId>,
    /// Calls of the month that are not over: what they come to is not known.
    pub(super) going_on: u64,
    /// What somebody should look at.
    pub(super) warnings: Vec<String>,
    /// What keeps it from being billed.
    pub(super) problems: Vec<String>,
}

/// The month of each client, or of one.
pub(super) fn reckon(
    tx: &Tx,
    catalogue: &Catalogue,
    month: Month,
    only: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Reckoning>, StoreError> {
    let mut clients: BTreeMap<String, Vec<Billable>> = BTreeMap::new();
    for one in rows::billables(tx)? {
        clients.entry(one.client.clone()).or_default().push(one);
    }
    if let Some(only) = only {
        if !clients.contains_key(only) {
            return Err(unknown(only, clients.keys()).into());
        }
        clients.retain(|client, _| client == only);
    }
    let month = Of {
        catalogue,
        allowances: &catalogue.allowances(),
        month,
        reached: rows::limits_reached(tx, month)?,
        now,
    };
    clients.into_iter().map(|(client, assistants)| month.client(tx, client, &assistants)).collect()
}

fn unknown<'c>(client: &str, known: impl Iterator<Item = &'c String>) -> Error {
    let shown: String = client.chars().take(60).collect();
    let hint = crate::domain::suggestion_hint(client, known.map(String::as_str))
        .unwrap_or_else(|| "it is the `client` of assistants' files, letter by letter".to_owned());
    Error::not_found(format!("no assistant works for `{}`", shown.escape_debug())).hint(hint)
}

/// What all clients of a month are reckoned by.
struct Of<'c> {
    catalogue: &'c Catalogue,
    allowances: &'c Allowances,
    month: Month,
    reached: BTreeMap<AssistantId, Timestamp>,
    now: Timestamp,
}

impl Of<'_> {
    fn client(
        &self,
        tx: &Tx,
        client: String,
        assistants: &[Billable],
    ) -> Result<Reckoning, StoreError> {
        let agreed = self.catalogue.clients.get(&client);
        let first = assistants.iter().map(|one| one.created_at).min().unwrap_or(self.now);
        let mut reckoning = Reckoning { client, ..Reckoning::default() };
        for one in assistants {
            self.assistant(tx, one, first, agreed, &mut reckoning)?;
        }
        Ok(reckoning)
    }

    fn assistant(
        &self,
        tx: &Tx,
        one: &Billable,
        first: Timestamp,
        terms: Option<&Client>,
        reckoning: &mut Reckoning,
    ) -> Result<(), StoreError> {
        let day = |at| self.allowances.day(at);
        let agreed = self.allowances.agreed(&one.client);
        let start = agreed.start_of(day(one.created_at), day(first));
        let end = agreed.end_of(one.deleted_at.map(day));
        let Some(days) = PaidDays::of(self.month, start, end) else { return Ok(()) };
        let plan_name = one.plan.as_ref().or(agreed.plan.as_ref());
        let plan = plan_name.and_then(|name| self.catalogue.plans.get(name));
        let counts = plan.map(|plan| plan.counts).unwrap_or_default();
        let bounds = days.bounds(&self.allowances.zone)?;
        let used = rows::used(tx, one.id, bounds, &counts)?;
        reckoning.going_on += rows::going_on(tx, one.id, bounds, &counts, self.now)?.calls;
        let limit_reached_at = self.reached.get(&one.id).copied();
        reckoning.usage.push(Usage {
            assistant: one.name.clone(),
            plan: plan_name.cloned(),
            from: days.from,
            to: days.to,
            calls: used.calls,
            seconds: used.seconds,
            covered_calls: plan.and_then(|plan| plan.calls).map(|most| days.part(most.into())),
            covered_minutes: plan.and_then(|plan| plan.minutes).map(|most| days.part(most.into())),
            at_limit: plan
                .filter(|plan| plan.calls.is_some() || plan.minutes.is_some())
                .map(|plan| plan.at_limit),
            limit_reached_at,
        });
        reckoning.assistants.push(one.id);
        let (Some(name), Some(plan)) = (plan_name, plan) else {
            match plan_name {
                None => reckoning
                    .warnings
                    .push(format!("`{}` has no plan: nothing is billed for it", one.name)),
                Some(name) => reckoning.problems.push(format!(
                    "the plan of `{}`, `{name}`, {}",
                    one.name,
                    self.catalogue.unknown_plan(name)
                )),
            }
            return Ok(());
        };
        let allowance = plan.allowance();
        if plan.at_limit != AtLimit::Bill
            && (limit_reached_at.is_some() || allowance.is_used_up(days, used.calls, used.seconds))
        {
            let what = match plan.at_limit {
                AtLimit::Block => "calls beyond it are turned down",
                _ => "calls beyond it are not paid for",
            };
            let when = limit_reached_at.map_or_else(String::new, |at| format!(" on {}", day(at)));
            reckoning
                .warnings
                .push(format!("`{}` used up what the plan {name} covers{when}: {what}", one.name));
        }
        let usage = Use {
            assistant: one.name.clone(),
            calls: used.calls,
            seconds: used.seconds,
            start,
            end,
        };
        let vat = self.catalogue.vat(plan, terms);
        reckoning.lines.extend(statement::lines(name, plan, vat, self.month, &usage));
        Ok(())
    }
}
