//! Calls that we make: asked for, dialled once, answered on every line, and who is not called.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use webox::{
    domain::{
        Actor, CallContext, CallPurpose, CallSid, Kind, NewOutbound, OnMachine, OutboundCall,
        OutboundState, PhoneNumber,
    },
    operations::{assistants, calls, outbound},
    rehearsal::{PickedUp, State, relayed::RelayedCall, streamed::StreamedCall},
    store::outbound as rows,
    twilio::{caller::Answer, form::Form},
};

use crate::stream::{QUESTION, streamed};
use crate::support::{
    api::{Who, World},
    cmd::{LE_GOURMET, Webox},
    daemon::{CALLER, Daemon, NUMBER, PUBLIC_URL, TOKEN, hangs_up, sid, spoken},
    fake_speech::FakeSpeech,
    fake_twilio::FakeTwilio,
    seed,
};

const ACCOUNT: &str = "AC00000000000000000000000000000001";

/// People who expect the call: at any hour with `--anyway`.
const SERVICE: &str = "[outbound]\nkind = \"service\"\n\
    greeting = \"Bonjour {{ name }}, ici Le Gourmet, pour votre table de {{ at }}. Confirmez-vous ?\"\n";

const CALL: [&str; 9] = [
    "call",
    "le-gourmet",
    CALLER,
    "--context",
    "name=Madame Zoé",
    "--context",
    "at=mardi 20 h",
    "--anyway",
    "--no-wait",
];

fn applied(webox: Webox, more: &str) -> Webox {
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let file = webox.file("le-gourmet.toml", &format!("{text}\n{more}\n"));
    webox.run(["apply", "--yes", &file]).ok();
    webox
}

