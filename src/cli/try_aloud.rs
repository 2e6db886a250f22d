//! `webox try --audio`: a call in which recordings speak for the caller, over the real socket of a
//! stream and at its pace.

use std::path::{Path, PathBuf};

use super::{
    Context, daemon,
    output::Tone,
    progress::Waiting,
    try_out::{Try, tell_of},
};
use crate::{
    audio::{RATE, g711, wav},
    domain::{AssistantSpec, Error, Recording as ToRecord, Result, Turn, VoiceLine},
    line::Clock,
    operations::endpoints::Endpoints,
    providers::breaker::Breakers,
    rehearsal::{
        Daemon, Stage, State,
        aloud::{self, Transcript},
        streamed::{Heard, Manner, Speech, StreamedCall},
    },
    store::Store,
};

/// A recording of the caller's.
struct Recording {
    name: String,
    seconds: f64,
    speech: Speech,
}

impl Recording {
    fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let file = std::fs::read(path)
            .map_err(|error| Error::input(format!("{shown} cannot be read")).because(error))?;
        let samples = wav::read(&file).map_err(|error| {
            Error::input(format!("{shown} cannot be taken for speech"))
                .because(error)
                .hint("give a WAV file: 8 to 32 bits or μ-law, mono or stereo, at any rate")
        })?;
        let sound: Vec<u8> = samples.iter().copied().map(g711::encode).collect();
        Ok(Self {
            name: shown.to_string(),
            seconds: sound.len() as f64 / f64::from(RATE),
            speech: Speech::new(&sound),
        })
    }
}

/// What is called, and where what it leaves is.
struct Place<'a> {
    daemon: &'a Daemon,
    store: &'a Store,
    spec: &'a AssistantSpec,
}

pub(super) async fn run(
    args: &Try,
    context: &Context,
    spec: AssistantSpec,
    asks: Endpoints,
) -> Result<()> {
    if spec.voice.line != VoiceLine::Stream {
        return Err(Error::usage(format!(
            "`{}` is on the line `{}`, where Twilio hears and speaks: there is no sound to play into",
            spec.name, spec.voice.line
        ))
        .hint("set `voice.line` to `stream`, or leave `--audio` out and type"));
    }
    let recordings: Vec<Recording> =
        args.audio.iter().map(|path| Recording::read(path)).collect::<Result<_>>()?;
    let settings = context.settings()?;
    let voices = daemon::voices(settings, Breakers::default());
    voices.check(&spec).map_err(|error| {
        Error::config(format!("nobody can speak or listen for `{}` on this machine", spec.name))
            .because(error)
    })?;
    let models = daemon::models(settings);
    if !args.keep {
        let stage = Stage::set_in_sound(spec, models, Clock::system(), voices, asks).await?;
        let (daemon, store) = (&stage.daemon, &stage.store);
        let place = Place { daemon, store, spec: &stage.assistant.spec };
        let sid = call(args, context, &recordings, &place).await?;
        tell_of(args, context, &sid);
        return stage.daemon.stop().await;
    }
    let store = context.store_to_reckon()?;
    let daemon =
        Daemon::start_in_sound(store.clone(), models, Clock::system(), voices, asks).await?;
    let place = Place { daemon: &daemon, store: &store, spec: &spec };
    let sid = call(args, context, &recordings, &place).await?;
    tell_of(args, context, &sid);
    daemon.stop().await
}

