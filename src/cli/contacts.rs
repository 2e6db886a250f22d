//! `webox contacts`: who called.

use clap::{Args, Subcommand, ValueEnum};
use jiff::ZonedDateTime;

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    prompt,
    sheet::Sheet,
    views,
};
use crate::domain::{
    Call, CallFilter, CallOutcome, Contact, ContactChange, ContactFilter, Error, Kind, LanguageTag,
    Result,
    when::{self, Bound},
};

/// Contacts shown on a terminal when nothing is said.
const SCREENFUL: u64 = 50;

/// Arguments of `webox contacts`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox contacts --since 7d", "who called this week, those who called last first"),
        ("webox contacts show \"06 12 34 56 78\"", "by number, or by id"),
        ("webox contacts edit 17 --name Dupont --notes \"Allergique aux noix\"", "what is written by hand stays as it is"),
        ("webox contacts export --format jsonl > contacts.jsonl", "for other programs"),
        ("webox contacts delete 17", "takes out the contact; `webox privacy erase` takes out all of a caller"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::USAGE, exit::DATA, exit::DENIED],
))]
pub struct Contacts {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List contacts, those who called last first (the same as `webox contacts`).
    List(List),
    /// Show one contact.
    Show(Named),
    /// Correct a contact's name, notes or language.
    Edit(Edit),
    /// Print contacts as CSV or JSON lines.
    Export(Export),
    /// Take a contact out; asks first. Its calls stay.
    Delete(Delete),
}

/// Which contacts.
#[derive(Debug, Clone, Default, PartialEq, Args)]
struct List {
    /// Who called from this time on: an age (`90m`, `2d`, `1w`), `today`, a date or a time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// At most so many; 0 is all [default: 50 on a terminal, all otherwise].
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

#[derive(Debug, Args)]
struct Named {
    /// Its id, or its number in any usual spelling.
    #[arg(value_name = "CONTACT", allow_hyphen_values = true)]
    contact: String,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true)))]
struct Edit {
    #[command(flatten)]
    named: Named,
    /// The name; empty for none.
    #[arg(long, group = "change")]
    name: Option<String>,
    /// Notes; empty for none.
    #[arg(long, group = "change", value_name = "TEXT")]
    notes: Option<String>,
    /// The language, such as `fr-FR`.
    #[arg(long, group = "change", value_name = "TAG")]
    language: Option<LanguageTag>,
}

#[derive(Debug, Args)]
struct Delete {
    #[command(flatten)]
    named: Named,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

/// As what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum As {
    /// Comma-separated values, with a heading.
    Csv,
    /// JSON, one object a line.
    Jsonl,
}

#[derive(Debug, Args)]
struct Export {
    #[command(flatten)]
    list: List,
    /// As what.
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    format: As,
}

const COLUMNS: [Column; 10] = [
    Column::new("id", "id").right(),
    Column::new("last_call_at", "last call"),
    Column::new("number", "number").at_least(13),
    Column::new("name", "name"),
    Column::new("calls", "calls").right(),
    Column::new("language", "language"),
    Column::new("notes", "notes"),
    Column::new("recording_consent", "recording").hidden(),
    Column::new("first_call_at", "first call").hidden(),
    Column::new("owner_id", "owner").right().hidden(),
];

pub(super) fn run(args: &Contacts, context: &Context) -> Result<()> {
    if args.action.is_some() && args.list != List::default() {
        return Err(Error::usage("flags of the list stand before the name of an action")
            .hint("write them after it: `webox contacts list --since 7d`"));
    }
    match &args.action {
        None => list(&args.list, context),
        Some(Action::List(args)) => list(args, context),
        Some(Action::Show(args)) => show(args, context),
        Some(Action::Edit(args)) => edit(args, context),
        Some(Action::Export(args)) => export(args, context),
        Some(Action::Delete(args)) => delete(args, context),
    }
}

impl List {
    /// The filter, without a limit.
    fn filter(&self, context: &Context) -> Result<ContactFilter> {
        let now = context.now()?;
        let since = self.since.as_deref().map(|text| when::parse(text, &now, Bound::Since));
        Ok(ContactFilter { since: since.transpose()?, ..ContactFilter::default() })
    }
}

