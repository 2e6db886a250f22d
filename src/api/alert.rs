//! Alerts: what was too much, what is watched, and who is told.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Moment, Success};
use crate::{
    domain::{
        Alert, AlertChannel, AlertEvent, AlertId, AlertKind, AlertLevel, AlertNotice,
        AlertSeverity, AlertSilence, AlertState, AssistantId, AssistantName, DeliveryState,
        HumanDuration, SilenceId, TimeRange,
    },
    operations::alerts::{Page, RuleOf},
};

/// Something that somebody was told, or is to be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AlertNotice")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct AlertNoticeView {
    /// The name it is sent under, however often: a webhook's `webhook-id`.
    pub message_id: String,
    pub event: AlertEvent,
    /// The name of a destination, an address or a number.
    pub to: String,
    /// By which way; null when no settings know the destination.
    pub channel: Option<AlertChannel>,
    pub state: DeliveryState,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
    /// When it is tried next; null once it arrived or was given up.
    #[schemars(with = "Option<Moment>")]
    pub due_at: Option<Timestamp>,
    pub attempts: u32,
    /// Why it did not arrive the last time.
    pub failure: Option<String>,
    #[schemars(with = "Option<Moment>")]
    pub settled_at: Option<Timestamp>,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Alert")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct AlertView {
    pub id: AlertId,
    /// What the rule is called.
    pub rule: String,
    pub kind: AlertKind,
    /// Null when it is about the whole.
    pub assistant_id: Option<AssistantId>,
    pub assistant: Option<AssistantName>,
    /// Which of several, such as `llm/openai`.
    pub part: Option<String>,
    pub severity: AlertSeverity,
    pub state: AlertState,
    /// The last value seen.
    pub value: AlertLevel,
    /// The worst value seen.
    pub worst: AlertLevel,
    pub threshold: AlertLevel,
    /// Since when it has been too much.
    #[schemars(with = "Moment")]
    pub since: Timestamp,
    #[schemars(with = "Option<Moment>")]
    pub fired_at: Option<Timestamp>,
    /// When it was last looked at.
    #[schemars(with = "Moment")]
    pub seen_at: Timestamp,
    #[schemars(with = "Option<Moment>")]
    pub resolved_at: Option<Timestamp>,
    /// Whether it is over because nobody watches it any more.
    pub unwatched: bool,
    #[schemars(with = "Option<Moment>")]
    pub acked_at: Option<Timestamp>,
    /// Who said to know of it.
    pub acked_by: Option<String>,
    #[schemars(with = "Option<Moment>")]
    pub silenced_until: Option<Timestamp>,
    pub notices: Vec<AlertNoticeView>,
}

impl From<AlertNotice> for AlertNoticeView {
    fn from(notice: AlertNotice) -> Self {
        let is_pending = notice.state == DeliveryState::Pending;
        Self {
            message_id: notice.message_id,
            event: notice.event,
            to: notice.to,
            channel: notice.channel,
            state: notice.state,
            created_at: notice.created_at,
            due_at: is_pending.then_some(notice.due_at),
            attempts: notice.attempts,
            failure: notice.failure,
            settled_at: notice.settled_at,
        }
    }
}

impl From<Alert> for AlertView {
    fn from(alert: Alert) -> Self {
        let (acked_at, acked_by) = alert.acked.unzip();
        Self {
            id: alert.id,
            rule: alert.subject.rule,
            kind: alert.kind,
            assistant_id: alert.subject.assistant,
            assistant: alert.assistant,
            part: Some(alert.subject.part).filter(|part| !part.is_empty()),
            severity: alert.severity,
            state: alert.state,
            value: alert.value,
            worst: alert.worst,
            threshold: alert.threshold,
            since: alert.pending_at,
            fired_at: alert.fired_at,
            seen_at: alert.seen_at,
            resolved_at: alert.resolved_at,
            unwatched: alert.unwatched,
            acked_at,
            acked_by,
            silenced_until: alert.silenced_until,
            notices: alert.notices.into_iter().map(Into::into).collect(),
        }
    }
}

/// A page of alerts, the newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Alerts {
    /// True.
    pub success: Success,
    /// The alerts.
    pub alerts: Vec<AlertView>,
    /// What to send as `cursor` for the next page; null at the end.
    pub next: Option<String>,
}

