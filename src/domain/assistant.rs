//! An assistant: who it works for, how it speaks, what it knows and may do.

use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::knowledge;
use super::row_number::row_number;
use super::{
    AfterCall, Ai, AlertRule, AssistantName, AssistantPhone, Billing, BookingRules, Compliance,
    Country, Deliver, Document, EarProvider, EmailAddress, Error, Fact, Hearing, HolidayHours,
    Hours, HttpTool, HumanDuration, Limits, Memory, OpeningHours, Outbound, PhoneNumber,
    PublicHolidays, Screening, SecretRef, Transfer, TwilioAccount, UserId, Voice, VoiceLine,
    VoiceProvider, ZoneName,
};

row_number!(
    /// The row number of an assistant, kept from the prototype's API.
    AssistantId
);

/// Everything that is set about an assistant, however it was set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssistantSpec {
    /// What people type.
    pub name: AssistantName,
    /// The agency's customer.
    pub client: String,
    /// The client's address for mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The number callers dial: a text, or a table where webox keeps it connected at Twilio.
    pub phone: AssistantPhone,
    /// What the assistant is told about the client, in prose.
    pub context: String,
    /// IANA zone; from the number's country when not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<ZoneName>,
    /// Whether it answers.
    #[serde(default = "yes")]
    pub active: bool,
    /// Models and tone.
    #[serde(default)]
    pub ai: Ai,
    /// Line, language, voice.
    #[serde(default)]
    pub voice: Voice,
    /// How it listens.
    #[serde(default, skip_serializing_if = "Hearing::is_usual")]
    pub hearing: Hearing,
    /// Opening hours.
    #[serde(default)]
    pub hours: Hours,
    /// What it knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// Documents of the client that are looked up while it speaks: paths or patterns such as
    /// `faq/*.md`, in the folder of this file or below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub knowledge: Vec<Document>,
    /// What may be booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking: Option<BookingRules>,
    /// Whom to hand over to.
    #[serde(default)]
    pub transfer: Transfer,
    /// Bounds of a call.
    #[serde(default)]
    pub limits: Limits,
    /// What the client pays by.
    #[serde(default)]
    pub billing: Billing,
    /// What the law asks for. Specs stored before there was this section stay as they are.
    #[serde(default, skip_serializing_if = "Compliance::is_usual")]
    pub compliance: Compliance,
    /// The client's own account at Twilio.
    #[serde(default, skip_serializing_if = "TwilioAccount::is_agencys")]
    pub twilio: TwilioAccount,
    /// Whose calls it does not take.
    #[serde(default, skip_serializing_if = "Screening::is_usual")]
    pub screening: Screening,
    /// Whether callers are known again.
    #[serde(default, skip_serializing_if = "Memory::is_usual")]
    pub memory: Memory,
    /// What is to be found out about every call.
    #[serde(default, skip_serializing_if = "AfterCall::is_usual")]
    pub after: AfterCall,
    /// Who is told what happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliver: Vec<Deliver>,
    /// What it may ask the client's own systems in a call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<HttpTool>,
    /// How it calls people; without this it calls nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound: Option<Outbound>,
    /// What is watched otherwise than of all assistants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<AlertRule>,
}

const fn yes() -> bool {
    true
}

impl AssistantSpec {
    /// What every assistant has, and everything else as usual.
    pub fn new(name: AssistantName, client: String, phone: PhoneNumber, context: String) -> Self {
        Self {
            name,
            client,
            email: None,
            phone: phone.into(),
            context,
            timezone: None,
            active: true,
            ai: Ai::default(),
            voice: Voice::default(),
            hearing: Hearing::default(),
            hours: Hours::default(),
            facts: Vec::new(),
            knowledge: Vec::new(),
            booking: None,
            transfer: Transfer::default(),
            limits: Limits::default(),
            billing: Billing::default(),
            compliance: Compliance::default(),
            twilio: TwilioAccount::default(),
            screening: Screening::default(),
            memory: Memory::default(),
            after: AfterCall::default(),
            deliver: Vec::new(),
            tools: Vec::new(),
            outbound: None,
            alerts: Vec::new(),
        }
    }

