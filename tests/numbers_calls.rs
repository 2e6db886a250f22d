//! Calls that Twilio has had and that nobody here knows, or not whole; and the address that it falls
//! back to.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::{
    numbers::{ACCOUNT, with_le_gourmet},
    support::{
        cmd::Webox,
        daemon::{Daemon, NUMBER, sid, spoken},
    },
};

fn ago(minutes: i64) -> Timestamp {
    let at = Timestamp::now() - SignedDuration::from_mins(minutes);
    Timestamp::from_second(at.as_second()).unwrap()
}

#[test]
fn calls_that_twilio_has_are_entered_once() {
    let (twilio, webox) = with_le_gourmet();
    // The assistant is from before these calls.
    rusqlite::Connection::open(webox.db())
        .unwrap()
        .execute("UPDATE assistants SET created_at = created_at - 864000000", [])
        .unwrap();
    let call = |number: u32| format!("CA{number:032x}");
    let priced = json!({ "duration": "61", "price": "-0.0200" });
    twilio.call(ACCOUNT, &call(101), ago(90), &priced);
    twilio.call(ACCOUNT, &call(102), ago(80), &json!({ "status": "no-answer" }));
    twilio.call(ACCOUNT, &call(103), ago(70), &json!({ "direction": "outbound-api", "from": NUMBER, "to": "+33612345678", "duration": "10", "price": "-0.0400" }));
    twilio.call(
        ACCOUNT,
        &call(104),
        ago(60),
        &json!({ "direction": "outbound-dial", "parent_call_sid": call(101) }),
    );
    twilio.call(ACCOUNT, &call(105), ago(50), &json!({ "to": "+33199999999" }));
    twilio.call(ACCOUNT, &call(106), ago(1), &json!({ "status": "in-progress", "end_time": null }));
    twilio.call(ACCOUNT, &call(107), ago(60 * 24 * 4), &priced);
    twilio.pages_of(2);
    let list = ["twilio", "calls", "--since", "2d", "-o", "json"];
    let found = webox.run(list).ok().json();
    let differences: Vec<&str> = found["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["difference"].as_str().unwrap())
        .collect();
    assert_eq!(differences, ["missing"; 3], "{found}");
    assert_eq!((&found["strangers"], &found["going_on"]), (&json!(1), &json!(1)));
    webox.run(["calls", "-o", "ids"]).ok().silent();
    webox.run(["twilio", "calls", "--apply"]).code(64).says("--yes");
    webox.run(["calls", "-o", "ids"]).ok().silent();
    webox.run(["twilio", "calls", "--apply", "--yes"]).ok().says("3 calls entered");
    let costs = || webox.run(["costs", "-o", "json"]).ok().json();
    let before = costs();
    let calls = || webox.run(["calls", "-o", "json"]).ok().json()["calls"].clone();
    let entered = calls();
    assert_eq!(entered.as_array().unwrap().len(), 3);
    let first =
        entered.as_array().unwrap().iter().find(|one| one["call_sid"] == call(101)).unwrap();
    assert_eq!((&first["duration"], &first["status"]), (&json!(61), &json!("completed")));
    let out = entered.as_array().unwrap().iter().find(|one| one["call_sid"] == call(103)).unwrap();
    assert_eq!(
        (&out["direction"], &out["from_number"]),
        (&json!("outbound"), &json!("+33612345678"))
    );
    // Twice is once.
    webox.run(["twilio", "calls", "--apply", "--yes"]).ok().says("0 missing, 0 open, 0 without");
    assert_eq!((calls(), costs()), (entered, before.clone()));
    assert!(before.to_string().contains("0.06"), "what was charged is there: {before}");
}

#[test]
fn a_call_whose_end_was_lost_is_ended_with_its_length_and_price() {
    let (twilio, webox) = with_le_gourmet();
    // Prices of one's own, which commands go by as the daemon does.
    let own = "[[rate]]\nprovider = \"twilio\"\nproduct = \"inbound-FR\"\nprices = { minute = \"0.5\" }\n";
    webox.file("config/webox/rates.toml", own);
    let daemon = Daemon::start(&webox);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        daemon.ring(&sid(1)).await;
        daemon.ring(&sid(2)).await;
    });
    let started = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    // One is over at Twilio, with nobody having said so here; the other goes on.
    let over = json!({ "duration": "75", "price": "-0.0200" });
    twilio.call(ACCOUNT, sid(1).as_str(), started - SignedDuration::from_secs(80), &over);
    twilio.call(
        ACCOUNT,
        sid(2).as_str(),
        started - SignedDuration::from_secs(80),
        &json!({ "status": "in-progress" }),
    );
    let found = webox.run(["twilio", "calls", "-o", "json"]).ok().json();
    assert_eq!(found["calls"][0]["difference"], json!("open"));
    assert_eq!(found["calls"].as_array().unwrap().len(), 1);
    webox.run(["twilio", "calls", "--apply", "--yes"]).ok().says("1 call entered");
    let shown = webox.run(["calls", "-o", "json"]).ok().json();
    let shown = shown["calls"].as_array().unwrap();
    let one = shown.iter().find(|one| one["call_sid"] == sid(1).as_str()).unwrap();
    assert_eq!((&one["status"], &one["duration"]), (&json!("completed"), &json!(75)));
    let cost = webox.run(["calls", "show", sid(1).as_str(), "-o", "json"]).ok().json();
    assert_eq!(cost["call"]["cost"]["usd"], json!("1.00"), "two minutes");
    let other = shown.iter().find(|one| one["call_sid"] == sid(2).as_str()).unwrap();
    assert_eq!(other["status"], json!("in-progress"));
    let costs = webox.run(["costs", "-o", "json"]).ok().json();
    // The callback comes after all, and changes nothing.
    let late = [("CallStatus", "completed"), ("CallDuration", "75")];
    runtime.block_on(daemon.post("status", &sid(1), &late));
    webox.run(["twilio", "calls", "--apply", "--yes"]).ok().says("1 the same");
    assert_eq!(webox.run(["costs", "-o", "json"]).ok().json(), costs);
    // One that the assistant hung up, and whose length was guessed for want of its callback.
    runtime.block_on(daemon.post("status", &sid(2), &[("CallStatus", "completed")]));
    rusqlite::Connection::open(webox.db())
        .unwrap()
        .execute(
            "UPDATE calls SET end_reason = 'assistant-hung-up' WHERE sid = ?1",
            [sid(2).as_str()],
        )
        .unwrap();
    twilio.call(
        ACCOUNT,
        sid(2).as_str(),
        started - SignedDuration::from_secs(95),
        &json!({ "duration": "95", "price": "-0.0200" }),
    );
    webox.run(["twilio", "calls", "--apply", "--yes"]).ok().says("1 open");
    webox.run(["twilio", "calls"]).ok().says("0 open");
    let shown = webox.run(["calls", "-o", "json"]).ok().json();
    let shown = shown["calls"].as_array().unwrap();
    let guessed = shown.iter().find(|one| one["call_sid"] == sid(2).as_str()).unwrap();
    assert_eq!(
        (&guessed["duration"], &guessed["end_reason"]),
        (&json!(95), &json!("assistant-hung-up")),
        "{guessed}"
    );
    // One whose price is known already, and whose length proves to be another: what was charged is held
    // against the minutes that are reckoned now, by the call and in all, and its end is Twilio's.
    rusqlite::Connection::open(webox.db())
        .unwrap()
        .execute("UPDATE calls SET end_reason = 'swept' WHERE sid = ?1", [sid(2).as_str()])
        .unwrap();
    let longer = json!({ "duration": "601", "price": "-0.0200" });
    twilio.call(ACCOUNT, sid(2).as_str(), started, &longer);
    webox.run(["twilio", "calls", "--apply", "--yes"]).ok().says("1 open");
    let costs = webox.run(["costs", "-o", "json"]).ok().json();
    assert_eq!(costs["costs"]["twilio"]["reckoned"]["usd"], json!("6.50"), "13 minutes: {costs}");
    assert_eq!(costs["costs"]["twilio"]["charged"]["usd"], json!("0.04"));
    let call = webox.run(["calls", "show", sid(2).as_str(), "-o", "json"]).ok().json();
    let ended: Timestamp = call["call"]["ended_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(ended, started + SignedDuration::from_secs(601), "{call}");
}

