//! What an assistant may ask the client's own systems in a call: `[[tools]]`.

use std::{collections::BTreeMap, ops::RangeInclusive};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DataSchema, HumanDuration, SecretRef, Wording};

/// How an endpoint is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ToolMethod {
    /// Arguments that are not in the address go in its query.
    #[default]
    Get,
    /// They go in the body, as JSON.
    Post,
}

/// One endpoint that the assistant may ask while somebody is on the phone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpTool {
    /// As models and transcripts name it: `order_status`.
    pub name: String,
    /// What it is for: tells models when to use it.
    pub description: String,
    /// Where it is asked. `{number}` stands for an argument, in the path or the query.
    pub url: String,
    /// How.
    #[serde(default, skip_serializing_if = "is_get")]
    pub method: ToolMethod,
    /// What it is asked with: `Authorization: Bearer` and the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretRef>,
    /// The header that takes the secret as it is, instead of `Authorization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Whether the number of the caller goes along, as the argument `caller`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub caller: bool,
    /// How long an answer may take: 1 s to 8 s.
    #[serde(default = "usual_timeout", skip_serializing_if = "is_usual_timeout")]
    pub timeout: HumanDuration,
    /// What it is given, by JSON Schema.
    #[serde(default, skip_serializing_if = "DataSchema::is_empty")]
    pub arguments: DataSchema,
    /// What the caller hears when the answer takes longer than a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Wording>,
    /// Words of a caller after which the built-in concierge uses it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
    /// How the built-in concierge asks for an argument.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ask: BTreeMap<String, Wording>,
    /// What the built-in concierge says of the answer, as a template over the arguments and `answer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub say: Option<Wording>,
    /// What it says when there is no such thing: the endpoint answered 404.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_found: Option<Wording>,
}

/// Time for an answer when the file does not say.
const USUAL_TIMEOUT: HumanDuration = HumanDuration::from_secs(4);

/// Less is no time for a request around the world; more is silence on the phone.
const TIMEOUTS: RangeInclusive<u64> = 1..=8;

/// Tools of one assistant: models choose badly among more.
const MOST: usize = 20;

/// Bounds on texts, in characters.
const LONGEST_DESCRIPTION: usize = 1_000;
const LONGEST_WORDS: usize = 500;

/// The argument that stands for the caller's number.
pub const CALLER_ARGUMENT: &str = "caller";

impl HttpTool {
    /// Webox's own tools: no file can take their names.
    pub const TAKEN: &'static [&'static str] = &[
        "check_availability",
        "book",
        "find_bookings",
        "reschedule",
        "cancel",
        "take_message",
        "transfer",
        "end_call",
        "search_knowledge",
    ];
}

const fn usual_timeout() -> HumanDuration {
    USUAL_TIMEOUT
}

// The signatures are serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_usual_timeout(timeout: &HumanDuration) -> bool {
    *timeout == USUAL_TIMEOUT
}

#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_get(method: &ToolMethod) -> bool {
    matches!(method, ToolMethod::Get)
}

impl HttpTool {
    /// What goes where with what: who may not name a secret may not send it elsewhere either.
    pub fn door(&self) -> (&str, Option<&str>, Option<&SecretRef>) {
        (&self.url, self.header.as_deref(), self.secret.as_ref())
    }

    /// The arguments that stand in its address, in order.
    pub fn placeholders(&self) -> Vec<&str> {
        let parts = self.url.split('{').skip(1);
        parts.filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect()
    }

    /// Whether the built-in concierge can use it: it knows when, how to ask, and what to say.
    pub fn is_for_concierge(&self) -> bool {
        !self.about.is_empty()
    }

    /// The names that the template `say` may use.
    pub fn named(&self) -> Vec<&str> {
        let mut names = self.arguments.names();
        names.extend(self.caller.then_some(CALLER_ARGUMENT));
        names.push("answer");
        names
    }

    /// The rule broken, if any: the key and what is wrong with it.
    fn broken(&self) -> Option<(String, String)> {
        let wrong = |key: &str, what: &str| Some((key.to_owned(), what.to_owned()));
        if !is_tool_name(&self.name) {
            return wrong("name", "has 1 to 40 small letters, digits and `_`, a letter first");
        }
        if Self::TAKEN.contains(&self.name.as_str()) {
            return wrong("name", "is one of webox's own tools: take another");
        }
        if self.description.trim().is_empty() {
            return wrong("description", "is empty: models need to know when to use it");
        }
        if self.description.chars().count() > LONGEST_DESCRIPTION {
            return wrong("description", "is longer than 1,000 characters");
        }
        if let Some(broken) = self.arguments.broken() {
            return wrong("arguments", &broken);
        }
        if self.arguments.property(CALLER_ARGUMENT).is_some() {
            return wrong(
                "arguments",
                "cannot name `caller`: `caller = true` sends the number of whoever calls",
            );
        }
        if let Some(broken) = self.broken_address() {
            return Some(("url".to_owned(), broken));
        }
        if self.header.is_some() && self.secret.is_none() {
            return wrong("header", "takes a `secret`, and there is none");
        }
        if self.header.as_deref().is_some_and(|name| !is_header_name(name)) {
            return wrong("header", "is no name of a header: write it like `X-Api-Key`");
        }
        if !TIMEOUTS.contains(&self.timeout.as_secs()) {
            return wrong("timeout", "must lie between 1s and 8s: somebody waits on the phone");
        }
        self.broken_words()
    }

