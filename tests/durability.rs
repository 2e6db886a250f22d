//! Nothing acknowledged is lost, and the caller always hears something.

use std::time::{Duration, Instant};

use webox::{
    domain::{CallStatus, EndReason},
    operations::{calls, live::sweep},
    store::calls::LiveCall,
    twilio::reader::Verb,
};

use crate::support::{
    cmd::Webox,
    daemon::{Daemon, hangs_up, sid, spoken, verbs},
    seed,
};

#[tokio::test]
async fn a_killed_daemon_goes_on_where_it_was() {
    let webox = Webox::with_le_gourmet_always_open();
    let mut daemon = Daemon::start(&webox);
    // Ten tables for four: as many as there are places.
    let calls_at_once = 10;
    for n in 0..calls_at_once {
        daemon.ring(&sid(n)).await;
    }
    // Every round: some words, and a kill in the middle of somebody else's.
    let script = ["Une table pour quatre", "demain", "à vingt heures", "Dupont"];
    let mut acknowledged = Vec::new();
    for (turn, words) in (1u32..).zip(script) {
        {
            let daemon = &daemon;
            let said = (0..calls_at_once).map(|n| async move {
                let answer = daemon.say(&sid(n), turn, words).await;
                (n, answer.body)
            });
            for (n, body) in futures_util::future::join_all(said).await {
                acknowledged.push((n, turn, body));
            }
        }
        daemon.kill();
        daemon = Daemon::start(&webox);
    }
    for (n, turn, body) in &acknowledged {
        assert_eq!(daemon.say(&sid(*n), *turn, "?").await.body, *body, "call {n}, turn {turn}");
        assert_eq!(body.matches("Que puis-je faire").count(), 0, "no second greeting");
    }
    let store = seed::store(&webox);
    for n in 0..calls_at_once {
        let (call, turns) =
            calls::show(&store, &webox::domain::Actor::webox("test"), &sid(n)).unwrap();
        assert_eq!(turns.len(), script.len() + 1);
        let booked = webox::operations::bookings::of_call(&store, call.id).unwrap();
        assert_eq!(booked.len(), 1, "call {n}: {:?}", turns.last().unwrap().said);
    }
    let check = rusqlite::Connection::open(webox.db()).unwrap();
    let verdict: String = check.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[tokio::test]
async fn a_turn_that_was_heard_before_the_kill_is_answered_after_it() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    daemon.kill();
    // What a daemon leaves behind when it dies between hearing and answering.
    rusqlite::Connection::open(webox.db())
        .unwrap()
        .execute(
            "INSERT INTO turns (call_id, number, heard_kind, heard, heard_at, language)
             SELECT id, 1, 'speech', 'Avez-vous un parking ?', started_at, 'fr-FR' FROM calls",
            [],
        )
        .unwrap();
    let daemon = Daemon::start(&webox);
    let answer = daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    assert!(spoken(&answer).contains("parking"));
    assert!(!hangs_up(&daemon.say(&sid(1), 2, "Et une terrasse ?").await));
}

#[tokio::test]
async fn sigterm_ends_in_good_order() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    assert_eq!(daemon.terminate(), Some(0));
    let (_, turns) =
        calls::show(&seed::store(&webox), &webox::domain::Actor::webox("test"), &sid(1)).unwrap();
    assert!(turns[0].said.is_some());
}

