//! ConversationRelay: the messages of its socket, both ways
//! (Twilio, "ConversationRelay: WebSocket messages").
//!
//! Both directions are read and written: the daemon is one end, a rehearsal the other. Unknown
//! fields and types are ignored: Twilio adds some without notice.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::stream::MessageError;
use crate::domain::{AccountSid, CallSid};

/// Longer than anything a caller says between two breaths.
pub const LONGEST_MESSAGE: usize = 64 * 1024;

/// What Twilio sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum FromTwilio {
    /// The first one: which call it is.
    #[serde(rename_all = "camelCase")]
    Setup {
        /// The session, `VX…`.
        session_id: String,
        /// The account.
        account_sid: AccountSid,
        /// The call.
        call_sid: CallSid,
        /// What our TwiML gave along in `<Parameter>`.
        #[serde(default)]
        custom_parameters: BTreeMap<String, String>,
    },
    /// What the caller says.
    #[serde(rename_all = "camelCase")]
    Prompt {
        /// The words.
        voice_prompt: String,
        /// In which language, where several are listened for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lang: Option<String>,
        /// Whether that was all of it.
        #[serde(default = "yes")]
        last: bool,
    },
    /// A key.
    Dtmf {
        /// Which.
        digit: String,
    },
    /// The caller talked over us.
    #[serde(rename_all = "camelCase")]
    Interrupt {
        /// What had been heard of us until then.
        #[serde(default)]
        utterance_until_interrupt: String,
        /// After how long. A number today, text in older documents.
        #[serde(default, deserialize_with = "number_or_text")]
        duration_until_interrupt_ms: Option<u64>,
    },
    /// Something we sent was no good.
    Error {
        /// What.
        #[serde(default)]
        description: String,
    },
    /// Who speaks, what was played.
    Info {
        /// What it is about: `agentSpeaking`, `clientSpeaking`, `tokensPlayed`.
        #[serde(default)]
        name: String,
        /// `on` or `off`, or the words.
        #[serde(default)]
        value: serde_json::Value,
    },
    /// A type that we do not know.
    #[serde(other)]
    Other,
}

const fn yes() -> bool {
    true
}

fn number_or_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(value.as_u64().or_else(|| value.as_str()?.parse().ok()))
}

impl FromTwilio {
    /// Reads a message.
    pub fn read(text: &str) -> Result<Self, MessageError> {
        serde_json::from_str(text).map_err(|error| {
            MessageError::Malformed(format!("{:?} at column {}", error.classify(), error.column()))
        })
    }
}

/// What we send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ToTwilio {
    /// Words to speak, as they come.
    Text {
        /// Some of them, spaces kept.
        token: String,
        /// Whether the turn ends with them.
        #[serde(default)]
        last: bool,
        /// The language they are in, where it is not the call's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lang: Option<String>,
        /// Whether the caller may talk over them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interruptible: Option<bool>,
    },
    /// A sound to play.
    Play {
        /// Where it is.
        source: String,
        /// Whether the caller may talk over it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        interruptible: Option<bool>,
    },
    /// Keys to press: for machines at the other end.
    SendDigits {
        /// `0`–`9`, `w` for a pause, `#`, `*`.
        digits: String,
    },
    /// Another language from here on.
    #[serde(rename_all = "camelCase")]
    Language {
        /// Spoken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tts_language: Option<String>,
        /// Listened for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transcription_language: Option<String>,
    },
    /// The session is over: the call goes on at `<Connect action>`.
    #[serde(rename_all = "camelCase")]
    End {
        /// Given along to it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handoff_data: Option<String>,
    },
}

impl ToTwilio {
    /// Some words of a turn.
    pub fn words(token: &str) -> Self {
        Self::Text { token: token.to_owned(), last: false, lang: None, interruptible: None }
    }

    /// The end of a turn's words.
    pub fn last() -> Self {
        Self::Text { token: String::new(), last: true, lang: None, interruptible: None }
    }

    /// The message as text.
    pub fn render(&self) -> String {
        // Strings only: writing them cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_twilio_sends_is_read() {
        let read = |text: &str| FromTwilio::read(text).unwrap();
        let setup = r#"{"type":"setup","sessionId":"VX1","accountSid":"AC00000000000000000000000000000000","parentCallSid":"","callSid":"CA00000000000000000000000000000001","from":"+33612345678","to":"+33123456789","forwardedFrom":"","callType":"PSTN","callerName":"","direction":"inbound","callStatus":"RINGING","customParameters":{"token":"t"}}"#;
        let FromTwilio::Setup { session_id, custom_parameters, .. } = read(setup) else {
            panic!("a setup")
        };
        assert_eq!((session_id.as_str(), custom_parameters["token"].as_str()), ("VX1", "t"));
        assert_eq!(
            read(r#"{"type":"prompt","voicePrompt":"Bonjour","lang":"fr","last":false}"#),
            FromTwilio::Prompt {
                voice_prompt: "Bonjour".into(),
                lang: Some("fr".into()),
                last: false
            }
        );
        let interrupted = |ms| FromTwilio::Interrupt {
            utterance_until_interrupt: "Nous".into(),
            duration_until_interrupt_ms: ms,
        };
        for ms in ["460", "\"460\""] {
            let text = format!(
                r#"{{"type":"interrupt","utteranceUntilInterrupt":"Nous","durationUntilInterruptMs":{ms}}}"#
            );
            assert_eq!(read(&text), interrupted(Some(460)));
        }
        assert_eq!(read(r#"{"type":"dtmf","digit":"4"}"#), FromTwilio::Dtmf { digit: "4".into() });
        assert_eq!(
            read(r#"{"type":"error","description":"Invalid message"}"#),
            FromTwilio::Error { description: "Invalid message".into() }
        );
        assert!(matches!(
            read(r#"{"type":"info","name":"tokensPlayed","value":"Bonjour","ts":1}"#),
            FromTwilio::Info { name, .. } if name == "tokensPlayed"
        ));
        assert_eq!(read(r#"{"type":"tomorrow","x":1}"#), FromTwilio::Other);
        assert!(FromTwilio::read(r#"{"type":"setup"}"#).is_err());
    }

    #[test]
    fn what_we_send_is_as_documented() {
        for (message, text) in [
            (ToTwilio::words("Bon"), r#"{"type":"text","token":"Bon","last":false}"#),
            (ToTwilio::last(), r#"{"type":"text","token":"","last":true}"#),
            (
                ToTwilio::Play { source: "https://a.example/x".into(), interruptible: Some(false) },
                r#"{"type":"play","source":"https://a.example/x","interruptible":false}"#,
            ),
            (
                ToTwilio::SendDigits { digits: "1w2#".into() },
                r#"{"type":"sendDigits","digits":"1w2#"}"#,
            ),
            (
                ToTwilio::Language {
                    tts_language: Some("en-US".into()),
                    transcription_language: Some("en-US".into()),
                },
                r#"{"type":"language","ttsLanguage":"en-US","transcriptionLanguage":"en-US"}"#,
            ),
            (
                ToTwilio::End { handoff_data: Some("{}".into()) },
                r#"{"type":"end","handoffData":"{}"}"#,
            ),
        ] {
            assert_eq!(message.render(), text);
            assert_eq!(serde_json::from_str::<ToTwilio>(text).unwrap(), message);
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in ".{0,200}|\\{\"type\":\"(setup|prompt|interrupt|info)\".{0,100}\\}") {
            let _ = FromTwilio::read(&text);
        }
    }
}
