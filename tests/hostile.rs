//! What strangers and broken clients send, against the real daemon.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use webox::{
    domain::{CallFilter, Secret},
    operations::calls,
    twilio::{form::Form, reader, signature},
};

use crate::support::{
    cmd::Webox,
    daemon::{Daemon, NUMBER, PUBLIC_URL, TOKEN, sid, spoken},
    seed,
};

const INCOMING: &str = "/api/voice/webhook/incoming";

fn fields(n: u32) -> Vec<(String, String)> {
    [
        ("CallSid", sid(n).as_str()),
        ("From", "+33612345678"),
        ("To", NUMBER),
        ("CallStatus", "ringing"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn stored(webox: &Webox) -> usize {
    calls::list(&seed::store(webox), &webox::domain::Actor::webox("test"), &CallFilter::default())
        .unwrap()
        .calls
        .len()
}

#[tokio::test]
async fn only_twilio_is_believed() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let form = Form::from_fields(fields(1));
    let sign =
        |token: &str, url: &str, form: &Form| signature::sign(&Secret::new(token), url, form);
    let url = format!("{PUBLIC_URL}{INCOMING}");
    let mut other = fields(1);
    other[1].1 = "+33600000000".to_owned();
    let forgeries = [
        String::new(),
        "rubbish".to_owned(),
        sign("another-token", &url, &form),
        sign(TOKEN, &format!("http://{}{INCOMING}", daemon.address), &form),
        sign(TOKEN, &format!("{PUBLIC_URL}/api/voice/webhook/status"), &form),
        sign(TOKEN, &url.replace("https", "http"), &form),
        sign(TOKEN, &format!("{url}?a=1"), &form),
        sign(TOKEN, &url, &Form::from_fields(other)),
        sign("", &url, &form),
    ];
    for forgery in &forgeries {
        let answer = daemon.twilio.post_signed(INCOMING, &form, forgery).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (403, ""), "{forgery}");
    }
    assert_eq!(stored(&webox), 0);
    // A `Host` or a forwarding header changes nothing of what is signed.
    let valid = sign(TOKEN, &url, &form);
    for (name, value) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("forwarded", "host=evil.example"),
    ] {
        let answer = reqwest::Client::new()
            .post(format!("http://{}{INCOMING}", daemon.address))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-twilio-signature", &valid)
            .header(name, value)
            .body(form.encode())
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{name}");
    }
    assert_eq!(stored(&webox), 1);
}

#[tokio::test]
async fn what_twilio_is_told_is_not_packed_however_long() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let form = Form::from_fields(fields(1));
    let signature = signature::sign(&Secret::new(TOKEN), &format!("{PUBLIC_URL}{INCOMING}"), &form);
    let rings = reqwest::Client::builder()
        .no_gzip()
        .build()
        .unwrap()
        .post(format!("http://{}{INCOMING}", daemon.address))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature)
        .header("accept-encoding", "gzip, br")
        .body(form.encode());
    let answer = rings.send().await.unwrap();
    assert!(!answer.headers().contains_key("content-encoding"));
    let text = answer.text().await.unwrap();
    assert!(text.len() > 1_400 && text.contains("Gourmet"), "{}: {text}", text.len());
}

#[tokio::test]
async fn bad_requests_are_told_why_and_leave_nothing() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let client = reqwest::Client::new();
    let url = format!("http://{}{INCOMING}", daemon.address);
    let form = "application/x-www-form-urlencoded";
    assert_eq!(client.get(&url).send().await.unwrap().status(), 405);
    // Without what could be a signature, nothing is read and nothing said.
    for signature in ["", "x", "AAAA", &"A".repeat(28)] {
        let bare = client.post(&url).header("x-twilio-signature", signature);
        let answer = bare.header("content-type", form).body("a=1").send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 403, "{signature}");
        assert_eq!(answer.text().await.unwrap(), "", "{signature}");
    }
    let shaped = format!("{}=", "A".repeat(27));
    let send = |content_type: &'static str, body: Vec<u8>| {
        let request = client.post(&url).header("x-twilio-signature", &shaped);
        request.header("content-type", content_type).body(body).send()
    };
    assert_eq!(send("application/json", b"{}".to_vec()).await.unwrap().status(), 415);
    assert_eq!(send(form, vec![b'a'; 64 * 1024 + 1]).await.unwrap().status(), 413);
    for body in [&b"a=%"[..], b"a=%ZZ", b"a=%FF", b"CallSid=%C3%28", &b"a=1&".repeat(500)] {
        let answer = send(form, body.to_vec()).await.unwrap();
        assert_eq!(answer.status(), 400, "{}", String::from_utf8_lossy(body));
        assert!(answer.text().await.unwrap().contains("\"detail\""));
    }
    // Signed, and wrong all the same.
    let long = "x".repeat(9_000);
    for (route, extra, why) in [
        ("incoming", ("CallSid", "CA1"), "`CallSid` is malformed"),
        ("incoming", ("To", ""), ""),
        ("process", ("SpeechResult", long.as_str()), "`SpeechResult` is too long"),
        ("process", ("Digits", "quatre"), "`Digits` is malformed"),
        ("process?turn=minus", ("SpeechResult", "x"), "unreadable query"),
        ("process?turn=99999999999", ("SpeechResult", "x"), "unreadable query"),
        ("wait", ("Digits", ""), "lacks `turn`"),
    ] {
        let answer = daemon.post(route, &sid(1), &[extra]).await;
        if why.is_empty() {
            assert_eq!(answer.status, 200, "an unknown number is spoken to");
        } else {
            assert_eq!(answer.status, 400, "{route} {extra:?}: {}", answer.body);
            assert!(answer.body.contains(why), "{}", answer.body);
        }
    }
    let route = format!("process?call_sid={}&turn=1", sid(2));
    assert_eq!(daemon.post(&route, &sid(1), &[]).await.status, 400, "another call's address");
    assert_eq!(stored(&webox), 0);
    daemon.logged("refused a request of Twilio's");
}

