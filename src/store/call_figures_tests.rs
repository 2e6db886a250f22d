//! Random lives of calls: after each, the figures are those of the calls and turns, over any window.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rusqlite::{StatementStatus, params};

use super::{
    Options, Store, StoreError, Tx,
    afterwards::{self, Looked},
    assistants,
    call_figures::{self, Grain, Reach},
    calls::{self, CallEnd, NewCall},
    costs,
    ledger::{self, Kind, Of},
    privacy::{self, Subject},
    retention::{self, Due},
    stats::{self, Window},
    turns::{self, Finished},
    versions::Stamp,
};
use crate::{
    billing::rates,
    domain::{
        Assistant, AssistantSpec, Author, CallId, CallOutcome, CallStatus, Delivery, Direction,
        EndReason, Heard, LanguageTag, Rating, Reply, SatisfactionSource, Sight, Stage, TurnId,
        TurnTimings, Unit, Use, VoiceLine, wait_step,
    },
};

/// Something that happens to a call: which, what, and numbers to do it with.
type Step = (usize, u8, u32);

fn epoch() -> Timestamp {
    "2026-10-24T20:00:00Z".parse().unwrap()
}

fn step(tx: &Tx, who: &[Assistant], known: &mut Vec<CallId>, step: Step) -> Result<(), StoreError> {
    let (which, what, number) = step;
    let at = epoch() + SignedDuration::from_secs(i64::from(number % 300_000));
    let languages: Vec<LanguageTag> =
        ["fr-FR", "en-GB"].iter().map(|tag| tag.parse().unwrap()).collect();
    let language = &languages[number as usize % 2];
    if known.is_empty() || what < 40 {
        let assistant = &who[number as usize % who.len()];
        let call = NewCall {
            direction: if number % 7 == 0 { Direction::Outbound } else { Direction::Inbound },
            account: None,
            sid: format!("CA{:032x}", known.len()).parse().unwrap(),
            assistant: assistant.id,
            assistant_revision: assistant.revision,
            caller: (number % 5 > 0).then(|| format!("+3361234567{}", which % 4)),
            to_number: assistant.spec.phone.to_string(),
            line: VoiceLine::Stream,
            language: language.clone(),
            started_at: at,
        };
        known.push(calls::insert_live(tx, &call)?);
        return Ok(());
    }
    let id = known[which % known.len()];
    let call = calls::by_id(tx, id)?.unwrap();
    match what {
        40..70 => {
            let all = [CallStatus::Completed, CallStatus::Failed, CallStatus::Rejected];
            let end = CallEnd {
                status: all[number as usize % all.len()],
                ended_at: call.started_at + SignedDuration::from_secs(i64::from(number % 400)),
                duration_s: None,
                reason: (number % 3 == 0).then_some(EndReason::Transferred),
            };
            calls::end(tx, id, &end)?;
        }
        70..80 => calls::was_not_handed_over(tx, id)?,
        80..100 => {
            let outcome = CallOutcome::ALL[number as usize % CallOutcome::ALL.len()];
            afterwards::settle(tx, id, outcome, "Bien.", Some(at))?;
        }
        100..130 => {
            let topic = ["Réservation", "reservation", "Horaires"][number as usize % 3];
            let rating = (number % 2 == 0).then_some(Rating { score: 4, why: None });
            let summary = Some(("Bien.".to_owned(), Some(topic.to_owned())));
            afterwards::summarise(tx, id, &Looked { summary, rating, extracted: None })?;
        }
        130..145 => {
            let score = (number % 6) as u8;
            let rating = Rating { score, why: None };
            afterwards::rate(tx, id, &rating, SatisfactionSource::Asked)?;
        }
        145..155 => calls::set_language(tx, id, language)?,
        155..170 => {
            let of = Of {
                call: Some(id),
                assistant: call.assistant_id,
                turn: None,
                kind: Kind::Line,
                at,
            };
            let used = Use::of_twilio("inbound-FR", Unit::Minute, u64::from(number % 4));
            ledger::set(tx, &of, 0, &[rates::shipped().reckon(used, at)])?;
        }
        170..215 => turn(tx, id, at, number)?,
        215..230 => {
            let timings = TurnTimings {
                words_ms: (number % 2 == 0).then_some(number % 2_000),
                frame_ms: Some(number % 5_000),
                ..TurnTimings::default()
            };
            let last = turns::last_number(tx, id)?.unwrap_or(0);
            let delivery = Delivery { timings, ..Delivery::default() };
            turns::deliver(tx, TurnId { call: id, number: last }, &delivery)?;
        }
        230..240 => {
            let subject = match &call.caller {
                Some(caller) if number % 2 == 0 => Subject::Caller(caller.clone()),
                _ => Subject::Call(id),
            };
            privacy::erase(tx, Sight::All, &subject, &format!("~{number}"), at)?;
        }
        240..248 => {
            retention::forget(tx, Due::Transcripts, &[id], "salt", at)?;
        }
        _ => {
            retention::forget(tx, Due::Callers, &[id], "salt", at)?;
        }
    }
    Ok(())
}

