//! Words from closed lists: tones, lines, voices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A word from a closed list, with its spelling in files, the store and the API.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::Error;
            fn from_str(text: &str) -> Result<Self, $crate::domain::Error> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|word| word.as_str()).collect();
                    $crate::domain::Error::input(format!("`{}` is not one of {}", text.escape_debug(), known.join(", ")))
                        .maybe_hint($crate::domain::suggestion_hint(text, known))
                })
            }
        }
    };
}

pub(super) use words;

words! {
    /// The tone of an assistant.
    Personality {
        /// Courteous and to the point.
        Professional = "professional",
        /// Warm.
        Friendly = "friendly",
        /// Relaxed.
        Casual = "casual",
        /// Ceremonious.
        Formal = "formal",
    }
}

words! {
    /// What public holidays mean to a client.
    #[derive(Default)]
    HolidayHours {
        /// Nothing: the hours of the week hold.
        #[default]
        Open = "open",
        /// Closed, all day.
        Closed = "closed",
    }
}

impl HolidayHours {
    // The signature is serde's.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

words! {
    /// How speech travels between the caller and us.
    VoiceLine {
        /// Webhooks and `<Gather input="speech">`.
        Gather = "gather",
        /// `<ConversationRelay>`, text over a WebSocket.
        Relay = "relay",
        /// `<Stream>`, audio over a WebSocket.
        Stream = "stream",
    }
}

words! {
    /// Who speaks.
    VoiceProvider {
        /// ElevenLabs.
        Elevenlabs = "elevenlabs",
        /// Google Cloud.
        Google = "google",
        /// Azure.
        Azure = "azure",
        /// OpenAI.
        Openai = "openai",
        /// Twilio's own `<Say>` voices.
        Twilio = "twilio",
        /// A program on this machine.
        Local = "local",
    }
}

words! {
    /// Who listens, where that is ours to say.
    EarProvider {
        /// Deepgram.
        Deepgram = "deepgram",
        /// Google Cloud Speech-to-Text.
        Google = "google",
        /// OpenAI, and servers that transcribe like it.
        Openai = "openai",
    }
}

words! {
    /// How readily a caller's voice interrupts the assistant.
    BargeIn {
        /// It never does.
        Off = "off",
        /// Only long or whole sentences do.
        Low = "low",
        /// Words do; a cough or "hm-hm" does not.
        Medium = "medium",
        /// The first sound of a voice does.
        High = "high",
    }
}

words! {
    /// What a booking is: it decides how the assistant speaks of it.
    #[derive(Default)]
    BookingKind {
        /// A table, for a party.
        #[default]
        Table = "table",
        /// An appointment, for one person unless the file says otherwise.
        Appointment = "appointment",
        /// Nights, from a day of arrival to a day of departure.
        Stay = "stay",
    }
}

words! {
    /// What came of a call.
    CallOutcome {
        /// Something was booked.
        Booked = "booked",
        /// A booking was moved.
        Changed = "changed",
        /// A booking was cancelled.
        Cancelled = "cancelled",
        /// The caller was answered.
        Informed = "informed",
        /// A human took the call.
        Transferred = "transferred",
        /// A message was left.
        Message = "message",
        /// The caller said nothing, or hung up before an answer.
        Abandoned = "abandoned",
        /// It could not be carried out.
        Failed = "failed",
        /// We called, and an answering machine picked up.
        Machine = "answering-machine",
        /// We called, and nobody picked up.
        Unreached = "unreached",
    }
}

words! {
    /// Who began a call.
    Direction {
        /// Somebody called us.
        Inbound = "inbound",
        /// We called somebody.
        Outbound = "outbound",
    }
}

words! {
    /// Who picked up when we called.
    AnsweredBy {
        /// A person.
        Human = "human",
        /// An answering machine.
        Machine = "machine",
        /// A fax.
        Fax = "fax",
        /// Twilio could not tell.
        Unknown = "unknown",
    }
}

words! {
    /// What an assistant calls people for.
    CallPurpose {
        /// Something that they know of: an appointment that they made, a call back that they asked for.
        Service = "service",
        /// To sell or to win over: the law is strict about it.
        Marketing = "marketing",
    }
}

words! {
    /// What is done when an answering machine picks up.
    OnMachine {
        /// Nothing is said to it.
        HangUp = "hang_up",
        /// A message is left after its signal.
        LeaveMessage = "leave_message",
        /// It is talked to as to anybody: who picks up is not looked at.
        Talk = "talk",
    }
}

words! {
    /// How a call that we were asked to make stands.
    OutboundState {
        /// Nobody was dialled yet.
        Queued = "queued",
        /// Twilio is being asked for it.
        Dialling = "dialling",
        /// It rings.
        Ringing = "ringing",
        /// Somebody, or something, picked up.
        Answered = "answered",
        /// A conversation, which is over.
        Completed = "completed",
        /// An answering machine or a fax picked up.
        Machine = "answering-machine",
        /// The line was busy.
        Busy = "busy",
        /// Nobody picked up.
        NoAnswer = "no-answer",
        /// The telephone network could not connect it.
        Failed = "failed",
        /// Twilio refused it, or we did: nobody was dialled.
        Refused = "refused",
        /// Taken back, or not dialled in time: nobody was dialled.
        Cancelled = "cancelled",
        /// Twilio was asked, and nobody knows what came of it: it is not asked again.
        Unknown = "unknown",
    }
}

words! {
    /// How a campaign stands.
    CampaignState {
        /// Its people are called, as hours and lines allow.
        Running = "running",
        /// Nobody is called until it is run again.
        Paused = "paused",
        /// Of nobody is anything more expected.
        Done = "done",
        /// Stopped for good: who was not called is not called.
        Cancelled = "cancelled",
    }
}

words! {
    /// How somebody in a campaign stands.
    CampaignRowState {
        /// To be called, or called again.
        Waiting = "waiting",
        /// Being called.
        Calling = "calling",
        /// Talked to.
        Reached = "reached",
        /// Busy, every time.
        Busy = "busy",
        /// Nobody picked up, the last time.
        NoAnswer = "no-answer",
        /// An answering machine picked up the last time, or was left the message.
        Machine = "answering-machine",
        /// May not be called, or Twilio refused it: never dialled, or not again.
        Refused = "refused",
        /// The telephone network could not connect it.
        Failed = "failed",
        /// The campaign was cancelled before.
        Cancelled = "cancelled",
        /// Twilio was asked, and nobody knows what came of it: not called again.
        Unknown = "unknown",
    }
}

words! {
    /// Who wrote the summary of a call.
    SummarySource {
        /// A rule, from the rows of the call.
        Rule = "rule",
        /// The assistant's model.
        Model = "model",
    }
}

words! {
    /// What a user may see and do.
    Role {
        /// Everything.
        Admin = "admin",
        /// What belongs to the user: assistants, their calls, and all that comes of them.
        Member = "member",
    }
}

words! {
    /// How far a token reaches; never further than its user.
    Scope {
        /// Look, and change nothing.
        Read = "read",
        /// Look and change.
        Write = "write",
        /// Also users, tokens of others, the audit log.
        Admin = "admin",
    }
}

words! {
    /// What becomes of card numbers and the like in what is stored.
    Redaction {
        /// They are replaced by a word in brackets.
        Mask = "mask",
        /// They stay as they were said.
        Off = "off",
    }
}

words! {
    /// A kind of place that is told what happened.
    DestinationKind {
        /// Any address, as Standard Webhooks has it.
        Webhook = "webhook",
        /// HubSpot.
        Hubspot = "hubspot",
        /// Salesforce.
        Salesforce = "salesforce",
        /// Pipedrive.
        Pipedrive = "pipedrive",
        /// A calendar over CalDAV: bookings are written, and what else stands there is read.
        Caldav = "caldav",
        /// A calendar at Google, the same.
        GoogleCalendar = "google-calendar",
        /// The caller's telephone, by SMS.
        Sms = "sms",
        /// The client, by e-mail.
        Email = "email",
    }
}

impl DestinationKind {
    /// Whether it is a calendar.
    pub const fn is_calendar(self) -> bool {
        matches!(self, Self::Caldav | Self::GoogleCalendar)
    }

