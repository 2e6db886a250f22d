//! `/api/voice/campaigns`.

use axum::Json;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Asker,
    extract::{At, Body},
    failure::Answer,
    parameters::{Cursor, Params, page, within},
};
use crate::{
    api::{
        CampaignInput, CampaignPreview, CampaignRowView, CampaignRows, CampaignStarted,
        CampaignView, Campaigns, OneCampaign, Success,
    },
    domain::{CampaignId, CampaignRowId, CampaignRowState},
    operations::campaigns::{self, RowFilter},
};

/// A campaign.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    /// Its id.
    id: i64,
}

/// Which of its people.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Wanted {
    /// Standing so.
    state: Option<CampaignRowState>,
    /// At most so many: 100 when left out, 1000 at most.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u64>,
    /// Go on after a page: what it answered as `next`.
    cursor: Option<Cursor>,
}

pub(super) async fn start(
    asker: Asker,
    Body(input): Body<CampaignInput>,
) -> Answer<CampaignStarted> {
    let (assistant, wanted) = input.into_wanted();
    let started = asker
        .ask(move |store, actor, now| campaigns::start(store, actor, &assistant, wanted, now))
        .await?;
    Ok(Json(CampaignStarted::from(&started)))
}

pub(super) async fn preview(
    asker: Asker,
    Body(input): Body<CampaignInput>,
) -> Answer<CampaignPreview> {
    let (assistant, wanted) = input.into_wanted();
    let outlook = asker
        .ask(move |store, actor, now| campaigns::preview(store, actor, &assistant, &wanted, now))
        .await?;
    Ok(Json(CampaignPreview::from(&outlook)))
}

pub(super) async fn list(asker: Asker) -> Answer<Campaigns> {
    let found = asker.ask(|store, actor, _| campaigns::list(store, actor)).await?;
    let campaigns = found.iter().map(CampaignView::from).collect();
    Ok(Json(Campaigns { success: Success::default(), campaigns }))
}

pub(super) async fn show(asker: Asker, At(named): At<Named>) -> Answer<OneCampaign> {
    let id = CampaignId(named.id);
    let campaign = asker.ask(move |store, actor, _| campaigns::show(store, actor, id)).await?;
    Ok(Json(OneCampaign::from(&campaign)))
}

pub(super) async fn rows(
    asker: Asker,
    At(named): At<Named>,
    Params(wanted): Params<Wanted>,
) -> Answer<CampaignRows> {
    let limit = within("limit", wanted.limit.unwrap_or(100), &(1..=1_000))?;
    let id = CampaignId(named.id);
    let filter = RowFilter {
        state: wanted.state,
        after: wanted.cursor.map(|cursor| CampaignRowId(cursor.0)),
        limit: Some(limit + 1),
    };
    let found =
        asker.ask(move |store, actor, _| campaigns::rows(store, actor, id, &filter)).await?;
    let (found, next) = page(found, limit, |row| row.id.0);
    let rows = found.iter().map(CampaignRowView::from).collect();
    Ok(Json(CampaignRows { success: Success::default(), rows, next }))
}

pub(super) async fn pause(asker: Asker, At(named): At<Named>) -> Answer<OneCampaign> {
    stop(asker, named, false).await
}

pub(super) async fn cancel(asker: Asker, At(named): At<Named>) -> Answer<OneCampaign> {
    stop(asker, named, true).await
}

async fn stop(asker: Asker, named: Named, for_good: bool) -> Answer<OneCampaign> {
    let id = CampaignId(named.id);
    let campaign = asker
        .ask(move |store, actor, now| campaigns::stop(store, actor, id, for_good, now))
        .await?;
    Ok(Json(OneCampaign::from(&campaign)))
}
