//! Requests that must not reach anybody. Each test sets a trap on the loopback
//! interface and checks afterwards that nobody connected.

use std::str::FromStr;
use std::sync::Arc;

use reqwest::Method;
use reqwest::dns::{Name, Resolve};
use reqwest::header::{HeaderName, HeaderValue};

use super::super::resolver::Guarded;
use super::super::{Outgoing, Refused, Rules, stays};
use super::server::{Act, Server, Trap, answer, redirect};
use super::{Script, get, request, rules};

#[tokio::test]
async fn literals_and_inner_names_never_connect() {
    let trap = Trap::set().await;
    let outgoing = Outgoing::new(rules(&[])).unwrap();
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0.0.0.0",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "%31%32%37.0.0.1",
        "127。0。0。1",
        "①②⑦.0.0.1",
        "localhost",
        "localhost.",
        "LocalHost",
        "%6cocalhost",
        "a.localhost",
        "router",
        "nas.local",
        "x.internal",
        "x.home.arpa",
        "x.lan",
    ] {
        let url = format!("http://{host}:{}/", trap.port);
        let sent = get(&outgoing, &url).await;
        assert!(matches!(sent, Err(Refused::Private { .. })), "{host} {sent:?}");
    }
    trap.assert_untouched().await;
}

#[tokio::test]
async fn the_default_rules_refuse_plain_http_and_the_loopback() {
    let trap = Trap::set().await;
    let outgoing = Outgoing::new(Rules::default()).unwrap();
    let plain = get(&outgoing, &format!("http://example.com:{}/", trap.port)).await;
    assert!(matches!(plain, Err(Refused::Scheme { .. })), "{plain:?}");
    let inner = get(&outgoing, &format!("https://127.0.0.1:{}/", trap.port)).await;
    assert!(matches!(inner, Err(Refused::Private { .. })), "{inner:?}");
    let user = get(&outgoing, &format!("https://a.com@127.0.0.1:{}/", trap.port)).await;
    assert_eq!(user.err(), Some(Refused::UserInfo));
    trap.assert_untouched().await;
}

#[tokio::test]
async fn a_name_that_means_an_inner_address_never_connects() {
    let trap = Trap::set().await;
    for inner in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254"] {
        let script = Script::new(&[&[inner]]);
        let outgoing = Outgoing::with_lookup(rules(&[]), script).unwrap();
        let url = format!("http://crm.example.com:{}/", trap.port);
        let refused = get(&outgoing, &url).await.unwrap_err();
        let host = "crm.example.com".to_owned();
        assert_eq!(refused, Refused::Private { host });
        assert!(!refused.to_string().contains(inner), "{refused}");
    }
    trap.assert_untouched().await;
}

/// What the connector would be given for a name.
async fn resolve(guarded: &Guarded, name: &str) -> Option<Vec<String>> {
    let found = guarded.resolve(Name::from_str(name).unwrap()).await.ok()?;
    Some(found.map(|address| address.ip().to_string()).collect())
}

fn guarded(script: Arc<Script>, allowed: &[&str]) -> Guarded {
    Guarded { rules: Arc::new(rules(allowed)), lookup: script }
}

#[tokio::test]
async fn a_second_lookup_is_judged_like_the_first() {
    let script = Script::new(&[&["93.184.216.34"], &["127.0.0.1"]]);
    let guarded = guarded(script, &[]);
    let first = resolve(&guarded, "rebind.example.com").await;
    assert_eq!(first, Some(vec!["93.184.216.34".to_owned()]));
    assert_eq!(resolve(&guarded, "rebind.example.com").await, None);
}

#[tokio::test]
async fn only_permitted_addresses_are_kept() {
    let mixed = ["127.0.0.1", "1.1.1.1", "10.1.2.3", "::1", "2606:4700::1", "10.9.9.9"];
    let guarded = guarded(Script::new(&[&mixed]), &["10.1.2.0/24"]);
    let kept = resolve(&guarded, "mixed.example.com").await.unwrap();
    assert_eq!(kept, ["1.1.1.1", "10.1.2.3", "2606:4700::1"]);
    assert_eq!(resolve(&guarded, "localhost").await, None);
}

