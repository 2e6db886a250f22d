//! The terminal: one file a noun. It reads arguments, asks questions and prints; it decides nothing.
//!
//! [`main`] is the one place where errors are told and exit codes are chosen.

mod alerts;
mod apply;
mod arguments;
mod assistants;
mod audit;
mod backup;
mod bench;
mod billing;
mod bookings;
mod call;
mod calls;
mod campaign;
mod complete;
mod contacts;
mod context;
mod costs;
mod credentials;
mod daemon;
mod datasets;
mod deliveries;
mod demo;
mod desk;
mod diagnostics;
mod do_not_call;
mod doctor;
pub mod exit;
mod export;
mod help;
mod history;
mod human;
mod import;
mod init;
mod invoices;
mod junit;
mod knowledge;
mod logging;
mod login;
mod manual;
mod margin;
mod numbers;
#[doc(hidden)]
pub mod offline;
mod outbound;
pub mod output;
mod plan;
mod plan_text;
mod privacy;
mod progress;
mod prompt;
mod providers;
mod rates;
mod record;
mod rehearse;
mod replay;
mod report;
mod schema;
mod secrets;
mod serve;
mod settings;
mod sheet;
mod stats;
mod tokens;
mod top;
mod transcripts;
mod try_aloud;
mod try_out;
mod twilio;
mod users;
mod validate;
mod views;
mod voices;
mod watch;
mod whoami;
mod window;
mod wiring;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, error::ErrorKind};

pub use arguments::{Cli, Command};
pub use context::Context;
use output::Output;

use crate::{config::Environment, domain::Result};

/// Runs a command line to its end.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let environment = Environment::of_process();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return not_run(&error, &args, &environment),
    };
    let context = Context::new(&cli.global, environment);
    let done = run(&cli, &context).and_then(|code| context.out.flush().map(|()| code));
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) if error.is_broken_pipe() => ExitCode::from(exit::OK),
        Err(error) => {
            context.out.error(&error);
            ExitCode::from(exit::code(error.kind()))
        }
    }
}

/// Does what is asked; answers the exit code of a command that did it.
fn run(cli: &Cli, context: &Context) -> Result<u8> {
    logging::start(cli, context)?;
    match &cli.command {
        Command::Assistants(args) => assistants::run(args, context),
        Command::Calls(args) => calls::run(args, context),
        Command::Bookings(args) => bookings::run(args, context),
        Command::Contacts(args) => contacts::run(args, context),
        Command::Call(args) => call::run(args, context),
        Command::Campaign(args) => campaign::run(args, context),
        Command::Outbound(args) => outbound::run(args, context),
        Command::DoNotCall(args) => do_not_call::run(args, context),
        Command::Deliveries(args) => deliveries::run(args, context),
        Command::Knowledge(args) => knowledge::run(args, context),
        Command::Transcripts(args) => transcripts::run(args, context),
        Command::Top(args) => top::run(args, context),
        Command::Stats(args) => stats::run(args, context),
        Command::Report(args) => report::run(args, context),
        Command::Alerts(args) => alerts::run(args, context),
        Command::Costs(args) => costs::run(args, context),
        Command::Rates(args) => rates::run(args, context),
        Command::Billing(args) => return billing::run(args, context),
        Command::Invoices(args) => invoices::run(args, context),
        Command::Margin(args) => margin::run(args, context),
        Command::Validate(args) => validate::run(args, context),
        Command::Plan(args) => return plan::run(args, context),
        Command::Apply(args) => apply::run(args, context),
        Command::Numbers(args) => return numbers::run(args, context),
        Command::Twilio(args) => twilio::run(args, context),
        Command::Export(args) => return export::run(args, context),
        Command::History(args) => history::run(args, context),
        Command::Rollback(args) => history::rollback(args, context),
        Command::Users(args) => users::run(args, context),
        Command::Tokens(args) => tokens::run(args, context),
        Command::Secrets(args) => secrets::run(args, context),
        Command::Audit(args) => audit::run(args, context),
        Command::Privacy(args) => privacy::run(args, context),
        Command::Backup(args) => backup::run(args, context),
        Command::Init(args) => init::run(args, context),
        Command::Doctor(args) => return doctor::run(args, context),
        Command::Login(args) => login::login(args, context),
        Command::Logout(args) => login::logout(args, context),
        Command::Whoami(args) => whoami::run(args, context),
        Command::Schema(args) => schema::run(args, context),
        Command::Import(args) => import::run(args, context),
        Command::Serve(args) => serve::run(args, context),
        Command::Demo(args) => demo::run(args, cli, context),
        Command::Try(args) => try_out::run(args, context),
        Command::Test(args) => return rehearse::run(args, context),
        Command::Bench(args) => return bench::run(args, context),
        Command::Record(args) => record::run(args, context),
        Command::Replay(args) => replay::run(args, context),
        Command::Providers(args) => return providers::run(args, context),
        Command::Voices(args) => voices::run(args, context),
        Command::Config(args) => settings::run(args, context),
        Command::Completions(args) => complete::run(args, context),
        Command::Man(args) => manual::run(args, context),
    }?;
    Ok(exit::OK)
}

/// Help and versions are answers; anything else that clap says is a wrong command line.
fn not_run(error: &clap::Error, args: &[OsString], environment: &Environment) -> ExitCode {
    let out = Output::new(&arguments::wishes_in(args), environment);
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let text = error.render();
        let text = if out.colour().is_on() { text.ansi().to_string() } else { text.to_string() };
        let printed = out.text(&text).and_then(|()| out.flush());
        return match printed {
            Err(error) if !error.is_broken_pipe() => ExitCode::from(exit::FAILURE),
            _ => ExitCode::from(exit::OK),
        };
    }
    out.usage(error);
    ExitCode::from(exit::USAGE)
}
