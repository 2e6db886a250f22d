//! Buying a number and giving one back: shown first, and asked.

use clap::Args;
use serde_json::json;

use super::{Context, Format, plain, telephony};
use crate::{
    cli::{daemon, progress::Waiting, prompt},
    domain::{AccountSid, AddressSid, BundleSid, Error, Kind, Micros, PhoneNumber, Result},
    operations::numbers::{Looked, Offer},
};

#[derive(Debug, Args)]
pub(super) struct Buy {
    /// The number, as `webox numbers search` shows it.
    #[arg(value_name = "NUMBER")]
    number: PhoneNumber,
    /// The regulatory bundle, where its country wants papers.
    #[arg(long, value_name = "BU…")]
    bundle: Option<BundleSid>,
    /// The address, where the number needs one.
    #[arg(long, value_name = "AD…")]
    address: Option<AddressSid>,
    /// Buy it also where Twilio does not say what it costs.
    #[arg(long)]
    any_price: bool,
    /// For which account or sub-account; the agency's otherwise.
    #[arg(long, value_name = "AC…")]
    account: Option<AccountSid>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Show what it costs and needs, and buy nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Release {
    /// The number.
    #[arg(value_name = "NUMBER")]
    number: PhoneNumber,
    /// Of which account or sub-account; of whichever has it otherwise.
    #[arg(long, value_name = "AC…")]
    account: Option<AccountSid>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Say who would lose it, and give nothing back.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn buy(args: &Buy, context: &Context) -> Result<()> {
    let telephony = telephony(context, context.store_to_fill()?)?;
    let actor = context.actor("numbers buy", &telephony.store)?;
    let runtime = daemon::runtime()?;
    let number = &args.number;
    let waiting = Waiting::begin(context, "asking Twilio what the number costs and needs");
    let looked = runtime.block_on(telephony.offer(&actor, args.account.as_ref(), number))?;
    drop(waiting);
    let first = args.account.as_ref().filter(|account| !telephony.of(account).is_empty());
    let first = first.map_or_else(String::new, |account| {
        format!("Name {account} in the section `[twilio]` of an assistant's file; then ")
    });
    let next = format!(
        "{first}`webox numbers connect NAME --number {number}` has an assistant answer it."
    );
    let offer = match looked {
        Looked::Ours(owned) => {
            printed(context, number, Some((owned.sid.as_str(), false)), None)?;
            context.out.note(&format!("The account has {number} already: nothing was bought."));
            context.out.note(&next);
            return Ok(());
        }
        Looked::Offer(offer) => offer,
    };
    let price = offer.price.clone();
    if args.yes || args.dry_run {
        context.out.note(&told(&offer));
    } else {
        // Nobody is asked to buy what they were not told of.
        context.out.say(&told(&offer));
    }
    if let Some(why) = &offer.unpriced {
        context.out.warn(&format!("its price could not be looked up: {why}"));
    }
    if let Some(why) = &offer.unknown {
        context.out.warn(&format!("it is not known which papers its country wants: {why}"));
    }
    offer.is_covered(args.address.as_ref(), args.bundle.as_ref())?;
    if offer.price.is_none() && !args.any_price {
        return Err(Error::new(Kind::Refused, "Twilio does not say what this number costs")
            .hint("buy it at any price with `--any-price`"));
    }
    if args.dry_run {
        printed(context, number, None, price.as_ref())?;
        context.out.note("Nothing was bought.");
        return Ok(());
    }
    let question = format!("Buy {number} for the account {}?", offer.account());
    if !args.yes && !prompt::confirm(context, &question, "--yes")? {
        return Err(Error::new(Kind::Refused, "nothing was bought"));
    }
    let waiting = Waiting::begin(context, "buying the number");
    let (address, bundle) = (args.address.clone(), args.bundle.clone());
    let bought = telephony.buy(&actor, &offer, address, bundle, context.started);
    let owned = runtime.block_on(bought)?;
    drop(waiting);
    printed(context, number, Some((owned.sid.as_str(), true)), price.as_ref())?;
    context.out.note(&format!("{number} is yours. {next}"));
    Ok(())
}

/// What is to be known before buying.
fn told(offer: &Offer) -> String {
    let one = &offer.on_sale;
    let places = [&one.locality, &one.region].into_iter().flatten().map(|text| plain(text));
    let place: Vec<String> = places.chain([offer.country.as_str().to_owned()]).collect();
    let price = offer.price.as_ref().map_or_else(
        || "a price that Twilio does not say".to_owned(),
        |(price, unit)| format!("{price} {unit} a month"),
    );
    format!("{}: a {} number ({}), for {price}.", one.number, one.kind, place.join(", "))
}

/// A number that was bought, is ours already, or would be bought.
fn printed(
    context: &Context,
    number: &PhoneNumber,
    ours: Option<(&str, bool)>,
    price: Option<&(Micros, String)>,
) -> Result<()> {
    match context.out.format() {
        Format::Json | Format::Jsonl => {
            let value = json!({
                "number": number,
                "sid": ours.map(|(sid, _)| sid),
                "bought": ours.is_some_and(|(_, bought)| bought),
                "price": price.map(|(price, _)| price.to_string()),
                "price_unit": price.map(|(_, unit)| unit),
            });
            context.out.object("number", value)
        }
        Format::Table => Ok(()),
        _ => context.out.text(&format!("{number}\n")),
    }
}

pub(super) fn release(args: &Release, context: &Context) -> Result<()> {
    let telephony = telephony(context, context.store()?)?;
    let actor = context.actor("numbers release", &telephony.store)?;
    let runtime = daemon::runtime()?;
    let (account, number) = (args.account.as_ref(), &args.number);
    let standing = runtime.block_on(telephony.to_release(&actor, account, number))?;
    let loses = match &standing.assistant {
        Some(name) => format!("the assistant `{name}` loses it: nobody can call it any more"),
        None => "no assistant has it".to_owned(),
    };
    if args.dry_run {
        if matches!(context.out.format(), Format::Json | Format::Jsonl) {
            let (account, assistant) = (&standing.account, &standing.assistant);
            let value = json!({
                "number": number, "account": account, "assistant": assistant, "released": false,
            });
            context.out.object("number", value)?;
        }
        context.out.note(&format!("{number} would be given back; {loses}."));
        return Ok(());
    }
    if !args.yes {
        let account = &standing.account;
        context.out.say(&format!(
            "{number} of the account {account}: {loses}. It cannot be had back for certain."
        ));
        let done = match &standing.assistant {
            Some(name) => {
                let question = format!("Type `{name}` to give its number back");
                prompt::typed(context, &question, name.as_str(), "--yes")?
            }
            None => prompt::confirm(context, &format!("Give {number} back?"), "--yes")?,
        };
        if !done {
            return Err(Error::new(Kind::Refused, "nothing was given back"));
        }
    }
    runtime.block_on(telephony.release(&actor, &standing, context.started))?;
    if matches!(context.out.format(), Format::Json | Format::Jsonl) {
        let value = json!({ "number": number, "assistant": standing.assistant, "released": true });
        context.out.object("number", value)?;
    }
    context.out.note(&format!("{number} was given back; {loses}."));
    Ok(())
}
