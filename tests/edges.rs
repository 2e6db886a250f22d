//! Turns really in flight, locks of every length, time running out, and files of others.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use webox::{
    domain::{CallFilter, EndReason, Secret},
    operations::calls,
    twilio::{form::Form, signature},
};

use crate::support::{
    cmd::Webox,
    daemon::{CALLER, Daemon, NUMBER, PUBLIC_URL, TOKEN, back, hangs_up, sid, spoken},
    fake_http::{Behaviour, KEY},
    fake_openai::FakeOpenAi,
    seed,
};

/// A home whose assistant thinks with a model that takes its time.
fn slow_thinker(time: Duration) -> (Webox, FakeOpenAi) {
    let answer = Behaviour::DelayHeaders(time, "Le parking est gratuit.".to_owned());
    let model = FakeOpenAi::start(vec![answer]);
    let webox =
        Webox::with_le_gourmet().env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", model.url());
    webox.run(["assistants", "edit", "le-gourmet", "--model", "openai/gpt-6-luna"]).ok();
    (webox, model)
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn said(webox: &Webox, n: u32, number: u32) -> Option<String> {
    let (_, turns) =
        calls::show(&seed::store(webox), &webox::domain::Actor::webox("test"), &sid(n)).unwrap();
    turns.into_iter().find(|turn| turn.number == number).and_then(|turn| turn.said)
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_finishes_the_turn_in_flight() {
    let (webox, model) = slow_thinker(Duration::from_millis(1_200));
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let pid = daemon.pid().to_string();
    let one = sid(1);
    let ((), answer) = tokio::join!(
        async {
            until("the model is asked", || !model.requests().is_empty()).await;
            std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        },
        daemon.say(&one, 1, "Avez-vous un parking ?")
    );
    assert!(spoken(&answer).contains("gratuit"), "{}", answer.body);
    // A second signal, while it still stops, would end it at once.
    assert_eq!(daemon.stopped(), Some(0));
    assert!(said(&webox, 1, 1).unwrap().contains("gratuit"));
}

fn raw_process(n: u32, turn: u32, words: &str) -> String {
    let route = format!("/api/voice/webhook/process?call_sid={}&turn={turn}", sid(n));
    let sid = sid(n);
    let form = Form::from_fields([
        ("CallSid", sid.as_str()),
        ("From", CALLER),
        ("To", NUMBER),
        ("CallStatus", "in-progress"),
        ("SpeechResult", words),
    ]);
    let signature = signature::sign(&Secret::new(TOKEN), &format!("{PUBLIC_URL}{route}"), &form);
    let body = form.encode();
    format!(
        "POST {route} HTTP/1.1\r\nhost: x\r\nx-twilio-signature: {signature}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_turn_outlives_its_client() {
    let (webox, model) = slow_thinker(Duration::from_millis(700));
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    stream.write_all(raw_process(1, 1, "Avez-vous un parking ?").as_bytes()).unwrap();
    until("the model is asked", || !model.requests().is_empty()).await;
    drop(stream);
    until("the turn is stored", || said(&webox, 1, 1).is_some()).await;
    assert!(said(&webox, 1, 1).unwrap().contains("gratuit"));
    assert_eq!(model.requests().len(), 1, "thought about once");
}

#[tokio::test]
async fn a_turn_killed_in_mid_thought_is_thought_again() {
    let (webox, model) = slow_thinker(Duration::from_millis(700));
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    stream.write_all(raw_process(1, 1, "Avez-vous un parking ?").as_bytes()).unwrap();
    until("the model is asked", || !model.requests().is_empty()).await;
    daemon.kill();
    assert_eq!(said(&webox, 1, 1), None);
    let daemon = Daemon::start(&webox);
    let answer = daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    assert!(spoken(&answer).contains("gratuit"), "{}", answer.body);
    let (_, turns) =
        calls::show(&seed::store(&webox), &webox::domain::Actor::webox("test"), &sid(1)).unwrap();
    assert_eq!(turns.len(), 2);
}

#[tokio::test]
async fn a_long_call_is_warned_and_then_ended() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let started = |seconds_ago: i64| {
        let at = jiff::Timestamp::now().as_millisecond() - seconds_ago * 1_000;
        let db = rusqlite::Connection::open(webox.db()).unwrap();
        assert_eq!(db.execute("UPDATE calls SET started_at = ?1", [at]).unwrap(), 1);
    };
    assert!(
        !spoken(&daemon.say(&sid(1), 1, "Avez-vous un parking ?").await)
            .contains("bientôt se terminer")
    );
    started(570);
    let warned = daemon.say(&sid(1), 2, "Avez-vous un parking ?").await;
    assert!(
        spoken(&warned).contains("bientôt se terminer") && !hangs_up(&warned),
        "{}",
        warned.body
    );
    let again = daemon.say(&sid(1), 3, "Et une terrasse ?").await;
    assert!(!spoken(&again).contains("bientôt se terminer"), "warned once");
    started(601);
    let ended = daemon.say(&sid(1), 4, "Avez-vous un parking ?").await;
    assert!(hangs_up(&ended) && spoken(&ended).contains("fin de cet appel"), "{}", ended.body);
    daemon.hang_up(&sid(1), 601).await;
    let (call, _) =
        calls::show(&seed::store(&webox), &webox::domain::Actor::webox("test"), &sid(1)).unwrap();
    assert_eq!(call.end_reason, Some(EndReason::TooLong));
}

#[tokio::test]
async fn no_number_is_logged_whole() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let unknown = "+493012345678";
    daemon.post_from(CALLER, unknown, "incoming", &sid(1), &[]).await;
    daemon.ring(&sid(2)).await;
    daemon.say(&sid(2), 9, "Bonjour").await;
    daemon.say(&sid(2), 1, "Je veux parler à quelqu'un").await;
    daemon
        .post(
            &format!("transfer?call_sid={}&turn=2", sid(2)),
            &sid(2),
            &[("DialCallStatus", "no-answer")],
        )
        .await;
    webox.run(["assistants", "disable", "le-gourmet"]).ok();
    daemon.post_from("sip:+33687654321@example.com", NUMBER, "incoming", &sid(3), &[]).await;
    daemon.hang_up(&sid(2), 3).await;
    daemon.logged("status changed");
    let log = daemon.log();
    for number in [CALLER, NUMBER, unknown, "33687654321"] {
        let whole: Vec<_> = log.iter().filter(|line| line.contains(number)).collect();
        assert!(whole.is_empty(), "{number}: {whole:#?}");
    }
    // All but the lines of the daemon's own life are lines of a call.
    let started = log.iter().position(|line| line.contains("webox answers")).unwrap();
    for line in &log[started + 1..] {
        assert!([1, 2, 3].iter().any(|n| line.contains(sid(*n).as_str())), "{line}");
    }
}

async fn locked_for(time: Duration) {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let other = rusqlite::Connection::open(webox.db()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let unlock = std::thread::spawn(move || {
        std::thread::sleep(time);
        other.execute_batch("COMMIT").unwrap();
    });
    let mut route = format!("process?call_sid={}&turn=1", sid(1));
    let answer = loop {
        let begun = Instant::now();
        let answer =
            daemon.post(&route, &sid(1), &[("SpeechResult", "Avez-vous un parking ?")]).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{time:?}: {:?}", begun.elapsed());
        assert!(!spoken(&answer).is_empty());
        match back(&answer) {
            Some(back) => route = back,
            None => break answer,
        }
    };
    assert!(spoken(&answer).contains("parking"), "{}", answer.body);
    unlock.join().unwrap();
    assert!(!hangs_up(&daemon.say(&sid(1), 2, "Et une terrasse ?").await));
    let (_, turns) =
        calls::show(&seed::store(&webox), &webox::domain::Actor::webox("test"), &sid(1)).unwrap();
    assert_eq!(turns.len(), 3);
}

#[tokio::test]
async fn a_store_locked_for_a_second_is_waited_for() {
    locked_for(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_store_locked_for_six_seconds_is_waited_for() {
    locked_for(Duration::from_secs(6)).await;
}

#[tokio::test]
async fn a_store_locked_while_a_reply_is_late_keeps_nobody_waiting() {
    let (webox, model) = slow_thinker(Duration::from_millis(500));
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let other = rusqlite::Connection::open(webox.db()).unwrap();
    let one = sid(1);
    let begun = Instant::now();
    let (answer, ()) = tokio::join!(daemon.say(&one, 1, "Avez-vous un parking ?"), async {
        until("the model is asked", || !model.requests().is_empty()).await;
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
    });
    let took = begun.elapsed();
    other.execute_batch("COMMIT").unwrap();
    assert!(!spoken(&answer).is_empty());
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn somebody_elses_database_is_left_as_it_is() {
    let webox = Webox::new();
    let path = webox.home().join("theirs.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);")
        .unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let db = path.to_str().unwrap();
    let serve = ["--db", db, "serve", "--insecure-no-signature", "--listen", "127.0.0.1:0"];
    for args in [
        &["--db", db, "calls"][..],
        &["--db", db, "apply", "--yes", crate::support::cmd::LE_GOURMET],
        &serve,
    ] {
        let ran = webox.run(args.iter().copied());
        assert_ne!(ran.code, 0, "{args:?}");
        assert!(ran.stderr.contains("error"), "{}", ran.stderr);
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{args:?}");
    }
}

#[test]
fn a_port_in_use_is_told() {
    let webox = Webox::with_le_gourmet();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let args = ["serve", "--insecure-no-signature", "--listen", &address];
    webox.run(args).code(69).silent().says(&address).says("hint:");
}

#[tokio::test]
async fn a_request_without_any_signature_is_a_strangers() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let sid = sid(1);
    let form = Form::from_fields([
        ("CallSid", sid.as_str()),
        ("From", CALLER),
        ("To", NUMBER),
        ("CallStatus", "ringing"),
    ]);
    let routes =
        ["incoming", "fallback", "process", "wait?turn=1&step=1", "transfer?turn=1", "status"];
    let of_humans = ["whisper", "take", "voicemail", "voicemail-recording", "voicemail-words"];
    for route in routes.into_iter().chain(of_humans) {
        let answer = reqwest::Client::new()
            .post(format!("http://{}/api/voice/webhook/{route}", daemon.address))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.encode())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 403, "{route}");
        assert_eq!(answer.text().await.unwrap(), "", "{route}");
    }
    assert!(
        calls::list(
            &seed::store(&webox),
            &webox::domain::Actor::webox("test"),
            &CallFilter::default()
        )
        .unwrap()
        .calls
        .is_empty()
    );
}

#[tokio::test]
async fn calls_are_followed_while_they_ring() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let mut child = webox.command(["calls", "--follow"]).spawn().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            let _ = tell.send(line);
        }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    for n in 1..=3 {
        daemon.ring(&sid(n)).await;
    }
    for n in 1..=3 {
        let line = told.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(line.contains(sid(n).as_str()), "{line}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn without_a_human_a_message_is_taken() {
    let webox = Webox::new();
    let file = webox.file(
        "a.toml",
        "name = \"a\"\nclient = \"Chez A\"\nphone = \"+33123456789\"\ncontext = \"\"\n",
    );
    webox.run(["apply", "--yes", &file]).ok();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let mut bodies = Vec::new();
    for (turn, words) in (1..).zip([
        "Je veux parler à quelqu'un",
        "Dites-lui que Martin a appelé pour le devis",
        "C'est tout, merci, au revoir",
    ]) {
        let answer = daemon.say(&sid(1), turn, words).await;
        bodies.push(answer.body.clone());
        assert!(!answer.body.contains("<Dial"), "{}", answer.body);
        if hangs_up(&answer) {
            break;
        }
    }
    let store = seed::store(&webox);
    let (call, _) = calls::show(&store, &webox::domain::Actor::webox("test"), &sid(1)).unwrap();
    let messages = calls::messages(&store, call.id).unwrap();
    assert_eq!(messages.len(), 1, "{bodies:#?}");
    assert!(messages[0].text.contains("devis"), "{}", messages[0].text);
}
