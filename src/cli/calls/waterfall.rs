//! Where the time of a turn went, from the caller's last word to the first sound of the reply: a bar
//! for each stage, where it began.

use super::{
    human,
    output::{Colour, Tone},
};
use crate::{
    domain::{Stage, TurnTimings},
    operations::latency,
};

/// The whole way.
const WIDTH: u32 = 32;

/// Lines for a turn whose way is known; none otherwise.
pub(super) fn lines(timings: &TurnTimings, indent: &str, colour: Colour) -> Vec<String> {
    let Some(felt) = timings.felt_ms().filter(|ms| *ms > 0) else { return Vec::new() };
    let mut at = 0;
    let stages = latency::stages(timings);
    let way = stages.iter().filter(|(stage, _)| !matches!(stage, Stage::Reply | Stage::Felt));
    let mut lines = vec![format!("{indent}heard after {}", human::milliseconds(felt))];
    for (stage, ms) in way {
        let place = |ms: u32| (u64::from(ms) * u64::from(WIDTH)).div_ceil(u64::from(felt)) as usize;
        let from = place(at).min(WIDTH as usize - 1);
        at += ms;
        let to = place(at).clamp(from + 1, WIDTH as usize);
        let bar = "█".repeat(to - from);
        // Shorter than anything that could be drawn.
        let bar = if *ms == 0 { "▏".to_owned() } else { bar };
        let took = human::milliseconds(*ms);
        lines.push(format!(
            "{indent}{:<12}{took:>8}  {}{}",
            stage.as_str(),
            " ".repeat(from),
            colour.paint(tone(*stage), &bar)
        ));
    }
    lines
}

/// Ours, and theirs that we wait for.
const fn tone(stage: Stage) -> Tone {
    match stage {
        Stage::Endpoint | Stage::Frame => Tone::Strong,
        _ => Tone::Good,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_stand_where_they_began() {
        let timings = TurnTimings {
            endpoint_ms: Some(500),
            words_ms: Some(620),
            first_token_ms: Some(300),
            sentence_ms: Some(350),
            audio_ms: Some(450),
            frame_ms: Some(450),
            reply_ms: Some(600),
        };
        insta::assert_snapshot!(lines(&timings, "  ", Colour::OFF).join("\n"));
        assert!(lines(&TurnTimings::default(), "", Colour::OFF).is_empty());
    }
}
