//! The line `relay`: calls over ConversationRelay, as Twilio makes them, against the real daemon.

use std::time::Duration;

use webox::{
    domain::{Actor, CallSid, EndReason, Heard, Next, Turn},
    operations::calls,
    rehearsal::{
        State,
        relayed::{self, RelayedCall},
    },
    twilio::relay::{FromTwilio, ToTwilio},
};

use crate::support::{
    cmd::Webox,
    daemon::{CALLER, Daemon, NUMBER, sid, spoken},
    fake_http::{Behaviour, KEY},
    fake_openai::FakeOpenAi,
    seed,
};

/// Le Gourmet over a relay, with more in its file.
fn relayed(more: &str) -> Webox {
    let webox = Webox::with_le_gourmet_always_open();
    set(&webox, &format!("[voice]\nline = \"relay\"\nlanguage = \"fr-FR\"\n{more}"));
    webox
}

fn set(webox: &Webox, sections: &str) {
    let exported = webox.run(["export", "le-gourmet"]).ok();
    let mut file: toml::Table = toml::from_str(&exported.stdout).unwrap();
    let given: toml::Table = toml::from_str(sections).unwrap();
    file.extend(given);
    let path = webox.file("le-gourmet.toml", &toml::to_string(&file).unwrap());
    webox.run(["apply", &path, "--yes"]).ok();
}

fn turns(webox: &Webox, sid: &CallSid) -> Vec<Turn> {
    calls::show(&seed::store(webox), &Actor::webox("test"), sid).unwrap().1
}

async fn place(daemon: &Daemon) -> (RelayedCall<'_>, relayed::Heard) {
    RelayedCall::place(&daemon.twilio, CALLER, &NUMBER.parse().unwrap()).await.unwrap()
}

/// A call past its greeting.
async fn greeted(daemon: &Daemon) -> RelayedCall<'_> {
    let (mut call, _) = place(daemon).await;
    let rest = call.listen().await.unwrap();
    assert!(rest.text.contains('?'), "what may be talked over comes over the socket: {rest:?}");
    call
}

