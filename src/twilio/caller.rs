//! Plays Twilio: signs webhooks and posts them over real HTTP, and opens the sockets that TwiML
//! names, for rehearsals and tests.

use std::time::{Duration, Instant};

use super::{form::Form, signature, socket::Socket};
use crate::domain::{AccountSid, CallSid, Error, PhoneNumber, Result, Secret};

/// Twilio's own limit on a voice webhook.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What a webhook answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// The body: TwiML when all is well.
    pub body: String,
    /// How long it took.
    pub elapsed: Duration,
}

/// A Twilio that has one account and one client.
#[derive(Debug, Clone)]
pub struct Caller {
    client: reqwest::Client,
    connect_to: String,
    public_url: String,
    token: Secret,
    account: AccountSid,
}

impl Caller {
    /// Posts to `connect_to` what is signed as if it went to `public_url` (both without a final slash).
    pub fn new(
        connect_to: &str,
        public_url: &str,
        token: Secret,
        account: AccountSid,
    ) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::failure("no HTTP client could be made").because(error))?;
        let bare = |url: &str| url.trim_end_matches('/').to_owned();
        Ok(Self {
            client,
            connect_to: bare(connect_to),
            public_url: bare(public_url),
            token,
            account,
        })
    }

    /// The account it signs for.
    pub fn account(&self) -> &AccountSid {
        &self.account
    }

    /// Opens a socket that TwiML named, signed as Twilio signs upgrades: over the `wss` address,
    /// without a form.
    pub async fn open(&self, url: &str) -> Result<Socket> {
        let bare = |url: &str| url.split_once("://").map_or(url, |(_, rest)| rest).to_owned();
        let (named, public) = (bare(url), bare(&self.public_url));
        let path = named
            .strip_prefix(public.as_str())
            .filter(|path| path.is_empty() || path.starts_with('/'))
            .ok_or_else(|| {
                Error::failure(format!("the TwiML names a socket that is not ours: {url}"))
                    .hint("is the daemon's public URL the one that it is called by?")
            })?;
        let nothing = Form::from_fields(std::iter::empty::<(&str, &str)>());
        let signature = signature::sign(&self.token, &format!("wss://{named}"), &nothing);
        let scheme = if self.connect_to.starts_with("https://") { "wss" } else { "ws" };
        let url = format!("{scheme}://{}{path}", bare(&self.connect_to));
        // On the heap: a handshake is large, and a call has one for a moment only.
        Box::pin(Socket::open(&url, &signature)).await
    }

    /// The fields that every voice request carries.
    pub fn fields(
        &self,
        sid: &CallSid,
        from: &str,
        to: &PhoneNumber,
        status: &str,
    ) -> Vec<(String, String)> {
        let country = |number: &str| if number.starts_with("+33") { "FR" } else { "" };
        [
            ("AccountSid", self.account.as_str()),
            ("ApiVersion", "2010-04-01"),
            ("CallSid", sid.as_str()),
            ("CallStatus", status),
            ("Called", to.as_str()),
            ("CalledCountry", country(to.as_str())),
            ("Caller", from),
            ("CallerCountry", country(from)),
            ("Direction", "inbound"),
            ("From", from),
            ("FromCity", ""),
            ("FromCountry", country(from)),
            ("FromState", ""),
            ("FromZip", ""),
            ("To", to.as_str()),
            ("ToCity", ""),
            ("ToCountry", country(to.as_str())),
            ("ToState", ""),
            ("ToZip", ""),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    /// Posts a form to an address: a path, or a URL under `public_url`.
    pub async fn post(&self, address: &str, fields: Vec<(String, String)>) -> Result<Answer> {
        let path = address.strip_prefix(self.public_url.as_str()).unwrap_or(address);
        let form = Form::from_fields(fields);
        let signature = signature::sign(&self.token, &format!("{}{path}", self.public_url), &form);
        self.post_signed(path, &form, &signature).await
    }

    /// Posts a form with a signature given: a forger's.
    pub async fn post_signed(&self, path: &str, form: &Form, signature: &str) -> Result<Answer> {
        let url = format!("{}{path}", self.connect_to);
        let failed = |error: reqwest::Error| {
            Error::unavailable(format!("the daemon did not answer at {url}")).because(error)
        };
        let begun = Instant::now();
        let send = || {
            self.client
                .post(&url)
                .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
                .header("x-twilio-signature", signature)
                .header("user-agent", "TwilioProxy/1.1")
                .body(form.encode())
                .send()
        };
        let response = match send().await {
            // A connection that was kept, and that the daemon has closed since: Twilio dials anew.
            Err(error) if error.is_request() && !error.is_timeout() && !error.is_connect() => {
                send().await
            }
            sent => sent,
        };
        let response = response.map_err(failed)?;
        let status = response.status().as_u16();
        let content_type = response
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let body = response.text().await.map_err(failed)?;
        Ok(Answer { status, content_type, body, elapsed: begun.elapsed() })
    }
}
