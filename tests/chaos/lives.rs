//! The life of a call against a model of it: whatever is delivered, in whatever order and however often, the
//! real conversation and the real store come to what a few lines here come to. No process, no network.

use std::path::PathBuf;

use proptest::{prelude::*, test_runner::TestRunner};
use webox::{
    conversation::engine::{Deadlines, Engine},
    domain::{Actor, CallSid, CallStatus, Caller, Direction, Heard, PhoneNumber},
    line::{Clock, Line, Patience},
    operations::calls,
    providers::llm::{Models, ProviderSettings},
    store::{Options, Store},
    twilio::{
        reader::{self, Verb},
        webhook::{Gathered, Incoming, Status},
    },
};

use crate::{
    chaos::{WORDS, busy, sized},
    support::daemon::{CALLER, NUMBER, sid},
};

/// What Twilio may deliver of one call.
#[derive(Debug, Clone)]
enum Step {
    Ring,
    /// Words for the turn that is so far from the next one; 0 is the next.
    Say(i32, usize),
    Silence,
    /// Comes back for a turn that is so far behind.
    Wait(u32),
    Status(bool),
    /// The process is another one.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Ring),
        6 => (0..WORDS.len()).prop_map(|words| Step::Say(0, words)),
        3 => (-3..3, 0..WORDS.len()).prop_map(|(off, words)| Step::Say(off, words)),
        2 => Just(Step::Silence),
        1 => (0_u32..3).prop_map(Step::Wait),
        2 => any::<bool>().prop_map(Step::Status),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..12)
}

/// What is known of a call from outside.
#[derive(Debug, Default)]
struct Model {
    /// The TwiML of each turn that was answered, the greeting first.
    answered: Vec<String>,
    silences: usize,
    /// It hung up, in words.
    hung_up: bool,
    over: bool,
}

struct Real {
    path: PathBuf,
    store: Store,
    line: Line,
}

impl Real {
    fn open(path: PathBuf) -> Self {
        let store = Store::open(&path, Options::daemon()).unwrap();
        let engine = Engine::new(
            store.clone(),
            Models::new(ProviderSettings::default()),
            Deadlines::default(),
        );
        let url = "https://calls.example.com";
        let line = Line::new(store.clone(), engine, Clock::system(), url, Patience::default());
        Self { path, store, line }
    }
}

fn incoming(sid: &CallSid) -> Incoming {
    Incoming {
        call_sid: sid.clone(),
        from: Caller::read(CALLER),
        to: Some(number()),
        to_raw: NUMBER.to_owned(),
        account: None,
        spoofed: false,
        direction: Direction::Inbound,
        outbound: None,
    }
}

fn number() -> PhoneNumber {
    NUMBER.parse().unwrap()
}

fn hangs_up(twiml: &str) -> bool {
    let verbs = reader::read(twiml).unwrap();
    verbs.last() == Some(&Verb::Hangup)
}