#[tokio::test]
async fn a_locked_store_keeps_nobody_waiting() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let other = rusqlite::Connection::open(webox.db()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    let (one, two) = (sid(1), sid(2));
    let (heard, rings) =
        tokio::join!(daemon.say(&one, 1, "Avez-vous un parking ?"), daemon.ring(&two));
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    for answer in [&heard, &rings] {
        assert!(!spoken(answer).is_empty());
        assert!(matches!(verbs(answer).last(), Some(Verb::Redirect(_))), "{}", answer.body);
    }
    let url = format!("http://{}/readyz", daemon.address);
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 503);
    other.execute_batch("COMMIT").unwrap();
    // Twilio follows the redirect: the same words, and nothing is lost or doubled.
    let Some(Verb::Redirect(back)) = verbs(&heard).pop() else { unreachable!() };
    let route = back.split("/webhook/").nth(1).unwrap();
    let answer = daemon.post(route, &sid(1), &[("SpeechResult", "Avez-vous un parking ?")]).await;
    assert!(spoken(&answer).contains("parking"), "{}", answer.body);
    let Some(Verb::Redirect(back)) = verbs(&rings).pop() else { unreachable!() };
    let route = back.split("/webhook/").nth(1).unwrap();
    assert!(spoken(&daemon.post(route, &sid(2), &[]).await).contains("Le Gourmet"));
    let (_, turns) =
        calls::show(&seed::store(&webox), &webox::domain::Actor::webox("test"), &sid(1)).unwrap();
    assert_eq!(turns.len(), 2);
    let deadline = Instant::now() + Duration::from_secs(10);
    while reqwest::get(&url).await.unwrap().status() != 200 {
        assert!(Instant::now() < deadline, "it is ready again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_full_disk_is_survived() {
    let webox = Webox::new();
    let disk = webox.home().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
        .arg(&disk)
        .output();
    if !mount.is_ok_and(|done| done.status.success()) {
        eprintln!("passed over: no small disk can be mounted here");
        return;
    }
    let _unmount = Unmount(disk.clone());
    let webox = webox.env("WEBOX_DB", disk.join("webox.db").to_str().unwrap());
    webox.run(["apply", "--yes", crate::support::cmd::LE_GOURMET]).ok();
    let daemon = Daemon::start(&webox);
    let acknowledged = daemon.ring(&sid(1)).await;
    let ballast = disk.join("ballast");
    // Until nothing more fits.
    let mut size = 16_000_000;
    while size > 0 && std::fs::write(&ballast, vec![0; size]).is_err() {
        let written = std::fs::metadata(&ballast).map_or(0, |meta| meta.len());
        if written > 0 {
            break;
        }
        size /= 2;
    }
    let url = format!("http://{}/readyz", daemon.address);
    let mut n = 100;
    while reqwest::get(&url).await.unwrap().status() == 200 && n < 1_000 {
        let answer = daemon.ring(&sid(n)).await;
        assert!(!spoken(&answer).is_empty(), "always something to hear");
        n += 1;
    }
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 503, "not ready on a full disk");
    let answer = daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    assert!(!spoken(&answer).is_empty());
    assert_eq!(daemon.ring(&sid(1)).await.status, 200);
    let line = daemon.logged("\"not ready\"");
    assert!(line.contains("disk/webox.db") && line.contains("free_bytes"), "{line}");
    // A command that cannot write says so, and to scripts as well.
    let ran = webox.run(["assistants", "disable", "le-gourmet"]);
    assert!(ran.code != 0 && ran.stderr.contains("error:"), "{}: {}", ran.code, ran.stderr);
    std::fs::remove_file(&ballast).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while reqwest::get(&url).await.unwrap().status() != 200 {
        assert!(Instant::now() < deadline, "heals without a restart");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(daemon.ring(&sid(1)).await.body, acknowledged.body, "nothing acknowledged is lost");
    assert!(spoken(&daemon.say(&sid(1), 1, "Avez-vous un parking ?").await).contains("parking"));
}

struct Unmount(std::path::PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        // Lazily: the daemon may still hold it.
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test]
async fn many_hands_write_one_file() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..12)
            .map(|n| {
                let verb = if n % 2 == 0 { "disable" } else { "enable" };
                let mut command = webox.command(["assistants", verb, "le-gourmet"]);
                scope.spawn(move || command.output().unwrap())
            })
            .collect();
        for writer in writers {
            let done = writer.join().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
    });
    webox.run(["assistants", "enable", "le-gourmet"]).ok();
    assert!(!hangs_up(&daemon.ring(&sid(1)).await));
}

