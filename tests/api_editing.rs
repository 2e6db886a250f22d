//! Changing things over HTTP while others do: tags, and what happens without them.

use serde_json::{Value, json};

use crate::support::api::{ADMIN, OTHER, Who, World, answer};

const ONE: &str = "/api/voice/assistants/le-gourmet";

#[tokio::test(flavor = "multi_thread")]
async fn two_editors_do_not_overwrite_each_other() {
    let world = World::new();
    let seen = world.get(Who::Owner, ONE).await.status(200);
    let tag = seen.header("etag").to_owned();
    let id = seen.json()["assistant"]["id"].to_string();
    assert!(tag.starts_with(&format!("\"{id}-")), "{tag}");
    let put = |tag: &str, greeting: &str| {
        let request = world.request(Who::Owner, "PUT", ONE).header("if-match", tag);
        answer(request.json(&json!({ "voice_greeting": greeting })))
    };
    let first = put(&tag, "Allô").await.status(200);
    assert_ne!(first.header("etag"), tag);
    let second = put(&tag, "Salut").await.status(412).json();
    assert!(second["detail"].as_str().unwrap().contains("changed by somebody else"), "{second}");
    assert_eq!(second["code"], "outdated");
    // As a proxy that compresses makes it, and among others.
    let weak = put(&format!("W/{}", first.header("etag")), "Bonjour").await.status(200);
    put(&format!("\"x\", {}, W/\"y\"", weak.header("etag")), "Bonjour !").await.status(200);
    put("*", "Bonsoir").await.status(200);
    for never in ["\"nonsense\"", "nonsense", "", "\"999-1\""] {
        put(never, "x").await.status(412);
    }
    for (method, path) in [
        ("POST", "/toggle"),
        ("POST", "/enable"),
        ("POST", "/disable"),
        ("POST", "/rollback"),
        ("DELETE", ""),
    ] {
        let request = world.request(Who::Owner, method, &format!("{ONE}{path}"));
        let request = request.header("if-match", &tag);
        let request = if path == "/rollback" { request.json(&json!({})) } else { request };
        answer(request).await.status(412);
    }
    let give = world.request(Who::Admin, "POST", &format!("{ONE}/owner"));
    let give = give.header("if-match", &tag).json(&json!({ "owner_email": OTHER }));
    answer(give).await.status(412);
    let now = world.get(Who::Owner, ONE).await.status(200);
    assert_eq!(now.json()["assistant"]["voice_greeting"], "Bonsoir");
    let toggle = world.request(Who::Owner, "POST", &format!("{ONE}/toggle"));
    answer(toggle.header("if-match", now.header("etag"))).await.status(200);
    answer(world.request(Who::Owner, "DELETE", ONE)).await.status(200);
    world.get(Who::Owner, ONE).await.status(404);
    // Another one of the same name, in the same version, is another one.
    let again = json!({ "name": "le-gourmet", "client_name": "X", "twilio_phone_number": "+33140000001", "ai_context": "x" });
    let made = world.ask(Who::Owner, "POST", "/api/voice/assistants", Some(again)).await;
    let made = made.status(201);
    let place = made.header("location").to_owned();
    assert_eq!(place, format!("/api/voice/assistants/{}", made.json()["assistant"]["id"]));
    put(&format!("\"{id}-1\""), "x").await.status(412);
    put(made.header("etag"), "Allô").await.status(200);
    world.get(Who::Owner, &place).await.status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_different_fields_at_once_are_all_made() {
    let world = World::new();
    let fields =
        ["voice_greeting", "ai_context", "client_name", "client_email", "plan", "voice_id"];
    for round in 0..5 {
        let changes = fields.map(|field| {
            let body = json!({ field: format!("a{round}@{}.fr", field.replace('_', "-")) });
            world.ask(Who::Admin, "PUT", ONE, Some(body))
        });
        for changed in futures_util::future::join_all(changes).await {
            changed.status(200);
        }
        let now = world.get(Who::Owner, ONE).await.ok();
        for field in fields {
            let value = now["assistant"][field].as_str().unwrap();
            assert!(value.starts_with(&format!("a{round}@")), "{field}: {value}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_have_tags_and_are_changed_whole_or_not_at_all() {
    let world = World::new();
    let path = format!("/api/voice/users/{OTHER}");
    let seen = world.get(Who::Admin, &path).await.status(200);
    assert_eq!(seen.json()["success"], true);
    assert_eq!(seen.json()["user"]["email"], OTHER);
    let change = |tag: &str, body: Value| {
        answer(world.request(Who::Admin, "PATCH", &path).header("if-match", tag).json(&body))
    };
    let both = json!({ "role": "admin", "disabled": true });
    let changed = change(seen.header("etag"), both.clone()).await.status(200);
    assert_eq!(changed.json()["user"]["role"], "admin");
    change(seen.header("etag"), both).await.status(412);
    let gone = world.request(Who::Admin, "DELETE", &path).header("if-match", seen.header("etag"));
    answer(gone).await.status(412);
    let gone =
        world.request(Who::Admin, "DELETE", &path).header("if-match", changed.header("etag"));
    answer(gone).await.status(200);
    // The last admin is neither demoted nor disabled, and not half of it.
    let mine = format!("/api/voice/users/{ADMIN}");
    let both = json!({ "role": "admin", "disabled": true });
    world.ask(Who::Admin, "PATCH", &mine, Some(both)).await.status(422);
    assert_eq!(world.get(Who::Admin, &mine).await.ok()["user"]["disabled_at"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_an_assistants_account_goes_with_it() {
    let world = World::new();
    let own = json!({
        "name": "own", "client_name": "Own", "twilio_phone_number": "+33140000001", "ai_context": "x", "ai_model": "builtin",
        "twilio_account_sid": "AC0000000000000000000000000000000a", "twilio_auth_token": "t",
    });
    let secrets = async || {
        let kept = world.get(Who::Owner, "/api/voice/secrets").await.ok();
        let kept = kept["secrets"].as_array().unwrap().iter();
        kept.map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    world.ask(Who::Owner, "POST", "/api/voice/assistants", Some(own.clone())).await.status(201);
    assert_eq!(secrets().await, ["twilio:own"]);
    world.ask(Who::Owner, "DELETE", "/api/voice/assistants/own", None).await.status(200);
    assert_eq!(secrets().await, [""; 0]);
    let log = world.webox.run(["audit", "-o", "json", "--limit", "1"]).ok().json();
    assert_eq!(log["entries"][0]["action"], "secret.delete");
    // It cannot come back without its token.
    let back = world.ask(Who::Owner, "POST", "/api/voice/assistants/own/rollback", Some(json!({})));
    let refused = back.await.status(422);
    assert!(refused.text.contains("webox secrets set twilio:own"), "{}", refused.text);
    // Another one that names it keeps it.
    world.ask(Who::Owner, "POST", "/api/voice/assistants", Some(own)).await.status(201);
    let shared = json!({ "twilio_account_sid": "AC0000000000000000000000000000000a", "twilio_auth_token_ref": { "secret": "twilio:own" } });
    world.ask(Who::Owner, "PUT", ONE, Some(shared)).await.status(200);
    world.ask(Who::Owner, "DELETE", "/api/voice/assistants/own", None).await.status(200);
    assert_eq!(secrets().await, ["twilio:own"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_object_or_has_no_master_key_is_refused_in_so_many_words() {
    let world = World::new();
    for (method, path, body) in [
        ("POST", "/users", json!(["x@y.fr", "member"])),
        ("POST", "/tokens", json!([OTHER, "x", "read"])),
        ("PUT", "/secrets/x", json!(["v"])),
        ("PUT", "/assistants/le-gourmet", json!({ "limits": ["5m"] })),
        ("PUT", "/assistants/le-gourmet", json!({ "facts": [["a", "b"]] })),
        ("POST", "/validate", json!({ "files": [["a.toml", "x"]] })),
    ] {
        let told = world.ask(Who::Admin, method, &format!("/api/voice{path}"), Some(body)).await;
        told.status(400);
    }
    let text = world.request(Who::Admin, "PUT", "/api/voice/secrets/x").body("{\"value\":\"v\"}");
    answer(text).await.status(415);
    let nothing = world.get(Who::Admin, "/api/voice/tokens/x").await;
    assert!(nothing.status == 405 || nothing.status == 404);
    let nothing = world.get(Who::Admin, "/api/voice/nowhere").await.status(404);
    assert!(nothing.text.contains("`/api/voice/nowhere`"), "{}", nothing.text);
    let nothing = world.ask(Who::Admin, "DELETE", "/api/voice/tokens/x", None).await.status(404);
    assert!(nothing.text.contains("`/api/voice/tokens/x`"), "{}", nothing.text);
    // The key is gone.
    std::fs::remove_file(world.webox.home().join("config/webox/master.key")).unwrap();
    let account = "AC0000000000000000000000000000000a";
    let own = json!({ "client_name": "Own", "twilio_phone_number": "+33140000001", "ai_context": "x", "twilio_account_sid": account, "twilio_auth_token": "t" });
    for (method, path, body) in [
        ("PUT", "/api/voice/secrets/x", json!({ "value": "v" })),
        ("POST", "/api/voice/assistants", own),
    ] {
        let told = world.ask(Who::Admin, method, path, Some(body)).await.status(503);
        let home = world.webox.home().to_str().unwrap();
        assert!(!told.text.contains(home) && !told.text.contains("master.key"), "{}", told.text);
        assert_eq!(told.json()["code"], "config");
    }
    assert!(world.daemon.logged("a request failed").contains("master.key"));
}
