//! Campaigns: a list of people, each of whom an assistant calls until they were reached, within hours.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::row_number::row_number;
use super::{
    AssistantId, AssistantName, CallContext, CallSid, CampaignRowState, CampaignState, Error,
    HumanDuration, OutboundId, OutboundState, PhoneNumber, ZoneName,
};

row_number!(
    /// The row number of a campaign.
    CampaignId
);

row_number!(
    /// The row number of somebody in a campaign.
    CampaignRowId
);

/// Hours of a day in which a campaign calls, on the clock of the one who is called: `9-19`,
/// `9:30-12,14-18`. In whole quarters of an hour, as the hours of the law are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallingWindow(Vec<(u16, u16)>);

impl CallingWindow {
    /// Stretches in a day, at most.
    const MOST: usize = 6;

    /// Whether a minute of the day is in it.
    pub fn holds(&self, minute: u16) -> bool {
        self.0.iter().any(|(from, until)| (*from..*until).contains(&minute))
    }
}

/// `9`, `9h`, `9:30`, `9h30`, `24`.
fn minute(text: &str) -> Option<u16> {
    let text = text.trim();
    let (hour, minute) = text.split_once([':', 'h', 'H']).unwrap_or((text, ""));
    let plain = |text: &str| text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if hour.is_empty() || !plain(hour) || !plain(minute) {
        return None;
    }
    let hour: u16 = hour.parse().ok()?;
    let minute: u16 = if minute.is_empty() { 0 } else { minute.parse().ok()? };
    let all = hour * 60 + minute;
    (minute < 60 && all <= 24 * 60 && all.is_multiple_of(15)).then_some(all)
}

impl FromStr for CallingWindow {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            let shown: String = text.chars().take(40).collect();
            Error::input(format!("`{}` are no hours of a day", shown.escape_debug())).hint(
                "write them as `9-19` or `9:30-12,14-18`: the earlier first, whole quarters of an hour",
            )
        };
        let mut stretches = Vec::new();
        for part in text.split(',') {
            let (from, until) = part.split_once(['-', '–']).ok_or_else(wrong)?;
            let (from, until) = (minute(from).ok_or_else(wrong)?, minute(until).ok_or_else(wrong)?);
            if from >= until || stretches.len() == Self::MOST {
                return Err(wrong());
            }
            stretches.push((from, until));
        }
        Ok(Self(stretches))
    }
}

impl fmt::Display for CallingWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (from, until)) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let (from, until) = (clock(*from), clock(*until));
            write!(f, "{comma}{from}-{until}")?;
        }
        Ok(())
    }
}

fn clock(minute: u16) -> String {
    match (minute / 60, minute % 60) {
        (hour, 0) => hour.to_string(),
        (hour, minute) => format!("{hour}:{minute:02}"),
    }
}

impl TryFrom<String> for CallingWindow {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<CallingWindow> for String {
    fn from(window: CallingWindow) -> Self {
        window.to_string()
    }
}

/// How a campaign calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignTerms {
    /// Calls of it at the same time, at most.
    pub max_concurrent: u32,
    /// When it calls, within what the law allows; nothing is whenever that allows it.
    pub hours: Option<CallingWindow>,
    /// How often somebody is called again who was not reached.
    pub retries: u32,
    /// How long after.
    pub retry_after: HumanDuration,
    /// First words in the place of the file's; a template too.
    pub say: Option<String>,
    /// Where they are, if that is known better than by their numbers.
    pub zone: Option<ZoneName>,
    /// Also outside the hours of courtesy: they expect the call. The law's hours hold all the same.
    pub anyway: bool,
}

impl Default for CampaignTerms {
    fn default() -> Self {
        Self {
            max_concurrent: 1,
            hours: None,
            retries: 2,
            retry_after: HumanDuration::from_minutes(60),
            say: None,
            zone: None,
            anyway: false,
        }
    }
}

impl CampaignTerms {
    /// Refuses what makes no sense.
    pub fn check(&self) -> Result<(), Error> {
        if !(1..=100).contains(&self.max_concurrent) {
            return Err(Error::input("calls at the same time are 1 to 100"));
        }
        if self.retries > 10 {
            return Err(Error::input("somebody is called again 10 times at most"));
        }
        if !(60..=7 * 86_400).contains(&self.retry_after.as_secs()) {
            return Err(Error::input("somebody is called again after 1 minute to 7 days"));
        }
        let long = self.say.as_ref().is_some_and(|say| say.chars().count() > 1_000);
        if long || self.say.as_ref().is_some_and(|say| say.trim().is_empty()) {
            return Err(Error::input("the first words are 1 to 1,000 characters"));
        }
        Ok(())
    }
}

/// Somebody who is to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignEntry {
    /// The line of the file that names them.
    pub line: Option<u32>,
    /// Whom to call.
    pub number: PhoneNumber,
    /// What is known of them.
    pub context: CallContext,
}

/// People in one campaign, at most.
pub const MOST_CAMPAIGN_ROWS: usize = 10_000;

