//! Callers who are turned down: by number, without one, with somebody else's, or too often a day.

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    daemon::{CALLER, Daemon, NUMBER, sid, spoken},
};

fn le_gourmet(screening: &str) -> Webox {
    let webox = Webox::new();
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let file = webox.file("le-gourmet.toml", &format!("{text}\n[screening]\n{screening}\n"));
    webox.run(["apply", "--yes", &file]).ok();
    webox
}

fn reason(webox: &Webox, n: u32) -> String {
    let shown = webox.run(["calls", "show", sid(n).as_str(), "-o", "json"]).ok().json();
    assert_eq!(shown["call"]["status"], "rejected");
    shown["call"]["end_reason"].as_str().unwrap().to_owned()
}

const REJECTED: &str = "<Response><Reject reason=\"rejected\"></Reject></Response>";

#[tokio::test]
async fn numbers_that_are_blocked_cost_nothing() {
    let webox = le_gourmet("block = [\"+33 8 99*\", \"+33612345678\"]");
    let daemon = Daemon::start(&webox);
    for (n, from) in [(1, CALLER), (2, "+33899123456")] {
        let answer = daemon.post_from(from, NUMBER, "incoming", &sid(n), &[]).await;
        assert!(answer.body.ends_with(REJECTED), "{}", answer.body);
        assert_eq!(reason(&webox, n), "blocked");
        // Announced again, it is turned down again; and nothing can be said in it.
        let again = daemon.post_from(from, NUMBER, "incoming", &sid(n), &[]).await;
        assert_eq!(again.body, answer.body);
        let route = format!("process?call_sid={}&turn=1", sid(n));
        let heard = [("SpeechResult", "Bonjour")];
        let said = daemon.post_from(from, NUMBER, &route, &sid(n), &heard).await;
        assert_eq!(spoken(&said), "");
    }
    let other = daemon.post_from("+33612345679", NUMBER, "incoming", &sid(3), &[]).await;
    assert!(spoken(&other).contains("Le Gourmet"), "{}", other.body);
    let shown = webox.run(["calls", "show", sid(1).as_str(), "-o", "table"]).ok();
    shown.prints("the number is blocked");
}

#[tokio::test]
async fn whoever_shows_no_number_is_told_to() {
    let webox = le_gourmet("anonymous = \"refuse\"");
    let daemon = Daemon::start(&webox);
    for (n, from) in [(1, "anonymous"), (2, "+266696687"), (3, "")] {
        let answer = daemon.post_from(from, NUMBER, "incoming", &sid(n), &[]).await;
        assert!(spoken(&answer).contains("numéro est masqué"), "{from}: {}", answer.body);
        assert_eq!(reason(&webox, n), "anonymous");
    }
}

#[tokio::test]
async fn a_number_that_is_not_the_callers_is_refused_where_the_file_says_so() {
    let webox = le_gourmet("spoofed = \"refuse\"");
    let daemon = Daemon::start(&webox);
    for (n, verdict, refused) in [
        (1, "TN-Validation-Failed-A", true),
        (2, "TN-Validation-Passed-A", false),
        (3, "No-TN-Validation", false),
    ] {
        let verdict = [("StirVerstat", verdict)];
        let answer = daemon.post_from(CALLER, NUMBER, "incoming", &sid(n), &verdict).await;
        assert_eq!(answer.body.ends_with(REJECTED), refused, "{}", answer.body);
    }
    assert_eq!(reason(&webox, 1), "spoofed");
}

#[tokio::test]
async fn one_number_has_so_many_calls_a_day() {
    let webox = le_gourmet("max_calls_per_day = 2");
    let daemon = Daemon::start(&webox);
    for n in 1..=4 {
        let answer = daemon.post_from(CALLER, NUMBER, "incoming", &sid(n), &[]).await;
        assert_eq!(answer.body.contains("<Reject reason=\"busy\">"), n > 2, "{}", answer.body);
    }
    assert_eq!(reason(&webox, 3), "caller-limit");
    // Withheld numbers are many people.
    for n in 5..=7 {
        let answer = daemon.post_from("anonymous", NUMBER, "incoming", &sid(n), &[]).await;
        assert!(spoken(&answer).contains("Le Gourmet"), "{}", answer.body);
    }
}

#[test]
fn wrong_entries_are_told_with_their_place_and_an_agency_has_one_list_for_all() {
    let webox = Webox::new();
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let wrong = format!("{text}\n[screening]\nblock = [\"+33*\"]\n");
    let file = webox.file("le-gourmet.toml", &wrong);
    let refused = webox.run(["validate", &file]).code(65);
    assert!(refused.stderr.contains("is no beginning of numbers"), "{}", refused.stderr);
    assert!(refused.stderr.contains("le-gourmet.toml:"), "{}", refused.stderr);
    let settings = webox.file("webox.toml", "[defaults.screening]\nblock = [\"+33899*\"]\n");
    let file = webox.file("le-gourmet.toml", &text);
    webox.run(["apply", "--yes", &file, "--config", &settings]).ok();
    let shown = webox.run(["assistants", "show", "le-gourmet", "-o", "json"]).ok();
    assert!(shown.stdout.contains("+33899*"), "{}", shown.stdout);
}
