//! A report as one page of HTML that needs nothing else: no script, no picture from elsewhere. It is read on a
//! telephone, in the dark, and prints on A4.

use std::fmt::Write as _;

use super::{
    charts,
    words::{self, either},
};
use crate::domain::{Analysis, Latency, Part, Report, ReportLanguage, Stage};

const STYLE: &str = include_str!("page.css");

/// The page.
pub fn page(report: &Report) -> String {
    let language = report.language;
    let month = words::month(language, report.month);
    let whose = report
        .of
        .clone()
        .unwrap_or_else(|| either(language, "Tous les clients", "All clients").to_owned());
    let title = either(language, "Rapport d'appels", "Report on calls");
    let mut html = String::new();
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{} — {title}, {month}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header><h1>{}</h1><p>{title}, {month}</p></header>\n",
        language.as_str(),
        text(&whose),
        text(&whose),
    );
    if report.now.total_calls == 0 {
        let none = either(language, "Aucun appel ce mois-ci.", "No calls this month.");
        let _ = writeln!(html, "<p>{none}</p>");
    } else {
        tiles(&mut html, report);
        sections(&mut html, report);
    }
    foot(&mut html, report);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// Text as HTML has it, also between quotes.
pub(super) fn text(plain: &str) -> String {
    quick_xml::escape::escape(plain).into_owned()
}

/// Whether more is better, worse, or neither.
#[derive(Clone, Copy)]
enum More {
    Better,
    Worse,
    Neither,
}

fn change(difference: f64, words: String, more: More) -> String {
    let class = match (more, difference > 0.0) {
        (More::Neither, _) => "",
        (More::Better, true) | (More::Worse, false) => " class=\"up\"",
        (More::Better, false) | (More::Worse, true) => " class=\"down\"",
    };
    format!("<small{class}>{words}</small>")
}

/// How a figure moved, in percent of what it was.
fn moved(language: ReportLanguage, now: f64, before: f64, more: More) -> String {
    if before == 0.0 {
        return String::new();
    }
    let percent = ((now - before) * 100.0 / before).round();
    let than = either(language, "sur un mois", "on the month before");
    if percent == 0.0 {
        return format!("<small>= {than}</small>");
    }
    let sign = if percent > 0.0 { "+" } else { "−" };
    let words = format!("{sign}{} {than}", words::percent(language, percent.abs()));
    change(percent, words, more)
}

/// How a share moved, in points.
fn moved_by_points(language: ReportLanguage, now: Part, before: Part, more: More) -> String {
    let (Some(now), Some(before)) = (now.percent(), before.percent()) else { return String::new() };
    let points = now.round() - before.round();
    let than = either(language, "sur un mois", "on the month before");
    if points == 0.0 {
        return format!("<small>= {than}</small>");
    }
    let sign = if points > 0.0 { "+" } else { "−" };
    let unit = if points.abs() < 2.0 { "point" } else { "points" };
    change(points, format!("{sign}{:.0} {unit} {than}", points.abs()), more)
}

fn tile(html: &mut String, figure: &str, name: &str, changed: &str) {
    let _ = writeln!(html, "<li><b>{figure}</b><span>{name}</span>{changed}</li>");
}

fn tiles(html: &mut String, report: &Report) {
    let (language, now, before) = (report.language, &report.now, &report.before);
    html.push_str("<ul class=\"tiles\">\n");
    tile(
        html,
        &words::number(language, now.total_calls),
        either(language, "appels", "calls"),
        &moved(language, now.total_calls as f64, before.total_calls as f64, More::Neither),
    );
    let average = |analysis: &Analysis| analysis.total().average_duration_s();
    tile(
        html,
        &words::duration(language, now.total_duration),
        &format!(
            "{} {}",
            either(language, "de conversation, en moyenne", "of talk, on average"),
            words::duration(language, average(now).round() as u64)
        ),
        &moved(language, now.total_duration as f64, before.total_duration as f64, More::Neither),
    );
    let mut share = |part: Part, earlier: Part, name: &str, more: More| {
        if let Some(percent) = part.percent() {
            let figure = words::percent(language, percent);
            tile(html, &figure, name, &moved_by_points(language, part, earlier, more));
        }
    };
    share(
        now.contained,
        before.contained,
        either(language, "traités sans transfert", "handled without a transfer"),
        More::Better,
    );
    share(
        now.abandoned,
        before.abandoned,
        either(language, "raccrochés sans suite", "hung up without a result"),
        More::Worse,
    );
    share(
        now.repeated,
        before.repeated,
        either(language, "rappels sous sept jours", "called again within seven days"),
        More::Neither,
    );
    if let Some(score) = now.total().average_satisfaction() {
        let earlier = before.total().average_satisfaction().unwrap_or(0.0);
        tile(
            html,
            &format!("{}/5", words::decimal(language, score)),
            &format!(
                "{}, {}",
                either(language, "de satisfaction", "satisfaction"),
                match language {
                    ReportLanguage::French =>
                        format!("{} avis", words::number(language, now.satisfaction_count)),
                    ReportLanguage::English =>
                        format!("{} scores", words::number(language, now.satisfaction_count)),
                }
            ),
            &moved(language, score, earlier, More::Better),
        );
    }
    html.push_str("</ul>\n");
}

