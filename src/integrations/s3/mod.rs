//! A bucket of S3-compatible storage that the settings name: put, list, get, delete.
//!
//! Requests are signed in their address (SigV4); what is sent is streamed from a file, what is fetched
//! into one. The endpoint is the administrator's own choice, so it may be in a private network.

mod parts;

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    path::Path,
    time::Duration,
};

use backon::{ExponentialBuilder, Retryable};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{Stream, stream};
use reqwest::{Body, Client, StatusCode, Url, header};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle, actions::ListObjectsV2};

use crate::domain::{Error, Kind, Result, Secret};

/// How long a request may take until it begins: the signature is void after that.
const SIGNED_FOR: Duration = Duration::from_mins(15);

/// How long it is waited for a connection, and between two pieces of an answer.
const BETWEEN: Duration = Duration::from_secs(30);

/// How long it is waited for the answer to what is put, beside the time that its bytes take on a line as slow
/// as this, in bytes a second.
const TAKEN_IN: Duration = Duration::from_mins(1);
const SLOWEST: u64 = 32 << 10;

/// Read from a file at a time.
const PIECE: usize = 1 << 20;

/// More than this is put in parts of this length: S3 takes 5 GiB in one request, and a part that breaks off is
/// sooner put again than all of it.
const PART: u64 = 16 << 20;

/// What may pass is asked for so often at most, and anew after a first wait of this length.
const TRIES: usize = 5;
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// As much of an answer as is read to say what was wrong.
const TOLD: usize = 16 * 1024;

/// How a bucket is reached.
#[derive(Debug, Clone)]
pub struct StorageSettings {
    /// Where the storage answers, such as `https://s3.fr-par.scw.cloud`.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// Whether the bucket stands in the path; in the name of the host otherwise.
    pub path_style: bool,
    /// Who asks.
    pub access_key: Secret,
    /// With which key.
    pub secret_key: Secret,
}

/// A bucket.
#[derive(Debug, Clone)]
pub struct Storage {
    client: Client,
    /// For what is put: to reqwest a request that is being sent is one that is not answered.
    putting: Client,
    bucket: Bucket,
    credentials: Credentials,
    part: u64,
}

/// Something that lies in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its key.
    pub key: String,
    /// Its length.
    pub bytes: u64,
}

impl Storage {
    /// Asks nobody yet.
    ///
    /// # Errors
    /// When the settings make no address.
    pub fn new(settings: &StorageSettings) -> Result<Self> {
        Self::waiting(settings, BETWEEN)
    }

