//! Requests to a daemon, and its answers as types.

use std::{io::Write, path::Path, time::Duration};

use reqwest::{ClientBuilder, Method, RequestBuilder, Response, StatusCode, Url, header};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    api::{AssistantTag, Problem},
    config::PublicUrl,
    domain::{Error, Kind, Result, Secret},
};

/// No answer of a daemon takes longer; an apply of hundreds of files takes a second.
const WITHIN: Duration = Duration::from_mins(1);

/// How long an answer may take that is read as it comes: each piece of it as long as a whole one.
const LONG: Duration = Duration::from_hours(24);

/// How long a daemon that was asked too often is waited for, and how often in a row.
const PATIENCE: Duration = Duration::from_secs(15);
const TRIES: u32 = 4;

/// A daemon far away, and the key it is asked with.
pub(super) struct Client {
    base: Url,
    token: Secret,
    is_here: bool,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

/// A request, as it is put together.
pub(super) struct Ask<'c> {
    client: &'c Client,
    method: Method,
    url: Url,
    body: Option<Vec<u8>>,
    if_match: Option<AssistantTag>,
    /// How long an answer may take, where it is longer than usual.
    within: Option<Duration>,
    /// A name that no address can have.
    unnameable: Option<String>,
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
        let http = connections(&base, is_here, |http| http.timeout(WITHIN))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|cause| Error::failure("no requests can be made").because(cause))?;
        Ok(Self { base, token, is_here, http, runtime })
    }

    /// Connections of one's own to the same daemon.
    pub(super) fn connections(
        &self,
        set: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<reqwest::Client> {
        connections(&self.base, self.is_here, set)
    }

    /// Where something is; the parts of the path are names, whatever is in them.
    pub(super) fn address(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "voice"]).extend(path);
        }
        url
    }

    /// A request with the key.
    pub(super) fn keyed(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.token.expose())
    }

    /// Begins a request.
    pub(super) fn ask(&self, method: Method, path: &[&str]) -> Ask<'_> {
        // These two disappear from an address, which is another one then.
        let unnameable = path.iter().find(|name| [".", ".."].contains(*name));
        let unnameable = unnameable.map(|name| (*name).to_owned());
        Ask {
            client: self,
            method,
            url: self.address(path),
            body: None,
            if_match: None,
            within: None,
            unnameable,
        }
    }

    pub(super) fn get(&self, path: &[&str]) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(super) fn post(&self, path: &[&str]) -> Ask<'_> {
        self.ask(Method::POST, path)
    }

    pub(super) fn unreachable(&self, cause: reqwest::Error) -> Error {
        let what = if cause.is_timeout() { "did not answer in time" } else { "cannot be reached" };
        Error::unavailable(format!("the daemon at {} {what}", self.base))
            .hint("is it running, and is --server right?")
            .because(cause.without_url())
    }

    /// The error that the daemon told of, as it would have been told here.
    pub(super) async fn told(&self, response: Response) -> Error {
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        if let Ok(problem) = serde_json::from_str::<Problem>(&text) {
            let error = problem.into_error();
            return match status {
                StatusCode::UNAUTHORIZED => Error::new(Kind::Denied, error.message().to_owned())
                    .hint(format!("`webox login {}` keeps a key for it", self.base)),
                _ => error,
            };
        }
        let kind = if status.is_server_error() { Kind::Unavailable } else { Kind::Failure };
        Error::new(kind, format!("{} answered {status}", self.base))
            .hint("is it a webox, or something in front of it?")
    }
}

