//! Calls that change their language, on all three lines, against the real daemon.

use std::time::Duration;

use webox::{
    domain::{Actor, Call, CallSid, Turn},
    operations::{bookings, calls},
    rehearsal::{
        relayed::RelayedCall,
        streamed::{Manner as Caller, StreamedCall},
    },
    twilio::{caller::Answer, reader::Verb, relay::ToTwilio},
};

use crate::{
    stream::QUESTION,
    support::{
        cmd::Webox,
        daemon::{CALLER, Daemon, NUMBER, sid, spoken, verbs},
        fake_deepgram::{FakeDeepgram, Manner},
        fake_http::{KEY, say},
        fake_openai::FakeOpenAi,
        fake_speech::FakeSpeech,
        seed,
    },
};

/// Le Gourmet on a line, in French and English, with more in its file.
fn gourmet(line: &str, more: &str) -> Webox {
    let webox = Webox::with_le_gourmet_always_open();
    let exported = webox.run(["export", "le-gourmet"]).ok();
    let mut file: toml::Table = toml::from_str(&exported.stdout).unwrap();
    let sections = format!(
        "[voice]\nline = \"{line}\"\nlanguage = \"fr-FR\"\nlanguages = [\"fr-FR\", \"en-US\"]\n\
         greeting = \"Le Gourmet, bonjour. Que puis-je faire ?\"\n\
         greetings = {{ en-US = \"Le Gourmet, good day. What can I do?\" }}\n{more}"
    );
    file.extend(toml::from_str::<toml::Table>(&sections).unwrap());
    let path = webox.file("le-gourmet.toml", &toml::to_string(&file).unwrap());
    webox.run(["apply", &path, "--yes"]).ok();
    webox
}

fn shown(webox: &Webox, sid: &CallSid) -> (Call, Vec<Turn>) {
    calls::show(&seed::store(webox), &Actor::webox("test"), sid).unwrap()
}

/// The language of all that is said, and of what is listened for.
fn languages(answer: &Answer) -> (Vec<String>, Option<String>) {
    let mut said = Vec::new();
    for verb in verbs(answer) {
        match verb {
            Verb::Say(words) => said.extend(words.language),
            Verb::Gather { prompts, .. } => {
                said.extend(prompts.into_iter().filter_map(|words| words.language));
            }
            _ => {}
        }
    }
    let gather = answer.body.split("<Gather ").nth(1);
    let listened = gather.and_then(|rest| rest.split("language=\"").nth(1)?.split('"').next());
    (said, listened.map(str::to_owned))
}

#[tokio::test]
async fn a_key_of_the_greeting_switches_and_a_restart_changes_nothing() {
    let webox = gourmet("gather", "");
    let daemon = Daemon::start(&webox);
    let greeting = daemon.ring(&sid(1)).await;
    assert!(spoken(&greeting).ends_with("For English, press 9."), "{}", spoken(&greeting));
    let (said, listened) = languages(&greeting);
    assert_eq!(
        (said.last().map(String::as_str), listened.as_deref()),
        (Some("en-US"), Some("fr-FR"))
    );
    assert!(greeting.body.contains("numDigits=\"1\""), "{}", greeting.body);
    let route = format!("process?call_sid={}&turn=1", sid(1));
    let switched = daemon.post(&route, &sid(1), &[("Digits", "9")]).await;
    assert_eq!(spoken(&switched), "Of course, let's go on in English.");
    assert_eq!(languages(&switched), (vec!["en-US".to_owned()], Some("en-US".to_owned())));
    let asked = daemon.say(&sid(1), 2, "A table for four tomorrow at eight pm please").await;
    assert!(spoken(&asked).contains("What name"), "{}", spoken(&asked));
    daemon.kill();
    let daemon = Daemon::start(&webox);
    let booked = daemon.say(&sid(1), 3, "Smith").await;
    assert!(spoken(&booked).contains("You're booked for"), "{}", spoken(&booked));
    assert_eq!(languages(&booked).0, ["en-US"]);
    let (call, turns) = shown(&webox, &sid(1));
    assert_eq!(call.language.as_str(), "en-US");
    let of: Vec<&str> = turns.iter().map(|turn| turn.language.as_str()).collect();
    assert_eq!(of, ["fr-FR", "en-US", "en-US", "en-US"]);
    assert_eq!(bookings::of_call(&seed::store(&webox), call.id).unwrap().len(), 1);
    let transcript = webox.run(["calls", "show", sid(1).as_str(), "-o", "text"]).ok().stdout;
    assert_eq!(transcript.matches("goes on in en-US").count(), 1, "{transcript}");
    let json = webox.run(["calls", "show", sid(1).as_str(), "-o", "json"]).ok().json();
    assert_eq!(json["call"]["language"], "en-US");
    assert_eq!(json["turns"][0]["language"], "fr-FR");
    assert_eq!(json["turns"][1]["language"], "en-US");
    // A delivery that comes again changes nothing.
    assert_eq!(daemon.post(&route, &sid(1), &[("Digits", "9")]).await.body, switched.body);
}

