//! Providers fail in every way they can; the caller is answered all the same.

use std::time::{Duration, Instant};

use webox::{domain::Outcome, providers::llm::ProviderSettings};

use crate::support::{
    fake_anthropic::FakeAnthropic,
    fake_http::{Behaviour, INTERNAL, say},
    fake_openai::FakeOpenAi,
    stage::{Pace, Provider, Stage, Wire},
};

/// Half an answer that must not be heard: whoever breaks off has said nothing.
const HALF: &str = "zzprovider Votre table est prête, nous vous attendons ce soir à vingt heures.";

/// Ways to fail, and what the transcript may call them.
fn outages() -> Vec<(&'static str, Behaviour, &'static [Outcome])> {
    use Outcome::{
        BrokenStream, Declined, Denied, NotFound, RateLimited, ServerError, TimedOut, Unreachable,
        Unusable,
    };
    let half = || HALF.to_owned();
    vec![
        ("cut midway", Behaviour::CutMidway(half()), &[BrokenStream]),
        ("rate limited", Behaviour::RateLimited { retry_after: 20 }, &[RateLimited]),
        ("no money", Behaviour::InsufficientQuota, &[Denied]),
        ("server error", Behaviour::ServerError, &[ServerError]),
        ("overloaded", Behaviour::Overloaded, &[ServerError]),
        ("unauthorized", Behaviour::Unauthorized, &[Denied]),
        ("not found", Behaviour::NotFound, &[NotFound]),
        ("garbage", Behaviour::GarbageBody, &[Unusable, BrokenStream]),
        ("a web page", Behaviour::Html, &[Unusable]),
        ("an empty answer", Behaviour::EmptyAnswer, &[Unusable]),
        ("an empty body", Behaviour::EmptyBody, &[Unusable]),
        ("an error midway", Behaviour::ErrorEventMidStream(half()), &[BrokenStream, ServerError]),
        ("bad JSON midway", Behaviour::BadJsonMidStream(half()), &[Unusable, BrokenStream]),
        ("a reset", Behaviour::ConnectionReset, &[Unreachable, BrokenStream]),
        ("a refusal", Behaviour::Refuses, &[Declined]),
        ("silence", Behaviour::NeverAnswers, &[TimedOut]),
        ("late headers", Behaviour::DelayHeaders(Duration::from_secs(3), half()), &[TimedOut]),
        (
            "a drip",
            Behaviour::SlowDrip { text: half(), gap: Duration::from_millis(120) },
            &[TimedOut],
        ),
        ("no end", Behaviour::EndlessStream, &[TimedOut]),
    ]
}

async fn every_outage_is_survived(wire: Wire) {
    for (what, outage, outcomes) in outages() {
        let what = format!("{wire:?}, {what}");
        let timed = outcomes == [Outcome::TimedOut];
        let pace = if timed { Pace::brisk() } else { Pace::patient() };
        let provider = Provider::start(wire, vec![outage, say("Nous ouvrons à midi.")]);
        let stage = Stage::with(wire, &provider, pace).await;
        let mut call = stage.call().await;
        let begun = Instant::now();

        let heard = call.say("Bonjour, avez-vous un parking ?").await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(6), "{what}: {:?}", begun.elapsed());
        Stage::assert_fit_to_hear(&what, &heard);
        assert!(heard.text.contains("parking"), "{what}: the concierge knows: {}", heard.text);

        let again = call.say("Et à quelle heure ouvrez-vous ?").await.unwrap();
        Stage::assert_fit_to_hear(&what, &again);
        assert_eq!(again.text, "Nous ouvrons à midi.", "{what}: the next turn");

        let turns = stage.turns(call.sid());
        assert_eq!(turns.len(), 3, "{what}");
        let failed = &turns[1].attempts[0];
        assert!(outcomes.contains(&failed.outcome), "{what}: {failed:?}");
        assert_eq!(failed.model, wire.engine(), "{what}");
        assert_eq!(turns[1].engine.as_deref(), Some("builtin"), "{what}");
        assert_eq!(turns[2].engine.as_deref(), Some(wire.engine()), "{what}");
        assert_eq!(turns[2].attempts[0].outcome, Outcome::Answered, "{what}");
        for turn in &turns {
            let said = turn.said.as_deref().unwrap_or_default();
            assert!(!said.is_empty() && !said.contains(INTERNAL), "{what}: {said}");
        }
        assert_eq!(provider.requests().len(), 2, "{what}: nothing is asked twice");
        stage.assert_no_key_on_disk(&what);
    }
}

