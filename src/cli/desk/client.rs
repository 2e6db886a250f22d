//! Requests to a daemon, and its answers as types.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode, Url, header};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    api::Problem,
    config::PublicUrl,
    domain::{Error, Kind, Result, Secret},
};

/// No answer of a daemon takes longer; an apply of hundreds of files takes a second.
const WITHIN: Duration = Duration::from_mins(1);

/// A daemon far away, and the key it is asked with.
pub(super) struct Client {
    base: Url,
    token: Secret,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

/// A request, as it is put together.
pub(super) struct Ask<'c> {
    client: &'c Client,
    method: Method,
    url: Url,
    body: Option<Vec<u8>>,
    if_match: Option<i64>,
}

impl Client {
    pub(super) fn new(server: &PublicUrl, token: Secret) -> Result<Self> {
        let base = Url::parse(&format!("{}/", server.as_str().trim_end_matches('/')))
            .map_err(|cause| Error::config("the address of the server is wrong").because(cause))?;
        let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let is_here = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if base.scheme() != "https" && !is_here {
            return Err(Error::usage(format!(
                "{server} is not encrypted: the key would be read on its way"
            ))
            .hint("write https://…"));
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("webox/", env!("CARGO_PKG_VERSION")))
            .timeout(WITHIN)
            .connect_timeout(Duration::from_secs(10))
            // A key is for one daemon, not for where it points to.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|cause| Error::failure("no requests can be made").because(cause))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|cause| Error::failure("no requests can be made").because(cause))?;
        Ok(Self { base, token, http, runtime })
    }

    /// Begins a request; the parts of the path are names, whatever is in them.
    pub(super) fn ask(&self, method: Method, path: &[&str]) -> Ask<'_> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "voice"]).extend(path);
        }
        Ask { client: self, method, url, body: None, if_match: None }
    }

    pub(super) fn get(&self, path: &[&str]) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(super) fn post(&self, path: &[&str]) -> Ask<'_> {
        self.ask(Method::POST, path)
    }

    fn unreachable(&self, cause: reqwest::Error) -> Error {
        let what = if cause.is_timeout() { "did not answer in time" } else { "cannot be reached" };
        Error::unavailable(format!("the daemon at {} {what}", self.base))
            .hint("is it running, and is --server right?")
            .because(cause.without_url())
    }
}

impl Ask<'_> {
    /// Adds to the query what is there.
    pub(super) fn query(mut self, name: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            self.url.query_pairs_mut().append_pair(name, &value.to_string());
        }
        self
    }

    pub(super) fn body(mut self, body: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(body)
            .map_err(|cause| Error::failure("a request cannot be written").because(cause))?;
        self.body = Some(bytes);
        Ok(self)
    }

    /// Only if nobody changed it since.
    pub(super) fn if_revision(mut self, revision: Option<i64>) -> Self {
        self.if_match = revision;
        self
    }

    /// Sends it, on a thread of its own: the asker may be in the middle of waiting for others.
    pub(super) fn send<T: DeserializeOwned + Send>(self) -> Result<T> {
        let client = self.client;
        std::thread::scope(|scope| scope.spawn(|| client.runtime.block_on(self.exchange())).join())
            .unwrap_or_else(|_| {
                Err(Error::failure("a request was broken off: this is a bug of webox"))
            })
    }

    async fn exchange<T: DeserializeOwned>(self) -> Result<T> {
        let client = self.client;
        let mut request = client
            .http
            .request(self.method, self.url)
            .bearer_auth(client.token.expose())
            .header(header::ACCEPT, "application/json");
        if let Some(revision) = self.if_match {
            request = request.header(header::IF_MATCH, format!("\"r{revision}\""));
        }
        if let Some(body) = self.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        let response = request.send().await.map_err(|cause| client.unreachable(cause))?;
        let status = response.status();
        if status.is_success() {
            return response.json().await.map_err(|cause| {
                Error::failure("the daemon answered something unknown")
                    .hint("is it a webox, and not older than this one?")
                    .because(cause.without_url())
            });
        }
        Err(told(client, status, response).await)
    }
}

/// The error that the daemon told of, as it would have been told here.
async fn told(client: &Client, status: StatusCode, response: Response) -> Error {
    let text = response.text().await.unwrap_or_default();
    if let Ok(problem) = serde_json::from_str::<Problem>(&text) {
        let error = problem.into_error();
        return match status {
            StatusCode::UNAUTHORIZED => Error::new(Kind::Denied, error.message().to_owned())
                .hint(format!("`webox login {}` keeps a key for it", client.base)),
            _ => error,
        };
    }
    let kind = if status.is_server_error() { Kind::Unavailable } else { Kind::Failure };
    Error::new(kind, format!("{} answered {status}", client.base))
        .hint("is it a webox, or something in front of it?")
}
