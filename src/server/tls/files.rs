//! A certificate in files, which somebody else renews: read again when they change.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use notify::{RecursiveMode, Watcher};
use tokio::{
    sync::mpsc,
    time::{self, Instant},
};

use super::{
    Certificates,
    certificate::{Certificate, Wrong},
};
use crate::domain::{Error, Result};

/// The certificate and its key are written one after the other.
const SETTLED: Duration = Duration::from_millis(500);

/// Where something is written in their folders all the time, they are read so often.
const SETTLED_AT_LAST: Duration = Duration::from_secs(10);

/// How often it is looked whether others lie there: behind a link, or in a folder that was made anew, nothing
/// is seen to change.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// How often they are read although nothing was seen to change, and it is looked how long the
/// certificate is still good for.
const ANYHOW: Duration = Duration::from_hours(6);

/// Somebody should have renewed it by then.
const ENDS_SOON: SignedDuration = SignedDuration::from_hours(10 * 24);

/// Two files.
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    pub(super) fn new(certificate: &Path, key: &Path) -> Self {
        Self { certificate: certificate.to_path_buf(), key: key.to_path_buf() }
    }

    pub(super) fn read(&self) -> Result<Certificate> {
        let (at, key_at) = (self.certificate.display(), self.key.display());
        let chain = read_file(&self.certificate, "certificate")?;
        let key = read_file(&self.key, "key of the certificate")?;
        Certificate::read(&chain, &key).map_err(|wrong| match wrong {
            Wrong::NoCertificate | Wrong::Unreadable(_) => Error::config(format!("{at} {wrong}"))
                .hint("name the file with the certificate and those above it, often called `fullchain.pem`"),
            Wrong::NoKey | Wrong::LockedKey | Wrong::BadKey(_) => Error::config(format!("{key_at} {wrong}"))
                .hint("name the file with the key, often called `privkey.pem`, without a password"),
            Wrong::Strangers => Error::config(format!("{key_at} is not the key of {at}"))
                .hint("name the two that were made together; in the file of the certificate, it comes before those above it"),
        })
    }

    /// Takes what is in the files, if it is good and another. Says whether it is.
    pub(super) fn reload(&self, certificates: &Certificates) -> Result<bool> {
        let read = self.read()?;
        let is_another = certificates.current().is_none_or(|current| !current.is(&read));
        if is_another {
            tracing::info!(certificate = %self.certificate.display(), until = %read.until(), "another certificate is in force");
            certificates.put(read);
            self.tell_how_long(certificates);
        }
        Ok(is_another)
    }

    /// Takes whatever comes to be in the files.
    pub(super) async fn follow(&self, certificates: Arc<Certificates>) {
        let (changed, mut changes) = mpsc::unbounded_channel();
        let watcher = self.watch(changed).inspect_err(|error| {
            tracing::warn!(%error, "files of certificates cannot be watched: they are looked at every minute, and on SIGHUP");
        });
        self.tell_how_long(&certificates);
        let mut anyhow = Instant::now() + ANYHOW;
        let (mut told, mut marks) = (None, self.marks());
        loop {
            let look = anyhow.min(Instant::now() + LOOK_EVERY);
            let seen = time::timeout_at(look, changes.recv()).await;
            if let (Ok(None), Err(_)) = (&seen, &watcher) {
                time::sleep_until(look).await;
            }
            let before = std::mem::replace(&mut marks, self.marks());
            if seen.is_err() && marks == before && Instant::now() < anyhow {
                continue;
            }
            // Others may write in these folders without end: a log, a database.
            let latest = Instant::now() + SETTLED_AT_LAST;
            while let Ok(Some(())) = time::timeout(SETTLED, changes.recv()).await {
                if Instant::now() >= latest {
                    break;
                }
            }
            let is_time = Instant::now() >= anyhow;
            if is_time {
                anyhow = Instant::now() + ANYHOW;
            }
            // What was told already is told again by the clock alone.
            let wrong = self.reload(&certificates).map_err(|error| error.with_causes());
            if is_time && !matches!(wrong, Ok(true)) {
                self.tell_how_long(&certificates);
            }
            match &wrong {
                Err(error) if is_time || told.as_ref() != Some(error) => {
                    tracing::warn!(%error, "the files of the certificate are no good: the one before stays in force");
                }
                _ => {}
            }
            told = wrong.err();
        }
    }

    /// Which files lie there, and as of when.
    fn marks(&self) -> [Option<(u64, u64, i64, i64)>; 2] {
        [&self.certificate, &self.key].map(|path| {
            let found = std::fs::metadata(path).ok()?;
            Some((found.dev(), found.ino(), found.mtime(), found.mtime_nsec()))
        })
    }

    fn tell_how_long(&self, certificates: &Certificates) {
        match certificates.current().map(|current| current.left(Timestamp::now())) {
            Some(left) if left <= SignedDuration::ZERO => {
                tracing::error!(certificate = %self.certificate.display(), "the certificate has ended: Twilio refuses it");
            }
            Some(left) if left < ENDS_SOON => {
                let hours = left.as_hours();
                tracing::warn!(certificate = %self.certificate.display(), hours, "the certificate ends soon");
            }
            _ => {}
        }
    }

    /// Tells when something changes in the folders of the files.
    fn watch(&self, changed: mpsc::UnboundedSender<()>) -> notify::Result<impl Watcher + use<>> {
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                if event.is_ok_and(|event| !event.kind.is_access()) {
                    // A closed channel means that nobody looks after it any more.
                    let _ = changed.send(());
                }
            })?;
        // The folders: whoever renews puts another file in the place of the one before.
        for path in [&self.certificate, &self.key] {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            watcher.watch(folder.unwrap_or(Path::new(".")), RecursiveMode::NonRecursive)?;
        }
        Ok(watcher)
    }
}

