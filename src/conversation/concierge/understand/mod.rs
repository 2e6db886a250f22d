//! What an utterance means: slots of a booking, wishes, questions, yes and no.
//!
//! Scanners take their tokens one after the other, the surest first, so that the eight of
//! "huit heures" is never taken for a party of eight. All words come from the vocabulary.

pub(crate) mod dates;
pub(crate) mod fold;
pub(crate) mod names;
pub(crate) mod numbers;
pub(crate) mod party;
pub(crate) mod stays;
pub(crate) mod times;
pub(crate) mod utterance;

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::vocabulary::Vocabulary;
use crate::domain::{BookingKind, BookingRules, Fact, HttpTool, LanguageTag, is_general};
use times::{Clock, Expect, Part};
use utterance::Utterance;

/// What the scanners need to know beside the words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) today: Date,
    /// `12/5` is the fifth of December.
    pub(crate) month_first: bool,
    pub(crate) expect: Expect,
    /// We asked for a name.
    pub(crate) expect_name: bool,
    /// We asked for the number of a booking.
    pub(crate) expect_reference: bool,
    /// We asked for a number of nights.
    pub(crate) expect_nights: bool,
    pub(crate) facts: &'a [Fact],
    /// What can be looked up.
    pub(crate) tools: &'a [HttpTool],
    pub(crate) booking: Option<&'a BookingRules>,
    /// Facts in another language than this are not told.
    pub(crate) language: &'a LanguageTag,
}

/// What was understood.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Meaning {
    pub(crate) date: Option<Date>,
    pub(crate) time: Option<Clock>,
    pub(crate) part: Option<Part>,
    /// Noon was named beside a day and may be the time meant, or only the part of the day.
    pub(crate) noon: bool,
    pub(crate) party: Option<u32>,
    pub(crate) name: Option<String>,
    pub(crate) nights: Option<u32>,
    /// What is to be done, by its name in the file.
    pub(crate) service: Option<String>,
    /// With whom or where, by its name in the file.
    pub(crate) resource: Option<String>,
    /// The number of a booking.
    pub(crate) reference: Option<String>,
    pub(crate) hello: bool,
    pub(crate) book: bool,
    /// Something about a booking that is made already.
    pub(crate) change_booking: bool,
    pub(crate) cancel_booking: bool,
    /// The verbs alone.
    pub(crate) change: bool,
    pub(crate) cancel: bool,
    pub(crate) hours: bool,
    pub(crate) transfer: bool,
    pub(crate) message: bool,
    pub(crate) never_mind: bool,
    pub(crate) goodbye: bool,
    pub(crate) thanks: bool,
    pub(crate) repeat: bool,
    pub(crate) yes: bool,
    pub(crate) no: bool,
    /// The fact asked for.
    pub(crate) fact: Option<usize>,
    /// What is to be looked up.
    pub(crate) tool: Option<usize>,
    /// Whether only a word such as "combien" or "prix" asks for it: the price of anything.
    pub(crate) general: bool,
}

impl Meaning {
    /// Whether something of a booking was said.
    pub(crate) fn has_slots(&self) -> bool {
        self.date.is_some()
            || self.time.is_some()
            || self.part.is_some()
            || self.party.is_some()
            || self.name.is_some()
            || self.nights.is_some()
    }
}

/// Understands an utterance.
pub(crate) fn understand(context: &Context, text: &str) -> Meaning {
    let words = context.vocabulary;
    let mut u = Utterance::new(words, text);
    let intents = &words.intents;
    let reference = context.expect_reference.then(|| reference(&mut u)).flatten();
    let mut meaning = Meaning {
        reference,
        hello: u.take_phrase(&intents.hello),
        cancel_booking: u.take_phrase(&intents.cancel_booking),
        change_booking: u.take_phrase(&intents.change_booking),
        transfer: u.take_phrase(&intents.transfer),
        message: u.take_phrase(&intents.message),
        goodbye: u.take_phrase(&intents.goodbye),
        never_mind: u.take_phrase(&intents.never_mind),
        ..Meaning::default()
    };
    if context.booking.is_some_and(|rules| rules.kind == BookingKind::Stay) {
        if let Some((arrival, departure)) = stays::scan(&mut u, context.today, context.month_first)
        {
            meaning.date = Some(arrival);
            meaning.nights = u32::try_from((departure - arrival).get_days()).ok();
        }
        meaning.nights = stays::nights(&mut u, context.expect_nights).or(meaning.nights);
    }
    let date = dates::scan(&mut u, context.today, context.month_first);
    meaning.date = meaning.date.or(date);
    meaning.part = times::scan_part(&u);
    meaning.time = times::scan(&mut u, context.expect);
    meaning.noon = meaning.date.is_some()
        && meaning.time.is_none()
        && meaning.part == Some(Part::Noon)
        && times::names_noon(&u);
    meaning.party = party::scan(&mut u, context.expect);
    meaning.book = u.says(&intents.book);
    meaning.hours = u.says(&intents.hours);
    meaning.change = u.says(&intents.change);
    meaning.cancel = u.says(&intents.cancel);
    let fact = fact(context, &u);
    meaning.tool = tool(context, &u, fact.map_or(0, |(_, length, _)| length));
    if let Some((index, _, general)) = fact.filter(|_| meaning.tool.is_none()) {
        meaning.fact = Some(index);
        meaning.general = general;
    }
    if let Some(rules) = context.booking {
        let services = rules.services.iter();
        meaning.service = said(services.map(|one| (&one.name, &one.names, &one.about)), &u);
        if !context.expect_name {
            let resources = rules.resources.iter();
            meaning.resource = said(resources.map(|one| (&one.name, &one.names, &one.about)), &u);
        }
    }
    meaning.name = names::scan(&mut u, context.expect_name);
    meaning.thanks = u.says(&intents.thanks);
    meaning.repeat = u.says_free(&intents.repeat);
    let unsure = u.take_phrase(&intents.harmless_no);
    meaning.no = u.says_free(&intents.no);
    meaning.yes = !meaning.no && u.says_free(&intents.yes);
    if context.expect_name && !unsure && !says_something_else(&meaning) {
        meaning.name = names::bare(&mut u);
    }
    meaning
}

