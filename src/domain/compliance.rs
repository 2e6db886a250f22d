//! What the law asks of an assistant: to say that it is a machine, and to forget in time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Country, HumanDuration, LanguageTag, PhoneNumber, Recording, Redaction};

/// What callers are told, what is masked, and how long what they said is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Compliance {
    /// Whether the first words say that a machine speaks; yes where the number is of the European
    /// Economic Area (Regulation (EU) 2024/1689, Article 50(1), in force since 2 August 2026).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announce_ai: Option<bool>,
    /// Why they do not, in writing: needed where the law asks for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_announcement_because: Option<String>,
    /// Whether calls are recorded, and how callers are asked: not at all, unless said otherwise.
    #[serde(skip_serializing_if = "is_off")]
    pub recording: Recording,
    /// Card numbers, IBANs, French social-security numbers and e-mail addresses in transcripts.
    pub redact: Redaction,
    /// How long transcripts are kept; for ever otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_transcripts: Option<HumanDuration>,
    /// How long recordings are kept, here and at Twilio: half a year, unless said otherwise (CNIL's
    /// usual ceiling for recordings of calls).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_recordings: Option<HumanDuration>,
    /// How long callers' numbers are kept; a pseudonym takes their place. For ever otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_callers: Option<HumanDuration>,
}

impl Default for Compliance {
    fn default() -> Self {
        Self {
            announce_ai: None,
            no_announcement_because: None,
            recording: Recording::Off,
            redact: Redaction::Mask,
            keep_transcripts: None,
            keep_recordings: None,
            keep_callers: None,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_off(recording: &Recording) -> bool {
    *recording == Recording::Off
}

/// How long recordings are kept when nothing is said.
const RECORDINGS_DAYS: u64 = 180;

impl Compliance {
    /// Whether nothing is said but what is usual.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the first words say that a machine speaks.
    pub fn announces_ai(&self, number: &PhoneNumber) -> bool {
        self.announce_ai.unwrap_or_else(|| Country::in_european_economic_area(number))
    }

    /// How long recordings are kept.
    pub fn recordings(&self) -> HumanDuration {
        self.keep_recordings
            .unwrap_or_else(|| HumanDuration::from_secs(RECORDINGS_DAYS * 24 * 3600))
    }

    /// The rule broken, if any: the field and what is wrong with it.
    pub(super) fn broken(
        &self,
        number: &PhoneNumber,
        language: &LanguageTag,
    ) -> Option<(&'static str, &'static str)> {
        if self.recording != Recording::Off && !language.has_phrases() {
            return Some((
                "compliance.recording",
                "cannot be asked for or announced in this language: use one of de, en, es, fr, it, nl, pt",
            ));
        }
        let reason = self.no_announcement_because.as_deref().map_or("", str::trim);
        if self.announce_ai == Some(false)
            && Country::in_european_economic_area(number)
            && reason.is_empty()
        {
            return Some((
                "compliance.announce_ai",
                "can only be switched off here with a reason in `no_announcement_because`: callers must be told that a machine speaks",
            ));
        }
        let day = HumanDuration::from_secs(24 * 3600);
        for (field, kept) in [
            ("compliance.keep_transcripts", self.keep_transcripts),
            ("compliance.keep_recordings", self.keep_recordings),
            ("compliance.keep_callers", self.keep_callers),
        ] {
            if kept.is_some_and(|kept| kept < day) {
                return Some((field, "must be at least a day: statistics are kept by the day"));
            }
        }
        None
    }
}
