//! How much of what is sent is held in memory, and from whom.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::json;

use crate::support::api::{Who, World, answer};

const MEGABYTE: usize = 1024 * 1024;

/// Begins to send a body, and sends so much of it.
fn begin(world: &World, who: Who, path: &str, whole: usize, sent: usize) -> TcpStream {
    let mut stream = TcpStream::connect(world.daemon.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\nidempotency-key: k\r\ncontent-length: {whole}\r\n\r\n",
        world.key(who),
    );
    stream.write_all(head.as_bytes()).unwrap();
    // Whoever is refused at once need not take the rest.
    let _ = stream.write_all(&vec![b' '; sent]);
    stream
}

/// The status of the answer.
fn status(mut stream: TcpStream) -> u16 {
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).unwrap();
    std::str::from_utf8(&begin[9..]).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_write_and_what_is_too_large_is_refused_before_it_is_read() {
    let world = World::new();
    // Not a byte of it was sent.
    assert_eq!(status(begin(&world, Who::Reader, "/api/voice/apply", 10 * MEGABYTE, 0)), 403);
    assert_eq!(status(begin(&world, Who::Owner, "/api/voice/assistants", 2 * MEGABYTE, 0)), 413);
    assert_eq!(status(begin(&world, Who::Owner, "/api/voice/apply", 17 * MEGABYTE, 0)), 413);
    // A limit is that of the route, with a key for repetitions and without.
    let large = json!({ "client_name": "x".repeat(MEGABYTE + 1) });
    for key in [None, Some("k")] {
        let request = world.request(Who::Owner, "POST", "/api/voice/assistants").json(&large);
        let request =
            if let Some(key) = key { request.header("idempotency-key", key) } else { request };
        answer(request).await.status(413);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_bodies_together_have_their_room_and_small_ones_always_have_some() {
    let world = World::new();
    let resident = || {
        let text = std::fs::read_to_string(format!("/proc/{}/status", world.daemon.pid())).unwrap();
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
    };
    let before = resident();
    // Slow ones, each nearly whole: 450 MB in all.
    let sent = 15 * MEGABYTE;
    let slow: Vec<_> =
        (0..30).map(|_| begin(&world, Who::Reader, "/api/voice/plan", sent + 1, sent)).collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let more = resident().saturating_sub(before);
    assert!(more < 250, "{more} MB");
    // Who sends little is served all the while.
    let small = json!({ "voice_greeting": "Allô" });
    let path = "/api/voice/assistants/le-gourmet";
    world.ask(Who::Owner, "PUT", path, Some(small)).await.status(200);
    let statuses: Vec<u16> = slow.into_iter().map(status).collect();
    let refused = statuses.iter().filter(|status| **status == 503).count();
    assert!(refused >= 25, "{statuses:?}");
    assert!(statuses.iter().all(|status| [400, 503].contains(status)), "{statuses:?}");
    // The room is given back.
    let files = json!({ "files": [{ "path": "a.toml", "text": format!("#{}", "x".repeat(3 * MEGABYTE)) }] });
    world.ask(Who::Reader, "POST", "/api/voice/validate", Some(files)).await.status(200);
}
