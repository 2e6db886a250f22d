//! `<Connect>`: the call goes on over a socket of ours
//! (Twilio, "TwiML: Connect", "ConversationRelay", "Stream").

use super::twiml::{Xml, usual_voice};
use crate::domain::LanguageTag;

/// `<Parameter>`: name and value may have this many characters together.
const PARAMETER: usize = 499;

/// A call that goes on over a socket. Twilio reads on behind it when the socket closes.
#[derive(Debug, Clone)]
pub enum Connect {
    /// Words both ways; Twilio listens and speaks.
    Relay(Relay),
    /// Sound both ways.
    Stream(Stream),
}

/// `<ConversationRelay>`.
#[derive(Debug, Clone)]
pub struct Relay {
    /// Where our socket is, `wss://…`.
    pub url: String,
    /// Where Twilio goes when it is over.
    pub action: String,
    /// Spoken while the socket opens, and whether the caller may talk over it.
    pub welcome: Option<(String, bool)>,
    /// The languages of the call, the one it starts in first, each with its voice; never empty.
    pub languages: Vec<RelayLanguage>,
    /// Whether all of them are listened for at once, and not only the first (Deepgram can).
    pub hears_all: bool,
    /// Whether the caller may talk over us, and how readily: `low`, `medium`, `high`.
    pub interruptible: Option<&'static str>,
    /// Words to expect.
    pub hints: Vec<String>,
    /// Given along to the socket.
    pub parameters: Vec<(String, String)>,
}

/// How one language is spoken and listened to. Twilio's usual ones where nothing is said.
#[derive(Debug, Clone)]
pub struct RelayLanguage {
    /// The locale.
    pub code: String,
    /// `Amazon`, `Google` or `ElevenLabs`.
    pub tts_provider: &'static str,
    /// The voice, in the provider's own words: without the prefix that `<Say>` wants.
    pub voice: String,
    /// `Deepgram` or `Google`.
    pub transcription_provider: Option<&'static str>,
    /// The recogniser's model.
    pub speech_model: Option<String>,
}

impl RelayLanguage {
    /// A language with the voice that `<Say>` would have for it, or one of that name.
    pub fn usual(language: &LanguageTag, voice: Option<&str>) -> Self {
        let (code, usual) = usual_voice(language);
        let voice = voice.unwrap_or(usual);
        let (tts_provider, voice) = match voice.split_once('.') {
            Some(("Google", voice)) => ("Google", voice),
            Some(("Polly", voice)) => ("Amazon", voice),
            _ => ("Amazon", voice),
        };
        Self {
            code: code.to_owned(),
            tts_provider,
            voice: voice.to_owned(),
            transcription_provider: None,
            speech_model: None,
        }
    }
}

/// `<Stream>`.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Where our socket is, `wss://…`, without a query.
    pub url: String,
    /// Given along to the socket.
    pub parameters: Vec<(String, String)>,
}

impl Connect {
    pub(super) fn write(&self, xml: &mut Xml) {
        match self {
            Self::Relay(relay) => relay.write(xml),
            Self::Stream(stream) => xml.element("Connect", &[], |xml| {
                xml.element("Stream", &[("url", &stream.url)], |xml| {
                    parameters(xml, &stream.parameters);
                });
            }),
        }
    }
}

