//! What to make of what the caller said.

use super::{
    Effect,
    asked_for::asked_for,
    booking, changes, lookup, speak,
    state::{Question, State},
    turn::Turn,
    understand::{
        self, Context, Meaning,
        times::{Clock, Expect},
    },
};
use crate::{
    conversation::{figures, looked_up, phrases::fill},
    domain::{BookingKind, Heard, LanguageTag, Next},
};

/// Silences in a row before we hang up.
const SILENCES: u8 = 3;
/// Utterances kept for a message.
const KEPT: usize = 10;

/// A turn begins.
pub(crate) fn heard(mut turn: Turn, heard: &Heard) -> (State, Effect) {
    match heard {
        Heard::Silence => silence(turn),
        Heard::Speech { text, .. } if text.trim().is_empty() => silence(turn),
        Heard::Speech { text, .. } => {
            turn.state.silences = 0;
            turn.welcome();
            spoken(turn, text)
        }
        Heard::Digits(keys) => {
            turn.state.silences = 0;
            let text = keys_as_words(&turn, keys);
            spoken(turn, &text)
        }
    }
}

/// What an utterance means, given what we asked.
pub(crate) fn meaning(turn: &Turn, text: &str) -> Meaning {
    let asked = turn.state.asked;
    let region = turn.scene.language.as_str().rsplit('-').next().unwrap_or_default();
    let context = Context {
        vocabulary: turn.vocabulary,
        today: turn.today(),
        month_first: turn.vocabulary.date.month_first_regions.iter().any(|r| r == region),
        expect: Expect {
            time: matches!(asked, Some(Question::Time | Question::Offer | Question::OtherTime)),
            // Too many were refused, and a message offered: a smaller number is an answer too.
            party: asked == Some(Question::Party)
                || (asked == Some(Question::OfferMessage)
                    && turn.state.booking
                    && !turn.only_party()
                    && turn.state.slots.party.is_none()),
        },
        expect_name: matches!(asked, Some(Question::Name | Question::KnownName)),
        expect_reference: asked == Some(Question::Reference),
        expect_nights: asked == Some(Question::Nights),
        booking: turn.scene.spec.booking.as_ref(),
        facts: &turn.scene.spec.facts,
        tools: &turn.scene.spec.tools,
        language: turn.scene.language,
    };
    let mut meaning = understand::understand(&context, text);
    meaning.transfer = meaning.transfer || is_asking_for_somebody(turn, &meaning, text);
    if turn.kind() == BookingKind::Stay {
        // Breakfast and dinner are questions of guests here, and no hours to come at.
        meaning.time = None;
        meaning.part = None;
        meaning.noon = false;
    }
    if meaning.noon
        && let Some(date) = meaning.date
    {
        meaning.time = noon_of(turn, date);
    }
    meaning
}

/// Whether one of the humans is asked for by name: "je voudrais parler à Paul". Not in a message, nor where it
/// is somebody to book with.
fn is_asking_for_somebody(turn: &Turn, meaning: &Meaning, text: &str) -> bool {
    let spec = turn.scene.spec;
    let asked = asked_for(spec, &turn.vocabulary.intents.reach, text);
    let books = meaning.book || meaning.has_slots();
    asked.is_some()
        && !meaning.message
        && turn.state.asked != Some(Question::Message)
        && !(books && meaning.resource.is_some())
}

/// Noon, where one may come at noon: at "demain midi" the time has been said.
fn noon_of(turn: &Turn, date: jiff::civil::Date) -> Option<Clock> {
    let opening = turn.scene.spec.opening();
    let open = !opening.known || opening.service_at(date.at(12, 0, 0, 0)).is_some();
    open.then_some(Clock { hour: 12, minute: 0, exact: true })
}

/// Whether something of a booking was said, where there is something to book.
fn has_slots(turn: &Turn, meaning: &Meaning) -> bool {
    turn.offers_bookings() && meaning.has_slots()
}

