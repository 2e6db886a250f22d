//! Pipedrive (API v2 for persons and activities, v1 for notes): a person found by its number or made,
//! and an activity that is done, or a note.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{
    Failure, Parcel,
    api::{Api, id_of},
    outgoing::Outgoing,
    story::Story,
};
use crate::domain::Secret;

/// Where it answers.
pub(super) const BASE_URL: &str = "https://api.pipedrive.com";

/// The longest text of a note.
const LONGEST: usize = 60_000;

pub(super) async fn deliver(
    outgoing: &Outgoing,
    base: &str,
    token: &Secret,
    parcel: &mut Parcel,
) -> Result<(), Failure> {
    let api = Api::new(outgoing, base, parcel.now)?.keyed("x-api-token", token)?;
    let story = Story::of(parcel)?;
    let person = person(&api, &story, parcel).await?;
    parcel.progress.insert("contact".to_owned(), person.clone());
    let number: i64 = person.parse().unwrap_or_default();
    if parcel.attempts > 1 && is_there(&api, &story, &person, &parcel.id).await? {
        return Ok(());
    }
    let (doing, path, record) = if story.is_call() {
        let minutes = story.seconds().div_ceil(60);
        let record = json!({
            "subject": story.title(),
            "type": "call",
            "done": true,
            "due_date": story.began().get(..10),
            "due_time": story.began().get(11..16),
            "duration": format!("{:02}:{:02}", minutes / 60, minutes % 60),
            "participants": [{ "person_id": number, "primary": true }],
            "note": story.html(LONGEST),
        });
        ("making the activity", "api/v2/activities", record)
    } else {
        let content = format!("<b>{}</b><br>{}", story.title(), story.html(LONGEST));
        ("making the note", "v1/notes", json!({ "content": content, "person_id": number }))
    };
    let made = api.ask(doing, Method::POST, path, &record).await?;
    id_of(doing, &made["data"]["id"]).map(|_| ())
}

/// The person: the one that was told of before, the one with the number, or a new one.
async fn person(api: &Api<'_>, story: &Story, parcel: &Parcel) -> Result<String, Failure> {
    let doing = "looking for the person";
    let known = match parcel.progress.get("contact") {
        Some(id) => {
            let found = api.find(doing, &format!("api/v2/persons/{id}"), &[]).await?;
            found.is_some().then(|| id.clone())
        }
        None => None,
    };
    let found = if let Some(id) = known {
        Some(id)
    } else {
        let query = [
            ("term", story.number()),
            ("fields", "phone"),
            ("exact_match", "true"),
            ("limit", "1"),
        ];
        let found = api.find(doing, "api/v2/persons/search", &query).await?;
        let first = found.as_ref().and_then(|found| found.pointer("/data/items/0/item/id"));
        first.map(|id| id_of(doing, id)).transpose()?
    };
    let mut fields = fields(story);
    let Some(id) = found else {
        fields.entry("name").or_insert_with(|| story.name().into());
        fields.insert("phones".to_owned(), json!([{ "value": story.number(), "primary": true }]));
        let doing = "making the person";
        let made = api.ask(doing, Method::POST, "api/v2/persons", &fields.into()).await?;
        return id_of(doing, &made["data"]["id"]);
    };
    if !fields.is_empty() {
        let path = format!("api/v2/persons/{id}");
        api.ask("changing the person", Method::PATCH, &path, &fields.into()).await?;
    }
    Ok(id)
}

/// The fields of the assistant's file; those of the company's own, which are 40 hexadecimal letters,
/// stand apart.
fn fields(story: &Story) -> Map<String, Value> {
    let is_own = |name: &str| name.len() == 40 && name.bytes().all(|b| b.is_ascii_hexdigit());
    let (own, mut usual): (Map<_, _>, Map<_, _>) =
        story.fields().into_iter().partition(|(name, _)| is_own(name));
    if !own.is_empty() {
        usual.insert("custom_fields".to_owned(), own.into());
    }
    usual
}

/// Whether an earlier try got as far as the activity or the note: it is among the person's latest.
async fn is_there(api: &Api<'_>, story: &Story, person: &str, id: &str) -> Result<bool, Failure> {
    let (path, text, query) = if story.is_call() {
        let query = [
            ("person_id", person),
            ("sort_by", "add_time"),
            ("sort_direction", "desc"),
            ("limit", "50"),
        ];
        ("api/v2/activities", "note", query)
    } else {
        let query =
            [("person_id", person), ("sort", "add_time DESC"), ("start", "0"), ("limit", "50")];
        ("v1/notes", "content", query)
    };
    let found = api.find("looking for the record", path, &query).await?;
    let latest = found.as_ref().and_then(|found| found["data"].as_array());
    Ok(latest
        .into_iter()
        .flatten()
        .any(|one| one[text].as_str().is_some_and(|text| text.contains(id))))
}
