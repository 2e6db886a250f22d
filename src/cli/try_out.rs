//! `webox try`: talk to an assistant by typing, over the same road as a call; or in sound, see
//! `try_aloud`. On a database that is thrown away: a call in the agency's own is billed, and tells people of
//! bookings that nobody made.

use std::{
    io::{BufRead, IsTerminal},
    path::PathBuf,
};

use clap::Args;

use super::{Context, daemon, exit, help, output::Tone, progress::Waiting, try_aloud};
use crate::{
    domain::{AssistantSpec, Error, PhoneNumber, Result},
    line::Clock,
    operations::endpoints::Endpoints,
    rehearsal::{self, Call, Daemon, Heard, Human, Humans, Stage, State},
};

/// Of those that the French numbering plan keeps for works of fiction (06 39 98 and four figures, ARCEP).
const NOBODYS: &str = "+33639980000";

/// Arguments of `webox try`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox try le-gourmet", "type what a caller would say; an empty line is silence"),
        ("webox try le-gourmet --line", "show the TwiML of every answer as well"),
        ("webox try le-gourmet --human refuses", "whoever is rung does not take the call"),
        ("webox try le-gourmet < script.txt", "one utterance a line"),
        ("webox try le-gourmet --audio hello.wav question.wav", "recordings speak for the caller"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA, exit::CONFIG],
))]
pub struct Try {
    /// The assistant, by name or id.
    pub(super) name: String,
    /// Show what goes over the line: the TwiML of every answer.
    #[arg(long)]
    pub(super) line: bool,
    /// The number to call from; one that nobody has, otherwise.
    #[arg(long, value_name = "NUMBER", default_value = NOBODYS)]
    pub(super) from: String,
    /// Keep the call as one that was made: it books, tells people, counts and is billed.
    #[arg(long)]
    pub(super) keep: bool,
    /// On the line `stream`: recordings that speak for the caller, one after the other, in real time.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) audio: Vec<PathBuf>,
    /// What a human who is rung does.
    #[arg(long, value_name = "WHAT", default_value = "answers", conflicts_with = "audio",
          value_parser = ["answers", "refuses", "busy", "no-answer"])]
    pub(super) human: String,
    /// Where the call goes as a WAV file, the caller on the left; `webox-call-SID.wav` otherwise.
    #[arg(long, value_name = "FILE", requires = "audio")]
    pub(super) out: Option<PathBuf>,
}

impl Try {
    fn humans(&self) -> Humans {
        Humans::new(Human::read(&self.human).into_iter().collect())
    }
}

pub(super) fn run(args: &Try, context: &Context) -> Result<()> {
    if args.keep && context.is_far()? {
        return Err(Error::usage("--keep is for a database here")
            .hint("log in to the machine of that daemon, and run it there"));
    }
    let mut assistant = context.desk("try")?.assistant(&args.name)?;
    if !args.keep {
        assistant.spec = tried(context.desk("try")?.with_texts(&assistant)?, context)?;
    }
    let asks = asked(context)?;
    if !args.audio.is_empty() {
        return daemon::runtime()?.block_on(try_aloud::run(args, context, assistant.spec, asks));
    }
    daemon::runtime()?.block_on(async {
        let models = daemon::models(context.settings()?);
        let phone = assistant.spec.phone.number.clone();
        if args.keep {
            let store = context.store_to_reckon()?;
            let daemon = Daemon::start_asking(store, models, Clock::system(), asks).await?;
            talk(args, context, &daemon, &phone).await?;
            return daemon.stop().await;
        }
        let stage = Stage::set_asking(assistant.spec, models, Clock::system(), asks).await?;
        talk(args, context, &stage.daemon, &phone).await?;
        stage.daemon.stop().await
    })
}

/// The assistant as it is tried: in service, and thought for by the models of this machine. Its own of a
/// daemon far away may not be had here, so that it has but one.
fn tried(spec: AssistantSpec, context: &Context) -> Result<AssistantSpec> {
    if context.is_far()? {
        return Ok(rehearsal::rehearsed(&spec, Some(&spec.ai.model)));
    }
    Ok(AssistantSpec { active: true, ..spec })
}

