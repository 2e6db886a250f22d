//! Numbers at Twilio: looked for, bought once, connected, checked, given back.

use serde_json::{Value, json};

use crate::support::{
    api::{ADMIN, Who, World},
    cmd::{LE_GOURMET, Webox},
    daemon::{NUMBER, PUBLIC_URL, TOKEN},
    fake_numbers::FakeNumbers,
};

pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000001";
const CLIENTS: &str = "AC00000000000000000000000000000002";
const SUB: &str = "AC00000000000000000000000000000003";
const OTHER: &str = "+33187654321";

/// A Twilio with the agency's account, and a home that knows it.
fn world() -> (FakeNumbers, Webox) {
    let twilio = FakeNumbers::start();
    twilio.account(ACCOUNT, TOKEN);
    let webox = Webox::new()
        .env("TWILIO_BASE_URL", twilio.url())
        .env("TWILIO_ACCOUNT_SID", ACCOUNT)
        .env("TWILIO_AUTH_TOKEN", TOKEN)
        .env("WEBOX_PUBLIC_URL", PUBLIC_URL);
    (twilio, webox)
}

/// The same, where Le Gourmet answers.
pub(crate) fn with_le_gourmet() -> (FakeNumbers, Webox) {
    let (twilio, webox) = world();
    webox.run(["apply", "--yes", LE_GOURMET]).ok();
    (twilio, webox)
}

/// Le Gourmet's file with another line for its number, and more at its end.
fn le_gourmet(phone: &str, more: &str) -> String {
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let lines = text.lines().map(|line| if line.starts_with("phone") { phone } else { line });
    lines.flat_map(|line| [line, "\n"]).collect::<String>() + more
}

fn managed() -> String {
    le_gourmet(&format!("phone = {{ number = \"{NUMBER}\", manage = true }}"), "")
}

fn wired() -> Value {
    let hook = |name: &str| format!("{PUBLIC_URL}/api/voice/webhook/{name}");
    json!({
        "voice_url": format!("{}#rc=2&rp=ct,5xx", hook("incoming")), "voice_method": "POST",
        "voice_fallback_url": hook("fallback"), "voice_fallback_method": "POST",
        "status_callback": format!("{}#rc=2&rp=ct,5xx", hook("status")),
        "status_callback_method": "POST",
    })
}

#[track_caller]
fn is_wired(twilio: &FakeNumbers, number: &str) {
    let owned = twilio.owned(number).unwrap();
    for (setting, value) in wired().as_object().unwrap() {
        assert_eq!(owned[setting], *value, "{setting}");
    }
}

#[test]
fn what_is_to_be_had_is_shown_with_its_price() {
    let (twilio, webox) = world();
    twilio.sells("FR", "Local", "+33187654321", "any");
    twilio.sells("FR", "National", "+33987654321", "local");
    twilio.sells("FR", "Mobile", "+33612345670", "none");
    twilio.price("FR", "local", "1.35");
    let found = webox.run(["numbers", "search", "--country", "fr", "-o", "json"]).ok().json();
    let numbers = found["numbers"].as_array().unwrap();
    assert_eq!(numbers.len(), 2, "no mobile is offered: {numbers:?}");
    assert_eq!(
        (&numbers[0]["number"], &numbers[0]["price"], &numbers[0]["price_unit"]),
        (&json!("+33187654321"), &json!("1.35"), &json!("USD"))
    );
    assert_eq!((&numbers[1]["kind"], &numbers[1]["price"]), (&json!("national"), &Value::Null));
    let table = ["numbers", "search", "--country", "FR", "--contains", "+331*", "-o", "table"];
    webox.run(table).ok().prints("1.35 USD").prints("an address");
    assert!(twilio.asked().iter().any(|(_, path, _)| path.contains("Contains=%2B331*")));
    webox
        .run(["numbers", "search", "--country", "DE", "-o", "ids"])
        .ok()
        .silent()
        .says("No such number");
    webox.run(["numbers", "search", "--country", "France"]).code(64).says("is not a country");
    webox.run(["numbers", "search", "--country", "FR", "--contains", "1"]).code(64);
    assert!(twilio.changes().is_empty());
}

