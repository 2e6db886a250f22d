//! Doubles of HubSpot, Salesforce and Pipedrive: people and records in memory, and refusals of what
//! the vendors' documentation does not allow.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use super::receiver::{Received, Receiver, Reply};

/// The key to the account.
pub(crate) const KEY: &str = "crm-double-0b9f2d";

/// What is in an account.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) people: Vec<Value>,
    pub(crate) records: Vec<Value>,
    /// The next record is made, and the answer lost.
    pub(crate) loses_an_answer: bool,
    /// People are not found by their number: they were not indexed yet.
    pub(crate) is_behind: bool,
}

pub(crate) type Shared = Arc<Mutex<Account>>;

type Answers = fn(&mut Account, &Received) -> Reply;

fn start(answers: Answers) -> (Receiver, Shared) {
    let account = Shared::default();
    let kept = Arc::clone(&account);
    (Receiver::answering(move |asked| answers(&mut kept.lock().unwrap(), asked)), account)
}

pub(crate) fn hubspot() -> (Receiver, Shared) {
    start(answer_as_hubspot)
}

pub(crate) fn salesforce() -> (Receiver, Shared) {
    start(answer_as_salesforce)
}

pub(crate) fn pipedrive() -> (Receiver, Shared) {
    start(answer_as_pipedrive)
}

impl Account {
    fn keep(&mut self, record: Value, reply: Reply) -> Reply {
        self.records.push(record);
        if std::mem::take(&mut self.loses_an_answer) { Reply::status(502) } else { reply }
    }

    fn person(&self, id: &str) -> Option<usize> {
        self.people.iter().position(|person| person["id"] == id)
    }

    fn with_number(&self, number: &str) -> Option<&Value> {
        let found = self.people.iter().find(|person| person["number"] == number);
        found.filter(|_| !self.is_behind)
    }
}

fn refused(why: &str) -> Reply {
    Reply::json(400, &json!({ "status": "error", "message": why }))
}

/// Whether all of these are there, as texts that say something.
fn lacks<'a>(object: &Value, needed: &[&'a str]) -> Option<&'a str> {
    needed.iter().copied().find(|key| object[*key].as_str().is_none_or(str::is_empty))
}

fn answer_as_hubspot(account: &mut Account, asked: &Received) -> Reply {
    if asked.header("authorization") != format!("Bearer {KEY}") {
        return Reply::json(401, &json!({ "category": "INVALID_AUTHENTICATION" }));
    }
    let parts: Vec<&str> = asked.path.trim_start_matches("/crm/v3/objects/").split('/').collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("POST", ["contacts", "search"]) => {
            let body = asked.json();
            let groups = body["filterGroups"].as_array().unwrap();
            let values: Vec<&str> =
                groups.iter().map(|one| one["filters"][0]["value"].as_str().unwrap()).collect();
            assert!(groups.iter().all(|one| one["filters"][0]["operator"] == "EQ"), "{body}");
            let found = account.with_number(values[0]).map(|one| json!({ "id": one["id"] }));
            Reply::json(200, &json!({ "results": found.into_iter().collect::<Vec<_>>() }))
        }
        ("POST", ["contacts"]) => {
            let properties = asked.json()["properties"].take();
            if ["email", "firstname", "lastname"].iter().all(|name| properties[*name].is_null()) {
                return refused("a contact needs a name or an address");
            }
            let id = (account.people.len() + 101).to_string();
            let number = properties["phone"].clone();
            account.people.push(json!({ "id": id, "number": number, "fields": properties }));
            Reply::json(201, &json!({ "id": id }))
        }
        ("GET", ["contacts", id]) => match account.person(id) {
            Some(_) => Reply::json(200, &json!({ "id": id })),
            None => Reply::status(404),
        },
        ("PATCH", ["contacts", id]) => {
            let Some(at) = account.person(id) else { return Reply::status(404) };
            let properties = asked.json()["properties"].take();
            let fields = account.people[at]["fields"].as_object_mut().unwrap();
            fields.extend(properties.as_object().unwrap().clone());
            Reply::json(200, &json!({ "id": id }))
        }
        ("POST", [kind @ ("calls" | "notes"), "search"]) => {
            let filter = asked.json()["filterGroups"][0]["filters"][0].take();
            assert_eq!(filter["operator"], "CONTAINS_TOKEN");
            let (body, token) = (filter["propertyName"].as_str(), filter["value"].as_str());
            let found = account.records.iter().filter(|record| {
                record["kind"] == **kind
                    && record["properties"][body.unwrap()]
                        .as_str()
                        .unwrap()
                        .contains(token.unwrap())
            });
            Reply::json(200, &json!({ "results": found.collect::<Vec<_>>() }))
        }
        ("POST", [kind @ ("calls" | "notes")]) => {
            let mut record = asked.json();
            let body = if *kind == "calls" { "hs_call_body" } else { "hs_note_body" };
            if let Some(key) = lacks(&record["properties"], &["hs_timestamp", body]) {
                return refused(&format!("{key} is missing"));
            }
            let association = &record["associations"][0];
            let kind_of = &association["types"][0];
            let expected = if *kind == "calls" { 194 } else { 202 };
            let known = association["to"]["id"].as_str().and_then(|id| account.person(id));
            if kind_of["associationTypeId"] != expected
                || kind_of["associationCategory"] != "HUBSPOT_DEFINED"
                || known.is_none()
            {
                return refused("no such association");
            }
            record["kind"] = (*kind).into();
            account.keep(record, Reply::json(201, &json!({ "id": "9001" })))
        }
        _ => Reply::status(404),
    }
}

