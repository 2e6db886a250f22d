//! Backups: where they are to lie, and how old the newest is.

use jiff::SignedDuration;

use super::{Case, Finding, Group};
use crate::domain::{BackupName, BackupSchedule};

const GROUP: Group = Group::Backups;

/// How long one that is due may be on its way.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_hours(1);

/// Where nobody says how often they are made, the newest is old after a week and a day.
const OLD: SignedDuration = SignedDuration::from_hours(8 * 24);

pub(super) async fn look(case: Case) -> Vec<Finding> {
    let Some(backups) = &case.here.backups else {
        return vec![
            GROUP.skipped("newest", "no place for backups is set: `[backup]` in webox.toml"),
        ];
    };
    let backups = match backups {
        Ok(backups) => backups,
        Err(error) => return vec![GROUP.failed("newest", error)],
    };
    if case.wanted.offline && backups.are_elsewhere() {
        return vec![GROUP.skipped("newest", "left out: --offline")];
    }
    // The newest of another database is none of this one's.
    if let Some(store) = &case.store
        && let Err(error) = backups.are_not_anothers(store).await
    {
        return vec![GROUP.failed("newest", &error)];
    }
    vec![match backups.newest((case.here.clock)()).await {
        Ok(newest) => judge(&case, newest),
        Err(error) => GROUP.failed("newest", &error),
    }]
}

fn judge(case: &Case, newest: Option<(BackupName, u64)>) -> Finding {
    let Some((name, bytes)) = newest else {
        let seen = "there is no backup yet";
        let advice = "`webox backup create` makes one, and says what stands in its way";
        // A daemon makes its first one as it starts.
        return match case.here.backup_schedule {
            Some(_) => GROUP.problem("newest", seen, advice),
            None => GROUP.warning("newest", seen, advice),
        };
    };
    let now = (case.here.clock)();
    let age = now.duration_since(name.made_at());
    let seen = format!("{name}, {} KiB, {} h old", bytes.div_ceil(1024), age.as_hours());
    let is_due = |schedule: &BackupSchedule, at| schedule.is_due(Some(name.made_at()), at);
    match &case.here.backup_schedule {
        Some(schedule) if is_due(schedule, now) && is_due(schedule, now - ON_ITS_WAY) => GROUP.problem(
            "newest",
            format!("{seen}, and one is to be made {schedule}"),
            "does the daemon run? Its log says why none is made, and so does `webox backup create`",
        ),
        None if age > OLD => GROUP.warning(
            "newest",
            seen,
            "have `webox backup create` run from a timer, or set `every` under `[backup]` in webox.toml",
        ),
        _ => GROUP.ok("newest", seen),
    }
}
