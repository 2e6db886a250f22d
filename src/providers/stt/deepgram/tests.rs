use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn ear(model: &str) -> Deepgram {
    Deepgram {
        id: format!("deepgram/{model}"),
        model: model.to_owned(),
        base: BASE.to_owned(),
        key: Secret::new("k"),
        patience: EarPatience::default(),
    }
}

/// The address with its query sorted into lists.
fn asked(
    model: &str,
    languages: &[&str],
    hints: &[&str],
) -> (String, BTreeMap<String, Vec<String>>) {
    let request = ListenRequest {
        languages: languages.iter().map(|language| language.parse().unwrap()).collect(),
        hints: hints.iter().map(|&hint| hint.to_owned()).collect(),
    };
    let url = ear(model).url(&request).unwrap();
    let mut query = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in url.query_pairs() {
        query.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    (url.as_str().split('?').next().unwrap().to_owned(), query)
}

#[test]
fn nova_is_asked_for_one_language_or_for_several() {
    let (address, one) = asked("nova-3", &["fr-FR"], &["Le Gourmet", "a:2, b"]);
    assert_eq!(address, "wss://api.deepgram.com/v1/listen");
    assert_eq!(one["language"], ["fr"]);
    assert_eq!(one["keyterm"], ["Le Gourmet", "a 2 b"]);
    assert_eq!((&one["encoding"][0][..], &one["sample_rate"][0][..]), ("mulaw", "8000"));
    for (tag, told) in [("en-GB", "en-GB"), ("pt-BR", "pt-BR"), ("es-ES", "es"), ("nb-NO", "no")] {
        assert_eq!(asked("nova-3", &[tag], &[]).1["language"], [told]);
    }
    let (_, several) = asked("nova-3", &["fr-FR", "en-US", "en-GB"], &[]);
    assert_eq!(several["language"], ["multi"]);
    assert_eq!(several["language_hint"], ["fr", "en"]);
    assert_eq!(several["endpointing"], ["100"]);
    let (_, older) = asked("nova-2-phonecall", &["en-US"], &["Le Gourmet"]);
    assert_eq!(older["keywords"], ["Le Gourmet"]);
    assert!(!older.contains_key("keyterm"));
}

#[test]
fn flux_is_asked_in_english_or_with_hints() {
    let (address, english) = asked("flux", &["en-US", "en-GB"], &["Le Gourmet"]);
    assert_eq!(address, "wss://api.deepgram.com/v2/listen");
    assert_eq!(english["model"], ["flux-general-en"]);
    assert_eq!(english["keyterm"], ["Le Gourmet"]);
    assert!(!english.contains_key("language_hint"));
    let (_, french) = asked("flux", &["fr-FR", "en-US"], &[]);
    assert_eq!(french["model"], ["flux-general-multi"]);
    assert_eq!(french["language_hint"], ["fr", "en"]);
    assert_eq!(asked("flux-general-multi", &["en-US"], &[]).1["language_hint"], ["en"]);
}

#[test]
fn an_address_may_be_written_with_either_scheme() {
    for (base, expected) in [
        ("http://127.0.0.1:9/", "ws://127.0.0.1:9/v1/listen"),
        ("https://dg.example.com", "wss://dg.example.com/v1/listen"),
        ("ws://dg.example.com/base", "ws://dg.example.com/base/v1/listen"),
    ] {
        assert_eq!(address(base, "v1/listen").unwrap().as_str(), expected);
    }
    for wrong in ["", "dg.example.com", "ftp://dg.example.com"] {
        assert_eq!(address(wrong, "v1/listen").unwrap_err().outcome, Outcome::BadRequest);
    }
}

fn result(start: f64, text: &str, is_final: bool, from_finalize: bool) -> Value {
    json!({
        "type": "Results", "channel_index": [0, 1], "start": start, "duration": 1.0,
        "is_final": is_final, "speech_final": false, "from_finalize": from_finalize,
        "channel": {"alternatives": [
            {"transcript": text, "confidence": 0.5, "languages": ["fr"], "words": []},
        ]},
        "metadata": {},
    })
}

fn last(text: &str) -> Heard {
    Heard::Final {
        text: text.to_owned(),
        confidence: Some(0.5),
        language: Some("fr".parse().unwrap()),
    }
}

#[test]
fn nova_tells_parts_that_become_final() {
    let mut nova = Nova::default();
    let mut read = |message| nova.understand(message).unwrap();
    let interim = read(result(0.0, "je", false, false));
    assert_eq!(interim.heard, [Heard::Interim("je".to_owned())]);
    let whole = read(result(0.0, "Je voudrais", true, false));
    assert_eq!((whole.heard, whole.settled), (vec![last("Je voudrais")], Some(1.0)));
    let nothing = read(result(1.0, "", true, true));
    assert_eq!((nothing.heard.len(), nothing.finished), (0, 1));
    for other in [
        json!({"type": "SpeechStarted", "channel": [0], "timestamp": 0.1}),
        json!({"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 2.0}),
        json!({"type": "Something", "new": true}),
    ] {
        assert_eq!(read(other), Understood::default());
    }
    let unreadable = nova.understand(json!({"type": "Results", "start": "soon"})).unwrap_err();
    assert_eq!(unreadable.outcome, Outcome::Unusable);
}

#[test]
fn what_nova_was_not_done_with_is_not_told_twice() {
    let mut nova = Nova::default();
    nova.understand(result(0.0, "une table", false, false)).unwrap();
    let told = Heard::Final { text: "une table".to_owned(), confidence: None, language: None };
    assert_eq!(nova.settle_for_less(), [told]);
    assert_eq!(nova.settle_for_less(), []);
    let late = nova.understand(result(0.0, "Une table", true, true)).unwrap();
    assert_eq!(late.heard, []);
    // The same words again are other words.
    let next = nova.understand(result(1.0, "Une table", true, true)).unwrap();
    assert_eq!(next.heard, [last("Une table")]);
}

fn turn(event: &str, number: u64, end: f64, text: &str) -> Value {
    json!({
        "type": "TurnInfo", "request_id": "r", "sequence_id": 1, "event": event,
        "turn_index": number, "audio_window_start": 0.0, "audio_window_end": end,
        "transcript": text, "words": [{"word": "a", "confidence": 0.5}],
        "end_of_turn_confidence": 0.1, "languages": ["fr", "en"],
    })
}

#[test]
fn flux_tells_turns() {
    let mut flux = Flux::default();
    let mut read = |event: &str, number, text: &str| {
        flux.understand(turn(event, number, 1.0, text)).unwrap().heard
    };
    let interim = |text: &str| Heard::Interim(text.to_owned());
    assert_eq!(read("Update", 0, ""), []);
    assert_eq!(read("StartOfTurn", 0, "Je"), [interim("Je")]);
    assert_eq!(read("Update", 0, "Je voudrais"), [interim("Je voudrais")]);
    assert_eq!(read("Update", 0, "Je voudrais"), []);
    assert_eq!(read("EagerEndOfTurn", 0, "Je voudrais"), [Heard::EagerTurnEnd]);
    assert_eq!(
        read("TurnResumed", 0, "Je voudrais une"),
        [interim("Je voudrais une"), Heard::TurnResumed]
    );
    assert_eq!(read("Unheard-of", 0, "Je voudrais une"), []);
    assert_eq!(
        read("EndOfTurn", 0, "Je voudrais une table."),
        [last("Je voudrais une table."), Heard::TurnEnd]
    );
    let failed = json!({"type": "Error", "sequence_id": 2, "code": "INTERNAL_SERVER_ERROR", "description": "d"});
    assert_eq!(flux.understand(failed).unwrap_err().outcome, Outcome::ServerError);
}

#[test]
fn flux_is_asked_to_end_a_turn_when_all_of_it_is_transcribed() {
    let mut flux = Flux::default();
    flux.understand(turn("StartOfTurn", 0, 1.0, "une")).unwrap();
    assert_eq!(flux.finish(2.0), None);
    let early = flux.understand(turn("Update", 0, 1.5, "une")).unwrap();
    assert_eq!((early.answer, early.finished), (None, 0));
    let all = flux.understand(turn("Update", 0, 2.0, "une table")).unwrap();
    assert_eq!(all.answer, Some(r#"{"type":"ForceEndTurn"}"#));
    assert_eq!(flux.understand(turn("Update", 0, 2.2, "une table")).unwrap().answer, None);
    let end = flux.understand(turn("EndOfTurn", 0, 2.2, "Une table.")).unwrap();
    assert_eq!((end.finished > 0, end.settled), (true, Some(2.2)));
    // Nobody speaks: there is nothing to end.
    flux.finish(3.0);
    assert!(flux.understand(turn("Update", 1, 3.0, "")).unwrap().finished > 0);
    // A turn that ends by itself before the last words are transcribed is not all there is.
    flux.understand(turn("StartOfTurn", 1, 4.0, "une")).unwrap();
    flux.finish(5.0);
    assert_eq!(flux.understand(turn("EndOfTurn", 1, 4.2, "Une.")).unwrap().finished, 0);
    flux.understand(turn("StartOfTurn", 2, 4.5, "table")).unwrap();
    assert!(flux.understand(turn("Update", 2, 5.0, "table")).unwrap().answer.is_some());
}

#[test]
fn what_flux_was_not_done_with_is_not_told_twice() {
    let mut flux = Flux::default();
    flux.understand(turn("StartOfTurn", 4, 1.0, "une table")).unwrap();
    flux.finish(1.0);
    assert_eq!(flux.settle_for_less().len(), 1);
    let late = flux.understand(turn("EndOfTurn", 4, 1.5, "Une table.")).unwrap();
    assert_eq!(late.heard, []);
    flux.understand(turn("StartOfTurn", 5, 2.0, "une table")).unwrap();
    flux.settle_for_less();
    let more = flux.understand(turn("EndOfTurn", 5, 3.0, "Une table pour deux.")).unwrap();
    assert_eq!(more.heard, [last("pour deux."), Heard::TurnEnd]);
}

proptest::proptest! {
    #[test]
    fn whatever_is_sent_is_read_or_refused(kind in "Results|TurnInfo|Error|[a-z]{0,5}", text in ".{0,40}", start: f64) {
        let mut readers: [Box<dyn Reader>; 2] = [Box::<Nova>::default(), Box::<Flux>::default()];
        for reader in &mut readers {
            for message in [
                json!({"type": kind, "transcript": text}),
                json!({"type": kind, "start": start, "duration": start, "channel": {"alternatives": []}}),
                json!(text),
            ] {
                let _ = reader.understand(message);
            }
            let _ = reader.settle_for_less();
        }
    }
}
