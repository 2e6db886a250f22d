//! How long callers wait: percentiles over turns, a row for each stage of a group.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    domain::{Actor, AssistantId, Latency, LatencyBy, Result, Stage, TurnTimings},
    store::{
        Store,
        latency::{self, Waited},
        stats::{self, Window},
    },
};

/// The waits of a window, by what is asked.
pub fn latencies(
    store: &Store,
    actor: &Actor,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    assistant: Option<AssistantId>,
    by: Option<LatencyBy>,
) -> Result<Vec<Latency>> {
    let window = Window { since, until, assistant, sight: actor.sight() };
    store.read(|tx| {
        let names = stats::assistant_names(tx)?;
        let mut waits: BTreeMap<(String, Stage), BTreeMap<u32, u64>> = BTreeMap::new();
        latency::each_turn(tx, &window, |turn| {
            for (stage, ms) in stages(&turn.timings) {
                let key = match by {
                    None => Some("all".to_owned()),
                    Some(LatencyBy::Assistant) => Some(
                        names
                            .get(&turn.assistant)
                            .cloned()
                            .unwrap_or_else(|| turn.assistant.0.to_string()),
                    ),
                    Some(LatencyBy::Provider) => whom(&turn, stage),
                };
                if let Some(key) = key {
                    *waits.entry((key, stage)).or_default().entry(ms).or_default() += 1;
                }
            }
        })?;
        Ok(waits
            .into_iter()
            .filter_map(|((key, stage), waits)| Latency::of(key, stage, &waits))
            .collect())
    })
}

/// How long each stage of a turn took by itself.
pub fn stages(timings: &TurnTimings) -> Vec<(Stage, u32)> {
    let after =
        |end: Option<u32>, begin: Option<u32>| Some(end?.saturating_sub(begin.unwrap_or(0)));
    [
        (Stage::Endpoint, timings.endpoint_ms),
        (Stage::Words, after(timings.words_ms, timings.endpoint_ms)),
        (Stage::FirstToken, timings.first_token_ms),
        (Stage::Sentence, after(timings.sentence_ms, timings.first_token_ms)),
        (Stage::Audio, after(timings.audio_ms, timings.sentence_ms)),
        (Stage::Frame, after(timings.frame_ms, timings.audio_ms)),
        (Stage::Reply, timings.reply_ms),
        (Stage::Felt, timings.felt_ms()),
    ]
    .into_iter()
    .filter_map(|(stage, ms)| Some((stage, ms?)))
    .collect()
}

/// For whom a stage waits; nobody for our own.
fn whom(turn: &Waited, stage: Stage) -> Option<String> {
    match stage {
        Stage::Endpoint | Stage::Words => turn.ear.clone(),
        Stage::FirstToken | Stage::Sentence | Stage::Reply => turn.engine.clone(),
        Stage::Audio => turn.mouth.clone(),
        Stage::Frame | Stage::Felt => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_add_up_to_what_is_felt() {
        let timings = TurnTimings {
            endpoint_ms: Some(500),
            words_ms: Some(620),
            first_token_ms: Some(300),
            sentence_ms: Some(350),
            audio_ms: Some(450),
            frame_ms: Some(455),
            reply_ms: Some(600),
        };
        let stages: BTreeMap<Stage, u32> = stages(&timings).into_iter().collect();
        let way: u32 = stages
            .iter()
            .filter(|(stage, _)| !matches!(stage, Stage::Reply | Stage::Felt))
            .map(|(_, ms)| ms)
            .sum();
        assert_eq!((stages[&Stage::Felt], way), (1_075, 1_075));
        assert_eq!(stages[&Stage::Audio], 100);
    }
}
