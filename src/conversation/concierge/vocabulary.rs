//! What the concierge understands and says in one language, read from a data file.
//!
//! A language is added by writing `phrases/concierge.XX.toml` and naming it in `ALL` below.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

use super::understand::fold::{self, Token};
use crate::domain::LanguageTag;

/// The languages the concierge speaks; the first one stands in for all others.
const ALL: [(&str, &str); 5] = [
    ("en", include_str!("../phrases/concierge.en.toml")),
    ("fr", include_str!("../phrases/concierge.fr.toml")),
    ("es", include_str!("../phrases/concierge.es.toml")),
    ("de", include_str!("../phrases/concierge.de.toml")),
    ("it", include_str!("../phrases/concierge.it.toml")),
];

/// The vocabulary for a language, and the language it really is.
pub(crate) fn for_language(language: &LanguageTag) -> (&'static str, &'static Vocabulary) {
    static PARSED: OnceLock<Vec<(&'static str, Vocabulary)>> = OnceLock::new();
    static NOTHING: OnceLock<Vocabulary> = OnceLock::new();
    let parsed = PARSED.get_or_init(|| {
        // A test proves that every file parses, so the default is never met.
        ALL.iter().map(|(code, text)| (*code, toml::from_str(text).unwrap_or_default())).collect()
    });
    parsed
        .iter()
        .find(|(code, _)| *code == language.primary())
        .or_else(|| parsed.first())
        .map_or_else(
            || ("en", NOTHING.get_or_init(Vocabulary::default)),
            |(code, words)| (*code, words),
        )
}

/// One language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vocabulary {
    pub(crate) numbers: Numbers,
    pub(crate) time: TimeWords,
    pub(crate) date: DateWords,
    pub(crate) party: PartyWords,
    pub(crate) name: NameWords,
    pub(crate) intents: Intents,
    pub(crate) spoken: Spoken,
    pub(crate) say: Sentences,
}

/// Phrases, longest first.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(from = "Vec<String>")]
pub(crate) struct Words(Vec<Vec<String>>);

impl From<Vec<String>> for Words {
    fn from(phrases: Vec<String>) -> Self {
        let mut phrases: Vec<_> = phrases.iter().map(|phrase| fold::words(phrase)).collect();
        phrases.retain(|phrase| !phrase.is_empty());
        phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
        Self(phrases)
    }
}

impl Words {
    /// How many tokens the longest phrase that starts here takes.
    pub(crate) fn at(&self, tokens: &[Token], start: usize) -> Option<usize> {
        self.0.iter().find(|phrase| starts_with(tokens, start, phrase)).map(Vec::len)
    }

    /// Whether a phrase ends just before a token.
    pub(crate) fn before(&self, tokens: &[Token], end: usize) -> bool {
        self.0
            .iter()
            .any(|phrase| phrase.len() <= end && starts_with(tokens, end - phrase.len(), phrase))
    }

    /// Start and length of the first phrase found.
    pub(crate) fn find(&self, tokens: &[Token]) -> Option<(usize, usize)> {
        (0..tokens.len()).find_map(|start| Some((start, self.at(tokens, start)?)))
    }
}

/// Phrases with a value, longest first.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(from = "BTreeMap<String, i32>")]
pub(crate) struct Table(Vec<(Vec<String>, i32)>);

impl From<BTreeMap<String, i32>> for Table {
    fn from(entries: BTreeMap<String, i32>) -> Self {
        let mut entries: Vec<_> =
            entries.into_iter().map(|(phrase, value)| (fold::words(&phrase), value)).collect();
        entries.retain(|(phrase, _)| !phrase.is_empty());
        entries.sort_by_key(|(phrase, _)| std::cmp::Reverse(phrase.len()));
        Self(entries)
    }
}

impl Table {
    /// The value of the longest phrase that starts here, and how many tokens it takes.
    pub(crate) fn at(&self, tokens: &[Token], start: usize) -> Option<(i32, usize)> {
        self.0
            .iter()
            .find(|(phrase, _)| starts_with(tokens, start, phrase))
            .map(|(phrase, value)| (*value, phrase.len()))
    }
}

fn starts_with(tokens: &[Token], start: usize, phrase: &[String]) -> bool {
    tokens
        .get(start..start + phrase.len())
        .is_some_and(|tokens| tokens.iter().zip(phrase).all(|(token, word)| token.word == *word))
}

/// Numbers in words; tens and units are put together by the grammar.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Numbers {
    pub(crate) words: Table,
    /// Whether every number up to 99 is a word of its own ("einundzwanzig"): tens take no units.
    #[serde(default)]
    pub(crate) whole: bool,
    /// Between tens and units: "vingt et un".
    pub(crate) joins: Words,
    /// Whether it stands before every unit ("treinta y cinco") or only before one.
    pub(crate) joins_all: bool,
    /// Numbers that are also articles, and no times by themselves: "une".
    pub(crate) articles: Words,
}

