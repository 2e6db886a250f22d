//! TwiML: what Twilio is told to do, as a well-formed and inert document, whatever the text.

mod xml;

use super::{
    connect::Connect,
    dial::{AskKey, Dial, TakeMessage},
};
use crate::domain::LanguageTag;

pub(super) use xml::Xml;

/// Words spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    text: String,
    language: String,
    voice: String,
}

impl Say {
    /// Words in a language, with a voice of Twilio's (`Polly.Lea-Neural`) or the language's usual one.
    pub fn new(text: &str, language: &LanguageTag, voice: Option<&str>) -> Self {
        let (language, usual) = usual_voice(language);
        Self {
            text: text.to_owned(),
            language: language.to_owned(),
            voice: voice.unwrap_or(usual).to_owned(),
        }
    }
}

/// What a caller hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// Twilio speaks.
    Say(Say),
    /// A sound of ours, at an address that Twilio fetches it from.
    Play(String),
}

impl From<Say> for Words {
    fn from(say: Say) -> Self {
        Self::Say(say)
    }
}

/// A document of ours with words in place of its sounds, which are there no more.
pub fn said_instead(document: &str, say: &Say) -> String {
    let mut xml = Xml::new();
    xml.say(say);
    let mut words = xml.finish();
    let (mut changed, mut rest) = (String::with_capacity(document.len()), document);
    while let Some((before, sound)) = rest.split_once("<Play>") {
        let Some((_, after)) = sound.split_once("</Play>") else { break };
        changed.push_str(before);
        changed.push_str(&std::mem::take(&mut words));
        rest = after;
    }
    changed + rest
}

/// The locale that a language is spoken in, and the voice that speaks it: Twilio's neural ones.
/// A voice only speaks its own locale, so both come from one row.
pub(super) fn usual_voice(language: &LanguageTag) -> (&'static str, &'static str) {
    match (language.as_str(), language.primary()) {
        ("fr-CA", _) => ("fr-CA", "Polly.Gabrielle-Neural"),
        ("fr-BE", _) => ("fr-BE", "Polly.Isabelle-Neural"),
        (_, "fr") => ("fr-FR", "Polly.Lea-Neural"),
        ("en-GB" | "en-IE", _) => ("en-GB", "Polly.Amy-Neural"),
        ("en-AU" | "en-NZ", _) => ("en-AU", "Polly.Olivia-Neural"),
        ("es-MX", _) => ("es-MX", "Polly.Mia-Neural"),
        ("es-US" | "es-AR" | "es-CL" | "es-CO", _) => ("es-US", "Polly.Lupe-Neural"),
        (_, "es") => ("es-ES", "Polly.Lucia-Neural"),
        ("de-AT", _) => ("de-AT", "Polly.Hannah-Neural"),
        (_, "de") => ("de-DE", "Polly.Vicki-Neural"),
        (_, "it") => ("it-IT", "Polly.Bianca-Neural"),
        ("pt-BR", _) => ("pt-BR", "Polly.Camila-Neural"),
        (_, "pt") => ("pt-PT", "Polly.Ines-Neural"),
        ("nl-BE", _) => ("nl-BE", "Polly.Lisa-Neural"),
        (_, "nl") => ("nl-NL", "Polly.Laura-Neural"),
        (_, "ca") => ("ca-ES", "Polly.Arlet-Neural"),
        (_, "da") => ("da-DK", "Polly.Sofie-Neural"),
        (_, "fi") => ("fi-FI", "Polly.Suvi-Neural"),
        (_, "nb" | "nn" | "no") => ("nb-NO", "Polly.Ida-Neural"),
        (_, "pl") => ("pl-PL", "Polly.Ola-Neural"),
        (_, "sv") => ("sv-SE", "Polly.Elin-Neural"),
        // Polly has no neural voice of these.
        (_, "bg") => ("bg-BG", "Google.bg-BG-Standard-B"),
        (_, "cs") => ("cs-CZ", "Google.cs-CZ-Wavenet-B"),
        (_, "el") => ("el-GR", "Google.el-GR-Wavenet-B"),
        (_, "hu") => ("hu-HU", "Google.hu-HU-Wavenet-A"),
        (_, "is") => ("is-IS", "Google.is-IS-Standard-B"),
        (_, "lv") => ("lv-LV", "Google.lv-LV-Standard-B"),
        (_, "ro") => ("ro-RO", "Google.ro-RO-Wavenet-B"),
        (_, "sk") => ("sk-SK", "Google.sk-SK-Wavenet-B"),
        _ => ("en-US", "Polly.Joanna-Neural"),
    }
}

