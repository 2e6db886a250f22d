//! Media Streams: the messages of a `<Connect><Stream>` socket, both ways
//! (Twilio, "Media Streams: WebSocket messages").
//!
//! Both directions are read and written: the daemon is one end, a rehearsal the other. Unknown
//! fields and events are ignored: Twilio adds some without notice.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::domain::{AccountSid, CallSid};

/// Longer than any message but a burst of sound: five seconds of it.
pub const LONGEST_MESSAGE: usize = 64 * 1024;

/// Why a message cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Not one of Twilio's.
    #[error("a message that is not one of Twilio's: {0}")]
    Malformed(String),
    /// Its sound is not base64.
    #[error("sound that is not base64")]
    Sound,
}

/// What Twilio sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum FromTwilio<'a> {
    /// The first one.
    Connected {},
    /// Then this one: which call it is.
    #[serde(rename_all = "camelCase")]
    Start {
        /// What is said of the stream.
        start: Start,
        /// The stream's SID, `MZ…`.
        stream_sid: String,
    },
    /// Twenty milliseconds of the caller.
    Media {
        /// The sound.
        #[serde(borrow)]
        media: Media<'a>,
    },
    /// A key.
    Dtmf {
        /// Which.
        dtmf: Dtmf,
    },
    /// Everything that was sent before the mark has been played, or was cleared.
    Mark {
        /// Which.
        mark: Mark<'a>,
    },
    /// The call is over, or its TwiML goes on.
    Stop {},
    /// An event that we do not know.
    #[serde(other)]
    Other,
}

/// What the start of a stream says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    /// The account.
    pub account_sid: AccountSid,
    /// The call.
    pub call_sid: CallSid,
    /// What our TwiML gave along in `<Parameter>`.
    #[serde(default)]
    pub custom_parameters: BTreeMap<String, String>,
    /// How the sound is coded.
    #[serde(default)]
    pub media_format: MediaFormat,
}

/// How sound is coded: on the telephone always the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MediaFormat {
    /// `audio/x-mulaw`.
    pub encoding: String,
    /// 8,000.
    pub sample_rate: u32,
    /// 1.
    pub channels: u32,
}

impl Default for MediaFormat {
    fn default() -> Self {
        Self { encoding: "audio/x-mulaw".to_owned(), sample_rate: 8_000, channels: 1 }
    }
}

/// Sound of the caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Media<'a> {
    /// `inbound`.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub track: Option<Cow<'a, str>>,
    /// Milliseconds since the stream began, as text.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Cow<'a, str>>,
    /// Counts from 1, as text.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub chunk: Option<Cow<'a, str>>,
    /// μ-law in base64.
    #[serde(borrow)]
    pub payload: Cow<'a, str>,
}

impl Media<'_> {
    /// The sound, decoded into `sound` in the place of what was there.
    pub fn decode(&self, sound: &mut Vec<u8>) -> Result<(), MessageError> {
        sound.clear();
        STANDARD.decode_vec(self.payload.as_bytes(), sound).map_err(|_| MessageError::Sound)
    }

    /// Milliseconds since the stream began.
    pub fn at_ms(&self) -> Option<u64> {
        self.timestamp.as_deref().and_then(|text| text.parse().ok())
    }
}

/// A key that was pressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dtmf {
    /// `0`–`9`, `*`, `#`, `A`–`D`.
    pub digit: String,
}

/// A mark among the sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
}

/// All fields of all messages: fifty a second and call are read, and an enum told apart by a field
/// among the others is read twice.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flat<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(default, borrow)]
    media: Option<Media<'a>>,
    #[serde(default, borrow)]
    start: Option<&'a serde_json::value::RawValue>,
    #[serde(default)]
    stream_sid: Option<Cow<'a, str>>,
    #[serde(default)]
    dtmf: Option<Dtmf>,
    #[serde(default, borrow)]
    mark: Option<Mark<'a>>,
}

impl<'a> FromTwilio<'a> {
    /// Reads a message.
    pub fn read(text: &'a str) -> Result<Self, MessageError> {
        // Only kind and place of the mistake: what a caller said or keyed in is not for logs.
        let malformed = |error: serde_json::Error| {
            MessageError::Malformed(format!("{:?} at column {}", error.classify(), error.column()))
        };
        let lacks = |what: &str| MessageError::Malformed(format!("it lacks `{what}`"));
        let flat: Flat<'a> = serde_json::from_str(text).map_err(malformed)?;
        Ok(match &*flat.event {
            "media" => Self::Media { media: flat.media.ok_or_else(|| lacks("media"))? },
            "mark" => Self::Mark { mark: flat.mark.ok_or_else(|| lacks("mark"))? },
            "dtmf" => Self::Dtmf { dtmf: flat.dtmf.ok_or_else(|| lacks("dtmf"))? },
            "start" => {
                let start = flat.start.ok_or_else(|| lacks("start"))?;
                Self::Start {
                    start: serde_json::from_str(start.get()).map_err(malformed)?,
                    stream_sid: flat.stream_sid.ok_or_else(|| lacks("streamSid"))?.into_owned(),
                }
            }
            "connected" => Self::Connected {},
            "stop" => Self::Stop {},
            _ => Self::Other,
        })
    }
}

