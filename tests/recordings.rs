//! Recording with consent: nobody is recorded unasked, a no is a no at any time, and what was
//! promised to be removed is removed at Twilio too.

use serde_json::Value;
use webox::twilio::reader::Verb;

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    daemon::{Daemon, TOKEN, sid, spoken, verbs},
    fake_twilio::FakeTwilio,
    seed,
};

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const CANARY: &str = "+33698765432";

fn recording(n: u32) -> String {
    format!("RE{n:032x}")
}

fn address(n: u32) -> String {
    format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/{}", recording(n))
}

/// Le Gourmet with a `[compliance]` section, and a Twilio that can be asked.
fn le_gourmet(section: &str, twilio: &FakeTwilio) -> Webox {
    // The account is known from Twilio's own signed requests.
    let webox = Webox::new().env("TWILIO_BASE_URL", twilio.url());
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let file = webox.file("le-gourmet.toml", &format!("{text}\n[compliance]\n{section}\n"));
    webox.run(["apply", "--yes", &file]).ok();
    webox
}

/// Whether an answer makes Twilio record.
fn records(answer: &webox::twilio::caller::Answer) -> bool {
    verbs(answer).contains(&Verb::Start)
}

async fn ready(daemon: &Daemon, n: u32, call: u32) -> u16 {
    let fields = [
        ("AccountSid", ACCOUNT),
        ("RecordingSid", &recording(n)),
        ("RecordingUrl", &address(n)),
        ("RecordingStatus", "completed"),
        ("RecordingDuration", "12"),
        ("RecordingChannels", "2"),
    ];
    daemon.post(&format!("recording?call_sid={}", sid(call)), &sid(call), &fields).await.status
}

fn call(webox: &Webox, n: u32) -> Value {
    webox.run(["calls", "show", sid(n).as_str(), "-o", "json"]).ok().json()["call"].take()
}

#[test]
fn only_who_says_yes_is_recorded() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = le_gourmet("recording = \"ask\"", &twilio);
    let daemon = Daemon::start(&webox);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let first = daemon.ring(&sid(1)).await;
        let said = spoken(&first);
        assert!(
            said.contains("automatique. Acceptez-vous que cet appel soit enregistré"),
            "{said}"
        );
        assert!(!said.contains("Que puis-je"), "one question at a time: {said}");
        assert!(first.body.contains("numDigits=\"1\""), "a key is enough: {}", first.body);
        assert!(!records(&first), "{}", first.body);
        let yes = daemon.say(&sid(1), 1, "Oui, d'accord").await;
        assert!(records(&yes), "{}", yes.body);
        let told = format!("recording?call_sid={}", sid(1));
        assert!(yes.body.contains(&told) && yes.body.contains("dual"), "{}", yes.body);
        assert!(spoken(&yes).contains("Que puis-je faire"), "{}", yes.body);
        // The same delivery again is the same answer, and nothing else begins it again.
        assert_eq!(daemon.say(&sid(1), 1, "Oui, d'accord").await.body, yes.body);
        assert!(!records(&daemon.say(&sid(1), 2, "Avez-vous un parking ?").await));
        daemon.hang_up(&sid(1), 30).await;
        twilio.keep(&recording(1));
        assert_eq!(ready(&daemon, 1, 1).await, 204);
        assert_eq!(ready(&daemon, 1, 1).await, 204, "told twice");

        // By key; and a wish that comes with the yes is answered at once.
        daemon.ring(&sid(2)).await;
        let route = format!("process?call_sid={}&turn=1", sid(2));
        assert!(records(&daemon.post(&route, &sid(2), &[("Digits", "1")]).await));
        daemon.ring(&sid(3)).await;
        // What comes with a yes could take it back: it is answered, and nothing is recorded.
        let both = daemon.say(&sid(3), 1, "Oui, avez-vous un parking ?").await;
        assert!(!records(&both) && spoken(&both).contains("rue Choron"), "{}", both.body);
        daemon.ring(&sid(8)).await;
        let again = daemon.say(&sid(8), 1, "Pardon, vous pouvez répéter ?").await;
        assert!(spoken(&again).starts_with("Acceptez-vous"), "{}", again.body);
        assert!(records(&daemon.say(&sid(8), 2, "Oui").await));

        // No, by word and by key; something else; nothing.
        for (n, words) in [(4, "Non merci"), (5, "Avez-vous un parking ?"), (6, "")] {
            daemon.ring(&sid(n)).await;
            assert!(!records(&daemon.say(&sid(n), 1, words).await), "{words}");
            // A yes to another question is none to this one.
            assert!(!records(&daemon.say(&sid(n), 2, "Oui").await), "{words}");
        }
        daemon.ring(&sid(7)).await;
        let route = format!("process?call_sid={}&turn=1", sid(7));
        let no = daemon.post(&route, &sid(7), &[("Digits", "2")]).await;
        assert!(!records(&no) && spoken(&no).contains("n'est pas enregistré"), "{}", no.body);
        // Somebody recorded the call all the same (a console, another program): removed.
        daemon.hang_up(&sid(4), 30).await;
        twilio.keep(&recording(4));
        assert_eq!(ready(&daemon, 4, 4).await, 204);
        twilio.was_asked("DELETE", &format!("Recordings/{}.json", recording(4)), "");
    });
    let consents = [
        (1, "granted"),
        (2, "granted"),
        (3, "unanswered"),
        (8, "granted"),
        (4, "refused"),
        (5, "unanswered"),
    ];
    for (n, consent) in consents.into_iter().chain([(6, "unanswered"), (7, "refused")]) {
        assert_eq!(call(&webox, n)["recording_consent"], consent, "{n}");
    }
    assert_eq!(call(&webox, 1)["recording_url"], address(1));
    assert_eq!(call(&webox, 4)["recording_url"], Value::Null);
    let shown = webox.run(["calls", "show", sid(1).as_str(), "-o", "table"]).ok();
    shown.prints("Recording: the caller agreed").prints(&address(1));
    assert_eq!(twilio.recordings(), [recording(1)]);
}