    /// Whether it is a CRM, which knows people by their number.
    pub const fn is_crm(self) -> bool {
        matches!(self, Self::Hubspot | Self::Salesforce | Self::Pipedrive)
    }

    /// Whether a person reads it: it is told in words.
    pub const fn is_notice(self) -> bool {
        matches!(self, Self::Sms | Self::Email)
    }
}

words! {
    /// How it is found out how satisfied a caller was.
    SatisfactionRule {
        /// The caller is asked before the goodbye.
        Ask = "ask",
        /// A model is asked after the call.
        Judge = "judge",
        /// It is not.
        Off = "off",
    }
}

words! {
    /// Who said how satisfied a caller was.
    SatisfactionSource {
        /// The caller, who was asked.
        Asked = "asked",
        /// A model, from what was said.
        Judged = "judged",
    }
}

words! {
    /// Something that happened and that others may want to know.
    DeliveryEvent {
        /// A call is over.
        CallEnded = "call.ended",
        /// What came of a call is known as well as it will be.
        CallSummarised = "call.summarised",
        /// A call was handed to a human.
        CallTransferred = "call.transferred",
        /// Something was booked.
        BookingCreated = "booking.created",
        /// A booking was changed.
        BookingChanged = "booking.changed",
        /// A booking was cancelled.
        BookingCancelled = "booking.cancelled",
        /// A booking is soon to begin.
        BookingReminder = "booking.reminder",
        /// A message was taken.
        MessageTaken = "message.taken",
    }
}

impl DeliveryEvent {
    /// Whether a booking is another one now.
    pub const fn is_change_of_a_booking(self) -> bool {
        matches!(self, Self::BookingCreated | Self::BookingChanged | Self::BookingCancelled)
    }
}

words! {
    /// How a mail server is spoken to.
    #[derive(Default)]
    MailEncryption {
        /// Encrypted from the first byte, usually on port 465 (RFC 8314).
        #[default]
        Tls = "tls",
        /// Encrypted once both agree, usually on port 587; refused where the server does not.
        StartTls = "starttls",
        /// Not at all: for a server on the same machine.
        None = "none",
    }
}

words! {
    /// Where a delivery stands.
    DeliveryState {
        /// Still to be delivered.
        Pending = "pending",
        /// It arrived.
        Delivered = "delivered",
        /// It was given up.
        Dead = "dead",
    }
}
