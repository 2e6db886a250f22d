//! The calls that Twilio has had (Twilio, "Voice API: Call resource, read multiple").

use jiff::{Timestamp, civil::Date, fmt::rfc2822, tz::TimeZone};
use serde::Deserialize;

use super::{
    access::OpenAccount,
    charge::{self, Charge},
    rest::RestError,
};
use crate::domain::{AccountSid, CallSid, CallStatus, Direction};

/// Calls of a page.
const PAGE: u32 = 500;

/// More pages than anybody waits for.
const MOST_PAGES: usize = 2_000;

/// A call, as Twilio has it.
#[derive(Debug, Clone)]
pub struct LoggedCall {
    /// Its name.
    pub sid: CallSid,
    /// The account it was in.
    pub account: Option<AccountSid>,
    /// Who began it.
    pub direction: Direction,
    /// The side that is not ours, as Twilio writes it.
    pub theirs: String,
    /// Our number, as Twilio writes it.
    pub ours: String,
    /// What became of it.
    pub status: CallStatus,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// How long it was, in seconds.
    pub duration_s: Option<u32>,
    /// What it cost.
    pub charge: Charge,
}

#[derive(Deserialize)]
struct Page {
    calls: Vec<Resource>,
    #[serde(default)]
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct Resource {
    sid: String,
    #[serde(default)]
    account_sid: Option<String>,
    #[serde(default)]
    parent_call_sid: Option<String>,
    #[serde(default)]
    direction: Option<String>,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    start_time: Option<String>,
    #[serde(default)]
    end_time: Option<String>,
    #[serde(default)]
    date_created: Option<String>,
    #[serde(default)]
    duration: Option<String>,
    #[serde(default)]
    price: Option<String>,
    #[serde(default)]
    price_unit: Option<String>,
}

impl Resource {
    /// A call of its own; nothing for the leg of a human who was rung, which belongs to another.
    fn read(self) -> Option<LoggedCall> {
        if self.parent_call_sid.is_some_and(|sid| !sid.is_empty()) {
            return None;
        }
        let time = |text: &Option<String>| {
            rfc2822::parse(text.as_deref()?).ok().map(|zoned| zoned.timestamp())
        };
        let (from, to) = (self.from.unwrap_or_default(), self.to.unwrap_or_default());
        let (direction, theirs, ours) = match self.direction.as_deref() {
            Some("inbound") => (Direction::Inbound, from, to),
            Some("outbound-api") => (Direction::Outbound, to, from),
            _ => return None,
        };
        Some(LoggedCall {
            sid: self.sid.parse().ok()?,
            account: self.account_sid.and_then(|sid| sid.parse().ok()),
            direction,
            theirs,
            ours,
            status: CallStatus::from_twilio(self.status.as_deref().unwrap_or_default()),
            started_at: time(&self.start_time).or_else(|| time(&self.date_created))?,
            ended_at: time(&self.end_time),
            duration_s: self.duration.and_then(|text| text.trim().parse().ok()),
            charge: charge::read_price(self.price, self.price_unit),
        })
    }
}

impl OpenAccount {
    /// The calls that began within a time, newest first as Twilio has them.
    pub async fn calls(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<LoggedCall>, RestError> {
        let day = |at: Timestamp| at.to_zoned_datetime(TimeZone::UTC).date();
        let path = path(day(since), day(until));
        let asked =
            self.with(async |rest, account| rest.pages(account, &path, MOST_PAGES, page).await);
        let mut calls = asked.await?;
        calls.retain(|call| (since..until).contains(&call.started_at));
        Ok(calls)
    }
}

/// The calls of a page, and where the next page is.
pub(super) fn page(body: &[u8]) -> Result<(Vec<LoggedCall>, Option<String>), RestError> {
    let page: Page = serde_json::from_slice(body)
        .map_err(|_| RestError::Unreadable("it is no list of calls".to_owned()))?;
    Ok((page.calls.into_iter().filter_map(Resource::read).collect(), page.next_page_uri))
}

/// Twilio knows whole UTC days only; the sign is part of the name, and means "on that day or after".
fn path(first: Date, last: Date) -> String {
    let after_last = last.tomorrow().unwrap_or(last);
    format!("Calls.json?PageSize={PAGE}&StartTime%3E={first}&StartTime%3C={after_last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_and_legs_are_left_out() {
        let page: Page = serde_json::from_str(
            r#"{"calls":[
                {"sid":"CA00000000000000000000000000000001","direction":"inbound","from":"+33612345678",
                 "to":"+33123456789","status":"completed","start_time":"Fri, 18 Oct 2019 17:02:00 +0000",
                 "end_time":"Fri, 18 Oct 2019 17:03:00 +0000","duration":"60","price":"-0.0200",
                 "price_unit":"USD","parent_call_sid":null},
                {"sid":"CA00000000000000000000000000000002","direction":"outbound-dial",
                 "parent_call_sid":"CA00000000000000000000000000000001"}],"next_page_uri":null}"#,
        )
        .unwrap();
        let calls: Vec<_> = page.calls.into_iter().filter_map(Resource::read).collect();
        assert_eq!(calls.len(), 1);
        assert_eq!((calls[0].ours.as_str(), calls[0].duration_s), ("+33123456789", Some(60)));
        assert_eq!(calls[0].ended_at.unwrap().to_string(), "2019-10-18T17:03:00Z");
        assert!(matches!(calls[0].charge, Charge::Known(..)));
        let day = |text: &str| text.parse().unwrap();
        assert_eq!(
            path(day("2026-01-30"), day("2026-01-31")),
            "Calls.json?PageSize=500&StartTime%3E=2026-01-30&StartTime%3C=2026-02-01"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_answer_panics(body in proptest::collection::vec(0_u8.., 0..200), text in ".{0,30}") {
            let _ = serde_json::from_slice::<Page>(&body);
            let odd = serde_json::json!({"sid": text, "start_time": text, "duration": text, "direction": "inbound"});
            let _ = serde_json::from_value::<Resource>(odd).map(Resource::read);
        }
    }
}