#[tokio::test]
async fn outages_of_chat_completions() {
    every_outage_is_survived(Wire::Chat).await;
}

#[tokio::test]
async fn outages_of_responses() {
    every_outage_is_survived(Wire::Responses).await;
}

#[tokio::test]
async fn outages_of_messages() {
    every_outage_is_survived(Wire::Messages).await;
}

#[tokio::test]
async fn a_fallback_answers_for_the_first_model() {
    let first = FakeOpenAi::start(vec![Behaviour::ServerError]);
    let second = FakeAnthropic::start(vec![say("Oui, rue Choron.")]);
    // Nobody listens there, and nobody else can: that, too, is an outage.
    let nobody = tokio::net::TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let settings = ProviderSettings {
        openai_base_url: Some(format!("http://{}/v1", nobody.local_addr().unwrap())),
        anthropic_base_url: Some(second.url()),
        ..Provider::OpenAi(first).settings()
    };
    let minds = ["openai/gpt-6-luna", "anthropic/claude-haiku-5-5"];
    let stage = Stage::set(&minds, settings, Pace::patient()).await;
    let mut call = stage.call().await;
    let heard = call.say("Avez-vous un parking ?").await.unwrap();
    assert_eq!(heard.text, "Oui, rue Choron.");
    let turn = &stage.turns(call.sid())[1];
    let attempts: Vec<_> =
        turn.attempts.iter().map(|attempt| (attempt.model.as_str(), attempt.outcome)).collect();
    assert_eq!(
        attempts,
        [
            ("openai/gpt-6-luna", Outcome::Unreachable),
            ("anthropic/claude-haiku-5-5", Outcome::Answered),
        ]
    );
    assert_eq!(turn.engine.as_deref(), Some("anthropic/claude-haiku-5-5"));
    assert_eq!(second.requests().len(), 1);
}

#[tokio::test]
async fn without_a_key_the_concierge_answers() {
    let settings = ProviderSettings::default();
    let stage = Stage::set(&["openai/gpt-6-luna"], settings, Pace::patient()).await;
    let mut call = stage.call().await;
    let heard = call.say("Avez-vous un parking ?").await.unwrap();
    Stage::assert_fit_to_hear("no key", &heard);
    let turn = &stage.turns(call.sid())[1];
    assert_eq!(turn.attempts[0].outcome, Outcome::NoKey);
    assert_eq!(turn.engine.as_deref(), Some("builtin"));
}

/// When all models hang, their deadlines add up to the turn's, not beyond it.
#[tokio::test]
async fn a_chain_of_silence_ends_in_time() {
    let provider = Provider::start(Wire::Chat, vec![Behaviour::NeverAnswers]);
    let minds = ["openai/gpt-6-luna", "openai/gpt-5.4", "openai/gpt-5.5", "openai/gpt-5.4-mini"];
    let stage = Stage::set(&minds, provider.settings(), Pace::hurried()).await;
    let mut call = stage.call().await;
    let heard = call.say("Avez-vous un parking ?").await.unwrap();
    Stage::assert_fit_to_hear("silence", &heard);
    assert!(heard.after < Duration::from_millis(1_800), "{:?}", heard.after);
    let turn = &stage.turns(call.sid())[1];
    assert_eq!(turn.attempts.len(), minds.len() + 1);
    let (asked, last) = turn.attempts.split_at(minds.len());
    assert!(asked.iter().all(|attempt| attempt.outcome == Outcome::TimedOut), "{asked:?}");
    assert_eq!(last[0].outcome, Outcome::Answered);
    assert_eq!(provider.requests().len(), 3, "the fourth had no time left");
}
