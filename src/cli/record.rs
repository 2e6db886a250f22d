//! `webox record`: a conversation at the keyboard, kept as a rehearsal.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::{Context, daemon, exit, help, try_out};
use crate::{
    domain::{Actor, Error, Result},
    line::Clock,
    operations::{bookings, calls},
    rehearsal::{self, Call, Recorded, SUFFIX, Stage, State},
};

/// Arguments of `webox record`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox record le-gourmet", "talk, then find the call in le-gourmet.rehearsal.toml"),
        ("webox record le-gourmet --out assistants/le-gourmet.rehearsal.toml < lines.txt", "one utterance a line"),
    ],
    &[exit::FAILURE, exit::DATA],
))]
pub struct Record {
    /// The assistant, by name or id.
    name: String,
    /// The file to add the call to [default: NAME.rehearsal.toml].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// What to call the scenario [default: what the caller says first].
    #[arg(long, value_name = "TEXT")]
    scenario: Option<String>,
    /// The number to call from.
    #[arg(long, value_name = "NUMBER", default_value = rehearsal::CALLER)]
    from: String,
}

pub(super) fn run(args: &Record, context: &Context) -> Result<()> {
    let desk = context.desk("record")?;
    let mut assistant = desk.assistant(&args.name)?;
    assistant.spec = desk.with_texts(&assistant)?;
    let path = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}{SUFFIX}", assistant.spec.name)));
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(cause) => {
            return Err(Error::input(format!("cannot read {}", path.display())).because(cause));
        }
    };
    let text = daemon::runtime()?.block_on(talk(args, context, &assistant.spec, &text))?;
    let Some(text) = text else {
        context.out.note("Nothing was said, and nothing is kept.");
        return Ok(());
    };
    std::fs::write(&path, text)
        .map_err(|cause| Error::of_file(&path, "cannot be written", cause))?;
    let shown = path.display();
    context.out.note(&format!("Kept in {shown}. Play it with `webox test {shown}`."));
    let name = shown.to_string();
    let beside = format!("{}.toml", name.strip_suffix(SUFFIX).unwrap_or(&name));
    if !std::path::Path::new(&beside).exists() {
        context.out.note(&format!(
            "The assistant's file must stand beside it: `webox export {} > {beside}`.",
            assistant.spec.name
        ));
    }
    Ok(())
}

async fn talk(
    args: &Record,
    context: &Context,
    spec: &crate::domain::AssistantSpec,
    text: &str,
) -> Result<Option<String>> {
    // To the minute, as it will be written: what is said of the time must be the same again.
    let minute = Timestamp::now().as_second() / 60 * 60;
    let at = Timestamp::from_second(minute)
        .map_err(|error| Error::failure("the clock is wrong").because(error))?;
    let models = daemon::models(context.settings()?);
    let spec = rehearsal::rehearsed(spec, Some(&spec.ai.model));
    let stage = Stage::set(spec, models, Clock::set_to(at)).await?;
    let phone = stage.assistant.spec.phone.number.clone();
    let (mut call, greeting) = Call::place(stage.daemon.caller(), &args.from, &phone).await?;
    let said = try_out::converse(&mut call, &greeting, false, context).await?;
    call.hang_up().await?;
    if said.is_empty() {
        stage.daemon.stop().await?;
        return Ok(None);
    }
    let (stored, turns) = calls::show(&stage.store, &Actor::webox("record"), call.sid())?;
    let bookings = bookings::of_call(&stage.store, stored.id)?;
    let messages = calls::messages(&stage.store, stored.id)?;
    let first = said.iter().find(|words| !words.trim().is_empty());
    let name = args.scenario.clone().or_else(|| first.cloned());
    let recorded = Recorded {
        name: name.as_deref().unwrap_or("silence"),
        at: at.to_zoned_datetime(stage.assistant.spec.zone()).datetime(),
        from: &args.from,
        said: &said,
        turns: &turns,
        bookings: &bookings,
        messages: &messages,
        state: call.state(),
    };
    let text = rehearsal::append(text, &recorded)?;
    if matches!(call.state(), State::Listening) {
        context.out.note("You hung up.");
    }
    stage.daemon.stop().await?;
    Ok(Some(text))
}
