//! Campaigns: what is asked for, and how they and their people stand.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Moment, Success};
use crate::{
    domain::{
        AssistantId, AssistantName, CallContext, CallSid, CallingWindow, Campaign, CampaignCounts,
        CampaignEntry, CampaignId, CampaignRow, CampaignRowId, CampaignRowState, CampaignState,
        CampaignTerms, Forecast, HumanDuration, OutboundId, OutboundState, Overlap, PhoneNumber,
        ZoneName,
    },
    operations::campaigns::{Outlook, Started, Wanted},
};

/// Somebody who is to be called.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignRowInput {
    /// Whom to call.
    pub number: PhoneNumber,
    /// What is known of them: for the first words, and for the conversation.
    #[serde(default)]
    pub context: CallContext,
    /// The line of the file that names them: mistakes are told by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// A campaign that is to be run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignInput {
    /// By which assistant: its id or its name.
    pub assistant_id: String,
    /// What people call it.
    #[serde(default = "unnamed")]
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// Whom to call, each once.
    #[schemars(length(min = 1, max = 10_000))]
    pub rows: Vec<CampaignRowInput>,
    /// Calls of it at the same time, at most: 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub max_concurrent: Option<u32>,
    /// Hours of a day in which it calls, on the clock of the one who is called: `9-19`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub hours: Option<CallingWindow>,
    /// How often somebody is called again who was not reached: 2 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10))]
    pub retries: Option<u32>,
    /// How long after: `1h` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<HumanDuration>,
    /// First words in the place of the file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1000))]
    pub say: Option<String>,
    /// Where they are, if that is known better than by their numbers: an IANA time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<ZoneName>,
    /// Also outside the hours of courtesy: they expect the call. The law's hours hold all the same.
    #[serde(default)]
    pub anyway: bool,
    /// Also those who are still to be called in another campaign.
    #[serde(default)]
    pub overlapping: bool,
}

fn unnamed() -> String {
    "campaign".to_owned()
}

impl CampaignInput {
    /// What the assistant of a name is asked for.
    pub fn of(assistant: &str, wanted: &Wanted) -> Self {
        let terms = wanted.terms.clone();
        let rows = wanted.rows.iter().map(|row| CampaignRowInput {
            number: row.number.clone(),
            context: row.context.clone(),
            line: row.line,
        });
        Self {
            assistant_id: assistant.to_owned(),
            name: wanted.name.clone(),
            rows: rows.collect(),
            max_concurrent: Some(terms.max_concurrent),
            hours: terms.hours,
            retries: Some(terms.retries),
            retry_after: Some(terms.retry_after),
            say: terms.say,
            timezone: terms.zone,
            anyway: terms.anyway,
            overlapping: wanted.overlapping,
        }
    }

    /// The assistant, and what it is asked for.
    pub fn into_wanted(self) -> (String, Wanted) {
        let usual = CampaignTerms::default();
        let terms = CampaignTerms {
            max_concurrent: self.max_concurrent.unwrap_or(usual.max_concurrent),
            hours: self.hours,
            retries: self.retries.unwrap_or(usual.retries),
            retry_after: self.retry_after.unwrap_or(usual.retry_after),
            say: self.say,
            zone: self.timezone,
            anyway: self.anyway,
        };
        let rows = self.rows.into_iter().map(|row| CampaignEntry {
            line: row.line,
            number: row.number,
            context: row.context,
        });
        let (name, overlapping) = (self.name, self.overlapping);
        (self.assistant_id, Wanted { name, terms, rows: rows.collect(), overlapping })
    }
}

/// A campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Campaign")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct CampaignView {
    pub id: CampaignId,
    pub assistant_id: AssistantId,
    pub assistant: AssistantName,
    pub name: String,
    pub state: CampaignState,
    /// Why it stands so, or waits.
    pub why: Option<String>,
    /// How its people stand.
    pub counts: CampaignCounts,
    pub max_concurrent: u32,
    #[schemars(with = "Option<String>")]
    pub hours: Option<CallingWindow>,
    pub retries: u32,
    pub retry_after: HumanDuration,
    pub say: Option<String>,
    pub timezone: Option<ZoneName>,
    pub anyway: bool,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
    /// It goes to rest then, unless it is run again.
    #[schemars(with = "Moment")]
    pub expires_at: Timestamp,
    /// A daemon looked after it.
    #[schemars(with = "Option<Moment>")]
    pub looked_at: Option<Timestamp>,
    /// The next one may be called then, as far as is known.
    #[schemars(with = "Option<Moment>")]
    pub next_at: Option<Timestamp>,
    #[schemars(with = "Option<Moment>")]
    pub ended_at: Option<Timestamp>,
}

impl From<&Campaign> for CampaignView {
    fn from(campaign: &Campaign) -> Self {
        let campaign = campaign.clone();
        let terms = campaign.terms;
        Self {
            id: campaign.id,
            assistant_id: campaign.assistant_id,
            assistant: campaign.assistant,
            name: campaign.name,
            state: campaign.state,
            why: campaign.why,
            counts: campaign.counts,
            max_concurrent: terms.max_concurrent,
            hours: terms.hours,
            retries: terms.retries,
            retry_after: terms.retry_after,
            say: terms.say,
            timezone: terms.zone,
            anyway: terms.anyway,
            created_at: campaign.created_at,
            expires_at: campaign.expires_at,
            looked_at: campaign.looked_at,
            next_at: campaign.next_at,
            ended_at: campaign.ended_at,
        }
    }
}

