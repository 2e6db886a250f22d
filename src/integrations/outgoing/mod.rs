//! HTTP requests to addresses that somebody else chose, such as webhooks and CRMs
//! named in customers' files.
//!
//! Such a request must not reach the inside of the network. Host names are therefore
//! resolved by a resolver that drops every address that is not public, addresses
//! written as such are judged before connecting, redirects must stay on their host,
//! proxies of the environment are ignored, and time and size are bounded.

mod address;
mod refused;
mod resolver;
mod rules;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use reqwest::header::{self, HeaderMap};
use reqwest::{Client, Method, StatusCode, Url};

pub use address::{BadNet, Net, is_global};
pub use refused::Refused;
pub use resolver::{Answer, Lookup, SystemLookup};
pub use rules::Rules;

/// The most redirects followed in one exchange.
const MOST_REDIRECTS: usize = 3;

/// Headers that belong to the connection. Set by a stranger they could address
/// another virtual host or make two servers disagree where a request ends.
const OWN_HEADERS: [&str; 10] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request to send.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The method; `CONNECT` and `TRACE` are refused.
    pub method: Method,
    /// The address as the customer wrote it.
    pub url: &'a str,
    /// Headers to send; those of the connection, such as `Host`, are refused.
    pub headers: HeaderMap,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
}

/// What the server answered, whatever its status.
#[derive(Debug, Clone)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// The headers; `Content-Encoding` and `Content-Length` are gone if the body
    /// came compressed.
    pub headers: HeaderMap,
    /// The whole body, decompressed.
    pub body: Vec<u8>,
}

