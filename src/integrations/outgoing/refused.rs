//! Why a request was not carried out, in words for the person who chose the address.

use std::error::Error;
use std::time::Duration;

/// Why a request got no response. No message names an address that a host resolved to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The text is not a URL with a host and a usable port.
    #[error("the address is not a usable URL, write it like https://example.com/path")]
    BadUrl,
    /// The scheme is not one that the rules allow.
    #[error("the scheme {scheme} is not allowed, use an https address")]
    Scheme {
        /// The scheme as written, without the colon.
        scheme: String,
    },
    /// The URL carries a user name or a password.
    #[error("the address holds a user name or password, send them in a header instead")]
    UserInfo,
    /// The request holds something that could change where or how it is read.
    #[error("the request may not carry {what}, remove it")]
    Forbidden {
        /// The part that is not allowed, such as "the header host".
        what: String,
    },
    /// The host is, or resolves only to, addresses outside the public internet.
    #[error(
        "the host {host} is not on the public internet, use a public host \
         or have its network added to the allowed ones"
    )]
    Private {
        /// The host of the URL, never what it resolved to.
        host: String,
    },
    /// A redirect led elsewhere, to a weaker scheme, or there were too many of them.
    #[error(
        "the server redirected to a different place or too often, \
         enter the final address directly"
    )]
    Redirected,
    /// The decoded body is larger than the rules allow.
    #[error("the answer is larger than {most_bytes} bytes, ask for less data at a time")]
    TooLarge {
        /// The limit, in bytes.
        most_bytes: usize,
    },
    /// The exchange was not complete in time.
    #[error(
        "the answer was not complete within {timeout:?}, check that the server responds faster"
    )]
    TooSlow {
        /// The limit for the whole exchange.
        timeout: Duration,
    },
    /// Anything else, such as a refused connection or a bad certificate.
    #[error("the request failed ({0}), check the server and try again")]
    Failed(String),
}

/// The mark a lookup leaves when it found addresses but none that may be called.
#[derive(Debug, thiserror::Error)]
#[error("no address of this host may be called")]
pub(super) struct NonePermitted;

impl Refused {
    /// Puts a client error in our words; `host` is the one the URL named.
    pub(super) fn from_client(error: &reqwest::Error, host: &str, timeout: Duration) -> Self {
        if causes(error).any(<dyn Error>::is::<NonePermitted>) {
            let host = host.to_owned();
            return Self::Private { host };
        }
        if error.is_timeout() {
            return Self::TooSlow { timeout };
        }
        if error.is_builder() {
            return Self::BadUrl;
        }
        Self::Failed(reason(error))
    }
}

/// A short reason without URLs: those may hold secrets in their query.
fn reason(error: &reqwest::Error) -> String {
    if error.is_dns() {
        return "the host name could not be looked up".to_owned();
    }
    let what = if error.is_connect() {
        "no connection"
    } else if error.is_decode() || error.is_body() {
        "unreadable answer"
    } else {
        "broken exchange"
    };
    match causes(error).skip(1).last() {
        Some(root) => format!("{what}: {}", tidy(&root.to_string())),
        None => what.to_owned(),
    }
}

/// The root cause may quote the remote side, so it is cut and cleaned for logs.
fn tidy(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(160).collect();
    clean.trim_end_matches('.').to_owned()
}

/// The error and everything below it, outermost first.
fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let outermost: &'a (dyn Error + 'static) = error;
    std::iter::successors(Some(outermost), |&e| e.source())
}
