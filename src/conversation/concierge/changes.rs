//! A booking that is made already: which one, what is wanted of it, and what came of it.

use jiff::civil::Date;

use super::{
    Effect, booking, speak,
    state::{Question, State, Touched, Wanted},
    turn::Turn,
    understand::{Meaning, times::Clock},
};
use crate::{
    conversation::{phrases::fill, tools::ToolRequest},
    domain::{Booking, BookingKey, BookingKind, Summary, Untouched},
    operations::bookings::Change,
};

/// How many of several bookings are named.
const NAMED: usize = 3;

/// What is wanted of a booking that is made already, if an utterance begins that.
pub(crate) fn wanted(turn: &Turn, meaning: &Meaning) -> Option<Wanted> {
    if !turn.offers_bookings() || turn.state.touched.is_some() {
        return None;
    }
    // "Meine Reservierung für morgen stornieren": the verb may stand far from what it is about.
    if meaning.cancel_booking || (meaning.change_booking && meaning.cancel && !meaning.change) {
        return Some(Wanted::Cancel);
    }
    meaning.change_booking.then_some(if meaning.change {
        Wanted::Change
    } else {
        Wanted::Something
    })
}

/// Looks for the caller's bookings.
pub(crate) fn begin(mut turn: Turn, wanted: Wanted, meaning: &Meaning) -> (State, Effect) {
    turn.state.drop_booking();
    turn.state.misses = 0;
    let key = BookingKey { reference: meaning.reference.clone(), name: meaning.name.clone() };
    let mut slots = meaning.clone();
    if wanted != Wanted::Change {
        // "Annuler ma réservation de demain": the day says which.
        slots = Meaning { date: None, time: None, part: None, ..slots };
    }
    turn.state.take_in(&slots);
    turn.state.slots.name = None;
    turn.state.booking = true;
    let date = meaning.date;
    turn.state.touched = Some(Touched { wanted, key, date, ..Touched::default() });
    find(turn)
}

fn find(turn: Turn) -> (State, Effect) {
    let key = turn.state.touched.as_ref().map(|touched| touched.key.clone()).unwrap_or_default();
    (turn.state, Effect::Run(ToolRequest::FindBookings(key)))
}

/// The bookings that the caller may touch.
pub(crate) fn found(mut turn: Turn, bookings: &[Summary]) -> (State, Effect) {
    let say = turn.say();
    let Some(touched) = &mut turn.state.touched else { return turn.ask_again("") };
    let mut bookings = bookings.to_vec();
    let on_day = |summary: &Summary| Some(summary.at.date()) == touched.date;
    if bookings.len() > 1 && bookings.iter().any(on_day) {
        bookings.retain(on_day);
    }
    match bookings.as_slice() {
        [] if touched.asked => unknown(turn),
        [] => {
            touched.asked = true;
            turn.ask("", Question::Reference, &say.ask_reference)
        }
        [only] => {
            let only = only.clone();
            chosen(turn, only)
        }
        _ => {
            touched.found.clone_from(&bookings);
            which(turn)
        }
    }
}

fn which(turn: Turn) -> (State, Effect) {
    let spoken = turn.spoken();
    let found = turn.state.touched.iter().flat_map(|touched| &touched.found);
    let named: Vec<String> = found.take(NAMED).map(|summary| turn.when(summary.at)).collect();
    let list = speak::list(&named, &spoken.or);
    let words = fill(&turn.say().which_booking, &[("bookings", &list)]);
    turn.ask("", Question::WhichBooking, &words)
}

fn unknown(mut turn: Turn) -> (State, Effect) {
    let say = turn.say();
    turn.state.drop_booking();
    turn.ask(&say.not_found, Question::OfferMessage, &say.offer_message)
}

