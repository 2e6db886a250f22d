//! What an utterance means: slots of a booking, wishes, questions, yes and no.
//!
//! Scanners take their tokens one after the other, the surest first, so that the eight of
//! "huit heures" is never taken for a party of eight. All words come from the vocabulary.

pub(crate) mod dates;
pub(crate) mod fold;
pub(crate) mod names;
pub(crate) mod numbers;
pub(crate) mod party;
pub(crate) mod times;
pub(crate) mod utterance;

use jiff::civil::Date;

use super::vocabulary::Vocabulary;
use crate::domain::Fact;
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
    pub(crate) facts: &'a [Fact],
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
    pub(crate) hello: bool,
    pub(crate) book: bool,
    pub(crate) change_booking: bool,
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
}

impl Meaning {
    /// Whether something of a booking was said.
    pub(crate) fn has_slots(&self) -> bool {
        self.date.is_some()
            || self.time.is_some()
            || self.part.is_some()
            || self.party.is_some()
            || self.name.is_some()
    }
}

/// Understands an utterance.
pub(crate) fn understand(context: &Context, text: &str) -> Meaning {
    let words = context.vocabulary;
    let mut u = Utterance::new(words, text);
    let intents = &words.intents;
    let mut meaning = Meaning {
        hello: u.take_phrase(&intents.hello),
        change_booking: u.take_phrase(&intents.change_booking),
        transfer: u.take_phrase(&intents.transfer),
        message: u.take_phrase(&intents.message),
        goodbye: u.take_phrase(&intents.goodbye),
        never_mind: u.take_phrase(&intents.never_mind),
        ..Meaning::default()
    };
    meaning.date = dates::scan(&mut u, context.today, context.month_first);
    meaning.part = times::scan_part(&u);
    meaning.time = times::scan(&mut u, context.expect);
    meaning.noon = meaning.date.is_some()
        && meaning.time.is_none()
        && meaning.part == Some(Part::Noon)
        && times::names_noon(&u);
    meaning.party = party::scan(&mut u, context.expect);
    meaning.book = u.says(&intents.book);
    meaning.hours = u.says(&intents.hours);
    meaning.fact = fact(context.facts, &u);
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

/// Whether an answer to "what name?" is about something else than a name.
fn says_something_else(meaning: &Meaning) -> bool {
    let name_only = Meaning { hello: false, thanks: false, yes: false, ..meaning.clone() };
    name_only != Meaning::default()
}

/// The fact whose words are said, the longest match first. A plural `s` is forgiven.
fn fact(facts: &[Fact], u: &Utterance) -> Option<usize> {
    let mut best: Option<(usize, usize)> = None;
    for (index, fact) in facts.iter().enumerate() {
        for about in &fact.about {
            let about = fold::words(about);
            let said = !about.is_empty()
                && u.tokens.windows(about.len()).any(|tokens| {
                    tokens.iter().zip(&about).all(|(t, word)| singular(&t.word) == singular(word))
                });
            if said && best.is_none_or(|(_, length)| about.len() > length) {
                best = Some((index, about.len()));
            }
        }
    }
    best.map(|(index, _)| index)
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').filter(|stem| stem.len() > 2).unwrap_or(word)
}

#[cfg(test)]
mod tests;
