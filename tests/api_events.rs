//! Events of calls over HTTP: who hears what, how a stream goes on, how many there may be.

use std::time::Duration;

use serde_json::json;

use crate::support::{
    api::{Who, World, answer},
    daemon::sid,
};

const EVENTS: &str = "/api/voice/events";

/// Reads events until there are as many as wanted.
async fn events(mut stream: reqwest::Response, wanted: usize) -> Vec<(String, serde_json::Value)> {
    let mut text = String::new();
    let mut found = Vec::new();
    while found.len() < wanted {
        let next = tokio::time::timeout(Duration::from_secs(20), stream.chunk()).await;
        let chunk = next.expect("an event").unwrap().expect("the stream goes on");
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            let field = |name: &str| {
                let line = event.lines().find_map(|line| line.strip_prefix(name));
                line.map(|value| value.trim_start_matches(':').trim().to_owned())
            };
            if let (Some(kind), Some(data)) = (field("event"), field("data")) {
                let data: serde_json::Value = serde_json::from_str(&data).unwrap();
                assert_eq!(field("id").unwrap(), data["id"].to_string());
                found.push((kind, data));
            }
            text = rest.to_owned();
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn events_tell_of_ones_own_calls_as_they_happen_and_go_on_where_they_were_left() {
    let world = World::new();
    let watch = |who: Who| world.request(who, "GET", "/api/voice/events").send();
    let (owner, other) = (watch(Who::Owner).await.unwrap(), watch(Who::Other).await.unwrap());
    assert_eq!(owner.headers()["content-type"], "text/event-stream");
    world.daemon.ring(&sid(1)).await;
    world.daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    world.daemon.hang_up(&sid(1), 30).await;
    let told = events(owner, 4).await;
    let kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["ring", "turn", "turn", "end"]);
    assert_eq!(told[2].1["heard"], "Avez-vous un parking ?");
    assert!(told[2].1["said"].as_str().unwrap().contains("rue Choron"));
    assert_eq!(
        (&told[3].1["assistant"], &told[3].1["status"]),
        (&json!("le-gourmet"), &json!("completed"))
    );
    // Where it was left: everything after the second.
    let request = world.request(Who::Owner, "GET", "/api/voice/events");
    let rest = request.header("last-event-id", told[1].1["id"].to_string()).send().await.unwrap();
    let rest = events(rest, 2).await;
    // A call's status is that of the moment in which it is told.
    for (again, first) in rest.iter().zip(&told[2..]) {
        for part in ["id", "event", "at", "heard", "said"] {
            assert_eq!(again.1[part], first.1[part], "{part}");
        }
    }
    assert_eq!(
        (&rest[0].1["status"], &rest[1].1["status"]),
        (&json!("completed"), &json!("completed"))
    );
    // The other hears nothing of it, and nothing at all once the key is revoked.
    let tokens = world.webox.run(["tokens", "-o", "json"]).ok().json();
    let token = tokens["tokens"].as_array().unwrap().iter().find(|t| t["name"] == "other").unwrap();
    world.webox.run(["tokens", "revoke", &token["id"].to_string()]).ok();
    let rest = tokio::time::timeout(Duration::from_secs(20), other.text()).await.expect("an end");
    assert!(!rest.unwrap().contains("event: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_from_what_it_is_told_and_says_when_that_is_nothing() {
    let world = World::new();
    let watch = |last: &str| world.request(Who::Owner, "GET", EVENTS).header("last-event-id", last);
    for wrong in ["x", "-1", "1.5", "99999999999999999999"] {
        let refused = answer(watch(wrong)).await.status(400);
        assert!(refused.text.contains("Last-Event-ID"), "{}", refused.text);
    }
    // Of another store, whose events were more: nothing that comes from now on is passed over.
    let ahead = watch("1000000").send().await.unwrap();
    assert_eq!(ahead.headers()["x-accel-buffering"], "no");
    world.daemon.ring(&sid(1)).await;
    let told = events(ahead, 1).await;
    assert_eq!((told[0].0.as_str(), &told[0].1["call_sid"]), ("ring", &json!(sid(1).as_str())));
    // Everything that is kept, for who heard nothing yet.
    let all = events(watch("0").send().await.unwrap(), 1).await;
    assert_eq!(all[0].1, told[0].1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_ten_streams_whatever_the_key_and_another_their_own() {
    let world = World::new();
    let open = |who: Who| world.request(who, "GET", EVENTS).send();
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(open(Who::Owner).await.unwrap());
    }
    assert!(streams.iter().all(|stream| stream.status() == 200));
    let refused = open(Who::Owner).await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(open(Who::Reader).await.unwrap().status(), 429, "another key of the same user");
    assert_eq!(open(Who::Other).await.unwrap().status(), 200);
    // One that ends makes room.
    streams.pop();
    let mut status = 0;
    for _ in 0..100 {
        status = open(Who::Owner).await.unwrap().status().as_u16();
        if status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status, 200);
}
