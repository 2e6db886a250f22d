//! One look at everything that is watched: what begins, what goes on, what is over, and who is to be
//! told of it. In one transaction, so that each is told once whoever looks.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{
    Watch,
    measure::{self, Observed, Sample},
    notice,
};
use crate::{
    domain::{
        Alert, AlertChange, AlertChannel, AlertEvent, AlertId, AlertLevel, AlertPhase,
        AlertStanding, AlertState, AlertSubject, Assistant, Result, WatchedRule, is_quiet,
    },
    store::{
        Store, StoreError, Tx,
        alert_notices::{self, NewNotice},
        alerts,
    },
};

/// Something that began, or is over.
#[derive(Debug, Clone)]
pub struct Turned {
    /// The alert, as it is now.
    pub alert: Alert,
    /// What became of it.
    pub change: AlertChange,
    /// What it says, in the language of notices.
    pub words: String,
}

/// Nobody looked at a thing for so long: nobody watches it any more. Another daemon may still.
const UNWATCHED: SignedDuration = SignedDuration::from_mins(5);

/// Alerts that are over are kept this long; counts as long as any rule looks back, and longer.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
const COUNTED: SignedDuration = SignedDuration::from_hours(48);

/// Looks at everything that is watched, once. Must not be called from async code.
pub fn look(
    store: &Store,
    watch: &Watch,
    observed: Observed,
    now: Timestamp,
) -> Result<Vec<Turned>> {
    // Measured by a reader: what is well costs callers nothing.
    let (samples, any) = store.read(|tx| {
        let open = alerts::unclosed(tx)?;
        Ok((measure::samples(tx, store, watch, observed, &open, now)?, !open.is_empty()))
    })?;
    let is_too_much = |sample: &Sample| {
        let threshold = sample.rule.bounds().map(|bounds| bounds.threshold);
        sample.value.zip(threshold).is_some_and(|(value, threshold)| value >= threshold)
    };
    if !any && !samples.iter().any(is_too_much) {
        return Ok(Vec::new());
    }
    let watch = watch.clone();
    store.write(move |tx| step(tx, &watch, &samples, now))
}

/// Drops what is long over. Must not be called from async code.
pub(in crate::operations) fn forget(tx: &Tx, now: Timestamp) -> Result<u64, StoreError> {
    let before = |length| now.checked_sub(length).unwrap_or(Timestamp::MIN);
    alerts::forget_counts(tx, before(COUNTED))?;
    alerts::forget(tx, before(KEPT))
}

fn step(
    tx: &Tx,
    watch: &Watch,
    samples: &[Sample],
    now: Timestamp,
) -> Result<Vec<Turned>, StoreError> {
    let mut open: HashMap<AlertSubject, Alert> = alerts::unclosed(tx)?
        .into_iter()
        .filter(|alert| alert.state != AlertState::Resolved)
        .map(|alert| (alert.subject.clone(), alert))
        .collect();
    let mut turned: Vec<(AlertId, AlertChange)> = Vec::new();
    for sample in samples {
        // A name that meant something else is another thing: what was is over first.
        if open.get(&sample.subject).is_some_and(|alert| alert.kind != sample.rule.kind) {
            continue;
        }
        let before = open.remove(&sample.subject);
        turned.extend(one(tx, sample, before, now)?);
    }
    for mut alert in open.into_values() {
        // What was seen a moment ago is another daemon's to look at.
        if now.duration_since(alert.seen_at) < UNWATCHED {
            continue;
        }
        if alert.state == AlertState::Pending {
            alerts::drop_pending(tx, alert.id)?;
            continue;
        }
        (alert.state, alert.resolved_at, alert.unwatched) = (AlertState::Resolved, Some(now), true);
        alerts::update(tx, &alert)?;
        turned.push((alert.id, AlertChange::Resolved));
    }
    let all = alerts::unclosed(tx)?;
    let by_subject: HashMap<&AlertSubject, &Sample> =
        samples.iter().map(|sample| (&sample.subject, sample)).collect();
    let mut said = Vec::new();
    for alert in &all {
        let sample = by_subject.get(&alert.subject).copied();
        let about = match sample {
            Some(sample) => About::of(sample, watch),
            None => About::gone(tx, alert, watch)?,
        };
        tell(tx, watch, alert, &about, now)?;
        for (_, change) in turned.iter().filter(|(id, _)| *id == alert.id) {
            let event = match change {
                AlertChange::Fired => AlertEvent::Firing,
                AlertChange::Resolved => AlertEvent::Resolved,
            };
            let words = notice::headline(alert, event, watch.language);
            said.push(Turned { alert: alert.clone(), change: *change, words });
        }
    }
    Ok(said)
}

