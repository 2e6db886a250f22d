//! `webox invoices`: bills that were issued.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{
    Context, billing, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    prompt,
    sheet::Sheet,
    views,
};
use crate::{
    billing::{
        invoice::{Invoice, Issued},
        paper,
    },
    domain::{Error, Kind, Month, Result},
};

/// Arguments of `webox invoices`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox invoices --month 2026-11", "the bills of a month"),
        ("webox invoices export F2026-0001 --format html > F2026-0001.html", "a page that prints well"),
        ("webox invoices export --month 2026-11 --format pdf --into factures/", "for people and programs alike: Factur-X"),
        ("webox invoices export --month 2026-11 --format xml --into factures/", "for a program: EN 16931, as Factur-X carries it"),
        ("webox invoices export --month 2026-11 --format csv > factures.csv", "a row a line, for a spreadsheet"),
        ("webox invoices credit F2026-0001", "takes a bill back, by a credit note"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::USAGE, exit::DATA, exit::DENIED, exit::CONFIG],
))]
pub struct Invoices {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: Which,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List bills, the newest first (the same as `webox invoices`).
    List(Which),
    /// Show one bill.
    Show(Named),
    /// Print bills for people or programs, or write a file for each.
    Export(Export),
    /// Take a bill back, whole, by a credit note; asks first.
    Credit(Credit),
}

/// Which bills.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
struct Which {
    /// For a month, such as 2026-11.
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// Of a client, by the name that assistants' files give.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
}

#[derive(Debug, Args)]
struct Named {
    /// Its number.
    #[arg(value_name = "NUMBER")]
    number: String,
}

#[derive(Debug, Args)]
struct Credit {
    #[command(flatten)]
    named: Named,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

/// As what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum As {
    /// Comma-separated values, a row a line of a bill, with a heading.
    Csv,
    /// One object, with all bills.
    Json,
    /// JSON, a bill a line.
    Jsonl,
    /// A page that needs nothing else, and prints on A4.
    Html,
    /// A4 for people, with the XML within it for programs: Factur-X (PDF/A-3b).
    Pdf,
    /// Cross Industry Invoice in the profile of EN 16931.
    Xml,
}