#[test]
fn who_is_told_may_object_at_any_time() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = le_gourmet("recording = \"announce\"", &twilio);
    let daemon = Daemon::start(&webox);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let first = daemon.ring(&sid(1)).await;
        // Told first, and whole: then it begins.
        let verbs = verbs(&first);
        let Verb::Say(told) = &verbs[0] else { panic!("{}", first.body) };
        assert!(told.text.ends_with("appuyez sur étoile."), "{}", told.text);
        assert_eq!(verbs[1], Verb::Start);
        assert!(matches!(verbs[2], Verb::Gather { .. }), "{}", first.body);
        daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
        assert_eq!(call(&webox, 1)["recording_consent"], "announced");
        let stopped = daemon.say(&sid(1), 2, "Je ne veux pas être enregistré").await;
        assert!(spoken(&stopped).contains("l'enregistrement s'arrête"), "{}", stopped.body);
        let path = format!("Calls/{}/Recordings/Twilio.CURRENT.json", sid(1));
        twilio.was_asked("POST", &path, "Status=stopped");
        daemon.hang_up(&sid(1), 30).await;
        twilio.keep(&recording(1));
        assert_eq!(ready(&daemon, 1, 1).await, 204);
        twilio.was_asked("DELETE", &format!("Recordings/{}.json", recording(1)), "");
        // One that was ready before the objection is removed as well, and so is a second one.
        daemon.ring(&sid(3)).await;
        for n in [31, 32] {
            twilio.keep(&recording(n));
            assert_eq!(ready(&daemon, n, 3).await, 204);
        }
        assert_eq!(call(&webox, 3)["recording_url"], address(31));
        daemon.say(&sid(3), 1, "Plus d'enregistrement, merci").await;
        assert_eq!(call(&webox, 3)["recording_url"], Value::Null);
        for n in [31, 32] {
            twilio.was_asked("DELETE", &format!("Recordings/{}.json", recording(n)), "");
        }
        // By key, in the middle of a call.
        daemon.ring(&sid(2)).await;
        daemon.say(&sid(2), 1, "Avez-vous un parking ?").await;
        let route = format!("process?call_sid={}&turn=2", sid(2));
        daemon.post(&route, &sid(2), &[("Digits", "*")]).await;
        let path = format!("Calls/{}/Recordings/Twilio.CURRENT.json", sid(2));
        twilio.was_asked("POST", &path, "Status=stopped");
    });
    assert_eq!(call(&webox, 1)["recording_consent"], "withdrawn");
    assert_eq!(call(&webox, 1)["recording_url"], Value::Null);
    assert!(twilio.recordings().is_empty());
}

