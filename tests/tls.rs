//! TLS without a proxy: the daemon's own, with certificates from files and from a server of them.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt, stream::FuturesUnordered};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use webox::twilio::form::Form;

use crate::support::{
    authority::{Authority, client_of, handshake},
    cmd::{LE_GOURMET, Webox},
    daemon::{CALLER, Daemon, NUMBER, sid},
};

/// What Twilio knows the daemon by, in `support/daemon.rs`.
const NAME: &str = "calls.example.test";

/// Le Gourmet's daemon with a certificate, for anybody on this machine.
fn encrypted(webox: &Webox, authority: &Authority) -> Daemon {
    let (chain, key) = authority.pair(&[NAME]);
    let (chain, key) = (webox.file("tls/chain.pem", &chain), webox.file("tls/key.pem", &key));
    let files = ["--tls-cert", &chain, "--tls-key", &key, "--insecure-no-signature"];
    Daemon::start_with(webox, &[&["--listen", "127.0.0.1:0"], &files[..]].concat())
}

async fn connected(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

/// Whether the certificate in force is one of an authority's.
async fn is_believed(root: &str, address: SocketAddr) -> bool {
    handshake(root, connected(address).await, NAME, &["http/1.1"]).await.is_ok()
}

async fn until_believed(root: &str, address: SocketAddr, daemon: &Daemon) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_believed(root, address).await {
        assert!(Instant::now() < deadline, "no other certificate: {:#?}", daemon.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Asks over a connection of HTTP/1.1 that stays open.
async fn alive_over(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    String::from_utf8(answer[..read].to_vec()).unwrap()
}

/// What Twilio posts when a call rings.
fn ringing(n: u32) -> String {
    let sid = sid(n);
    let fields = [
        ("CallSid", sid.as_str()),
        ("AccountSid", "AC00000000000000000000000000000001"),
        ("From", CALLER),
        ("To", NUMBER),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
    ];
    Form::from_fields(fields).encode()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_comes_in_over_tls_and_its_socket_too() {
    let webox = Webox::new();
    let file = std::fs::read_to_string(LE_GOURMET).unwrap();
    let mut file: toml::Table = toml::from_str(&file).unwrap();
    file.extend(
        "[voice]\nline = \"relay\"\nlanguage = \"fr-FR\"\n".parse::<toml::Table>().unwrap(),
    );
    let file = webox.file("relayed.toml", &toml::to_string(&file).unwrap());
    webox.run(["apply", "--yes", &file]).ok();
    let authority = Authority::new();
    let daemon = encrypted(&webox, &authority);
    let client = authority.client().resolve(NAME, daemon.address).build().unwrap();
    let base = format!("https://{NAME}:{}", daemon.address.port());
    let rings = client
        .post(format!("{base}/api/voice/webhook/incoming"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(ringing(1))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (rings.status(), rings.version()),
        (reqwest::StatusCode::OK, reqwest::Version::HTTP_2)
    );
    let twiml = rings.text().await.unwrap();
    let ticket = twiml.split("name=\"ticket\" value=\"").nth(1).unwrap().split('"').next().unwrap();

    // Twilio asks for HTTP/1.1 when it opens a socket, and for nothing when it is old.
    for protocols in [&["http/1.1"][..], &[]] {
        let stream = authority.handshake(connected(daemon.address).await, NAME, protocols).await;
        let agreed = stream.as_ref().unwrap().get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        assert_eq!(agreed.as_deref(), protocols.first().map(|name| name.as_bytes()));
        assert!(alive_over(&mut stream.unwrap()).await.starts_with("HTTP/1.1 200"));
    }
    let stream = authority.handshake(connected(daemon.address).await, NAME, &["http/1.1"]).await;
    let address = format!("wss://{NAME}/api/voice/relay/{}", sid(1)).into_client_request().unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(address, stream.unwrap()).await.unwrap();
    let setup = serde_json::json!({
        "type": "setup",
        "sessionId": "VX00000000000000000000000000000001",
        "accountSid": "AC00000000000000000000000000000001",
        "callSid": sid(1).as_str(),
        "customParameters": { "ticket": ticket },
    });
    socket.send(Message::text(setup.to_string())).await.unwrap();
    let said = loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => break text.to_string(),
            Message::Close(frame) => panic!("closed: {frame:?}"),
            _ => {}
        }
    };
    assert!(said.contains("\"text\""), "{said}");
    let plain = reqwest::get(format!("http://{}/healthz", daemon.address)).await;
    assert!(plain.is_err(), "nothing is said without TLS: {plain:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_a_daemon_that_ends_tls_itself() {
    let (webox, authority) = (Webox::with_le_gourmet(), Authority::new());
    let daemon = encrypted(&webox, &authority);
    let address = daemon.address.to_string();
    let chain = webox.home().join("tls/chain.pem");
    let key = webox.home().join("tls/key.pem");
    let look = ["doctor", "--only", "daemon", "--listen", &address, "-o", "json"];
    // Whether the settings say so, or a flag of `serve` did.
    let known = webox
        .command(look)
        .env("WEBOX_TLS_CERT", &chain)
        .env("WEBOX_TLS_KEY", &key)
        .output()
        .unwrap();
    for found in [webox.run(look), known.into()] {
        let found = found.ok().json();
        let checks = found["checks"].as_array().unwrap();
        assert!(checks.iter().all(|check| check["status"] == "ok"), "{found}");
    }
    // One that waits for its certificate is not taken for one that is not there.
    drop(daemon);
    let nobody = format!(
        "[server.acme]\ndomains = [\"{NAME}\"]\ndirectory = \"https://127.0.0.1:1/directory\"\n"
    );
    webox.file("config/webox/webox.toml", &nobody);
    let waiting = ["--listen", "127.0.0.1:0", "--insecure-no-signature"];
    let daemon = Daemon::start_with(&webox, &waiting);
    let address = daemon.address.to_string();
    let look = ["doctor", "--only", "daemon", "--listen", &address, "-o", "json"];
    let found = webox.run(look).code(1).json();
    let seen = found["checks"][0]["seen"].as_str().unwrap();
    assert!(seen.contains("has no certificate yet"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_over_http2_waits_for_one_refusal_after_the_other() {
    let (webox, authority) = (Webox::with_le_gourmet(), Authority::new());
    let daemon = encrypted(&webox, &authority);
    let elsewhere = std::net::Ipv4Addr::new(127, 0, 0, 2).into();
    let client = authority.client().resolve(NAME, daemon.address).local_address(Some(elsewhere));
    let client = client.build().unwrap();
    let url = format!("https://{NAME}:{}/api/voice/me", daemon.address.port());
    // More than are told at once, and all over one connection.
    let mut asked: FuturesUnordered<_> =
        (0..160).map(|_| async { client.get(&url).send().await.unwrap() }).collect();
    let mut away = Vec::new();
    while away.len() < 4 {
        let answer = asked.next().await.unwrap();
        assert_eq!(answer.version(), reqwest::Version::HTTP_2);
        match answer.status().as_u16() {
            401 => {}
            429 => away.push(Instant::now()),
            other => panic!("{other}"),
        }
    }
    // Half a second each, if not more; a busy machine may hand one over late.
    assert!(away[3].duration_since(away[0]) >= Duration::from_secs(1), "{away:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_over_http2_is_not_held_and_what_is_taken_slowly_arrives() {
    let (webox, authority) = (Webox::with_le_gourmet(), Authority::new());
    let key = webox.run(["init", "--admin", "claire@agence.fr"]).ok().stdout;
    let daemon = encrypted(&webox, &authority);
    let url = format!("https://{}/api/openapi.json", daemon.address);
    // A window that is small, and opened again only by who reads.
    let ask = || async {
        let client = reqwest::Client::builder()
            .danger_accept_invalid_certs(true)
            .no_gzip()
            .http2_initial_stream_window_size(16 * 1024)
            .build()
            .unwrap();
        let asked = client.get(&url).bearer_auth(key.trim()).send().await.unwrap();
        assert_eq!(asked.version(), reqwest::Version::HTTP_2);
        asked
    };
    let (left, mut read) = (ask().await, ask().await);
    let mut bytes = 0;
    let begun = Instant::now();
    while let Some(part) = read.chunk().await.unwrap() {
        bytes += part.len();
        // Some of it each second, for longer than nothing may be taken.
        if begun.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    assert!(bytes > 200_000, "{bytes}");
    assert!(left.bytes().await.is_err(), "nothing of it was taken for twenty seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_stopped_closes_what_is_open_over_tls() {
    let (webox, authority) = (Webox::with_le_gourmet(), Authority::new());
    let daemon = encrypted(&webox, &authority);
    // A connection of each protocol on which something was answered, one in the middle of its
    // handshake, and one on which nothing was asked yet.
    let client = authority.client().resolve(NAME, daemon.address).build().unwrap();
    let url = format!("https://{NAME}:{}/healthz", daemon.address.port());
    let answer = client.get(&url).send().await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    let open = authority.handshake(connected(daemon.address).await, NAME, &["http/1.1"]).await;
    let mut open = open.unwrap();
    assert!(alive_over(&mut open).await.starts_with("HTTP/1.1 200"));
    let _silent = connected(daemon.address).await;
    let unasked = authority.handshake(connected(daemon.address).await, NAME, &["h2"]).await;
    assert_eq!(tokio::task::block_in_place(|| daemon.terminate()), Some(0));
    // Said over TLS that it is over, so that nobody takes it for cut off.
    let mut rest = Vec::new();
    open.read_to_end(&mut rest).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&rest), "");
    drop((client, unasked));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_is_taken_and_no_connection_is_dropped() {
    let webox = Webox::with_le_gourmet();
    let (first, second) = (Authority::new(), Authority::new());
    let daemon = encrypted(&webox, &first);
    let open = first.handshake(connected(daemon.address).await, NAME, &["http/1.1"]).await;
    let mut open = open.unwrap();
    assert!(alive_over(&mut open).await.starts_with("HTTP/1.1 200"));

    let (chain, key) = second.pair(&[NAME]);
    webox.file("tls/key.pem", &key);
    webox.file("tls/chain.pem", &chain);
    until_believed(&second.root(), daemon.address, &daemon).await;
    daemon.logged("another certificate is in force");
    assert!(alive_over(&mut open).await.starts_with("HTTP/1.1 200"), "the same connection");

    // A key that belongs to something else: the certificate stays, and it is told.
    webox.file("tls/key.pem", &first.pair(&[NAME]).1);
    let told = daemon.logged("the one before stays in force");
    assert!(told.contains("key.pem is not the key of"), "{told}");
    assert!(is_believed(&second.root(), daemon.address).await);
    // Once, whatever else is written in that folder.
    let times = || {
        let log = daemon.log();
        log.iter().filter(|line| line.contains("the one before stays in force")).count()
    };
    let before = times();
    for n in 0..3 {
        webox.file("tls/access.log", &n.to_string());
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    assert_eq!(times(), before);
    daemon.signal("HUP");
    daemon.logged("the one in force stays");
    assert!(is_believed(&second.root(), daemon.address).await);
}

#[test]
fn files_that_do_not_belong_together_are_told_at_start() {
    let webox = Webox::new();
    let authority = Authority::new();
    let (chain, key) = authority.pair(&[NAME]);
    let chain = webox.file("chain.pem", &chain);
    let key = webox.file("key.pem", &key);
    let other = webox.file("other.pem", &authority.pair(&[NAME]).1);
    let serve = |cert: &str, key: &str| {
        webox.run(["serve", "--insecure-no-signature", "--tls-cert", cert, "--tls-key", key])
    };
    serve(&chain, &other).code(78).says("other.pem is not the key of").says("chain.pem");
    serve(&key, &key).code(78).says("key.pem holds no certificate");
    serve(&chain, "nowhere.pem").code(78).says("nowhere.pem cannot be read");
    let lone = ["serve", "--insecure-no-signature", "--tls-cert", &chain];
    webox.run(lone).code(78).says("`server.tls_key` is not").says("--tls-key");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_slow_over_tls_is_cut_off() {
    let webox = Webox::with_le_gourmet();
    let authority = Authority::new();
    let daemon = encrypted(&webox, &authority);
    // Nothing at all, half a request, and HTTP/2 without one.
    let mut silent = connected(daemon.address).await;
    let half = authority.handshake(connected(daemon.address).await, NAME, &["http/1.1"]).await;
    let mut half = half.unwrap();
    half.write_all(b"GET /healthz HTTP/1.1\r\nhost: ").await.unwrap();
    let idle = authority.handshake(connected(daemon.address).await, NAME, &["h2"]).await;
    let mut idle = idle.unwrap();
    idle.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    // An error is an end as well.
    let mut rest = Vec::new();
    let all = async {
        let _ = silent.read_to_end(&mut rest).await;
        let _ = half.read_to_end(&mut rest).await;
        let _ = idle.read_to_end(&mut rest).await;
    };
    tokio::time::timeout(Duration::from_mins(1), all).await.expect("they are cut off");
}

/// A real server of certificates: Let's Encrypt's own for tests, from Debian.
struct Pebble {
    server: Child,
    names: Child,
    management: u16,
    directory: String,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for child in [&mut self.server, &mut self.names] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Pebble {
    /// Starts one that looks for proofs at two ports of this machine, whatever the name; nothing
    /// where it is not installed.
    async fn start(webox: &Webox, authority: &Authority, tls: u16, http: u16) -> Option<Self> {
        let there = |name: &str| std::path::Path::new("/usr/bin").join(name).exists();
        if !there("pebble") || !there("pebble-challtestsrv") {
            eprintln!("passed over: there is no pebble (Debian: pebble)");
            return None;
        }
        let (chain, key) = authority.pair(&["localhost"]);
        let (port, management, dns) = (free_port(), free_port(), free_port());
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": webox.file("pebble/chain.pem", &chain),
            "privateKey": webox.file("pebble/key.pem", &key),
            "httpPort": http,
            "tlsPort": tls,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        let config = webox.file("pebble/config.json", &config.to_string());
        let dns = format!("127.0.0.1:{dns}");
        let quiet = |command: &mut Command| {
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        };
        let mut names = Command::new("/usr/bin/pebble-challtestsrv");
        names.args(["-dns01", &dns, "-defaultIPv6", "", "-defaultIPv4", "127.0.0.1"]);
        names.args(["-http01", "", "-https01", "", "-tlsalpn01", ""]);
        names.args(["-management", &format!("127.0.0.1:{}", free_port())]);
        let mut server = Command::new("/usr/bin/pebble");
        server.args(["-config", &config, "-dnsserver", &dns]).env("PEBBLE_VA_NOSLEEP", "1");
        // One nonce in twenty is refused by chance, and is tried again a minute later: too long for a test.
        server.env("PEBBLE_WFE_NONCEREJECT", "0");
        let (names, server) = (quiet(&mut names), quiet(&mut server));
        let directory = format!("https://localhost:{port}/dir");
        let pebble = Self { server, names, management, directory };
        let client = authority.client().build().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while client.get(&pebble.directory).send().await.is_err() {
            assert!(Instant::now() < deadline, "pebble does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(pebble)
    }

    /// The root that its certificates come from.
    async fn root(&self, authority: &Authority) -> String {
        let url = format!("https://localhost:{}/roots/0", self.management);
        let client = authority.client().build().unwrap();
        client.get(url).send().await.unwrap().text().await.unwrap()
    }
}

/// The root that a chain of pebble's hangs on: its intermediate is sent along.
fn settings(pebble: &Pebble, root: &str, challenge: &str, http: u16, domains: &str) -> String {
    format!(
        "[server.acme]\ndomains = [{domains}]\ncontact = \"tech@agence.example\"\n\
         directory = \"{}\"\nroot = \"{root}\"\nchallenge = \"{challenge}\"\n\
         http_listen = \"127.0.0.1:{http}\"\n",
        pebble.directory
    )
}

async fn a_certificate_is_had_by(challenge: &str) {
    let webox = Webox::with_le_gourmet();
    let authority = Authority::new();
    let (tls, http) = (free_port(), free_port());
    let Some(pebble) = Pebble::start(&webox, &authority, tls, http).await else { return };
    let root = webox.file("root.pem", &authority.root());
    let quoted = format!("\"{NAME}\"");
    let text = settings(&pebble, &root, challenge, http, &quoted);
    webox.file("config/webox/webox.toml", &text);
    let listen = format!("127.0.0.1:{tls}");
    let start = || Daemon::start_with(&webox, &["--listen", &listen]);
    let daemon = start();
    let issued_by = pebble.root(&authority).await;
    until_believed(&issued_by, daemon.address, &daemon).await;
    let client = client_of(&issued_by).resolve(NAME, daemon.address).build().unwrap();
    let alive = client.get(format!("https://{NAME}:{tls}/healthz")).send().await.unwrap();
    assert_eq!((alive.status().as_u16(), alive.version()), (200, reqwest::Version::HTTP_2));
    if challenge == "http-01" {
        // Port 80 has nothing but proofs, and none that nobody waits for.
        let url = format!("http://127.0.0.1:{http}/.well-known/acme-challenge/none");
        assert_eq!(reqwest::get(url).await.unwrap().status(), 404);
    }

    // What is kept is its owner's alone.
    let kept = webox.db().with_file_name("webox.db.acme");
    let of_server = std::fs::read_dir(kept).unwrap().next().unwrap().unwrap().path();
    for name in ["account.json", "certificate.pem"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = of_server.join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }

    // The next process has it without asking, and keeps it when another cannot be had.
    assert_eq!(tokio::task::block_in_place(|| daemon.terminate()), Some(0));
    drop(pebble);
    let daemon = start();
    assert!(is_believed(&issued_by, daemon.address).await);
    assert!(!daemon.log().iter().any(|line| line.contains("cannot be had")));
    assert_eq!(tokio::task::block_in_place(|| daemon.terminate()), Some(0));
    let more = text.replace(&quoted, &format!("{quoted}, \"other.example.test\""));
    webox.file("config/webox/webox.toml", &more);
    let daemon = start();
    daemon.logged("another certificate cannot be had: the one before stays in force");
    assert!(is_believed(&issued_by, daemon.address).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_had_by_handshake_and_kept() {
    a_certificate_is_had_by("tls-alpn-01").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_had_over_http_and_kept() {
    a_certificate_is_had_by("http-01").await;
}
