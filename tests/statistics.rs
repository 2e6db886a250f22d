//! `webox stats` in depth and `webox report`, through the real program, on fixed days.

use jiff::{SignedDuration, Timestamp};
use webox::{
    domain::{CallOutcome, CallStatus, Rating},
    store::afterwards::{self, Looked},
};

use crate::support::{cmd::Webox, seed};

/// Three weeks of September 2026: in each of the first two four calls, five in the third.
fn september() -> Webox {
    let webox = Webox::with_le_gourmet();
    let store = seed::store(&webox);
    let first: Timestamp = "2026-09-01T10:00:00Z".parse().unwrap();
    let mut add = {
        let mut n = 100;
        move |hours: i64, status, outcome, topic: Option<&'static str>, score: Option<u8>| {
            n += 1;
            let at = first + SignedDuration::from_hours(hours);
            let id = seed::call_at(&store, n, at, status);
            store
                .write(move |tx| {
                    afterwards::settle(tx, id, outcome, "Bien.", Some(at))?;
                    let rating = score.map(|score| Rating { score, why: None });
                    let summary = topic.map(|topic| ("Bien.".to_owned(), Some(topic.to_owned())));
                    afterwards::summarise(tx, id, &Looked { summary, rating, extracted: None })?;
                    Ok(())
                })
                .unwrap();
        }
    };
    let completed = CallStatus::Completed;
    for week in [0, 7, 14] {
        let day = week * 24;
        add(day, completed, CallOutcome::Booked, Some("Réservation"), Some(5));
        add(day + 24, completed, CallOutcome::Transferred, Some("Allergies"), None);
        add(day + 72 + 8, completed, CallOutcome::Informed, Some("réservation"), Some(3));
        add(day + 96 + 9, CallStatus::NoAnswer, CallOutcome::Abandoned, None, None);
    }
    add(14 * 24 + 97, completed, CallOutcome::Booked, Some("Réservation"), Some(4));
    webox
}

const WEEK: [&str; 4] = ["--since", "2026-09-14", "--until", "2026-09-21"];

#[test]
fn a_week_is_shown_beside_the_one_before() {
    let webox = september();
    let args = ["stats", "--compare", "previous", "-o", "table"];
    let shown = webox.run(args.into_iter().chain(WEEK)).ok().stdout;
    insta::assert_snapshot!(shown);
    let json = webox
        .run(["stats", "--compare", "previous", "-o", "json"].into_iter().chain(WEEK))
        .ok()
        .json();
    assert_eq!(json["stats"]["total_calls"], 5);
    assert_eq!(json["previous"]["stats"]["total_calls"], 4);
    // Local midnights of Paris.
    assert_eq!(json["previous"]["since"], "2026-09-06T22:00:00Z");
    assert_eq!(json["previous"]["until"], "2026-09-13T22:00:00Z");
    let analysis = &json["analysis"];
    assert_eq!(analysis["contained"], serde_json::json!({ "calls": 3, "of": 4 }));
    assert_eq!(analysis["abandoned"], serde_json::json!({ "calls": 1, "of": 5 }));
    // Everybody is the same caller, who called in the week before as well.
    assert_eq!(analysis["repeated"], serde_json::json!({ "calls": 5, "of": 5 }));
    // Tuesday the 15th, twelve o'clock in Paris.
    assert_eq!(analysis["week"][1][12], 1);
    assert_eq!(analysis["days"].as_array().unwrap().len(), 4);
    let utc = webox.run(["stats", "--utc", "-o", "json"].into_iter().chain(WEEK)).ok().json();
    assert_eq!(utc["analysis"]["week"][1][10], 1);
    assert!(utc.get("previous").is_none());
}

#[test]
fn figures_are_for_scripts_too() {
    let webox = september();
    let args = ["stats", "--compare", "previous", "-o", "csv"];
    let csv = webox.run(args.into_iter().chain(WEEK)).ok().stdout;
    assert!(csv.starts_with("figure,value,previous\n"), "{csv}");
    for line in ["total_calls,5,4", "outcome_booked,2,1", "contained_of,4,3", "repeated_calls,5,4"]
    {
        assert!(csv.lines().any(|found| found == line), "{line} in {csv}");
    }
    webox.run(["stats", "--compare", "previous"]).code(64).says("--since 30d");
    webox.run(["stats", "--compare", "previous", "--since", "1d", "--by", "day"]).code(64);
}

