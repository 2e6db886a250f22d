//! What it takes to take rows out: counted in steps of SQLite, not in time. And that the entries of a
//! window are those that all of them would give.

use std::cell::Cell as Count;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Statement, StatementStatus, params};

use super::{Place, Rows};
use crate::{
    billing::rates,
    domain::{
        Assistant, AssistantSpec, Author, CallId, CallStatus, Cell, Dataset, Direction, Heard,
        LanguageTag, Reply, Sight, TurnId, TurnTimings, Unit, Use, VoiceLine,
    },
    store::{
        Options, Store, StoreError, Tx, assistants,
        calls::{self, CallEnd, NewCall},
        ledger::{self, Kind, Of},
        turns::{self, Finished},
        versions::Stamp,
    },
};

thread_local! {
    static STEPS: Count<i64> = const { Count::new(0) };
}

/// Notes what a statement did.
pub(in crate::store) fn note(statement: &Statement<'_>) {
    let steps = statement.reset_status(StatementStatus::VmStep);
    STEPS.set(STEPS.get() + i64::from(steps));
}

fn epoch() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn minute(minute: i64) -> Timestamp {
    epoch() + SignedDuration::from_mins(minute)
}

/// A store with an assistant.
fn with<T: Send + 'static>(
    work: impl FnOnce(&Tx, &Assistant) -> Result<T, StoreError> + Send + 'static,
) -> T {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("webox.db"), Options::terminal()).unwrap();
    let done = store.write(move |tx| {
        let author = Author::new("tester", "test");
        let spec: AssistantSpec = serde_json::from_str(
            r#"{"name":"a","client":"a","phone":"+33100000001","context":""}"#,
        )
        .unwrap();
        let stamp = Stamp { at: epoch(), author: &author, apply: None };
        let assistant = assistants::insert(tx, &spec, None, &stamp)?;
        work(tx, &assistant)
    });
    done.unwrap()
}

fn used(tx: &Tx, whose: &Assistant, of: (Option<CallId>, Option<u32>), kind: Kind, at: Timestamp) {
    let (call, turn) = of;
    let of = Of { call, assistant: whose.id, turn, kind, at };
    let uses = match kind {
        Kind::Line => vec![Use::of_twilio("inbound-FR", Unit::Minute, 2)],
        _ => [(Unit::Input, 100), (Unit::Output, 10)]
            .map(|(unit, count)| Use::new("openai", "gpt-4o-mini", unit, count))
            .into(),
    };
    let book = rates::shipped();
    let reckoned: Vec<_> = uses.into_iter().map(|one| book.reckon(one, at)).collect();
    ledger::add(tx, &of, &reckoned).unwrap();
}

/// A call that begins in a minute, with as many turns, a minute each; it ends with the last one.
fn call(tx: &Tx, whose: &Assistant, begins: i64, turns: u32, ends: bool) -> CallId {
    let known: i64 = tx.query_row("SELECT count(*) FROM calls", [], |row| row.get(0)).unwrap();
    let new = NewCall {
        direction: Direction::Inbound,
        account: None,
        sid: format!("CA{known:032x}").parse().unwrap(),
        assistant: whose.id,
        assistant_revision: 1,
        caller: None,
        to_number: whose.spec.phone.to_string(),
        line: VoiceLine::Stream,
        language: LanguageTag::french(),
        started_at: minute(begins),
    };
    let id = calls::insert_live(tx, &new).unwrap();
    let reply = Reply::fixed("Bien sûr.".to_owned(), LanguageTag::french());
    for number in 0..turns {
        let at = minute(begins + i64::from(number));
        let turn = TurnId { call: id, number };
        let finished = Finished {
            reply: &reply,
            timings: TurnTimings::default(),
            twiml: "<Response/>",
            heard: true,
        };
        turns::begin(tx, turn, Some(&Heard::words("Une table.")), &LanguageTag::french(), at)
            .unwrap();
        turns::finish(tx, turn, &finished).unwrap();
        used(tx, whose, (Some(id), Some(number)), Kind::Model, at);
    }
    if ends {
        let ended_at = minute(begins + i64::from(turns));
        used(tx, whose, (Some(id), None), Kind::Line, ended_at);
        let end =
            CallEnd { status: CallStatus::Completed, ended_at, duration_s: None, reason: None };
        calls::end(tx, id, &end).unwrap();
    }
    id
}

