//! What comes back from servers that may be called, well-behaved and otherwise.

use std::{sync::LazyLock, time::Duration};

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};

use super::super::{Outgoing, Refused};
use super::server::{Act, Server, answer, gzip, head, redirect};
use super::{Script, get, request, rules};

const LOOPBACK: &str = "127.0.0.1/32";

fn outgoing() -> Outgoing {
    Outgoing::new(rules(&[LOOPBACK])).unwrap()
}

/// A sender that gives up after 300 ms.
fn hasty() -> Outgoing {
    let mut rules = rules(&[LOOPBACK]);
    rules.timeout = Duration::from_millis(300);
    Outgoing::new(rules).unwrap()
}

#[tokio::test]
async fn an_ordinary_exchange_works() {
    let server =
        Server::start("127.0.0.1", |_| Act::Send(answer("201 Created", &["x-id: 7"], b"made")))
            .await;
    let url = server.url("/hook?a=b");
    let mut post = request(Method::POST, &url);
    post.headers.insert("x-key", HeaderValue::from_static("k"));
    post.body = Some(b"payload".to_vec());
    let response = outgoing().send(post).await.unwrap();
    assert_eq!((response.status, &response.body[..]), (201, &b"made"[..]));
    assert_eq!(response.headers["x-id"], "7");
    let seen = &server.requests()[0];
    assert!(seen.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("x-key: k\r\n") && seen.ends_with("\r\n\r\npayload"), "{seen}");
}

#[tokio::test]
async fn an_allowed_address_is_reached_by_name() {
    let server = Server::start("127.0.0.1", |_| Act::Send(answer("200 OK", &[], b"crm"))).await;
    // The inner neighbour is dropped, the allowed address is called.
    let script = Script::new(&[&["10.0.0.1", "127.0.0.1"]]);
    let outgoing = Outgoing::with_lookup(rules(&[LOOPBACK]), script).unwrap();
    let url = format!("http://crm.example.com:{}/", server.address.port());
    assert_eq!(get(&outgoing, &url).await.unwrap().body, b"crm");
}

#[tokio::test]
async fn an_error_status_is_an_answer() {
    let server =
        Server::start("127.0.0.1", |_| Act::Send(answer("503 Service Unavailable", &[], b"later")))
            .await;
    let response = get(&outgoing(), &server.url("/")).await.unwrap();
    assert_eq!((response.status, &response.body[..]), (503, &b"later"[..]));
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed() {
    let server = Server::start("127.0.0.1", |path| match path {
        "/see" => redirect("303 See Other", "/end"),
        "/repeat" => redirect("308 Permanent Redirect", "/end"),
        "/plain" => Act::Send(answer("302 Found", &[], b"no location")),
        _ => Act::Send(answer("200 OK", &[], b"end")),
    })
    .await;
    let outgoing = outgoing();
    for (path, second) in [("/see", "GET /end"), ("/repeat", "POST /end")] {
        let url = server.url(path);
        let mut post = request(Method::POST, &url);
        post.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        post.body = Some(b"payload".to_vec());
        assert_eq!(outgoing.send(post).await.unwrap().body, b"end");
        let last = server.requests().pop().unwrap();
        assert!(last.starts_with(second), "{last}");
        let repeated = second.starts_with("POST");
        assert_eq!(last.ends_with("payload"), repeated, "{last}");
        assert_eq!(last.contains("content-type"), repeated, "{last}");
    }
    let plain = get(&outgoing, &server.url("/plain")).await.unwrap();
    assert_eq!(plain.status, 302);
}

#[tokio::test]
async fn three_redirects_are_followed_and_a_fourth_is_not() {
    let server = Server::start("127.0.0.1", |path| match path[1..].parse::<u8>().unwrap() {
        0 => Act::Send(answer("200 OK", &[], b"end")),
        left => redirect("302 Found", &format!("/{}", left - 1)),
    })
    .await;
    let outgoing = outgoing();
    assert_eq!(get(&outgoing, &server.url("/3")).await.unwrap().body, b"end");
    let fourth = get(&outgoing, &server.url("/4")).await;
    assert_eq!(fourth.err(), Some(Refused::Redirected));
}

#[tokio::test]
async fn a_compressed_body_is_decoded() {
    let server = Server::start("127.0.0.1", |_| {
        let body = gzip(b"plain text");
        Act::Send(answer("200 OK", &["content-encoding: gzip"], &body))
    })
    .await;
    let response = get(&outgoing(), &server.url("/")).await.unwrap();
    assert_eq!(response.body, b"plain text");
}

#[tokio::test]
async fn the_limit_itself_is_accepted() {
    let server = Server::start("127.0.0.1", |path| {
        let body = vec![b'a'; path[1..].parse().unwrap()];
        let mut bytes = head("200 OK", &[]);
        bytes.extend_from_slice(&body);
        Act::Send(bytes)
    })
    .await;
    let outgoing = outgoing();
    let whole = get(&outgoing, &server.url("/65536")).await.unwrap();
    assert_eq!(whole.body.len(), 65536);
    let most_bytes = 65536;
    let over = get(&outgoing, &server.url("/65537")).await;
    assert_eq!(over.err(), Some(Refused::TooLarge { most_bytes }));
}

#[tokio::test]
async fn large_answers_are_cut_off() {
    // 32 MiB of zeros in about 32 KiB; made before anybody waits for it.
    static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| gzip(&vec![0; 32 * 1024 * 1024]));
    assert!(BOMB.len() < 64 * 1024);
    let server = Server::start("127.0.0.1", |path| match path {
        "/bomb" => Act::Send(answer("200 OK", &["content-encoding: gzip"], &BOMB)),
        // Announced and never sent: refused on the announcement alone.
        "/announced" => Act::Drip(head("200 OK", &["content-length: 99999999999"])),
        _ => Act::Flood(head("200 OK", &[])),
    })
    .await;
    let most_bytes = 65536;
    for path in ["/bomb", "/announced", "/endless"] {
        let sent = get(&outgoing(), &server.url(path)).await;
        assert_eq!(sent.err(), Some(Refused::TooLarge { most_bytes }), "{path}");
    }
}

