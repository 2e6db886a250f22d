//! Assistants.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Moment, Success};
use crate::{
    domain::{
        AccountSid, AfterCall, Ai, AlertRule, Assistant, AssistantId, AssistantName,
        AssistantPhone, AssistantSpec, Billing, BookingRules, Breakdown, Compliance, Deliver,
        Document, EmailAddress, Error, Fact, Hearing, Hours, HttpTool, LanguageTag, Limits, Memory,
        ModelRef, Outbound, Owner as DomainOwner, Personality, PhoneNumber, Recording, Result,
        Screening, SecretRef, Transfer, TwilioAccount, UserId, Voice, VoiceLine, VoiceProvider,
        ZoneName,
    },
    operations::assistants::AssistantOverview,
};

/// An assistant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Assistant")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct AssistantView {
    pub id: AssistantId,
    /// What people type.
    pub name: AssistantName,
    pub client_name: String,
    pub client_email: Option<String>,
    pub twilio_phone_number: PhoneNumber,
    /// Whether applying files connects the number at Twilio.
    #[serde(default)]
    pub phone_managed: bool,
    /// The client's own account at Twilio, if it has one.
    pub twilio_account_sid: Option<AccountSid>,
    /// Where that account's token is kept. The token itself is never answered.
    pub twilio_auth_token_ref: Option<SecretRef>,
    pub ai_model: ModelRef,
    pub ai_fallbacks: Vec<ModelRef>,
    pub ai_context: String,
    pub ai_personality: Personality,
    /// Where the client's own key for the model's provider is kept.
    pub ai_api_key: Option<SecretRef>,
    /// The model by which documents are found by what they mean.
    pub ai_embeddings: Option<ModelRef>,
    pub voice_line: VoiceLine,
    pub voice_provider: VoiceProvider,
    pub voice_id: Option<String>,
    pub voice_language: LanguageTag,
    pub voice_languages: Vec<LanguageTag>,
    /// Voices of the other languages.
    #[serde(default)]
    pub voice_voices: BTreeMap<LanguageTag, String>,
    pub voice_greeting: Option<String>,
    /// First sentences in the other languages.
    #[serde(default)]
    pub voice_greetings: BTreeMap<LanguageTag, String>,
    pub voice_fallbacks: Vec<VoiceProvider>,
    pub hearing: Hearing,
    pub timezone: Option<String>,
    /// Whether `timezone` follows from the number: nobody set it.
    pub timezone_from_number: bool,
    pub hours: Hours,
    pub facts: Vec<Fact>,
    /// Documents that are looked up: where each stands, and which text it is.
    #[serde(default)]
    pub knowledge: Vec<Document>,
    pub booking: Option<BookingRules>,
    /// The short form of `transfer`.
    pub transfer_number: Option<PhoneNumber>,
    /// Whom calls are handed to, when, and how.
    #[serde(default)]
    pub transfer: Transfer,
    /// In seconds.
    pub max_call_duration: u64,
    pub max_concurrent_calls: u32,
    pub limits: Limits,
    pub plan: Option<String>,
    pub compliance: Compliance,
    #[serde(default)]
    pub memory: Memory,
    /// Whose calls it does not take.
    #[serde(default)]
    pub screening: Screening,
    /// What is found out about every call.
    #[serde(default)]
    pub after: AfterCall,
    /// Who is told what happened.
    #[serde(default)]
    pub deliver: Vec<Deliver>,
    /// What it may ask the client's own systems in a call.
    #[serde(default)]
    pub tools: Vec<HttpTool>,
    /// How it calls people; null where it calls nobody.
    #[serde(default)]
    pub outbound: Option<Outbound>,
    /// What is watched otherwise than of all assistants.
    #[serde(default)]
    pub alerts: Vec<AlertRule>,
    /// Whether callers are recorded who agree, or do not object; `compliance` says how they are asked.
    pub enable_recording: bool,
    /// Always true: a conversation is its turns.
    pub enable_transcription: bool,
    /// Whether there is somebody to hand a call to.
    pub fallback_to_human: bool,
    pub is_active: bool,
    pub owner_id: Option<UserId>,
    pub owner_email: Option<EmailAddress>,
    /// Counts its changes; the `ETag` of its address.
    pub revision: i64,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
    #[schemars(with = "Moment")]
    pub updated_at: Timestamp,
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
}

/// What an assistant has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// Calls it ever took.
    pub total_calls: u64,
    /// Calls it is in now.
    pub live_calls: u64,
    /// Seconds of calls that ended.
    #[serde(default)]
    pub total_duration: u64,
    /// 0 to 5, when any call has a score.
    #[serde(default)]
    pub average_satisfaction: Option<f64>,
    /// When the last one rang.
    #[schemars(with = "Option<Moment>")]
    pub last_call_at: Option<Timestamp>,
}