fn with(twilio: &FakeTwilio, more: &str) -> Webox {
    let webox =
        Webox::new().env("TWILIO_BASE_URL", twilio.url()).env("TWILIO_ACCOUNT_SID", ACCOUNT);
    applied(webox, more)
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

/// What Twilio posts for a call that it was asked for, to where it was told to.
async fn post(daemon: &Daemon, sid: &CallSid, address: &str, extra: &[(&str, &str)]) -> Answer {
    let to: PhoneNumber = CALLER.parse().unwrap();
    let mut fields = daemon.twilio.fields(sid, NUMBER, &to, "in-progress");
    for (name, value) in [("Direction", "outbound-api")].iter().chain(extra) {
        fields.retain(|(found, _)| found != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    daemon.twilio.post(address, fields).await.unwrap()
}

async fn say(daemon: &Daemon, sid: &CallSid, turn: u32, words: &str) -> Answer {
    let route = format!("/api/voice/webhook/process?call_sid={sid}&turn={turn}");
    post(daemon, sid, &route, &[("SpeechResult", words)]).await
}

async fn end(daemon: &Daemon, sid: &CallSid, form: &Form, status: &str) {
    let address = form.get("StatusCallback").unwrap();
    let extra = [("CallStatus", status), ("CallDuration", "12")];
    assert_eq!(post(daemon, sid, address, &extra).await.status, 204);
}

async fn answered_by(daemon: &Daemon, sid: &CallSid, form: &Form, who: &str) {
    let fields = [("CallSid", sid.as_str()), ("AccountSid", ACCOUNT), ("AnsweredBy", who)];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let address = form.get("AsyncAmdStatusCallback").unwrap();
    assert_eq!(daemon.twilio.post(address, fields).await.unwrap().status, 204);
}

fn all(webox: &Webox) -> Vec<OutboundCall> {
    outbound::list(&seed::store(webox), &Actor::webox("test")).unwrap()
}

/// Waits until the newest stands at a state.
#[track_caller]
fn until(webox: &Webox, state: OutboundState) -> OutboundCall {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let calls = all(webox);
        if let Some(call) = calls.first().filter(|call| call.state == state) {
            return call.clone();
        }
        assert!(Instant::now() < deadline, "{calls:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn somebody_is_called_once_and_talked_to_and_what_came_of_it_is_told() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with(&twilio, SERVICE);
    let daemon = Daemon::start(&webox);
    webox.run(CALL).ok();
    let form = twilio.wait_for_calls(1).remove(0);
    assert_eq!((form.get("From"), form.get("To")), (Some(NUMBER), Some(CALLER)));
    let hook = format!("{PUBLIC_URL}/api/voice/webhook/outbound?outbound=1");
    assert_eq!(form.get("Url"), Some(hook.as_str()));
    assert_eq!(form.get("MachineDetection"), Some("Enable"), "a machine is hung up on");
    assert_eq!(form.get("AsyncAmd"), Some("true"), "a person hears no silence");
    until(&webox, OutboundState::Ringing);
    // Nobody is called twice at once.
    webox.run(CALL).code(1).says("being called already");
    run(async {
        let answer = post(&daemon, &sid(1), &hook, &[]).await;
        let said = spoken(&answer);
        assert!(
            said.starts_with("Bonjour Madame Zoé, ici Le Gourmet, pour votre table de mardi 20 h."),
            "{said}"
        );
        assert!(said.contains("assistant vocal automatique"), "{said}");
        // Delivered again, it is the same call.
        assert_eq!(post(&daemon, &sid(1), &hook, &[]).await.body, answer.body);
        answered_by(&daemon, &sid(1), &form, "human").await;
        let said = spoken(&say(&daemon, &sid(1), 1, "Allô ? Qui est à l'appareil ?").await);
        assert!(said.starts_with("Bonjour Madame Zoé"), "who calls is said again: {said}");
        let said = spoken(&say(&daemon, &sid(1), 2, "Oui, je confirme").await);
        assert!(said.starts_with("C'est entendu"), "{said}");
        end(&daemon, &sid(1), &form, "completed").await;
    });
    let call = until(&webox, OutboundState::Completed);
    assert_eq!(call.call, Some(sid(1)));
    let listed = webox.run(["calls", "-o", "json"]).ok().json()["calls"][0].clone();
    assert_eq!(
        (&listed["direction"], &listed["answered_by"]),
        (&json!("outbound"), &json!("human"))
    );
    assert_eq!((&listed["from_number"], &listed["to_number"]), (&json!(CALLER), &json!(NUMBER)));
    webox.run(["outbound", "show", "1"]).ok().prints("completed").prints("human");
    assert_eq!(twilio.calls().len(), 1);
}

#[test]
fn a_yes_is_thanked_for_and_a_no_is_asked_about() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with(&twilio, &format!("{SERVICE}machine = \"talk\"\n"));
    let daemon = Daemon::start(&webox);
    for (n, words, wanted) in [
        (1, "Oui, je confirme, merci", "C'est entendu, je vous remercie."),
        (2, "Non", "déplacer ou annuler"),
    ] {
        webox.run(CALL).ok();
        let form = twilio.wait_for_calls(n as usize).remove(n as usize - 1);
        assert_eq!(form.get("MachineDetection"), None);
        until(&webox, OutboundState::Ringing);
        run(async {
            post(&daemon, &sid(n), form.get("Url").unwrap(), &[]).await;
            let said = spoken(&say(&daemon, &sid(n), 1, words).await);
            assert!(said.contains(wanted), "{words}: {said}");
            end(&daemon, &sid(n), &form, "completed").await;
        });
    }
}

#[test]
fn who_does_not_want_to_be_called_is_not_called_again() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with(&twilio, SERVICE);
    let daemon = Daemon::start(&webox);
    webox.run(CALL).ok();
    let form = twilio.wait_for_calls(1).remove(0);
    until(&webox, OutboundState::Ringing);
    run(async {
        post(&daemon, &sid(1), form.get("Url").unwrap(), &[]).await;
        answered_by(&daemon, &sid(1), &form, "human").await;
        let answer = say(&daemon, &sid(1), 1, "Ça suffit, ne m'appelez plus !").await;
        assert!(spoken(&answer).contains("nous ne vous appellerons plus"), "{}", answer.body);
        assert!(hangs_up(&answer));
        end(&daemon, &sid(1), &form, "completed").await;
    });
    let list = webox.run(["do-not-call", "-o", "json"]).ok().json();
    assert_eq!(
        (&list["do_not_call"][0]["number"], &list["do_not_call"][0]["source"]),
        (&json!(CALLER), &json!("asked"))
    );
    webox.run(CALL).code(3).says("do-not-call list");
    // Forgotten, they are still not called.
    webox.run(["privacy", "erase", "--caller", CALLER, "--yes"]).ok();
    assert_eq!(all(&webox), []);
    webox.run(CALL).code(3).says("do-not-call list");
    webox.run(["do-not-call", "remove", CALLER, "--yes"]).ok();
    webox.run(CALL).ok();
    let text = "number\n06 12 34 56 78;x\nnothing of a number\n";
    let file = webox.file("list.csv", text);
    webox.run(["do-not-call", "import", &file]).code(65).says("line 3");
    let file = webox.file("list.csv", &text.replace("nothing of a number\n", ""));
    webox.run(["do-not-call", "import", &file]).ok().says("1 number added");
}

#[test]
fn an_answering_machine_gets_the_message_and_no_conversation() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let more = format!(
        "{SERVICE}machine = \"leave_message\"\nmessage = \"Ici Le Gourmet, pour {{{{ at }}}} : rappelez-nous.\"\n"
    );
    let webox = with(&twilio, &more);
    let daemon = Daemon::start(&webox);
    webox.run(CALL).ok();
    let form = twilio.wait_for_calls(1).remove(0);
    assert_eq!(form.get("MachineDetection"), Some("DetectMessageEnd"));
    until(&webox, OutboundState::Ringing);
    let machine = format!("{PUBLIC_URL}/api/voice/webhook/machine?call_sid={}", sid(1));
    run(async {
        post(&daemon, &sid(1), form.get("Url").unwrap(), &[]).await;
        // What the machine says is no wish for a table.
        let answer =
            say(&daemon, &sid(1), 1, "Une table pour quatre demain à vingt heures, Dupont").await;
        assert_eq!(spoken(&answer), "", "{}", answer.body);
        answered_by(&daemon, &sid(1), &form, "machine_end_beep").await;
        twilio.was_asked(
            "POST",
            &format!("Calls/{}.json", sid(1)),
            &Form::from_fields([("Url", machine.as_str()), ("Method", "POST")]).encode(),
        );
        let answer = post(&daemon, &sid(1), &machine, &[]).await;
        assert_eq!(spoken(&answer), "Ici Le Gourmet, pour mardi 20 h : rappelez-nous.");
        assert!(hangs_up(&answer));
        assert_eq!(post(&daemon, &sid(1), &machine, &[]).await.body, answer.body);
        assert!(hangs_up(&say(&daemon, &sid(1), 1, "oui").await), "nothing goes on with a machine");
        end(&daemon, &sid(1), &form, "completed").await;
    });
    until(&webox, OutboundState::Machine);
    let call = webox.run(["calls", "-o", "json"]).ok().json()["calls"][0].clone();
    assert_eq!(
        (&call["outcome"], &call["end_reason"]),
        (&json!("answering-machine"), &json!("answering-machine"))
    );
    let (_, turns) = calls::show(&seed::store(&webox), &Actor::webox("test"), &sid(1)).unwrap();
    assert_eq!(turns.len(), 2, "the first words and the message: {turns:?}");
    assert_eq!(webox.run(["contacts", "-o", "json"]).ok().json()["contacts"], json!([]));
}

#[test]
fn a_machine_is_hung_up_on_unless_the_file_says_otherwise() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with(&twilio, SERVICE);
    let daemon = Daemon::start(&webox);
    webox.run(CALL).ok();
    let form = twilio.wait_for_calls(1).remove(0);
    until(&webox, OutboundState::Ringing);
    run(async {
        post(&daemon, &sid(1), form.get("Url").unwrap(), &[]).await;
        answered_by(&daemon, &sid(1), &form, "machine_start").await;
        twilio.was_asked("POST", &format!("Calls/{}.json", sid(1)), "Status=completed");
        end(&daemon, &sid(1), &form, "completed").await;
    });
    until(&webox, OutboundState::Machine);
}

