//! Lists over HTTP: every row once, in pages, and questions that are understood or refused.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{
    api::{Who, World},
    daemon::sid,
};

const CALLS: &str = "/api/voice/calls";

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_calls_hold_every_call_once() {
    let world = World::new();
    for n in 0..25 {
        world.daemon.ring(&sid(100 + n)).await;
    }
    let mut seen = Vec::new();
    let mut path = "/api/voice/calls?limit=7".to_owned();
    loop {
        let page = world.get(Who::Owner, &path).await.ok();
        seen.extend(page["calls"].as_array().unwrap().iter().map(|c| c["call_sid"].to_string()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/voice/calls?limit=7&cursor={next}");
    }
    let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (26, 26));
    let old = world.get(Who::Owner, "/api/voice/calls?limit=5&offset=20").await.ok();
    assert_eq!((old["calls"].as_array().unwrap().len(), &old["total"]), (5, &json!(26)));
    for wrong in ["limit=x", "status=gone", "cursor=x", "since=yesterday", "from=12"] {
        world.get(Who::Owner, &format!("/api/voice/calls?{wrong}")).await.status(400);
    }
}

/// Every page from a first one on, and what each said.
async fn all(world: &World, path: &str, key: &str) -> (Vec<Value>, Vec<Value>) {
    let (mut rows, mut pages) = (Vec::new(), Vec::new());
    let mut next = String::new();
    loop {
        let page = world.get(Who::Admin, &format!("{path}{next}")).await.ok();
        rows.extend(page[key].as_array().unwrap().iter().cloned());
        let cursor = page["next"].as_str().map(|cursor| format!("&cursor={cursor}"));
        pages.push(page);
        let Some(cursor) = cursor else { return (rows, pages) };
        next = cursor;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_tells_how_many_there_are_and_whether_more_come() {
    let world = World::new();
    for n in 0..13 {
        world.daemon.ring(&sid(100 + n)).await;
    }
    // Fourteen with the one that was there: the last page is full, and is the last.
    let (calls, pages) = all(&world, &format!("{CALLS}?limit=7"), "calls").await;
    assert_eq!((calls.len(), pages.len()), (14, 2));
    for page in &pages {
        assert_eq!(page["total"], 14, "{page}");
    }
    // What has come since: oldest first, a page at a time.
    let ids: BTreeSet<i64> = calls.iter().map(|call| call["id"].as_i64().unwrap()).collect();
    let since = ids.iter().nth(3).unwrap();
    let first = world.get(Who::Admin, &format!("{CALLS}?limit=4&after={since}")).await.ok();
    let mut found = Vec::new();
    let mut page = first;
    loop {
        assert_eq!(page["total"], 14);
        let calls = page["calls"].as_array().unwrap();
        assert!(calls.len() <= 4);
        found.extend(calls.iter().map(|call| call["id"].as_i64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        page = world.get(Who::Admin, &format!("{CALLS}?limit=4&cursor={next}")).await.ok();
    }
    assert_eq!(found, ids.iter().copied().skip(4).collect::<Vec<_>>());
    let none = world.get(Who::Admin, &format!("{CALLS}?after=1000000")).await.ok();
    assert_eq!((&none["calls"], &none["next"]), (&json!([]), &json!(null)));
    for two in ["after=1&offset=1", "cursor=after-1&after=1", "cursor=1-1&offset=0"] {
        world.get(Who::Admin, &format!("{CALLS}?{two}")).await.status(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_query_says_is_understood_or_refused() {
    let world = World::new();
    let refused = async |path: &str| {
        world.get(Who::Owner, &format!("/api/voice{path}")).await.status(400).text
    };
    assert!(refused("/calls?assistant=nobody").await.contains("did you mean `assistant_id`?"));
    assert!(refused("/me?x=1").await.contains("there is none"));
    assert!(refused("/stats?groupby=day").await.contains("has no parameter `groupby`"));
    for path in [
        "/calls?limit=0",
        "/calls?limit=1001",
        "/calls?offset=1000001",
        "/calls?after=-1",
        "/applies?limit=0",
        "/applies?cursor=x",
        "/assistants?limit=1",
        "/calls?limit=1&limit=2",
    ] {
        refused(path).await;
    }
    for path in ["/audit?limit=0", "/audit?limit=10001", "/audit?cursor=-1"] {
        world.get(Who::Admin, &format!("/api/voice{path}")).await.status(400);
    }
    // Who asks is judged first.
    world.get(Who::Nobody, "/api/voice/me?x=1").await.status(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_and_the_applies_come_in_pages_and_a_head_is_looked_for_there() {
    let world = World::new();
    let first = world.get(Who::Admin, "/api/voice/audit/check").await.ok();
    assert_eq!(first["holds_head"], json!(null));
    let head = first["head"].as_str().unwrap().to_owned();
    for n in 1..=4 {
        let text = format!(
            "name = \"a{n}\"\nclient = \"A\"\nphone = \"+3314000000{n}\"\ncontext = \"x\"\n"
        );
        let files = json!({ "files": [{ "path": "a.toml", "text": text }] });
        world.ask(Who::Admin, "POST", "/api/voice/apply", Some(files)).await.status(200);
    }
    let (lines, pages) = all(&world, "/api/voice/audit?limit=3", "entries").await;
    let ids: Vec<i64> = lines.iter().map(|line| line["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, (1..=ids.len() as i64).rev().collect::<Vec<_>>());
    assert!(pages.len() > 2);
    let (applies, _) = all(&world, "/api/voice/applies?limit=2", "applies").await;
    let distinct: BTreeSet<_> = applies.iter().map(|apply| apply["id"].to_string()).collect();
    assert_eq!((applies.len(), distinct.len()), (5, 5));
    for (head, holds) in [(head, true), ("0".repeat(64), false)] {
        let path = format!("/api/voice/audit/check?head={head}");
        let check = world.get(Who::Admin, &path).await.ok();
        assert_eq!((&check["holds_head"], &check["broken_at"]), (&json!(holds), &json!(null)));
    }
}
