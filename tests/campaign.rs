//! Campaigns: everybody on a list is called, each until they were reached, and nobody twice.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use webox::{
    domain::{
        Actor, CallContext, CampaignEntry, CampaignId, CampaignRowState, CampaignState,
        CampaignTerms, HumanDuration, OutboundState, PhoneNumber,
    },
    operations::{
        campaigns::{self, RowFilter, Wanted},
        do_not_call, outbound,
    },
    store::Store,
    twilio::form::Form,
};

use crate::support::{
    api::{Who, World},
    cmd::{LE_GOURMET, Webox},
    daemon::{Daemon, NUMBER, TOKEN, sid},
    fake_twilio::FakeTwilio,
    seed,
};

const ACCOUNT: &str = "AC00000000000000000000000000000001";

pub(crate) const SERVICE: &str = "[outbound]\nkind = \"service\"\nmachine = \"talk\"\n\
    greeting = \"Bonjour {{ name | default('Madame, Monsieur') }}, ici Le Gourmet, pour {{ at }}.\"\n";

/// As a French spreadsheet writes it: a line is there twice.
const THREE: &str = "\u{feff}phone;name;at\r\n06 12 34 56 01;Zoé;mardi\r\n0612345602;;mardi\r\n\
                     +33612345603;\"Dupont; Jean\";jeudi\r\n06.12.34.56.01;Zoé;mardi\r\n";

pub(crate) fn applied(webox: Webox, more: &str) -> Webox {
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let file = webox.file("le-gourmet.toml", &format!("{text}\n{more}\n"));
    webox.run(["apply", "--yes", &file]).ok();
    webox
}

fn with(twilio: &FakeTwilio) -> Webox {
    let webox =
        Webox::new().env("TWILIO_BASE_URL", twilio.url()).env("TWILIO_ACCOUNT_SID", ACCOUNT);
    applied(webox, SERVICE)
}

pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

fn command(file: &str) -> [&str; 7] {
    ["campaign", "run", file, "--assistant", "le-gourmet", "--anyway", "--detach"]
}

/// Twilio tells how a call ended.
fn end(daemon: &Daemon, n: u32, form: &Form, status: &str) {
    let to: PhoneNumber = form.get("To").unwrap().parse().unwrap();
    let mut fields = daemon.twilio.fields(&sid(n), NUMBER, &to, status);
    for (name, value) in [("Direction", "outbound-api"), ("CallDuration", "12")] {
        fields.retain(|(found, _)| found != name);
        fields.push((name.to_owned(), value.to_owned()));
    }
    let address = form.get("StatusCallback").unwrap();
    assert_eq!(run(daemon.twilio.post(address, fields)).unwrap().status, 204);
}

fn campaign(webox: &Webox) -> Value {
    webox.run(["campaign", "show", "1", "-o", "json"]).ok().json()["campaign"].clone()
}