/// What an assistant that is tried may ask: what it asks when it is called, where that is known here.
fn asked(context: &Context) -> Result<Endpoints> {
    if context.is_far()? {
        return Ok(Endpoints::default());
    }
    daemon::endpoints(context.settings()?, &context.store()?)
}

async fn talk(args: &Try, context: &Context, daemon: &Daemon, phone: &PhoneNumber) -> Result<()> {
    let (mut call, greeting) =
        Call::place_with(daemon.caller(), &args.from, phone, args.humans()).await?;
    context.out.note("Type what the caller says; an empty line is silence, Ctrl-D hangs up.");
    let talked = converse(&mut call, &greeting, args.line, context).await;
    if talked.is_err() {
        // Whatever went wrong, the call is over.
        call.hang_up().await?;
    }
    talked?;
    match call.state() {
        State::Listening => context.out.note("You hung up."),
        State::HungUp => context.out.note("The assistant hung up."),
        State::Transferred(number) => context.out.note(&format!("The call goes to {number}.")),
    }
    call.hang_up().await?;
    tell_of(args, context, call.sid().as_str());
    Ok(())
}

/// Where the call is to be seen again.
pub(super) fn tell_of(args: &Try, context: &Context, sid: &str) {
    context.out.note(&if args.keep {
        format!("See it again: webox calls show {sid}")
    } else {
        "Nothing of it is kept; `--keep` keeps a call, with all that comes of one.".to_owned()
    });
}

/// Types back and forth until one side hangs up; answers what the caller said.
pub(super) async fn converse(
    call: &mut Call<'_>,
    greeting: &Heard,
    line: bool,
    context: &Context,
) -> Result<Vec<String>> {
    show(line, context, greeting)?;
    let typing = std::io::stdin().is_terminal();
    let mut said = Vec::new();
    while *call.state() == State::Listening {
        let Some(words) = next_line(typing).await? else { break };
        if !typing {
            let caller = context.out.colour().paint(Tone::Strong, "caller");
            context.out.text(&format!("{caller}     {words}\n"))?;
        }
        let thinking = Waiting::begin(context, "thinking");
        let heard = call.say(&words).await?;
        drop(thinking);
        said.push(words);
        show(line, context, &heard)?;
    }
    Ok(said)
}

/// A line from the keyboard or the pipe; nothing at its end. Read on a thread that may block.
async fn next_line(typing: bool) -> Result<Option<String>> {
    let read = tokio::task::spawn_blocking(move || {
        if typing {
            eprint_prompt();
        }
        let mut line = String::new();
        let length = std::io::stdin().lock().read_line(&mut line)?;
        Ok::<_, std::io::Error>((length > 0).then(|| line.trim_end().to_owned()))
    });
    let line =
        read.await.map_err(|error| Error::failure("nothing could be read").because(error))?;
    line.map_err(|cause| Error::failure("nothing could be read").because(cause))
}

/// The prompt is talk, not data.
fn eprint_prompt() {
    use std::io::Write;
    // A terminal that cannot show a prompt can still be typed at.
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "caller     ");
    let _ = stderr.flush();
}

fn show(line: bool, context: &Context, heard: &Heard) -> Result<()> {
    let colour = context.out.colour();
    if line {
        for twiml in &heard.twiml {
            context.out.text(&format!("{}\n", colour.paint(Tone::Faint, twiml)))?;
        }
    }
    let time = format!("[{:.1} ms]", heard.after.as_secs_f64() * 1000.0);
    context.out.text(&format!(
        "{}  {} {}\n",
        colour.paint(Tone::Good, "assistant"),
        heard.text,
        colour.paint(Tone::Faint, &time)
    ))?;
    for whisper in &heard.whispers {
        context.out.note(&format!("The human hears: {whisper}"));
    }
    context.out.flush()
}
