//! `webox stats`: the overview, with bars.

mod details;
mod picture;
mod waits;

use clap::{Args, ValueEnum};
use details::Look;
use jiff::Timestamp;
use picture::Ink;
use serde_json::{Value, json};

use super::{
    Context, exit, help, human,
    output::{Cell, Colour, Column, Format, Listing, Row, Tone},
    views,
    window::{Window, WindowFlags},
};
use crate::domain::{Analysis, Breakdown, Error, Result, Stats as Figures, StatsBy};

/// Arguments of `webox stats`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox stats", "everything so far"),
        ("webox stats --since 30d --by day", "a month, day by day"),
        ("webox stats --since 30d --compare previous", "beside the thirty days before"),
        ("webox stats --by outcome", "what came of the calls"),
        ("webox stats --by topic --since 7d", "what they were about"),
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
    /// Beside the window as long right before; needs `--since`.
    #[arg(long, value_enum, value_name = "WITH", conflicts_with_all = ["by", "latency"])]
    compare: Option<Compare>,
    /// How long callers wait: percentiles, stage by stage.
    #[arg(long)]
    latency: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Compare {
    Previous,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Group {
    Day,
    Assistant,
    Status,
    Outcome,
    Hour,
    Weekday,
    Language,
    Topic,
    Provider,
}

impl Group {
    fn word(self) -> &'static str {
        self.stats().map_or("provider", StatsBy::as_str)
    }

    /// Providers are a matter of waits alone.
    fn stats(self) -> Option<StatsBy> {
        Some(match self {
            Self::Day => StatsBy::Day,
            Self::Assistant => StatsBy::Assistant,
            Self::Status => StatsBy::Status,
            Self::Outcome => StatsBy::Outcome,
            Self::Hour => StatsBy::Hour,
            Self::Weekday => StatsBy::Weekday,
            Self::Language => StatsBy::Language,
            Self::Topic => StatsBy::Topic,
            Self::Provider => return None,
        })
    }
}

/// The longest bar.
const BAR: usize = 24;

pub(super) fn run(args: &Stats, context: &Context) -> Result<()> {
    let window = args.window.read(context)?;
    if args.latency {
        return waits::show(window.span(), args.by, context);
    }
    let by = args.by.map(|group| {
        group.stats().ok_or_else(|| Error::usage("`--by provider` goes with `--latency`"))
    });
    let by = by.transpose()?;
    let desk = context.desk("stats")?;
    let zone = context.zone()?;
    let earlier = match args.compare {
        None => None,
        Some(Compare::Previous) => Some(previous(&window, context)?),
    };
    // Groups are asked for by themselves.
    let detailed = by.is_none() || context.out.format() == Format::Table;
    let stats = desk.stats(window.span(), by, detailed, &zone)?;
    let before = match &earlier {
        None => None,
        Some(window) => Some(desk.stats(window.span(), None, true, &zone)?),
    };
    match (context.out.format(), args.by) {
        (Format::Json, group) => {
            let mut objects = json_of(&stats, group);
            if let (Some(before), Some(window)) = (&before, &earlier) {
                objects.push((
                    "previous",
                    json!({
                        "since": window.since.map(|at| at.to_string()),
                        "until": window.until.map(|at| at.to_string()),
                        "stats": views::stats(before),
                        "analysis": before.analysis.as_ref().map(views::value),
                    }),
                ));
            }
            context.out.objects(objects)
        }
        (Format::Jsonl, None) => context.out.object("stats", views::stats(&stats)),
        (Format::Table, group) => {
            let colour = context.out.colour();
            let ink = Ink::of(context.environment());
            let currency = context.settings()?.billing.currency.value;
            let look = Look { colour, ink, width: context.out.width(), currency };
            context.out.text(&overview(&stats, before.as_ref(), look))?;
            match group {
                Some(Group::Status) => Ok(()),
                Some(group) => {
                    context.out.text("\n")?;
                    context.out.listing(&groups(&stats, group))
                }
                None => {
                    let analysis = stats.analysis.as_ref();
                    context.out.text(
                        &analysis.map_or_else(String::new, |one| details::pictures(one, look)),
                    )
                }
            }
        }
        (_, None) => context.out.listing(&figures(&stats, before.as_ref())),
        (_, Some(group)) => context.out.listing(&groups(&stats, group)),
    }
}

/// The window as long as this one, right before it.
fn previous(window: &Window, context: &Context) -> Result<Window> {
    let since = window.since.ok_or_else(|| {
        Error::usage("`--compare previous` needs a beginning: what was before everything?")
            .hint("such as `--since 30d`")
    })?;
    let until = match window.until {
        Some(until) => until,
        None => context.now()?.timestamp(),
    };
    let begin: Timestamp = since.checked_sub(until.duration_since(since)).map_err(|cause| {
        Error::input("what was before begins before all calendars").because(cause)
    })?;
    if begin >= since {
        return Err(Error::input("--since has not come yet: nothing was before"));
    }
    Ok(Window { since: Some(begin), until: Some(since), assistant: window.assistant })
}

fn json_of(stats: &Figures, group: Option<Group>) -> Vec<(&'static str, Value)> {
    let mut object = vec![("stats", views::stats(stats))];
    if let Some(analysis) = &stats.analysis {
        object.push(("analysis", views::value(analysis)));
    }
    if let Some(group) = group {
        let rows: Vec<Value> = groups(stats, group).rows.into_iter().map(|row| row.json).collect();
        object.push(("by", group.word().into()));
        object.push(("rows", json!(rows)));
    }
    object
}

