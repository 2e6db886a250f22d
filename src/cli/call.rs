//! `webox call`: has an assistant call somebody, and follows it to its end.

use std::{collections::BTreeMap, thread, time::Duration};

use clap::Args;

use super::{Context, desk::Desk, exit, help, outbound, progress::Waiting};
use crate::{
    domain::{
        AnsweredBy, CallContext, Error, Kind, OutboundCall, OutboundState, PhoneNumber, Result,
        ZoneName,
    },
    operations::outbound::Wanted,
};

/// A daemon that runs takes a call within a second; one that is not there never does.
const TAKEN_WITHIN: u32 = 40;

/// How often it is looked how the call stands.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Arguments of `webox call`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox call le-gourmet \"06 12 34 56 78\" --context name=Dupont --context at=\"mardi 10 h\"",
         "the values are those that the greeting of the file names"),
        ("webox call le-gourmet +33612345678 --say \"Bonjour, ici Le Gourmet, vous nous avez demandé de vous rappeler.\" --anyway",
         "somebody who asked to be called back now"),
        ("webox call le-gourmet +33612345678 --wait -o json | jq -r .outbound.state",
         "what came of it, for a script"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::USAGE, exit::DATA, exit::UNAVAILABLE, exit::DENIED],
))]
pub struct Call {
    /// The assistant that calls, by name or id.
    #[arg(value_name = "NAME")]
    assistant: String,
    /// Whom to call, in any usual spelling.
    #[arg(value_name = "NUMBER")]
    number: PhoneNumber,
    /// A value for the greeting and the conversation; as often as there are values.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,
    /// First words in the place of the file's greeting.
    #[arg(long, value_name = "TEXT")]
    say: Option<String>,
    /// Where they are, if that is known better than by the number, such as `America/Denver`.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<ZoneName>,
    /// Also outside the hours of courtesy: they expect the call. Hours that the law sets hold.
    #[arg(long)]
    anyway: bool,
    /// Wait until the call is over [default: on a terminal].
    #[arg(long, overrides_with = "no_wait")]
    wait: bool,
    /// Do not wait.
    #[arg(long)]
    no_wait: bool,
}

fn pair(text: &str) -> std::result::Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, such as `name=Dupont`")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

pub(super) fn run(args: &Call, context: &Context) -> Result<()> {
    let mut values = BTreeMap::new();
    for (name, value) in &args.context {
        if values.insert(name.clone(), value.clone()).is_some() {
            return Err(Error::usage(format!("`{name}` is given twice"))
                .hint("give each value of `--context` once"));
        }
    }
    let wanted = Wanted {
        number: args.number.clone(),
        context: CallContext::try_from(values)?,
        say: args.say.clone(),
        zone: args.timezone.clone(),
        anyway: args.anyway,
    };
    let desk = context.desk("call")?;
    let mut call = desk.ask_call(&args.assistant, wanted)?;
    if args.wait || (context.out.is_terminal() && !args.no_wait) {
        call = follow(desk.as_ref(), call, context)?;
    }
    outbound::tell(&call, context)?;
    if call.state.is_final() { came_of(&call) } else { Ok(()) }
}

/// Waits until it is over. Interrupted, the call goes on all the same.
fn follow(desk: &dyn Desk, mut call: OutboundCall, context: &Context) -> Result<OutboundCall> {
    let waiting = Waiting::begin(context, "asking for the call");
    let mut looks = 0;
    while !call.state.is_final() {
        thread::sleep(LOOK_EVERY);
        looks += 1;
        call = desk.outbound_call(call.id)?;
        if call.state == OutboundState::Queued && looks >= TAKEN_WITHIN {
            let Ok(call) = desk.take_back_call(call.id) else { continue };
            let why = call.failure.filter(|why| why != "taken back").unwrap_or_else(|| {
                "no daemon dialled it within 20 seconds, and it was taken back".to_owned()
            });
            return Err(Error::unavailable(format!("{} was not called: {why}", call.number)).hint(
                "is `webox serve` running on this database, and are not all lines of the assistant taken?",
            ));
        }
        waiting.tell(match call.state {
            OutboundState::Queued => "waiting for the daemon to dial".to_owned(),
            OutboundState::Answered => format!("{} picked up", call.number),
            _ => format!("{} rings", call.number),
        });
    }
    Ok(call)
}

/// What a script may conclude: a conversation, or a message that was left, is a success.
fn came_of(call: &OutboundCall) -> Result<()> {
    let number = &call.number;
    let left = call.message.is_some() && call.answered_by == Some(AnsweredBy::Machine);
    let why = call.failure.as_deref().unwrap_or("no reason was told");
    match call.state {
        OutboundState::Machine if left => Ok(()),
        OutboundState::Machine => {
            Err(Error::failure(format!("an answering machine picked up at {number}"))
                .hint("call later; `machine = \"leave_message\"` in the file leaves a message"))
        }
        OutboundState::Busy => Err(Error::failure(format!("{number} is busy")).hint("call later")),
        OutboundState::NoAnswer => {
            Err(Error::failure(format!("nobody picked up at {number}")).hint("call later"))
        }
        OutboundState::Failed => Err(Error::failure(format!("{number} could not be connected"))
            .hint("is the number right? Twilio's console tells more of the call")),
        OutboundState::Refused | OutboundState::Cancelled => {
            Err(Error::new(Kind::Refused, format!("{number} was not called: {why}")))
        }
        OutboundState::Unknown => {
            Err(Error::failure(format!("it is not known whether {number} was called: {why}"))
                .hint("look in Twilio's console before you call again"))
        }
        OutboundState::Completed
        | OutboundState::Queued
        | OutboundState::Dialling
        | OutboundState::Ringing
        | OutboundState::Answered => Ok(()),
    }
}
