//! A file that is too long for one request is put in parts, which the storage puts together.
//!
//! S3 takes 5 GiB in one request, and a file in 10,000 parts at most, each but the last of 5 MiB at least.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use backon::Retryable;
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use reqwest::{Body, header};
use rusty_s3::{
    S3Action,
    actions::{CompleteMultipartUploadResponse, CreateMultipartUpload},
};

use super::{PIECE, SIGNED_FOR, Storage, may_pass, pieces, time_for, unreadable, waits};
use crate::domain::{Error, Kind, Result};

/// Parts of a file, at most.
const MOST: u64 = 10_000;

/// How long putting parts together may take: S3 says minutes.
const TOGETHER: Duration = Duration::from_mins(10);

/// Some bytes of a file.
struct Part<'a> {
    file: &'a Path,
    from: u64,
    bytes: u64,
    number: u16,
}

/// Parts on their way to a key.
struct Upload<'a> {
    storage: &'a Storage,
    key: &'a str,
    id: String,
}

impl Storage {
    /// Puts a file there in parts; none of them is left where that does not work.
    pub(super) async fn put_in_parts(&self, key: &str, file: &Path, length: u64) -> Result<()> {
        let begin = || self.begin_parts(key);
        let id = begin.retry(waits()).when(may_pass).await?;
        let upload = Upload { storage: self, key, id };
        match upload.finish(file, length).await {
            Ok(()) => Ok(()),
            Err(error) => match upload.give_up().await {
                Ok(()) => Err(error),
                Err(also) => Err(error.hint(format!(
                    "the parts that are there could not be removed ({also}): a rule of the bucket for \
                     uploads that are not finished does"
                ))),
            },
        }
    }

    async fn begin_parts(&self, key: &str) -> Result<String> {
        let action = self.bucket.create_multipart_upload(Some(&self.credentials), key);
        // A length is asked for by some, though there is nothing.
        let request = self.client.post(action.sign(SIGNED_FOR)).header(header::CONTENT_LENGTH, 0);
        let answer = self.answered(request, "put", key).await?;
        let text = answer.text().await.map_err(|cause| self.unreachable(&cause))?;
        let begun = CreateMultipartUpload::parse_response(&text)
            .map_err(|cause| self.in_no_words(cause.to_string()))?;
        Ok(begun.upload_id().to_owned())
    }
}

impl Upload<'_> {
    async fn finish(&self, file: &Path, length: u64) -> Result<()> {
        let most = self.storage.part.max(length.div_ceil(MOST));
        let mut tags = Vec::new();
        let mut from = 0;
        while from < length {
            let number = u16::try_from(tags.len() + 1).unwrap_or(u16::MAX);
            let part = Part { file, from, bytes: most.min(length - from), number };
            tags.push(self.put(&part).await?);
            from += part.bytes;
        }
        let put_together = || self.put_together(&tags);
        let done = put_together.retry(waits()).when(may_pass).await;
        match done {
            // An answer was lost, and there is nothing to put together any more.
            Err(_) if self.is_there(length).await => Ok(()),
            done => done,
        }
    }

    async fn put_together(&self, tags: &[String]) -> Result<()> {
        let Storage { bucket, credentials, putting, .. } = self.storage;
        let tags = tags.iter().map(String::as_str);
        let action = bucket.complete_multipart_upload(Some(credentials), self.key, &self.id, tags);
        let request = putting.post(action.sign(SIGNED_FOR)).timeout(TOGETHER).body(action.body());
        let answer = self.storage.answered(request, "put together", self.key).await?;
        let text = answer.text().await.map_err(|cause| self.storage.unreachable(&cause))?;
        // A refusal may come with a status of success, since the answer begins before it is known.
        CompleteMultipartUploadResponse::parse(&text).map_err(|cause| {
            let told = Storage::refusal(&text).unwrap_or_else(|| cause.to_string());
            Error::unavailable(format!("{} put no `{}` together", self.storage.name(), self.key))
                .because(told)
        })?;
        Ok(())
    }

    /// Whether the whole lies there.
    async fn is_there(&self, length: u64) -> bool {
        let found = self.storage.list(self.key).await.unwrap_or_default();
        found.iter().any(|stored| stored.key == self.key && stored.bytes == length)
    }

    /// Puts a part, again where that may help; gives its tag.
    async fn put(&self, part: &Part<'_>) -> Result<String> {
        let digest = digest(part.file.to_owned(), part.from, part.bytes).await?;
        let put = || self.put_once(part, &digest);
        put.retry(waits()).when(may_pass).await
    }

    async fn put_once(&self, part: &Part<'_>, digest: &str) -> Result<String> {
        let Storage { bucket, credentials, putting, .. } = self.storage;
        let content = opened(part.file, part.from).map_err(|cause| unreadable(part.file, cause))?;
        let mut action = bucket.upload_part(Some(credentials), self.key, part.number, &self.id);
        action.headers_mut().insert("content-md5", digest);
        let request = putting
            .put(action.sign(SIGNED_FOR))
            .timeout(time_for(part.bytes))
            .header("content-md5", digest)
            .header(header::CONTENT_LENGTH, part.bytes)
            .body(Body::wrap_stream(pieces(content.take(part.bytes))));
        let answer = self.storage.answered(request, "put", self.key).await?;
        let tag = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
        tag.map(str::to_owned)
            .ok_or_else(|| self.storage.in_no_words("it has no tag for a part".to_owned()))
    }

    async fn give_up(&self) -> Result<()> {
        let Storage { bucket, credentials, client, .. } = self.storage;
        let action = bucket.abort_multipart_upload(Some(credentials), self.key, &self.id);
        let request = client.delete(action.sign(SIGNED_FOR));
        match self.storage.answered(request, "remove the parts of", self.key).await {
            Err(error) if error.kind() == Kind::NotFound => Ok(()),
            answered => answered.map(drop),
        }
    }
}

fn opened(file: &Path, from: u64) -> io::Result<File> {
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(from))?;
    Ok(file)
}

/// The digest of some bytes of a file that the storage compares them with: MD5, which every S3 knows. It
/// finds what breaks on the way; what is meant is proven by the seal of the backup.
async fn digest(file: PathBuf, from: u64, bytes: u64) -> Result<String> {
    let read = tokio::task::spawn_blocking(move || {
        let sum = || -> io::Result<String> {
            let mut content = opened(&file, from)?.take(bytes);
            let (mut digest, mut piece) = (Md5::new(), vec![0; PIECE]);
            loop {
                match content.read(&mut piece)? {
                    0 => return Ok(STANDARD.encode(digest.finalize())),
                    length => digest.update(&piece[..length]),
                }
            }
        };
        sum().map_err(|cause| unreadable(&file, cause))
    });
    read.await.unwrap_or_else(|cause| Err(Error::failure("a part was not read").because(cause)))
}
