//! What clients owe for a month: counted as their plans say, billed once, never changed; and what
//! happens at the limit of a plan.

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Value, json};
use webox::domain::CallStatus;

use crate::support::{
    api::{Who, World},
    cmd::{LE_GOURMET, Webox},
    daemon::{Daemon, sid, spoken},
    seed,
};

const SELLER: &str = r#"
[seller]
vat  = 20
iban = "FR76 3000 6000 0112 3456 7890 189"
[seller.company]
name       = "Agence Écho"
street     = ["1 rue de la Paix"]
postcode   = "75002"
city       = "Paris"
country    = "FR"
siren      = "732829320"
vat_number = "FR44732829320"
email      = "factures@agence-echo.example"
"#;

const PLANS: &str = r#"
[plans.small]
month = 31
calls = 3
call  = "2"
[plans.watched]
calls    = 1
at_limit = "alert"
[plans.free]
calls    = 2
at_limit = "block"
"#;

/// A client with an address, who pays from October 2026 on.
fn client(name: &str, plan: &str) -> String {
    format!(
        "[clients.\"{name}\"]\nplan = \"{plan}\"\nstart = 2026-10-01\n\
         [clients.\"{name}\".company]\nstreet = [\"12 quai de l'Île\"]\npostcode = \"35000\"\n\
         city = \"Rennes\"\ncountry = \"FR\"\nsiren = \"552100554\"\nemail = \"c@client.example\"\n"
    )
}

const GOURMET: &str = "Restaurant Le Gourmet";

/// A home where Le Gourmet answers, and an agency bills.
fn billing(clients: &str) -> Webox {
    let webox = Webox::new();
    webox.file("config/webox/webox.toml", "");
    webox.file("config/webox/billing.toml", &format!("{SELLER}{PLANS}{clients}"));
    webox.run(["apply", "--yes", LE_GOURMET]).ok();
    webox
}

/// Another assistant, of another client.
fn assistant(webox: &Webox, n: u32, client: &str) {
    let phone = format!("+331400000{n:02}");
    let args = ["assistants", "create", "--client", client, "--phone", &phone, "--context", "x"];
    webox.run(args).ok();
}

fn calls_of_october(webox: &Webox) {
    let store = seed::store(webox);
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    // The clocks of Paris were set back on the 25th: the month has an hour more.
    for (n, moment) in [
        (1, "2026-09-30T21:59:59Z"),
        (2, "2026-09-30T22:00:00Z"),
        (3, "2026-10-25T00:30:00Z"),
        (4, "2026-10-25T01:30:00Z"),
        (5, "2026-10-31T22:59:59Z"),
        (6, "2026-10-31T23:00:00Z"),
        (7, "2026-10-10T10:00:00Z"),
        (8, "2026-10-10T11:00:00Z"),
        (9, "2026-10-10T12:00:00Z"),
        (10, "2026-10-10T13:00:00Z"),
    ] {
        seed::call_at(&store, n, at(moment), CallStatus::Completed);
    }
    seed::call_at(&store, 11, at("2026-10-11T10:00:00Z"), CallStatus::Rejected);
    seed::call_at(&store, 12, at("2026-10-11T11:00:00Z"), CallStatus::NoAnswer);
    let sql = Connection::open(webox.db()).unwrap();
    let set = |n, what: &str| {
        let changed = sql
            .execute(&format!("UPDATE calls SET {what} WHERE sid = ?1"), [seed::sid(n)])
            .unwrap();
        assert_eq!(changed, 1);
    };
    set(7, "duration_s = 4");
    set(8, "duration_s = 5");
    set(9, "outcome = 'failed'");
    set(10, "status = 'failed'");
}

fn preview(webox: &Webox, month: &str) -> Value {
    let ran = webox.run(["billing", "preview", "--month", month, "-o", "json"]).ok();
    ran.json()["previews"].clone()
}

