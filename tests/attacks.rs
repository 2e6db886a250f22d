//! What an attack on a running daemon once got through with: each of it, tried again.

use std::{
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    time::Duration,
};

use serde_json::{Value, json};
use webox::{
    domain::{PhoneNumber, Secret},
    twilio::caller::Caller,
};

use crate::support::{
    api::{ADMIN, Answered, Who, World, answer},
    cmd::Webox,
    daemon::{PUBLIC_URL, sid},
    seed,
};

const ONE: &str = "/api/voice/assistants/le-gourmet";

async fn post(world: &World, who: Who, key: &str, path: &str, body: &Value) -> Answered {
    let request = world.request(who, "POST", path).header("idempotency-key", key);
    answer(request.json(body)).await
}

#[test]
fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
    let world = World::new();
    let mut stream = TcpStream::connect(world.daemon.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // More than the buffers of both kernels hold, and nobody reads.
    let request = b"GET /api/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n";
    for _ in 0..100 {
        if stream.write_all(request).is_err() {
            break;
        }
    }
    // Cut off after ten seconds without progress; by now the daemon has closed its end.
    std::thread::sleep(Duration::from_secs(13));
    let mut bytes = 0;
    let mut buffer = vec![0; 65_536];
    let ended = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break true,
            Ok(read) => bytes += read,
            Err(error) => break error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    };
    assert!(ended, "still open after {bytes} bytes");
    assert!(bytes < 8_000_000, "{bytes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_answers_are_of_changes_only_and_for_the_same_key_and_role_only() {
    let world = World::new();
    let caller = json!({ "caller": "+33612345678" });
    let (export, erase) = ("/api/voice/privacy/export", "/api/voice/privacy/erase");
    assert!(post(&world, Who::Owner, "k", export, &caller).await.text.contains("Une table"));
    let booking = json!({
        "assistant_id": "le-gourmet", "at": format!("{}T20:00", seed::open_day()), "party": 2,
        "name": "Zoé", "caller": "+33612345678",
    });
    post(&world, Who::Owner, "b", "/api/voice/bookings", &booking).await.status(201);
    post(&world, Who::Owner, "e", erase, &caller).await.status(200);
    // That it was done is still known, and it is not done twice.
    let again = post(&world, Who::Owner, "b", "/api/voice/bookings", &booking).await.status(409);
    assert!(again.text.contains("has been erased since"), "{}", again.text);
    let again = post(&world, Who::Owner, "k", export, &caller).await.status(200);
    assert!(!again.text.contains("Une table"), "{}", again.text);
    // Who reads at that moment keeps it in the log, which the answer says: it is asked again then.
    let holds = |file: &str| {
        let bytes = std::fs::read(world.webox.db().with_file_name(file)).unwrap_or_default();
        let found = |words: &[u8]| bytes.windows(words.len()).any(|part| part == words);
        found(b"Une table") || found(b"33612345678")
    };
    for n in 0..50 {
        if !holds("webox.db") && !holds("webox.db-wal") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        post(&world, Who::Owner, &format!("e{n}"), erase, &caller).await.status(200);
    }
    assert!(!holds("webox.db") && !holds("webox.db-wal"));
    // What names nobody erases nobody's.
    for nobody in [":", "@", "sip:", "a@"] {
        let nobody = json!({ "caller": nobody });
        world.ask(Who::Owner, "POST", erase, Some(nobody)).await.status(400);
    }
    // Refused to the one that may only read, done for the one that may write.
    let new = |n: u32| json!({ "client_name": format!("C {n}"), "twilio_phone_number": format!("+3314000000{n}"), "ai_context": "x" });
    post(&world, Who::Reader, "r", "/api/voice/assistants", &new(1)).await.status(403);
    let made = post(&world, Who::Owner, "r", "/api/voice/assistants", &new(1)).await.status(201);
    post(&world, Who::Reader, "r", "/api/voice/assistants", &new(1)).await.status(403);
    let again = post(&world, Who::Owner, "r", "/api/voice/assistants", &new(1)).await.status(201);
    assert_eq!(again.text, made.text);
    // What an admin was answered is not answered to the member that the admin became.
    let toggle = format!("{ONE}/toggle");
    post(&world, Who::Admin, "t", &toggle, &json!(null)).await.status(200);
    world.webox.run(["users", "set-role", ADMIN, "--role", "member"]).ok();
    post(&world, Who::Admin, "t", &toggle, &json!(null)).await.status(404);
    // A repetition is answered also when the first asker hung up, at any moment.
    for n in 2..10 {
        hang_up_after_asking(&world, &format!("gone-{n}"), &new(n).to_string(), n);
    }
    for n in 2..10 {
        let mut status = 409;
        for _ in 0..50 {
            let key = format!("gone-{n}");
            let answered = post(&world, Who::Owner, &key, "/api/voice/assistants", &new(n)).await;
            status = answered.status;
            if status != 409 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(status, 201, "{n}");
    }
    // As large with a key as without one.
    let files = json!({ "files": [{ "path": "a.toml", "text": format!("#{}", "x".repeat(900_000)) }, { "path": "b.toml", "text": format!("#{}", "x".repeat(900_000)) }] });
    let answered = post(&world, Who::Owner, "big", "/api/voice/apply", &files).await;
    assert_eq!(answered.status, 422, "{}", answered.text);
}

/// Asks for an assistant, and is gone before there is an answer: sooner or later, by `n`.
fn hang_up_after_asking(world: &World, key: &str, body: &str, n: u32) {
    let head = format!(
        "POST /api/voice/assistants HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\nidempotency-key: {key}\r\ncontent-length: {}\r\n\r\n",
        world.key(Who::Owner),
        body.len()
    );
    let mut stream = TcpStream::connect(world.daemon.address).unwrap();
    stream.write_all((head + body).as_bytes()).unwrap();
    std::thread::sleep(Duration::from_micros(u64::from(n.pow(3)) * 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_was_somebodys_is_never_somebody_elses() {
    let world = World::new();
    let webox = &world.webox;
    let ids = |email: &str| {
        webox.run(["users", "add", email, "--role", "member"]).ok();
        let user = webox.run(["users", "show", email, "-o", "json"]).ok().json();
        let made =
            ["tokens", "create", "--user", email, "--name", "t", "--scope", "write", "-o", "json"];
        let token = webox.run(made).ok().json();
        (user["user"]["id"].clone(), token["details"]["id"].clone(), token["token"].clone())
    };
    let (first, token, key) = ids("first@agence.fr");
    let request = reqwest::Client::new().get(world.url("/api/voice/events"));
    let stream = request.bearer_auth(key.as_str().unwrap()).send().await.unwrap();
    webox.run(["users", "delete", "first@agence.fr", "--yes"]).ok();
    let (second, other, _) = ids("second@agence.fr");
    assert_ne!((&first, &token), (&second, &other));
    assert_ne!(first, second);
    assert_ne!(token, other);
    webox.run(["assistants", "give", "le-gourmet", "--to", "second@agence.fr"]).ok();
    world.daemon.ring(&sid(5)).await;
    let rest = tokio::time::timeout(Duration::from_secs(20), stream.text()).await.expect("an end");
    assert!(!rest.unwrap().contains("event: "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_nothing_but_mistakes_is_told_of_and_holds_nobody_up() {
    let world = World::new();
    for line in ["kN=1\n", "[[tN]]\n", "k = = N\n"] {
        let text: String = (0..20_000).map(|n| line.replace('N', &n.to_string())).collect();
        let bundle = json!({ "files": [{ "path": "a.toml", "text": text }] });
        let asked = world.ask(Who::Reader, "POST", "/api/voice/validate", Some(bundle));
        let checked = tokio::time::timeout(Duration::from_mins(1), asked).await.unwrap().ok();
        assert_eq!(checked["valid"], false);
        let told = checked["problems"].as_array().unwrap();
        assert!((40..60).contains(&told.len()), "{}", told.len());
        assert!(
            told.iter().any(|one| one["message"].to_string().contains("more than 50 mistakes")),
            "{line}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_plan_tells_nothing_of_what_belongs_to_others() {
    let world = World::new();
    let file = json!([{ "path": "a.toml", "text": "name = \"a\"\nclient = \"A\"\nphone = \"+33140000001\"\ncontext = \"x\"\n" }]);
    let plan =
        world.ask(Who::Other, "POST", "/api/voice/plan", Some(json!({ "files": file }))).await.ok();
    let apply = async |name: &str, revision: Option<i64>, create: Option<&str>| {
        let mut plan = plan["plan"].clone();
        if let Some(revision) = revision {
            plan["revisions"] = json!({ name: revision });
        }
        match create {
            Some(name) => {
                plan["changes"][0]["name"] = json!(name);
                plan["changes"][0]["spec"]["name"] = json!(name);
            }
            None => plan["changes"] = json!([]),
        }
        let answered =
            world.ask(Who::Other, "POST", "/api/voice/apply", Some(json!({ "plan": plan }))).await;
        (answered.status, answered.text.replace(name, "#"))
    };
    for revision in [1, 2, 99] {
        let theirs = apply("le-gourmet", Some(revision), None).await;
        let nobodys = apply("nobody-has-it", Some(revision), None).await;
        assert_eq!(theirs, nobodys, "revision {revision}");
    }
    let (status, told) = apply("le-gourmet", None, Some("le-gourmet")).await;
    assert_eq!(status, 409, "{told}");
    assert!(told.contains("this name or this number is taken") && !told.contains('#'), "{told}");
    // The owner is told, as before.
    let mine = json!({ "plan": { "revisions": { "le-gourmet": 99 } } });
    let mut whole = plan["plan"].clone();
    whole["revisions"] = mine["plan"]["revisions"].clone();
    whole["changes"] = json!([]);
    let told =
        world.ask(Who::Owner, "POST", "/api/voice/apply", Some(json!({ "plan": whole }))).await;
    assert!(told.text.contains("the plan saw 99"), "{}", told.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_keeps_its_account_whoever_has_its_number_by_now() {
    let world = World::new();
    world.daemon.ring(&sid(1)).await;
    // The number moves on while the call goes on.
    let moved = json!({ "twilio_phone_number": "+33140000007" });
    world.ask(Who::Owner, "PUT", ONE, Some(moved)).await.status(200);
    let account = "AC0000000000000000000000000000000a";
    let input = json!({
        "client_name": "Autre", "twilio_phone_number": "+33123456789", "ai_context": "x", "ai_model": "builtin",
        "twilio_account_sid": account, "twilio_auth_token": "token-of-the-other",
    });
    world.ask(Who::Other, "POST", "/api/voice/assistants", Some(input)).await.status(201);
    let here = format!("http://{}", world.daemon.address);
    let other =
        Caller::new(&here, PUBLIC_URL, Secret::new("token-of-the-other"), account.parse().unwrap())
            .unwrap();
    let number: PhoneNumber = "+33123456789".parse().unwrap();
    let say = async |n: u32, turn: u32| {
        let mut fields = other.fields(&sid(n), "+33612345678", &number, "in-progress");
        fields.push(("SpeechResult".to_owned(), "INJECTED".to_owned()));
        let route = format!("/api/voice/webhook/process?call_sid={}&turn={turn}", sid(n));
        other.post(&route, fields).await.unwrap()
    };
    assert_eq!(say(1, 1).await.status, 403);
    // Twilio itself is heard as before.
    assert_eq!(world.daemon.say(&sid(1), 1, "Avez-vous un parking ?").await.status, 200);
    let call = world.get(Who::Owner, &format!("/api/voice/calls/{}", sid(1))).await.ok();
    assert!(!call.to_string().contains("INJECTED") && call.to_string().contains("rue Choron"));
    // Calls that begin now are the new account's.
    let fields = other.fields(&sid(2), "+33612345678", &number, "ringing");
    assert_eq!(other.post("/api/voice/webhook/incoming", fields).await.unwrap().status, 200);
    assert_eq!(world.daemon.ring(&sid(3)).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_the_wrong_type_are_not_repeated_and_what_cannot_be_kept_changes_nothing() {
    let world = World::new();
    for (method, path, body) in [
        ("PUT", "/api/voice/secrets/abc", json!("CANARY-secret")),
        ("PUT", "/api/voice/secrets/abc", json!({ "value": { "CANARY": 1 } })),
        ("POST", "/api/voice/assistants", json!({ "twilio_auth_token": 112_233_445_566_u64 })),
        ("PUT", ONE, json!({ "twilio_auth_token": ["CANARY-secret"] })),
    ] {
        let request = world.request(Who::Owner, method, path).header("idempotency-key", "w");
        let told = answer(request.json(&body)).await.status(400);
        assert!(
            !told.text.contains("CANARY") && !told.text.contains("112233445566"),
            "{}",
            told.text
        );
    }
    let input = json!({
        "client_name": "Long", "twilio_phone_number": "+33140000001", "ai_context": "x",
        "twilio_account_sid": "AC0000000000000000000000000000000a", "twilio_auth_token": "x".repeat(70_000),
    });
    world.ask(Who::Owner, "POST", "/api/voice/assistants", Some(input)).await.status(400);
    world.get(Who::Owner, "/api/voice/assistants/long").await.status(404);
}

#[test]
fn folders_of_secrets_and_calls_are_for_their_owner_alone() {
    let webox = Webox::new();
    let run = std::process::Command::new("sh")
        .args(["-c", "umask 000; exec \"$0\" init", env!("CARGO_BIN_EXE_webox")])
        .env_clear()
        .env("HOME", webox.home())
        .env("XDG_DATA_HOME", webox.home().join("data"))
        .env("XDG_CONFIG_HOME", webox.home().join("config"))
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    for folder in ["config/webox", "data/webox"] {
        let mode = std::fs::metadata(webox.home().join(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
}