fn connections(
    base: &Url,
    is_here: bool,
    set: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<reqwest::Client> {
    let mut http = reqwest::Client::builder()
        .user_agent(concat!("webox/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
        // A key is for one daemon, not for where it points to.
        .redirect(reqwest::redirect::Policy::none());
    if is_here || base.scheme() != "https" {
        // A proxy would be sent the key, readable, to bring it back here.
        http = http.no_proxy();
    }
    set(http).build().map_err(|cause| Error::failure("no requests can be made").because(cause))
}

/// When a daemon wants to be asked again, if it says so.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

impl<'c> Ask<'c> {
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
    pub(super) fn if_match(mut self, tag: Option<AssistantTag>) -> Self {
        self.if_match = tag;
        self
    }

    /// For what takes longer than others.
    pub(super) fn within(mut self, length: Duration) -> Self {
        self.within = Some(length);
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

    /// Asks again when the daemon says that it was asked too often and when to come back: nothing
    /// was done then.
    async fn exchange<T: DeserializeOwned>(self) -> Result<T> {
        if let Some(name) = &self.unnameable {
            return Err(Error::not_found(format!("nothing is named `{name}`")));
        }
        let client = self.client;
        let mut tries = 0;
        loop {
            let response =
                self.request().send().await.map_err(|cause| client.unreachable(cause))?;
            if response.status().is_success() {
                return response.json().await.map_err(|cause| {
                    Error::failure("the daemon answered something unknown")
                        .hint("is it a webox, and not older than this one?")
                        .because(cause.without_url())
                });
            }
            let wait = retry_after(&response).filter(|wait| *wait <= PATIENCE);
            let too_often = response.status() == StatusCode::TOO_MANY_REQUESTS;
            tries += 1;
            match wait {
                Some(wait) if too_often && tries < TRIES => tokio::time::sleep(wait).await,
                _ => return Err(client.told(response).await),
            }
        }
    }

    /// Sends it, and writes what comes into a file; what has the name is whole.
    pub(super) fn save(self, to: &Path) -> Result<()> {
        let unwritten = |cause: std::io::Error| {
            Error::failure(format!("{} could not be written", to.display())).because(cause)
        };
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut part = tempfile::Builder::new()
            .prefix(".webox-")
            .tempfile_in(folder.unwrap_or(Path::new(".")))
            .map_err(unwritten)?;
        let mut answering = self.stream()?;
        while let Some(piece) = answering.piece()? {
            part.write_all(&piece).map_err(unwritten)?;
        }
        part.persist(to).map_err(|error| unwritten(error.error))?;
        Ok(())
    }

    /// Sends it, for an answer that is read as it comes.
    pub(super) fn stream(self) -> Result<Answering<'c>> {
        let client = self.client;
        let response = client.runtime.block_on(async {
            // Longer than an answer that is read at once.
            let request = self.request().timeout(LONG);
            let response = request.send().await.map_err(|cause| client.unreachable(cause))?;
            if !response.status().is_success() {
                return Err(client.told(response).await);
            }
            Ok(response)
        })?;
        Ok(Answering { client, response })
    }

    fn request(&self) -> RequestBuilder {
        let request = self.client.http.request(self.method.clone(), self.url.clone());
        let mut request = self.client.keyed(request).header(header::ACCEPT, "application/json");
        if let Some(length) = self.within {
            request = request.timeout(length);
        }
        if let Some(tag) = self.if_match {
            request = request.header(header::IF_MATCH, format!("\"{tag}\""));
        }
        if let Some(body) = &self.body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.clone());
        }
        request
    }
}

/// An answer that comes piece by piece.
pub(super) struct Answering<'c> {
    client: &'c Client,
    response: reqwest::Response,
}

impl Answering<'_> {
    /// The next piece; nothing when it is whole. One that breaks off is an error.
    pub(super) fn piece(&mut self) -> Result<Option<bytes::Bytes>> {
        let client = self.client;
        let piece = async { tokio::time::timeout(WITHIN, self.response.chunk()).await };
        match client.runtime.block_on(piece) {
            Ok(piece) => piece.map_err(|cause| client.unreachable(cause)),
            Err(_) => {
                Err(Error::new(Kind::Unavailable, "the daemon stopped in the middle of an answer")
                    .hint("ask again; what came is not kept"))
            }
        }
    }
}
