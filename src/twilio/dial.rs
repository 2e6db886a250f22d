//! Handing a call to a human, in TwiML: ringing, asking for a key, and a message after a beep
//! (Twilio, "TwiML: Dial", "Number", "Record").

use super::twiml::{Words, Xml};
use crate::domain::PhoneNumber;

/// So long a message may be: what is longer, Twilio does not write down.
const LONGEST_MESSAGE: &str = "120";

/// Silence after which a message is over, in seconds.
const MESSAGE_SILENCE: &str = "5";

/// How long a key is waited for, in seconds.
const KEY_WAIT: &str = "7";

/// Ringing a human.
#[derive(Debug, Clone)]
pub struct Dial {
    /// Whom.
    pub number: PhoneNumber,
    /// Where the outcome goes; without it the next verb runs.
    pub action: Option<String>,
    /// How long it rings, in seconds.
    pub timeout: u32,
    /// The number that the human sees; Twilio's choice otherwise, which is the caller's.
    pub caller_id: Option<PhoneNumber>,
    /// What the human hears before the two are connected; they talk when it ends.
    pub whisper: Option<String>,
}

impl Dial {
    /// Rings a number for so many seconds.
    pub fn new(number: PhoneNumber, timeout: u32) -> Self {
        Self { number, action: None, timeout, caller_id: None, whisper: None }
    }

    pub(super) fn write(&self, xml: &mut Xml) {
        let timeout = self.timeout.to_string();
        let mut attributes = vec![("timeout", timeout.as_str())];
        if let Some(caller_id) = &self.caller_id {
            attributes.push(("callerId", caller_id.as_str()));
        }
        if let Some(action) = &self.action {
            attributes.extend([("action", action.as_str()), ("method", "POST")]);
        }
        let mut of_number = Vec::new();
        if let Some(whisper) = &self.whisper {
            of_number.extend([("url", whisper.as_str()), ("method", "POST")]);
        }
        xml.element("Dial", &attributes, |xml| {
            xml.element("Number", &of_number, |xml| xml.text(self.number.as_str()));
        });
    }
}

/// Asking for one key, and nothing else.
#[derive(Debug, Clone)]
pub struct AskKey {
    /// Where it goes. Without a key the next verb runs.
    pub action: String,
    /// Spoken first.
    pub prompt: Vec<Words>,
}

impl AskKey {
    pub(super) fn write(&self, xml: &mut Xml) {
        let attributes = [
            ("input", "dtmf"),
            ("numDigits", "1"),
            ("timeout", KEY_WAIT),
            ("action", self.action.as_str()),
            ("method", "POST"),
        ];
        xml.element("Gather", &attributes, |xml| {
            for words in &self.prompt {
                xml.speak(words);
            }
        });
    }
}

/// Recording a message after a beep.
#[derive(Debug, Clone)]
pub struct TakeMessage {
    /// Where it goes when it is over. When nothing is said, the next verb runs.
    pub action: String,
    /// Where it is told that the recording is ready.
    pub ready: String,
    /// Where its words are told; not written down otherwise.
    pub words: Option<String>,
}

impl TakeMessage {
    pub(super) fn write(&self, xml: &mut Xml) {
        let mut attributes = vec![
            ("action", self.action.as_str()),
            ("method", "POST"),
            ("maxLength", LONGEST_MESSAGE),
            ("timeout", MESSAGE_SILENCE),
            ("playBeep", "true"),
            ("recordingStatusCallback", self.ready.as_str()),
            ("recordingStatusCallbackMethod", "POST"),
            ("recordingStatusCallbackEvent", "completed absent"),
        ];
        if let Some(words) = &self.words {
            attributes.extend([("transcribe", "true"), ("transcribeCallback", words.as_str())]);
        }
        xml.element("Record", &attributes, |_| {});
    }
}