/// Turns once the last of them is known to be heard, which is noted a moment after it was.
async fn settled(webox: &Webox, sid: &CallSid, number: u32) -> Vec<Turn> {
    for _ in 0..500 {
        let turns = turns(webox, sid);
        let heard = |turn: &&Turn| turn.said.as_deref().is_some_and(|said| !said.is_empty());
        if turns.iter().any(|turn| turn.number == number && heard(&turn)) {
            return turns;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("turn {number} was never heard: {:?}", turns(webox, sid));
}

#[tokio::test]
async fn a_call_is_greeted_heard_and_answered_over_its_socket() {
    let webox = relayed("");
    let daemon = Daemon::start(&webox);
    let (mut call, greeting) = place(&daemon).await;
    assert!(call.failures().is_empty(), "{:?}", call.failures());
    let relay = call.endpoint().unwrap();
    assert_eq!(relay.attribute("ttsProvider"), Some("Amazon"));
    assert_eq!(relay.attribute("language"), Some("fr-FR"));
    assert_eq!(relay.attribute("welcomeGreetingInterruptible"), Some("none"));
    assert!(greeting.text.contains("Le Gourmet"), "{}", greeting.text);
    assert!(greeting.twiml[0].contains("<Redirect"), "a way back: {}", greeting.twiml[0]);
    call.listen().await.unwrap();
    let answer = call.say("Avez-vous un parking ?").await.unwrap();
    assert!(answer.text.contains("parking"), "{answer:?}");
    assert!(matches!(answer.messages.last(), Some(ToTwilio::Text { last: true, .. })));
    let sid = call.sid().clone();
    let stored = settled(&webox, &sid, 1).await;
    assert!(stored[0].said.as_deref().unwrap().contains("automatique"));
    assert_eq!(stored[1].said.as_deref(), Some(answer.text.trim()));
    assert_eq!(stored[1].unheard, None);
    call.hang_up().await.unwrap();
    let (row, _) = calls::show(&seed::store(&webox), &Actor::webox("test"), &sid).unwrap();
    assert_eq!(row.end_reason, Some(EndReason::CallerHungUp));
    assert!(row.disclosed_at.is_some());
}

#[tokio::test]
async fn words_leave_before_the_reply_is_whole() {
    let text = "Nous sommes ouverts de midi à quatorze heures et de dix-neuf heures à minuit.";
    let gap = Duration::from_millis(60);
    let model = FakeOpenAi::start(vec![Behaviour::SlowDrip { text: text.to_owned(), gap }]);
    let webox = relayed("[ai]\nmodel = \"openai/gpt-6-luna\"\n")
        .env("OPENAI_API_KEY", KEY)
        .env("OPENAI_BASE_URL", model.url());
    let daemon = Daemon::start(&webox);
    let mut call = greeted(&daemon).await;
    let answer = call.say("Quand êtes-vous ouverts ?").await.unwrap();
    assert_eq!(answer.text.trim(), text);
    let pieces = answer
        .messages
        .iter()
        .filter(|m| matches!(m, ToTwilio::Text { token, .. } if !token.is_empty()));
    assert!(pieces.count() >= 5, "{:?}", answer.messages);
    let (first, whole) = (answer.after.unwrap(), answer.whole);
    assert!(first * 2 < whole, "the first word after {first:?}, the last after {whole:?}");
}

#[tokio::test]
async fn an_interruption_keeps_what_was_heard_and_stops_the_model() {
    let text = "Nous avons une grande terrasse. Elle est ouverte tous les soirs. Il faut réserver.";
    let slow = Behaviour::SlowDrip { text: text.to_owned(), gap: Duration::from_millis(150) };
    let model = FakeOpenAi::start(vec![slow, Behaviour::Say("Bien sûr, une table dehors.".into())]);
    let webox = relayed("[ai]\nmodel = \"openai/gpt-6-luna\"\n")
        .env("OPENAI_API_KEY", KEY)
        .env("OPENAI_BASE_URL", model.url());
    let daemon = Daemon::start(&webox);
    let mut call = greeted(&daemon).await;
    let begun = call.ask("Parlez-moi de la terrasse.", 20).await.unwrap();
    assert!(begun.text.starts_with("Nous avons une"), "{begun:?}");
    let answer = call.interrupt("Nous avons une", "Je veux une table dehors").await.unwrap();
    assert_eq!(answer.text.trim(), "Bien sûr, une table dehors.");
    let sid = call.sid().clone();
    let stored = settled(&webox, &sid, 2).await;
    assert_eq!(stored[1].said.as_deref(), Some("Nous avons une"));
    assert!(stored[1].unheard.as_deref().unwrap().starts_with("grande"), "{:?}", stored[1].unheard);
    assert!(!stored[1].unheard.as_deref().unwrap().contains("réserver"), "the model was stopped");
    assert_eq!(stored[1].attempts[0].outcome.as_str(), "interrupted");
    // The model is told what was heard, and not the rest.
    let requests = model.requests();
    let told = requests.last().unwrap().json["messages"].to_string();
    assert!(told.contains("Nous avons une") && !told.contains("grande terrasse"), "{told}");
}

#[tokio::test]
async fn a_lost_socket_comes_back_to_the_same_conversation() {
    let webox = relayed("");
    let daemon = Daemon::start(&webox);
    let mut call = greeted(&daemon).await;
    call.say("Une table pour quatre demain à vingt heures").await.unwrap();
    let back = call.drop_socket().await.unwrap();
    assert!(call.is_relayed(), "another socket");
    assert!(back.text.contains("coupés"), "{back:?}");
    let answer = call.say("Au nom de Dupont").await.unwrap();
    assert!(answer.text.contains("Dupont") || answer.text.contains("confirm"), "{answer:?}");
    let sid = call.sid().clone();
    let greetings = settled(&webox, &sid, 3).await;
    let greetings = greetings.iter().filter(|turn| turn.heard.is_none()).count();
    assert_eq!(greetings, 2, "the greeting and the excuse");
}

#[tokio::test]
async fn however_often_the_socket_is_lost_the_call_goes_on() {
    let webox = relayed("");
    let daemon = Daemon::start(&webox);
    let mut call = greeted(&daemon).await;
    let mut last = None;
    for _ in 0..6 {
        if call.is_relayed() {
            last = Some(call.drop_socket().await.unwrap());
        }
    }
    assert!(!call.is_relayed() && *call.state() == State::Listening, "{last:?}");
    let answer = call.say("Avez-vous un parking ?").await.unwrap();
    assert!(answer.text.contains("parking"), "{answer:?}");
}

#[tokio::test]
async fn what_was_said_when_the_daemon_died_is_answered_by_the_next() {
    let slow = Behaviour::DelayHeaders(Duration::from_secs(30), "Trop tard.".into());
    let model = FakeOpenAi::start(vec![slow, Behaviour::Say("Oui, nous avons un parking.".into())]);
    let webox = relayed("[ai]\nmodel = \"openai/gpt-6-luna\"\n")
        .env("OPENAI_API_KEY", KEY)
        .env("OPENAI_BASE_URL", model.url());
    let daemon = Daemon::start(&webox);
    let address = daemon.address;
    let twilio = daemon.twilio.clone();
    let (mut call, _) =
        RelayedCall::place(&twilio, CALLER, &NUMBER.parse().unwrap()).await.unwrap();
    call.listen().await.unwrap();
    let sid = call.sid().clone();
    let asked = call.ask("Avez-vous un parking ?", 1);
    let _ = tokio::time::timeout(Duration::from_millis(700), asked).await;
    assert!(turns(&webox, &sid).iter().any(|turn| turn.number == 1 && turn.said.is_none()));
    daemon.kill();
    let next = Daemon::start_at(&webox, &address.to_string());
    let back = call.drop_socket().await.unwrap();
    assert_eq!(back.text.trim(), "Oui, nous avons un parking.");
    drop(next);
}

#[tokio::test]
async fn nobody_takes_over_a_call() {
    let webox = relayed("");
    let daemon = Daemon::start(&webox);
    let (call, greeting) = place(&daemon).await;
    let twiml = &greeting.twiml[0];
    let ticket = twiml.split("name=\"ticket\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let sid = call.sid();
    for (ticket, of) in [
        (Some(ticket.to_owned()), sid.clone()),
        (Some("0".repeat(32)), sid.clone()),
        (None, sid.clone()),
    ] {
        let url = format!("wss://calls.example.test/voice-proxy/api/voice/relay/{sid}");
        let mut socket = daemon.twilio.open(&url).await.unwrap();
        let setup = FromTwilio::Setup {
            session_id: "VX00000000000000000000000000000001".into(),
            account_sid: daemon.twilio.account().clone(),
            call_sid: of,
            custom_parameters: ticket.into_iter().map(|t| ("ticket".to_owned(), t)).collect(),
        };
        let _ = socket.send(serde_json::to_string(&setup).unwrap()).await.unwrap();
        assert!(socket.next().await.unwrap().is_none(), "it is closed");
        assert_eq!(socket.closed_with(), Some(1008));
    }
    // A socket of a call that is not there, or that nobody signed.
    let other = format!(
        "wss://calls.example.test/voice-proxy/api/voice/relay/{}",
        crate::support::daemon::sid(7)
    );
    let mut socket = daemon.twilio.open(&other).await.unwrap();
    let _ = socket.send("{}".to_owned()).await.unwrap();
    assert!(socket.next().await.unwrap().is_none());
    let url = format!("ws://{}/api/voice/relay/{sid}", daemon.address);
    let stranger = webox::twilio::socket::Socket::open(&url, "bm90IHR3aWxpbydzIHNpZ25hdHVyZQ==");
    assert!(stranger.await.is_err(), "a signature is needed");
}

#[tokio::test]
async fn a_goodbye_ends_the_call_by_twiml() {
    let webox = relayed("");
    let daemon = Daemon::start(&webox);
    let mut call = greeted(&daemon).await;
    let mut answer = call.say("Au revoir, merci").await.unwrap();
    if *call.state() == State::Listening {
        answer = call.listen().await.unwrap();
    }
    assert_eq!(*call.state(), State::HungUp, "{answer:?}");
    let sid = call.sid().clone();
    let stored = settled(&webox, &sid, 1).await;
    assert_eq!(stored[1].next, Some(Next::HangUp));
}

#[tokio::test]
async fn keys_are_heard_as_one_number() {
    let webox = relayed("");
    let daemon = Daemon::start(&webox);
    let mut call = greeted(&daemon).await;
    call.press("42#").await.unwrap();
    let stored = settled(&webox, &call.sid().clone(), 1).await;
    assert_eq!(stored[1].heard, Some(Heard::Digits("42".into())));
}

#[tokio::test]
async fn rubbish_on_the_socket_is_ignored_and_then_enough() {
    let webox = relayed("");
    let daemon = Daemon::start(&webox);
    let ring = daemon.ring(&sid(3)).await;
    let ticket =
        ring.body.split("name=\"ticket\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let url = format!("wss://calls.example.test/voice-proxy/api/voice/relay/{}", sid(3));
    let mut socket = daemon.twilio.open(&url).await.unwrap();
    let setup = FromTwilio::Setup {
        session_id: "VX00000000000000000000000000000001".into(),
        account_sid: daemon.twilio.account().clone(),
        call_sid: sid(3),
        custom_parameters: [("ticket".to_owned(), ticket.to_owned())].into(),
    };
    let _ = socket.send(serde_json::to_string(&setup).unwrap()).await.unwrap();
    let _ = socket.send("no json".to_owned()).await.unwrap();
    let prompt =
        r#"{"type":"prompt","voicePrompt":"Avez-vous un parking ?","lang":"fr-FR","last":true}"#;
    let _ = socket.send(prompt.to_owned()).await.unwrap();
    let mut said = String::new();
    while !said.contains("parking") {
        said.push_str(&socket.next().await.unwrap().expect("an answer"));
    }
    for _ in 0..20 {
        let _ = socket.send("no json".to_owned()).await.unwrap();
    }
    while socket.next().await.unwrap().is_some() {}
    // And a message that is far too long.
    let again = daemon.post(&format!("resume?call_sid={}", sid(3)), &sid(3), &[]).await;
    assert!(again.body.contains("<ConversationRelay"), "{}", again.body);
    let mut socket = daemon.twilio.open(&url).await.unwrap();
    let _ = socket.send("x".repeat(1_000_000)).await;
    assert!(!matches!(socket.next().await, Ok(Some(_))));
    assert!(spoken(&daemon.ring(&sid(4)).await).is_empty(), "others are answered as before");
}

#[tokio::test]
async fn whoever_agrees_to_be_recorded_goes_on_over_the_socket() {
    let webox = relayed("[compliance]\nrecording = \"ask\"\n");
    let daemon = Daemon::start(&webox);
    let (mut call, question) = place(&daemon).await;
    assert!(!call.is_relayed() && question.text.contains("Acceptez-vous"), "{question:?}");
    let agreed = call.say("Oui, d'accord").await.unwrap();
    let twiml = agreed.twiml.last().unwrap();
    let (starts, leads) = (twiml.find("<Start>"), twiml.find("<Connect "));
    assert!(starts.is_some() && starts < leads, "{twiml}");
    assert!(call.is_relayed());
    assert!(!agreed.text.contains("coupés"), "nothing was cut off: {agreed:?}");
    let answer = call.say("Avez-vous un parking ?").await.unwrap();
    assert!(answer.text.contains("parking"), "{answer:?}");
    let stored = settled(&webox, &call.sid().clone(), 2).await;
    assert_eq!(stored.len(), 3, "{stored:?}");
}

#[tokio::test]
async fn nobody_is_recorded_before_being_told() {
    let webox = relayed("[compliance]\nrecording = \"announce\"\n");
    let daemon = Daemon::start(&webox);
    let (mut call, greeting) = place(&daemon).await;
    let twiml = &greeting.twiml[0];
    let (told, starts) = (twiml.find("enregistré"), twiml.find("<Start>"));
    assert!(told.is_some() && told < starts, "{twiml}");
    assert!(!twiml.contains("welcomeGreeting"), "it was said already: {twiml}");
    assert!(call.is_relayed() && !greeting.text.contains("coupés"), "{greeting:?}");
    let answer = call.say("Avez-vous un parking ?").await.unwrap();
    assert!(answer.text.contains("parking"), "{answer:?}");
}
