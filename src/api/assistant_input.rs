//! What may be set about an assistant.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::DocumentInput;
use crate::domain::{
    AccountSid, AfterCall, AlertRule, AssistantName, AssistantSpec, BookingRules, Compliance,
    Deliver, EmailAddress, Error, Fact, Hearing, Hours, HttpTool, HumanDuration, LanguageTag,
    Limits, Memory, ModelRef, Outbound, Personality, PhoneNumber, Recording, Result, Screening,
    Secret, SecretRef, Transfer, VoiceLine, VoiceProvider, ZoneName,
};

/// A field that can be set to nothing: left out and `null` are not the same.
#[allow(clippy::option_option, reason = "left out, null, and a value are three things")]
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// What may be set about an assistant. On `PUT`, what is left out stays as it is; `null` takes out
/// what can be nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the names are the documentation")]
#[allow(clippy::option_option, reason = "left out, null, and a value are three things")]
pub struct AssistantInput {
    /// Made from the client's name when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<AssistantName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub client_email: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twilio_phone_number: Option<PhoneNumber>,
    /// Whether applying files connects the number at Twilio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_managed: Option<bool>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub twilio_account_sid: Option<Option<AccountSid>>,
    /// Write-only: sealed at once, and never answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub twilio_auth_token: Option<String>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub twilio_auth_token_ref: Option<Option<SecretRef>>,
    /// `gpt-4` when it is left out of a new assistant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ai_model: Option<ModelRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ai_fallbacks: Option<Vec<ModelRef>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ai_context: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ai_personality: Option<Personality>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub ai_api_key: Option<Option<SecretRef>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub ai_embeddings: Option<Option<ModelRef>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_line: Option<VoiceLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_provider: Option<VoiceProvider>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub voice_id: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_language: Option<LanguageTag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_languages: Option<Vec<LanguageTag>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub voice_greeting: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_voices: Option<BTreeMap<LanguageTag, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_greetings: Option<BTreeMap<LanguageTag, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_fallbacks: Option<Vec<VoiceProvider>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hearing: Option<Hearing>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Option<ZoneName>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<Vec<Fact>>,
    /// The whole list; of documents that it has already, the digest is enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge: Option<Vec<DocumentInput>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub booking: Option<Option<BookingRules>>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub transfer_number: Option<Option<PhoneNumber>>,
    /// Whom calls are handed to, when, and how; the number above is part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Transfer>,
    /// In seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_call_duration: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent_calls: Option<u32>,
    /// All limits at once; the two above are part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub plan: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compliance: Option<Compliance>,
    /// Whether callers are known again.
    pub memory: Option<Memory>,
    /// Whose calls it does not take: the whole section.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screening: Option<Screening>,
    /// What is found out about every call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<AfterCall>,
    /// Who is told what happened: the whole list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver: Option<Vec<Deliver>>,
    /// What it may ask the client's own systems in a call: the whole list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<HttpTool>>,
    /// How it calls people; null for nobody.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub outbound: Option<Option<Outbound>>,
    /// What is watched otherwise than of all assistants: the whole list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Vec<AlertRule>>,
    /// True asks callers, unless `compliance` says how else they are told; false records nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_recording: Option<bool>,
    /// Only true is taken: a conversation is its turns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_transcription: Option<bool>,
    /// True needs a `transfer_number` or a `transfer`; false takes both out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback_to_human: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    /// Whose it will be; for admins, and for a new assistant only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_email: Option<EmailAddress>,
}

impl From<&AssistantSpec> for AssistantInput {
    fn from(spec: &AssistantSpec) -> Self {
        let spec = spec.clone();
        Self {
            name: Some(spec.name),
            client_name: Some(spec.client),
            client_email: Some(spec.email),
            twilio_phone_number: Some(spec.phone.number),
            phone_managed: Some(spec.phone.manage),
            twilio_account_sid: Some(spec.twilio.account_sid),
            twilio_auth_token: None,
            twilio_auth_token_ref: Some(spec.twilio.auth_token),
            ai_model: Some(spec.ai.model),
            ai_fallbacks: Some(spec.ai.fallbacks),
            ai_context: Some(spec.context),
            ai_personality: Some(spec.ai.personality),
            ai_api_key: Some(spec.ai.api_key),
            ai_embeddings: Some(spec.ai.embeddings),
            voice_line: Some(spec.voice.line),
            voice_provider: Some(spec.voice.provider),
            voice_id: Some(spec.voice.voice_id),
            voice_language: Some(spec.voice.language),
            voice_languages: Some(spec.voice.languages),
            voice_greeting: Some(spec.voice.greeting),
            voice_voices: Some(spec.voice.voices),
            voice_greetings: Some(spec.voice.greetings),
            voice_fallbacks: Some(spec.voice.fallbacks),
            hearing: Some(spec.hearing),
            timezone: Some(spec.timezone),
            hours: Some(spec.hours),
            facts: Some(spec.facts),
            knowledge: Some(spec.knowledge.iter().map(DocumentInput::from).collect()),
            booking: Some(spec.booking),
            transfer_number: Some(spec.transfer.number.clone()),
            transfer: Some(spec.transfer),
            max_call_duration: None,
            max_concurrent_calls: None,
            limits: Some(spec.limits),
            plan: Some(spec.billing.plan),
            compliance: Some(spec.compliance),
            screening: Some(spec.screening),
            memory: Some(spec.memory),
            after: Some(spec.after.clone()),
            deliver: Some(spec.deliver),
            tools: Some(spec.tools),
            outbound: Some(spec.outbound),
            alerts: Some(spec.alerts),
            enable_recording: None,
            enable_transcription: None,
            fallback_to_human: None,
            is_active: Some(spec.active),
            owner_email: None,
        }
    }
}