#[test]
fn killed_in_the_middle_of_asking_twilio_nobody_is_dialled_twice() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with(&twilio, SERVICE);
    twilio.think(Duration::from_mins(1));
    let daemon = Daemon::start(&webox);
    webox.run(CALL).ok();
    let form = twilio.wait_for_calls(1).remove(0);
    daemon.kill();
    until(&webox, OutboundState::Dialling);
    twilio.think(Duration::ZERO);
    let daemon = Daemon::start(&webox);
    let later = Timestamp::now() + SignedDuration::from_mins(2);
    let lost = run(outbound::give_up(&seed::store(&webox), later)).unwrap();
    assert_eq!(lost, 1);
    let call = until(&webox, OutboundState::Unknown);
    assert!(call.failure.unwrap().contains("not noted"));
    // The call is there all the same, and Twilio tells of it.
    run(async {
        let address = form.get("StatusCallback").unwrap();
        post(&daemon, &sid(1), address, &[("CallStatus", "initiated")]).await;
    });
    assert_eq!(until(&webox, OutboundState::Ringing).call, Some(sid(1)));
    run(end(&daemon, &sid(1), &form, "no-answer"));
    until(&webox, OutboundState::NoAnswer);
    assert_eq!(twilio.calls().len(), 1);
    let call = webox.run(["calls", "-o", "json"]).ok().json()["calls"][0].clone();
    assert_eq!(
        (&call["status"], &call["summary"]),
        (&json!("no-answer"), &json!("N'a pas été joint."))
    );
}

