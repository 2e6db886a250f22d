//! Asking Twilio over its REST API (Twilio, "Voice API: Calls, Recordings", version 2010-04-01).
//! Here is what a promise to callers needs: to stop a recording, to delete it and a call's record, and to
//! send an SMS; and how anything else is asked.

use std::{fmt, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use serde::Deserialize;

pub use super::access::Account;
use super::form::Form;
use crate::domain::{CallSid, Error, PhoneNumber, RecordingSid, Result};

/// Where Twilio answers, unless another region is set.
pub const BASE_URL: &str = "https://api.twilio.com";

/// Nobody on the phone waits for these answers.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Longest part of an answer that is read.
const LONGEST: usize = 64 * 1024;

/// Longest page of a list.
const LONGEST_PAGE: usize = 8 * 1024 * 1024;

/// How long is waited before the same is asked again, at first and at most, and how often.
const FIRST_WAIT: Duration = Duration::from_millis(300);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
const TRIES: usize = 4;

/// The call is not in the state needed: it is over, or its recording is (error 21220).
const NOT_IN_STATE: u32 = 21_220;

/// What an account is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Record a live call no longer.
    StopRecording(CallSid),
    /// Delete a recording.
    DeleteRecording(RecordingSid),
    /// Delete the record of a call that is over.
    DeleteCall(CallSid),
    /// End a live call.
    HangUp(CallSid),
    /// Have a live call go on with what an address answers.
    Redirect {
        /// Which.
        call: CallSid,
        /// The address.
        to: String,
    },
    /// Send an SMS. Twilio knows of no name that would keep it from sending one twice.
    SendMessage {
        /// One of the account's numbers.
        from: PhoneNumber,
        /// To whom.
        to: PhoneNumber,
        /// What it says.
        body: String,
    },
}

impl Request {
    /// What is posted; what is deleted has none.
    fn form(&self) -> Option<Form> {
        Some(match self {
            Self::DeleteRecording(_) | Self::DeleteCall(_) => return None,
            Self::StopRecording(_) => Form::from_fields([("Status", "stopped")]),
            Self::HangUp(_) => Form::from_fields([("Status", "completed")]),
            Self::Redirect { to, .. } => {
                Form::from_fields([("Url", to.as_str()), ("Method", "POST")])
            }
            Self::SendMessage { from, to, body } => {
                Form::from_fields([("From", from.as_str()), ("To", to.as_str()), ("Body", body)])
            }
        })
    }

    fn path(&self) -> String {
        match self {
            Self::StopRecording(call) => format!("Calls/{call}/Recordings/Twilio.CURRENT.json"),
            Self::DeleteRecording(recording) => format!("Recordings/{recording}.json"),
            Self::DeleteCall(call) | Self::HangUp(call) | Self::Redirect { call, .. } => {
                format!("Calls/{call}.json")
            }
            Self::SendMessage { .. } => "Messages.json".to_owned(),
        }
    }
}

/// Why Twilio did not do as asked. Says nothing of the account's token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// Nothing was asked: there was no connection.
    #[error("Twilio could not be reached: {0}")]
    NotConnected(String),
    /// No answer.
    #[error("Twilio could not be reached: {0}")]
    Unreachable(String),
    /// An answer that is no success.
    #[error("Twilio refused ({0})")]
    Refused(Refusal),
    /// An answer that cannot be read, and why.
    #[error("what Twilio answered cannot be read: {0}")]
    Unreadable(String),
    /// Nothing was asked: there is nothing to ask with.
    #[error("no auth token is set: set TWILIO_AUTH_TOKEN")]
    NoCredential,
}

impl RestError {
    /// Whether Twilio did nothing about it: it was not reached, or turned it down as one too many.
    fn came_to_nothing(&self) -> bool {
        match self {
            Self::NotConnected(_) => true,
            Self::Refused(refusal) => refusal.status == 429,
            _ => false,
        }
    }

    /// Whether the same may be answered a moment later. Only what changes nothing is asked again, or
    /// what is the same however often it is done.
    fn may_pass(&self) -> bool {
        match self {
            Self::NotConnected(_) | Self::Unreachable(_) => true,
            Self::Refused(refusal) => matches!(refusal.status, 408 | 429 | 500..),
            Self::Unreadable(_) | Self::NoCredential => false,
        }
    }
}

/// What Twilio says when it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Twilio's own code, where it gives one (twilio.com/docs/api/errors).
    pub code: Option<u32>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.status, self.code) {
            (400.., Some(code)) if let Some(why) = known(code) => {
                write!(f, "{}, error {code}: {why}", self.status)
            }
            (401 | 403, _) => write!(f, "{}: account or token are not right", self.status),
            (429, _) => f.write_str("429: too many requests at once"),
            (status, Some(code)) => write!(f, "{status}, error {code}"),
            (status, None) => write!(f, "{status}"),
        }
    }
}

