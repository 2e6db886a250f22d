//! `list` and `show`.

use clap::Args;
use jiff::ZonedDateTime;

use crate::{
    cli::{
        Context, human,
        output::{Cell, Column, Format, Listing, Row, Tone},
        sheet::Sheet,
        views,
    },
    domain::{Assistant, BookingKind, Result, weekday_name},
    operations::assistants::AssistantOverview,
};

/// Arguments of `show`.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Its name or id.
    name: String,
}

const COLUMNS: [Column; 12] = [
    Column::new("name", "name"),
    Column::new("client", "client"),
    Column::new("phone", "phone"),
    Column::new("model", "model"),
    Column::new("language", "language"),
    Column::new("active", "active"),
    Column::new("calls", "calls").right(),
    Column::new("last_call", "last call"),
    Column::new("id", "id").right().hidden(),
    Column::new("line", "line").hidden(),
    Column::new("updated", "updated").hidden(),
    Column::new("owner", "owner").hidden(),
];

pub(super) fn list(context: &Context) -> Result<()> {
    let overviews = context.desk("assistants")?.assistants()?;
    if overviews.is_empty() && context.out.format() == Format::Table {
        context.out.note("No assistants yet. Create one with `webox assistants create`.");
    }
    let now = context.now()?;
    let mut listing = Listing::new("assistants", COLUMNS);
    listing.rows = overviews.iter().map(|overview| row(overview, &now)).collect();
    context.out.listing(&listing)
}

/// Assistants as rows of the list, for a script that just changed them.
pub(super) fn some(context: &Context, assistants: &[Assistant]) -> Result<()> {
    let figures = context.desk("assistants")?.assistants()?;
    let now = context.now()?;
    let mut listing = Listing::new("assistants", COLUMNS);
    for assistant in assistants {
        let known = figures.iter().find(|overview| overview.assistant.id == assistant.id);
        // One that was just deleted has no figures any more.
        let overview = AssistantOverview {
            assistant: assistant.clone(),
            total_calls: known.map_or(0, |known| known.total_calls),
            live_calls: known.map_or(0, |known| known.live_calls),
            last_call_at: known.and_then(|known| known.last_call_at),
        };
        listing.rows.push(row(&overview, &now));
    }
    context.out.listing(&listing)
}

fn row(overview: &AssistantOverview, now: &ZonedDateTime) -> Row {
    let assistant = &overview.assistant;
    let spec = &assistant.spec;
    let json = views::overview(overview);
    let active = if spec.active {
        Cell::shown("true", "yes").tone(Tone::Good)
    } else {
        Cell::shown("false", "no").tone(Tone::Warning)
    };
    Row {
        id: spec.name.to_string(),
        json,
        cells: vec![
            Cell::same(spec.name.as_str()).tone(Tone::Strong),
            Cell::same(&spec.client),
            Cell::same(spec.phone.as_str()),
            Cell::same(spec.ai.model.as_str()),
            Cell::same(spec.voice.language.as_str()),
            active,
            Cell::same(overview.total_calls.to_string()),
            overview
                .last_call_at
                .map_or_else(Cell::none, |at| Cell::shown(at.to_string(), human::age(at, now))),
            Cell::same(assistant.id.0.to_string()),
            Cell::same(spec.voice.line.as_str()),
            Cell::shown(assistant.updated_at.to_string(), human::age(assistant.updated_at, now)),
            Cell::maybe(assistant.owner.as_ref().map(|owner| owner.email.as_str())),
        ],
    }
}

pub(super) fn show(args: &Show, context: &Context) -> Result<()> {
    let assistant = context.desk("assistants show")?.assistant(&args.name)?;
    match context.out.format() {
        Format::Json | Format::Jsonl => {
            context.out.object("assistant", views::assistant(&assistant).into())
        }
        Format::Ids => context.out.text(&format!("{}\n", assistant.spec.name)),
        _ => context.out.listing(&sheet(&assistant, &context.now()?)),
    }
}

/// Everything about one assistant, a line a field.
fn sheet(assistant: &Assistant, now: &ZonedDateTime) -> Listing {
    let spec = &assistant.spec;
    let mut sheet = Sheet::default();
    sheet.add("name", spec.name.as_str());
    sheet.add("id", assistant.id.0.to_string());
    sheet.add("client", &spec.client);
    sheet.maybe("email", spec.email.as_deref());
    sheet.maybe("owner", assistant.owner.as_ref().map(|owner| owner.email.as_str()));
    sheet.add("phone", spec.phone.as_str());
    sheet.add("active", spec.active.to_string());
    sheet.maybe("timezone", spec.zone().iana_name());
    sheet.add("ai.model", spec.ai.model.as_str());
    for fallback in &spec.ai.fallbacks {
        sheet.add("ai.fallback", fallback.as_str());
    }
    sheet.add("ai.personality", spec.ai.personality.as_str());
    sheet.add("voice.line", spec.voice.line.as_str());
    sheet.add("voice.language", spec.voice.language.as_str());
    sheet.add("voice.provider", spec.voice.provider.as_str());
    sheet.maybe("voice.voice_id", spec.voice.voice_id.as_deref());
    sheet.maybe("voice.greeting", spec.voice.greeting.as_deref());
    let opening = spec.opening();
    if opening.known {
        for (day, services) in crate::domain::WEEKDAYS.iter().zip(&opening.week) {
            let services: Vec<String> = services.iter().map(ToString::to_string).collect();
            let text = if services.is_empty() { "closed".to_owned() } else { services.join(", ") };
            sheet.add(format!("hours.{}", weekday_name(*day)), text);
        }
    }
    for day in &opening.closed {
        sheet.add("hours.closed", day.to_string());
    }
    if opening.holidays.is_some() {
        sheet.add("hours.holidays", spec.hours.holidays.as_str());
    }
    for (day, services) in &opening.special {
        let services: Vec<String> = services.iter().map(ToString::to_string).collect();
        sheet.add(format!("hours.{day}"), services.join(", "));
    }
    if let Some(rules) = &spec.booking {
        sheet.add("booking.kind", rules.kind.as_str());
        sheet.add("booking.party", format!("{}–{}", rules.party.min, rules.party.max));
        if rules.resources.is_empty() {
            sheet.add("booking.capacity", rules.capacity.to_string());
        }
        if rules.kind != BookingKind::Stay {
            sheet.add("booking.duration", rules.duration.to_string());
        }
        for service in &rules.services {
            let duration = service.duration.unwrap_or(rules.duration);
            sheet.add("booking.service", format!("{} ({duration})", service.name));
        }
        for resource in &rules.resources {
            sheet.add("booking.resource", format!("{} × {}", resource.count, resource.name));
        }
    }
    sheet.maybe(
        "transfer.number",
        spec.transfer.first_number().map(crate::domain::PhoneNumber::as_str),
    );
    sheet.add("limits.max_call_duration", spec.limits.max_call_duration.to_string());
    sheet.add("limits.max_concurrent_calls", spec.limits.max_concurrent_calls.to_string());
    sheet.maybe("billing.plan", spec.billing.plan.as_deref());
    for fact in &spec.facts {
        sheet.add("fact", format!("{}: {}", fact.about.join(", "), fact.answer));
    }
    sheet.add("context", spec.context.trim_end());
    sheet.time("created", assistant.created_at, now);
    sheet.time("updated", assistant.updated_at, now);
    sheet.add("revision", assistant.revision.to_string());
    sheet.into_listing()
}