/// What we send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum ToTwilio<'a> {
    /// Sound, queued behind what is being played.
    #[serde(rename_all = "camelCase")]
    Media {
        /// The stream.
        #[serde(borrow)]
        stream_sid: Cow<'a, str>,
        /// The sound.
        #[serde(borrow)]
        media: Media<'a>,
    },
    /// Comes back when everything before it has been played.
    #[serde(rename_all = "camelCase")]
    Mark {
        /// The stream.
        #[serde(borrow)]
        stream_sid: Cow<'a, str>,
        /// Which.
        #[serde(borrow)]
        mark: Mark<'a>,
    },
    /// Drops what is queued; its marks come back at once.
    #[serde(rename_all = "camelCase")]
    Clear {
        /// The stream.
        #[serde(borrow)]
        stream_sid: Cow<'a, str>,
    },
}

impl<'a> ToTwilio<'a> {
    /// Sound for the caller.
    pub fn media(stream_sid: &'a str, sound: &[u8]) -> Self {
        let payload = Cow::Owned(STANDARD.encode(sound));
        let media = Media { track: None, timestamp: None, chunk: None, payload };
        Self::Media { stream_sid: stream_sid.into(), media }
    }

    /// A mark.
    pub fn mark(stream_sid: &'a str, name: &'a str) -> Self {
        Self::Mark { stream_sid: stream_sid.into(), mark: Mark { name: name.into() } }
    }

    /// The message as text.
    pub fn render(&self) -> String {
        // Strings and numbers only: writing them cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = r#"{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC00000000000000000000000000000000","streamSid":"MZ1","callSid":"CA00000000000000000000000000000001","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{"token":"t"}},"streamSid":"MZ1"}"#;

    #[test]
    fn what_twilio_sends_is_read() {
        let read = |text| FromTwilio::read(text).unwrap();
        assert_eq!(
            read(r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#),
            FromTwilio::Connected {}
        );
        let FromTwilio::Start { start, stream_sid } = read(START) else { panic!("a start") };
        assert_eq!((stream_sid.as_str(), start.custom_parameters["token"].as_str()), ("MZ1", "t"));
        assert_eq!(start.media_format, MediaFormat::default());
        let media = r#"{"event":"media","sequenceNumber":"4","media":{"track":"inbound","chunk":"2","timestamp":"20","payload":"/38A"},"streamSid":"MZ1"}"#;
        let FromTwilio::Media { media } = read(media) else { panic!("media") };
        let mut sound = vec![1, 2, 3, 4];
        media.decode(&mut sound).unwrap();
        assert_eq!((sound, media.at_ms()), (vec![0xFF, 0x7F, 0x00], Some(20)));
        let key = r#"{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"1"}}"#;
        assert_eq!(read(key), FromTwilio::Dtmf { dtmf: Dtmf { digit: "1".to_owned() } });
        let mark =
            r#"{"event":"mark","sequenceNumber":"4","streamSid":"MZ1","mark":{"name":"m1"}}"#;
        assert_eq!(read(mark), FromTwilio::Mark { mark: Mark { name: "m1".into() } });
        let stop = r#"{"event":"stop","sequenceNumber":"5","streamSid":"MZ1","stop":{"accountSid":"AC1","callSid":"CA1"}}"#;
        assert_eq!(read(stop), FromTwilio::Stop {});
        assert_eq!(read(r#"{"event":"news","x":{"y":1}}"#), FromTwilio::Other);
    }

    #[test]
    fn what_we_send_is_as_documented() {
        assert_eq!(
            ToTwilio::media("MZ1", &[0xFF, 0x00]).render(),
            r#"{"event":"media","streamSid":"MZ1","media":{"payload":"/wA="}}"#
        );
        assert_eq!(
            ToTwilio::mark("MZ1", "3").render(),
            r#"{"event":"mark","streamSid":"MZ1","mark":{"name":"3"}}"#
        );
        let clear = ToTwilio::Clear { stream_sid: "MZ1".into() };
        assert_eq!(clear.render(), r#"{"event":"clear","streamSid":"MZ1"}"#);
        assert_eq!(serde_json::from_str::<ToTwilio<'_>>(&clear.render()).unwrap(), clear);
    }

    #[test]
    fn rubbish_is_told_without_what_was_in_it() {
        for rubbish in [
            "",
            "hello",
            "[]",
            "{}",
            r#"{"event":"media"}"#,
            r#"{"event":"start","start":{"secret":1}}"#,
        ] {
            let error = FromTwilio::read(rubbish).unwrap_err().to_string();
            assert!(!error.contains("secret") && !error.contains("hello"), "{error}");
        }
        let odd = r#"{"event":"media","media":{"payload":"not base64!"}}"#;
        let FromTwilio::Media { media } = FromTwilio::read(odd).unwrap() else { panic!("media") };
        assert_eq!(media.decode(&mut Vec::new()), Err(MessageError::Sound));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in ".{0,200}|\\{\"event\":\"(media|start|mark|dtmf|stop)\".{0,100}\\}") {
            if let Ok(FromTwilio::Media { media }) = FromTwilio::read(&text) {
                let _ = media.decode(&mut Vec::new());
            }
        }
    }
}
