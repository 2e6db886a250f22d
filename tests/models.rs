//! Turns that a model answers: late ones, repeated ones, ones with tools, and ones that must not
//! be believed.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use webox::domain::{CallSid, Outcome};

use crate::support::{
    fake_http::{Behaviour, KEY, say, script, tool},
    stage::{Pace, Provider, Stage, Wire, spoken},
};

const HOURS: &str = "Nous ouvrons à dix-neuf heures.";
const TABLE: &str = r#"{"party":4,"date":"2026-11-24","time":"20:00"}"#;
const BOOKING: &str = r#"{"party":4,"date":"2026-11-24","time":"20:00","name":"Dupont"}"#;

/// What Twilio posts when the caller has spoken in turn 1, to be posted as often as one likes.
async fn deliver(stage: &Stage, sid: &CallSid, words: &str) -> String {
    let caller = stage.daemon.caller();
    let mut fields = caller.fields(sid, "+33612345678", &stage.spec.phone, "in-progress");
    fields.push(("SpeechResult".to_owned(), words.to_owned()));
    fields.push(("Confidence".to_owned(), "0.93".to_owned()));
    let path = format!("/api/voice/webhook/process?call_sid={sid}&turn=1");
    let answer = caller.post(&path, fields).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn a_model_is_asked_as_its_provider_wants_it() {
    for wire in Wire::ALL {
        let provider = Provider::start(wire, vec![say(HOURS)]);
        let stage = Stage::with(wire, &provider, Pace::patient()).await;
        let mut call = stage.call().await;
        let heard = call.say("À quelle heure ouvrez-vous ?").await.unwrap();
        assert_eq!(heard.text, HOURS, "{wire:?}");
        let turn = &stage.turns(call.sid())[1];
        assert_eq!(turn.engine.as_deref(), Some(wire.engine()));
        assert_eq!(turn.said.as_deref(), Some(HOURS));
        // OpenAI's own counts are asked for only where every server knows how to give them.
        if !turn.usage.estimated {
            assert_eq!((turn.usage.input, turn.usage.cached, turn.usage.output), (700, 512, 30));
        }
        let [request] = &provider.requests()[..] else { panic!("{wire:?}: asked more than once") };
        assert!(request.json.to_string().contains("Le Gourmet"), "{wire:?}");
        assert!(!request.json.to_string().contains(KEY), "{wire:?}");
        assert_eq!(request.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn a_late_reply_is_fetched_once_it_is_there() {
    for wire in Wire::ALL {
        let late = Behaviour::DelayHeaders(Duration::from_millis(600), HOURS.to_owned());
        let provider = Provider::start(wire, vec![late]);
        let stage = Stage::with(wire, &provider, Pace::with_fillers()).await;
        let mut call = stage.call().await;
        let heard = call.say("À quelle heure ouvrez-vous ?").await.unwrap();

        let [filler, .., reply] = &heard.twiml[..] else { panic!("no filler: {:?}", heard.twiml) };
        assert!(filler.contains("<Redirect"), "{filler}");
        assert!(!filler.contains("<Gather"), "nobody listens before the reply: {filler}");
        assert_eq!(spoken(reply), [HOURS], "{wire:?}");
        assert_eq!(heard.text.matches(HOURS).count(), 1, "never two replies");

        let turns = stage.turns(call.sid());
        assert_eq!(turns.len(), 2);
        assert_eq!(turns[1].said.as_deref(), Some(HOURS));
        assert_eq!(turns[1].fillers as usize, heard.twiml.len() - 1);
        assert_eq!(turns[1].twiml.as_ref(), Some(reply));
        // A delivery repeated after all that gets what its first one got.
        assert_eq!(deliver(&stage, call.sid(), "À quelle heure ouvrez-vous ?").await, *filler);
        assert_eq!(provider.requests().len(), 1, "{wire:?}: one question, one request");
    }
}

#[tokio::test]
async fn a_delivery_repeated_at_once_and_later_is_one_turn() {
    let slow = Behaviour::DelayHeaders(Duration::from_millis(150), HOURS.to_owned());
    let provider = Provider::start(Wire::Chat, vec![slow, say("Autre chose.")]);
    let stage = Stage::with(Wire::Chat, &provider, Pace::patient()).await;
    let call = stage.call().await;
    let words = "À quelle heure ouvrez-vous ?";
    let mut answers = join_all((0..5).map(|_| deliver(&stage, call.sid(), words))).await;
    for _ in 0..5 {
        answers.push(deliver(&stage, call.sid(), words).await);
    }
    assert_eq!(spoken(&answers[0]), [HOURS]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    assert_eq!(stage.turns(call.sid()).len(), 2);
    assert_eq!(provider.requests().len(), 1);
}

/// The caller is given a word five times over, and each delivery leads to the same reply.
#[tokio::test]
async fn repeated_deliveries_of_a_late_reply_are_one_turn() {
    let late = Behaviour::DelayHeaders(Duration::from_millis(500), HOURS.to_owned());
    let provider = Provider::start(Wire::Messages, vec![late, say("Autre chose.")]);
    let stage = Stage::with(Wire::Messages, &provider, Pace::with_fillers()).await;
    let mut call = stage.call().await;
    let words = "À quelle heure ouvrez-vous ?";
    let sid = call.sid().clone();
    let others = join_all((0..4).map(|_| deliver(&stage, &sid, words)));
    let (heard, others) = tokio::join!(call.say(words), others);
    let heard = heard.unwrap();
    assert!(others.iter().all(|answer| *answer == heard.twiml[0]), "{others:#?}");
    assert_eq!(spoken(heard.twiml.last().unwrap()), [HOURS]);
    assert_eq!(stage.turns(&sid).len(), 2);
    assert_eq!(provider.requests().len(), 1);
}

#[tokio::test]
async fn a_model_books_with_its_tools() {
    for wire in Wire::ALL {
        let script = vec![
            tool("check_availability", TABLE),
            tool("book", BOOKING),
            say("C'est réservé pour quatre ce soir à vingt heures, au nom de Dupont."),
        ];
        let provider = Provider::start(wire, script);
        let stage = Stage::with(wire, &provider, Pace::patient()).await;
        let mut call = stage.call().await;
        let heard = call.say("Une table pour 4 ce soir à 20h, Dupont").await.unwrap();
        assert!(heard.text.starts_with("C'est réservé"), "{wire:?}: {}", heard.text);
        assert_eq!(stage.effects(call.sid()), (1, 0), "{wire:?}: one booking");
        let turn = &stage.turns(call.sid())[1];
        let tools: Vec<_> = turn.tools.iter().map(|tool| tool.tool.as_str()).collect();
        assert_eq!(tools, ["check_availability", "book"], "{wire:?}");
        assert_eq!(turn.engine.as_deref(), Some(wire.engine()));
        assert_eq!(provider.requests().len(), 3, "{wire:?}");
    }
}

/// A booking made is told, even when the model that made it cannot speak any more.
#[tokio::test]
async fn a_booking_survives_the_model_that_made_it() {
    for wire in Wire::ALL {
        let provider = Provider::start(wire, vec![tool("book", BOOKING), Behaviour::ServerError]);
        let stage = Stage::with(wire, &provider, Pace::patient()).await;
        let mut call = stage.call().await;
        let heard = call.say("Une table pour 4 ce soir à 20h, Dupont").await.unwrap();
        Stage::assert_fit_to_hear("a booking", &heard);
        assert!(heard.text.contains("Dupont"), "{wire:?}: {}", heard.text);
        assert_eq!(stage.effects(call.sid()), (1, 0), "{wire:?}: one booking, not two");
    }
}

#[tokio::test]
async fn a_promise_without_a_booking_is_corrected_then_replaced() {
    let promise = "Parfait, votre réservation est confirmée pour vingt heures.";
    for wire in Wire::ALL {
        let provider = Provider::start(wire, vec![say(promise), say("À quel nom, je vous prie ?")]);
        let stage = Stage::with(wire, &provider, Pace::patient()).await;
        let mut call = stage.call().await;
        let heard = call.say("Une table pour 4 ce soir à 20h").await.unwrap();
        assert_eq!(heard.text, "À quel nom, je vous prie ?", "{wire:?}: corrected");
        let [_, corrected] = &provider.requests()[..] else { panic!("{wire:?}: not asked twice") };
        assert!(corrected.json.to_string().contains("Nothing is booked"), "{wire:?}");

        let provider = Provider::start(wire, vec![say(promise)]);
        let stage = Stage::with(wire, &provider, Pace::patient()).await;
        let mut call = stage.call().await;
        let heard = call.say("Une table pour 4 ce soir à 20h").await.unwrap();
        Stage::assert_fit_to_hear("a promise", &heard);
        assert!(!heard.text.contains("confirmée"), "{wire:?}: replaced: {}", heard.text);
        let turn = &stage.turns(call.sid())[1];
        assert_eq!(turn.attempts[0].outcome, Outcome::Unusable, "{wire:?}");
        assert_eq!(turn.engine.as_deref(), Some("builtin"), "{wire:?}");
        assert_eq!(provider.requests().len(), 2, "{wire:?}: corrected once only");
        assert_eq!(stage.effects(call.sid()), (0, 0), "{wire:?}");
    }
}

#[tokio::test]
async fn tools_gone_wild_have_no_effect() {
    let book = |n: u32| ("book".to_owned(), BOOKING.replace("Dupont", &format!("Dupont {n}")));
    let huge = format!(r#"{{"text":"{}"}}"#, "a".repeat(1_000_000));
    let wrong = r#"{"party":"beaucoup","date":"un jour","time":"25:99","name":7}"#;
    let injected =
        r#"{"party":4,"date":"2026-11-24'; DROP TABLE bookings;--","time":"20:00","name":"A"}"#;
    let far = BOOKING.replace("2026-11-24", "2126-11-24");
    let wild: Vec<(&str, Behaviour)> = vec![
        ("an unknown tool", tool("format_disk", r#"{"really":true}"#)),
        ("a tool without a name", tool("", "{}")),
        ("wrong arguments", tool("book", wrong)),
        ("an injection", tool("book", injected)),
        ("a crowd", tool("book", &BOOKING.replace('4', "4000000000"))),
        ("another century", tool("book", &far)),
        ("no JSON", tool("take_message", "{\"text\": ")),
        ("an array", tool("take_message", "[]")),
        ("fifty at once", Behaviour::Tools((0..50).map(book).collect())),
        ("a megabyte", tool("take_message", &huge)),
    ];
    for wire in Wire::ALL {
        for (what, wild) in &wild {
            let what = format!("{wire:?}, {what}");
            let provider = Provider::start(wire, vec![wild.clone(), say(HOURS)]);
            let stage = Stage::with(wire, &provider, Pace::patient()).await;
            let mut call = stage.call().await;
            let heard = call.say("À quelle heure ouvrez-vous ?").await.unwrap();
            Stage::assert_fit_to_hear(&what, &heard);
            assert_eq!(stage.effects(call.sid()), (0, 0), "{what}");
            let again = call.say("Pardon ?").await.unwrap();
            Stage::assert_fit_to_hear(&what, &again);
            let stored: usize = stage
                .turns(call.sid())
                .iter()
                .flat_map(|turn| &turn.tools)
                .map(|tool| tool.arguments.len() + tool.result.len())
                .sum();
            assert!(stored < 10_000, "{what}: {stored} bytes are kept");
        }
    }
}

#[tokio::test]
async fn tools_that_are_right_are_still_no_more_than_five() {
    let messages = |round: u32| {
        let one =
            |n: u32| ("take_message".to_owned(), format!(r#"{{"text":"Message {round}.{n}"}}"#));
        Behaviour::Tools((0..3).map(one).collect())
    };
    for wire in Wire::ALL {
        let script = vec![messages(1), messages(2), messages(3), say(HOURS)];
        let provider = Provider::start(wire, script);
        let stage = Stage::with(wire, &provider, Pace::patient()).await;
        let mut call = stage.call().await;
        let heard = call.say("À quelle heure ouvrez-vous ?").await.unwrap();
        assert!(heard.text.contains(HOURS), "{wire:?}: {}", heard.text);
        assert_eq!(stage.effects(call.sid()), (0, 5), "{wire:?}");
        assert_eq!(stage.turns(call.sid())[1].tools.len(), 5, "{wire:?}");
    }
}

#[tokio::test]
async fn a_model_that_only_asks_for_tools_is_stopped() {
    for wire in Wire::ALL {
        let provider = Provider::start(wire, vec![tool("check_availability", TABLE)]);
        let stage = Stage::with(wire, &provider, Pace::patient()).await;
        let mut call = stage.call().await;
        let heard = call.say("Avez-vous un parking ?").await.unwrap();
        Stage::assert_fit_to_hear("a loop", &heard);
        let turn = &stage.turns(call.sid())[1];
        assert_eq!(turn.attempts[0].outcome, Outcome::Unusable, "{wire:?}");
        assert_eq!(turn.engine.as_deref(), Some("builtin"), "{wire:?}");
        assert!(provider.requests().len() <= 6, "{wire:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_said_is_not_said() {
    let written = "**Bonjour** 🎉 ! Voici nos `horaires` :\n\n- midi\n- *soir* 🍽️\n\n\
                   # Carte\n[notre site](https://legourmet.fr/carte) <b>oui</b>";
    for wire in Wire::ALL {
        let provider = Provider::start(wire, vec![say(written)]);
        let stage = Stage::with(wire, &provider, Pace::patient()).await;
        let mut call = stage.call().await;
        let heard = call.say("Quels sont vos horaires ?").await.unwrap();
        let turn = &stage.turns(call.sid())[1];
        assert_eq!(turn.engine.as_deref(), Some(wire.engine()), "{wire:?}");
        for text in [&heard.text, turn.said.as_ref().unwrap()] {
            for sign in ["*", "`", "#", "[", "](", "🎉", "🍽", "<b>", "https", "\n-"] {
                assert!(!text.contains(sign), "{wire:?}: {sign:?} in {text:?}");
            }
            for word in ["Bonjour", "horaires", "midi", "soir", "notre site"] {
                assert!(text.contains(word), "{wire:?}: {word:?} is missing in {text:?}");
            }
        }
    }
}

/// What a call costs grows with its length, not with its square.
#[tokio::test]
async fn a_long_call_does_not_drag_all_of_itself_along() {
    const TURNS: usize = 60;
    for wire in Wire::ALL {
        let answer = script(|request: &Value| {
            let size = request.to_string().len();
            let sentence =
                "Nous servons une cuisine de saison, et la carte change chaque semaine. ";
            say(&format!("{}Cela fait {size}.", sentence.repeat(5)))
        });
        let provider = Provider::start(wire, vec![answer]);
        let stage = Stage::with(wire, &provider, Pace::patient()).await;
        let mut call = stage.call().await;
        for turn in 0..TURNS {
            let heard =
                call.say(&format!("Question {turn} : que servez-vous donc ?")).await.unwrap();
            Stage::assert_fit_to_hear("a long call", &heard);
        }
        let requests = provider.requests();
        assert_eq!(requests.len(), TURNS, "{wire:?}");
        let sizes: Vec<usize> =
            requests.iter().map(|request| request.json.to_string().len()).collect();
        let sum = |from: usize, to: usize| sizes[from..to].iter().sum::<usize>() as f64;
        let growth = sum(40, 60) / sum(20, 40);
        assert!(growth < 1.1, "{wire:?}: prompts still grow by {growth:.2}: {sizes:?}");
        assert!(sizes[5] > sizes[0], "{wire:?}: it does remember: {sizes:?}");
        assert!(stage.turns(call.sid()).len() == TURNS + 1);
        // The beginning stays the same, or no provider could cache it.
        let system = |json: &Value| match wire {
            Wire::Chat => json["messages"][0].clone(),
            Wire::Responses => json["instructions"].clone(),
            Wire::Messages => json["system"].clone(),
        };
        assert!(!system(&requests[0].json).is_null(), "{wire:?}");
        let same = requests.iter().all(|request| {
            system(&request.json) == system(&requests[0].json)
                && request.json["tools"] == requests[0].json["tools"]
        });
        assert!(same, "{wire:?}: the instructions change within a call");
    }
}
