//! A notice, as it is stored and sent: facts for machines, words for people.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::phrases;
use crate::domain::{
    Alert, AlertEvent, AlertKind, AlertLanguage, AlertLevel, AlertUnit, Error, Result,
};

/// What people read of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// What it is about: the subject of an e-mail, a whole SMS.
    pub title: String,
    /// The rest.
    pub text: String,
}

impl Told {
    /// Out of a stored notice.
    pub fn read(payload: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Whole {
            data: Told,
        }
        let whole: Whole = serde_json::from_str(payload)
            .map_err(|cause| Error::failure("the notice cannot be read").because(cause))?;
        Ok(whole.data)
    }

    /// Both together, for a channel.
    pub fn whole(&self) -> String {
        if self.text.is_empty() {
            return self.title.clone();
        }
        format!("{}\n{}", self.title, self.text)
    }
}

/// What happened, in half a sentence.
pub(super) fn headline(alert: &Alert, event: AlertEvent, language: AlertLanguage) -> String {
    let phrases = phrases::of(language);
    let part = (phrases.part)(&alert.subject.part).unwrap_or(&alert.subject.part);
    if event == AlertEvent::Resolved && alert.unwatched {
        return format!("{} {}", alert.subject.rule, phrases.unwatched);
    }
    let words = match event {
        AlertEvent::Resolved => (phrases.ended)(alert.kind),
        AlertEvent::Firing | AlertEvent::Reminder | AlertEvent::Test => (phrases.began)(alert.kind),
    };
    words
        .replace("{value}", &phrases::shown(alert.value, language))
        .replace("{threshold}", &phrases::shown(alert.threshold, language))
        .replace("{part}", part)
}

/// What is sent, as JSON.
pub(super) fn payload(
    alert: &Alert,
    event: AlertEvent,
    client: Option<&str>,
    language: AlertLanguage,
    now: Timestamp,
) -> String {
    let phrases = phrases::of(language);
    let colon = phrases.colon;
    let whose = client
        .map(str::to_owned)
        .or_else(|| alert.assistant.as_ref().map(ToString::to_string))
        .unwrap_or_else(|| phrases.whole.to_owned());
    let severity = (phrases.severity)(alert.severity);
    let word = match event {
        AlertEvent::Resolved => phrases.over.to_owned(),
        AlertEvent::Reminder => format!("{}{colon}{severity}", phrases.again),
        AlertEvent::Firing | AlertEvent::Test => severity.to_owned(),
    };
    let title = format!("{word}{colon}{whose}{colon}{}", headline(alert, event, language));
    let mut lines = vec![format!("{}{colon}{}", phrases.of_rule, alert.subject.rule)];
    let began = alert.pending_at;
    if let (AlertEvent::Resolved, Some(over)) = (event, alert.resolved_at) {
        let seconds = over.duration_since(began).as_secs().max(0);
        lines.push(format!("{}{colon}{}", phrases.lasted, phrases::length(seconds)));
        if alert.kind != AlertKind::ProviderDown {
            let worst = phrases::shown(alert.worst, language);
            lines.push(format!("{}{colon}{worst}", phrases.worst));
        }
    } else {
        let began = began.strftime("%Y-%m-%d %H:%M UTC");
        lines.push(format!("{}{colon}{began}", phrases.since));
    }
    if let Some(name) = &alert.assistant {
        lines.push(format!("Assistant{colon}{name}"));
    }
    let value = json!({
        "type": event,
        "timestamp": now,
        "data": {
            "alert": facts(alert, client),
            "title": title,
            "text": lines.join("\n"),
        },
    });
    value.to_string()
}

/// An alert as machines read it.
fn facts(alert: &Alert, client: Option<&str>) -> Value {
    json!({
        "id": alert.id,
        "rule": alert.subject.rule,
        "kind": alert.kind,
        "severity": alert.severity,
        "state": alert.state,
        "assistant": alert.assistant.as_ref().map(|name| json!({
            "id": alert.subject.assistant, "name": name, "client_name": client,
        })),
        "part": Some(&alert.subject.part).filter(|part| !part.is_empty()),
        "unit": unit(alert.threshold),
        "value": plain(alert.value),
        "worst": plain(alert.worst),
        "threshold": plain(alert.threshold),
        "since": alert.pending_at,
        "fired_at": alert.fired_at,
        "resolved_at": alert.resolved_at,
    })
}

/// What plain values are.
fn unit(level: AlertLevel) -> &'static str {
    match (level.unit(), level.currency()) {
        (AlertUnit::Share, _) => "percent",
        (AlertUnit::Time, _) => "seconds",
        (AlertUnit::Number, _) => "number",
        (AlertUnit::Money, currency) => currency.map_or("", crate::domain::Currency::as_str),
    }
}

/// A value as a number of its unit.
fn plain(level: AlertLevel) -> f64 {
    let value = level.get() as f64;
    match level.unit() {
        AlertUnit::Share | AlertUnit::Number => value / 100.0,
        AlertUnit::Time => value / 1_000.0,
        AlertUnit::Money => value / 1_000_000.0,
    }
}

/// A notice that only tries whether somebody can be told.
pub fn trial(language: AlertLanguage, now: Timestamp) -> String {
    let phrases = phrases::of(language);
    let title = format!("{}{}{}", phrases.trial, phrases.colon, phrases.whole);
    let told = Told { title, text: phrases.trial_text.to_owned() };
    json!({
        "type": AlertEvent::Test,
        "timestamp": now,
        "data": { "alert": null, "title": told.title, "text": told.text },
    })
    .to_string()
}
