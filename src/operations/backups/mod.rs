//! Backups: made while calls run, looked over before they get their names, put back when all else is
//! lost. The master key is in none of them.

mod archive;
mod place;
mod seals;
mod workshop;

use std::{
    io::{self, BufReader},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;
use serde::Serialize;

use archive::Broken;
pub use place::Place;
pub use seals::Seals;
use workshop::{Scratch, Workshop};

use crate::{
    domain::{BackupKeep, BackupManifest, BackupName, Error, Kind, Result},
    store::{
        SCHEMA_VERSION, Store,
        backup::{self, Unsound},
        versions,
    },
};

/// Hears how far a copy has come: pages, and how many there are.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// A backup, as a list shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// Its name.
    #[serde(serialize_with = "as_text")]
    pub name: BackupName,
    /// How long it is.
    pub bytes: u64,
    /// Whether the keys at hand open it; nothing where that is not known.
    pub opens: Option<bool>,
    /// What it says of itself; nothing where it was not opened.
    pub manifest: Option<BackupManifest>,
    /// Why not.
    pub trouble: Option<String>,
}

fn as_text<S: serde::Serializer>(name: &BackupName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(name)
}

/// Which backup is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The newest.
    Latest,
    /// One by its name.
    Named(BackupName),
    /// A file, wherever it is.
    File(PathBuf),
}

impl std::str::FromStr for Which {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        match text.parse() {
            Ok(name) => Ok(Self::Named(name)),
            // A path of several parts, or one that is there, is a file.
            Err(_) if text.contains('/') || Path::new(text).exists() => Ok(Self::File(text.into())),
            Err(error) => Err(error),
        }
    }
}

/// Why a backup is not known to be whole.
#[derive(Debug)]
pub struct Unverified {
    /// What happened.
    pub error: Error,
    /// Whether the backup is no good. It may well be, where it only could not be looked at: for want of
    /// its key, of room, of the place that it lies in.
    pub is_broken: bool,
}

impl Unverified {
    fn of(seals: &Seals, name: &str, broken: Broken) -> Self {
        let is_broken = matches!(broken, Broken::Damaged(_) | Broken::Foreign);
        Self { error: seals.explain(name, broken), is_broken }
    }
}

impl From<Error> for Unverified {
    fn from(error: Error) -> Self {
        Self { error, is_broken: false }
    }
}

/// What a restore did.
#[derive(Debug, Clone, Serialize)]
pub struct Restored {
    /// What was restored.
    pub manifest: BackupManifest,
    /// Where the store is.
    pub store: PathBuf,
    /// Where the one is that was there.
    pub aside: Option<PathBuf>,
    /// How many campaigns ran when it was made, and are paused now.
    pub paused_campaigns: u64,
}

/// What became of backups that need not be kept.
#[derive(Debug, Default)]
pub struct Pruned {
    /// Those that are gone.
    pub removed: Vec<BackupName>,
    /// Those that could not be removed, and why.
    pub stay: Vec<(BackupName, Error)>,
}

