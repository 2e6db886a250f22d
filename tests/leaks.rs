//! Nothing leaks: after whatever strangers, callers and providers did, a daemon holds what it held
//! before.

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::{
    stream::{QUESTION, by_hand, ring, streamed},
    support::{
        daemon::{Daemon, sid},
        fake_anthropic::FakeAnthropic,
        fake_http::{KEY, say},
        fake_speech::{FakeSpeech, Mood},
    },
};

/// What a daemon holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    files: usize,
    threads: u64,
    kb: u64,
}

impl Held {
    fn by(daemon: &Daemon) -> Self {
        let folder = format!("/proc/{}", daemon.pid());
        let status = std::fs::read_to_string(format!("{folder}/status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        Self {
            files: std::fs::read_dir(format!("{folder}/fd")).unwrap().count(),
            threads: number("Threads:"),
            kb: number("VmRSS:"),
        }
    }

    /// Once it holds so few files, and for a second no other number of them; what it holds otherwise.
    async fn at_rest(daemon: &Daemon, files: usize) -> Self {
        let deadline = Instant::now() + Duration::from_secs(40);
        let (mut last, mut since) = (Self::by(daemon), Instant::now());
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let held = Self::by(daemon);
            if held.files != last.files {
                since = Instant::now();
            }
            last = held;
            let at_rest = held.files <= files && since.elapsed() > Duration::from_secs(1);
            if at_rest || Instant::now() > deadline {
                return held;
            }
        }
    }
}

/// How many tasks were alive when a daemon was told to stop, with nothing going on.
fn tasks_at_the_end(daemon: &Daemon) -> u64 {
    let pid = daemon.pid().to_string();
    std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    let line = daemon.logged("stopping: no new connections");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    line["tasks"].as_u64().unwrap_or_else(|| panic!("{line}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_sockets_that_say_nothing_leave_room_for_a_call_and_are_closed() {
    let speech = FakeSpeech::start();
    speech.understands(["Avez-vous un parking ?", "Et une terrasse ?"]);
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    // As many as this machine allows, and some are for others.
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1_024);
    let many = limit.saturating_sub(2_048).clamp(500, 10_000) as usize;
    let before = Held::by(&daemon);
    let first = after_silence(&daemon, many, before).await;
    let second = after_silence(&daemon, many, before).await;
    // What the first ones took is used again, if not given back: some 20 kB for each.
    let most = before.kb + 25 * many as u64;
    assert!(second.kb < most, "{before:?} {first:?} {second:?}");
    assert_eq!(daemon.terminate(), Some(0));
}

/// What a daemon holds after so many sockets that said nothing, and one call among them.
async fn after_silence(daemon: &Daemon, many: usize, before: Held) -> Held {
    // Signed, and then nothing: these must show which call they are.
    let mut mute = Vec::new();
    for n in 0..50 {
        let url = format!("wss://calls.example.test/voice-proxy/api/voice/stream/{}", sid(n));
        mute.push(daemon.twilio.open(&url).await.unwrap());
    }
    let address = daemon.address;
    let silent = tokio::task::spawn_blocking(move || {
        (50..many).map(|_| TcpStream::connect(address).unwrap()).collect::<Vec<_>>()
    });
    let silent = silent.await.unwrap();
    let (mut call, greeting) = ring(daemon).await;
    assert!(call.is_streaming() && greeting.first_frame.is_some(), "{greeting:?}");
    let answer = call.say(QUESTION).await.unwrap();
    assert!(answer.after.is_some(), "{answer:?}");
    call.hang_up().await.unwrap();
    // It is the daemon that closes them.
    let after = Held::at_rest(daemon, before.files + 20).await;
    assert!(after.files <= before.files + 20, "{before:?} {after:?}");
    assert!(after.threads <= before.threads + 16, "{before:?} {after:?}");
    drop((silent, mute));
    after
}

/// Sockets that are lost at every stage of a call.
async fn lost_sockets(daemon: &Daemon, speech: &FakeSpeech, from: u32) {
    for n in from..from + 2 {
        // Its socket is lost as soon as the call is known, or with rubbish on it.
        let mut socket = by_hand(daemon, n).await;
        if n % 2 == 0 {
            let _ = socket.send("no json".to_owned()).await;
            let _ = socket.send("x".repeat(1_000_000)).await;
            while let Ok(Some(_)) = socket.next().await {}
        }
        drop(socket);
        daemon.hang_up(&sid(n), 1).await;
    }
    // In the middle of the greeting, of a question, of the pause after it, and of an answer.
    let stages = [0, 800, 2_400, 5_000].repeat(3).into_iter().map(async |ms| {
        speech.understands(["Avez-vous un parking"]);
        let (mut call, _) = ring(daemon).await;
        let _ = tokio::time::timeout(Duration::from_millis(ms), call.ask(QUESTION)).await;
        call.drop_socket().await.unwrap();
        call.wait(Duration::from_millis(200)).await.unwrap();
        call.hang_up().await.unwrap();
    });
    futures_util::future::join_all(stages).await;
}

/// Providers that fail, hang and send rubbish: the calls go on over webhooks.
async fn lost_providers(daemon: &Daemon, speech: &FakeSpeech) {
    speech.ear(Mood::Silent);
    let (mut call, _) = ring(daemon).await;
    call.ask(QUESTION).await.unwrap();
    call.hang_up().await.unwrap();
    speech.ear(Mood::Well);
    for mood in [Mood::Fails(500), Mood::Rubbish] {
        speech.mouth(mood);
        let (mut call, _) = ring(daemon).await;
        call.hang_up().await.unwrap();
    }
    speech.mouth(Mood::Well);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_leave_nothing_behind() {
    let speech = FakeSpeech::start();
    let model = FakeAnthropic::start(vec![say("Oui, rue Choron.")]);
    let webox = streamed(
        &speech,
        "[limits]\nmax_calls_per_caller = 100\n[ai]\nmodel = \"anthropic/claude-haiku-5-5\"\n\
         [hearing]\npause_ms = 1500\nstart_early = true\n",
    )
    .env("ANTHROPIC_BASE_URL", model.url())
    .env("ANTHROPIC_API_KEY", KEY);
    let fresh = Daemon::start(&webox);
    let (new, idle) = (Held::by(&fresh), tasks_at_the_end(&fresh));
    let daemon = Daemon::start(&webox);
    // What is made once is made now: threads, connections of the store, statements.
    lost_sockets(&daemon, &speech, 0).await;
    let before = Held::at_rest(&daemon, usize::MAX).await;
    for round in 1..4 {
        lost_sockets(&daemon, &speech, 100 * round).await;
    }
    lost_providers(&daemon, &speech).await;
    let after = Held::at_rest(&daemon, before.files).await;
    assert!(after.files <= before.files + 4, "{before:?} {after:?}");
    assert!(after.threads <= before.threads + 16, "{before:?} {after:?}");
    assert!(after.kb < before.kb + 20_000, "{before:?} {after:?}");
    // A connection that is kept open for the next request is a task and a file. A stage of a call that
    // is not forgotten would be nine tasks more.
    let kept = after.files.saturating_sub(new.files) as u64;
    let tasks = tasks_at_the_end(&daemon);
    assert!(tasks < idle + kept + 9, "{tasks} tasks, {idle} when new: {new:?} {after:?}");
}
