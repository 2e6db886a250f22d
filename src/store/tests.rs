use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::{
    Options, Store, StoreError, call_list,
    calls::{self, CallEnd, NewCall},
    stats::{self, Window},
};
use crate::domain::{
    Assistant, AssistantSpec, Breakdown, CallFilter, CallId, CallStatus, Direction, Error, Kind,
    LanguageTag, Sight, VoiceLine,
};

fn spec(name: &str, phone: &str) -> AssistantSpec {
    serde_json::from_str(&format!(
        r#"{{"name":"{name}","client":"{name}","phone":"{phone}","context":""}}"#
    ))
    .unwrap()
}

fn now() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("webox.db"), Options::terminal()).unwrap();
    (folder, store)
}

fn assistant(store: &Store, name: &str, phone: &str) -> Assistant {
    let spec = spec(name, phone);
    store.write(move |tx| super::assistants::insert(tx, &spec, None, &stamp())).unwrap()
}

fn stamp() -> super::versions::Stamp<'static> {
    static TESTER: std::sync::LazyLock<crate::domain::Author> =
        std::sync::LazyLock::new(|| crate::domain::Author::new("tester", "test"));
    super::versions::Stamp { at: now(), author: &TESTER, apply: None }
}

fn new_call(assistant: &Assistant, n: u64, started_at: Timestamp) -> NewCall {
    NewCall {
        direction: Direction::Inbound,
        account: None,
        sid: format!("CA{n:032x}").parse().unwrap(),
        assistant: assistant.id,
        assistant_revision: assistant.revision,
        caller: Some("+33612345678".to_owned()),
        to_number: assistant.spec.phone.to_string(),
        line: VoiceLine::Gather,
        language: LanguageTag::french(),
        started_at,
    }
}

fn end(status: CallStatus, ended_at: Timestamp) -> CallEnd {
    CallEnd { status, ended_at, duration_s: None, reason: None }
}

#[test]
fn a_failed_write_takes_nobody_along() {
    let (_folder, store) = store();
    let bad = store.inner.writer.submit(|tx| {
        super::assistants::insert(tx, &spec("bad", "+33100000001"), None, &stamp())?;
        Err::<(), _>(StoreError::from(Error::failure("on purpose")))
    });
    let good = store
        .inner
        .writer
        .submit(|tx| super::assistants::insert(tx, &spec("good", "+33100000002"), None, &stamp()));
    let broken = store.inner.writer.submit(|_| -> Result<(), StoreError> { panic!("a bug") });
    assert!(bad.blocking_recv().unwrap().is_err());
    assert!(good.blocking_recv().unwrap().is_ok());
    assert!(matches!(broken.blocking_recv().unwrap(), Err(StoreError::Broken)));
    let names = store.read(|tx| super::assistants::names(tx, Sight::All)).unwrap();
    assert_eq!(
        names.iter().map(crate::domain::AssistantName::as_str).collect::<Vec<_>>(),
        ["good"]
    );
}

#[test]
fn what_is_acknowledged_is_there_for_another_process() {
    let (folder, store) = store();
    assistant(&store, "le-gourmet", "+33123456789");
    let other = Connection::open(folder.path().join("webox.db")).unwrap();
    let count: i64 = other.query_row("SELECT count(*) FROM assistants", [], |r| r.get(0)).unwrap();
    assert_eq!(count, 1);
}

/// The log as a process leaves it that is killed; a sync of it may have failed.
#[test]
fn what_is_left_in_the_log_is_moved_into_the_file_before_anything_is_acknowledged() {
    let (folder, store) = store();
    let path = folder.path().join("webox.db");
    assistant(&store, "le-gourmet", "+33123456789");
    let left = tempfile::tempdir().unwrap();
    let kept = left.path().join("webox.db");
    for ending in ["", "-wal"] {
        let named = |path: &std::path::Path| format!("{}{ending}", path.display());
        std::fs::copy(named(&path), named(&kept)).unwrap();
    }
    let assistants_of_the_file_alone = || {
        let alone = left.path().join("alone.db");
        std::fs::copy(&kept, &alone).unwrap();
        let alone = Connection::open(alone).unwrap();
        alone.query_row("SELECT count(*) FROM assistants", [], |row| row.get::<_, i64>(0)).ok()
    };
    assert_ne!(assistants_of_the_file_alone(), Some(1), "it is in the log as yet");
    let _opened = Store::open(&kept, Options::daemon()).unwrap();
    assert_eq!(assistants_of_the_file_alone(), Some(1));
}

#[test]
fn the_file_is_private_and_its_pragmas_are_the_durable_ones() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, store) = store();
    assistant(&store, "le-gourmet", "+33123456789");
    for file in ["webox.db", "webox.db-wal", "webox.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let (synchronous, journal): (i64, String) = store
        .write(|tx| {
            Ok((
                tx.query_row("PRAGMA synchronous", [], |r| r.get(0))?,
                tx.query_row("PRAGMA journal_mode", [], |r| r.get(0))?,
            ))
        })
        .unwrap();
    assert_eq!((synchronous, journal.as_str()), (2, "wal"));
}

