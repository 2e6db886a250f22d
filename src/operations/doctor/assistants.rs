//! What assistants are told to do that somebody should know of.

use super::{Case, Finding, Group, count, without_store};
use crate::{
    domain::{Assistant, Country, Sight},
    providers::llm,
    store::assistants,
};

const GROUP: Group = Group::Assistants;

pub(super) fn look(case: &Case) -> Vec<Finding> {
    let Some(store) = &case.store else { return without_store(GROUP) };
    let all = match store.read(|tx| assistants::list(tx, Sight::All)) {
        Ok(all) => all,
        Err(error) => return vec![GROUP.failed("assistants", &error)],
    };
    // That no two have one number, the database itself sees to.
    let active = all.iter().filter(|one| one.assistant.spec.active).count();
    if active == 0 {
        return vec![GROUP.warning(
            "assistants",
            "nobody answers: there is no assistant that is switched on",
            "make one with `webox init` or `webox assistants create`",
        )];
    }
    let mut found =
        vec![GROUP.ok("assistants", count(active, "assistant answers", "assistants answer"))];
    let today = (case.here.clock)().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    for overview in &all {
        let assistant = &overview.assistant;
        found.extend(disclosure(assistant));
        found.extend(terms(assistant));
        let ai = &assistant.spec.ai;
        for model in std::iter::once(&ai.model).chain(&ai.fallbacks) {
            if let Some(warning) = llm::warning(model, today) {
                let seen = format!("{model}: {warning}");
                let advice = "name another model in its file before that";
                found.push(GROUP.warning(format!("{} model", assistant.spec.name), seen, advice));
            }
        }
    }
    found
}

/// Where the law asks that callers be told that a machine speaks, and they are not.
fn disclosure(assistant: &Assistant) -> Option<Finding> {
    let spec = &assistant.spec;
    if spec.announces_ai() || !Country::in_european_economic_area(&spec.phone) {
        return None;
    }
    let reason = spec.compliance.no_announcement_because.as_deref().unwrap_or("no reason is given");
    let reason: String = reason.chars().take(200).collect();
    Some(GROUP.warning(
        format!("{} disclosure", spec.name),
        format!("callers are not told that a machine speaks, because: {}", reason.escape_debug()),
        "Regulation (EU) 2024/1689, article 50(1), asks for it: does the reason still hold? Else take \
         `announce_ai = false` out of its file",
    ))
}

/// The terms of some numbers keep machines from them (Twilio's for France).
fn terms(assistant: &Assistant) -> Option<Finding> {
    let error = assistant.spec.phone.number.may_be_a_machines().err()?;
    let advice = "take a geographic or national number for it";
    Some(GROUP.warning(format!("{} number", assistant.spec.name), error.to_string(), advice))
}
