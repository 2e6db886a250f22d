//! `webox demo`: a whole call on this machine, without any account.

use std::path::{Path, PathBuf};

use clap::{Args, Parser};
use jiff::ZonedDateTime;

use super::{Cli, Context, daemon, exit, help, output::Tone};
use crate::{
    domain::{
        Actor, AssistantSpec, EarProvider, Error, LanguageTag, Result, VoiceLine, VoiceProvider,
    },
    line::{Clock, Voices},
    operations::{assistants, endpoints::Endpoints},
    providers::{
        breaker::Breakers,
        stt::{EarSettings, Ears},
    },
    provision,
    rehearsal::{
        Daemon, aloud,
        demo::{self, Played, SCRIPT, Scene, StandIn, Way},
        streamed::Speech,
    },
    store::{Options, Store},
};

/// The ears that may hear the demo, the first that can be asked.
const EARS: [EarProvider; 3] = [EarProvider::Deepgram, EarProvider::Google, EarProvider::Openai];

/// The caller's voice: espeak-ng's, but not the one that the assistant has.
const VOICE: &str = "fr-fr+f3";

/// Arguments of `webox demo`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox demo", "plays a call, in a fresh database in the temporary folder"),
        ("webox demo --keep --db demo.db", "keeps the daemon and the database"),
        ("webox demo --line stream --out demo.wav", "speaks the call, and writes it down as sound"),
    ],
    &[exit::FAILURE, exit::USAGE],
))]
pub struct Demo {
    /// How speech travels: gather, relay (in writing, over a socket) or stream (in sound).
    #[arg(long, value_name = "LINE", default_value = "gather")]
    line: VoiceLine,
    /// With a stream: where the call goes as a WAV file, the caller on the left; beside the database
    /// otherwise.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Leave the daemon running until interrupted.
    #[arg(long)]
    pub(super) keep: bool,
}

pub(super) fn run(args: &Demo, cli: &Cli, context: &Context) -> Result<()> {
    if args.out.is_some() && args.line != VoiceLine::Stream {
        return Err(Error::usage(format!("over `{}` there is no sound to write", args.line))
            .hint("give `--line stream` as well"));
    }
    let fresh = |path: &Path| {
        if path.exists() {
            return Err(Error::usage(format!(
                "{} exists: the demo wants a fresh file",
                path.display()
            )));
        }
        Ok(())
    };
    let db = match &cli.global.db {
        Some(db) => {
            fresh(db).map_err(|error| {
                error.hint("give another path, or none: then the file is temporary")
            })?;
            db.clone()
        }
        // Kept: the commands shown at the end are there to be typed.
        None => tempfile::Builder::new()
            .prefix("webox-demo-")
            .tempdir()
            .map_err(|error| Error::failure("no temporary folder could be made").because(error))?
            .keep()
            .join("webox.db"),
    };
    let wav = args.out.clone().unwrap_or_else(|| db.with_extension("wav"));
    if args.out.is_none() && args.line == VoiceLine::Stream {
        fresh(&wav).map_err(|error| error.hint("say with `--out` where the sound goes"))?;
    }
    let mut spec = provision::read_text("assistants/le-gourmet.toml", demo::ASSISTANT)
        .map_err(|_| Error::failure("the example assistant that webox ships is broken"))?;
    spec.voice.line = args.line;
    let runtime = daemon::runtime()?;
    let cast = match args.line {
        VoiceLine::Stream => runtime.block_on(Cast::in_sound(&mut spec, context))?,
        VoiceLine::Gather | VoiceLine::Relay => Cast::default(),
    };
    let store = Store::open(&db, Options::daemon())?;
    {
        let actor = Actor::local(context.author("demo"));
        assistants::create(&store, &actor, spec.clone(), None, context.started)?
    };
    runtime.block_on(play(args, context, &store, &spec, &cast, &wav))
}

/// Who speaks and who listens.
#[derive(Default)]
struct Cast {
    speech: Vec<Speech>,
    ears: Option<Ears>,
    stand_in: Option<StandIn>,
}

impl Cast {
    /// The caller speaks with the voice of this machine, and so does the assistant. An ear that is set
    /// up hears them; without one, a stand-in is told what is said.
    async fn in_sound(spec: &mut AssistantSpec, context: &Context) -> Result<Self> {
        let settings = context.settings()?;
        let mute = |error| Error::failure("the demo's caller cannot speak").because(error);
        let mouth = daemon::mouths(settings).find(VoiceProvider::Local, None).map_err(mute)?;
        let french = LanguageTag::french();
        let mut speech = Vec::new();
        for words in SCRIPT {
            let sound = aloud::speak(&*mouth, words, &french, Some(VOICE)).await.map_err(mute)?;
            speech.push(Speech::new(&sound));
        }
        let ears = daemon::ears(settings);
        let there = EARS.into_iter().find(|ear| ears.find(*ear, None, None).is_ok());
        spec.voice.provider = VoiceProvider::Local;
        spec.hearing.provider = Some(there.unwrap_or(EarProvider::Openai));
        if there.is_some() {
            return Ok(Self { speech, ears: Some(ears), stand_in: None });
        }
        let stand_in = StandIn::start().await?;
        let url = Some(stand_in.url());
        let ears = Ears::new(EarSettings { openai_base_url: url, ..EarSettings::default() });
        Ok(Self { speech, ears: Some(ears), stand_in: Some(stand_in) })
    }