#[tokio::test]
async fn slow_answers_are_cut_off() {
    let server = Server::start("127.0.0.1", |path| match path {
        "/head" => Act::Drip(b"HTTP/1.1 200 OK\r\nx-slow: ".to_vec()),
        _ => Act::Drip(head("200 OK", &[])),
    })
    .await;
    let timeout = Duration::from_millis(300);
    for path in ["/head", "/body"] {
        let sent = get(&hasty(), &server.url(path)).await;
        assert_eq!(sent.err(), Some(Refused::TooSlow { timeout }), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_limit_covers_all_redirects_together() {
    let server = Server::start("127.0.0.1", |path| {
        // Each step is within the limit, two of them are not.
        std::thread::sleep(Duration::from_millis(200));
        redirect("302 Found", &format!("{path}x"))
    })
    .await;
    let timeout = Duration::from_millis(300);
    let sent = tokio::task::spawn(async move { get(&hasty(), &server.url("/")).await });
    assert_eq!(sent.await.unwrap().err(), Some(Refused::TooSlow { timeout }));
}

#[tokio::test]
async fn failures_name_no_addresses_and_end_without_a_stop() {
    let free = Server::start("127.0.0.1", |_| Act::Send(b"rubbish".to_vec())).await;
    let script = Script::new(&[&["127.0.0.1"]]);
    let outgoing = Outgoing::with_lookup(rules(&[LOOPBACK]), script).unwrap();
    // Port 1 has no listener; the other talks no HTTP, and no TLS either.
    let port = free.address.port();
    for (scheme, port) in [("http", 1), ("http", port), ("https", port)] {
        let url = format!("{scheme}://crm.example.com:{port}/?key=secret");
        let refused = get(&outgoing, &url).await.unwrap_err();
        assert!(matches!(refused, Refused::Failed(_)), "{refused:?}");
        let text = refused.to_string();
        assert!(!text.contains("127.0.0.1") && !text.contains("secret"), "{text}");
        assert!(!text.ends_with('.'), "{text}");
    }
}

#[test]
fn messages_are_one_sentence_without_a_stop() {
    let host = "10.0.0.1".to_owned();
    for refused in [
        Refused::BadUrl,
        Refused::Scheme { scheme: "ftp".to_owned() },
        Refused::UserInfo,
        Refused::Forbidden { what: "the header host".to_owned() },
        Refused::Private { host },
        Refused::Redirected,
        Refused::TooLarge { most_bytes: 1 },
        Refused::TooSlow { timeout: Duration::from_secs(10) },
        Refused::Failed("no connection".to_owned()),
    ] {
        let text = refused.to_string();
        assert!(!text.ends_with('.') && !text.contains(". "), "{text}");
        // What happened, then what to do.
        assert!(text.contains(", "), "{text}");
    }
}
