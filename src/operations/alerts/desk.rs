//! Alerts looked at, silenced and acknowledged, by those who may.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Watch;
use crate::{
    domain::{
        Actor, Alert, AlertFilter, AlertId, AlertSilence, AlertState, Assistant, AssistantId,
        AssistantName, Error, HumanDuration, Kind, Result, WatchedRule, did_you_mean, watched,
    },
    operations::audit,
    store::{Store, alert_notices, alerts, assistants, audit::Deed},
};

/// Some alerts, the newest first.
#[derive(Debug, Clone)]
pub struct Page {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// Whether there are more after these.
    pub more: bool,
}

/// A rule, and whose.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleOf {
    /// The rule, as it is watched.
    pub rule: WatchedRule,
    /// Of which assistant; of the whole otherwise.
    pub assistant: Option<(AssistantId, AssistantName)>,
    /// How long after it was told it is told again while it goes on; nothing when it never is.
    pub remind: Option<HumanDuration>,
    /// Who is told.
    pub to: Vec<String>,
    /// Those among them whom no settings know.
    pub unknown: Vec<String>,
}

/// The longest silence.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Alerts that match and may be seen.
pub fn list(store: &Store, actor: &Actor, filter: &AlertFilter, now: Timestamp) -> Result<Page> {
    let sight = actor.sight();
    let limit = filter.limit.map(|limit| limit.saturating_add(1));
    let wanted = AlertFilter { limit, ..filter.clone() };
    store.read(|tx| {
        let mut found = alerts::list(tx, sight, &wanted, now)?;
        let more = filter.limit.is_some_and(|limit| found.len() as u64 > limit);
        if more {
            found.pop();
        }
        let alerts = found.into_iter().map(|alert| for_eyes_of(actor, alert)).collect();
        Ok(Page { alerts, more })
    })
}

/// One. One that the actor may not see is one that is not there.
pub fn show(store: &Store, actor: &Actor, id: AlertId, now: Timestamp) -> Result<Alert> {
    let sight = actor.sight();
    let alert =
        store.read(|tx| alerts::get(tx, sight, id, now)?.ok_or_else(|| unknown(id).into()))?;
    Ok(for_eyes_of(actor, alert))
}

/// Whom the agency tells, and why that failed, is for those who see all. Others see that it was told.
fn for_eyes_of(actor: &Actor, mut alert: Alert) -> Alert {
    if !actor.sees_all() {
        for notice in &mut alert.notices {
            AGENCY.clone_into(&mut notice.to);
            notice.failure = None;
        }
    }
    alert
}

/// Stands for whom the agency has told.
const AGENCY: &str = "agency";

/// An alert that is not there, or not for the actor to know of.
pub fn unknown(id: AlertId) -> Error {
    Error::not_found(format!("no alert {}", id.0)).hint("list them with `webox alerts --all`")
}

/// The rules that are watched: of one assistant, or of the whole and of all that may be seen.
pub fn list_rules(
    store: &Store,
    watch: &Watch,
    actor: &Actor,
    assistant: Option<&Assistant>,
) -> Result<Vec<RuleOf>> {
    let mut rules = Vec::new();
    if assistant.is_none() && actor.sees_all() {
        let whole = watched(&watch.rules, None);
        rules.extend(whole.into_iter().map(|rule| of(watch, rule, None)));
    }
    let all: Vec<Assistant> = if let Some(one) = assistant {
        vec![one.clone()]
    } else {
        let sight = actor.sight();
        let found = store.read(|tx| assistants::list(tx, sight))?;
        found.into_iter().map(|overview| overview.assistant).collect()
    };
    for one in all {
        let whose = (one.id, one.spec.name.clone());
        let own = watched(&watch.rules, Some(&one.spec.alerts));
        rules.extend(own.into_iter().map(|rule| of(watch, rule, Some(whose.clone()))));
    }
    if !actor.sees_all() {
        for rule in &mut rules {
            if !rule.to.is_empty() {
                rule.to = vec![AGENCY.to_owned()];
            }
            rule.unknown.clear();
        }
    }
    Ok(rules)
}

fn of(watch: &Watch, rule: WatchedRule, assistant: Option<(AssistantId, AssistantName)>) -> RuleOf {
    let told = watch.told(&rule);
    let unknown = told.iter().filter(|(_, channel)| channel.is_none());
    let unknown = unknown.map(|(to, _)| to.clone()).collect();
    let remind = watch.remind_of(&rule);
    RuleOf { rule, assistant, remind, to: told.into_iter().map(|(to, _)| to).collect(), unknown }
}

/// Refuses who may not try whether somebody can be told: destinations are the agency's.
pub fn may_test(actor: &Actor) -> Result<()> {
    actor.may_write()?;
    actor.may_administer()
}

/// The silences that go on and may be seen.
pub fn silences(store: &Store, actor: &Actor, now: Timestamp) -> Result<Vec<AlertSilence>> {
    let sight = actor.sight();
    store.read(|tx| alerts::silences(tx, sight, now))
}

