//! The line `stream`: calls over Media Streams, as Twilio makes them, against the real daemon.

use std::time::Duration;

use webox::{
    domain::{Actor, Call, CallSid, Heard, Next, Outcome, Turn},
    operations::calls,
    rehearsal::{
        State,
        streamed::{self, Manner, StreamedCall},
    },
    twilio::stream::{FromTwilio, MediaFormat, Start},
};

use crate::support::{
    cmd::Webox,
    daemon::{CALLER, Daemon, NUMBER, sid, spoken, verbs},
    fake_anthropic::FakeAnthropic,
    fake_http::{KEY, say},
    fake_speech::{FakeSpeech, Mood},
    seed,
};

/// A caller's question, a second and a bit of it.
pub(crate) const QUESTION: &[u8] = include_bytes!("../src/rehearsal/bench/question.ulaw");

/// Le Gourmet over a stream, heard and spoken for by a double.
pub(crate) fn streamed(speech: &FakeSpeech, more: &str) -> Webox {
    let webox = Webox::with_le_gourmet_always_open().env("OPENAI_BASE_URL", speech.url());
    let exported = webox.run(["export", "le-gourmet"]).ok();
    let mut file: toml::Table = toml::from_str(&exported.stdout).unwrap();
    let sections = format!(
        "[voice]\nline = \"stream\"\nlanguage = \"fr-FR\"\nprovider = \"openai\"\n\
         greeting = \"Le Gourmet, bonjour. Que puis-je faire ?\"\n{more}"
    );
    let mut sections: toml::Table = toml::from_str(&sections).unwrap();
    let hearing = sections.entry("hearing").or_insert_with(|| toml::Table::new().into());
    hearing.as_table_mut().unwrap().insert("provider".into(), "openai".into());
    file.extend(sections);
    let path = webox.file("le-gourmet.toml", &toml::to_string(&file).unwrap());
    webox.run(["apply", &path, "--yes"]).ok();
    webox
}

fn shown(webox: &Webox, sid: &CallSid) -> (Call, Vec<Turn>) {
    calls::show(&seed::store(webox), &Actor::webox("test"), sid).unwrap()
}

