//! Those who listen and those who speak fail in every way they can, in mid-call: the caller is answered
//! all the same, in Twilio's voice if in nobody else's, and the call goes on.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use webox::{
    audio::g711,
    rehearsal::streamed::{Manner, StreamedCall},
};

use crate::{
    stream::QUESTION,
    support::{
        cmd::{Webox, le_gourmet_always_open},
        daemon::{CALLER, Daemon, NUMBER},
        fake_http::INTERNAL,
        fake_mouths::{Answer, FakeMouth, KEY},
        fake_speech::FakeSpeech,
        faulty::{Fault, Faulty, nobody},
    },
};

/// Twilio gives up after fifteen seconds; nobody is to come near.
const LONGEST: Duration = Duration::from_secs(10);

/// Calls at once: most of each is waiting, in real time.
const AT_ONCE: usize = 6;

/// Le Gourmet over a stream: OpenAI's ear at one address, ElevenLabs' mouth at another.
fn home(ear: &str, mouth: &str) -> Webox {
    let voice = "line = \"stream\"\nprovider = \"elevenlabs\"";
    let text = le_gourmet_always_open().replace("line     = \"gather\"", voice);
    let webox = Webox::new()
        .env("OPENAI_BASE_URL", ear)
        .env("ELEVENLABS_BASE_URL", mouth)
        .env("ELEVENLABS_API_KEY", KEY);
    let file = webox.file("g.toml", &format!("{text}\n[hearing]\nprovider = \"openai\"\n"));
    webox.run(["apply", "--yes", &file]).ok();
    webox
}

/// Plays what is to be played for each, some at once and each on a thread of its own: while one waits
/// for its daemon to start, nobody else's call may stand still.
fn for_each<T: Sync, F: Future<Output = ()>>(all: &[T], play: impl Fn(&T) -> F + Sync) {
    let next = AtomicUsize::new(0);
    let play_some = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            runtime.block_on(play(one));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(play_some);
        }
    });
}

/// A voice, near enough: 300 Hz for three quarters of a second.
fn sound() -> Vec<u8> {
    let sample = |n: u32| (8_000.0 * (f64::from(n) * 0.235_6).sin()) as i16;
    (0..6_000).map(|n| g711::encode(sample(n))).collect()
}

fn manner() -> Manner {
    Manner { quiet: Duration::from_millis(300), ..Manner::default() }
}

async fn ring<'a>(daemon: &'a Daemon, what: &str) -> StreamedCall<'a> {
    let number = NUMBER.parse().unwrap();
    let begun = Instant::now();
    let (call, heard) =
        StreamedCall::ring(&daemon.twilio, CALLER, &number, manner()).await.unwrap();
    assert!(begun.elapsed() < LONGEST, "{what}: greeted after {:?}", begun.elapsed());
    let greeted = heard.first_frame.is_some() || heard.text.contains("Le Gourmet");
    assert!(greeted, "{what}: {heard:?}");
    call
}

/// Asks, and has an answer in time; in sound or in Twilio's words, and nothing of the provider in it.
async fn ask(call: &mut StreamedCall<'_>, what: &str) -> String {
    let begun = Instant::now();
    let heard = if call.is_streaming() {
        call.ask(QUESTION).await
    } else {
        call.answer("Avez-vous un parking ?").await
    };
    let heard = heard.unwrap();
    let spoken = Duration::from_millis(QUESTION.len() as u64 / 8);
    let took = begun.elapsed().saturating_sub(spoken);
    assert!(took < LONGEST, "{what}: answered after {took:?}");
    assert!(heard.after.is_some() || !heard.text.is_empty(), "{what}: silence, {heard:?}");
    let all = format!("{} {:?}", heard.text, heard.twiml);
    for inner in [INTERNAL, KEY, "webox-nobody"] {
        assert!(!all.contains(inner), "{what}: {inner} in {all}");
    }
    heard.text
}

/// Hears out what is said over a stream, which takes no longer than an answer may; what of it Twilio
/// says, if the voice turns out to be none.
async fn hear_out(call: &mut StreamedCall<'_>, what: &str) -> String {
    if !call.is_streaming() {
        return String::new();
    }
    let begun = Instant::now();
    let heard = call.listen().await.unwrap();
    assert!(begun.elapsed() < LONGEST, "{what}: heard out after {:?}", begun.elapsed());
    heard.text
}