/// The "public" address is 127.0.0.2, allowed as an exception, so that the first
/// answer can be connected to without leaving the machine.
#[tokio::test]
async fn rebinding_between_two_requests_never_connects() {
    let good = Server::start("127.0.0.2", |_| Act::Send(answer("200 OK", &[], b"hi"))).await;
    let port = good.address.port();
    let trap = Trap::set_at(&format!("127.0.0.1:{port}")).await;
    let script = Script::new(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let outgoing = Outgoing::with_lookup(rules(&["127.0.0.2"]), script).unwrap();
    let url = format!("http://rebind.example.com:{port}/");
    assert_eq!(get(&outgoing, &url).await.unwrap().body, b"hi");
    let second = get(&outgoing, &url).await;
    assert!(matches!(second, Err(Refused::Private { .. })), "{second:?}");
    trap.assert_untouched().await;
}

#[tokio::test]
async fn rebinding_during_a_redirect_never_connects() {
    let good = Server::start("127.0.0.2", |_| redirect("302 Found", "/next")).await;
    let port = good.address.port();
    let trap = Trap::set_at(&format!("127.0.0.1:{port}")).await;
    let script = Script::new(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let outgoing = Outgoing::with_lookup(rules(&["127.0.0.2"]), script).unwrap();
    let sent = get(&outgoing, &format!("http://rebind.example.com:{port}/")).await;
    assert!(matches!(sent, Err(Refused::Private { .. })), "{sent:?}");
    trap.assert_untouched().await;
}

#[tokio::test]
async fn one_request_makes_one_lookup() {
    let good = Server::start("127.0.0.2", |_| Act::Send(answer("200 OK", &[], b""))).await;
    let port = good.address.port();
    let script = Script::new(&[&["127.0.0.2"], &["127.0.0.1"], &["127.0.0.1"]]);
    let outgoing = Outgoing::with_lookup(rules(&["127.0.0.2"]), script.clone()).unwrap();
    let sent = get(&outgoing, &format!("http://one.example.com:{port}/")).await;
    assert!(sent.is_ok(), "{sent:?}");
    assert_eq!(script.left(), 2);
}

#[tokio::test]
async fn a_name_without_addresses_is_a_failure() {
    for script in [Script::new(&[]), Script::new(&[&[]])] {
        let outgoing = Outgoing::with_lookup(rules(&[]), script).unwrap();
        let refused = get(&outgoing, "https://nowhere.example.com/").await.unwrap_err();
        let reason = "the host name could not be looked up".to_owned();
        assert_eq!(refused, Refused::Failed(reason));
    }
}

#[tokio::test]
async fn a_redirect_into_the_network_never_connects() {
    let trap = Trap::set().await;
    // The server learns the port of the trap from the path.
    let server = Server::start("127.0.0.2", |path| {
        let (kind, port) = path[1..].split_once('/').unwrap();
        let to = match kind {
            "literal" => format!("http://127.0.0.1:{port}/"),
            "decimal" => format!("http://2130706433:{port}/"),
            "network" => format!("//127.0.0.1:{port}/"),
            "name" => format!("http://localhost:{port}/"),
            "slash" => format!("http://127.0.0.1:{port}\\@127.0.0.2/"),
            "user" => format!("http://127.0.0.2@127.0.0.1:{port}/"),
            "port" => format!("http://127.0.0.2:{port}/"),
            "scheme" => format!("ftp://127.0.0.2:{port}/"),
            _ => "http://[".to_owned(),
        };
        redirect("307 Temporary Redirect", &to)
    })
    .await;
    let outgoing = Outgoing::new(rules(&["127.0.0.2"])).unwrap();
    for kind in
        ["literal", "decimal", "network", "name", "slash", "user", "port", "scheme", "broken"]
    {
        let url = server.url(&format!("/{kind}/{}", trap.port));
        assert_eq!(get(&outgoing, &url).await.err(), Some(Refused::Redirected), "{kind}");
    }
    trap.assert_untouched().await;
}

/// Both hosts are allowed and share the port, and still one may not lead to the other.
#[tokio::test]
async fn a_redirect_to_another_allowed_host_is_refused() {
    let first =
        Server::start("127.0.0.2", |path| redirect("302 Found", &format!("http:/{path}"))).await;
    let port = first.address.port();
    let other =
        Server::start_at(&format!("127.0.0.3:{port}"), |_| Act::Send(answer("200 OK", &[], b"")))
            .await;
    let outgoing = Outgoing::new(rules(&["127.0.0.0/8"])).unwrap();
    let url = first.url(&format!("/127.0.0.3:{port}/"));
    assert_eq!(get(&outgoing, &url).await.err(), Some(Refused::Redirected));
    assert!(other.requests().is_empty());
}

#[test]
fn redirects_stay_on_their_host_and_port() {
    for (from, to, allowed) in [
        ("https://a.com/x", "https://a.com/y", true),
        ("https://a.com/x", "https://a.com:443/y", true),
        ("https://a.com/x", "https://A.com/y", true),
        ("http://a.com/x", "https://a.com/x", true),
        ("http://a.com:8080/", "http://a.com:8080/y", true),
        ("https://a.com/x", "http://a.com/x", false),
        ("https://a.com/x", "https://b.com/x", false),
        ("https://a.com/x", "https://www.a.com/x", false),
        ("https://a.com/x", "https://a.com./x", false),
        ("https://a.com/x", "https://a.com:444/x", false),
        ("http://a.com:8080/", "https://a.com/", false),
        ("http://a.com/", "https://a.com:8443/", false),
        ("https://a.com/x", "https://u:p@a.com/x", false),
        ("https://a.com/x", "https://u@a.com/x", false),
    ] {
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        assert_eq!(stays(&from, &to), allowed, "{from} {to}");
    }
}

#[tokio::test]
async fn parts_of_the_connection_are_refused() {
    let server = Server::start("127.0.0.1", |_| Act::Send(answer("200 OK", &[], b""))).await;
    let outgoing = Outgoing::new(rules(&["127.0.0.1"])).unwrap();
    let url = server.url("/");
    for name in ["host", "Transfer-Encoding", "content-length", "connection", "upgrade"] {
        let mut bad = request(Method::POST, &url);
        let name = HeaderName::from_str(name).unwrap();
        bad.headers.insert(name, HeaderValue::from_static("x"));
        let sent = outgoing.send(bad).await;
        assert!(matches!(sent, Err(Refused::Forbidden { .. })), "{sent:?}");
    }
    for method in [Method::CONNECT, Method::TRACE] {
        let sent = outgoing.send(request(method, &url)).await;
        assert!(matches!(sent, Err(Refused::Forbidden { .. })), "{sent:?}");
    }
    assert!(server.requests().is_empty());
}

/// Runs in a child of its own, see below; the address stands in the environment.
#[tokio::test]
async fn child_behind_a_proxy() {
    let Ok(url) = std::env::var("OUTGOING_TEST_URL") else { return };
    let outgoing = Outgoing::new(rules(&["127.0.0.2"])).unwrap();
    assert_eq!(get(&outgoing, &url).await.unwrap().body, b"direct");
}

#[tokio::test]
async fn proxies_of_the_environment_are_ignored() {
    let trap = Trap::set().await;
    let server = Server::start("127.0.0.2", |_| Act::Send(answer("200 OK", &[], b"direct"))).await;
    let (url, proxy) = (server.url("/"), format!("http://127.0.0.1:{}", trap.port));
    let status = tokio::task::spawn_blocking(move || {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["child_behind_a_proxy", "--test-threads=1"])
            .env("OUTGOING_TEST_URL", url)
            .envs(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].map(|key| (key, &proxy)))
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    assert!(status.status.success(), "{status:?}");
    assert_eq!(server.requests().len(), 1);
    trap.assert_untouched().await;
}
