//! The other end of the daemon's sockets: rehearsed calls over a relay and over a stream, against a
//! double of the daemon.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use webox::{
    audio::g711,
    domain::{PhoneNumber, VoiceLine},
    rehearsal::{
        State,
        bench::{self, Plan, Target},
        relayed::RelayedCall,
        streamed::{Manner, StreamedCall},
    },
    twilio::{relay, stream},
};

use crate::support::{
    daemon::{CALLER, NUMBER},
    fake_daemon::{FakeDaemon, Wire},
};

const RELAY: &str = r#"<Response><Say>Cet appel est enregistré.</Say>
    <Connect action="PUBLIC/api/voice/webhook/resume?call_sid=CA1&amp;turn=1" method="POST">
      <ConversationRelay url="SOCKET/socket" welcomeGreeting="Bonjour !" events="tokens-played">
        <Language code="fr-FR"/><Parameter name="token" value="t&amp;1"/>
      </ConversationRelay>
    </Connect>
    <Redirect method="POST">PUBLIC/api/voice/webhook/fallen</Redirect></Response>"#;

const STREAM: &str = r#"<Response><Connect><Stream url="SOCKET/socket">
      <Parameter name="token" value="t"/></Stream></Connect>
    <Redirect method="POST">PUBLIC/api/voice/webhook/resume?turn=1</Redirect></Response>"#;

const GATHER: &str = r#"<Response><Gather input="dtmf speech" action="PUBLIC/api/voice/webhook/process">
    <Say>Acceptez-vous ?</Say></Gather></Response>"#;

const DIAL: &str = "<Response><Say>Je vous passe quelqu'un.</Say><Dial><Number>+33199000112</Number></Dial></Response>";

/// Loud.
const LOUD: u8 = 0x80;

fn number() -> PhoneNumber {
    NUMBER.parse().unwrap()
}

/// Answers each prompt with its words, token by token, and goodbye with the end.
async fn echo(mut wire: Wire) {
    while let Some(message) = wire.next().await {
        let words = message["voicePrompt"].as_str().unwrap_or_default();
        if message["type"] == "dtmf" {
            wire.send(relay::ToTwilio::words(&format!("touche {}", message["digit"])).render())
                .await;
            wire.send(relay::ToTwilio::last().render()).await;
        }
        if message["type"] != "prompt" || message["last"] == false {
            continue;
        }
        for word in words.split_inclusive(' ') {
            wire.send(relay::ToTwilio::words(word).render()).await;
        }
        // Whoever tells a long story is interrupted before its end.
        if words.starts_with("histoire") {
            wire.next_of("type", "interrupt").await;
            wire.send(relay::ToTwilio::words("trop tard").render()).await;
            continue;
        }
        wire.send(relay::ToTwilio::last().render()).await;
        if words == "au revoir" {
            let handoff_data = Some(json!({ "reason": "done" }).to_string());
            wire.send(relay::ToTwilio::End { handoff_data }.render()).await;
        }
    }
}

