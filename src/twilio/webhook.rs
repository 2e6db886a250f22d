//! What Twilio's voice webhooks carry, read into types. Unknown fields are ignored: Twilio adds
//! some without notice (Twilio, "TwiML for Programmable Voice: request parameters").

use super::form::{Form, FormError};
use crate::domain::{
    AccountSid, AnsweredBy, CallSid, CallStatus, Caller, Direction, Heard, KeptRecording,
    OutboundId, PhoneNumber,
};

/// More keys than anybody presses.
const DIGITS_BYTES: usize = 64;

/// Longest address of either side.
const ADDRESS_BYTES: usize = 512;

/// Why a request cannot be read. Says which field, never what was in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The body is no form.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A field that every request has.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    /// A field that reads as nothing we know.
    #[error("the field `{0}` is malformed")]
    Malformed(&'static str),
    /// A field longer than it can be.
    #[error("the field `{0}` is too long")]
    TooLong(&'static str),
}

pub(super) fn required<'a>(form: &'a Form, name: &'static str) -> Result<&'a str, WebhookError> {
    form.get(name).ok_or(WebhookError::Missing(name))
}

pub(super) fn bounded<'a>(
    form: &'a Form,
    name: &'static str,
    most: usize,
) -> Result<Option<&'a str>, WebhookError> {
    match form.get(name) {
        Some(value) if value.len() > most => Err(WebhookError::TooLong(name)),
        value => Ok(value),
    }
}

/// A call rings, or goes on.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Which call.
    pub call_sid: CallSid,
    /// Who calls.
    pub from: Caller,
    /// The number dialled, when it is one.
    pub to: Option<PhoneNumber>,
    /// The number dialled as sent.
    pub to_raw: String,
    /// The account that owns the number.
    pub account: Option<AccountSid>,
    /// Whether the caller's operator says that the number is not theirs (`StirVerstat`).
    pub spoofed: bool,
    /// Who began it. In a call that we made, `from` is the one who is called and `to` our number.
    pub direction: Direction,
    /// The call that was asked for, where its address names one; not in the form.
    pub outbound: Option<OutboundId>,
}

/// Both sides as Twilio sends them, the other side first, and who began it.
fn sides(form: &Form) -> Result<(&str, &str, Direction), WebhookError> {
    // A withheld number may be sent as an empty field, or not at all.
    let from = bounded(form, "From", ADDRESS_BYTES)?.unwrap_or_default();
    let to = bounded(form, "To", ADDRESS_BYTES)?.ok_or(WebhookError::Missing("To"))?;
    // The leg of a human who is rung (`outbound-dial`) belongs to a call of its own.
    Ok(match form.get("Direction") {
        Some("outbound-api") => (to, from, Direction::Outbound),
        _ => (from, to, Direction::Inbound),
    })
}

impl Incoming {
    /// Reads a voice request.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        let call_sid =
            required(form, "CallSid")?.parse().map_err(|_| WebhookError::Malformed("CallSid"))?;
        let (from, to, direction) = sides(form)?;
        Ok(Self {
            call_sid,
            direction,
            outbound: None,
            from: Caller::read(from),
            to: PhoneNumber::from_e164(to.trim()),
            to_raw: to.to_owned(),
            account: form.get("AccountSid").and_then(|sid| sid.parse().ok()),
            // An open set; a number that nobody vouches for is as good as most are.
            spoofed: form.get("StirVerstat").is_some_and(|it| it.contains("Validation-Failed")),
        })
    }
}

/// The caller was heard.
#[derive(Debug, Clone)]
pub struct Gathered {
    /// Which call.
    pub call_sid: CallSid,
    /// Who calls.
    pub from: Caller,
    /// The number dialled.
    pub to: Option<PhoneNumber>,
    /// What was heard.
    pub heard: Heard,
    /// The account that owns the number.
    pub account: Option<AccountSid>,
    /// Who began it.
    pub direction: Direction,
}

impl Gathered {
    /// Reads the request that `<Gather>` makes.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        let Incoming { call_sid, from, to, account, direction, .. } = Incoming::read(form)?;
        let speech = bounded(form, "SpeechResult", Heard::LONGEST)?.unwrap_or_default().trim();
        let digits = bounded(form, "Digits", DIGITS_BYTES)?.unwrap_or_default().trim();
        let heard = if !speech.is_empty() {
            // Twilio does not promise it, nor its accuracy.
            let confidence = form
                .get("Confidence")
                .and_then(|text| text.parse::<f32>().ok())
                .filter(|confidence| (0.0..=1.0).contains(confidence));
            let text = speech.chars().filter(|c| !c.is_control() || *c == '\n').collect();
            // `Language` only repeats what was asked to be listened for.
            Heard::Speech { text, confidence, language: None }
        } else if !digits.is_empty() {
            if !digits.bytes().all(|b| b.is_ascii_digit() || b"*#ABCDabcd".contains(&b)) {
                return Err(WebhookError::Malformed("Digits"));
            }
            Heard::Digits(digits.to_owned())
        } else {
            Heard::Silence
        };
        Ok(Self { call_sid, from, to, heard, account, direction })
    }
}

