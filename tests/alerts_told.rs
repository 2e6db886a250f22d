//! Alerts through a real daemon: to chats, webhooks, mail and programs; over a `kill -9`; and what a
//! person at the terminal, near or far, sees of them.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use webox::domain::CallStatus;

use crate::support::{
    api::{Who, World},
    cmd::Webox,
    daemon::{Daemon, sid},
    fake_smtp::FakeSmtp,
    receiver::{Received, Receiver, Reply},
    seed,
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Everybody who can be told.
fn settings(chat: &Receiver, hook: &Receiver, program: &std::path::Path) -> String {
    format!(
        r#"
[outgoing]
allowed_networks = ["127.0.0.0/8"]
allow_http = true

[alerts]
to = ["equipe", "courriel", "webhook", "programme"]

[[alerts.rules]]
rule = "failed-calls"
threshold = "50%"
for = "0s"
recover_for = "0s"
at_least = 1

[[alerts.rules]]
rule = "disk"
active = false

[[alerts.destinations]]
name = "equipe"
kind = "slack"
secret = {{ env = "CHAT_URL" }}

[[alerts.destinations]]
name = "courriel"
kind = "email"
address = "astreinte@agence.fr"

[[alerts.destinations]]
name = "webhook"
kind = "webhook"
url = "{}/alerts"
secret = {{ env = "HOOK_SECRET" }}

[[alerts.destinations]]
name = "programme"
kind = "command"
command = ["/bin/sh", "-c", "cat >> {}; echo >> {}"]
# {}
"#,
        hook.url(),
        program.display(),
        program.display(),
        chat.url()
    )
}

fn everybody(chat: &Receiver, hook: &Receiver, smtp: &FakeSmtp) -> (Webox, std::path::PathBuf) {
    let webox = Webox::with_le_gourmet();
    let program = webox.home().join("told.jsonl");
    let config = webox.file("webox.toml", &settings(chat, hook, &program));
    let webox = webox
        .env("WEBOX_CONFIG", config)
        .env("CHAT_URL", format!("{}/services/T0", chat.url()))
        .env("HOOK_SECRET", SECRET)
        .env("WEBOX_SMTP_HOST", "127.0.0.1")
        .env("WEBOX_SMTP_PORT", smtp.port())
        .env("WEBOX_SMTP_ENCRYPTION", "none")
        .env("WEBOX_SMTP_FROM", "standard@agence.fr");
    (webox, program)
}

/// Waits until an alert is as it should be.
#[track_caller]
pub(crate) fn until(webox: &Webox, what: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let listed = webox.run(["alerts", "list", "--all", "-o", "json"]).ok().json();
        if let Some(found) = listed["alerts"].as_array().unwrap().iter().find(|one| what(one)) {
            return found.clone();
        }
        assert!(Instant::now() < deadline, "{listed}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub(crate) fn all_arrived(alert: &Value, notices: usize) -> bool {
    let told = alert["notices"].as_array().unwrap();
    told.len() == notices && told.iter().all(|one| one["state"] == "delivered")
}

fn is_signed(received: &Received) -> bool {
    let key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, at) = (received.header("webhook-id"), received.header("webhook-timestamp"));
    mac.update(format!("{id}.{at}.{}", received.body).as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    received.header("webhook-signature") == expected
}

#[test]
fn everybody_is_told_once_of_the_beginning_and_once_of_the_end_over_a_kill() {
    let (chat, hook, smtp) = (Receiver::start(), Receiver::start(), FakeSmtp::start());
    let (webox, program) = everybody(&chat, &hook, &smtp);
    // A chat that is away at first.
    chat.next(&[Reply::status(503)]);
    let daemon = Daemon::start(&webox);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        daemon.ring(&sid(1)).await;
        daemon.post("status", &sid(1), &[("CallStatus", "failed"), ("CallDuration", "3")]).await;
    });
    until(&webox, |alert| all_arrived(alert, 4));
    daemon.kill();
    let daemon = Daemon::start(&webox);

    runtime.block_on(async {
        for n in 2..=4 {
            daemon.ring(&sid(n)).await;
            daemon.hang_up(&sid(n), 40).await;
        }
    });
    let alert = until(&webox, |alert| alert["state"] == "resolved" && all_arrived(alert, 8));
    assert_eq!((&alert["rule"], &alert["worst"]), (&"failed-calls".into(), &"100%".into()));
    assert_eq!(daemon.terminate(), Some(0));

    // The chat was asked again for what it did not take.
    let said: Vec<String> =
        chat.received().iter().map(|one| one.json()["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    let began =
        "Alerte : Restaurant Le Gourmet : 100\u{a0}% des appels échouent (seuil : 50\u{a0}%)";
    assert!(said[0].starts_with(began) && said[0] == said[1], "{said:?}");
    assert!(
        said[2].starts_with("Terminé : Restaurant Le Gourmet : les appels aboutissent"),
        "{said:?}"
    );

    let hooks = hook.received();
    let kinds: Vec<_> = hooks.iter().map(|one| one.json()["type"].clone()).collect();
    assert_eq!(kinds, ["alert.firing", "alert.resolved"]);
    assert!(hooks.iter().all(is_signed));
    let fact = &hooks[0].json()["data"]["alert"];
    assert_eq!((&fact["assistant"]["name"], &fact["value"]), (&"le-gourmet".into(), &100.0.into()));

    let letters = smtp.wait_for(2);
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0].to, "astreinte@agence.fr");
    assert!(letters[0].subject.starts_with("Alerte : Restaurant Le Gourmet"), "{letters:?}");
    assert!(letters[1].text.starts_with("Terminé : "), "{letters:?}");

    let lines = std::fs::read_to_string(program).unwrap();
    let kinds: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].clone())
        .collect();
    assert_eq!(kinds, ["alert.firing", "alert.resolved"]);
}