/// Moves one thing by one step; answers what is to be told.
fn one(
    tx: &Tx,
    sample: &Sample,
    before: Option<Alert>,
    now: Timestamp,
) -> Result<Option<(AlertId, AlertChange)>, StoreError> {
    let rule = &sample.rule;
    let (Some(bounds), Some(threshold)) = (rule.bounds(), rule.threshold) else { return Ok(None) };
    let standing = match &before {
        Some(alert) => standing(alert),
        // Should another daemon have seen the end of it a moment ago, an older sample says nothing.
        None => AlertStanding {
            phase: AlertPhase::Well,
            seen_at: match sample.value {
                Some(value) if value >= bounds.threshold => alerts::last_seen(tx, &sample.subject)?,
                _ => return Ok(None),
            },
        },
    };
    let (after, change) = standing.after(&bounds, sample.value, now);
    if after == standing {
        return Ok(None);
    }
    let value = sample.value.map(|value| threshold.with(value));
    let mut alert = match (before, value) {
        (Some(alert), value) => Alert { value: value.unwrap_or(alert.value), ..alert },
        (None, Some(value)) => fresh(sample, value, threshold, now),
        (None, None) => return Ok(None),
    };
    // In the currency that the rule has now.
    let same = alert.worst.currency() == alert.value.currency();
    alert.worst =
        if same && alert.worst.get() > alert.value.get() { alert.worst } else { alert.value };
    (alert.threshold, alert.severity, alert.seen_at) = (threshold, rule.severity, now);
    match after.phase {
        AlertPhase::Well if change.is_none() => {
            alerts::drop_pending(tx, alert.id)?;
            return Ok(None);
        }
        AlertPhase::Well => {
            (alert.state, alert.calm_since, alert.resolved_at) =
                (AlertState::Resolved, None, Some(now));
        }
        AlertPhase::Pending { since } => alert.pending_at = since,
        AlertPhase::Firing { calm_since } => {
            (alert.state, alert.calm_since) = (AlertState::Firing, calm_since);
            if change == Some(AlertChange::Fired) {
                alert.fired_at = Some(now);
            }
        }
    }
    if alert.id == NEW {
        // Another one in its place: it is that one which is looked at the next time.
        let Some(id) = alerts::insert(tx, &alert)? else { return Ok(None) };
        alert.id = id;
    } else {
        alerts::update(tx, &alert)?;
    }
    Ok(change.map(|change| (alert.id, change)))
}

/// The number of one that has none yet.
const NEW: AlertId = AlertId(0);

fn standing(alert: &Alert) -> AlertStanding {
    let phase = match alert.state {
        AlertState::Pending => AlertPhase::Pending { since: alert.pending_at },
        AlertState::Firing => AlertPhase::Firing { calm_since: alert.calm_since },
        AlertState::Resolved => AlertPhase::Well,
    };
    AlertStanding { phase, seen_at: Some(alert.seen_at) }
}

fn fresh(sample: &Sample, value: AlertLevel, threshold: AlertLevel, now: Timestamp) -> Alert {
    Alert {
        id: NEW,
        subject: sample.subject.clone(),
        assistant: sample.assistant.as_ref().map(|one| one.spec.name.clone()),
        kind: sample.rule.kind,
        severity: sample.rule.severity,
        state: AlertState::Pending,
        value,
        worst: value,
        threshold,
        pending_at: now,
        fired_at: None,
        calm_since: None,
        seen_at: now,
        resolved_at: None,
        unwatched: false,
        acked: None,
        silenced_until: None,
        notices: Vec::new(),
    }
}

/// What has to be known to tell of an alert.
struct About {
    rule: Option<std::sync::Arc<WatchedRule>>,
    zone: TimeZone,
    /// The client's name.
    client: Option<String>,
}