/// A call's status changed.
#[derive(Debug, Clone)]
pub struct Status {
    /// Which call.
    pub call_sid: CallSid,
    /// Who calls.
    pub from: Caller,
    /// The number dialled.
    pub to: Option<PhoneNumber>,
    /// The new status.
    pub status: CallStatus,
    /// In seconds; in final ones only.
    pub duration_s: Option<u32>,
    /// The account that owns the number.
    pub account: Option<AccountSid>,
    /// Who began it.
    pub direction: Direction,
    /// The call that was asked for, where its address names one; not in the form.
    pub outbound: Option<OutboundId>,
}

impl Status {
    /// Reads a status callback.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        let Incoming { call_sid, from, to, account, direction, .. } = Incoming::read(form)?;
        let status = CallStatus::from_twilio(required(form, "CallStatus")?);
        let duration_s = match bounded(form, "CallDuration", 16)? {
            None | Some("") => None,
            // A day is Twilio's longest call. That the call is over counts more than how long it was.
            Some(text) => {
                let read = text.trim().parse().ok().filter(|seconds| *seconds <= 86_400);
                if read.is_none() {
                    tracing::warn!(%call_sid, "the length that Twilio tells of a call cannot be read");
                }
                read
            }
        };
        Ok(Self { call_sid, from, to, status, duration_s, account, direction, outbound: None })
    }
}

/// A socket of ours is over, or could not be opened (Twilio, "ConversationRelay: action URL"; after
/// `<Connect><Stream>`, the `<Redirect>` behind it).
#[derive(Debug, Clone)]
pub struct Resumed {
    /// The call.
    pub incoming: Incoming,
    /// What went wrong, in Twilio's words.
    pub failure: Option<String>,
    /// Its number.
    code: Option<u32>,
}

/// The values that we gave are wrong: the next session would fail as this one did (Twilio's errors
/// 64101 "invalid parameter values" and 64106 "invalid argument").
const HOPELESS: [u32; 2] = [64_101, 64_106];

impl Resumed {
    /// Reads the request.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        let incoming = Incoming::read(form)?;
        let code = form.get("ErrorCode").and_then(|code| code.trim().parse().ok());
        let failed = form.get("SessionStatus") == Some("failed") || code.is_some();
        let message = form.get("ErrorMessage").unwrap_or("without a message");
        let failure = failed.then(|| {
            let short: String = message.chars().filter(|c| !c.is_control()).take(200).collect();
            format!("{}: {short}", code.unwrap_or_default())
        });
        Ok(Self { incoming, failure, code })
    }

    /// Whether another session would fail in the same way.
    pub fn is_hopeless(&self) -> bool {
        self.code.is_some_and(|code| HOPELESS.contains(&code))
    }
}

/// Twilio has found out who picked up (Twilio, "Answering Machine Detection, asynchronous"): it names
/// neither side of the call.
#[derive(Debug, Clone)]
pub struct WhoAnswered {
    /// Which call.
    pub call_sid: CallSid,
    /// Who.
    pub answered_by: AnsweredBy,
    /// The call that was asked for, which its address names.
    pub outbound: Option<OutboundId>,
}

impl WhoAnswered {
    /// Reads the callback.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        let call_sid =
            required(form, "CallSid")?.parse().map_err(|_| WebhookError::Malformed("CallSid"))?;
        let answered_by = AnsweredBy::from_twilio(required(form, "AnsweredBy")?);
        Ok(Self { call_sid, answered_by, outbound: None })
    }
}

/// A recording changed (Twilio, "Recording status callback"): it names neither side of the call.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Which call.
    pub call_sid: CallSid,
    /// The recording, once there is one.
    pub kept: Option<KeptRecording>,
    /// How long it is, where Twilio says so.
    pub seconds: Option<u32>,
}