#[test]
fn french_mobile_numbers_are_not_offered() {
    let (twilio, webox) = world();
    twilio.sells("FR", "Mobile", "+33612345670", "none");
    let search = ["numbers", "search", "--country", "FR", "--kind", "mobile"];
    webox.run(search).code(3).silent().says("forbid automated calling").says("local or a national");
    webox.run(["numbers", "buy", "+33612345670", "--yes"]).code(3).says("forbid automated");
    assert!(twilio.asked().is_empty(), "Twilio was not even asked");
    // Elsewhere they are.
    twilio.sells("GB", "Mobile", "+447911123456", "none");
    let search = ["numbers", "search", "--country", "GB", "--kind", "mobile", "-o", "ids"];
    assert_eq!(webox.run(search).ok().stdout, "+447911123456\n");
}

#[test]
fn a_number_is_bought_once_at_a_price_that_was_shown() {
    let (twilio, webox) = world();
    twilio.sells("FR", "Local", OTHER, "none");
    // Nobody is there to say yes, and the price is not known.
    webox.run(["numbers", "buy", OTHER]).code(3).says("does not say what this number costs");
    twilio.price("FR", "local", "1.35");
    webox.run(["numbers", "buy", OTHER]).code(64).says("1.35 USD a month").says("--yes");
    let shown = webox.run(["numbers", "buy", OTHER, "--dry-run", "-o", "json"]).ok();
    let shown = shown.says("Nothing was bought").json();
    assert_eq!(
        (&shown["number"]["price"], &shown["number"]["price_unit"], &shown["number"]["bought"]),
        (&json!("1.35"), &json!("USD"), &json!(false)),
        "{shown}"
    );
    assert!(twilio.changes().is_empty());
    let bought = webox.run(["numbers", "buy", OTHER, "--yes", "-o", "json"]);
    let bought = bought.ok().says("1.35 USD a month").json();
    assert_eq!(bought["number"]["bought"], json!(true));
    // It is there: the same command buys nothing more.
    webox.run(["numbers", "buy", OTHER, "--yes"]).ok().says("already: nothing was bought");
    assert_eq!(twilio.changes().len(), 1);
    webox.run(["numbers", "buy", "+33187654399", "--yes"]).code(1).says("not to be had");
    let audit = webox.run(["audit", "-o", "json"]).ok().stdout;
    assert!(audit.contains("number.buy") && audit.contains("1.35 USD"), "{audit}");
}

#[test]
fn an_answer_that_is_lost_is_looked_for_and_not_asked_for_again() {
    let (twilio, webox) = world();
    twilio.sells("FR", "Local", OTHER, "none");
    twilio.price("FR", "local", "1.35");
    twilio.lose_answers();
    webox.run(["numbers", "buy", OTHER, "--yes"]).ok().says("is yours");
    assert_eq!(twilio.changes().len(), 1, "asked once");
    // Where it was not bought, nobody knows.
    twilio.sells("FR", "Local", "+33187654322", "none");
    let buy = ["numbers", "buy", "+33187654322", "--yes"];
    // List, look, price, papers; then the purchase itself fails.
    let before = twilio.asked().len();
    webox.run(["numbers", "buy", "+33187654322", "--dry-run"]).ok();
    let asked = twilio.asked().len() - before;
    twilio.fail_after(asked, 503);
    webox.run(buy).code(69).says("not known whether").says("webox numbers list");
    assert_eq!(twilio.changes().len(), 2, "a purchase is never asked for twice");
    // One that Twilio did nothing about is.
    twilio.fail_after(asked, 429);
    webox.run(buy).ok().says("is yours");
    assert_eq!(twilio.changes().len(), 4);
}