/// Says to stop when nobody waits any more.
#[derive(Default)]
struct StopWhenDropped(Arc<AtomicBool>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Backups in a place, with the keys to them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Backups {
    place: Arc<Place>,
    seals: Arc<Seals>,
}

impl Backups {
    /// Looks at nothing yet.
    pub fn new(place: Place, seals: Seals) -> Self {
        Self { place: place.into(), seals: seals.into() }
    }

    /// Makes a backup of a store as it is now. It has its name only once it was read back and found
    /// to be what it should be.
    pub async fn create(
        &self,
        store: &Store,
        now: Timestamp,
        progress: Progress,
    ) -> Result<Listed> {
        let names = self.place.list().await?;
        let mut name = BackupName::at(now);
        while names.iter().any(|(taken, _)| *taken == name) {
            name = name.next();
        }
        let (store, place, seals) =
            (store.clone(), Arc::clone(&self.place), Arc::clone(&self.seals));
        // Whoever waits for it no longer wants it: a daemon that stops does not wait for a large copy.
        let stop = StopWhenDropped::default();
        let stopped = Arc::clone(&stop.0);
        let made = blocking(move || {
            let workshop = Workshop::open(store.path())?;
            let copy = workshop.file("copy.db");
            let told = |done, all| {
                progress(done, all);
                !stopped.load(Ordering::Relaxed)
            };
            store.has_room_for_a_copy()?;
            let contents = store.copy_to(&copy, told)?;
            let found = backup::examine(&copy).map_err(|unsound| of_the_store(&store, unsound))?;
            if found != contents {
                return Err(Error::failure(format!(
                    "the copy of {} does not hold what the database holds",
                    store.path().display()
                ))
                .hint("look at the disk, and run `webox backup create` again"));
            }
            let failed = |cause: io::Error| place::unwritable(&copy, cause);
            let (digest, bytes) = archive::digest(&copy, &stopped).map_err(failed)?;
            let manifest = BackupManifest {
                format: BackupManifest::FORMAT,
                webox: env!("CARGO_PKG_VERSION").to_owned(),
                sqlite: backup::sqlite_version().to_owned(),
                made_at: now,
                schema: contents.schema,
                bytes,
                sha256: hex::encode(digest),
                rows: contents.rows,
            };
            let sealing = seals.sealing()?;
            let file = place.begin(store.path(), workshop.folder())?;
            let into = file.as_file().try_clone().map_err(failed)?;
            let recipients = sealing.recipients.iter().map(|one| &**one as &dyn age::Recipient);
            let (digest, bytes) = archive::write(&manifest, &copy, into, recipients, &stopped)
                .map_err(|cause| place::unwritable(file.path(), cause))?;
            // Through the whole of it, from the disk again.
            let again = archive::Stoppable::open(file.path(), &stopped).map_err(failed)?;
            let read = archive::unpack(again, &sealing.opens, io::sink())
                .map_err(|broken| seals.explain(&name.to_string(), broken))?;
            if read != manifest {
                return Err(Error::failure("the backup that was written reads otherwise"));
            }
            Ok((workshop, file, digest, bytes, manifest))
        });
        // The workshop goes last: what is sent to a bucket lies in it.
        let (_workshop, file, digest, bytes, manifest) = made.await?;
        let name = self.place.put(file, name, &digest).await?;
        let opens = self.seals.are_our_own().then_some(true);
        Ok(Listed { name, bytes, opens, manifest: Some(manifest), trouble: None })
    }

    /// Whether they lie on another machine.
    pub fn are_elsewhere(&self) -> bool {
        matches!(*self.place, Place::Bucket(..))
    }

    /// Has the place be a store's own. Two stores in one place would count each other's backups as
    /// theirs, and remove them: one of them was begun by mistake, as where a disk was not mounted, or
    /// has the settings of the other.
    ///
    /// # Errors
    /// When it is another's.
    pub async fn claim(&self, store: &Store) -> Result<()> {
        self.place.claim(&store.read_async(versions::store_id).await?, store.path()).await
    }

    /// Looks whether the place is another store's, and says nothing there.
    ///
    /// # Errors
    /// When it is.
    pub async fn are_not_anothers(&self, store: &Store) -> Result<()> {
        self.place.is_of(&store.read_async(versions::store_id).await?).await.map(drop)
    }

    /// When the newest was made. One that is later than now, by a clock that was wrong then, is the
    /// newest only where there is no other.
    pub async fn newest(&self, now: Timestamp) -> Result<Option<(BackupName, u64)>> {
        Ok(newest(&self.place.list().await?, now))
    }

    /// The backups there are, the newest first, with what they say of themselves.
    pub async fn list(&self) -> Result<Vec<Listed>> {
        let mut listed = Vec::new();
        let mut away: Option<String> = None;
        for (name, bytes) in self.place.list().await? {
            // Each would be waited for as long as the first that did not come.
            if let Some(why) = &away {
                let trouble = Some(format!("{name} was not asked for: {why}"));
                listed.push(Listed { name, bytes, opens: None, manifest: None, trouble });
                continue;
            }
            let (head, seals) = (self.place.head(name).await, Arc::clone(&self.seals));
            if let Err(error) = &head
                && error.kind() == Kind::Unavailable
            {
                away = Some(error.to_string());
            }
            let read = blocking(move || {
                let opening = seals.opening()?;
                Ok(archive::manifest(head?.as_slice(), &opening).map_err(|broken| {
                    let is_locked = matches!(broken, Broken::WrongKey | Broken::ForRecipients);
                    (is_locked, seals.explain(&name.to_string(), broken))
                }))
            });
            let (opens, manifest, trouble) = match read.await {
                Ok(Ok(manifest)) => (Some(true), Some(manifest), None),
                Ok(Err((is_locked, error))) => (is_locked.then_some(false), None, Some(error)),
                Err(error) => (None, None, Some(error)),
            };
            let trouble = trouble.map(|error| error.to_string());
            listed.push(Listed { name, bytes, opens, manifest, trouble });
        }
        Ok(listed)
    }

    /// Reads a backup to its end, and looks the database in it over. `beside` is where the store is, or
    /// would be: what is unpacked lies there meanwhile, and the store is not touched.
    ///
    /// # Errors
    /// [`Unverified`] says whether the backup is no good, or could only not be looked at.
    pub async fn verify(
        &self,
        which: &Which,
        beside: &Path,
        now: Timestamp,
    ) -> Result<(String, BackupManifest), Unverified> {
        let scratch = Scratch::open(beside)?;
        let (name, fetched) = self.find(which, scratch.path(), now).await?;
        let (seals, shown) = (Arc::clone(&self.seals), name.clone());
        let verified = blocking(move || {
            let opened = opened(&seals, &shown, fetched.path(), scratch.path());
            Ok(opened.map(|(manifest, _copy)| manifest))
        });
        Ok((name, verified.await??))
    }

    /// Puts what is in a backup in the place of a store. One that is there already is put aside, and
    /// only where `over` says so; one that somebody uses is left as it is.
    pub async fn restore(
        &self,
        which: &Which,
        store: &Path,
        over: bool,
        now: Timestamp,
    ) -> Result<Restored> {
        may_replace(store, over)?;
        if *which == Which::Latest {
            self.is_the_latest(now).await?;
        }
        let scratch = Scratch::open(store)?;
        let (name, fetched) = self.find(which, scratch.path(), now).await?;
        let (seals, store) = (Arc::clone(&self.seals), store.to_owned());
        blocking(move || {
            let (manifest, copy) = opened(&seals, &name, fetched.path(), scratch.path())
                .map_err(|unverified| unverified.error)?;
            // Whom they called since, nobody here knows: a person has to say that they go on.
            let paused_campaigns = backup::pause_campaigns(&copy)?;
            // Found and looked over; only now is it needed that nobody uses the store.
            let alone = backup::hold_alone(&store)?;
            may_replace(&store, over)?;
            let aside = aside(&store, now);
            let was_there = backup::replace(&store, copy, &aside, &alone)?;
            Ok(Restored { manifest, store, aside: was_there.then_some(aside), paused_campaigns })
        })
        .await
    }

    /// Removes what need not be kept of a store. A backup that is older than all that is in the store
    /// is another one's. One that is later than now was made while the clock was wrong: it stays, and
    /// does not count, or it would push out each one that is made since.
    pub async fn prune(&self, store: &Store, keep: &BackupKeep, now: Timestamp) -> Result<Pruned> {
        let mut pruned = Pruned::default();
        self.claim(store).await?;
        let Some(oldest) = store.read_async(versions::oldest).await? else { return Ok(pruned) };
        // Of the second itself there may be one: names know no smaller part.
        let oldest = BackupName::at(oldest);
        let names: Vec<BackupName> = self
            .place
            .list()
            .await?
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| *name >= oldest && !name.is_ahead(now))
            .collect();
        for name in keep.superfluous(&names) {
            match self.place.remove(name).await {
                Ok(()) => pruned.removed.push(name),
                Err(error) => pruned.stay.push((name, error)),
            }
        }
        Ok(pruned)
    }

    /// Looks whether nothing lies there that is later than the newest by this machine's clock: a new
    /// machine's may be behind, and what came since the one before would be lost.
    async fn is_the_latest(&self, now: Timestamp) -> Result<()> {
        let listed = self.place.list().await?;
        match (newest(&listed, now), listed.first()) {
            (Some((newest, _)), Some((later, _))) if *later > newest => Err(Error::new(
                Kind::Refused,
                format!(
                    "{later} is later than this machine's clock, and {newest} the newest before it"
                ),
            )
            .hint(format!(
                "set the clock right; or name the one that is meant: `webox backup restore {later}`"
            ))),
            _ => Ok(()),
        }
    }

    async fn find(
        &self,
        which: &Which,
        scratch: &Path,
        now: Timestamp,
    ) -> Result<(String, place::Fetched)> {
        let name = match which {
            Which::File(path) => {
                return Ok((path.display().to_string(), place::Fetched::There(path.clone())));
            }
            Which::Named(name) => {
                let names = self.place.list().await?;
                if !names.iter().any(|(there, _)| there == name) {
                    return Err(self.place.not_there(*name));
                }
                *name
            }
            Which::Latest => self.newest(now).await?.map(|(name, _)| name).ok_or_else(none_yet)?,
        };
        Ok((name.to_string(), self.place.fetch(name, scratch).await?))
    }
}

