//! What is known after a call: how satisfied the caller was, what the assistant's file asks for, and
//! who is told of it.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use webox::rehearsal::{
    State,
    relayed::RelayedCall,
    streamed::{Manner, StreamedCall},
};

use crate::support::{
    api::{Who, World},
    cmd::{LE_GOURMET, Webox},
    daemon::{CALLER, Daemon, NUMBER, hangs_up, sid, spoken},
    fake_crm,
    fake_http::{Behaviour, KEY, say, tool},
    fake_openai::FakeOpenAi,
    fake_speech::FakeSpeech,
    receiver::{Received, Receiver},
};

const EXTRACT: &str = "[after]\nsummary = true\n\
    [after.extract.properties]\n\
    plate = { type = \"string\", pattern = \"^[A-Z]{2}-[0-9]{3}-[A-Z]{2}$\" }\n\
    trouble = { type = \"string\", description = \"ce qui ne va pas\" }\n\
    km = { type = \"integer\" }\n";

/// Le Gourmet, open every day, with more in its file.
fn with(webox: Webox, more: &str) -> Webox {
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let text = text.replace("[hours]", "[hours]\nsunday = [\"12:00-14:00\", \"19:00-23:00\"]");
    let file = webox.file("le-gourmet.toml", &format!("{text}\n{more}"));
    webox.run(["apply", "--yes", &file]).ok();
    webox
}

fn with_model(webox: Webox, provider: &FakeOpenAi, more: &str) -> Webox {
    let webox = webox.env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", provider.url());
    let webox = with(webox, more);
    webox.run(["assistants", "edit", "le-gourmet", "--model", "gpt-4"]).ok();
    webox
}

fn outgoing(webox: Webox) -> Webox {
    webox
        .env("WEBOX_ALLOWED_NETWORKS", "127.0.0.0/8")
        .env("WEBOX_ALLOW_HTTP", "true")
        .env("CRM_HOOK_SECRET", format!("whsec_{}", STANDARD.encode([9; 32])))
}

fn webhook(receiver: &Receiver, more: &str) -> String {
    let url = receiver.url();
    format!(
        "[[deliver]]\nto = \"webhook\"\nurl = \"{url}/hooks\"\n\
         secret = {{ env = \"CRM_HOOK_SECRET\" }}\n{more}\n"
    )
}

/// A whole call; what was said in it.
async fn call(daemon: &Daemon, n: u32, says: &[&str]) -> Vec<String> {
    daemon.ring(&sid(n)).await;
    let mut told = Vec::new();
    for (turn, words) in (1..).zip(says) {
        told.push(spoken(&daemon.say(&sid(n), turn, words).await));
    }
    daemon.hang_up(&sid(n), 30).await;
    told
}

async fn press(daemon: &Daemon, n: u32, turn: u32, keys: &str) -> webox::twilio::caller::Answer {
    let route = format!("process?call_sid={}&turn={turn}", sid(n));
    daemon.post(&route, &sid(n), &[("Digits", keys)]).await
}

fn shown(webox: &Webox, n: u32) -> Value {
    let run = || webox.run(["calls", "show", sid(n).as_str(), "-o", "json"]).ok().json();
    tokio::task::block_in_place(run)["call"].clone()
}

/// Waits until something holds of a call.
#[track_caller]
fn until(webox: &Webox, n: u32, holds: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let call = shown(webox, n);
        if holds(&call) {
            return call;
        }
        assert!(Instant::now() < deadline, "{call}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn by_model(call: &Value) -> bool {
    call["summary_source"] == "model"
}

/// How satisfied, by whom, and why.
fn satisfied(call: &Value) -> (Value, Value, Value) {
    let of = |name: &str| call[name].clone();
    (of("satisfaction_score"), of("satisfaction_source"), of("satisfaction_why"))
}

fn run<'a>(webox: &Webox, args: impl IntoIterator<Item = &'a str>) -> String {
    tokio::task::block_in_place(|| webox.run(args).ok().stdout)
}

