//! Figures as pictures in a terminal: a line of small bars, and a week by its hours. Shades tell, never colours
//! alone, and a terminal without Unicode is drawn for in ASCII.

use jiff::civil::Date;

use crate::{
    cli::{
        human,
        output::{Colour, Tone},
    },
    config::Environment,
    domain::{DayFigures, WEEKDAYS, weekday_name},
};

/// What pictures are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Unicode,
    Ascii,
}

impl Ink {
    /// Unicode, unless the locale says that the terminal does not read it.
    pub(super) fn of(environment: &Environment) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| environment.get(name));
        let reads = locale.is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        if reads { Self::Unicode } else { Self::Ascii }
    }

    /// A bar of at most `width` characters.
    pub(super) fn bar(self, value: u64, largest: u64, width: usize) -> String {
        match self {
            Self::Unicode => human::bar(value, largest, width),
            Self::Ascii if value == 0 => String::new(),
            Self::Ascii => "#".repeat((value as usize * width / largest.max(1) as usize).max(1)),
        }
    }

    const fn heights(self) -> &'static [char] {
        match self {
            Self::Unicode => &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
            Self::Ascii => &['_', '.', ':', '-', '=', '+', '*', '#'],
        }
    }

    /// From none to most.
    const fn shades(self) -> [char; 5] {
        match self {
            Self::Unicode => ['·', '░', '▒', '▓', '█'],
            Self::Ascii => ['.', '-', '+', '*', '#'],
        }
    }
}

/// The longest line of small bars.
const SPARKS: usize = 40;

/// Values as bars between `lowest` and `highest`; a gap where there is none.
fn sparks(values: &[Option<f64>], lowest: f64, highest: f64, ink: Ink) -> String {
    let heights = ink.heights();
    let most = (heights.len() - 1) as f64;
    let spark = |value: &Option<f64>| match value {
        None => ' ',
        Some(_) if highest <= lowest => heights[0],
        Some(value) => {
            let share = ((value - lowest) / (highest - lowest)).clamp(0.0, 1.0);
            heights[(share * most).round() as usize]
        }
    };
    values.iter().map(spark).collect()
}

/// Days without a gap, put together where they are many; none of too few to show a trend.
fn stretches(days: &[DayFigures]) -> Vec<Vec<&DayFigures>> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
    let since = |day: Date| (day - first.day).get_days().unsigned_abs() as usize;
    let count = since(last.day) + 1;
    if count < 3 {
        return Vec::new();
    }
    let bars = count.min(SPARKS);
    let mut stretches: Vec<Vec<&DayFigures>> = vec![Vec::new(); bars];
    for day in days {
        stretches[since(day.day) * bars / count].push(day);
    }
    stretches
}

/// Calls day by day.
pub(super) fn calls(days: &[DayFigures], ink: Ink) -> String {
    let sums: Vec<Option<f64>> = stretches(days)
        .iter()
        .map(|days| Some(days.iter().map(|day| day.calls).sum::<u64>() as f64))
        .collect();
    let highest = sums.iter().flatten().fold(0.0_f64, |most, sum| most.max(*sum));
    sparks(&sums, 0.0, highest, ink)
}

/// Satisfaction day by day, on the scale of scores; nothing without scores.
pub(super) fn satisfaction(days: &[DayFigures], ink: Ink) -> String {
    let averages: Vec<Option<f64>> = stretches(days)
        .iter()
        .map(|days| {
            let (sum, count) = days.iter().fold((0, 0), |(sum, count), day| {
                (sum + day.satisfaction_sum, count + day.satisfaction_count)
            });
            (count > 0).then(|| sum as f64 / count as f64)
        })
        .collect();
    if averages.iter().flatten().count() < 2 {
        return String::new();
    }
    sparks(&averages, 1.0, 5.0, ink).trim_end().to_owned()
}

/// How dark a cell is: none, then four equal parts up to the most.
fn shade(calls: u64, most: u64) -> usize {
    if calls == 0 { 0 } else { ((calls * 4).div_ceil(most.max(1)) as usize).clamp(1, 4) }
}

/// Columns that the name of a weekday takes.
const NAME: usize = 5;