#[test]
fn a_trial_says_what_came_back_from_each() {
    let (chat, hook, smtp) = (Receiver::start(), Receiver::start(), FakeSmtp::start());
    let (webox, _) = everybody(&chat, &hook, &smtp);
    let ran = webox.run(["alerts", "test", "-o", "json"]).ok().json();
    let arrived = ran["tests"].as_array().unwrap();
    assert!(arrived.len() == 4 && arrived.iter().all(|one| one["arrived"] == true), "{ran}");
    assert!(chat.received()[0].json()["text"].as_str().unwrap().starts_with("Essai : webox"));
    assert_eq!(hook.received()[0].json()["type"], "alert.test");
    assert!(smtp.wait_for(1)[0].text.contains("Ceci est un essai"));

    hook.next(&[Reply::Says(403, "who are you?".to_owned())]);
    let ran = webox.run(["alerts", "test", "webhook"]).code(1);
    ran.prints("it answered 403: who are you?").says("1 of 1 could not be told");
    webox.run(["alerts", "test", "webhok"]).code(1).says("did you mean `webhook`?");
}

#[test]
fn settings_that_make_no_sense_are_told_with_their_place() {
    let webox = Webox::with_le_gourmet();
    let config = webox.file("webox.toml", "[alerts]\nto = [\"equipe\"]\n");
    let webox = webox.env("WEBOX_CONFIG", config);
    for args in [&["alerts", "rules"][..], &["serve", "--insecure-no-signature"]] {
        let ran = webox.run(args.iter().copied()).code(78);
        ran.says("webox.toml:2:6")
            .says("names `equipe`, which no `[[alerts.destinations]]` is called");
    }
}

#[test]
fn without_any_settings_there_are_rules_and_the_log_tells() {
    let webox = Webox::with_le_gourmet();
    for n in 1..=6 {
        seed::call(&webox, n, 10, CallStatus::Failed);
    }
    let file =
        webox.file("webox.toml", "[[alerts.rules]]\nrule = \"failed-calls\"\nfor = \"0s\"\n");
    let webox = webox.env("WEBOX_CONFIG", file);
    let daemon = Daemon::start(&webox);
    let line = daemon.logged("an alert fires");
    assert!(line.contains("failed-calls") && line.contains("le-gourmet"), "{line}");
    let rules = webox.run(["alerts", "rules", "-o", "json"]).ok().json();
    let names: Vec<_> = rules["rules"].as_array().unwrap().iter().map(|one| &one["rule"]).collect();
    for rule in webox::domain::AlertKind::ALL {
        let count = names.iter().filter(|name| **name == rule.as_str()).count();
        assert_eq!(count, 1, "{rule}");
    }
}

#[test]
fn far_away_the_same_is_seen_and_done() {
    let webox = Webox::with_le_gourmet();
    for n in 21..=26 {
        seed::call(&webox, n, 10, CallStatus::Failed);
    }
    let file =
        webox.file("webox.toml", "[[alerts.rules]]\nrule = \"failed-calls\"\nfor = \"0s\"\n");
    let world =
        World::of(webox.env("WEBOX_CONFIG", file).env("WEBOX_TRUSTED_PROXIES", "127.0.0.1"));
    let fires = |alert: &Value| alert["state"] == "firing" && alert["rule"] == "failed-calls";
    let alert = until(&world.webox, fires);
    let (admin, owner, other) =
        (world.far(Who::Admin), world.far(Who::Owner), world.far(Who::Other));
    for desk in [&admin, &owner] {
        let far = desk.run(["alerts", "-o", "json"]).ok().json();
        assert_eq!(far["alerts"][0]["id"], alert["id"]);
        let rules = desk.run(["alerts", "rules", "--assistant", "le-gourmet", "-o", "json"]).ok();
        rules.prints("\"failed-calls\"");
    }
    assert_eq!(other.run(["alerts", "-o", "json"]).ok().json()["alerts"], serde_json::json!([]));
    let id = alert["id"].to_string();
    other.run(["alerts", "ack", &id]).code(1);
    other.run(["alerts", "silence", "latency", "--for", "1h", "--assistant", "le-gourmet"]).code(1);
    other.run(["alerts", "silence", "latency", "--for", "1h"]).code(77);
    owner
        .run(["alerts", "silence", "failed-calls", "--for", "1h", "--assistant", "le-gourmet"])
        .ok();
    let far = admin.run(["alerts", "-o", "json"]).ok().json();
    assert!(far["alerts"][0]["silenced_until"].is_string(), "{far}");
    owner.run(["alerts", "silence", "failed-calls", "--end", "--assistant", "le-gourmet"]).ok();
    owner.run(["alerts", "ack", &id]).ok();
    owner.run(["alerts", "test"]).code(77);
    admin.run(["alerts", "test"]).ok();
    let lines = world.webox.run(["audit", "-o", "json"]).ok();
    lines.prints("alert.silence").prints("alert.unsilence").prints("alert.ack");
}