#[test]
fn what_twilio_did_is_told_though_nothing_can_be_written_here() {
    let (twilio, webox) = with_le_gourmet();
    twilio.sells("FR", "Local", OTHER, "none");
    twilio.price("FR", "local", "1.35");
    let sql = rusqlite::Connection::open(webox.db()).unwrap();
    sql.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'no room'); END",
    )
    .unwrap();
    webox.run(["numbers", "buy", OTHER, "--yes"]).code(4).says("was bought (PN").says("audit log");
    let connect = ["numbers", "connect", "le-gourmet", "--number", OTHER, "--yes"];
    webox.run(connect).code(4).says("come here now").says("does not have it yet");
    webox.run(["numbers", "release", OTHER, "--yes"]).code(4).says("was given back");
    sql.execute_batch("DROP TRIGGER full").unwrap();
}

#[test]
fn papers_and_addresses_that_a_country_wants_are_explained() {
    let (twilio, webox) = world();
    twilio.sells("FR", "Local", OTHER, "local");
    twilio.price("FR", "local", "1.35");
    twilio.regulates("FR", "local");
    webox
        .run(["numbers", "buy", OTHER, "--yes"])
        .code(3)
        .says("a regulatory bundle is needed")
        .says("Business Name")
        .says("Proof of address (Utility bill)")
        .says("--bundle BU");
    let bundle = "BU00000000000000000000000000000001";
    let with_bundle = ["numbers", "buy", OTHER, "--yes", "--bundle", bundle];
    webox.run(with_bundle).code(3).says("needs an address in the country").says("--address AD");
    let address = "AD00000000000000000000000000000001";
    twilio.address(ACCOUNT, address, "FR");
    webox.run(with_bundle).code(3).says(&format!("`--address {address}` (Siège)"));
    assert!(twilio.changes().is_empty());
    // One elsewhere is proposed where one elsewhere is needed.
    let (foreign, abroad) = ("+33187654399", "AD00000000000000000000000000000002");
    twilio.sells("FR", "Local", foreign, "foreign");
    twilio.address(ACCOUNT, abroad, "BE");
    let buy = ["numbers", "buy", foreign, "--yes", "--bundle", bundle];
    let proposed = webox.run(buy).code(3).says(abroad);
    assert!(!proposed.stderr.contains(address), "{}", proposed.stderr);
    // Prices that may not be asked for keep nobody from looking.
    let search = ["numbers", "search", "--country", "FR", "-o", "ids"];
    twilio.fail_after(2, 403);
    webox.run(search).ok().prints(foreign).says("prices could not be looked up");
    webox.run(["numbers", "search", "--country", "FR", "--limit", "0"]).code(64);
    let all = [&with_bundle[..], &["--address", address]].concat();
    webox.run(all).ok();
    let (_, _, body) = twilio.changes().remove(0);
    assert_eq!(body, format!("PhoneNumber=%2B33187654321&AddressSid={address}&BundleSid={bundle}"));
}