/// Sends requests under [`Rules`]. Clones are cheap and share their connections.
#[derive(Clone)]
pub struct Outgoing {
    client: Client,
    rules: Arc<Rules>,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Outgoing {
    /// A sender that looks names up as the operating system does.
    ///
    /// # Errors
    /// [`Refused::Failed`] if the HTTP client cannot be set up, for instance
    /// because the system has no certificates.
    pub fn new(rules: Rules) -> Result<Self, Refused> {
        Self::with_lookup(rules, Arc::new(SystemLookup))
    }

    /// A sender with its own source of addresses; its answers are filtered all the same.
    ///
    /// # Errors
    /// As for [`Outgoing::new`].
    pub fn with_lookup(rules: Rules, lookup: Arc<dyn Lookup>) -> Result<Self, Refused> {
        let rules = Arc::new(rules);
        let guarded = resolver::Guarded { rules: Arc::clone(&rules), lookup };
        let client = Client::builder()
            .dns_resolver(guarded)
            // A proxy would look names up itself, out of our sight.
            .no_proxy()
            // Redirects are followed here, through the same checks as the first address.
            .redirect(reqwest::redirect::Policy::none())
            .https_only(!rules.allow_http)
            .connect_timeout(rules.timeout)
            .pool_max_idle_per_host(2)
            .build()
            .map_err(|error| Refused::Failed(format!("no HTTP client: {error}")))?;
        Ok(Self { client, rules })
    }

    /// Sends a request and reads the whole answer. Any status is an answer,
    /// including those that report an error.
    ///
    /// # Errors
    /// [`Refused`] says which rule was broken or what failed.
    pub async fn send(&self, request: Request<'_>) -> Result<Response, Refused> {
        let timeout = self.rules.timeout;
        tokio::time::timeout(timeout, self.exchange(request))
            .await
            .unwrap_or(Err(Refused::TooSlow { timeout }))
    }

    async fn exchange(&self, request: Request<'_>) -> Result<Response, Refused> {
        let mut next = self.prepare(request)?;
        for _ in 0..=MOST_REDIRECTS {
            let answer = self.once(&next).await?;
            match self.redirect(next.url(), &answer)? {
                Some(to) => follow(&mut next, to, answer.status()),
                None => return self.collect(answer).await,
            }
        }
        Err(Refused::Redirected)
    }

    /// Judges a request and puts it in the client's form.
    fn prepare(&self, request: Request<'_>) -> Result<reqwest::Request, Refused> {
        let url = self.rules.read(request.url)?;
        check_parts(&request)?;
        let mut prepared = reqwest::Request::new(request.method, url);
        *prepared.headers_mut() = request.headers;
        *prepared.body_mut() = request.body.map(Into::into);
        Ok(prepared)
    }

    /// One request and the head of its answer, without following redirects.
    async fn once(&self, request: &reqwest::Request) -> Result<reqwest::Response, Refused> {
        let copy = request
            .try_clone()
            .ok_or_else(|| Refused::Failed("the body cannot be sent twice".to_owned()))?;
        let answer =
            self.client.execute(copy).await.map_err(|error| self.explain(&error, request.url()))?;
        // A second belt: should the client ever connect past the resolver, the
        // answer goes to nobody.
        match answer.remote_addr() {
            Some(peer) if !self.rules.permits(peer.ip()) => {
                Err(Refused::Private { host: host_of(request.url()) })
            }
            _ => Ok(answer),
        }
    }

    /// Where an answer redirects to, if it does and may.
    fn redirect(&self, from: &Url, answer: &reqwest::Response) -> Result<Option<Url>, Refused> {
        if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let Some(location) = answer.headers().get(header::LOCATION) else {
            return Ok(None);
        };
        let to = std::str::from_utf8(location.as_bytes())
            .ok()
            .and_then(|text| from.join(text).ok())
            .filter(|to| stays(from, to))
            .ok_or(Refused::Redirected)?;
        self.rules.check(&to)?;
        Ok(Some(to))
    }

    /// Reads the body chunk by chunk, so that no more than the limit and one
    /// chunk is ever held.
    async fn collect(&self, mut answer: reqwest::Response) -> Result<Response, Refused> {
        let most_bytes = self.rules.most_bytes;
        let url = answer.url().clone();
        let announced = answer.content_length().unwrap_or(0);
        if usize::try_from(announced).map_or(true, |bytes| bytes > most_bytes) {
            return Err(Refused::TooLarge { most_bytes });
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.explain(&error, &url))? {
            if chunk.len() > most_bytes - body.len() {
                return Err(Refused::TooLarge { most_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status: answer.status().as_u16(),
            headers: std::mem::take(answer.headers_mut()),
            body,
        })
    }

    fn explain(&self, error: &reqwest::Error, url: &Url) -> Refused {
        Refused::from_client(error, &host_of(url), self.rules.timeout)
    }
}

/// Refuses methods and headers that only the connection itself may use.
fn check_parts(request: &Request<'_>) -> Result<(), Refused> {
    let forbid = |what: String| Err(Refused::Forbidden { what });
    if matches!(request.method, Method::CONNECT | Method::TRACE) {
        return forbid(format!("the method {}", request.method));
    }
    match OWN_HEADERS.iter().find(|&&name| request.headers.contains_key(name)) {
        Some(name) => forbid(format!("the header {name}")),
        None => Ok(()),
    }
}

/// Whether a redirect stays on the same host and port. From http to https, both
/// on their usual ports, counts as the same.
fn stays(from: &Url, to: &Url) -> bool {
    let same_door = match (from.scheme(), to.scheme()) {
        ("http", "https") => from.port().is_none() && to.port().is_none(),
        (old, new) => old == new && from.port_or_known_default() == to.port_or_known_default(),
    };
    same_door && from.host() == to.host() && !rules::has_userinfo(to)
}

/// Turns a request into the one a redirect asks for. As in browsers, a 303 and a
/// redirected POST go on as GET without body; 307 and 308 repeat the request.
fn follow(request: &mut reqwest::Request, to: Url, status: StatusCode) {
    let method = request.method();
    let becomes_get = match status {
        StatusCode::SEE_OTHER => method != Method::HEAD,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == Method::POST,
        _ => false,
    };
    *request.url_mut() = to;
    if becomes_get {
        *request.method_mut() = Method::GET;
        *request.body_mut() = None;
        for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_LANGUAGE] {
            request.headers_mut().remove(name);
        }
    }
}

/// The host as the URL names it.
fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}
