//! Campaigns and their people, printed.

use jiff::ZonedDateTime;

use super::super::{
    Context, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    sheet::Sheet,
    views,
};
use crate::{
    api::{CampaignRowView, CampaignView, ForecastView},
    domain::{Campaign, CampaignCounts, CampaignRow, CampaignRowState, CampaignState, Result},
    operations::campaigns::Outlook,
};

const COLUMNS: [Column; 17] = [
    Column::new("id", "id").right(),
    Column::new("created_at", "begun"),
    Column::new("name", "name"),
    Column::new("assistant", "assistant"),
    Column::new("state", "state"),
    Column::new("total", "people").right(),
    Column::new("reached", "reached").right(),
    Column::new("waiting", "waiting").right(),
    Column::new("calling", "calling").right(),
    Column::new("busy", "busy").right(),
    Column::new("no_answer", "no answer").right(),
    Column::new("answering_machine", "machine").right(),
    Column::new("refused", "refused").right(),
    Column::new("failed", "failed").right(),
    Column::new("cancelled", "cancelled").right().hidden(),
    Column::new("unknown", "unknown").right().hidden(),
    Column::new("why", "why").hidden(),
];

const ROWS: [Column; 10] = [
    Column::new("line", "line").right(),
    Column::new("number", "number").at_least(13),
    Column::new("state", "state"),
    Column::new("attempts", "calls").right(),
    Column::new("last", "last"),
    Column::new("why", "why").keeps(),
    Column::new("context", "context").hidden(),
    Column::new("due_at", "not before").hidden(),
    Column::new("outbound_id", "outbound").right().hidden(),
    Column::new("call_sid", "call").hidden(),
];

const FORECASTS: [Column; 5] = [
    Column::new("line", "line").right(),
    Column::new("number", "number").at_least(13),
    Column::new("at", "from"),
    Column::new("why_not", "why not").keeps(),
    Column::new("opening", "first words").hidden(),
];

/// All.
pub(super) fn all(campaigns: &[Campaign], context: &Context) -> Result<()> {
    listing(campaigns, context)?;
    if campaigns.is_empty() && context.out.format() == Format::Table {
        context.out.note("There is no campaign; `webox campaign run` begins one.");
    }
    Ok(())
}

fn listing(campaigns: &[Campaign], context: &Context) -> Result<()> {
    let now = context.now()?;
    let mut listing = Listing::new("campaigns", COLUMNS);
    listing.rows = campaigns.iter().map(|campaign| row(campaign, &now)).collect();
    context.out.listing(&listing)
}

const fn tone(state: CampaignState) -> Tone {
    match state {
        CampaignState::Done => Tone::Good,
        CampaignState::Paused | CampaignState::Cancelled => Tone::Bad,
        CampaignState::Running => Tone::Plain,
    }
}

fn row(campaign: &Campaign, now: &ZonedDateTime) -> Row {
    let counts = &campaign.counts;
    let number = |count: u64| Cell::same(count.to_string());
    Row {
        id: campaign.id.0.to_string(),
        json: views::value(&CampaignView::from(campaign)),
        cells: vec![
            Cell::same(campaign.id.0.to_string()),
            Cell::shown(campaign.created_at.to_string(), human::age(campaign.created_at, now)),
            Cell::same(&campaign.name).tone(Tone::Strong),
            Cell::same(campaign.assistant.as_str()),
            Cell::same(campaign.state.as_str()).tone(tone(campaign.state)),
            number(counts.total),
            number(counts.reached),
            number(counts.waiting),
            number(counts.calling),
            number(counts.busy),
            number(counts.no_answer),
            number(counts.answering_machine),
            number(counts.refused),
            number(counts.failed),
            number(counts.cancelled),
            number(counts.unknown),
            Cell::maybe(campaign.why.as_deref()),
        ],
    }
}