#[test]
fn connecting_shows_the_difference_first_and_changes_nothing_twice() {
    let (twilio, webox) = with_le_gourmet();
    let connect = ["numbers", "connect", "le-gourmet", "--yes"];
    webox.run(connect).code(1).says("does not have").says("webox numbers buy");
    twilio.number(
        ACCOUNT,
        NUMBER,
        &json!({ "voice_url": "https://old.example/voice", "voice_method": "GET", "trunk_sid": "TK00000000000000000000000000000001" }),
    );
    webox.run(["numbers", "connect", "le-gourmet"]).code(64).says("https://old.example/voice → ");
    let dry = ["numbers", "connect", "le-gourmet", "-n", "-o", "json"];
    let changes = webox.run(dry).ok().json();
    let settings: Vec<&str> = changes["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["setting"].as_str().unwrap())
        .collect();
    assert_eq!(
        settings,
        ["voice_url", "voice_method", "voice_fallback_url", "status_callback", "trunk_sid"]
    );
    assert!(twilio.changes().is_empty());
    webox.run(connect).ok().says("5 settings changed");
    is_wired(&twilio, NUMBER);
    assert_eq!(twilio.owned(NUMBER).unwrap()["trunk_sid"], json!(""));
    webox.run(connect).ok().says("connected as it should be");
    assert_eq!(twilio.changes().len(), 1, "what is right is not set again");
    let list = webox.run(["numbers", "-o", "json"]).ok().json();
    assert_eq!(
        (&list["numbers"][0]["assistant"], &list["numbers"][0]["leads"]),
        (&json!("le-gourmet"), &json!("here"))
    );
}

#[test]
fn another_number_is_given_to_an_assistant_that_has_it_answered() {
    let (twilio, webox) = with_le_gourmet();
    twilio.number(ACCOUNT, OTHER, &json!({}));
    let connect = ["numbers", "connect", "le-gourmet", "--number", OTHER];
    webox.run(connect).code(64).says(&format!("phone: {NUMBER} → {OTHER}"));
    // Twilio looks it up, and does not take it: the number of before is answered as it was.
    twilio.fail_after(1, 400);
    webox.run([&connect[..], &["--yes"]].concat()).code(3).says("could not be connected");
    let shown = webox.run(["assistants", "show", "le-gourmet", "-o", "json"]).ok().stdout;
    assert!(shown.contains(NUMBER) && !shown.contains(OTHER), "{shown}");
    webox.run([&connect[..], &["--yes"]].concat()).ok();
    is_wired(&twilio, OTHER);
    let shown = webox.run(["assistants", "show", "le-gourmet", "-o", "json"]).ok().stdout;
    assert!(shown.contains(OTHER) && !shown.contains(NUMBER), "{shown}");
    // Somebody else's is not taken.
    let other = le_gourmet(&format!("phone = \"{NUMBER}\""), "").replace("le-gourmet", "bistro");
    webox.run(["apply", "--yes", &webox.file("bistro.toml", &other)]).ok();
    let taken = ["numbers", "connect", "bistro", "--number", OTHER, "--yes"];
    webox.run(taken).code(1).says("is the number of the assistant `le-gourmet`");
    let mobile = ["numbers", "connect", "bistro", "--number", "+33612345678", "--yes"];
    webox.run(mobile).code(3).says("forbid automated calling");
}

#[test]
fn drift_is_found_and_ends_with_two() {
    let (twilio, webox) = with_le_gourmet();
    let check = ["numbers", "check", "-o", "json"];
    let findings = |code: i32| {
        let found = webox.run(check).code(code).json();
        let found = found["findings"].as_array().unwrap().clone();
        found
            .iter()
            .map(|one| {
                format!("{} {}", one["kind"].as_str().unwrap(), one["number"].as_str().unwrap())
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(findings(2), [format!("no-number {NUMBER}")]);
    twilio.number(ACCOUNT, NUMBER, &json!({}));
    assert_eq!(findings(2), [format!("not-connected {NUMBER}")]);
    webox.run(["numbers", "connect", "le-gourmet", "--yes"]).ok();
    assert_eq!(findings(0), Vec::<String>::new());
    // Somebody was in the console.
    twilio.change(NUMBER, &json!({ "status_callback": "", "voice_method": "GET" }));
    assert_eq!(findings(2), [format!("drift {NUMBER}")]);
    twilio.change(NUMBER, &json!({ "voice_url": "https://elsewhere.example/" }));
    assert_eq!(findings(2), [format!("elsewhere {NUMBER}")]);
    webox.run(["numbers", "connect", "le-gourmet", "--yes"]).ok();
    // Numbers that nobody answers: one that comes here, one that goes nowhere; not one of others.
    twilio.number(ACCOUNT, OTHER, &wired());
    twilio.number(ACCOUNT, "+33187654322", &json!({}));
    twilio.number(ACCOUNT, "+33187654323", &json!({ "voice_url": "https://other.example/" }));
    // Nor one that another program answers at our address, nor one that takes no calls.
    let ivr = json!({ "voice_url": format!("{PUBLIC_URL}/ivr/menu") });
    twilio.number(ACCOUNT, "+33187654324", &ivr);
    twilio.number(
        ACCOUNT,
        "+33187654325",
        &json!({ "capabilities": { "voice": false, "sms": true } }),
    );
    assert_eq!(findings(2), [format!("no-assistant {OTHER}"), "no-assistant +33187654322".into()]);
    webox.run(["numbers", "check"]).code(2).prints("nobody answers it").says("2 things are");
}

#[test]
fn a_list_of_several_pages_is_read_whole_and_asked_again_when_twilio_is_busy() {
    let (twilio, webox) = world();
    for last in 0..5 {
        twilio.number(ACCOUNT, &format!("+3318765432{last}"), &json!({}));
    }
    twilio.pages_of(2);
    twilio.fail(&[429, 503]);
    let list = webox.run(["numbers", "list", "-o", "ids"]).ok().stdout;
    assert_eq!(list.lines().count(), 5, "{list}");
    assert_eq!(twilio.asked().len(), 5, "three pages, the first of them three times");
    // What would not be otherwise a moment later is not asked again.
    twilio.fail(&[403]);
    webox.run(["numbers", "list"]).code(77).says("could not be listed").says("403");
    assert_eq!(twilio.asked().len(), 6);
}

#[test]
fn api_keys_sub_accounts_and_clients_accounts_are_asked_with_what_is_right_for_them() {
    let twilio = FakeNumbers::start();
    twilio.account(ACCOUNT, "another-token");
    twilio.key(ACCOUNT, "SK00000000000000000000000000000001", "key-secret");
    twilio.sub_account(SUB, ACCOUNT);
    twilio.account(CLIENTS, "clients-token");
    let webox = Webox::new()
        .env("TWILIO_BASE_URL", twilio.url())
        .env("TWILIO_ACCOUNT_SID", ACCOUNT)
        .env("TWILIO_API_KEY", "SK00000000000000000000000000000001")
        .env("TWILIO_API_SECRET", "key-secret")
        .env("CLIENTS_TOKEN", "clients-token")
        .env("WEBOX_PUBLIC_URL", PUBLIC_URL);
    let own = format!(
        "\n[twilio]\naccount_sid = \"{CLIENTS}\"\nauth_token = {{ env = \"CLIENTS_TOKEN\" }}\n"
    );
    let file = webox.file("le-gourmet.toml", &le_gourmet(&format!("phone = \"{NUMBER}\""), &own));
    webox.run(["apply", "--yes", &file]).ok();
    twilio.number(ACCOUNT, "+33187654320", &json!({}));
    twilio.number(SUB, "+33187654321", &json!({}));
    twilio.number(CLIENTS, NUMBER, &json!({}));
    let ids = |args: &[&str]| webox.run([args, &["-o", "ids"]].concat()).ok().stdout;
    assert_eq!(ids(&["numbers"]), format!("{NUMBER}\n+33187654320\n"));
    assert_eq!(ids(&["numbers", "list", "--account", SUB]), "+33187654321\n");
    assert_eq!(ids(&["numbers", "list", "--account", CLIENTS]), format!("{NUMBER}\n"));
    webox.run(["numbers", "connect", "le-gourmet", "--yes"]).ok();
    is_wired(&twilio, NUMBER);
    twilio.sells("FR", "Local", OTHER, "none");
    twilio.price("FR", "local", "1.35");
    let buy = ["numbers", "buy", "+33187654321", "--account", SUB, "--yes"];
    webox.run(buy).ok().says("already");
    // Nothing of it is told with the secret.
    let wrong = webox
        .command(["numbers", "list", "--account", ACCOUNT])
        .env("TWILIO_API_SECRET", "wrong-secret")
        .output()
        .unwrap();
    let said = String::from_utf8(wrong.stderr).unwrap();
    assert!(said.contains("401") && !said.contains("wrong-secret"), "{said}");
}

#[test]
fn a_main_token_is_right_for_a_sub_account() {
    let (twilio, webox) = world();
    webox.run(["init"]).ok();
    twilio.sub_account(SUB, ACCOUNT);
    twilio.number(SUB, OTHER, &json!({}));
    let list = webox.run(["numbers", "list", "--account", SUB, "-o", "ids"]).ok();
    assert_eq!(list.stdout, format!("{OTHER}\n"));
    let release = ["numbers", "release", OTHER, "--account", SUB, "--yes"];
    webox.run(release).ok().says("was given back");
    assert_eq!(twilio.owned(OTHER), None);
}

#[test]
fn giving_a_number_back_names_who_loses_it_and_asks() {
    let (twilio, webox) = with_le_gourmet();
    twilio.number(ACCOUNT, NUMBER, &json!({}));
    let release = ["numbers", "release", NUMBER];
    webox.run(release).code(64).says("the assistant `le-gourmet` loses it").says("--yes");
    webox.run([&release[..], &["--dry-run"]].concat()).ok().says("would be given back");
    assert!(twilio.changes().is_empty());
    webox.run([&release[..], &["--yes"]].concat()).ok().says("was given back");
    assert_eq!(twilio.owned(NUMBER), None);
    webox.run([&release[..], &["--yes"]].concat()).code(1).says("no account here has");
    let audit = webox.run(["audit", "-o", "json"]).ok().stdout;
    assert!(audit.contains("number.release"), "{audit}");
}

#[test]
fn applying_a_file_keeps_its_number_connected() {
    let (twilio, webox) = world();
    let file = webox.file("le-gourmet.toml", &managed());
    // The number is not there: everything is stored all the same, and it is told.
    webox.run(["plan", &file]).ok().prints("does not have");
    webox.run(["plan", &file, "--offline"]).ok().prints("was not asked");
    webox
        .run(["apply", "--yes", &file])
        .code(4)
        .says("everything is stored, but 1 number is not connected")
        .says("does not have");
    webox.run(["assistants", "show", "le-gourmet"]).ok();
    // All is stored, and yet it is not as the file says: nobody can call.
    webox
        .run(["plan", &file, "--detailed-exitcode"])
        .code(2)
        .prints("No changes")
        .prints("does not have");
    twilio.number(ACCOUNT, NUMBER, &json!({}));
    // Nothing in the store changes, and the plan says what does.
    let plan = ["plan", &file, "--detailed-exitcode"];
    webox.run(plan).code(2).prints("No changes").prints("connect to le-gourmet at Twilio");
    let json = webox.run(["plan", &file, "-o", "json"]).ok().json();
    assert_eq!(json["wiring"][0]["changes"][0]["setting"], json!("voice_url"));
    assert!(twilio.changes().is_empty(), "a plan changes nothing");
    webox.run(["plan", &file, "--offline"]).ok().prints("was not asked");
    webox.run(["apply", &file]).code(64).says("--yes");
    webox.run(["apply", "--dry-run", &file]).ok().says("connect to le-gourmet");
    assert!(twilio.changes().is_empty());
    // Run again, it repairs.
    webox.run(["apply", "--yes", &file]).ok().says("is connected");
    is_wired(&twilio, NUMBER);
    webox.run(plan).ok().prints("0 to connect, 1 as they should be");
    webox.run(["apply", "--yes", &file]).ok();
    assert_eq!(twilio.changes().len(), 1);
    twilio.change(NUMBER, &json!({ "voice_url": "" }));
    let saved = webox.home().join("plan.json").to_str().unwrap().to_owned();
    webox.run(["plan", &file, "--out", &saved]).ok();
    webox.run(["apply", "--plan", &saved]).ok();
    is_wired(&twilio, NUMBER);
    // Twilio's troubles are its own.
    twilio.change(NUMBER, &json!({ "voice_url": "" }));
    twilio.fail(&[401; 20]);
    webox.run(["apply", "--yes", &file]).code(4).says("401");
    assert_eq!(twilio.owned(NUMBER).unwrap()["voice_url"], json!(""));
}

/// A small file of its own, of an assistant whose number webox keeps connected.
fn chez_paul(number: &str) -> String {
    format!(
        "name = \"chez-paul\"\nclient = \"Chez Paul\"\nphone = {{ number = \"{number}\", manage = true }}\ncontext = \"x\"\n"
    )
}

#[test]
fn a_daemon_connects_the_numbers_of_what_is_applied_from_afar() {
    let (twilio, webox) = with_le_gourmet();
    let world = World::of(webox);
    let far = world.far(Who::Admin);
    // Nothing that is kept connected: Twilio is not asked.
    let plain = "name = \"plain\"\nclient = \"P\"\nphone = \"+33140000001\"\ncontext = \"x\"\n";
    far.run(["apply", "--yes", &far.file("plain/plain.toml", plain)]).ok();
    assert!(twilio.asked().is_empty(), "{:?}", twilio.asked());

    let file = far.file("clients/chez-paul.toml", &chez_paul(OTHER));
    far.run(["plan", &file]).ok().prints("does not have").prints("webox numbers buy");
    far.run(["plan", "--offline", &file]).ok().prints("was not asked");
    far.run(["apply", "--yes", &file]).code(4).says("everything is stored, but 1 number is not");
    twilio.number(ACCOUNT, OTHER, &json!({}));
    let planned = far.run(["plan", &file, "-o", "json"]).ok().json();
    let wiring = &planned["wiring"][0];
    assert_eq!((&wiring["number"], &wiring["account"]), (&json!(OTHER), &json!(ACCOUNT)));
    assert_eq!(wiring["changes"][0]["setting"], json!("voice_url"));
    far.run(["plan", &file, "--detailed-exitcode"]).code(2).prints("connect to chez-paul");
    assert!(twilio.changes().is_empty(), "a plan changes nothing");
    far.run(["apply", "--yes", &file]).ok().says("is connected");
    is_wired(&twilio, OTHER);
    // By whom, as for all that is changed.
    let audit = world.webox.run(["audit", "-o", "jsonl"]).ok().stdout;
    let connected = audit.lines().find(|line| line.contains("number.connect")).unwrap();
    assert!(connected.contains(ADMIN), "{connected}");
    // Run again, it changes nothing, and repairs what was changed in the console.
    far.run(["apply", "--yes", &file]).ok();
    assert_eq!(twilio.changes().len(), 1);
    twilio.change(OTHER, &json!({ "voice_url": "" }));
    far.run(["apply", "--yes", &file]).ok().says("is connected");
    is_wired(&twilio, OTHER);
    twilio.fail(&[401; 20]);
    twilio.change(OTHER, &json!({ "voice_url": "" }));
    far.run(["apply", "--yes", &file]).code(4).says("401");
    twilio.fail(&[]);

    // A key that does not reach as far is told, and fails only where it would change a number.
    let asked = twilio.asked().len();
    let far = far.env("WEBOX_TOKEN", world.key(Who::AdminWriter));
    let change = |text: &str| far.file("clients/chez-paul.toml", text);
    let told = chez_paul(OTHER).replace("\"x\"", "\"y\"");
    far.run(["apply", "--yes", &change(&told)]).ok().says("Numbers were not looked at");
    far.run(["apply", "--yes", &change(&chez_paul("+33123450001"))])
        .code(4)
        .says("everything is stored, but numbers are not");

    // Who may not have numbers connected has the file stored, and is told.
    let far = world.far(Who::Owner);
    let text = chez_paul("+33123450000");
    let text = text.replace("chez-paul", "chez-lui").replace("Chez Paul", "Chez Lui");
    let file = far.file("clients/chez-lui.toml", &text);
    far.run(["plan", &file]).ok().prints("? ");
    far.run(["apply", "--yes", &file]).code(4).says("everything is stored, but numbers are not");
    far.run(["assistants", "show", "chez-lui"]).ok();
    assert_eq!(twilio.asked().len(), asked);
}

#[test]
fn a_managed_number_comes_back_from_an_export_as_it_was() {
    let (twilio, webox) = world();
    twilio.number(ACCOUNT, NUMBER, &json!({}));
    let line = format!("phone = {{ number = \"{NUMBER}\", manage = true }}");
    let file = webox.file("clients/le-gourmet.toml", &managed());
    webox.run(["apply", "--yes", &file]).ok();
    let folder = webox.home().join("clients").to_str().unwrap().to_owned();
    webox.run(["export", "--dir", &folder, "--check"]).ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), managed());
    let new = webox.home().join("new").to_str().unwrap().to_owned();
    webox.run(["export", "--dir", &new]).ok();
    let written = std::fs::read_to_string(format!("{new}/le-gourmet.toml")).unwrap();
    assert!(written.contains(&line), "{written}");
    // By hand it is another number: the file says so, on the same line.
    webox.run(["assistants", "edit", "le-gourmet", "--phone", OTHER]).ok();
    webox.run(["export", "--dir", &folder]).ok();
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written, managed().replace(NUMBER, OTHER));
    // A text becomes a table where it must.
    let plain =
        webox.file("plain/le-gourmet.toml", &le_gourmet(&format!("phone = \"{OTHER}\""), ""));
    let folder = webox.home().join("plain").to_str().unwrap().to_owned();
    webox.run(["export", "--dir", &folder]).ok();
    let written = std::fs::read_to_string(&plain).unwrap();
    assert!(written.contains("manage = true") && written.contains(OTHER), "{written}");
    webox.run(["validate", &plain]).ok();
    // And back.
    let plan = webox.run([
        "plan",
        &webox.file("text.toml", &le_gourmet(&format!("phone = \"{OTHER}\""), "")),
        "--offline",
    ]);
    plan.ok().prints("phone.manage: true → not set");
    webox.run(["plan", &plain, "--offline"]).ok().prints("No changes");
    let wrong = webox.file("wrong.toml", &le_gourmet("phone = { manage = true }", ""));
    webox.run(["validate", &wrong]).code(65);
    let wrong = webox.file("wrong.toml", &le_gourmet("phone = { number = \"x\" }", ""));
    webox.run(["validate", &wrong]).code(65).says("not a phone number");
}

#[test]
fn who_is_no_admin_asks_twilio_nothing() {
    let (twilio, webox) = with_le_gourmet();
    webox.run(["users", "add", "claire@agence.fr", "--role", "member"]).ok();
    for args in [
        &["numbers"][..],
        &["numbers", "search", "--country", "FR"],
        &["numbers", "check"],
        &["numbers", "buy", OTHER, "--yes"],
        &["numbers", "release", NUMBER, "--yes"],
        &["twilio", "calls"],
    ] {
        let run = webox.run([args, &["--as", "claire@agence.fr"]].concat());
        run.code(77).says("only an admin");
    }
    assert!(twilio.asked().is_empty());
    let far = ["numbers", "--server", "https://daemon.example"];
    webox
        .command(far)
        .env("WEBOX_TOKEN", "x")
        .output()
        .map(|ran| assert_eq!(ran.status.code(), Some(64)))
        .unwrap();
}

#[test]
fn what_is_not_set_is_named() {
    let twilio = FakeNumbers::start();
    twilio.account(ACCOUNT, TOKEN);
    let webox = Webox::new().env("TWILIO_BASE_URL", twilio.url());
    webox.run(["numbers"]).code(78).says("TWILIO_ACCOUNT_SID");
    let webox =
        Webox::new().env("TWILIO_BASE_URL", twilio.url()).env("TWILIO_ACCOUNT_SID", ACCOUNT);
    webox.run(["apply", "--yes", LE_GOURMET]).ok();
    webox.run(["numbers", "list"]).code(78).says("TWILIO_AUTH_TOKEN");
    webox.run(["numbers", "check"]).code(78).says("public_url");
    webox.run(["numbers", "connect", "le-gourmet", "--yes"]).code(78).says("public_url");
}
