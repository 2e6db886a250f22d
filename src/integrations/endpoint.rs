//! An endpoint of the client's own, asked while somebody is on the phone.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{
    Method, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT},
};
use serde_json::{Map, Value};

use super::{
    answer,
    outgoing::{Outgoing, Refused, Request, Response},
};
use crate::domain::{HttpTool, Outcome, Secret, ToolMethod};

/// What stays as it is in an address.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The longest text of an argument in an address, in bytes.
const LONGEST: usize = 200;

/// What an endpoint is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// As the assistant's file has it.
    pub tool: &'a HttpTool,
    /// Its secret, where it has one.
    pub secret: Option<&'a Secret>,
    /// What it is given.
    pub arguments: &'a Map<String, Value>,
    /// The same however often the same is asked: a repeated request is done once.
    pub key: &'a str,
}

/// What an endpoint answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// This.
    Found(Value),
    /// That there is no such thing: 404 or 410.
    NotFound(Value),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// In a word, for who counts failures.
    pub outcome: Outcome,
    /// For the transcript. Holds no secret.
    pub detail: String,
}

impl Unanswered {
    /// That something cannot be sent.
    pub fn unsendable(detail: impl Into<String>) -> Self {
        Self { outcome: Outcome::BadRequest, detail: detail.into() }
    }
}

/// Asks.
pub(super) async fn ask(outgoing: &Outgoing, asking: Asking<'_>) -> Result<Answered, Unanswered> {
    let (url, rest) = address(asking.tool, asking.arguments)?;
    let (method, url, body) = match asking.tool.method {
        ToolMethod::Get => (Method::GET, with_query(&url, &rest)?, None),
        ToolMethod::Post => (Method::POST, url, Some(Value::Object(rest).to_string().into_bytes())),
    };
    let headers = headers(&asking, body.is_some())?;
    let request = Request { method, url: &url, headers, body };
    match outgoing.send(request).await {
        Ok(response) => read(&response),
        Err(refused) => {
            let outcome = match refused {
                Refused::TooSlow { .. } => Outcome::TimedOut,
                Refused::Failed(_) => Outcome::Unreachable,
                _ => Outcome::BadRequest,
            };
            Err(Unanswered { outcome, detail: refused.to_string() })
        }
    }
}

/// The address with the arguments that stand in it, and the others.
fn address(
    tool: &HttpTool,
    arguments: &Map<String, Value>,
) -> Result<(String, Map<String, Value>), Unanswered> {
    let mut rest = arguments.clone();
    let mut url = String::with_capacity(tool.url.len());
    let mut left = tool.url.as_str();
    while let Some((before, after)) = left.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        url.push_str(before);
        let value = arguments.get(name).map(text).unwrap_or_default();
        // A segment of dots would be another place.
        if value.is_empty() || value.len() > LONGEST || value.bytes().all(|byte| byte == b'.') {
            let what = format!("`{name}` cannot stand in the address");
            return Err(Unanswered::unsendable(what));
        }
        url.extend(utf8_percent_encode(&value, PLAIN));
        rest.remove(name);
        left = after;
    }
    url.push_str(left);
    Ok((url, rest))
}

fn with_query(url: &str, arguments: &Map<String, Value>) -> Result<String, Unanswered> {
    let mut url =
        Url::parse(url).map_err(|error| Unanswered::unsendable(format!("the address: {error}")))?;
    if !arguments.is_empty() {
        let mut query = url.query_pairs_mut();
        for (name, value) in arguments.iter().filter(|(_, value)| !value.is_null()) {
            query.append_pair(name, &text(value));
        }
    }
    Ok(url.into())
}

/// A value as it stands in an address.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn headers(asking: &Asking<'_>, has_body: bool) -> Result<HeaderMap, Unanswered> {
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, value: &str, secret: bool| {
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| Unanswered::unsendable(format!("the header {name} cannot be written")))?;
        value.set_sensitive(secret);
        headers.insert(name, value);
        Ok::<_, Unanswered>(())
    };
    put(ACCEPT, "application/json", false)?;
    put(USER_AGENT, concat!("webox/", env!("CARGO_PKG_VERSION")), false)?;
    if has_body {
        put(CONTENT_TYPE, "application/json", false)?;
        put(HeaderName::from_static("idempotency-key"), asking.key, false)?;
    }
    match (asking.secret, &asking.tool.header) {
        (None, _) => {}
        (Some(secret), None) => put(AUTHORIZATION, &format!("Bearer {}", secret.expose()), true)?,
        (Some(secret), Some(name)) => {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Unanswered::unsendable(format!("`{name}` is no header")))?;
            put(name, secret.expose(), true)?;
        }
    }
    Ok(headers)
}

fn read(response: &Response) -> Result<Answered, Unanswered> {
    let text = String::from_utf8_lossy(&response.body);
    let said = serde_json::from_str(&text).unwrap_or_else(|_| match text.trim() {
        "" => Value::Null,
        text => Value::String(text.to_owned()),
    });
    match response.status {
        200..=299 => Ok(Answered::Found(said)),
        404 | 410 => Ok(Answered::NotFound(said)),
        status => {
            let outcome = match status {
                401 | 403 => Outcome::Denied,
                429 => Outcome::RateLimited,
                500..=599 => Outcome::ServerError,
                _ => Outcome::BadRequest,
            };
            let quoted = answer::quoted(&response.body);
            let said = if quoted.is_empty() { String::new() } else { format!(": {quoted}") };
            Err(Unanswered { outcome, detail: format!("it answered {status}{said}") })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tool(url: &str) -> HttpTool {
        serde_json::from_value(json!({ "name": "a", "description": "a", "url": url })).unwrap()
    }

    fn at(url: &str, arguments: &Value) -> Result<String, String> {
        let arguments = arguments.as_object().unwrap();
        let (url, rest) = address(&tool(url), arguments).map_err(|error| error.detail)?;
        with_query(&url, &rest).map_err(|error| error.detail)
    }

    #[test]
    fn arguments_cannot_leave_their_place() {
        let url = "https://a.example/orders/{number}/state?shop=1";
        let said = |number: Value| at(url, &json!({ "number": number }));
        assert_eq!(said(json!("48213")).unwrap(), "https://a.example/orders/48213/state?shop=1");
        assert_eq!(said(json!(7)).unwrap(), "https://a.example/orders/7/state?shop=1");
        assert_eq!(
            said(json!("../admin?x=1#é")).unwrap(),
            "https://a.example/orders/..%2Fadmin%3Fx%3D1%23%C3%A9/state?shop=1"
        );
        for wrong in [json!(".."), json!("."), json!(""), json!(null), json!("x".repeat(300))] {
            assert!(said(wrong.clone()).is_err(), "{wrong}");
        }
        assert_eq!(
            at("https://a.example/find", &json!({ "colour": "rouge & bleu", "size": null }))
                .unwrap(),
            "https://a.example/find?colour=rouge+%26+bleu"
        );
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_said_the_host_and_path_stay(number in ".{0,60}") {
            if let Ok(url) = at("https://a.example/orders/{number}/state", &json!({ "number": number })) {
                let url = Url::parse(&url).unwrap();
                proptest::prop_assert_eq!(url.host_str(), Some("a.example"));
                proptest::prop_assert_eq!(url.path_segments().unwrap().count(), 3);
                proptest::prop_assert!(url.path().starts_with("/orders/") && url.path().ends_with("/state"));
                proptest::prop_assert!(url.query().is_none() && url.fragment().is_none());
            }
        }
    }
}
