//! Alerts as they are kept: from when it became too much until it was over.

use jiff::Timestamp;

use super::{
    super::{AssistantId, AssistantName, DeliveryState, row_number::row_number},
    AlertChannel, AlertEvent, AlertKind, AlertLevel, AlertSeverity, AlertState,
};

row_number!(
    /// The row number of an alert.
    AlertId
);

row_number!(
    /// The row number of a notice of an alert.
    AlertNoticeId
);

row_number!(
    /// The row number of a silence.
    SilenceId
);

/// What an alert is about: the same rule fires once for each.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlertSubject {
    /// The name of the rule.
    pub rule: String,
    /// The assistant; nothing when it is about the whole.
    pub assistant: Option<AssistantId>,
    /// Which of several, such as `llm/openai`; empty otherwise.
    pub part: String,
}

/// An alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its row.
    pub id: AlertId,
    /// What it is about.
    pub subject: AlertSubject,
    /// The assistant's name, also when it was deleted since.
    pub assistant: Option<AssistantName>,
    /// What is watched.
    pub kind: AlertKind,
    /// How bad it is.
    pub severity: AlertSeverity,
    /// How it stands.
    pub state: AlertState,
    /// The last value seen.
    pub value: AlertLevel,
    /// The worst value seen.
    pub worst: AlertLevel,
    /// From which on it was too much.
    pub threshold: AlertLevel,
    /// Since when it has been too much.
    pub pending_at: Timestamp,
    /// When it fired.
    pub fired_at: Option<Timestamp>,
    /// Since when it is well, while it still fires.
    pub calm_since: Option<Timestamp>,
    /// When it was last looked at.
    pub seen_at: Timestamp,
    /// When it was over.
    pub resolved_at: Option<Timestamp>,
    /// Whether it is over because nobody watches it any more.
    pub unwatched: bool,
    /// When somebody said to know of it, and who.
    pub acked: Option<(Timestamp, String)>,
    /// Until when nobody is told of it, if it is silenced.
    pub silenced_until: Option<Timestamp>,
    /// What was told of it.
    pub notices: Vec<AlertNotice>,
}

/// Something that somebody is told of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertNotice {
    /// Its row.
    pub id: AlertNoticeId,
    /// The name it is sent under, however often.
    pub message_id: String,
    /// Of which alert.
    pub alert: AlertId,
    /// The assistant that it is about.
    pub assistant: Option<AssistantId>,
    /// What is told.
    pub event: AlertEvent,
    /// Who is told: a destination's name, an address or a number.
    pub to: String,
    /// By which way, where it is known.
    pub channel: Option<AlertChannel>,
    /// Whether it has arrived.
    pub state: DeliveryState,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// After this it is not tried again.
    pub expires_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it did not arrive the last time.
    pub failure: Option<String>,
    /// When it arrived, or was given up.
    pub settled_at: Option<Timestamp>,
}

/// Which alerts to list. Everything given must hold.
#[derive(Debug, Clone, Default)]
pub struct AlertFilter {
    /// Of an assistant.
    pub assistant: Option<AssistantId>,
    /// Also those that are over.
    pub all: bool,
    /// Older than this row: where a page ends, the next one begins.
    pub older_than: Option<AlertId>,
    /// At most this many; `None` is all.
    pub limit: Option<u64>,
}

/// A time in which nobody is told of what a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSilence {
    /// Its row.
    pub id: SilenceId,
    /// The rule.
    pub rule: String,
    /// Of which assistant; of all, and of the whole, otherwise.
    pub assistant: Option<(AssistantId, AssistantName)>,
    /// Until when.
    pub until: Timestamp,
    /// When somebody asked for it.
    pub created_at: Timestamp,
    /// Who.
    pub by: String,
}
