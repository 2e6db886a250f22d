//! The REST API as its users meet it: repeated requests, limits, bundles.

use serde_json::json;

use crate::support::{
    api::{OWNER, Who, World, answer},
    cmd::{LE_GOURMET, Webox},
    daemon::{CALLER, sid},
    fake_http::{KEY, say},
    fake_openai::FakeOpenAi,
};

const ONE: &str = "/api/voice/assistants/le-gourmet";

#[tokio::test(flavor = "multi_thread")]
async fn a_post_that_is_sent_again_is_done_once() {
    let world = World::new();
    let body = json!({ "client_name": "Chez Nous", "twilio_phone_number": "+33140000001", "ai_context": "x" });
    let post = |who: Who, key: &'static str, body: &serde_json::Value| {
        let request = world.request(who, "POST", "/api/voice/assistants");
        answer(request.header("idempotency-key", key).json(body))
    };
    let first = post(Who::Owner, "k1", &body).await.status(201);
    let again = post(Who::Owner, "k1", &body).await.status(201);
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("idempotent-replayed"), "true");
    for name in ["etag", "location"] {
        assert_ne!(first.header(name), "", "{name}");
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    let other =
        json!({ "client_name": "Autre", "twilio_phone_number": "+33140000002", "ai_context": "x" });
    post(Who::Owner, "k1", &other).await.status(422);
    // A key is its user's own; without one the number is taken by now.
    let mut theirs = body.clone();
    theirs["client_name"] = json!("Chez Eux");
    let taken = post(Who::Other, "k1", &theirs).await.status(409);
    assert_eq!(post(Who::Other, "k1", &theirs).await.status(409).text, taken.text);
    post(Who::Owner, "", &other).await.status(400);
    // The key of a token is never kept for a repetition.
    let token = json!({ "user": OWNER, "name": "once", "scope": "read" });
    let request = world.request(Who::Owner, "POST", "/api/voice/tokens").json(&token);
    let made = answer(request.header("idempotency-key", "t")).await.status(201).json();
    let request = world.request(Who::Owner, "POST", "/api/voice/tokens").json(&token);
    answer(request.header("idempotency-key", "t")).await.status(409);
    let key = made["token"].as_str().unwrap();
    assert!(key.starts_with("webox_") && key.len() == 54);
    for file in ["webox.db", "webox.db-wal"] {
        let bytes = std::fs::read(world.webox.db().with_file_name(file)).unwrap_or_default();
        assert!(!bytes.windows(key.len()).any(|part| part == key.as_bytes()), "{file}");
    }
    // Several at once: one is answered, the others are told to wait or get the same.
    let many =
        json!({ "client_name": "Vite", "twilio_phone_number": "+33140000003", "ai_context": "x" });
    let asked = (0..5).map(|_| post(Who::Owner, "k2", &many));
    let statuses: Vec<u16> =
        futures_util::future::join_all(asked).await.iter().map(|one| one.status).collect();
    assert!(statuses.contains(&201), "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    let list = world.get(Who::Owner, "/api/voice/assistants").await.ok();
    assert_eq!(list["assistants"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_are_slowed_down_where_they_come_from_and_nobody_else_is() {
    let world = World::of(Webox::with_le_gourmet());
    let mut statuses = Vec::new();
    for _ in 0..14 {
        // A header that is not believed: no proxy is trusted here.
        let answered = world.get(Who::Bad, "/api/voice/me").await;
        if answered.status == 429 {
            let wait: u64 = answered.header("retry-after").parse().unwrap();
            assert!((1..=61).contains(&wait), "{wait}");
            assert_eq!(answered.json()["code"], "too_many");
        }
        statuses.push(answered.status);
    }
    assert_eq!(statuses[..10], [401; 10], "{statuses:?}");
    assert_eq!(statuses[11..], [429; 3], "{statuses:?}");
    world.get(Who::Owner, "/api/voice/me").await.status(200);
    let line = world.daemon.logged("refused a wrong key");
    assert!(line.contains("\"address\":\"127.0.0.1\""), "{line}");
    assert!(!line.contains("webox_0000"), "{line}");
    // Twilio itself is never counted by address.
    for n in 0..150 {
        assert_eq!(world.daemon.ring(&sid(1_000 + n)).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_asks_too_often_waits_by_whatever_key_and_another_does_not() {
    let webox = Webox::with_le_gourmet();
    webox.file("config/webox/webox.toml", "[api]\nrequests_per_minute = 5\n");
    let world = World::of(webox);
    // Made beforehand: one request of the five comes back every twelve seconds.
    let more = ["tokens", "create", "--user", OWNER, "--name", "second", "--scope", "read"];
    let key = tokio::task::block_in_place(|| world.webox.run(more)).ok().stdout;
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(world.get(Who::Owner, "/api/voice/me").await.status);
    }
    assert_eq!(statuses[..5], [200; 5]);
    assert_eq!(statuses[5..], [429; 2]);
    let request = world.request(Who::Nobody, "GET", "/api/voice/me").bearer_auth(key.trim());
    answer(request).await.status(429);
    world.get(Who::Other, "/api/voice/me").await.status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_dials_without_end_hears_that_the_lines_are_busy() {
    let webox = Webox::with_le_gourmet();
    let world = World::of(webox);
    world.webox.run(["users", "list"]).ok();
    let file = std::fs::read_to_string(LE_GOURMET).unwrap();
    let file = format!("{file}\n[limits]\nmax_calls_per_caller = 3\n");
    let file = if file.matches("[limits]").count() > 1 {
        std::fs::read_to_string(LE_GOURMET)
            .unwrap()
            .replace("[limits]", "[limits]\nmax_calls_per_caller = 3")
    } else {
        file
    };
    let path = world.webox.file("le-gourmet.toml", &file);
    world.webox.run(["apply", "--yes", &path]).ok();
    for n in 1..=6 {
        let answer = world.daemon.ring(&sid(n)).await;
        // One call of the seed is of this caller, too.
        let busy = answer.body.contains("très sollicitées");
        assert_eq!(busy, n > 2, "call {n}: {}", answer.body);
        // A repeated delivery gets what the first got.
        assert_eq!(world.daemon.ring(&sid(n)).await.body, answer.body);
    }
    let other =
        world.daemon.post_from("+33698765432", "+33123456789", "incoming", &sid(20), &[]).await;
    assert!(!other.body.contains("très sollicitées"), "{}", other.body);
    let calls = world.webox.run(["calls", "--from", CALLER, "-o", "json"]).ok().json();
    let floods = calls["calls"].as_array().unwrap().iter().filter(|c| c["end_reason"] == "flood");
    assert_eq!(floods.count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_checked_planned_and_applied_over_http() {
    let world = World::new();
    let file = |name: &str, text: &str| json!({ "path": name, "text": text });
    let good = "name = \"a\"\nclient = \"A\"\nphone = \"+33140000001\"\ncontext_file = \"a.md\"\n";
    let files = json!([
        file("paris/a.toml", good),
        file("paris/a.md", "Bonjour"),
        file("paris/_defaults.toml", "[ai]\npersonality = \"formal\"\n")
    ]);
    let post = |path: &'static str, body: serde_json::Value| {
        world.ask(Who::Other, "POST", path, Some(body))
    };
    let checked = post("/api/voice/validate", json!({ "files": files })).await.ok();
    assert_eq!(checked["valid"], true, "{checked}");
    let wrong = json!([file("a.toml", "name = \"A B\"\nclinet = \"x\"\n")]);
    let checked = post("/api/voice/validate", json!({ "files": wrong })).await.ok();
    assert_eq!(checked["valid"], false);
    let told = checked["problems"].to_string();
    assert!(told.contains("did you mean") && told.contains("\"line\":2"), "{told}");
    assert!(
        !told.contains("/tmp") && !told.contains(world.webox.home().to_str().unwrap()),
        "{told}"
    );
    let refused = post("/api/voice/apply", json!({ "files": wrong })).await.status(422);
    assert!(refused.text.contains("a.toml"), "{}", refused.text);
    for path in ["../a.toml", "/etc/x.toml", "a/../../b.toml", "", "a\u{0}b"] {
        let bundle = json!({ "files": [file(path, good)] });
        post("/api/voice/validate", bundle).await.status(400);
    }
    let deep = format!("{}a.toml", "d/".repeat(16));
    post("/api/voice/validate", json!({ "files": [file(&deep, good)] })).await.status(400);
    // A document is written for each assistant that names it: a small bundle may be a large one.
    let shared = "Le menu du jour. ".repeat(30_000);
    let many = (0..40).map(|n| {
        let text = good.replace("+33140000001", &format!("+331400001{n:02}"));
        let text = text.replace("\"a\"", &format!("\"a{n}\"")) + "knowledge = [\"menu.md\"]\n";
        file(&format!("{n}.toml"), &text)
    });
    let bundle: Vec<_> = many.chain([file("a.md", "Bonjour"), file("menu.md", &shared)]).collect();
    let checked = post("/api/voice/validate", json!({ "files": bundle })).await.ok();
    let told = checked["problems"].to_string();
    assert!(told.contains("more than 16 MiB") && told.contains("fewer assistants"), "{told}");
    // A file of the bundle may not name one that lies outside of it.
    let outside = good.replace("a.md", "../../../../../../etc/passwd");
    let checked =
        post("/api/voice/validate", json!({ "files": [file("a.toml", &outside)] })).await.ok();
    assert_eq!(checked["valid"], false);
    assert!(!checked.to_string().contains("root:"), "{checked}");

    let planned = post("/api/voice/plan", json!({ "files": files })).await.ok();
    assert_eq!(planned["plan"]["changes"][0]["action"], "create");
    let applied = post("/api/voice/apply", json!({ "plan": planned["plan"] })).await.ok();
    assert!(applied["apply_id"].is_number(), "{applied}");
    let again = post("/api/voice/apply", json!({ "plan": planned["plan"] })).await.status(422);
    assert!(again.text.contains("moved"), "{}", again.text);
    let made = world.get(Who::Other, "/api/voice/assistants/a").await.ok();
    assert_eq!(made["assistant"]["ai_personality"], "formal");
    // A plan that was made up reaches nothing of others.
    let mut forged = planned["plan"].clone();
    let theirs = world.get(Who::Admin, ONE).await.ok()["assistant"]["id"].clone();
    forged["changes"][0]["id"] = theirs;
    for action in ["change", "delete", "adopt", "refresh"] {
        forged["changes"][0]["action"] = json!(action);
        let answered = post(
            "/api/voice/apply",
            json!({ "plan": forged, "overwrite": true, "max_deletes": 9 }),
        )
        .await;
        assert!((400..500).contains(&answered.status), "{action}: {}", answered.text);
    }
    world.get(Who::Owner, ONE).await.status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_small_named_and_for_nobody_elses_pages() {
    let world = World::new();
    let get = || world.request(Who::Owner, "GET", ONE);
    let plain = answer(get()).await.status(200);
    assert_eq!(plain.header("x-content-type-options"), "nosniff");
    assert_eq!(plain.header("cache-control"), "no-store");
    assert!(!plain.header("x-request-id").is_empty());
    let named = answer(get().header("x-request-id", "my-request-1")).await;
    assert_eq!(named.header("x-request-id"), "my-request-1");
    let forged = answer(get().header("x-request-id", "a b<script>")).await;
    assert!(!forged.header("x-request-id").contains('<'));
    let br = answer(get().header("accept-encoding", "br")).await;
    assert_eq!(br.header("content-encoding"), "br");
    // What fits a packet is sent as it is.
    let me = world.request(Who::Owner, "GET", "/api/voice/me").header("accept-encoding", "br");
    assert_eq!(answer(me).await.status(200).header("content-encoding"), "");
    // No page of another place may read an answer.
    let elsewhere = answer(get().header("origin", "https://evil.test")).await;
    assert_eq!(elsewhere.header("access-control-allow-origin"), "");
    let configured = Webox::with_le_gourmet().env("WEBOX_CORS_ORIGINS", "https://panel.agence.fr");
    let world = World::of(configured);
    let from = |origin: &'static str| {
        answer(world.request(Who::Owner, "GET", ONE).header("origin", origin))
    };
    let allowed = from("https://panel.agence.fr").await;
    assert_eq!(allowed.header("access-control-allow-origin"), "https://panel.agence.fr");
    assert_eq!(from("https://evil.test").await.header("access-control-allow-origin"), "");
    for (method, path, status) in [
        ("GET", "/api/voice/nothing", 404),
        ("PATCH", "/api/voice/assistants", 405),
        ("GET", "/nothing", 404),
    ] {
        answer(world.request(Who::Owner, method, path)).await.status(status);
    }
    let big = "x".repeat(1_100_000);
    let answered =
        answer(world.request(Who::Owner, "PUT", ONE).json(&json!({ "ai_context": big }))).await;
    assert_eq!(answered.status, 413, "{}", answered.text);
    let text = world.request(Who::Owner, "PUT", ONE).body("{}");
    answer(text).await.status(415);
    let broken = world.request(Who::Owner, "PUT", ONE).header("content-type", "application/json");
    answer(broken.body("{\"client_name\": 3}")).await.status(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_leaves_nothing_behind() {
    let world = World::new();
    let path = format!("{ONE}/rehearse");
    let says = json!({ "says": ["Avez-vous un parking ?", ""] });
    let turns = world.ask(Who::Owner, "POST", &path, Some(says)).await.ok();
    let turns = turns["turns"].as_array().unwrap();
    assert_eq!(turns.len(), 3);
    assert!(turns[1]["said"].as_str().unwrap().contains("rue Choron"));
    assert_eq!(turns[2]["heard_as"], "silence");
    let calls = world.get(Who::Owner, "/api/voice/calls").await.ok();
    assert_eq!(calls["total"], 1);
    let too_much = json!({ "says": vec!["x"; 21] });
    world.ask(Who::Owner, "POST", &path, Some(too_much)).await.status(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rehearsal_costs_is_in_the_ledger() {
    let provider = FakeOpenAi::start(vec![say("Bien sûr.")]);
    let webox =
        Webox::with_le_gourmet().env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", provider.url());
    let world = World::of(webox);
    world.ask(Who::Owner, "PUT", ONE, Some(json!({ "ai_model": "gpt-4" }))).await.status(200);
    let costs = || async {
        world.get(Who::Owner, "/api/voice/costs?by=provider").await.ok()["rows"].to_string()
    };
    assert!(!costs().await.contains("openai"));
    let says = json!({ "says": ["Pouvez-vous me parler de votre histoire ?"] });
    let told = world.ask(Who::Owner, "POST", &format!("{ONE}/rehearse"), Some(says)).await.ok();
    assert_eq!(provider.requests().len(), 1);
    assert!(costs().await.contains("openai"), "{} after {told}", costs().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_slowed_down_by_address_and_twilio_beside_them_is_not() {
    let world = World::of(Webox::with_le_gourmet());
    let mut statuses = std::collections::BTreeMap::new();
    for n in 0..140 {
        // Half of them pretend to be Twilio, half ask without a key.
        let (method, path) = if n % 2 == 0 {
            ("POST", "/api/voice/webhook/incoming")
        } else {
            ("GET", "/api/voice/me")
        };
        let request = world.request(Who::Nobody, method, path);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        *statuses.entry(answer(request.body("CallSid=x")).await.status).or_insert(0) += 1;
    }
    assert_eq!(statuses.keys().copied().collect::<Vec<_>>(), [401, 403, 429], "{statuses:?}");
    assert!((18..=21).contains(&statuses[&429]), "{statuses:?}");
    assert_eq!(world.daemon.ring(&sid(1)).await.status, 200);
    world.get(Who::Owner, "/api/voice/me").await.status(200);
}