fn read_file(path: &Path, what: &str) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|cause| {
        Error::config(format!("the {what} in {} cannot be read", path.display()))
            .because(cause)
            .hint("let the user that webox runs as read it, or name another")
    })
}

#[cfg(test)]
mod tests {
    use super::{super::certificate::tests::pair, *};

    #[test]
    fn what_is_wrong_is_said_with_the_file_it_is_in() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (one, other) = (pair("a.example.com"), pair("a.example.com"));
        let chain = at("chain.pem", &one.0);
        let said = |key: &Path| Files::new(&chain, key).read().map(|_| ()).unwrap_err().to_string();
        let wrong = at("other.pem", &other.1);
        assert!(said(&wrong).contains("other.pem is not the key of"), "{}", said(&wrong));
        assert!(said(&chain).contains("chain.pem holds no private key"), "{}", said(&chain));
        let nowhere = folder.path().join("nowhere.pem");
        assert!(said(&nowhere).contains("nowhere.pem cannot be read"), "{}", said(&nowhere));
        let key = at("key.pem", &one.1);
        let files = Files::new(&chain, &key);
        let certificates = Certificates::default();
        certificates.put(files.read().unwrap());
        let before = certificates.current().unwrap();
        at("key.pem", &other.1);
        assert!(files.reload(&certificates).is_err());
        assert!(certificates.current().unwrap().is(&before), "the one before stays in force");
        at("chain.pem", &other.0);
        files.reload(&certificates).unwrap();
        // Another file behind a link, of which no folder tells.
        let link = folder.path().join("linked.pem");
        std::os::unix::fs::symlink(&chain, &link).unwrap();
        let linked = Files::new(&link, &key);
        let marks = linked.marks();
        assert_eq!(linked.marks(), marks);
        let renewed = at("renewed.pem", &other.0);
        std::fs::rename(renewed, &chain).unwrap();
        assert_ne!(linked.marks(), marks);
        assert!(!certificates.current().unwrap().is(&before));
    }
}
