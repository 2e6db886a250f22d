//! `webox demo`: a whole call on this machine, without any account.

use std::path::Path;

use clap::{Args, Parser};

use super::{Cli, Context, daemon, exit, help, output::Tone};
use crate::{
    domain::{Actor, AssistantSpec, Error, Result},
    line::Clock,
    operations::assistants,
    provision,
    rehearsal::{
        Daemon,
        demo::{self, Scene},
    },
    store::{Options, Store},
};

/// Arguments of `webox demo`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox demo", "plays a call, in a fresh database in the temporary folder"),
        ("webox demo --keep --db demo.db", "keeps the daemon and the database"),
    ],
    &[exit::FAILURE],
))]
pub struct Demo {
    /// Leave the daemon running until interrupted.
    #[arg(long)]
    pub(super) keep: bool,
}

pub(super) fn run(args: &Demo, cli: &Cli, context: &Context) -> Result<()> {
    let db = match &cli.global.db {
        Some(db) if db.exists() => {
            return Err(Error::usage(format!(
                "{} exists: the demo wants a fresh file",
                db.display()
            ))
            .hint("give another path, or none: then the file is temporary"));
        }
        Some(db) => db.clone(),
        // Kept: the commands shown at the end are there to be typed.
        None => tempfile::Builder::new()
            .prefix("webox-demo-")
            .tempdir()
            .map_err(|error| Error::failure("no temporary folder could be made").because(error))?
            .keep()
            .join("webox.db"),
    };
    let store = Store::open(&db, Options::daemon())?;
    let spec = provision::read_text("assistants/le-gourmet.toml", demo::ASSISTANT)
        .map_err(|_| Error::failure("the example assistant that webox ships is broken"))?;
    {
        let actor = Actor::local(context.author("demo"));
        assistants::create(&store, &actor, spec.clone(), None, context.started)?
    };
    daemon::runtime()?.block_on(play(args, context, &store, &spec))
}

async fn play(args: &Demo, context: &Context, store: &Store, spec: &AssistantSpec) -> Result<()> {
    let out = &context.out;
    let colour = out.colour();
    let at = demo::moment(spec, context.started)?;
    let settings = context.settings()?;
    let daemon =
        Daemon::start(store.clone(), daemon::models(settings), Clock::set_to(at.timestamp()))
            .await?;
    out.text(&format!(
        "{}\n  database   {}\n  daemon     http://{}\n  assistant  {} ({}), model `{}`\n  the call   {} at 18:00 in {}\n\n",
        colour.paint(Tone::Strong, "webox demo: a call to the restaurant Le Gourmet"),
        store.path().display(),
        daemon.address,
        spec.name,
        spec.phone,
        spec.ai.model,
        at.strftime("%A %Y-%m-%d"),
        at.time_zone().iana_name().unwrap_or("UTC"),
    ))?;
    let show = |scene: Scene<'_>| {
        let line = match scene {
            Scene::Rings(sid) => format!(
                "{} {} dials {} ({sid})\n",
                colour.paint(Tone::Faint, "☎"),
                demo::CALLER,
                spec.phone
            ),
            Scene::Caller(words) => {
                format!("  {}     {words}\n", colour.paint(Tone::Strong, "caller"))
            }
            Scene::Assistant(heard) => format!(
                "  {}  {} {}\n",
                colour.paint(Tone::Good, "assistant"),
                heard.text,
                colour
                    .paint(Tone::Faint, &format!("[{:.1} ms]", heard.after.as_secs_f64() * 1000.0)),
            ),
            Scene::HungUp(length) => format!(
                "{} hung up after {:.1} s; the status callback is answered\n\n",
                colour.paint(Tone::Faint, "☎"),
                length.as_secs_f64()
            ),
        };
        out.text(&line)?;
        out.flush()
    };
    let (sid, booking) = demo::play(&daemon, store, spec, &at, show).await?;
    out.text(&format!(
        "{} #{}: {} people, {} {}, in the name of {}, call back {}\n",
        colour.paint(Tone::Good, "Booked"),
        booking.id.0,
        booking.party,
        booking.at.strftime("%Y-%m-%d %H:%M"),
        booking.timezone,
        booking.name,
        booking.caller.as_deref().unwrap_or("-"),
    ))?;
    let db = store.path();
    let sid = sid.as_str();
    for command in [vec!["calls"], vec!["calls", "show", sid], vec!["stats"]] {
        show_command(context, db, &command)?;
    }
    let shown = db.display();
    out.text(&format!(
        "\n{}\n  webox --db {shown} try le-gourmet\n  webox --db {shown} calls -o json\n  webox --db {shown} assistants show le-gourmet\n",
        colour.paint(Tone::Strong, "Look further:"),
    ))?;
    if args.keep {
        out.text(&format!(
            "\nThe daemon goes on at http://{}. Stop it with Ctrl-C.\n",
            daemon.address
        ))?;
        out.flush()?;
        tokio::signal::ctrl_c()
            .await
            .map_err(|error| Error::failure("signals cannot be heard").because(error))?;
    }
    daemon.stop().await
}

/// Runs another command on the demo's database, as a person would type it.
fn show_command(context: &Context, db: &Path, words: &[&str]) -> Result<()> {
    let colour = context.out.colour();
    let typed = format!("$ webox --db {} {}", db.display(), words.join(" "));
    context.out.text(&format!("\n{}\n", colour.paint(Tone::Strong, &typed)))?;
    context.out.flush()?;
    let db = db.to_string_lossy();
    let paint = if colour.is_on() { "always" } else { "never" };
    let mut line = vec!["webox", "--quiet", "--output", "table", "--color", paint, "--db", &db];
    line.extend(words);
    let cli = Cli::try_parse_from(line)
        .map_err(|error| Error::failure("the demo typed a wrong command").because(error))?;
    let inner = Context::new(&cli.global, context.environment().clone());
    super::run(&cli, &inner)?;
    inner.out.flush()
}