    /// The assistant's own time zone.
    pub fn zone(&self) -> TimeZone {
        self.timezone
            .as_ref()
            .map(ZoneName::zone)
            .or_else(|| TimeZone::get(Country::of(&self.phone)?.timezone).ok())
            .unwrap_or(TimeZone::UTC)
    }

    /// Opening hours by weekday.
    pub fn opening(&self) -> OpeningHours {
        self.hours.opening(Country::of(&self.phone))
    }

    /// Whether the first words of a call say that a machine speaks.
    pub fn announces_ai(&self) -> bool {
        self.compliance.announces_ai(&self.phone)
    }

    /// The secrets it refers to, by the field that does.
    pub fn secrets(&self) -> Vec<(String, &SecretRef)> {
        let fields =
            [("ai.api_key", &self.ai.api_key), ("twilio.auth_token", &self.twilio.auth_token)];
        let places = self.deliver.iter().enumerate();
        let places = places.map(|(at, place)| (format!("deliver[{at}].secret"), &place.secret));
        let tools = self.tools.iter().enumerate();
        let tools = tools.map(|(at, tool)| (format!("tools[{at}].secret"), &tool.secret));
        let fields = fields.into_iter().map(|(field, secret)| (field.to_owned(), secret));
        let all = fields.chain(places).chain(tools);
        all.filter_map(|(field, secret)| Some((field, secret.as_ref()?))).collect()
    }

    /// Rules that hold between fields; the first one broken.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |field: &str, message: &str| {
            Err(Error::input(format!("assistant `{}`: `{field}` {message}", self.name)))
        };
        if self.client.trim().is_empty() {
            return wrong("client", "is empty");
        }
        if self.client.chars().count() > 200 {
            return wrong("client", "is longer than 200 characters");
        }
        if self.context.chars().count() > 100_000 {
            return wrong("context", "is longer than 100,000 characters");
        }
        if let Some(email) = &self.email
            && !EmailAddress::is_like(email)
        {
            return wrong("email", "is not an e-mail address");
        }
        for (field, reference) in self.secrets() {
            if let SecretRef::File(path) = reference
                && !path.is_absolute()
            {
                return wrong(
                    &field,
                    "needs an absolute path: the daemon reads it, on its own machine",
                );
            }
        }
        if self.twilio.account_sid.is_some() != self.twilio.auth_token.is_some() {
            return wrong("twilio", "needs both `account_sid` and `auth_token`");
        }
        if let Some((field, message)) = self.compliance.broken(&self.phone, &self.voice.language) {
            return wrong(field, message);
        }
        if let Some((field, message)) = self.voice.misspoken() {
            return wrong(field, message);
        }
        if let Some((field, message)) = self.screening.broken() {
            return wrong(field, message);
        }
        if let Some((field, message)) = self.memory.broken() {
            return wrong(field, message);
        }
        if let Some((field, message)) = self.after.broken() {
            return wrong(field, &message);
        }
        if let Some((field, message)) = self.outbound.as_ref().and_then(Outbound::broken) {
            return wrong(field, message);
        }
        if let Some((field, message)) = self.unspeakable() {
            return wrong(field, message);
        }
        let email = self.email.as_deref();
        if let Some((field, message)) = Deliver::broken_among(&self.deliver, email) {
            return wrong(&field, &message);
        }
        if let Some((field, message)) = HttpTool::broken_among(&self.tools) {
            return wrong(&field, &message);
        }
        if let Some((field, message)) = AlertRule::broken_among(&self.alerts, "alerts", true, None)
        {
            return wrong(&field, &message);
        }
        if let Some((field, message)) = self.transfer.broken(&self.phone) {
            return wrong(&field, &message);
        }
        if self.voice.greeting.as_ref().is_some_and(|g| g.chars().count() > 1_000) {
            return wrong("voice.greeting", "is longer than 1,000 characters");
        }
        let longest = HumanDuration::from_secs(4 * 3600);
        let shortest = HumanDuration::from_secs(30);
        if !(shortest..=longest).contains(&self.limits.max_call_duration) {
            return wrong(
                "limits.max_call_duration",
                "must lie between 30s and 4h, Twilio's own limit",
            );
        }
        if self.limits.max_concurrent_calls == 0 {
            return wrong(
                "limits.max_concurrent_calls",
                "must be at least 1; use `active = false` to switch off",
            );
        }
        if self.limits.max_calls_per_caller == 0 || self.limits.max_daily_minutes == Some(0) {
            return wrong("limits", "cannot be 0; use `active = false` to switch off");
        }
        if let Some((field, message)) = self.booking.as_ref().and_then(BookingRules::broken) {
            return wrong(field, &message);
        }
        if self.hours.holidays == HolidayHours::Closed
            && Country::of(&self.phone).and_then(PublicHolidays::of).is_none()
        {
            return wrong(
                "hours.holidays",
                "cannot be kept: the holidays of the number's country are not known; \
                 write them as `closed = [\"2026-12-25\"]`",
            );
        }
        if self.ai.embeddings.as_ref().is_some_and(|model| !model.can_embed()) {
            return wrong(
                "ai.embeddings",
                "must name a provider that has embeddings, and its model: `openai/…`, `ollama/…` or `compatible/…`",
            );
        }
        if self.facts.iter().any(|f| f.about.is_empty() || f.answer.trim().is_empty()) {
            return wrong("facts", "has an entry without words in `about`, or without an `answer`");
        }
        if let Some((field, message)) = knowledge::broken(&self.knowledge) {
            return wrong(&field, &message);
        }
        Ok(())
    }
}