#[test]
fn a_month_counts_what_its_plan_says_on_the_clocks_of_the_agency() {
    let webox = billing(&client(GOURMET, "small"));
    calls_of_october(&webox);
    let told = preview(&webox, "2026-10");
    // Four on the edges and the night of two hours, and the one that was just long enough.
    let usage = &told[0]["usage"][0];
    assert_eq!((&usage["calls"], &usage["seconds"]), (&json!(5), &json!(4 * 75 + 5)), "{told}");
    assert_eq!(usage["covered_calls"], 3);
    let lines: Vec<(&Value, &Value, &Value)> = told[0]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (&line["item"], &line["quantity"], &line["net"]))
        .collect();
    let expected =
        [(json!("month"), json!(1), json!("31.00")), (json!("calls"), json!(2), json!("4.00"))];
    assert_eq!(lines, expected.each_ref().map(|(a, b, c)| (a, b, c)));
    assert_eq!(
        (&told[0]["net"], &told[0]["tax"], &told[0]["total"]),
        (&json!("35.00"), &json!("7.00"), &json!("42.00"))
    );
    assert_eq!(told[0]["warnings"], json!([]));
    // Who is forgotten was served all the same.
    webox.run(["privacy", "erase", "--caller", "+33612345678", "--yes"]).ok();
    assert_eq!(preview(&webox, "2026-10")[0]["usage"], told[0]["usage"]);
    // From the 16th on: sixteen days of thirty-one, two of three calls.
    let later = client(GOURMET, "small").replace("2026-10-01", "2026-10-16");
    webox.file("config/webox/billing.toml", &format!("{SELLER}{PLANS}{later}"));
    let told = preview(&webox, "2026-10");
    let usage = &told[0]["usage"][0];
    assert_eq!(
        (&usage["calls"], &usage["covered_calls"], &usage["from"]),
        (&json!(3), &json!(2), &json!("2026-10-16"))
    );
    assert_eq!(told[0]["net"], "18.00", "sixteen euros, and a call beyond: {told}");
    assert_eq!(preview(&webox, "2026-09")[0]["usage"], json!([]));
    let misspelt = later.replace("Le Gourmet\"", "Le Gourmt\"");
    webox.file("config/webox/billing.toml", &format!("{SELLER}{PLANS}{misspelt}"));
    let told = preview(&webox, "2026-10");
    let unknown = told[1]["warnings"][0].as_str().unwrap();
    assert!(unknown.contains("no assistant works for a client of this name"), "{told}");
    webox.file("config/webox/billing.toml", &format!("{SELLER}{PLANS}{later}"));
    let table = webox.run(["billing", "preview", "--month", "2026-10", "-o", "table"]).ok();
    table.prints("3/2").prints("total      21.60 EUR");
    webox
        .run(["billing", "preview", "--client", "Restaurant Le Gourmt"])
        .code(1)
        .says("did you mean `Restaurant Le Gourmet`");
}

/// The numbers of all bills, oldest first, and whose they are.
fn numbers(webox: &Webox) -> Vec<(String, String)> {
    let told = webox.run(["invoices", "-o", "json"]).ok().json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut found: Vec<(String, String)> = told["invoices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bill| (text(&bill["number"]), text(&bill["client"])))
        .collect();
    found.reverse();
    found
}

fn number(n: u32) -> String {
    let now = Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::get("Europe/Paris").unwrap());
    format!("F{}-{n:04}", now.year())
}