fn newest(listed: &[(BackupName, u64)], now: Timestamp) -> Option<(BackupName, u64)> {
    let mut in_time = listed.iter().filter(|(name, _)| !name.is_ahead(now));
    in_time.next().or(listed.first()).copied()
}

/// There is no backup to be looked at.
pub fn none_yet() -> Error {
    Error::not_found("there is no backup yet")
        .hint("`webox backup create` makes one; `--from` names another place")
}

/// Unpacks a backup and looks the database over.
fn opened(
    seals: &Seals,
    name: &str,
    path: &Path,
    scratch: &Path,
) -> Result<(BackupManifest, tempfile::TempPath), Unverified> {
    let input = std::fs::File::open(path).map_err(|cause| {
        let kind = match cause.kind() {
            io::ErrorKind::NotFound => Kind::NotFound,
            io::ErrorKind::PermissionDenied => Kind::Denied,
            _ => Kind::Failure,
        };
        Error::new(kind, format!("the backup {name} cannot be read")).because(cause)
    })?;
    let failed = |cause| seals.explain(name, Broken::Write(cause));
    let copy = tempfile::Builder::new().suffix(".db").tempfile_in(scratch).map_err(failed)?;
    let opening = seals.opening()?;
    let manifest =
        archive::unpack(BufReader::with_capacity(1 << 20, input), &opening, copy.as_file())
            .map_err(|broken| Unverified::of(seals, name, broken))?;
    copy.as_file().sync_all().map_err(failed)?;
    if manifest.schema > SCHEMA_VERSION {
        return Err(Error::config(format!(
            "the backup {name} has schema {}, and this webox knows {SCHEMA_VERSION}",
            manifest.schema
        ))
        .hint("upgrade webox; nothing was changed")
        .into());
    }
    let copy = copy.into_temp_path();
    // To the byte what was backed up: what is wrong with it was wrong then.
    let found = backup::examine(&copy).map_err(|unsound| match unsound {
        Unsound::Damaged(what) => Unverified::of(seals, name, Broken::Damaged(what)),
        Unsound::Unread(error) => error.into(),
    })?;
    if found.schema != manifest.schema || found.rows != manifest.rows {
        let what = "the rows in it are not those that it tells of".to_owned();
        return Err(Unverified::of(seals, name, Broken::Damaged(what)));
    }
    Ok((manifest, copy))
}

