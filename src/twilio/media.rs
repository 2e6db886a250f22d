//! The sound of recordings that Twilio keeps (Twilio, "Recordings resource": fetch a recording's media).
//! MP3 only: an eighth of a WAV, and everything plays it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use super::rest::{Account, Refusal, RestError};
use crate::domain::{Error, RecordingSid, Result};

/// What is waited for at most between two pieces of a sound.
const BETWEEN: Duration = Duration::from_secs(20);

/// Twilio may point to where the sound lies.
const REDIRECTS: usize = 3;

/// Fetches sounds.
#[derive(Debug, Clone)]
pub struct Media {
    client: reqwest::Client,
    base_url: String,
}

/// A sound, or a part of it, as it comes.
pub struct Sound {
    /// 200, 206 for a part, 416 for one that there is not.
    pub status: u16,
    /// The headers that say which part it is, and of what.
    pub headers: Vec<(&'static str, String)>,
    response: reqwest::Response,
}

/// Headers that are passed on.
const PASSED: [&str; 4] = ["content-length", "content-range", "accept-ranges", "etag"];

impl Media {
    /// Twilio at an address, [`super::rest::BASE_URL`] or a region's.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(base_url: &str) -> Result<Self> {
        let client = reqwest::Client::builder()
            .connect_timeout(BETWEEN)
            .read_timeout(BETWEEN)
            // The account's token is left out when it goes elsewhere.
            .redirect(reqwest::redirect::Policy::limited(REDIRECTS))
            .user_agent(concat!("webox/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::failure("no HTTP client could be made").because(error))?;
        Ok(Self { client, base_url: base_url.trim_end_matches('/').to_owned() })
    }

    /// A recording; `range` is passed on as it is.
    ///
    /// # Errors
    /// When Twilio does not give it. 404: it is not there any more.
    pub async fn fetch(
        &self,
        account: &Account,
        recording: &RecordingSid,
        range: Option<&str>,
    ) -> Result<Sound, RestError> {
        let (base, sid) = (&self.base_url, &account.sid);
        let url = format!("{base}/2010-04-01/Accounts/{sid}/Recordings/{recording}.mp3");
        let asked = self.client.get(url).basic_auth(account.user(), Some(account.secret()));
        let asked = match range {
            Some(range) => asked.header("range", range),
            None => asked,
        };
        let response = asked.send().await.map_err(|cause| unreachable(&cause))?;
        let status = response.status().as_u16();
        if !matches!(status, 200 | 206 | 416) {
            return Err(RestError::Refused(Refusal { status, code: None }));
        }
        let headers = PASSED.iter().filter_map(|name| {
            let value = response.headers().get(*name)?.to_str().ok()?;
            Some((*name, value.to_owned()))
        });
        let headers = headers.collect();
        Ok(Sound { status, headers, response })
    }
}

impl Sound {
    /// The bytes, as they come.
    pub fn bytes(self) -> impl Stream<Item = Result<Bytes, RestError>> + Send + use<> {
        self.response.bytes_stream().map(|piece| piece.map_err(|cause| unreachable(&cause)))
    }
}

fn unreachable(cause: &reqwest::Error) -> RestError {
    let why = if cause.is_timeout() { "no answer in time" } else { "the connection failed" };
    RestError::Unreachable(why.to_owned())
}
