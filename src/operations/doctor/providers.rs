//! Models, ears and mouths: does each that is set up answer, and has each that assistants name a key?

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::{Case, Finding, Group};
use crate::{
    domain::{Assistant, Outcome, ProviderKind, Sight, VoiceProvider},
    operations::providers,
    providers::check::Checked,
    store::assistants,
};

const GROUP: Group = Group::Providers;

pub(super) async fn look(case: Case) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let set_up: Vec<_> = case.here.standings.iter().filter(|one| one.configured).cloned().collect();
    if set_up.is_empty() {
        let seen = "none is set up: the built-in concierge answers, and Twilio speaks";
        found.push(GROUP.ok("none", seen));
    }
    let store = case.store.clone();
    let used = tokio::task::spawn_blocking(move || {
        store.and_then(|store| providers::models_in_use(&store).ok()).unwrap_or_default()
    });
    let used = used.await.unwrap_or_default();
    let asked = &case.here.asked;
    let asking = set_up.iter().filter_map(|standing| asked.ask(standing, &used).ok());
    found.extend(join_all(asking).await.iter().map(told));
    let missing = case.clone();
    let missing = tokio::task::spawn_blocking(move || missing_keys(&missing)).await;
    found.extend(missing.unwrap_or_default());
    found
}

fn told(one: &Checked) -> Finding {
    let name = format!("{} {}", one.kind.as_str(), one.provider);
    let what = if one.what.is_empty() { one.provider.as_str() } else { one.what.as_str() };
    let found = if one.outcome == Outcome::Answered {
        GROUP.ok(name, format!("{what} {}", one.detail))
    } else {
        let seen = format!("{what}: {} ({})", one.detail, one.outcome.as_str());
        GROUP.problem(name, seen, advice(one.outcome))
    };
    found.in_time(one.took)
}

fn advice(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::NoKey => "set its key: `man webox.toml` has the names",
        Outcome::TimedOut => "can this machine reach it? Its status page tells of trouble there",
        _ => {
            "look at the account there: key, credit, and what it may use; the next in the chain answers"
        }
    }
}

/// Who is named by assistants, and cannot be asked: the next in the chain answers in their place.
fn missing_keys(case: &Case) -> Vec<Finding> {
    let Some(store) = &case.store else { return super::without_store(GROUP) };
    let all = match store.read(|tx| assistants::list(tx, Sight::All)) {
        Ok(all) => all,
        Err(error) => return vec![GROUP.failed("assistants", &error)],
    };
    let mut missing: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for overview in all {
        let assistant = overview.assistant;
        for (who, why) in unasked(case, &assistant) {
            missing.entry((who, why)).or_default().push(assistant.spec.name.to_string());
        }
    }
    let told = missing.into_iter().map(|((who, why), names)| {
        let shown = names.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let more =
            if names.len() > 5 { format!(" and {} more", names.len() - 5) } else { String::new() };
        let seen = format!("{shown}{more} cannot ask {who}: {why}");
        GROUP.problem(
            format!("key {who}"),
            seen,
            "set the key, or name another in the assistant's file",
        )
    });
    told.collect()
}

fn unasked(case: &Case, assistant: &Assistant) -> Vec<(String, String)> {
    let (spec, asked) = (&assistant.spec, &case.here.asked);
    let owner = assistant.owner.as_ref().map(|owner| owner.id);
    let mut found = Vec::new();
    for model in std::iter::once(&spec.ai.model).chain(&spec.ai.fallbacks) {
        if model.is_builtin() {
            continue;
        }
        let key = spec.ai.api_key.as_ref();
        let key = key.filter(|_| asked.models.share_a_provider(model, &spec.ai.model));
        if let Err(error) = asked.models.find_with(model, key, owner) {
            found.push((model.to_string(), error.detail));
        }
    }
    // Twilio's voices need no key of ours.
    let set_up = |kind, provider: &str| {
        let mut all = case.here.standings.iter();
        all.any(|one| one.kind == kind && one.provider == provider && one.configured)
    };
    for provider in std::iter::once(&spec.voice.provider).chain(&spec.voice.fallbacks) {
        let word = provider.as_str();
        if *provider != VoiceProvider::Twilio && !set_up(ProviderKind::Mouth, word) {
            found.push((format!("the voice {word}"), "it is not set up".to_owned()));
        }
    }
    if spec.voice.line == crate::domain::VoiceLine::Stream {
        for provider in spec.hearing.provider.iter().chain(&spec.hearing.fallbacks) {
            let word = provider.as_str();
            if !set_up(ProviderKind::Ear, word) {
                found.push((format!("the ear {word}"), "it is not set up".to_owned()));
            }
        }
    }
    found
}