fn silence(mut turn: Turn) -> (State, Effect) {
    turn.state.silences = turn.state.silences.saturating_add(1);
    if turn.state.silences >= SILENCES {
        let goodbye = &turn.phrases.silence_goodbye;
        return turn.speak(&[goodbye], Next::HangUp);
    }
    let lead = turn.phrases.not_heard(u32::from(turn.state.silences) - 1);
    if turn.state.question.is_empty() {
        return turn.speak(&[lead], Next::Listen);
    }
    let question = turn.state.question.clone();
    turn.speak(&[lead, &question], Next::Listen)
}

/// Keys pressed, as if they had been said: 1 and 2 are yes and no where that is the question.
fn keys_as_words(turn: &Turn, keys: &str) -> String {
    let digits: String = keys.chars().filter(char::is_ascii_digit).collect();
    match (turn.state.asked, digits.len()) {
        (Some(Question::Time | Question::Offer | Question::OtherTime), 3 | 4) => {
            let (hour, minute) = digits.split_at(digits.len() - 2);
            format!("{hour}:{minute}")
        }
        _ => digits,
    }
}

fn spoken(mut turn: Turn, text: &str) -> (State, Effect) {
    let meaning = meaning(&turn, text);
    if turn.state.words.len() >= KEPT {
        turn.state.words.remove(0);
    }
    turn.state.words.push(text.trim().chars().take(500).collect());
    if !turn.offers_bookings() && meaning.name.is_some() {
        turn.state.slots.name.clone_from(&meaning.name);
    }
    if meaning.transfer {
        let request = super::transfer_to(&turn, text);
        return (turn.state, Effect::Run(request));
    }
    if turn.state.asked == Some(Question::Message) {
        return message(turn, &meaning, text);
    }
    if let Some(wanted) = changes::wanted(&turn, &meaning) {
        return changes::begin(turn, wanted, &meaning);
    }
    if turn.state.touched.is_some() && !meaning.goodbye && !meaning.message {
        match changes::heard(turn, &meaning) {
            Ok(done) => return done,
            Err(other) => turn = *other,
        }
    }
    if turn.state.lookup.is_some() && !meaning.goodbye && !meaning.message {
        match lookup::heard(turn, &meaning, text) {
            Ok(done) => return done,
            Err(other) => turn = *other,
        }
    }
    if turn.state.asked == Some(Question::KnownName)
        && meaning.name.is_none()
        && !meaning.has_slots()
        && (meaning.yes || meaning.no)
    {
        turn.state.misses = 0;
        if meaning.yes {
            turn.state.slots.name = turn.known_name().map(str::to_owned);
        } else {
            turn.state.other_name = true;
        }
        return booking::advance(turn);
    }
    if turn.state.asked == Some(Question::Offer)
        && let Some(chosen) = chosen_offer(&turn, &meaning)
    {
        turn.state.take_offer(chosen);
        turn.state.misses = 0;
        take_rest(&mut turn, &meaning);
        return booking::advance(turn);
    }
    if meaning.goodbye && !has_slots(&turn, &meaning) {
        return turn.bye("");
    }
    if meaning.never_mind && turn.state.booking {
        let say = turn.say();
        let lead = turn.by_kind(&say.abandoned, &say.abandoned_appointment);
        turn.state.drop_booking();
        return anything_else(turn, lead);
    }
    if meaning.message {
        return turn.ask_message("");
    }
    if meaning.change_booking || meaning.cancel_booking {
        let say = turn.say();
        let lead = turn.by_kind(&say.change_booking, &say.change_booking_appointment);
        return turn.ask(lead, Question::OfferMessage, &say.offer_message);
    }
    let chosen = match turn.state.asked {
        Some(Question::Service) => meaning.service.is_some(),
        Some(Question::Resource) => meaning.resource.is_some(),
        _ => false,
    };
    if chosen {
        turn.state.misses = 0;
        turn.state.take_in(&meaning);
        return booking::advance(turn);
    }
    if let Some(tool) = meaning.tool {
        return lookup::begin(turn, tool, text);
    }
    if let Some((at, answer)) = found(&turn, &meaning, text) {
        turn.state.told = Some(at);
        // What was asked about a day or an hour is not yet what is wanted.
        let asked = Meaning { date: None, time: None, part: None, hours: false, ..meaning };
        return after_answer(turn, &asked, answer);
    }
    if let Some(answer) = answer(&turn, &meaning) {
        return after_answer(turn, &meaning, answer);
    }
    if has_slots(&turn, &meaning) || (meaning.book && !turn.state.booking) {
        turn.state.misses = 0;
        turn.state.take_in(&meaning);
        return booking::advance(turn);
    }
    yes_or_no(turn, &meaning)
}