/// Listening for words or keys; what is heard goes to `action`.
#[derive(Debug, Clone)]
pub struct Gather {
    action: String,
    language: String,
    /// Words the recogniser should expect.
    pub hints: Vec<String>,
    /// Spoken first, one after the other; the caller may talk over it.
    pub prompt: Vec<Words>,
    /// As soon as so many keys are pressed, nothing more is waited for.
    pub keys: Option<u32>,
    /// Whether several languages are listened for at once, and not only this one.
    pub several: bool,
}

impl Gather {
    /// Listens in a language.
    pub fn speech(action: &str, language: &LanguageTag) -> Self {
        Self {
            action: action.to_owned(),
            language: usual_voice(language).0.to_owned(),
            hints: Vec::new(),
            prompt: Vec::new(),
            keys: None,
            several: false,
        }
    }
}

#[derive(Debug, Clone)]
enum Verb {
    Speak(Words),
    Gather(Gather),
    Pause(u32),
    Redirect(String),
    Dial(Dial),
    AskKey(AskKey),
    TakeMessage(TakeMessage),
    Record(String),
    Connect(Box<Connect>),
    Hangup,
    Reject { as_busy: bool },
}

/// A document, verb by verb.
#[derive(Debug, Clone, Default)]
pub struct Response {
    verbs: Vec<Verb>,
}

impl Response {
    /// An empty document.
    pub fn new() -> Self {
        Self::default()
    }

    /// Speaks, in Twilio's voice or in a sound of ours.
    #[must_use]
    pub fn say(mut self, words: impl Into<Words>) -> Self {
        self.verbs.push(Verb::Speak(words.into()));
        self
    }

    /// Listens.
    #[must_use]
    pub fn gather(mut self, gather: Gather) -> Self {
        self.verbs.push(Verb::Gather(gather));
        self
    }

    /// Waits some seconds.
    #[must_use]
    pub fn pause(mut self, seconds: u32) -> Self {
        self.verbs.push(Verb::Pause(seconds));
        self
    }

    /// Goes on with the document at another address.
    #[must_use]
    pub fn redirect(mut self, url: &str) -> Self {
        self.verbs.push(Verb::Redirect(url.to_owned()));
        self
    }

    /// Rings a human.
    #[must_use]
    pub fn dial(mut self, dial: Dial) -> Self {
        self.verbs.push(Verb::Dial(dial));
        self
    }

    /// Asks for a key.
    #[must_use]
    pub fn ask_key(mut self, ask: AskKey) -> Self {
        self.verbs.push(Verb::AskKey(ask));
        self
    }

    /// Records a message after a beep.
    #[must_use]
    pub fn take_message(mut self, message: TakeMessage) -> Self {
        self.verbs.push(Verb::TakeMessage(message));
        self
    }

    /// Records from here on, both sides apart; when it is ready is told to an address, which must
    /// be a whole one (Twilio, "TwiML: Start, Recording").
    #[must_use]
    pub fn record(mut self, told: &str) -> Self {
        self.verbs.push(Verb::Record(told.to_owned()));
        self
    }

    /// Goes on over a socket; what follows is done when it closes.
    #[must_use]
    pub fn connect(mut self, connect: Connect) -> Self {
        self.verbs.push(Verb::Connect(Box::new(connect)));
        self
    }

    /// Hangs up.
    #[must_use]
    pub fn hangup(mut self) -> Self {
        self.verbs.push(Verb::Hangup);
        self
    }

    /// Turns the call down before it is answered, which is not billed; must be the first.
    #[must_use]
    pub fn reject(mut self, as_busy: bool) -> Self {
        self.verbs.push(Verb::Reject { as_busy });
        self
    }

    /// The document as text.
    pub fn render(&self) -> String {
        let mut xml = Xml::new();
        xml.declare();
        xml.element("Response", &[], |xml| {
            for verb in &self.verbs {
                xml.verb(verb);
            }
        });
        xml.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        xml::{legal, parts},
        *,
    };
    use crate::twilio::reader::{self, Verb as Read};

    fn document(text: &str) -> String {
        let fr = LanguageTag::french();
        let mut gather = Gather::speech("https://example.com/process?call_sid=CA1&turn=1", &fr);
        gather.prompt = vec![Say::new(text, &fr, None).into()];
        gather.hints = vec![text.to_owned()];
        Response::new().gather(gather).redirect("/x?a=1&b=2").render()
    }