#[test]
fn what_twilio_answers_decides_whether_it_is_asked_again() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with(&twilio, SERVICE);
    let daemon = Daemon::start(&webox);
    // Too busy: nobody was dialled, so it may be asked again.
    twilio.fail(&[429]);
    webox.run(CALL).ok();
    let form = twilio.wait_for_calls(2).remove(1);
    until(&webox, OutboundState::Ringing);
    run(end(&daemon, &sid(2), &form, "busy"));
    until(&webox, OutboundState::Busy);
    // A failure of its own: nobody knows.
    twilio.fail(&[503]);
    webox.run(CALL).ok();
    until(&webox, OutboundState::Unknown);
    twilio.refuse(CALLER, 21215);
    webox.run(CALL).ok();
    let refused = until(&webox, OutboundState::Refused);
    assert!(refused.failure.unwrap().contains("Geographic permissions"));
    assert_eq!(twilio.calls().len(), 4);
}

#[test]
fn a_call_that_is_waited_for_ends_the_command_as_it_ended() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with(&twilio, SERVICE);
    let daemon = Daemon::start(&webox);
    let ran = std::thread::scope(|scope| {
        let mut args = CALL.to_vec();
        args.retain(|arg| *arg != "--no-wait");
        args.extend(["--wait", "-o", "json"]);
        let waiting = scope.spawn(|| webox.run(args));
        let form = twilio.wait_for_calls(1).remove(0);
        until(&webox, OutboundState::Ringing);
        run(end(&daemon, &sid(1), &form, "busy"));
        waiting.join().unwrap()
    });
    let ran = ran.code(1).says("is busy");
    assert_eq!(ran.json()["outbound"]["state"], "busy");
}

#[test]
fn what_may_not_be_called_is_refused_with_what_to_do_next() {
    let plain = applied(Webox::new(), "");
    plain.run(CALL).code(3).says("calls nobody").says("[outbound]");
    let webox = applied(Webox::new(), SERVICE);
    let call = |number: &'static str| {
        webox.run(["call", "le-gourmet", number, "--say", "Bonjour", "--anyway", "--no-wait"])
    };
    call("112").code(64).says("emergency");
    call(NUMBER).code(65).says("number of an assistant");
    call("+33 8 99 12 34 56").code(65).says("no number that webox calls");
    call("+881612345678").code(65).says("country that webox does not call");
    webox
        .run(["call", "le-gourmet", CALLER, "--anyway", "--no-wait"])
        .code(65)
        .says("--context NAME=VALUE")
        .says("`at`");
    webox.run(["assistants", "disable", "le-gourmet"]).ok();
    call(CALLER).code(3).says("switched off");
    let selling = applied(Webox::new(), "[outbound]\ngreeting = \"Bonjour\"\n");
    selling.run(["call", "le-gourmet", CALLER, "--anyway"]).code(3).says("consent = true");
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    for (more, told) in [
        ("[outbound]\nkind = \"service\"\n", "greeting"),
        ("[outbound]\ngreeting = \"{{ name \"\n", "is no template"),
        ("[outbound]\ngreeting = \"a\"\nmachine = \"leave_message\"\n", "outbound.message"),
        ("[outbound]\ngreeting = \"a\"\nmessage = \"b\"\n", "leave_message"),
        ("[outbound]\ngreeting = \"a\"\nmachine = \"sing\"\n", "sing"),
    ] {
        let file = webox.file("wrong.toml", &format!("{text}\n{more}"));
        webox.run(["validate", &file]).code(65).says(told);
    }
}

