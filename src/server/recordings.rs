//! Recordings: heard through us, from Twilio or from a folder of ours, and fetched into it.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use tokio::io::AsyncWriteExt;
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::twilio_accounts::Accounts;
use crate::{
    domain::{CallSid, Error, KeptRecording, Result},
    files,
    operations::{recordings, secrets::Secrets},
    store::{Store, recordings::ToFetch},
    twilio::{
        access::{TwilioAccess, is_of_credential, no_credential},
        media::{Media, Sound},
        rest::{Account, RestError},
    },
};

/// What nothing came to for so long will not be whole any more.
const LEFT_BEHIND: Duration = Duration::from_secs(30);

/// How often it is looked for what is to be fetched, and for recordings that are new.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const LOOK_FOR_NEW: SignedDuration = SignedDuration::from_secs(10);

/// A recording is ready so long after its call began at the latest.
const LATELY: SignedDuration = SignedDuration::from_hours(48);

/// How often a failure of the same recording is told in the log.
const TELL_EVERY: u32 = 10;

/// Where recordings are, and what Twilio is asked for them with.
#[derive(Clone)]
pub struct Archive {
    store: Store,
    accounts: Accounts,
    access: TwilioAccess,
    media: Media,
    folder: Option<PathBuf>,
}

impl Archive {
    /// With a folder of ours, where recordings are fetched into one.
    pub fn new(
        store: Store,
        secrets: Secrets,
        access: TwilioAccess,
        media: Media,
        folder: Option<PathBuf>,
    ) -> Self {
        let accounts = Accounts::new(store.clone(), secrets);
        Self { store, accounts, access, media, folder }
    }

    /// The file of a recording, if it is kept here.
    async fn file(&self, kept: &KeptRecording) -> Result<Option<PathBuf>> {
        if !recordings::is_here(&self.store, kept.clone()).await? {
            return Ok(None);
        }
        let folder = self.folder.as_ref().ok_or_else(|| {
            Error::config("the recording was fetched into a folder that is not set any more")
                .hint("set `recordings.folder` in webox.toml to where it was")
        })?;
        Ok(Some(path(folder, kept)))
    }

    /// A recording as Twilio gives it.
    async fn ask_twilio(
        &self,
        call: &CallSid,
        kept: &KeptRecording,
        range: Option<&str>,
    ) -> Result<std::result::Result<Sound, RestError>> {
        let own = self.accounts.of(Some(call.clone()), None).await?;
        let credentials = match own {
            Some(own) if own.sid == kept.account => vec![own.token.into()],
            Some(_) => {
                return Err(Error::config("it is kept in another account than the assistant's"));
            }
            None => self.access.credentials(),
        };
        let mut last = None;
        for credential in credentials {
            let account = Account { sid: kept.account.clone(), credential };
            let fetched = self.media.fetch(&account, &kept.sid, range).await;
            if !is_of_credential(&fetched) {
                return Ok(fetched);
            }
            last = Some(fetched);
        }
        last.ok_or_else(no_credential)
    }

    /// A recording, or the part of it that is asked for.
    pub(super) async fn play(
        &self,
        call: &CallSid,
        kept: &KeptRecording,
        headers: &HeaderMap,
    ) -> Result<Response> {
        let mut response = if let Some(file) = self.file(kept).await? {
            serve(&file, headers).await?
        } else {
            let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
            let sound = self.ask_twilio(call, kept, range).await?.map_err(not_given)?;
            passed_on(sound)
        };
        let out = response.headers_mut();
        out.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/mpeg"));
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        Ok(response)
    }

    /// Writes a recording into a file.
    ///
    /// # Errors
    /// When it is not to be had, or cannot be written; then there is no file.
    pub async fn save(&self, call: &CallSid, kept: &KeptRecording, to: &Path) -> Result<()> {
        if let Some(file) = self.file(kept).await? {
            return tokio::fs::copy(&file, to)
                .await
                .map(|_| ())
                .map_err(|cause| unwritten(to, cause));
        }
        let sound = self.ask_twilio(call, kept, None).await?.map_err(not_given)?;
        write(sound, to).await
    }

