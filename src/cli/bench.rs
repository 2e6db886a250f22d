//! `webox bench`: many calls at once, and how well they are answered.

use std::{fmt::Write, time::Duration};

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Context, daemon, exit, help, human,
    output::{Colour, Format, Tone},
    progress::Waiting,
};
use crate::{
    config::PublicUrl,
    domain::{AccountSid, Error, HumanDuration, Kind, PhoneNumber, Result, VoiceLine},
    rehearsal::bench::{self, Delays, Manner, Plan, Quantiles, Report, Target},
    twilio::caller::Caller,
};

/// Arguments of `webox bench`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox bench --calls 100", "a daemon of its own, the built-in concierge, webhooks"),
        (
            "webox bench --line stream --calls 500 --for 2m --max-p99 50ms",
            "sound in real time; fails when webox itself takes longer",
        ),
        (
            "webox bench --url https://calls.example.com --number +33123456789 --calls 5",
            "a running daemon: real calls in its store, and real costs of its providers",
        ),
    ],
    &[exit::FAILURE, exit::USAGE, exit::UNAVAILABLE, exit::CONFIG, exit::INTERRUPTED],
))]
pub struct Bench {
    /// How speech travels: gather, relay or stream.
    #[arg(long, value_name = "LINE", default_value = "gather")]
    line: VoiceLine,
    /// How many calls at the same time.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    calls: u32,
    /// How long each call lasts.
    #[arg(long = "for", value_name = "TIME", default_value = "30s", value_parser = time)]
    length: Duration,
    /// The time in which all calls begin.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    ramp: Duration,
    /// A running daemon to call, instead of one of its own; signed with this machine's settings.
    #[arg(long, value_name = "URL", requires = "number")]
    url: Option<PublicUrl>,
    /// The number to dial there.
    #[arg(long, value_name = "NUMBER", requires = "url")]
    number: Option<PhoneNumber>,
    /// Fail when 1 answer in 100 takes longer; where known, webox's own share of it.
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_p99: Option<Duration>,
    /// With a stream: how long the model of its own daemon thinks.
    #[arg(long, value_name = "TIME", default_value = "300ms", value_parser = time, conflicts_with = "url")]
    llm_delay: Duration,
    /// With a stream: how long its ears take.
    #[arg(long, value_name = "TIME", default_value = "150ms", value_parser = time, conflicts_with = "url")]
    stt_delay: Duration,
    /// With a stream: how long its mouth takes to begin.
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = time, conflicts_with = "url")]
    tts_delay: Duration,
    /// With a stream: the silence that ends an utterance (`hearing.pause_ms`), from 200ms to 3s.
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = pause, conflicts_with = "url")]
    pause: Duration,
    /// With a stream: its model begins to think before that (`hearing.start_early`).
    #[arg(long, conflicts_with = "url")]
    start_early: bool,
}

/// `50ms`, or a length of time as everywhere else.
fn time(text: &str) -> Result<Duration, Error> {
    let Some(number) = text.trim().strip_suffix("ms") else {
        return text.parse::<HumanDuration>().map(HumanDuration::get);
    };
    let ms = number.parse::<u32>().map_err(|_| {
        Error::input("this is not a length of time").hint("write `50ms`, `30s`, `2m`")
    })?;
    Ok(Duration::from_millis(ms.into()))
}

/// A pause that an assistant may have.
fn pause(text: &str) -> Result<Duration, Error> {
    let pause = time(text)?;
    if (200..=3_000).contains(&pause.as_millis()) {
        return Ok(pause);
    }
    Err(Error::input("a pause lies between 200ms and 3s"))
}

pub(super) fn run(args: &Bench, context: &Context) -> Result<u8> {
    let known = [Format::Text, Format::Table, Format::Json, Format::Jsonl];
    let format = context.out.one_of(&known)?;
    context.without_server("bench")?;
    // Each call is a connection, or two: the usual 1,024 are too few.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        context.out.warn(&format!("the limit of open files stays as it is: {error}"));
    }
    let report = daemon::runtime()?.block_on(measure(args, context))?;
    match format {
        Format::Json => context.out.objects([("bench", json!(report))])?,
        Format::Jsonl => context.out.text(&format!("{}\n", json!(report)))?,
        _ => context.out.text(&text(&report, context.out.colour()))?,
    }
    let complaints = complaints(&report, args.max_p99);
    for complaint in &complaints {
        context.out.say(&format!(
            "{} {complaint}",
            context.out.error_colour().paint(Tone::Bad, "failed:")
        ));
    }
    Ok(if complaints.is_empty() { exit::OK } else { exit::FAILURE })
}

