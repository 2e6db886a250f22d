//! The sentences of one language, as its file has them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::fill;
use crate::domain::Personality;

/// The fixed sentences of one language.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrases {
    /// First words of a call; `{client}`.
    pub greeting: Greetings,
    /// Nobody spoke, or nothing was understood by the recogniser; several ways to say so.
    pub not_heard: Vec<String>,
    /// While a reply is late.
    pub fillers: Vec<String>,
    /// Last words.
    pub goodbye: String,
    /// Last words to a silent line.
    pub silence_goodbye: String,
    /// We failed, and it is not the caller's fault.
    pub apology: String,
    /// The line, or we, broke off in the middle.
    pub cut_off: String,
    /// We are busy for a moment.
    pub busy_retry: String,
    /// Nobody answers at this number.
    pub unknown_number: String,
    /// The assistant is switched off; `{client}`.
    pub disabled: String,
    /// To a caller who shows no number, where those are not answered.
    pub anonymous: String,
    /// All lines are taken; `{client}`.
    pub too_many_calls: String,
    /// The client's plan covers no more calls this month; `{client}`.
    pub plan_limit: String,
    /// The longest a call may take is near.
    pub duration_warning: String,
    /// It is reached.
    pub duration_goodbye: String,
    /// The call is handed to a human.
    pub transferring: String,
    /// There is no human to hand it to.
    pub transfer_unavailable: String,
    /// Asks for a message.
    pub take_message_prompt: String,
    /// The message is stored.
    pub message_taken: String,
    /// Says that a machine speaks.
    pub machine: String,
    /// Too many calls from one place, or to it.
    pub flood: String,
    /// Says that the call is recorded, and how to object.
    pub recording_announced: String,
    /// Asks whether the call may be recorded.
    pub recording_question: String,
    /// It may.
    pub recording_granted: String,
    /// It may not.
    pub recording_refused: String,
    /// It may no longer.
    pub recording_stopped: String,
    /// What is said when a call is handed over.
    pub handover: HandoverWords,
    /// What somebody in an emergency is told.
    pub emergency: EmergencyWords,
    /// What somebody in an emergency says.
    pub urgent: UrgentWords,
    /// How to switch to the language by a key, said in it; `{key}`.
    pub language_hint: String,
    /// Which languages are spoken; `{languages}`.
    pub languages_spoken: String,
    /// The call goes on in the language, as the caller wished.
    pub language_switched: String,
    /// What callers say to being recorded.
    pub consent: ConsentWords,
    /// How callers are asked whether they are satisfied.
    pub satisfaction: SatisfactionWords,
    /// What they answer.
    pub rating: RatingWords,
    /// What is said in calls that we make.
    pub outbound: OutboundWords,
    /// What those say whom we call.
    pub called: CalledWords,
    /// How amounts and telephone numbers are said.
    pub figures: FigureWords,
    /// By which words the language, and a wish for another one, is known.
    pub tongue: TongueWords,
}

/// How amounts and telephone numbers are said.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureWords {
    /// With cents; `{units}`, `{currency}`, `{cents}`.
    pub amount: String,
    /// Whether telephone numbers are said in pairs, or else digit by digit.
    pub pairs: bool,
    /// The calling code of the country where numbers are said without it.
    pub home: String,
    /// What stands before them then.
    pub trunk: String,
    /// Before the code of another country.
    pub plus: String,
    /// From zero to nine.
    pub digits: Vec<String>,
    /// By code: one of it, and several.
    pub currencies: BTreeMap<String, [String; 2]>,
}

/// By which words a language, and a wish for another one, is known.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TongueWords {
    /// Between the last two of several languages.
    pub and: String,
    /// Ways to ask for a `{language}`, in the middle of other words too.
    pub asks: Vec<String>,
    /// What makes a wish of the name of a language where nothing else is said.
    pub leads: Vec<String>,
    /// What goes with it and changes nothing.
    pub manners: Vec<String>,
    /// Words by which the language is known: frequent ones, and those of telephone calls.
    pub common: Vec<String>,
    /// What we call each language, by its code.
    pub called: BTreeMap<String, String>,
    /// What callers call them, and languages that we do not speak.
    pub names: BTreeMap<String, Vec<String>>,
}

