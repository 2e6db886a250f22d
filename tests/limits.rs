//! How often calls may ring, and for how long a day an assistant may talk.

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    daemon::{Daemon, sid, spoken},
    seed,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_number_and_an_account_ring_no_oftener_than_is_set() {
    let webox = Webox::with_le_gourmet();
    webox.file(
        "config/webox/webox.toml",
        "[limits]\ncalls_to_a_number = 3\ncalls_of_an_account = 5\n",
    );
    let daemon = Daemon::start(&webox);
    let busy = async |n: u32, to: &str| {
        let caller = format!("+336000000{n:02}");
        let answer = daemon.post_from(&caller, to, "incoming", &sid(n), &[]).await;
        assert_eq!(answer.status, 200);
        answer.body.contains("très sollicitées")
    };
    for n in 1..=6 {
        assert_eq!(busy(n, "+33123456789").await, n > 3, "call {n}");
    }
    // Calls to others count for the account alone: three of five are used up.
    for n in 7..=10 {
        assert_eq!(busy(n, &format!("+3314000000{n:02}")).await, n > 8, "call {n}");
    }
    let calls = webox.run(["calls", "-o", "ids"]).ok().stdout;
    assert_eq!(calls.lines().count(), 3, "what is too much is not stored: {calls}");
}

#[test]
fn the_minutes_of_the_day_count_calls_that_go_on() {
    let webox = Webox::with_le_gourmet();
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let limits = "[limits]\nmax_daily_minutes = 10\nmax_call_duration = \"1h\"";
    let text = if text.contains("[limits]") {
        text.replace("[limits]", limits)
    } else {
        format!("{text}\n{limits}\n")
    };
    let file = webox.file("le-gourmet.toml", &text);
    webox.run(["apply", "--yes", &file]).ok();
    // Midnight where the number is, so that both calls are of today.
    let now = jiff::Timestamp::now();
    let zone = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    let midnight = now.to_zoned_datetime(zone).start_of_day().unwrap().timestamp();
    let since = now.duration_since(midnight);
    let long = since.min(jiff::SignedDuration::from_mins(20));
    let daemon = Daemon::start(&webox);
    let yesterday = midnight - jiff::SignedDuration::from_mins(30);
    seed::call_at(&seed::store(&webox), 50, yesterday, webox::domain::CallStatus::Completed);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert!(spoken(&runtime.block_on(daemon.ring(&sid(1)))).contains("Gourmet"));
    if long < jiff::SignedDuration::from_mins(11) {
        eprintln!("passed over: the day is too young here");
        return;
    }
    seed::call_at(&seed::store(&webox), 51, now - long, webox::domain::CallStatus::InProgress);
    let answer = runtime.block_on(daemon.ring(&sid(2)));
    assert!(answer.body.contains("<Hangup"), "{}", answer.body);
    let shown = webox.run(["calls", "show", sid(2).as_str(), "-o", "json"]).ok().json();
    assert_eq!(shown["call"]["end_reason"], "daily-limit");
}