/// One, whole.
pub(super) fn one(campaign: &Campaign, context: &Context) -> Result<()> {
    match context.out.format() {
        Format::Json => {
            context.out.objects([("campaign", views::value(&CampaignView::from(campaign)))])
        }
        Format::Table | Format::Text => {
            let now = context.now()?;
            let terms = &campaign.terms;
            let mut sheet = Sheet::default();
            sheet.add("id", campaign.id.0.to_string());
            sheet.add("name", campaign.name.as_str());
            sheet.add("assistant", campaign.assistant.as_str());
            sheet.cell("state", Cell::same(campaign.state.as_str()).tone(tone(campaign.state)));
            sheet.maybe("why", campaign.why.as_deref());
            sheet.add("people", human::number(campaign.counts.total));
            for (state, rows) in campaign.counts.each() {
                sheet.add(state.as_str(), human::number(rows));
            }
            sheet.add("at once", terms.max_concurrent.to_string());
            sheet.maybe("hours", terms.hours.as_ref().map(ToString::to_string).as_deref());
            sheet.add(
                "called again",
                format!("{} times, after {}", terms.retries, terms.retry_after),
            );
            sheet.time("begun", campaign.created_at, &now);
            if let (CampaignState::Running, Some(next)) = (campaign.state, campaign.next_at)
                && next > context.started
            {
                sheet.time("next", next, &now);
            }
            if let Some(ended_at) = campaign.ended_at {
                sheet.time("ended", ended_at, &now);
            }
            context.out.listing(&sheet.into_listing())
        }
        _ => listing(std::slice::from_ref(campaign), context),
    }
}

/// Its people.
pub(super) fn rows(campaign: &Campaign, rows: &[CampaignRow], context: &Context) -> Result<()> {
    let mut listing = Listing::new("rows", ROWS);
    listing.rows = rows.iter().map(person).collect();
    listing.beside.insert("campaign".to_owned(), views::value(&CampaignView::from(campaign)));
    context.out.listing(&listing)
}

const fn row_tone(state: CampaignRowState) -> Tone {
    match state {
        CampaignRowState::Reached => Tone::Good,
        CampaignRowState::Failed | CampaignRowState::Refused | CampaignRowState::Unknown => {
            Tone::Bad
        }
        _ => Tone::Plain,
    }
}

fn person(row: &CampaignRow) -> Row {
    let line = row.line.map(|line| line.to_string());
    Row {
        id: row.id.0.to_string(),
        json: views::value(&CampaignRowView::from(row)),
        cells: vec![
            Cell::maybe(line.as_deref()),
            Cell::same(row.number.as_str()).tone(Tone::Strong),
            Cell::same(row.state.as_str()).tone(row_tone(row.state)),
            Cell::same(row.attempts.to_string()),
            Cell::maybe(row.last.map(crate::domain::OutboundState::as_str)),
            Cell::maybe(row.why.as_deref()),
            Cell::same(views::value(&row.context).to_string()),
            Cell::same(row.due_at.to_string()),
            Cell::maybe(row.outbound.map(|id| id.0.to_string())),
            Cell::maybe(row.call.as_ref().map(crate::domain::CallSid::as_str)),
        ],
    }
}

/// What would become of each.
pub(super) fn outlook(outlook: &Outlook, context: &Context) -> Result<()> {
    let mut listing = Listing::new("rows", FORECASTS);
    listing.rows = outlook
        .rows
        .iter()
        .map(|one| Row {
            id: one.number.to_string(),
            json: views::value(&ForecastView::from(one)),
            cells: vec![
                Cell::maybe(one.line.map(|line| line.to_string())),
                Cell::same(one.number.as_str()).tone(Tone::Strong),
                match (&one.at, &one.there) {
                    (Some(at), Some(there)) => Cell::shown(at.to_string(), there.clone()),
                    _ => Cell::none(),
                },
                Cell::maybe(one.why_not.as_deref()).tone(Tone::Bad),
                Cell::maybe(one.opening.as_deref()),
            ],
        })
        .collect();
    let campaign =
        outlook.campaign.as_ref().map(|campaign| views::value(&CampaignView::from(campaign)));
    listing.beside.insert("campaign".to_owned(), campaign.unwrap_or_default());
    listing.beside.insert("overlaps".to_owned(), views::value(&outlook.overlaps));
    context.out.listing(&listing)
}

/// How its people stand, in a line.
pub(super) fn counts(counts: &CampaignCounts) -> String {
    let parts: Vec<String> =
        counts.each().into_iter().map(|(state, rows)| format!("{state} {rows}")).collect();
    parts.join(", ")
}