impl From<&Assistant> for AssistantView {
    fn from(assistant: &Assistant) -> Self {
        let spec = assistant.spec.clone();
        let owner = assistant.owner.clone();
        Self {
            id: assistant.id,
            timezone: spec.zone().iana_name().map(str::to_owned),
            timezone_from_number: spec.timezone.is_none(),
            name: spec.name,
            client_name: spec.client,
            client_email: spec.email,
            twilio_phone_number: spec.phone.number,
            phone_managed: spec.phone.manage,
            twilio_account_sid: spec.twilio.account_sid,
            twilio_auth_token_ref: spec.twilio.auth_token,
            ai_model: spec.ai.model,
            ai_fallbacks: spec.ai.fallbacks,
            ai_context: spec.context,
            ai_personality: spec.ai.personality,
            ai_api_key: spec.ai.api_key,
            ai_embeddings: spec.ai.embeddings,
            voice_line: spec.voice.line,
            voice_provider: spec.voice.provider,
            voice_id: spec.voice.voice_id,
            voice_language: spec.voice.language,
            voice_languages: spec.voice.languages,
            voice_voices: spec.voice.voices,
            voice_greeting: spec.voice.greeting,
            voice_greetings: spec.voice.greetings,
            voice_fallbacks: spec.voice.fallbacks,
            hearing: spec.hearing,
            hours: spec.hours,
            facts: spec.facts,
            knowledge: spec.knowledge,
            booking: spec.booking,
            fallback_to_human: spec.transfer.has_anyone(),
            transfer_number: spec.transfer.number.clone(),
            transfer: spec.transfer,
            max_call_duration: spec.limits.max_call_duration.as_secs(),
            max_concurrent_calls: spec.limits.max_concurrent_calls,
            limits: spec.limits,
            plan: spec.billing.plan,
            enable_recording: spec.compliance.recording != Recording::Off,
            compliance: spec.compliance,
            screening: spec.screening,
            memory: spec.memory,
            after: spec.after.clone(),
            deliver: spec.deliver,
            tools: spec.tools,
            outbound: spec.outbound,
            alerts: spec.alerts,
            enable_transcription: true,
            is_active: spec.active,
            owner_id: owner.as_ref().map(|owner| owner.id),
            owner_email: owner.map(|owner| owner.email),
            revision: assistant.revision,
            created_at: assistant.created_at,
            updated_at: assistant.updated_at,
            figures: None,
        }
    }
}

impl From<&AssistantOverview> for AssistantView {
    fn from(overview: &AssistantOverview) -> Self {
        let figures = Figures {
            total_calls: overview.total_calls,
            live_calls: overview.live_calls,
            total_duration: 0,
            average_satisfaction: None,
            last_call_at: overview.last_call_at,
        };
        Self { figures: Some(figures), ..Self::from(&overview.assistant) }
    }
}

impl AssistantView {
    /// With the sums of its calls.
    pub fn with_sums(mut self, sums: &Breakdown) -> Self {
        if let Some(figures) = &mut self.figures {
            figures.total_duration = sums.duration_s;
            figures.average_satisfaction = sums.average_satisfaction();
        }
        self
    }
}

impl TryFrom<AssistantView> for Assistant {
    type Error = Error;

    fn try_from(view: AssistantView) -> Result<Self> {
        let timezone = match view.timezone {
            Some(zone) if !view.timezone_from_number => Some(zone.parse::<ZoneName>()?),
            _ => None,
        };
        let owner = view.owner_id.zip(view.owner_email);
        Ok(Self {
            id: view.id,
            owner: owner.map(|(id, email)| DomainOwner { id, email }),
            revision: view.revision,
            created_at: view.created_at,
            updated_at: view.updated_at,
            spec: AssistantSpec {
                name: view.name,
                client: view.client_name,
                email: view.client_email,
                phone: AssistantPhone {
                    number: view.twilio_phone_number,
                    manage: view.phone_managed,
                },
                context: view.ai_context,
                timezone,
                active: view.is_active,
                ai: Ai {
                    model: view.ai_model,
                    fallbacks: view.ai_fallbacks,
                    personality: view.ai_personality,
                    api_key: view.ai_api_key,
                    embeddings: view.ai_embeddings,
                },
                voice: Voice {
                    line: view.voice_line,
                    language: view.voice_language,
                    languages: view.voice_languages,
                    provider: view.voice_provider,
                    voice_id: view.voice_id,
                    voices: view.voice_voices,
                    fallbacks: view.voice_fallbacks,
                    greeting: view.voice_greeting,
                    greetings: view.voice_greetings,
                },
                hours: view.hours,
                facts: view.facts,
                knowledge: view.knowledge,
                booking: view.booking,
                hearing: view.hearing,
                transfer: Transfer { number: view.transfer_number, ..view.transfer },
                limits: view.limits,
                billing: Billing { plan: view.plan },
                compliance: view.compliance,
                screening: view.screening,
                memory: view.memory,
                after: view.after,
                twilio: TwilioAccount {
                    account_sid: view.twilio_account_sid,
                    auth_token: view.twilio_auth_token_ref,
                },
                deliver: view.deliver,
                tools: view.tools,
                outbound: view.outbound,
                alerts: view.alerts,
            },
        })
    }
}

/// Some assistants.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Assistants {
    /// True.
    pub success: Success,
    /// By name.
    pub assistants: Vec<AssistantView>,
}

/// One assistant.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneAssistant {
    /// True.
    pub success: Success,
    /// As it is now.
    pub assistant: AssistantView,
}

/// To whom an assistant is handed over.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OwnerInput")]
pub struct Owner {
    /// Nobody in particular when it is null.
    pub owner_email: Option<EmailAddress>,
}
