//! Each way by which somebody is told of an alert, through a real daemon: SMS over Twilio, Slack and
//! what takes the same, Teams, Discord. What arrives is as its vendor wants it, a door that fails is
//! knocked at again, and no address of a channel, which is a key, stands in any log.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use crate::{
    alerts_told::{all_arrived, until},
    support::{
        cmd::Webox,
        daemon::{Daemon, NUMBER, TOKEN, sid},
        fake_twilio::FakeTwilio,
        receiver::{Received, Receiver, Reply},
    },
};

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const ON_CALL: &str = "+33612340000";

/// Addresses as the vendors give them out. What is behind the host is a key.
const SLACK: &str = "/services/T00000000/B00000000/slackkeyslackkeyslackkey";
const MATTERMOST: &str = "/hooks/mattermostkeymattermostk";
const TEAMS: &str = "/workflows/0a1b/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers&sig=teamskeyteamskey";
const DISCORD: &str = "/api/webhooks/123456789012345678/discordkey-discord_key";

const KEYS: [&str; 5] =
    ["slackkeyslackkey", "mattermostkey", "teamskeyteamskey", "discordkey-discord", TOKEN];

/// What watches failed calls and nothing else that could turn, and tells these.
pub(crate) fn settings(to: &str, rule: &str, destinations: &str) -> String {
    format!(
        r#"
[outgoing]
allowed_networks = ["127.0.0.0/8"]
allow_http = true

[alerts]
to = [{to}]

[[alerts.rules]]
rule = "failed-calls"
threshold = "50%"
for = "0s"
recover_for = "0s"
at_least = 1
{rule}

[[alerts.rules]]
rule = "disk"
active = false

{destinations}
"#
    )
}

pub(crate) fn chat(name: &str, kind: &str, variable: &str) -> String {
    format!(
        "[[alerts.destinations]]\nname = \"{name}\"\nkind = \"{kind}\"\nsecret = {{ env = \"{variable}\" }}\n\n"
    )
}

/// A call that fails.
pub(crate) fn fail(daemon: &Daemon, n: u32) {
    run(async {
        daemon.ring(&sid(n)).await;
        daemon.post("status", &sid(n), &[("CallStatus", "failed"), ("CallDuration", "3")]).await;
    });
}

/// Three calls that go well, from one number on: what failed is no longer too much.
pub(crate) fn mend(daemon: &Daemon, from: u32) {
    run(async {
        for n in from..from + 3 {
            daemon.ring(&sid(n)).await;
            daemon.hang_up(&sid(n), 40).await;
        }
    });
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

/// An incoming webhook: it takes JSON that is posted to its own address, and says what is wrong with
/// what it does not take, as its vendor would.
fn door(
    address: &'static str,
    wrong: fn(&Value) -> Option<&'static str>,
    taken: Reply,
) -> Receiver {
    Receiver::answering(move |received| {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let is_at_home = received.path == path
            && received.query.iter().all(|(name, _)| query.contains(name.as_str()))
            && received.query.is_empty() == query.is_empty();
        if !is_at_home {
            return Reply::Says(404, "no such webhook".to_owned());
        }
        if received.method != "POST" || received.header("content-type") != "application/json" {
            return Reply::Says(415, "not JSON that is posted".to_owned());
        }
        match wrong(&received.json()) {
            Some(what) => Reply::Says(400, what.to_owned()),
            None => taken.clone(),
        }
    })
}

/// Every key of an object is one of these.
fn has_only(value: &Value, keys: &[&str]) -> bool {
    value.as_object().is_some_and(|object| object.keys().all(|key| keys.contains(&key.as_str())))
}

/// A text, and in it no sign that Slack reads as its own.
fn wrong_for_slack(body: &Value) -> Option<&'static str> {
    let text = body["text"].as_str().unwrap_or_default();
    match () {
        () if !has_only(body, &["text"]) => Some("invalid_payload"),
        () if text.is_empty() => Some("no_text"),
        () if text.chars().count() > 40_000 => Some("msg_too_long"),
        () if text.contains(['<', '>']) => Some("invalid_payload"),
        () => None,
    }
}

