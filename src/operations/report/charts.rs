//! Charts as SVG that stretches with its box. Words stand beside it, as HTML: they stay readable on a telephone.

use std::fmt::Write as _;

use jiff::civil::Date;

use super::{page::text, words};
use crate::domain::{DayFigures, Month, ReportLanguage, WEEKDAYS};

/// The days of a month, those without calls included.
fn each_day(month: Month, days: &[DayFigures]) -> Vec<(Date, Option<&DayFigures>)> {
    month
        .first()
        .series(jiff::ToSpan::day(1))
        .take_while(|day| *day <= month.last())
        .map(|day| (day, days.iter().find(|figures| figures.day == day)))
        .collect()
}

/// The days that are named under a chart of a month, each in the middle of its place.
fn day_axis(html: &mut String, month: Month) {
    html.push_str("<div class=\"axis\">");
    for day in [1, 8, 15, 22, 29] {
        if day <= month.days() {
            let left = (f64::from(day) - 0.5) * 100.0 / f64::from(month.days());
            let _ = write!(html, "<span style=\"left:{left:.2}%\">{day}</span>");
        }
    }
    html.push_str("</div>\n");
}

/// Calls day by day.
pub(super) fn days(html: &mut String, language: ReportLanguage, month: Month, days: &[DayFigures]) {
    let colon = words::colon(language);
    let most = days.iter().map(|day| day.calls).max().unwrap_or(0);
    let title = words::either(language, "Appels par jour", "Calls a day");
    let _ = write!(
        html,
        "<div class=\"chart\"><div class=\"top\">{}</div>\n\
         <svg viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{title}\">\n",
        words::number(language, most),
        month.days() * 10,
    );
    for (at, (day, figures)) in each_day(month, days).into_iter().enumerate() {
        let calls = figures.map_or(0, |figures| figures.calls);
        let height = calls as f64 * 100.0 / most.max(1) as f64;
        let quiet =
            matches!(day.weekday(), jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday);
        let class = if quiet { "bar end" } else { "bar" };
        let _ = writeln!(
            html,
            "<rect class=\"{class}\" x=\"{}\" y=\"{:.1}\" width=\"8\" height=\"{height:.1}\"><title>{} {}{colon} {}</title></rect>",
            at * 10 + 1,
            100.0 - height,
            words::weekday(language, day.weekday()),
            words::day(language, day),
            words::calls(language, calls),
        );
    }
    html.push_str("</svg>\n");
    day_axis(html, month);
    html.push_str("</div>\n");
}

/// Satisfaction day by day, from 1 to 5.
pub(super) fn satisfaction(
    html: &mut String,
    language: ReportLanguage,
    month: Month,
    days: &[DayFigures],
) {
    let colon = words::colon(language);
    let title = words::either(language, "Satisfaction par jour", "Satisfaction a day");
    let _ = write!(
        html,
        "<div class=\"chart\"><div class=\"top\">5</div>\n\
         <svg viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{title}\">\n",
        month.days() * 10,
    );
    for score in 1..5 {
        let y = 100 - (score - 1) * 25;
        let _ = writeln!(
            html,
            "<line class=\"grid\" x1=\"0\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\"/>",
            month.days() * 10
        );
    }
    let mut points = Vec::new();
    let mut dots = String::new();
    for (at, (day, figures)) in each_day(month, days).into_iter().enumerate() {
        let Some(score) = figures.and_then(DayFigures::average_satisfaction) else { continue };
        let (x, y) = (at * 10 + 5, 100.0 - (score - 1.0).clamp(0.0, 4.0) * 25.0);
        points.push(format!("{x},{y:.1}"));
        // A line without length and with round ends is a dot that does not stretch.
        let _ = writeln!(
            dots,
            "<path class=\"dot\" d=\"M{x} {y:.1}h0\"><title>{}{colon} {}</title></path>",
            words::day(language, day),
            words::decimal(language, score),
        );
    }
    let _ = writeln!(html, "<polyline class=\"curve\" points=\"{}\"/>", points.join(" "));
    html.push_str(&dots);
    html.push_str("</svg>\n");
    day_axis(html, month);
    html.push_str("</div>\n");
}

/// A week by its hours.
pub(super) fn week(html: &mut String, language: ReportLanguage, week: &[Vec<u64>]) {
    let colon = words::colon(language);
    let most = week.iter().flatten().copied().max().unwrap_or(0).max(1);
    let title = words::either(language, "Appels par jour et heure", "Calls by day and hour");
    html.push_str("<div class=\"week\"><div class=\"names\">");
    for day in WEEKDAYS {
        let name: String = words::weekday(language, day).chars().take(3).collect();
        let _ = write!(html, "<span>{name}</span>");
    }
    let _ = write!(
        html,
        "</div>\n<div><svg viewBox=\"0 0 240 70\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{title}\">\n"
    );
    for (row, (day, hours)) in WEEKDAYS.iter().zip(week).enumerate() {
        for (hour, calls) in hours.iter().enumerate() {
            let share = *calls as f64 / most as f64;
            // What is not nothing is seen.
            let strength = if *calls == 0 { 0.06 } else { 0.2 + 0.8 * share };
            let _ = writeln!(
                html,
                "<rect class=\"cell\" x=\"{}\" y=\"{}\" width=\"9.4\" height=\"9.2\" fill-opacity=\"{strength:.2}\"><title>{} {}{colon} {}</title></rect>",
                hour * 10,
                row * 10,
                words::weekday(language, *day),
                words::hour(language, hour),
                words::calls(language, *calls),
            );
        }
    }
    html.push_str("</svg>\n<div class=\"axis\">");
    for hour in [0, 3, 6, 9, 12, 15, 18, 21] {
        let left = (f64::from(hour) + 0.5) * 100.0 / 24.0;
        let _ = write!(html, "<span style=\"left:{left:.2}%\">{hour}</span>");
    }
    html.push_str("</div></div></div>\n");
}

/// What is counted, the most frequent first, each with its bar.
pub(super) fn shares(
    html: &mut String,
    language: ReportLanguage,
    shares: &[(String, u64)],
    of: u64,
) {
    let most = shares.iter().map(|(_, calls)| *calls).max().unwrap_or(0).max(1);
    html.push_str("<table class=\"shares\">\n");
    for (name, calls) in shares {
        let width = *calls as f64 * 100.0 / most as f64;
        let percent = *calls as f64 * 100.0 / of.max(1) as f64;
        let _ = writeln!(
            html,
            "<tr><th>{}</th><td class=\"track\"><svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <rect class=\"bar\" x=\"0\" y=\"0\" width=\"{width:.1}\" height=\"10\"/></svg></td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            text(name),
            words::number(language, *calls),
            words::percent(language, percent),
        );
    }
    html.push_str("</table>\n");
}