/// What is said when a call is handed over.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoverWords {
    /// Nobody took the call.
    pub unanswered: String,
    /// The next one is rung.
    pub next: String,
    /// Nobody took the call: a message is recorded, and how.
    pub voicemail: String,
    /// None was spoken.
    pub nothing_left: String,
    /// To the human: for whom and from whom; `{client}`, `{caller}`.
    pub whisper: String,
    /// To the human: what for; `{reason}`.
    pub reason: String,
    /// A caller without a number.
    pub withheld: String,
    /// To the human: which keys take the call and refuse it.
    pub keys: String,
    /// To the human who took it.
    pub connecting: String,
}

/// What somebody in an emergency is told.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmergencyWords {
    /// What to dial: `{number}`.
    pub one: String,
    /// What to dial: `{number}` or `{other}`.
    pub two: String,
    /// And if it is none.
    pub otherwise: String,
}

/// What somebody in an emergency says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrgentWords {
    /// What leaves no doubt that help is needed at once.
    pub words: Vec<String>,
    /// What may be meant so.
    pub urgent: Vec<String>,
    /// What just before such words says that it is none.
    pub not: Vec<String>,
}

/// What callers say to being recorded.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentWords {
    /// Ways to say yes.
    pub yes: Vec<String>,
    /// Ways to say no.
    pub no: Vec<String>,
    /// What goes with either and changes nothing.
    pub manners: Vec<String>,
    /// Asking for the question again.
    pub again: Vec<String>,
    /// The star key, said instead of pressed.
    pub star: Vec<String>,
    /// How words about recording begin.
    pub stems: Vec<String>,
    /// Words that make an objection of one of those near them; with a `*`, how such words begin.
    pub negators: Vec<String>,
    /// How words begin for what else is recorded, such as a booking: not the call.
    pub about: Vec<String>,
}

/// How callers are asked whether they are satisfied.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SatisfactionWords {
    /// The question.
    pub question: String,
    /// Last words to who answered.
    pub thanks: String,
}

/// What callers answer who are asked whether they are satisfied.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatingWords {
    /// Ways to say each score, from 1 to 5.
    pub scores: [Vec<String>; 5],
    /// What a score is said to be out of.
    pub scale: Vec<String>,
    /// What goes with a score and changes nothing.
    pub manners: Vec<String>,
    /// Ways to say none.
    pub declines: Vec<String>,
}

/// What is said in calls that we make.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundWords {
    /// To somebody who will not be called again.
    pub stopped: String,
    /// To somebody who agreed to the first words.
    pub confirmed: String,
    /// To somebody who did not.
    pub declined: String,
}

/// What those say whom we call.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalledWords {
    /// That they do not want to be called again.
    pub stop: Vec<String>,
    /// What behind it says that it is about some time only.
    pub unless: Vec<String>,
    /// When they have only picked up.
    pub hello: Vec<String>,
    /// Ways to agree, besides those of [`ConsentWords`].
    pub yes: Vec<String>,
}

/// First words, by tone.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Greetings {
    pub professional: String,
    pub friendly: String,
    pub casual: String,
    pub formal: String,
}

impl Phrases {
    /// First words of a call, in the assistant's tone.
    pub fn greeting(&self, tone: Personality, client: &str) -> String {
        let template = match tone {
            Personality::Professional => &self.greeting.professional,
            Personality::Friendly => &self.greeting.friendly,
            Personality::Casual => &self.greeting.casual,
            Personality::Formal => &self.greeting.formal,
        };
        fill(template, &[("client", client)])
    }

    /// "I did not hear you", another one at each attempt.
    pub fn not_heard(&self, attempt: u32) -> &str {
        nth(&self.not_heard, attempt)
    }

    /// A filler, another one at each attempt.
    pub fn filler(&self, attempt: u32) -> &str {
        nth(&self.fillers, attempt)
    }
}

fn nth(variants: &[String], attempt: u32) -> &str {
    let index = (attempt as usize).checked_rem(variants.len()).unwrap_or(0);
    variants.get(index).map_or("", String::as_str)
}
