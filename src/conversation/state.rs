//! The rules of a conversation that hold whoever thinks: silence, time, nothing to add.
//!
//! Pure: facts in, decision out.

use jiff::SignedDuration;

use super::{
    phrases,
    satisfaction::{self, Answer},
    urgent::{self, Urgent},
};
use crate::domain::{
    AssistantSpec, EndReason, Heard, LanguageTag, Next, RecordingConsent, Reply, Turn,
};

/// Before the maximum duration, how long the caller is warned.
const WARNING: SignedDuration = SignedDuration::from_secs(60);

/// How often the caller is asked again before a goodbye.
const ASK_AGAIN: usize = 2;

/// What is known when something is heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    /// Whose call it is.
    pub(super) spec: &'a AssistantSpec,
    /// How long it has lasted.
    pub(super) lasted: SignedDuration,
    /// The language spoken.
    pub(super) language: &'a LanguageTag,
    /// The turns before.
    pub(super) history: &'a [Turn],
    /// What was heard.
    pub(super) heard: &'a Heard,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    /// Say this; there is nothing to think about.
    Say {
        /// The reply.
        reply: Box<Reply>,
        /// Why the call ends, if it does.
        end_reason: Option<EndReason>,
    },
    /// Hand the call over at once, where somebody is there.
    HandOver {
        /// Said before.
        first: Option<String>,
    },
    /// Ask the assistant's mind, and warn the caller first if time is nearly up.
    Think {
        /// The warning, unless it was given.
        warning: Option<String>,
    },
}

/// Decides.
pub(super) fn decide(facts: &Facts<'_>) -> Decision {
    let phrases = phrases::for_language(facts.language);
    let longest = SignedDuration::try_from(facts.spec.limits.max_call_duration.get())
        .unwrap_or(SignedDuration::MAX);
    if facts.lasted >= longest {
        return say(
            facts,
            phrases.duration_goodbye.clone(),
            Next::HangUp,
            Some(EndReason::TooLong),
        );
    }
    if let Some(decision) = at_once(facts) {
        return decision;
    }
    if let Some(answer) = satisfaction::answer(facts.history, facts.language, facts.heard) {
        let text = match answer {
            Answer::Rated(_) => &phrases.satisfaction.thanks,
            Answer::Declined => &phrases.goodbye,
        };
        return say(facts, text.clone(), Next::HangUp, Some(EndReason::AssistantHungUp));
    }
    if *facts.heard == Heard::Silence {
        let silences = facts
            .history
            .iter()
            .rev()
            .take_while(|turn| turn.heard == Some(Heard::Silence))
            .count();
        if silences >= ASK_AGAIN {
            let goodbye = phrases.silence_goodbye.clone();
            return say(facts, goodbye, Next::HangUp, Some(EndReason::Silence));
        }
        return say(facts, phrases.not_heard(silences as u32).to_owned(), Next::Listen, None);
    }
    let warned = facts.history.iter().any(|turn| {
        // In the language that was spoken then.
        let warning = &phrases::for_language(&turn.language).duration_warning;
        turn.said.as_deref().is_some_and(|said| said.starts_with(warning))
    });
    let near = facts.lasted >= longest.saturating_sub(WARNING.min(longest / 4));
    Decision::Think { warning: (near && !warned).then(|| phrases.duration_warning.clone()) }
}

/// What is not left to any mind: somebody in danger, and words after which the file hands over.
fn at_once(facts: &Facts<'_>) -> Option<Decision> {
    let Heard::Speech { text, .. } = facts.heard else { return None };
    let Urgent { told, word } = urgent::heard(facts.spec, facts.language, text)?;
    let was_told = told.as_ref().is_some_and(|told| {
        facts
            .history
            .iter()
            .any(|turn| turn.said.as_deref().is_some_and(|said| said.contains(told.as_str())))
    });
    let first = told.filter(|_| !was_told);
    // Once in a call: whoever comes back from a transfer that failed is not sent round in circles.
    let was_handed = facts.history.iter().any(|turn| matches!(turn.next, Some(Next::Transfer(_))));
    if word.is_some() && !was_handed {
        return Some(Decision::HandOver { first });
    }
    let otherwise = &phrases::for_language(facts.language).emergency.otherwise;
    first.map(|first| say(facts, format!("{first} {otherwise}"), Next::Listen, None))
}

/// Asks again whether the call may be recorded.
pub(super) fn asked_again(facts: &Facts<'_>) -> Decision {
    let phrases = phrases::for_language(facts.language);
    say(facts, phrases.recording_question.clone(), Next::Listen, None)
}

/// Tells which languages are spoken: another one was asked for.
pub(super) fn not_spoken(facts: &Facts<'_>) -> Decision {
    let text = phrases::languages_spoken(facts.language, &facts.spec.voice.spoken());
    say(facts, text, Next::Listen, None)
}

