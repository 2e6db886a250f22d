//! `webox numbers`: the numbers of the accounts at Twilio, from looking for one to giving it back.

mod buy;
pub(super) mod show;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Context, daemon, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    progress::Waiting,
    prompt,
    wiring::{changes_text, plain, telephony},
};
use crate::{
    domain::{
        AccountSid, CountryCode, Error, Kind, NumberKind, NumberPattern, PhoneNumber, Result,
    },
    operations::assistants,
    twilio::numbers::Search as NumberSearch,
};

/// Numbers shown when nothing is said.
const SCREENFUL: u32 = 20;

/// Arguments of `webox numbers`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox numbers", "every number of the accounts, who answers it, and where its calls go"),
        ("webox numbers search --country FR --contains '+331*'", "what is to be had, and what it costs a month"),
        ("webox numbers buy +33123456789 --bundle BU… --address AD…", "shows the price, asks, and buys once"),
        ("webox numbers connect le-gourmet", "what would change at Twilio, then the change"),
        ("webox numbers check", "2 when something is not as it should be"),
        ("webox numbers release +33123456789", "names who would lose it, and asks"),
    ],
    &[exit::CHANGES_PRESENT, exit::REFUSED, exit::PARTIAL, exit::USAGE, exit::UNAVAILABLE, exit::DENIED, exit::CONFIG],
))]
pub struct Numbers {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the numbers of the accounts (the same as `webox numbers`).
    List(List),
    /// Look for numbers that are to be had, with their prices.
    Search(Search),
    /// Buy a number, after showing its price and what its country wants.
    Buy(buy::Buy),
    /// Have an assistant answer its number: set the addresses that Twilio asks.
    Connect(Connect),
    /// Give a number back: it rings no more.
    Release(buy::Release),
    /// Check that numbers and assistants are as they should be to each other.
    Check(Check),
}

#[derive(Debug, Default, PartialEq, Args)]
struct List {
    /// Of one account or sub-account; of all that are known here otherwise.
    #[arg(long, value_name = "AC…")]
    account: Option<AccountSid>,
}

#[derive(Debug, Args)]
struct Search {
    /// The country, in two letters.
    #[arg(long, value_name = "FR")]
    country: CountryCode,
    /// Which kinds: local, national, toll-free, mobile [default: local and national].
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<NumberKind>,
    /// What is in them: digits, with `*` for one and `%` for any number of them.
    #[arg(long, value_name = "DIGITS")]
    contains: Option<NumberPattern>,
    /// In which town.
    #[arg(long, value_name = "TOWN")]
    locality: Option<String>,
    /// At most so many of each kind.
    #[arg(long, value_name = "N", default_value_t = SCREENFUL, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// For which account or sub-account; the agency's otherwise.
    #[arg(long, value_name = "AC…")]
    account: Option<AccountSid>,
}

