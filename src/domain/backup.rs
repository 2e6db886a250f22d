//! Backups: what they are called, when one is due, which are kept, where they lie.

use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use super::{Error, HumanDuration, Result, hours::parse_time};

/// How the name of a backup is written: when it was made, and what opens it.
const NAME: &str = "webox-%Y-%m-%dT%H-%M-%SZ.tar.zst.age";

/// The name of a backup: the second it was made in, UTC. Files of any other name are not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackupName(Timestamp);

impl BackupName {
    /// That of a backup made at a moment.
    pub fn at(moment: Timestamp) -> Self {
        Self(Timestamp::from_second(moment.as_second()).unwrap_or(moment))
    }

    /// When it was made.
    pub const fn made_at(self) -> Timestamp {
        self.0
    }

    /// Whether it was made while the clock was wrong: later than it is.
    pub fn is_ahead(self, now: Timestamp) -> bool {
        now.duration_since(self.0) < -AHEAD
    }

    /// That of the second after.
    pub fn next(self) -> Self {
        Self(self.0.checked_add(SignedDuration::from_secs(1)).unwrap_or(self.0))
    }

    fn day(self) -> Date {
        self.0.to_zoned_datetime(TimeZone::UTC).date()
    }
}

impl fmt::Display for BackupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.to_zoned_datetime(TimeZone::UTC).strftime(NAME))
    }
}

impl FromStr for BackupName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let shown: String = text.chars().take(80).collect();
            Error::input(format!("`{}` is not the name of a backup", shown.escape_debug()))
                .hint("`webox backup list` shows them; `latest` is the newest")
        };
        let at = DateTime::strptime(NAME, text).map_err(|_| wrong())?;
        let at = at.to_zoned_datetime(TimeZone::UTC).map_err(|_| wrong())?;
        let name = Self(at.timestamp());
        // Nothing but what we write: neither blanks, nor signs, nor a 61st second.
        if name.to_string() == text { Ok(name) } else { Err(wrong()) }
    }
}

/// What a backup says of itself; sealed with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupManifest {
    /// How it is laid out.
    pub format: u32,
    /// The webox that made it.
    pub webox: String,
    /// The SQLite in it.
    pub sqlite: String,
    /// When.
    pub made_at: Timestamp,
    /// The schema of the database.
    pub schema: i64,
    /// How long the database is.
    pub bytes: u64,
    /// Its digest.
    pub sha256: String,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
}

impl BackupManifest {
    /// The layout that this webox writes.
    pub const FORMAT: u32 = 1;

    /// All rows.
    pub fn all_rows(&self) -> u64 {
        self.rows.values().sum()
    }
}

/// Where backups lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupPlace {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket of S3-compatible storage.
    Bucket {
        /// Its name.
        bucket: String,
        /// What stands before the names of backups: empty, or ending in a slash.
        prefix: String,
    },
}

impl FromStr for BackupPlace {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let Some(rest) = text.strip_prefix("s3://") else {
            let is_slip = text.get(..3).is_some_and(|begin| begin.eq_ignore_ascii_case("s3:"));
            if text.is_empty() || text.contains("://") || is_slip {
                return Err(Error::input(format!(
                    "`{}` is no place for backups",
                    text.escape_debug()
                ))
                .hint("write a folder, or `s3://BUCKET/PREFIX`"));
            }
            // Nobody but a shell knows `~`, and none reads this: there would be a folder of that name.
            if text == "~" || text.starts_with("~/") {
                return Err(Error::input(format!("`{}` is no folder", text.escape_debug()))
                    .hint("write the home folder out: `/home/…`"));
            }
            return Ok(Self::Folder(text.into()));
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if bucket.is_empty() || !bucket.bytes().all(allowed) {
            return Err(Error::input(format!("`{}` names no bucket", text.escape_debug()))
                .hint("write `s3://BUCKET` or `s3://BUCKET/PREFIX`"));
        }
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self::Bucket { bucket: bucket.to_owned(), prefix })
    }
}

impl fmt::Display for BackupPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// When backups are made.
#[derive(Debug, Clone, PartialEq)]
pub enum BackupSchedule {
    /// So long after the last one.
    Every(HumanDuration),
    /// At a time of each day, somewhere.
    At(Time, TimeZone),
}

/// A backup that is further in the future than this was made while the clock was wrong.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

