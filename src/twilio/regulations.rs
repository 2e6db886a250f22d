//! Which papers a country wants to see before somebody has a number there (Twilio, "Regulatory
//! Compliance API: Regulations", v2). The rules are asked for, never kept here: they change.

use serde::Deserialize;
use serde_json::Value;

use super::{access::OpenAccount, form::Form, rest::RestError};
use crate::domain::{CountryCode, NumberKind};

/// What a country wants of a business that is to have a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regulation {
    /// What Twilio calls it.
    pub name: String,
    /// The facts about the business, in Twilio's words.
    pub facts: Vec<String>,
    /// The papers, each with those that are accepted for it.
    pub papers: Vec<String>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    results: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default)]
    friendly_name: Option<String>,
    #[serde(default)]
    requirements: Value,
}

impl OpenAccount {
    /// What a country wants to see of a business before it has a number of a kind; nothing where it
    /// wants nothing.
    pub async fn regulation(
        &self,
        country: &CountryCode,
        kind: NumberKind,
    ) -> Result<Option<Regulation>, RestError> {
        let query = Form::from_fields([
            ("IsoCountry", country.as_str()),
            ("NumberType", kind.as_str()),
            ("EndUserType", "business"),
        ]);
        let path = format!("/v2/RegulatoryCompliance/Regulations?{}", query.encode());
        let asked = self
            .with(async |rest, account| rest.read(account, &rest.product("numbers", &path)).await);
        match asked.await {
            Err(RestError::Refused(refusal)) if refusal.status == 404 => Ok(None),
            asked => read(&asked?),
        }
    }
}

fn read(body: &[u8]) -> Result<Option<Regulation>, RestError> {
    let page: Page = serde_json::from_slice(body)
        .map_err(|_| RestError::Unreadable("it is no list of regulations".to_owned()))?;
    let Some(first) = page.results.into_iter().next() else { return Ok(None) };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let name = |value: &Value| {
        let names = ["friendly_name", "name", "requirement_name", "machine_name"];
        names.iter().find_map(|key| value[*key].as_str()).map(plain)
    };
    let facts = list(&first.requirements["end_user"])
        .iter()
        .flat_map(|one| {
            let detailed: Vec<_> = list(&one["detailed_fields"]).iter().filter_map(name).collect();
            if detailed.is_empty() {
                list(&one["fields"]).iter().filter_map(|one| one.as_str().map(plain)).collect()
            } else {
                detailed
            }
        })
        .collect();
    let papers = list(&first.requirements["supporting_document"])
        .iter()
        // A list of lists: of each of the inner ones, one is enough.
        .flat_map(|group| if group.is_array() { list(group) } else { vec![group.clone()] })
        .filter_map(|paper| {
            let accepted: Vec<_> =
                list(&paper["accepted_documents"]).iter().filter_map(name).collect();
            let what = name(&paper)?;
            Some(match accepted.as_slice() {
                [] => what,
                accepted => format!("{what} ({})", accepted.join(", or ")),
            })
        })
        .collect();
    let name = first.friendly_name.as_deref().map(plain).unwrap_or_default();
    Ok(Some(Regulation { name, facts, papers }))
}

/// A text of Twilio's on one line.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_and_papers_are_named() {
        let found = read(
            br#"{"results":[{"sid":"RN1","friendly_name":"France: Local - Business","requirements":{
                "end_user":[{"type":"business","requirement_name":"business_info","fields":["business_name"],
                  "detailed_fields":[{"machine_name":"business_name","friendly_name":"Business Name"}]}],
                "supporting_document":[[{"type":"document","name":"Business Name","accepted_documents":[
                  {"type":"corporate_registry","name":"Corporate registry or foreign equivalent"},
                  {"type":"excerpt","name":"Excerpt"}]}]]}}],"meta":{}}"#,
        )
        .unwrap()
        .unwrap();
        assert_eq!(found.facts, ["Business Name"]);
        assert_eq!(
            found.papers,
            ["Business Name (Corporate registry or foreign equivalent, or Excerpt)"]
        );
        assert_eq!(read(br#"{"results":[]}"#).unwrap(), None);
    }

    proptest::proptest! {
        #[test]
        fn no_answer_panics(text in ".{0,40}") {
            let _ = read(text.as_bytes());
            let odd = serde_json::json!({"results":[{"requirements":{"end_user":text,"supporting_document":[[text]]}}]});
            let _ = read(odd.to_string().as_bytes());
        }
    }
}