#[track_caller]
fn until(webox: &Webox, what: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let campaign = campaign(webox);
        if what(&campaign) {
            return campaign;
        }
        assert!(Instant::now() < deadline, "{campaign}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until Twilio's answer to the newest call is noted.
#[track_caller]
fn until_it_rings(webox: &Webox) {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let calls = outbound::list(&seed::store(webox), &Actor::webox("test")).unwrap();
        if calls.first().is_some_and(|call| call.state == OutboundState::Ringing) {
            return;
        }
        assert!(Instant::now() < deadline, "{calls:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_list_is_called_to_its_end_whoever_is_killed_and_however_often_it_is_run() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with(&twilio);
    let file = webox.file("rappels.csv", THREE);
    let other =
        webox.file("resaved.csv", "at,phone,name\nmardi,0612345601,Zoé\nmardi,+33612345602,\njeudi,0612345603,\"Dupont; Jean\"\n");
    // Two at once, of the same people.
    std::thread::scope(|scope| {
        let ran = [&file, &other].map(|file| {
            let args: Vec<&str> = command(file).into_iter().chain(["--retries", "0"]).collect();
            scope.spawn(|| webox.run(args))
        });
        let [first, second] = ran.map(|ran| ran.join().unwrap().ok());
        first.says("no daemon looks after this campaign").says("line 5");
        second.says("Campaign 1");
    });
    let listed = webox.run(["campaign", "-o", "json"]).ok().json();
    assert_eq!(listed["campaigns"].as_array().unwrap().len(), 1, "{listed}");

    let daemon = Daemon::start(&webox);
    let first = twilio.wait_for_calls(1).remove(0);
    assert_eq!(first.get("To"), Some("+33612345601"));
    until_it_rings(&webox);
    daemon.kill();
    let daemon = Daemon::start(&webox);
    webox.run(command(&file).into_iter().chain(["--retries", "0"])).ok().says("goes on: 0 of 3");
    end(&daemon, 1, &first, "completed");
    let second = twilio.wait_for_calls(2).remove(1);
    assert_eq!(second.get("To"), Some("+33612345602"), "one at a time");
    until_it_rings(&webox);
    end(&daemon, 2, &second, "no-answer");
    let third = twilio.wait_for_calls(3).remove(2);
    until_it_rings(&webox);
    end(&daemon, 3, &third, "failed");
    let done = until(&webox, |campaign| campaign["state"] == "done");
    let counts = &done["counts"];
    for (state, rows) in [("total", 3), ("reached", 1), ("no_answer", 1), ("failed", 1)] {
        assert_eq!(counts[state], rows, "{counts}");
    }
    // Watched when it is over, it says so at once.
    let args = ["campaign", "run", &file, "--assistant", "le-gourmet", "-o", "json"];
    let again = webox.run(args).ok().says("is over");
    assert_eq!(again.json()["campaign"]["id"], 1);
    assert_eq!(twilio.calls().len(), 3);

    let outcomes = |direction| {
        let args = ["calls", "--direction", direction, "-o", "csv", "--columns", "outcome"];
        let told = webox.run(args).ok().stdout;
        let mut lines: Vec<String> = told.lines().skip(1).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(outcomes("outbound"), ["abandoned", "failed", "unreached"]);
    assert_eq!(outcomes("inbound"), [""; 0]);
    webox.run(["calls", "--direction", "sideways"]).code(65).says("sideways");
}

#[test]
fn a_wrong_account_puts_it_to_rest_and_calls_nobody_off() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = with(&twilio);
    let file = webox.file("rappels.csv", &format!("{THREE}0612345604;;jeudi\r\n"));
    let daemon = Daemon::start(&webox);
    let args = ["campaign", "run", &file, "--assistant", "le-gourmet", "--anyway"];
    // A key that is wrong, and an account that was closed.
    for status in [401, 403] {
        twilio.fail(&[status]);
        webox.run(args).code(1).says("is paused").says("the same command goes on");
        let counts = until(&webox, |campaign| campaign["counts"]["waiting"] == 4);
        assert_eq!(counts["state"], "paused");
    }
    // Whom Twilio does not call is one of them, and not the others.
    twilio.refuse("+33612345602", 21211);
    webox.run(command(&file)).ok();
    let form = twilio.wait_for_calls(3).remove(2);
    assert_eq!(form.get("To"), Some("+33612345601"), "nobody was dialled before");
    until_it_rings(&webox);
    end(&daemon, 3, &form, "completed");
    let form = twilio.wait_for_calls(5).remove(4);
    assert_eq!(form.get("To"), Some("+33612345603"));
    until_it_rings(&webox);
    webox.run(["campaign", "cancel", "1"]).code(64).says("--yes");
    webox.run(["campaign", "cancel", "1", "--yes"]).ok();
    end(&daemon, 5, &form, "completed");
    let shown = until(&webox, |campaign| campaign["counts"]["reached"] == 2);
    let counts = &shown["counts"];
    assert_eq!((&counts["refused"], &counts["cancelled"]), (&json!(1), &json!(1)));
    assert_eq!(shown["state"], "cancelled");
    webox.run(command(&file)).code(3).says("was cancelled");
    webox.run(["campaign", "pause", "1"]).code(1).says("stands at `cancelled`");
}

#[test]
fn a_changed_file_calls_nobody_twice_unasked() {
    let webox = applied(Webox::new(), SERVICE);
    let file = webox.file("rappels.csv", THREE);
    webox.run(command(&file)).ok();
    let changed = webox.file("rappels.csv", &THREE.replace("jeudi", "vendredi"));
    webox.run(command(&changed)).code(1).says("called twice").says("webox campaign cancel 1");
    let dry = [&command(&changed)[..6], &["--dry-run", "-o", "json"]].concat();
    let ran = webox.run(dry).ok().says("still to be called in campaign 1").says("3 people");
    assert_eq!(
        ran.json()["rows"][2]["opening"],
        "Bonjour Dupont; Jean, ici Le Gourmet, pour vendredi."
    );
    webox.run(["campaign", "cancel", "1", "--yes"]).ok();
    webox.run(command(&changed)).ok().says("Campaign 2: 3 people");
    // Nobody is erased and called all the same.
    webox.run(["privacy", "erase", "--caller", "0612345601", "--yes"]).ok();
    let rows = webox.run(["campaign", "show", "2", "--rows", "-o", "json"]).ok().json();
    assert_eq!(rows["rows"].as_array().unwrap().len(), 2);
    webox.run(command(&changed)).ok();
    let shown = webox.run(["campaign", "show", "2", "-o", "json"]).ok().json();
    assert_eq!(shown["campaign"]["counts"]["waiting"], 2);
}

#[test]
fn a_file_that_is_wrong_is_told_whole_and_stores_nothing() {
    let webox = applied(Webox::new(), SERVICE);
    let ran = |text: &str| webox.run(command(&webox.file("rappels.csv", text)));
    let told = ran("phone,at\n112,x\nabc,y\n0612345601,\"a\nb\"\n").code(65);
    for part in
        ["rappels.csv, line 2, column 1 (`phone`)", "line 3, column 1", "line 4, column 2 (`at`)"]
    {
        assert!(told.stderr.contains(part), "{part}: {}", told.stderr);
    }
    ran("fax,at\n0612345601,x\n").code(65).says("there is `fax`, `at`");
    ran("at;Téléphone;portable\nx;0612345601;0612345602\n")
        .code(65)
        .says("rappels.csv, line 1, column 3 (`portable`): more than one column is whom to call");
    // As Excel writes it when it is not asked for UTF-8.
    let file = webox.home().join("ansi.csv");
    std::fs::write(&file, b"t\xe9l\xe9phone;at\r\n0612345601;x\r\n").unwrap();
    let told = webox.run(command(file.to_str().unwrap())).code(65);
    told.says("ansi.csv, line 1: this is no UTF-8").says("in Excel: File, Save As, \"CSV UTF-8\"");
    let excel = THREE.replace("phone;", "Numéro de téléphone;");
    let file = webox.file("rappels.csv", &excel);
    let dry = [&command(&file)[..6], &["--dry-run"]].concat();
    webox.run(dry).ok().says("3 people would be called");
    // What the greeting needs, what nobody calls, what would be called twice: told by their lines.
    let told = ran("phone,name,at\n0612345601,Z,x\n0612345602,Z,\n0899123456,Z,x\n").code(65);
    assert!(
        told.stderr.contains("line 3: ") && told.stderr.contains("give `at`"),
        "{}",
        told.stderr
    );
    assert!(told.stderr.contains("line 4: ") && told.stderr.contains("no number that webox calls"));
    assert!(!told.stderr.contains("line 2"), "{}", told.stderr);
    ran("phone,at\n0612345601,x\n+33612345601,y\n").code(65).says("is in line 2 already");
    webox.run(command("nowhere.csv")).code(65).says("cannot be read");
    let file = webox.file("rappels.csv", THREE);
    for (wrong, code) in [
        (["--hours", "19-9"], 64),
        (["--max-concurrent", "0"], 65),
        (["--retries", "11"], 65),
        (["--retry-after", "1s"], 65),
    ] {
        webox.run(command(&file).into_iter().chain(wrong)).code(code);
    }
    webox.run(["do-not-call", "add", "0612345602"]).ok();
    let dry = [&command(&file)[..6], &["--dry-run", "-o", "json"]].concat();
    let rows = webox.run(dry).ok().says("2 people would be called, 1 would not").json();
    assert_eq!(rows["rows"][1]["why_not"], "+33612345602 is on the do-not-call list");
    assert_eq!(webox.run(["campaign", "-o", "json"]).ok().json()["campaigns"], json!([]));
    let plain = applied(Webox::new(), "");
    let file = plain.file("rappels.csv", THREE);
    plain.run(command(&file)).code(3).says("calls nobody");
}

#[test]
fn who_stops_watching_stops_nothing() {
    let webox = applied(Webox::new(), SERVICE);
    let file = webox.file("rappels.csv", THREE);
    let args = ["campaign", "run", &file, "--assistant", "le-gourmet"];
    let mut child = webox.command(args).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    assert!(lines.any(|line| line.unwrap().contains("0 of 3: waiting 3")));
    let pid = child.id().to_string();
    std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(
        lines.any(|line| line.unwrap().contains("campaign 1 is no longer watched, and goes on"))
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(campaign(&webox)["state"], "running");
}

/// A store, and a clock of one's own.
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) actor: Actor,
}

impl Desk {
    pub(crate) fn of(webox: &Webox) -> Self {
        Self { store: seed::store(webox), actor: Actor::webox("test") }
    }

    pub(crate) fn start(
        &self,
        people: &[&str],
        terms: CampaignTerms,
        now: Timestamp,
    ) -> CampaignId {
        let context = std::collections::BTreeMap::from([("at".to_owned(), "mardi".to_owned())]);
        let rows = people.iter().map(|number| CampaignEntry {
            line: None,
            number: number.parse().unwrap(),
            context: CallContext::try_from(context.clone()).unwrap(),
        });
        let wanted =
            Wanted { name: "x.csv".to_owned(), terms, rows: rows.collect(), overlapping: false };
        let started =
            campaigns::start(&self.store, &self.actor, "le-gourmet", wanted, now).unwrap();
        started.campaign.id
    }

    /// Whom the daemon dials at a moment.
    pub(crate) fn dials(&self, now: Timestamp) -> Option<(String, webox::domain::OutboundId)> {
        run(async {
            campaigns::advance(&self.store, now).await.unwrap();
            let dial = outbound::next(&self.store, now).await.unwrap();
            dial.map(|dial| (dial.call.number.to_string(), dial.call.id))
        })
    }

    #[track_caller]
    pub(crate) fn ends(&self, id: webox::domain::OutboundId, state: OutboundState, now: Timestamp) {
        let ended =
            move |tx: &webox::store::Tx| webox::store::outbound::end(tx, id, state, None, now);
        assert!(self.store.write(ended).unwrap());
    }

    pub(crate) fn states(&self, id: CampaignId) -> Vec<(CampaignRowState, u32)> {
        let rows = campaigns::rows(&self.store, &self.actor, id, &RowFilter::default()).unwrap();
        rows.into_iter().map(|row| (row.state, row.attempts)).collect()
    }
}

/// A moment in Paris in December 2026; the first is a Tuesday.
pub(crate) fn at(day: u8, time: &str) -> Timestamp {
    let text = format!("2026-12-{day:02}T{time}[Europe/Paris]");
    text.parse::<jiff::ZonedDateTime>().unwrap().timestamp()
}

pub(crate) const A: &str = "+33612345601";
pub(crate) const B: &str = "+33612345602";
const C: &str = "+33612345603";

#[test]
fn who_was_not_reached_is_called_again_within_hours_and_so_often() {
    let webox = applied(Webox::new(), SERVICE);
    let desk = Desk::of(&webox);
    let terms = CampaignTerms {
        hours: Some("9-19".parse().unwrap()),
        retry_after: HumanDuration::from_minutes(60),
        ..CampaignTerms::default()
    };
    let id = desk.start(&[A], terms, at(1, "08:30"));
    assert_eq!(desk.dials(at(1, "08:30")), None, "the law allows it, and the campaign not yet");
    assert_eq!(desk.dials(at(1, "08:59")), None);
    let (number, call) = desk.dials(at(1, "09:00")).unwrap();
    assert_eq!(number, A);
    assert_eq!(desk.dials(at(1, "09:01")), None, "nobody is called twice at once");
    desk.ends(call, OutboundState::Busy, at(1, "09:01"));
    assert_eq!(desk.dials(at(1, "10:00")), None);
    let (_, call) = desk.dials(at(1, "10:01")).unwrap();
    desk.ends(call, OutboundState::Machine, at(1, "18:10"));
    assert_eq!(desk.dials(at(1, "19:10")), None, "an hour later the day is over");
    assert_eq!(desk.states(id), [(CampaignRowState::Waiting, 2)]);
    assert_eq!(desk.dials(at(2, "08:59")), None);
    let (_, call) = desk.dials(at(2, "09:00")).unwrap();
    desk.ends(call, OutboundState::NoAnswer, at(2, "09:01"));
    assert_eq!(desk.dials(at(2, "12:00")), None, "twice again, and not a third time");
    assert_eq!(desk.states(id), [(CampaignRowState::NoAnswer, 3)]);
    let campaign = campaigns::show(&desk.store, &desk.actor, id).unwrap();
    assert_eq!(campaign.state, CampaignState::Done);
}

#[test]
fn who_was_reached_or_does_not_want_to_be_or_may_be_called_already_is_not_called_again() {
    let webox = applied(Webox::new(), SERVICE);
    let desk = Desk::of(&webox);
    let terms = CampaignTerms { max_concurrent: 2, ..CampaignTerms::default() };
    let id = desk.start(&[A, B, C, "+33612345604"], terms, at(1, "10:00"));
    let (_, first) = desk.dials(at(1, "10:00")).unwrap();
    let (_, second) = desk.dials(at(1, "10:00")).unwrap();
    assert_eq!(desk.dials(at(1, "10:00")), None, "two at once, and no third");
    let unwanted = vec![C.parse().unwrap()];
    do_not_call::add(&desk.store, &desk.actor, unwanted, at(1, "10:01")).unwrap();
    desk.ends(first, OutboundState::Completed, at(1, "10:02"));
    desk.ends(second, OutboundState::Unknown, at(1, "10:02"));
    let (number, fourth) = desk.dials(at(1, "10:03")).unwrap();
    assert_eq!(number, "+33612345604", "the third is on the list by now");
    desk.ends(fourth, OutboundState::Completed, at(1, "10:04"));
    // Of the one who may have been called, nothing is known to the end.
    for hour in 11..19 {
        assert_eq!(desk.dials(at(1, &format!("{hour}:00"))), None);
    }
    assert_eq!(
        desk.states(id),
        [
            (CampaignRowState::Reached, 1),
            (CampaignRowState::Unknown, 1),
            (CampaignRowState::Refused, 0),
            (CampaignRowState::Reached, 1),
        ]
    );
}

#[test]
fn a_campaign_waits_while_its_assistant_may_not_call_and_rests_after_a_week() {
    let webox = applied(Webox::new(), SERVICE);
    let desk = Desk::of(&webox);
    let id = desk.start(&[A], CampaignTerms::default(), at(1, "10:00"));
    let shown = || campaigns::show(&desk.store, &desk.actor, id).unwrap();
    webox.run(["assistants", "disable", "le-gourmet"]).ok();
    assert_eq!(desk.dials(at(1, "10:00")), None);
    assert_eq!(shown().why.unwrap(), "assistant `le-gourmet` is switched off");
    webox.run(["assistants", "enable", "le-gourmet"]).ok();
    // The one that is asked for is not dialled when the hour has passed in between.
    run(campaigns::advance(&desk.store, at(1, "19:59"))).unwrap();
    assert_eq!(run(outbound::next(&desk.store, at(1, "20:00"))).unwrap().map(drop), None);
    assert_eq!(desk.dials(at(1, "20:01")), None);
    assert_eq!(desk.states(id), [(CampaignRowState::Waiting, 0)]);
    assert_eq!(desk.dials(at(8, "10:01")), None);
    assert_eq!(shown().state, CampaignState::Paused);
    assert_eq!(desk.start(&[A], CampaignTerms::default(), at(8, "11:00")), id);
    assert!(desk.dials(at(8, "11:00")).is_some());
}

#[test]
fn a_single_call_is_not_dialled_when_its_hour_has_passed_meanwhile() {
    let webox = applied(Webox::new(), SERVICE);
    let desk = Desk::of(&webox);
    let ask = |number: &str, anyway: bool, now: Timestamp| {
        let wanted = outbound::Wanted {
            number: number.parse().unwrap(),
            context: CallContext::default(),
            say: Some("Bonjour".to_owned()),
            zone: None,
            anyway,
        };
        outbound::ask(&desk.store, &desk.actor, "le-gourmet", wanted, now).unwrap()
    };
    let late = ask(A, false, at(1, "19:59"));
    let expected = ask(B, true, at(1, "19:59"));
    assert_eq!(desk.dials(at(1, "20:00")), Some((B.to_owned(), expected.id)));
    let late = outbound::show(&desk.store, &desk.actor, late.id).unwrap();
    assert_eq!(late.state, OutboundState::Refused);
    assert!(late.failure.unwrap().contains("when nobody may be called"));
}

/// Hours of which none is now.
fn other_hours() -> &'static str {
    let hour = Timestamp::now().to_zoned_datetime(TimeZone::get("Europe/Paris").unwrap()).hour();
    if (8..16).contains(&hour) { "18-19" } else { "10-11" }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_api_and_from_afar_it_is_the_same_campaign() {
    let world = World::of(applied(Webox::new(), SERVICE));
    let context = json!({ "at": "mardi" });
    let body = json!({
        "assistant_id": "le-gourmet", "hours": other_hours(), "name": "x.csv",
        "rows": [
            { "number": "06 99 00 00 01", "context": context, "line": 2 },
            { "number": "+33699000002", "context": context, "line": 3 },
        ],
    });
    let post = |path: &'static str, body: &Value| {
        let body = Some(body.clone());
        world.ask(Who::Owner, "POST", path, body)
    };
    let preview = post("/api/voice/campaigns/preview", &body).await.ok();
    assert_eq!(
        (preview["rows"].as_array().unwrap().len(), &preview["campaign"]),
        (2, &Value::Null)
    );
    let first = post("/api/voice/campaigns", &body).await.ok();
    assert_eq!(
        (&first["is_new"], &first["campaign"]["counts"]["total"]),
        (&json!(true), &json!(2))
    );
    let id = first["campaign"]["id"].as_i64().unwrap();
    let mut reordered = body.clone();
    reordered["rows"].as_array_mut().unwrap().reverse();
    let again = post("/api/voice/campaigns", &reordered).await.ok();
    assert_eq!((&again["is_new"], &again["campaign"]["id"]), (&json!(false), &json!(id)));
    let mut twice = body.clone();
    twice["rows"][1]["number"] = "+33699000001".into();
    let told = post("/api/voice/campaigns", &twice).await.status(400);
    assert!(told.text.contains("line 3: +33699000001 is in line 2 already"), "{}", told.text);

    let path = format!("/api/voice/campaigns/{id}/rows?limit=1");
    let page = world.get(Who::Owner, &path).await.ok();
    assert_eq!(page["rows"][0]["number"], "+33699000001");
    let next = page["next"].as_str().unwrap();
    let page = world.get(Who::Owner, &format!("{path}&cursor={next}")).await.ok();
    assert_eq!((&page["rows"][0]["number"], &page["next"]), (&json!("+33699000002"), &Value::Null));
    world.get(Who::Other, &path).await.status(404);

    tokio::task::block_in_place(|| {
        let far = world.far(Who::Owner);
        let file = far.file("x.csv", "phone,at\n0699000001,mardi\n0699000002,mardi\n");
        let args =
            ["campaign", "run", &file, "--assistant", "le-gourmet", "--hours", other_hours()];
        let ran = far.run(args.into_iter().chain(["--detach", "-o", "json"])).ok();
        assert_eq!(ran.json()["campaign"]["id"], id);
        far.run(args.into_iter().chain(["--dry-run"])).ok().says("2 people would be called");
        let id = id.to_string();
        far.run(["campaign", "show", &id, "--rows", "-o", "csv"]).ok().prints("+33699000002");
        let kept = far.run(["privacy", "export", "--caller", "0699000001"]).ok().json();
        let kept = kept.to_string();
        assert!(kept.contains("campaign_rows") && kept.contains("x.csv"), "{kept}");
        far.run(["campaign", "pause", &id]).ok();
        far.run(["campaign", "cancel", &id, "--yes"]).ok();
        let log = world.webox.run(["audit", "-o", "csv"]).ok().stdout;
        for action in ["campaign.start", "campaign.resume", "campaign.pause", "campaign.cancel"] {
            assert!(log.contains(action), "{action}: {log}");
        }
        assert!(!log.contains("33699000001"), "{log}");
    });
}

#[test]
fn what_is_over_is_forgotten_after_a_month() {
    let webox = applied(Webox::new(), SERVICE);
    let desk = Desk::of(&webox);
    let id = desk.start(&[A], CampaignTerms::default(), at(1, "10:00"));
    campaigns::stop(&desk.store, &desk.actor, id, true, at(1, "10:00")).unwrap();
    let forget = |now: Timestamp| {
        let before = now - SignedDuration::from_hours(31 * 24);
        desk.store.write(move |tx| webox::store::campaigns::forget_before(tx, before)).unwrap()
    };
    assert_eq!(forget(at(31, "10:00")), 0);
    assert_eq!(forget(at(31, "10:00") + SignedDuration::from_hours(25)), 1);
    assert_eq!(campaigns::list(&desk.store, &desk.actor).unwrap(), []);
}
