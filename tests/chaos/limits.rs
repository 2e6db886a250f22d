//! A process that may have no more: files, memory; and providers that come and go.

use std::{
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::{
    chaos::{Dice, OnThePhone, assert_stored, busy, look_over, sized, wait_until_ready},
    support::{
        daemon::{Daemon, sid, spoken},
        fake_http::{Behaviour, KEY, say, script},
        fake_openai::FakeOpenAi,
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn without_descriptors_nobody_is_lost_and_it_comes_back() {
    let webox = busy().under(["prlimit", "--nofile=96:96"]);
    let daemon = Daemon::start(&webox);
    let mut caller = OnThePhone::new(sid(1));
    for _ in 0..3 {
        assert!(caller.go_on(&daemon).await);
    }
    let mut idle = Vec::new();
    for _ in 0..200 {
        let Ok(mut socket) = TcpStream::connect_timeout(&daemon.address, Duration::from_secs(1))
        else {
            break;
        };
        let _ = socket.write_all(b"POST /api/voice/webhook/incoming HTTP/1.1\r\nHost: x\r\n");
        idle.push(socket);
    }
    assert!(idle.len() > 60, "{}", idle.len());
    // The connection that the caller has is as good as before, or a new one waits: it is never wrong.
    let asked = tokio::time::timeout(Duration::from_secs(15), caller.go_on(&daemon)).await;
    let meanwhile = matches!(asked, Ok(true));
    drop(idle);
    wait_until_ready(&daemon, 200).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while !caller.go_on(&daemon).await {
        assert!(Instant::now() < deadline, "it comes back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!daemon.log().iter().any(|line| line.contains("panicked")), "{:?}", daemon.log());
    drop(daemon);
    let (db, _folder) = look_over(&webox, &webox.db());
    let stored = assert_stored(&db, &[caller]);
    eprintln!(
        "96 descriptors, 200 idle connections: answered meanwhile: {meanwhile}; {stored} turns stored"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn with_little_memory_much_is_refused_and_calls_are_answered() {
    // What the program itself maps is most of it: 1.5 GiB of addresses leave little beside.
    let webox = busy().under(["prlimit", "--as=1610612736"]);
    let daemon = Daemon::start(&webox);
    let mut caller = OnThePhone::new(sid(1));
    let url = format!("http://{}/api/voice/assistants", daemon.address);
    let client = reqwest::Client::new();
    let flood = (0..sized(60, 300)).map(|_| {
        let request = client.post(&url).body(vec![b'x'; 4 << 20]);
        tokio::spawn(async move { request.send().await.map(|answer| answer.status().as_u16()) })
    });
    let flood: Vec<_> = flood.collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let begun = Instant::now();
        assert!(caller.go_on(&daemon).await);
        slowest = slowest.max(begun.elapsed());
    }
    for one in flood {
        // Refused in whatever way, and never with a failure of ours.
        if let Ok(Ok(status)) = one.await {
            assert!(status < 500 || status == 503, "{status}");
        }
    }
    assert!(caller.go_on(&daemon).await);
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
    drop(daemon);
    let (db, _folder) = look_over(&webox, &webox.db());
    assert_stored(&db, &[caller]);
    eprintln!("1.5 GiB of addresses under large bodies: slowest answer {} ms", slowest.as_millis());
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_that_come_and_go_leave_nobody_in_silence() {
    let dice = Dice::new();
    let flapping = script(move |_| match dice.below(6) {
        0 => Behaviour::ServerError,
        1 => Behaviour::RateLimited { retry_after: 1 },
        2 => Behaviour::ConnectionReset,
        3 => Behaviour::CutMidway("Nous".to_owned()),
        _ => say("Nous ouvrons à midi."),
    });
    let provider = FakeOpenAi::start(vec![flapping]);
    let webox = crate::support::cmd::Webox::with_le_gourmet()
        .env("OPENAI_API_KEY", KEY)
        .env("OPENAI_BASE_URL", provider.url());
    webox.run(["assistants", "edit", "le-gourmet", "--model", "gpt-4"]).ok();
    let daemon = Daemon::start(&webox);
    let (turns, at_once) = sized((4, 6), (15, 30));
    let talking = (0..at_once).map(|n| {
        let daemon = &daemon;
        async move {
            let (sid, mut slowest) = (sid(n), Duration::ZERO);
            assert!(!spoken(&daemon.ring(&sid).await).is_empty());
            for turn in 1..=turns {
                let begun = Instant::now();
                let answer = daemon.say(&sid, turn, "À quelle heure ouvrez-vous ?").await;
                slowest = slowest.max(begun.elapsed());
                assert!(!spoken(&answer).is_empty(), "call {n}, turn {turn}: {}", answer.body);
            }
            slowest
        }
    });
    let slowest = futures_util::future::join_all(talking).await.into_iter().max().unwrap();
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
    eprintln!(
        "flapping model: {at_once} calls of {turns} turns, {} requests, slowest answer {} ms",
        provider.requests().len(),
        slowest.as_millis()
    );
}