/// The caller's message, in the caller's words. "Non, rien" leaves none.
fn message(turn: Turn, meaning: &Meaning, text: &str) -> (State, Effect) {
    let short = text.split_whitespace().count() <= 4;
    if short && (meaning.goodbye || meaning.no || meaning.never_mind) {
        return turn.bye("");
    }
    if short && (meaning.yes || meaning.message) && !meaning.has_slots() {
        let say = turn.say();
        return turn.ask("", Question::Message, &say.listening);
    }
    let text = text.trim().chars().take(2_000).collect();
    turn.take_message(text)
}

/// The offer that was taken: yes to the only one, or the time of one of several.
fn chosen_offer(turn: &Turn, meaning: &Meaning) -> Option<jiff::civil::DateTime> {
    let offers = &turn.state.offers;
    if let Some(clock) = meaning.time {
        let readings = clock.readings();
        return offers.iter().copied().find(|at| {
            meaning.date.is_none_or(|date| date == at.date())
                && readings.iter().any(|c| (c.hour, c.minute) == (at.hour(), at.minute()))
        });
    }
    let agrees = meaning.yes && meaning.date.is_none() && meaning.part.is_none();
    agrees.then(|| offers.first().copied()).flatten()
}

/// Party and name said together with the choice of an offer.
fn take_rest(turn: &mut Turn, meaning: &Meaning) {
    let rest = Meaning { date: None, time: None, part: None, ..meaning.clone() };
    turn.state.take_in(&rest);
}

/// The answer to a question about the client, if one was asked.
pub(crate) fn answer(turn: &Turn, meaning: &Meaning) -> Option<String> {
    let facts = &turn.scene.spec.facts;
    if let Some(fact) = meaning.fact.and_then(|index| facts.get(index)) {
        return Some(figures::said(fact.answer.trim(), turn.scene.language));
    }
    meaning.hours.then(|| opening_hours(turn, meaning))
}

/// What the client's documents say about it, where they plainly do, no fact is about it, and nothing of a
/// booking was said.
fn found(turn: &Turn, meaning: &Meaning, text: &str) -> Option<(usize, String)> {
    let answered = match meaning.fact {
        Some(_) => !meaning.general,
        None => meaning.hours && turn.scene.spec.opening().known,
    };
    let wants = meaning.book
        || meaning.party.is_some()
        || meaning.name.is_some()
        || meaning.nights.is_some()
        || (turn.state.booking && meaning.has_slots());
    if answered || wants || turn.scene.found.is_empty() {
        return None;
    }
    let spoken: Vec<LanguageTag> = turn.scene.spec.voice.spoken().into_iter().cloned().collect();
    looked_up::said(text, turn.scene.found, &spoken, turn.scene.language)
}

fn opening_hours(turn: &Turn, meaning: &Meaning) -> String {
    let (say, spoken) = (turn.say(), turn.spoken());
    let opening = turn.scene.spec.opening();
    if !opening.known {
        return say.hours_unknown.clone();
    }
    let Some(date) = meaning.date else { return speak::week(turn.vocabulary, &opening) };
    let said = speak::date(spoken, date);
    let services = opening.on(date);
    if !services.is_empty() {
        let services = speak::services(spoken, services);
        return fill(&say.open_that_day, &[("date", &said), ("services", &services)]);
    }
    match opening.next_service(date.to_datetime(jiff::civil::Time::midnight())) {
        Some((next, _)) => {
            let when = speak::date_time(spoken, next);
            fill(&say.closed_then_open, &[("date", &said), ("when", &when)])
        }
        None => fill(&say.closed_that_day, &[("date", &said)]),
    }
}

