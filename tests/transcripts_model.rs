//! Searching what was said, held against reading every text.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use webox::{
    domain::{
        Actor, AssistantId, CallStatus, Direction, EndReason, Heard, LanguageTag, Reply, Sight,
        TranscriptQuery, TurnId, TurnTimings, UserId, VoiceLine, text_roots,
    },
    operations::assistants,
    store::{
        Store, StoreError, Tx,
        calls::{self, CallEnd, NewCall},
        turn_search,
        turns::{self, Finished},
    },
};

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    seed,
};

/// A call of one turn.
struct Kept {
    id: i64,
    began: i64,
    assistant: usize,
    texts: [&'static str; 2],
}

const TEXTS: [&str; 8] = [
    "une table en terrasse",
    "la terrasse est fermée",
    "une table demain",
    "demain, c'est fermé",
    "un chien et une table",
    "oui",
    "non merci",
    "au revoir",
];

/// 5,000 calls, numbers 63,001 and on, of twelve assistants, a third of them imported later than they began.
fn many(webox: &Webox, store: &Store) -> Vec<Kept> {
    let spec = std::fs::read_to_string(LE_GOURMET).unwrap();
    for n in 0..12 {
        let spec = spec
            .replace("le-gourmet", &format!("client-{n}"))
            .replace("+33123456789", &format!("+3312345{n:04}"));
        webox.run(["apply", "--yes", &webox.file(&format!("client-{n}.toml"), &spec)]).ok();
    }
    // In numbers of which one is marked in the index.
    rusqlite::Connection::open(webox.db())
        .unwrap()
        .execute_batch(
            "INSERT INTO calls (id, sid, assistant_id, to_number, status, line, language, started_at)
             SELECT 63000, 'CA', id, '', 'completed', 'gather', 'fr-FR', 0 FROM assistants LIMIT 1",
        )
        .unwrap();
    let now = Timestamp::now();
    let mut dice = 7_u64;
    let mut roll = move |below: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % below
    };
    let actor = Actor::webox("test");
    let ids: Vec<_> = (0..12)
        .map(|n| assistants::find(store, &actor, &format!("client-{n}")))
        .map(|found| found.unwrap().id)
        .collect();
    let plan: Vec<(Timestamp, usize, [&'static str; 2])> = (0..5_000_i64)
        .map(|n| {
            let late = if roll(3) == 0 { roll(9_000) as i64 } else { 0 };
            let at = now - SignedDuration::from_mins(5_000 - n + late);
            // Most assistants have calls among the oldest alone, the last one a single call.
            let assistant = match n {
                0 => 11,
                1..600 => roll(11) as usize,
                _ => [0, 10][usize::from(roll(60) == 0)],
            };
            (at, assistant, [TEXTS[roll(8) as usize], TEXTS[roll(8) as usize]])
        })
        .collect();
    let written = plan.clone();
    let numbers = store
        .write(move |tx| {
            written
                .iter()
                .enumerate()
                .map(|(n, (at, assistant, texts))| {
                    spoken(tx, n as u32, ids[*assistant], *at, *texts)
                })
                .collect::<Result<Vec<_>, _>>()
        })
        .unwrap();
    numbers
        .into_iter()
        .zip(plan)
        .map(|(id, (at, assistant, texts))| Kept {
            id,
            began: at.as_millisecond(),
            assistant,
            texts,
        })
        .collect()
}

#[test]
fn whatever_is_asked_for_is_what_reading_every_text_finds() {
    let webox = Webox::new();
    let store = seed::store(&webox);
    let kept = many(&webox, &store);
    let user = |email: &str, of: &[usize]| {
        webox.run(["users", "add", email, "--role", "member"]).ok();
        for n in of {
            webox.run(["assistants", "give", &format!("client-{n}"), "--to", email]).ok();
        }
        let user =
            webox.run(["users", "show", email, "-o", "json"]).ok().json()["user"]["id"].as_i64();
        Sight::Of(UserId(user.unwrap()))
    };
    let few = user("few@agence.fr", &[10, 11]);
    let most = user("most@agence.fr", &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let none = user("none@agence.fr", &[]);
    let at = |n: usize| Some(Timestamp::from_millisecond(kept[n].began).unwrap());
    for words in
        ["table", "terrasse table", "chien", "terrasse demain", "oui table", "merci", "zyxw"]
    {
        for (sight, own) in [
            (Sight::All, (0..12).collect::<Vec<usize>>()),
            (few, vec![10, 11]),
            (most, (1..10).collect()),
            (none, Vec::new()),
        ] {
            for (since, until) in [
                (None, None),
                (at(2_500), None),
                (None, at(900)),
                (at(1_000), at(4_200)),
                (at(4_999), at(3)),
            ] {
                let mut query = TranscriptQuery::of(words, 300).unwrap();
                (query.since, query.until) = (since, until);
                let inside = |began: i64| {
                    since.is_none_or(|since| began >= since.as_millisecond())
                        && until.is_none_or(|until| began < until.as_millisecond())
                };
                let has = |text: &str| {
                    let roots = text_roots(text);
                    query.roots.iter().all(|root| roots.contains(root))
                };
                let mut expected: Vec<(i64, usize)> = kept
                    .iter()
                    .filter(|call| own.contains(&call.assistant) && inside(call.began))
                    .flat_map(|call| {
                        (0..2).filter(|side| has(call.texts[*side])).map(|side| (call.id, side))
                    })
                    .collect();
                expected.sort_unstable_by(|a, b| b.cmp(a));
                // With all the time there is; and with none, when a page has one row of the index at most.
                let patient = pages(&store, sight, &query, Duration::from_hours(1));
                assert_eq!(patient.0, expected, "{words} {sight:?} {since:?} {until:?}");
                let full = expected.len().div_ceil(300).max(1);
                assert_eq!(patient.1, full, "only the last page is short");
                if ["chien", "terrasse demain", "zyxw"].contains(&words) {
                    let hurried = pages(&store, sight, &query, Duration::ZERO);
                    assert_eq!(hurried.0, expected, "{words} {sight:?} {since:?} {until:?}");
                }
            }
        }
    }
}

/// All hits of a search by call and side, and how many pages they came in.
fn pages(
    store: &Store,
    sight: Sight,
    query: &TranscriptQuery,
    patience: Duration,
) -> (Vec<(i64, usize)>, usize) {
    let mut query = query.clone();
    let mut all = Vec::new();
    for count in 1.. {
        let page = store.read(|tx| turn_search::search(tx, sight, &query, patience)).unwrap();
        all.extend(page.hits.iter().map(|hit| (hit.place >> 17, (hit.place & 1) as usize)));
        query.before = page.next;
        if page.next.is_none() {
            return (all, count);
        }
    }
    unreachable!("pages end")
}

/// Writes a call of one turn; gives its number.
fn spoken(
    tx: &Tx,
    n: u32,
    assistant: AssistantId,
    at: Timestamp,
    [heard, said]: [&str; 2],
) -> Result<i64, StoreError> {
    let new = NewCall {
        direction: Direction::Inbound,
        account: None,
        sid: seed::sid(n).parse().unwrap(),
        assistant,
        assistant_revision: 1,
        caller: None,
        to_number: "+33123456789".to_owned(),
        line: VoiceLine::Gather,
        language: LanguageTag::french(),
        started_at: at,
    };
    let end = CallEnd {
        status: CallStatus::Completed,
        ended_at: at,
        duration_s: Some(9),
        reason: Some(EndReason::AssistantHungUp),
    };
    let call = calls::insert_ended(tx, &new, &end)?;
    let id = TurnId { call, number: 1 };
    let heard = Heard::Speech { text: heard.to_owned(), confidence: None, language: None };
    turns::begin(tx, id, Some(&heard), &LanguageTag::french(), at)?;
    let reply = Reply::fixed(said.to_owned(), LanguageTag::french());
    let timings = TurnTimings::default();
    turns::finish(tx, id, &Finished { reply: &reply, timings, twiml: "<Response/>", heard: true })?;
    Ok(call.0)
}