fn answer_as_salesforce(account: &mut Account, asked: &Received) -> Reply {
    let token = "00D!token";
    if asked.path == "/services/oauth2/token" {
        let form = "grant_type=client_credentials&client_id=3MVG9&client_secret=".to_owned() + KEY;
        assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
        if asked.body != form {
            return Reply::json(400, &json!({ "error": "invalid_client" }));
        }
        let instance = "https://elsewhere.example";
        return Reply::json(200, &json!({ "access_token": token, "instance_url": instance }));
    }
    if asked.header("authorization") != format!("Bearer {token}") {
        return Reply::json(401, &json!([{ "errorCode": "INVALID_SESSION_ID" }]));
    }
    let path = asked.path.trim_start_matches("/services/data/v62.0/");
    let parts: Vec<&str> = path.split('/').collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["query"]) => {
            let query = &asked.query.iter().find(|(name, _)| name == "q").unwrap().1;
            let value = query.split('\'').nth(1).unwrap();
            let found = if query.contains("FROM Task") {
                account.records.iter().find(|task| task["CallObject"] == value).map(|_| "00T1")
            } else {
                let kind = if query.contains("FROM Lead") { "Lead" } else { "Contact" };
                let found = account.with_number(value).filter(|person| person["kind"] == kind);
                found.map(|person| person["id"].as_str().unwrap())
            };
            let records: Vec<Value> = found.map(|id| json!({ "Id": id })).into_iter().collect();
            Reply::json(
                200,
                &json!({ "totalSize": records.len(), "done": true, "records": records }),
            )
        }
        ("POST", ["sobjects", "Lead"]) => {
            let lead = asked.json();
            if let Some(key) = lacks(&lead, &["LastName", "Company"]) {
                return Reply::json(
                    400,
                    &json!([{ "errorCode": "REQUIRED_FIELD_MISSING", "fields": [key] }]),
                );
            }
            let id = format!("00Q{}", account.people.len());
            let number = lead["Phone"].clone();
            account
                .people
                .push(json!({ "id": id, "kind": "Lead", "number": number, "fields": lead }));
            Reply::json(201, &json!({ "id": id, "success": true, "errors": [] }))
        }
        ("GET", ["sobjects", _, id]) => match account.person(id) {
            Some(_) => Reply::json(200, &json!({ "Id": id })),
            None => Reply::status(404),
        },
        ("PATCH", ["sobjects", kind, id]) => {
            let at = account.person(id).unwrap();
            assert_eq!(account.people[at]["kind"], **kind);
            let fields = account.people[at]["fields"].as_object_mut().unwrap();
            fields.extend(asked.json().as_object().unwrap().clone());
            Reply::status(204)
        }
        ("POST", ["sobjects", "Task"]) => {
            let task = asked.json();
            if let Some(key) = lacks(&task, &["Subject", "Status", "Priority", "WhoId"]) {
                return Reply::json(
                    400,
                    &json!([{ "errorCode": "REQUIRED_FIELD_MISSING", "fields": [key] }]),
                );
            }
            assert!(account.person(task["WhoId"].as_str().unwrap()).is_some(), "{task}");
            account.keep(task, Reply::json(201, &json!({ "id": "00T1", "success": true })))
        }
        _ => Reply::json(404, &json!([{ "errorCode": "NOT_FOUND" }])),
    }
}

