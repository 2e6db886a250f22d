//! `webox replay`: what a past caller said, said to today's assistant.

use clap::Args;
use serde_json::json;

use super::{
    Context, daemon, exit, help,
    output::{Format, Tone},
};
use crate::{
    domain::{Error, Heard, ModelRef, Result, Turn, WholeCall},
    line::Clock,
    rehearsal::{self, Call, Input, Stage, State},
};

/// Arguments of `webox replay`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox replay CA18eab991", "old and new replies, one under the other"),
        ("webox replay CA18eab991 --model gpt-4", "as another model would have answered"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA],
))]
pub struct Replay {
    /// The call: its SID, or the beginning of it.
    sid: String,
    /// The model that answers [default: the one the assistant has today].
    #[arg(long, value_name = "MODEL")]
    model: Option<ModelRef>,
}

/// One turn, then and now.
struct Pair {
    caller: Option<String>,
    then: Option<String>,
    now: Option<String>,
}

pub(super) fn run(args: &Replay, context: &Context) -> Result<()> {
    let format = context.out.one_of(&[Format::Text, Format::Table, Format::Json])?;
    let desk = context.desk("replay")?;
    let WholeCall { call, turns, .. } = desk.call(&args.sid)?;
    let assistant = desk.assistant(call.assistant.as_str())?;
    let model = args.model.clone().unwrap_or_else(|| assistant.spec.ai.model.clone());
    let spec = rehearsal::rehearsed(&desk.with_texts(&assistant)?, Some(&model));
    let models = daemon::models(context.settings()?);
    let pairs = daemon::runtime()?.block_on(async {
        let stage = Stage::set(spec, models, Clock::set_to(call.started_at)).await?;
        let pairs = play(&stage, call.caller.as_deref().unwrap_or("anonymous"), &turns).await?;
        stage.daemon.stop().await?;
        Ok::<_, Error>(pairs)
    })?;
    let differ = pairs.iter().filter(|pair| pair.then != pair.now).count();
    if format == Format::Json {
        let turns: Vec<_> = pairs
            .iter()
            .map(|pair| json!({ "caller": pair.caller, "then": pair.then, "now": pair.now, "same": pair.then == pair.now }))
            .collect();
        return context.out.objects([
            ("call_sid", json!(call.sid)),
            ("assistant", json!(call.assistant)),
            ("model", json!(model)),
            ("turns", json!(turns)),
        ]);
    }
    let colour = context.out.colour();
    let shown = |text: Option<&String>| {
        text.map_or_else(|| "–".to_owned(), |text| text.replace(char::is_control, " "))
    };
    for pair in &pairs {
        if let Some(caller) = &pair.caller {
            context.out.text(&format!("  caller  {}\n", caller.replace(char::is_control, " ")))?;
        }
        if pair.then == pair.now {
            context.out.text(&format!("= both    {}\n", shown(pair.now.as_ref())))?;
        } else {
            let (then, now) = (shown(pair.then.as_ref()), shown(pair.now.as_ref()));
            context
                .out
                .text(&format!("{}\n", colour.paint(Tone::Bad, &format!("- then    {then}"))))?;
            context
                .out
                .text(&format!("{}\n", colour.paint(Tone::Good, &format!("+ now     {now}"))))?;
        }
    }
    context.out.note(&format!("{differ} of {} replies are others now ({model}).", pairs.len()));
    Ok(())
}

/// Says again what was said; the conversation may take another way, or end earlier.
async fn play(stage: &Stage, from: &str, turns: &[Turn]) -> Result<Vec<Pair>> {
    let phone = stage.assistant.spec.phone.number.clone();
    let (mut call, greeting) = Call::place(stage.daemon.caller(), from, &phone).await?;
    let mut pairs = Vec::new();
    for turn in turns {
        let input = match &turn.heard {
            None if pairs.is_empty() => {
                let now = Some(greeting.text.clone());
                pairs.push(Pair { caller: None, then: turn.said.clone(), now });
                continue;
            }
            // Said of our own accord, after a transfer that failed: nothing to say again.
            None => continue,
            Some(Heard::Speech { text, .. }) => Input::Say(text.clone()),
            Some(Heard::Digits(keys)) => Input::Press(keys.clone()),
            Some(Heard::Silence) => Input::Silence,
        };
        let now = if *call.state() == State::Listening {
            Some(rehearsal::act(&mut call, &input).await?.text)
        } else {
            None
        };
        pairs.push(Pair { caller: Some(rehearsal::told(&input)), then: turn.said.clone(), now });
    }
    call.hang_up().await?;
    Ok(pairs)
}