#[test]
fn a_file_with_languages_comes_back_as_it_was() {
    let webox = gourmet("gather", "voices = { en-US = \"Polly.Joanna-Neural\" }\n");
    let exported = webox.run(["export", "le-gourmet"]).ok().stdout;
    assert!(
        exported.contains("Le Gourmet, good day.") && exported.contains("Joanna"),
        "{exported}"
    );
    let path = webox.file("again.toml", &exported);
    webox.run(["validate", &path]).ok();
    webox.run(["plan", &path]).ok();
}

#[tokio::test]
async fn whole_sentences_switch_both_ways_and_single_words_do_not() {
    let webox = gourmet("gather", "");
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let said = async |turn, words| spoken(&daemon.say(&sid(1), turn, words).await);
    assert!(said(1, "Hello, OK").await.contains("Que puis-je faire"), "no evidence");
    let other = said(2, "Parlez-vous japonais ?").await;
    assert_eq!(other, "Je parle français et anglais.");
    assert!(said(3, "une table pour quatre").await.contains("Pour quel jour"));
    assert!(said(4, "I would like to come tomorrow evening").await.contains("At what time"));
    // What was said before counts, and so does what is asked now.
    let back = said(5, "en français s'il vous plaît").await;
    assert_eq!(back, "Bien sûr, continuons en français. À quelle heure souhaitez-vous venir ?");
    assert!(said(6, "à vingt heures").await.contains("4 personnes. À quel nom"));
    let (call, turns) = shown(&webox, &sid(1));
    assert_eq!(call.language.as_str(), "fr-FR");
    let of: Vec<&str> = turns.iter().map(|turn| &turn.language.as_str()[..2]).collect();
    assert_eq!(of, ["fr", "fr", "fr", "fr", "en", "fr", "fr"]);
}

#[tokio::test]
async fn a_recogniser_that_is_unsure_may_have_heard_the_other_language() {
    let webox = gourmet("gather", "");
    let daemon = Daemon::start(&webox);
    for (n, confidence, expected) in [(1, "0.93", "fr-FR"), (2, "0.31", "en-US")] {
        daemon.ring(&sid(n)).await;
        let route = format!("process?call_sid={}&turn=1", sid(n));
        // "Four people, at eight", as a French ear may have it.
        let heard = [("SpeechResult", "fore people at aide"), ("Confidence", confidence)];
        daemon.post(&route, &sid(n), &heard).await;
        assert_eq!(shown(&webox, &sid(n)).0.language.as_str(), expected);
    }
}

#[tokio::test]
async fn a_call_begins_in_the_language_of_its_caller() {
    let webox = gourmet("gather", "");
    let daemon = Daemon::start(&webox);
    for (n, from, first, hint) in [
        (1, "+447700900123", "Le Gourmet, good day.", "Pour le français, tapez 9."),
        (2, "+33612345678", "Le Gourmet, bonjour.", "For English, press 9."),
        (3, "+4915112345678", "Le Gourmet, bonjour.", "For English, press 9."),
        (4, "anonymous", "Le Gourmet, bonjour.", "For English, press 9."),
    ] {
        let ringing = [("CallStatus", "ringing")];
        let greeting = daemon.post_from(from, NUMBER, "incoming", &sid(n), &ringing).await;
        let said = spoken(&greeting);
        assert!(said.starts_with(first) && said.ends_with(hint), "{from}: {said}");
    }
    let machine = shown(&webox, &sid(1)).1[0].said.clone().unwrap();
    assert!(machine.contains("automated") && !machine.contains("automatique"), "{machine}");
}