async fn measure(args: &Bench, context: &Context) -> Result<Report> {
    let plan = Plan { line: args.line, calls: args.calls, length: args.length, ramp: args.ramp };
    let mut terminate = signal(SignalKind::terminate())
        .map_err(|cause| Error::failure("signals cannot be listened for").because(cause))?;
    let measured = async {
        match (&args.url, &args.number) {
            (Some(url), Some(number)) => {
                let target = running(context, url, number.clone())?;
                Ok(played(plan, &target, context).await)
            }
            _ => on_its_own(args, plan, context).await,
        }
    };
    // Whatever ends this ends the daemon with it: it is killed when it is dropped.
    tokio::select! {
        report = measured => report,
        _ = tokio::signal::ctrl_c() => Err(interrupted()),
        _ = terminate.recv() => Err(interrupted()),
    }
}

fn interrupted() -> Error {
    Error::new(Kind::Interrupted, "interrupted: nothing was measured to its end")
}

async fn on_its_own(args: &Bench, plan: Plan, context: &Context) -> Result<Report> {
    let delays =
        Delays { hearing: args.stt_delay, thinking: args.llm_delay, speaking: args.tts_delay };
    let manner = Manner { delays, pause: args.pause, start_early: args.start_early };
    let own = bench::own_daemon(plan.line, manner).await?;
    let not_ours = (plan.line == VoiceLine::Stream).then(|| manner.not_ours());
    let target = Target {
        caller: own.caller().clone(),
        number: own.number().clone(),
        pid: own.pid(),
        not_ours,
    };
    // The first call finds cold caches and an empty file.
    let once = Plan { calls: 1, length: Duration::ZERO, ramp: Duration::ZERO, ..plan };
    bench::run(once, &target, |_| {}).await;
    let report = played(plan, &target, context).await;
    if report.failed > 0 {
        for complaint in own.complaints() {
            context.out.note(&format!("the daemon: {complaint}"));
        }
    }
    own.stop().await?;
    Ok(report)
}

async fn played(plan: Plan, target: &Target, context: &Context) -> Report {
    let waiting = Waiting::begin(context, "calling");
    bench::run(plan, target, |progress| {
        waiting.tell(format!("{} rang, {} are over", progress.begun, progress.ended));
    })
    .await
}

/// A daemon that runs: what it is signed for is what its own settings say.
fn running(context: &Context, url: &PublicUrl, number: PhoneNumber) -> Result<Target> {
    let settings = context.settings()?;
    let token = settings.twilio.auth_tokens.value.first().cloned().ok_or_else(|| {
        Error::config("no Twilio auth token is set, so the daemon would believe no call")
            .hint("set the TWILIO_AUTH_TOKEN that the daemon has")
    })?;
    let account = match &settings.twilio.account_sid.value {
        Some(account) => account.clone(),
        None => "AC00000000000000000000000000000000".parse::<AccountSid>()?,
    };
    let public_url = settings.public_url.value.as_ref().unwrap_or(url);
    let caller = Caller::new(url.as_str(), public_url.as_str(), token, account)?;
    Ok(Target { caller, number, pid: None, not_ours: None })
}

/// Why it is no success.
fn complaints(report: &Report, max_p99: Option<Duration>) -> Vec<String> {
    let mut complaints = Vec::new();
    if report.failed > 0 {
        let calls = human::count(report.calls, "call", "calls");
        complaints.push(format!("{} of {calls} went wrong", human::number(report.failed)));
    }
    if let Some(limit) = max_p99 {
        let limit_ms = limit.as_secs_f64() * 1_000.0;
        match report.judged() {
            Some(judged) if judged.p99_ms <= limit_ms => {}
            Some(judged) => complaints.push(format!(
                "1 answer in 100 takes {} or more, and at most {} was asked for",
                ms(judged.p99_ms),
                ms(limit_ms)
            )),
            None => complaints.push("nothing was answered that could be measured".to_owned()),
        }
    }
    complaints
}