#[test]
fn a_month_is_billed_once_when_it_is_over_and_its_bills_never_change() {
    let webox = billing(&(client(GOURMET, "small") + &client("B", "small")));
    assistant(&webox, 1, "B");
    assistant(&webox, 2, "C");
    calls_of_october(&webox);
    let close = ["billing", "close", "--month", "2026-10", "-o", "json"];
    webox.run(["billing", "close", "--month", "2199-12"]).code(3).says("is not over");
    // Nothing is known of C: neither a plan nor an address. That is nobody else's affair.
    let closed = webox.run(close).ok().json();
    let told = |closed: &Value| -> Vec<String> {
        let rows = closed["closed"].as_array().unwrap().iter();
        rows.map(|row| format!("{} {} {}", row["client"], row["closing"], row["number"]))
            .map(|text| text.replace('"', ""))
            .collect()
    };
    let (first, second) = (number(1), number(2));
    let expected = |how: &str| {
        vec![
            format!("B {how} {first}"),
            "C nothing null".to_owned(),
            format!("{GOURMET} {how} {second}"),
        ]
    };
    assert_eq!(told(&closed), expected("issued"));
    let before = webox.run(["invoices", "show", &second, "-o", "json"]).ok().json();
    assert_eq!(before["invoice"]["total"], "42.00");
    assert_eq!(before["invoice"]["month"], "2026-10");
    // Prices and calls that come later change nothing of it.
    let dearer = (client(GOURMET, "pro") + &client("B", "pro")).replace("2026-10", "2026-09");
    webox.file("config/webox/billing.toml", &format!("{SELLER}{PLANS}{dearer}"));
    let at = "2026-10-02T10:00:00Z".parse().unwrap();
    seed::call_at(&seed::store(&webox), 20, at, CallStatus::Completed);
    assert_eq!(told(&webox.run(close).ok().json()), expected("unchanged"));
    assert_eq!(webox.run(["invoices", "show", &second, "-o", "json"]).ok().json(), before);
    assert_eq!(preview(&webox, "2026-10")[2]["net"], "35.00", "as it was billed");
    // Nor does anybody who has the file.
    let sql = Connection::open(webox.db()).unwrap();
    for change in [
        "UPDATE invoices SET net = 1",
        "DELETE FROM invoices",
        "DELETE FROM invoice_assistants",
        "INSERT INTO invoices SELECT 99, series, 99, 'x', client, month, 9, NULL, issued_at, net,
         document FROM invoices LIMIT 1",
        "INSERT OR REPLACE INTO invoices SELECT id, series, 3, 'x', client, month, 9, NULL, issued_at,
         0, document FROM invoices LIMIT 1",
        "INSERT INTO invoices SELECT 99, series, 3, 'x', client, month, round, NULL, issued_at, net,
         document FROM invoices LIMIT 1",
    ] {
        assert!(sql.execute(change, []).is_err(), "{change}");
    }
    let log = webox.run(["audit", "-o", "json"]).ok().stdout;
    assert!(log.contains("invoice.issue") && log.contains(&format!("invoice/{second}")), "{log}");
}

#[test]
fn a_bill_is_taken_back_by_another_one_and_issued_again_for_who_is_named() {
    let webox = billing(&(client(GOURMET, "small") + &client("B", "small")));
    assistant(&webox, 1, "B");
    let close = ["billing", "close", "--month", "2026-10"];
    webox.run(close).ok();
    let first = number(1);
    webox.run(["invoices", "credit", &first]).code(64);
    webox.run(["invoices", "credit", &first, "--yes"]).ok().prints("-37.20");
    webox.run(["invoices", "credit", &first, "--yes"]).code(1).says("was taken back by");
    webox.run(["invoices", "credit", &number(3), "--yes"]).code(1).says("takes");
    let shown = webox.run(["invoices", "show", &number(3), "-o", "json"]).ok().json();
    assert_eq!(shown["invoice"]["credits"]["number"], first.as_str());
    let of = |n: u32, client: &str| (number(n), client.to_owned());
    webox.run(close).ok().prints("taken-back");
    assert_eq!(numbers(&webox), [of(1, "B"), of(2, GOURMET), of(3, "B")]);
    webox.run(["billing", "close", "--month", "2026-10", "--client", "B"]).ok();
    webox.run(["billing", "close", "--month", "2026-10", "--client", "B"]).ok();
    assert_eq!(numbers(&webox), [of(1, "B"), of(2, GOURMET), of(3, "B"), of(4, "B")]);
}

