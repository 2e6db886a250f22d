//! Makes backups when they are due, for as long as the daemon runs.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{BackupKeep, BackupSchedule, Kind, Result},
    operations::backups::Backups,
    store::Store,
};

/// How often it is looked whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How soon it is tried again after it failed, and how late at most.
const AGAIN: Duration = Duration::from_mins(1);
const AGAIN_AT_MOST: Duration = Duration::from_mins(30);

/// Backups that the daemon makes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ScheduledBackups {
    backups: Backups,
    schedule: BackupSchedule,
    keep: Option<BackupKeep>,
    standing: Arc<Mutex<Standing>>,
}

/// How backups stand, as monitoring is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// When the daemon began to see to them.
    since: Timestamp,
    /// Whether the place was seen since then.
    pub(super) is_seen: bool,
    /// When the newest was made that is known of.
    pub(super) last: Option<Timestamp>,
    /// How long it is.
    pub(super) bytes: Option<u64>,
    /// How often none could be made.
    pub(super) failures: u64,
}

impl Standing {
    /// How long ago the last one was made; since when one is wanted where there is none.
    pub(super) fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.last.unwrap_or(self.since)).max(SignedDuration::ZERO)
    }
}

impl ScheduledBackups {
    /// Begins at `now` to want them.
    pub fn new(
        backups: Backups,
        schedule: BackupSchedule,
        keep: Option<BackupKeep>,
        now: Timestamp,
    ) -> Self {
        let standing =
            Standing { since: now, is_seen: false, last: None, bytes: None, failures: 0 };
        Self { backups, schedule, keep, standing: Mutex::new(standing).into() }
    }

    pub(super) fn standing(&self) -> Standing {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, work: impl FnOnce(&mut Standing)) {
        work(&mut self.standing.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) async fn run(self, store: Store) {
        let mut failed = 0_u32;
        loop {
            let wait = match self.look(&store).await {
                Ok(()) => {
                    failed = 0;
                    LOOK_EVERY
                }
                // A person makes one just now.
                Err(error) if error.kind() == Kind::Busy && failed == 0 => {
                    tracing::debug!(%error, "no backup is made now");
                    LOOK_EVERY
                }
                Err(error) => {
                    self.note(|standing| standing.failures += 1);
                    failed += 1;
                    let wait = AGAIN.saturating_mul(1 << failed.min(6).saturating_sub(1));
                    let wait = wait.min(AGAIN_AT_MOST);
                    let (hint, causes) = (error.hint_text().unwrap_or_default(), error.causes());
                    tracing::error!(
                        %error, hint, ?causes, failed, again_in_s = wait.as_secs(),
                        "no backup could be made"
                    );
                    wait
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    async fn look(&self, store: &Store) -> Result<()> {
        let known = self.standing().last;
        if known.is_some() && !self.schedule.is_due(known, Timestamp::now()) {
            return Ok(());
        }
        self.backups.claim(store).await?;
        // Others may have made one meanwhile, or it was made before this daemon began.
        let newest = self.backups.newest(Timestamp::now()).await?;
        let made_at = newest.map(|(name, _)| name.made_at());
        self.note(|standing| {
            standing.is_seen = true;
            standing.last = made_at;
            standing.bytes = newest.map(|(_, bytes)| bytes);
        });
        if !self.schedule.is_due(made_at, Timestamp::now()) {
            return Ok(());
        }
        let begun = std::time::Instant::now();
        let made = self.backups.create(store, Timestamp::now(), Arc::new(|_, _| {})).await?;
        self.note(|standing| {
            standing.last = Some(made.name.made_at());
            standing.bytes = Some(made.bytes);
        });
        let rows = made.manifest.as_ref().map_or(0, crate::domain::BackupManifest::all_rows);
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(backup = %made.name, bytes = made.bytes, rows, took_ms, "a backup was made");
        if let Some(keep) = &self.keep {
            self.prune(store, keep).await;
        }
        Ok(())
    }

    /// Whatever becomes of older ones, one was made.
    async fn prune(&self, store: &Store, keep: &BackupKeep) {
        let pruned = match self.backups.prune(store, keep, Timestamp::now()).await {
            Ok(pruned) => pruned,
            Err(error) => {
                let causes = error.causes();
                tracing::error!(%error, ?causes, "backups that need not be kept stay");
                return;
            }
        };
        for name in pruned.removed {
            tracing::info!(backup = %name, "removed a backup that need not be kept");
        }
        for (name, error) in pruned.stay {
            let causes = error.causes();
            tracing::error!(backup = %name, %error, ?causes, "a backup that need not be kept stays");
        }
    }
}
