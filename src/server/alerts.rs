//! Looks at what is watched, again and again, and tells whoever is to know.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use super::{ScheduledBackups, bells::Bells};
use crate::{
    domain::{AlertChange, AlertKind, AlertNotice, AlertSeverity, PhoneNumber, next_try},
    line::Line,
    operations::alerts::{self, Away, AwayNotice, Observed, Turned, Watch},
    store::{Store, deliveries::Ended},
};

/// How often it is looked at everything that is watched.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// This part of the time goes to looking at most, unless looks would be too far apart: what there is to be
/// looked at grows with the calls.
const PART: u32 = 20;

/// Never longer than this between two looks, whatever they take.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How often it is looked for notices that are due.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// How long it is tried to tell of a database that is away.
const DIRECTLY: SignedDuration = SignedDuration::from_hours(1);

/// Notices on their way at once.
const AT_ONCE: usize = 8;

/// What this daemon counts that stands nowhere else.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    signatures: AtomicU64,
}

impl Tallies {
    /// A webhook or a socket came without a valid signature.
    pub(super) fn unsigned(&self) {
        self.signatures.fetch_add(1, Ordering::Relaxed);
    }
}

/// Looks at everything that is watched, for as long as the daemon runs.
pub(super) async fn look(
    store: Store,
    watch: Watch,
    line: Line,
    tallies: Arc<Tallies>,
    bells: Option<Bells>,
    backups: Option<ScheduledBackups>,
) {
    // What could not be written yet is not forgotten.
    let mut counts: BTreeMap<(AlertKind, String), u64> = BTreeMap::new();
    let mut is_failing = false;
    let mut away = Away::default();
    loop {
        let now = Timestamp::now();
        let mut add = |kind, part: &str, count: u64| {
            if count > 0 {
                *counts.entry((kind, part.to_owned())).or_default() += count;
            }
        };
        add(AlertKind::Signatures, "", tallies.signatures.swap(0, Ordering::Relaxed));
        let failures = store.take_failures();
        if !away.is_told() {
            add(AlertKind::StoreErrors, "", failures);
        }
        for breaker in line.voices().map(crate::line::Voices::breakers).unwrap_or_default() {
            add(AlertKind::ProviderDown, &breaker.id, u64::from(breaker.open));
        }
        match alerts::count(&store, counts.clone(), now).await {
            Ok(()) => counts.clear(),
            Err(error) => tracing::debug!(%error, "what was counted is not kept yet"),
        }
        let (shelf, rules) = (store.clone(), watch.clone());
        let backing_up = backups.as_ref().map(ScheduledBackups::standing);
        let looked = tokio::task::spawn_blocking(move || {
            let observed = Observed {
                disk: disk_used(shelf.path()),
                backup_age: backing_up.map(|standing| standing.age(now)),
                backups_unseen: backing_up.is_some_and(|standing| !standing.is_seen),
            };
            alerts::look(&shelf, &rules, observed, now)
        });
        let begun = Instant::now();
        let looked = looked.await;
        let answered = matches!(looked, Ok(Ok(_)));
        let pause = pause_after(answered.then(|| begun.elapsed()));
        match away.note(&watch, answered, failures, Timestamp::now()) {
            Ok(None) => {}
            Ok(Some(notice)) => {
                tracing::error!(words = notice.words, "the database is away, or back");
                // Told of already: it is not to be told again once it can be written.
                counts.retain(|(kind, _), _| *kind != AlertKind::StoreErrors);
                tell_directly(bells.as_ref(), &watch, notice);
            }
            Err(error) => tracing::error!(%error, "nobody can be told that the database is away"),
        }
        match looked {
            Ok(Ok(turned)) => {
                is_failing = false;
                turned.iter().for_each(log);
            }
            // Told when it begins, not at every look.
            Ok(Err(error)) if !is_failing => {
                is_failing = true;
                tracing::error!(%error, "what is watched cannot be looked at");
            }
            Ok(Err(error)) => tracing::debug!(%error, "still not looked at"),
            Err(error) => tracing::error!(%error, "a look at what is watched was broken off"),
        }
        tokio::time::sleep(pause).await;
    }
}

/// How long to wait after a look that took so long; nothing where it failed, which says nothing of how
/// much there was to be looked at.
fn pause_after(look: Option<Duration>) -> Duration {
    look.map_or(LOOK_EVERY, |took| (took * PART).clamp(LOOK_EVERY, LONGEST_PAUSE))
}