/// Numbers that another database gave, or other software, are not given twice.
#[test]
fn numbers_go_on_from_the_last_one_that_was_given_elsewhere() {
    let webox = billing(&(client(GOURMET, "small") + &client("B", "small")));
    assistant(&webox, 1, "B");
    let close = |client: &str| {
        webox.run(["billing", "close", "--month", "2026-10", "--client", client]).ok();
    };
    close("B");
    let given = |last: u32| {
        let seller = SELLER.replacen(
            "[seller]",
            &format!("[seller]\nlast_number = \"{}\"", number(last)),
            1,
        );
        let clients = client(GOURMET, "small") + &client("B", "small");
        webox.file("config/webox/billing.toml", &format!("{seller}{PLANS}{clients}"));
    };
    let follows = |n: u32| {
        let log = webox.run(["audit", "-o", "json"]).ok().stdout;
        log.contains(&format!("\"follows\":\"{}\"", number(n)))
            || log.contains(&format!("\"follows\": \"{}\"", number(n)))
    };
    given(41);
    close(GOURMET);
    assert!(follows(41), "what a number was taken from is in the log");
    webox.run(["invoices", "credit", &number(42), "--yes"]).ok();
    // It may stay in the file, or go: what is here counts.
    given(7);
    webox.run(["invoices", "credit", &number(1), "--yes"]).ok();
    let here: Vec<String> = numbers(&webox).into_iter().map(|(number, _)| number).collect();
    assert_eq!(here, [number(1), number(42), number(43), number(44)]);
    assert!(!follows(7), "nothing follows what was passed over");
}

#[test]
fn who_closes_at_once_or_is_killed_leaves_one_bill_a_client_without_a_gap() {
    let names = ["A", "B", "C", "D", "E", GOURMET];
    let clients: String = names.iter().map(|name| client(name, "small")).collect();
    let webox = billing(&clients);
    for (n, name) in (1..).zip(&names[..5]) {
        assistant(&webox, n, name);
    }
    let months = ["2026-10", "2026-09", "2026-08"];
    let earlier = clients.replace("2026-10-01", "2026-08-01");
    webox.file("config/webox/billing.toml", &format!("{SELLER}{PLANS}{earlier}"));
    for month in months {
        let close = ["billing", "close", "--month", month];
        let mut children: Vec<_> = (0..6).map(|_| webox.command(close).spawn().unwrap()).collect();
        // Some are killed somewhere on their way.
        for (n, child) in children.iter_mut().enumerate().take(3) {
            std::thread::sleep(std::time::Duration::from_millis(n as u64 * 15));
            child.kill().unwrap();
        }
        for mut child in children {
            child.wait().unwrap();
        }
        webox.run(close).ok();
    }
    let issued = numbers(&webox);
    let expected: Vec<String> = (1..=18).map(number).collect();
    assert_eq!(issued.iter().map(|(number, _)| number.clone()).collect::<Vec<_>>(), expected);
    for name in names {
        assert_eq!(issued.iter().filter(|(_, client)| client == name).count(), 3, "{name}");
    }
}

#[test]
fn what_cannot_be_billed_is_told_and_keeps_nobody_else_back() {
    let nowhere = "[clients.B]\nplan = \"small\"\nstart = \"2026-10-01\"\n";
    let webox = billing(&(client(GOURMET, "small") + nowhere));
    assistant(&webox, 1, "B");
    let told = preview(&webox, "2026-10");
    assert!(told[0]["warnings"][0].as_str().unwrap().contains("whole address"), "{told}");
    let close = ["billing", "close", "--month", "2026-10"];
    let ran = webox.run(close).code(1).says("1 bill could not be issued");
    assert!(ran.stdout.contains("whole address") && ran.stdout.contains(&number(1)));
    let mended = client(GOURMET, "small") + &client("B", "small");
    webox.file("config/webox/billing.toml", &format!("{SELLER}{PLANS}{mended}"));
    webox.run(close).ok();
    let of = |n: u32, client: &str| (number(n), client.to_owned());
    assert_eq!(numbers(&webox), [of(1, GOURMET), of(2, "B")]);
    // A call that goes on is of the month that it began in.
    let at = "2026-09-30T21:59:00Z".parse().unwrap();
    seed::call_at(&seed::store(&webox), 30, at, CallStatus::InProgress);
    let earlier = mended.replace("2026-10-01", "2026-09-01");
    webox.file("config/webox/billing.toml", &format!("{SELLER}{PLANS}{earlier}"));
    webox.run(["billing", "close", "--month", "2026-09"]).code(1).prints("goes on");
    // Mistakes have a place; without a seller nothing is billed.
    let wrong = webox.file("wrong.toml", "[plans.x]\ncalls = 5\n");
    webox.run(["billing", "check", &wrong]).code(78).says("wrong.toml:2:");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/billing.toml");
    webox.run(["billing", "check", example]).ok().prints("restaurant").says("1 client");
    webox.run(["billing", "check"]).ok().prints("small").says("Agence Écho bills");
    webox.file("config/webox/billing.toml", PLANS);
    webox.run(close).code(3).says("nobody is named who bills");
}