/// An adaptive card in a message: nothing else comes through a workflow.
fn wrong_for_teams(body: &Value) -> Option<&'static str> {
    let attachments = body["attachments"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [attachment] = attachments else { return Some("one attachment is wanted") };
    let card = &attachment["content"];
    let blocks = card["body"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_text = |block: &Value| {
        block["type"] == "TextBlock" && block["text"].as_str().is_some_and(|text| !text.is_empty())
    };
    match () {
        () if body["type"] != "message" => Some("no message"),
        () if attachment["contentType"] != "application/vnd.microsoft.card.adaptive" => {
            Some("no adaptive card")
        }
        () if card["type"] != "AdaptiveCard" || !card["version"].is_string() => Some("no card"),
        () if blocks.is_empty() || !blocks.iter().all(is_text) => Some("no text"),
        () if body.to_string().len() > 28_000 => Some("too large"),
        () => None,
    }
}

/// At most 2,000 letters, and nobody who is called by what stands in them.
fn wrong_for_discord(body: &Value) -> Option<&'static str> {
    let text = body["content"].as_str().unwrap_or_default();
    match () {
        () if !has_only(body, &["content", "allowed_mentions"]) => Some("unknown field"),
        () if text.is_empty() => Some("Cannot send an empty message"),
        () if text.encode_utf16().count() > 2_000 => Some("Must be 2000 or fewer in length."),
        () if body["allowed_mentions"] != json!({ "parse": [] }) => Some("somebody is called"),
        () => None,
    }
}

