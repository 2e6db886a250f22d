//! CRMs are told: one person for a number, one record for what happened, however often it is told.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    daemon::{Daemon, sid},
    fake_crm::{self, KEY, Shared},
    receiver::Receiver,
};

const FIELDS: &str = "lead_source = \"Téléphone\"";

/// Le Gourmet, always open, that tells a CRM.
fn le_gourmet(place: &str, hubspot: &str, pipedrive: &str) -> Webox {
    let webox = Webox::new()
        .env("WEBOX_ALLOWED_NETWORKS", "127.0.0.0/8")
        .env("WEBOX_ALLOW_HTTP", "true")
        .env("HUBSPOT_BASE_URL", hubspot)
        .env("PIPEDRIVE_BASE_URL", pipedrive)
        .env("CRM_KEY", KEY);
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let text = text.replace("[hours]", "[hours]\nsunday = [\"12:00-14:00\", \"19:00-23:00\"]");
    let place = format!("[[deliver]]\nsecret = {{ env = \"CRM_KEY\" }}\n{place}\n");
    let file = webox.file("le-gourmet.toml", &format!("{text}\n{place}"));
    webox.run(["apply", "--yes", &file]).ok();
    webox
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

async fn book(daemon: &Daemon, n: u32) {
    daemon.ring(&sid(n)).await;
    for (turn, words) in (1..).zip(["Une table pour quatre", "demain", "à vingt heures", "Dupont"])
    {
        daemon.say(&sid(n), turn, words).await;
    }
    daemon.hang_up(&sid(n), 90).await;
}

/// Waits until everything has arrived.
#[track_caller]
fn delivered(webox: &Webox, many: u64) {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let listed = webox.run(["deliveries", "-o", "json"]).ok().json();
        if listed["totals"] == json!({"pending": 0, "delivered": many, "dead": 0}) {
            return;
        }
        assert!(Instant::now() < deadline, "{listed:#}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A call with a booking, of which one record's answer is lost; then another call of the same caller,
/// whom the CRM does not find by the number yet. Answers the people and the records.
fn told(crm: &(Receiver, Shared), webox: &Webox) -> (Vec<Value>, Vec<Value>) {
    let account = &crm.1;
    account.lock().unwrap().loses_an_answer = true;
    let daemon = Daemon::start(webox);
    run(book(&daemon, 1));
    delivered(webox, 2);
    account.lock().unwrap().is_behind = true;
    run(async {
        daemon.ring(&sid(2)).await;
        daemon.hang_up(&sid(2), 5).await;
    });
    delivered(webox, 3);
    // Somebody whose number is withheld is nobody to a CRM.
    run(async {
        let withheld = ("From", "anonymous");
        daemon.post("incoming", &sid(3), &[withheld]).await;
        let over = [withheld, ("CallStatus", "completed"), ("CallDuration", "5")];
        daemon.post("status", &sid(3), &over).await;
    });
    delivered(webox, 3);
    let account = account.lock().unwrap();
    (account.people.clone(), account.records.clone())
}

#[test]
fn hubspot_has_one_contact_its_calls_and_its_notes() {
    let crm = fake_crm::hubspot();
    let fields = format!("fields = {{ {FIELDS}, firstname = \"{{{{ caller.name }}}}\" }}");
    let webox = le_gourmet(&format!("to = \"hubspot\"\n{fields}"), &crm.0.url(), "");
    let (people, records) = told(&crm, &webox);
    assert_eq!(people.len(), 1, "{people:?}");
    assert_eq!(people[0]["number"], "+33612345678");
    assert_eq!(people[0]["fields"]["firstname"], "Dupont");
    assert_eq!(people[0]["fields"]["lead_source"], "Téléphone");
    let kinds: Vec<&Value> = records.iter().map(|record| &record["kind"]).collect();
    assert_eq!(kinds, ["notes", "calls", "calls"], "each once: {records:#?}");
    let note = records[0]["properties"]["hs_note_body"].as_str().unwrap();
    assert!(note.contains("Réservation ") && note.contains(": Dupont, 4 personnes"), "{note}");
    let call = &records[1]["properties"];
    assert_eq!(
        (&call["hs_call_duration"], &call["hs_call_direction"]),
        (&json!("90000"), &json!("INBOUND"))
    );
    assert_eq!(call["hs_call_title"], "Appel – Restaurant Le Gourmet");
    assert!(call["hs_call_body"].as_str().unwrap().contains("Appelant: Une table pour quatre"));
}

#[test]
fn salesforce_has_one_lead_and_its_tasks() {
    let crm = fake_crm::salesforce();
    let fields = "fields = { LeadSource = \"Phone\", \"Lead.Company\" = \"Particulier\", \
                  \"Contact.Title\" = \"Client\" }";
    let url = crm.0.url();
    let place = format!("to = \"salesforce\"\nurl = \"{url}\"\nclient_id = \"3MVG9\"\n{fields}");
    let webox = le_gourmet(&place, "", "");
    let (people, records) = told(&crm, &webox);
    assert_eq!(people.len(), 1, "{people:?}");
    let lead = json!({"LastName": "Dupont", "Company": "Particulier", "Phone": "+33612345678", "LeadSource": "Phone"});
    assert_eq!(people[0]["fields"], lead);
    assert_eq!(records.len(), 3, "each once: {records:#?}");
    assert_eq!(records[0]["Subject"], "Réservation – Restaurant Le Gourmet");
    let call = &records[1];
    assert_eq!(
        (&call["TaskSubtype"], &call["CallDurationInSeconds"]),
        (&json!("Call"), &json!(90))
    );
    assert_eq!((&call["Status"], &call["CallType"]), (&json!("Completed"), &json!("Inbound")));
}

#[test]
fn pipedrive_has_one_person_its_activities_and_its_notes() {
    let crm = fake_crm::pipedrive();
    let own = "a".repeat(40);
    let place = format!("to = \"pipedrive\"\nfields = {{ \"{own}\" = \"Téléphone\" }}");
    let webox = le_gourmet(&place, "", &crm.0.url());
    let (people, records) = told(&crm, &webox);
    assert_eq!(people.len(), 1, "{people:?}");
    let person = &people[0]["fields"];
    assert_eq!(
        (&person["name"], &person["custom_fields"][&own]),
        (&json!("Dupont"), &json!("Téléphone"))
    );
    assert_eq!(records.len(), 3, "each once: {records:#?}");
    assert!(records[0]["content"].as_str().unwrap().contains(": Dupont, 4 personnes"));
    assert_eq!((&records[1]["type"], &records[1]["duration"]), (&json!("call"), &json!("00:02")));
}

#[test]
fn a_wrong_key_is_told_with_what_was_tried() {
    let crm = fake_crm::hubspot();
    let webox = le_gourmet("to = \"hubspot\"", &crm.0.url(), "").env("CRM_KEY", "another");
    let daemon = Daemon::start(&webox);
    run(async {
        daemon.ring(&sid(1)).await;
        daemon.hang_up(&sid(1), 5).await;
    });
    let line = daemon.logged("not delivered yet");
    assert!(line.contains("looking for the contact: it answered 401"), "{line}");
    assert!(!line.contains("another"), "{line}");
    assert_eq!(crm.1.lock().unwrap().records.len(), 0);
}
