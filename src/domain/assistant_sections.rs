//! The sections of an assistant's file that are short: models, voice, hours, facts, limits, billing, account.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AccountSid, Closure, Country, DayHours, HolidayHours, HumanDuration, LanguageTag, ModelRef,
    Money, OpeningHours, Personality, PublicHolidays, SecretRef, TimeRange, VoiceLine,
    VoiceProvider,
};

/// Which minds answer, and in which tone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ai {
    /// The first model asked.
    pub model: ModelRef,
    /// Those asked when it fails, in order. The built-in concierge always stands last.
    pub fallbacks: Vec<ModelRef>,
    /// Tone.
    pub personality: Personality,
    /// The client's own key for the model's provider; the daemon's otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<SecretRef>,
    /// The model that says what texts are about, for documents to be found by what they mean, with its
    /// provider: `openai/text-embedding-3-small`. Without it they are found by words alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embeddings: Option<ModelRef>,
}

impl Default for Ai {
    fn default() -> Self {
        Self {
            model: ModelRef::builtin(),
            fallbacks: Vec::new(),
            personality: Personality::Professional,
            api_key: None,
            embeddings: None,
        }
    }
}

/// How the assistant sounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Voice {
    /// How speech travels.
    pub line: VoiceLine,
    /// The language a call starts in.
    pub language: LanguageTag,
    /// All languages it may speak; empty means `language` only.
    pub languages: Vec<LanguageTag>,
    /// Who speaks.
    pub provider: VoiceProvider,
    /// The provider's name of the voice that speaks `language`.
    pub voice_id: Option<String>,
    /// The provider's names of the voices that speak the other languages.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub voices: BTreeMap<LanguageTag, String>,
    /// Those that speak when the provider fails, in order, each with its usual voice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<VoiceProvider>,
    /// First sentence; a courteous one is made from the client's name otherwise.
    pub greeting: Option<String>,
    /// First sentences in the other languages.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub greetings: BTreeMap<LanguageTag, String>,
}

impl Default for Voice {
    fn default() -> Self {
        Self {
            line: VoiceLine::Gather,
            language: LanguageTag::french(),
            languages: Vec::new(),
            provider: VoiceProvider::Twilio,
            voice_id: None,
            voices: BTreeMap::new(),
            fallbacks: Vec::new(),
            greeting: None,
            greetings: BTreeMap::new(),
        }
    }
}

/// Opening hours as files spell them. A day left out is closed; no day at all means "unknown".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Hours {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub monday: Vec<TimeRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tuesday: Vec<TimeRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wednesday: Vec<TimeRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thursday: Vec<TimeRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub friday: Vec<TimeRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub saturday: Vec<TimeRange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sunday: Vec<TimeRange>,
    /// Days closed in spite of the week, or stretches of them: `2026-08-01/2026-08-21`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Closure>,
    /// Days with hours of their own, by date; they hold whatever the week and the closures say.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::schema::hours_by_date")]
    pub special: BTreeMap<Date, DayHours>,
    /// On the public holidays of the number's country: `open`, as on any day, or `closed`.
    #[serde(skip_serializing_if = "HolidayHours::is_usual")]
    pub holidays: HolidayHours,
}

impl Hours {
    /// The hours by weekday, Monday first, with the holidays of a country.
    pub fn opening(&self, country: Option<Country>) -> OpeningHours {
        let week = [
            &self.monday,
            &self.tuesday,
            &self.wednesday,
            &self.thursday,
            &self.friday,
            &self.saturday,
            &self.sunday,
        ]
        .map(Clone::clone);
        let known = week.iter().any(|day| !day.is_empty());
        let holidays = match self.holidays {
            HolidayHours::Open => None,
            HolidayHours::Closed => country.and_then(PublicHolidays::of),
        };
        let (closed, special) = (self.closed.clone(), self.special.clone());
        OpeningHours { week, closed, special, holidays, known }
    }
}

/// Something the assistant knows, found by words of the question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Words a caller uses when asking for it.
    pub about: Vec<String>,
    /// What the assistant says.
    pub answer: String,
    /// In calls of which language; in all of them otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<LanguageTag>,
}

/// What a call may take at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// A call is ended, after a warning, when it gets this long.
    pub max_call_duration: HumanDuration,
    /// Calls at the same time.
    pub max_concurrent_calls: u32,
    /// Calls of one caller in ten minutes; what is more hears that the lines are busy.
    #[serde(skip_serializing_if = "is_usual_flood")]
    pub max_calls_per_caller: u32,
    /// Minutes of calls in a day of the assistant's zone, over which no more calls are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_daily_minutes: Option<u32>,
    /// What the calls of a day of the assistant's zone may cost, by the prices in force; no limit otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_daily_cost: Option<Money>,
}

/// More often than this in ten minutes nobody dials; a switchboard with one number may come near.
const USUAL_FLOOD: u32 = 100;

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_usual_flood(calls: &u32) -> bool {
    *calls == USUAL_FLOOD
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_call_duration: HumanDuration::from_minutes(10),
            max_concurrent_calls: 100,
            max_calls_per_caller: USUAL_FLOOD,
            max_daily_minutes: None,
            max_daily_cost: None,
        }
    }
}

/// What the client pays by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Billing {
    /// The name of a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// The client's own account at Twilio, when its number is not in the agency's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TwilioAccount {
    /// The account that the number belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_sid: Option<AccountSid>,
    /// What the account signs its requests with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_token: Option<SecretRef>,
}

impl TwilioAccount {
    /// Whether the number is in the agency's own account.
    pub fn is_agencys(&self) -> bool {
        *self == Self::default()
    }
}