/// What people read of it.
fn words(received: &Received) -> String {
    let body = received.json();
    let blocks = body["attachments"][0]["content"]["body"].as_array();
    let card = blocks.map(|blocks| {
        blocks.iter().map(|one| one["text"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
    });
    let plain = || body["text"].as_str().or(body["content"].as_str()).unwrap().to_owned();
    card.unwrap_or_else(plain)
}

const BEGAN: &str =
    "Alerte : Restaurant Le Gourmet : 100\u{a0}% des appels échouent (seuil : 50\u{a0}%)";
const ENDED: &str = "Terminé : Restaurant Le Gourmet : les appels aboutissent de nouveau";

#[test]
fn every_door_takes_what_it_is_told_again_after_it_failed_and_no_key_is_logged() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let doors = [
        ("slack", "SLACK_URL", SLACK, door(SLACK, wrong_for_slack, Reply::Says(200, "ok".into()))),
        (
            "slack",
            "MATTERMOST_URL",
            MATTERMOST,
            door(MATTERMOST, wrong_for_slack, Reply::Says(200, "ok".into())),
        ),
        ("teams", "TEAMS_URL", TEAMS, door(TEAMS, wrong_for_teams, Reply::status(202))),
        ("discord", "DISCORD_URL", DISCORD, door(DISCORD, wrong_for_discord, Reply::status(204))),
    ];
    let mut places = format!(
        "[[alerts.destinations]]\nname = \"astreinte\"\nkind = \"sms\"\nnumber = \"{ON_CALL}\"\n\n"
    );
    let mut names = vec!["\"astreinte\"".to_owned()];
    let mut webox = Webox::with_le_gourmet()
        .env("WEBOX_LOG", "trace")
        .env("TWILIO_BASE_URL", twilio.url())
        .env("TWILIO_ACCOUNT_SID", ACCOUNT);
    for (kind, variable, address, door) in &doors {
        let name = variable.to_ascii_lowercase();
        places += &chat(&name, kind, variable);
        names.push(format!("\"{name}\""));
        webox = webox.env(variable, format!("{}{address}", door.url()));
        door.next(&[Reply::Says(500, "out of order".to_owned())]);
    }
    let config = webox.file("webox.toml", &settings(&names.join(", "), "", &places));
    let webox = webox.env("WEBOX_CONFIG", config);
    twilio.fail(&[500]);

    let daemon = Daemon::start(&webox);
    fail(&daemon, 1);
    let alert = until(&webox, |alert| all_arrived(alert, 5));
    for notice in alert["notices"].as_array().unwrap() {
        assert_eq!(notice["attempts"], 2, "{notice}");
    }
    mend(&daemon, 2);
    until(&webox, |alert| alert["state"] == "resolved" && all_arrived(alert, 10));
    let log = daemon.log().join("\n");
    assert!(log.contains("it answered 500: out of order"), "the failure is logged");
    assert_eq!(daemon.terminate(), Some(0));

    for (_, variable, _, door) in &doors {
        let received = door.received();
        assert_eq!(received.len(), 3, "{variable}: {received:?}");
        assert_eq!(received[0].body, received[1].body, "the same again");
        let (began, ended) = (words(&received[1]), words(&received[2]));
        assert!(began.starts_with(&format!("{BEGAN}\nRègle : failed-calls\n")), "{began}");
        assert!(began.ends_with("Assistant : le-gourmet"), "{began}");
        assert!(ended.starts_with(&format!("{ENDED}\nRègle : failed-calls\n")), "{ended}");
    }
    // Each SMS is paid for: the title alone, from the number of the assistant that it is about.
    let texts = twilio.wait_for_messages(3);
    let text = |words: &str| [NUMBER, ON_CALL, words].map(str::to_owned);
    assert_eq!(texts, [text(BEGAN), text(BEGAN), text(ENDED)]);
    let messages = twilio
        .asked()
        .into_iter()
        .filter(|(method, path, _)| method == "POST" && path == "Messages.json");
    assert_eq!(messages.count(), 3);

    let seen = [
        log,
        webox.run(["alerts", "list", "--all", "-o", "json"]).ok().stdout,
        webox.run(["alerts", "rules", "-o", "json"]).ok().stdout,
        webox.run(["config", "show", "-o", "json"]).ok().stdout,
        webox.run(["audit", "-o", "json"]).ok().stdout,
    ];
    for key in KEYS {
        for text in &seen {
            let at = text.find(key);
            assert_eq!(at.map(|at| &text[at.saturating_sub(300)..at]), None, "{key}");
        }
    }
}

#[test]
fn a_trial_through_a_door_that_is_gone_says_why_and_not_where_it_was() {
    let gone: Vec<(&str, &str, &str)> = vec![
        ("slack", "SLACK_URL", SLACK),
        ("teams", "TEAMS_URL", TEAMS),
        ("discord", "DISCORD_URL", DISCORD),
    ];
    let nobody = Receiver::start().url();
    let mut webox = Webox::with_le_gourmet();
    let mut places = String::from(
        "[[alerts.destinations]]\nname = \"astreinte\"\nkind = \"sms\"\nnumber = \"+33612340000\"\n\n",
    );
    for (kind, variable, address) in &gone {
        places += &chat(kind, kind, variable);
        webox = webox.env(variable, format!("{nobody}{address}"));
    }
    let config = webox.file("webox.toml", &settings("\"slack\"", "", &places));
    let webox = webox.env("WEBOX_CONFIG", config);
    let ran = webox.run(["alerts", "test", "-o", "json"]).code(1);
    let told = format!("{}{}", ran.stdout, ran.stderr);
    for key in KEYS {
        assert!(!told.contains(key), "{told}");
    }
    let tests = ran.json()["tests"].clone();
    let why = |name: &str| {
        let found = tests.as_array().unwrap().iter().find(|one| one["to"] == name).unwrap();
        assert_eq!(found["arrived"], false);
        found["failure"].as_str().unwrap().to_owned()
    };
    for (kind, ..) in &gone {
        assert!(why(kind).contains("refused"), "{}", why(kind));
    }
    assert!(why("astreinte").contains("give the destination a `from`"), "{}", why("astreinte"));
}

#[test]
fn who_was_not_told_before_somebody_knew_is_told_of_the_end_alone() {
    let slack = door(SLACK, wrong_for_slack, Reply::Says(200, "ok".into()));
    let is_open = Arc::new(AtomicBool::new(false));
    let open = Arc::clone(&is_open);
    let teams = Receiver::answering(move |_| {
        Reply::status(if open.load(Ordering::SeqCst) { 202 } else { 503 })
    });
    let places = chat("slack", "slack", "SLACK_URL") + &chat("teams", "teams", "TEAMS_URL");
    let webox = Webox::with_le_gourmet()
        .env("SLACK_URL", format!("{}{SLACK}", slack.url()))
        .env("TEAMS_URL", format!("{}{TEAMS}", teams.url()));
    let config = webox.file("webox.toml", &settings("\"slack\", \"teams\"", "", &places));
    let webox = webox.env("WEBOX_CONFIG", config);
    let daemon = Daemon::start(&webox);
    fail(&daemon, 1);
    let notice = |alert: &Value, to: &str, event: &str| {
        let notices = alert["notices"].as_array().unwrap().iter();
        let mut found = notices.filter(|one| one["to"] == to && one["event"] == event);
        found.next().cloned().unwrap_or_default()
    };
    let began = "alert.firing";
    let alert = until(&webox, |alert| {
        notice(alert, "slack", began)["state"] == "delivered"
            && notice(alert, "teams", began)["failure"].is_string()
    });
    assert_eq!(notice(&alert, "teams", began)["state"], "pending");

    webox.run(["alerts", "ack", &alert["id"].to_string()]).ok();
    // A try that was on its way just then ends by itself.
    let alert = until(&webox, |alert| notice(alert, "teams", began)["state"] == "dead");
    let why = notice(&alert, "teams", began);
    assert!(why["failure"].as_str().unwrap().contains("somebody knows"), "{why}");
    assert!(alert["acked_at"].is_string(), "{alert}");
    let before = teams.received().len();
    is_open.store(true, Ordering::SeqCst);

    mend(&daemon, 2);
    let ended = "alert.resolved";
    until(&webox, |alert| {
        ["slack", "teams"].iter().all(|to| notice(alert, to, ended)["state"] == "delivered")
    });
    assert_eq!(daemon.terminate(), Some(0));
    let after: Vec<String> = teams.received()[before..].iter().map(words).collect();
    assert!(after.len() == 1 && after[0].starts_with(ENDED), "{after:?}");
    let all: Vec<String> = slack.received().iter().map(words).collect();
    assert!(all.len() == 2 && all[0].starts_with(BEGAN) && all[1].starts_with(ENDED), "{all:?}");
}

#[test]
fn what_goes_on_is_told_again_after_a_kill_and_not_to_who_knows() {
    let slack = door(SLACK, wrong_for_slack, Reply::Says(200, "ok".into()));
    let webox = Webox::with_le_gourmet().env("SLACK_URL", format!("{}{SLACK}", slack.url()));
    let places = chat("slack", "slack", "SLACK_URL");
    let config = webox.file("webox.toml", &settings("\"slack\"", "remind = \"1m\"", &places));
    let webox = webox.env("WEBOX_CONFIG", config);
    let rules = webox.run(["alerts", "rules", "-o", "json"]).ok().json();
    let remind = |name: &str| {
        let rules = rules["rules"].as_array().unwrap();
        rules.iter().find(|rule| rule["rule"] == name).unwrap()["remind"].clone()
    };
    assert_eq!((remind("failed-calls"), remind("latency")), ("1m".into(), "4h".into()));
    let told = |alert: &Value, event: &str| {
        let notices = alert["notices"].as_array().unwrap().iter();
        notices.filter(|one| one["event"] == event && one["state"] == "delivered").count() == 1
    };
    // A minute and more passes while nobody is there.
    let pass = || {
        let file = rusqlite::Connection::open(webox.db()).unwrap();
        file.execute("UPDATE alert_notices SET settled_at = settled_at - 70000", []).unwrap();
    };

    let daemon = Daemon::start(&webox);
    fail(&daemon, 1);
    let alert = until(&webox, |alert| told(alert, "alert.firing"));
    daemon.kill();
    pass();
    let daemon = Daemon::start(&webox);
    until(&webox, |alert| told(alert, "alert.reminder"));
    daemon.kill();
    webox.run(["alerts", "ack", &alert["id"].to_string()]).ok();
    pass();
    let daemon = Daemon::start(&webox);
    mend(&daemon, 2);
    until(&webox, |alert| told(alert, "alert.resolved"));
    assert_eq!(daemon.terminate(), Some(0));
    let all: Vec<String> = slack.received().iter().map(words).collect();
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all[0].starts_with(BEGAN) && all[2].starts_with(ENDED), "{all:?}");
    assert!(all[1].starts_with(&format!("Rappel : {BEGAN}\n")), "{all:?}");
}
