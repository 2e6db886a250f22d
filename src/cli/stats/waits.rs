//! `webox stats --latency`: how long callers wait, and for what.

use serde_json::json;

use super::Group;
use crate::{
    cli::{
        Context,
        desk::Span,
        human,
        output::{Cell, Column, Listing, Row, Tone},
        views,
    },
    domain::{Error, Latency, LatencyBy, Result, Stage},
};

/// The longest bar.
const BAR: usize = 24;

pub(super) fn show(span: Span, by: Option<Group>, context: &Context) -> Result<()> {
    let by = match by {
        None => None,
        Some(Group::Assistant) => Some(LatencyBy::Assistant),
        Some(Group::Provider) => Some(LatencyBy::Provider),
        Some(_) => {
            return Err(Error::usage("`--latency` is shown by assistant or by provider")
                .hint("leave `--by` out, or write `--by assistant` or `--by provider`"));
        }
    };
    let rows = context.desk("stats")?.latencies(span, by)?;
    if rows.is_empty() {
        context.out.note("Nobody was answered in that time.");
    }
    let name = match by {
        None => "group",
        Some(LatencyBy::Assistant) => "assistant",
        Some(LatencyBy::Provider) => "provider",
    };
    let columns = [
        Column::new("key", name),
        Column::new("stage", "stage"),
        Column::new("count", "turns").right(),
        Column::new("p50_ms", "p50").right(),
        Column::new("p95_ms", "p95").right(),
        Column::new("p99_ms", "p99").right(),
        Column::new("bar", ""),
    ];
    let mut listing = Listing::new("rows", columns);
    let largest = rows.iter().map(|row| row.p95_ms).max().unwrap_or(0);
    listing.rows = rows.iter().map(|row| line(row, largest)).collect();
    context.out.listing(&listing)
}

fn line(latency: &Latency, largest: u32) -> Row {
    let ms = |ms: u32| Cell::shown(ms.to_string(), human::milliseconds(ms));
    let bar = human::bar(u64::from(latency.p95_ms), u64::from(largest), BAR);
    // Two of them are sums of others.
    let tone = match latency.stage {
        Stage::Felt | Stage::Reply => Tone::Strong,
        _ => Tone::Good,
    };
    Row {
        id: format!("{}/{}", latency.key, latency.stage.as_str()),
        json: json!(views::value(latency)),
        cells: vec![
            Cell::same(&latency.key),
            Cell::same(latency.stage.as_str()),
            Cell::same(latency.count.to_string()),
            ms(latency.p50_ms),
            ms(latency.p95_ms),
            ms(latency.p99_ms),
            Cell::shown("", bar).tone(tone),
        ],
    }
}