fn turn(tx: &Tx, call: CallId, at: Timestamp, number: u32) -> Result<(), StoreError> {
    let next = turns::last_number(tx, call)?.map_or(0, |last| last + 1);
    let id = TurnId { call, number: next };
    let reply = Reply::fixed("Bien sûr.".to_owned(), LanguageTag::french());
    let timings = TurnTimings { reply_ms: Some(number % 70_000), ..TurnTimings::default() };
    let finished = Finished { reply: &reply, timings, twiml: "<Response/>", heard: true };
    if number.is_multiple_of(9) {
        return turns::insert(tx, id, at, &finished);
    }
    let heard = if number.is_multiple_of(8) { Heard::Silence } else { Heard::words("Une table.") };
    turns::begin(tx, id, Some(&heard), &LanguageTag::french(), at)?;
    // One that nobody answered yet, now and then.
    if !number.is_multiple_of(10) {
        turns::finish(tx, id, &finished)?;
    }
    Ok(())
}

/// What the rows themselves say of a window, added up one by one.
#[derive(Debug, Default, PartialEq)]
struct Plain {
    calls: BTreeMap<(CallStatus, Option<CallOutcome>, String), [u64; 10]>,
    topics: BTreeMap<String, [u64; 3]>,
    waits: BTreeMap<(Stage, u32), u64>,
}

fn plain(tx: &Tx, reach: &Reach) -> Result<Plain, StoreError> {
    let mut plain = Plain::default();
    let mut statement = tx.prepare(
        "SELECT id, assistant_id, started_at, again, cost_eur, cost_usd, topic FROM calls ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let call = calls::by_id(tx, CallId(row.get(0)?))?.unwrap();
        let theirs = reach.assistants.as_ref().is_none_or(|ids| ids.contains(&call.assistant_id));
        let since = reach.since.is_none_or(|since| since <= call.started_at);
        if !theirs || !since || reach.until.is_some_and(|until| until <= call.started_at) {
            continue;
        }
        let number = |value: Option<i64>| value.unwrap_or(0).unsigned_abs();
        let (duration, score) =
            (u64::from(call.duration_s.unwrap_or(0)), call.satisfaction.map(u64::from));
        let is_ended = u64::from(call.ended_at.is_some());
        let (again, eur, usd): (Option<i64>, Option<i64>, Option<i64>) =
            (row.get(3)?, row.get(4)?, row.get(5)?);
        let handed = call.end_reason == Some(EndReason::Transferred)
            || call.after.outcome == Some(CallOutcome::Transferred);
        let values = [
            1,
            duration,
            score.unwrap_or(0),
            u64::from(score.is_some()),
            u64::from(handed),
            u64::from(again.is_some()) * is_ended,
            number(again) * is_ended,
            u64::from(eur.is_some()) * is_ended,
            number(eur) * is_ended,
            number(usd) * is_ended,
        ];
        let key = (call.status, call.after.outcome, call.language.to_string());
        let sums = plain.calls.entry(key).or_default();
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        if let Some(topic) = call.after.topic {
            let sums = plain.topics.entry(topic).or_default();
            let values = [1, duration, score.unwrap_or(0)];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        for turn in turns::of_call(tx, call.id)? {
            let spoke = matches!(turn.heard, Some(Heard::Speech { .. } | Heard::Digits(_)));
            let Some(reply) = turn.timings.reply_ms.filter(|_| spoke) else { continue };
            *plain.waits.entry((Stage::Reply, wait_step(reply).0)).or_default() += 1;
            if let Some(felt) = turn.timings.felt_ms() {
                *plain.waits.entry((Stage::Felt, wait_step(felt).0)).or_default() += 1;
            }
        }
    }
    Ok(plain)
}

fn by_figures(tx: &Tx, reach: &Reach, grain: Grain) -> Result<Plain, StoreError> {
    let mut found = Plain::default();
    call_figures::each(tx, reach, grain, |figure| {
        let sums = figure.sums;
        let cents = |micros: crate::domain::Micros| micros.get().unsigned_abs();
        let values = [
            sums.calls,
            sums.duration_s,
            sums.satisfaction_sum,
            sums.satisfaction_count,
            figure.transferred,
            figure.callers,
            figure.again,
            figure.costed,
            cents(figure.cost.eur),
            cents(figure.cost.usd),
        ];
        let key = (figure.status, figure.outcome, figure.language.to_owned());
        let sums = found.calls.entry(key).or_default();
        sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    })?;
    for (topic, sums) in call_figures::topics(tx, reach)? {
        let known = found.topics.entry(topic).or_default();
        let values = [sums.calls, sums.duration_s, sums.satisfaction_sum];
        known.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }
    found.waits = call_figures::waits(tx, reach)?;
    Ok(found)
}

/// How much SQLite does when a call ends in a store that has others.
fn effort_of_an_end(others: u32) -> i32 {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("webox.db"), Options::terminal()).unwrap();
    let effort = store.write(move |tx| {
        let author = Author::new("tester", "test");
        let spec = r#"{"name":"a","client":"a","phone":"+33100000001","context":""}"#;
        let stamp = Stamp { at: epoch(), author: &author, apply: None };
        let who = [assistants::insert(tx, &serde_json::from_str(spec)?, None, &stamp)?];
        let mut known = Vec::new();
        for n in 0..=others {
            known.clear();
            step(tx, &who, &mut known, (0, 0, 1))?;
            tx.execute("UPDATE calls SET sid = ?1 WHERE id = ?2", params![n, known[0].0])?;
            for number in [7, 11, 13] {
                turn(tx, known[0], epoch(), number)?;
            }
            let mut end = tx.prepare(
                "UPDATE calls SET status = 'completed', ended_at = started_at WHERE id = ?1",
            )?;
            end.execute([known[0].0])?;
            if n == others {
                return Ok(end.get_status(StatementStatus::VmStep));
            }
        }
        Ok(0)
    });
    effort.unwrap()
}

