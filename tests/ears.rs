//! The ears against doubles of their vendors: words that arrive, and everything that goes wrong.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::StreamExt;
use serde_json::Value;
use webox::{
    audio::g711,
    domain::{EarProvider, Outcome, Secret},
    providers::{
        speech::SpeechError,
        stt::{
            EarPatience, EarSettings, Ears, Heard, ListenRequest, Listening, ListeningChain,
            OpenGate, Sound, SpeechToText,
        },
    },
};

use crate::support::{
    fake_deepgram::{self, FakeDeepgram, Manner},
    fake_google::{FakeGoogle, Stream},
    fake_transcriber::{Answer, FakeTranscriber},
    talk,
};

const KEY: &str = "wx-double-8d1f0c77e2";

/// Nothing that a test waits for takes longer.
const LONG: Duration = Duration::from_secs(20);

/// For vendors that answer: whatever the machine is busy with.
const PATIENT: EarPatience =
    EarPatience { connect: LONG, finish: LONG, answer: LONG, keep_alive: LONG };

/// For vendors that do not.
const IMPATIENT: EarPatience = EarPatience {
    connect: Duration::from_millis(300),
    finish: Duration::from_millis(150),
    answer: Duration::from_millis(300),
    keep_alive: Duration::from_secs(4),
};

fn settings(patience: EarPatience) -> EarSettings {
    EarSettings {
        deepgram_api_key: Some(Secret::new(KEY)),
        openai_api_key: Some(Secret::new(KEY)),
        google_project: Some("acme".to_owned()),
        patience,
        ..EarSettings::default()
    }
}

fn deepgram_with(
    double: &FakeDeepgram,
    model: &str,
    patience: EarPatience,
) -> Arc<dyn SpeechToText> {
    let settings = EarSettings { deepgram_base_url: Some(double.base()), ..settings(patience) };
    Ears::new(settings).find(EarProvider::Deepgram, Some(model), None).unwrap()
}

fn deepgram(double: &FakeDeepgram, model: &str) -> Arc<dyn SpeechToText> {
    deepgram_with(double, model, PATIENT)
}

fn openai(double: &FakeTranscriber, patience: EarPatience) -> Arc<dyn SpeechToText> {
    let settings = EarSettings { openai_base_url: Some(double.base()), ..settings(patience) };
    Ears::new(settings).find(EarProvider::Openai, None, None).unwrap()
}

fn google(double: &FakeGoogle, patience: EarPatience) -> Arc<dyn SpeechToText> {
    let settings = EarSettings { google_base_url: Some(double.base()), ..settings(patience) };
    Ears::new(settings).find(EarProvider::Google, None, None).unwrap()
}

fn english() -> ListenRequest {
    ListenRequest {
        languages: vec!["en-US".parse().unwrap()],
        hints: vec!["Le Gourmet".to_owned()],
    }
}

async fn say(listening: &Listening, words: &[&str]) {
    for frame in words.iter().flat_map(|word| talk::say(word)) {
        listening.sound.send(Sound::Audio(frame)).await.unwrap();
    }
}

async fn finish(listening: &Listening) {
    listening.sound.send(Sound::Finish).await.unwrap();
}

/// Waits until so much was understood.
async fn interim(listening: &mut Listening, words: &str) {
    let wait = async {
        while let Some(heard) = listening.heard.next().await {
            if heard == Ok(Heard::Interim(words.to_owned())) {
                break;
            }
        }
    };
    tokio::time::timeout(LONG, wait).await.expect("it is not understood");
}

/// What is told until `over`, without what was not final.
async fn told(
    listening: &mut Listening,
    over: fn(&Heard) -> bool,
) -> Result<Vec<Heard>, SpeechError> {
    let listen = async {
        let mut told = Vec::new();
        while let Some(heard) = listening.heard.next().await {
            let heard = heard?;
            let is_over = over(&heard);
            if !matches!(heard, Heard::Interim(_)) {
                told.push(heard);
            }
            if is_over {
                break;
            }
        }
        Ok(told)
    };
    tokio::time::timeout(LONG, listen).await.expect("nothing is told")
}

