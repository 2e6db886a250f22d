//! The example call of the restaurant *Le Gourmet*, and whether it really happened.

use std::time::Duration;

use jiff::{Timestamp, ToSpan, ZonedDateTime, civil::Time};

use super::{Call, Daemon, Heard, State};
use crate::{
    domain::{Actor, AssistantSpec, Booking, CallSid, CallStatus, Error, Result},
    operations::{assistants, bookings, calls},
    store::Store,
};

/// The assistant's file, as shipped.
pub const ASSISTANT: &str = include_str!("../../assistants/le-gourmet.toml");

/// What the caller says.
pub const SCRIPT: [&str; 3] =
    ["Bonjour, je voudrais réserver pour 4 ce soir", "20h si possible", "Dupont"];

/// Who calls.
pub const CALLER: &str = "+33612345678";

/// The next evening on which the client serves dinner, at six: when the example call takes place.
pub fn moment(spec: &AssistantSpec, now: Timestamp) -> Result<ZonedDateTime> {
    let zone = spec.zone();
    let local = now.to_zoned_datetime(zone.clone()).datetime();
    let opening = spec.opening();
    let six = Time::constant(18, 0, 0, 0);
    let mut date = local.date();
    for _ in 0..60 {
        let at = date.to_datetime(six);
        let dinner = opening.on(date).iter().any(|service| service.start.hour() >= 18);
        if dinner && at >= local {
            return at
                .to_zoned_datetime(zone)
                .map_err(|error| Error::failure("there is no such evening").because(error));
        }
        date = date
            .checked_add(1.day())
            .map_err(|error| Error::failure("there is no such day").because(error))?;
    }
    Err(Error::failure(format!("`{}` serves no dinner in the next 60 days", spec.name)))
}

/// Something to show while the call goes on.
#[derive(Debug, Clone)]
pub enum Scene<'a> {
    /// The caller dials.
    Rings(&'a CallSid),
    /// The caller says something.
    Caller(&'a str),
    /// The assistant answers.
    Assistant(&'a Heard),
    /// The call is over.
    HungUp(Duration),
}

/// Plays the call, shows it, and proves from the store that it happened.
pub async fn play(
    daemon: &Daemon,
    store: &Store,
    spec: &AssistantSpec,
    at: &ZonedDateTime,
    mut show: impl FnMut(Scene<'_>) -> Result<()>,
) -> Result<(CallSid, Booking)> {
    let begun = std::time::Instant::now();
    let (mut call, greeting) = Call::place(daemon.caller(), CALLER, &spec.phone).await?;
    show(Scene::Rings(call.sid()))?;
    show(Scene::Assistant(&greeting))?;
    for words in SCRIPT {
        if *call.state() != State::Listening {
            return Err(Error::failure("the assistant hung up in the middle of the demo"));
        }
        show(Scene::Caller(words))?;
        let heard = call.say(words).await?;
        show(Scene::Assistant(&heard))?;
    }
    if *call.state() != State::HungUp {
        return Err(Error::failure("the assistant did not say goodbye"));
    }
    call.hang_up().await?;
    show(Scene::HungUp(begun.elapsed()))?;
    let booking = prove(store, call.sid(), spec, at)?;
    Ok((call.sid().clone(), booking))
}

/// The rows that the call must have left.
fn prove(
    store: &Store,
    sid: &CallSid,
    spec: &AssistantSpec,
    at: &ZonedDateTime,
) -> Result<Booking> {
    let missing = |what: &str| Error::failure(format!("the demo's call left {what}"));
    let (call, turns) = calls::show(store, &Actor::webox("demo"), sid)?;
    if call.status != CallStatus::Completed || call.ended_at.is_none() {
        return Err(missing("no ended call"));
    }
    if turns.len() != SCRIPT.len() + 1 || turns.iter().any(|turn| turn.said.is_none()) {
        return Err(missing("a transcript with holes"));
    }
    let assistant = assistants::find(store, &Actor::webox("demo"), spec.name.as_str())?;
    let wanted = at.date().to_datetime(Time::constant(20, 0, 0, 0));
    bookings::of_call(store, call.id)?
        .into_iter()
        .find(|booking| {
            booking.assistant == assistant.id
                && booking.name == "Dupont"
                && booking.party == 4
                && booking.at == wanted
                && booking.caller.as_deref() == Some(CALLER)
        })
        .ok_or_else(|| missing("no booking for four at eight in the name of Dupont"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now: &str) -> String {
        let spec: AssistantSpec = serde_json::from_str(
            r#"{"name":"le-gourmet","client":"Le Gourmet","phone":"+33123456789","context":"",
                "hours":{"saturday":["12:00-14:00","19:00-23:00"],"sunday":["12:00-14:00"],
                         "monday":["19:00-23:00"],"closed":["2026-11-23"]}}"#,
        )
        .unwrap();
        moment(&spec, now.parse().unwrap()).unwrap().datetime().to_string()
    }

    #[test]
    fn the_call_takes_place_on_an_open_evening() {
        assert_eq!(at("2026-11-21T16:00:00+01:00"), "2026-11-21T18:00:00", "Saturday, before six");
        assert_eq!(
            at("2026-11-21T18:30:00+01:00"),
            "2026-11-28T18:00:00",
            "Sunday has no dinner, Monday is closed"
        );
    }
}