    fn way(&self, line: VoiceLine) -> Way<'_> {
        match line {
            VoiceLine::Gather => Way::Webhooks,
            VoiceLine::Relay => Way::Relay,
            VoiceLine::Stream => Way::Stream(&self.speech, self.stand_in.as_ref()),
        }
    }

    async fn daemon(&self, context: &Context, store: &Store, clock: Clock) -> Result<Daemon> {
        let settings = context.settings()?;
        let (store, models) = (store.clone(), daemon::models(settings));
        match &self.ears {
            Some(ears) => {
                let voices =
                    Voices::new(daemon::mouths(settings), ears.clone(), Breakers::default());
                Daemon::start_in_sound(store, models, clock, voices, Endpoints::default()).await
            }
            None => {
                Daemon::start_in_sound(
                    store,
                    models,
                    clock,
                    daemon::voices(settings, Breakers::default()),
                    Endpoints::default(),
                )
                .await
            }
        }
    }
}

/// How the call travels, for the lines on which it is not only written.
fn travels(spec: &AssistantSpec, cast: &Cast) -> String {
    let ear = spec.hearing.provider.map_or("nobody", EarProvider::as_str);
    match spec.voice.line {
        VoiceLine::Gather => String::new(),
        VoiceLine::Relay => "  the line   relay: text over a socket\n".to_owned(),
        VoiceLine::Stream if cast.stand_in.is_some() => {
            "  the line   stream: sound over a socket; both speak with espeak-ng\n  \
             heard by   a stand-in that is told the script: no ear is set up on this machine\n"
                .to_owned()
        }
        VoiceLine::Stream => format!(
            "  the line   stream: sound over a socket; both speak with espeak-ng\n  \
             heard by   {ear}\n"
        ),
    }
}

async fn play(
    args: &Demo,
    context: &Context,
    store: &Store,
    spec: &AssistantSpec,
    cast: &Cast,
    wav: &Path,
) -> Result<()> {
    let out = &context.out;
    let colour = out.colour();
    let at = demo::moment(spec, context.started)?;
    let clock = Clock::set_to(at.timestamp());
    let daemon = match args.line {
        VoiceLine::Gather => {
            Daemon::start(store.clone(), daemon::models(context.settings()?), clock).await?
        }
        VoiceLine::Relay | VoiceLine::Stream => cast.daemon(context, store, clock).await?,
    };
    out.text(&format!(
        "{}\n  database   {}\n  daemon     http://{}\n  assistant  {} ({}), model `{}`\n{}  the call   {} at 18:00 in {}\n\n",
        colour.paint(Tone::Strong, "webox demo: a call to the restaurant Le Gourmet"),
        store.path().display(),
        daemon.address,
        spec.name,
        spec.phone,
        spec.ai.model,
        travels(spec, cast),
        at.strftime("%A %Y-%m-%d"),
        at.time_zone().iana_name().unwrap_or("UTC"),
    ))?;
    let played = Box::pin(call(args, context, store, (spec, &at), (&daemon, cast))).await?;
    let booking = &played.booking;
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
    if let Some((caller, assistant)) = &played.sound {
        let length = aloud::keep(wav, (caller, assistant))?;
        out.text(&format!(
            "{} {}: {:.1} s, the caller on the left, the assistant on the right\n",
            colour.paint(Tone::Good, "Written"),
            wav.display(),
            length.as_secs_f64()
        ))?;
    }
    let db = store.path();
    let sid = played.sid.as_str();
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

/// The call itself, shown as it goes.
async fn call(
    args: &Demo,
    context: &Context,
    store: &Store,
    (spec, at): (&AssistantSpec, &ZonedDateTime),
    (daemon, cast): (&Daemon, &Cast),
) -> Result<Played> {
    let out = &context.out;
    let colour = out.colour();
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
            Scene::Assistant(answer) => {
                let understood = answer.understood.as_ref().map_or_else(String::new, |words| {
                    format!("  {}   {words}\n", colour.paint(Tone::Faint, "heard as"))
                });
                let after = answer.after.map_or_else(
                    || "[no answer]".to_owned(),
                    |after| format!("[{:.1} ms]", after.as_secs_f64() * 1000.0),
                );
                format!(
                    "{understood}  {}  {} {}\n",
                    colour.paint(Tone::Good, "assistant"),
                    answer.words,
                    colour.paint(Tone::Faint, &after),
                )
            }
            Scene::HungUp(length) => format!(
                "{} hung up after {:.1} s; the status callback is answered\n\n",
                colour.paint(Tone::Faint, "☎"),
                length.as_secs_f64()
            ),
        };
        out.text(&line)?;
        out.flush()
    };
    let played = Box::pin(demo::play(daemon, store, spec, at, cast.way(args.line), show)).await;
    let heard_by_ear = args.line == VoiceLine::Stream && cast.stand_in.is_none();
    played.map_err(|error| {
        if heard_by_ear && error.hint_text().is_none() {
            return error.hint(
                "the ear that is set up may have heard something else than was said; without its key, \
                 a stand-in hears",
            );
        }
        error
    })
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
