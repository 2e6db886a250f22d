//! Whether a call is recorded, what its caller said to that, and where the recording is.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountSid, CallSid, Error, RecordingSid, row_number::row_number, suggestion_hint};
use jiff::Timestamp;

/// Whether calls are recorded. Nobody is ever recorded without being told before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Recording {
    /// They are not.
    #[default]
    Off,
    /// Callers are asked in the first words, and recorded if they say yes or press 1.
    Ask,
    /// Callers are told in the first words, and recorded until they object.
    Announce,
}

/// What a caller said to being recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecordingConsent {
    /// Nothing yet: the caller was told, and may object.
    Announced,
    /// Yes.
    Granted,
    /// No.
    Refused,
    /// Something else, or nothing: that is no yes.
    Unanswered,
    /// No more: what was recorded is deleted.
    Withdrawn,
}

impl RecordingConsent {
    /// Whether the call may be recorded.
    pub const fn allows(self) -> bool {
        matches!(self, Self::Announced | Self::Granted)
    }

    /// The word in the store, the API and the terminal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl FromStr for RecordingConsent {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let all =
            [Self::Announced, Self::Granted, Self::Refused, Self::Unanswered, Self::Withdrawn];
        all.into_iter().find(|consent| consent.as_str() == text).ok_or_else(|| {
            Error::input(format!("`{}` is no consent to recording", text.escape_debug()))
                .maybe_hint(suggestion_hint(text, all.map(Self::as_str)))
        })
    }
}

/// A recording that Twilio keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRecording {
    /// The account that keeps it.
    pub account: AccountSid,
    /// Which.
    pub sid: RecordingSid,
}

impl KeptRecording {
    /// Its address, as Twilio writes it: with `.mp3` or `.wav` it is the sound.
    pub fn address(&self) -> String {
        let Self { account, sid } = self;
        format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Recordings/{sid}")
    }

    /// The recording that an address is of; nothing when it is not one of Twilio's.
    pub fn at(address: &str) -> Option<Self> {
        let rest = address.strip_prefix("https://")?;
        let (host, path) = rest.split_once('/')?;
        // api.twilio.com, or a region's: api.dublin.ie1.twilio.com.
        if !(host.starts_with("api.") && host.ends_with(".twilio.com")) {
            return None;
        }
        let rest = path.strip_prefix("2010-04-01/Accounts/")?;
        let (account, rest) = rest.split_once("/Recordings/")?;
        let sid = rest.split(['.', '?', '#']).next()?;
        Some(Self { account: account.parse().ok()?, sid: sid.parse().ok()? })
    }
}

row_number!(
    /// The row number of a removal.
    RemovalId
);

/// What Twilio is asked to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removable {
    /// The recording of a live call: it stops.
    LiveRecording,
    /// A recording.
    Recording(KeptRecording),
    /// The record of a call, which names its caller.
    CallRecord,
}

impl Removable {
    /// The word in the store, the API and the terminal.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::LiveRecording => "live-recording",
            Self::Recording(_) => "recording",
            Self::CallRecord => "call-record",
        }
    }

    /// The kept recording, if it is one.
    pub const fn recording(&self) -> Option<&KeptRecording> {
        match self {
            Self::Recording(kept) => Some(kept),
            Self::LiveRecording | Self::CallRecord => None,
        }
    }
}

/// Something that Twilio has still to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Its row.
    pub id: RemovalId,
    /// The call it is of.
    pub call: CallSid,
    /// What.
    pub what: Removable,
    /// The account to ask, as far as Twilio named it.
    pub account: Option<AccountSid>,
    /// Since when.
    pub asked_at: Timestamp,
    /// When Twilio is asked next.
    pub due_at: Timestamp,
    /// How often it was asked.
    pub attempts: u32,
    /// Why it has not done it yet.
    pub failure: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "AC00000000000000000000000000000001";
    const SID: &str = "RE00000000000000000000000000000002";

    #[test]
    fn only_an_address_of_twilios_names_a_recording() {
        let kept = KeptRecording { account: ACCOUNT.parse().unwrap(), sid: SID.parse().unwrap() };
        assert_eq!(KeptRecording::at(&kept.address()), Some(kept.clone()));
        for address in [
            format!("{}.mp3", kept.address()),
            format!(
                "https://api.dublin.ie1.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/{SID}.wav?a=b"
            ),
        ] {
            assert_eq!(KeptRecording::at(&address), Some(kept.clone()), "{address}");
        }
        for address in [
            "https://recordings.example.com/1.mp3".to_owned(),
            format!("http://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/{SID}"),
            format!(
                "https://api.twilio.com.example.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/{SID}"
            ),
            format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/RE1"),
            format!("https://api.twilio.com/2010-04-01/Accounts/../Recordings/{SID}"),
        ] {
            assert_eq!(KeptRecording::at(&address), None, "{address}");
        }
    }

    #[test]
    fn words_read_back() {
        use RecordingConsent::{Announced, Granted, Refused, Unanswered, Withdrawn};
        for consent in [Announced, Granted, Refused, Unanswered, Withdrawn] {
            assert_eq!(consent.as_str().parse::<RecordingConsent>().unwrap(), consent);
        }
        assert!("yes".parse::<RecordingConsent>().is_err());
    }
}