/// Answers, then goes on where we were. The day asked about is not yet the day wanted.
fn after_answer(mut turn: Turn, meaning: &Meaning, answer: String) -> (State, Effect) {
    turn.state.misses = 0;
    if !turn.offers_bookings() {
        if meaning.book {
            let words = &turn.say().offer_message;
            return turn.ask(&answer, Question::OfferMessage, words);
        }
        return answered(turn, &answer);
    }
    let mut rest = meaning.clone();
    if meaning.hours && !meaning.book {
        rest = Meaning { date: None, time: None, part: None, ..rest };
    }
    let slots = rest.has_slots();
    if slots || meaning.book {
        turn.state.take_in(&rest);
    }
    // "Are you open tonight?" – "Then a table for two": the open day asked about is meant.
    let open = |date: &jiff::civil::Date| !turn.scene.spec.opening().on(*date).is_empty();
    if turn.state.slots.date.is_none() && meaning.date.as_ref().is_some_and(open) {
        turn.state.slots.date = meaning.date;
        turn.state.slots.part = turn.state.slots.part.or(meaning.part);
    }
    if slots || (meaning.book && turn.state.booking && turn.state.offers.is_empty()) {
        turn.state.aside = Some(answer);
        return booking::advance(turn);
    }
    if turn.state.booking {
        // A question between two slots does not count as asking the slot again.
        turn.state.repeats = turn.state.repeats.saturating_sub(1);
        return turn.ask_again(&answer);
    }
    answered(turn, &answer)
}

/// Whoever has one question after the other answered does not go round in circles.
fn answered(mut turn: Turn, answer: &str) -> (State, Effect) {
    turn.state.repeats = 0;
    anything_else(turn, answer)
}

fn anything_else(turn: Turn, lead: &str) -> (State, Effect) {
    let say = turn.say();
    turn.ask(lead, Question::AnythingElse, &say.anything_else)
}

/// Answers to our own questions, and small talk.
fn yes_or_no(mut turn: Turn, meaning: &Meaning) -> (State, Effect) {
    let say = turn.say();
    let asked = turn.state.asked;
    match asked {
        Some(Question::Offer | Question::OtherTime) if meaning.no => {
            turn.state.offers.clear();
            turn.state.slots.date = None;
            turn.state.slots.part = None;
            turn.ask("", Question::OtherTime, &say.ask_other_time)
        }
        // "No" to a question that has no no: the caller gives it up.
        Some(
            Question::Date
            | Question::Time
            | Question::Party
            | Question::Name
            | Question::KnownName
            | Question::Nights
            | Question::Service
            | Question::Resource
            | Question::Reference,
        ) if meaning.no => {
            let lead = turn.by_kind(&say.abandoned, &say.abandoned_appointment);
            turn.state.drop_booking();
            anything_else(understood(turn), lead)
        }
        Some(Question::OfferMessage) if meaning.yes => understood(turn).ask_message(""),
        Some(Question::OfferMessage) if meaning.no => anything_else(understood(turn), ""),
        Some(Question::Retry) if meaning.yes => booking::advance(understood(turn)),
        Some(Question::Retry | Question::AnythingElse) if meaning.no => turn.bye(""),
        Some(Question::AnythingElse) if meaning.yes && !meaning.thanks => {
            turn.ask("", Question::AnythingElse, &say.listening)
        }
        Some(Question::AnythingElse) if meaning.thanks => turn.bye(""),
        _ if meaning.repeat => understood(turn).ask_again(""),
        None if meaning.hello || meaning.yes => {
            turn.speak(&[&say.hello, &say.how_can_i_help], Next::Listen)
        }
        None if meaning.thanks || meaning.no => turn.bye(""),
        _ if meaning.hello => understood(turn).ask_again(&say.hello),
        _ => not_understood(turn),
    }
}

fn understood(mut turn: Turn) -> Turn {
    turn.state.misses = 0;
    turn
}

/// Rephrases, then says what can be asked, then takes a message.
fn not_understood(mut turn: Turn) -> (State, Effect) {
    let say = turn.say();
    turn.state.misses = turn.state.misses.saturating_add(1);
    match turn.state.misses {
        1 => turn.ask_again(&say.not_understood),
        2 => {
            let choices = if turn.offers_bookings() {
                turn.by_all_kinds(&say.choices, &say.choices_appointment, &say.choices_stay)
            } else {
                &say.choices_no_booking
            };
            let lead = format!("{} {choices}", say.not_understood);
            turn.ask_again(&lead)
        }
        _ => turn.give_up(),
    }
}
