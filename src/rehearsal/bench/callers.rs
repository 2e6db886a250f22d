//! Callers who are played: one after the other asks, waits, and hangs up when the time is over.

use std::{
    pin::Pin,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use super::{
    Plan,
    figures::{Failure, Tally},
};
use crate::{
    domain::{PhoneNumber, VoiceLine},
    rehearsal::{
        Call, State,
        relayed::RelayedCall,
        streamed::{Manner, Speech, StreamedCall},
    },
    twilio::caller::Caller,
};

/// A question of about two seconds, in μ-law. Spoken by eSpeak NG: a voice detector takes it for
/// speech, and nobody's voice is in it.
pub(super) const QUESTION: &[u8] = include_bytes!("question.ulaw");

/// The same, coded once for all calls.
static SPEECH: LazyLock<Speech> = LazyLock::new(|| Speech::new(QUESTION));

/// What is asked in words: every assistant can say something to these, and none ends a call.
const QUESTIONS: [&str; 4] = [
    "Bonjour, quels sont vos horaires d'ouverture ?",
    "Quelle est votre adresse, s'il vous plaît ?",
    "Est-ce qu'il y a un parking près de chez vous ?",
    "Vous êtes ouverts le mercredi ?",
];

/// Between two questions, at least.
const THINKING: Duration = Duration::from_secs(3);

/// More than that, at most.
const HESITATING: Duration = Duration::from_secs(3);

/// One answer in so many is talked over.
const TALKS_OVER: u64 = 4;

/// After so long.
const LISTENS: Duration = Duration::from_millis(700);

/// A call that lasts so much longer than it should is given up.
const STUCK: Duration = Duration::from_mins(1);

/// Plays one call to its end.
pub(super) async fn play(
    plan: Plan,
    twilio: Arc<Caller>,
    number: PhoneNumber,
    place: u32,
) -> Tally {
    let from = caller(place);
    let mut tally = Tally { calls: 1, ..Tally::default() };
    let pace = Pace { plan, begun: Instant::now(), place: u64::from(place) };
    // On the heap, each as large as its own line needs.
    let whole: Pin<Box<dyn Future<Output = Ends> + Send>> = match plan.line {
        VoiceLine::Gather => Box::pin(gather(&pace, &twilio, &from, &number, &mut tally)),
        VoiceLine::Relay => Box::pin(relay(&pace, &twilio, &from, &number, &mut tally)),
        VoiceLine::Stream => Box::pin(stream(&pace, &twilio, &from, &number, &mut tally)),
    };
    let done = tokio::time::timeout(plan.length + STUCK, whole).await;
    match done {
        Ok(Ok(())) => {}
        Ok(Err((failure, example))) => tally.fail(failure, example),
        Err(_) => tally.fail(Failure::Stuck, format!("{from} was cut off")),
    }
    tally.up = pace.begun.elapsed();
    tally
}

/// A number of those that are kept free for fiction in France (06 39 98 xx xx).
fn caller(place: u32) -> String {
    format!("+3363998{:04}", place % 10_000)
}

type Ends = Result<(), (Failure, String)>;

/// Names the stage at which something failed.
fn at(failure: Failure) -> impl Fn(crate::domain::Error) -> (Failure, String) {
    move |error| (failure, error.with_causes())
}

fn listens(state: &State) -> Ends {
    match state {
        State::Listening => Ok(()),
        State::HungUp => Err((Failure::EndedEarly, "the assistant hung up".to_owned())),
        State::Transferred(number) => {
            Err((Failure::EndedEarly, format!("the call was passed on to {number}")))
        }
    }
}

async fn gather(
    pace: &Pace,
    twilio: &Caller,
    from: &str,
    number: &PhoneNumber,
    tally: &mut Tally,
) -> Ends {
    let (mut call, greeting) =
        Call::place(twilio, from, number).await.map_err(at(Failure::NotTaken))?;
    tally.greeting.push(greeting.after);
    let mut talk = async || {
        for turn in 0.. {
            listens(call.state())?;
            let Some(thinking) = pace.thinking(turn) else { break };
            tokio::time::sleep(thinking).await;
            let heard = call.say(question(turn)).await.map_err(at(Failure::NotHeard))?;
            tally.turns += 1;
            if heard.text.trim().is_empty() {
                return Err((Failure::NoAnswer, "nothing was said".to_owned()));
            }
            tally.answers.push(heard.after);
        }
        Ok(())
    };
    let talked = talk().await;
    call.hang_up().await.map_err(at(Failure::NotEnded))?;
    talked
}

async fn relay(
    pace: &Pace,
    twilio: &Caller,
    from: &str,
    number: &PhoneNumber,
    tally: &mut Tally,
) -> Ends {
    let (mut call, greeting) =
        RelayedCall::place(twilio, from, number).await.map_err(at(Failure::NotTaken))?;
    let mut talk = async || {
        if !call.is_relayed() {
            listens(call.state())?;
            return Err((Failure::NotTaken, call.failures().join("; ")));
        }
        let none = || (Failure::NoGreeting, "nothing was said".to_owned());
        tally.greeting.push(greeting.after.ok_or_else(none)?);
        for turn in 0.. {
            listens(call.state())?;
            let Some(thinking) = pace.thinking(turn) else { break };
            call.wait(thinking).await.map_err(at(Failure::NotHeard))?;
            listens(call.state())?;
            let heard = call.say(question(turn)).await.map_err(at(Failure::NotHeard))?;
            tally.turns += 1;
            let none = || (Failure::NoAnswer, "nothing was said".to_owned());
            tally.answers.push(heard.after.ok_or_else(none)?);
        }
        Ok(())
    };
    let talked = talk().await;
    call.hang_up().await.map_err(at(Failure::NotEnded))?;
    talked
}

async fn stream(
    pace: &Pace,
    twilio: &Caller,
    from: &str,
    number: &PhoneNumber,
    tally: &mut Tally,
) -> Ends {
    let manner = Manner { record: false, ..Manner::default() };
    let (mut call, greeting) =
        StreamedCall::ring(twilio, from, number, manner).await.map_err(at(Failure::NotTaken))?;
    let mut talk = async || {
        if !call.is_streaming() {
            listens(call.state())?;
            return Err((Failure::NotTaken, call.failures().join("; ")));
        }
        let none = || (Failure::NoGreeting, "nothing was heard".to_owned());
        tally.greeting.push(greeting.first_frame.ok_or_else(none)?);
        for turn in 0.. {
            listens(call.state())?;
            let Some(thinking) = pace.thinking(turn) else { break };
            call.wait(thinking).await.map_err(at(Failure::NotHeard))?;
            listens(call.state())?;
            let mut heard = call.ask(&*SPEECH).await.map_err(at(Failure::NotHeard))?;
            tally.turns += 1;
            let none = || (Failure::NoAnswer, "nothing was heard".to_owned());
            tally.answers.push(heard.after.ok_or_else(none)?);
            if (turn + pace.place) % TALKS_OVER == TALKS_OVER - 1 {
                heard =
                    call.interrupt_after(LISTENS, &*SPEECH).await.map_err(at(Failure::NotHeard))?;
                tally.turns += 1;
                match heard.cleared {
                    Some(cleared) => tally.barge_in.push(cleared),
                    None => tally.not_cleared += 1,
                }
                tally.answers.push(heard.after.ok_or_else(none)?);
            }
        }
        Ok(())
    };
    let talked = talk().await;
    tally.gaps = call.gaps();
    tally.lateness = call.lateness().clone();
    call.hang_up().await.map_err(at(Failure::NotEnded))?;
    talked
}

fn question(turn: u64) -> &'static str {
    QUESTIONS[turn as usize % QUESTIONS.len()]
}