#[test]
fn the_end_of_a_call_reads_its_own_turns_and_no_others() {
    let (few, many) = (effort_of_an_end(5), effort_of_an_end(300));
    assert!(few > 0 && many < few + few / 2, "{few} steps, then {many}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn figures_are_those_of_the_rows_whatever_happens(
        steps in proptest::collection::vec((0_usize..40, any::<u8>(), any::<u32>()), 1..250),
        windows in proptest::collection::vec((-2_i64..90 * 60, 0_i64..90 * 60), 4),
        delete in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("webox.db"), Options::terminal()).unwrap();
        store.write(move |tx| {
            let author = Author::new("tester", "test");
            let stamp = Stamp { at: epoch(), author: &author, apply: None };
            let mut who = Vec::new();
            for (name, phone) in [("a", "+33100000001"), ("b", "+33100000002")] {
                let spec: AssistantSpec = serde_json::from_str(&format!(
                    r#"{{"name":"{name}","client":"{name}","phone":"{phone}","context":""}}"#
                )).unwrap();
                who.push(assistants::insert(tx, &spec, None, &stamp)?);
            }
            let mut known = Vec::new();
            for one in steps {
                step(tx, &who, &mut known, one)?;
            }
            if delete {
                assistants::delete(tx, &who[0], &stamp)?;
            }
            assert_eq!(call_figures::differences(tx)?, Vec::<String>::new());
            assert_eq!(ledger::differences(tx)?, Vec::<String>::new());
            // What was spent is all told, of calls that go on too.
            let raw: (i64, i64) = tx.query_row(
                "SELECT count(*), coalesce(sum(usd), 0) FROM ledger_entries",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let all = costs::Window { since: None, until: None, assistant: None, sight: Sight::All };
            let told = costs::total(tx, &all)?;
            assert_eq!((told.entries as i64, told.cost.usd.get()), raw);
            let mut by_assistant = 0;
            for one in &who {
                let theirs = costs::Window { assistant: Some(one.id), ..all };
                by_assistant += costs::total(tx, &theirs)?.cost.usd.get();
            }
            assert_eq!(by_assistant, raw.1);
            for id in &known {
                let sid = calls::by_id(tx, *id)?.unwrap().sid;
                let told = calls::seen(tx, Sight::All, &sid)?.unwrap().cost;
                let raw: Option<i64> = tx.query_row(
                    "SELECT sum(usd) FROM ledger_entries WHERE call_id = ?1",
                    [id.0],
                    |row| row.get(0),
                )?;
                assert_eq!(told.map(|told| told.cost.usd.get()), raw);
            }
            let at = |minutes: i64| Some(epoch() + SignedDuration::from_mins(minutes));
            let mut spans = vec![(None, None)];
            spans.extend(windows.iter().map(|(from, long)| (at(*from), at(from + long + 1))));
            spans.extend(windows.first().map(|(from, _)| (at(*from), None)));
            for (since, until) in spans {
                for assistants in [None, Some(vec![who[0].id]), Some(vec![who[0].id, who[1].id])] {
                    let reach = Reach { since, until, assistants, sight: Sight::All };
                    let exact = plain(tx, &reach)?;
                    assert_eq!(by_figures(tx, &reach, Grain::Hour)?, exact);
                    assert_eq!(by_figures(tx, &reach, Grain::Quarter)?, exact);
                }
                // The sums of days, which are kept beside, say the same of assistants.
                let window = Window { since, until, assistant: Some(who[1].id), sight: Sight::All };
                let sums: u64 = stats::by_assistant_and_status(tx, &window)?
                    .iter().map(|group| group.sums.calls).sum();
                let reach =
                    Reach { since, until, assistants: Some(vec![who[1].id]), sight: Sight::All };
                assert_eq!(sums, plain(tx, &reach)?.calls.values().map(|sums| sums[0]).sum::<u64>());
            }
            // Made anew, they are what they were.
            call_figures::rebuild(tx)?;
            assert_eq!(call_figures::differences(tx)?, Vec::<String>::new());
            Ok(())
        }).unwrap();
    }
}