/// Whose a silence is: one assistant's, or everybody's where the actor may see all.
fn may_silence(actor: &Actor, assistant: Option<&Assistant>) -> Result<()> {
    actor.may_write()?;
    if assistant.is_none() && !actor.sees_all() {
        return Err(Error::new(Kind::Denied, "only an admin may silence a rule of all assistants")
            .hint("name one of yours: `--assistant NAME`"));
    }
    Ok(())
}

/// The rule must be one: whoever misspells it believes in a silence that is none.
fn known(watch: &Watch, rule: &str, assistant: Option<&Assistant>) -> Result<()> {
    let mut names: Vec<String> = Vec::new();
    let own = assistant.map_or(&[][..], |one| &one.spec.alerts[..]);
    if assistant.is_none() {
        names.extend(watched(&watch.rules, None).into_iter().map(|rule| rule.name));
    }
    names.extend(watched(&watch.rules, Some(own)).into_iter().map(|rule| rule.name));
    if names.iter().any(|name| name == rule) {
        return Ok(());
    }
    let near = did_you_mean(rule, names.iter().map(String::as_str));
    let hint = near.first().map_or_else(
        || "list the rules with `webox alerts rules`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    let shown: String = rule.chars().take(63).collect();
    Err(Error::not_found(format!("no rule `{}`", shown.escape_debug())).hint(hint))
}

/// Lets nobody be told of a rule for a while.
pub fn silence(
    store: &Store,
    watch: &Watch,
    actor: &Actor,
    rule: &str,
    assistant: Option<&Assistant>,
    length: SignedDuration,
    now: Timestamp,
) -> Result<AlertSilence> {
    may_silence(actor, assistant)?;
    known(watch, rule, assistant)?;
    if length <= SignedDuration::ZERO || length > LONGEST {
        return Err(
            Error::input("a silence lasts from a second to a year").hint("such as `--for 2h`")
        );
    }
    let until = now.checked_add(length).unwrap_or(Timestamp::MAX);
    let (rule, actor) = (rule.to_owned(), actor.clone());
    let whose = assistant.map(|one| (one.id, one.spec.name.clone()));
    store.write(move |tx| {
        let id = whose.as_ref().map(|(id, _)| *id);
        alerts::silence(tx, &rule, id, until, &actor.author.who, now)?;
        let deed =
            deed("alert.silence", &rule, whose.as_ref(), Value::Null, json!({ "until": until }));
        audit::record(tx, &actor, now, &deed)?;
        let all = alerts::silences(tx, actor.sight(), now)?;
        let same = |one: &AlertSilence| {
            one.rule == rule && one.assistant.as_ref().map(|(id, _)| *id) == id
        };
        all.into_iter()
            .find(same)
            .ok_or_else(|| Error::failure(format!("the silence of `{rule}` was not kept")).into())
    })
}

/// Ends a silence: what still holds is told.
pub fn end_silence(
    store: &Store,
    actor: &Actor,
    rule: &str,
    assistant: Option<&Assistant>,
    now: Timestamp,
) -> Result<()> {
    may_silence(actor, assistant)?;
    let (rule, actor) = (rule.to_owned(), actor.clone());
    let whose = assistant.map(|one| (one.id, one.spec.name.clone()));
    store.write(move |tx| {
        let id = whose.as_ref().map(|(id, _)| *id);
        if !alerts::unsilence(tx, &rule, id, now)? {
            let shown: String = rule.chars().take(63).collect();
            let what = format!("the rule `{}` is not silenced", shown.escape_debug());
            return Err(Error::not_found(what)
                .hint("list silences with `webox alerts rules`")
                .into());
        }
        let deed = deed("alert.unsilence", &rule, whose.as_ref(), Value::Null, Value::Null);
        audit::record(tx, &actor, now, &deed)
    })
}

/// Notes that the actor knows of an alert: who was not told yet that it began is not told any more,
/// also where the notice is written and waits to be tried again.
pub fn ack(store: &Store, actor: &Actor, id: AlertId, now: Timestamp) -> Result<Alert> {
    actor.may_write()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let sight = actor.sight();
        let alert = alerts::get(tx, sight, id, now)?.ok_or_else(|| unknown(id))?;
        if alert.state == AlertState::Resolved {
            return Err(Error::conflict(format!("the alert {} is over", id.0)).into());
        }
        if alerts::ack(tx, id, &actor.author.who, now)? {
            alert_notices::withdraw(tx, id, now)?;
            let deed = Deed {
                action: "alert.ack",
                target: format!("alert/{}", id.0),
                before: json!({ "rule": alert.subject.rule, "state": alert.state }),
                after: json!({ "acked": true }),
            };
            audit::record(tx, &actor, now, &deed)?;
        }
        alerts::get(tx, sight, id, now)?.ok_or_else(|| unknown(id).into())
    })
}

fn deed(
    action: &'static str,
    rule: &str,
    whose: Option<&(AssistantId, AssistantName)>,
    before: Value,
    after: Value,
) -> Deed {
    let whose = whose.map_or_else(String::new, |(_, name)| format!("/{name}"));
    Deed { action, target: format!("alert-rule/{rule}{whose}"), before, after }
}