    /// Fetches what is to be kept here, for as long as the daemon runs.
    pub(super) async fn run(self) {
        let Some(folder) = self.folder.clone() else { return };
        tracing::info!(folder = %folder.display(), "recordings are kept here");
        // All that there are at first, then what came lately.
        let (mut since, mut looked) = (Timestamp::MIN, None);
        loop {
            let now = Timestamp::now();
            if looked.is_none_or(|at| now.duration_since(at) >= LOOK_FOR_NEW) {
                // Again and again: a daemon that is started anew at once finds its own too young to tell.
                let unfinished = folder.clone();
                if let Err(error) =
                    tokio::task::spawn_blocking(move || clear_out(&unfinished)).await
                {
                    tracing::error!(%error, "what was not fetched whole could not be looked for");
                }
                match recordings::want_all(&self.store, since, now).await {
                    Ok(_) => {
                        (since, looked) = (now.checked_sub(LATELY).unwrap_or(since), Some(now));
                    }
                    Err(error) => tracing::error!(%error, "recordings could not be looked for"),
                }
            }
            match recordings::due(&self.store, now).await {
                Ok(due) => {
                    for one in due {
                        if let Err(error) = self.fetch(&folder, one).await {
                            tracing::error!(%error, "what became of a recording could not be noted");
                        }
                    }
                }
                Err(error) => tracing::error!(%error, "what is to be fetched could not be read"),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn fetch(&self, folder: &Path, one: ToFetch) -> Result<()> {
        let (call, recording) = (one.call.clone(), one.kept.sid.clone());
        let got = match self.ask_twilio(&one.call, &one.kept, None).await {
            Ok(Ok(sound)) => write(sound, &path(folder, &one.kept)).await.map_err(|e| (e, false)),
            Ok(Err(error)) => {
                let gone = matches!(&error, RestError::Refused(refusal) if refusal.status == 404);
                Err((not_given(error), gone))
            }
            Err(error) => Err((error, false)),
        };
        let now = Timestamp::now();
        match got {
            Ok(()) => {
                let kept = one.kept.clone();
                if recordings::fetched(&self.store, one, now).await? {
                    tracing::info!(call_sid = %call, %recording, "fetched a recording");
                } else {
                    remove(&path(folder, &kept)).await?;
                }
                Ok(())
            }
            Err((error, gone)) => {
                if one.attempts.is_multiple_of(TELL_EVERY) {
                    tracing::error!(call_sid = %call, %recording, %error, gone, "a recording could not be fetched");
                }
                let why = error.to_string();
                recordings::failed(&self.store, one, why, gone, now).await
            }
        }
    }

    /// Takes a recording out of the folder, if nobody wants it any more.
    pub(super) async fn drop(&self, call: &CallSid, kept: &KeptRecording) -> Result<()> {
        if recordings::is_wanted(&self.store, call.clone(), kept.clone()).await? {
            return Ok(());
        }
        if let Some(file) = self.file(kept).await? {
            remove(&file).await?;
        }
        recordings::forget(&self.store, kept.clone()).await
    }
}

/// The name of a SID is letters and figures only.
fn path(folder: &Path, kept: &KeptRecording) -> PathBuf {
    folder.join(format!("{}.mp3", kept.sid))
}

async fn serve(file: &Path, headers: &HeaderMap) -> Result<Response> {
    let mut request = Request::new(Body::empty());
    for name in [header::RANGE, header::IF_RANGE, header::IF_MODIFIED_SINCE] {
        if let Some(value) = headers.get(&name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    let Ok(served) = ServeFile::new(file).oneshot(request).await;
    let response = served.into_response();
    if response.status() == StatusCode::NOT_FOUND {
        return Err(Error::failure("the file of the recording is not in its folder any more"));
    }
    Ok(response)
}

fn passed_on(sound: Sound) -> Response {
    let status = StatusCode::from_u16(sound.status).unwrap_or(StatusCode::OK);
    let headers = sound.headers.clone();
    let body = Body::from_stream(sound.bytes().map(|piece| piece.map_err(io::Error::other)));
    let mut response = (status, body).into_response();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn not_given(error: RestError) -> Error {
    match error {
        RestError::Refused(refusal) if refusal.status == 404 => {
            Error::not_found("Twilio does not have the recording any more")
        }
        error => Error::unavailable(error.to_string()),
    }
}

fn unwritten(to: &Path, cause: io::Error) -> Error {
    Error::failure(format!("the recording could not be written to {}", to.display())).because(cause)
}

/// What a sound is called until it is whole.
const UNFINISHED: (&str, &str) = (".webox-", ".mp3");

/// Removes what a daemon left that was killed over it: nobody would forget what was said in it. What was written
/// to lately may be another's, who saves one there.
fn clear_out(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let is_ours = name.starts_with(UNFINISHED.0) && name.ends_with(UNFINISHED.1);
        let written = entry.metadata().and_then(|found| found.modified());
        let is_old = written.is_ok_and(|at| at.elapsed().is_ok_and(|ago| ago > LEFT_BEHIND));
        if is_ours && is_old {
            let removed = std::fs::remove_file(entry.path());
            tracing::info!(path = %entry.path().display(), ?removed, "a recording that was not fetched whole");
        }
    }
}

/// Writes a sound beside its place first: what has the name is whole.
async fn write(sound: Sound, to: &Path) -> Result<()> {
    let failed = |cause: io::Error| unwritten(to, cause);
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).to_owned();
    let beside = folder.clone();
    let made = tokio::task::spawn_blocking(move || {
        // Private from its first byte.
        tempfile::Builder::new().prefix(UNFINISHED.0).suffix(UNFINISHED.1).tempfile_in(beside)
    });
    let made = made.await.map_err(|cause| failed(io::Error::other(cause)))?.map_err(failed)?;
    let (file, part) = made.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let mut pieces = Box::pin(sound.bytes());
    while let Some(piece) = pieces.next().await {
        file.write_all(&piece.map_err(not_given)?).await.map_err(failed)?;
    }
    // tokio answers before the system has taken a piece, and tells of a full disk only here.
    file.flush().await.map_err(failed)?;
    file.sync_all().await.map_err(failed)?;
    let (place, lasting) = (to.to_owned(), folder);
    tokio::task::spawn_blocking(move || {
        files::give(&part, &lasting);
        part.persist(place).map_err(|error| error.error)?;
        std::fs::File::open(lasting)?.sync_all()
    })
    .await
    .map_err(|cause| failed(io::Error::other(cause)))?
    .map_err(failed)
}

async fn remove(file: &Path) -> Result<()> {
    match tokio::fs::remove_file(file).await {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(Error::failure(format!("the recording {} could not be deleted", file.display()))
                .because(cause))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_recordings_are_cleared_out_once_nobody_writes_them_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, age: Duration| {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(std::time::SystemTime::now() - age).unwrap();
        };
        file(".webox-a1b2c3.mp3", 2 * LEFT_BEHIND);
        file(".webox-d4e5f6.mp3", Duration::ZERO);
        file("RE00000000000000000000000000000001.mp3", 2 * LEFT_BEHIND);
        file(".webox-notes", 2 * LEFT_BEHIND);
        clear_out(folder.path());
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let mut left: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort_unstable();
        let kept = [".webox-d4e5f6.mp3", ".webox-notes", "RE00000000000000000000000000000001.mp3"];
        assert_eq!(left, kept);
        clear_out(&folder.path().join("not there"));
    }
}
