//! What may be called, judged before anything is sent.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Url;

use super::address::{Net, is_global};
use super::refused::Refused;

/// Ends of names that only ever exist inside a network.
const INNER_ENDS: [&str; 5] = [".localhost", ".local", ".internal", ".home.arpa", ".lan"];

/// Rules for requests whose address somebody else chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Whether plain `http` is allowed beside `https`; off by default.
    pub allow_http: bool,
    /// Networks that may be called although they are not public, such as that
    /// of an on-premise CRM; none by default.
    pub allowed: Vec<Net>,
    /// The most time for the whole exchange, from lookup to the last byte and
    /// over all redirects; 10 seconds by default.
    pub timeout: Duration,
    /// The most bytes of body to accept, counted after decompression; 1 MiB by default.
    pub most_bytes: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            allow_http: false,
            allowed: Vec::new(),
            timeout: Duration::from_secs(10),
            most_bytes: 1024 * 1024,
        }
    }
}

impl Rules {
    /// Whether a connection to `ip` may be opened.
    #[must_use]
    pub fn permits(&self, ip: IpAddr) -> bool {
        is_global(ip) || self.allowed.iter().any(|net| net.contains(ip))
    }

    /// Reads and judges an address as a customer wrote it.
    pub(super) fn read(&self, text: &str) -> Result<Url, Refused> {
        let url = Url::parse(text).map_err(|_| Refused::BadUrl)?;
        self.check(&url)?;
        Ok(url)
    }

    /// Judges everything about a URL that can be known without a lookup.
    pub(super) fn check(&self, url: &Url) -> Result<(), Refused> {
        self.check_scheme(url)?;
        if has_userinfo(url) {
            return Err(Refused::UserInfo);
        }
        // Port 0 cannot be called; a connector could take it for "not given".
        if url.port() == Some(0) {
            return Err(Refused::BadUrl);
        }
        self.check_host(url)
    }

    fn check_scheme(&self, url: &Url) -> Result<(), Refused> {
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.allow_http => Ok(()),
            other => Err(Refused::Scheme { scheme: other.to_owned() }),
        }
    }

    /// Literals never pass the resolver, so they are judged here. The parser has
    /// already turned forms such as `0x7f.1` and `2130706433` into dotted ones.
    fn check_host(&self, url: &Url) -> Result<(), Refused> {
        let host = url.host_str().ok_or(Refused::BadUrl)?;
        let fine = match literal(host) {
            Some(ip) => self.permits(ip),
            None => !is_inner_name(host),
        };
        if fine {
            Ok(())
        } else {
            let host = host.to_owned();
            Err(Refused::Private { host })
        }
    }
}

/// The address a host is, if it is one; IPv6 stands in brackets there.
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

/// Whether the URL carries a user name or password.
pub(super) fn has_userinfo(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Whether a name can only mean a host inside some network: a single label, or
/// one of the ends reserved for that.
pub(super) fn is_inner_name(host: &str) -> bool {
    // "localhost." and "localhost" are the same host.
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    !name.contains('.') || INNER_ENDS.iter().any(|end| name.ends_with(end))
}
