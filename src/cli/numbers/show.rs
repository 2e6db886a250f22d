//! Lists, findings and differences.

use serde_json::json;

use super::{Cell, Column, Context, Format, Listing, Row, Tone, diff, plain, telephony};
use crate::{
    cli::{daemon, exit, human, progress::Waiting, views},
    domain::{AccountSid, Error, Result},
    operations::numbers::{Connection, Finding, FindingKind, Leads, Standing, Unread},
};

const COLUMNS: [Column; 7] = [
    Column::new("number", "number"),
    Column::new("assistant", "assistant"),
    Column::new("leads", "calls go"),
    Column::new("account", "account").yields(),
    Column::new("name", "name").hidden(),
    Column::new("voice_url", "address").hidden(),
    Column::new("sid", "sid").hidden(),
];

pub(super) fn list(account: Option<&AccountSid>, context: &Context) -> Result<()> {
    let telephony = telephony(context, context.store_to_ask()?)?;
    let actor = context.actor("numbers list", &telephony.store)?;
    let waiting = Waiting::begin(context, "asking Twilio for the numbers");
    let inventory = daemon::runtime()?.block_on(telephony.list(&actor, account))?;
    drop(waiting);
    let mut listing = Listing::new("numbers", COLUMNS);
    listing.rows = inventory.numbers.iter().map(row).collect();
    let unread = inventory
        .unread
        .iter()
        .map(|unread| json!({ "account": unread.account, "error": unread.why.to_string() }));
    listing.beside.insert("unread".to_owned(), unread.collect());
    context.out.listing(&listing)?;
    if listing.rows.is_empty() && inventory.unread.is_empty() {
        context.out.note("The accounts have no number: look for one with `webox numbers search`.");
    }
    unasked(&inventory.unread, context)
}

/// Tells of accounts that could not be asked.
///
/// # Errors
/// When there are some: what was printed is not all.
pub(in crate::cli) fn unasked(unread: &[Unread], context: &Context) -> Result<()> {
    let Some(first) = unread.first() else { return Ok(()) };
    for one in unread {
        let why: Vec<_> = std::iter::once(one.why.to_string()).chain(one.why.causes()).collect();
        context.out.warn(&format!("{}: {}", one.account, why.join(": ")));
    }
    let accounts = human::count(unread.len() as u64, "account", "accounts");
    Err(Error::new(first.why.kind(), format!("{accounts} could not be asked"))
        .maybe_hint(first.why.hint_text().map(str::to_owned)))
}

fn row(standing: &Standing) -> Row {
    let owned = &standing.owned;
    let (words, tone) = match (standing.leads, &standing.assistant) {
        (Leads::Here, Some(_)) => ("here", Tone::Good),
        (Leads::Here, None) => ("here, to nobody", Tone::Bad),
        (Leads::HereAlmost, _) => ("here, not as they should", Tone::Warning),
        (Leads::Elsewhere, Some(_)) => ("elsewhere", Tone::Bad),
        (Leads::Elsewhere, None) => ("elsewhere", Tone::Faint),
        (Leads::Nowhere, _) => ("nowhere", Tone::Bad),
        (Leads::Unknown, _) => ("it is not known where", Tone::Faint),
    };
    let url = Some(plain(&owned.wiring.voice_url)).filter(|url| !url.is_empty());
    Row {
        id: owned.number.to_string(),
        json: json!({
            "number": owned.number, "sid": owned.sid, "account": standing.account,
            "name": owned.friendly_name, "assistant": standing.assistant, "leads": standing.leads,
            "wiring": owned.wiring,
        }),
        cells: vec![
            Cell::same(owned.number.as_str()).tone(Tone::Strong),
            Cell::maybe(standing.assistant.as_ref().map(ToString::to_string)),
            Cell::shown(standing.leads.as_str(), words).tone(tone),
            Cell::same(standing.account.as_str()),
            Cell::maybe(owned.friendly_name.as_deref().map(plain)),
            Cell::maybe(url),
            Cell::same(owned.sid.as_str()),
        ],
    }
}

pub(super) fn check(account: Option<&AccountSid>, context: &Context) -> Result<u8> {
    let telephony = telephony(context, context.store()?)?;
    let actor = context.actor("numbers check", &telephony.store)?;
    let waiting = Waiting::begin(context, "asking Twilio how numbers are wired");
    let (findings, looked) = daemon::runtime()?.block_on(telephony.check(&actor, account))?;
    drop(waiting);
    let mut listing = Listing::new(
        "findings",
        [
            Column::new("finding", "finding"),
            Column::new("number", "number"),
            Column::new("assistant", "assistant"),
            Column::new("account", "account").yields(),
            Column::new("settings", "settings").yields(),
            Column::new("what", "what to do").keeps(),
        ],
    );
    listing.rows = findings.iter().map(finding).collect();
    listing.beside.insert("looked_at".to_owned(), json!(looked));
    context.out.listing(&listing)?;
    let numbers = human::count(looked as u64, "number was", "numbers were");
    if findings.is_empty() {
        context.out.note(&format!("{numbers} looked at: all is as it should be."));
        return Ok(exit::OK);
    }
    let count = findings.len() as u64;
    let found =
        human::count(count, "thing is not as it should be", "things are not as they should be");
    context.out.note(&format!("{numbers} looked at: {found}."));
    Ok(exit::CHANGES_PRESENT)
}

fn finding(finding: &Finding) -> Row {
    let tone = match finding.kind {
        FindingKind::Drift | FindingKind::NoAssistant => Tone::Warning,
        _ => Tone::Bad,
    };
    let settings: Vec<&str> = finding.changes.iter().map(|one| &*one.setting).collect();
    let settings = Some(settings.join(", ")).filter(|text| !text.is_empty());
    let number = finding.number.as_ref().map(ToString::to_string);
    Row {
        id: number.clone().unwrap_or_else(|| finding.kind.as_str().to_owned()),
        json: views::value(finding),
        cells: vec![
            Cell::same(finding.kind.as_str()).tone(tone),
            Cell::maybe(number),
            Cell::maybe(finding.assistant.as_ref().map(ToString::to_string)),
            Cell::maybe(finding.account.as_ref().map(ToString::to_string)),
            Cell::maybe(settings),
            Cell::same(plain(&finding.what)),
        ],
    }
}

/// What changes at Twilio, for a person.
pub(super) fn connection_text(connection: &Connection) -> String {
    let head = format!("~ {}  {}", connection.number, connection.assistant);
    format!("{head}\n{}", diff(connection).trim_end())
}

/// What changes, or changed, at Twilio.
pub(super) fn connection(connection: &Connection, context: &Context) -> Result<()> {
    if context.out.format() == Format::Table {
        if connection.is_right() {
            return Ok(());
        }
        return context.out.text(&format!("{}\n", connection_text(connection)));
    }
    let mut listing = Listing::new(
        "changes",
        [
            Column::new("setting", "setting"),
            Column::new("before", "before").keeps(),
            Column::new("after", "after").keeps(),
        ],
    );
    listing.rows = connection
        .changes
        .iter()
        .map(|one| Row {
            id: one.setting.to_string(),
            json: views::value(one),
            cells: vec![
                Cell::same(&*one.setting),
                Cell::same(plain(&one.before)),
                Cell::same(plain(&one.after)),
            ],
        })
        .collect();
    for (key, value) in [
        ("assistant", json!(connection.assistant)),
        ("number", json!(connection.number)),
        ("instead_of", json!(connection.instead_of)),
        ("account", json!(connection.account())),
    ] {
        listing.beside.insert(key.to_owned(), value);
    }
    context.out.listing(&listing)
}
