//! A booking, slot by slot: asks what is missing, checks, books, and says what the store said.

use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time},
};

use super::{
    Effect, changes, lookup, speak,
    state::{Place, Question, State},
    turn::Turn,
    understand::times::Clock,
};
use crate::{
    conversation::{phrases::fill, tools::ToolRequest},
    domain::{Booking, BookingKind, BookingRequest, OpeningHours, Refusal},
};

/// The next thing to do for the booking.
pub(crate) fn advance(mut turn: Turn) -> (State, Effect) {
    if turn.state.touched.is_some() {
        return changes::advance(turn);
    }
    let Some(rules) = &turn.scene.spec.booking else {
        return refuse(turn, &Refusal::NotOffered);
    };
    let say = turn.say();
    if turn.state.slots.party.is_none() {
        turn.state.slots.party = rules.only_party();
    }
    // What is surely impossible is said before anything more is asked.
    if let Some(party) = turn.state.slots.party {
        if party < rules.party.min {
            return refuse(turn, &Refusal::PartyTooSmall { min: rules.party.min });
        }
        if party > rules.party.max {
            return refuse(turn, &Refusal::PartyTooLarge { max: rules.party.max });
        }
    }
    if turn.state.slots.service.is_none() && rules.services.len() > 1 {
        return ask_service(turn, "");
    }
    let opening = turn.scene.spec.opening();
    let Some(date) = turn.state.slots.date else {
        let words = turn.by_all_kinds(&say.ask_date, &say.ask_date_appointment, &say.ask_date_stay);
        return turn.ask("", Question::Date, words);
    };
    let is_stay = rules.kind == BookingKind::Stay;
    if !is_stay && let Some(refusal) = closed(&turn, &opening, date) {
        return refuse(turn, &refusal);
    }
    let at = if is_stay {
        if turn.state.slots.nights.is_none() {
            return turn.ask("", Question::Nights, &say.ask_nights);
        }
        date.to_datetime(rules.check_in.get())
    } else {
        let Some(clock) = turn.state.slots.time else {
            let words = turn.by_kind(&say.ask_time, &say.ask_time_appointment);
            return turn.ask("", Question::Time, words);
        };
        settle(&turn, &opening, date, clock)
    };
    let Some(party) = turn.state.slots.party else {
        return turn.ask("", Question::Party, &say.ask_party);
    };
    let slots = &turn.state.slots;
    let request = BookingRequest {
        party,
        at,
        nights: slots.nights.filter(|_| is_stay),
        service: slots.service.clone(),
        resource: slots.resource.clone(),
        name: slots.name.clone(),
        note: None,
    };
    if turn.state.free.as_ref() != Some(&place_of(&request)) {
        turn.state.free = None;
        return (turn.state, Effect::Run(ToolRequest::CheckAvailability(request)));
    }
    if request.name.is_none() {
        return ask_name(turn, "");
    }
    (turn.state, Effect::Run(ToolRequest::Book(request)))
}

fn place_of(request: &BookingRequest) -> Place {
    Place {
        at: request.at,
        party: request.party,
        nights: request.nights,
        service: request.service.clone(),
        resource: request.resource.clone(),
    }
}

/// What is to be done, of what there is.
fn ask_service(turn: Turn, lead: &str) -> (State, Effect) {
    let words = service_question(&turn);
    turn.ask(lead, Question::Service, &words)
}

fn service_question(turn: &Turn) -> String {
    let services = turn.scene.spec.booking.iter().flat_map(|rules| &rules.services);
    let language = turn.scene.language;
    let names: Vec<String> = services.map(|service| service.said_in(language).to_owned()).collect();
    let names = speak::list(&names, &turn.spoken().or);
    fill(&turn.say().ask_service, &[("services", &names)])
}

/// The store says that there is room for what the slots hold.
pub(crate) fn is_free(mut turn: Turn, with: Option<&str>) -> (State, Effect) {
    let place = wanted(&turn);
    let Some(place) = place else { return advance(turn) };
    turn.state.free = Some(place.clone());
    if turn.state.slots.name.is_some() {
        return advance(turn);
    }
    let (say, spoken) = (turn.say(), turn.spoken());
    let lead = fill(
        turn.by_all_kinds(&say.free, &say.free_appointment, &say.free_stay),
        &[
            ("when", &turn.when(place.at)),
            ("people", &speak::people(spoken, place.party)),
            ("stay", &speak::stay(spoken, place.at.date(), place.nights.unwrap_or(1))),
            ("with", &called(&turn, with)),
        ],
    );
    ask_name(turn, &lead)
}

