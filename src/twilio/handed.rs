//! What Twilio tells about a call that is handed to a human, read into types
//! (Twilio, "TwiML: Dial, action", "Number, url", "Record, action and transcribeCallback").

use super::{
    form::Form,
    webhook::{Incoming, WebhookError, bounded, required},
};
use crate::domain::{CallSid, CallStatus, KeptRecording, PhoneNumber};

/// A message of two minutes is well below this.
const WORDS_BYTES: usize = 16 * 1024;

/// A number of seconds.
const SECONDS_BYTES: usize = 16;

/// A `<Dial>` is over.
#[derive(Debug, Clone)]
pub struct Dialled {
    /// Which call.
    pub call_sid: CallSid,
    /// The number first dialled.
    pub to: Option<PhoneNumber>,
    /// What became of it.
    pub status: DialStatus,
    /// Whether the two were connected, where Twilio says so.
    pub bridged: Option<bool>,
    /// How long the human's side lasted, in seconds.
    pub duration_s: Option<u32>,
    /// Whether the caller's side is over too.
    pub is_over: bool,
}

/// What became of a `<Dial>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialStatus {
    /// Somebody, or something, picked up.
    PickedUp,
    /// The line was busy.
    Busy,
    /// It rang in vain.
    NoAnswer,
    /// Broken off before anybody picked up.
    Canceled,
    /// Twilio was sent back to where it said it, and does not say it twice.
    Untold,
    /// It could not be dialled, or Twilio says something new.
    Failed,
}

fn seconds(form: &Form, name: &'static str) -> Result<Option<u32>, WebhookError> {
    // Nothing depends on it: what cannot be read is not known.
    Ok(bounded(form, name, SECONDS_BYTES)?.and_then(|text| text.trim().parse().ok()))
}

fn is_over(form: &Form) -> bool {
    form.get("CallStatus").is_some_and(|status| CallStatus::from_twilio(status).is_final())
}

impl Dialled {
    /// Reads the request that `<Dial>` makes.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        let Incoming { call_sid, to, .. } = Incoming::read(form)?;
        let status = match form.get("DialCallStatus").unwrap_or_default() {
            "completed" | "answered" => DialStatus::PickedUp,
            "busy" => DialStatus::Busy,
            "no-answer" => DialStatus::NoAnswer,
            "canceled" => DialStatus::Canceled,
            "" => DialStatus::Untold,
            _ => DialStatus::Failed,
        };
        let bridged = form.get("DialBridged").and_then(|text| text.trim().parse().ok());
        let duration_s = seconds(form, "DialCallDuration")?;
        Ok(Self { call_sid, to, status, bridged, duration_s, is_over: is_over(form) })
    }
}

/// The human's side of a call picked up, or pressed a key. It is a call of its own, and names the
/// caller's as its parent.
#[derive(Debug, Clone)]
pub struct HumanLeg {
    /// The caller's call.
    pub parent: Option<CallSid>,
    /// What was pressed.
    pub key: Option<char>,
}

impl HumanLeg {
    /// Reads a request of the human's side.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        // Its own call is well formed, or it is none of Twilio's.
        let _: CallSid =
            required(form, "CallSid")?.parse().map_err(|_| WebhookError::Malformed("CallSid"))?;
        let parent = match form.get("ParentCallSid") {
            None | Some("") => None,
            Some(sid) => Some(sid.parse().map_err(|_| WebhookError::Malformed("ParentCallSid"))?),
        };
        let key =
            bounded(form, "Digits", SECONDS_BYTES)?.and_then(|keys| keys.trim().chars().next());
        Ok(Self { parent, key })
    }
}

/// A message was spoken, or nothing was.
#[derive(Debug, Clone)]
pub struct LeftMessage {
    /// Which call.
    pub call_sid: CallSid,
    /// The number dialled.
    pub to: Option<PhoneNumber>,
    /// Where it is kept.
    pub kept: Option<KeptRecording>,
    /// How long it is.
    pub seconds: u32,
    /// Whether the caller hung up.
    pub is_over: bool,
}

/// The recording that a request names, by its address or by its identifier.
fn kept(form: &Form) -> Option<KeptRecording> {
    let by_sid = || {
        Some(KeptRecording {
            account: form.get("AccountSid")?.parse().ok()?,
            sid: form.get("RecordingSid")?.parse().ok()?,
        })
    };
    by_sid().or_else(|| KeptRecording::at(form.get("RecordingUrl")?))
}

impl LeftMessage {
    /// Reads the request that `<Record>` makes.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        let Incoming { call_sid, to, .. } = Incoming::read(form)?;
        let hung_up = form.get("Digits") == Some("hangup");
        let seconds = seconds(form, "RecordingDuration")?.unwrap_or_default();
        Ok(Self { call_sid, to, kept: kept(form), seconds, is_over: hung_up || is_over(form) })
    }
}