/// Clock times.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimeWords {
    /// After an hour: "heures", "o'clock".
    pub(crate) hour: Words,
    /// Before an hour, making a bare number a time: "à", "at".
    pub(crate) at: Words,
    /// Before a moment: "pour midi" is 12:00, "demain midi" is only lunchtime.
    pub(crate) at_moment: Words,
    /// Minutes said after the hour: "et demie" = 30, "moins le quart" = -15.
    pub(crate) after_hour: Table,
    /// Then a number of minutes to take off: "moins" dix.
    pub(crate) minus: Words,
    /// Minutes said before the hour: "half past" = 30, "quarter to" = -15.
    pub(crate) before_hour: Table,
    /// Between minutes and hour: ten "past" seven, ten "to" seven.
    pub(crate) past: Words,
    pub(crate) to: Words,
    /// Moments in minutes of the day: "midi" = 720.
    pub(crate) moments: Table,
    /// Of these, what is a time by itself: "all'una".
    #[serde(default)]
    pub(crate) sure_moments: Words,
    /// Parts of the day.
    pub(crate) morning: Words,
    pub(crate) noon: Words,
    pub(crate) afternoon: Words,
    pub(crate) evening: Words,
}

/// Days.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DateWords {
    /// In days from today: "demain" = 1.
    pub(crate) relative: Table,
    /// "dans" deux jours, "in" two days.
    pub(crate) within: Words,
    /// "jours" = 1, "semaines" = 7.
    pub(crate) units: Table,
    /// Monday is 1.
    pub(crate) weekdays: Table,
    /// Before a weekday, when today may be meant: "ce lundi".
    pub(crate) this: Words,
    /// After a weekday: a week later than the coming one ("en huit").
    pub(crate) week_later: Words,
    pub(crate) months: Table,
    /// Before a day of the month: "le" 5, "the" 5th.
    pub(crate) article: Words,
    /// After a day of the month: "er", "th".
    pub(crate) suffix: Words,
    /// "first" = 1: days that are said as ordinals.
    pub(crate) ordinals: Table,
    /// Between day and month: the 5th "of" December.
    pub(crate) of: Words,
    /// Before a day of arrival, and before one of departure: "du" 5 "au" 8 décembre.
    pub(crate) from: Words,
    pub(crate) until: Words,
    /// After a number: "nuits".
    pub(crate) nights: Words,
    /// What stands between day and month in figures; `/` where nothing is said.
    #[serde(default = "slash")]
    pub(crate) figures: String,
    /// Regions that write the month first: `12/5`.
    pub(crate) month_first_regions: Vec<String>,
}

fn slash() -> String {
    "/".to_owned()
}

/// How many people.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartyWords {
    /// Before a number: "pour", "on sera".
    pub(crate) before: Words,
    /// After a number: "personnes".
    pub(crate) after: Words,
    /// After numbers that add up: "deux adultes et un enfant".
    pub(crate) kinds: Words,
    /// As one phrase: "just me" = 1.
    pub(crate) phrases: Table,
}

/// Names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NameWords {
    /// A name surely follows: "au nom de".
    pub(crate) markers: Words,
    /// A name follows if it looks like one: "c'est".
    pub(crate) weak_markers: Words,
    /// Small words inside a name: "María de la Fuente".
    pub(crate) particles: Words,
    /// Left out in front of a name: "euh", "monsieur".
    pub(crate) fillers: Words,
    /// Never part of a name.
    pub(crate) stops: Words,
}

/// What callers want.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Intents {
    pub(crate) hello: Words,
    pub(crate) book: Words,
    /// Something about a booking that is made already.
    pub(crate) change_booking: Words,
    pub(crate) cancel_booking: Words,
    /// The verbs alone, where it is known what they are about: "l'annuler".
    pub(crate) change: Words,
    pub(crate) cancel: Words,
    pub(crate) hours: Words,
    pub(crate) transfer: Words,
    pub(crate) reach: Reach,
    pub(crate) message: Words,
    pub(crate) never_mind: Words,
    pub(crate) goodbye: Words,
    pub(crate) thanks: Words,
    pub(crate) repeat: Words,
    pub(crate) yes: Words,
    pub(crate) no: Words,
    /// Holds a no, and refuses nothing: "no sé", "no problem".
    pub(crate) harmless_no: Words,
}

/// How one of the humans is asked for by name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reach {
    /// `{name}`: "parler à {name}".
    pub(crate) ask: Vec<String>,
    /// What may stand before a name: "monsieur".
    #[serde(deserialize_with = "folded")]
    pub(crate) titles: Vec<String>,
    /// Shortly before it says that nobody is asked for: "pas".
    #[serde(deserialize_with = "folded")]
    pub(crate) not: Vec<String>,
}

fn folded<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let words = Vec::<String>::deserialize(from)?;
    Ok(words.iter().flat_map(|word| fold::words(word)).collect())
}

