//! Values that people write: in commands, in files, in addresses.

use std::{fmt::Debug, fmt::Display, str::FromStr};

use jiff::tz::TimeZone;
use webox::{
    cli,
    domain::{
        AccountSid, AlertLevel, ApiKeySid, AssistantName, BackupName, BackupPlace, BackupSchedule,
        Blocked, CallSid, CallStatus, Caller, CallingWindow, ClockTime, Closure, CountryCode,
        Currency, Dataset, Digest, DocumentPath, EmailAddress, HumanDuration, LanguageTag, Micros,
        ModelRef, Money, Month, NumberKind, NumberPattern, NumberSid, Overrides, PhoneNumber,
        RecordingConsent, RecordingSid, SetName, TimeRange, ZoneName, when,
    },
};

use super::text;

/// What is read is written such that it is read again as the same.
fn again<T: FromStr + Display + PartialEq + Debug>(text: &str)
where
    T::Err: Debug,
{
    if let Ok(value) = text.parse::<T>() {
        let read = value.to_string().parse::<T>();
        assert_eq!(read.as_ref().ok(), Some(&value), "{text:?} is written as {value}");
    }
}

/// Times, lengths, numbers, names.
pub fn when_and_who(data: &[u8]) {
    let text = text(data);
    let now = "2026-11-23T18:00:00+01:00[Europe/Paris]".parse().expect("a moment");
    let _ = when::parse(&text, &now, when::Bound::Since);
    let _ = when::parse(&text, &now, when::Bound::Until);
    again::<HumanDuration>(&text);
    again::<TimeRange>(&text);
    again::<AssistantName>(&text);
    again::<LanguageTag>(&text);
    let _ = Caller::read(&text).masked();
    again::<PhoneNumber>(&text);
}

/// All other values that have a form of their own.
pub fn values(data: &[u8]) {
    let text = &*text(data);
    again::<Money>(text);
    again::<Micros>(text);
    let _ = text.parse::<Currency>();
    again::<Month>(text);
    again::<ClockTime>(text);
    again::<BackupName>(text);
    again::<ModelRef>(text);
    again::<EmailAddress>(text);
    again::<CountryCode>(text);
    again::<DocumentPath>(text);
    let _ = text.parse::<Digest>();
    again::<SetName>(text);
    again::<CallSid>(text);
    again::<AccountSid>(text);
    again::<NumberSid>(text);
    again::<ApiKeySid>(text);
    again::<RecordingSid>(text);
    again::<Closure>(text);
    again::<CallingWindow>(text);
    again::<AlertLevel>(text);
    again::<Blocked>(text);
    again::<BackupPlace>(text);
    let _ = text.parse::<NumberKind>();
    let _ = text.parse::<NumberPattern>();
    let _ = text.parse::<ZoneName>();
    let _ = text.parse::<Overrides>();
    let _ = text.parse::<Dataset>();
    let _ = text.parse::<CallStatus>();
    let _ = text.parse::<RecordingConsent>();
    let _ = BackupSchedule::at(text, TimeZone::UTC);
}

/// A command line, a word a line.
pub fn command_line(data: &[u8]) {
    let _ = cli::offline::arguments(text(data).lines().take(40));
}
