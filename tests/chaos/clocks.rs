//! A clock that jumps, backwards and forwards, while somebody is on the phone.

use std::{path::Path, time::Duration};

use crate::{
    chaos::{OnThePhone, assert_stored, busy, is_long, look_over, sized},
    support::daemon::{Daemon, hangs_up, sid, spoken},
};

pub(super) const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_harms_no_call() {
    if !Path::new(LIBRARY).exists() {
        eprintln!("passed over: faketime is not installed");
        return;
    }
    let webox = busy();
    let clock = webox.file("clock", "+0");
    let webox = webox
        .env("LD_PRELOAD", LIBRARY)
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        // Timers go by the clock that never jumps.
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let daemon = Daemon::start(&webox);
    let mut callers: Vec<OnThePhone> = (0..4).map(|n| OnThePhone::new(sid(n))).collect();
    let jumps = ["-1d", "+1d", "-1h", "+400d", "+0", "-10s", "+10s", "-30d"];
    let (rounds, mut said) = (sized(1, 5), 0);
    for round in 0..rounds {
        for jump in jumps {
            for caller in &mut callers {
                assert!(caller.go_on(&daemon).await, "round {round}, before {jump}");
                said += 1;
            }
            std::fs::write(&clock, jump).unwrap();
            for caller in &mut callers {
                let answer = caller.ask(&daemon, caller.turn).await.unwrap();
                assert!(!spoken(&answer).is_empty(), "round {round}, after {jump}");
                assert!(!hangs_up(&answer), "round {round}, after {jump}: {}", answer.body);
                assert!(caller.go_on(&daemon).await, "round {round}, after {jump}");
                said += 1;
            }
        }
    }
    if is_long() {
        // Time for what closes calls whose end was never told.
        std::fs::write(&clock, "+2d").unwrap();
        tokio::time::sleep(Duration::from_secs(65)).await;
        for caller in &mut callers {
            assert!(caller.go_on(&daemon).await, "two days later by the clock");
            said += 1;
        }
    }
    std::fs::write(&clock, "+0").unwrap();
    // Time for what forgets and sweeps.
    tokio::time::sleep(Duration::from_millis(700)).await;
    for caller in &mut callers {
        assert_eq!(daemon.hang_up(&caller.sid, 60).await.status, 204);
    }
    assert!(!daemon.log().iter().any(|line| line.contains("panicked")), "{:?}", daemon.log());
    drop(daemon);
    let (db, _folder) = look_over(&webox, &webox.db());
    assert_stored(&db, &callers);
    let negative: i64 = db
        .query_row("SELECT count(*) FROM calls WHERE duration_s < 0", [], |row| row.get(0))
        .unwrap();
    assert_eq!(negative, 0, "no call has a negative length");
    eprintln!(
        "clock: {} jumps, {said} turns, all stored; no call was ended for them",
        rounds * jumps.len()
    );
}
