//! `webox billing`: what clients owe for a month.

use std::{collections::BTreeSet, path::PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    views,
};
use crate::{
    billing::{
        catalogue::Catalogue,
        paper,
        reckoned::{Closed, Closing, Preview, Usage},
        statement::Line,
    },
    domain::{Cents, Month, Result},
};

/// Arguments of `webox billing`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox billing preview", "how this month stands, client by client"),
        ("webox billing preview --month 2026-11 --client \"Restaurant Le Gourmet\"", "one client"),
        ("webox billing close --month 2026-11", "issues the bills of a month that is over"),
        ("webox billing check billing.toml", "whether a file is right, before it is used"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::DATA, exit::DENIED, exit::CONFIG],
))]
pub struct Billing {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show what clients owe for a month, as far as it is known.
    Preview(Wanted),
    /// Issue the bills of a month that is over: each client's once.
    Close(Close),
    /// Check a file of plans and clients, and list the plans.
    Check(Check),
}

#[derive(Debug, Args)]
struct Wanted {
    /// The month, such as 2026-11; this one otherwise.
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// Of one client, by the name that assistants' files give.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
}

#[derive(Debug, Args)]
struct Close {
    /// The month, such as 2026-11.
    #[arg(long, value_name = "MONTH")]
    month: Month,
    /// Of one client; also again, once its bill was taken back.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
}

