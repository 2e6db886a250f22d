//! The example call of the restaurant *Le Gourmet*, and whether it really happened.

mod talk;

use std::time::{Duration, Instant};

use jiff::{Timestamp, ToSpan, ZonedDateTime, civil::Time};

use super::{
    Call, Daemon, State,
    bench::stubs::{Prompter, Stubs},
    relayed::RelayedCall,
    streamed::{Speech, StreamedCall},
};
use crate::{
    domain::{Actor, AssistantSpec, Booking, CallSid, CallStatus, Error, Result},
    operations::{assistants, bookings, calls},
    store::Store,
};
use talk::{InSound, Talk};

/// The assistant's file, as shipped.
pub const ASSISTANT: &str = include_str!("../../../assistants/le-gourmet.toml");

/// What the caller says.
pub const SCRIPT: [&str; 3] =
    ["Bonjour, je voudrais réserver pour 4 ce soir", "20h si possible", "Dupont"];

/// Who calls.
pub const CALLER: &str = "+33612345678";

/// How the caller talks.
pub enum Way<'a> {
    /// In writing, over webhooks.
    Webhooks,
    /// In writing, over the socket of a relay.
    Relay,
    /// In sound, sentence by sentence of [`SCRIPT`]; an ear that cannot hear is told what is said.
    Stream(&'a [Speech], Option<&'a StandIn>),
}

/// What was said in answer, and by which words of the caller.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// What was understood, where that is not what was written.
    pub understood: Option<String>,
    /// The assistant's words.
    pub words: String,
    /// How long they took to come.
    pub after: Option<Duration>,
}

/// Something to show while the call goes on.
#[derive(Debug, Clone)]
pub enum Scene<'a> {
    /// The caller dials.
    Rings(&'a CallSid),
    /// The caller says something.
    Caller(&'a str),
    /// The assistant answers.
    Assistant(&'a Answer),
    /// The call is over.
    HungUp(Duration),
}

/// A call that was played.
#[derive(Debug)]
pub struct Played {
    /// Its identifier.
    pub sid: CallSid,
    /// What came of it.
    pub booking: Booking,
    /// Both sides of it, where there was sound: the caller and the assistant, 8 kHz.
    pub sound: Option<(Vec<i16>, Vec<i16>)>,
}

/// An ear that cannot hear, for a call that follows the script: it is told what is said.
pub struct StandIn {
    prompter: Prompter,
    stubs: Stubs,
}

impl StandIn {
    /// Listens on a free port of this machine.
    pub async fn start() -> Result<Self> {
        let prompter = Prompter::default();
        Ok(Self { stubs: Stubs::prompted(prompter.clone()).await?, prompter })
    }

    /// Its address, as that of a server with OpenAI's transcriptions.
    pub fn url(&self) -> String {
        self.stubs.of_openai()
    }

    fn says(&self, words: &str) {
        self.prompter.says(words);
    }
}

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

/// Plays the call, shows it, and proves from the store that it happened.
pub async fn play(
    daemon: &Daemon,
    store: &Store,
    spec: &AssistantSpec,
    at: &ZonedDateTime,
    way: Way<'_>,
    show: impl FnMut(Scene<'_>) -> Result<()>,
) -> Result<Played> {
    let (begun, twilio) = (Instant::now(), daemon.caller());
    let (sid, sound) = match way {
        Way::Webhooks => {
            let (call, greeting) = Call::place(twilio, CALLER, &spec.phone).await?;
            talked(begun, call, greeting.into(), show).await?
        }
        Way::Relay => {
            let (mut call, greeting) = RelayedCall::place(twilio, CALLER, &spec.phone).await?;
            let greeting = talk::greeted(&mut call, greeting).await?;
            talked(begun, call, greeting, show).await?
        }
        Way::Stream(speech, stand_in) => {
            let (call, heard) = StreamedCall::place(twilio, CALLER, &spec.phone).await?;
            let mut call = InSound::new(call, store.clone(), speech, stand_in);
            let greeting = call.answer(&heard).await?;
            talked(begun, call, greeting, show).await?
        }
    };
    let booking = prove(store, &sid, spec, at)?;
    Ok(Played { sid, booking, sound })
}

/// A call from its greeting to its end, and its sound.
async fn talked(
    begun: Instant,
    mut call: impl Talk,
    greeting: Answer,
    mut show: impl FnMut(Scene<'_>) -> Result<()>,
) -> Result<(CallSid, Option<(Vec<i16>, Vec<i16>)>)> {
    let sid = call.sid().clone();
    show(Scene::Rings(&sid))?;
    show(Scene::Assistant(&greeting))?;
    for (place, words) in SCRIPT.into_iter().enumerate() {
        if *call.state() != State::Listening {
            return Err(Error::failure("the assistant hung up in the middle of the demo"));
        }
        show(Scene::Caller(words))?;
        let answer = call.say(place).await?;
        show(Scene::Assistant(&answer))?;
    }
    if *call.state() != State::HungUp {
        return Err(Error::failure("the assistant did not say goodbye"));
    }
    call.hang_up().await?;
    show(Scene::HungUp(begun.elapsed()))?;
    Ok((sid, call.sound()))
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