    #[test]
    fn a_document_reads_well() {
        insta::assert_snapshot!(document("Bonjour <M. Dupont> & fils"));
        let number: crate::domain::PhoneNumber = "+33612345678".parse().unwrap();
        let dial = Dial { action: Some("/t?a=1&b=2".into()), ..Dial::new(number.clone(), 25) };
        insta::assert_snapshot!(Response::new().pause(1).dial(dial).hangup().render());
        insta::assert_snapshot!(Response::new().record("https://example.com/r?a=1&b=2").render());
        let warm = Dial {
            caller_id: Some("+33123456789".parse().unwrap()),
            whisper: Some("/w?a=1&b=2".into()),
            ..Dial::new(number, 20)
        };
        let words = Say::new("Appel de <M. Dupont>.", &LanguageTag::french(), None).into();
        let ask = AskKey { action: "/k?a=1&b=2".into(), prompt: vec![words] };
        let message = TakeMessage {
            action: "/v?a=1".into(),
            ready: "https://example.com/r".into(),
            words: Some("https://example.com/t".into()),
        };
        insta::assert_snapshot!(
            Response::new().dial(warm).ask_key(ask).take_message(message).hangup().render()
        );
    }

    #[test]
    fn a_sound_is_played_and_can_be_said_instead() {
        let fr = LanguageTag::french();
        let url = "https://example.com/api/voice/audio/AbC-_1";
        let mut gather = Gather::speech("/process?a=1&b=2", &fr);
        gather.prompt = vec![Words::Play(url.to_owned())];
        let first = Words::Play("/first".to_owned());
        let document = Response::new().say(first).gather(gather).hangup().render();
        let verbs = reader::read(&document).unwrap();
        assert_eq!(verbs[0], Read::Play("/first".to_owned()));
        let Read::Gather { plays, prompts, .. } = &verbs[1] else { panic!("a gather") };
        assert_eq!(
            (plays.as_slice(), prompts.as_slice()),
            ([url.to_owned()].as_slice(), [].as_slice())
        );
        let said = said_instead(&document, &Say::new("Bonjour & <bienvenue>", &fr, None));
        let verbs = reader::read(&said).unwrap();
        let Read::Say(first) = &verbs[0] else { panic!("words: {said}") };
        assert_eq!(first.text, "Bonjour & <bienvenue>");
        let Read::Gather { plays, prompts, .. } = &verbs[1] else { panic!("a gather") };
        assert!(plays.is_empty() && prompts.is_empty() && verbs[2] == Read::Hangup, "{said}");
        assert_eq!(said_instead(&said, &Say::new("x", &fr, None)), said);
    }

    #[test]
    fn every_voice_is_one_that_twilio_lists_for_its_locale() {
        let known: Vec<&str> =
            include_str!("../../../tests/data/twilio/voices.txt").lines().collect();
        for tag in [
            "fr-FR", "fr-CA", "fr-BE", "en-US", "en-GB", "en-AU", "es-ES", "es-MX", "es-AR",
            "de-DE", "de-AT", "it-IT", "pt-PT", "pt-BR", "nl-NL", "nl-BE", "ja-JP", "ca-ES",
            "da-DK", "fi-FI", "nb-NO", "pl-PL", "sv-SE", "bg-BG", "cs-CZ", "el-GR", "hu-HU",
            "is-IS", "lv-LV", "ro-RO", "sk-SK",
        ] {
            let (_, voice) = usual_voice(&tag.parse().unwrap());
            assert!(known.contains(&voice), "{tag}: {voice}");
        }
    }

    #[test]
    fn long_speech_is_cut_between_sentences_and_bounded() {
        let text = "Une phrase assez longue pour compter. ".repeat(2_000);
        let xml = document(&text);
        assert!(xml.len() < 64 * 1024);
        let says = reader::read(&xml).unwrap();
        let Read::Gather { prompts, .. } = &says[0] else { panic!("a gather") };
        assert!(prompts.len() > 1);
        assert!(prompts.iter().all(|say| say.text.ends_with('.')));
        let wall = "x".repeat(5_000);
        assert_eq!(parts(&wall, 1_500).concat(), wall);
        for worst in ["&", "é", "<", "\"", "𝄞"] {
            let xml = document(&worst.repeat(100_000));
            assert!(xml.len() < 64 * 1024, "{worst}: {}", xml.len());
            assert!(xml.contains("<Redirect"), "what follows speech is never cut");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_said_the_document_is_well_formed_and_inert(text in "\\PC{0,300}|.{0,300}|[<>&\"']{1,50}") {
            let verbs = reader::read(&document(&text)).unwrap();
            proptest::prop_assert_eq!(verbs.len(), 2);
            let Read::Gather { action, prompts, .. } = &verbs[0] else { panic!("a gather") };
            proptest::prop_assert_eq!(action, "https://example.com/process?call_sid=CA1&turn=1");
            let said: String = prompts.iter().flat_map(|say| say.text.chars()).filter(|c| !c.is_whitespace()).collect();
            let meant: String = legal(&text).chars().filter(|c| !c.is_whitespace()).collect();
            proptest::prop_assert_eq!(said, meant);
        }
    }
}