fn section(html: &mut String, title: &str, draw: impl FnOnce(&mut String)) {
    let _ = writeln!(html, "<section><h2>{title}</h2>");
    draw(html);
    html.push_str("</section>\n");
}

fn sections(html: &mut String, report: &Report) {
    let (language, month, now) = (report.language, report.month, &report.now);
    section(html, either(language, "Appels par jour", "Calls a day"), |html| {
        charts::days(html, language, month, &now.days);
    });
    section(html, either(language, "Quand on vous appelle", "When people call"), |html| {
        charts::week(html, language, &now.week);
    });
    let outcomes: Vec<(String, u64)> = now
        .outcomes
        .iter()
        .map(|share| (words::outcome(language, &share.key), share.calls))
        .collect();
    section(html, either(language, "Ce qu'il en est ressorti", "What came of it"), |html| {
        charts::shares(html, language, &outcomes, now.total_calls);
    });
    if !report.topics.is_empty() {
        let topics: Vec<(String, u64)> =
            report.topics.iter().map(|share| (share.key.clone(), share.calls)).collect();
        section(html, either(language, "Sujets", "Topics"), |html| {
            charts::shares(html, language, &topics, now.total_calls);
        });
    }
    if now.languages.len() > 1 {
        let languages: Vec<(String, u64)> = now
            .languages
            .iter()
            .map(|share| (words::spoken(language, &share.key), share.calls))
            .collect();
        section(html, either(language, "Langues", "Languages"), |html| {
            charts::shares(html, language, &languages, now.total_calls);
        });
    }
    if now.days.iter().filter(|day| day.satisfaction_count > 0).count() > 1 {
        section(html, either(language, "Satisfaction, de 1 à 5", "Satisfaction, 1 to 5"), |html| {
            charts::satisfaction(html, language, month, &now.days);
        });
    }
    waits(html, language, &now.waits);
}

/// What callers feel where it was measured; otherwise how long a reply took.
fn waits(html: &mut String, language: ReportLanguage, waits: &[Latency]) {
    let of = |stage: Stage| waits.iter().find(|wait| wait.stage == stage);
    let Some(wait) = of(Stage::Felt).or_else(|| of(Stage::Reply)) else { return };
    let (half, most) = (words::wait(language, wait.p50_ms), words::wait(language, wait.p95_ms));
    let answers = words::number(language, wait.count);
    let told = match language {
        ReportLanguage::French => format!(
            "La moitié des {answers} réponses est venue en {half} au plus, 95\u{a0}% en {most} au plus."
        ),
        ReportLanguage::English => {
            format!("Half of the {answers} answers came within {half}, 95% within {most}.")
        }
    };
    section(html, either(language, "Temps de réponse", "Time to answer"), |html| {
        let _ = writeln!(html, "<p>{told}</p>");
    });
}

fn foot(html: &mut String, report: &Report) {
    let language = report.language;
    let zone = report.zone.iana_name().unwrap_or("UTC");
    let told = match language {
        ReportLanguage::French => format!(
            "Heures de {zone}. Sans transfert : des appels qui ont abouti, ceux qu'aucune personne n'a pris. \
             Rappels : des appels dont le numéro est connu, ceux d'une personne qui avait déjà appelé dans les \
             sept jours d'avant. Les chiffres restent quand une personne est oubliée ; ses mots n'y sont pas."
        ),
        ReportLanguage::English => format!(
            "Hours of {zone}. Without a transfer: of the calls that came to something, those that no person took. \
             Called again: of the calls whose number is known, those of somebody who had called in the seven days \
             before. The figures stay when a person is forgotten; their words are no part of them."
        ),
    };
    let _ = writeln!(html, "<footer><p>{}</p></footer>", text(&told));
}