    fn broken_address(&self) -> Option<String> {
        if !super::deliver::is_address(&self.url) {
            return Some(
                "is no address: write it like `https://shop.example.com/orders/{number}`".into(),
            );
        }
        let after_scheme = self.url.split_once("://").map_or("", |(_, rest)| rest);
        let host = after_scheme.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains(['{', '}']) {
            return Some("cannot have an argument in its host".to_owned());
        }
        let whole = self.url.matches('{').count() == self.placeholders().len()
            && self.url.matches('}').count() == self.placeholders().len();
        if !whole {
            return Some("has a brace that is not closed: `{name}` stands for an argument".into());
        }
        let unknown = self.placeholders().into_iter().find(|name| {
            let is_caller = self.caller && *name == CALLER_ARGUMENT;
            !is_caller && !self.arguments.required().contains(name)
        });
        unknown.map(|name| {
            if name == CALLER_ARGUMENT {
                return "names `{caller}`: set `caller = true` to send it".to_owned();
            }
            format!("names `{{{name}}}`, which `arguments` does not require")
        })
    }

    /// The rule broken by what is said.
    fn broken_words(&self) -> Option<(String, String)> {
        let said = [("wait", &self.wait), ("say", &self.say), ("not_found", &self.not_found)];
        for (key, words) in said {
            if let Some((at, what)) = words.as_ref().and_then(|words| words.broken(LONGEST_WORDS)) {
                return Some((format!("{key}{at}"), what));
            }
        }
        for (name, words) in &self.ask {
            if self.arguments.property(name).is_none() {
                let what = "is none of the `arguments`".to_owned();
                return Some((format!("ask.{name}"), what));
            }
            if let Some((at, what)) = words.broken(LONGEST_WORDS) {
                return Some((format!("ask.{name}{at}"), what));
            }
        }
        if !self.is_for_concierge() {
            let unheard = [("say", self.say.is_some()), ("not_found", self.not_found.is_some())];
            let (key, _) = unheard.into_iter().find(|(_, given)| *given)?;
            let what = "is said by the built-in concierge, which needs to know when: give `about`";
            return Some((key.to_owned(), what.to_owned()));
        }
        if self.about.iter().any(|words| words.trim().is_empty()) {
            return Some(("about".to_owned(), "has an entry without words".to_owned()));
        }
        if self.say.is_none() {
            let what = "is missing: what should the built-in concierge say of the answer?";
            return Some(("say".to_owned(), what.to_owned()));
        }
        let unasked =
            self.arguments.required().into_iter().find(|name| !self.ask.contains_key(*name));
        unasked.map(|name| {
            let what = "is missing: how should the built-in concierge ask for it?".to_owned();
            (format!("ask.{name}"), what)
        })
    }

    /// The first rule broken by an assistant's tools: the path of the key and what is wrong with it.
    pub(super) fn broken_among(all: &[Self]) -> Option<(String, String)> {
        if all.len() > MOST {
            return Some(("tools".to_owned(), format!("has more than {MOST} tools")));
        }
        all.iter().enumerate().find_map(|(at, one)| {
            if let Some((key, what)) = one.broken() {
                return Some((format!("tools[{at}].{key}"), what));
            }
            let twice = all[..at].iter().any(|other| other.name == one.name);
            twice
                .then(|| (format!("tools[{at}].name"), format!("is `{}` like another's", one.name)))
        })
    }
}

fn is_tool_name(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn is_header_name(name: &str) -> bool {
    (1..=60).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(change: &Value) -> Option<(String, String)> {
        let mut tool = json!({
            "name": "order_status", "description": "Where an order is.",
            "url": "https://shop.example/orders/{number}",
            "arguments": { "properties": { "number": { "type": "string" } }, "required": ["number"] },
            "about": ["my order"], "ask": { "number": "What is its number?" },
            "say": { "en": "It is {{ answer.status }}.", "fr": "Elle est {{ answer.status }}." },
        });
        for (key, value) in change.as_object().unwrap() {
            tool[key] = value.clone();
        }
        HttpTool::broken_among(&[serde_json::from_value(tool).unwrap()])
    }

    #[test]
    fn a_tool_is_checked_before_a_call() {
        assert_eq!(read(&json!({})), None);
        assert_eq!(
            read(&json!({ "method": "POST", "secret": { "env": "A" }, "header": "X-Key" })),
            None
        );
        assert_eq!(
            read(&json!({ "caller": true, "url": "http://a.example/{caller}/{number}?x=1" })),
            None
        );
        for (change, key) in [
            (json!({ "name": "Order status" }), "name"),
            (json!({ "name": "book" }), "name"),
            (json!({ "description": " " }), "description"),
            (json!({ "url": "shop.example" }), "url"),
            (json!({ "url": "https://{number}.example/" }), "url"),
            (json!({ "url": "https://a.example/{colour}" }), "url"),
            (json!({ "url": "https://a.example/{caller}" }), "url"),
            (json!({ "url": "https://a.example/{number" }), "url"),
            (json!({ "header": "X-Key" }), "header"),
            (json!({ "header": "X Key", "secret": { "env": "A" } }), "header"),
            (json!({ "timeout": "20s" }), "timeout"),
            (json!({ "arguments": { "type": "string" } }), "arguments"),
            (json!({ "ask": {} }), "ask.number"),
            (json!({ "ask": { "colour": "Which?" } }), "ask.colour"),
            (json!({ "say": { "fr": " " } }), "say.fr"),
            (json!({ "about": [] }), "say"),
            (json!({ "about": [""] }), "about"),
        ] {
            let (path, what) = read(&change).unwrap_or_else(|| panic!("{change} was taken"));
            assert_eq!(path, format!("tools[0].{key}"), "{change}: {what}");
        }
    }
}
