use std::{
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::TryStreamExt;

use super::*;
use crate::{domain::LanguageTag, providers::tts::VoiceInfo};

type Pieces = Vec<Result<Bytes, SpeechError>>;

/// Says the same every time, and counts.
struct Mouth(&'static str, Pieces, AtomicUsize);

impl TextToSpeech for Mouth {
    fn id(&self) -> &str {
        self.0
    }

    fn voice_for(&self, _request: &SpeechRequest) -> String {
        "anne".to_owned()
    }

    fn speak(&self, _request: SpeechRequest) -> AudioStream {
        self.2.fetch_add(1, Ordering::Relaxed);
        Box::pin(stream::iter(self.1.clone()))
    }

    fn voices(
        &self,
        _language: Option<LanguageTag>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<VoiceInfo>, SpeechError>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

fn mouth(id: &'static str, pieces: Pieces) -> Arc<Mouth> {
    Arc::new(Mouth(id, pieces, AtomicUsize::new(0)))
}

/// Some sound that is no silence.
fn voice(bytes: usize) -> Bytes {
    std::iter::repeat_n([0x90, 0x10], bytes / 2).flatten().collect()
}

fn failure(outcome: Outcome) -> Pieces {
    vec![Err(SpeechError::new(outcome, "sorry"))]
}

fn request() -> SpeechRequest {
    SpeechRequest { text: "Bonjour".to_owned(), language: LanguageTag::french(), voice: None }
}

async fn speak(chain: &[Arc<Mouth>], breakers: &Breakers) -> Result<Speaking, Unspoken> {
    let chain: Vec<Arc<dyn TextToSpeech>> =
        chain.iter().map(|mouth| Arc::clone(mouth) as Arc<dyn TextToSpeech>).collect();
    speak_through(&chain, breakers, &request()).await
}

#[tokio::test]
async fn the_first_that_can_speaks_and_the_others_are_told_of() {
    let chain = [
        mouth("elevenlabs", failure(Outcome::RateLimited)),
        mouth("google", vec![Ok(Bytes::new())]),
        mouth("local", vec![Ok(voice(100)), Ok(voice(2_000)), Ok(voice(40))]),
        mouth("azure", vec![Ok(voice(2_000))]),
    ];
    let Speaking { speaker, sound } = speak(&chain, &Breakers::default()).await.unwrap();
    assert_eq!((speaker.provider.as_str(), speaker.voice.as_str()), ("local", "anne"));
    let failed: Vec<_> = speaker.failed.iter().map(|f| (f.provider.as_str(), f.outcome)).collect();
    assert_eq!(failed, [("elevenlabs", Outcome::RateLimited), ("google", Outcome::Unusable)]);
    let pieces: Vec<Bytes> = sound.try_collect().await.unwrap();
    assert_eq!(pieces.iter().map(Bytes::len).sum::<usize>(), 2_140);
    assert_eq!(chain[3].2.load(Ordering::Relaxed), 0, "nobody else was asked");
}

#[tokio::test]
async fn what_is_no_sound_is_a_failure() {
    for page in [
        &b"<!DOCTYPE html><html><body>Sign in to the network, please</body></html>"[..],
        b"\n <HTML>",
        b"{\"error\":{\"message\":\"no\"}}",
        b"[{\"a\":1}]",
        b"ID3\x04",
        b"OggS",
        b"RIFF\0\0\0\0WAVE",
        b"<?xml version=\"1.0\"?>",
    ] {
        let chain = [mouth("google", vec![Ok(Bytes::copy_from_slice(page)), Ok(voice(2_000))])];
        let Unspoken(failed) = speak(&chain, &Breakers::default()).await.unwrap_err();
        assert_eq!(failed[0].outcome, Outcome::Unusable, "{}", page.escape_ascii());
    }
    // A word as short as can be.
    let chain = [mouth("google", vec![Ok(voice(100))])];
    let Unspoken(failed) = speak(&chain, &Breakers::default()).await.unwrap_err();
    assert_eq!(failed[0].outcome, Outcome::BrokenStream);
}

#[tokio::test]
async fn after_the_first_sound_an_error_ends_it() {
    let silence = Bytes::from(vec![0xFF; 2_000]);
    for (pieces, outcome) in [
        (vec![Ok(voice(2_000)), failure(Outcome::BrokenStream).remove(0)], Outcome::BrokenStream),
        (vec![Ok(voice(410))], Outcome::BrokenStream),
        (vec![Ok(silence)], Outcome::Declined),
        (vec![Ok(voice(2_000)), Ok(voice(200_000))], Outcome::Unusable),
    ] {
        let chain = [mouth("google", pieces)];
        let speaking = speak(&chain, &Breakers::default()).await.unwrap();
        let error = speaking.sound.try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(error.outcome, outcome);
    }
}

/// Nobody listens to noise for a minute; nor is a telephone number cut off that is read out slowly.
#[test]
fn sound_without_an_end_is_cut_off_by_what_the_text_may_take() {
    let seconds = |text: &str| Check::of(text).most / 1_000;
    assert!((5..=15).contains(&seconds("Oui, nous avons un parking.")));
    assert!(seconds("Oui, il y a un parking juste derrière le restaurant, gratuit.") <= 20);
    // A figure a second, in groups.
    assert!(seconds("Le 06 12 34 56 78.") >= 13);
    // Spelled out, and read as syllables.
    assert!(seconds("SNCF") >= 4 && seconds("我们今天晚上七点开门") >= 10);
    let mut check = Check::of("Bonjour");
    let second = voice(8_000);
    let heard = (0..60).take_while(|_| check.piece(&second).is_ok()).count();
    assert_eq!(heard, 5);
}

#[tokio::test]
async fn one_that_fails_again_and_again_is_left_alone() {
    let chain =
        [mouth("elevenlabs", failure(Outcome::TimedOut)), mouth("local", vec![Ok(voice(2_000))])];
    let breakers = Breakers::default();
    for _ in 0..5 {
        let speaking = speak(&chain, &breakers).await.unwrap();
        assert_eq!(speaking.speaker.failed.len(), 1);
    }
    assert_eq!(chain[0].2.load(Ordering::Relaxed), 3);
    let states = breakers.states();
    assert_eq!((states.len(), states[0].open), (1, true), "{states:?}");
    let Unspoken(failed) = speak(&chain[..1], &breakers).await.unwrap_err();
    assert!(failed[0].detail.contains("not asked"));
}

#[tokio::test]
async fn sounds_that_break_off_count_and_those_talked_over_do_not() {
    let breakers = Breakers::default();
    let broken = || vec![Ok(voice(2_000)), failure(Outcome::BrokenStream).remove(0)];
    let chain = [mouth("google", broken())];
    for _ in 0..2 {
        let speaking = speak(&chain, &breakers).await.unwrap();
        assert!(speaking.sound.try_collect::<Vec<_>>().await.is_err());
    }
    assert_eq!(breakers.states()[0].failures, 2);
    drop(speak(&chain, &breakers).await.unwrap());
    assert_eq!(breakers.states()[0].failures, 0);
}
