//! Calls that are handed to a human on the lines `relay` and `stream`: they leave the socket, ring, and come
//! back to it when nobody takes them.

use std::time::Duration;

use webox::{
    domain::{
        Actor, CallSid,
        HandoverOutcome::{self, Answered, Busy, NoAnswer, Refused},
    },
    operations::calls,
    rehearsal::{Human, Humans, State, relayed::RelayedCall, streamed::StreamedCall},
};

use crate::{
    stream::{QUESTION, ring, streamed},
    support::{
        cmd::Webox,
        daemon::{CALLER, Daemon, NUMBER},
        fake_speech::FakeSpeech,
        seed,
    },
    transfer::{le_gourmet, two},
};

fn outcomes(webox: &Webox, sid: &CallSid) -> Vec<Option<HandoverOutcome>> {
    let store = seed::store(webox);
    let (call, _) = calls::show(&store, &Actor::webox("test"), sid).unwrap();
    let handovers = calls::handovers(&store, call.id).unwrap();
    handovers.into_iter().map(|human| human.outcome).collect()
}

fn relayed(more: &str) -> Webox {
    let sections = format!("{}[voice]\nline = \"relay\"\nlanguage = \"fr-FR\"\n", two(more));
    le_gourmet(Webox::with_le_gourmet(), &sections)
}

/// A call past its greeting, with humans who do something.
async fn place<'d>(daemon: &'d Daemon, will: &[Human]) -> RelayedCall<'d> {
    let number = NUMBER.parse().unwrap();
    let (mut call, _) = RelayedCall::place(&daemon.twilio, CALLER, &number).await.unwrap();
    call.humans(Humans::new(will.to_vec()));
    call.listen().await.unwrap();
    call
}

/// Waits until the call is where it is to be: it leaves its socket when the words are spoken.
async fn until(call: &mut RelayedCall<'_>, is_there: impl Fn(&RelayedCall<'_>) -> bool) -> String {
    let mut heard = String::new();
    for _ in 0..40 {
        if is_there(call) {
            return heard;
        }
        heard += &call.wait(Duration::from_millis(500)).await.unwrap().text;
    }
    panic!("it never came to that: {:?}, {heard}", call.state());
}

#[tokio::test]
async fn a_relayed_call_is_handed_to_the_human_who_takes_it() {
    let webox = relayed("warm = true");
    let daemon = Daemon::start(&webox);
    let mut call = place(&daemon, &[Human::Refuses, Human::Answers]).await;
    call.say("Je veux parler à quelqu'un").await.unwrap();
    until(&mut call, |call| *call.state() != State::Listening).await;
    assert_eq!(*call.state(), State::Transferred("+33612345602".parse().unwrap()));
    let sid = call.sid().clone();
    call.hang_up().await.unwrap();
    assert_eq!(outcomes(&webox, &sid), [Some(Refused), Some(Answered)]);
}

#[tokio::test]
async fn a_relayed_call_that_nobody_takes_comes_back_to_its_socket() {
    let webox = relayed("warm = true");
    let daemon = Daemon::start(&webox);
    let mut call = place(&daemon, &[Human::Busy, Human::IsAway]).await;
    let mut heard = call.say("Je veux parler à quelqu'un").await.unwrap().text;
    let is_back =
        |call: &RelayedCall<'_>| outcomes(&webox, call.sid()).len() == 2 && call.is_relayed();
    heard += &until(&mut call, is_back).await;
    assert!(heard.contains("personne n'a pu prendre votre appel"), "{heard}");
    let noted = call.say("Dites-lui que Martin a appelé pour le devis").await.unwrap();
    assert!(noted.text.contains("transmets votre message"), "{noted:?}");
    assert_eq!(outcomes(&webox, &call.sid().clone()), [Some(Busy), Some(NoAnswer)]);
}

#[tokio::test]
async fn a_relayed_call_that_nobody_takes_may_end_with_a_message_after_a_beep() {
    let webox = relayed("voicemail = true");
    let daemon = Daemon::start(&webox);
    let mut call = place(&daemon, &[Human::IsAway]).await;
    let mut heard = call.say("Je veux parler à quelqu'un").await.unwrap().text;
    let rang = |call: &RelayedCall<'_>| {
        let outcomes = outcomes(&webox, call.sid());
        outcomes.len() == 2 && outcomes.iter().all(Option::is_some) && !call.is_relayed()
    };
    heard += &until(&mut call, rang).await;
    assert!(heard.contains("après le signal sonore"), "{heard}");
    let thanks = call.say("Ici Martin, rappelez-moi").await.unwrap();
    assert!(thanks.text.contains("transmets votre message"), "{thanks:?}");
    assert_eq!(*call.state(), State::HungUp);
    let store = seed::store(&webox);
    let (row, _) = calls::show(&store, &Actor::webox("test"), call.sid()).unwrap();
    let messages = calls::messages(&store, row.id).unwrap();
    assert!(messages.len() == 1 && messages[0].recording.is_some(), "{messages:?}");
}

/// The same over sound.
async fn handed<'d>(daemon: &'d Daemon, will: &[Human]) -> StreamedCall<'d> {
    let (mut call, _) = ring(daemon).await;
    call.humans(Humans::new(will.to_vec()));
    call.say(QUESTION).await.unwrap();
    call
}

#[tokio::test]
async fn a_streamed_call_is_handed_over_and_comes_back() {
    let speech = FakeSpeech::start();
    speech.understands(["Je veux parler à quelqu'un", "Dites-lui que Martin a appelé"]);
    let webox = streamed(&speech, &two("warm = true"));
    let daemon = Daemon::start(&webox);
    let mut call = handed(&daemon, &[Human::Refuses, Human::IsAway]).await;
    let sid = call.sid().clone();
    for _ in 0..40 {
        if outcomes(&webox, &sid).len() == 2 && call.is_streaming() {
            break;
        }
        call.wait(Duration::from_millis(250)).await.unwrap();
    }
    assert_eq!(outcomes(&webox, &sid), [Some(Refused), Some(NoAnswer)]);
    assert!(call.is_streaming(), "back to its stream: {:?}", call.state());
    call.say(QUESTION).await.unwrap();
    let store = seed::store(&webox);
    let (row, _) = calls::show(&store, &Actor::webox("test"), &sid).unwrap();
    for _ in 0..200 {
        if !calls::messages(&store, row.id).unwrap().is_empty() {
            break;
        }
        call.wait(Duration::from_millis(50)).await.unwrap();
    }
    let messages = calls::messages(&store, row.id).unwrap();
    assert!(messages[0].text.contains("Martin"), "{messages:?}");
}

#[tokio::test]
async fn a_streamed_call_goes_to_the_human_who_takes_it() {
    let speech = FakeSpeech::start();
    speech.understands(["Je veux parler à quelqu'un"]);
    let webox = streamed(&speech, &two("warm = true"));
    let daemon = Daemon::start(&webox);
    let mut call = handed(&daemon, &[Human::Answers]).await;
    for _ in 0..40 {
        if *call.state() != State::Listening {
            break;
        }
        call.wait(Duration::from_millis(250)).await.unwrap();
    }
    assert_eq!(*call.state(), State::Transferred("+33612345601".parse().unwrap()));
    let sid = call.sid().clone();
    call.hang_up().await.unwrap();
    assert_eq!(outcomes(&webox, &sid), [Some(Answered)]);
}