#[test]
fn who_calls_again_within_seven_days_is_known_also_when_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("webox.db"), Options::terminal()).unwrap();
    store
        .write(|tx| {
            let author = Author::new("tester", "test");
            let stamp = Stamp { at: epoch(), author: &author, apply: None };
            let spec: AssistantSpec = serde_json::from_str(
                r#"{"name":"a","client":"a","phone":"+33100000001","context":""}"#,
            )
            .unwrap();
            let who = assistants::insert(tx, &spec, None, &stamp)?;
            let ring = |n: u32, days: i64, caller: Option<&str>, direction| {
                let call = NewCall {
                    direction,
                    account: None,
                    sid: format!("CA{n:032x}").parse().unwrap(),
                    assistant: who.id,
                    assistant_revision: 1,
                    caller: caller.map(str::to_owned),
                    to_number: who.spec.phone.to_string(),
                    line: VoiceLine::Gather,
                    language: LanguageTag::french(),
                    started_at: epoch() + SignedDuration::from_hours(24 * days),
                };
                let end = CallEnd {
                    status: CallStatus::Completed,
                    ended_at: call.started_at,
                    duration_s: Some(1),
                    reason: None,
                };
                calls::insert_ended(tx, &call, &end)
            };
            let caller = Some("+33612345678");
            ring(1, 0, caller, Direction::Inbound)?;
            ring(2, 6, caller, Direction::Inbound)?;
            ring(3, 14, caller, Direction::Inbound)?;
            ring(4, 15, None, Direction::Inbound)?;
            ring(5, 15, None, Direction::Inbound)?;
            ring(6, 15, caller, Direction::Outbound)?;
            ring(7, 16, Some("+33687654321"), Direction::Inbound)?;
            let again = |tx: &Tx| -> Result<(u64, u64), StoreError> {
                let reach = Reach { since: None, until: None, assistants: None, sight: Sight::All };
                let mut sums = (0, 0);
                call_figures::each(tx, &reach, Grain::Hour, |figure| {
                    sums.0 += figure.again;
                    sums.1 += figure.callers;
                })?;
                Ok(sums)
            };
            assert_eq!(again(tx)?, (1, 4), "the second call; the third came eight days later");
            let subject = Subject::Caller("+33612345678".to_owned());
            privacy::erase(tx, Sight::All, &subject, "~1", epoch())?;
            assert_eq!(again(tx)?, (1, 4));
            assert_eq!(call_figures::differences(tx)?, Vec::<String>::new());
            Ok(())
        })
        .unwrap();
}