/// The prototype's default.
const USUAL_MODEL: &str = "gpt-4";

impl AssistantInput {
    /// A new assistant.
    pub fn create(self) -> Result<AssistantSpec> {
        let missing = |field: &str| {
            Error::input(format!("`{field}` is missing"))
                .hint("a new assistant needs `client_name`, `twilio_phone_number`, `ai_context`")
        };
        let client = self.client_name.clone().ok_or_else(|| missing("client_name"))?;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => AssistantName::from_client(&client).ok_or_else(|| {
                Error::input("no name can be made from `client_name`").hint("give a `name`")
            })?,
        };
        let phone = self.twilio_phone_number.clone();
        let phone = phone.ok_or_else(|| missing("twilio_phone_number"))?;
        let context = self.ai_context.clone().ok_or_else(|| missing("ai_context"))?;
        let mut spec = AssistantSpec::new(name, client, phone, context);
        spec.ai.model = USUAL_MODEL.parse()?;
        self.change(spec)
    }

    /// An assistant with what is given changed.
    pub fn change(self, mut spec: AssistantSpec) -> Result<AssistantSpec> {
        fn put<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        put(&mut spec.name, self.name);
        put(&mut spec.client, self.client_name);
        put(&mut spec.email, self.client_email);
        put(&mut spec.phone.number, self.twilio_phone_number);
        put(&mut spec.phone.manage, self.phone_managed);
        put(&mut spec.twilio.account_sid, self.twilio_account_sid);
        put(&mut spec.twilio.auth_token, self.twilio_auth_token_ref);
        put(&mut spec.ai.model, self.ai_model);
        put(&mut spec.ai.fallbacks, self.ai_fallbacks);
        put(&mut spec.context, self.ai_context);
        put(&mut spec.ai.personality, self.ai_personality);
        put(&mut spec.ai.api_key, self.ai_api_key);
        put(&mut spec.ai.embeddings, self.ai_embeddings);
        put(&mut spec.voice.line, self.voice_line);
        put(&mut spec.voice.provider, self.voice_provider);
        put(&mut spec.voice.voice_id, self.voice_id);
        put(&mut spec.voice.language, self.voice_language);
        put(&mut spec.voice.languages, self.voice_languages);
        put(&mut spec.voice.greeting, self.voice_greeting);
        put(&mut spec.voice.voices, self.voice_voices);
        put(&mut spec.voice.greetings, self.voice_greetings);
        put(&mut spec.voice.fallbacks, self.voice_fallbacks);
        put(&mut spec.hearing, self.hearing);
        put(&mut spec.timezone, self.timezone);
        put(&mut spec.hours, self.hours);
        put(&mut spec.facts, self.facts);
        if let Some(documents) = self.knowledge {
            let read = documents.into_iter().map(DocumentInput::read);
            spec.knowledge = read.collect::<Result<_>>()?;
        }
        put(&mut spec.booking, self.booking);
        put(&mut spec.transfer, self.transfer);
        put(&mut spec.transfer.number, self.transfer_number);
        put(&mut spec.limits, self.limits);
        let seconds = self.max_call_duration.map(HumanDuration::from_secs);
        put(&mut spec.limits.max_call_duration, seconds);
        put(&mut spec.limits.max_concurrent_calls, self.max_concurrent_calls);
        put(&mut spec.billing.plan, self.plan);
        put(&mut spec.compliance, self.compliance);
        put(&mut spec.screening, self.screening);
        put(&mut spec.memory, self.memory);
        put(&mut spec.after, self.after);
        put(&mut spec.deliver, self.deliver);
        put(&mut spec.tools, self.tools);
        put(&mut spec.outbound, self.outbound);
        put(&mut spec.alerts, self.alerts);
        put(&mut spec.active, self.is_active);
        match self.enable_recording {
            Some(false) => spec.compliance.recording = Recording::Off,
            // Nobody is recorded who did not agree, unless the file says how it is told.
            Some(true) if spec.compliance.recording == Recording::Off => {
                spec.compliance.recording = Recording::Ask;
            }
            _ => {}
        }
        if self.enable_transcription == Some(false) {
            return Err(Error::input("`enable_transcription` cannot be switched off")
                .hint("say how long transcripts are kept: `compliance.keep_transcripts`"));
        }
        match self.fallback_to_human {
            Some(false) => spec.transfer = Transfer::default(),
            Some(true) if !spec.transfer.has_anyone() => {
                return Err(Error::input("`fallback_to_human` needs somebody to hand calls to")
                    .hint("give a `transfer_number`"));
            }
            _ => {}
        }
        Ok(spec)
    }

    /// The token to be sealed, taken out.
    pub fn take_auth_token(&mut self) -> Option<Secret> {
        self.twilio_auth_token.take().map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        api::AssistantView,
        domain::{Assistant, AssistantId, Owner as DomainOwner, UserId},
    };

    /// Everything set, nothing as usual.
    fn full() -> AssistantSpec {
        let json = r#"{
            "name":"a","client":"A","email":"a@b.fr","phone":"+33123456789","context":"x",
            "timezone":"America/Montreal","active":false,
            "ai":{"model":"gpt-4","fallbacks":["claude-3"],"personality":"formal","api_key":{"secret":"k"},"embeddings":"openai/text-embedding-3-small"},
            "voice":{"line":"gather","language":"en-US","languages":["en-US","fr-FR"],"provider":"google","voice_id":"v","voices":{"fr-FR":"w"},"fallbacks":["local"],"greeting":"g","greetings":{"fr-FR":"h"}},
            "memory":{"enabled":true,"days":90},
            "after":{"satisfaction":"ask","summary":true,"extract":{"type":"object","properties":{"plate":{"type":"string"}}}},
            "outbound":{"kind":"service","greeting":"Bonjour {{ name }}","machine":"hang_up"},
            "alerts":[{"rule":"failed-calls","threshold":"10%","for":"1m","to":["a@b.fr"]}],
            "hearing":{"provider":"deepgram","model":"nova-3","fallbacks":["google"],"pause_ms":700,"barge_in":"high"},
            "hours":{"monday":["12:00-14:00"],"closed":["2026-12-25"]},
            "facts":[{"about":["a"],"answer":"b","language":"en-US"}],
            "knowledge":[{"path":"faq/a.md","sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}],
            "booking":{"kind":"appointment"},
            "transfer":{"words":["urgence"],"warm":true,"voicemail":true,"ring_for":"20s","caller_id":"caller",
                "to":[{"name":"Accueil","number":"+33612345678","hours":{"monday":["09:00-12:00"]}}]},
            "limits":{"max_call_duration":"5m","max_concurrent_calls":3},
            "billing":{"plan":"p"},
            "compliance":{"announce_ai":true,"redact":"off","keep_transcripts":"30d"},
            "twilio":{"account_sid":"AC00000000000000000000000000000001","auth_token":{"secret":"t"}},
            "deliver":[{"to":"webhook","url":"https://a.example","secret":{"secret":"s"},"events":["call.ended"],"transcript":false,"fields":{"a":"b"}}],
            "screening":{"block":["+33899*"],"anonymous":"refuse"},
            "tools":[{"name":"stock","description":"What is there.","url":"https://a.example","secret":{"secret":"s"}}]
        }"#;
        serde_json::from_str(json).unwrap()
    }

    fn stored(spec: AssistantSpec) -> Assistant {
        let at = Timestamp::UNIX_EPOCH;
        let owner = DomainOwner { id: UserId(3), email: "a@b.fr".parse().unwrap() };
        Assistant {
            id: AssistantId(7),
            owner: Some(owner),
            spec,
            revision: 2,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn an_assistant_comes_back_over_the_network_as_it_was() {
        let least: AssistantSpec = serde_json::from_str(
            r#"{"name":"a","client":"A","phone":"+33123456789","context":""}"#,
        )
        .unwrap();
        for spec in [full(), least] {
            let assistant = stored(spec);
            let text = serde_json::to_string(&AssistantView::from(&assistant)).unwrap();
            let view: AssistantView = serde_json::from_str(&text).unwrap();
            assert_eq!(Assistant::try_from(view).unwrap(), assistant);
            let input = serde_json::to_string(&AssistantInput::from(&assistant.spec)).unwrap();
            let input: AssistantInput = serde_json::from_str(&input).unwrap();
            assert_eq!(input.clone().create().unwrap(), assistant.spec);
            assert_eq!(input.change(full()).unwrap(), assistant.spec);
        }
    }

    #[test]
    fn null_takes_out_and_left_out_stays() {
        let input: AssistantInput =
            serde_json::from_str(r#"{"client_email":null,"voice_greeting":"Allô"}"#).unwrap();
        let changed = input.change(full()).unwrap();
        assert_eq!(changed.email, None);
        assert_eq!(changed.voice.greeting.as_deref(), Some("Allô"));
        assert_eq!(changed.voice.voice_id.as_deref(), Some("v"));
        assert!(serde_json::from_str::<AssistantInput>(r#"{"clientname":"x"}"#).is_err());
    }
}