/// Turns once one of them is as it should be, which is noted a moment after it was.
async fn until(
    webox: &Webox,
    sid: &CallSid,
    number: u32,
    fits: impl Fn(&Turn) -> bool,
) -> Vec<Turn> {
    for _ in 0..800 {
        let (_, turns) = shown(webox, sid);
        if turns.iter().any(|turn| turn.number == number && fits(turn)) {
            return turns;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("turn {number} did not become as it should: {:?}", shown(webox, sid).1);
}

fn was_heard(turn: &Turn) -> bool {
    turn.said.as_deref().is_some_and(|said| !said.is_empty())
}

fn manner() -> Manner {
    Manner { quiet: Duration::from_millis(300), ..Manner::default() }
}

pub(crate) async fn ring(daemon: &Daemon) -> (StreamedCall<'_>, streamed::Heard) {
    let number = NUMBER.parse().unwrap();
    let (call, heard) =
        StreamedCall::ring(&daemon.twilio, CALLER, &number, manner()).await.unwrap();
    assert!(call.failures().is_empty(), "{:?}", call.failures());
    (call, heard)
}

#[tokio::test]
async fn a_call_is_greeted_heard_and_answered_in_sound() {
    let speech = FakeSpeech::start();
    speech.understands(["Avez-vous un parking ?"]);
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let (mut call, greeting) = ring(&daemon).await;
    assert!(call.is_streaming() && greeting.first_frame.is_some(), "{greeting:?}");
    let answer = call.say(QUESTION).await.unwrap();
    assert!(answer.after.is_some(), "{answer:?}");
    let sid = call.sid().clone();
    let turns = until(&webox, &sid, 1, was_heard).await;
    assert_eq!(
        turns[0].said.as_deref(),
        Some("Le Gourmet, bonjour. Je suis un assistant vocal automatique. Que puis-je faire ?")
    );
    assert!(
        matches!(&turns[1].heard, Some(Heard::Speech { text, .. }) if text == "Avez-vous un parking ?")
    );
    assert!(turns[1].said.as_deref().unwrap().contains("parking"));
    let timings = turns[1].timings;
    assert!(
        timings.endpoint_ms.is_some() && timings.words_ms >= timings.endpoint_ms,
        "{timings:?}"
    );
    assert!(timings.sentence_ms.is_some() && timings.frame_ms >= timings.audio_ms, "{timings:?}");
    assert_eq!(turns[1].mouth.as_deref(), Some("openai"));
    assert!(turns[1].ear.as_deref().unwrap().starts_with("openai/"));
    assert!(speech.spoken().iter().any(|text| text.contains("parking")), "{:?}", speech.spoken());
    let (stored, _) = shown(&webox, &sid);
    assert!(stored.disclosed_at.is_some());
    call.hang_up().await.unwrap();
}

#[tokio::test]
async fn whoever_talks_over_a_reply_is_heard_and_the_rest_is_not_said() {
    let speech = FakeSpeech::start();
    speech.understands(["Parlez-moi de la carte", "Non, je veux réserver une table"]);
    let long = "La carte change chaque semaine avec le marché. ".repeat(6);
    let fact = format!("\n[[facts]]\nabout = [\"carte\"]\nanswer = \"{}\"\n", long.trim());
    let webox = streamed(&speech, &fact);
    let daemon = Daemon::start(&webox);
    let (mut call, _) = ring(&daemon).await;
    call.ask(QUESTION).await.unwrap();
    let over = call.interrupt_after(Duration::from_millis(1_500), QUESTION).await.unwrap();
    assert!(over.cleared.is_some(), "what was queued is dropped: {over:?}");
    let sid = call.sid().clone();
    let turns = until(&webox, &sid, 2, |turn| turn.heard.is_some()).await;
    let (said, unheard) = (turns[1].said.as_deref().unwrap(), turns[1].unheard.as_deref().unwrap());
    assert!(
        said.starts_with("La carte change") && unheard.contains("le marché."),
        "{said} / {unheard}"
    );
    assert!(said.len() < long.len() / 2, "{said}");
    assert_eq!(turns[1].next, Some(Next::Listen));
}

#[tokio::test]
async fn a_model_that_starts_early_is_asked_once_and_what_it_did_in_vain_is_noted() {
    let speech = FakeSpeech::start();
    speech.understands(["Avez-vous un parking", "pour ce soir ?", "Et une terrasse", "Au revoir"]);
    let answers = ["Oui, rue Choron.", "Oui, ce soir aussi.", "Oui, au soleil."];
    let model = FakeAnthropic::start(answers.map(say).into());
    let early = "[ai]\nmodel = \"anthropic/claude-haiku-5-5\"\n\
                 [hearing]\npause_ms = 2500\nstart_early = true\n";
    let webox = streamed(&speech, early)
        .env("ANTHROPIC_BASE_URL", model.url())
        .env("ANTHROPIC_API_KEY", KEY);
    let daemon = Daemon::start(&webox);
    let (mut call, _) = ring(&daemon).await;
    // A pause in the middle that is long enough to be taken for an end, and too short to be one.
    let hesitating = [QUESTION, &[0xFF; 8 * 700], QUESTION].concat();
    call.say(hesitating.as_slice()).await.unwrap();
    call.say(QUESTION).await.unwrap();
    let sid = call.sid().clone();
    let turns = until(&webox, &sid, 2, was_heard).await;
    let said: Vec<_> = turns[1..].iter().map(|turn| turn.said.as_deref().unwrap()).collect();
    let asked: Vec<_> = model.requests().iter().map(|r| r.json["messages"].to_string()).collect();
    assert_eq!(said, answers[1..], "{asked:#?}");
    let outcomes = |turn: &Turn| -> Vec<Outcome> {
        turn.attempts.iter().map(|attempt| attempt.outcome).collect()
    };
    assert_eq!(outcomes(&turns[1]), [Outcome::Unused, Outcome::Answered]);
    assert!(turns[1].attempts[0].usage.input > 0, "it is paid for: {:?}", turns[1].attempts);
    assert_eq!(outcomes(&turns[2]), [Outcome::Answered]);
    assert_eq!(model.requests().len(), 3, "what was asked early is not asked again");
    // Whoever says goodbye and hangs up in the pause has asked the model too.
    let goodbye = tokio::time::timeout(Duration::from_millis(2_600), call.ask(QUESTION)).await;
    assert!(goodbye.is_err(), "the pause is not over: {goodbye:?}");
    call.hang_up().await.unwrap();
    let turns = until(&webox, &sid, 2, |turn| turn.attempts.len() > 1).await;
    assert_eq!((turns.len(), model.requests().len()), (3, 4));
    assert_eq!(outcomes(&turns[2]), [Outcome::Answered, Outcome::Unused]);
    let input: u32 = turns[2].attempts.iter().map(|attempt| attempt.usage.input).sum();
    assert_eq!(turns[2].usage.input, input);
}

#[tokio::test]
async fn whoever_goes_on_before_the_reply_sounds_is_answered_to_that() {
    let speech = FakeSpeech::start();
    speech.understands(["Avez-vous un parking ?"]);
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let (mut call, _) = ring(&daemon).await;
    call.listen().await.unwrap();
    speech.mouth(Mood::Slow(Duration::from_millis(1_500)));
    let asked = tokio::time::timeout(Duration::from_millis(2_800), call.ask(QUESTION)).await;
    assert!(asked.is_err(), "nothing is heard yet: {asked:?}");
    speech.mouth(Mood::Well);
    call.press("7#").await.unwrap();
    call.listen().await.unwrap();
    let sid = call.sid().clone();
    let turns = until(&webox, &sid, 2, was_heard).await;
    assert!(turns[1].unheard.as_deref().is_some_and(|unheard| unheard.contains("parking")));
    assert_eq!(turns[2].heard, Some(Heard::Digits("7".into())));
    let said = turns[2].said.as_deref().unwrap();
    let spoken = speech.spoken().join(" ");
    assert!(spoken.contains(said), "{said} is spoken: {spoken}");
}

#[tokio::test]
async fn a_hum_does_not_cut_a_reply_short() {
    let speech = FakeSpeech::start();
    speech.understands(["Parlez-moi de la carte", "Mhm, d'accord."]);
    let long = "La carte change chaque semaine avec le marché. ".repeat(3);
    let fact = format!("\n[[facts]]\nabout = [\"carte\"]\nanswer = \"{}\"\n", long.trim());
    let webox = streamed(&speech, &fact);
    let daemon = Daemon::start(&webox);
    let (mut call, _) = ring(&daemon).await;
    call.ask(QUESTION).await.unwrap();
    call.interrupt_after(Duration::from_millis(800), QUESTION).await.unwrap();
    let rest = call.listen().await.unwrap();
    let sid = call.sid().clone();
    let turns = until(&webox, &sid, 1, was_heard).await;
    let said = turns[1].said.as_deref().unwrap();
    assert!(said.starts_with(long.trim()), "all of it, in two parts: {rest:?}");
    assert_eq!(turns[1].unheard, None);
    assert_eq!(turns.len(), 2, "it is no turn");
}

#[tokio::test]
async fn what_the_law_asks_for_is_not_talked_over() {
    let speech = FakeSpeech::start();
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let (mut call, _) = ring(&daemon).await;
    let over = call.interrupt_after(Duration::from_millis(100), QUESTION).await.unwrap();
    assert_eq!(over.cleared, None);
    let sid = call.sid().clone();
    let turns = until(&webox, &sid, 0, was_heard).await;
    assert!(turns[0].said.as_deref().unwrap().contains("automatique"));
    assert_eq!(speech.asked(), 0, "what was said meanwhile is lost, and costs nothing");
}

#[tokio::test]
async fn nor_is_it_keyed_over() {
    let speech = FakeSpeech::start();
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let (mut call, greeting) = ring(&daemon).await;
    assert!(greeting.first_frame.is_some());
    call.press("7#").await.unwrap();
    let turns = until(&webox, &call.sid().clone(), 1, |turn| turn.heard.is_some()).await;
    assert!(turns[0].said.as_deref().unwrap().contains("automatique"), "{turns:?}");
    assert_eq!(turns[1].heard, Some(Heard::Digits("7".into())), "it counts afterwards");
}

#[tokio::test]
async fn a_lost_socket_comes_back_to_the_same_conversation() {
    let speech = FakeSpeech::start();
    speech.understands(["Avez-vous un parking ?", "Et une terrasse ?"]);
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let (mut call, _) = ring(&daemon).await;
    call.say(QUESTION).await.unwrap();
    call.drop_socket().await.unwrap();
    assert!(call.is_streaming());
    until(&webox, &call.sid().clone(), 1, was_heard).await;
    call.wait(Duration::from_secs(1)).await.unwrap();
    call.say(QUESTION).await.unwrap();
    let turns = until(&webox, &call.sid().clone(), 3, was_heard).await;
    let said: Vec<_> = turns.iter().map(|turn| turn.said.clone().unwrap_or_default()).collect();
    assert!(said[2].contains("coupés") && !said[3].is_empty(), "{said:?}");
}

#[tokio::test]
async fn a_sentence_that_a_crash_cut_off_is_said_again() {
    let speech = FakeSpeech::start();
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let (address, twilio) = (daemon.address, daemon.twilio.clone());
    let number = NUMBER.parse().unwrap();
    let (mut call, _) = StreamedCall::ring(&twilio, CALLER, &number, manner()).await.unwrap();
    daemon.kill();
    let next = Daemon::start_at(&webox, &address.to_string());
    call.drop_socket().await.unwrap();
    let heard = call.listen().await.unwrap();
    let turns = until(&webox, &call.sid().clone(), 0, was_heard).await;
    assert!(turns[0].said.as_deref().unwrap().contains("automatique"), "{heard:?}");
    assert_eq!(turns.len(), 1, "one greeting");
    drop(next);
}

#[tokio::test]
async fn when_nobody_can_speak_twilio_does() {
    let speech = FakeSpeech::start();
    speech.mouth(Mood::Fails(500));
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let number = NUMBER.parse().unwrap();
    let (mut call, heard) =
        StreamedCall::ring(&daemon.twilio, CALLER, &number, manner()).await.unwrap();
    assert!(!call.is_streaming());
    assert!(heard.text.contains("assistant vocal automatique"), "{heard:?}");
    let answer = call.answer("Avez-vous un parking ?").await.unwrap();
    assert!(answer.text.contains("parking") && !answer.text.contains("zzprovider"), "{answer:?}");
}

#[tokio::test]
async fn when_nobody_can_listen_twilio_does() {
    for mood in [Mood::Fails(401), Mood::Fails(429), Mood::Rubbish] {
        let speech = FakeSpeech::start();
        speech.ear(mood);
        let webox = streamed(&speech, "");
        let daemon = Daemon::start(&webox);
        let (mut call, _) = ring(&daemon).await;
        let heard = call.say(QUESTION).await.unwrap();
        assert!(!call.is_streaming(), "{mood:?}: {heard:?}");
        let answer = call.answer("Avez-vous un parking ?").await.unwrap();
        assert!(answer.text.contains("parking"), "{mood:?}: {answer:?}");
    }
}

#[tokio::test]
async fn providers_that_hang_are_not_waited_for_in_silence() {
    let speech = FakeSpeech::start();
    speech.mouth(Mood::Slow(Duration::from_millis(700)));
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let (mut call, greeting) = ring(&daemon).await;
    assert!(greeting.first_frame.is_some(), "late, and spoken all the same");
    call.listen().await.unwrap();
    speech.mouth(Mood::Well);
    speech.ear(Mood::Silent);
    let heard = call.say(QUESTION).await.unwrap();
    assert!(!call.is_streaming(), "{heard:?}");
    let silent = FakeSpeech::start();
    silent.mouth(Mood::Silent);
    let webox = streamed(&silent, "");
    let daemon = Daemon::start(&webox);
    let number = NUMBER.parse().unwrap();
    let (call, heard) =
        StreamedCall::ring(&daemon.twilio, CALLER, &number, manner()).await.unwrap();
    assert!(!call.is_streaming() && heard.text.contains("automatique"), "{heard:?}");
}

#[tokio::test]
async fn a_silent_caller_is_asked_and_noise_is_no_turn() {
    let speech = FakeSpeech::start();
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let (mut call, _) = ring(&daemon).await;
    call.listen().await.unwrap();
    // Sound in which the ear finds no words.
    call.ask(QUESTION).await.unwrap();
    let turns = until(&webox, &call.sid().clone(), 1, was_heard).await;
    assert_eq!(turns[1].heard, Some(Heard::Silence));
    assert!(speech.asked() > 0);
}

#[tokio::test]
async fn a_goodbye_ends_the_call_and_keys_are_heard() {
    let speech = FakeSpeech::start();
    speech.understands(["Au revoir, merci"]);
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let (mut call, _) = ring(&daemon).await;
    call.listen().await.unwrap();
    call.press("42#").await.unwrap();
    call.listen().await.unwrap();
    call.say(QUESTION).await.unwrap();
    call.wait(Duration::from_secs(1)).await.unwrap();
    let (_, turns) = shown(&webox, &call.sid().clone());
    assert_eq!(turns[1].heard, Some(Heard::Digits("42".into())));
    assert_eq!(turns[2].next, Some(Next::HangUp));
    assert_eq!(*call.state(), State::HungUp);
}

/// The stream of a call that rings, opened by hand.
pub(crate) async fn by_hand(daemon: &Daemon, n: u32) -> webox::twilio::socket::Socket {
    let ring = daemon.ring(&sid(n)).await;
    let ticket =
        ring.body.split("name=\"ticket\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let url = format!("wss://calls.example.test/voice-proxy/api/voice/stream/{}", sid(n));
    let mut socket = daemon.twilio.open(&url).await.unwrap();
    let connected = serde_json::to_string(&FromTwilio::Connected {}).unwrap();
    let _ = socket.send(connected).await.unwrap();
    let _ = socket.send(start(daemon, n, Some(ticket))).await.unwrap();
    socket
}

fn start(daemon: &Daemon, n: u32, ticket: Option<&str>) -> String {
    let start = FromTwilio::Start {
        start: Start {
            account_sid: daemon.twilio.account().clone(),
            call_sid: sid(n),
            custom_parameters: ticket
                .map(|t| ("ticket".to_owned(), t.to_owned()))
                .into_iter()
                .collect(),
            media_format: MediaFormat::default(),
        },
        stream_sid: "MZ00000000000000000000000000000001".into(),
    };
    serde_json::to_string(&start).unwrap()
}

fn media(payload: &str, timestamp: u64) -> String {
    format!(
        r#"{{"event":"media","sequenceNumber":"1","media":{{"track":"inbound","chunk":"1","timestamp":"{timestamp}","payload":"{payload}"}},"streamSid":"MZ1"}}"#
    )
}

#[tokio::test]
async fn frames_of_every_kind_are_borne() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let speech = FakeSpeech::start();
    speech.understands(["Avez-vous un parking ?"]);
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let mut socket = by_hand(&daemon, 1).await;
    // The greeting, played at once.
    for mark in 1..20 {
        let _ = socket
            .send(format!(r#"{{"event":"mark","streamSid":"MZ1","mark":{{"name":"{mark}"}}}}"#))
            .await
            .unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    for mark in 1..20 {
        let mark = format!(r#"{{"event":"mark","streamSid":"MZ1","mark":{{"name":"{mark}"}}}}"#);
        let _ = socket.send(mark).await.unwrap();
    }
    until(&webox, &sid(1), 0, was_heard).await;
    // Pieces of odd lengths, some twice, some late, with rubbish in between.
    let mut at = 0;
    for piece in QUESTION.chunks(97) {
        let message = media(&STANDARD.encode(piece), at);
        let _ = socket.send(message.clone()).await.unwrap();
        if at % 5 == 0 {
            let _ = socket.send(message).await.unwrap();
            let _ =
                socket.send(media(&STANDARD.encode(piece), at.saturating_sub(500))).await.unwrap();
            let _ = socket.send(media("not base64!", at)).await.unwrap();
            let _ = socket.send(r#"{"event":"tomorrow"}"#.to_owned()).await.unwrap();
        }
        at += (piece.len() / 8) as u64 + 1;
    }
    let silence = STANDARD.encode([0xFF; 160]);
    for _ in 0..80 {
        let _ = socket.send(media(&silence, at)).await.unwrap();
        at += 20;
    }
    until(&webox, &sid(1), 1, |turn| turn.heard.is_some()).await;
    // A message that is far too long ends the stream, and no other.
    let _ = socket.send("x".repeat(1_000_000)).await;
    while let Ok(Some(_)) = socket.next().await {}
    let back = daemon.post(&format!("resume?call_sid={}", sid(1)), &sid(1), &[]).await;
    assert!(back.body.contains("<Stream"), "{}", back.body);
}

#[tokio::test]
async fn nobody_takes_over_a_stream_or_holds_one_open() {
    let speech = FakeSpeech::start();
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let _first = by_hand(&daemon, 1).await;
    let url = format!("wss://calls.example.test/voice-proxy/api/voice/stream/{}", sid(1));
    for message in [
        start(&daemon, 1, Some(&"0".repeat(32))),
        start(&daemon, 1, None),
        start(&daemon, 2, None),
        media("/w==", 0),
        "rubbish".to_owned(),
    ] {
        let mut socket = daemon.twilio.open(&url).await.unwrap();
        let _ = socket.send(message).await.unwrap();
        assert!(socket.next().await.unwrap().is_none());
        assert_eq!(socket.closed_with(), Some(1008));
    }
    // One that says nothing is closed.
    let mut idle = daemon.twilio.open(&url).await.unwrap();
    assert!(idle.next().await.unwrap().is_none());
    assert_eq!(speech.asked(), 0);
}

#[tokio::test]
async fn a_second_announcement_goes_on_where_the_call_stands() {
    let speech = FakeSpeech::start();
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let ring = daemon.ring(&sid(1)).await;
    assert_eq!(daemon.ring(&sid(1)).await.body, ring.body, "the same until it is used");
    assert!(spoken(&ring).is_empty() && verbs(&ring).len() == 2, "{}", ring.body);
    let ticket =
        ring.body.split("name=\"ticket\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let url = format!("wss://calls.example.test/voice-proxy/api/voice/stream/{}", sid(1));
    let mut socket = daemon.twilio.open(&url).await.unwrap();
    let _ = socket.send(start(&daemon, 1, Some(ticket))).await.unwrap();
    assert!(socket.next().await.unwrap().is_some(), "a frame of the greeting");
    let again = daemon.ring(&sid(1)).await;
    assert!(again.body.contains("<Stream") && again.body != ring.body, "another ticket");
}