/// The number of a booking: all figures said, in figures or in words, one after the other.
fn reference(u: &mut Utterance) -> Option<String> {
    let mut figures = String::new();
    let mut at = 0;
    while at < u.tokens.len() {
        // In figures as they are: they may begin with a nought, and be many.
        if u.tokens[at].is_figures() {
            figures += &u.tokens[at].word;
            u.take(at, 1);
            at += 1;
        } else if let Some((number, taken)) = u.number_at(at) {
            figures += &number.to_string();
            u.take(at, taken);
            at += taken;
        } else {
            at += 1;
        }
    }
    (4..=12).contains(&figures.len()).then_some(figures)
}

/// A name, what it is in other languages, and words for it.
type Called<'a> = (&'a String, &'a BTreeMap<LanguageTag, String>, &'a Vec<String>);

/// The name of what is said by one of its names or by words for it, the longest match first.
fn said<'a>(things: impl Iterator<Item = Called<'a>>, u: &Utterance) -> Option<String> {
    let mut best: Option<(&String, usize)> = None;
    for (name, names, about) in things {
        for words in std::iter::once(name).chain(names.values()).chain(about) {
            let words = fold::words(words);
            if is_said(&words, u) && best.is_none_or(|(_, length)| words.len() > length) {
                best = Some((name, words.len()));
            }
        }
    }
    best.map(|(name, _)| name.clone())
}

/// Whether words are said one after the other. A plural `s` is forgiven.
fn is_said(words: &[String], u: &Utterance) -> bool {
    !words.is_empty()
        && u.tokens.windows(words.len()).any(|tokens| {
            tokens.iter().zip(words).all(|(t, word)| singular(&t.word) == singular(word))
        })
}

/// Whether an answer to "what name?" is about something else than a name.
fn says_something_else(meaning: &Meaning) -> bool {
    let name_only = Meaning { hello: false, thanks: false, yes: false, ..meaning.clone() };
    name_only != Meaning::default()
}

/// What can be looked up whose words are said, the longest match first, if they are as long as those of
/// a fact.
fn tool(context: &Context, u: &Utterance, least: usize) -> Option<usize> {
    let mut best: Option<(usize, usize)> = None;
    for (index, tool) in context.tools.iter().enumerate() {
        for about in &tool.about {
            let about = fold::words(about);
            let longer = best.is_none_or(|(_, length)| about.len() > length);
            if longer && about.len() >= least && is_said(&about, u) {
                best = Some((index, about.len()));
            }
        }
    }
    best.map(|(index, _)| index)
}

/// The fact whose words are said, the longest match first, one of the language before one of any; how
/// many words, and whether they name nothing in particular. A plural `s` is forgiven.
fn fact(context: &Context, u: &Utterance) -> Option<(usize, usize, bool)> {
    let mut best: Option<(usize, (usize, bool), bool)> = None;
    for (index, fact) in context.facts.iter().enumerate() {
        let of_language = fact.language.as_ref().map(LanguageTag::primary);
        if of_language.is_some_and(|language| language != context.language.primary()) {
            continue;
        }
        for about in &fact.about {
            let about = fold::words(about);
            let rank = (about.len(), of_language.is_some());
            if is_said(&about, u) && best.is_none_or(|(_, other, _)| rank > other) {
                let general = is_general(&about, std::slice::from_ref(context.language));
                best = Some((index, rank, general));
            }
        }
    }
    best.map(|(index, (length, _), general)| (index, length, general))
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').filter(|stem| stem.len() > 2).unwrap_or(word)
}

#[cfg(test)]
mod tests;
