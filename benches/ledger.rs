//! What writing the ledger and the figures costs a turn: the same turns side by side in one run, whose uses
//! are entered (something Twilio understood, a model's tokens) and that are counted, and which have none (a
//! socket, the concierge) in a store that counts nothing. `WEBOX_BENCH_TURNS=20000 cargo bench --bench ledger`.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use support::{Result, daemon, machine, population, report, setting};
use webox::{
    domain::{
        Attempt, CallSid, CallStatus, Caller, Direction, Heard, LanguageTag, Outcome, PhoneNumber,
        Redaction, Reply, TokenUsage, TurnTimings,
    },
    operations::{
        knowledge::Library,
        live::{self, Answer, Greeted, Hearing, Ringing, StatusChange, Utterance},
    },
    store::{Options, Store},
};

/// Turns of a call.
const TURNS: u32 = 20;

/// Neither ledger nor figures, the figures alone, and both.
const WAYS: usize = 3;

/// What a turn took in each way, and the end of a call.
type Took = [(Duration, Duration); WAYS];

fn main() -> Result<()> {
    println!("{}", machine::describe());
    let turns = setting("WEBOX_BENCH_TURNS", 4_000);
    let rounds = setting("WEBOX_BENCH_ROUNDS", 6).max(1);
    report::title("a turn of a call, heard and answered: the median of each round's medians");
    let took = (0..rounds).map(|number| round(number, turns)).collect::<Result<Vec<Took>>>()?;
    let [neither, figures, both] =
        [0, 1, 2].map(|way| report::median(took.iter().map(|round| round[way].0).collect()));
    println!("neither ledger nor figures   {neither:>10.1?}");
    println!("counted                      {figures:>10.1?}  {}", more(&took, 1));
    println!("counted, four uses entered   {both:>10.1?}  {}  (aim +10 %)", more(&took, 2));
    let [neither, figures, both] =
        [0, 1, 2].map(|way| report::median(took.iter().map(|round| round[way].1).collect()));
    println!("the end of such a call, of {TURNS} turns: {neither:.1?}, {figures:.1?}, {both:.1?}");
    Ok(())
}

/// How much more than with neither, in the middle round, and in which range all are.
fn more(took: &[Took], way: usize) -> String {
    let mut all: Vec<f64> = took
        .iter()
        .map(|round| 100.0 * (round[way].0.as_secs_f64() / round[0].0.as_secs_f64() - 1.0))
        .collect();
    all.sort_by(f64::total_cmp);
    format!("{:+.1} % ({:+.1} to {:+.1})", all[all.len() / 2], all[0], all[all.len() - 1])
}

/// Three new stores, filled beside each other. Where a disk puts a file makes a tenth of what a sync of it
/// takes: each round has other files, and another of them first.
fn round(number: u64, turns: u64) -> Result<Took> {
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?];
    let first = usize::try_from(number)? % WAYS;
    for way in [0, 1, 2] {
        daemon::apply_assistant(folders[(first + way) % WAYS].path(), "builtin")?;
    }
    let files = folders.each_ref().map(|folder| folder.path().join("webox.db"));
    population::forget_figures(&files[0])?;
    let open = |file: &PathBuf| Store::open(file, Options::daemon());
    let stores = [open(&files[0])?, open(&files[1])?, open(&files[2])?];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut spent = [Vec::new(), Vec::new(), Vec::new()];
    let mut ends = [Vec::new(), Vec::new(), Vec::new()];
    let calls = u32::try_from(turns / u64::from(TURNS))?.max(2);
    for call in 0..calls {
        // One after the other, so that all meet the same disk, and stores of the same size.
        for way in [0, 1, 2].map(|way| (first + way) % WAYS) {
            let (turns, end) = runtime.block_on(one(&stores[way], call, way == 2))?;
            // The first calls warm caches.
            if call >= calls / 10 {
                spent[way].extend(turns);
                ends[way].push(end);
            }
        }
    }
    let [neither, figures, both] = spent.map(report::median);
    let [neither_end, figures_end, both_end] = ends.map(report::median);
    Ok([(neither, neither_end), (figures, figures_end), (both, both_end)])
}

/// Waits as they are in a call: no two the same.
fn timings(turn: u32) -> TurnTimings {
    TurnTimings {
        words_ms: Some(120 + turn * 7 % 90),
        first_token_ms: Some(300 + turn * 13 % 200),
        reply_ms: Some(700 + turn * 37 % 900),
        frame_ms: Some(600 + turn * 41 % 700),
        ..TurnTimings::default()
    }
}

/// One call; how long each of its turns took in the store, both transactions, and its end.
async fn one(store: &Store, number: u32, entered: bool) -> Result<(Vec<Duration>, Duration)> {
    let sid: CallSid = format!("CA{number:032x}").parse()?;
    let to: PhoneNumber = daemon::NUMBER.parse()?;
    let ringing = Ringing {
        sid: sid.clone(),
        // As many calls of one number would be turned down.
        from: Caller::read(&format!("+336{number:08}")),
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
            timings: timings(turn),
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
    // As many at once would be turned down as well.
    let ended = StatusChange {
        ringing,
        status: CallStatus::Completed,
        duration_s: Some(60),
        is_logged: false,
    };
    let began = Instant::now();
    live::follow_status(store, ended).await?;
    Ok((spent, began.elapsed()))
}