/// In mid-call, the ear fails: the caller is asked again by Twilio's ear, and answered.
async fn survives_an_ear(what: String, ear: String, well: impl Fn() + Send) {
    let mouth = FakeMouth::start(vec![Answer::Sound(sound(), 800)]);
    let webox = home(&ear, &mouth.url());
    let daemon = Daemon::start(&webox);
    let mut call = ring(&daemon, &what).await;
    call.listen().await.unwrap();
    ask(&mut call, &what).await;
    // A word to hold on may come first.
    let begun = Instant::now();
    while call.is_streaming() && begun.elapsed() < LONGEST {
        call.wait(Duration::from_millis(100)).await.unwrap();
    }
    assert!(!call.is_streaming(), "{what}: nobody listens over the stream any more");
    let text = ask(&mut call, &what).await;
    assert!(text.contains("parking") || call.is_streaming(), "{what}: the next turn: {text}");
    call.hang_up().await.unwrap();
    // Well again, the next caller is listened to as before.
    well();
    assert!(!daemon.log().iter().any(|line| line.contains("panicked")), "{what}");
}

#[test]
fn whatever_becomes_of_an_ear_the_caller_is_answered() {
    for_each(&Fault::ALL, |&(name, fault)| async move {
        let mood = Arc::new(Mutex::new(fault));
        let (decided, kept) = (Arc::clone(&mood), Arc::clone(&mood));
        let ear = Faulty::start(
            move |_| *decided.lock().unwrap(),
            |_| ("application/json", br#"{"text":"Avez-vous un parking ?"}"#.to_vec()),
        );
        let base = format!("{}/v1", ear.url());
        let well = move || *kept.lock().unwrap() = Fault::Well;
        Box::pin(survives_an_ear(format!("an ear, {name}"), base, well)).await;
        assert!(ear.asked() > 0, "{name}: nobody asked it");
    });
    let other = Faulty::start(|_| Fault::Well, |_| ("text/plain", Vec::new()));
    for_each(&nobody(&other), |(name, url)| {
        Box::pin(survives_an_ear(format!("an ear, {name}"), format!("{url}/v1"), || {}))
    });
}

/// Of two calls, one in which the mouth fails after the greeting, and one that finds it so.
async fn survives_a_mouth(what: String, mouth: String, fail: impl Fn() + Send) {
    let speech = FakeSpeech::start();
    speech.understands(["Avez-vous un parking ?"; 3]);
    let webox = home(speech.url(), &mouth);
    let daemon = Daemon::start(&webox);
    let mut call = ring(&daemon, &what).await;
    hear_out(&mut call, &what).await;
    fail();
    for turn in 0..2 {
        let text = ask(&mut call, &what).await + &hear_out(&mut call, &what).await;
        assert!(
            call.is_streaming() || text.contains("parking"),
            "{what}: turn {turn} is said by Twilio: {text}"
        );
    }
    call.hang_up().await.unwrap();
    let mut next = ring(&daemon, &what).await;
    hear_out(&mut next, &what).await;
    let text = ask(&mut next, &what).await + &hear_out(&mut next, &what).await;
    assert!(next.is_streaming() || text.contains("parking"), "{what}: the next call: {text}");
    next.hang_up().await.unwrap();
    assert!(!daemon.log().iter().any(|line| line.contains("panicked")), "{what}");
}

#[test]
fn whatever_becomes_of_a_mouth_the_caller_is_answered() {
    for_each(&Fault::ALL, |&(name, fault)| async move {
        let mood = Arc::new(Mutex::new(Fault::Well));
        let (decided, kept) = (Arc::clone(&mood), Arc::clone(&mood));
        let mouth = Faulty::start(move |_| *decided.lock().unwrap(), |_| ("audio/basic", sound()));
        let fail = move || *kept.lock().unwrap() = fault;
        Box::pin(survives_a_mouth(format!("a mouth, {name}"), mouth.url(), fail)).await;
        assert!(mouth.asked() > 0, "{name}: nobody asked it");
    });
    let other = Faulty::start(|_| Fault::Well, |_| ("text/plain", Vec::new()));
    for_each(&nobody(&other), |(name, url)| {
        Box::pin(survives_a_mouth(format!("a mouth, {name}"), url.clone(), || {}))
    });
}

/// From the third failure on, nobody waits for who hangs.
#[tokio::test(flavor = "multi_thread")]
async fn a_mouth_and_an_ear_that_hang_are_left_alone_after_three_times() {
    let mouth = Faulty::start(|_| Fault::Silent, |_| ("audio/basic", sound()));
    let ear = Faulty::start(|_| Fault::Silent, |_| ("application/json", Vec::new()));
    let webox = home(&format!("{}/v1", ear.url()), &mouth.url());
    let daemon = Daemon::start(&webox);
    for n in 0..4 {
        ring(&daemon, &format!("call {n}")).await.hang_up().await.unwrap();
    }
    daemon.logged("the provider is left alone for a while");
    let asked = mouth.asked();
    let begun = Instant::now();
    let mut call = ring(&daemon, "left alone").await;
    let text = ask(&mut call, "left alone").await;
    let took = begun.elapsed();
    assert!(text.contains("parking"), "{text}");
    assert_eq!(mouth.asked(), asked, "it is not asked");
    assert!(took < Duration::from_secs(5), "{took:?}");
    call.hang_up().await.unwrap();
}