#[test]
fn a_locked_store_is_waited_for_and_then_said_to_be_busy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("webox.db");
    let options = Options {
        lock_timeout: std::time::Duration::from_millis(50),
        checkpoints: false,
        ..Options::terminal()
    };
    let store = Store::open(&path, options).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store
        .write(|tx| super::assistants::insert(tx, &spec("a", "+33100000001"), None, &stamp()))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Busy);
    other.execute_batch("COMMIT").unwrap();
    store
        .write(|tx| super::assistants::insert(tx, &spec("a", "+33100000001"), None, &stamp()))
        .unwrap();
}

#[test]
fn rubbish_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("webox.db");
    std::fs::write(
        &path,
        "this is a letter, not a database, and it is long enough to be read as one",
    )
    .unwrap();
    let error = Store::open(&path, Options::terminal()).err().unwrap();
    assert!(error.message().contains("is not a database"), "{error}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("this is a letter"));
}

#[test]
fn a_name_and_a_number_have_one_assistant_each() {
    let (_folder, store) = store();
    assistant(&store, "le-gourmet", "+33123456789");
    for (name, phone, part) in [
        ("le-gourmet", "+33100000000", "already"),
        ("autre", "+33123456789", "belongs to the assistant `le-gourmet`"),
    ] {
        let spec = spec(name, phone);
        let error = store
            .write(move |tx| super::assistants::insert(tx, &spec, None, &stamp()))
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Conflict);
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn calls_are_listed_by_every_filter_newest_first() {
    let (_folder, store) = store();
    let a = assistant(&store, "a", "+33100000001");
    let b = assistant(&store, "b", "+33100000002");
    for n in 0..10u64 {
        let of = if n % 2 == 0 { a.clone() } else { b.clone() };
        let at = now() + SignedDuration::from_mins(n as i64);
        store
            .write(move |tx| {
                let id = calls::insert_live(tx, &new_call(&of, n, at))?;
                if n < 8 {
                    let status = if n == 3 { CallStatus::Failed } else { CallStatus::Completed };
                    calls::end(tx, id, &end(status, at + SignedDuration::from_secs(30)))?;
                }
                Ok(())
            })
            .unwrap();
    }
    let ids = |filter: CallFilter| {
        store
            .read(|tx| call_list::list(tx, Sight::All, &filter))
            .unwrap()
            .iter()
            .map(|c| c.id.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(CallFilter { limit: Some(3), ..Default::default() }), [10, 9, 8]);
    assert_eq!(
        ids(CallFilter { assistant: Some(a.id), limit: Some(2), offset: 1, ..Default::default() }),
        [7, 5]
    );
    assert_eq!(ids(CallFilter { status: Some(CallStatus::Failed), ..Default::default() }), [4]);
    assert_eq!(
        ids(CallFilter { status: Some(CallStatus::InProgress), ..Default::default() }),
        [10, 9]
    );
    let since = now() + SignedDuration::from_mins(2);
    let until = now() + SignedDuration::from_mins(4);
    assert_eq!(
        ids(CallFilter { since: Some(since), until: Some(until), ..Default::default() }),
        [4, 3]
    );
    assert_eq!(
        ids(CallFilter { caller: Some("+33700000000".into()), ..Default::default() }),
        [0i64; 0]
    );
    let fourth = (now() + SignedDuration::from_mins(6), CallId(7));
    let older = CallFilter { older_than: Some(fourth), limit: Some(2), ..Default::default() };
    assert_eq!(ids(older), [6, 5]);
    let filter = CallFilter { limit: Some(1), ..Default::default() };
    assert_eq!(store.read(|tx| call_list::count(tx, Sight::All, &filter)).unwrap(), 10);
    let newer = store
        .read(|tx| call_list::after(tx, Sight::All, CallId(8), &CallFilter::default()))
        .unwrap();
    assert_eq!(newer.iter().map(|c| c.id.0).collect::<Vec<_>>(), [9, 10]);
}

fn totals(store: &Store, window: Window) -> Breakdown {
    let mut sum = Breakdown::default();
    for group in store.read(|tx| stats::by_assistant_and_status(tx, &window)).unwrap() {
        sum.add(&group.sums);
    }
    sum
}

#[test]
fn roll_ups_and_raw_rows_agree_over_any_window() {
    let (_folder, store) = store();
    let a = assistant(&store, "a", "+33100000001");
    for n in 0..200u64 {
        let a = a.clone();
        let at = now() + SignedDuration::from_mins(n as i64 * 61);
        store
            .write(move |tx| {
                let id = calls::insert_live(tx, &new_call(&a, n, at))?;
                if n % 7 != 0 {
                    let last = at + SignedDuration::from_secs(n as i64);
                    calls::end(tx, id, &end(CallStatus::Failed, last))?;
                    // A late status callback corrects the row and the roll-up.
                    calls::end(
                        tx,
                        id,
                        &CallEnd { duration_s: Some(n as u32), ..end(CallStatus::Completed, last) },
                    )?;
                }
                Ok(())
            })
            .unwrap();
    }
    let raw = |since: Timestamp, until: Timestamp| -> (u64, u64) {
        store
            .read(|tx| {
                Ok(tx.query_row(
                    "SELECT count(*), coalesce(sum(duration_s), 0) FROM calls WHERE started_at >= ?1 AND started_at < ?2",
                    [since.as_millisecond(), until.as_millisecond()],
                    |r| Ok((r.get::<_, i64>(0)? as u64, r.get::<_, i64>(1)? as u64)),
                )?)
            })
            .unwrap()
    };
    for (from_h, to_h) in
        [(0, 300), (0, 1), (5, 14), (13, 38), (14, 62), (20, 21), (-5, 0), (100, 101)]
    {
        let (since, until) =
            (now() + SignedDuration::from_hours(from_h), now() + SignedDuration::from_hours(to_h));
        let sums = totals(
            &store,
            Window { since: Some(since), until: Some(until), assistant: None, sight: Sight::All },
        );
        assert_eq!((sums.calls, sums.duration_s), raw(since, until), "{from_h}..{to_h}");
    }
    let all = totals(
        &store,
        Window { since: None, until: None, assistant: Some(a.id), sight: Sight::All },
    );
    assert_eq!(all.calls, 200);
}

#[test]
fn live_figures_follow_calls() {
    let (_folder, store) = store();
    let a = assistant(&store, "a", "+33100000001");
    let a_id = a.id;
    let live = |store: &Store| store.read(move |tx| super::figures::live_calls(tx, a_id)).unwrap();
    let call = new_call(&a, 1, now());
    let id = store.write(move |tx| calls::insert_live(tx, &call)).unwrap();
    assert_eq!(live(&store), 1);
    store.write(move |tx| calls::end(tx, id, &end(CallStatus::Completed, now()))).unwrap();
    store.write(move |tx| calls::end(tx, id, &end(CallStatus::Completed, now()))).unwrap();
    assert_eq!(live(&store), 0);
}

#[test]
fn the_few_calls_that_were_made_are_found_without_those_that_came_in() {
    let (_folder, store) = store();
    let plan = |direction: Option<Direction>| {
        let filter = CallFilter { direction, ..CallFilter::default() };
        let (sql, values) = call_list::listing(Sight::All, &filter);
        store
            .read(move |tx| {
                let mut statement = tx.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let steps = statement
                    .query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3))?;
                Ok(steps.collect::<rusqlite::Result<Vec<_>>>()?.join("; "))
            })
            .unwrap()
    };
    // Only calls of the same moment are sorted.
    let is_sorted = |plan: &str| {
        plan.replace("USE TEMP B-TREE FOR LAST TERM OF ORDER BY", "").contains("TEMP B-TREE")
    };
    let made = plan(Some(Direction::Outbound));
    assert!(made.contains("SEARCH c USING INDEX calls_outbound") && !is_sorted(&made), "{made}");
    for many in [None, Some(Direction::Inbound)].map(plan) {
        assert!(many.contains("USING INDEX calls_by_start") && !is_sorted(&many), "{many}");
    }
}

#[test]
fn accounts_of_clients_are_known_from_every_version_and_no_version_is_read_for_them() {
    let (_folder, store) = store();
    let (account, next) = (format!("AC{:032x}", 0xa), format!("AC{:032x}", 0xb));
    let a = assistant(&store, "a", "+33100000001");
    assistant(&store, "b", "+33100000002");
    for account in [Some(&account), Some(&next), None] {
        let mut spec = spec("a", "+33100000001");
        spec.twilio.account_sid = account.map(|account| account.parse().unwrap());
        store
            .write(move |tx| super::assistants::update(tx, a.id, &spec, &stamp()).map(drop))
            .unwrap();
    }
    let mut known: Vec<String> = store
        .read(super::versions::accounts)
        .unwrap()
        .iter()
        .map(|account| account.as_str().to_owned())
        .collect();
    known.sort();
    assert_eq!(known, [account, next], "a call keeps the version that it began with");
    let plan: String = store
        .read(|tx| {
            let sql = format!("EXPLAIN QUERY PLAN {}", super::versions::ACCOUNTS);
            Ok(tx.query_row(&sql, [], |row| row.get(3))?)
        })
        .unwrap();
    assert!(plan.contains("USING COVERING INDEX assistant_versions_by_account"), "{plan}");
}