/// It is known which booking is meant.
fn chosen(mut turn: Turn, summary: Summary) -> (State, Effect) {
    let say = turn.say();
    let lead = told(&turn, &summary);
    let Some(touched) = &mut turn.state.touched else { return turn.ask_again("") };
    touched.chosen = Some(summary.clone());
    match touched.wanted {
        Wanted::Something => turn.ask(&lead, Question::CancelOrChange, &say.cancel_or_change),
        Wanted::Cancel => turn.ask(&lead, Question::Cancel, &say.confirm_cancel),
        Wanted::Change => {
            // "Déplacer ma réservation de demain": the only day said is the one it has.
            if turn.state.slots.date == Some(summary.at.date()) && turn.state.slots.time.is_none() {
                turn.state.slots.date = None;
            }
            turn.state.aside = Some(lead);
            advance(turn)
        }
    }
}

/// "Je trouve une réservation …".
fn told(turn: &Turn, summary: &Summary) -> String {
    let (say, spoken) = (turn.say(), turn.spoken());
    fill(
        turn.by_all_kinds(&say.found, &say.found_appointment, &say.found_stay),
        &[
            ("when", &turn.when(summary.at)),
            ("people", &speak::people(spoken, summary.party)),
            ("name", &summary.name),
            ("stay", &speak::stay(spoken, summary.at.date(), summary.nights.unwrap_or(1))),
        ],
    )
}

/// An utterance while a booking is looked for or changed; given back where it is about something
/// else.
pub(crate) fn heard<'a>(
    mut turn: Turn<'a>,
    meaning: &Meaning,
) -> Result<(State, Effect), Box<Turn<'a>>> {
    let Some(touched) = &mut turn.state.touched else { return Err(Box::new(turn)) };
    match turn.state.asked {
        Some(Question::Reference) if meaning.reference.is_some() || meaning.name.is_some() => {
            touched.key.reference = meaning.reference.clone().or(touched.key.reference.take());
            touched.key.name = meaning.name.clone().or(touched.key.name.take());
            if touched.key.name.is_none() {
                let words = &turn.say().ask_name;
                return Ok(turn.ask("", Question::Name, words));
            }
            Ok(find(turn))
        }
        // Who does not have it at hand is not asked a third time.
        Some(Question::Reference)
            if turn.state.misses > 0 && !meaning.no && !meaning.transfer && !meaning.never_mind =>
        {
            Ok(unknown(turn))
        }
        Some(Question::Name) if touched.chosen.is_none() && meaning.name.is_some() => {
            touched.key.name.clone_from(&meaning.name);
            Ok(find(turn))
        }
        Some(Question::WhichBooking) => match meant(&touched.found, meaning) {
            Some(summary) => Ok(chosen(understood(turn), summary)),
            None => Err(Box::new(turn)),
        },
        Some(Question::CancelOrChange) if meaning.cancel || meaning.cancel_booking => {
            touched.wanted = Wanted::Cancel;
            Ok(cancel(turn))
        }
        Some(Question::CancelOrChange) if meaning.change || meaning.has_slots() => {
            touched.wanted = Wanted::Change;
            turn.state.take_in(meaning);
            Ok(advance(understood(turn)))
        }
        Some(Question::Cancel) if meaning.yes || meaning.cancel => Ok(cancel(turn)),
        Some(Question::Cancel | Question::CancelOrChange) if meaning.no || meaning.never_mind => {
            let say = turn.say();
            turn.state.drop_booking();
            Ok(understood(turn).ask(&say.kept, Question::AnythingElse, &say.anything_else))
        }
        // "Non, plutôt la déplacer à samedi".
        Some(Question::Cancel) if meaning.change || meaning.date.is_some() => {
            touched.wanted = Wanted::Change;
            turn.state.take_in(meaning);
            Ok(advance(understood(turn)))
        }
        _ => Err(Box::new(turn)),
    }
}

fn understood(mut turn: Turn) -> Turn {
    turn.state.misses = 0;
    turn
}