impl Relay {
    fn write(&self, xml: &mut Xml) {
        let mut attributes = vec![("url", self.url.as_str())];
        if let Some((welcome, may_interrupt)) = &self.welcome {
            attributes.push(("welcomeGreeting", welcome.as_str()));
            let how = if *may_interrupt { "any" } else { "none" };
            attributes.push(("welcomeGreetingInterruptible", how));
        }
        if let Some(first) = self.languages.first() {
            attributes.extend([
                ("language", first.code.as_str()),
                ("ttsProvider", first.tts_provider),
                ("voice", first.voice.as_str()),
            ]);
            if let Some(provider) = first.transcription_provider {
                attributes.push(("transcriptionProvider", provider));
            }
            if let Some(model) = &first.speech_model {
                attributes.push(("speechModel", model));
            }
            if self.hears_all {
                attributes.push(("transcriptionLanguage", "multi"));
            }
        }
        // Both are said: by default the words that interrupted are dropped.
        let interruptible = if self.interruptible.is_some() { "any" } else { "none" };
        attributes.push(("interruptible", interruptible));
        attributes.push(("reportInputDuringAgentSpeech", interruptible));
        if let Some(sensitivity) = self.interruptible {
            attributes.push(("interruptSensitivity", sensitivity));
            // "hm-hm" interrupts nobody.
            attributes.push(("ignoreBackchannel", "true"));
        }
        attributes.push(("dtmfDetection", "true"));
        attributes.push(("profanityFilter", "false"));
        attributes.push(("events", "speaker-events tokens-played"));
        let hints = self.hints.join(",");
        if !hints.is_empty() {
            attributes.push(("hints", hints.as_str()));
        }
        let action = [("action", self.action.as_str()), ("method", "POST")];
        xml.element("Connect", &action, |xml| {
            xml.element("ConversationRelay", &attributes, |xml| {
                for language in &self.languages {
                    let mut attributes = vec![
                        ("code", language.code.as_str()),
                        ("ttsProvider", language.tts_provider),
                        ("voice", language.voice.as_str()),
                    ];
                    if let Some(provider) = language.transcription_provider {
                        attributes.push(("transcriptionProvider", provider));
                    }
                    if let Some(model) = &language.speech_model {
                        attributes.push(("speechModel", model));
                    }
                    xml.element("Language", &attributes, |_| {});
                }
                parameters(xml, &self.parameters);
            });
        });
    }
}

fn parameters(xml: &mut Xml, parameters: &[(String, String)]) {
    for (name, value) in parameters {
        let fits = name.chars().count() + value.chars().count() <= PARAMETER;
        debug_assert!(fits, "Twilio drops a <Parameter> this long");
        if fits {
            xml.element("Parameter", &[("name", name), ("value", value)], |_| {});
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twilio::twiml::Response;

    #[test]
    fn the_documents_read_well() {
        let mut french = RelayLanguage::usual(&LanguageTag::french(), None);
        french.transcription_provider = Some("Deepgram");
        french.speech_model = Some("nova-3-general".to_owned());
        let relay = Relay {
            url: "wss://example.com/api/voice/relay/CA1".into(),
            action: "https://example.com/resume?call_sid=CA1&turn=1".into(),
            welcome: Some(("Bonjour <vous> & \"moi\"".into(), false)),
            languages: vec![french, RelayLanguage::usual(&"el".parse().unwrap(), None)],
            hears_all: true,
            interruptible: Some("medium"),
            hints: vec!["Le Gourmet".into(), "terrasse".into()],
            parameters: vec![("ticket".into(), "abc".into())],
        };
        let document = Response::new().connect(Connect::Relay(relay)).redirect("/resume").render();
        insta::assert_snapshot!(document);
        let stream = Stream {
            url: "wss://example.com/api/voice/stream/CA1".into(),
            parameters: vec![("ticket".into(), "abc".into())],
        };
        let document = Response::new()
            .record("https://example.com/recording")
            .connect(Connect::Stream(stream))
            .redirect("/resume")
            .render();
        insta::assert_snapshot!(document);
    }

    #[test]
    fn voices_lose_the_prefix_that_say_wants() {
        let named = |voice| RelayLanguage::usual(&LanguageTag::french(), voice);
        assert_eq!(
            (named(None).tts_provider, named(None).voice.as_str()),
            ("Amazon", "Lea-Neural")
        );
        let google = named(Some("Google.fr-FR-Neural2-A"));
        assert_eq!((google.tts_provider, google.voice.as_str()), ("Google", "fr-FR-Neural2-A"));
    }
}