#[derive(Debug, Args)]
struct Check {
    /// The file; the one in use otherwise.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

const PREVIEW: [Column; 10] = [
    Column::new("client", "client"),
    Column::new("assistant", "assistant"),
    Column::new("plan", "plan"),
    Column::new("calls", "calls").right(),
    Column::new("minutes", "minutes").right(),
    Column::new("item", "for"),
    Column::new("quantity", "quantity").right(),
    Column::new("price", "price").right(),
    Column::new("net", "net").right(),
    Column::new("invoice", "bill"),
];

const CLOSED: [Column; 5] = [
    Column::new("client", "client"),
    Column::new("closing", "bill"),
    Column::new("number", "number"),
    Column::new("total", "total").right(),
    Column::new("problem", "problem"),
];

pub(super) fn run(args: &Billing, context: &Context) -> Result<u8> {
    match &args.action {
        Action::Preview(args) => preview(args, context).map(|()| exit::OK),
        Action::Close(args) => close(args, context),
        Action::Check(args) => check(args, context).map(|()| exit::OK),
    }
}

/// The month of today, where none is named.
pub(super) fn month(named: Option<Month>, context: &Context) -> Result<Month> {
    named.map_or_else(|| Ok(Month::of(context.now()?.date())), Ok)
}

fn preview(args: &Wanted, context: &Context) -> Result<()> {
    let month = month(args.month, context)?;
    let desk = context.desk("billing preview")?;
    let previews = desk.preview_bills(month, args.client.as_deref())?;
    let mut listing = Listing::new("lines", PREVIEW);
    listing.rows = previews.iter().flat_map(rows).collect();
    match context.out.format() {
        Format::Json => context.out.objects([
            ("month", json!(month)),
            ("previews", previews.iter().map(views::value).collect::<Value>()),
        ])?,
        Format::Table => {
            context.out.listing(&listing)?;
            context.out.text(&sums(month, &previews))?;
        }
        _ => context.out.listing(&listing)?,
    }
    for one in &previews {
        for warning in &one.warnings {
            context.out.warn(&format!("{}: {warning}", one.client));
        }
    }
    if previews.is_empty() && context.out.format() == Format::Table {
        context.out.note("No clients.");
    }
    Ok(())
}

fn rows(preview: &Preview) -> Vec<Row> {
    let mut rows: Vec<Row> = preview
        .lines
        .iter()
        .map(|line| {
            let usage = preview.usage.iter().find(|usage| usage.assistant == line.assistant);
            row(preview, &line.assistant, usage, Some(line))
        })
        .collect();
    // Those for whom nothing is paid are looked for all the same.
    let billed: BTreeSet<&str> = preview.lines.iter().map(|line| line.assistant.as_str()).collect();
    let free = preview.usage.iter().filter(|usage| !billed.contains(usage.assistant.as_str()));
    rows.extend(free.map(|usage| row(preview, &usage.assistant, Some(usage), None)));
    rows
}

fn row(preview: &Preview, assistant: &str, usage: Option<&Usage>, line: Option<&Line>) -> Row {
    let of = |used: u64, covered: Option<u64>| match covered {
        Some(covered) => format!("{used}/{covered}"),
        None => used.to_string(),
    };
    let calls = usage.map(|usage| (usage.calls, usage.covered_calls));
    let minutes = usage.map(|usage| (usage.seconds.div_ceil(60), usage.covered_minutes));
    let counted = |pair: Option<(u64, Option<u64>)>| match pair {
        Some((used, covered)) => Cell::shown(used.to_string(), of(used, covered)),
        None => Cell::none(),
    };
    Row {
        id: preview.client.clone(),
        json: json!({
            "client": preview.client,
            "assistant": assistant,
            "usage": usage,
            "line": line,
            "invoice": preview.invoice,
        }),
        cells: vec![
            Cell::same(&preview.client).tone(Tone::Strong),
            Cell::same(assistant),
            Cell::maybe(usage.and_then(|usage| usage.plan.as_deref())),
            counted(calls),
            counted(minutes),
            Cell::maybe(line.map(|line| line.what.item())),
            Cell::maybe(line.map(|line| line.quantity.to_string())),
            Cell::maybe(line.map(|line| line.price.to_string())),
            Cell::maybe(line.map(|line| line.net.to_string())),
            Cell::maybe(preview.invoice.as_deref()),
        ],
    }
}

/// What each client is to pay, and all of them.
fn sums(month: Month, previews: &[Preview]) -> String {
    let longest = previews.iter().map(|one| one.client.chars().count()).max().unwrap_or(0);
    let mut lines = vec![String::new()];
    for one in previews {
        let gap = " ".repeat(longest - one.client.chars().count());
        lines.push(format!(
            "{}{gap}  {month}  net {:>10}  VAT {:>9}  total {:>10} {}",
            one.client,
            one.net.to_string(),
            one.tax.to_string(),
            one.total.to_string(),
            one.currency
        ));
    }
    if previews.len() > 1 {
        let total: Cents = previews.iter().map(|one| one.total).sum();
        lines.push(format!("in all  {total} EUR"));
    }
    lines.join("\n") + "\n"
}

fn close(args: &Close, context: &Context) -> Result<u8> {
    let desk = context.desk("billing close")?;
    let closed = desk.close_month(args.month, args.client.as_deref())?;
    let mut listing = Listing::new("closed", CLOSED);
    listing.rows = closed.iter().map(closed_row).collect();
    listing.beside.insert("month".to_owned(), json!(args.month));
    context.out.listing(&listing)?;
    let count = |closing| closed.iter().filter(|one| one.closing == closing).count() as u64;
    let issued = human::count(count(Closing::Issued), "bill", "bills");
    let before = match count(Closing::Unchanged) {
        0 => String::new(),
        before => format!(" {} issued before.", human::count(before, "was", "were")),
    };
    context.out.note(&format!("{issued} issued for {}.{before}", args.month));
    let failed = count(Closing::Failed);
    if failed == 0 {
        return Ok(exit::OK);
    }
    let failed = human::count(failed, "bill", "bills");
    context.out.say(&format!(
        "{failed} could not be issued: mend what is told above, and close the month again; the others stay as they are."
    ));
    Ok(exit::FAILURE)
}

fn closed_row(one: &Closed) -> Row {
    let tone = match one.closing {
        Closing::Issued => Tone::Good,
        Closing::Failed => Tone::Bad,
        Closing::TakenBack => Tone::Warning,
        Closing::Unchanged | Closing::Nothing => Tone::Faint,
    };
    Row {
        id: one.number.clone().unwrap_or_else(|| one.client.clone()),
        json: views::value(one),
        cells: vec![
            Cell::same(&one.client).tone(Tone::Strong),
            Cell::same(one.closing.as_str()).tone(tone),
            Cell::maybe(one.number.as_deref()),
            Cell::maybe(one.total.map(|total| total.to_string())),
            Cell::maybe(one.problem.as_deref()),
        ],
    }
}

const PLANS: [Column; 8] = [
    Column::new("plan", "plan"),
    Column::new("month", "month").right(),
    Column::new("setup", "set-up").right(),
    Column::new("calls", "calls").right(),
    Column::new("call", "call beyond").right(),
    Column::new("minutes", "minutes").right(),
    Column::new("minute", "minute beyond").right(),
    Column::new("at_limit", "at the limit"),
];

fn check(args: &Check, context: &Context) -> Result<()> {
    context.here("billing check")?;
    let catalogue = match &args.file {
        Some(file) => Catalogue::open(file)?,
        None => context.catalogue()?,
    };
    let mut listing = Listing::new("plans", PLANS);
    for (name, plan) in &catalogue.plans {
        let call = plan.call.as_ref().map(|price| {
            let prices = price.split(u64::MAX).into_iter().map(|(_, price)| price.to_string());
            prices.collect::<Vec<_>>().join(" ")
        });
        let many = |count: Option<u32>| Cell::maybe(count.map(|count| count.to_string()));
        let at_limit = json!(plan.at_limit);
        let cells = vec![
            Cell::same(name).tone(Tone::Strong),
            Cell::same(plan.month.to_string()),
            Cell::same(plan.setup.to_string()),
            many(plan.calls),
            Cell::maybe(call.as_deref()),
            many(plan.minutes),
            Cell::maybe(plan.minute.map(|price| price.to_string())),
            Cell::same(at_limit.as_str().unwrap_or_default()),
        ];
        let json = json!({
            "plan": name,
            "month": plan.month.to_string(),
            "setup": plan.setup.to_string(),
            "calls": plan.calls,
            "call": call,
            "minutes": plan.minutes,
            "minute": plan.minute.map(|price| price.to_string()),
            "at_limit": at_limit,
        });
        listing.rows.push(Row { id: name.clone(), json, cells });
    }
    context.out.listing(&listing)?;
    let clients = human::count(catalogue.clients.len() as u64, "client", "clients");
    let seller = match &catalogue.seller {
        Some(seller) => format!("{} bills", seller.company.name),
        None => "nobody is named who bills".to_owned(),
    };
    context.out.note(&format!("No mistakes: {seller}, {clients}."));
    if let Some(seller) = &catalogue.seller
        && let Some(number) = &seller.last_number
    {
        let series = seller.series(catalogue.allowances().day(context.now()?.timestamp()));
        if seller.last_elsewhere(&series).is_some() {
            context.out.note(&format!("Bills go on after {number}."));
        } else {
            context.out.warn(&format!(
                "`last_number` is {number}, and a bill of today begins with {series}: it is passed over"
            ));
        }
    }
    Ok(())
}

/// Columns of bills as rows, for a spreadsheet: their names are their headings.
pub(super) fn paper_columns() -> Vec<Column> {
    paper::COLUMNS.iter().map(|name| Column::new(name, name)).collect()
}