/// A week by its hours, within a width; nothing of no calls.
pub(super) fn week(week: &[Vec<u64>], ink: Ink, colour: Colour, width: usize) -> String {
    let most = week.iter().flatten().copied().max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    // A name, and two columns an hour where they fit.
    let wide = if width >= NAME + 48 { 2 } else { 1 };
    let shades = ink.shades();
    let mut heading = " ".repeat(NAME);
    for hour in (0..24).step_by(3) {
        heading.push_str(&format!("{hour:<place$}", place = 3 * wide));
    }
    let mut lines = vec![colour.paint(Tone::Faint, heading.trim_end())];
    for (day, hours) in WEEKDAYS.iter().zip(week) {
        let cells: String = hours
            .iter()
            .map(|calls| shades[shade(*calls, most)].to_string().repeat(wide))
            .collect();
        let name: String = weekday_name(*day).chars().take(3).collect();
        let gap = " ".repeat(NAME - name.len());
        lines.push(format!("{name}{gap}{}", colour.paint(Tone::Good, &cells)));
    }
    let legend: Vec<String> = (0..=4)
        .filter_map(|dark| {
            let range = match dark {
                0 => "0".to_owned(),
                dark => {
                    let (from, to) = ((dark - 1) * most / 4 + 1, dark * most / 4);
                    match from.cmp(&to) {
                        std::cmp::Ordering::Greater => return None,
                        std::cmp::Ordering::Equal => from.to_string(),
                        std::cmp::Ordering::Less => format!("{from}-{to}"),
                    }
                }
            };
            Some(format!("{} {range}", shades[usize::try_from(dark).unwrap_or(0)]))
        })
        .collect();
    let word = if most == 1 { "call" } else { "calls" };
    let legend = format!("{}{} {word}", " ".repeat(NAME), legend.join("  "));
    lines.push(colour.paint(Tone::Faint, &legend));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(calls: &[(i8, u64, u64)]) -> Vec<DayFigures> {
        let day = |(day, calls, score): &(i8, u64, u64)| DayFigures {
            day: jiff::civil::date(2026, 11, *day),
            calls: *calls,
            duration: 0,
            satisfaction_sum: *score,
            satisfaction_count: u64::from(*score > 0),
        };
        calls.iter().map(day).collect()
    }

    #[test]
    fn sparks_show_days_in_order_with_their_gaps() {
        let few = days(&[(1, 4, 5), (3, 8, 1), (5, 2, 3)]);
        assert_eq!(calls(&few, Ink::Unicode), "▅▁█▁▃");
        assert_eq!(satisfaction(&few, Ink::Unicode), "█ ▁ ▅");
        assert_eq!(calls(&few, Ink::Ascii), "=_#_:");
        assert_eq!(Ink::Ascii.bar(5, 10, 8), "####");
        assert_eq!(
            (Ink::Ascii.bar(1, 100, 8), Ink::Ascii.bar(0, 100, 8)),
            ("#".into(), String::new())
        );
        assert_eq!(calls(&few[..1], Ink::Unicode), "", "one day is no trend");
        assert_eq!(calls(&[], Ink::Unicode), "");
    }

    #[test]
    fn many_days_are_put_together() {
        let first = jiff::civil::date(2025, 1, 1);
        let year: Vec<DayFigures> = (0..365)
            .map(|n| DayFigures {
                day: first.checked_add(jiff::ToSpan::days(n)).unwrap(),
                calls: 1,
                duration: 0,
                satisfaction_sum: 0,
                satisfaction_count: 0,
            })
            .collect();
        assert_eq!(calls(&year, Ink::Unicode).chars().count(), SPARKS);
        assert_eq!(satisfaction(&year, Ink::Unicode), "");
    }

    #[test]
    fn a_week_fits_its_terminal_and_tells_in_shades() {
        let mut hours = vec![vec![0; 24]; 7];
        hours[0][9] = 8;
        hours[4][19] = 3;
        hours[6][0] = 1;
        let wide = week(&hours, Ink::Unicode, Colour::OFF, 80);
        insta::assert_snapshot!(wide);
        assert!(wide.lines().all(|line| line.chars().count() <= 53));
        let narrow = week(&hours, Ink::Ascii, Colour::OFF, 40);
        assert!(narrow.is_ascii());
        insta::assert_snapshot!(narrow);
        assert_eq!(week(&vec![vec![0; 24]; 7], Ink::Unicode, Colour::OFF, 80), "");
    }

    #[test]
    fn each_count_is_in_the_range_of_its_shade() {
        for most in 1..50_u64 {
            for calls in 1..=most {
                let dark = shade(calls, most) as u64;
                assert!(
                    calls > (dark - 1) * most / 4 && calls <= dark * most / 4,
                    "{calls} of {most}"
                );
            }
        }
    }

    #[test]
    fn the_locale_says_whether_unicode_is_read() {
        let of = |variables: &[(&str, &str)]| Ink::of(&variables.iter().copied().collect());
        assert_eq!(of(&[]), Ink::Unicode);
        assert_eq!(of(&[("LANG", "fr_FR.UTF-8")]), Ink::Unicode);
        assert_eq!(of(&[("LANG", "C")]), Ink::Ascii);
        assert_eq!(of(&[("LC_ALL", "fr_FR.ISO-8859-1"), ("LANG", "fr_FR.utf8")]), Ink::Ascii);
    }
}