#[tokio::test]
async fn the_question_about_recording_is_asked_again_in_the_other_language() {
    let webox = gourmet("gather", "[compliance]\nrecording = \"ask\"\n");
    let daemon = Daemon::start(&webox);
    let greeting = daemon.ring(&sid(1)).await;
    assert!(spoken(&greeting).contains("Acceptez-vous"), "{}", spoken(&greeting));
    let again = daemon.say(&sid(1), 1, "In English, please").await;
    assert!(spoken(&again).contains("recorded?"), "{}", spoken(&again));
    let agreed = daemon.say(&sid(1), 2, "Yes, that's fine").await;
    assert!(agreed.body.contains("<Recording"), "{}", agreed.body);
}

#[tokio::test]
async fn a_relay_is_told_to_speak_and_to_listen_in_the_other_language() {
    let webox = gourmet("relay", "voices = { en-US = \"Joanna-Neural\" }\n");
    let daemon = Daemon::start(&webox);
    let (mut call, _) =
        RelayedCall::place(&daemon.twilio, CALLER, &NUMBER.parse().unwrap()).await.unwrap();
    let relay = call.endpoint().unwrap();
    assert_eq!(relay.attribute("transcriptionLanguage"), None);
    let voices: Vec<(&str, &str)> =
        relay.languages.iter().map(|l| (l["code"].as_str(), l["voice"].as_str())).collect();
    assert_eq!(voices, [("fr-FR", "Lea-Neural"), ("en-US", "Joanna-Neural")]);
    call.listen().await.unwrap();
    let same = call.say("une table pour quatre").await.unwrap();
    assert!(same.messages.iter().all(|m| !matches!(m, ToTwilio::Language { .. })));
    let answer = call.say("In English, please").await.unwrap();
    let english = || Some("en-US".to_owned());
    let language =
        ToTwilio::Language { tts_language: english(), transcription_language: english() };
    assert_eq!(answer.messages.first(), Some(&language), "before any word: {answer:?}");
    assert!(answer.text.contains("let's go on in English. For which day"), "{}", answer.text);
    // A socket that is lost comes back in the language that was spoken.
    call.drop_socket().await.unwrap();
    assert_eq!(call.endpoint().unwrap().attribute("language"), Some("en-US"));
    let asked = call.say("tomorrow at eight pm").await.unwrap();
    assert!(asked.text.contains("a table is free"), "{}", asked.text);
    let sid = call.sid().clone();
    call.hang_up().await.unwrap();
    assert_eq!(shown(&webox, &sid).0.language.as_str(), "en-US");
}

#[tokio::test]
async fn a_relay_that_hears_both_goes_on_hearing_both() {
    let webox = gourmet("relay", "[hearing]\nprovider = \"deepgram\"\n");
    let daemon = Daemon::start(&webox);
    let (mut call, _) =
        RelayedCall::place(&daemon.twilio, CALLER, &NUMBER.parse().unwrap()).await.unwrap();
    assert_eq!(call.endpoint().unwrap().attribute("transcriptionLanguage"), Some("multi"));
    call.listen().await.unwrap();
    let answer = call.say_in("en", "four people at eight").await.unwrap();
    let spoken =
        ToTwilio::Language { tts_language: Some("en-US".into()), transcription_language: None };
    assert_eq!(answer.messages.first(), Some(&spoken), "{answer:?}");
    assert!(answer.text.contains("For which day"), "{}", answer.text);
    let sid = call.sid().clone();
    call.hang_up().await.unwrap();
    let json = webox.run(["calls", "show", sid.as_str(), "-o", "json"]).ok().json();
    assert_eq!(json["turns"][1]["heard_language"], "en");
}

/// Le Gourmet over a stream, with Deepgram's double for an ear.
fn streamed(ear: &FakeDeepgram, mouth: &FakeSpeech, model: &str) -> Webox {
    let more = format!(
        "provider = \"openai\"\nvoice_id = \"coral\"\nvoices = {{ en-US = \"onyx\" }}\n\
         [hearing]\nprovider = \"deepgram\"\nmodel = \"{model}\"\n"
    );
    gourmet("stream", &more)
        .env("OPENAI_BASE_URL", mouth.url())
        .env("OPENAI_API_KEY", KEY)
        .env("DEEPGRAM_BASE_URL", ear.base())
        .env("DEEPGRAM_API_KEY", KEY)
}