#[test]
fn what_was_forgotten_here_is_removed_at_twilio_however_long_it_takes() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = le_gourmet("recording = \"ask\"\nkeep_recordings = \"30d\"", &twilio);
    let daemon = Daemon::start(&webox);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let from = async |route: &str, extra: &[(&str, &str)]| {
            daemon.post_from(CANARY, "+33123456789", route, &sid(1), extra).await
        };
        from("incoming", &[]).await;
        let route = format!("process?call_sid={}&turn=1", sid(1));
        from(&route, &[("SpeechResult", "Oui")]).await;
        from("status", &[("CallStatus", "completed"), ("CallDuration", "30")]).await;
        twilio.keep(&recording(1));
        ready(&daemon, 1, 1).await;
    });
    twilio.fail(&[500, 429]);
    let erased = webox.run(["privacy", "erase", "--caller", CANARY, "--yes"]).ok();
    erased.says("asks Twilio to remove 2 records and recordings");
    let (record, kept) =
        (format!("Calls/{}.json", sid(1)), format!("Recordings/{}.json", recording(1)));
    // Both fail at first, and say so; the promise outlives the daemon.
    twilio.was_asked("DELETE", &record, "");
    twilio.was_asked("DELETE", &kept, "");
    daemon.logged("Twilio has not removed what it was asked to");
    let left = webox.run(["privacy", "removals", "-o", "json"]).ok().json();
    let left = left["removals"].as_array().unwrap().clone();
    assert_eq!(left.len(), 2, "{left:?}");
    for removal in &left {
        assert_eq!(removal["attempts"], 1);
        assert!(removal["failure"].as_str().unwrap().starts_with("Twilio refused"), "{removal}");
    }
    assert!(!left.iter().any(|removal| removal.to_string().contains(CANARY)));
    daemon.kill();
    let daemon = Daemon::start(&webox);
    daemon.logged("Twilio removed what it was asked to");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !webox.run(["privacy", "removals", "-o", "ids"]).ok().stdout.is_empty() {
        assert!(std::time::Instant::now() < deadline, "still to be removed");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(twilio.recordings().is_empty());
    // A recording that is ready only now belongs to nobody any more.
    twilio.keep(&recording(2));
    tokio::runtime::Runtime::new().unwrap().block_on(ready(&daemon, 2, 1));
    twilio.was_asked("DELETE", &format!("Recordings/{}.json", recording(2)), "");
}

#[test]
fn recordings_are_removed_at_twilio_when_they_are_due() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = le_gourmet("recording = \"ask\"\nkeep_recordings = \"30d\"", &twilio);
    let store = seed::store(&webox);
    let now = jiff::Timestamp::now();
    for (n, days) in [(1, 10), (2, 40)] {
        let at = now - jiff::SignedDuration::from_hours(24 * days);
        let call = seed::call_at(&store, n, at, webox::domain::CallStatus::Completed);
        let kept = webox::domain::KeptRecording::at(&address(n)).unwrap();
        store.write(move |tx| webox::store::calls::set_recording(tx, call, &kept)).unwrap();
        twilio.keep(&recording(n));
    }
    let _daemon = Daemon::start(&webox);
    twilio.was_asked("DELETE", &format!("Recordings/{}.json", recording(2)), "");
    assert_eq!(twilio.recordings(), [recording(1)]);
    let shown = webox.run(["calls", "show", &seed::sid(1), "-o", "json"]).ok().json();
    assert_eq!(shown["call"]["recording_url"], address(1));
}

#[test]
fn a_forged_recording_is_refused_and_the_api_knows_the_setting() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = le_gourmet("recording = \"ask\"", &twilio);
    let daemon = Daemon::start(&webox);
    let shown = webox.run(["assistants", "show", "le-gourmet", "-o", "json"]).ok().json();
    assert_eq!(shown["assistant"]["enable_recording"], true);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        daemon.ring(&sid(1)).await;
        let form = webox::twilio::form::Form::from_fields([
            ("CallSid", sid(1).as_str()),
            ("AccountSid", ACCOUNT),
            ("RecordingSid", &recording(1)),
            ("RecordingStatus", "completed"),
        ]);
        let forged =
            daemon.twilio.post_signed("/api/voice/webhook/recording", &form, "x").await.unwrap();
        assert_eq!(forged.status, 403);
        // Of a call that nobody knows: nothing is removed on a rumour.
        assert_eq!(ready(&daemon, 9, 9).await, 204);
    });
    daemon.logged("the recording of a call that nobody knows");
    assert_eq!(webox.run(["privacy", "removals", "-o", "ids"]).ok().stdout, "");
}

#[test]
fn what_is_over_need_not_be_stopped() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    twilio.fail(&[500; 50]);
    let webox = le_gourmet("recording = \"announce\"", &twilio);
    let daemon = Daemon::start(&webox);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        daemon.ring(&sid(1)).await;
        daemon.say(&sid(1), 1, "Pas d'enregistrement, s'il vous plaît").await;
        assert_eq!(webox.run(["privacy", "removals", "-o", "ids"]).ok().stdout.lines().count(), 1);
        daemon.hang_up(&sid(1), 5).await;
    });
    assert_eq!(webox.run(["privacy", "removals", "-o", "ids"]).ok().stdout, "");
}

#[test]
fn a_recorded_assistant_can_be_rehearsed() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    for policy in ["ask", "announce"] {
        let webox = le_gourmet(&format!("recording = \"{policy}\""), &twilio);
        let tried = webox.run_with_stdin("oui\nAvez-vous un parking ?\n", ["try", "le-gourmet"]);
        tried.ok().prints("rue Choron");
    }
}