impl From<CampaignView> for Campaign {
    fn from(view: CampaignView) -> Self {
        Self {
            id: view.id,
            assistant_id: view.assistant_id,
            assistant: view.assistant,
            name: view.name,
            terms: CampaignTerms {
                max_concurrent: view.max_concurrent,
                hours: view.hours,
                retries: view.retries,
                retry_after: view.retry_after,
                say: view.say,
                zone: view.timezone,
                anyway: view.anyway,
            },
            state: view.state,
            why: view.why,
            created_at: view.created_at,
            expires_at: view.expires_at,
            looked_at: view.looked_at,
            next_at: view.next_at,
            ended_at: view.ended_at,
            counts: view.counts,
        }
    }
}

/// Campaigns, the newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Campaigns {
    /// True.
    pub success: Success,
    /// The campaigns.
    pub campaigns: Vec<CampaignView>,
}

/// One campaign.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneCampaign {
    /// True.
    pub success: Success,
    /// It.
    pub campaign: CampaignView,
}

impl From<&Campaign> for OneCampaign {
    fn from(campaign: &Campaign) -> Self {
        Self { success: Success::default(), campaign: campaign.into() }
    }
}

/// A campaign that runs now.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CampaignStarted {
    /// True.
    pub success: Success,
    /// It.
    pub campaign: CampaignView,
    /// Whether it was not there before.
    pub is_new: bool,
    /// Others that have numbers of it.
    pub overlaps: Vec<Overlap>,
}

impl From<&Started> for CampaignStarted {
    fn from(started: &Started) -> Self {
        Self {
            success: Success::default(),
            campaign: (&started.campaign).into(),
            is_new: started.is_new,
            overlaps: started.overlaps.clone(),
        }
    }
}

impl From<CampaignStarted> for Started {
    fn from(view: CampaignStarted) -> Self {
        Self { campaign: view.campaign.into(), is_new: view.is_new, overlaps: view.overlaps }
    }
}

/// What would become of somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Forecast")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct ForecastView {
    pub line: Option<u32>,
    pub number: PhoneNumber,
    /// When they may be called at the earliest.
    #[schemars(with = "Option<Moment>")]
    pub at: Option<Timestamp>,
    /// The same on their clock.
    pub there: Option<String>,
    /// First words.
    pub opening: Option<String>,
    /// Why they are not called.
    pub why_not: Option<String>,
}

impl From<&Forecast> for ForecastView {
    fn from(forecast: &Forecast) -> Self {
        let forecast = forecast.clone();
        Self {
            line: forecast.line,
            number: forecast.number,
            at: forecast.at,
            there: forecast.there,
            opening: forecast.opening,
            why_not: forecast.why_not,
        }
    }
}

impl From<ForecastView> for Forecast {
    fn from(view: ForecastView) -> Self {
        Self {
            line: view.line,
            number: view.number,
            at: view.at,
            there: view.there,
            opening: view.opening,
            why_not: view.why_not,
        }
    }
}

/// What would become of a campaign.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CampaignPreview {
    /// True.
    pub success: Success,
    /// The one that there is, if there is.
    pub campaign: Option<CampaignView>,
    /// Others that have numbers of it.
    pub overlaps: Vec<Overlap>,
    /// What would become of each.
    pub rows: Vec<ForecastView>,
}

impl From<&Outlook> for CampaignPreview {
    fn from(outlook: &Outlook) -> Self {
        Self {
            success: Success::default(),
            campaign: outlook.campaign.as_ref().map(Into::into),
            overlaps: outlook.overlaps.clone(),
            rows: outlook.rows.iter().map(Into::into).collect(),
        }
    }
}

impl From<CampaignPreview> for Outlook {
    fn from(view: CampaignPreview) -> Self {
        Self {
            campaign: view.campaign.map(Into::into),
            overlaps: view.overlaps,
            rows: view.rows.into_iter().map(Into::into).collect(),
        }
    }
}

/// Somebody in a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CampaignRow")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct CampaignRowView {
    pub id: CampaignRowId,
    pub line: Option<u32>,
    pub number: PhoneNumber,
    pub context: CallContext,
    pub state: CampaignRowState,
    /// How often they were dialled, as far as it is known what came of it.
    pub attempts: u32,
    /// What came of the last call.
    pub last: Option<OutboundState>,
    /// Why they were not called, or are not yet.
    pub why: Option<String>,
    /// Not before.
    #[schemars(with = "Moment")]
    pub due_at: Timestamp,
    /// The last call that was asked for.
    pub outbound_id: Option<OutboundId>,
    /// The call that it became.
    pub call_sid: Option<CallSid>,
}

impl From<&CampaignRow> for CampaignRowView {
    fn from(row: &CampaignRow) -> Self {
        let row = row.clone();
        Self {
            id: row.id,
            line: row.line,
            number: row.number,
            context: row.context,
            state: row.state,
            attempts: row.attempts,
            last: row.last,
            why: row.why,
            due_at: row.due_at,
            outbound_id: row.outbound,
            call_sid: row.call,
        }
    }
}

impl From<CampaignRowView> for CampaignRow {
    fn from(view: CampaignRowView) -> Self {
        Self {
            id: view.id,
            line: view.line,
            number: view.number,
            context: view.context,
            state: view.state,
            attempts: view.attempts,
            last: view.last,
            why: view.why,
            due_at: view.due_at,
            outbound: view.outbound_id,
            call: view.call_sid,
        }
    }
}

/// People of a campaign, as they were given.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CampaignRows {
    /// True.
    pub success: Success,
    /// Them.
    pub rows: Vec<CampaignRowView>,
    /// The `cursor` of the next page, if there is one.
    pub next: Option<String>,
}