impl From<Page> for Alerts {
    fn from(page: Page) -> Self {
        let last = page.alerts.last().filter(|_| page.more);
        let next = last.map(|last| last.id.0.to_string());
        let alerts = page.alerts.into_iter().map(Into::into).collect();
        Self { success: Success::default(), alerts, next }
    }
}

/// One alert.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneAlert {
    /// True.
    pub success: Success,
    /// As it is now.
    pub alert: AlertView,
}

/// A rule, as it is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WatchedRule")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct AlertRuleView {
    /// What it is called.
    pub rule: String,
    pub kind: AlertKind,
    /// Null when it is about the whole.
    pub assistant_id: Option<AssistantId>,
    pub assistant: Option<AssistantName>,
    /// Whether it is watched at all.
    pub active: bool,
    pub threshold: Option<AlertLevel>,
    pub recover: Option<AlertLevel>,
    #[schemars(with = "Option<String>")]
    pub window: Option<HumanDuration>,
    #[serde(rename = "for")]
    pub hold: HumanDuration,
    pub recover_for: HumanDuration,
    pub at_least: Option<u32>,
    /// How long after it was told it is told again while it goes on; null: never.
    #[schemars(with = "Option<String>")]
    pub remind: Option<HumanDuration>,
    pub severity: AlertSeverity,
    /// Null: as for all rules.
    pub quiet: Option<Vec<TimeRange>>,
    /// Who is told.
    pub to: Vec<String>,
    /// Those among them whom no settings know.
    pub unknown: Vec<String>,
}

impl From<RuleOf> for AlertRuleView {
    fn from(of: RuleOf) -> Self {
        let (assistant_id, assistant) = of.assistant.unzip();
        let rule = of.rule;
        Self {
            rule: rule.name,
            kind: rule.kind,
            assistant_id,
            assistant,
            active: rule.active,
            threshold: rule.threshold,
            recover: rule.recover,
            window: rule.kind.has_window().then_some(rule.window),
            hold: rule.hold,
            recover_for: rule.recover_for,
            at_least: Some(rule.at_least).filter(|least| *least > 0),
            remind: of.remind,
            severity: rule.severity,
            quiet: rule.quiet,
            to: of.to,
            unknown: of.unknown,
        }
    }
}

/// A time in which nobody is told of what a rule says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AlertSilence")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct SilenceView {
    pub id: SilenceId,
    pub rule: String,
    /// Null: of all assistants, and of the whole.
    pub assistant_id: Option<AssistantId>,
    pub assistant: Option<AssistantName>,
    #[schemars(with = "Moment")]
    pub until: Timestamp,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
    pub created_by: String,
}

impl From<AlertSilence> for SilenceView {
    fn from(silence: AlertSilence) -> Self {
        let (assistant_id, assistant) = silence.assistant.unzip();
        Self {
            id: silence.id,
            rule: silence.rule,
            assistant_id,
            assistant,
            until: silence.until,
            created_at: silence.created_at,
            created_by: silence.by,
        }
    }
}

/// The rules that are watched, and which of them are silenced.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AlertRules {
    /// True.
    pub success: Success,
    /// Of the whole first, then of each assistant.
    pub rules: Vec<AlertRuleView>,
    /// Those that go on.
    pub silences: Vec<SilenceView>,
}

impl AlertRules {
    /// Of both.
    pub fn of(rules: Vec<RuleOf>, silences: Vec<AlertSilence>) -> Self {
        Self {
            success: Success::default(),
            rules: rules.into_iter().map(Into::into).collect(),
            silences: silences.into_iter().map(Into::into).collect(),
        }
    }
}

/// What to be silent about.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceInput {
    /// A rule, by name.
    pub rule: String,
    /// Of one assistant: its id or its name; of all, and of the whole, otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assistant_id: Option<String>,
    /// For how long: `2h`.
    #[serde(rename = "for")]
    pub length: HumanDuration,
}

/// A silence.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneSilence {
    /// True.
    pub success: Success,
    /// As it is now.
    pub silence: SilenceView,
}

/// Whom to try.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TestInput {
    /// Destinations by name; all of them when it is empty.
    pub to: Vec<String>,
}

/// What came of trying to tell somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertTest {
    /// The destination.
    pub to: String,
    /// By which way.
    pub kind: AlertChannel,
    /// Whether it was taken.
    pub arrived: bool,
    /// Why not.
    pub failure: Option<String>,
}

/// What came of trying.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AlertTests {
    /// True.
    pub success: Success,
    /// A row for each destination.
    pub tests: Vec<AlertTest>,
}