/// How dates, times and numbers are said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spoken {
    /// `{weekday}`, `{day}`, `{month}`.
    pub(crate) date: String,
    /// Days of the month that are said in words: "fünften".
    #[serde(default)]
    pub(crate) day_words: BTreeMap<String, String>,
    /// After the day of the month, by day.
    pub(crate) day_suffixes: BTreeMap<String, String>,
    /// After the other days.
    pub(crate) day_suffix: String,
    pub(crate) weekdays: [String; 7],
    pub(crate) months: [String; 12],
    /// Whether the clock has twelve hours, and then `{half}` is one of these.
    pub(crate) twelve_hours: bool,
    pub(crate) halves: [String; 2],
    /// `{hour}` (and `{half}`).
    pub(crate) hour: String,
    pub(crate) one_hour: String,
    /// `{hour}`, `{minute}` (and `{half}`).
    pub(crate) hour_minute: String,
    pub(crate) one_hour_minute: String,
    pub(crate) noon: String,
    pub(crate) midnight: String,
    /// `{date}`, `{time}`.
    pub(crate) date_time: String,
    /// `{arrival}`, `{departure}`.
    pub(crate) stay: String,
    pub(crate) one_person: String,
    /// `{count}`.
    pub(crate) people: String,
    /// `{start}`, `{end}`.
    pub(crate) service: String,
    /// Between the last two of several.
    pub(crate) and: String,
    pub(crate) or: String,
    /// `{weekday}`: one day of every week; `{first}`, `{last}`: a stretch of days.
    pub(crate) every: String,
    pub(crate) every_from_to: String,
}

/// The concierge's own sentences; `_appointment` where one does not speak as of a table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sentences {
    pub(crate) hello: String,
    pub(crate) how_can_i_help: String,
    pub(crate) anything_else: String,
    pub(crate) listening: String,
    pub(crate) ask_date: String,
    pub(crate) ask_date_appointment: String,
    pub(crate) ask_date_stay: String,
    /// `{min}`, `{max}` are not said: a refusal tells them.
    pub(crate) ask_nights: String,
    /// `{services}`.
    pub(crate) ask_service: String,
    /// `{resources}`.
    pub(crate) which_resource: String,
    pub(crate) ask_time: String,
    pub(crate) ask_time_appointment: String,
    pub(crate) ask_party: String,
    pub(crate) ask_name: String,
    /// `{name}`: of whom called before.
    pub(crate) ask_known_name: String,
    pub(crate) welcome_back: String,
    /// `{name}`.
    pub(crate) welcome_back_name: String,
    pub(crate) ask_other_time: String,
    pub(crate) ask_other_time_stay: String,
    pub(crate) free: String,
    pub(crate) free_appointment: String,
    /// `{stay}`, `{people}`, `{with}`.
    pub(crate) free_stay: String,
    pub(crate) confirmed: String,
    pub(crate) confirmed_appointment: String,
    pub(crate) confirmed_stay: String,
    /// `{reference}`: to whom no number tells who they are.
    pub(crate) reference: String,
    pub(crate) not_stored: String,
    pub(crate) not_stored_appointment: String,
    pub(crate) not_offered: String,
    pub(crate) change_booking: String,
    pub(crate) change_booking_appointment: String,
    /// `{when}`, `{people}`, `{name}`: what was found.
    pub(crate) found: String,
    pub(crate) found_appointment: String,
    pub(crate) found_stay: String,
    pub(crate) cancel_or_change: String,
    pub(crate) confirm_cancel: String,
    /// `{bookings}`.
    pub(crate) which_booking: String,
    pub(crate) ask_reference: String,
    pub(crate) not_found: String,
    pub(crate) ask_new_time: String,
    pub(crate) cancelled: String,
    pub(crate) cancelled_appointment: String,
    pub(crate) kept: String,
    pub(crate) moved: String,
    pub(crate) moved_appointment: String,
    pub(crate) moved_stay: String,
    pub(crate) too_late_to_change: String,
    pub(crate) nights_range: String,
    /// `{when}` again is the time asked for.
    pub(crate) too_soon: String,
    pub(crate) off_grid: String,
    pub(crate) party_too_small: String,
    pub(crate) party_too_large: String,
    pub(crate) party_too_large_appointment: String,
    pub(crate) in_the_past: String,
    pub(crate) too_far_ahead: String,
    pub(crate) too_far_ahead_appointment: String,
    pub(crate) closed_that_day: String,
    pub(crate) outside_hours: String,
    pub(crate) too_late: String,
    pub(crate) too_late_appointment: String,
    pub(crate) full: String,
    pub(crate) full_appointment: String,
    pub(crate) offer_one: String,
    pub(crate) offer_several: String,
    pub(crate) offer_message: String,
    /// Of what was looked up.
    pub(crate) nothing_found: String,
    pub(crate) not_looked_up: String,
    pub(crate) open_that_day: String,
    pub(crate) closed_then_open: String,
    pub(crate) open_week: String,
    pub(crate) closed_week: String,
    pub(crate) hours_unknown: String,
    pub(crate) abandoned: String,
    pub(crate) abandoned_appointment: String,
    pub(crate) not_understood: String,
    pub(crate) choices: String,
    pub(crate) choices_appointment: String,
    pub(crate) choices_stay: String,
    pub(crate) choices_no_booking: String,
    pub(crate) passing_on: String,
}