/// A message was written down, or could not be.
#[derive(Debug, Clone)]
pub struct Transcribed {
    /// Which call.
    pub call_sid: CallSid,
    /// Which message.
    pub kept: Option<KeptRecording>,
    /// Its words; nothing when they were not understood.
    pub text: Option<String>,
}

impl Transcribed {
    /// Reads the request that a transcription makes.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        let call_sid =
            required(form, "CallSid")?.parse().map_err(|_| WebhookError::Malformed("CallSid"))?;
        let text = bounded(form, "TranscriptionText", WORDS_BYTES)?.unwrap_or_default();
        let text: String = text.trim().chars().filter(|c| !c.is_control() || *c == '\n').collect();
        let is_there = form.get("TranscriptionStatus") == Some("completed") && !text.is_empty();
        Ok(Self { call_sid, kept: kept(form), text: is_there.then_some(text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "CA00000000000000000000000000000001";
    const ACCOUNT: &str = "AC00000000000000000000000000000001";
    const RECORDING: &str = "RE00000000000000000000000000000002";

    fn form(fields: &[(&str, &str)]) -> Form {
        let base = [("CallSid", SID), ("From", "+33612345678"), ("To", "+33123456789")];
        Form::from_fields(fields.iter().chain(base.iter()).map(|(n, v)| (*n, *v)))
    }

    #[test]
    fn what_became_of_a_dial() {
        let read = |status: &str| Dialled::read(&form(&[("DialCallStatus", status)])).unwrap();
        for (word, status) in [
            ("completed", DialStatus::PickedUp),
            ("answered", DialStatus::PickedUp),
            ("busy", DialStatus::Busy),
            ("no-answer", DialStatus::NoAnswer),
            ("canceled", DialStatus::Canceled),
            ("failed", DialStatus::Failed),
            ("something-new", DialStatus::Failed),
            ("", DialStatus::Untold),
        ] {
            assert_eq!(read(word).status, status, "{word}");
        }
        let whole = Dialled::read(&form(&[
            ("DialCallStatus", "completed"),
            ("DialBridged", "false"),
            ("DialCallDuration", "12"),
            ("CallStatus", "completed"),
        ]))
        .unwrap();
        assert_eq!((whole.bridged, whole.duration_s, whole.is_over), (Some(false), Some(12), true));
        assert_eq!(Dialled::read(&form(&[])).unwrap().status, DialStatus::Untold);
    }

    #[test]
    fn a_human_is_known_by_the_call_it_is_rung_for() {
        let child = "CA00000000000000000000000000000009";
        let fields = [("CallSid", child), ("ParentCallSid", SID), ("Digits", "1")];
        let leg = HumanLeg::read(&Form::from_fields(fields)).unwrap();
        assert_eq!((leg.parent.unwrap().as_str(), leg.key), (SID, Some('1')));
        let without = HumanLeg::read(&Form::from_fields([("CallSid", child)])).unwrap();
        assert!(without.parent.is_none() && without.key.is_none());
        let odd = Form::from_fields([("CallSid", child), ("ParentCallSid", "CA1")]);
        assert!(HumanLeg::read(&odd).is_err());
    }

    #[test]
    fn a_message_is_where_twilio_says() {
        let url =
            format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/{RECORDING}");
        let fields =
            [("RecordingUrl", url.as_str()), ("RecordingDuration", "7"), ("Digits", "hangup")];
        let left = LeftMessage::read(&form(&fields)).unwrap();
        assert_eq!((left.kept.unwrap().sid.as_str(), left.seconds), (RECORDING, 7));
        assert!(left.is_over);
        assert!(LeftMessage::read(&form(&[])).unwrap().kept.is_none());
        let elsewhere = form(&[("RecordingUrl", "https://example.com/1.wav")]);
        assert!(LeftMessage::read(&elsewhere).unwrap().kept.is_none());
        let words = |status: &str, text: &str| {
            let fields = [("TranscriptionStatus", status), ("TranscriptionText", text)];
            Transcribed::read(&form(&fields)).unwrap().text
        };
        assert_eq!(words("completed", " Call me\u{7}. ").as_deref(), Some("Call me."));
        assert_eq!(words("failed", "x"), None);
        assert_eq!(words("completed", " "), None);
    }

    proptest::proptest! {
        #[test]
        fn no_form_panics(fields in proptest::collection::vec(("[A-Za-z]{0,12}", ".{0,40}"), 0..12)) {
            let form = Form::from_fields(fields);
            let _ = (Dialled::read(&form), HumanLeg::read(&form), LeftMessage::read(&form));
            let _ = Transcribed::read(&form);
        }
    }
}
