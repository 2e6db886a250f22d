//! How a call is led to a socket, in TwiML: with which voice and which ears, and with what ticket.

use super::{gather, voice::Line};
use crate::{
    conversation::tongue::hears_all,
    domain::{AssistantSpec, BargeIn, CallSid, EarProvider, LanguageTag, VoiceLine, VoiceProvider},
    operations::live::{self, Opened, Ticket},
    twilio::connect::{Connect, Relay, RelayLanguage, Stream},
};

/// The parameter that the ticket is given along in.
pub(super) const TICKET: &str = "ticket";

/// The voice of ElevenLabs that ConversationRelay itself has for usual (Twilio, "ConversationRelay").
const ELEVENLABS_VOICE: &str = "UgBBYS2sOqTuMpoF3BR0";

/// What leads a call to its socket; nothing on the line that has none.
pub(super) fn connect(
    public_url: &str,
    sid: &CallSid,
    spec: &AssistantSpec,
    language: &LanguageTag,
    ticket: &Ticket,
    welcome: Option<(String, bool)>,
) -> Option<Connect> {
    let parameters = vec![(TICKET.to_owned(), ticket.word().to_owned())];
    let socket = |line: &str| format!("{}/api/voice/{line}/{sid}", as_socket(public_url));
    match spec.voice.line {
        VoiceLine::Gather => None,
        VoiceLine::Stream => Some(Connect::Stream(Stream { url: socket("stream"), parameters })),
        VoiceLine::Relay => Some(Connect::Relay(Relay {
            url: socket("relay"),
            action: format!("{public_url}/api/voice/webhook/resume?call_sid={sid}"),
            welcome,
            languages: languages(spec, language),
            hears_all: hears_all(spec),
            interruptible: match spec.hearing.barge_in {
                BargeIn::Off => None,
                BargeIn::Low => Some("low"),
                BargeIn::Medium => Some("medium"),
                BargeIn::High => Some("high"),
            },
            hints: gather::hints(spec),
            parameters,
        })),
    }
}

impl Line {
    /// Takes a ticket; only the one that the call was given last, and only once.
    pub(super) async fn with_ticket(
        &self,
        sid: &CallSid,
        ticket: Option<String>,
    ) -> Option<Opened> {
        let Some(ticket) = ticket else {
            tracing::warn!("refused a socket without a ticket");
            return None;
        };
        let opened = live::open(&self.store, sid.clone(), ticket, self.clock.now());
        match self.stored(opened).await {
            Ok(Some(standing)) => Some(standing),
            Ok(None) => {
                tracing::warn!("refused a socket whose ticket is not good, or not any more");
                None
            }
            Err(error) => {
                tracing::error!(%error, "a socket could not be let in");
                None
            }
        }
    }
}

/// `https://…` as `wss://…`: on this machine, for rehearsals, `http://…` as `ws://…`.
fn as_socket(public_url: &str) -> String {
    match public_url.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}"),
        Some((_, rest)) => format!("wss://{rest}"),
        None => public_url.to_owned(),
    }
}

/// The languages that may be spoken, the one spoken now first.
fn languages(spec: &AssistantSpec, now: &LanguageTag) -> Vec<RelayLanguage> {
    let others = spec.voice.spoken().into_iter().filter(|tag| *tag != now);
    std::iter::once(now).chain(others).map(|tag| language(spec, tag)).collect()
}

fn language(spec: &AssistantSpec, tag: &LanguageTag) -> RelayLanguage {
    let (voice, hearing) = (&spec.voice, &spec.hearing);
    let named = voice.voice_in(tag);
    let usual = RelayLanguage::usual(tag, None);
    let mut language = match voice.provider {
        VoiceProvider::Elevenlabs => RelayLanguage {
            tts_provider: "ElevenLabs",
            // These voices speak every language.
            voice: named.or(voice.voice_id.as_deref()).unwrap_or(ELEVENLABS_VOICE).to_owned(),
            ..usual
        },
        VoiceProvider::Google => RelayLanguage {
            tts_provider: "Google",
            voice: named.map_or_else(|| google_voice(&usual.code), str::to_owned),
            ..usual
        },
        _ => RelayLanguage::usual(tag, named),
    };
    (language.transcription_provider, language.speech_model) = match hearing.provider {
        Some(EarProvider::Google) => (Some("Google"), hearing.model.clone()),
        Some(EarProvider::Deepgram) => (Some("Deepgram"), hearing.model.clone()),
        Some(EarProvider::Openai) | None => (None, None),
    };
    language
}

/// Google has a voice of this name in every locale that it speaks with these voices.
fn google_voice(code: &str) -> String {
    format!("{code}-Chirp3-HD-Kore")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(line: &str, more: &str) -> Option<Connect> {
        let mut spec: AssistantSpec = serde_json::from_str(&format!(
            r#"{{"name":"a","client":"A","phone":"+33123456789","context":"",
                "voice":{{"line":"{line}","languages":["fr-FR","en-GB"]{more}}},
                "hearing":{{"provider":"deepgram","model":"nova-3-general"}}}}"#
        ))
        .unwrap();
        spec.check().unwrap();
        spec.hearing.barge_in = BargeIn::Low;
        let sid: CallSid = "CA00000000000000000000000000000001".parse().unwrap();
        let ticket = Ticket::new(jiff::Timestamp::UNIX_EPOCH).unwrap();
        connect("https://a.example", &sid, &spec, &spec.voice.language, &ticket, None)
    }

    #[test]
    fn each_line_is_led_to_its_own_socket() {
        assert!(led("gather", "").is_none());
        let Some(Connect::Stream(stream)) = led("stream", r#","provider":"local""#) else {
            panic!("a stream")
        };
        let sid = "CA00000000000000000000000000000001";
        assert_eq!(stream.url, format!("wss://a.example/api/voice/stream/{sid}"));
        assert_eq!(stream.parameters.len(), 1);
        let Some(Connect::Relay(relay)) = led("relay", "") else { panic!("a relay") };
        assert_eq!(relay.interruptible, Some("low"));
        let heard: Vec<_> = relay
            .languages
            .iter()
            .map(|l| (l.code.as_str(), l.tts_provider, l.voice.as_str(), l.transcription_provider))
            .collect();
        assert_eq!(
            heard,
            [
                ("fr-FR", "Amazon", "Lea-Neural", Some("Deepgram")),
                ("en-GB", "Amazon", "Amy-Neural", Some("Deepgram")),
            ]
        );
        let Some(Connect::Relay(relay)) =
            led("relay", r#","provider":"elevenlabs","voice_id":"v1""#)
        else {
            panic!("a relay")
        };
        assert!(relay.languages.iter().all(|l| l.tts_provider == "ElevenLabs" && l.voice == "v1"));
    }

    #[test]
    fn plain_addresses_have_plain_sockets() {
        assert_eq!(as_socket("http://127.0.0.1:1"), "ws://127.0.0.1:1");
        assert_eq!(as_socket("https://a.example/x"), "wss://a.example/x");
    }
}