fn of_event(received: &[Received], event: &str) -> Vec<Value> {
    let told = received.iter().map(Received::json);
    told.filter(|told| told["type"] == event).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_finds_out_what_the_file_asks_for_and_others_are_told() {
    let receiver = Receiver::start();
    let answer = json!({
        "summary": "Panne de freins.", "topic": "freins",
        "satisfaction": { "score": 4, "why": "Content de la réponse." },
        "extract": { "plate": "AB-123-CD", "trouble": "carte 4111 1111 1111 1111", "km": "beaucoup", "age": 7 },
    });
    let provider = FakeOpenAi::start(vec![say("Bien sûr."), say(&answer.to_string())]);
    let fields = "fields = { plaque = \"{{ extract.plate }}\", km = \"{{ extract.km }}\" }";
    let more = format!("{EXTRACT}\n{}", webhook(&receiver, fields));
    let webox = with_model(outgoing(Webox::new()), &provider, &more);
    let daemon = Daemon::start(&webox);
    call(&daemon, 1, &["Mes freins grincent"]).await;
    let told = until(&webox, 1, by_model);
    assert_eq!((&told["summary"], &told["topic"]), (&json!("Panne de freins."), &json!("freins")));
    assert_eq!(satisfied(&told), (json!(4), json!("judged"), json!("Content de la réponse.")));
    let extract = &told["extract"];
    assert_eq!((&extract["plate"], &extract["km"]), (&json!("AB-123-CD"), &Value::Null));
    assert!(!extract.to_string().contains("4111") && extract.get("age").is_none(), "{extract}");
    // One question for all of it, with the schema; what did not fit is said in the log.
    let asked = provider.requests();
    assert_eq!(asked.len(), 2);
    let question = asked[1].json.to_string();
    assert!(
        question.contains("ce qui ne va pas") && question.contains("never a guess"),
        "{question}"
    );
    assert!(
        !asked[0].json.to_string().contains("ce qui ne va pas"),
        "no matter of the call itself"
    );
    assert!(daemon.logged("`km` does not fit").contains("left out of what a model found"));
    assert!(!daemon.logged("`age` was not asked for").contains("beaucoup"));

    // Told once, after the end.
    let received = tokio::task::block_in_place(|| receiver.wait_for(2));
    let told = of_event(&received, "call.summarised");
    let [one] = told.as_slice() else { panic!("{received:?}") };
    let data = &one["data"];
    assert_eq!(data["call"]["outcome"], "informed");
    assert_eq!(
        (&data["call"]["summary"], &data["call"]["satisfaction_score"]),
        (&json!("Panne de freins."), &json!(4))
    );
    assert_eq!((&data["extract"], &data["call"]["extract"]), (extract, extract));
    assert_eq!(data["fields"], json!({ "plaque": "AB-123-CD" }));
    let ended = of_event(&received, "call.ended");
    assert_eq!(ended[0]["data"]["call"]["extract"], Value::Null, "it was not known yet");

    // In the figures, lists and exports.
    let figures: Value = serde_json::from_str(&run(&webox, ["stats", "-o", "json"])).unwrap();
    let stats = &figures["stats"];
    assert_eq!(
        (&stats["average_satisfaction"], &stats["satisfaction_count"]),
        (&json!(4.0), &json!(1))
    );
    let csv = run(&webox, ["calls", "list", "-o", "csv"]);
    let heading = csv.lines().next().unwrap();
    assert!(
        heading.ends_with("topic,summary,satisfaction_source,satisfaction_why,extract"),
        "{csv}"
    );
    assert!(csv.contains("judged,Content de la réponse.") && csv.contains("AB-123-CD"), "{csv}");
    let list: Value = serde_json::from_str(&run(&webox, ["calls", "list", "-o", "json"])).unwrap();
    assert_eq!(list["calls"][0]["extract"]["plate"], "AB-123-CD");
    let text = run(&webox, ["calls", "show", sid(1).as_str(), "-o", "table"]);
    assert!(text.contains("plate: AB-123-CD") && text.contains("(judged)"), "{text}");
    assert!(!text.contains("km:"), "{text}");
    let kept = run(&webox, ["privacy", "export", "--caller", CALLER]);
    assert!(kept.contains("AB-123-CD") && kept.contains("Content de la réponse."), "{kept}");

    // What was said goes with the caller; the score says nothing of anybody.
    run(&webox, ["privacy", "erase", "--caller", CALLER, "--yes"]);
    let forgotten = shown(&webox, 1);
    assert_eq!((&forgotten["extract"], &forgotten["summary"]), (&Value::Null, &Value::Null));
    assert_eq!(satisfied(&forgotten), (json!(4), json!("judged"), Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_of_no_use_leaves_what_is_known_by_rule_and_that_is_told() {
    let nonsense = json!({ "extract": "rien", "satisfaction": { "score": 11 } }).to_string();
    for broken in [Behaviour::ServerError, say("Je ne sais pas."), say(&nonsense)] {
        let receiver = Receiver::start();
        let provider = FakeOpenAi::start(vec![say("Bien sûr."), broken]);
        let more = format!("{EXTRACT}\n{}", webhook(&receiver, ""));
        let webox = with_model(outgoing(Webox::new()), &provider, &more);
        let daemon = Daemon::start(&webox);
        call(&daemon, 1, &["Bonjour"]).await;
        let received = tokio::task::block_in_place(|| receiver.wait_for(2));
        let told = of_event(&received, "call.summarised");
        assert_eq!(told.len(), 1, "{received:?}");
        let data = &told[0]["data"]["call"];
        assert_eq!((&data["summary_source"], &data["extract"]), (&json!("rule"), &Value::Null));
        assert_eq!(satisfied(data), (Value::Null, Value::Null, Value::Null));
        assert_eq!(provider.requests().len(), 2, "asked once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_out_late_is_found_out_once_also_after_a_kill() {
    let answer = json!({
        "summary": "Tard.", "extract": { "plate": "AB-123-CD" }, "satisfaction": null,
    })
    .to_string();
    let receiver = Receiver::start();
    let provider = FakeOpenAi::start(vec![
        say("Bien sûr."),
        Behaviour::NeverAnswers,
        Behaviour::DelayHeaders(Duration::from_secs(1), answer),
    ]);
    let more = format!("{EXTRACT}\n{}", webhook(&receiver, ""));
    let webox = with_model(outgoing(Webox::new()), &provider, &more);
    let daemon = Daemon::start(&webox);
    call(&daemon, 1, &["Bonjour"]).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while provider.requests().len() < 2 {
        assert!(Instant::now() < deadline, "the model was never asked about the call");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The end is noted, and a model is being asked.
    let call = shown(&webox, 1);
    assert_eq!((&call["outcome"], &call["summary_source"]), (&json!("informed"), &json!("rule")));
    daemon.kill();
    let _daemon = Daemon::start(&webox);
    let told = until(&webox, 1, by_model);
    assert_eq!(told["extract"]["plate"], "AB-123-CD");
    assert_eq!(told["satisfaction_score"], Value::Null, "it could not be told");
    let received = tokio::task::block_in_place(|| receiver.wait_for(2));
    assert_eq!(of_event(&received, "call.summarised").len(), 1, "{received:?}");
    assert_eq!(provider.requests().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_rule_it_is_told_at_once_and_nothing_is_made_up() {
    let receiver = Receiver::start();
    let webox = with(outgoing(Webox::new()), &format!("{EXTRACT}\n{}", webhook(&receiver, "")));
    let daemon = Daemon::start(&webox);
    call(&daemon, 1, &["quels sont vos horaires ?"]).await;
    let received = tokio::task::block_in_place(|| receiver.wait_for(2));
    let kinds: Vec<_> = received.iter().map(|one| one.json()["type"].clone()).collect();
    assert_eq!(kinds, ["call.ended", "call.summarised"]);
    let call = shown(&webox, 1);
    assert_eq!((&call["outcome"], &call["extract"]), (&json!("informed"), &Value::Null));
    assert_eq!(satisfied(&call), (Value::Null, Value::Null, Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crm_gets_a_note_once_a_model_has_answered_and_its_own_fields() {
    let crm = fake_crm::hubspot();
    let answer = json!({
        "summary": "Panne de freins.", "topic": "freins", "satisfaction": { "score": 4, "why": "calme" },
        "extract": { "plate": "AB-123-CD" },
    });
    let provider = FakeOpenAi::start(vec![say("Bien sûr."), say(&answer.to_string())]);
    let place = "[[deliver]]\nto = \"hubspot\"\nsecret = { env = \"CRM_KEY\" }\n\
                 fields = { plate = \"{{ extract.plate }}\" }\n";
    let webox =
        outgoing(Webox::new()).env("HUBSPOT_BASE_URL", crm.0.url()).env("CRM_KEY", fake_crm::KEY);
    let webox = with_model(webox, &provider, &format!("{EXTRACT}{place}"));
    let daemon = Daemon::start(&webox);
    call(&daemon, 1, &["Mes freins grincent"]).await;
    let deadline = Instant::now() + Duration::from_secs(30);
    while crm.1.lock().unwrap().records.len() < 2 {
        assert!(Instant::now() < deadline, "{:?}", crm.1.lock().unwrap().records);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let told = crm.1.lock().unwrap();
    let kinds: Vec<&Value> = told.records.iter().map(|record| &record["kind"]).collect();
    assert_eq!(kinds, ["calls", "notes"]);
    let body = |at: usize, name: &str| told.records[at]["properties"][name].as_str().unwrap();
    assert!(body(0, "hs_call_body").starts_with("A été renseigné."), "by rule, at its end");
    let note = body(1, "hs_note_body");
    for part in ["Résumé de l'appel", "Panne de freins.", "4/5 (calme)", "plate: AB-123-CD"] {
        assert!(note.contains(part), "{note}");
    }
    assert_eq!(told.people.len(), 1);
    assert_eq!(told.people[0]["fields"]["plate"], "AB-123-CD");
}

const ASK: &str = "[after]\nsatisfaction = \"ask\"\n";
const QUESTION: &str = "sur une échelle de un à cinq";

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_asked_once_before_the_goodbye_and_no_model_knows_better() {
    // The model judges as well, since it writes the summary: not what the caller has said.
    let judged = json!({ "summary": "x", "satisfaction": { "score": 1, "why": "y" } }).to_string();
    let provider = FakeOpenAi::start(vec![
        say("Oui, il y a un parking."),
        tool("end_call", "{}"),
        say(&judged),
    ]);
    let webox = with_model(Webox::new(), &provider, &format!("{ASK}summary = true\n"));
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    daemon.say(&sid(1), 1, "Un parking ?").await;
    let asked = daemon.say(&sid(1), 2, "Merci, au revoir").await;
    assert!(spoken(&asked).contains(QUESTION) && !hangs_up(&asked), "{}", asked.body);
    assert_eq!(spoken(&asked).matches(QUESTION).count(), 1);
    let thanked = press(&daemon, 1, 3, "2").await;
    assert!(spoken(&thanked).contains("Merci de votre réponse") && hangs_up(&thanked));
    // In the row at once.
    assert_eq!(satisfied(&shown(&webox, 1)), (json!(2), json!("asked"), Value::Null));
    // A delivery that comes again changes nothing.
    assert_eq!(press(&daemon, 1, 3, "5").await.body, thanked.body);
    daemon.hang_up(&sid(1), 30).await;
    let call = until(&webox, 1, by_model);
    assert_eq!(satisfied(&call), (json!(2), json!("asked"), Value::Null));
    let requests = provider.requests();
    let told = requests[0].json.to_string();
    assert!(told.contains("# Before the goodbye"), "{told}");
    assert!(!requests[2].json.to_string().contains("satisfaction"), "it is known");
    let figures: Value = serde_json::from_str(&run(&webox, ["stats", "-o", "json"])).unwrap();
    assert_eq!(figures["stats"]["satisfaction_sum"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_a_key_or_a_word_or_none_and_nobody_is_pressed() {
    let webox = with(Webox::new(), ASK);
    let daemon = Daemon::start(&webox);
    for (n, answer, score) in [
        (1, "Cinq, c'était parfait", json!(5)),
        (2, "non merci", Value::Null),
        (3, "", Value::Null),
    ] {
        let told =
            call(&daemon, n, &["Avez-vous un parking ?", "non merci, au revoir", answer]).await;
        assert!(told[1].contains(QUESTION), "{told:?}");
        assert!(told[2].contains("au revoir"), "{told:?}");
        let call = shown(&webox, n);
        let why = if score.is_null() { Value::Null } else { json!(answer) };
        assert_eq!((&call["satisfaction_score"], &call["satisfaction_why"]), (&score, &why));
        assert_eq!(call["end_reason"], "assistant-hung-up");
    }
    // Something else is listened to, and the question is not asked again.
    let says = ["Un parking ?", "au revoir", "ah, et vos horaires ?", "merci, au revoir"];
    let told = call(&daemon, 4, &says).await;
    assert!(told[1].contains(QUESTION) && told[2].contains("heures"), "{told:?}");
    assert!(!told[3].contains(QUESTION) && told[3].contains("au revoir"), "{told:?}");
    // Not after an emergency, nor of who says goodbye at once, nor where the file does not ask.
    let told = call(&daemon, 5, &["Il y a le feu dans la salle !", "merci, au revoir"]).await;
    assert!(!told[1].contains(QUESTION), "{told:?}");
    let told = call(&daemon, 6, &["Pardon, faux numéro, au revoir"]).await;
    assert!(!told[0].contains(QUESTION), "{told:?}");
    // Who hangs up at the question gave no answer.
    call(&daemon, 7, &["Un parking ?", "au revoir"]).await;
    let call = shown(&webox, 7);
    assert_eq!(call["satisfaction_score"], Value::Null);
    assert_eq!(call["end_reason"], "caller-hung-up");
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_asked_over_a_relay() {
    let webox = with(Webox::new(), ASK);
    set(&webox, "[voice]\nline = \"relay\"\nlanguage = \"fr-FR\"\n");
    let daemon = Daemon::start(&webox);
    let number = NUMBER.parse().unwrap();
    let (mut call, _) = RelayedCall::place(&daemon.twilio, CALLER, &number).await.unwrap();
    call.listen().await.unwrap();
    call.say("Avez-vous un parking ?").await.unwrap();
    let asked = call.say("non merci, au revoir").await.unwrap();
    assert!(asked.text.contains(QUESTION), "{asked:?}");
    let thanked = call.press("4").await.unwrap();
    assert!(thanked.text.contains("Merci de votre réponse"), "{thanked:?}");
    assert_eq!(*call.state(), State::HungUp);
    let sid = call.sid().to_string();
    let told: Value =
        serde_json::from_str(&run(&webox, ["calls", "show", &sid, "-o", "json"])).unwrap();
    assert_eq!(satisfied(&told["call"]), (json!(4), json!("asked"), Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_asked_in_sound() {
    let speech = FakeSpeech::start();
    speech.understands(["Avez-vous un parking ?", "non merci, au revoir", "très bien, merci"]);
    let webox = with(Webox::new().env("OPENAI_BASE_URL", speech.url()), ASK);
    set(
        &webox,
        "[voice]\nline = \"stream\"\nlanguage = \"fr-FR\"\nprovider = \"openai\"\n\
         [hearing]\nprovider = \"openai\"\n",
    );
    let daemon = Daemon::start(&webox);
    let number = NUMBER.parse().unwrap();
    let manner = Manner { quiet: Duration::from_millis(300), ..Manner::default() };
    let (mut call, _) = StreamedCall::ring(&daemon.twilio, CALLER, &number, manner).await.unwrap();
    for _ in 0..3 {
        call.say(crate::stream::QUESTION).await.unwrap();
    }
    assert_eq!(*call.state(), State::HungUp);
    assert!(speech.spoken().iter().any(|text| text.contains(QUESTION)), "{:?}", speech.spoken());
    let sid = call.sid().to_string();
    let told: Value =
        serde_json::from_str(&run(&webox, ["calls", "show", &sid, "-o", "json"])).unwrap();
    assert_eq!(satisfied(&told["call"]), (json!(5), json!("asked"), json!("très bien, merci")));
}

/// Changes sections of the file.
fn set(webox: &Webox, sections: &str) {
    let exported = webox.run(["export", "le-gourmet"]).ok();
    let mut file: toml::Table = toml::from_str(&exported.stdout).unwrap();
    let given: toml::Table = toml::from_str(sections).unwrap();
    file.extend(given);
    let path = webox.file("le-gourmet.toml", &toml::to_string(&file).unwrap());
    webox.run(["apply", &path, "--yes"]).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_listed_and_counted_by_what_came_of_them() {
    let world = tokio::task::block_in_place(World::new);
    let statement = "UPDATE calls SET outcome = CASE WHEN id % 2 THEN 'booked' ELSE 'message' END";
    let webox = tokio::task::block_in_place(|| {
        for n in 2..=4 {
            crate::support::seed::call(&world.webox, n, 10, webox::domain::CallStatus::Completed);
        }
        rusqlite::Connection::open(world.webox.db()).unwrap().execute(statement, []).unwrap();
        world.far(Who::Admin)
    });
    let here = &world.webox;
    let total = shown_total(here, &[]);
    let booked = shown_total(here, &["--outcome", "booked"]);
    assert!(booked > 0 && booked < total, "{booked} of {total}");
    assert_eq!(shown_total(&webox, &["--outcome", "booked"]), booked);
    let answer = world.get(Who::Admin, "/api/voice/calls?outcome=booked").await.ok();
    assert_eq!(answer["total"], booked);
    assert!(answer["calls"].as_array().unwrap().iter().all(|call| call["outcome"] == "booked"));
    world.get(Who::Admin, "/api/voice/calls?outcome=sold").await.status(400);
    let stats = world.get(Who::Admin, "/api/voice/stats?by=outcome").await.ok();
    let of = |rows: &Value, key: &str| {
        let rows = rows.as_array().unwrap().clone();
        rows.into_iter().find(|row| row["key"] == key || row["outcome"] == key).unwrap()["total_calls"].clone()
    };
    assert_eq!(of(&stats["rows"], "booked"), booked);
    for webox in [here, &webox] {
        let told = run(webox, ["stats", "--by", "outcome", "-o", "json"]);
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(of(&told["rows"], "booked"), booked, "{told}");
        assert_eq!(told["stats"]["total_calls"], total);
    }
    tokio::task::block_in_place(|| {
        here.run(["calls", "list", "--outcome", "bookd"]).code(65).says("booked");
        here.run(["stats", "--latency", "--by", "outcome"]).code(64);
    });
}

fn shown_total(webox: &Webox, more: &[&str]) -> u64 {
    let args = ["calls", "list", "-o", "json"].into_iter().chain(more.iter().copied());
    let told: Value = serde_json::from_str(&run(webox, args)).unwrap();
    told["total"].as_u64().unwrap()
}

#[test]
fn a_schema_that_is_none_is_refused_with_its_line() {
    let webox = Webox::new();
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let line = text.lines().count() + 2;
    for (extract, says) in [
        ("{ type = \"array\", properties = { a = {} } }", "must describe an object"),
        ("{ properties = { a = { type = \"wort\" } } }", "is no JSON Schema"),
        ("{ properties = { a = { \"$ref\" = \"https://a.example/s\" } } }", "is no JSON Schema"),
        ("{ properties = { \"a-b\" = {} } }", "`a-b`"),
    ] {
        let file = webox.file("a.toml", &format!("{text}\n[after]\nextract = {extract}\n"));
        let told = webox.run(["validate", &file]).code(65).says(says);
        told.says(&format!("a.toml:{}:", line + 1)).says("after.extract");
    }
    let file = webox.file("a.toml", &format!("{text}\n[after]\nsatisfaction = \"guess\"\n"));
    webox.run(["validate", &file]).code(65).says(&format!("a.toml:{}:", line + 1));
    // What is delivered names only what is found out.
    let place = "[[deliver]]\nto = \"hubspot\"\nsecret = { env = \"S\" }\n\
                 fields = { a = \"{{ extract.plat }}\" }\n";
    let file = webox.file("a.toml", &format!("{text}\n{EXTRACT}{place}"));
    webox.run(["validate", &file]).code(65).says("extract.plat").says("did you mean `plate`");
    let file = webox.file("a.toml", &format!("{text}\n{place}"));
    webox.run(["validate", &file]).code(65).says("after.extract");
    // A good one comes back from an export as it was.
    let file = webox.file("a.toml", &format!("{text}\n{EXTRACT}"));
    webox.run(["apply", "--yes", &file]).ok();
    let exported = webox.run(["export", "le-gourmet"]).ok().stdout;
    let exported: toml::Table = toml::from_str(&exported).unwrap();
    let properties = &exported["after"]["extract"]["properties"];
    assert_eq!(properties["km"]["type"].as_str(), Some("integer"));
    webox.run(["plan", &file]).ok();
}