#[tokio::test]
async fn nothing_said_becomes_a_verb() {
    let webox = Webox::new();
    let hostile = "</Say><Dial>+33999</Dial> ]]> &amp; & <!-- \u{202e} \u{0001}\u{fffe} \"'";
    let file = webox.file(
        "a.toml",
        &format!(
            "name = \"a\"\nclient = {hostile:?}\nphone = \"+33123456789\"\ncontext = \"\"\n[voice]\ngreeting = {hostile:?}\n[[facts]]\nabout = [\"parking\"]\nanswer = {hostile:?}\n"
        )
        .replace("\\u{202e}", "\\u202e")
        .replace("\\u{1}", "\\u0001")
        .replace("\\u{fffe}", "\\ufffe")
        .replace("\\'", "'"),
    );
    webox.run(["apply", "--yes", &file]).ok();
    let daemon = Daemon::start(&webox);
    for answer in [
        daemon.ring(&sid(1)).await,
        daemon.say(&sid(1), 1, "Un parking ?").await,
        daemon.say(&sid(1), 2, hostile).await,
        daemon.say(&sid(1), 3, "\u{0}\u{0}").await,
        daemon.say(&sid(1), 4, &"é".repeat(4_000)).await,
    ] {
        if answer.status == 400 {
            continue;
        }
        let verbs = reader::read(&answer.body).unwrap();
        assert!(
            !verbs.iter().any(|verb| matches!(verb, reader::Verb::Dial { .. })),
            "{}",
            answer.body
        );
        assert!(!spoken(&answer).is_empty());
        assert!(answer.body.len() < 64 * 1024);
    }
}

/// Sends a beginning, then nothing, and says after how long the daemon hung up.
fn hangs_up_on(daemon: &Daemon, beginning: &str) -> Duration {
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(beginning.as_bytes()).unwrap();
    let begun = Instant::now();
    let mut answer = Vec::new();
    // An answer such as 408 may come before the end.
    let _ = stream.read_to_end(&mut answer);
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_clients_are_cut_off_and_do_not_slow_others_down() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let header = format!("POST {INCOMING} HTTP/1.1\r\nhost: x\r\n");
    let body = format!(
        "{header}content-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\nCallSid="
    );
    std::thread::scope(|scope| {
        let slow: Vec<_> = ["", header.as_str(), body.as_str()]
            .map(|beginning| scope.spawn(|| hangs_up_on(&daemon, beginning)))
            .into();
        let idle: Vec<_> = (0..300).map(|_| TcpStream::connect(daemon.address).unwrap()).collect();
        let (handle, daemon) = (tokio::runtime::Handle::current(), &daemon);
        let calls = scope.spawn(move || {
            for n in 0..20 {
                assert!(spoken(&handle.block_on(daemon.ring(&sid(n)))).contains("Le Gourmet"));
            }
        });
        calls.join().unwrap();
        for slow in slow {
            let held = slow.join().unwrap();
            assert!(held < Duration::from_secs(15), "held for {held:?}");
        }
        drop(idle);
    });
}