impl AssistantSpec {
    /// What its line cannot do of what is said about voice and hearing, if anything.
    fn unspeakable(&self) -> Option<(&'static str, &'static str)> {
        use VoiceProvider::{Elevenlabs, Google, Twilio};
        let (voice, hearing) = (&self.voice, &self.hearing);
        if !(200..=3_000).contains(&hearing.pause_ms) {
            return Some(("hearing.pause_ms", "must lie between 200 and 3000"));
        }
        match voice.line {
            VoiceLine::Relay if !matches!(voice.provider, Twilio | Elevenlabs | Google) => Some((
                "voice.provider",
                "must be `twilio`, `elevenlabs` or `google` on the line `relay`, where Twilio speaks",
            )),
            VoiceLine::Relay if hearing.provider == Some(EarProvider::Openai) => Some((
                "hearing.provider",
                "must be `deepgram` or `google` on the line `relay`, where Twilio listens",
            )),
            VoiceLine::Stream if voice.provider == Twilio || voice.fallbacks.contains(&Twilio) => {
                Some((
                    "voice.provider",
                    "cannot be `twilio` on the line `stream`, where Twilio has no voice: choose one of elevenlabs, google, azure, openai, local",
                ))
            }
            VoiceLine::Stream if hearing.provider.is_none() => Some((
                "hearing.provider",
                "is needed on the line `stream`, where Twilio does not listen: one of deepgram, google, openai",
            )),
            VoiceLine::Gather | VoiceLine::Relay | VoiceLine::Stream => None,
        }
    }
}

/// The user that an assistant belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub id: UserId,
    /// By address.
    pub email: EmailAddress,
}

/// An assistant as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Assistant {
    /// Row number.
    pub id: AssistantId,
    /// Whose it is; nobody's in particular otherwise.
    pub owner: Option<Owner>,
    /// What is set about it.
    pub spec: AssistantSpec,
    /// Counts its changes, from 1.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