/// The call, and its sound; answers its identifier.
async fn call(
    args: &Try,
    context: &Context,
    recordings: &[Recording],
    place: &Place<'_>,
) -> Result<String> {
    let (twilio, number) = (place.daemon.caller(), &place.spec.phone);
    let (mut call, greeting) =
        StreamedCall::ring(twilio, &args.from, number, Manner::default()).await?;
    let sid = call.sid().to_string();
    let talked = talk(args, context, recordings, place, (&mut call, &greeting)).await;
    let ended = match call.state() {
        State::Listening => "You hung up.".to_owned(),
        State::HungUp => "The assistant hung up.".to_owned(),
        State::Transferred(number) => format!("The call goes to {number}."),
    };
    // Whatever went wrong, the call is over, and what there was of it is kept.
    call.hang_up().await?;
    let (caller, assistant) = call.recording();
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("webox-call-{sid}.wav")));
    let kept = aloud::keep(&path, (&caller, &assistant));
    talked?;
    context.out.note(&ended);
    context.out.note(&format!(
        "Written {}: {:.1} s, the caller on the left, the assistant on the right",
        path.display(),
        kept?.as_secs_f64()
    ));
    Ok(sid)
}

async fn talk(
    args: &Try,
    context: &Context,
    recordings: &[Recording],
    place: &Place<'_>,
    (call, greeting): (&mut StreamedCall<'_>, &Heard),
) -> Result<()> {
    let colour = context.out.colour();
    let mut transcript = Transcript::new(place.store.clone());
    must_stream(call, place.spec)?;
    call.listen().await?;
    show(args, context, greeting, &transcript.rest(call).await?)?;
    for recording in recordings {
        if *call.state() != State::Listening {
            context.out.warn(&format!("the call was over before {}", recording.name));
            continue;
        }
        must_stream(call, place.spec)?;
        context.out.text(&format!(
            "{}     {} {}\n",
            colour.paint(Tone::Strong, "caller"),
            recording.name,
            colour.paint(Tone::Faint, &format!("[{:.1} s]", recording.seconds)),
        ))?;
        context.out.flush()?;
        let listening = Waiting::begin(context, "listening");
        let heard = call.say(&recording.speech).await?;
        let turns = transcript.rest(call).await?;
        drop(listening);
        show(args, context, &heard, &turns)?;
    }
    Ok(())
}

/// Once a call goes on over webhooks, nobody of ours hears a sound of it.
fn must_stream(call: &StreamedCall<'_>, spec: &AssistantSpec) -> Result<()> {
    if call.is_streaming() {
        return Ok(());
    }
    let error = Error::failure("the call goes on over webhooks, where no sound is heard");
    if spec.compliance.recording == ToRecord::Ask {
        return Err(error.hint(
            "whether it may be recorded is asked there first: try it without `compliance.recording = \
             \"ask\"`, or leave `--audio` out and type",
        ));
    }
    let error = error.hint("`-v` tells why nobody listens or speaks any more");
    Err(match call.failures().last() {
        Some(why) => error.because(why.clone()),
        None => error,
    })
}

/// What was understood and said, in the words of the store; the time is what a caller felt.
fn show(args: &Try, context: &Context, heard: &Heard, turns: &[Turn]) -> Result<()> {
    let out = &context.out;
    let colour = out.colour();
    if args.line {
        for twiml in &heard.twiml {
            out.text(&format!("{}\n", colour.paint(Tone::Faint, twiml)))?;
        }
    }
    let mut time = heard.after.map(|after| format!("[{:.0} ms]", after.as_secs_f64() * 1000.0));
    if turns.is_empty() {
        out.text(&format!("{}\n", colour.paint(Tone::Faint, "nothing was understood")))?;
    }
    for turn in turns {
        if let Some(heard) = &turn.heard {
            let words = aloud::understood(heard);
            out.text(&format!("{}   {words}\n", colour.paint(Tone::Faint, "heard as")))?;
        }
        let said = turn.said.as_deref().unwrap_or_default();
        let rest = turn.unheard.as_deref().map(|rest| format!("({rest})"));
        let faint = [rest, time.take()].into_iter().flatten();
        let faint: Vec<String> = faint.map(|part| colour.paint(Tone::Faint, &part)).collect();
        out.text(&format!(
            "{}  {said} {}\n",
            colour.paint(Tone::Good, "assistant"),
            faint.join(" ")
        ))?;
    }
    out.flush()
}