impl BackupSchedule {
    /// At a time of each day, such as `03:30`.
    pub fn at(text: &str, zone: TimeZone) -> Result<Self> {
        let time = parse_time(text).ok_or_else(|| {
            Error::input(format!("`{}` is not a time of day", text.escape_debug()))
                .hint("write hours and minutes, such as `03:30`")
        })?;
        Ok(Self::At(time, zone))
    }

    /// Whether one is due, by the newest that there is.
    pub fn is_due(&self, newest: Option<Timestamp>, now: Timestamp) -> bool {
        let Some(newest) = newest else { return true };
        let age = now.duration_since(newest);
        if BackupName(newest).is_ahead(now) {
            // The clock was put back: what seems to be newer may be old.
            return true;
        }
        match self {
            Self::Every(length) => {
                SignedDuration::try_from(length.get()).is_ok_and(|length| age >= length)
            }
            Self::At(time, zone) => {
                let today = now.to_zoned_datetime(zone.clone()).date();
                let occurred = [Some(today), today.yesterday().ok()]
                    .into_iter()
                    .flatten()
                    .filter_map(|day| zone.to_timestamp(day.to_datetime(*time)).ok())
                    .find(|at| *at <= now);
                occurred.is_some_and(|at| newest < at)
            }
        }
    }
}

impl fmt::Display for BackupSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(length) => write!(f, "every {length}"),
            Self::At(time, _) => write!(f, "at {}", time.strftime("%H:%M")),
        }
    }
}

/// How many backups are kept; whatever is counted, the newest is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "how many, such as `{ last = 4, daily = 7 }`")]
pub struct BackupKeep {
    /// The newest, however they lie.
    pub last: u32,
    /// The newest of a day, of so many days that have one. Days and weeks are those of UTC.
    pub daily: u32,
    /// The newest of a week, of so many weeks.
    pub weekly: u32,
    /// The newest of a month, of so many months.
    pub monthly: u32,
}

/// Which day, week or month a backup is of.
type SpanOf = fn(&BackupName) -> (i32, i32);

impl BackupKeep {
    /// Those that need not be kept. No clock is asked: what is kept is counted from the newest of them,
    /// so that a clock that runs wild removes nothing.
    pub fn superfluous(&self, names: &[BackupName]) -> Vec<BackupName> {
        let mut newest_first = names.to_vec();
        newest_first.sort_unstable_by(|a, b| b.cmp(a));
        newest_first.dedup();
        let mut kept: Vec<BackupName> =
            newest_first.iter().copied().take(self.last.max(1) as usize).collect();
        let day = |name: &BackupName| {
            let day = name.day();
            (i32::from(day.year()), i32::from(day.day_of_year()))
        };
        let week = |name: &BackupName| {
            let week = name.day().iso_week_date();
            (i32::from(week.year()), i32::from(week.week()))
        };
        let month = |name: &BackupName| {
            let day = name.day();
            (i32::from(day.year()), i32::from(day.month()))
        };
        let spans: [(u32, SpanOf); 3] =
            [(self.daily, day), (self.weekly, week), (self.monthly, month)];
        for (most, span) in spans {
            let mut seen = Vec::new();
            for name in &newest_first {
                if seen.len() == most as usize {
                    break;
                }
                if !seen.contains(&span(name)) {
                    seen.push(span(name));
                    kept.push(*name);
                }
            }
        }
        newest_first.into_iter().filter(|name| !kept.contains(name)).collect()
    }
}