fn rows(
    dataset: Dataset,
    assistant: Option<&Assistant>,
    since: Option<i64>,
    until: Option<i64>,
) -> Rows {
    Rows {
        dataset,
        sight: Sight::All,
        assistant: assistant.map(|one| one.id),
        since: since.map(minute),
        until: until.map(minute),
    }
}

/// All pages of rows: what is in each, and its steps.
fn pages(tx: &Tx, rows: &Rows, most: u32) -> Vec<(Vec<String>, i64)> {
    let (mut pages, mut after): (Vec<_>, Option<Place>) = (Vec::new(), None);
    loop {
        let mut page = Vec::new();
        STEPS.set(0);
        let mut take = |cells: &[Cell<'_>]| {
            page.push(format!("{cells:?}"));
            Ok(())
        };
        after = rows.page(tx, (after.as_ref(), None), most, &mut take).unwrap();
        pages.push((page, STEPS.get()));
        if after.is_none() {
            return pages;
        }
    }
}

#[test]
fn a_page_far_into_the_data_costs_what_an_early_one_does() {
    with(|tx, whose| {
        for n in 0..400 {
            call(tx, whose, n, 2, true);
            let at = minute(n).as_millisecond();
            tx.execute(
                "INSERT INTO contacts (number, language, first_call_at, last_call_at, calls)
                 VALUES (?1, 'fr-FR', ?2, ?2, 1)",
                params![format!("+3361{n:07}"), at],
            )?;
            tx.execute(
                "INSERT INTO bookings (reference, assistant_id, name, party, local_time, timezone, starts_at,
                 ends_at, created_at) VALUES (?1, ?2, 'Zoé', 2, '', 'Europe/Paris', ?3, ?3, ?3)",
                params![n.to_string(), whose.id.0, at],
            )?;
        }
        for dataset in Dataset::ALL {
            let of_one = Some(whose).filter(|_| dataset.is_of_assistants());
            for (assistant, since) in
                [(None, None), (of_one, None), (None, Some(0)), (of_one, Some(0))]
            {
                let pages = pages(tx, &rows(dataset, assistant, since, None), 40);
                let [_, (_, early), .., (page, late), _] = &pages[..] else { panic!("{dataset}") };
                assert!(page.len() == 40 && pages.len() > 9, "{dataset}: {}", pages.len());
                let ratio = *late as f64 / *early as f64;
                assert!(*early > 40 && ratio < 1.2, "{dataset}: {early} steps, then {late}");
            }
        }
        Ok(())
    });
}

/// The steps that the entries of forty calls take, with other calls before and after them.
fn effort_of_a_window(before: i64, after: i64, is_open: bool) -> i64 {
    with(move |tx, whose| {
        let first = 10 * before;
        let last = first + 400;
        for n in 0..before + 40 + after {
            call(tx, whose, 10 * n, 8, true);
        }
        used(tx, whose, (None, None), Kind::Model, minute(first + 1));
        let until = Some(last).filter(|_| !is_open);
        let pages = pages(tx, &rows(Dataset::Ledger, None, Some(first), until), 100);
        let count: usize = pages.iter().map(|(page, _)| page.len()).sum();
        let expected = rows(Dataset::Ledger, None, Some(first), until).count(tx)?;
        assert_eq!(count as u64, expected);
        assert!(count > 40 * 8, "{count}");
        Ok(pages.iter().map(|(_, steps)| steps).sum())
    })
}