#[test]
fn the_fallback_address_apologises_and_puts_through_and_knows_strangers() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let answer = runtime.block_on(daemon.post("fallback", &sid(1), &[("ErrorCode", "11200")]));
    assert_eq!(answer.status, 200);
    assert!(spoken(&answer).contains("désolé"), "{}", answer.body);
    // A number of nobody's hears it in its own country's language.
    let second = sid(2);
    let other = daemon.post_from("+12125550199", "+12125550100", "fallback", &second, &[]);
    let answer = runtime.block_on(other);
    assert!(spoken(&answer).to_lowercase().contains("sorry"), "{}", answer.body);
    let url = format!("http://{}/api/voice/webhook/fallback", daemon.address);
    let stranger = runtime.block_on(async {
        reqwest::Client::new().post(url).body("CallSid=CA1").send().await.unwrap().status()
    });
    assert_eq!(stranger.as_u16(), 403);
}

#[test]
fn the_fallback_address_needs_no_database() {
    let webox = Webox::new();
    let file = webox.file(
        "inn.toml",
        &format!(
            "name = \"inn\"\nclient = \"The Inn\"\nphone = \"{NUMBER}\"\ncontext = \"An inn.\"\n\
             [voice]\nlanguage = \"en-US\"\n[transfer]\nnumber = \"+33155667788\"\n"
        ),
    );
    webox.run(["apply", "--yes", &file]).ok();
    let daemon = Daemon::start(&webox);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // Somebody called: who has the number is in mind.
    runtime.block_on(daemon.ring(&sid(1)));
    let store = rusqlite::Connection::open(webox.db()).unwrap();
    store.execute("ALTER TABLE assistants RENAME TO gone", []).unwrap();
    let answer = runtime.block_on(daemon.post("fallback", &sid(2), &[]));
    assert_eq!(answer.status, 200);
    assert!(spoken(&answer).contains("I'm sorry"), "{}", answer.body);
    assert!(answer.body.contains("+33155667788"), "a human is put through: {}", answer.body);
}