/// What codes of messages mean (twilio.com/docs/api/errors), in short.
const fn known(code: u32) -> Option<&'static str> {
    Some(match code {
        21_211 => "this is no number that can be sent an SMS",
        21_408 => {
            "SMS to this country are not allowed in the account: allow them in Twilio's console"
        }
        21_606 | 21_659 => "the assistant's number cannot send SMS, or is not this account's",
        21_608 | 21_219 => "a trial account sends to verified numbers only",
        21_610 => "this caller has answered STOP to SMS from this number",
        21_612 => "this number cannot be reached from the assistant's",
        21_614 => "this number is no mobile",
        21_617 => "the SMS is too long",
        21_422 => "this number is not to be had",
        21_421 => "this is no number that can be had",
        21_613 | 21_631 => "an address is needed for this number",
        21_649 => "a regulatory bundle is needed for this number",
        _ => return None,
    })
}

impl Refusal {
    /// Whether the same would be refused for ever: what is wrong is the number that it goes to, or
    /// what it says.
    pub const fn is_for_good(&self) -> bool {
        matches!(self.code, Some(21_211 | 21_610 | 21_612 | 21_614 | 21_617))
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    code: Option<u32>,
}

/// Twilio's REST API.
#[derive(Debug, Clone)]
pub struct Rest {
    client: reqwest::Client,
    base_url: String,
}

/// What is on a page of a list, and where the next page is.
pub(super) type Page<T> = (Vec<T>, Option<String>);

impl Rest {
    /// The API at an address, [`BASE_URL`] or a region's.
    pub fn new(base_url: &str) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("webox/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::failure("no HTTP client could be made").because(error))?;
        Ok(Self { client, base_url: base_url.trim_end_matches('/').to_owned() })
    }

    /// Asks. What is gone already counts as done.
    pub async fn ask(&self, account: &Account, request: &Request) -> Result<(), RestError> {
        let path = request.path();
        let asked = match request.form() {
            Some(form) => self.posting(account, &path, &form),
            None => self.deleting(account, &path),
        };
        let response = asked.send().await.map_err(|cause| unreachable(&cause))?;
        let status = response.status();
        let may_be_gone = !matches!(request, Request::SendMessage { .. });
        if status.is_success() || (may_be_gone && status.as_u16() == 404) {
            return Ok(());
        }
        let why = read_up_to(response, LONGEST).await.unwrap_or_default();
        let refusal = refusal(status.as_u16(), &why);
        let over = matches!(
            request,
            Request::StopRecording(_) | Request::HangUp(_) | Request::Redirect { .. }
        );
        if over && refusal.code == Some(NOT_IN_STATE) {
            return Ok(());
        }
        Err(RestError::Refused(refusal))
    }

    fn posting(&self, account: &Account, path: &str, form: &Form) -> reqwest::RequestBuilder {
        self.client
            .post(self.below(account, path))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.encode())
            .basic_auth(account.user(), Some(account.secret()))
    }

    fn deleting(&self, account: &Account, path: &str) -> reqwest::RequestBuilder {
        self.client
            .delete(self.below(account, path))
            .basic_auth(account.user(), Some(account.secret()))
    }

    /// Posts a form below an account, and answers what came back.
    pub(super) async fn post(
        &self,
        account: &Account,
        path: &str,
        form: &Form,
    ) -> Result<Vec<u8>, RestError> {
        answered(self.posting(account, path, form)).await
    }

    /// The address of a path below an account.
    pub(super) fn below(&self, account: &Account, path: &str) -> String {
        format!("{}/2010-04-01/Accounts/{}/{path}", self.base_url, account.sid)
    }

    /// The address of a path of another product of Twilio's: `pricing`, `numbers`. Its host is named
    /// like the API's, edge and region included.
    pub(super) fn product(&self, product: &str, path: &str) -> String {
        let base = match self.base_url.split_once("://api.") {
            Some((scheme, rest)) => format!("{scheme}://{product}.{rest}"),
            None => self.base_url.clone(),
        };
        format!("{base}{path}")
    }

    /// The address of a page that an answer names.
    fn page(&self, uri: &str) -> Result<String, RestError> {
        if uri.starts_with("/2010-04-01/Accounts/") {
            return Ok(format!("{}{uri}", self.base_url));
        }
        Err(RestError::Unreadable("it names a page elsewhere".to_owned()))
    }

