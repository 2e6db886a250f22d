//! Ten times as many callers as there is room for, and more rings than the machine can take.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    chaos::{WORDS, assert_stored, busy, look_over, sized},
    support::{
        cmd::{Webox, le_gourmet_always_open},
        daemon::{Daemon, sid, spoken, verbs},
    },
};
use webox::{domain::CallSid, twilio::reader::Verb};

use super::{OnThePhone, soak::own_kib};

/// What became of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    Answered,
    /// Told that all lines are busy, or put through to a human.
    TurnedDown,
}

struct Told {
    became: Became,
    took: Vec<Duration>,
}

fn quantile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    times.get((times.len() as f64 * share) as usize).or(times.last()).copied().unwrap_or_default()
}

/// A caller who rings, says a few things where it is answered, and hangs up.
async fn talk(daemon: &Daemon, sid: CallSid, from: &str, turns: u32) -> Told {
    let mut took = Vec::new();
    let begun = Instant::now();
    let answer = daemon
        .post_from(from, "+33123456789", "incoming", &sid, &[("CallStatus", "ringing")])
        .await;
    took.push(begun.elapsed());
    let said = spoken(&answer);
    let listens = verbs(&answer).iter().any(|verb| matches!(verb, Verb::Gather { .. }));
    if !listens {
        let goes_on = verbs(&answer)
            .iter()
            .any(|verb| matches!(verb, Verb::Dial { .. } | Verb::Hangup | Verb::Reject));
        assert!(!said.is_empty() && goes_on, "{}: {}", sid, answer.body);
        return Told { became: Became::TurnedDown, took };
    }
    for turn in 1..=turns {
        let words = WORDS[turn as usize % WORDS.len()];
        let route = format!("process?call_sid={sid}&turn={turn}");
        let heard = [("SpeechResult", words), ("Confidence", "0.9")];
        let begun = Instant::now();
        let answer = daemon.post_from(from, "+33123456789", &route, &sid, &heard).await;
        took.push(begun.elapsed());
        assert!(!spoken(&answer).is_empty(), "{sid}, turn {turn}: {}", answer.body);
    }
    Told { became: Became::Answered, took }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_times_as_many_callers_as_there_is_room_for_are_told_and_nobody_waits() {
    let (room, turns) = sized((8_u32, 3_u32), (50, 10));
    let webox = Webox::new();
    let text = le_gourmet_always_open();
    let limits = format!("[limits]\nmax_concurrent_calls = {room}\nmax_calls_per_caller = 1000\n");
    let file = webox.file("le-gourmet.toml", &format!("{text}\n{limits}"));
    webox.run(["apply", "--yes", &file]).ok();
    let daemon = Daemon::start(&webox);
    let calls = (0..room * 10).map(|n| {
        let daemon = &daemon;
        async move { talk(daemon, sid(n), &format!("+3361{n:07}"), turns).await }
    });
    let told = futures_util::future::join_all(calls).await;
    let answered = told.iter().filter(|one| one.became == Became::Answered).count();
    assert_eq!(answered, room as usize, "as many as there is room for, and no more");
    let of = |became: Became| -> Vec<Duration> {
        told.iter().filter(|one| one.became == became).flat_map(|one| one.took.clone()).collect()
    };
    let (mut accepted, mut others) = (of(Became::Answered), of(Became::TurnedDown));
    let p99 = quantile(&mut accepted, 0.99);
    let turned_down = quantile(&mut others, 1.0);
    assert!(p99 < Duration::from_secs(sized(10, 2)), "{p99:?}");
    assert!(turned_down < Duration::from_secs(10), "{turned_down:?}");
    // Room again: the next one is answered.
    for n in 0..room * 10 {
        daemon.hang_up(&sid(n), 60).await;
    }
    let next = talk(&daemon, sid(9_999), "+33610000000", 1).await;
    assert_eq!(next.became, Became::Answered);
    eprintln!(
        "ten times too many calls: room for {room}, {} rang, {answered} answered with p99 {} ms, the others \
         told within {} ms",
        room * 10,
        p99.as_millis(),
        turned_down.as_millis()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rings_at_once_than_the_machine_can_take_are_all_heard_and_calls_go_on() {
    let rings = sized(300_u32, 4_000);
    let webox = busy();
    let daemon = Arc::new(Daemon::start(&webox));
    let mut callers: Vec<OnThePhone> = (0..10).map(|n| OnThePhone::new(sid(n))).collect();
    for caller in &mut callers {
        assert!(caller.go_on(&daemon).await);
    }
    let before = own_kib(daemon.pid());
    let flood: Vec<_> = (0..rings)
        .map(|n| {
            let daemon = Arc::clone(&daemon);
            tokio::spawn(async move {
                let (sid, from) = (sid(1_000 + n), format!("+3362{n:07}"));
                let route = "incoming";
                let ringing = [("CallStatus", "ringing")];
                let answer = daemon.post_from(&from, "+33123456789", route, &sid, &ringing).await;
                assert!(!spoken(&answer).is_empty(), "ring {n}: {}", answer.body);
            })
        })
        .collect();
    // Whoever talks already is answered meanwhile.
    let mut took = Vec::new();
    let flooded = async {
        for ring in flood {
            ring.await.unwrap();
        }
    };
    let talking = async {
        for _ in 0..sized(2, 5) {
            for caller in &mut callers {
                let begun = Instant::now();
                assert!(caller.go_on(&daemon).await, "{} goes on", caller.sid);
                took.push(begun.elapsed());
            }
        }
    };
    let begun = Instant::now();
    tokio::join!(flooded, talking);
    let all = begun.elapsed();
    let p99 = quantile(&mut took, 0.99);
    assert!(p99 < Duration::from_secs(10), "{p99:?}");
    let more = own_kib(daemon.pid()).saturating_sub(before);
    // Each is a call in progress by then, of some 40 KiB (`docs/performance.md`), beside what answering so many
    // at the same time needs.
    let most = 64 * 1_024 + u64::from(rings) * 40;
    assert!(more < most, "{more} KiB more, of {most}");
    assert!(!daemon.log().iter().any(|line| line.contains("panicked")), "{:?}", daemon.log());
    drop(daemon);
    let (db, _folder) = look_over(&webox, &webox.db());
    assert_stored(&db, &callers);
    eprintln!(
        "{rings} rings in one instant: all heard something within {} ms, calls in progress meanwhile p99 {} ms, \
         {more} KiB more memory",
        all.as_millis(),
        p99.as_millis()
    );
}