/// Asks for the name; of whom called before, whether it is that one: a yes is said and understood more
/// surely than a name, and others may use the same telephone.
fn ask_name(turn: Turn, lead: &str) -> (State, Effect) {
    let say = turn.say();
    if let Some(name) = turn.known_name() {
        let words = fill(&say.ask_known_name, &[("name", name)]);
        return turn.ask(lead, Question::KnownName, &words);
    }
    turn.ask(lead, Question::Name, &say.ask_name)
}

/// It is stored: the stored values are what we promise.
pub(crate) fn confirm(mut turn: Turn, booking: &Booking) -> (State, Effect) {
    let say = turn.say();
    let template =
        turn.by_all_kinds(&say.confirmed, &say.confirmed_appointment, &say.confirmed_stay);
    let mut text = about(&turn, template, booking);
    // Whoever calls from this number again is known by it.
    if booking.caller.is_none() {
        let reference = speak::figures(&booking.reference);
        text = format!("{text} {}", fill(&say.reference, &[("reference", &reference)]));
    }
    turn.state.drop_booking();
    turn.state.asked = None;
    turn.bye(&text)
}

/// A resource as it is called in the language spoken.
fn called(turn: &Turn, name: Option<&str>) -> String {
    let Some(name) = name else { return String::new() };
    let rules = turn.scene.spec.booking.as_ref();
    let known = rules.and_then(|rules| rules.resource(name));
    known.map_or(name, |resource| resource.said_in(turn.scene.language)).to_owned()
}

/// A sentence about a booking as it is stored.
pub(crate) fn about(turn: &Turn, template: &str, booking: &Booking) -> String {
    let spoken = turn.spoken();
    fill(
        template,
        &[
            ("when", &turn.when(booking.at)),
            ("people", &speak::people(spoken, booking.party)),
            ("name", &booking.name),
            ("stay", &speak::stay(spoken, booking.at.date(), booking.nights.unwrap_or(1))),
            ("with", &called(turn, booking.resource.as_deref())),
        ],
    )
}

/// Says why not, and what would be possible.
pub(crate) fn refuse(mut turn: Turn, refusal: &Refusal) -> (State, Effect) {
    let (say, spoken) = (turn.say(), turn.spoken());
    turn.state.free = None;
    let opening = turn.scene.spec.opening();
    let at = wanted_at(&turn, &opening);
    let about = |template: &str| at.map_or_else(String::new, |at| turn.about(template, at));
    let lead = match refusal {
        Refusal::NotOffered => {
            let lead = say.not_offered.clone();
            turn.state.drop_booking();
            return turn.ask(&lead, Question::OfferMessage, &say.offer_message);
        }
        Refusal::PartyTooSmall { min } => {
            let lead = fill(&say.party_too_small, &[("people", &speak::people(spoken, *min))]);
            turn.state.slots.party = None;
            if turn.only_party() {
                return turn.ask(&lead, Question::OfferMessage, &say.offer_message);
            }
            return turn.ask(&lead, Question::Party, &say.ask_party);
        }
        Refusal::PartyTooLarge { max } => {
            let words = turn.by_kind(&say.party_too_large, &say.party_too_large_appointment);
            let lead = fill(words, &[("people", &speak::people(spoken, *max))]);
            turn.state.slots.party = None;
            return turn.ask(&lead, Question::OfferMessage, &say.offer_message);
        }
        Refusal::Nights { min, max } => {
            let lead =
                fill(&say.nights_range, &[("min", &min.to_string()), ("max", &max.to_string())]);
            turn.state.slots.nights = None;
            return turn.ask(&lead, Question::Nights, &say.ask_nights);
        }
        Refusal::WhichService { .. } => {
            turn.state.slots.service = None;
            return ask_service(turn, "");
        }
        Refusal::WhichResource { resources } => {
            turn.state.slots.resource = None;
            let names: Vec<String> =
                resources.iter().map(|name| called(&turn, Some(name))).collect();
            let names = speak::list(&names, &spoken.or);
            let words = fill(&say.which_resource, &[("resources", &names)]);
            return turn.ask("", Question::Resource, &words);
        }
        Refusal::TooSoon { earliest } => {
            let lead = about(&say.too_soon);
            return offer(turn, &lead, earliest.as_slice());
        }
        Refusal::OffGrid { near } => {
            let lead = about(&say.off_grid);
            return offer(turn, &lead, near);
        }
        Refusal::InThePast => about(&say.in_the_past),
        Refusal::TooFarAhead { days } => {
            let words = turn.by_kind(&say.too_far_ahead, &say.too_far_ahead_appointment);
            fill(words, &[("days", &days.to_string())])
        }
        Refusal::ClosedThatDay { next } => {
            let lead = about(&say.closed_that_day);
            return offer(turn, &lead, next.as_slice());
        }
        Refusal::OutsideHours { next } => {
            let lead = about(&say.outside_hours);
            return offer(turn, &lead, next.as_slice());
        }
        Refusal::TooLate { last } => {
            let lead = turn.about(turn.by_kind(&say.too_late, &say.too_late_appointment), *last);
            return offer(turn, &lead, &[*last]);
        }
        Refusal::Full { free } => {
            let lead = about(turn.by_kind(&say.full, &say.full_appointment));
            return offer(turn, &lead, free);
        }
    };
    offer(turn, &lead, &[])
}