    /// The same, with another time to wait between two pieces of an answer.
    ///
    /// # Errors
    /// When the settings make no address.
    pub fn waiting(settings: &StorageSettings, between: Duration) -> Result<Self> {
        let endpoint: Url = settings.endpoint.parse().map_err(|cause| {
            Error::config(format!("`backup.endpoint`: {} is no address", settings.endpoint))
                .because(format!("{cause}"))
        })?;
        let style = if settings.path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let bucket = Bucket::new(endpoint, style, settings.bucket.clone(), settings.region.clone())
            .map_err(|cause| {
                Error::config(format!(
                    "the bucket `{}` at {} makes no address",
                    settings.bucket, settings.endpoint
                ))
                .because(cause)
            })?;
        let client = || {
            Client::builder()
                .connect_timeout(BETWEEN)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("webox/", env!("CARGO_PKG_VERSION")))
        };
        let made = |error| Error::failure("no HTTP client could be made").because(error);
        let putting = client().build().map_err(made)?;
        let client = client().read_timeout(between).build().map_err(made)?;
        let credentials =
            Credentials::new(settings.access_key.expose(), settings.secret_key.expose());
        Ok(Self { client, putting, bucket, credentials, part: PART })
    }

    /// The same, with parts of another length; S3 takes none below 5 MiB but the last.
    #[must_use]
    pub fn in_parts_of(self, bytes: u64) -> Self {
        Self { part: bytes.max(1), ..self }
    }

    /// Puts a file there, whole. The storage compares it with its digest, or each of its parts with theirs.
    ///
    /// # Errors
    /// When it is not there afterwards.
    pub async fn put(&self, key: &str, file: &Path, sha256: &[u8]) -> Result<()> {
        let length = std::fs::metadata(file).map_err(|cause| unreadable(file, cause))?.len();
        if length > self.part {
            return self.put_in_parts(key, file, length).await;
        }
        let digest = STANDARD.encode(sha256);
        let put = || self.put_once(key, file, length, &digest);
        put.retry(waits()).when(may_pass).await
    }

    async fn put_once(&self, key: &str, file: &Path, length: u64, digest: &str) -> Result<()> {
        let content = File::open(file).map_err(|cause| unreadable(file, cause))?;
        let mut action = self.bucket.put_object(Some(&self.credentials), key);
        action.headers_mut().insert("x-amz-checksum-sha256", digest);
        let request = self
            .putting
            .put(action.sign(SIGNED_FOR))
            .timeout(time_for(length))
            .header("x-amz-checksum-sha256", digest)
            .header(header::CONTENT_LENGTH, length)
            .body(Body::wrap_stream(pieces(content)));
        self.answered(request, "put", key).await.map(drop)
    }

    /// What lies under a prefix.
    ///
    /// # Errors
    /// When the storage does not say.
    pub async fn list(&self, prefix: &str) -> Result<Vec<Stored>> {
        let (mut found, mut next) = (Vec::new(), None::<String>);
        loop {
            let list = || self.list_from(prefix, next.as_deref());
            let page = list.retry(waits()).when(may_pass).await?;
            found.extend(
                page.contents
                    .into_iter()
                    .map(|one| Stored { key: one.key, bytes: one.size.unwrap_or(0) }),
            );
            match page.next_continuation_token {
                Some(token) if next.as_ref() != Some(&token) => next = Some(token),
                _ => return Ok(found),
            }
        }
    }

    /// A page of what lies under a prefix, the first one or that after another.
    async fn list_from(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<rusty_s3::actions::ListObjectsV2Response> {
        let mut action = self.bucket.list_objects_v2(Some(&self.credentials));
        action.with_prefix(prefix);
        if let Some(token) = after {
            action.with_continuation_token(token);
        }
        let request = self.client.get(action.sign(SIGNED_FOR));
        let answer = self.answered(request, "list", prefix).await?;
        let text = answer.text().await.map_err(|cause| self.unreachable(&cause))?;
        ListObjectsV2::parse_response(&text).map_err(|cause| self.in_no_words(cause.to_string()))
    }

    /// Fetches something into a file, which holds that alone then.
    ///
    /// # Errors
    /// When it is not there, or the connection breaks.
    pub async fn get(&self, key: &str, to: &File) -> Result<()> {
        let get = || self.get_once(key, to);
        get.retry(waits()).when(may_pass).await
    }

    async fn get_once(&self, key: &str, to: &File) -> Result<()> {
        let emptied = || -> io::Result<File> {
            let mut to = to.try_clone()?;
            to.set_len(0)?;
            to.rewind()?;
            Ok(to)
        };
        let unwritten = |cause| Error::failure("what was fetched cannot be written").because(cause);
        let mut to = emptied().map_err(unwritten)?;
        let action = self.bucket.get_object(Some(&self.credentials), key);
        let request = self.client.get(action.sign(SIGNED_FOR));
        let mut answer = self.answered(request, "get", key).await?;
        while let Some(piece) = answer.chunk().await.map_err(|cause| self.unreachable(&cause))? {
            let written = tokio::task::spawn_blocking(move || to.write_all(&piece).map(|()| to));
            let written = written.await.map_err(io::Error::other).and_then(|written| written);
            to = written.map_err(unwritten)?;
        }
        Ok(())
    }

    /// The beginning of something, of so many bytes at most.
    ///
    /// # Errors
    /// When it is not there, or the connection breaks.
    pub async fn head(&self, key: &str, bytes: usize) -> Result<Vec<u8>> {
        let head = || self.head_once(key, bytes);
        head.retry(waits()).when(may_pass).await
    }

    async fn head_once(&self, key: &str, bytes: usize) -> Result<Vec<u8>> {
        let action = self.bucket.get_object(Some(&self.credentials), key);
        let range = format!("bytes=0-{}", bytes.saturating_sub(1));
        let request = self.client.get(action.sign(SIGNED_FOR)).header(header::RANGE, range);
        let mut answer = self.answered(request, "get", key).await?;
        let mut head = Vec::new();
        // One that knows no ranges sends all of it.
        while let Some(piece) = answer.chunk().await.map_err(|cause| self.unreachable(&cause))? {
            head.extend_from_slice(&piece);
            if head.len() >= bytes {
                break;
            }
        }
        head.truncate(bytes);
        Ok(head)
    }

    /// Takes something away.
    ///
    /// # Errors
    /// When it may still be there.
    pub async fn delete(&self, key: &str) -> Result<()> {
        let delete = || async {
            let action = self.bucket.delete_object(Some(&self.credentials), key);
            let request = self.client.delete(action.sign(SIGNED_FOR));
            self.answered(request, "delete", key).await.map(drop)
        };
        delete.retry(waits()).when(may_pass).await
    }

    fn name(&self) -> &str {
        self.bucket.base_url().as_str()
    }

    async fn answered(
        &self,
        request: reqwest::RequestBuilder,
        what: &str,
        key: &str,
    ) -> Result<reqwest::Response> {
        let mut answer = request.send().await.map_err(|cause| self.unreachable(&cause))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let mut text = Vec::new();
        while let Ok(Some(piece)) = answer.chunk().await {
            text.extend_from_slice(&piece);
            if text.len() > TOLD {
                break;
            }
        }
        let text = String::from_utf8_lossy(&text);
        let code = told_in(&text, "Code").unwrap_or_default();
        let (kind, hint) = match (status, code.as_str()) {
            (StatusCode::NOT_FOUND, "NoSuchKey" | "NoSuchUpload" | "") => (Kind::NotFound, None),
            (StatusCode::NOT_FOUND, _) => {
                (Kind::Config, Some("look at `backup.to`, `backup.endpoint` and `backup.region`"))
            }
            (StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED, "RequestTimeTooSkewed") => {
                (Kind::Unavailable, Some("set the clock of this machine right"))
            }
            (StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED, _) => (
                Kind::Denied,
                Some(
                    "look at `backup.access_key` and `backup.secret_key`, and at what that key may do",
                ),
            ),
            _ => (Kind::Unavailable, None),
        };
        let error = Error::new(
            kind,
            format!("{} refused to {what} `{key}` (status {})", self.name(), status.as_u16()),
        )
        .maybe_hint(hint.map(str::to_owned));
        Err(match Self::refusal(&text) {
            Some(told) => error.because(told),
            None => error,
        })
    }

    /// Why something is refused, in the storage's own words.
    fn refusal(text: &str) -> Option<String> {
        let told: Vec<String> =
            ["Code", "Message"].iter().filter_map(|tag| told_in(text, tag)).collect();
        (!told.is_empty()).then(|| told.join(": "))
    }

    fn in_no_words(&self, cause: String) -> Error {
        Error::unavailable(format!("{} answers in no words of S3", self.name())).because(cause)
    }

    /// Without the address: the signature is in it.
    fn unreachable(&self, cause: &reqwest::Error) -> Error {
        let why = if cause.is_timeout() { "no answer in time" } else { "the connection failed" };
        let mut source = std::error::Error::source(cause);
        let mut deepest = why.to_owned();
        while let Some(next) = source {
            deepest = next.to_string();
            source = next.source();
        }
        Error::unavailable(format!("{} cannot be reached: {why}", self.name())).because(deepest)
    }
}