fn answer_as_pipedrive(account: &mut Account, asked: &Received) -> Reply {
    if asked.header("x-api-token") != KEY {
        return Reply::json(401, &json!({ "success": false, "error": "unauthorized access" }));
    }
    let data = |data: Value| json!({ "success": true, "data": data });
    let of = |name: &str| {
        let found = asked.query.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let parts: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["api", "v2", "persons", "search"]) => {
            assert_eq!((of("fields").as_str(), of("exact_match").as_str()), ("phone", "true"));
            let found = account.with_number(&of("term"));
            let items: Vec<Value> = found
                .map(|one| json!({ "item": { "id": one["id"].as_str().unwrap().parse::<i64>().unwrap() } }))
                .into_iter()
                .collect();
            Reply::json(200, &data(json!({ "items": items })))
        }
        ("GET", ["api", "v2", "persons", id]) => match account.person(id) {
            Some(_) => Reply::json(200, &data(json!({ "id": id.parse::<i64>().unwrap() }))),
            None => Reply::status(404),
        },
        ("POST", ["api", "v2", "persons"]) => {
            let person = asked.json();
            if lacks(&person, &["name"]).is_some() {
                return refused("name is missing");
            }
            let id = account.people.len() + 1;
            let number = person["phones"][0]["value"].clone();
            account
                .people
                .push(json!({ "id": id.to_string(), "number": number, "fields": person }));
            Reply::json(201, &data(json!({ "id": id })))
        }
        ("PATCH", ["api", "v2", "persons", id]) => {
            let at = account.person(id).unwrap();
            let fields: &mut Map<String, Value> =
                account.people[at]["fields"].as_object_mut().unwrap();
            fields.extend(asked.json().as_object().unwrap().clone());
            Reply::json(200, &data(json!({ "id": id.parse::<i64>().unwrap() })))
        }
        ("GET", ["api", "v2", "activities"] | ["v1", "notes"]) => {
            assert!(account.person(&of("person_id")).is_some());
            let text = if parts[0] == "v1" { "content" } else { "note" };
            let found = account.records.iter().filter(|record| record[text].is_string());
            Reply::json(200, &data(found.cloned().collect()))
        }
        ("POST", ["api", "v2", "activities"]) => {
            let activity = asked.json();
            let participant = &activity["participants"][0];
            let known = account.person(&participant["person_id"].to_string());
            if lacks(&activity, &["subject", "type"]).is_some()
                || participant["primary"] != true
                || known.is_none()
                || activity["done"] != true
            {
                return refused("an activity needs more");
            }
            account.keep(activity, Reply::json(201, &data(json!({ "id": 77 }))))
        }
        ("POST", ["v1", "notes"]) => {
            let note = asked.json();
            let known = account.person(&note["person_id"].to_string());
            if lacks(&note, &["content"]).is_some() || known.is_none() {
                return refused("a note needs somebody, and words");
            }
            account.keep(note, Reply::json(201, &data(json!({ "id": 78 }))))
        }
        _ => Reply::status(404),
    }
}
