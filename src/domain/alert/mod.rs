//! Alerts: what is watched, when it is too much, who is told.
//!
//! A [`rule`] bounds a measure, the [`engine`] turns samples of it into what begins and what is over,
//! and a [`destination`] is told. Nothing here reads a clock or a store.

mod destination;
mod engine;
mod incident;
mod level;
mod opened;
mod quiet;
mod rule;
mod watched;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HumanDuration, words::words};

pub use destination::{AlertDestination, AlertRecipient};
pub use engine::{AlertBounds, AlertChange, AlertPhase, AlertStanding};
pub use incident::{
    Alert, AlertFilter, AlertId, AlertNotice, AlertNoticeId, AlertSilence, AlertSubject, SilenceId,
};
pub use level::{AlertLevel, AlertUnit};
pub use opened::opened;
pub use quiet::is_quiet;
pub use rule::AlertRule;
pub use watched::{WatchedRule, watched};

words! {
    /// What a rule watches.
    AlertKind {
        /// Which share of the calls of a time failed.
        FailedCalls = "failed-calls",
        /// How long nobody has called while it was open.
        NoCalls = "no-calls",
        /// What 95 of 100 replies took at most.
        Latency = "latency",
        /// Whether a provider is left alone, because it failed a few times in a row.
        ProviderDown = "provider-down",
        /// What was spent today, UTC.
        SpendDay = "spend-day",
        /// What was spent this month, UTC.
        SpendMonth = "spend-month",
        /// How much is used of what an assistant may use up in a day.
        Quota = "quota",
        /// By how much callers are less satisfied than before.
        Satisfaction = "satisfaction",
        /// Webhooks without a valid signature.
        Signatures = "signatures",
        /// How full the disk is that the database is on.
        Disk = "disk",
        /// How often the database failed.
        StoreErrors = "store-errors",
        /// How long ago the last backup was made.
        Backup = "backup",
    }
}

words! {
    /// How bad it is.
    #[derive(Default)]
    AlertSeverity {
        /// Good to know.
        Info = "info",
        /// Somebody should look.
        #[default]
        Warning = "warning",
        /// Somebody must look now: told in quiet hours as well.
        Critical = "critical",
    }
}

words! {
    /// By which way somebody is told.
    AlertChannel {
        /// E-mail.
        Email = "email",
        /// A text message, over Twilio.
        Sms = "sms",
        /// A channel at Slack, or at what takes the same.
        Slack = "slack",
        /// A channel at Teams.
        Teams = "teams",
        /// A channel at Discord.
        Discord = "discord",
        /// A signed webhook.
        Webhook = "webhook",
        /// A program on the machine of the daemon.
        Command = "command",
    }
}

words! {
    /// How an alert stands.
    AlertState {
        /// It is too much, but not for long enough yet.
        Pending = "pending",
        /// It is too much.
        Firing = "firing",
        /// It is over.
        Resolved = "resolved",
    }
}

words! {
    /// What is told of an alert.
    AlertEvent {
        /// That it began.
        Firing = "alert.firing",
        /// That it goes on, told again to who was told that it began.
        Reminder = "alert.reminder",
        /// That it is over.
        Resolved = "alert.resolved",
        /// Nothing: it is tried whether somebody can be told.
        Test = "alert.test",
    }
}

words! {
    /// The languages that notices are written in.
    #[derive(Default)]
    AlertLanguage {
        /// French.
        #[default]
        French = "fr",
        /// English.
        English = "en",
    }
}

impl AlertKind {
    /// Whether it is watched for each assistant; of the whole otherwise.
    pub const fn is_of_assistants(self) -> bool {
        match self {
            Self::FailedCalls
            | Self::NoCalls
            | Self::Latency
            | Self::SpendDay
            | Self::SpendMonth
            | Self::Quota
            | Self::Satisfaction => true,
            Self::ProviderDown
            | Self::Signatures
            | Self::Disk
            | Self::StoreErrors
            | Self::Backup => false,
        }
    }

    /// Whether it is money, which a rule of `webox.toml` adds up over all assistants.
    pub const fn is_spend(self) -> bool {
        matches!(self, Self::SpendDay | Self::SpendMonth)
    }

    /// How long after it was told it is told again where no settings say so, while it goes on: what
    /// somebody is to mend now, several times a day; what ends with the day or the month, or is not
    /// mended within hours, once a day.
    pub const fn usual_remind(self) -> HumanDuration {
        const HOUR: u64 = 60;
        match self {
            Self::FailedCalls
            | Self::Latency
            | Self::ProviderDown
            | Self::Signatures
            | Self::Disk
            | Self::StoreErrors => HumanDuration::from_minutes(4 * HOUR),
            Self::NoCalls
            | Self::SpendDay
            | Self::SpendMonth
            | Self::Quota
            | Self::Satisfaction
            | Self::Backup => HumanDuration::from_minutes(24 * HOUR),
        }
    }

    /// Whether it looks at a stretch of time of one's choice.
    pub const fn has_window(self) -> bool {
        matches!(
            self,
            Self::FailedCalls
                | Self::Latency
                | Self::Satisfaction
                | Self::Signatures
                | Self::StoreErrors
        )
    }

    /// What its values are.
    pub const fn unit(self) -> AlertUnit {
        match self {
            Self::FailedCalls | Self::Quota | Self::Disk => AlertUnit::Share,
            Self::NoCalls | Self::Latency | Self::Backup => AlertUnit::Time,
            Self::SpendDay | Self::SpendMonth => AlertUnit::Money,
            Self::Satisfaction | Self::ProviderDown | Self::Signatures | Self::StoreErrors => {
                AlertUnit::Number
            }
        }
    }
}