#[derive(Debug, Args)]
struct Export {
    /// Those with these numbers; all of the filter otherwise.
    #[arg(value_name = "NUMBER", conflicts_with_all = ["month", "client"])]
    numbers: Vec<String>,
    #[command(flatten)]
    which: Which,
    /// As what.
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    format: As,
    /// Write a file for each into this folder.
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

const COLUMNS: [Column; 10] = [
    Column::new("number", "number"),
    Column::new("issued", "issued"),
    Column::new("due", "due"),
    Column::new("month", "month"),
    Column::new("client", "client"),
    Column::new("net", "net").right(),
    Column::new("tax", "VAT").right(),
    Column::new("total", "total").right(),
    Column::new("currency", "currency").hidden(),
    Column::new("credit", "taken back"),
];

pub(super) fn run(args: &Invoices, context: &Context) -> Result<()> {
    if args.action.is_some() && args.list != Which::default() {
        return Err(Error::usage("flags of the list stand before the name of an action")
            .hint("write them after it: `webox invoices list --month 2026-11`"));
    }
    match &args.action {
        None => list(&args.list, context),
        Some(Action::List(args)) => list(args, context),
        Some(Action::Show(args)) => show(args, context),
        Some(Action::Export(args)) => export(args, context),
        Some(Action::Credit(args)) => credit(args, context),
    }
}

fn list(args: &Which, context: &Context) -> Result<()> {
    let invoices = context.desk("invoices")?.invoices(args.month, args.client.as_deref())?;
    context.out.listing(&table(&invoices))?;
    if invoices.is_empty() && context.out.format() == Format::Table {
        context.out.note("No bills.");
    }
    Ok(())
}

fn table(invoices: &[Issued]) -> Listing {
    let mut listing = Listing::new("invoices", COLUMNS);
    listing.rows = invoices.iter().map(row).collect();
    listing
}

fn row(issued: &Issued) -> Row {
    let Issued { invoice, credited_by } = issued;
    let credit = match (&invoice.credits, credited_by) {
        (Some(credited), _) => Cell::same(format!("takes back {}", credited.number)),
        (None, Some(credit)) => Cell::same(format!("by {credit}")).tone(Tone::Warning),
        (None, None) => Cell::shown("", ""),
    };
    Row {
        id: invoice.number.clone(),
        json: views::value(issued),
        cells: vec![
            Cell::same(&invoice.number).tone(Tone::Strong),
            Cell::same(invoice.issued.to_string()),
            Cell::same(invoice.due.to_string()),
            Cell::same(invoice.month.to_string()),
            Cell::same(&invoice.client),
            Cell::same(invoice.net.to_string()),
            Cell::same(invoice.tax.to_string()),
            Cell::same(invoice.total.to_string()),
            Cell::same(&invoice.currency),
            credit,
        ],
    }
}

fn show(args: &Named, context: &Context) -> Result<()> {
    tell(&context.desk("invoices show")?.invoice(&args.number)?, context)
}

fn tell(issued: &Issued, context: &Context) -> Result<()> {
    let Issued { invoice, credited_by } = issued;
    match context.out.format() {
        Format::Json => context.out.object("invoice", views::value(issued)),
        Format::Table | Format::Text => {
            let mut sheet = Sheet::default();
            sheet.add("number", &invoice.number);
            let credits = invoice.credits.as_ref().map(|credited| credited.number.as_str());
            sheet.maybe("takes back", credits);
            if let Some(credit) = credited_by {
                sheet.add("taken back by", credit);
            }
            sheet.add("client", &invoice.client);
            sheet.add("buyer", &invoice.buyer.name);
            sheet.add("month", invoice.month.to_string());
            sheet.add("issued", invoice.issued.to_string());
            sheet.add("due", invoice.due.to_string());
            for line in paper::table(invoice) {
                let [.., assistant, _, what, quantity, price, net, _, _, _] = line;
                sheet.add(assistant, format!("{what}: {quantity} × {price} = {net}"));
            }
            sheet.add("net", invoice.net.to_string());
            sheet.add("VAT", invoice.tax.to_string());
            sheet.add("total", format!("{} {}", invoice.total, invoice.currency));
            context.out.listing(&sheet.into_listing())
        }
        _ => context.out.listing(&table(std::slice::from_ref(issued))),
    }
}

fn credit(args: &Credit, context: &Context) -> Result<()> {
    let desk = context.desk("invoices credit")?;
    let issued = desk.invoice(&args.named.number)?;
    let bill = &issued.invoice;
    let what = format!("{} of {} over {} {}", bill.number, bill.client, bill.total, bill.currency);
    if !args.yes && !prompt::confirm(context, &format!("Take back the bill {what}?"), "--yes")? {
        return Err(Error::new(Kind::Refused, "nothing was taken back"));
    }
    let credit = desk.credit_invoice(&bill.number)?;
    tell(&credit, context)?;
    context.out.note(&format!(
        "{} takes back {}. `webox billing close --month {} --client \"{}\"` issues another bill.",
        credit.invoice.number, bill.number, bill.month, bill.client
    ));
    Ok(())
}

fn export(args: &Export, context: &Context) -> Result<()> {
    let desk = context.desk("invoices export")?;
    let invoices = if args.numbers.is_empty() {
        let mut all = desk.invoices(args.which.month, args.which.client.as_deref())?;
        // As they follow each other.
        all.reverse();
        all
    } else {
        args.numbers.iter().map(|number| desk.invoice(number)).collect::<Result<_>>()?
    };
    if let Some(folder) = &args.into {
        return into(folder, args.format, &invoices, context);
    }
    match (args.format, invoices.as_slice()) {
        (As::Csv, _) => context.out.csv(&lines(&invoices)),
        (As::Json, _) => {
            let all: Value = invoices.iter().map(views::value).collect();
            context.out.objects([("invoices", all)])
        }
        (As::Jsonl, _) => {
            for issued in &invoices {
                context.out.text(&format!("{}\n", views::value(issued)))?;
            }
            Ok(())
        }
        (As::Pdf, [_]) if context.out.is_terminal() => {
            Err(Error::usage("a PDF is not for a terminal")
                .hint("write it into a file with `>`, or into a folder with --into"))
        }
        (As::Html | As::Pdf | As::Xml, [issued]) => {
            context.out.bytes(&whole(args.format, issued, context)?)
        }
        (As::Html | As::Pdf | As::Xml, _) => {
            let count = human::count(invoices.len() as u64, "bill", "bills");
            Err(Error::usage(format!("{count} cannot be one file"))
                .hint("name one by its number, or a folder with --into"))
        }
    }
}

/// The lines of bills, as rows.
fn lines(invoices: &[Issued]) -> Listing {
    let mut listing = Listing::new("lines", billing::paper_columns());
    let rows = |invoice: &Invoice| {
        paper::table(invoice)
            .into_iter()
            .map(|line| {
                let json = paper::COLUMNS
                    .iter()
                    .zip(&line)
                    .map(|(name, value)| ((*name).to_owned(), json!(value)));
                Row {
                    id: line[0].clone(),
                    json: Value::Object(json.collect()),
                    cells: line.iter().map(Cell::same).collect(),
                }
            })
            .collect::<Vec<_>>()
    };
    listing.rows = invoices.iter().flat_map(|issued| rows(&issued.invoice)).collect();
    listing
}

/// One bill as a file of its own.
fn whole(format: As, issued: &Issued, context: &Context) -> Result<Vec<u8>> {
    Ok(match format {
        As::Pdf => paper::pdf(&issued.invoice)?,
        As::Html => paper::page(&issued.invoice).into_bytes(),
        As::Xml => paper::cii(&issued.invoice)?.into_bytes(),
        As::Json | As::Jsonl => format!("{}\n", views::value(issued)).into_bytes(),
        As::Csv => context.out.as_csv(&lines(std::slice::from_ref(issued)))?.into_bytes(),
    })
}

fn into(folder: &Path, format: As, invoices: &[Issued], context: &Context) -> Result<()> {
    let unwritten = |path: &Path, cause: std::io::Error| {
        Error::failure(format!("{} could not be written", path.display())).because(cause)
    };
    std::fs::create_dir_all(folder).map_err(|cause| unwritten(folder, cause))?;
    let ending = match format {
        As::Csv => "csv",
        As::Json => "json",
        As::Jsonl => "jsonl",
        As::Html => "html",
        As::Pdf => "pdf",
        As::Xml => "xml",
    };
    for issued in invoices {
        let name = issued.invoice.number.replace('/', "-");
        let path = folder.join(format!("{name}.{ending}"));
        let bytes = whole(format, issued, context)?;
        // What has the name is whole.
        let write = || -> std::io::Result<()> {
            let mut part = tempfile::Builder::new().prefix(".webox-").tempfile_in(folder)?;
            part.write_all(&bytes)?;
            part.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|cause| unwritten(&path, cause))?;
        context.out.text(&format!("{}\n", path.display()))?;
    }
    let count = human::count(invoices.len() as u64, "bill", "bills");
    context.out.note(&format!("{count} written."));
    Ok(())
}
