//! Nova: results of parts of the sound, each interim a few times and then final.

use serde::Deserialize;
use serde_json::Value;

use super::{Reader, Understood, told_error, unreadable, without_first};
use crate::{domain::LanguageTag, providers::speech::SpeechError};

use super::Heard;

/// Results carry times in floating point.
const ROUNDING: f64 = 0.01;

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Message {
    Results(Results),
    /// Not in the specification; the service has been seen to send it before it closes.
    Error {
        #[serde(default)]
        code: String,
        #[serde(default, alias = "message")]
        description: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Results {
    start: f64,
    duration: f64,
    #[serde(default)]
    is_final: bool,
    #[serde(default)]
    from_finalize: bool,
    channel: Channel,
}

#[derive(Debug, Deserialize)]
struct Channel {
    alternatives: Vec<Alternative>,
}

#[derive(Debug, Deserialize)]
struct Alternative {
    transcript: String,
    confidence: f32,
    #[serde(default)]
    languages: Vec<String>,
}

/// What has been told of a part that Deepgram had not finished with.
#[derive(Debug)]
struct Told {
    /// Where the part begins.
    start: f64,
    words: usize,
}

#[derive(Debug, Default)]
pub(super) struct Nova {
    /// The part that is not final yet: its beginning, and its words.
    interim: Option<(f64, String)>,
    told: Option<Told>,
}

impl Reader for Nova {
    fn understand(&mut self, message: Value) -> Result<Understood, SpeechError> {
        match serde_json::from_value(message).map_err(|cause| unreadable(&cause))? {
            Message::Results(results) => Ok(self.results(results)),
            Message::Error { code, description } => Err(told_error(&code, &description)),
            Message::Other => Ok(Understood::default()),
        }
    }

    fn finish(&mut self, _seconds: f64) -> Option<&'static str> {
        Some(r#"{"type":"Finalize"}"#)
    }

    fn settle_for_less(&mut self) -> Vec<Heard> {
        let Some((start, text)) = self.interim.take() else { return Vec::new() };
        let before = self.told.as_ref().map_or(0, |told| told.words);
        self.told = Some(Told { start, words: before + text.split_whitespace().count() });
        vec![Heard::Final { text, confidence: None, language: None }]
    }

    fn begin_again(&mut self) {
        *self = Self::default();
    }

    fn wants_silence(&self) -> bool {
        false
    }

    fn within_a_turn(&self) -> bool {
        true
    }
}

impl Nova {
    fn results(&mut self, results: Results) -> Understood {
        // A later part: the one that was told before its time is over.
        if self.told.as_ref().is_some_and(|told| results.start > told.start + ROUNDING) {
            self.told = None;
        }
        let told = self.told.as_ref().map_or(0, |told| told.words);
        let mut understood = Understood {
            finished: u32::from(results.from_finalize),
            is_about_sound: true,
            ..Understood::default()
        };
        let best = results.channel.alternatives.into_iter().next();
        if results.is_final {
            self.interim = None;
            self.told = None;
            understood.settled = Some(results.start + results.duration);
        }
        let Some(best) = best else { return understood };
        let text = without_first(told, &best.transcript);
        if text.is_empty() {
            return understood;
        }
        understood.heard.push(if results.is_final {
            let language: Option<LanguageTag> =
                best.languages.first().and_then(|language| language.parse().ok());
            Heard::Final { text, confidence: Some(best.confidence), language }
        } else {
            self.interim = Some((results.start, text.clone()));
            Heard::Interim(text)
        });
        understood
    }
}