#[cfg(test)]
mod tests {
    use jiff::{civil::date, tz::TimeZone};

    use super::*;
    use crate::domain::{DayFigures, Share};

    fn november(language: ReportLanguage) -> Report {
        let mut week = vec![vec![0; 24]; 7];
        week[4][19] = 700;
        week[5][12] = 534;
        let share = |key: &str, calls| Share { key: key.to_owned(), calls };
        let day = |day, calls, satisfaction_sum| DayFigures {
            day: date(2026, 11, day),
            calls,
            duration: 60 * calls,
            satisfaction_sum,
            satisfaction_count: u64::from(satisfaction_sum > 0),
        };
        let now = Analysis {
            total_calls: 1_234,
            total_duration: 74_040,
            satisfaction_sum: 9,
            satisfaction_count: 2,
            outcomes: vec![share("booked", 800), share("transferred", 400), share("unknown", 34)],
            languages: vec![share("fr-FR", 1_200), share("en-GB", 34)],
            contained: Part { calls: 800, of: 1_200 },
            abandoned: Part { calls: 0, of: 1_200 },
            repeated: Part { calls: 120, of: 1_000 },
            week,
            days: vec![day(6, 700, 5), day(7, 534, 4)],
            waits: vec![Latency {
                key: "all".to_owned(),
                stage: Stage::Felt,
                count: 7_000,
                p50_ms: 850,
                p95_ms: 1_600,
                p99_ms: 2_400,
            }],
            ..Analysis::default()
        };
        let before = Analysis {
            total_calls: 1_000,
            contained: Part { calls: 60, of: 100 },
            ..Analysis::default()
        };
        Report {
            of: Some("L'Île & <Fils>".to_owned()),
            month: "2026-11".parse().unwrap(),
            zone: TimeZone::get("Europe/Paris").unwrap(),
            language,
            now,
            before,
            topics: vec![share("<script>alert(1)</script>", 3)],
        }
    }

    #[test]
    fn a_french_report_tells_the_month() {
        let page = page(&november(ReportLanguage::French));
        for part in [
            "<html lang=\"fr\">",
            "Rapport d'appels, novembre 2026",
            "L&apos;Île &amp; &lt;Fils&gt;",
            "<b>1\u{202f}234</b><span>appels</span><small>+23\u{a0}% sur un mois</small>",
            "<b>67\u{a0}%</b><span>traités sans transfert</span><small class=\"up\">+7 points sur un mois</small>",
            "<b>12\u{a0}%</b><span>rappels sous sept jours</span>",
            "<b>4,5/5</b><span>de satisfaction, 2 avis</span>",
            "vendredi 6 novembre : 700 appels",
            "vendredi 19 h : 700 appels",
            "Réservation prise",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
            "Anglais (en-GB)",
            "en 0,8\u{a0}s au plus",
            "Europe/Paris",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
    }

    #[test]
    fn a_report_needs_nothing_else_and_stands_in_the_light_and_on_paper() {
        for language in [ReportLanguage::French, ReportLanguage::English] {
            let page = page(&november(language));
            for outside in ["http", "<script", "src=", "url(", "@import", "<link", "<img"] {
                assert!(!page.contains(outside), "{outside} in {page}");
            }
            for style in ["prefers-color-scheme: dark", "@media print", "max-width: 40rem"] {
                assert!(page.contains(style), "{style}");
            }
            // A tag for each tag: it is a tree, which XML's reader can tell but for the two without end.
            let tree =
                page.replace("<!DOCTYPE html>\n", "").replace("<meta charset=\"utf-8\">", "");
            let (head, rest) = tree.split_once("<meta name").unwrap();
            let tree = format!("{head}{}", rest.split_once('>').unwrap().1);
            let mut reader = quick_xml::Reader::from_str(&tree);
            while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
        }
    }

    #[test]
    fn a_month_without_calls_says_so() {
        let report = Report {
            now: Analysis::default(),
            topics: Vec::new(),
            ..november(ReportLanguage::English)
        };
        let page = page(&report);
        assert!(page.contains("No calls this month.") && !page.contains("<svg"), "{page}");
    }
}