/// How many of a campaign stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "the names are those of the states")]
pub struct CampaignCounts {
    /// All of them.
    pub total: u64,
    pub waiting: u64,
    pub calling: u64,
    pub reached: u64,
    pub busy: u64,
    pub no_answer: u64,
    pub answering_machine: u64,
    pub refused: u64,
    pub failed: u64,
    pub cancelled: u64,
    pub unknown: u64,
}

impl CampaignCounts {
    /// Notes that so many stand so.
    pub fn add(&mut self, state: CampaignRowState, rows: u64) {
        self.total += rows;
        *match state {
            CampaignRowState::Waiting => &mut self.waiting,
            CampaignRowState::Calling => &mut self.calling,
            CampaignRowState::Reached => &mut self.reached,
            CampaignRowState::Busy => &mut self.busy,
            CampaignRowState::NoAnswer => &mut self.no_answer,
            CampaignRowState::Machine => &mut self.answering_machine,
            CampaignRowState::Refused => &mut self.refused,
            CampaignRowState::Failed => &mut self.failed,
            CampaignRowState::Cancelled => &mut self.cancelled,
            CampaignRowState::Unknown => &mut self.unknown,
        } += rows;
    }

    /// Those of whom nothing more is expected.
    pub const fn over(&self) -> u64 {
        self.total - self.waiting - self.calling
    }

    /// Each state and how many stand so, without those of nobody.
    pub fn each(&self) -> Vec<(CampaignRowState, u64)> {
        let all = [
            (CampaignRowState::Reached, self.reached),
            (CampaignRowState::Busy, self.busy),
            (CampaignRowState::NoAnswer, self.no_answer),
            (CampaignRowState::Machine, self.answering_machine),
            (CampaignRowState::Refused, self.refused),
            (CampaignRowState::Failed, self.failed),
            (CampaignRowState::Cancelled, self.cancelled),
            (CampaignRowState::Unknown, self.unknown),
            (CampaignRowState::Calling, self.calling),
            (CampaignRowState::Waiting, self.waiting),
        ];
        all.into_iter().filter(|(_, rows)| *rows > 0).collect()
    }
}

/// A campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// Row number.
    pub id: CampaignId,
    /// By which assistant.
    pub assistant_id: AssistantId,
    /// Its name.
    pub assistant: AssistantName,
    /// What people call it: the name of its file.
    pub name: String,
    /// How it calls.
    pub terms: CampaignTerms,
    /// How it stands.
    pub state: CampaignState,
    /// Why it stands so, or waits.
    pub why: Option<String>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it goes to rest, unless somebody runs it again.
    pub expires_at: Timestamp,
    /// When a daemon last looked after it.
    pub looked_at: Option<Timestamp>,
    /// When the next one may be called, if nobody may now.
    pub next_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// How its people stand.
    pub counts: CampaignCounts,
}

/// Somebody in a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignRow {
    /// Row number.
    pub id: CampaignRowId,
    /// The line of the file that names them.
    pub line: Option<u32>,
    /// Whom to call.
    pub number: PhoneNumber,
    /// What is known of them.
    pub context: CallContext,
    /// How they stand.
    pub state: CampaignRowState,
    /// How often they were dialled, as far as it is known what came of it.
    pub attempts: u32,
    /// What came of the last call.
    pub last: Option<OutboundState>,
    /// Why they were not called, or are not yet.
    pub why: Option<String>,
    /// Not before.
    pub due_at: Timestamp,
    /// The last call that was asked for.
    pub outbound: Option<OutboundId>,
    /// The call that it became.
    pub call: Option<CallSid>,
}

/// Another campaign that has numbers of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Overlap {
    /// Which.
    pub campaign_id: CampaignId,
    /// People of this one who are still to be called in that one.
    pub unfinished: u64,
    /// People of this one who were reached in that one.
    pub reached: u64,
}

/// What would become of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// The line of the file that names them.
    pub line: Option<u32>,
    /// Whom.
    pub number: PhoneNumber,
    /// When they may be called at the earliest; nobody says how long the calls before take.
    pub at: Option<Timestamp>,
    /// The same on their clock.
    pub there: Option<String>,
    /// First words.
    pub opening: Option<String>,
    /// Why they are not called.
    pub why_not: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_of_a_day() {
        for (text, read) in
            [("9-19", "9-19"), ("9h30–12, 14:00-18h", "9:30-12,14-18"), ("0-24", "0-24")]
        {
            assert_eq!(text.parse::<CallingWindow>().unwrap().to_string(), read);
        }
        for text in ["", "9", "19-9", "9-9", "9-25", "9:10-12", "-", "9-12,", "+9-12", "9-24:15"] {
            assert!(text.parse::<CallingWindow>().is_err(), "{text}");
        }
        let window: CallingWindow = "9-12,14-18".parse().unwrap();
        for (minute, holds) in [(539, false), (540, true), (719, true), (720, false), (840, true)] {
            assert_eq!(window.holds(minute), holds, "{minute}");
        }
    }

    proptest::proptest! {
        #[test]
        fn hours_are_read_back(text in "[0-9:h,–-]{0,20}") {
            if let Ok(window) = text.parse::<CallingWindow>() {
                proptest::prop_assert_eq!(window.to_string().parse::<CallingWindow>().unwrap(), window);
            }
        }
    }
}