#[derive(Debug, Args)]
struct Connect {
    /// The assistant, by name or id.
    #[arg(value_name = "NAME")]
    assistant: String,
    /// Another number than the one it has; it is given that one.
    #[arg(long, value_name = "NUMBER")]
    number: Option<PhoneNumber>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Show what would change, and change nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
struct Check {
    /// Of one account or sub-account; of all that are known here otherwise.
    #[arg(long, value_name = "AC…")]
    account: Option<AccountSid>,
}

pub(super) fn run(args: &Numbers, context: &Context) -> Result<u8> {
    if args.action.is_some() && args.list != List::default() {
        return Err(Error::usage("flags of the list stand before the name of an action")
            .hint("write them after it: `webox numbers list --account AC…`"));
    }
    context.here("numbers")?;
    match &args.action {
        None => show::list(args.list.account.as_ref(), context)?,
        Some(Action::List(args)) => show::list(args.account.as_ref(), context)?,
        Some(Action::Search(args)) => search(args, context)?,
        Some(Action::Buy(args)) => buy::buy(args, context)?,
        Some(Action::Connect(args)) => connect(args, context)?,
        Some(Action::Release(args)) => buy::release(args, context)?,
        Some(Action::Check(args)) => return show::check(args.account.as_ref(), context),
    }
    Ok(exit::OK)
}

fn search(args: &Search, context: &Context) -> Result<()> {
    let telephony = telephony(context, context.store_to_ask()?)?;
    let actor = context.actor("numbers search", &telephony.store)?;
    let usual = [NumberKind::Local, NumberKind::National];
    let kinds = if args.kind.is_empty() { &usual[..] } else { &args.kind };
    let searches: Vec<NumberSearch> = kinds
        .iter()
        .map(|kind| NumberSearch {
            country: args.country.clone(),
            kind: *kind,
            contains: args.contains.clone(),
            locality: args.locality.clone(),
            most: args.limit,
        })
        .collect();
    let waiting = Waiting::begin(context, "asking Twilio what is to be had");
    let found = telephony.search(&actor, args.account.as_ref(), &searches);
    let market = daemon::runtime()?.block_on(found)?;
    drop(waiting);
    if let Some(why) = &market.unpriced {
        context.out.warn(&format!("their prices could not be looked up: {why}"));
    }
    let unit = &market.prices.unit;
    let mut listing = Listing::new(
        "numbers",
        [
            Column::new("number", "number"),
            Column::new("kind", "kind"),
            Column::new("locality", "town"),
            Column::new("region", "region"),
            Column::new("price", "a month").right(),
            Column::new("price_unit", "currency").hidden(),
            Column::new("needs", "needs"),
            Column::new("sms", "SMS").hidden(),
        ],
    );
    listing.rows = market
        .numbers
        .iter()
        .map(|one| {
            let price = market.prices.of(one.kind).map(|price| price.to_string());
            let text = |text: &Option<String>| Cell::maybe(text.as_deref().map(plain));
            let shown = price.as_ref().map(|price| format!("{price} {unit}"));
            let price_cell = match (&price, shown) {
                (Some(price), Some(shown)) => Cell::shown(price.clone(), shown),
                _ => Cell::none(),
            };
            Row {
                id: one.number.to_string(),
                json: json!({
                    "number": one.number, "kind": one.kind, "locality": one.locality,
                    "region": one.region, "price": price,
                    "price_unit": price.as_ref().map(|_| unit), "address": one.address, "sms": one.sms,
                }),
                cells: vec![
                    Cell::same(one.number.as_str()).tone(Tone::Strong),
                    Cell::same(one.kind.as_str()),
                    text(&one.locality),
                    text(&one.region),
                    price_cell,
                    Cell::maybe(price.as_ref().map(|_| unit.as_str())),
                    Cell::maybe(one.address.words()),
                    Cell::same(if one.sms { "yes" } else { "no" }),
                ],
            }
        })
        .collect();
    context.out.listing(&listing)?;
    if listing.rows.is_empty() {
        context.out.note("No such number is to be had.");
    } else if context.out.format() == Format::Table {
        context.out.note("Buy one with `webox numbers buy NUMBER`; its country may want papers.");
    }
    Ok(())
}

fn connect(args: &Connect, context: &Context) -> Result<()> {
    let telephony = telephony(context, context.store()?)?;
    let actor = context.actor("numbers connect", &telephony.store)?;
    let assistant = assistants::find(&telephony.store, &actor, &args.assistant)?;
    let runtime = daemon::runtime()?;
    let waiting = Waiting::begin(context, "asking Twilio how the number is wired");
    let connection =
        runtime.block_on(telephony.connection(&actor, &assistant, args.number.as_ref()))?;
    drop(waiting);
    let (name, number) = (&connection.assistant, &connection.number);
    if connection.is_right() {
        show::connection(&connection, context)?;
        context.out.note(&format!("{number} of `{name}` is connected as it should be."));
        return Ok(());
    }
    if args.dry_run {
        return show::connection(&connection, context);
    }
    if !args.yes {
        context.out.say(&show::connection_text(&connection));
        if !prompt::confirm(context, &format!("Change this at Twilio for `{name}`?"), "--yes")? {
            return Err(Error::new(Kind::Refused, "nothing was changed"));
        }
    }
    runtime.block_on(telephony.connect(&actor, &connection, context.started))?;
    show::connection(&connection, context)?;
    let settings = human::count(connection.changes.len() as u64, "setting", "settings");
    context.out.note(&format!("{number} of `{name}` is connected: {settings} changed at Twilio."));
    if connection.instead_of.is_some() && assistant.spec.phone.manage {
        context.out.note("Its file has still the number from before: change it there as well.");
    }
    Ok(())
}

fn diff(connection: &crate::operations::numbers::Connection) -> String {
    let mut text = String::new();
    if let Some(before) = &connection.instead_of {
        text.push_str(&format!("    phone: {before} → {}\n", connection.number));
    }
    text + &changes_text(&connection.changes)
}