#[test]
fn the_entries_of_a_window_cost_what_lies_in_it() {
    let (few, many) = (effort_of_a_window(5, 0, true), effort_of_a_window(400, 0, true));
    assert!(few > 0 && many < few + few / 10, "{few} steps, then {many}");
    // Calls after it are passed over in an index, and none of their entries is read.
    let (few, many) = (effort_of_a_window(5, 5, false), effort_of_a_window(5, 405, false));
    assert!(many - few < 400 * 12, "{few} steps, then {many}");
}

#[test]
fn the_entries_of_a_window_are_those_that_all_of_them_would_give() {
    with(|tx, whose| {
        for n in 0..30 {
            // Some go on for hours, some have not ended, and not all come in the order of their times.
            let begins = (n * 37) % 200;
            let id = call(tx, whose, begins, 1 + (n % 5) as u32 * 9, n % 7 != 0);
            match n % 3 {
                // A recording that is written down a day later, and what is corrected.
                0 => used(tx, whose, (Some(id), None), Kind::Transcription, minute(begins + 1_440)),
                1 => used(tx, whose, (None, None), Kind::Mouth, minute(begins)),
                _ => {}
            }
        }
        let at =
            super::fields(Dataset::Ledger).iter().position(|field| field.name == "at").unwrap();
        let mut everything = Vec::new();
        let mut take = |cells: &[Cell<'_>]| {
            let Cell::Whole(ms) = cells[at] else { panic!("{cells:?}") };
            everything.push((ms, format!("{cells:?}")));
            Ok(())
        };
        let all = rows(Dataset::Ledger, None, None, None);
        all.page(tx, (None, None), u32::MAX, &mut take)?;
        assert!(everything.len() > 400, "{}", everything.len());
        let ms = |at: Option<i64>, end: i64| at.map_or(end, |at| minute(at).as_millisecond());
        for (since, until) in [
            (Some(0), None),
            (Some(50), None),
            (Some(50), Some(51)),
            (Some(120), Some(180)),
            (None, Some(100)),
            (Some(1_000), None),
            (Some(1_500), Some(1_600)),
            (Some(9_000), None),
            (None, Some(-1)),
        ] {
            let wanted: Vec<&String> = everything
                .iter()
                .filter(|(at, _)| *at >= ms(since, i64::MIN) && *at < ms(until, i64::MAX))
                .map(|(_, row)| row)
                .collect();
            for assistant in [None, Some(whose)] {
                let rows = rows(Dataset::Ledger, assistant, since, until);
                assert_eq!(rows.count(tx)?, wanted.len() as u64, "{since:?} {until:?}");
                for most in [1, 3, 7, 10_000] {
                    let found = pages(tx, &rows, most);
                    assert!(found.iter().all(|(page, _)| page.len() <= most as usize));
                    let found: Vec<&String> = found.iter().flat_map(|(page, _)| page).collect();
                    assert_eq!(found, wanted, "{since:?} {until:?}, {most} at a time");
                }
            }
        }
        assert_eq!(ledger::differences(tx)?, Vec::<String>::new());
        Ok(())
    });
}

#[test]
fn a_turn_pays_nothing_for_it() {
    let effort = |without: &'static str| {
        with(move |tx, whose| {
            let id = call(tx, whose, 0, 1, false);
            tx.execute_batch(without)?;
            let mut statement = tx.prepare(
                "INSERT INTO ledger_entries (call_id, turn, kind, number, rate_id, assistant_id, at,
                 quantity, amount, eur, usd) VALUES (?1, 7, 'model', 0, 1, ?2, 0, 1, 1, 1, 1)",
            )?;
            statement.execute(params![id.0, whose.id.0])?;
            Ok(statement.get_status(StatementStatus::VmStep))
        })
    };
    let with = effort("");
    let without = effort("DROP INDEX ledger_of_no_call; DROP INDEX calls_entered");
    // It is looked whether the entry is of a call, and nothing is written.
    assert!(without > 0 && with <= without + 8, "{without} steps, then {with}");
}
