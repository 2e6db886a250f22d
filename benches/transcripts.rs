//! Words in what was said: how long it takes to find them among some 100,000 turns
//! (`WEBOX_BENCH_CALLS=1000000` for twelve million), and what the index costs.
//!
//! The words are the worst there are: one that every turn has, one that one turn has, one that every turn
//! has for an owner of two calls. Looked for once a moment, nothing is kept between.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use support::{Result, machine, report, setting};
use webox::{
    domain::{
        Actor, AssistantId, AssistantSpec, CallStatus, Direction, EndReason, Heard, LanguageTag,
        Reply, TranscriptQuery, TurnId, TurnTimings, VoiceLine,
    },
    operations::{assistants, transcripts},
    store::{
        Options, Store,
        calls::{self, CallEnd, NewCall},
        turns::{self, Finished},
    },
};

/// Turns of a call, and calls stored in one transaction.
const TURNS: u32 = 12;
const AT_ONCE: u64 = 500;

/// How often each is looked for.
const TIMES: usize = 25;

/// Words that turns are made of.
const WORDS: [&str; 16] = [
    "table",
    "demain",
    "personnes",
    "terrasse",
    "réserver",
    "menu",
    "parking",
    "soir",
    "chien",
    "heure",
    "nom",
    "téléphone",
    "annuler",
    "dimanche",
    "enfant",
    "merci",
];

fn main() -> Result<()> {
    println!("{}", machine::describe());
    let count = setting("WEBOX_BENCH_CALLS", 10_000);
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().join("webox.db"), Options::daemon())?;
    let actor = Actor::webox("bench");
    let make = |name: &str, phone: &str| -> Result<AssistantId> {
        let spec =
            AssistantSpec::new(name.parse()?, name.to_owned(), phone.parse()?, "x".to_owned());
        Ok(assistants::create(&store, &actor, spec, None, Timestamp::now())?.id)
    };
    let (busy, quiet) = (make("busy", "+33140000001")?, make("quiet", "+33140000002")?);
    let begun = Instant::now();
    let mut first = 0;
    while first < count {
        let until = count.min(first + AT_ONCE);
        store.write(move |tx| {
            (first..until).try_for_each(|n| {
                // Two calls of the quiet one, at the very beginning.
                add(tx, n, if n < 2 { quiet } else { busy })
            })
        })?;
        first = until;
    }
    let turns = count * u64::from(TURNS);
    println!(
        "{turns} turns written and indexed in {:.1} s; store of {} MB",
        begun.elapsed().as_secs_f64(),
        std::fs::metadata(store.path())?.len() / 1_000_000
    );
    report::title("a page of 50 hits, medians");
    for (what, words, assistant) in [
        ("a word that every turn has", "bonjour", None),
        ("a word that one turn has", "hippopotame", None),
        ("three words that many turns have", "terrasse dimanche bonjour", None),
        ("a word that every turn has, of one that has two calls", "bonjour", Some(quiet)),
        ("a word that nobody said", "zyxw", None),
    ] {
        let mut query = TranscriptQuery::of(words, 50)?;
        query.assistant = assistant;
        let mut took: Vec<Duration> = Vec::new();
        let mut hits = 0;
        for _ in 0..TIMES {
            let begun = Instant::now();
            hits = transcripts::search(&store, &actor, &query)?.hits.len();
            took.push(begun.elapsed());
        }
        println!("{what:<58} {hits:>3} hits  {:>8}", report::milliseconds(report::median(took)));
    }
    Ok(())
}

fn add(
    tx: &webox::store::Tx,
    n: u64,
    assistant: AssistantId,
) -> std::result::Result<(), webox::store::StoreError> {
    let at = Timestamp::now() - SignedDuration::from_hours(24 * 30)
        + SignedDuration::from_secs(i64::try_from(n).unwrap_or(0));
    let new = NewCall {
        direction: Direction::Inbound,
        account: None,
        sid: format!("CA{n:032x}").parse().map_err(webox::store::StoreError::User)?,
        assistant,
        assistant_revision: 1,
        caller: Some("+33612345678".to_owned()),
        to_number: "+33140000001".to_owned(),
        line: VoiceLine::Gather,
        language: LanguageTag::french(),
        started_at: at,
    };
    let end = CallEnd {
        status: CallStatus::Completed,
        ended_at: at + SignedDuration::from_secs(60),
        duration_s: Some(60),
        reason: Some(EndReason::AssistantHungUp),
    };
    let call = calls::insert_ended(tx, &new, &end)?;
    for number in 1..=TURNS {
        let word = |shift: u64| {
            let mixed =
                (n * 31 + u64::from(number) * 7 + shift).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            WORDS[(mixed >> 60) as usize % WORDS.len()]
        };
        let rare = if n == 7 && number == 3 { "hippopotame" } else { "" };
        let text = format!("Bonjour {} {} {} {rare}", word(1), word(2), word(3));
        let heard = Heard::Speech { text, confidence: Some(0.9), language: None };
        let id = TurnId { call, number };
        turns::begin(tx, id, Some(&heard), &LanguageTag::french(), at)?;
        let said = format!("Bonjour, avec plaisir : {} et {}.", word(4), word(5));
        let reply = Reply::fixed(said, LanguageTag::french());
        let timings = TurnTimings::default();
        let finished = Finished { reply: &reply, timings, twiml: "<Response/>", heard: true };
        turns::finish(tx, id, &finished)?;
    }
    Ok(())
}