impl About {
    fn of(sample: &Sample, watch: &Watch) -> Self {
        Self {
            rule: Some(std::sync::Arc::clone(&sample.rule)),
            zone: sample.zone(watch),
            client: sample.assistant.as_ref().map(|one| one.spec.client.clone()),
        }
    }

    /// Of what nobody watches any more, at least not here.
    fn gone(tx: &Tx, alert: &Alert, watch: &Watch) -> Result<Self, StoreError> {
        let found: Option<Assistant> = match alert.subject.assistant {
            Some(id) => crate::store::assistants::by_id(tx, id)?,
            None => None,
        };
        let zone = found.as_ref().map_or_else(|| watch.zone.clone(), |one| one.spec.zone());
        Ok(Self { rule: None, zone, client: found.map(|one| one.spec.client) })
    }
}

/// Something that somebody is to be told and was not yet.
type Missing = (AlertEvent, String, Option<AlertChannel>);

/// Who was not told that it began, and who is to be told again that it goes on.
fn missing_of_firing(
    watch: &Watch,
    rule: &WatchedRule,
    alert: &Alert,
    now: Timestamp,
) -> Vec<Missing> {
    let remind = watch.remind_of(rule).and_then(|one| SignedDuration::try_from(one.get()).ok());
    let event_for = |to: &str| {
        // The newest that it was told; what is on its way still says enough.
        let Some(last) = alert.notices.iter().rfind(|notice| notice.to == to) else {
            return Some(AlertEvent::Firing);
        };
        // What is well again, but not for long enough yet, is nothing to be called back for.
        let again = remind.filter(|_| alert.calm_since.is_none())?;
        (now.duration_since(last.settled_at?) >= again).then_some(AlertEvent::Reminder)
    };
    let told = watch.told(rule).into_iter();
    told.filter_map(|(to, channel)| Some((event_for(&to)?, to, channel))).collect()
}

/// Who was told that it began, and is to be told that it is over.
fn missing_of_resolved(alert: &Alert) -> Vec<Missing> {
    let of = |event| alert.notices.iter().filter(move |notice| notice.event == event);
    of(AlertEvent::Firing)
        .filter(|began| !of(AlertEvent::Resolved).any(|over| over.to == began.to))
        .map(|began| (AlertEvent::Resolved, began.to.clone(), began.channel))
        .collect()
}

/// Writes a notice for each who is to be told and was not yet, unless it is to wait.
fn tell(
    tx: &Tx,
    watch: &Watch,
    alert: &Alert,
    about: &About,
    now: Timestamp,
) -> Result<(), StoreError> {
    let missing = match alert.state {
        AlertState::Pending => return Ok(()),
        // Somebody knows: who was not told yet need not be, and nobody is told again.
        AlertState::Firing if alert.acked.is_some() => return Ok(()),
        AlertState::Firing => match about.rule.as_deref() {
            Some(rule) => missing_of_firing(watch, rule, alert, now),
            None => Vec::new(),
        },
        AlertState::Resolved => {
            alert_notices::withdraw(tx, alert.id, now)?;
            missing_of_resolved(alert)
        }
    };
    let is_over = alert.state == AlertState::Resolved;
    if missing.is_empty() {
        return if is_over { alerts::close(tx, alert.id) } else { Ok(()) };
    }
    let quiet = watch.quiet_of(about.rule.as_deref());
    if Watch::waits(alert.severity) && is_quiet(quiet, &about.zone, now) {
        return Ok(());
    }
    if alerts::silenced(tx, &alert.subject, now)?.is_some() {
        return Ok(());
    }
    for (event, to, channel) in missing {
        if event == AlertEvent::Reminder {
            alert_notices::forget_reminder(tx, alert.id, &to)?;
        }
        let payload = notice::payload(alert, event, about.client.as_deref(), watch.language, now);
        let message_id = crate::operations::outbox::message_id()?;
        let new = NewNotice { message_id, alert: alert.id, event, to, channel, payload };
        alert_notices::insert(tx, &new, now)?;
    }
    if is_over { alerts::close(tx, alert.id) } else { Ok(()) }
}