/// The one of several that is said by its day or its time.
fn meant(found: &[Summary], meaning: &Meaning) -> Option<Summary> {
    let fits = |summary: &&Summary| {
        let day = meaning.date.is_none_or(|date| date == summary.at.date());
        let readings = meaning.time.map(Clock::readings);
        let time = readings.is_none_or(|readings| {
            let at = (summary.at.hour(), summary.at.minute());
            readings.iter().any(|clock| (clock.hour, clock.minute) == at)
        });
        day && time
    };
    if meaning.date.is_none() && meaning.time.is_none() {
        return None;
    }
    let mut fitting = found.iter().filter(fits);
    let first = fitting.next().cloned();
    first.filter(|_| fitting.next().is_none())
}

fn cancel(turn: Turn) -> (State, Effect) {
    match key(&turn) {
        Some(key) => (turn.state, Effect::Run(ToolRequest::Cancel(key))),
        None => find(turn),
    }
}

/// How the chosen booking is named to the tools.
fn key(turn: &Turn) -> Option<BookingKey> {
    let touched = turn.state.touched.as_ref()?;
    let reference = Some(touched.chosen.as_ref()?.reference.clone());
    Some(BookingKey { reference, name: touched.key.name.clone() })
}

/// Moves the chosen booking once it is known to when.
pub(crate) fn advance(turn: Turn) -> (State, Effect) {
    let Some(key) = key(&turn) else { return find(turn) };
    let chosen = turn.state.touched.as_ref().and_then(|touched| touched.chosen.clone());
    let Some(chosen) = chosen else { return find(turn) };
    let slots = &turn.state.slots;
    let nothing_new = slots.date.is_none()
        && slots.time.is_none()
        && slots.party.is_none()
        && slots.nights.is_none();
    // A part of the day needs its hour.
    if nothing_new || (slots.time.is_none() && slots.part.is_some()) {
        let say = turn.say();
        let words =
            turn.by_all_kinds(&say.ask_new_time, &say.ask_new_time, &say.ask_other_time_stay);
        return turn.ask("", Question::OtherTime, words);
    }
    let date: Date = slots.date.unwrap_or_else(|| chosen.at.date());
    let same = Clock { hour: chosen.at.hour(), minute: chosen.at.minute(), exact: true };
    let opening = turn.scene.spec.opening();
    let at = if turn.kind() == BookingKind::Stay {
        date.to_datetime(chosen.at.time())
    } else {
        booking::settle(&turn, &opening, date, slots.time.unwrap_or(same))
    };
    let change = Change { at, party: slots.party, nights: slots.nights };
    (turn.state, Effect::Run(ToolRequest::Reschedule(key, change)))
}

/// It has moved.
pub(crate) fn moved(mut turn: Turn, stored: &Booking) -> (State, Effect) {
    let say = turn.say();
    let template = turn.by_all_kinds(&say.moved, &say.moved_appointment, &say.moved_stay);
    let text = booking::about(&turn, template, stored);
    turn.state.drop_booking();
    turn.state.aside = None;
    turn.state.asked = None;
    turn.bye(&text)
}

/// It is cancelled.
pub(crate) fn cancelled(mut turn: Turn, gone: &Booking) -> (State, Effect) {
    let say = turn.say();
    let template = turn.by_kind(&say.cancelled, &say.cancelled_appointment);
    let text = booking::about(&turn, template, gone);
    turn.state.drop_booking();
    understood(turn).ask(&text, Question::AnythingElse, &say.anything_else)
}

/// Nothing was changed, and why.
pub(crate) fn untouched(mut turn: Turn, why: &Untouched) -> (State, Effect) {
    let say = turn.say();
    match why {
        Untouched::NotFound => unknown(turn),
        Untouched::Several { bookings } => {
            let Some(touched) = &mut turn.state.touched else { return unknown(turn) };
            touched.found.clone_from(bookings);
            which(turn)
        }
        Untouched::TooLate { .. } => {
            turn.state.drop_booking();
            turn.ask(&say.too_late_to_change, Question::OfferMessage, &say.offer_message)
        }
        Untouched::Refused { refusal } => booking::refuse(turn, refusal),
    }
}