#[test]
fn a_command_that_waits_too_long_says_who_is_in_the_way() {
    let webox = Webox::with_le_gourmet();
    let other = rusqlite::Connection::open(webox.db()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting = webox.run(["assistants", "disable", "le-gourmet"]);
    waiting.code(75).silent().says("hint:").says("another process");
    // Reading waits for nobody.
    webox.run(["assistants", "-o", "ids"]).ok().prints("le-gourmet");
    other.execute_batch("COMMIT").unwrap();
    webox.run(["assistants", "disable", "le-gourmet"]).ok();
}

#[test]
fn a_file_that_is_not_ours_is_left_as_it_is() {
    let newer = {
        let webox = Webox::with_le_gourmet();
        let db = rusqlite::Connection::open(webox.db()).unwrap();
        db.execute_batch("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE);").unwrap();
        drop(db);
        std::fs::read(webox.db()).unwrap()
    };
    let truncated = newer[..newer.len() / 3].to_vec();
    for (what, bytes, part) in [
        ("newer", newer, "newer webox"),
        ("truncated", truncated, ""),
        (
            "a letter",
            b"Dear Sir or Madam, this is no database at all, but a letter.".repeat(20),
            "not a database",
        ),
    ] {
        let webox = Webox::new();
        let path = webox.home().join("other.db");
        std::fs::write(&path, &bytes).unwrap();
        let ran = webox.run(["--db", path.to_str().unwrap(), "calls"]);
        assert_ne!(ran.code, 0, "{what}");
        assert!(
            ran.stderr.contains("error:") && ran.stderr.contains(part),
            "{what}: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("panicked"), "{what}");
        assert_eq!(
            std::fs::read(&path).unwrap(),
            bytes,
            "{what}: the file is byte for byte the same"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_end_is_never_announced_is_closed() {
    let webox = Webox::with_le_gourmet();
    let store = seed::store(&webox);
    let seven = seed::sid(7).parse().unwrap();
    tokio::task::block_in_place(|| seed::call(&webox, 7, 30, CallStatus::InProgress));
    let now = jiff::Timestamp::now();
    let lasted = move |seconds: i64| move |_: &LiveCall| jiff::SignedDuration::from_secs(seconds);
    // The time of day has jumped: the call has not lasted for half an hour.
    assert_eq!(sweep(&store, now, lasted(120)).await.unwrap(), 0);
    let swept = sweep(&store, now, lasted(30 * 60)).await.unwrap();
    assert_eq!(swept, 1);
    let (call, _) = calls::show(&store, &webox::domain::Actor::webox("test"), &seven).unwrap();
    assert_eq!((call.status, call.end_reason), (CallStatus::Completed, Some(EndReason::Swept)));
    // A late callback still corrects it.
    drop(store);
    let daemon = Daemon::start(&webox);
    daemon.hang_up(&seven, 61).await;
    let (call, _) =
        calls::show(&seed::store(&webox), &webox::domain::Actor::webox("test"), &seven).unwrap();
    assert_eq!((call.duration_s, call.end_reason), (Some(61), Some(EndReason::CallerHungUp)));
}

#[tokio::test]
async fn no_answer_goes_out_before_its_fsync() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let log = webox.home().join("strace.log");
    let strace = std::process::Command::new("strace")
        .args(["-f", "-e", "trace=fdatasync,fsync", "-o", log.to_str().unwrap(), "-p"])
        .arg(daemon.pid().to_string())
        .stderr(std::process::Stdio::null())
        .spawn();
    let Ok(mut strace) = strace else {
        eprintln!("passed over: strace is not installed");
        return;
    };
    let syncs = || std::fs::read_to_string(&log).unwrap_or_default().matches("sync(").count();
    // It is attached once a request shows in its log.
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut n = 0;
    while syncs() == 0 {
        if Instant::now() > deadline || strace.try_wait().is_ok_and(|done| done.is_some()) {
            eprintln!("passed over: strace may not attach here");
            let _ = strace.kill();
            return;
        }
        daemon.ring(&sid(10_000 + n)).await;
        n += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for n in 0..20 {
        let before = syncs();
        daemon.ring(&sid(n)).await;
        // strace writes its log as the call returns, which is before our answer went out.
        let deadline = Instant::now() + Duration::from_secs(2);
        while syncs() == before && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(syncs() > before, "call {n} was acknowledged without an fsync");
    }
    let _ = strace.kill();
    let _ = strace.wait();
}
