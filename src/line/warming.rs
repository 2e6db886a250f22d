//! Sounds made before anybody calls: the greeting above all, so that the first caller after a change
//! does not wait for it, and a provider that is down does not keep it from being heard.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::{
    fixed,
    voice::Line,
    voices::{Mouth, Voices},
};
use crate::{
    domain::{Assistant, AssistantId, AssistantSpec, Use, VoiceLine, VoiceProvider},
    operations::{ledger, live},
};

/// How often it is looked whether an assistant has changed.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Sentences that are asked for at a time.
const AT_ONCE: usize = 2;

/// When one that failed is tried again.
const AGAIN: Duration = Duration::from_mins(2);

/// An assistant that was seen to.
struct Seen {
    revision: i64,
    /// When it is seen to again, because something failed.
    again: Option<Instant>,
}

impl Line {
    /// Keeps the sounds of all assistants ready; does not end by itself.
    pub async fn keep_warm(&self) {
        let Some(voices) = self.voices.as_ref().filter(|voices| voices.sounds().is_some()) else {
            return std::future::pending().await;
        };
        let mut seen: HashMap<AssistantId, Seen> = HashMap::new();
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let revisions = match live::revisions(&self.store).await {
                Ok(revisions) => revisions,
                Err(error) => {
                    tracing::warn!(%error, "it could not be seen whether an assistant changed");
                    continue;
                }
            };
            seen.retain(|id, _| revisions.iter().any(|(known, _)| known == id));
            for (id, revision) in revisions {
                let now = Instant::now();
                let is_due = seen.get(&id).is_none_or(|seen| {
                    seen.revision != revision || seen.again.is_some_and(|again| again <= now)
                });
                if !is_due {
                    continue;
                }
                match live::version(&self.store, id, revision).await {
                    Ok(assistant) => {
                        let is_warm = self.warm(voices, &assistant).await;
                        let again = (!is_warm).then(|| Instant::now() + AGAIN);
                        seen.insert(id, Seen { revision, again });
                    }
                    Err(error) => tracing::warn!(%error, "an assistant could not be read"),
                }
            }
        }
    }
}

impl Line {
    /// Makes the sounds of an assistant that are not there, and enters what they cost; says whether
    /// nothing is left to be made.
    async fn warm(&self, voices: &Voices, assistant: &Arc<Assistant>) -> bool {
        let (is_warm, used) = warm(voices, assistant).await;
        if !used.is_empty() {
            let (id, now) = (assistant.id, self.clock.now());
            if let Err(error) = ledger::spoken_beforehand(&self.store, id, used, now).await {
                tracing::error!(%error, "what was spoken beforehand could not be entered");
            }
        }
        is_warm
    }
}

/// Makes the sounds of an assistant that are not there; says whether nothing is left to be made, and
/// what was used for it.
async fn warm(voices: &Voices, assistant: &Arc<Assistant>) -> (bool, Vec<Use>) {
    let spec = &assistant.spec;
    if !spec.active || !speaks_with_us(spec) {
        return (true, Vec::new());
    }
    let mouth = match voices.mouth(spec, "") {
        // Somebody who stands in is not asked for what nobody may ever hear.
        Ok(mouth) if mouth.is_as_asked() => mouth,
        // Told when a call rings, and when the daemon starts.
        Ok(_) | Err(_) => return (true, Vec::new()),
    };
    let (mut made, mut failed) = (0, 0);
    let sentences = fixed::worth_warming(spec);
    let mouth: &Mouth = &mouth;
    let mut spoken = stream::iter(sentences)
        .map(|(language, sentence)| async move { mouth.warm(&sentence, &language).await })
        .buffer_unordered(AT_ONCE);
    while let Some(done) = spoken.next().await {
        match done {
            Ok(was_made) => made += u32::from(was_made),
            Err(error) => {
                failed += 1;
                tracing::debug!(assistant = %spec.name, %error, "a sentence could not be spoken beforehand");
            }
        }
    }
    if failed > 0 {
        tracing::warn!(assistant = %spec.name, made, failed, "some sentences could not be spoken beforehand");
    } else if made > 0 {
        tracing::info!(assistant = %spec.name, made, "sentences were spoken beforehand");
    }
    drop(spoken);
    (failed == 0, mouth.used())
}

/// Whether calls of an assistant are spoken for by a mouth of ours.
pub(super) fn speaks_with_us(spec: &AssistantSpec) -> bool {
    match spec.voice.line {
        VoiceLine::Stream => true,
        VoiceLine::Gather => spec.voice.provider != VoiceProvider::Twilio,
        VoiceLine::Relay => false,
    }
}