fn list(args: &List, context: &Context) -> Result<()> {
    let mut filter = args.filter(context)?;
    let limit = match args.limit {
        Some(0) => None,
        Some(limit) => Some(limit),
        None => context.out.is_terminal().then_some(SCREENFUL),
    };
    filter.limit = limit.map(|limit| limit.saturating_add(1));
    let mut contacts = context.desk("contacts")?.contacts(&filter)?;
    let more = limit.is_some_and(|limit| contacts.len() as u64 > limit);
    if let Some(limit) = limit {
        contacts.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    listing(context, &contacts)?;
    if more {
        context.out.note("There are more; use --limit 0 for all.");
    } else if contacts.is_empty() && context.out.format() == Format::Table {
        context.out.note("No contacts.");
    }
    Ok(())
}

fn table(contacts: &[Contact], now: &ZonedDateTime) -> Listing {
    let mut listing = Listing::new("contacts", COLUMNS);
    listing.rows = contacts.iter().map(|contact| row(contact, now)).collect();
    listing
}

fn listing(context: &Context, contacts: &[Contact]) -> Result<()> {
    context.out.listing(&table(contacts, &context.now()?))
}

fn row(contact: &Contact, now: &ZonedDateTime) -> Row {
    let time = |at: jiff::Timestamp| Cell::shown(at.to_string(), human::age(at, now));
    Row {
        id: contact.id.0.to_string(),
        json: views::contact(contact),
        cells: vec![
            Cell::same(contact.id.0.to_string()),
            time(contact.last_call_at),
            Cell::same(contact.number.as_str()).tone(Tone::Strong),
            Cell::maybe(contact.name.as_deref()),
            Cell::same(contact.calls.to_string()),
            Cell::same(contact.language.as_str()),
            Cell::maybe(contact.notes.as_deref()),
            Cell::maybe(contact.recording_consent.map(crate::domain::RecordingConsent::as_str)),
            time(contact.first_call_at),
            Cell::maybe(contact.owner.map(|owner| owner.0.to_string())),
        ],
    }
}

/// The calls that `show` tells of.
const LAST_CALLS: u64 = 5;

fn show(args: &Named, context: &Context) -> Result<()> {
    let desk = context.desk("contacts show")?;
    let contact = desk.contact(&args.contact)?;
    let number = Some(contact.number.as_str().to_owned());
    let filter = CallFilter { caller: number, limit: Some(LAST_CALLS), ..CallFilter::default() };
    let calls = desk.calls(&filter)?.calls;
    tell(&contact, Some(&calls), context)
}

/// A call in a line: when, whom they spoke to, what came of it, and what it was about.
fn line(call: &Call, now: &ZonedDateTime) -> String {
    let when = human::date_time_zone(call.started_at, now);
    let outcome = call.after.outcome.map_or(call.status.as_str(), CallOutcome::as_str);
    let mut line = format!("{when}  {}  {outcome}", call.assistant);
    if let Some(summary) = &call.after.summary {
        line.push_str("  ");
        line.push_str(summary);
    }
    line
}

/// One contact, whole, and the calls of its number that the asker may see, newest first.
fn tell(contact: &Contact, calls: Option<&[Call]>, context: &Context) -> Result<()> {
    match context.out.format() {
        Format::Json => {
            let calls = calls.map(|calls| ("last_calls", calls.iter().map(views::call).collect()));
            context.out.objects([("contact", views::contact(contact))].into_iter().chain(calls))
        }
        Format::Table | Format::Text => {
            let now = context.now()?;
            let mut sheet = Sheet::default();
            sheet.add("id", contact.id.0.to_string());
            sheet.add("number", contact.number.as_str());
            sheet.maybe("name", contact.name.as_deref());
            sheet.add("language", contact.language.as_str());
            sheet.maybe("notes", contact.notes.as_deref());
            sheet.maybe(
                "recording",
                contact.recording_consent.map(crate::domain::RecordingConsent::as_str),
            );
            sheet.add("calls", contact.calls.to_string());
            sheet.time("first call", contact.first_call_at, &now);
            sheet.time("last call", contact.last_call_at, &now);
            for (n, call) in calls.unwrap_or_default().iter().enumerate() {
                sheet.add(if n == 0 { "last calls" } else { "" }, line(call, &now));
            }
            context.out.listing(&sheet.into_listing())
        }
        _ => listing(context, std::slice::from_ref(contact)),
    }
}

fn edit(args: &Edit, context: &Context) -> Result<()> {
    let change = ContactChange {
        name: args.name.clone(),
        notes: args.notes.clone(),
        language: args.language.clone(),
    };
    let contact = context.desk("contacts edit")?.edit_contact(&args.named.contact, change)?;
    tell(&contact, None, context)
}

fn export(args: &Export, context: &Context) -> Result<()> {
    let mut filter = args.list.filter(context)?;
    filter.limit = args.list.limit.filter(|limit| *limit > 0);
    let contacts = context.desk("contacts export")?.contacts(&filter)?;
    match args.format {
        As::Csv => context.out.csv(&table(&contacts, &context.now()?)),
        As::Jsonl => {
            for contact in &contacts {
                context.out.text(&format!("{}\n", views::contact(contact)))?;
            }
            Ok(())
        }
    }
}

fn delete(args: &Delete, context: &Context) -> Result<()> {
    let desk = context.desk("contacts delete")?;
    let contact = desk.contact(&args.named.contact)?;
    let name = contact.name.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
    let what = format!("{}{name}", contact.number);
    if !args.yes && !prompt::confirm(context, &format!("Delete the contact {what}?"), "--yes")? {
        return Err(Error::new(Kind::Refused, "nothing was deleted"));
    }
    desk.delete_contact(&contact.id.0.to_string())?;
    context.out.note(&format!("Deleted the contact {what}. Its calls stay."));
    Ok(())
}