#[tokio::test]
async fn headers_have_a_bound() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    let long = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(64 * 1024));
    // The daemon may close before all is sent.
    let _ = stream.write_all(long.as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(daemon.ring(&sid(1)).await.status, 200);
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_interrupt_its_turn() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let route = format!("/api/voice/webhook/process?call_sid={}&turn=1", sid(1));
    let mut all = fields(1);
    all.push((
        "SpeechResult".to_owned(),
        "Une table pour deux demain à midi au nom de Petit".to_owned(),
    ));
    let form = Form::from_fields(all);
    let signature = signature::sign(&Secret::new(TOKEN), &format!("{PUBLIC_URL}{route}"), &form);
    let body = form.encode();
    let request = format!(
        "POST {route} HTTP/1.1\r\nhost: x\r\nx-twilio-signature: {signature}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(daemon.address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream.flush().unwrap();
    std::thread::sleep(Duration::from_millis(3));
    drop(stream);
    let store = seed::store(&webox);
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let (_, turns) =
            calls::show(&store, &webox::domain::Actor::webox("test"), &sid(1)).unwrap();
        // It may have been cut off before it was read; then nothing of it is there.
        if turns.len() == 1 || turns.iter().all(|turn| turn.said.is_some()) {
            break;
        }
        assert!(Instant::now() < deadline, "half a turn stays behind");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What a forgery of a call that rings is answered, and how long that took.
async fn forge(client: &reqwest::Client, daemon: &Daemon) -> (u16, Duration) {
    let begun = Instant::now();
    let request = client
        .post(format!("http://{}{INCOMING}", daemon.address))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", format!("{}=", "A".repeat(27)))
        .body(Form::from_fields(fields(1)).encode());
    (request.send().await.unwrap().status().as_u16(), begun.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_forges_without_end_waits_for_each_refusal_and_nobody_else_does() {
    const AT_LEAST: Duration = Duration::from_millis(500);
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let elsewhere = std::net::Ipv4Addr::new(127, 0, 0, 2).into();
    let stranger = reqwest::Client::builder().no_proxy().local_address(Some(elsewhere));
    let stranger = stranger.build().unwrap();
    // Forgeries one after the other: held back, most would take a second each.
    let quick = async |client: &reqwest::Client| {
        let begun = Instant::now();
        let mut away = 0;
        while away < 40 {
            away += u32::from(forge(client, &daemon).await.0 == 429);
        }
        begun.elapsed() < 40 * AT_LEAST
    };
    // This machine's own programs are never held up: a proxy is one of them.
    let here = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(quick(&here).await);
    // As many as a minute allows are told at once, and many at once beyond that are not.
    let many =
        async || futures_util::future::join_all((0..160).map(|_| forge(&stranger, &daemon))).await;
    assert!(many().await.iter().filter(|(status, _)| *status == 403).count() >= 120);
    let call = sid(1);
    let (answers, ring) = tokio::join!(many(), daemon.ring(&call));
    let away: Vec<Duration> =
        answers.iter().filter(|(status, _)| *status == 429).map(|(_, took)| *took).collect();
    assert!(away.len() >= 100, "{answers:?}");
    assert!(away.iter().all(|took| *took >= AT_LEAST), "{away:?}");
    assert!(spoken(&ring).contains("Gourmet"));
    // Nor does whoever looks around get on any faster.
    let looks = futures_util::future::join_all((0..40).map(|_| async {
        let begun = Instant::now();
        let look = stranger.get(format!("http://{}/wp-login.php", daemon.address)).send();
        assert_eq!(look.await.unwrap().status(), 404);
        begun.elapsed()
    }));
    assert!(looks.await.iter().filter(|took| **took >= AT_LEAST).count() >= 20);
    // Nobody is held up where a signed request came from: there are callers behind that address.
    let form = Form::from_fields(fields(2));
    let signature = signature::sign(&Secret::new(TOKEN), &format!("{PUBLIC_URL}{INCOMING}"), &form);
    let signed = stranger
        .post(format!("http://{}{INCOMING}", daemon.address))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature)
        .body(form.encode());
    assert_eq!(signed.send().await.unwrap().status(), 200);
    assert!(quick(&stranger).await);
}

/// A connection from another address of this machine; none where nothing answers a first SYN and a second.
async fn connect(from: [u8; 4], daemon: &Daemon) -> Option<tokio::net::TcpStream> {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let connecting = socket.connect(daemon.address);
    tokio::time::timeout(Duration::from_millis(2_500), connecting).await.ok()?.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_connects_without_end_gets_no_connection_any_more_and_nobody_else_is_troubled() {
    const SHARE: usize = 512;
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    // As many as it may have, which stay; then more and more, which are closed as soon as they are there.
    let stranger = [127, 0, 0, 2];
    let mut held = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Some(connection) = connect(stranger, &daemon).await {
        assert!(Instant::now() < deadline, "all of them are accepted");
        if held.len() < SHARE {
            held.push(connection);
        }
    }
    assert_eq!(held.len(), SHARE);
    assert!(daemon.logged("opens connections without end").contains("127.0.0.2"));
    assert!(connect([127, 0, 0, 3], &daemon).await.is_some());
    assert!(spoken(&daemon.ring(&sid(1)).await).contains("Gourmet"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_keeps_a_connection_for_longer_than_others_may() {
    let webox = Webox::with_le_gourmet();
    let ask = |stream: &mut TcpStream| {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let mut answer = [0; 4_096];
        let length = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..length]).starts_with("HTTP/1.1 200")
    };
    let daemons = ["127.0.0.1", "192.0.2.1"].map(|proxy| {
        let mut command = Daemon::command(&webox, &["--listen", "127.0.0.1:0"]);
        command.env("WEBOX_TRUSTED_PROXIES", proxy);
        Daemon::spawned(command)
    });
    let mut kept = daemons.each_ref().map(|daemon| TcpStream::connect(daemon.address).unwrap());
    assert!(kept.iter_mut().all(ask));
    // A proxy sends the next request of somebody else's whenever it comes; the others are cut off.
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert!(ask(&mut kept[0]));
    assert_eq!(kept[1].read(&mut [0; 16]).unwrap(), 0, "closed");
}