/// The words of an utterance that was finished.
async fn utterance(listening: &mut Listening) -> Result<String, SpeechError> {
    let told = told(listening, |heard| *heard == Heard::Finished).await?;
    assert_eq!(told.last(), Some(&Heard::Finished), "{told:?}");
    let finals = told.iter().filter_map(|heard| match heard {
        Heard::Final { text, .. } => Some(text.as_str()),
        _ => None,
    });
    Ok(finals.collect::<Vec<_>>().join(" "))
}

/// The error that listening ends with.
async fn failure(listening: &mut Listening) -> SpeechError {
    let error = told(listening, |_| false).await.expect_err("it ends without an error");
    assert!(listening.heard.next().await.is_none(), "something is told after the error");
    assert!(!error.to_string().contains(KEY), "{error}");
    error
}

#[tokio::test]
async fn nova_hears_utterances_one_after_the_other() {
    let double = FakeDeepgram::start(&[Manner::Hears]);
    let ear = deepgram(&double, "nova-3");
    assert_eq!((ear.id(), ear.ends_turns()), ("deepgram/nova-3", false));
    let mut listening = ear.listen(english());
    say(&listening, &["one", "two"]).await;
    finish(&listening).await;
    assert_eq!(utterance(&mut listening).await.unwrap(), "one two");
    say(&listening, &["three"]).await;
    finish(&listening).await;
    assert_eq!(utterance(&mut listening).await.unwrap(), "three");
    // What is not finished is told when the call is over.
    say(&listening, &["four"]).await;
    let (sound, _) = tokio::sync::mpsc::channel(1);
    drop(std::mem::replace(&mut listening.sound, sound));
    let rest = told(&mut listening, |_| false).await.unwrap();
    assert!(matches!(&rest[..], [Heard::Final { text, .. }] if text == "four"), "{rest:?}");
    let seen = double.seen();
    let (path, key) = &seen.requests[0];
    assert!(path.starts_with("/v1/listen?") && path.contains("language=en-US"), "{path}");
    assert!(path.contains("keyterm=Le+Gourmet") && path.contains("encoding=mulaw"), "{path}");
    assert_eq!(*key, format!("Token {KEY}"));
    assert!(seen.texts.last().unwrap().contains("CloseStream"), "{:?}", seen.texts);
}

