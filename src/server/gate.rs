//! Is it really Twilio? The signature over the configured public URL decides, nothing else.

use axum::http::{HeaderMap, Uri};

use crate::{
    domain::Secret,
    twilio::{form::Form, signature},
};

/// Whom to believe.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Requests signed with one of these tokens (several while one is being replaced).
    Signed(Vec<Secret>),
    /// Everybody: for trials on loopback only.
    Everybody,
}

/// Judges requests.
#[derive(Debug)]
pub struct Gate {
    trust: Trust,
    /// What Twilio calls us, without a final slash.
    public_url: String,
}

impl Gate {
    /// A gate for a public URL, as configured: a `Host` header is never believed.
    pub fn new(trust: Trust, public_url: &str) -> Self {
        Self { trust, public_url: public_url.trim_end_matches('/').to_owned() }
    }

    /// Whether a request comes from Twilio.
    pub fn lets_in(&self, headers: &HeaderMap, uri: &Uri, form: &Form) -> bool {
        let tokens = match &self.trust {
            Trust::Everybody => return true,
            Trust::Signed(tokens) => tokens,
        };
        let Some(given) = headers.get("x-twilio-signature").and_then(|v| v.to_str().ok()) else {
            return false;
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        signature::verify(tokens, &format!("{}{path}", self.public_url), form, given)
    }
}