#[test]
fn calls_are_grouped_by_clock_week_language_and_topic() {
    let webox = september();
    let by = |group: &str| {
        let json = webox.run(["stats", "--by", group, "-o", "json"]).ok().json();
        assert_eq!(json["by"], group);
        json["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let key = row[group].as_str().unwrap().to_owned();
                (key, row["total_calls"].as_u64().unwrap())
            })
            .collect::<Vec<_>>()
    };
    let hours = by("hour");
    assert_eq!(hours.len(), 24);
    assert_eq!(hours[12], ("12".to_owned(), 6));
    assert_eq!(hours[20], ("20".to_owned(), 3));
    let week = by("weekday");
    assert_eq!(week[1], ("tuesday".to_owned(), 3));
    assert_eq!(week[5], ("saturday".to_owned(), 4));
    assert_eq!(by("language"), [("fr-FR".to_owned(), 13)]);
    // The same word in other letters is one topic.
    assert_eq!(by("topic"), [("Réservation".to_owned(), 7), ("Allergies".to_owned(), 3)]);
    assert_eq!(
        by("outcome"),
        [("booked", 4), ("abandoned", 3), ("informed", 3), ("transferred", 3)]
            .map(|(key, calls)| (key.to_owned(), calls))
    );
    let rows = webox.run(["stats", "--by", "day", "-o", "ids"]).ok().stdout;
    assert_eq!(rows.lines().count(), 12);
}

#[test]
fn pictures_are_drawn_in_ascii_where_unicode_is_not_read() {
    let webox = september().env("LC_ALL", "C");
    let args = ["stats", "-o", "table", "--color", "always"];
    let shown = webox.run(args.into_iter().chain(WEEK)).ok().stdout;
    let (_, week) = shown.split_once("when calls come").unwrap();
    assert!(week.is_ascii() && week.contains("\u{1b}[32m"), "{week}");
    let webox = september().env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1");
    let shown = webox.run(["stats", "-o", "table"].into_iter().chain(WEEK)).ok().stdout;
    assert!(!shown.contains('\u{1b}') && shown.contains('█'), "{shown}");
}

#[test]
fn a_month_is_a_page_for_the_clients_inbox() {
    let webox = september();
    let path = webox.home().join("septembre.html");
    let path = path.to_str().unwrap();
    webox
        .run(["report", "--month", "2026-09", "--client", "restaurant le gourmet", "--out", path])
        .ok()
        .silent()
        .says("2026-09 is in");
    let page = std::fs::read_to_string(path).unwrap();
    for part in [
        "<html lang=\"fr\">",
        "<h1>Restaurant Le Gourmet</h1>",
        "septembre 2026",
        "<b>13</b><span>appels</span>",
        "mardi 1er septembre : 1 appel",
        "<th>Réservation</th>",
        "Europe/Paris",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("EUR") && !page.contains('€'), "what it cost is the agency's affair");
    let args = ["report", "--month", "2026-09", "--assistant", "le-gourmet", "--lang", "en"];
    let english = webox.run(args).ok().stdout;
    for part in ["Report on calls, September 2026", "Tuesday 1 September: 1 call", "Booked"] {
        assert!(english.contains(part), "{part} in {english}");
    }
    let empty = webox.run(["report", "--month", "2026-08"]).ok().stdout;
    assert!(empty.contains("Aucun appel ce mois-ci."), "{empty}");
    let client = ["report", "--month", "2026-09", "--client", "Le Gourmand"];
    webox
        .run(client)
        .code(1)
        .says("no client is named `Le Gourmand`")
        .says("Restaurant Le Gourmet");
    webox.run(["report", "--month", "2026-13"]).code(64);
    let nowhere = ["report", "--month", "2026-09", "--out", "/nowhere/x.html"];
    webox.run(nowhere).code(1).says("/nowhere/x.html cannot be written");
}

#[test]
fn who_is_forgotten_stays_a_figure_and_no_word() {
    let webox = september();
    let before = webox.run(["stats", "-o", "json"].into_iter().chain(WEEK)).ok().stdout;
    webox.run(["privacy", "erase", "--caller", "+33612345678", "--yes"]).ok();
    let after = webox.run(["stats", "-o", "json"].into_iter().chain(WEEK)).ok().stdout;
    assert_eq!(after, before);
    let topics = webox.run(["stats", "--by", "topic", "-o", "ids"]).ok().stdout;
    assert_eq!(topics, "");
    let page = webox.run(["report", "--month", "2026-09"]).ok().stdout;
    assert!(page.contains("<b>13</b>") && !page.contains("Réservation</th>"), "{page}");
}
