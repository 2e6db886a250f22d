//! `webox alerts`: what is too much, who was told, and who need not be.

use clap::{Args, Subcommand};
use jiff::{Timestamp, ZonedDateTime};

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    views,
};
use crate::{
    api::{AlertNoticeView, AlertRuleView, AlertRules, AlertTest, AlertView, SilenceView},
    domain::{
        AlertFilter, AlertId, AlertLevel, AlertSeverity, AlertState, DeliveryState, Error,
        HumanDuration, Kind, Result,
    },
};

/// Alerts shown on a terminal when nothing is said.
const SCREENFUL: u64 = 50;

/// Arguments of `webox alerts`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox alerts", "what is too much just now, and who was told"),
        ("webox alerts list --all --limit 20", "also what is over"),
        ("webox alerts rules --assistant le-gourmet", "what is watched for one, and who is told"),
        ("webox alerts test", "sends a trial to each destination, and says what came back"),
        ("webox alerts silence latency --for 2h --assistant le-gourmet", "nobody is told for two hours"),
        ("webox alerts ack 12", "somebody knows: nobody is told any more until it is over"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA, exit::DENIED],
))]
pub struct Alerts {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List alerts (the same as `webox alerts`).
    List(List),
    /// List what is watched, who is told, and what is silenced.
    Rules(Rules),
    /// Send a trial notice to each destination, and say what came back.
    Test(Test),
    /// Let nobody be told of a rule for a while; what still holds then is told.
    Silence(Silence),
    /// Say to know of alerts: nobody is told of them any more until they are over.
    Ack(Ack),
}