/// Offers times instead of the one asked for.
fn offer(mut turn: Turn, lead: &str, times: &[DateTime]) -> (State, Effect) {
    let say = turn.say();
    let now = turn.now();
    let times: Vec<DateTime> = times.iter().copied().filter(|at| *at > now).collect();
    turn.state.slots.time = None;
    if times.is_empty() {
        turn.state.slots.date = None;
        turn.state.slots.part = None;
        let words =
            turn.by_all_kinds(&say.ask_other_time, &say.ask_other_time, &say.ask_other_time_stay);
        return turn.ask(lead, Question::OtherTime, words);
    }
    let words = offered(&turn, &times);
    turn.state.offers = times;
    turn.ask(lead, Question::Offer, &words)
}

/// The question whether one of some times is wanted.
fn offered(turn: &Turn, times: &[DateTime]) -> String {
    let (say, spoken) = (turn.say(), turn.spoken());
    let [first, _, ..] = times else {
        return times.first().map_or_else(String::new, |only| turn.about(&say.offer_one, *only));
    };
    let same_day = times.iter().all(|at| at.date() == first.date());
    let said: Vec<String> = times
        .iter()
        .map(|at| if same_day { speak::time(spoken, at.time()) } else { turn.when(*at) })
        .collect();
    fill(&say.offer_several, &[("times", &speak::list(&said, &spoken.or))])
}

/// The question that was asked last, in the language spoken now.
pub(crate) fn reworded(turn: &Turn) -> String {
    let say = turn.say();
    match turn.state.asked {
        Some(Question::Date) => turn
            .by_all_kinds(&say.ask_date, &say.ask_date_appointment, &say.ask_date_stay)
            .to_owned(),
        Some(Question::Time) => turn.by_kind(&say.ask_time, &say.ask_time_appointment).to_owned(),
        Some(Question::Party) => say.ask_party.clone(),
        Some(Question::Name) => say.ask_name.clone(),
        Some(Question::KnownName) => match turn.known_name() {
            Some(name) => fill(&say.ask_known_name, &[("name", name)]),
            None => say.ask_name.clone(),
        },
        Some(Question::Offer) => offered(turn, &turn.state.offers),
        Some(Question::OtherTime) => turn
            .by_all_kinds(&say.ask_other_time, &say.ask_other_time, &say.ask_other_time_stay)
            .to_owned(),
        Some(Question::Nights) => say.ask_nights.clone(),
        Some(Question::Service) => service_question(turn),
        Some(Question::Resource | Question::WhichBooking) => turn.state.question.clone(),
        Some(Question::Reference) => say.ask_reference.clone(),
        Some(Question::CancelOrChange) => say.cancel_or_change.clone(),
        Some(Question::Cancel) => say.confirm_cancel.clone(),
        Some(Question::Argument) => lookup::question(turn),
        Some(Question::OfferMessage) => say.offer_message.clone(),
        Some(Question::Message) => turn.phrases.take_message_prompt.clone(),
        Some(Question::Retry) => {
            turn.by_kind(&say.not_stored, &say.not_stored_appointment).to_owned()
        }
        Some(Question::AnythingElse) => say.anything_else.clone(),
        None => say.how_can_i_help.clone(),
    }
}

