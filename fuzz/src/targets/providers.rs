//! What providers and calendars answer.

use jiff::{Timestamp, tz::TimeZone};
use webox::{
    integrations::calendars::{self, Window},
    providers::{llm, stt, tts},
};

use super::text;

/// An answer of a model: the first byte says in which format, the second in how large pieces it comes.
pub fn model_stream(data: &[u8]) {
    let [format, size, body @ ..] = data else { return };
    let size = usize::from(*size).max(1);
    let all =
        llm::offline::stream((*format).into(), body.chunks(size).map(<[u8]>::to_vec).collect());
    let whole = llm::offline::stream((*format).into(), vec![body.to_vec()]);
    assert_eq!(
        all.iter().map(Result::is_ok).collect::<Vec<_>>(),
        whole.iter().map(Result::is_ok).collect::<Vec<_>>(),
        "however it is cut, the same comes of it"
    );
}

/// What else models answer: refusals and vectors.
pub fn model_answer(data: &[u8]) {
    let [format, status, body @ ..] = data else { return };
    let status = 400 + u16::from(status % 120);
    let (refused, _) = llm::offline::refusal((*format).into(), status, &text(body));
    assert!(!refused.detail.contains('\n') && refused.detail.len() < 2_000, "{}", refused.detail);
    for texts in 0..3 {
        if let Ok(vectors) = llm::offline::vectors(body, texts) {
            assert_eq!(vectors.len(), texts);
        }
    }
}

/// What ears and mouths tell, by the first byte.
pub fn speech_message(data: &[u8]) {
    let [kind, body @ ..] = data else { return };
    let body = text(body);
    match kind % 5 {
        0 => drop(stt::offline::deepgram(true, &body)),
        1 => drop(stt::offline::deepgram(false, &body)),
        2 => drop(stt::offline::transcription(&body)),
        3 => drop(tts::offline::piece_of_sound(&body)),
        _ => drop(tts::offline::refusal(400, &body)),
    }
}

/// What a calendar answers: a CalDAV server, or Google.
pub fn calendar_answer(data: &[u8]) {
    let zone = TimeZone::get("Europe/Paris").expect("a zone");
    let window = Window { from: Timestamp::MIN, until: Timestamp::MAX, zone: &zone };
    for busy in
        [calendars::offline::caldav(data, &window), calendars::offline::google(data, &window)]
    {
        assert!(busy.iter().all(|one| one.starts_at < one.ends_at));
        assert!(busy.windows(2).all(|two| two[0].ends_at < two[1].starts_at));
    }
}
