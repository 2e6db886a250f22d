//! `webox twilio calls`: the calls that Twilio has had, against those that are known here.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Context, daemon, exit, help, human,
    numbers::show::unasked,
    output::{Cell, Column, Listing, Row, Tone},
    progress::Waiting,
    prompt,
    wiring::{plain, telephony},
};
use crate::{
    domain::{
        Caller, Error, Kind, Result,
        when::{self, Bound},
    },
    operations::numbers::{Comparison, Difference, Found},
    twilio::charge::Charge,
};

/// Arguments of `webox twilio`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox twilio calls --since 2d", "calls that Twilio has and webox does not, or not whole"),
        ("webox twilio calls --since 2d --apply --yes", "enter them, with their length and price"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::USAGE, exit::DATA, exit::UNAVAILABLE, exit::DENIED],
))]
pub struct Twilio {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Compare the calls at Twilio with those that are known here, and enter what is missing.
    Calls(Calls),
}

#[derive(Debug, Args)]
struct Calls {
    /// From this time on: an age (`90m`, `2d`, `1w`), `today`, `yesterday`, a date or a time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "2d")]
    since: String,
    /// Before this time, which itself is left out.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Enter what was found, after asking.
    #[arg(long)]
    apply: bool,
    /// Do not ask.
    #[arg(short, long, requires = "apply")]
    yes: bool,
}

pub(super) fn run(args: &Twilio, context: &Context) -> Result<()> {
    context.here("twilio")?;
    match &args.action {
        Action::Calls(args) => calls(args, context),
    }
}

const COLUMNS: [Column; 10] = [
    Column::new("difference", "difference"),
    Column::new("started_at", "began"),
    Column::new("assistant", "assistant"),
    Column::new("direction", "direction").yields(),
    Column::new("other_side", "with"),
    Column::new("status", "status"),
    Column::new("duration_s", "length").right(),
    Column::new("price", "price").right(),
    Column::new("sid", "sid"),
    Column::new("account", "account").hidden(),
];

fn calls(args: &Calls, context: &Context) -> Result<()> {
    let telephony = telephony(context, context.store_to_reckon()?)?;
    let actor = context.actor("twilio calls", &telephony.store)?;
    let now = context.now()?;
    let since = when::parse(&args.since, &now, Bound::Since)?;
    let until = match &args.until {
        Some(text) => when::parse(text, &now, Bound::Until)?,
        None => context.started,
    };
    if since >= until {
        return Err(Error::input("--since is not before --until")
            .hint("--since is the earlier end, and --until is left out of the window"));
    }
    let runtime = daemon::runtime()?;
    let waiting = Waiting::begin(context, "asking Twilio for its calls");
    let comparison = runtime.block_on(telephony.compare_calls(&actor, since, until))?;
    drop(waiting);
    listing(&comparison, context)?;
    let found = comparison.found.len() as u64;
    let mut failed = 0_u64;
    // Where nobody could be asked there is nothing to sum up.
    let seen = found + comparison.same + comparison.going_on + comparison.strangers;
    if seen > 0 || comparison.unread.is_empty() {
        context.out.note(&summary(&comparison));
    }
    if found > 0 && !args.apply {
        context.out.note("`webox twilio calls --apply` enters them.");
    } else if found > 0 {
        let question = format!("Enter {}?", human::count(found, "call", "calls"));
        if !args.yes && !prompt::confirm(context, &question, "--yes")? {
            return Err(Error::new(Kind::Refused, "nothing was entered"));
        }
        for one in &comparison.found {
            let entered = runtime.block_on(telephony.enter_call(&actor, one, context.started));
            if let Err(error) = entered {
                failed += 1;
                context.out.warn(&format!("{} was not entered: {error}", one.call.sid));
            }
        }
        context.out.note(&format!("{} entered.", human::count(found - failed, "call", "calls")));
    }
    unasked(&comparison.unread, context)?;
    if failed > 0 {
        let failed = human::count(failed, "call was", "calls were");
        return Err(Error::failure(format!("{failed} not entered"))
            .hint("run the same again: what is entered already stays as it is"));
    }
    Ok(())
}

fn summary(comparison: &Comparison) -> String {
    let count =
        |difference| comparison.found.iter().filter(|found| found.difference == difference).count();
    format!(
        "{} missing, {} open, {} without their price; {} the same, {} going on, {} of no assistant.",
        count(Difference::Missing),
        count(Difference::Open),
        count(Difference::Unpriced),
        comparison.same,
        comparison.going_on,
        comparison.strangers,
    )
}

fn listing(comparison: &Comparison, context: &Context) -> Result<()> {
    let now = context.now()?;
    let mut listing = Listing::new("calls", COLUMNS);
    listing.rows = comparison
        .found
        .iter()
        .map(|found| {
            let Found { difference, assistant, call } = found;
            let other = Caller::read(&call.theirs).as_stored().map(plain);
            let price = match &call.charge {
                Charge::Known(amount, currency) => Some(format!("{amount} {}", currency.as_str())),
                Charge::NotYet | Charge::Unreadable(_) => None,
            };
            let length = call.duration_s;
            let tone = match difference {
                Difference::Missing => Tone::Bad,
                Difference::Open => Tone::Warning,
                Difference::Unpriced => Tone::Faint,
            };
            Row {
                id: call.sid.to_string(),
                json: json!({
                    "difference": difference, "sid": call.sid, "account": call.account,
                    "assistant": assistant, "direction": call.direction.as_str(),
                    "other_side": other, "status": call.status.as_str(),
                    "started_at": call.started_at, "ended_at": call.ended_at,
                    "duration_s": length, "price": price,
                }),
                cells: vec![
                    Cell::same(difference.as_str()).tone(tone),
                    Cell::shown(
                        call.started_at.to_string(),
                        human::date_time(call.started_at, &now),
                    ),
                    Cell::same(assistant.as_str()).tone(Tone::Strong),
                    Cell::same(call.direction.as_str()),
                    Cell::maybe(other),
                    Cell::same(call.status.as_str()),
                    length.map_or_else(Cell::none, |seconds| {
                        Cell::shown(seconds.to_string(), human::duration(u64::from(seconds)))
                    }),
                    Cell::maybe(price),
                    Cell::same(call.sid.as_str()),
                    Cell::maybe(call.account.as_ref().map(ToString::to_string)),
                ],
            }
        })
        .collect();
    for (key, value) in [
        ("same", comparison.same),
        ("going_on", comparison.going_on),
        ("strangers", comparison.strangers),
    ] {
        listing.beside.insert(key.to_owned(), json!(value));
    }
    let unread = comparison
        .unread
        .iter()
        .map(|unread| json!({ "account": unread.account, "error": unread.why.to_string() }));
    listing.beside.insert("unread".to_owned(), unread.collect());
    context.out.listing(&listing)
}
