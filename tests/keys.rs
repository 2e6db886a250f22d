//! What a key may make and end of others.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::{
    api::{ADMIN, OTHER, OWNER, Who, World},
    cmd::Webox,
};

/// Makes a token with another one's key.
async fn make(world: &World, key: &str, body: Value) -> (u16, Value) {
    let response = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(world.url("/api/voice/tokens"))
        .bearer_auth(key)
        .json(&body)
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_an_end_makes_none_that_outlives_it() {
    let world = World::new();
    let scope = ["--scope", "write", "--expires", "1h"];
    let short = ["tokens", "create", "--user", OWNER, "--name", "short", "-o", "json"];
    let short = world.webox.run(short.into_iter().chain(scope)).ok().json();
    let key = short["token"].as_str().unwrap();
    let end: Timestamp = short["details"]["expires_at"].as_str().unwrap().parse().unwrap();
    let want = |name: &str, expires_at: Option<Timestamp>| json!({ "user": OWNER, "name": name, "scope": "read", "expires_at": expires_at });
    let (status, capped) = make(&world, key, want("a", None)).await;
    assert_eq!((status, &capped["details"]["expires_at"]), (201, &short["details"]["expires_at"]));
    let (status, refused) =
        make(&world, key, want("b", Some(end + SignedDuration::from_secs(1)))).await;
    assert_eq!(status, 422, "{refused}");
    assert!(
        refused["detail"].as_str().unwrap().contains("makes none that ends later"),
        "{refused}"
    );
    let sooner = end - SignedDuration::from_mins(30);
    let (status, made) = make(&world, key, want("c", Some(sooner))).await;
    assert_eq!(status, 201);
    assert_eq!(
        made["details"]["expires_at"].as_str().unwrap().parse::<Timestamp>().unwrap(),
        sooner
    );
    // Nor its child; and a key without an end is not bounded.
    let (_, grandchild) = make(&world, made["token"].as_str().unwrap(), want("d", None)).await;
    assert_eq!(grandchild["code"], "denied", "a key that may only read makes none");
    let (status, endless) = make(&world, world.key(Who::Owner), want("e", None)).await;
    assert_eq!((status, &endless["details"]["expires_at"]), (201, &json!(null)));
    // The terminal says so.
    let far = Webox::new().env("WEBOX_SERVER", world.url("")).env("WEBOX_TOKEN", key);
    far.run(["tokens", "create", "--user", OWNER, "--name", "f", "--scope", "read"])
        .ok()
        .says("It ends with the key that made it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_ends_none_that_reaches_further() {
    let world = World::new();
    let tokens = world.get(Who::Admin, "/api/voice/tokens").await.ok();
    let id = |name: &str| {
        let tokens = tokens["tokens"].as_array().unwrap();
        let token = tokens.iter().find(|token| token["name"] == name).unwrap();
        format!("/api/voice/tokens/{}", token["id"])
    };
    // The admin's own key that may only write, and the one that may do everything.
    let refused = world.ask(Who::AdminWriter, "DELETE", &id("admin"), None).await.status(403);
    assert!(refused.text.contains("does not reach as far"), "{}", refused.text);
    world.ask(Who::AdminWriter, "DELETE", &id("owner"), None).await.status(404);
    let revoked = world.ask(Who::AdminWriter, "DELETE", &id("admin-reader"), None).await.ok();
    assert_eq!(
        (&revoked["success"], &revoked["details"]["name"]),
        (&json!(true), &json!("admin-reader"))
    );
    world.ask(Who::AdminWriter, "DELETE", &id("admin-writer"), None).await.status(200);
    world.ask(Who::Admin, "DELETE", &id("owner"), None).await.status(200);
    // Several at once: all of them, or none.
    let far = world.far(Who::Admin);
    for webox in [&world.webox, &far] {
        webox.run(["tokens", "revoke", "6", "999", "7"]).code(1).says("there is no token 999");
    }
    world.get(Who::Other, "/api/voice/me").await.status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_acts_as_one_who_is_disabled_and_a_member_makes_nothing_for_others() {
    let world = World::new();
    world.webox.run(["users", "disable", OTHER]).ok();
    world
        .webox
        .run(["assistants", "--as", OTHER])
        .code(77)
        .says("is disabled")
        .says("users enable");
    let new = |email: &str| json!({ "client_name": "N", "twilio_phone_number": "+33140000001", "ai_context": "x", "owner_email": email });
    let path = "/api/voice/assistants";
    let refused = world.ask(Who::Owner, "POST", path, Some(new(ADMIN))).await.status(403);
    assert!(refused.text.contains("only an admin"), "{}", refused.text);
    // Whether there is such a user is nobody's business.
    let nobody = world.ask(Who::Owner, "POST", path, Some(new("no@body.fr"))).await.status(403);
    assert_eq!(nobody.text, refused.text);
    world.ask(Who::Owner, "POST", path, Some(new(OWNER))).await.status(201);
}