/// Tells each who is to know, without the store: who cannot be told now is tried again for a while.
fn tell_directly(bells: Option<&Bells>, watch: &Watch, notice: AwayNotice) {
    let Some(bells) = bells else { return };
    for to in notice.to {
        let (bells, watch) = (bells.clone(), watch.clone());
        let (id, payload) = (notice.id.clone(), notice.payload.clone());
        tokio::spawn(async move {
            let expires = Timestamp::now().checked_add(DIRECTLY).unwrap_or(Timestamp::MAX);
            for attempt in 1.. {
                let rung = bells.ring(&watch, &to, None, &id, attempt, &payload).await;
                let Err((trouble, failure)) = rung else {
                    return tracing::info!(to, "told that the database is away, or back");
                };
                let now = Timestamp::now();
                let Some(next) = next_try(trouble, attempt, expires, now, 128) else {
                    return tracing::error!(to, failure, "cannot be told of the database");
                };
                let wait = Duration::try_from(next.duration_since(now)).unwrap_or_default();
                tokio::time::sleep(wait).await;
            }
        });
    }
}

fn log(turned: &Turned) {
    let alert = &turned.alert;
    let (id, rule, words) = (alert.id.0, &alert.subject.rule, &turned.words);
    let assistant = alert.assistant.as_ref().map(ToString::to_string).unwrap_or_default();
    match turned.change {
        AlertChange::Fired if alert.severity == AlertSeverity::Critical => {
            tracing::error!(alert = id, rule, assistant, words, "an alert fires");
        }
        AlertChange::Fired => tracing::warn!(alert = id, rule, assistant, words, "an alert fires"),
        AlertChange::Resolved => {
            tracing::info!(alert = id, rule, assistant, words, "an alert is over");
        }
    }
}

/// How full the disk is that a file is on, in hundredths of a percent, as `df` reckons: what only
/// root may use does not count as room.
fn disk_used(file: &Path) -> Option<i64> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let stat = rustix::fs::statvfs(folder.unwrap_or(Path::new("."))).ok()?;
    let used = u128::from(stat.f_blocks.saturating_sub(stat.f_bfree));
    let all = used + u128::from(stat.f_bavail);
    i64::try_from((used * 10_000).checked_div(all)?).ok()
}

/// Brings notices out that are due, for as long as the daemon runs.
pub(super) async fn tell(store: Store, watch: Watch, bells: Bells) {
    let mut tries: JoinSet<()> = JoinSet::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(TELL_EVERY) => {}
            // What comes after it may be ready now.
            Some(_) = tries.join_next() => {}
        }
        while tries.try_join_next().is_some() {}
        let free = AT_ONCE.saturating_sub(tries.len());
        match alerts::take_ready(&store, free, Timestamp::now()).await {
            Ok(taken) => {
                for (notice, payload) in taken {
                    let (store, watch, bells) = (store.clone(), watch.clone(), bells.clone());
                    tries.spawn(
                        async move { attempt(&store, &watch, &bells, notice, payload).await },
                    );
                }
            }
            Err(error) => tracing::debug!(%error, "what is to be told could not be read"),
        }
    }
}

async fn attempt(
    store: &Store,
    watch: &Watch,
    bells: &Bells,
    notice: AlertNotice,
    payload: String,
) {
    let (about, attempts) = (notice.assistant, notice.attempts);
    let rung = bells.ring(watch, &notice.to, about, &notice.message_id, attempts, &payload).await;
    let (outcome, text) = match rung {
        Ok(text) => (Ok(()), text),
        Err(failure) => (Err(failure), None),
    };
    let text = text.and_then(|(to, words): (PhoneNumber, String)| Some((about?, to, words)));
    let (id, to) = (notice.id.0, notice.to.clone());
    match alerts::settle(store, notice, outcome, text, Timestamp::now()).await {
        Ok(Some(Ended::Delivered)) => tracing::info!(notice = id, to, "told of an alert"),
        Ok(Some(Ended::Again { failure, at })) if attempts == 1 => {
            tracing::warn!(notice = id, to, failure, next = %at, "not told of an alert yet");
        }
        Ok(Some(Ended::Again { failure, at })) => {
            tracing::debug!(notice = id, to, attempts, failure, next = %at, "not told yet");
        }
        Ok(Some(Ended::Dead { failure })) => {
            tracing::error!(notice = id, to, attempts, failure, "cannot be told of an alert");
        }
        Ok(None) => {}
        Err(error) => tracing::error!(
            notice = id, to, %error, "that somebody was told could not be noted: they are told again"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_somewhat_full() {
        let folder = tempfile::tempdir().unwrap();
        let used = disk_used(&folder.path().join("webox.db")).unwrap();
        assert!((0..=10_000).contains(&used), "{used}");
        assert_eq!(disk_used(Path::new("/nowhere/at/all/webox.db")), None);
    }

    #[test]
    fn looks_take_a_part_of_the_time_and_are_never_far_apart() {
        let after = |ms| pause_after(Some(Duration::from_millis(ms))).as_secs();
        assert_eq!((after(1), after(500), after(30_000)), (5, 10, 60));
        assert_eq!(pause_after(None), LOOK_EVERY);
    }
}