async fn ask(daemon: &Daemon) -> CallSid {
    let manner = Caller { quiet: Duration::from_millis(300), ..Caller::default() };
    let number = NUMBER.parse().unwrap();
    let (mut call, _) = StreamedCall::ring(&daemon.twilio, CALLER, &number, manner).await.unwrap();
    for _ in 0..2 {
        call.say(QUESTION).await.unwrap();
    }
    let sid = call.sid().clone();
    call.hang_up().await.unwrap();
    sid
}

#[tokio::test]
async fn on_a_stream_the_voice_changes_with_the_language() {
    let ear = FakeDeepgram::start(&[Manner::Understands(&[
        ("four people at eight", "en"),
        ("tomorrow evening", "en"),
    ])]);
    let mouth = FakeSpeech::start();
    let webox = streamed(&ear, &mouth, "nova-3");
    let daemon = Daemon::start(&webox);
    let sid = ask(&daemon).await;
    let (call, turns) = shown(&webox, &sid);
    assert_eq!(call.language.as_str(), "en-US", "{turns:?}");
    let requests = ear.seen().requests;
    assert_eq!(requests.len(), 1, "one ear for both: {requests:?}");
    assert!(requests[0].0.contains("language=multi"), "{requests:?}");
    let voices = mouth.voices();
    let voice = |part: &str| {
        let found = voices.iter().find(|(text, _)| text.contains(part));
        found.map(|(_, voice)| voice.as_str())
    };
    assert_eq!((voice("bonjour"), voice("For which day")), (Some("coral"), Some("onyx")));
}

#[tokio::test]
async fn an_ear_that_hears_one_language_is_exchanged() {
    let ear = FakeDeepgram::start(&[Manner::Understands(&[
        ("in English please", "fr"),
        ("a table for two", "en"),
    ])]);
    let mouth = FakeSpeech::start();
    let webox = streamed(&ear, &mouth, "nova-2-phonecall");
    let daemon = Daemon::start(&webox);
    let sid = ask(&daemon).await;
    let asked: Vec<bool> = ear
        .seen()
        .requests
        .iter()
        .map(|(url, _)| {
            assert!(url.contains("language=fr") || url.contains("language=en-US"), "{url}");
            url.contains("language=en-US")
        })
        .collect();
    assert_eq!(asked, [false, true]);
    let (_, turns) = shown(&webox, &sid);
    assert_eq!(turns[2].heard.as_ref().unwrap().text(), "a table for two", "{turns:?}");
    assert_eq!(turns[2].language.as_str(), "en-US");
}

#[tokio::test]
async fn a_model_is_told_the_language_last_and_the_rest_stays_as_it_was() {
    let model = FakeOpenAi::start(vec![
        say("Pour quel jour ?"),
        say("Of course. For which day?"),
        say("At what time?"),
    ]);
    let webox = gourmet("gather", "[ai]\nmodel = \"openai/gpt-6-luna\"\n")
        .env("OPENAI_API_KEY", KEY)
        .env("OPENAI_BASE_URL", model.url());
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    daemon.say(&sid(1), 1, "une table pour deux").await;
    let switched = daemon.say(&sid(1), 2, "In English, please").await;
    assert_eq!(spoken(&switched), "Of course. For which day?");
    assert_eq!(languages(&switched), (vec!["en-US".to_owned()], Some("en-US".to_owned())));
    daemon.say(&sid(1), 3, "tomorrow").await;
    let told: Vec<String> = model.requests().iter().map(|r| instructions(&r.json)).collect();
    let parts: Vec<(&str, &str)> =
        told.iter().map(|text| text.split_once("\n# Language\n").unwrap()).collect();
    assert!(parts[0].1.starts_with("Speak French (fr-FR)"), "{}", parts[0].1);
    for (stable, language) in &parts[1..] {
        assert!(language.starts_with("Speak English (en-US)"), "{language}");
        assert_eq!(*stable, parts[0].0, "what can be cached");
    }
}

/// The longest text of a request that is not what was said.
fn instructions(request: &serde_json::Value) -> String {
    fn longest(value: &serde_json::Value) -> String {
        match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Array(values) => {
                values.iter().map(longest).max_by_key(String::len).unwrap_or_default()
            }
            serde_json::Value::Object(values) => {
                values.values().map(longest).max_by_key(String::len).unwrap_or_default()
            }
            _ => String::new(),
        }
    }
    longest(request)
}

