//! Campaigns, at the store's own file and at a daemon far away.

use super::{Local, Remote, client::Client};
use crate::{
    api::{CampaignInput, CampaignPreview, CampaignRows, CampaignStarted, Campaigns, OneCampaign},
    domain::{Campaign, CampaignId, CampaignRow, CampaignRowId, Result},
    operations::campaigns::{self, Outlook, RowFilter, Started, Wanted},
};

/// The most people in one answer of the API.
const PAGE: u64 = 1_000;

/// What commands ask about campaigns.
#[rustfmt::skip]
pub(in crate::cli) trait CampaignDesk {
    /// Begins one, or goes on with it.
    fn start_campaign(&self, assistant: &str, wanted: Wanted) -> Result<Started>;
    fn preview_campaign(&self, assistant: &str, wanted: &Wanted) -> Result<Outlook>;
    fn campaigns(&self) -> Result<Vec<Campaign>>;
    fn campaign(&self, id: CampaignId) -> Result<Campaign>;
    /// All of them, or as many as the filter says.
    fn campaign_rows(&self, id: CampaignId, filter: &RowFilter) -> Result<Vec<CampaignRow>>;
    /// For now, or for good.
    fn stop_campaign(&self, id: CampaignId, for_good: bool) -> Result<Campaign>;
}

impl CampaignDesk for Local {
    fn start_campaign(&self, assistant: &str, wanted: Wanted) -> Result<Started> {
        campaigns::start(&self.store, &self.actor, assistant, wanted, self.now)
    }

    fn preview_campaign(&self, assistant: &str, wanted: &Wanted) -> Result<Outlook> {
        campaigns::preview(&self.store, &self.actor, assistant, wanted, self.now)
    }

    fn campaigns(&self) -> Result<Vec<Campaign>> {
        campaigns::list(&self.store, &self.actor)
    }

    fn campaign(&self, id: CampaignId) -> Result<Campaign> {
        campaigns::show(&self.store, &self.actor, id)
    }

    fn campaign_rows(&self, id: CampaignId, filter: &RowFilter) -> Result<Vec<CampaignRow>> {
        campaigns::rows(&self.store, &self.actor, id, filter)
    }

    fn stop_campaign(&self, id: CampaignId, for_good: bool) -> Result<Campaign> {
        campaigns::stop(&self.store, &self.actor, id, for_good, self.now)
    }
}

fn one(client: &Client, id: CampaignId, action: Option<&str>) -> Result<Campaign> {
    let id = id.0.to_string();
    let ask = match action {
        Some(action) => client.post(&["campaigns", &id, action]),
        None => client.get(&["campaigns", &id]),
    };
    Ok(ask.send::<OneCampaign>()?.campaign.into())
}

impl CampaignDesk for Remote {
    fn start_campaign(&self, assistant: &str, wanted: Wanted) -> Result<Started> {
        // Sent twice, it is the same campaign.
        let ask = self.client.post(&["campaigns"]).body(&CampaignInput::of(assistant, &wanted))?;
        Ok(ask.send::<CampaignStarted>()?.into())
    }

    fn preview_campaign(&self, assistant: &str, wanted: &Wanted) -> Result<Outlook> {
        let ask = self.client.post(&["campaigns", "preview"]);
        Ok(ask.body(&CampaignInput::of(assistant, wanted))?.send::<CampaignPreview>()?.into())
    }

    fn campaigns(&self) -> Result<Vec<Campaign>> {
        let answer: Campaigns = self.client.get(&["campaigns"]).send()?;
        Ok(answer.campaigns.into_iter().map(Into::into).collect())
    }

    fn campaign(&self, id: CampaignId) -> Result<Campaign> {
        one(&self.client, id, None)
    }

    fn campaign_rows(&self, id: CampaignId, filter: &RowFilter) -> Result<Vec<CampaignRow>> {
        let wanted = filter.limit.unwrap_or(u64::MAX);
        let mut cursor = filter.after.map(|CampaignRowId(id)| id.to_string());
        let mut found = Vec::new();
        while (found.len() as u64) < wanted {
            let left = (wanted - found.len() as u64).min(PAGE);
            let page: CampaignRows = self
                .client
                .get(&["campaigns", &id.0.to_string(), "rows"])
                .query("state", filter.state)
                .query("limit", Some(left))
                .query("cursor", cursor.as_ref())
                .send()?;
            found.extend(page.rows.into_iter().map(CampaignRow::from));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        Ok(found)
    }

    fn stop_campaign(&self, id: CampaignId, for_good: bool) -> Result<Campaign> {
        one(&self.client, id, Some(if for_good { "cancel" } else { "pause" }))
    }
}