#[test]
fn the_law_s_hours_hold_and_four_calls_in_thirty_days() {
    let webox = applied(Webox::new(), "[outbound]\nconsent = true\ngreeting = \"Bonjour\"\n");
    let (store, actor) = (seed::store(&webox), Actor::webox("test"));
    let wanted = || outbound::Wanted {
        number: CALLER.parse().unwrap(),
        context: CallContext::default(),
        say: None,
        zone: None,
        anyway: true,
    };
    let at = |text: &str| text.parse::<jiff::ZonedDateTime>().unwrap().timestamp();
    let ask = |text: &str| outbound::ask(&store, &actor, "le-gourmet", wanted(), at(text));
    for night in [
        "2026-11-26T20:30[Europe/Paris]",
        "2026-11-28T11:00[Europe/Paris]",
        "2026-12-25T11:00[Europe/Paris]",
    ] {
        let error = ask(night).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{error}");
        assert!(error.to_string().contains("2022-1313"), "{error}");
    }
    for day in 1..=4 {
        let now = at(&format!("2026-12-0{day}T11:00[Europe/Paris]"));
        let call = outbound::ask(&store, &actor, "le-gourmet", wanted(), now).unwrap();
        store
            .write(move |tx| {
                assert!(webox::store::outbound::take(tx, call.id, now)?);
                webox::store::outbound::end(tx, call.id, OutboundState::NoAnswer, None, now)
            })
            .unwrap();
    }
    let error = ask("2026-12-07T11:00[Europe/Paris]").unwrap_err();
    assert!(error.to_string().contains("4 times in the last 30 days"), "{error}");
    assert!(ask("2027-01-04T11:00[Europe/Paris]").is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_api_a_call_is_asked_for_once() {
    let world = World::of(applied(Webox::new(), SERVICE));
    let body = json!({
        "assistant_id": "le-gourmet", "number": "+33699000001", "anyway": true,
        "context": { "name": "Zoé", "at": "mardi" },
    });
    let ask = |key: &'static str| {
        let request = world.request(Who::Owner, "POST", "/api/voice/calls").json(&body);
        request.header("idempotency-key", key).send()
    };
    let first = ask("a").await.unwrap();
    assert_eq!(first.status(), 201);
    assert!(first.headers()["location"].to_str().unwrap().starts_with("/api/voice/outbound/"));
    let first: Value = first.json().await.unwrap();
    assert_eq!(
        first["outbound"]["opening"].as_str().unwrap().split(',').next(),
        Some("Bonjour Zoé")
    );
    let again: Value = ask("a").await.unwrap().json().await.unwrap();
    assert_eq!(again["outbound"]["id"], first["outbound"]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_relay_the_first_words_are_those_of_the_call_and_no_is_no() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let text = text.replace("line     = \"gather\"", "line     = \"relay\"");
    assert!(text.contains("\"relay\""));
    let webox =
        Webox::new().env("TWILIO_BASE_URL", twilio.url()).env("TWILIO_ACCOUNT_SID", ACCOUNT);
    let file = webox.file("le-gourmet.toml", &format!("{text}\n{SERVICE}"));
    webox.run(["apply", "--yes", &file]).ok();
    let daemon = Daemon::start(&webox);
    webox.run(CALL).ok();
    let form = tokio::task::block_in_place(|| twilio.wait_for_calls(1).remove(0));
    let address = form.get("Url").unwrap();
    let (own, callee) = (NUMBER.parse().unwrap(), CALLER.parse().unwrap());
    let picked_up = PickedUp { sid: &sid(1), from: &own, to: &callee, address };
    let (mut call, greeting) = RelayedCall::pick_up(&daemon.twilio, &picked_up).await.unwrap();
    let rest = call.listen().await.unwrap();
    let heard = format!("{} {}", greeting.text, rest.text);
    assert!(heard.contains("Bonjour Madame Zoé, ici Le Gourmet"), "{heard}");
    answered_by(&daemon, call.sid(), &form, "human").await;
    let said = call.say("Arrêtez de m'appeler").await.unwrap();
    assert!(said.text.contains("nous ne vous appellerons plus"), "{said:?}");
    assert_eq!(*call.state(), State::HungUp);
    let list = webox.run(["do-not-call", "-o", "json"]).ok().json();
    assert_eq!(list["do_not_call"][0]["number"], CALLER);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_stream_a_person_waits_for_nothing_and_no_is_no() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let speech = FakeSpeech::start();
    speech.understands(["Ne m'appelez plus"]);
    let webox = streamed(&speech, SERVICE)
        .env("TWILIO_BASE_URL", twilio.url())
        .env("TWILIO_ACCOUNT_SID", ACCOUNT);
    let daemon = Daemon::start(&webox);
    webox.run(CALL).ok();
    let form = tokio::task::block_in_place(|| twilio.wait_for_calls(1).remove(0));
    let (own, callee) = (NUMBER.parse().unwrap(), CALLER.parse().unwrap());
    let address = form.get("Url").unwrap();
    let picked_up = PickedUp { sid: &sid(1), from: &own, to: &callee, address };
    let (mut call, greeting) = StreamedCall::pick_up(&daemon.twilio, &picked_up).await.unwrap();
    assert!(greeting.first_frame.is_some(), "{greeting:?}");
    answered_by(&daemon, &sid(1), &form, "human").await;
    call.say(QUESTION).await.unwrap();
    let (store, actor) = (seed::store(&webox), Actor::webox("test"));
    let (_, turns) = calls::show(&store, &actor, &sid(1)).unwrap();
    let said = turns[0].said.as_deref().unwrap();
    assert!(said.starts_with("Bonjour Madame Zoé, ici Le Gourmet"), "{said}");
    let list = webox.run(["do-not-call", "-o", "json"]).ok().json();
    assert_eq!(list["do_not_call"][0]["number"], CALLER, "{turns:?}");
}

#[test]
fn who_asks_one_owner_not_to_call_is_still_called_by_another() {
    let webox = Webox::with_le_gourmet();
    let create = |name: &str, phone: &str| {
        webox
            .run(["assistants", "create", "--client", name, "--phone", phone, "--context", "x"])
            .ok();
    };
    create("Cabinet", "+33140000001");
    create("Garage", "+33140000002");
    webox.run(["users", "add", "owner@agence.fr", "--role", "member"]).ok();
    for name in ["le-gourmet", "cabinet"] {
        webox.run(["assistants", "give", name, "--to", "owner@agence.fr"]).ok();
    }
    let store = seed::store(&webox);
    let actor = Actor::webox("test");
    let number: PhoneNumber = CALLER.parse().unwrap();
    let now = Timestamp::now();
    let ids: Vec<_> = ["le-gourmet", "cabinet", "garage"]
        .map(|name| assistants::find(&store, &actor, name).unwrap().id)
        .into();
    for assistant in ids.clone() {
        let new = NewOutbound {
            assistant,
            number: number.clone(),
            context: CallContext::default(),
            opening: "Bonjour".to_owned(),
            message: None,
            kind: CallPurpose::Service,
            machine: OnMachine::HangUp,
            expires_at: now + SignedDuration::from_hours(1),
            asked_at: now,
            anyway: true,
            zone: None,
            campaign_row: None,
        };
        store.write(move |tx| rows::insert(tx, &new)).unwrap();
    }
    let states = || -> Vec<OutboundState> {
        let mut calls = outbound::list(&store, &actor).unwrap();
        calls.sort_by_key(|call| call.id.0);
        calls.into_iter().map(|call| call.state).collect()
    };
    let (asked, of) = (number.clone(), ids[0]);
    store.write(move |tx| rows::call_off(tx, of, &asked, now)).unwrap();
    assert_eq!(
        states(),
        [OutboundState::Cancelled, OutboundState::Cancelled, OutboundState::Queued]
    );
    // An assistant of the agency itself speaks for all.
    let of = ids[2];
    store.write(move |tx| rows::call_off(tx, of, &number, now)).unwrap();
    assert_eq!(states(), [OutboundState::Cancelled; 3]);
}
