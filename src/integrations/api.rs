//! Asking a vendor's JSON API, through [`outgoing`](super::outgoing).

use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT},
};
use serde_json::Value;

use super::{
    Failure, answer,
    outgoing::{Outgoing, Request, Response},
};
use crate::domain::{Secret, Trouble};

/// A vendor's API, with the key to one account.
pub(super) struct Api<'a> {
    outgoing: &'a Outgoing,
    base: Url,
    headers: HeaderMap,
    now: i64,
}

impl<'a> Api<'a> {
    pub(super) fn new(outgoing: &'a Outgoing, base: &str, now: i64) -> Result<Self, Failure> {
        let base = Url::parse(base)
            .map_err(|_| (Trouble::Refused, "the address of its API is none".to_owned()))?;
        let mut headers = HeaderMap::new();
        let agent = HeaderValue::from_static(concat!("webox/", env!("CARGO_PKG_VERSION")));
        headers.insert(USER_AGENT, agent);
        Ok(Self { outgoing, base, headers, now })
    }

    /// With a key as a bearer's.
    pub(super) fn bearing(self, token: &str) -> Result<Self, Failure> {
        self.with(AUTHORIZATION, &format!("Bearer {token}"))
    }

    /// With a key in a header of the vendor's own.
    pub(super) fn keyed(self, name: &'static str, key: &Secret) -> Result<Self, Failure> {
        self.with(HeaderName::from_static(name), key.expose().trim())
    }

    fn with(mut self, name: HeaderName, value: &str) -> Result<Self, Failure> {
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| (Trouble::Refused, "the key holds what no key holds".to_owned()))?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Asks for something; nothing when it is not there.
    pub(super) async fn find(
        &self,
        doing: &str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<Value>, Failure> {
        let response = self.send(doing, Method::GET, path, query, None).await?;
        if response.status == 404 {
            return Ok(None);
        }
        self.read(doing, &response).map(Some)
    }

    /// Sends something, and reads the answer.
    pub(super) async fn ask(
        &self,
        doing: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let body = ("application/json", body.to_string());
        let response = self.send(doing, method, path, &[], Some(body)).await?;
        self.read(doing, &response)
    }

    /// Sends a form, and reads the answer.
    pub(super) async fn form(
        &self,
        doing: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let mut form = self.base.clone();
        form.set_query(None);
        form.query_pairs_mut().extend_pairs(fields);
        let body = form.query().unwrap_or_default().to_owned();
        let body = ("application/x-www-form-urlencoded", body);
        let response = self.send(doing, Method::POST, path, &[], Some(body)).await?;
        self.read(doing, &response)
    }

    async fn send(
        &self,
        doing: &str,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<(&'static str, String)>,
    ) -> Result<Response, Failure> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut headers = self.headers.clone();
        let body = body.map(|(kind, text)| {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            text.into_bytes()
        });
        let request = Request { method, url: url.as_str(), headers, body };
        let sent = self.outgoing.send(request).await;
        sent.map_err(|refused| while_doing(doing, answer::unanswered(&refused)))
    }

    fn read(&self, doing: &str, response: &Response) -> Result<Value, Failure> {
        answer::taken(response, self.now).map_err(|failure| while_doing(doing, failure))?;
        if response.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&response.body).map_err(|_| {
            while_doing(doing, (Trouble::Later(None), "the answer is no JSON".to_owned()))
        })
    }
}

fn while_doing(doing: &str, (trouble, what): Failure) -> Failure {
    (trouble, format!("{doing}: {what}"))
}

/// The identifier of what was found or made: a text or a number.
pub(super) fn id_of(doing: &str, value: &Value) -> Result<String, Failure> {
    match value {
        Value::String(id) if !id.is_empty() => Ok(id.clone()),
        Value::Number(id) => Ok(id.to_string()),
        _ => Err((Trouble::Later(None), format!("{doing}: the answer names no record"))),
    }
}