#[test]
fn a_call_of_when_the_number_was_another_ones_is_nobodys() {
    let (twilio, webox) = with_le_gourmet();
    let sql = rusqlite::Connection::open(webox.db()).unwrap();
    sql.execute("UPDATE assistants SET created_at = created_at - 864000000", []).unwrap();
    // Ten days ago it had another number, and this one since an hour.
    let older = "INSERT INTO assistant_versions
            (assistant_id, revision, spec, deleted, at, apply_id, author)
        SELECT assistant_id, 0, replace(spec, '+33123456789', '+33199999998'), 0,
            at - 864000000, apply_id, author FROM assistant_versions";
    assert_eq!(sql.execute(older, []).unwrap(), 1);
    sql.execute("UPDATE assistant_versions SET at = at - 3600000 WHERE revision > 0", []).unwrap();
    drop(sql);
    let priced = json!({ "duration": "61", "price": "-0.0200" });
    twilio.call(ACCOUNT, &format!("CA{:032x}", 101), ago(90), &priced);
    twilio.call(ACCOUNT, &format!("CA{:032x}", 102), ago(30), &priced);
    let found = webox.run(["twilio", "calls", "--since", "2d", "-o", "json"]).ok().json();
    assert_eq!(found["strangers"], 1, "{found}");
    assert_eq!(found["calls"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["calls"][0]["sid"].as_str().unwrap(), format!("CA{:032x}", 102));
    assert_eq!(found["unread"], json!([]));
}