impl fmt::Display for BackupKeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("last", self.last),
            ("daily", self.daily),
            ("weekly", self.weekly),
            ("monthly", self.monthly),
        ];
        let parts = parts.iter().filter(|(_, count)| *count > 0);
        let parts: Vec<String> = parts.map(|(name, count)| format!("{name} {count}")).collect();
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> BackupName {
        BackupName::at(text.parse().unwrap())
    }

    #[test]
    fn a_name_is_ours_only_when_we_would_write_it_so() {
        let ours = name("2026-11-27T05:30:00.5Z");
        assert_eq!(ours.to_string(), "webox-2026-11-27T05-30-00Z.tar.zst.age");
        assert_eq!(ours.to_string().parse::<BackupName>().unwrap(), ours);
        for other in [
            "webox-2026-11-27T05-30-00Z.tar.zst",
            "webox-2026-11-27T05-30-00Z.tar.zst.age.partial",
            "webox-2026-02-30T05-30-00Z.tar.zst.age",
            "webox-2026-11-27T05-30-60Z.tar.zst.age",
            " webox-2026-11-27T05-30-00Z.tar.zst.age",
            "webox-2026-11-7T05-30-00Z.tar.zst.age",
            "webox.db",
            "",
        ] {
            assert!(other.parse::<BackupName>().is_err(), "{other}");
        }
    }

    #[test]
    fn places_are_folders_or_buckets() {
        let bucket = |bucket: &str, prefix: &str| BackupPlace::Bucket {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        assert_eq!("s3://calls/a/b/".parse::<BackupPlace>().unwrap(), bucket("calls", "a/b/"));
        assert_eq!("s3://calls".parse::<BackupPlace>().unwrap(), bucket("calls", ""));
        assert_eq!(
            "/var/backups".parse::<BackupPlace>().unwrap(),
            BackupPlace::Folder("/var/backups".into())
        );
        for wrong in ["", "s3://", "s3:///a", "https://example.com", "s3://a b/c", "s3:/a"] {
            assert!(wrong.parse::<BackupPlace>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_is_due_when_the_last_is_old_or_of_a_wrong_clock() {
        let now: Timestamp = "2026-11-27T05:30:00Z".parse().unwrap();
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let every = BackupSchedule::Every("6h".parse().unwrap());
        assert!(every.is_due(None, now));
        assert!(every.is_due(at("2026-11-26T23:30:00Z"), now));
        assert!(!every.is_due(at("2026-11-26T23:30:01Z"), now));
        assert!(!every.is_due(at("2026-11-27T05:31:00Z"), now), "a clock may be a little off");
        assert!(every.is_due(at("2027-11-27T05:30:00Z"), now));
        let paris = TimeZone::get("Europe/Paris").unwrap();
        let daily = BackupSchedule::At(Time::constant(3, 30, 0, 0), paris);
        // 03:30 in Paris is 02:30 UTC in November.
        assert!(daily.is_due(at("2026-11-27T02:29:59Z"), now));
        assert!(!daily.is_due(at("2026-11-27T02:30:00Z"), now));
        let before = "2026-11-27T02:00:00Z".parse().unwrap();
        assert!(!daily.is_due(at("2026-11-26T02:30:00Z"), before));
        assert!(daily.is_due(at("2026-11-26T02:29:00Z"), before));
    }

    #[test]
    fn days_weeks_and_months_are_kept_and_the_rest_is_not() {
        let six_hourly: Vec<BackupName> = (0..4 * 100)
            .map(|n| {
                let first: Timestamp = "2026-08-20T00:00:00Z".parse().unwrap();
                BackupName::at(first.checked_add(SignedDuration::from_hours(6 * n)).unwrap())
            })
            .collect();
        let keep = BackupKeep { last: 2, daily: 3, weekly: 2, monthly: 3 };
        let gone = keep.superfluous(&six_hourly);
        let mut left: Vec<String> = six_hourly
            .iter()
            .filter(|name| !gone.contains(name))
            .map(|name| name.made_at().to_string())
            .collect();
        left.sort_unstable();
        assert_eq!(
            left,
            [
                "2026-09-30T18:00:00Z",
                "2026-10-31T18:00:00Z",
                "2026-11-22T18:00:00Z",
                "2026-11-25T18:00:00Z",
                "2026-11-26T18:00:00Z",
                "2026-11-27T12:00:00Z",
                "2026-11-27T18:00:00Z",
            ]
        );
    }

    proptest! {
        #[test]
        fn nothing_is_removed_twice_nor_the_newest_nor_by_keeping_more(
            seconds in prop::collection::vec(0_i64..60 * 86_400, 0..60),
            counts in prop::array::uniform4(0_u32..6),
        ) {
            let names: Vec<BackupName> = seconds
                .iter()
                .map(|s| BackupName::at(Timestamp::from_second(1_790_000_000 + s).unwrap()))
                .collect();
            let [last, daily, weekly, monthly] = counts;
            let keep = BackupKeep { last, daily, weekly, monthly };
            let gone = keep.superfluous(&names);
            prop_assert!(gone.iter().all(|name| names.contains(name)));
            prop_assert!(!gone.iter().any(|name| Some(name) == names.iter().max()));
            let left: Vec<BackupName> =
                names.iter().copied().filter(|name| !gone.contains(name)).collect();
            prop_assert!(keep.superfluous(&left).is_empty(), "a second look removes nothing more");
            let more = BackupKeep { daily: daily + 1, ..keep };
            prop_assert!(more.superfluous(&names).iter().all(|name| gone.contains(name)));
        }
    }
}