#[tokio::test]
async fn nova_is_kept_alive_while_nobody_speaks() {
    let patience = EarPatience { keep_alive: Duration::from_millis(200), ..PATIENT };
    let double = FakeDeepgram::start(&[Manner::Hears]);
    let mut listening = deepgram_with(&double, "nova-3", patience).listen(english());
    let kept = |double: &FakeDeepgram| {
        double.seen().texts.iter().filter(|text| text.contains("KeepAlive")).count()
    };
    tokio::time::timeout(LONG, async {
        while kept(&double) < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    say(&listening, &["one"]).await;
    finish(&listening).await;
    assert_eq!(utterance(&mut listening).await.unwrap(), "one");
    assert_eq!(double.seen().requests.len(), 1);
}

#[tokio::test]
async fn flux_ends_turns_itself_also_when_silence_is_left_out() {
    let double = FakeDeepgram::start(&[Manner::Hears]);
    let ear = deepgram(&double, "flux");
    assert!(ear.ends_turns());
    let mut listening = ear.listen(english());
    for word in ["one", "two"] {
        say(&listening, &[word]).await;
        let turn = told(&mut listening, |heard| *heard == Heard::TurnEnd).await.unwrap();
        let text = |heard: &Heard| matches!(heard, Heard::Final { text, .. } if text == word);
        assert_eq!(turn[0], Heard::EagerTurnEnd);
        assert!(text(&turn[1]) && turn.len() == 3, "{turn:?}");
    }
    assert!(double.seen().requests[0].0.starts_with("/v2/listen?"));
    assert!(double.seen().sounds[0].contains(&g711::SILENCE));
}

#[tokio::test]
async fn flux_ends_a_turn_when_it_is_asked_to() {
    let double = FakeDeepgram::start(&[Manner::Hears]);
    let mut listening = deepgram(&double, "flux").listen(english());
    say(&listening, &["one", "two"]).await;
    finish(&listening).await;
    assert_eq!(utterance(&mut listening).await.unwrap(), "one two");
    // With nobody speaking there is nothing to end, and each end is answered.
    finish(&listening).await;
    finish(&listening).await;
    assert_eq!(utterance(&mut listening).await.unwrap(), "");
    assert_eq!(utterance(&mut listening).await.unwrap(), "");
}

#[tokio::test]
async fn a_refused_connection_is_told_with_its_reason() {
    for (status, expected) in [
        (400, Outcome::BadRequest),
        (401, Outcome::Denied),
        (402, Outcome::Denied),
        (404, Outcome::NotFound),
        (429, Outcome::RateLimited),
        (500, Outcome::ServerError),
        (503, Outcome::ServerError),
    ] {
        let double = FakeDeepgram::start(&[Manner::Refuses(status)]);
        let mut listening = deepgram(&double, "nova-3").listen(english());
        let error = failure(&mut listening).await;
        assert_eq!(error.outcome, expected, "{status}: {error}");
        assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
        assert!(error.detail.contains(&status.to_string()), "{error}");
        assert!(listening.sound.is_closed());
    }
}

#[tokio::test]
async fn nobody_is_waited_for_who_is_not_there() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let base = Some(format!("http://127.0.0.1:{port}"));
    let ears = Ears::new(EarSettings {
        deepgram_base_url: base.clone(),
        openai_base_url: base.clone(),
        google_base_url: base,
        ..settings(PATIENT)
    });
    for provider in EarProvider::ALL {
        let mut listening = ears.find(*provider, None, None).unwrap().listen(english());
        say(&listening, &["one"]).await;
        // It may have failed before it is told.
        let _ = listening.sound.send(Sound::Finish).await;
        assert_eq!(failure(&mut listening).await.outcome, Outcome::Unreachable, "{provider}");
    }
    let half_open = FakeDeepgram::start(&[Manner::NeverAnswers]);
    let mut listening = deepgram_with(&half_open, "nova-3", IMPATIENT).listen(english());
    assert_eq!(failure(&mut listening).await.outcome, Outcome::TimedOut);
}

#[tokio::test]
async fn an_ear_that_says_nothing_at_all_has_failed() {
    for model in ["nova-3", "flux"] {
        let double = FakeDeepgram::start(&[Manner::Mute]);
        let mut listening = deepgram_with(&double, model, IMPATIENT).listen(english());
        say(&listening, &["one", "two", "three"]).await;
        finish(&listening).await;
        assert_eq!(failure(&mut listening).await.outcome, Outcome::TimedOut, "{model}");
    }
}

#[tokio::test]
async fn an_ear_that_does_not_finish_is_not_waited_for() {
    for model in ["nova-3", "flux"] {
        let double = FakeDeepgram::start(&[Manner::NeverFinishes]);
        let mut listening = deepgram_with(&double, model, IMPATIENT).listen(english());
        say(&listening, &["one", "two"]).await;
        interim(&mut listening, "one two").await;
        finish(&listening).await;
        assert_eq!(utterance(&mut listening).await.unwrap(), "one two", "{model}");
    }
}

#[tokio::test]
async fn garbage_ends_an_ear() {
    for manner in [
        Manner::Says("{\"type\": \"Resu"),
        Manner::Says("<html>"),
        Manner::Says(r#"{"type":"Results","channel":7}"#),
        Manner::Says(r#"{"type":"TurnInfo","event":{}}"#),
        Manner::SaysBytes,
    ] {
        for model in ["nova-3", "flux"] {
            let foreign = matches!(manner, Manner::Says(text) if text.contains("\"type\":\""))
                && (model == "flux")
                    == matches!(manner, Manner::Says(text) if text.contains("Results"));
            if foreign {
                continue;
            }
            let double = FakeDeepgram::start(&[manner]);
            let mut listening = deepgram(&double, model).listen(english());
            let _ = tokio::time::timeout(LONG, say(&listening, &["one"])).await;
            assert_eq!(failure(&mut listening).await.outcome, Outcome::Unusable);
        }
    }
    let double = FakeDeepgram::start(&[Manner::Says(
        r#"{"type":"Error","sequence_id":1,"code":"INTERNAL_SERVER_ERROR","description":"oh"}"#,
    )]);
    let mut listening = deepgram(&double, "flux").listen(english());
    say(&listening, &["one"]).await;
    assert_eq!(failure(&mut listening).await.outcome, Outcome::ServerError);
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_and_nothing_is_lost() {
    for model in ["nova-3", "flux"] {
        let double = FakeDeepgram::start(&[Manner::BreaksAfter(4_000), Manner::Hears]);
        let mut listening = deepgram(&double, model).listen(english());
        say(&listening, &["one", "two", "three", "four"]).await;
        finish(&listening).await;
        let heard = utterance(&mut listening).await.unwrap();
        assert_eq!(heard, "one two three four", "{model}");
        assert_eq!(double.seen().requests.len(), 2);
    }
    // Twice without a word in between is enough.
    let double = FakeDeepgram::start(&[Manner::BreaksAfter(1)]);
    let mut listening = deepgram(&double, "nova-3").listen(english());
    say(&listening, &["one"]).await;
    assert_eq!(failure(&mut listening).await.outcome, Outcome::BrokenStream);
    assert_eq!(double.seen().requests.len(), 2);
}

#[tokio::test]
async fn only_what_was_not_final_is_told_again() {
    let double = FakeDeepgram::start(&[Manner::FinalWords, Manner::Hears]);
    let mut listening = deepgram(&double, "nova-3").listen(english());
    say(&listening, &["one", "two"]).await;
    let first = told(&mut listening, |heard| matches!(heard, Heard::Final { .. })).await.unwrap();
    assert!(matches!(&first[0], Heard::Final { text, .. } if text == "one"), "{first:?}");
    finish(&listening).await;
    assert_eq!(utterance(&mut listening).await.unwrap(), "two");
}

#[tokio::test]
async fn a_transcription_is_asked_for_when_an_utterance_is_over() {
    let double = FakeTranscriber::start(&[Answer::Words]);
    let ear = openai(&double, PATIENT);
    assert_eq!(ear.id(), "openai/whisper-1");
    let mut listening = ear.listen(english());
    say(&listening, &["one", "two"]).await;
    finish(&listening).await;
    // The next one begins before the first is answered.
    say(&listening, &["three"]).await;
    finish(&listening).await;
    assert_eq!(utterance(&mut listening).await.unwrap(), "one two");
    assert_eq!(utterance(&mut listening).await.unwrap(), "three");
    // Nothing was said.
    finish(&listening).await;
    assert_eq!(utterance(&mut listening).await.unwrap(), "");
    let asked = double.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].path, "/v1/audio/transcriptions");
    assert_eq!(asked[0].authorization, format!("Bearer {KEY}"));
    let fields: BTreeMap<_, _> = asked[0].fields.iter().cloned().collect();
    let expected = [
        ("language", "en"),
        ("model", "whisper-1"),
        ("prompt", "Le Gourmet."),
        ("response_format", "json"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(fields, BTreeMap::from(expected));
}

#[tokio::test]
async fn a_transcription_that_fails_ends_the_ear() {
    let quota = r#"{"error":{"type":"insufficient_quota","message":"no"}}"#;
    let bad_key = r#"{"error":{"message":"bad key wx-double-8d1f0c77e2"}}"#;
    for (answer, expected) in [
        (Answer::Status(401, bad_key), Outcome::Denied),
        (Answer::Status(429, "{}"), Outcome::RateLimited),
        (Answer::Status(429, quota), Outcome::Denied),
        (Answer::Status(500, "<html>"), Outcome::ServerError),
        (Answer::Status(200, "<html>"), Outcome::Unusable),
        (Answer::Half, Outcome::BrokenStream),
        (Answer::Never, Outcome::TimedOut),
    ] {
        let double = FakeTranscriber::start(&[answer]);
        let patience = if answer == Answer::Never { IMPATIENT } else { PATIENT };
        let mut listening = openai(&double, patience).listen(english());
        say(&listening, &["one"]).await;
        finish(&listening).await;
        let error = failure(&mut listening).await;
        assert_eq!(error.outcome, expected, "{error}");
    }
}

#[tokio::test]
async fn google_hears_each_utterance_on_a_stream_of_its_own() {
    let double = FakeGoogle::start(&[Stream::Hears]);
    let ear = google(&double, PATIENT);
    assert_eq!((ear.id(), ear.ends_turns()), ("google/telephony", false));
    let mut listening = ear.listen(english());
    for words in [&["one", "two"][..], &["three"], &[]] {
        say(&listening, words).await;
        finish(&listening).await;
        assert_eq!(utterance(&mut listening).await.unwrap(), words.join(" "));
    }
    say(&listening, &["four"]).await;
    let (sound, _) = tokio::sync::mpsc::channel(1);
    drop(std::mem::replace(&mut listening.sound, sound));
    let rest = told(&mut listening, |_| false).await.unwrap();
    let language = Some("en-US".parse().unwrap());
    let last = Heard::Final { text: "four".to_owned(), confidence: Some(0.9), language };
    assert_eq!(rest, [last]);
    let seen = double.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].recognizer, "projects/acme/locations/global/recognizers/_");
    assert_eq!(
        (&seen[0].model[..], &seen[0].languages[..]),
        ("telephony", &["en-US".to_owned()][..])
    );
    assert_eq!(seen[0].sound.len(), 3_200);
}

#[tokio::test]
async fn a_stream_of_google_that_breaks_is_opened_again_and_nothing_is_lost() {
    let double = FakeGoogle::start(&[Stream::BreaksAfter(4_000), Stream::Hears]);
    let mut listening = google(&double, PATIENT).listen(english());
    say(&listening, &["one", "two", "three", "four"]).await;
    finish(&listening).await;
    assert_eq!(utterance(&mut listening).await.unwrap(), "one two three four");
    assert_eq!(double.seen().len(), 2);
    let long = FakeGoogle::start(&[Stream::Hears]);
    let mut listening = google(&long, PATIENT).listen(english());
    let sound = Sound::Audio(vec![1; 40_000].into());
    listening.sound.send(sound).await.unwrap();
    finish(&listening).await;
    utterance(&mut listening).await.unwrap();
    assert!(long.seen()[0].sound.len() == 40_000 && long.seen()[0].largest <= 15_000);
}

#[tokio::test]
async fn what_google_has_against_a_stream_is_told() {
    for (status, expected) in [
        (3, Outcome::BadRequest),
        (5, Outcome::NotFound),
        (7, Outcome::Denied),
        (8, Outcome::RateLimited),
        (14, Outcome::ServerError),
        (16, Outcome::Denied),
    ] {
        let double = FakeGoogle::start(&[Stream::Refuses(status)]);
        let mut listening = google(&double, PATIENT).listen(english());
        say(&listening, &["one"]).await;
        let error = failure(&mut listening).await;
        assert_eq!(error.outcome, expected, "{status}: {error}");
    }
    for silent in [Stream::Mute, Stream::NeverAnswers] {
        let double = FakeGoogle::start(&[silent]);
        let mut listening = google(&double, IMPATIENT).listen(english());
        say(&listening, &["one", "two", "three"]).await;
        finish(&listening).await;
        assert_eq!(failure(&mut listening).await.outcome, Outcome::TimedOut);
    }
    let endless = FakeGoogle::start(&[Stream::NeverFinishes]);
    let mut listening = google(&endless, IMPATIENT).listen(english());
    say(&listening, &["one", "two"]).await;
    interim(&mut listening, "one two").await;
    finish(&listening).await;
    assert_eq!(utterance(&mut listening).await.unwrap(), "one two");
}

#[tokio::test]
async fn another_ear_takes_over_and_the_caller_need_not_repeat_anything() {
    let broken = FakeDeepgram::start(&[Manner::FinalWords, Manner::Refuses(503)]);
    let whole = FakeTranscriber::start(&[Answer::Words]);
    let ears = Ears::new(EarSettings {
        deepgram_base_url: Some(broken.base()),
        openai_base_url: Some(whole.base()),
        ..settings(PATIENT)
    });
    let find = |provider| ears.find(provider, None, None).unwrap();
    let chain = ListeningChain::new(
        vec![find(EarProvider::Deepgram), find(EarProvider::Openai)],
        Arc::new(OpenGate),
    )
    .finish_within(LONG);
    let (mut listening, record) = chain.listen(english());
    say(&listening, &["one", "two"]).await;
    let first = told(&mut listening, |heard| matches!(heard, Heard::Final { .. })).await.unwrap();
    assert_eq!(first.len(), 1);
    assert_eq!(record.used().as_deref(), Some("deepgram/nova-3"));
    // It goes away in the middle of the utterance, for good.
    drop(broken);
    say(&listening, &["three"]).await;
    finish(&listening).await;
    assert_eq!(utterance(&mut listening).await.unwrap(), "two three");
    assert_eq!(whole.asked()[0].words, "one two three");
    assert_eq!(record.used().as_deref(), Some("openai/whisper-1"));
    assert_eq!(record.failures()[0].0, "deepgram/nova-3");
    say(&listening, &["four"]).await;
    finish(&listening).await;
    assert_eq!(utterance(&mut listening).await.unwrap(), "four");
}

/// Deepgram's description of its sockets, where it lies beside the checkout.
fn description() -> Option<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/specs/deepgram-asyncapi.yml");
    std::fs::read_to_string(path).ok()
}

/// The names under `key:` of a block that begins with `head`: a small part of YAML is enough.
fn names(text: &str, head: &str, key: &str) -> Vec<String> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let mut lines = lines.skip_while(|line| line.trim_end() != head).skip(1);
    let top = depth(head);
    let block: Vec<&str> = lines.by_ref().take_while(|line| depth(line) > top).collect();
    let start = block.iter().position(|line| line.trim() == key).unwrap();
    let level = depth(block[start]);
    let inner = block[start + 1..].iter().take_while(|line| depth(line) > level);
    inner
        .filter(|line| depth(line) == level + 2)
        .filter_map(|line| line.trim().trim_start_matches("- ").split(':').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_double_speaks_as_deepgram_describes() {
    let Some(text) = description() else {
        eprintln!("passed over: there is no description of Deepgram's sockets beside the checkout");
        return;
    };
    let messages: [(&str, Value); 4] = [
        ("ListenV1_ListenV1Results", fake_deepgram::results(0, 800, "one", true, true)),
        ("ListenV1_ListenV1Metadata", fake_deepgram::metadata()),
        ("ListenV2_ListenV2Connected", fake_deepgram::connected()),
        ("ListenV2_ListenV2TurnInfo", fake_deepgram::turn_info("Update", 0, 800, "one")),
    ];
    for (name, message) in messages {
        let head = format!("    {name}:");
        let (known, required) =
            (names(&text, &head, "properties:"), names(&text, &head, "required:"));
        assert!(known.len() >= required.len() && !required.is_empty(), "{name}");
        for field in message.as_object().unwrap().keys() {
            assert!(known.contains(field), "{name} has no {field}: {known:?}");
        }
        for field in required {
            assert!(message.get(&field).is_some(), "{name} lacks {field}");
        }
    }
}

#[tokio::test]
async fn we_ask_deepgram_for_what_it_describes() {
    let Some(text) = description() else {
        eprintln!("passed over: there is no description of Deepgram's sockets beside the checkout");
        return;
    };
    let double = FakeDeepgram::start(&[Manner::Hears]);
    let request = ListenRequest {
        languages: vec!["en-US".parse().unwrap(), "fr-FR".parse().unwrap()],
        ..english()
    };
    for model in ["nova-3", "flux", "nova-2"] {
        let mut listening = deepgram(&double, model).listen(request.clone());
        finish(&listening).await;
        utterance(&mut listening).await.unwrap();
    }
    for (path, _) in double.seen().requests {
        let (path, query) = path.split_once('?').unwrap();
        let known = names(&text, &format!("  {path}:"), "properties:");
        for pair in query.split('&') {
            let name = pair.split('=').next().unwrap();
            // Newer than the description (Deepgram's changelog, 23 October 2026).
            let is_new = path == "/v1/listen" && name == "language_hint";
            assert!(is_new || known.iter().any(|known| known == name), "{path} has no {name}");
        }
    }
}
