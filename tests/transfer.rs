//! Calls that are handed to a human, on the line `gather`: who rings, who takes it, what comes after those
//! who do not. Signed webhooks against the real daemon.

use serde_json::Value;
use webox::twilio::{caller::Answer, reader::Verb};

use crate::support::{
    cmd::Webox,
    daemon::{CALLER, Daemon, NUMBER, TOKEN, hangs_up, sid, spoken, verbs},
    fake_http::{Behaviour, KEY, say, tool},
    fake_openai::FakeOpenAi,
    fake_twilio::FakeTwilio,
};

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const DESK: &str = "+33612345601";
const CHEF: &str = "+33612345602";

/// Two humans at any hour, and more of `[transfer]`.
pub(crate) fn two(more: &str) -> String {
    format!(
        "[transfer]\nring_for = \"20s\"\n{more}\n\
         [[transfer.to]]\nname = \"Accueil\"\nnumber = \"{DESK}\"\n\
         [[transfer.to]]\nname = \"Le chef\"\nnumber = \"{CHEF}\"\n"
    )
}

/// Le Gourmet with sections of its own in the place of those it has.
pub(crate) fn le_gourmet(webox: Webox, sections: &str) -> Webox {
    let exported = webox.run(["export", "le-gourmet"]).ok();
    let mut file: toml::Table = toml::from_str(&exported.stdout).unwrap();
    file.extend(toml::from_str::<toml::Table>(sections).unwrap());
    let path = webox.file("le-gourmet.toml", &toml::to_string(&file).unwrap());
    webox.run(["apply", &path, "--yes"]).ok();
    webox
}

/// What a `<Dial>` says.
struct Dialled {
    number: String,
    action: String,
    caller_id: String,
    whisper: Option<String>,
}

fn route(url: &str) -> String {
    url.split("/webhook/").nth(1).unwrap().to_owned()
}