impl Recorded {
    /// Reads a recording's status callback.
    pub fn read(form: &Form) -> Result<Self, WebhookError> {
        fn field<T: std::str::FromStr>(form: &Form, name: &'static str) -> Result<T, WebhookError> {
            required(form, name)?.parse().map_err(|_| WebhookError::Malformed(name))
        }
        let call_sid = field(form, "CallSid")?;
        let kept = match required(form, "RecordingStatus")? {
            "completed" => Some(KeptRecording {
                account: field(form, "AccountSid")?,
                sid: field(form, "RecordingSid")?,
            }),
            _ => None,
        };
        // Only reckoned with: a length that cannot be read costs nobody a recording.
        let seconds = form.get("RecordingDuration").and_then(|text| text.parse().ok());
        Ok(Self { call_sid, kept, seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "CA00000000000000000000000000000001";

    fn form(fields: &[(&str, &str)]) -> Form {
        let base = [("CallSid", SID), ("From", "+33612345678"), ("To", "+33123456789")];
        Form::from_fields(fields.iter().chain(base.iter()).map(|(n, v)| (*n, *v)))
    }

    fn heard(fields: &[(&str, &str)]) -> Result<Heard, WebhookError> {
        Gathered::read(&form(fields)).map(|gathered| gathered.heard)
    }

    #[test]
    fn what_was_heard() {
        let words =
            |confidence| Heard::Speech { text: "déjà vu".into(), confidence, language: None };
        assert_eq!(heard(&[("SpeechResult", " déjà vu ")]), Ok(words(None)));
        assert_eq!(
            heard(&[("SpeechResult", "déjà vu"), ("Confidence", "0.5")]),
            Ok(words(Some(0.5)))
        );
        assert_eq!(heard(&[("SpeechResult", "déjà vu"), ("Confidence", "NaN")]), Ok(words(None)));
        assert_eq!(
            heard(&[("SpeechResult", ""), ("Digits", "4#")]),
            Ok(Heard::Digits("4#".into()))
        );
        assert_eq!(heard(&[("SpeechResult", "")]), Ok(Heard::Silence));
        assert_eq!(heard(&[]), Ok(Heard::Silence));
        assert_eq!(heard(&[("Digits", "four")]), Err(WebhookError::Malformed("Digits")));
        let long = "x".repeat(Heard::LONGEST + 1);
        assert_eq!(heard(&[("SpeechResult", &long)]), Err(WebhookError::TooLong("SpeechResult")));
    }

    #[test]
    fn fields_that_must_be_there() {
        let missing = Form::from_fields([("From", "+33612345678"), ("To", "+33123456789")]);
        assert_eq!(Incoming::read(&missing).unwrap_err(), WebhookError::Missing("CallSid"));
        let odd = form(&[("CallSid", "CA1")]);
        assert_eq!(Incoming::read(&odd).unwrap_err(), WebhookError::Malformed("CallSid"));
        let hidden = Form::from_fields([("CallSid", SID), ("To", "+33123456789")]);
        assert_eq!(Incoming::read(&hidden).unwrap().from, Caller::Withheld);
        let sip = Form::from_fields([("CallSid", SID), ("To", "sip:a@b")]);
        assert_eq!(Incoming::read(&sip).unwrap().to, None);
    }

    #[test]
    fn a_status_and_its_duration() {
        let read =
            |fields: &[(&str, &str)]| Status::read(&form(fields)).map(|s| (s.status, s.duration_s));
        assert_eq!(
            read(&[("CallStatus", "completed"), ("CallDuration", "25")]),
            Ok((CallStatus::Completed, Some(25)))
        );
        assert_eq!(read(&[("CallStatus", "initiated")]), Ok((CallStatus::Ringing, None)));
        for wrong in ["-1", "99999999", "abc"] {
            assert_eq!(
                read(&[("CallStatus", "completed"), ("CallDuration", wrong)]),
                Ok((CallStatus::Completed, None)),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_recording_is_there_once_it_is_completed() {
        let (account, sid) =
            ("AC00000000000000000000000000000001", "RE00000000000000000000000000000002");
        let read = |status: &str, sid: &str| {
            let fields =
                [("AccountSid", account), ("RecordingSid", sid), ("RecordingStatus", status)];
            Recorded::read(&form(&fields)).map(|recorded| recorded.kept)
        };
        let kept = KeptRecording { account: account.parse().unwrap(), sid: sid.parse().unwrap() };
        assert_eq!(read("completed", sid), Ok(Some(kept)));
        for other in ["absent", "in-progress", "failed", "something-new"] {
            assert_eq!(read(other, sid), Ok(None), "{other}");
        }
        assert_eq!(read("completed", "RE1"), Err(WebhookError::Malformed("RecordingSid")));
    }

    proptest::proptest! {
        #[test]
        fn no_form_panics(fields in proptest::collection::vec(("[A-Za-z]{0,12}", ".{0,40}"), 0..12)) {
            let form = Form::from_fields(fields);
            let _ = (Incoming::read(&form), Gathered::read(&form), Status::read(&form));
            let _ = Recorded::read(&form);
        }
    }
}
