//! The command tree, and the flags that every command takes.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use super::{
    alerts, apply, assistants, audit, backup, bench, billing, bookings, call, calls, campaign,
    complete, contacts, costs, deliveries, demo, do_not_call, doctor, export, help, history,
    import, init, invoices, knowledge, login, manual, margin, numbers, outbound,
    output::{ColourChoice, Format, Wishes},
    plan, privacy, providers, rates, record, rehearse, replay, report, schema, secrets, serve,
    settings, stats, tokens, top, transcripts, try_out, twilio, users, validate, voices, whoami,
};
use crate::domain::EmailAddress;

/// Phone assistants for an agency's clients: one program, one file.
#[derive(Debug, Parser)]
#[command(
    name = "webox",
    version = help::version(),
    about,
    after_long_help = help::root(),
    arg_required_else_help = true,
    max_term_width = 100,
    propagate_version = false,
)]
pub struct Cli {
    /// Flags for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands: nouns first, then what concerns the whole.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List, create and change assistants.
    Assistants(assistants::Assistants),
    /// Look for, buy, connect, check and give back numbers at Twilio.
    Numbers(numbers::Numbers),
    /// Compare the calls that Twilio has had with those that are known here.
    Twilio(twilio::Twilio),
    /// List calls, or show one turn by turn.
    Calls(calls::Calls),
    /// List what was booked, book and cancel by hand.
    Bookings(bookings::Bookings),
    /// List, show, correct and export who called.
    Contacts(contacts::Contacts),
    /// Have an assistant call somebody.
    Call(call::Call),
    /// Have an assistant call everybody on a list, within hours, and again who was not reached.
    Campaign(campaign::Campaign),
    /// List the calls that assistants were asked to make.
    Outbound(outbound::Outbound),
    /// List who is not to be called, add and remove numbers.
    DoNotCall(do_not_call::DoNotCall),
    /// List what others were told, and try it again.
    Deliveries(deliveries::Deliveries),
    /// Documents that assistants look things up in.
    Knowledge(knowledge::Knowledge),
    /// Look for words in what was said.
    Transcripts(transcripts::Transcripts),
    /// Watch what goes on, live.
    Top(top::Top),
    /// Show how many calls there were, how long, how good.
    Stats(stats::Stats),
    /// Write a client's month as one page for its inbox.
    Report(report::Report),
    /// Show what is too much and who was told; silence, acknowledge, try who can be told.
    Alerts(alerts::Alerts),
    /// Show what was spent, and on what.
    Costs(costs::Costs),
    /// Show and check the prices that costs are reckoned by.
    Rates(rates::Rates),
    /// Show what clients owe for a month, and bill it.
    Billing(billing::Billing),
    /// List, show and export bills; take one back.
    Invoices(invoices::Invoices),
    /// Show what is left of what clients pay.
    Margin(margin::Margin),
    /// Check files of assistants, without a store.
    Validate(validate::Validate),
    /// Show what applying files would change.
    #[command(visible_alias = "diff")]
    Plan(plan::PlanArguments),
    /// Make the store as files say: all of it or nothing.
    Apply(apply::Apply),
    /// Write assistants back to files, or rows of calls and the like to one.
    Export(export::Export),
    /// Show who changed what: applies, or the versions of an assistant.
    History(history::History),
    /// Take an assistant back to an earlier version.
    Rollback(history::Rollback),
    /// Add users, and say what they may do.
    Users(users::Users),
    /// Make and revoke keys to the API.
    Tokens(tokens::Tokens),
    /// Keep secrets: set, list, delete; never show.
    Secrets(secrets::Secrets),
    /// Show who did what, and check that nothing was changed.
    Audit(audit::Audit),
    /// Hand out or forget what is kept of one caller.
    Privacy(privacy::Privacy),
    /// Make backups, list, verify and restore them.
    Backup(backup::Backup),
    /// Set up from nothing: database, keys, Twilio, a first assistant; asks, or takes flags.
    Init(init::Init),
    /// Check everything that a call needs, and say what to do.
    Doctor(doctor::Doctor),
    /// Keep a key for a daemon far away.
    Login(login::Login),
    /// Forget such a key.
    Logout(login::Logout),
    /// Show whose key is used, and how far it reaches.
    Whoami(whoami::WhoAmI),
    /// Print the JSON Schema of an assistant's file.
    Schema(schema::Schema),
    /// Bring assistants and calls over from the prototype.
    Import(import::Import),
    /// Answer the phone: run the daemon.
    Serve(serve::Serve),
    /// Play a whole call on this machine, without any account.
    Demo(demo::Demo),
    /// Talk to an assistant by typing.
    Try(try_out::Try),
    /// Play rehearsals: tests of a conversation.
    Test(rehearse::Test),
    /// Keep a typed conversation as a rehearsal.
    Record(record::Record),
    /// Say what a past caller said to today's assistant.
    Replay(replay::Replay),
    /// Play many calls at once, and measure how they are answered.
    Bench(bench::Bench),
    /// Show how models, ears and mouths stand, or ask each of them once.
    Providers(providers::Providers),
    /// List the voices of those that speak, and hear one.
    Voices(voices::Voices),
    /// Show the settings in force, and where each comes from.
    Config(settings::Config),
    /// Print the completions of a shell.
    Completions(complete::Completions),
    /// Write the manual pages into a folder.
    Man(manual::Man),
}