/// A copy to the byte that is not sound is one of a store that is not.
fn of_the_store(store: &Store, unsound: Unsound) -> Error {
    match unsound {
        Unsound::Damaged(what) => {
            Error::failure(format!("the store {} is damaged", store.path().display()))
                .hint(
                    "no backup of it is made until that is mended: keep the older ones, and see \
                     \"The day it happens\" in docs/backups.md",
                )
                .because(what)
        }
        Unsound::Unread(error) => error,
    }
}

fn may_replace(store: &Path, over: bool) -> Result<()> {
    // Followed already wherever it led to something.
    if store.is_symlink() {
        return Err(Error::config(format!("the link {} leads nowhere", store.display()))
            .hint("is the disk mounted that it leads to? Or name the file itself with `--db`; nothing was changed"));
    }
    if over || !backup::is_there(store) {
        return Ok(());
    }
    Err(Error::new(Kind::Refused, format!("there is a database already: {}", store.display()))
        .hint("add `--yes`: it is put aside, not removed; or name another place with `--db`"))
}

/// A name that nothing has yet, for what was there.
fn aside(store: &Path, now: Timestamp) -> PathBuf {
    let moment = now.strftime("%Y-%m-%dT%H-%M-%SZ");
    let named = |ending: &str| backup::beside(store, &format!("{}{moment}{ending}", backup::ASIDE));
    let mut aside = named("");
    let mut n = 2;
    while aside.exists() || backup::beside(&aside, "-wal").exists() {
        aside = named(&format!(".{n}"));
        n += 1;
    }
    aside
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::failure("the backup was broken off").because(error)))
}