#[derive(Debug, Default, PartialEq, Args)]
struct List {
    /// Only those of an assistant, by name or id.
    #[arg(long, value_name = "NAME")]
    assistant: Option<String>,
    /// Also those that are over.
    #[arg(long)]
    all: bool,
    /// At most so many, the newest first; 0 is all [default: 50 on a terminal, all otherwise].
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

#[derive(Debug, Args)]
struct Rules {
    /// Of one assistant, by name or id.
    #[arg(long, value_name = "NAME")]
    assistant: Option<String>,
}

#[derive(Debug, Args)]
struct Test {
    /// Destinations, by name; all of them otherwise.
    #[arg(value_name = "DESTINATION")]
    to: Vec<String>,
}

#[derive(Debug, Args)]
struct Silence {
    /// A rule, by name.
    #[arg(value_name = "RULE")]
    rule: String,
    /// For how long: `30m`, `2h`, `1d`.
    #[arg(long = "for", value_name = "TIME", required_unless_present = "end")]
    length: Option<HumanDuration>,
    /// Of one assistant, by name or id; of all, and of the whole, otherwise.
    #[arg(long, value_name = "NAME")]
    assistant: Option<String>,
    /// End the silence now.
    #[arg(long, conflicts_with = "length")]
    end: bool,
}

#[derive(Debug, Args)]
struct Ack {
    /// Their ids, as `webox alerts` lists them.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<i64>,
}

const COLUMNS: [Column; 14] = [
    Column::new("id", "id").right(),
    Column::new("since", "since"),
    Column::new("severity", "severity"),
    Column::new("rule", "rule"),
    Column::new("assistant", "assistant"),
    Column::new("part", "of"),
    Column::new("state", "state"),
    Column::new("value", "value").right(),
    Column::new("threshold", "threshold").right(),
    Column::new("told", "told"),
    Column::new("failure", "why not yet"),
    Column::new("resolved_at", "over").hidden(),
    Column::new("worst", "worst").right().hidden(),
    Column::new("acked_by", "known to").hidden(),
];

const RULES: [Column; 12] = [
    Column::new("rule", "rule"),
    Column::new("assistant", "assistant"),
    Column::new("active", "watched"),
    Column::new("threshold", "threshold").right(),
    Column::new("recover", "well below").right(),
    Column::new("window", "over").right(),
    Column::new("for", "for").right(),
    Column::new("recover_for", "well for").right().hidden(),
    Column::new("severity", "severity"),
    Column::new("remind", "told again").right(),
    Column::new("to", "told"),
    Column::new("silenced_until", "silenced until"),
];

const TESTS: [Column; 4] = [
    Column::new("to", "destination"),
    Column::new("kind", "kind"),
    Column::new("arrived", "arrived"),
    Column::new("failure", "why not"),
];

pub(super) fn run(args: &Alerts, context: &Context) -> Result<()> {
    if args.action.is_some() && args.list != List::default() {
        return Err(Error::usage("flags of the list stand before the name of an action")
            .hint("write them after it: `webox alerts list --all`"));
    }
    match &args.action {
        None => list(&args.list, context),
        Some(Action::List(args)) => list(args, context),
        Some(Action::Rules(args)) => rules(args, context),
        Some(Action::Test(args)) => test(args, context),
        Some(Action::Silence(args)) => silence(args, context),
        Some(Action::Ack(args)) => ack(args, context),
    }
}

fn list(args: &List, context: &Context) -> Result<()> {
    let desk = context.desk("alerts")?;
    let assistant = args.assistant.as_deref().map(|name| desk.assistant(name)).transpose()?;
    let filter = AlertFilter {
        assistant: assistant.map(|assistant| assistant.id),
        all: args.all,
        older_than: None,
        limit: match args.limit {
            Some(0) => None,
            Some(limit) => Some(limit),
            None => context.out.is_terminal().then_some(SCREENFUL),
        },
    };
    let found = desk.alerts(&filter)?;
    listing(context, &found)?;
    if found.is_empty() && context.out.format() == Format::Table {
        context.out.note("Nothing is too much.");
    }
    Ok(())
}

fn listing(context: &Context, alerts: &[AlertView]) -> Result<()> {
    let now = context.now()?;
    let mut listing = Listing::new("alerts", COLUMNS);
    listing.rows = alerts.iter().map(|one| row(one, &now)).collect();
    context.out.listing(&listing)
}

/// Whether each has the newest that is told of it.
fn told(notices: &[AlertNoticeView]) -> String {
    let mut shown: Vec<String> = Vec::new();
    for (at, notice) in notices.iter().enumerate() {
        let is_last = !notices[at + 1..].iter().any(|later| later.to == notice.to);
        if is_last {
            let state = match notice.state {
                DeliveryState::Delivered => String::new(),
                state => format!(" ({state})"),
            };
            shown.push(format!("{}{state}", notice.to));
        }
    }
    shown.join(", ")
}

fn row(alert: &AlertView, now: &ZonedDateTime) -> Row {
    let age = |at: Timestamp| Cell::shown(at.to_string(), human::age(at, now));
    let maybe = |at: Option<Timestamp>| at.map_or_else(Cell::none, age);
    let level = |level: AlertLevel| Cell::same(level.to_string());
    let bad = match alert.severity {
        AlertSeverity::Critical => Tone::Bad,
        AlertSeverity::Warning => Tone::Warning,
        AlertSeverity::Info => Tone::Faint,
    };
    let tone = match alert.state {
        AlertState::Firing => bad,
        AlertState::Pending => Tone::Faint,
        AlertState::Resolved => Tone::Good,
    };
    let state = match (alert.acked_at, alert.silenced_until) {
        (Some(_), _) if alert.state == AlertState::Firing => "firing, known",
        (_, Some(_)) => "silenced",
        _ => alert.state.as_str(),
    };
    let failures = alert.notices.iter().filter(|one| one.state != DeliveryState::Delivered);
    let failures: Vec<_> = failures
        .filter_map(|one| Some(format!("{}: {}", one.to, one.failure.as_deref()?)))
        .collect();
    let told = told(&alert.notices);
    Row {
        id: alert.id.0.to_string(),
        json: views::value(alert),
        cells: vec![
            Cell::same(alert.id.0.to_string()),
            age(alert.since),
            Cell::same(alert.severity.as_str()).tone(bad),
            Cell::same(&alert.rule).tone(Tone::Strong),
            Cell::maybe(alert.assistant.as_ref().map(ToString::to_string)),
            Cell::maybe(alert.part.as_deref()),
            Cell::shown(alert.state.as_str().to_owned(), state.to_owned()).tone(tone),
            level(alert.value),
            level(alert.threshold),
            Cell::maybe(Some(told).filter(|told| !told.is_empty())),
            Cell::maybe(Some(failures.join("; ")).filter(|why| !why.is_empty())),
            maybe(alert.resolved_at),
            level(alert.worst),
            Cell::maybe(alert.acked_by.as_deref()),
        ],
    }
}

fn rules(args: &Rules, context: &Context) -> Result<()> {
    let desk = context.desk_to_ask("alerts rules")?;
    let assistant = args.assistant.as_deref().map(|name| desk.assistant(name)).transpose()?;
    let AlertRules { rules, silences, .. } =
        desk.alert_rules(context.settings()?, assistant.as_ref())?;
    let now = context.now()?;
    let mut listing = Listing::new("rules", RULES);
    listing.rows = rules.iter().map(|one| rule(one, &silences, &now)).collect();
    listing.beside.insert("silences".to_owned(), views::value(&silences));
    context.out.listing(&listing)?;
    let unknown: Vec<&str> =
        rules.iter().flat_map(|one| one.unknown.iter().map(String::as_str)).collect();
    if let Some(first) = unknown.first() {
        context.out.note(&format!(
            "`{first}` is told, but no `[[alerts.destinations]]` of webox.toml is called so."
        ));
    }
    Ok(())
}

fn rule(rule: &AlertRuleView, silences: &[SilenceView], now: &ZonedDateTime) -> Row {
    let silent = silences.iter().filter(|one| {
        one.rule == rule.rule
            && (one.assistant_id.is_none() || one.assistant_id == rule.assistant_id)
    });
    let silent = silent.map(|one| one.until).max();
    let level = |level: Option<AlertLevel>| Cell::maybe(level.map(|level| level.to_string()));
    let whose = rule.assistant.as_ref().map(ToString::to_string);
    let to = rule.to.join(", ");
    Row {
        id: whose
            .as_ref()
            .map_or_else(|| rule.rule.clone(), |name| format!("{}/{name}", rule.rule)),
        json: views::value(rule),
        cells: vec![
            Cell::same(&rule.rule).tone(Tone::Strong),
            Cell::maybe(whose),
            Cell::same(if rule.active { "yes" } else { "no" }).tone(if rule.active {
                Tone::Good
            } else {
                Tone::Faint
            }),
            level(rule.threshold),
            level(rule.recover),
            Cell::maybe(rule.window.map(|window| window.to_string())),
            Cell::same(rule.hold.to_string()),
            Cell::same(rule.recover_for.to_string()),
            Cell::same(rule.severity.as_str()),
            Cell::maybe(rule.remind.map(|remind| remind.to_string())),
            Cell::maybe(Some(to).filter(|to| !to.is_empty())),
            silent.map_or_else(Cell::none, |until| {
                Cell::shown(until.to_string(), human::date_time(until, now))
            }),
        ],
    }
}

fn test(args: &Test, context: &Context) -> Result<()> {
    let tests = context.desk("alerts test")?.test_alerts(context.settings()?, &args.to)?;
    let mut listing = Listing::new("tests", TESTS);
    listing.rows = tests.iter().map(tried).collect();
    context.out.listing(&listing)?;
    if tests.is_empty() {
        context.out.note(
            "There is nobody to tell: name destinations as `[[alerts.destinations]]` in webox.toml.",
        );
    }
    let failed = tests.iter().filter(|test| !test.arrived).count();
    if failed > 0 {
        let what = format!("{failed} of {} could not be told", tests.len());
        return Err(Error::new(Kind::Failure, what));
    }
    Ok(())
}

fn tried(test: &AlertTest) -> Row {
    let (word, tone) = if test.arrived { ("yes", Tone::Good) } else { ("no", Tone::Bad) };
    Row {
        id: test.to.clone(),
        json: views::value(test),
        cells: vec![
            Cell::same(&test.to).tone(Tone::Strong),
            Cell::same(test.kind.as_str()),
            Cell::same(word).tone(tone),
            Cell::maybe(test.failure.as_deref()),
        ],
    }
}

fn silence(args: &Silence, context: &Context) -> Result<()> {
    let desk = context.desk("alerts silence")?;
    let assistant = args.assistant.as_deref().map(|name| desk.assistant(name)).transpose()?;
    let whose =
        assistant.as_ref().map_or_else(String::new, |one| format!(" of `{}`", one.spec.name));
    let Some(length) = args.length else {
        desk.end_silence(&args.rule, assistant.as_ref())?;
        context.out.note(&format!("`{}`{whose} is told again.", args.rule));
        return Ok(());
    };
    let settings = context.settings()?;
    let silence = desk.silence_alerts(settings, &args.rule, assistant.as_ref(), length)?;
    if context.out.format() == Format::Json {
        return context.out.objects([("silence", views::value(&silence))]);
    }
    let until = human::date_time(silence.until, &context.now()?);
    context.out.note(&format!("Nobody is told of `{}`{whose} until {until}.", args.rule));
    Ok(())
}

fn ack(args: &Ack, context: &Context) -> Result<()> {
    let desk = context.desk("alerts ack")?;
    let mut known = Vec::new();
    for id in &args.ids {
        let alert = desk.ack_alert(AlertId(*id))?;
        context.out.note(&format!("The alert {id} of `{}` is known.", alert.rule));
        known.push(alert);
    }
    if context.out.format() == Format::Table { Ok(()) } else { listing(context, &known) }
}
