//! What calls show, as lines of the overview, beside what they showed before.

use super::picture::{self, Ink};
use crate::{
    cli::{
        costs, human,
        output::{Colour, Tone},
    },
    domain::{Analysis, Currency, Latency, Micros, Part, Share, Stage},
};

/// The longest bar.
const BAR: usize = 24;

/// The languages that are told of; there are seldom more.
const LANGUAGES: usize = 5;

/// How figures are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) colour: Colour,
    pub(super) ink: Ink,
    pub(super) width: usize,
    pub(super) currency: Currency,
}

/// How much more than before, in a word; nothing where there was nothing.
pub(super) fn change(now: f64, before: f64) -> String {
    if before == 0.0 {
        return if now == 0.0 { "as before".to_owned() } else { "none before".to_owned() };
    }
    match ((now - before) * 100.0 / before).round() {
        0.0 => "as before".to_owned(),
        percent => format!("{percent:+.0} %"),
    }
}

/// A share, and by how many points it moved.
fn share(part: Part, before: Option<Part>, of_what: &str) -> Option<String> {
    let percent = part.percent()?;
    let mut text = format!("{percent:.0} % of {} {of_what}", human::number(part.of));
    if let Some(before) = before {
        text.push_str(&match before.percent() {
            None => " (none before)".to_owned(),
            Some(before) => match percent.round() - before.round() {
                0.0 => " (as before)".to_owned(),
                1.0 | -1.0 => format!(" ({:+.0} point)", percent.round() - before.round()),
                points => format!(" ({points:+.0} points)"),
            },
        });
    }
    Some(text)
}

fn wait(waits: &[Latency], stage: Stage) -> Option<String> {
    let wait = waits.iter().find(|wait| wait.stage == stage)?;
    Some(format!(
        "half within {}, 95 % within {}, 99 % within {}",
        human::milliseconds(wait.p50_ms),
        human::milliseconds(wait.p95_ms),
        human::milliseconds(wait.p99_ms),
    ))
}

/// Name and text of each line.
pub(super) fn lines(
    now: &Analysis,
    before: Option<&Analysis>,
    currency: Currency,
) -> Vec<(&'static str, String)> {
    let parts = [
        ("contained", now.contained, before.map(|one| one.contained), "that came to something"),
        ("abandoned", now.abandoned, before.map(|one| one.abandoned), "calls"),
        ("call again", now.repeated, before.map(|one| one.repeated), "within 7 days"),
    ];
    let mut lines: Vec<(&'static str, String)> = parts
        .into_iter()
        .filter_map(|(name, part, before, what)| Some((name, share(part, before, what)?)))
        .collect();
    let with_median = |stage| {
        let median = |analysis: &Analysis| {
            analysis
                .waits
                .iter()
                .find(|wait| wait.stage == stage)
                .map(|wait| f64::from(wait.p50_ms))
        };
        let text = wait(&now.waits, stage)?;
        Some(match (median(now), before.and_then(median)) {
            (Some(now), Some(before)) => format!("{text} ({})", change(now, before)),
            _ => text,
        })
    };
    lines.extend(with_median(Stage::Felt).map(|text| ("wait", text)));
    lines.extend(with_median(Stage::Reply).map(|text| ("reply", text)));
    if let Some(average) = now.cost.average() {
        let mut text = format!(
            "{} a call, {} in all",
            costs::shown(average.of(currency), currency),
            costs::shown(now.cost.total().of(currency), currency)
        );
        if let Some(before) = before.and_then(|before| before.cost.average()) {
            let plain = |amount: Micros| amount.get() as f64;
            let (now, before) = (plain(average.of(currency)), plain(before.of(currency)));
            text.push_str(&format!(" ({})", change(now, before)));
        }
        lines.push(("cost", text));
    }
    lines
}

fn bars(title: &str, shares: &[Share], look: Look) -> String {
    let total: u64 = shares.iter().map(|share| share.calls).sum();
    let largest = shares.iter().map(|share| share.calls).max().unwrap_or(0);
    let longest = shares.iter().map(|share| share.key.chars().count()).max().unwrap_or(0);
    let mut text = format!("\n{}\n", look.colour.paint(Tone::Strong, title));
    for share in shares {
        let bar = look.ink.bar(share.calls, largest, BAR);
        let gap = " ".repeat(BAR.saturating_sub(bar.chars().count()));
        let name_gap = " ".repeat(longest.max(12) - share.key.chars().count());
        let percent = share.calls as f64 * 100.0 / total.max(1) as f64;
        text.push_str(&format!(
            "{}{name_gap}  {}{gap}  {:>7}  {percent:>3.0} %\n",
            share.key,
            look.colour.paint(Tone::Good, &bar),
            share.calls
        ));
    }
    text
}

/// What is drawn below the lines: what came of calls, their languages, and the week by its hours.
pub(super) fn pictures(analysis: &Analysis, look: Look) -> String {
    let mut text = String::new();
    // Of calls of which nothing is known this would say nothing.
    if analysis.outcomes.iter().any(|share| share.key != "unknown") {
        text.push_str(&bars("outcomes", &analysis.outcomes, look));
    }
    if analysis.languages.len() > 1 {
        let most = analysis.languages.len().min(LANGUAGES);
        text.push_str(&bars("languages", &analysis.languages[..most], look));
    }
    let week = picture::week(&analysis.week, look.ink, look.colour, look.width);
    if !week.is_empty() {
        text.push_str(&format!("\n{}\n{week}", look.colour.paint(Tone::Strong, "when calls come")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_in_words() {
        assert_eq!(change(120.0, 100.0), "+20 %");
        assert_eq!(change(75.0, 100.0), "-25 %");
        assert_eq!(change(100.2, 100.0), "as before");
        assert_eq!(change(1.0, 0.0), "none before");
        let part = |calls| Part { calls, of: 200 };
        let told = |now, before| share(part(now), Some(part(before)), "calls");
        assert_eq!(told(100, 96).as_deref(), Some("50 % of 200 calls (+2 points)"));
        assert_eq!(told(100, 102).as_deref(), Some("50 % of 200 calls (-1 point)"));
        assert_eq!(share(Part::default(), None, "calls"), None);
    }
}