fn waits() -> ExponentialBuilder {
    ExponentialBuilder::default().with_min_delay(FIRST_WAIT).with_max_times(TRIES - 1).with_jitter()
}

fn may_pass(error: &Error) -> bool {
    error.kind() == Kind::Unavailable
}

/// How long it may take to put so many bytes.
fn time_for(bytes: u64) -> Duration {
    TAKEN_IN + Duration::from_secs(bytes / SLOWEST)
}

fn unreadable(file: &Path, cause: io::Error) -> Error {
    Error::failure(format!("{} cannot be read", file.display())).because(cause)
}

/// What stands between two tags of an answer, if anything does.
fn told_in(text: &str, tag: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{tag}>"))?;
    let (found, _) = rest.split_once(&format!("</{tag}>"))?;
    let found: String = found.chars().filter(|c| !c.is_control()).take(200).collect();
    (!found.is_empty()).then_some(found)
}

/// Something as it is read, on threads that may block.
fn pieces<R: Read + Send + 'static>(
    content: R,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::try_unfold(content, |mut content| async move {
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE];
            let length = content.read(&mut piece)?;
            piece.truncate(length);
            Ok((length > 0).then(|| (Bytes::from(piece), content)))
        });
        read.await.map_err(io::Error::other)?
    })
}