#[test]
fn bills_are_exported_for_people_and_for_programs() {
    let webox = billing(&(client(GOURMET, "small") + &client("B", "small")));
    assistant(&webox, 1, "B");
    calls_of_october(&webox);
    webox.run(["billing", "close", "--month", "2026-10"]).ok();
    let gourmet = number(2);
    let csv = webox.run(["invoices", "export", "--month", "2026-10"]).ok().stdout;
    assert_eq!(csv.lines().count(), 4, "{csv}");
    assert!(csv.starts_with("number,credits,issued,due,month,client,buyer,assistant,item,"));
    assert!(csv.contains("calls,\"Appels au-delà du forfait (5 appels, 3 compris)\",2,2.00,4.00"));
    let page = webox.run(["invoices", "export", &gourmet, "--format", "html"]).ok().stdout;
    assert!(page.contains(&format!("Facture {gourmet}")) && page.contains("42,00\u{a0}€"));
    let xml = webox.run(["invoices", "export", &gourmet, "--format", "xml"]).ok().stdout;
    assert!(xml.contains("<ram:GrandTotalAmount>42.00</ram:GrandTotalAmount>"), "{xml}");
    let lines = webox.run(["invoices", "export", "--format", "jsonl"]).ok().stdout;
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["number"], number(1).as_str(), "as they follow each other");
    webox.run(["invoices", "export", "--format", "xml"]).code(64).says("--into");
    webox.run(["invoices", "export", "--format", "html", "--into", "factures"]).ok();
    let written = webox.home().join(format!("factures/{gourmet}.html"));
    assert_eq!(std::fs::read_to_string(written).unwrap(), page);
    webox.run(["invoices", "export", "--format", "pdf", "--into", "factures"]).ok();
    let pdf = std::fs::read(webox.home().join(format!("factures/{gourmet}.pdf"))).unwrap();
    assert!(pdf.starts_with(b"%PDF-1.7") && pdf.ends_with(b"%%EOF"));
    webox.run(["invoices", "show", "F1"]).code(1).says("no bill `F1`");
    webox.run(["invoices", "show", &gourmet, "-o", "table"]).ok().prints("42.00 EUR");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_limit_of_a_plan_callers_hear_so_or_the_agency_is_told() {
    let webox = billing(&client(GOURMET, "free").replace("start = 2026-10-01\n", ""));
    // As if made long ago: this month is paid for from its first day on.
    let sql = Connection::open(webox.db()).unwrap();
    sql.execute("UPDATE assistants SET created_at = created_at - 5000000000", []).unwrap();
    let daemon = Daemon::start(&webox);
    let call = async |n: u32, seconds: u32| {
        let heard = spoken(&daemon.ring(&sid(n)).await);
        daemon.hang_up(&sid(n), seconds).await;
        heard
    };
    assert!(call(1, 30).await.contains("Gourmet, bonjour"));
    // Too short to count; then two at once, of which only one is left.
    assert!(call(2, 4).await.contains("Gourmet, bonjour"));
    assert!(spoken(&daemon.ring(&sid(3)).await).contains("Gourmet, bonjour"));
    let refused = "ne peut plus prendre d'appels";
    assert!(call(4, 3).await.contains(refused));
    daemon.hang_up(&sid(3), 20).await;
    assert!(call(5, 3).await.contains(refused));
    let run = |args: &[&str]| {
        let args = args.to_vec();
        tokio::task::block_in_place(|| webox.run(args).ok())
    };
    let shown = run(&["calls", "show", sid(5).as_str(), "-o", "json"]).json();
    assert_eq!(shown["call"]["end_reason"], "plan-limit");
    daemon.logged("used up to what its plan covers");
    let month = run(&["billing", "preview", "-o", "json"]);
    let told = month.json()["previews"][0].clone();
    assert_eq!(told["usage"][0]["calls"], 2, "those that were turned down do not count: {told}");
    assert!(told["usage"][0]["limit_reached_at"].is_string());
    month.says("calls beyond it are turned down");
    daemon.terminate();
    // The same with an alert: everybody is answered, and it is noted once.
    let watched = client(GOURMET, "watched").replace("start = 2026-10-01\n", "");
    webox.file("config/webox/billing.toml", &format!("{SELLER}{PLANS}{watched}"));
    let daemon = Daemon::start(&webox);
    assert!(spoken(&daemon.ring(&sid(6)).await).contains("Gourmet, bonjour"));
    daemon.hang_up(&sid(6), 30).await;
    run(&["billing", "preview"]).says("calls beyond it are not paid for");
    daemon.terminate();
    // What was agreed is over: nothing more is answered for nothing.
    let yesterday = Timestamp::now() - jiff::SignedDuration::from_hours(48);
    let day = yesterday.to_string()[..10].to_owned();
    let over = client(GOURMET, "free").replace("start = 2026-10-01", &format!("end = {day}"));
    webox.file("config/webox/billing.toml", &format!("{SELLER}{PLANS}{over}"));
    let daemon = Daemon::start(&webox);
    assert!(spoken(&daemon.ring(&sid(7)).await).contains(refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_webox_makes_counts_while_it_goes_on_only_where_its_plan_says_so() {
    for (outbound, is_answered) in [(false, true), (true, false)] {
        let webox = billing(&client(GOURMET, "free").replace("start = 2026-10-01\n", ""));
        let plans = PLANS.replace(
            "at_limit = \"block\"",
            &format!("at_limit = \"block\"\ncounts = {{ outbound = {outbound} }}"),
        );
        let clients = client(GOURMET, "free").replace("start = 2026-10-01\n", "");
        webox.file("config/webox/billing.toml", &format!("{SELLER}{plans}{clients}"));
        let sql = Connection::open(webox.db()).unwrap();
        sql.execute("UPDATE assistants SET created_at = created_at - 5000000000", []).unwrap();
        let daemon = Daemon::start(&webox);
        assert!(spoken(&daemon.ring(&sid(1)).await).contains("Gourmet, bonjour"));
        daemon.hang_up(&sid(1), 30).await;
        // One of two is left, and a call goes on that was made by the assistant.
        assert!(spoken(&daemon.ring(&sid(2)).await).contains("Gourmet, bonjour"));
        let made = "UPDATE calls SET direction = 'outbound' WHERE sid = ?1 AND ended_at IS NULL";
        assert_eq!(sql.execute(made, [sid(2).as_str()]).unwrap(), 1);
        let heard = spoken(&daemon.ring(&sid(3)).await);
        let expected =
            if is_answered { "Gourmet, bonjour" } else { "ne peut plus prendre d'appels" };
        assert!(heard.contains(expected), "outbound = {outbound}: {heard}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_does_not_get_onto_the_bill_of_anothers_client() {
    let world = World::new();
    let made = json!({ "name": "intruder", "client_name": "restaurant  le gourmet",
        "twilio_phone_number": "+33140000009", "ai_context": "x" });
    let create =
        |who, body: &Value| world.ask(who, "POST", "/api/voice/assistants", Some(body.clone()));
    let refused = create(Who::Other, &made).await.status(403);
    assert!(refused.text.contains("the client of another's assistant"), "{}", refused.text);
    let mut own = made.clone();
    own["client_name"] = json!("Chez Moi");
    let own = create(Who::Other, &own).await.status(201);
    let place = own.header("location").to_owned();
    let change = json!({ "client_name": GOURMET });
    world.ask(Who::Other, "PUT", &place, Some(change.clone())).await.status(403);
    // Whose the client is, and who administers, may.
    let mut second = made.clone();
    second["name"] = json!("second");
    second["twilio_phone_number"] = json!("+33140000010");
    create(Who::Owner, &second).await.status(201);
    world.ask(Who::Admin, "PUT", &place, Some(change)).await.status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_what_is_paid_without_what_it_cost() {
    let webox = billing(&client(GOURMET, "small").replace("start = 2026-10-01\n", ""));
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    daemon.hang_up(&sid(1), 61).await;
    let run = |args: &[&str]| {
        let args = args.to_vec();
        tokio::task::block_in_place(|| webox.run(args).ok())
    };
    let told = run(&["margin", "-o", "json"]).json();
    let row = &told["margins"][0];
    let cents = |value: &Value| -> i64 {
        let text = value.as_str().unwrap();
        text.replace('.', "").parse().unwrap()
    };
    let spent = run(&["costs", "-o", "json"]).json();
    let spent: f64 = spent["costs"]["eur"].as_str().unwrap().parse().unwrap();
    assert!(spent > 0.0);
    assert_eq!(cents(&row["cost"]), (spent * 100.0).round() as i64, "{told}");
    let preview = run(&["billing", "preview", "-o", "json"]).json();
    assert_eq!(row["revenue"], preview["previews"][0]["net"]);
    assert_eq!(cents(&row["margin"]), cents(&row["revenue"]) - cents(&row["cost"]));
    assert_eq!((&row["client"], &row["invoiced"]), (&json!(GOURMET), &json!(false)));
    run(&["margin", "-o", "table"]).prints("in all");
}

#[test]
fn a_client_sees_its_own_bills_only_also_from_afar() {
    let webox = billing(&(client(GOURMET, "small") + &client("B", "small")));
    assistant(&webox, 1, "B");
    let world = World::of(webox.env("WEBOX_TRUSTED_PROXIES", "127.0.0.1"));
    let far = |who: Who| world.far(who);
    // The world has a bill of January already, with another number in the series of 2026.
    far(Who::Owner).run(["billing", "preview", "--month", "2026-10"]).code(77);
    far(Who::Owner).run(["margin"]).code(77);
    far(Who::Owner).run(["billing", "close", "--month", "2026-10"]).code(77);
    let close = ["billing", "close", "--month", "2026-10", "-o", "json"];
    far(Who::AdminWriter).run(close).code(77);
    let closed = far(Who::Admin).run(close).ok().json();
    let row = |n: usize| closed["closed"][n]["number"].as_str().unwrap().to_owned();
    let (theirs, mine) = (row(0), row(1));
    let seen = far(Who::Owner).run(["invoices", "-o", "ids"]).ok().stdout;
    assert_eq!(seen.lines().collect::<Vec<_>>(), [mine.as_str(), "F2026-0001"]);
    assert_eq!(far(Who::Other).run(["invoices", "-o", "ids"]).ok().stdout, "");
    far(Who::Owner).run(["invoices", "show", &theirs]).code(1);
    let here = world.webox.run(["invoices", "show", &mine, "-o", "json"]).ok().json();
    let there = far(Who::Owner).run(["invoices", "show", &mine, "-o", "json"]).ok().json();
    assert_eq!(here, there);
    let page =
        |webox: &Webox| webox.run(["invoices", "export", &mine, "--format", "html"]).ok().stdout;
    assert_eq!(page(&world.webox), page(&far(Who::Reader)));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let path = format!("/api/voice/invoices/{mine}/page");
    let served = runtime.block_on(world.get(Who::Reader, &path)).status(200);
    assert_eq!(served.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(served.text, page(&world.webox));
    let path = format!("/api/voice/invoices/{mine}/pdf");
    let served = runtime.block_on(world.get(Who::Reader, &path)).status(200);
    assert_eq!(served.header("content-type"), "application/pdf");
    let pdf = |webox: &Webox| {
        webox.run(["invoices", "export", &mine, "--format", "pdf", "--into", "pdf"]).ok();
        std::fs::read(webox.home().join(format!("pdf/{mine}.pdf"))).unwrap()
    };
    assert_eq!(pdf(&world.webox), pdf(&far(Who::Reader)));
    far(Who::Owner).run(["invoices", "credit", &mine, "--yes"]).code(77);
    far(Who::Admin).run(["invoices", "credit", &mine, "--yes"]).ok();
    let month = ["billing", "preview", "--month", "2026-10", "-o", "json"];
    assert_eq!(world.webox.run(month).ok().json(), far(Who::AdminReader).run(month).ok().json());
    // Whoever no longer has the assistant no longer has its bills.
    world.webox.run(["assistants", "give", "le-gourmet", "--to", "other@agence.fr"]).ok();
    assert_eq!(far(Who::Owner).run(["invoices", "-o", "ids"]).ok().stdout, "");
}
