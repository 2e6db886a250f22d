//! `webox stats`: the overview, with bars.

mod waits;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{
    Context, exit, help, human,
    output::{Cell, Colour, Column, Format, Listing, Row, Tone},
    views,
    window::WindowFlags,
};
use crate::domain::{Breakdown, Error, Result, Stats as Figures, StatsBy};

/// Arguments of `webox stats`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox stats", "everything so far"),
        ("webox stats --since 30d --by day", "a month, day by day"),
        ("webox stats --by outcome", "what came of the calls"),
        ("webox stats --by assistant -o csv > assistants.csv", "for a spreadsheet"),
        ("webox stats --latency --since 1d", "how long callers wait, and for what"),
        ("webox stats --latency --by provider", "and for whom"),
    ],
    &[exit::FAILURE, exit::DATA],
))]
pub struct Stats {
    #[command(flatten)]
    window: WindowFlags,
    /// Group by; with `--latency`, by assistant or provider.
    #[arg(long, value_enum, value_name = "GROUP")]
    by: Option<Group>,
    /// How long callers wait: percentiles, stage by stage.
    #[arg(long)]
    latency: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Group {
    Day,
    Assistant,
    Status,
    Outcome,
    Provider,
}

impl Group {
    fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Assistant => "assistant",
            Self::Status => "status",
            Self::Outcome => "outcome",
            Self::Provider => "provider",
        }
    }
}

/// The longest bar.
const BAR: usize = 24;

pub(super) fn run(args: &Stats, context: &Context) -> Result<()> {
    let window = args.window.read(context)?;
    if args.latency {
        return waits::show(window.span(), args.by, context);
    }
    let by = match args.by {
        None => None,
        Some(Group::Day) => Some(StatsBy::Day),
        Some(Group::Assistant) => Some(StatsBy::Assistant),
        Some(Group::Status) => Some(StatsBy::Status),
        Some(Group::Outcome) => Some(StatsBy::Outcome),
        Some(Group::Provider) => {
            return Err(Error::usage("`--by provider` goes with `--latency`"));
        }
    };
    let stats = context.desk("stats")?.stats(window.span(), by, &context.zone()?)?;
    match (context.out.format(), args.by) {
        (Format::Json, group) => context.out.objects(json_of(&stats, group)),
        (Format::Jsonl, None) => context.out.object("stats", views::stats(&stats)),
        (Format::Table, group) => {
            context.out.text(&overview(&stats, context.out.colour()))?;
            match group {
                Some(Group::Status) | None => Ok(()),
                Some(group) => {
                    context.out.text("\n")?;
                    context.out.listing(&groups(&stats, group))
                }
            }
        }
        (_, None) => context.out.listing(&figures(&stats)),
        (_, Some(group)) => context.out.listing(&groups(&stats, group)),
    }
}

fn json_of(stats: &Figures, group: Option<Group>) -> Vec<(&'static str, Value)> {
    let mut object = vec![("stats", views::stats(stats))];
    if let Some(group) = group {
        let rows: Vec<Value> = groups(stats, group).rows.into_iter().map(|row| row.json).collect();
        object.push(("by", group.word().into()));
        object.push(("rows", json!(rows)));
    }
    object
}

/// The overview for people.
fn overview(stats: &Figures, colour: Colour) -> String {
    let total = &stats.total;
    let mut lines = vec![
        line(
            colour,
            "assistants",
            &format!("{} active of {}", stats.active_assistants, stats.total_assistants),
        ),
        line(colour, "calls", &human::number(total.calls)),
        line(
            colour,
            "duration",
            &format!(
                "{} in all, {} on average",
                human::duration(total.duration_s),
                human::duration(total.average_duration_s().round() as u64)
            ),
        ),
        line(
            colour,
            "satisfaction",
            &total.average_satisfaction().map_or_else(
                || "no scores yet".to_owned(),
                |score| format!("{} {score:.1} of 5", human::stars(score)),
            ),
        ),
    ];
    let largest = stats.by_status.iter().map(|(_, count)| *count).max().unwrap_or(0);
    if largest > 0 {
        lines.push(String::new());
    }
    for (status, count) in &stats.by_status {
        let share = *count as f64 * 100.0 / total.calls.max(1) as f64;
        let bar = human::bar(*count, largest, BAR);
        let gap = " ".repeat(BAR.saturating_sub(bar.chars().count()));
        let bar = colour.paint(super::calls::status_tone(*status), &bar);
        lines.push(format!("{:<12}  {bar}{gap}  {count:>7}  {share:>3.0} %", status.as_str()));
    }
    lines.join("\n") + "\n"
}

fn line(colour: Colour, name: &str, text: &str) -> String {
    let gap = " ".repeat(14usize.saturating_sub(name.len()));
    format!("{}{gap}{text}", colour.paint(Tone::Strong, name))
}

/// The overview for scripts: a line a figure.
fn figures(stats: &Figures) -> Listing {
    let mut listing =
        Listing::new("figures", [Column::new("figure", "figure"), Column::new("value", "value")]);
    let total = &stats.total;
    let satisfaction = total.average_satisfaction().map(|score| format!("{score:.2}"));
    let mut add = |name: String, value: String| {
        listing.rows.push(Row {
            id: name.clone(),
            json: Value::Null,
            cells: vec![Cell::same(name), Cell::same(value)],
        });
    };
    add("active_assistants".into(), stats.active_assistants.to_string());
    add("total_assistants".into(), stats.total_assistants.to_string());
    add("total_calls".into(), total.calls.to_string());
    add("total_duration".into(), total.duration_s.to_string());
    add("average_duration".into(), format!("{:.2}", total.average_duration_s()));
    add("average_satisfaction".into(), satisfaction.unwrap_or_default());
    for (status, count) in &stats.by_status {
        add(format!("calls_{status}"), count.to_string());
    }
    listing
}

fn groups(stats: &Figures, group: Group) -> Listing {
    let columns = [
        Column::new(group.word(), group.word()),
        Column::new("calls", "calls").right(),
        Column::new("duration", "duration").right(),
        Column::new("average_duration", "average").right(),
        Column::new("satisfaction", "satisfaction"),
        Column::new("bar", ""),
    ];
    // The bar is for eyes only.
    let columns: Vec<Column> = columns.into();
    let largest = stats.rows.iter().map(|row| row.sums.calls).max().unwrap_or(0);
    let mut listing = Listing::new("rows", columns);
    listing.rows =
        stats.rows.iter().map(|row| group_row(&row.key, &row.sums, largest, group)).collect();
    listing
}

fn group_row(key: &str, sums: &Breakdown, largest: u64, group: Group) -> Row {
    let mut json = views::sums(sums);
    json.insert(group.word().to_owned(), key.into());
    let average = sums.average_duration_s();
    Row {
        id: key.to_owned(),
        json: json.into(),
        cells: vec![
            Cell::same(key),
            Cell::same(sums.calls.to_string()),
            Cell::shown(sums.duration_s.to_string(), human::duration(sums.duration_s)),
            Cell::shown(format!("{average:.2}"), human::duration(average.round() as u64)),
            sums.average_satisfaction().map_or_else(Cell::none, |score| {
                Cell::shown(format!("{score:.2}"), format!("{} {score:.1}", human::stars(score)))
            }),
            Cell::shown("", human::bar(sums.calls, largest, BAR)).tone(Tone::Good),
        ],
    }
}