/// When a caller speaks: the same in every run, and different for each.
struct Pace {
    plan: Plan,
    begun: Instant,
    place: u64,
}

impl Pace {
    /// How long to wait before a question; nothing once the call should be over.
    fn thinking(&self, turn: u64) -> Option<Duration> {
        let left = self.plan.length.checked_sub(self.begun.elapsed())?;
        let thinking = THINKING + HESITATING.mul_f64(chance(self.place, turn));
        // A short trial has turns as well.
        let thinking = thinking.min(self.plan.length / 4);
        (thinking < left).then_some(thinking)
    }
}

/// Between 0 and 1, the same for the same numbers (Steele and others, "Fast splittable
/// pseudorandom number generators": splitmix64).
fn chance(place: u64, turn: u64) -> f64 {
    let mut z = (place << 20 | turn).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use earshot::Detector;

    use super::*;
    use crate::audio::g711;

    #[test]
    fn callers_have_numbers_of_fiction_and_a_pace_of_their_own() {
        assert_eq!(caller(7), "+33639980007");
        assert!(caller(123_456).parse::<PhoneNumber>().is_ok());
        let plan = |seconds| Plan { length: Duration::from_secs(seconds), ..Plan::default() };
        let pace = |seconds, place| Pace { plan: plan(seconds), begun: Instant::now(), place };
        for turn in 0..50 {
            let thinking = pace(3_600, 1).thinking(turn).unwrap();
            assert!((THINKING..=THINKING + HESITATING).contains(&thinking), "{thinking:?}");
        }
        assert_eq!(pace(2, 1).thinking(0), Some(Duration::from_millis(500)));
        assert_eq!(pace(0, 1).thinking(0), None);
        assert_ne!(pace(60, 1).thinking(0), pace(60, 2).thinking(0));
        assert_eq!(pace(60, 1).thinking(3), pace(60, 1).thinking(3));
    }

    #[test]
    fn the_question_is_taken_for_speech() {
        let mut detector = Detector::default();
        // The detector wants 16 kHz in frames of 16 ms.
        let samples: Vec<i16> = QUESTION.iter().flat_map(|byte| [g711::decode(*byte); 2]).collect();
        let frames: Vec<&[i16]> = samples.chunks_exact(256).collect();
        let voiced = frames.iter().filter(|frame| detector.predict_i16(frame) >= 0.5).count();
        assert!(voiced * 10 >= frames.len() * 6, "{voiced} of {}", frames.len());
        assert!(QUESTION.len() < 24_000, "under three seconds");
    }
}
