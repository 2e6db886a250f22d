use google_cloud_speech_v2::model::{SpeechRecognitionAlternative, StreamingRecognitionResult};

use super::*;

fn ear(model: &str) -> Google {
    Google {
        id: format!("google/{model}"),
        model: model.to_owned(),
        project: "acme".to_owned(),
        location: "eu".to_owned(),
        connection: Arc::new(Connection::new(None, "eu", Access::Anonymous)),
        key: None,
        patience: EarPatience::default(),
    }
}

fn asked(model: &str, languages: &[&str], hints: &[&str]) -> RecognitionConfig {
    let request = ListenRequest {
        languages: languages.iter().map(|language| language.parse().unwrap()).collect(),
        hints: hints.iter().map(|&hint| hint.to_owned()).collect(),
    };
    let beginning = ear(model).beginning(&request);
    assert_eq!(beginning.recognizer, "projects/acme/locations/eu/recognizers/_");
    let streaming = beginning.streaming_config().unwrap();
    assert!(streaming.streaming_features.as_ref().unwrap().interim_results);
    streaming.config.clone().unwrap()
}

#[test]
fn a_stream_begins_with_what_to_listen_for() {
    let config = asked("telephony", &["fr-FR", "en-US"], &["Le Gourmet", " "]);
    assert_eq!(config.model, "telephony");
    assert_eq!(config.language_codes, ["fr-FR", "en-US"]);
    let decoding = config.explicit_decoding_config().unwrap();
    assert_eq!(decoding.encoding, AudioEncoding::Mulaw);
    assert_eq!((decoding.sample_rate_hertz, decoding.audio_channel_count), (8_000, 1));
    let adaptation = config.adaptation.unwrap();
    let phrases = adaptation.phrase_sets[0].inline_phrase_set().unwrap();
    assert_eq!(phrases.phrases.len(), 1);
    assert_eq!(phrases.phrases[0].value, "Le Gourmet");
    assert_eq!(asked("chirp_3", &["fr-FR", "en-US"], &[]).language_codes, ["auto"]);
    let one = asked("chirp_3", &["fr-FR"], &[]);
    assert_eq!(one.language_codes, ["fr-FR"]);
    assert!(one.adaptation.is_none());
}

#[test]
fn a_location_has_its_host() {
    let endpoint = |base, location| Connection::new(base, location, Access::Anonymous).endpoint;
    assert_eq!(endpoint(None, "global"), "https://speech.googleapis.com");
    assert_eq!(endpoint(None, "eu"), "https://eu-speech.googleapis.com");
    assert_eq!(endpoint(Some("http://127.0.0.1:9/"), "eu"), "http://127.0.0.1:9");
}

fn result(text: &str, is_final: bool, seconds: i64) -> StreamingRecognitionResult {
    let best = SpeechRecognitionAlternative::new().set_transcript(text).set_confidence(0.5_f32);
    let result = StreamingRecognitionResult::new()
        .set_alternatives([best])
        .set_is_final(is_final)
        .set_language_code("fr-fr");
    if seconds == 0 {
        return result;
    }
    let mut end = result.clone();
    end.result_end_offset = serde_json::from_value(format!("{seconds}s").into()).ok();
    end
}

#[test]
fn results_become_words_and_what_is_understood_is_forgotten() {
    let beginning = StreamingRecognizeRequest::new();
    let sound = Bytes::from(vec![1; 3 * RATE as usize]);
    let mut utterance = Utterance::new(&beginning, EarPatience::default(), sound);
    let mut read = |results: Vec<StreamingRecognitionResult>| {
        utterance.understand(StreamingRecognizeResponse::new().set_results(results))
    };
    assert_eq!(read(vec![]), []);
    let interim = [result("je", false, 0), result(" voudrais", false, 0)];
    assert_eq!(read(interim.to_vec()), [Heard::Interim("je voudrais".to_owned())]);
    assert_eq!(read(interim.to_vec()), []);
    let last = Heard::Final {
        text: "je voudrais".to_owned(),
        confidence: Some(0.5),
        language: Some("fr-FR".parse().unwrap()),
    };
    assert_eq!(read(vec![result(" je voudrais", true, 2)]), [last]);
    assert_eq!(read(vec![StreamingRecognitionResult::new().set_is_final(true)]), []);
    assert_eq!(utterance.tail.again().len(), RATE as usize);
    utterance.interim = "une table".to_owned();
    assert_eq!(utterance.settle_for_less().len(), 1);
    assert_eq!(utterance.tail.again().len(), 0);
}

#[test]
fn a_code_means_an_outcome() {
    for (code, expected) in [
        ("UNAUTHENTICATED", Outcome::Denied),
        ("PERMISSION_DENIED", Outcome::Denied),
        ("RESOURCE_EXHAUSTED", Outcome::RateLimited),
        ("NOT_FOUND", Outcome::NotFound),
        ("INVALID_ARGUMENT", Outcome::BadRequest),
        ("OUT_OF_RANGE", Outcome::BrokenStream),
        ("UNAVAILABLE", Outcome::ServerError),
        ("INTERNAL", Outcome::ServerError),
    ] {
        assert_eq!(outcome(code), expected, "{code}");
    }
}

#[tokio::test]
async fn credentials_that_are_none_are_told_without_their_text() {
    for key in
        [r#"{"type":"sk-secret"}"#, r#"{"type":"service_account","private_key":"sk-secret"}"#]
    {
        let access = Access::Key(serde_json::from_str(key).unwrap());
        let error = credentials(&access).unwrap_err();
        assert_eq!(error.outcome, Outcome::Denied);
        assert!(!error.detail.contains("private_key"), "{error}");
    }
}