#[track_caller]
fn dialled(answer: &Answer) -> Dialled {
    let found = verbs(answer).into_iter().find_map(|verb| match verb {
        Verb::Dial { number, action, caller_id, whisper } => Some(Dialled {
            number,
            action: route(&action.unwrap()),
            caller_id: caller_id.unwrap(),
            whisper: whisper.as_deref().map(route),
        }),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("nobody is rung: {}", answer.body))
}

/// A request of the human's side: a call of its own, from the number that the human sees.
async fn human(daemon: &Daemon, call: u32, route: &str, number: &str, key: &str) -> Answer {
    let (child, parent) = (format!("CA{:032x}", 9_000 + call), sid(call));
    let mut extra = vec![
        ("CallSid", child.as_str()),
        ("ParentCallSid", parent.as_str()),
        ("Direction", "outbound-dial"),
    ];
    if !key.is_empty() {
        extra.push(("Digits", key));
    }
    daemon.post_from(NUMBER, number, route, &parent, &extra).await
}

/// What became of a `<Dial>`.
async fn became(daemon: &Daemon, call: u32, route: &str, status: &str) -> Answer {
    daemon.post(route, &sid(call), &[("DialCallStatus", status)]).await
}

/// A caller who wants a human.
async fn asks(daemon: &Daemon, call: u32) -> Answer {
    daemon.ring(&sid(call)).await;
    daemon.say(&sid(call), 1, "Je veux parler à quelqu'un").await
}

/// Picks up, and presses a key.
async fn presses(daemon: &Daemon, call: u32, dial: &Dialled, key: &str) -> Answer {
    let told = human(daemon, call, dial.whisper.as_ref().unwrap(), &dial.number, "").await;
    let Verb::Gather { action, .. } = &verbs(&told)[0] else { panic!("{}", told.body) };
    human(daemon, call, &route(action), &dial.number, key).await
}

fn shown(webox: &Webox, call: u32) -> Value {
    webox.run(["calls", "show", sid(call).as_str(), "-o", "json"]).ok().json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_human_hears_who_calls_takes_the_call_and_it_is_kept_how_long_they_talked() {
    let webox = le_gourmet(Webox::with_le_gourmet(), &two("warm = true"));
    let daemon = Daemon::start(&webox);
    let answer = asks(&daemon, 1).await;
    assert!(spoken(&answer).contains("Ne quittez pas"), "{}", answer.body);
    assert!(answer.body.contains("timeout=\"20\""), "{}", answer.body);
    let dial = dialled(&answer);
    assert_eq!((dial.number.as_str(), dial.caller_id.as_str()), (DESK, NUMBER));
    let whisper = dial.whisper.clone().unwrap();
    let told = human(&daemon, 1, &whisper, DESK, "").await;
    let words = spoken(&told);
    for part in
        ["Restaurant Le Gourmet", "06 12 34 56 78", "Je veux parler à quelqu'un", "appuyez sur 1"]
    {
        assert!(words.contains(part), "{part} in {words}");
    }
    assert!(hangs_up(&told), "a voice mailbox presses nothing: {}", told.body);
    assert!(!told.body.contains("speech"), "keys alone: {}", told.body);
    assert_eq!(human(&daemon, 1, &whisper, DESK, "").await.body, told.body, "delivered twice");
    let Verb::Gather { action, .. } = &verbs(&told)[0] else { panic!("{}", told.body) };
    let take = route(action);
    let odd = human(&daemon, 1, &take, DESK, "5").await;
    assert!(spoken(&odd).contains("appuyez sur 1"), "{}", odd.body);
    let taken = human(&daemon, 1, &take, DESK, "1").await;
    assert!(
        !hangs_up(&taken) && spoken(&taken).contains("Je vous passe l'appel"),
        "{}",
        taken.body
    );
    assert_eq!(human(&daemon, 1, &take, DESK, "1").await.body, taken.body, "delivered twice");
    assert_eq!(human(&daemon, 1, &take, DESK, "2").await.body, taken.body, "the first key counts");
    assert_eq!(shown(&webox, 1)["transfers"][0]["takes"], true);
    let talked =
        [("DialCallStatus", "completed"), ("DialCallDuration", "42"), ("DialBridged", "true")];
    for _ in 0..2 {
        assert!(hangs_up(&daemon.post(&dial.action, &sid(1), &talked).await));
    }
    // A delivery that is late, and says something else, changes nothing.
    assert!(hangs_up(&became(&daemon, 1, &dial.action, "no-answer").await));
    assert!(hangs_up(&human(&daemon, 1, &whisper, DESK, "").await), "there is nothing to take");
    daemon.hang_up(&sid(1), 60).await;
    let story = shown(&webox, 1);
    assert_eq!(story["call"]["end_reason"], "transferred");
    let rung = &story["transfers"];
    assert_eq!(rung.as_array().unwrap().len(), 1, "{rung}");
    assert_eq!(rung[0]["name"], "Accueil");
    assert_eq!(rung[0]["number"], DESK);
    assert_eq!((&rung[0]["outcome"], &rung[0]["duration"]), (&"answered".into(), &42.into()));
    let text = webox.run(["calls", "show", sid(1).as_str(), "-o", "table"]).ok();
    text.prints(&format!("Accueil ({DESK}): talked for 42 s"));
    assert!(!daemon.log().join("\n").contains(DESK), "no number is logged whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_refuses_is_followed_by_the_next_and_then_by_the_assistant() {
    let webox = le_gourmet(Webox::with_le_gourmet(), &two("warm = true\ncaller_id = \"caller\""));
    let daemon = Daemon::start(&webox);
    let first = dialled(&asks(&daemon, 1).await);
    assert_eq!(first.caller_id, CALLER);
    let refused = presses(&daemon, 1, &first, "2").await;
    assert!(hangs_up(&refused), "{}", refused.body);
    let not_bridged =
        [("DialCallStatus", "completed"), ("DialCallDuration", "9"), ("DialBridged", "false")];
    let next = daemon.post(&first.action, &sid(1), &not_bridged).await;
    assert!(spoken(&next).contains("quelqu'un d'autre"), "{}", next.body);
    let second = dialled(&next);
    assert_eq!(second.number, CHEF);
    assert_eq!(daemon.post(&first.action, &sid(1), &not_bridged).await.body, next.body);
    // His line is busy, and nobody is left.
    let back = became(&daemon, 1, &second.action, "busy").await;
    let words = spoken(&back);
    assert!(words.contains("personne n'a pu prendre votre appel"), "{words}");
    assert!(words.contains("prendre un message") && !hangs_up(&back), "{words}");
    assert_eq!(became(&daemon, 1, &second.action, "busy").await.body, back.body, "delivered twice");
    // Very late, the first one's outcome rings nobody again: the call is where it is.
    assert_eq!(daemon.post(&first.action, &sid(1), &not_bridged).await.body, back.body);
    let noted = daemon.say(&sid(1), 3, "Dites-lui que Martin a appelé pour le devis").await;
    assert!(spoken(&noted).contains("transmets votre message"), "{}", noted.body);
    daemon.hang_up(&sid(1), 60).await;
    let story = shown(&webox, 1);
    let outcomes: Vec<_> = story["transfers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|human| human["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["refused", "busy"]);
    assert_eq!(story["messages"].as_array().unwrap().len(), 1);
    assert_eq!(story["call"]["end_reason"], "assistant-hung-up");
    let text = webox.run(["calls", "show", sid(1).as_str(), "-o", "table"]).ok();
    text.prints(&format!("Accueil ({DESK}): refused")).prints(&format!("Le chef ({CHEF}): busy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voice_mailbox_takes_no_call_and_a_message_is_recorded_once() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = le_gourmet(
        Webox::with_le_gourmet().env("TWILIO_BASE_URL", twilio.url()),
        &two("warm = true\nvoicemail = true"),
    );
    let daemon = Daemon::start(&webox);
    let first = dialled(&asks(&daemon, 1).await);
    // Something picks up, hears it all, presses nothing, and is hung up on.
    human(&daemon, 1, first.whisper.as_ref().unwrap(), DESK, "").await;
    let second = dialled(&became(&daemon, 1, &first.action, "completed").await);
    let beep = became(&daemon, 1, &second.action, "no-answer").await;
    assert!(spoken(&beep).contains("après le signal sonore"), "{}", beep.body);
    let (action, ready, words) = verbs(&beep)
        .into_iter()
        .find_map(|verb| match verb {
            Verb::Record { action, ready, words } => Some((route(&action), route(&ready?), words)),
            _ => None,
        })
        .unwrap_or_else(|| panic!("{}", beep.body));
    assert_eq!(words, None, "Twilio writes down English alone");
    assert!(hangs_up(&beep), "when nothing is said");
    assert_eq!(became(&daemon, 1, &second.action, "no-answer").await.body, beep.body);
    let recording = format!("RE{:032x}", 5);
    let url =
        format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/{recording}");
    twilio.keep(&recording);
    let spoken_message =
        [("RecordingUrl", url.as_str()), ("RecordingSid", &recording), ("RecordingDuration", "14")];
    let thanks = daemon.post(&action, &sid(1), &spoken_message).await;
    assert!(spoken(&thanks).contains("transmets votre message") && hangs_up(&thanks));
    assert_eq!(daemon.post(&action, &sid(1), &spoken_message).await.body, thanks.body);
    let is_ready = [("RecordingSid", recording.as_str()), ("RecordingStatus", "completed")];
    assert_eq!(daemon.post(&ready, &sid(1), &is_ready).await.status, 204);
    daemon.hang_up(&sid(1), 60).await;
    let story = shown(&webox, 1);
    let messages = story["messages"].as_array().unwrap().clone();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(messages[0]["recording_url"], url.as_str());
    assert_eq!(messages[0]["recording_duration"], 14);
    assert_eq!(messages[0]["caller"], CALLER);
    assert_eq!(story["call"]["recording_url"], Value::Null, "it is no recording of the call");
    assert_eq!(story["transfers"][0]["outcome"], "no-answer");
    let text = webox.run(["calls", "show", sid(1).as_str(), "-o", "table"]).ok();
    text.prints("spoken, 14 s").prints(&url);
    // Forgotten here, it is forgotten at Twilio; and one that is told of only then is not kept.
    webox.run(["privacy", "erase", "--caller", CALLER, "--yes"]).ok();
    twilio.was_asked("DELETE", &format!("Recordings/{recording}.json"), "");
    assert!(hangs_up(&daemon.post(&action, &sid(1), &spoken_message).await));
    assert!(shown(&webox, 1)["messages"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_english_message_is_written_down_whatever_comes_first() {
    let sections =
        format!("{}[voice]\nlanguage = \"en-GB\"\n", two("voicemail = true\nwarm = false"));
    let webox = le_gourmet(Webox::with_le_gourmet(), &sections);
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let first = dialled(&daemon.say(&sid(1), 1, "I want to speak to someone").await);
    assert_eq!(first.whisper, None, "nobody is told anything");
    let second = dialled(&became(&daemon, 1, &first.action, "failed").await);
    let beep = became(&daemon, 1, &second.action, "no-answer").await;
    let words = verbs(&beep).into_iter().find_map(|verb| match verb {
        Verb::Record { words, .. } => words,
        _ => None,
    });
    let words = route(&words.unwrap());
    let recording = format!("RE{:032x}", 6);
    let written = [
        ("RecordingSid", recording.as_str()),
        ("TranscriptionStatus", "completed"),
        ("TranscriptionText", "Card 4111 1111 1111 1111, call me back."),
    ];
    for _ in 0..2 {
        assert_eq!(daemon.post(&words, &sid(1), &written).await.status, 204);
    }
    let spoken_message = [("RecordingSid", recording.as_str()), ("RecordingDuration", "7")];
    let thanks = daemon.post("voicemail?turn=2", &sid(1), &spoken_message).await;
    assert!(spoken(&thanks).contains("pass your message on"), "{}", thanks.body);
    let messages = shown(&webox, 1)["messages"].clone();
    assert_eq!(messages.as_array().unwrap().len(), 1, "{messages}");
    let text = messages[0]["text"].as_str().unwrap();
    assert!(text.contains("call me back") && !text.contains("4111 1111"), "{text}");
    assert_eq!(messages[0]["recording_duration"], 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hangs_up_while_it_rings_was_not_handed_over() {
    let webox = le_gourmet(Webox::with_le_gourmet(), &two("warm = true"));
    let daemon = Daemon::start(&webox);
    let gone = [("DialCallStatus", "canceled"), ("CallStatus", "completed")];
    // Twilio announces the two in either order.
    let first = dialled(&asks(&daemon, 1).await);
    assert!(hangs_up(&daemon.post(&first.action, &sid(1), &gone).await));
    daemon.hang_up(&sid(1), 9).await;
    let second = dialled(&asks(&daemon, 2).await);
    daemon.hang_up(&sid(2), 9).await;
    assert!(hangs_up(&daemon.post(&second.action, &sid(2), &gone).await));
    for call in [1, 2] {
        let story = shown(&webox, call);
        assert_eq!(story["call"]["end_reason"], "caller-hung-up", "{call}");
        assert_ne!(story["call"]["outcome"], "transferred", "whatever was noted at the end");
        assert_eq!(story["transfers"].as_array().unwrap().len(), 1);
        assert_eq!(story["transfers"][0]["outcome"], "canceled");
    }
    // Whoever picks up then has nothing to take.
    let told = human(&daemon, 2, second.whisper.as_ref().unwrap(), DESK, "").await;
    assert!(hangs_up(&told) && spoken(&told).is_empty(), "{}", told.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_dies_while_it_rings_loses_nothing() {
    let webox = le_gourmet(Webox::with_le_gourmet(), &two("warm = true"));
    let daemon = Daemon::start(&webox);
    let first = dialled(&asks(&daemon, 1).await);
    daemon.kill();
    let daemon = Daemon::start(&webox);
    let refused = presses(&daemon, 1, &first, "2").await;
    assert!(hangs_up(&refused));
    daemon.kill();
    let daemon = Daemon::start(&webox);
    let second = dialled(&became(&daemon, 1, &first.action, "completed").await);
    assert_eq!(second.number, CHEF);
    daemon.kill();
    let daemon = Daemon::start(&webox);
    assert_eq!(dialled(&became(&daemon, 1, &first.action, "completed").await).number, CHEF);
    let taken = presses(&daemon, 1, &second, "1").await;
    assert!(!hangs_up(&taken), "{}", taken.body);
    assert!(hangs_up(&became(&daemon, 1, &second.action, "completed").await));
    let rung = shown(&webox, 1)["transfers"].clone();
    assert_eq!((&rung[0]["outcome"], &rung[1]["outcome"]), (&"refused".into(), &"answered".into()));
    assert_eq!(rung.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_their_hours_nobody_is_rung_and_a_message_is_offered() {
    let zone = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    let today = jiff::Timestamp::now().to_zoned_datetime(zone).date();
    // A day that is neither today nor yesterday, around midnight too.
    let day = today.tomorrow().unwrap().tomorrow().unwrap().tomorrow().unwrap().weekday();
    let day = webox::domain::weekday_name(day);
    let sections = format!(
        "[transfer]\nwords = [\"urgence\"]\n[[transfer.to]]\nname = \"Accueil\"\nnumber = \"{DESK}\"\n\
         hours = {{ {day} = [\"09:00-12:00\"] }}\n"
    );
    let webox = le_gourmet(Webox::with_le_gourmet(), &sections);
    let daemon = Daemon::start(&webox);
    let words = spoken(&asks(&daemon, 1).await);
    assert!(words.contains("personne n'est disponible") && words.contains("message"), "{words}");
    daemon.ring(&sid(2)).await;
    let urgent = daemon.say(&sid(2), 1, "C'est une urgence !").await;
    let words = spoken(&urgent);
    assert!(words.contains("le 15 ou le 112") && words.contains("prendre un message"), "{words}");
    let noted = daemon.say(&sid(2), 2, "Rappelez-moi au plus vite, c'est Martin").await;
    assert!(spoken(&noted).contains("transmets votre message"), "{}", noted.body);
    assert_eq!(shown(&webox, 2)["transfers"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_of_the_file_hands_over_at_once_and_emergencies_are_never_dialled() {
    let model = FakeOpenAi::start(vec![say("Nous avons un parking."), say("Bien sûr.")]);
    let sections = format!(
        "{}[ai]\nmodel = \"openai/gpt-6-luna\"\n",
        two("warm = true\nwords = [\"urgence\", \"fuite d'eau\"]")
    );
    let webox = le_gourmet(Webox::with_le_gourmet(), &sections)
        .env("OPENAI_API_KEY", KEY)
        .env("OPENAI_BASE_URL", model.url());
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let answer = daemon.say(&sid(1), 1, "Il y a une fuite d'eau dans la cuisine").await;
    let dial = dialled(&answer);
    assert_eq!(dial.number, DESK);
    assert!(!spoken(&answer).contains("112"), "a leak kills nobody: {}", answer.body);
    let told = human(&daemon, 1, dial.whisper.as_ref().unwrap(), DESK, "").await;
    assert!(spoken(&told).contains("Il y a une fuite d'eau dans la cuisine"), "{}", told.body);
    assert!(model.requests().is_empty(), "no model was asked");
    assert_eq!(shown(&webox, 1)["turns"][1]["tools"][0]["tool"], "transfer");
    // Somebody in danger is told what to dial, at once and once.
    daemon.ring(&sid(2)).await;
    let told = daemon.say(&sid(2), 1, "Passez-moi les pompiers, il y a le feu !").await;
    let words = spoken(&told);
    assert!(words.contains("raccrochez et composez tout de suite le 15 ou le 112"), "{words}");
    assert!(!told.body.contains("<Dial") && model.requests().is_empty(), "{}", told.body);
    let again = daemon.say(&sid(2), 2, "Mais il y a le feu").await;
    assert_eq!(spoken(&again), "Nous avons un parking.", "then a mind answers");
    assert!(model.requests()[0].json.to_string().contains("You cannot call emergency services"));
    // What is denied is none.
    daemon.ring(&sid(3)).await;
    let calm = daemon.say(&sid(3), 1, "Ce n'est pas une urgence").await;
    assert_eq!(spoken(&calm), "Bien sûr.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_hands_over_to_names_of_the_file_and_to_no_number() {
    let model = FakeOpenAi::start(vec![
        tool("transfer", r#"{"reason":"feu","to":"15"}"#),
        tool("transfer", r#"{"reason":"feu","to":"+33112","number":"112"}"#),
        say("Je ne peux pas."),
        tool("transfer", r#"{"reason":"une table pour vingt","to":"le chef"}"#),
        say("Je vous passe le chef."),
    ]);
    let sections = format!("{}[ai]\nmodel = \"openai/gpt-6-luna\"\n", two("warm = true"));
    let webox = le_gourmet(Webox::with_le_gourmet(), &sections)
        .env("OPENAI_API_KEY", KEY)
        .env("OPENAI_BASE_URL", model.url());
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let refused = daemon.say(&sid(1), 1, "Appelez le 15").await;
    assert!(!refused.body.contains("<Dial"), "{}", refused.body);
    assert_eq!(spoken(&refused), "Je ne peux pas.");
    let told = model.requests()[1].json["messages"].to_string();
    assert!(told.contains("names nobody") && told.contains("Le chef"), "{told}");
    let offered = model.requests()[0].json["tools"].to_string();
    assert!(offered.contains(r#""enum":["Accueil","Le chef"]"#), "{offered}");
    assert!(!offered.contains(&CHEF[1..]), "no number: {offered}");
    let handed = daemon.say(&sid(1), 2, "Alors passez-moi le chef").await;
    let dial = dialled(&handed);
    assert_eq!(dial.number, CHEF);
    let whisper = human(&daemon, 1, dial.whisper.as_ref().unwrap(), CHEF, "").await;
    assert!(spoken(&whisper).contains("une table pour vingt"), "{}", whisper.body);
    // The other one is rung after him.
    assert_eq!(dialled(&became(&daemon, 1, &dial.action, "no-answer").await).number, DESK);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_lost_hands_over_once_where_the_file_says_so() {
    let webox = le_gourmet(Webox::with_le_gourmet(), &two("when_lost = true"));
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let mut answer = daemon.say(&sid(1), 1, "xylophone").await;
    for turn in 2..4 {
        assert!(!answer.body.contains("<Dial"), "{}", answer.body);
        answer = daemon.say(&sid(1), turn, "blabla").await;
    }
    let first = dialled(&answer);
    let second = dialled(&became(&daemon, 1, &first.action, "no-answer").await);
    let back = became(&daemon, 1, &second.action, "no-answer").await;
    assert!(spoken(&back).contains("prendre un message"), "{}", back.body);
    // A model that fails in two turns is lost too; in one it is not.
    let model = FakeOpenAi::start(vec![Behaviour::Unauthorized, Behaviour::Unauthorized]);
    let sections = format!("{}[ai]\nmodel = \"openai/gpt-6-luna\"\n", two("when_lost = true"));
    let webox = le_gourmet(Webox::with_le_gourmet(), &sections)
        .env("OPENAI_API_KEY", KEY)
        .env("OPENAI_BASE_URL", model.url());
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let once = daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    assert!(spoken(&once).contains("parking"), "{}", once.body);
    assert_eq!(dialled(&daemon.say(&sid(1), 2, "Et une terrasse ?").await).number, DESK);
}

#[test]
fn wrong_humans_are_told_with_their_line_and_column() {
    let webox = Webox::new();
    let base = "name = \"a\"\nclient = \"A\"\nphone = \"+33123456789\"\ncontext = \"x\"\n";
    for (section, place, part) in [
        ("[transfer]\nnumber = \"112\"\n", "6:10", "`112` is an emergency number"),
        (
            "[[transfer.to]]\nname = \"SAMU\"\nnumber = \"+33 15\"\n",
            "7:10",
            "`15` is an emergency number, which an assistant never dials",
        ),
        (
            "[[transfer.to]]\nname = \"A\"\nnumber = \"+33612345601\"\n[[transfer.to]]\nname = \"B\"\nnumber = \"+33123456789\"\n",
            "10:10",
            "the assistant's own number",
        ),
        (
            "[transfer]\nnumber = \"+33612345601\"\nring_for = \"2m\"\n",
            "7:12",
            "between 5s and 60s",
        ),
        ("[transfer]\nwords = [\"urgence\"]\n", "6:9", "needs somebody to hand over to"),
        ("[transfer]\nnumber = \"+33612345601\"\ncaller_id = \"me\"\n", "7:13", "assistant"),
    ] {
        let file = webox.file("a.toml", &format!("{base}{section}"));
        let ran = webox.run(["validate", &file]);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(ran.code != 0 && told.contains(part), "{section}: {told}");
        assert!(told.contains(&format!("a.toml:{place}")), "{place} for {section}: {told}");
    }
}