/// A day without any service, known from the hours alone.
fn closed(turn: &Turn, opening: &OpeningHours, date: Date) -> Option<Refusal> {
    if !opening.known || !opening.on(date).is_empty() || date < turn.today() {
        return None;
    }
    // Yesterday's service may run past midnight: a time of this night is for the store to judge.
    if turn
        .state
        .slots
        .time
        .is_some_and(|clock| opening.service_at(date.to_datetime(time_of(clock))).is_some())
    {
        return None;
    }
    let from = date.to_datetime(Time::midnight()).max(turn.now());
    // A wish for the evening is met by an evening.
    let mut next = opening.next_service(from);
    if let Some(part) = turn.state.slots.part {
        let mut candidate = next;
        for _ in 0..4 {
            let Some((start, _)) = candidate else { break };
            if part.holds(start.hour()) {
                next = candidate;
                break;
            }
            candidate = opening.next_service(start.saturating_add(1.minute()));
        }
    }
    Some(Refusal::ClosedThatDay { next: next.map(|(start, _)| start) })
}

fn time_of(clock: Clock) -> Time {
    Time::new(clock.hour, clock.minute, 0, 0).unwrap_or_default()
}

/// Which eight o'clock is meant: what was said decides, then the opening hours, then the clock.
pub(super) fn settle(turn: &Turn, opening: &OpeningHours, date: Date, clock: Clock) -> DateTime {
    let clock = turn.state.slots.part.map_or(clock, |part| clock.within(part));
    let mut readings = clock.readings();
    // An appointment at nine is in the morning; a table at nine is not.
    if turn.kind() == BookingKind::Appointment && (8..12).contains(&clock.hour) {
        readings.reverse();
    }
    let readings: Vec<DateTime> = readings
        .into_iter()
        .map(|clock| {
            let at = date.to_datetime(time_of(clock));
            // Midnight is the end of the evening, not the start of the day.
            let midnight = clock.hour == 0 && opening.service_at(at).is_none();
            if midnight { at.saturating_add(1.day()) } else { at }
        })
        .collect();
    let open = |at: &&DateTime| opening.service_at(**at).is_some() && **at > turn.now();
    let plausible = |at: &&DateTime| **at > turn.now() && (at.hour() >= 12 || at.hour() >= 8);
    let fallback = || date.to_datetime(time_of(clock));
    readings
        .iter()
        .find(open)
        .or_else(|| readings.iter().filter(|_| opening.known).find(plausible))
        .or_else(|| readings.iter().rev().find(plausible))
        .or_else(|| readings.first())
        .copied()
        .unwrap_or_else(fallback)
}

fn wanted_at(turn: &Turn, opening: &OpeningHours) -> Option<DateTime> {
    let date = turn.state.slots.date?;
    if turn.kind() == BookingKind::Stay {
        let check_in = turn.scene.spec.booking.as_ref()?.check_in.get();
        return Some(date.to_datetime(check_in));
    }
    let clock = turn.state.slots.time;
    Some(clock.map_or_else(
        || date.to_datetime(Time::midnight()),
        |clock| settle(turn, opening, date, clock),
    ))
}

fn wanted(turn: &Turn) -> Option<Place> {
    let slots = &turn.state.slots;
    let is_stay = turn.kind() == BookingKind::Stay;
    if !is_stay {
        slots.time?;
    }
    Some(Place {
        at: wanted_at(turn, &turn.scene.spec.opening())?,
        party: slots.party?,
        nights: slots.nights.filter(|_| is_stay),
        service: slots.service.clone(),
        resource: slots.resource.clone(),
    })
}
