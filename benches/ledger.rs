//! What writing the ledger costs a turn: the same turns side by side in one run, whose uses are entered
//! (something Twilio understood, a model's tokens) and which have none (a socket, the concierge).
//! `WEBOX_BENCH_TURNS=20000 cargo bench --bench ledger`.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use support::{Result, daemon, machine, report, setting};
use webox::{
    domain::{
        Attempt, CallSid, Caller, Direction, Heard, LanguageTag, Outcome, PhoneNumber, Redaction,
        Reply, TokenUsage, TurnTimings,
    },
    operations::{
        knowledge::Library,
        live::{self, Answer, Greeted, Hearing, Ringing, Utterance},
    },
    store::{Options, Store},
};

/// Turns of a call.
const TURNS: u32 = 20;

fn main() -> Result<()> {
    println!("{}", machine::describe());
    report::title("a turn of a call, heard and answered: with its uses entered, and without any");
    let folder = tempfile::tempdir()?;
    daemon::apply_assistant(folder.path(), "builtin")?;
    let store = Store::open(&folder.path().join("webox.db"), Options::daemon())?;
    let turns = setting("WEBOX_BENCH_TURNS", 8_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut took = [Vec::new(), Vec::new()];
    let calls = u32::try_from(turns / u64::from(TURNS))?.max(2);
    for call in 0..calls {
        // One after the other, so that both meet the same disk, and a store of the same size.
        for entered in [false, true] {
            let number = call * 2 + u32::from(entered);
            let spent = runtime.block_on(one(&store, number, entered))?;
            // The first calls warm caches.
            if call >= calls / 10 {
                took[usize::from(entered)].extend(spent);
            }
        }
    }
    let median = |spent: &mut Vec<Duration>| {
        spent.sort_unstable();
        spent[spent.len() / 2]
    };
    let [without, with] = &mut took;
    let (without, with) = (median(without), median(with));
    println!("without uses   {without:>10.1?}  median of a turn");
    println!("uses entered   {with:>10.1?}  four entries a turn");
    println!("ratio          {:>10.3}", with.as_secs_f64() / without.as_secs_f64());
    Ok(())
}

/// One call; how long each of its turns took in the store, both transactions.
async fn one(store: &Store, number: u32, entered: bool) -> Result<Vec<Duration>> {
    let sid: CallSid = format!("CA{number:032x}").parse()?;
    let to: PhoneNumber = daemon::NUMBER.parse()?;
    let ringing = Ringing {
        sid: sid.clone(),
        from: Caller::read("+33612345678"),
        to: Some(to),
        at: Timestamp::now(),
        account: None,
        spoofed: false,
        direction: Direction::Inbound,
        outbound: None,
    };
    let french = LanguageTag::french();
    let greeting = Reply::fixed("Bonjour.".to_owned(), french.clone());
    let greet: live::Greet = Box::new(move |_, _, _| Greeted {
        reply: greeting,
        twiml: "<Response/>".to_owned(),
        heard: true,
        ticket: None,
    });
    live::ring(store, ringing.clone(), greet).await?;
    let usage = TokenUsage { input: 1_700, cached: 1_500, output: 60, ..TokenUsage::default() };
    let (model, usage) =
        if entered { ("openai/gpt-6-luna", usage) } else { ("builtin", TokenUsage::default()) };
    let mut spent = Vec::new();
    for turn in 1..=TURNS {
        let began = Instant::now();
        let utterance = Utterance {
            ringing: ringing.clone(),
            number: turn,
            heard: Heard::words("Avez-vous un parking pour ce soir, s'il vous plaît ?"),
            by_twilio: entered,
        };
        let Hearing::Think { turn: open, .. } =
            live::hear(store, &Library::by_words(), utterance).await?
        else {
            return Err("the call does not go on".into());
        };
        let attempt = Attempt {
            model: model.to_owned(),
            outcome: Outcome::Answered,
            first_token_ms: Some(300),
            total_ms: 700,
            usage,
            detail: None,
        };
        let reply = Reply {
            attempts: vec![attempt],
            engine: model.to_owned(),
            ..Reply::fixed("Oui, rue Choron, à deux pas.".to_owned(), french.clone())
        };
        let answer = Answer {
            reply,
            timings: TurnTimings::default(),
            twiml: "<Response><Say>Oui, rue Choron, à deux pas.</Say></Response>".to_owned(),
            kept_twiml: None,
            end_reason: None,
            warned: false,
            disclosed: false,
            consent: None,
            rating: None,
            language: None,
            redaction: Redaction::Mask,
            heard: true,
            ticket: None,
            used: Vec::new(),
        };
        live::answer(store, sid.clone(), open.id, answer, Timestamp::now()).await?;
        spent.push(began.elapsed());
    }
    Ok(spent)
}