/// The overview for people.
fn overview(stats: &Figures, before: Option<&Figures>, look: Look) -> String {
    let colour = look.colour;
    let total = &stats.total;
    let days = stats.analysis.as_ref().map(|analysis| analysis.days.as_slice()).unwrap_or_default();
    let beside = |text: String, changed: Option<String>, sparks: String| {
        let changed = changed.map_or_else(String::new, |changed| format!(" ({changed})"));
        let sparks = if sparks.is_empty() { sparks } else { format!("  {sparks}") };
        format!("{text}{changed}{}", colour.paint(Tone::Good, &sparks))
    };
    let changed = |now: f64, of: fn(&Breakdown) -> f64| {
        before.map(|before| details::change(now, of(&before.total)))
    };
    let mut lines = vec![
        line(
            colour,
            "assistants",
            &format!("{} active of {}", stats.active_assistants, stats.total_assistants),
        ),
        line(
            colour,
            "calls",
            &beside(
                human::number(total.calls),
                changed(total.calls as f64, |sums| sums.calls as f64),
                picture::calls(days, look.ink),
            ),
        ),
        line(
            colour,
            "duration",
            &beside(
                format!(
                    "{} in all, {} on average",
                    human::duration(total.duration_s),
                    human::duration(total.average_duration_s().round() as u64)
                ),
                changed(total.average_duration_s(), Breakdown::average_duration_s),
                String::new(),
            ),
        ),
        line(
            colour,
            "satisfaction",
            &total.average_satisfaction().map_or_else(
                || "no scores yet".to_owned(),
                |score| {
                    beside(
                        format!("{} {score:.1} of 5", human::stars(score)),
                        changed(score, |sums| sums.average_satisfaction().unwrap_or(0.0)),
                        picture::satisfaction(days, look.ink),
                    )
                },
            ),
        ),
    ];
    if let Some(analysis) = &stats.analysis {
        let before = before.and_then(|before| before.analysis.as_ref());
        let details = details::lines(analysis, before, look.currency);
        lines.extend(details.iter().map(|(name, text)| line(colour, name, text)));
    }
    let largest = stats.by_status.iter().map(|(_, count)| *count).max().unwrap_or(0);
    if largest > 0 {
        lines.push(String::new());
    }
    for (status, count) in &stats.by_status {
        let share = *count as f64 * 100.0 / total.calls.max(1) as f64;
        let bar = look.ink.bar(*count, largest, BAR);
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

/// The overview for scripts: a line a figure, beside the same of before.
fn figures(stats: &Figures, before: Option<&Figures>) -> Listing {
    let mut columns = vec![Column::new("figure", "figure"), Column::new("value", "value")];
    if before.is_some() {
        columns.push(Column::new("previous", "previous"));
    }
    let mut listing = Listing::new("figures", columns);
    let earlier = before.map(named);
    for (name, value) in named(stats) {
        let mut cells = vec![Cell::same(name.as_str()), Cell::same(value)];
        if let Some(earlier) = &earlier {
            let found = earlier.iter().find(|(other, _)| *other == name);
            cells.push(Cell::same(found.map_or_else(String::new, |(_, value)| value.clone())));
        }
        listing.rows.push(Row { id: name, json: Value::Null, cells });
    }
    listing
}

/// Each figure by its name.
fn named(stats: &Figures) -> Vec<(String, String)> {
    let total = &stats.total;
    let satisfaction = total.average_satisfaction().map(|score| format!("{score:.2}"));
    let mut figures: Vec<(String, String)> = [
        ("active_assistants", stats.active_assistants.to_string()),
        ("total_assistants", stats.total_assistants.to_string()),
        ("total_calls", total.calls.to_string()),
        ("total_duration", total.duration_s.to_string()),
        ("average_duration", format!("{:.2}", total.average_duration_s())),
        ("average_satisfaction", satisfaction.unwrap_or_default()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (status, count) in &stats.by_status {
        figures.push((format!("calls_{status}"), count.to_string()));
    }
    figures.extend(stats.analysis.iter().flat_map(analysed));
    figures
}

fn analysed(analysis: &Analysis) -> Vec<(String, String)> {
    let mut figures = Vec::new();
    let mut add = |name: String, value: String| figures.push((name, value));
    for share in &analysis.outcomes {
        add(format!("outcome_{}", share.key), share.calls.to_string());
    }
    for share in &analysis.languages {
        add(format!("language_{}", share.key), share.calls.to_string());
    }
    for (name, part) in [
        ("contained", analysis.contained),
        ("abandoned", analysis.abandoned),
        ("repeated", analysis.repeated),
    ] {
        add(format!("{name}_calls"), part.calls.to_string());
        add(format!("{name}_of"), part.of.to_string());
    }
    for wait in &analysis.waits {
        for (name, ms) in [("p50", wait.p50_ms), ("p95", wait.p95_ms), ("p99", wait.p99_ms)] {
            add(format!("{}_{name}_ms", wait.stage.as_str()), ms.to_string());
        }
    }
    add("cost_calls".to_owned(), analysis.cost.calls.to_string());
    add("cost_eur".to_owned(), analysis.cost.eur.to_string());
    add("cost_usd".to_owned(), analysis.cost.usd.to_string());
    figures
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
