//! HubSpot (CRM API v3: contacts, calls, notes): a contact found by its number or made, and what
//! happened on its timeline.

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
pub(super) const BASE_URL: &str = "https://api.hubapi.com";

/// HubSpot's own numbers for "call of a contact" and "note of a contact".
const CALL_TO_CONTACT: u32 = 194;
const NOTE_TO_CONTACT: u32 = 202;

/// The longest text of a call or a note.
const LONGEST: usize = 65_000;

pub(super) async fn deliver(
    outgoing: &Outgoing,
    base: &str,
    token: &Secret,
    parcel: &mut Parcel,
) -> Result<(), Failure> {
    let api = Api::new(outgoing, base, parcel.now)?.bearing(token.expose().trim())?;
    let story = Story::of(parcel)?;
    let contact = contact(&api, &story, parcel).await?;
    parcel.progress.insert("contact".to_owned(), contact.clone());
    let (kind, body, association) = if story.is_call() {
        ("calls", "hs_call_body", CALL_TO_CONTACT)
    } else {
        ("notes", "hs_note_body", NOTE_TO_CONTACT)
    };
    if parcel.attempts > 1 && is_there(&api, kind, body, &parcel.id).await? {
        return Ok(());
    }
    let mut properties = json!({ "hs_timestamp": story.began(), body: story.html(LONGEST) });
    if story.is_call() {
        properties["hs_call_title"] = story.title().into();
        properties["hs_call_direction"] = "INBOUND".into();
        properties["hs_call_status"] = "COMPLETED".into();
        properties["hs_call_duration"] = (story.seconds() * 1_000).to_string().into();
        properties["hs_call_from_number"] = story.number().into();
        properties["hs_call_to_number"] = story.called().into();
    } else {
        properties[body] = format!("<b>{}</b><br>{}", story.title(), story.html(LONGEST)).into();
    }
    let record = json!({
        "properties": properties,
        "associations": [{
            "to": { "id": contact },
            "types": [{
                "associationCategory": "HUBSPOT_DEFINED",
                "associationTypeId": association,
            }],
        }],
    });
    let doing = "making the record";
    let path = format!("crm/v3/objects/{kind}");
    let made = api.ask(doing, Method::POST, &path, &record).await?;
    id_of(doing, &made["id"]).map(|_| ())
}

/// The contact: the one that was told of before, the one with the number, or a new one.
async fn contact(api: &Api<'_>, story: &Story, parcel: &Parcel) -> Result<String, Failure> {
    let known = match parcel.progress.get("contact") {
        Some(id) => {
            let path = format!("crm/v3/objects/contacts/{id}");
            let found = api.find("looking for the contact", &path, &[]).await?;
            found.is_some().then(|| id.clone())
        }
        None => None,
    };
    let found = match known {
        Some(id) => Some(id),
        None => search(api, story.number()).await?,
    };
    let mut properties = story.fields();
    let Some(id) = found else {
        // At least one name is asked for.
        if !["firstname", "lastname", "email"].iter().any(|name| properties.contains_key(*name)) {
            properties.insert("lastname".to_owned(), story.name().into());
        }
        properties.insert("phone".to_owned(), story.number().into());
        let doing = "making the contact";
        let body = json!({ "properties": properties });
        let made = api.ask(doing, Method::POST, "crm/v3/objects/contacts", &body).await?;
        return id_of(doing, &made["id"]);
    };
    update(api, &id, properties).await?;
    Ok(id)
}

async fn update(api: &Api<'_>, id: &str, fields: Map<String, Value>) -> Result<(), Failure> {
    if fields.is_empty() {
        return Ok(());
    }
    let body = json!({ "properties": fields });
    let path = format!("crm/v3/objects/contacts/{id}");
    api.ask("changing the contact", Method::PATCH, &path, &body).await.map(|_| ())
}

async fn search(api: &Api<'_>, number: &str) -> Result<Option<String>, Failure> {
    let equals = |property: &str| json!({ "filters": [{ "propertyName": property, "operator": "EQ", "value": number }] });
    let body = json!({
        "filterGroups": [equals("phone"), equals("mobilephone")],
        "properties": ["phone"],
        "limit": 1,
    });
    let doing = "looking for the contact";
    let found = api.ask(doing, Method::POST, "crm/v3/objects/contacts/search", &body).await?;
    let first = found.pointer("/results/0/id");
    first.map(|id| id_of(doing, id)).transpose()
}

/// Whether an earlier try got as far as the record.
async fn is_there(api: &Api<'_>, kind: &str, body: &str, id: &str) -> Result<bool, Failure> {
    let filter = json!({ "propertyName": body, "operator": "CONTAINS_TOKEN", "value": id });
    let wanted = json!({ "filterGroups": [{ "filters": [filter] }], "limit": 1 });
    let path = format!("crm/v3/objects/{kind}/search");
    let found = api.ask("looking for the record", Method::POST, &path, &wanted).await?;
    Ok(found.pointer("/results/0").is_some())
}