/// Flags that every command takes, before or after its name.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// How data is printed [default: table on a terminal, tsv otherwise].
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT")]
    pub output: Option<Format>,
    /// Which columns of a table, tsv or csv to print, separated by commas; otherwise a table leaves out
    /// those that a narrow terminal has no room for.
    #[arg(long, global = true, value_delimiter = ',', value_name = "NAMES")]
    pub columns: Option<Vec<String>>,
    /// The database file.
    #[arg(long, global = true, value_name = "FILE")]
    pub db: Option<PathBuf>,
    /// The settings file.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The daemon to ask, instead of the database on this machine.
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// Act as a user, and see and do only what that user may.
    #[arg(long = "as", global = true, value_name = "EMAIL")]
    pub act_as: Option<EmailAddress>,
    /// When to colour.
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    pub color: Option<ColourChoice>,
    /// Ask nothing: fail where a question would come.
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Say less: data and errors only.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more on stderr; twice for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Read and show times in UTC.
    #[arg(long, global = true)]
    pub utc: bool,
}

impl Global {
    /// What they say about output.
    pub(super) fn wishes(&self) -> Wishes {
        Wishes {
            format: self.output,
            columns: self.columns.clone(),
            colour: self.color,
            quiet: self.quiet,
        }
    }
}

/// What a command line that could not be read says about output.
pub(super) fn wishes_in(args: &[OsString]) -> Wishes {
    let mut wishes = Wishes::default();
    let words: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    let value = |at: usize, short: Option<&str>, long: &str| {
        let word = words[at];
        if Some(word) == short || word == long {
            return words.get(at + 1).copied();
        }
        let short = short.and_then(|short| word.strip_prefix(short).filter(|v| !v.is_empty()));
        short.or_else(|| word.strip_prefix(long).and_then(|rest| rest.strip_prefix('=')))
    };
    for at in 0..words.len() {
        if let Some(text) = value(at, Some("-o"), "--output") {
            wishes.format = clap::ValueEnum::from_str(text, false).ok();
        }
        if let Some(text) = value(at, None, "--color") {
            wishes.colour = clap::ValueEnum::from_str(text, false).ok();
        }
    }
    wishes
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wishes_are_found_in_a_wrong_command_line() {
        for line in [["-o", "json"], ["--output=json", ""], ["-ojson", ""]] {
            let args: Vec<OsString> = line.iter().map(OsString::from).collect();
            assert_eq!(wishes_in(&args).format, Some(Format::Json), "{line:?}");
        }
        assert_eq!(wishes_in(&["--color=never".into()]).colour, Some(ColourChoice::Never));
    }
}