fn ms(ms: f64) -> String {
    match ms {
        ..10.0 => format!("{ms:.1} ms"),
        10.0..10_000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1_000.0),
    }
}

fn text(report: &Report, colour: Colour) -> String {
    let mut text = format!(
        "{} over {} in {:.1} s, {}, {} failed\n\n",
        human::count(report.calls, "call", "calls"),
        report.line,
        report.seconds,
        human::count(report.turns, "question", "questions"),
        human::number(report.failed),
    );
    let head =
        format!("{:<26}{:>9}{:>10}{:>10}{:>10}{:>10}", "", "COUNT", "P50", "P95", "P99", "MAX");
    let _ = writeln!(text, "{}", colour.paint(Tone::Faint, &head));
    let mut row = |name: &str, figures: Option<Quantiles>| {
        let Some(q) = figures else { return };
        let _ = writeln!(
            text,
            "{name:<26}{:>9}{:>10}{:>10}{:>10}{:>10}",
            human::number(q.count),
            ms(q.p50_ms),
            ms(q.p95_ms),
            ms(q.p99_ms),
            ms(q.max_ms),
        );
    };
    row("greeting", report.greeting);
    row("answer", report.answer);
    row("answer, webox's own share", report.own_share);
    row("falls silent", report.sound.and_then(|sound| sound.barge_in));
    text.push('\n');
    let mut line = |name: &str, told: String| {
        let _ = writeln!(text, "{name:<10}{told}");
    };
    if let Some(not_ours) = report.not_ours_ms {
        line("not ours", format!("{} of each answer: providers, and silence", ms(not_ours)));
    }
    if let Some(sound) = report.sound {
        line(
            "sound",
            format!(
                "{} messages, {} too late to be played without a hole, the longest {}",
                human::number(sound.messages),
                human::number(sound.late),
                ms(sound.longest_gap_ms)
            ),
        );
        if sound.not_cleared > 0 {
            let times = human::count(sound.not_cleared, "time", "times");
            line("", format!("talked over a caller who interrupted {times}"));
        }
    }
    if let Some(daemon) = report.daemon {
        line(
            "daemon",
            format!(
                "{:.2} % of a processor and {:.0} kB a call; {:.1} % and {:.1} MB in all, {:.1} MB idle",
                daemon.processor_percent_per_call,
                daemon.kb_per_call,
                daemon.processor_percent,
                daemon.most_kb as f64 / 1_024.0,
                daemon.idle_kb as f64 / 1_024.0,
            ),
        );
    }
    let client = report.client;
    let processor = client
        .processor_percent
        .map_or_else(String::new, |percent| format!("; {percent:.1} % of a processor"));
    line(
        "callers",
        format!(
            "were themselves late by {} (p50), {} (p99), {} at most{processor}",
            ms(client.late_p50_ms),
            ms(client.late_p99_ms),
            ms(client.late_max_ms)
        ),
    );
    for (kind, failures) in &report.failures {
        let _ = writeln!(
            text,
            "{}  {}× {}, such as: {}",
            colour.paint(Tone::Bad, "failed"),
            failures.count,
            kind.as_str(),
            failures.example.replace(char::is_control, " "),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_milliseconds_too() {
        assert_eq!(time("50ms").unwrap(), Duration::from_millis(50));
        assert_eq!(time("2m").unwrap(), Duration::from_mins(2));
        for wrong in ["", "ms", "1.5ms", "-3ms", "fast"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        assert!(pause("500ms").is_ok() && pause("3s").is_ok());
        assert!(pause("100ms").is_err() && pause("4s").is_err());
    }

    #[test]
    fn figures_are_short() {
        let shown: Vec<String> = [0.42, 12.6, 1_234.0, 65_000.0].map(ms).into();
        assert_eq!(shown, ["0.4 ms", "13 ms", "1234 ms", "65.0 s"]);
    }
}
