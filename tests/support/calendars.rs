//! What tests of calendars share: one table, and looking until a daemon has done what it does beside.

use std::time::{Duration, Instant};

use super::cmd::{Ran, Webox};

/// One table for two, at any hour.
pub(crate) const ONE_TABLE: &str = r#"
name = "le-gourmet"
client = "Restaurant Le Gourmet"
phone = "+33123456789"
context = "Une table."
[booking]
capacity = 2
duration = "1h"
party = { min = 1, max = 2 }
"#;

/// Looks until a query of the store answers this many.
#[track_caller]
fn until(webox: &Webox, query: &str, count: i64) {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let store = rusqlite::Connection::open(webox.db()).unwrap();
        let found: i64 = store.query_row(query, [], |row| row.get(0)).unwrap();
        if found >= count {
            return;
        }
        assert!(Instant::now() < deadline, "{query}: {found}, not {count}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until something of a calendar was read.
#[track_caller]
pub(crate) fn read(webox: &Webox, least: i64) {
    until(webox, "SELECT count(*) FROM calendar_busy", least);
}

/// Waits until so many changes were written; answers the name of the last one there.
#[track_caller]
pub(crate) fn written(webox: &Webox, count: i64) -> String {
    until(webox, "SELECT count(*) FROM deliveries WHERE state = 'delivered'", count);
    let store = rusqlite::Connection::open(webox.db()).unwrap();
    let query = "SELECT payload ->> 'uid' FROM deliveries ORDER BY id DESC LIMIT 1";
    store.query_row(query, [], |row| row.get(0)).unwrap()
}

/// Books the table by hand.
pub(crate) fn book(webox: &Webox, at: &str) -> Ran {
    let args = ["bookings", "create", "le-gourmet", "--at", at, "--party", "2", "--name", "Petit"];
    webox.run(args.into_iter().chain(["-o", "json"]))
}

/// The same where there is room; answers the reference.
#[track_caller]
pub(crate) fn booked(webox: &Webox, at: &str) -> String {
    book(webox, at).ok().json()["booking"]["reference"].as_str().unwrap().to_owned()
}
