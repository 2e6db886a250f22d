//! How far assistants have used up what their plans cover this month.

use super::{Case, Finding, Group, count, without_store};
use crate::{domain::Sight, operations::billing::limit::used, store::assistants};

const GROUP: Group = Group::Quotas;

/// Above this part of it, in hundredths, somebody should know.
const NEAR: u64 = 80;

pub(super) fn look(case: &Case) -> Vec<Finding> {
    let Some(store) = &case.store else { return without_store(GROUP) };
    let now = (case.here.clock)();
    let measured = store.read(|tx| {
        let mut measured = Vec::new();
        for overview in assistants::list(tx, Sight::All)? {
            let assistant = overview.assistant;
            if let Some(used) = used(tx, store, &assistant, now)? {
                measured.push((assistant.spec.name.clone(), used));
            }
        }
        Ok(measured)
    });
    let measured = match measured {
        Ok(measured) => measured,
        Err(error) => return vec![GROUP.failed("plans", &error)],
    };
    let (mut found, mut well) = (Vec::new(), 0);
    for (name, used) in measured {
        let parts = [
            ("calls", used.calls, used.most_calls()),
            ("minutes", used.seconds.div_ceil(60), used.most_seconds().map(|most| most / 60)),
        ];
        let near: Vec<_> = parts
            .into_iter()
            .filter_map(|(what, used, most)| judged(&format!("{name} {what}"), used, most?, what))
            .collect();
        well += usize::from(near.is_empty());
        found.extend(near);
    }
    if well > 0 || found.is_empty() {
        let seen = match well {
            0 => "no plan has a limit at which calls are turned down or told of".to_owned(),
            well => {
                count(well, "assistant is within its plan", "assistants are within their plans")
            }
        };
        found.push(GROUP.ok("plans", seen));
    }
    found
}

/// Something to tell where the limit is near.
fn judged(name: &str, used: u64, most: u64, what: &str) -> Option<Finding> {
    let seen = format!("{used} of the {most} {what} of this month's plan are used");
    let advice =
        "agree on a larger plan with the client: `billing.plan`, or `[clients]` of billing.toml";
    if used >= most {
        Some(GROUP.problem(name, seen, advice))
    } else if used * 100 >= most * NEAR {
        Some(GROUP.warning(name, seen, advice))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_when_it_is_near() {
        let of = |used| judged("a", used, 100, "calls").map(|found| found.verdict.as_str());
        assert_eq!([of(79), of(80), of(100)], [None, Some("warning"), Some("problem")]);
    }
}
