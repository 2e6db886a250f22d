//! Secrets at rest and on their way, and what a client's own account at Twilio is believed.

use std::{os::unix::fs::PermissionsExt, path::Path};

use serde_json::json;
use webox::{
    domain::{PhoneNumber, Secret},
    twilio::caller::Caller,
};

use crate::support::{
    api::{OWNER, Who, World},
    cmd::Webox,
    daemon::{Daemon, PUBLIC_URL, TOKEN, sid, spoken},
    fake_anthropic::FakeAnthropic,
    fake_http::{Behaviour, KEY, say},
    fake_openai::FakeOpenAi,
    seed,
};

const CANARY: &str = "canary-4f1d9e7a-sk-live";

fn holds(bytes: &[u8], canary: &str) -> bool {
    bytes.windows(canary.len()).any(|part| part == canary.as_bytes())
}

/// Every file below a folder that holds a canary.
fn leaks(folder: &Path, canary: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            leaks(&path, canary, found);
        } else if holds(&std::fs::read(&path).unwrap_or_default(), canary) {
            found.push(path.display().to_string());
        }
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_secrets_are_found_nowhere() {
    // A provider that repeats the key it was given.
    let provider = FakeOpenAi::start(vec![Behaviour::Unauthorized]);
    let webox = Webox::with_le_gourmet()
        .env("WEBOX_LOG", "trace")
        .env("OPENAI_BASE_URL", provider.url())
        .env("WEBOX_TRUSTED_PROXIES", "127.0.0.1");
    let world = World::of(webox);
    let webox = &world.webox;
    let set = ["secrets", "set", "acme", "--user", OWNER];
    let said = webox.run_with_stdin(&format!("{CANARY}-ai\n"), set).ok();
    let mut printed = vec![said.stdout, said.stderr];
    let input = json!({
        "ai_model": "gpt-4", "ai_api_key": { "secret": "acme" },
        "twilio_account_sid": "AC0000000000000000000000000000000a",
        "twilio_auth_token": format!("{CANARY}-twilio"),
    });
    let path = "/api/voice/assistants/le-gourmet";
    let put = world.ask(Who::Owner, "PUT", path, Some(input)).await;
    assert_eq!(put.status, 200, "{}", put.text);
    printed.push(put.text);
    let value = json!({ "value": format!("{CANARY}-api") });
    printed.push(world.ask(Who::Owner, "PUT", "/api/voice/secrets/s", Some(value)).await.text);
    // Where mistakes are told.
    let wrong = json!({ "value": format!("{CANARY}-wrong"), "more": 1 });
    let told = world.ask(Who::Owner, "PUT", "/api/voice/secrets/s", Some(wrong)).await;
    assert_eq!(told.status, 400);
    printed.push(told.text);
    let wrong = json!({ "twilio_auth_token": [format!("{CANARY}-wrong")] });
    printed.push(world.ask(Who::Owner, "PUT", path, Some(wrong)).await.text);
    // A call with that model and that account: the model refuses, the concierge answers.
    let account = "AC0000000000000000000000000000000a".parse().unwrap();
    let here = format!("http://{}", world.daemon.address);
    let own =
        Caller::new(&here, PUBLIC_URL, Secret::new(format!("{CANARY}-twilio")), account).unwrap();
    let number: PhoneNumber = "+33123456789".parse().unwrap();
    let post = async |route: &str, more: &[(&str, &str)]| {
        let mut fields = own.fields(&sid(9), "+33698765432", &number, "in-progress");
        fields.extend(more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        own.post(&format!("/api/voice/webhook/{route}"), fields).await.unwrap()
    };
    assert!(spoken(&post("incoming", &[]).await).contains("Gourmet"));
    let route = format!("process?call_sid={}&turn=1", sid(9));
    let answer = post(&route, &[("SpeechResult", "Avez-vous un parking ?")]).await;
    assert!(spoken(&answer).contains("rue Choron"), "{}", answer.body);
    printed.push(answer.body);
    for path in [
        "/assistants",
        "/assistants/le-gourmet",
        "/assistants/le-gourmet/history",
        "/secrets",
        "/standings",
        "/calls",
        "/tokens",
    ] {
        printed.push(world.get(Who::Owner, &format!("/api/voice{path}")).await.text);
    }
    printed.push(world.get(Who::Admin, "/api/voice/audit").await.text);
    for command in [
        &["audit", "-o", "json"][..],
        &["secrets", "-o", "json"],
        &["export", "le-gourmet"],
        &["history", "le-gourmet", "-o", "json"],
        &["assistants", "show", "le-gourmet", "-o", "json"],
        &["config", "show", "-vv"],
        &["calls", "show", sid(9).as_str(), "-o", "json", "-vv"],
    ] {
        let ran = webox.run(command.iter().copied());
        printed.extend([ran.stdout, ran.stderr]);
    }
    printed.extend(world.daemon.log());
    let proc = format!("/proc/{}", world.daemon.pid());
    printed.push(
        String::from_utf8_lossy(&std::fs::read(format!("{proc}/cmdline")).unwrap()).into_owned(),
    );
    for text in &printed {
        assert!(!text.contains(CANARY), "{text}");
    }
    // The provider was really asked with it.
    let asked = format!("{:?}", provider.requests());
    assert!(asked.contains(&format!("{CANARY}-ai")), "the key reached the provider");
    let mut found = Vec::new();
    leaks(webox.home(), CANARY, &mut found);
    assert!(found.is_empty(), "{found:?}");
    let data = webox.db();
    for name in ["webox.db", "webox.db-wal", "webox.db-shm"] {
        assert_eq!(mode(&data.with_file_name(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&webox.home().join("config/webox/master.key")), 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_in_a_clients_own_account_believes_that_account_alone() {
    let world = World::new();
    let own_sid = "AC0000000000000000000000000000000a";
    let input = json!({
        "client_name": "Autre", "twilio_phone_number": "+33140000001", "ai_context": "x", "ai_model": "builtin",
        "twilio_account_sid": own_sid, "twilio_auth_token": "own-token-of-the-client",
    });
    let here = format!("http://{}", world.daemon.address);
    let twilio = |token: &str, account: &str| {
        Caller::new(&here, PUBLIC_URL, Secret::new(token), account.parse().unwrap()).unwrap()
    };
    let own = twilio("own-token-of-the-client", own_sid);
    let forged_account = twilio("own-token-of-the-client", "AC00000000000000000000000000000001");
    let agency = twilio(TOKEN, "AC00000000000000000000000000000001");
    let agency_as_own = twilio(TOKEN, own_sid);
    let (theirs, ours): (PhoneNumber, PhoneNumber) =
        ("+33140000001".parse().unwrap(), "+33123456789".parse().unwrap());
    let ring = async |twilio: &Caller, n: u32, to: &PhoneNumber| {
        let fields = twilio.fields(&sid(n), "+33698765432", to, "ringing");
        twilio.post("/api/voice/webhook/incoming", fields).await.unwrap()
    };
    // Nobody's yet; believed as soon as it is a client's.
    assert_eq!(ring(&own, 1, &theirs).await.status, 403);
    // What is known of accounts is good for five milliseconds.
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    world.ask(Who::Other, "POST", "/api/voice/assistants", Some(input)).await.status(201);
    assert_eq!(ring(&own, 1, &theirs).await.status, 200);
    assert_eq!(ring(&forged_account, 2, &theirs).await.status, 403);
    assert_eq!(ring(&agency, 3, &theirs).await.status, 403);
    assert_eq!(ring(&agency_as_own, 4, &theirs).await.status, 403);
    assert_eq!(ring(&own, 5, &ours).await.status, 403);
    assert_eq!(ring(&agency, 6, &ours).await.status, 200);
    // With one's own token about a call of somebody else's: nothing is said, nothing is stored.
    let route = format!("/api/voice/webhook/process?call_sid={}&turn=1", sid(6));
    let mut fields = own.fields(&sid(6), "+33698765432", &theirs, "in-progress");
    fields.push(("SpeechResult".to_owned(), "Au revoir".to_owned()));
    let answer = own.post(&route, fields).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (403, ""));
    let call = world.webox.run(["calls", "show", sid(6).as_str(), "-o", "json"]).ok().json();
    assert_eq!(call["turns"].as_array().unwrap().len(), 1, "only the greeting");
    // An owner who lacks the secret is not given the assistant: its calls would not be answered.
    world.webox.run(["assistants", "give", "autre", "--to", OWNER]).code(3).says("twilio:autre");
    // Another token counts a moment later.
    let input = json!({ "twilio_auth_token": "the-next-token", "twilio_account_sid": own_sid });
    world.ask(Who::Other, "PUT", "/api/voice/assistants/autre", Some(input)).await.status(200);
    tokio::time::sleep(std::time::Duration::from_millis(2_300)).await;
    assert_eq!(ring(&own, 7, &theirs).await.status, 403);
    assert_eq!(ring(&twilio("the-next-token", own_sid), 8, &theirs).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_account_signs_for_its_own_calls_alone() {
    let world = World::with_settings("[limits]\ncalls_to_a_number = 3\ncalls_of_an_account = 5\n");
    let own_sid = "AC0000000000000000000000000000000a";
    let input = |number: &str| {
        json!({
            "client_name": format!("Autre {number}"), "twilio_phone_number": number,
            "ai_context": "x", "ai_model": "builtin",
            "twilio_account_sid": own_sid, "twilio_auth_token": "own-token-of-the-client",
        })
    };
    let theirs: PhoneNumber = "+33140000001".parse().unwrap();
    let made = input(theirs.as_str());
    world.ask(Who::Other, "POST", "/api/voice/assistants", Some(made)).await.status(201);
    // Nobody else may say that it is theirs.
    let taken = input("+33140000002");
    world.ask(Who::Owner, "POST", "/api/voice/assistants", Some(taken)).await.status(403);
    let here = format!("http://{}", world.daemon.address);
    let own = Caller::new(
        &here,
        PUBLIC_URL,
        Secret::new("own-token-of-the-client"),
        own_sid.parse().unwrap(),
    );
    let own = own.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    let post = async |path: &str, call: u32, more: &[(&str, &str)]| {
        let mut fields = own.fields(&sid(call), "+33698765432", &theirs, "in-progress");
        for (name, value) in more {
            fields.retain(|(known, _)| known != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        own.post(&format!("/api/voice/webhook/{path}"), fields).await.unwrap()
    };
    // A call that somebody else asked for is neither told of nor taken.
    let ours = |call: u32| {
        let (path, us) = (format!("outbound?outbound={}", 1), theirs.as_str());
        (path, call, [("Direction", "outbound-api"), ("From", us), ("To", "+33698765432")])
    };
    let before = world.ask(Who::Owner, "GET", "/api/voice/outbound/1", None).await.ok();
    let (path, call, fields) = ours(21);
    assert_eq!(post(&path, call, &fields).await.status, 403);
    assert_eq!(post("incoming", 22, &[]).await.status, 200);
    for path in ["outbound?outbound=1", "status?outbound=1", "answered-by?outbound=1"] {
        let fields = [
            ("Direction", "outbound-api"),
            ("From", theirs.as_str()),
            ("CallStatus", "completed"),
            ("AnsweredBy", "human"),
        ];
        let answer = post(path, 22, &fields).await;
        assert!(!answer.body.contains("Zoé"), "{path}: {}", answer.body);
    }
    let after = world.ask(Who::Owner, "GET", "/api/voice/outbound/1", None).await.ok();
    assert_eq!(before, after);
    // Which call a human is rung for, only our own address says.
    let caller = crate::support::seed::sid(1);
    for path in ["whisper?turn=1&attempt=1", "take?turn=1&attempt=1"] {
        let answer = post(path, 22, &[("ParentCallSid", &caller), ("Digits", "1")]).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
    }
    // Others' numbers are not counted by what it names.
    for call in 31..40 {
        post("incoming", 22, &[("To", "+33123456789"), ("CallToken", &call.to_string())]).await;
    }
    let call = sid(41);
    let answer = world.daemon.post_from("+33698765432", "+33123456789", "incoming", &call, &[]);
    let answer = answer.await;
    assert!(!answer.body.contains("très sollicitées"), "{}", answer.body);
}

#[test]
fn the_master_key_is_replaced_while_the_daemon_runs_and_a_wrong_one_is_told() {
    let webox = Webox::with_le_gourmet();
    let nothing = webox.run_with_stdin("x", ["secrets", "set", "a"]);
    nothing.code(78).says("there is no master key").says("webox init");
    webox.run(["init"]).ok().says("Made the master key");
    webox.run(["init"]).ok().says("is there already");
    webox.run_with_stdin(CANARY, ["secrets", "set", "a"]).ok().silent();
    let key = webox.home().join("config/webox/master.key");
    let first = std::fs::read_to_string(&key).unwrap();
    webox.run(["secrets", "rotate-key"]).ok().says("1 secret is wrapped with it now");
    let second = std::fs::read_to_string(&key).unwrap();
    assert_ne!(first, second);
    let count = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    // Another database may need the old one: it goes when it is told to.
    assert_eq!(count(&second), 2);
    webox.run(["secrets", "rotate-key", "--drop-old"]).ok().says("1 secret is wrapped with it now");
    let second = std::fs::read_to_string(&key).unwrap();
    assert_eq!(count(&second), 1);
    let secrets = webox::operations::secrets::Secrets::new(webox::vault::Vault::new(
        webox::domain::KeySource::File(key.clone()),
    ));
    let store = seed::store(&webox);
    assert_eq!(secrets.find(&store, None, "a").unwrap().expose(), CANARY);
    // Nobody else's, nor under another name.
    assert!(secrets.find(&store, Some(webox::domain::UserId(1)), "a").is_err());
    std::fs::write(&key, &first).unwrap();
    let again = webox::operations::secrets::Secrets::new(webox::vault::Vault::new(
        webox::domain::KeySource::File(key.clone()),
    ));
    let error = again.find(&store, None, "a").unwrap_err();
    assert_eq!(error.kind(), webox::domain::Kind::Config);
    drop(store);
    // A wrong key destroys nothing, and the daemon answers the phone without it.
    webox.run(["secrets", "rotate-key"]).code(78).says("master key");
    assert_eq!(
        std::fs::read_to_string(&key).unwrap(),
        first,
        "nor is a key made that does not help"
    );
    std::fs::rename(&key, key.with_extension("away")).unwrap();
    webox.run(["init"]).code(78).says("`a` is one");
    std::fs::rename(key.with_extension("away"), &key).unwrap();
    let daemon = Daemon::start(&webox);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let answer = runtime.block_on(daemon.ring(&sid(1)));
    assert!(spoken(&answer).contains("Gourmet"));
    drop(daemon);
    std::fs::write(&key, &second).unwrap();
    let store = seed::store(&webox);
    assert_eq!(secrets.find(&store, None, "a").unwrap().expose(), CANARY);
    drop(store);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    webox.run_with_stdin("x", ["secrets", "set", "b"]).code(78).says("0644").says("chmod 600");
    // From the environment: the one in force first.
    let hex = |text: &str| text.lines().find(|line| !line.starts_with('#')).unwrap().to_owned();
    let both = format!("{},{}", hex(&first), hex(&second));
    let mut command = webox.command(["secrets", "rotate-key"]);
    let ran = command.env("WEBOX_MASTER_KEY", both).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(said.contains("Take the old key out of environment WEBOX_MASTER_KEY"), "{said}");
    let mut command = webox.command(["secrets", "rotate-key"]);
    let ran = command.env("WEBOX_MASTER_KEY", hex(&first)).output().unwrap();
    assert_eq!(ran.status.code(), Some(3), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_running_daemon_keeps_is_sealed_with_the_key_in_force() {
    let world = World::new();
    let put = async |name: &str| {
        let path = format!("/api/voice/secrets/{name}");
        let value = json!({ "value": CANARY });
        world.ask(Who::Admin, "PUT", &path, Some(value)).await.status(200);
    };
    // The daemon has read the first key when another process makes and drops keys, several at once.
    put("one").await;
    let rotations: Vec<_> = (0..4)
        .map(|_| world.webox.command(["secrets", "rotate-key", "--drop-old"]).spawn().unwrap())
        .collect();
    put("two").await;
    for rotation in rotations {
        let ran = rotation.wait_with_output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    put("three").await;
    let key = world.webox.home().join("config/webox/master.key");
    let secrets = webox::operations::secrets::Secrets::new(webox::vault::Vault::new(
        webox::domain::KeySource::File(key),
    ));
    let store = seed::store(&world.webox);
    for name in ["one", "two", "three"] {
        assert_eq!(secrets.find(&store, None, name).unwrap().expose(), CANARY, "{name}");
    }
    // What an assistant needs stays; then it may go.
    let with = |key: serde_json::Value| json!({ "ai_model": "gpt-4", "ai_api_key": key });
    let path = "/api/voice/assistants/le-gourmet";
    let owner =
        async |method: &str, path: &str, body| world.ask(Who::Owner, method, path, body).await;
    let value = json!({ "value": CANARY });
    owner("PUT", "/api/voice/secrets/k", Some(value)).await.status(200);
    owner("PUT", path, Some(with(json!({ "secret": "k" })))).await.status(200);
    let refused = owner("DELETE", "/api/voice/secrets/k", None).await.status(409);
    assert!(refused.text.contains("le-gourmet"), "{}", refused.text);
    owner("PUT", path, Some(with(serde_json::Value::Null))).await.status(200);
    owner("DELETE", "/api/voice/secrets/k", None).await.status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_to_no_provider_but_its_models_own() {
    let broken = FakeOpenAi::start(vec![Behaviour::ServerError]);
    let other = FakeAnthropic::start(vec![say("Oui, rue Choron.")]);
    let webox = Webox::with_le_gourmet()
        .env("OPENAI_BASE_URL", broken.url())
        .env("ANTHROPIC_BASE_URL", other.url())
        .env("ANTHROPIC_API_KEY", KEY)
        .env("ACME_KEY", CANARY);
    let edit = ["--model", "openai/gpt-6-luna", "--fallbacks", "anthropic/claude-haiku-5-5"];
    webox.run(["assistants", "edit", "le-gourmet"].into_iter().chain(edit)).ok();
    let text = webox.run(["export", "le-gourmet"]).ok().stdout;
    let with_key = text.replace("[ai]\n", "[ai]\napi_key = { env = \"ACME_KEY\" }\n");
    assert_ne!(text, with_key);
    let file = webox.file("le-gourmet.toml", &with_key);
    webox.run(["apply", "--yes", "--overwrite", &file]).ok();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let answer = daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    assert!(spoken(&answer).contains("rue Choron"), "{}", answer.body);
    let (first, second) = (broken.requests(), other.requests());
    assert!(first.iter().all(|request| request.header("authorization").ends_with(CANARY)));
    assert_eq!(second.len(), 1);
    assert!(!format!("{second:?}").contains(CANARY), "{second:?}");
}

#[test]
fn a_database_that_others_could_read_is_closed_to_them() {
    let webox = Webox::with_le_gourmet();
    std::fs::set_permissions(webox.db(), std::fs::Permissions::from_mode(0o644)).unwrap();
    webox.run(["assistants"]).ok();
    assert_eq!(mode(&webox.db()), 0o600);
    let _daemon = Daemon::start(&webox);
    assert_eq!(mode(&webox.db().with_file_name("webox.db-wal")), 0o600);
}

#[test]
fn the_audit_log_shows_that_it_was_changed() {
    let world = World::new();
    let webox = &world.webox;
    webox.run(["assistants", "edit", "le-gourmet", "--greeting", "Allô"]).ok();
    let head = webox.run(["audit", "--verify"]).ok().stdout.trim().to_owned();
    webox.run(["assistants", "edit", "le-gourmet", "--greeting", "Salut"]).ok();
    webox.run(["audit", "--verify", "--head", &head]).ok();
    let entry = webox.run(["audit", "--limit", "1", "-o", "json"]).ok().json();
    let entry = &entry["entries"][0];
    assert_eq!(entry["before"], json!({ "voice.greeting": "Allô" }));
    assert_eq!(entry["after"], json!({ "voice.greeting": "Salut" }));
    let sql = |text: &str| {
        let mut sqlite3 = std::process::Command::new("sqlite3");
        let run = sqlite3.args(["-cmd", ".timeout 10000"]).arg(webox.db()).arg(text).output();
        run.map(|ran| ran.status.success())
    };
    if sql("SELECT 1").is_err() {
        eprintln!("passed over: there is no sqlite3 here");
        return;
    }
    // Not by mistake, and not without being seen.
    assert!(!sql("UPDATE audit SET target = 'x' WHERE id = 2").unwrap());
    assert!(!sql("DELETE FROM audit WHERE id = 2").unwrap());
    let copy = "INSERT OR REPLACE INTO audit SELECT id, at, author, action, 'x', before, after, hash FROM audit WHERE id = 2";
    assert!(!sql(copy).unwrap());
    let by_force = "DROP TRIGGER audit_is_not_changed; UPDATE audit SET target = 'x' WHERE id = 2";
    assert!(sql(by_force).unwrap());
    webox.run(["audit", "--verify"]).code(1).says("line 2 is not as it was written");
}