    /// All that is in a list, page by page, up to so many; `read` tells what is in a page, and where the next is.
    pub(super) async fn pages<T>(
        &self,
        account: &Account,
        path: &str,
        most: usize,
        read: fn(&[u8]) -> Result<Page<T>, RestError>,
    ) -> Result<Vec<T>, RestError> {
        let mut all = Vec::new();
        let mut url = self.below(account, path);
        for _ in 0..most {
            let (page, next) = read(&self.read(account, &url).await?)?;
            all.extend(page);
            match next {
                Some(next) => url = self.page(&next)?,
                None => break,
            }
        }
        Ok(all)
    }

    /// What is at an address; asked again after a while when Twilio is too busy, or not well.
    pub(super) async fn read(&self, account: &Account, url: &str) -> Result<Vec<u8>, RestError> {
        let ask = || async {
            let request = self.client.get(url).basic_auth(account.user(), Some(account.secret()));
            answered_up_to(request, LONGEST_PAGE).await
        };
        ask.retry(waits()).when(RestError::may_pass).await
    }

    /// Posts a form that may be posted any number of times: it says what is to be, not what is to be
    /// added.
    pub(super) async fn set(
        &self,
        account: &Account,
        path: &str,
        form: &Form,
    ) -> Result<Vec<u8>, RestError> {
        (|| self.post(account, path, form)).retry(waits()).when(RestError::may_pass).await
    }

    /// Posts a form that adds something: again only where Twilio did nothing about it.
    pub(super) async fn add(
        &self,
        account: &Account,
        path: &str,
        form: &Form,
    ) -> Result<Vec<u8>, RestError> {
        (|| self.post(account, path, form)).retry(waits()).when(RestError::came_to_nothing).await
    }

    /// Deletes what is at a path below an account; what is gone already counts as done.
    pub(super) async fn delete(&self, account: &Account, path: &str) -> Result<(), RestError> {
        let ask = || async {
            match answered(self.deleting(account, path)).await {
                Err(RestError::Refused(refusal)) if refusal.status == 404 => Ok(()),
                answered => answered.map(drop),
            }
        };
        ask.retry(waits()).when(RestError::may_pass).await
    }

    /// Whether Twilio takes what an account is asked with. The smallest question that every account may ask.
    pub async fn takes(&self, account: &Account) -> Result<(), RestError> {
        let ask = || self.get(account, "IncomingPhoneNumbers.json?PageSize=1");
        // Whoever cannot be reached is soon told as that.
        let is_busy = |error: &RestError| matches!(error, RestError::Refused(refusal) if matches!(refusal.status, 429 | 500..));
        ask.retry(waits()).when(is_busy).await.map(drop)
    }

    /// What is at a path below an account.
    pub(super) async fn get(&self, account: &Account, path: &str) -> Result<Vec<u8>, RestError> {
        let request = self
            .client
            .get(self.below(account, path))
            .basic_auth(account.user(), Some(account.secret()));
        answered(request).await
    }
}

fn waits() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_WAIT)
        .with_max_delay(LONGEST_WAIT)
        .with_max_times(TRIES)
        .with_jitter()
}

/// Sends a request, and answers what came back.
async fn answered(request: reqwest::RequestBuilder) -> Result<Vec<u8>, RestError> {
    answered_up_to(request, LONGEST).await
}

async fn answered_up_to(
    request: reqwest::RequestBuilder,
    longest: usize,
) -> Result<Vec<u8>, RestError> {
    let response = request.send().await.map_err(|cause| unreachable(&cause))?;
    let status = response.status();
    let body = read_up_to(response, longest).await;
    if status.is_success() {
        return body;
    }
    // What is refused is refused, whatever became of the reasons.
    Err(RestError::Refused(refusal(status.as_u16(), &body.unwrap_or_default())))
}

/// A body, whole.
async fn read_up_to(mut response: reqwest::Response, longest: usize) -> Result<Vec<u8>, RestError> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|cause| unreachable(&cause))? {
        body.extend_from_slice(&part);
        if body.len() > longest {
            return Err(RestError::Unreadable(format!("it is longer than {longest} bytes")));
        }
    }
    Ok(body)
}

pub(super) fn refusal(status: u16, body: &[u8]) -> Refusal {
    let code = serde_json::from_slice::<ErrorBody>(body).ok().and_then(|body| body.code);
    Refusal { status, code }
}

/// The root of a failure, without the address: it names the account.
fn unreachable(cause: &reqwest::Error) -> RestError {
    let mut deepest: &dyn std::error::Error = cause;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let why = if cause.is_timeout() { "no answer in time".to_owned() } else { deepest.to_string() };
    if cause.is_connect() { RestError::NotConnected(why) } else { RestError::Unreachable(why) }
}