/// Goes on in the language of the key that was pressed.
pub(super) fn switched(facts: &Facts<'_>) -> Decision {
    let phrases = phrases::for_language(facts.language);
    say(facts, phrases.language_switched.clone(), Next::Listen, None)
}

/// Whoever does not want to be called again is told that it is so, and let go.
pub(super) fn stopped(facts: &Facts<'_>) -> Decision {
    let phrases = phrases::for_language(facts.language);
    let text = phrases.outbound.stopped.clone();
    say(facts, text, Next::HangUp, Some(EndReason::DoNotCall))
}

/// Acknowledges what the caller said to being recorded, and goes on.
pub(super) fn consented(facts: &Facts<'_>, consent: RecordingConsent) -> Decision {
    let phrases = phrases::for_language(facts.language);
    let text = match consent {
        RecordingConsent::Announced | RecordingConsent::Granted => &phrases.recording_granted,
        RecordingConsent::Refused | RecordingConsent::Unanswered => &phrases.recording_refused,
        RecordingConsent::Withdrawn => &phrases.recording_stopped,
    };
    say(facts, text.clone(), Next::Listen, None)
}

fn say(facts: &Facts<'_>, text: String, next: Next, end_reason: Option<EndReason>) -> Decision {
    let state = facts.history.iter().rev().find_map(|turn| turn.state.clone());
    Decision::Say {
        reply: Box::new(Reply { next, state, ..Reply::fixed(text, facts.language.clone()) }),
        end_reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CallId, TokenUsage, TurnTimings};

    const RANG: &str = "2026-11-23T18:00:00Z";

    fn turn(heard: Heard, said: &str) -> Turn {
        Turn {
            call: CallId(1),
            number: 1,
            heard: Some(heard),
            heard_at: RANG.parse().unwrap(),
            said: Some(said.to_owned()),
            unheard: None,
            language: LanguageTag::french(),
            next: Some(Next::Listen),
            engine: None,
            attempts: Vec::new(),
            tools: Vec::new(),
            state: Some("{}".to_owned()),
            timings: TurnTimings::default(),
            usage: TokenUsage::default(),
            fillers: 0,
            ear: None,
            mouth: None,
            twiml: None,
        }
    }

    fn decided(seconds: i64, history: &[Turn], heard: &Heard) -> Decision {
        let spec: AssistantSpec = serde_json::from_str(
            r#"{"name":"a","client":"A","phone":"+33123456789","context":"","limits":{"max_call_duration":"10m"}}"#,
        )
        .unwrap();
        decide(&Facts {
            spec: &spec,
            lasted: SignedDuration::from_secs(seconds),
            language: &LanguageTag::french(),
            history,
            heard,
        })
    }

    fn words() -> Heard {
        Heard::words("bonjour")
    }

    #[test]
    fn silence_is_asked_about_twice_then_ends_the_call() {
        let mut history = vec![turn(words(), "oui ?")];
        let mut questions = Vec::new();
        for _ in 0..2 {
            let Decision::Say { reply, end_reason: None } = decided(10, &history, &Heard::Silence)
            else {
                panic!("a question")
            };
            assert_eq!(reply.next, Next::Listen);
            assert_eq!(
                reply.state.as_deref(),
                Some("{}"),
                "the concierge's memory survives silence"
            );
            history.push(turn(Heard::Silence, &reply.text));
            questions.push(reply.text);
        }
        assert_ne!(questions[0], questions[1]);
        let Decision::Say { reply, end_reason } = decided(10, &history, &Heard::Silence) else {
            panic!("a goodbye")
        };
        assert_eq!((reply.next, end_reason), (Next::HangUp, Some(EndReason::Silence)));
    }

    #[test]
    fn a_word_in_between_starts_the_count_again() {
        let history =
            [turn(Heard::Silence, "?"), turn(words(), "oui ?"), turn(Heard::Silence, "?")];
        let Decision::Say { end_reason, .. } = decided(10, &history, &Heard::Silence) else {
            panic!("a question")
        };
        assert_eq!(end_reason, None);
    }

    #[test]
    fn a_long_call_is_warned_once_and_then_ended() {
        assert_eq!(decided(300, &[], &words()), Decision::Think { warning: None });
        let Decision::Think { warning: Some(warning) } = decided(545, &[], &words()) else {
            panic!("a warning")
        };
        let history = [turn(words(), &format!("{warning} Oui ?"))];
        assert_eq!(decided(560, &history, &words()), Decision::Think { warning: None });
        let Decision::Say { reply, end_reason } = decided(600, &history, &words()) else {
            panic!("a goodbye")
        };
        assert_eq!((reply.next, end_reason), (Next::HangUp, Some(EndReason::TooLong)));
    }
}
