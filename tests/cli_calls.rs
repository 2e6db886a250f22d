//! `webox calls` and `webox stats`, through the real program.

use std::io::{BufRead, BufReader};

use jiff::{SignedDuration, Timestamp};
use webox::domain::CallStatus;

use crate::support::{cmd::Webox, pty::OnTerminal, seed};

fn three_calls() -> Webox {
    let webox = Webox::with_le_gourmet();
    seed::call(&webox, 1, 30, CallStatus::Completed);
    seed::call(&webox, 2, 3 * 24 * 60, CallStatus::Failed);
    seed::call(&webox, 13, 5, CallStatus::InProgress);
    webox
}

fn ids(webox: &Webox, args: &[&str]) -> Vec<String> {
    let all = ["calls", "-o", "ids"].iter().chain(args).copied();
    webox.run(all).ok().stdout.lines().map(str::to_owned).collect()
}

#[test]
fn newest_first_and_filtered() {
    let webox = three_calls();
    let [one, two, live] = [1, 2, 13].map(seed::sid);
    assert_eq!(ids(&webox, &[]), [live.clone(), one.clone(), two.clone()]);
    assert_eq!(ids(&webox, &["--since", "2h"]), [live.clone(), one.clone()]);
    assert_eq!(ids(&webox, &["--since", "-10m"]), std::slice::from_ref(&live));
    assert_eq!(ids(&webox, &["--until", "2d"]), std::slice::from_ref(&two));
    assert_eq!(ids(&webox, &["--status", "failed"]), std::slice::from_ref(&two));
    assert_eq!(ids(&webox, &["--from", "06 12 34 56 78"]), [one.clone(), two.clone()]);
    assert_eq!(ids(&webox, &["--assistant", "le-gourmet", "--limit", "1"]), [live]);
    assert_eq!(ids(&webox, &["--offset", "1", "--limit", "1"]), [one]);
    webox.run(["calls", "--since", "1h", "--until", "2h"]).code(65).says("not before --until");
    webox.run(["calls", "--since", "1M"]).code(65).says("months and years vary");
}

#[test]
fn flags_of_the_list_do_not_go_to_another_verb() {
    let webox = three_calls();
    webox.run(["calls", "--since", "2h", "show", "CA0000"]).code(64).says("calls list");
}

#[test]
fn a_call_turn_by_turn() {
    let webox = Webox::with_le_gourmet();
    let store = seed::store(&webox);
    let at: Timestamp = "2026-11-23T17:00:00Z".parse().unwrap();
    let call = seed::call_at(&store, 7, at, CallStatus::Completed);
    let later = at + SignedDuration::from_secs(8);
    seed::turn(&store, call, 1, later, "Une table pour 4 ce soir", "À quelle heure ?");
    insta::assert_snapshot!(webox.run(["calls", "show", "CA0000", "-o", "table"]).ok().stdout);
    let tsv = webox.run(["calls", "show", &seed::sid(7)]).ok().stdout;
    assert_eq!(
        tsv,
        "1\t2026-11-23T17:00:08Z\tUne table pour 4 ce soir\tÀ quelle heure ?\topenai/gpt-test\t210\t1240\tcheck_availability\tlisten\t\n"
    );
    insta::assert_snapshot!(webox.run(["calls", "show", &seed::sid(7), "-o", "json"]).ok().stdout);
}

#[test]
fn a_beginning_names_a_call_only_when_it_is_the_only_one() {
    let webox = three_calls();
    webox.run(["calls", "show", "CA00000001"]).ok();
    webox.run(["calls", "show", "CA0000000"]).code(65).says("several calls");
    webox.run(["calls", "show", "CAffff"]).code(1).says("no call");
    webox.run(["calls", "show", "C"]).code(65).says("too short");
}

#[test]
fn follow_prints_calls_as_they_come() {
    let webox = three_calls();
    let mut child = webox.command(["calls", "--follow", "--status", "completed"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains(&seed::sid(1)), "{first}");
    seed::call(&webox, 21, 0, CallStatus::Failed);
    seed::call(&webox, 22, 0, CallStatus::Completed);
    let next = lines.next().unwrap().unwrap();
    assert!(next.contains(&seed::sid(22)), "{next}");
    child.kill().unwrap();
    child.wait().unwrap();
    webox.run(["calls", "--follow", "-o", "json"]).code(64).says("jsonl");
}

#[test]
fn the_window_is_told_on_a_terminal() {
    let webox = three_calls();
    let (_, shown) = OnTerminal::start(&webox, ["calls", "--since", "2026-01-02"]).end();
    assert!(shown.contains("3 calls since 2026-01-02 00:00 CET."), "{shown}");
}

#[test]
fn stats_for_people_and_for_scripts() {
    let webox = three_calls();
    let table = webox.run(["stats", "--by", "status", "-o", "table"]).ok().stdout;
    let drawn = ["calls ", "call again "];
    let steady: Vec<&str> =
        table.lines().filter(|line| !drawn.iter().any(|name| line.starts_with(name))).collect();
    // What has to do with the clock is looked at elsewhere, on fixed days.
    insta::assert_snapshot!(steady.join("\n"));
    let json = webox.run(["stats", "-o", "json"]).ok().json();
    assert_eq!(json["stats"]["total_calls"], 3);
    assert_eq!(json["stats"]["total_duration"], 150);
    assert_eq!(json["stats"]["active_assistants"], 1);
    let since = webox.run(["stats", "--since", "2h", "-o", "json"]).ok().json();
    assert_eq!(since["stats"]["total_calls"], 2);
    let by = webox.run(["stats", "--by", "assistant"]).ok().stdout;
    assert!(by.starts_with("le-gourmet\t3\t150\t"), "{by}");
    assert_eq!(webox.run(["stats", "--by", "status"]).ok().stdout.lines().count(), 3);
    // As many days as the calls have in Paris: just after midnight that is one more.
    let calls = webox.run(["calls", "-o", "json"]).ok().json();
    let days: std::collections::BTreeSet<String> = calls["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| {
            let at: jiff::Timestamp = call["started_at"].as_str().unwrap().parse().unwrap();
            at.in_tz("Europe/Paris").unwrap().date().to_string()
        })
        .collect();
    let by_day = webox.run(["stats", "--by", "day", "-o", "ids"]).ok().stdout;
    assert_eq!(by_day.lines().count(), days.len(), "{by_day}");
}
