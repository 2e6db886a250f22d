//! Salesforce (REST API, OAuth client credentials): a contact or a lead found by its number, or a new
//! lead, and a task that is done.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{
    Failure, Parcel,
    api::{Api, id_of},
    outgoing::Outgoing,
    story::Story,
};
use crate::domain::{Secret, Trouble};

/// The version of the API.
const DATA: &str = "services/data/v62.0";

/// The longest description of a task.
const LONGEST: usize = 32_000;

pub(super) async fn deliver(
    outgoing: &Outgoing,
    domain: &str,
    client_id: &str,
    secret: &Secret,
    parcel: &mut Parcel,
) -> Result<(), Failure> {
    let doors = Api::new(outgoing, domain, parcel.now)?;
    let doing = "signing in";
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", secret.expose().trim()),
    ];
    let signed_in = doors.form(doing, "services/oauth2/token", &form).await?;
    let token = id_of(doing, &signed_in["access_token"])?;
    let api = Api::new(outgoing, domain, parcel.now)?.bearing(&token)?;
    let story = Story::of(parcel)?;
    let who = who(&api, &story, parcel).await?;
    parcel.progress.insert("contact".to_owned(), who.clone());
    let who = who.rsplit('/').next().unwrap_or_default();
    if parcel.attempts > 1 {
        let query =
            format!("SELECT Id FROM Task WHERE CallObject = '{}' LIMIT 1", quoted(&parcel.id));
        if first(&api, "looking for the task", &query).await?.is_some() {
            return Ok(());
        }
    }
    let mut task = json!({
        "Subject": story.title().chars().take(255).collect::<String>(),
        "Description": story.plain(LONGEST),
        "ActivityDate": story.began().get(..10),
        "Status": "Completed",
        "Priority": "Normal",
        "WhoId": who,
        // What is told again is found by it.
        "CallObject": parcel.id,
    });
    if story.is_call() {
        task["TaskSubtype"] = "Call".into();
        task["CallType"] = "Inbound".into();
        task["CallDurationInSeconds"] = story.seconds().into();
    }
    make(&api, "Task", &task).await.map(|_| ())
}

/// Whom it concerns, as `Contact/ID` or `Lead/ID`.
async fn who(api: &Api<'_>, story: &Story, parcel: &Parcel) -> Result<String, Failure> {
    let known = match parcel.progress.get("contact") {
        Some(record) => {
            let path = format!("{DATA}/sobjects/{record}");
            let found = api.find("looking for the person", &path, &[("fields", "Id")]).await?;
            found.is_some().then(|| record.clone())
        }
        None => None,
    };
    let found = match known {
        Some(record) => Some(record),
        None => search(api, story.number()).await?,
    };
    let Some(record) = found else {
        let mut lead = fields_of("Lead", story);
        for (field, usual) in
            [("LastName", story.name()), ("Company", story.name()), ("Phone", story.number())]
        {
            lead.entry(field).or_insert_with(|| usual.into());
        }
        return Ok(format!("Lead/{}", make(api, "Lead", &lead.into()).await?));
    };
    let kind = record.split('/').next().unwrap_or_default();
    let fields = fields_of(kind, story);
    if !fields.is_empty() {
        let path = format!("{DATA}/sobjects/{record}");
        api.ask("changing the person", Method::PATCH, &path, &fields.into()).await?;
    }
    Ok(record)
}

/// The fields of the assistant's file for a kind of object: `Lead.Company` is for leads alone.
fn fields_of(kind: &str, story: &Story) -> Map<String, Value> {
    let mine = |(field, value): (String, Value)| match field.split_once('.') {
        None => Some((field, value)),
        Some((of, name)) => (of == kind).then(|| (name.to_owned(), value)),
    };
    story.fields().into_iter().filter_map(mine).collect()
}

async fn search(api: &Api<'_>, number: &str) -> Result<Option<String>, Failure> {
    let number = quoted(number);
    for (kind, more) in [("Contact", ""), ("Lead", " AND IsConverted = false")] {
        let query = format!(
            "SELECT Id FROM {kind} WHERE (Phone = '{number}' OR MobilePhone = '{number}'){more} LIMIT 1"
        );
        if let Some(id) = first(api, "looking for the person", &query).await? {
            return Ok(Some(format!("{kind}/{id}")));
        }
    }
    Ok(None)
}

async fn first(api: &Api<'_>, doing: &str, query: &str) -> Result<Option<String>, Failure> {
    let found = api.find(doing, &format!("{DATA}/query"), &[("q", query)]).await?;
    let found = found.ok_or_else(|| {
        (Trouble::Refused, format!("{doing}: there is no API of this version at its domain"))
    })?;
    let first = found.pointer("/records/0/Id");
    first.map(|id| id_of(doing, id)).transpose()
}

async fn make(api: &Api<'_>, kind: &str, record: &Value) -> Result<String, Failure> {
    let doing = format!("making the {}", kind.to_lowercase());
    let path = format!("{DATA}/sobjects/{kind}");
    let made = api.ask(&doing, Method::POST, &path, record).await?;
    id_of(&doing, &made["id"])
}

/// A text between the quotes of a query.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '\'' | '"' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            c => quoted.push(c),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn nothing_gets_out_of_the_quotes() {
        assert_eq!(quoted("+33612345678"), "+33612345678");
        assert_eq!(quoted("' OR Name LIKE '%"), "\\' OR Name LIKE \\'%");
        assert_eq!(quoted("\\' \n"), "\\\\\\' \\n");
    }
}