#[test]
fn what_is_not_spoken_is_told_when_a_file_is_read() {
    let webox = Webox::new();
    for (voice, expected) in [
        ("languages = [\"fr-FR\", \"pl-PL\"]", "nothing is translated into"),
        ("voices = { en-US = \"x\" }", "a language that `languages` does not list"),
        ("greetings = { en-US = \"x\" }", "a language that `languages` does not list"),
    ] {
        let file = format!(
            "name = \"a\"\nclient = \"A\"\nphone = \"+33199000177\"\ncontext = \"x\"\n[voice]\n{voice}\n"
        );
        let path = webox.file("a.toml", &file);
        let told = webox.run(["validate", &path]);
        assert_eq!(told.code, 65, "{}", told.stderr);
        assert!(told.stderr.contains(expected), "{}", told.stderr);
    }
}

const TRATTORIA: &str = r#"
name   = "trattoria"
client = "Trattoria Sole"
phone  = "+390299000111"
context = "Eine Trattoria."
timezone = "Europe/Rome"
[voice]
language  = "it-IT"
languages = ["it-IT", "de-DE"]
[hours]
tuesday = ["12:00-14:30", "19:00-23:00"]
friday  = ["19:00-23:00"]
[booking]
party    = { min = 1, max = 8 }
capacity = 30
[[facts]]
about  = ["menu"]
answer = "Il menu costa 32,50 €. Per i gruppi chiami lo 02 9900 0112."
"#;

const TWO_TABLES: &str = r#"
[[scenario]]
name = "un tavolo in italiano"
at   = "2026-11-23 18:00"
from = "+393331234567"
greeting = { contains = ["Trattoria Sole, buongiorno", "Für Deutsch drücken Sie die 9."], language = "it-IT" }
expect = { booked = { party = 4, at = "2026-11-27 20:30", name = "Rossi" }, hung_up = true }
[[scenario.turn]]
say = "Buonasera, vorrei prenotare un tavolo, siamo in quattro"
expect = { contains = "Per quale giorno" }
[[scenario.turn]]
say = "Quanto costa il menu?"
expect = { contains = ["32 euro e 50", "lo zero due, nove nove zero zero, zero uno uno due"] }
[[scenario.turn]]
say = "Venerdì sera"
expect = { contains = "A che ora" }
[[scenario.turn]]
say = "Le otto e mezza"
expect = { contains = "venerdì 27 novembre alle ore 20 e 30" }
[[scenario.turn]]
say = "A nome di Rossi"
expect = { contains = "La prenotazione è confermata", tool = "book" }

[[scenario]]
name = "ein Tisch auf Deutsch, von einer deutschen Nummer"
at   = "2026-11-23 18:00"
from = "+4915112345678"
greeting = { contains = ["Trattoria Sole, guten Tag", "Per l'italiano, prema 9."], language = "de-DE" }
expect = { booked = { party = 2, at = "2026-11-24 19:30", name = "Müller" }, hung_up = true }
[[scenario.turn]]
say = "Guten Tag, ich hätte gern einen Tisch für zwei, morgen Abend um halb acht"
expect = { contains = "am Dienstag, dem vierundzwanzigsten November um 19 Uhr 30" }
[[scenario.turn]]
say = "Auf den Namen Müller, bitte"
expect = { contains = ["Es ist reserviert", "auf den Namen Müller"], tool = "book" }

[[scenario]]
name = "mitten im Satz: auf Deutsch bitte"
at   = "2026-11-23 18:00"
from = "+393331234567"
expect = { booked = { party = 3, at = "2026-11-24 21:00", name = "Weber" }, language = "de-DE" }
[[scenario.turn]]
say = "Un tavolo per tre"
expect = { contains = "Per quale giorno", language = "it-IT" }
[[scenario.turn]]
say = "Auf Deutsch bitte"
expect = { contains = ["dann sprechen wir Deutsch", "Für welchen Tag"], language = "de-DE" }
[[scenario.turn]]
say = "Morgen um neun Uhr abends"
expect = { contains = "um 21 Uhr ist ein Tisch für 3 Personen frei" }
[[scenario.turn]]
say = "Weber"
expect = { tool = "book" }
"#;

#[test]
fn tables_are_booked_in_german_and_in_italian() {
    let webox = Webox::new();
    let path = webox.file("trattoria.toml", TRATTORIA);
    webox.file("trattoria.rehearsal.toml", TWO_TABLES);
    webox.run(["test", &path]).ok().says("3 scenarios: 3 passed");
}
