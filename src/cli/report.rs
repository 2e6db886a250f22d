//! `webox report`: a client's month as one page for its inbox.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Context, exit, help};
use crate::{
    domain::{Error, Month, ReportLanguage, Result, ZoneName},
    operations::report::{Wanted, Whose},
};

/// Arguments of `webox report`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox report --client 'Restaurant Le Gourmet' --out novembre.html", "last month, for the client's inbox"),
        ("webox report --month 2026-11 --assistant le-gourmet --lang en > november.html", "of one assistant, in English"),
        ("webox report --month 2026-11 --out tous.html", "of all clients together"),
    ],
    &[exit::FAILURE, exit::DATA],
))]
pub struct Report {
    /// The month, such as 2026-11 [default: the last one that is over].
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// Of a client, by its name: of all its assistants.
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Of one assistant, by name or id.
    #[arg(long, value_name = "NAME", conflicts_with = "client")]
    assistant: Option<String>,
    /// The language of the page [default: French, unless no assistant of it speaks it first].
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Option<Language>,
    /// On whose clocks [default: those of the assistants, if they are the same; UTC otherwise].
    #[arg(long, value_name = "ZONE")]
    timezone: Option<ZoneName>,
    /// Write the page into this file; `-` and nothing mean standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    Fr,
    En,
}

pub(super) fn run(args: &Report, context: &Context) -> Result<()> {
    let desk = context.desk("report")?;
    let month =
        if let Some(month) = args.month {
            month
        } else {
            let today = context.now()?.date();
            Month::of(today.first_of_month().yesterday().map_err(|cause| {
                Error::input("there was no month before this one").because(cause)
            })?)
        };
    let whose = match (&args.client, &args.assistant) {
        (Some(client), _) => Whose::Client(client.clone()),
        (None, Some(name)) => Whose::Assistant(desk.assistant(name)?.id),
        (None, None) => Whose::All,
    };
    let language = args.lang.map(|language| match language {
        Language::Fr => ReportLanguage::French,
        Language::En => ReportLanguage::English,
    });
    let wanted = Wanted { month, whose, language, zone: args.timezone.clone() };
    let page = desk.report(&wanted)?;
    match args.out.as_deref().filter(|path| path.as_os_str() != "-") {
        None => context.out.text(&page),
        Some(path) => {
            std::fs::write(path, page).map_err(|cause| {
                Error::failure(format!("{} cannot be written", path.display()))
                    .hint("is its folder there, and may you write to it?")
                    .because(cause)
            })?;
            context.out.note(&format!("{month} is in {}.", path.display()));
            Ok(())
        }
    }
}