/// Does one step to both; says what is wrong.
async fn does(real: &Real, model: &mut Model, sid: &CallSid, step: &Step) {
    let next = model.answered.len() as u32;
    match step {
        Step::Ring => {
            let twiml = real.line.ring(incoming(sid), 0).await;
            match model.answered.first() {
                _ if model.over => assert!(hangs_up(&twiml), "it is over: {twiml}"),
                Some(greeting) => assert_eq!(&twiml, greeting, "the same greeting"),
                None => model.answered.push(twiml),
            }
        }
        Step::Say(..) | Step::Silence => {
            let (heard, off) = match step {
                Step::Say(off, words) => (Heard::words(WORDS[*words]), *off),
                _ => (Heard::Silence, 0),
            };
            // A call that we never saw begin is taken up where it is.
            let unknown = model.answered.is_empty() && !model.over;
            let turn = (next.max(1) as i32 + off).max(1) as u32;
            let gathered = Gathered {
                call_sid: sid.clone(),
                from: Caller::read(CALLER),
                to: Some(number()),
                heard: heard.clone(),
                account: None,
                direction: Direction::Inbound,
            };
            let twiml = real.line.hear(gathered, Some(turn), 0).await;
            let answered = model.answered.get(turn as usize);
            if unknown {
                // Nothing was said before: the greeting is empty.
                model.answered = vec![String::new(), twiml.clone()];
            } else if let Some(before) = answered {
                assert_eq!(&twiml, before, "turn {turn} again");
                return;
            } else if model.over {
                assert!(hangs_up(&twiml), "it is over: {twiml}");
                return;
            } else if turn != next {
                assert!(twiml.contains(&format!("turn={next}")), "turn {next} is next: {twiml}");
                return;
            } else {
                model.answered.push(twiml.clone());
            }
            model.silences = if heard == Heard::Silence { model.silences + 1 } else { 0 };
            model.hung_up = hangs_up(&twiml);
            assert_eq!(model.hung_up, model.silences > 2, "{} silences: {twiml}", model.silences);
        }
        Step::Wait(behind) => {
            let Some(turn) = next.checked_sub(behind + 1).filter(|turn| *turn > 0) else { return };
            let twiml = real.line.wait(incoming(sid), turn, 0).await;
            assert_eq!(Some(&twiml), model.answered.get(turn as usize), "what turn {turn} said");
        }
        Step::Status(is_final) => {
            let status = Status {
                call_sid: sid.clone(),
                from: Caller::read(CALLER),
                to: Some(number()),
                status: if *is_final { CallStatus::Completed } else { CallStatus::InProgress },
                duration_s: is_final.then_some(30),
                account: None,
                direction: Direction::Inbound,
                outbound: None,
            };
            real.line.follow_status(status).await.unwrap();
            model.over |= is_final;
        }
        Step::Restart => {}
    }
}

/// What is stored is what was answered.
fn agrees(real: &Real, model: &Model, sid: &CallSid) {
    let shown = calls::show(&real.store, &Actor::webox("test"), sid);
    if model.answered.is_empty() && !model.over {
        assert!(shown.is_err(), "nobody told of it");
        return;
    }
    let (call, turns) = shown.unwrap();
    let numbers: Vec<u32> = turns.iter().map(|turn| turn.number).collect();
    let wanted: Vec<u32> = (0..model.answered.len() as u32).collect();
    assert_eq!(numbers, wanted, "each turn once, in order");
    assert!(turns.iter().all(|turn| turn.said.is_some()), "each has its reply");
    assert_eq!(call.status.is_final(), model.over);
    assert_eq!(call.ended_at.is_some(), model.over);
    assert!(call.duration_s.is_none_or(|seconds| seconds == 30));
}

#[test]
fn whatever_is_delivered_a_call_is_what_its_model_says() {
    let lives = sized(150, 100_000);
    let webox = busy();
    // A disk that forgets at once is quick, and nothing here is about the disk.
    let memory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = memory.path().join("webox.db");
    std::fs::copy(webox.db(), &path).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let real = std::cell::RefCell::new(Some(Real::open(path)));
    let (count, done) = (std::cell::Cell::new(0_u32), std::cell::Cell::new(0_u64));
    let config =
        ProptestConfig { cases: lives, failure_persistence: None, ..ProptestConfig::default() };
    let began = std::time::Instant::now();
    let played = TestRunner::new(config).run(&steps(), |steps| {
        count.set(count.get() + 1);
        let (sid, mut model) = (sid(count.get()), Model::default());
        for step in &steps {
            if matches!(step, Step::Restart) {
                let before = real.take();
                let path = before.as_ref().map(|real| real.path.clone()).unwrap();
                drop(before);
                let _entered = runtime.enter();
                real.replace(Some(Real::open(path)));
                continue;
            }
            let real = real.borrow();
            runtime.block_on(does(real.as_ref().unwrap(), &mut model, &sid, step));
            done.set(done.get() + 1);
        }
        agrees(real.borrow().as_ref().unwrap(), &model, &sid);
        // Ten thousand that never end are as many as are answered at a time.
        if !model.over {
            let real = real.borrow();
            runtime.block_on(does(real.as_ref().unwrap(), &mut model, &sid, &Step::Status(true)));
        }
        Ok(())
    });
    if let Err(failed) = played {
        panic!("{failed}");
    }
    eprintln!(
        "lives: {} calls of {} deliveries in {:.0} s, each as its model has it",
        count.get(),
        done.get(),
        began.elapsed().as_secs_f64()
    );
}