#[tokio::test]
async fn a_relay_greets_answers_and_ends_at_its_action() {
    let daemon = FakeDaemon::start(&[RELAY], echo).await;
    let (mut call, greeting) = RelayedCall::place(&daemon.caller, CALLER, &number()).await.unwrap();
    assert_eq!(greeting.text, "Cet appel est enregistré. Bonjour !");
    assert!(call.is_relayed() && greeting.after.is_some() && greeting.twiml.len() == 1);
    let heard = call.say("à quelle heure ?").await.unwrap();
    assert_eq!((heard.text.as_str(), heard.messages.len()), ("à quelle heure ?", 5));
    assert!(heard.after.unwrap() <= heard.whole);
    assert_eq!(call.say_in_parts(&["de", "demain"]).await.unwrap().text, "demain");
    assert_eq!(call.press("4").await.unwrap().text, "touche \"4\"");
    assert_eq!(call.say("au revoir").await.unwrap().text, "au revoir");
    assert_eq!(*call.state(), State::HungUp);
    call.hang_up().await.unwrap();

    let messages = daemon.messages();
    let setup = &messages[0];
    assert_eq!((&setup["type"], &setup["from"]), (&json!("setup"), &json!(CALLER)));
    assert_eq!(setup["customParameters"]["token"], "t&1");
    assert_eq!(setup["callSid"], call.sid().as_str());
    let played = |message: &&Value| message["name"] == "tokensPlayed";
    assert_eq!(messages.iter().filter(played).count(), 4, "the TwiML asks for it");
    let posted = daemon.posted();
    let (path, resumed) = &posted[1];
    assert_eq!(path, "/api/voice/webhook/resume?call_sid=CA1&turn=1");
    assert_eq!(
        (resumed["SessionStatus"].as_str(), resumed["CallStatus"].as_str()),
        ("ended", "in-progress")
    );
    assert_eq!(resumed["HandoffData"], r#"{"reason":"done"}"#);
    assert!(resumed["SessionId"].starts_with("VX"));
    assert_eq!(posted[2].1["CallStatus"], "completed");
    assert_eq!(posted.len(), 3);
}

#[tokio::test]
async fn words_on_their_way_are_no_part_of_what_answers_an_interruption() {
    let daemon = FakeDaemon::start(&[RELAY], echo).await;
    let (mut call, _) = RelayedCall::place(&daemon.caller, CALLER, &number()).await.unwrap();
    let heard = call.ask("histoire d'un roi et de sa fille", 15).await.unwrap();
    assert!(heard.text.starts_with("histoire d'un") && !heard.text.ends_with("fille"));
    let heard = call.interrupt("histoire d'un", "et la reine ?").await.unwrap();
    assert_eq!(heard.text, "et la reine ?");
    let interrupt = json!({
        "type": "interrupt", "utteranceUntilInterrupt": "histoire d'un",
        "durationUntilInterruptMs": 866,
    });
    assert!(daemon.messages().contains(&interrupt), "{:?}", daemon.messages());
    call.hang_up().await.unwrap();
    let posted = daemon.posted();
    let (_, resumed) = &posted[1];
    assert_eq!(resumed["SessionStatus"], "completed", "the caller hung up");
    assert_eq!(resumed["CallStatus"], "completed");
}

#[tokio::test]
async fn a_lost_relay_is_told_and_comes_back() {
    let daemon = FakeDaemon::start(&[GATHER, RELAY, RELAY, DIAL], async |mut wire: Wire| {
        if wire.number == 1 {
            echo(wire).await;
        } else {
            wire.next_of("type", "prompt").await;
            wire.close().await;
        }
    })
    .await;
    let (mut call, asked) = RelayedCall::place(&daemon.caller, CALLER, &number()).await.unwrap();
    assert_eq!((asked.text.as_str(), call.is_relayed()), ("Acceptez-vous ?", false));
    let heard = call.press("1").await.unwrap();
    assert!(call.is_relayed() && heard.text.ends_with("Bonjour !"));
    assert_eq!(daemon.posted()[1].1["Digits"], "1");
    let back = call.drop_socket().await.unwrap();
    assert!(back.text.ends_with("Bonjour !") && call.is_relayed());
    let lost = &daemon.posted()[2].1;
    assert_eq!((lost["SessionStatus"].as_str(), lost["ErrorCode"].as_str()), ("failed", "39001"));
    // This time the daemon closes it without a word.
    let heard = call.say("passez-moi quelqu'un").await.unwrap();
    assert_eq!(heard.text, "Je vous passe quelqu'un.");
    assert_eq!(*call.state(), State::Transferred("+33199000112".parse().unwrap()));
    call.hang_up().await.unwrap();
}

#[tokio::test]
async fn an_upgrade_that_is_refused_goes_on_at_the_action() {
    let daemon = FakeDaemon::start(&[RELAY, RELAY], echo).await;
    daemon.refuse(1);
    let (call, _) = RelayedCall::place(&daemon.caller, CALLER, &number()).await.unwrap();
    assert!(call.is_relayed());
    assert!(call.failures()[0].contains("refused with 503"), "{:?}", call.failures());
    assert_eq!(daemon.posted()[1].1["SessionStatus"], "failed");

    let daemon = FakeDaemon::start(&[STREAM; 9], echo).await;
    daemon.refuse(9);
    let failed = StreamedCall::place(&daemon.caller, CALLER, &number()).await;
    let Err(error) = failed else { panic!("it cannot come about") };
    assert!(error.to_string().contains("however often"), "{error}");
    assert_eq!(daemon.posted().len(), 6, "not for ever");
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn brief() -> Manner {
    Manner { quiet: ms(100), patience: Duration::from_secs(10), record: true }
}

async fn say(wire: &mut Wire, sid: &str, frames: usize, mark: &str) {
    for _ in 0..frames {
        wire.send(stream::ToTwilio::media(sid, &[LOUD; 160]).render()).await;
    }
    wire.send(stream::ToTwilio::mark(sid, mark).render()).await;
}

async fn start(wire: &mut Wire) -> String {
    let start = wire.next_of("event", "start").await.unwrap();
    start["streamSid"].as_str().unwrap().to_owned()
}

/// The next frame in which the caller speaks.
async fn voiced(wire: &mut Wire) -> Option<()> {
    loop {
        let media = wire.next_of("event", "media").await?;
        if is_loud(&media) {
            return Some(());
        }
    }
}

fn is_loud(media: &Value) -> bool {
    let payload = media["media"]["payload"].as_str().unwrap();
    STANDARD.decode(payload).unwrap().iter().any(|byte| g711::decode(*byte) != 0)
}

#[tokio::test]
async fn a_stream_carries_sound_both_ways_in_real_time() {
    let daemon = FakeDaemon::start(&[STREAM], async |mut wire: Wire| {
        let sid = start(&mut wire).await;
        say(&mut wire, &sid, 10, "greeting").await;
        voiced(&mut wire).await;
        for _ in 0..15 {
            wire.next_of("event", "media").await;
        }
        say(&mut wire, &sid, 5, "answer").await;
        wire.next_of("event", "dtmf").await;
        say(&mut wire, &sid, 1, "key").await;
        while wire.next().await.is_some() {}
    })
    .await;
    let (mut call, greeting) =
        StreamedCall::ring(&daemon.caller, CALLER, &number(), brief()).await.unwrap();
    assert!(greeting.first_frame.is_some() && greeting.after.is_some());
    call.listen().await.unwrap();
    // 100 ms of speech, and silence after it.
    let mut speech = vec![LOUD; 800];
    speech.resize(1_600, g711::SILENCE);
    let heard = call.say(&speech).await.unwrap();
    assert!(heard.after.is_some(), "{heard:?}");
    assert!(heard.cleared.is_none() && heard.first_frame.is_none());
    assert!(call.press("7").await.unwrap().after.is_some());
    let (caller, assistant) = call.recording();
    assert_eq!(caller.len(), assistant.len());
    let loud = |track: &[i16]| track.iter().filter(|sample| **sample != 0).count();
    assert_eq!(loud(&caller), 800);
    assert!(loud(&assistant) >= 15 * 160, "what is played, and no more: {}", loud(&assistant));
    let greeted = assistant.iter().rposition(|sample| *sample != 0).unwrap();
    let spoke = caller.iter().position(|sample| *sample != 0).unwrap();
    assert!(greeted > spoke, "the answer comes after the question");
    call.hang_up().await.unwrap();

    let messages = daemon.messages();
    let kinds: Vec<&str> =
        messages.iter().filter_map(|message| message["event"].as_str()).collect();
    assert_eq!(kinds[..2], ["connected", "start"]);
    assert_eq!(kinds.last(), Some(&"stop"));
    let begun = &messages[1]["start"];
    assert_eq!(begun["customParameters"]["token"], "t");
    assert_eq!(begun["mediaFormat"]["sampleRate"], 8_000);
    assert_eq!(messages[1]["start"]["streamSid"], messages[1]["streamSid"]);
    for (n, message) in messages.iter().skip(1).enumerate() {
        assert_eq!(message["sequenceNumber"], (n + 1).to_string());
    }
    let media: Vec<&Value> = messages.iter().filter(|m| m["event"] == "media").collect();
    for (n, frame) in media.iter().enumerate() {
        assert_eq!(frame["media"]["chunk"], (n + 1).to_string());
        assert_eq!(frame["media"]["timestamp"], (n * 20).to_string());
    }
    // A mark comes back while the caller goes on; how late is held in the clock's own tests.
    let marked = messages.iter().position(|m| m["mark"]["name"] == "greeting").unwrap();
    let before = messages[..marked].iter().filter(|m| m["event"] == "media").count();
    assert!(before >= 1, "{before}");
    for message in &messages {
        stream::FromTwilio::read(&message.to_string()).unwrap();
    }
}

#[tokio::test]
async fn what_is_cleared_is_not_heard_and_its_marks_come_back() {
    let daemon = FakeDaemon::start(&[STREAM], async |mut wire: Wire| {
        let sid = start(&mut wire).await;
        // Ten seconds, at once.
        wire.send(stream::ToTwilio::media(&sid, &vec![LOUD; 80_000]).render()).await;
        wire.send(stream::ToTwilio::mark(&sid, "end").render()).await;
        voiced(&mut wire).await;
        wire.send(stream::ToTwilio::Clear { stream_sid: (&*sid).into() }.render()).await;
        wire.next_of("event", "mark").await;
        for _ in 0..20 {
            wire.next_of("event", "media").await;
        }
        say(&mut wire, &sid, 2, "answer").await;
        while wire.next().await.is_some() {}
    })
    .await;
    let (mut call, _) =
        StreamedCall::ring(&daemon.caller, CALLER, &number(), brief()).await.unwrap();
    let heard = call.interrupt_after(ms(200), &vec![LOUD; 1_600]).await.unwrap();
    assert!(heard.cleared.is_some() && heard.after.is_some(), "{heard:?}");
    call.listen().await.unwrap();
    let (_, assistant) = call.recording();
    let loud = assistant.iter().filter(|sample| **sample != 0).count();
    assert!(loud >= 1_600, "it was heard for 200 ms: {loud}");
    assert!(assistant.len() < 72_000, "and not to its end");
    assert_eq!(call.gaps().late, 0);
    call.hang_up().await.unwrap();
}

#[tokio::test]
async fn a_lost_stream_goes_on_after_its_connect() {
    let daemon = FakeDaemon::start(&[GATHER, STREAM, STREAM, DIAL], async |mut wire: Wire| {
        let sid = start(&mut wire).await;
        say(&mut wire, &sid, 1, "greeting").await;
        if wire.number == 2 {
            voiced(&mut wire).await;
            return wire.close().await;
        }
        while wire.next().await.is_some() {}
    })
    .await;
    let (mut call, _) =
        StreamedCall::ring(&daemon.caller, CALLER, &number(), brief()).await.unwrap();
    assert!(!call.is_streaming() && *call.state() == State::Listening, "it asks first");
    let greeted = call.answer("oui").await.unwrap();
    assert!(greeted.first_frame.is_some() && call.is_streaming());
    assert_eq!(daemon.posted()[1].1["SpeechResult"], "oui");
    call.drop_socket().await.unwrap();
    assert!(call.is_streaming());
    let (path, fields) = &daemon.posted()[2];
    assert_eq!(
        (path.as_str(), fields["CallStatus"].as_str()),
        ("/api/voice/webhook/resume?turn=1", "in-progress")
    );
    call.listen().await.unwrap();
    let heard = call.say(&vec![LOUD; 8_000]).await.unwrap();
    assert_eq!(heard.text, "Je vous passe quelqu'un.");
    assert_eq!(*call.state(), State::Transferred("+33199000112".parse().unwrap()));
    assert!(!call.is_streaming());
    call.hang_up().await.unwrap();
    let sids: Vec<Value> = daemon
        .messages()
        .iter()
        .filter(|message| message["event"] == "start")
        .map(|message| message["streamSid"].clone())
        .collect();
    assert!(sids.len() == 2 && sids[0] != sids[1], "{sids:?}");
}

/// A daemon of half a second's silence and three seconds' answers, which can be interrupted.
async fn converse(mut wire: Wire) {
    let sid = start(&mut wire).await;
    say(&mut wire, &sid, 5, "greeting").await;
    let (mut heard, mut silent, mut speaking) = (0, 0, false);
    while let Some(message) = wire.next().await {
        match message["event"].as_str() {
            Some("media") if is_loud(&message) => {
                (heard, silent) = (heard + 1, 0);
                if speaking && heard > 5 {
                    speaking = false;
                    let clear = stream::ToTwilio::Clear { stream_sid: (&*sid).into() };
                    wire.send(clear.render()).await;
                }
            }
            Some("media") => {
                silent += 1;
                if silent == 25 && heard > 5 {
                    (heard, speaking) = (0, true);
                    say(&mut wire, &sid, 150, "answer").await;
                }
            }
            Some("mark") => speaking = false,
            _ => {}
        }
    }
}

#[tokio::test]
async fn many_streams_are_measured_at_once() {
    let daemon = FakeDaemon::start(&[STREAM; 4], converse).await;
    let target = Target {
        caller: daemon.caller.clone(),
        number: number(),
        pid: Some(std::process::id()),
        not_ours: Some(ms(500)),
    };
    let plan = Plan { line: VoiceLine::Stream, calls: 4, length: ms(1_600), ramp: ms(40) };
    let mut told = Vec::new();
    let report = bench::run(plan, &target, |progress| told.push(progress.ended)).await;
    let shown = serde_json::to_string(&report).unwrap();
    assert_eq!((report.calls, report.failed), (4, 0), "{shown}");
    // One question each, and the fourth caller talks over the answer.
    assert_eq!((report.turns, report.greeting.unwrap().count), (5, 4), "{shown}");
    let (answer, own) = (report.answer.unwrap(), report.own_share.unwrap());
    assert_eq!((answer.count, own.count, report.judged()), (5, 5, report.own_share));
    assert!(own.p50_ms <= answer.p50_ms, "{shown}");
    let sound = report.sound.unwrap();
    assert_eq!((sound.barge_in.map(|it| it.count), sound.not_cleared), (Some(1), 0), "{shown}");
    assert!(sound.messages >= 4 * 5 + 5, "{shown}");
    assert!(report.daemon.unwrap().idle_kb > 0, "{shown}");
    assert!(told.last().is_some_and(|ended| *ended <= 4));
    let ended = daemon.posted().iter().filter(|(path, _)| path.ends_with("/status")).count();
    assert_eq!(ended, 4, "each call is over for the daemon as well");
}
