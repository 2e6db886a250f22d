//! `[backup]`: where backups are made to, when, how many are kept, and who can open them.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::{Origin, PublicUrl, Setting, load::Sources, secrets};
use crate::domain::{
    BackupKeep, BackupPlace, BackupSchedule, Error, HumanDuration, Result, Secret, SecretRef,
};

/// Backups.
#[derive(Debug, Clone)]
pub struct Backup {
    /// Where they go; nowhere by themselves when nothing is said.
    pub to: Setting<Option<BackupPlace>>,
    /// When the daemon makes one.
    pub schedule: Setting<Option<BackupSchedule>>,
    /// How many are kept; all of them when nothing is said.
    pub keep: Setting<Option<BackupKeep>>,
    /// Recipients of age that they are sealed for, instead of by the master key.
    pub recipients: Setting<Vec<String>>,
    /// The file with the identities that open them.
    pub identity: Setting<Option<PathBuf>>,
    /// Where the storage of a bucket answers.
    pub endpoint: Setting<Option<PublicUrl>>,
    /// Its region.
    pub region: Setting<String>,
    /// Whether the bucket stands in the path of addresses.
    pub path_style: Setting<bool>,
    /// Who asks there.
    pub access_key: Setting<Option<Secret>>,
    /// With which key.
    pub secret_key: Setting<Option<Secret>>,
    /// Whether a store of an older schema is brought forward without a copy of it.
    pub upgrade_without_copy: Setting<bool>,
}

/// `[backup]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BackupSection {
    to: Option<String>,
    every: Option<HumanDuration>,
    at: Option<String>,
    keep: Option<BackupKeep>,
    recipients: Option<Vec<String>>,
    identity: Option<PathBuf>,
    endpoint: Option<String>,
    region: Option<String>,
    path_style: Option<bool>,
    access_key: Option<SecretRef>,
    secret_key: Option<SecretRef>,
}

/// The shortest time between two backups: a copy of all is no log.
const SHORTEST: HumanDuration = HumanDuration::from_secs(10);

impl Backup {
    pub(super) fn load(
        sources: &Sources<'_>,
        file: &BackupSection,
        zone: &TimeZone,
    ) -> Result<Self> {
        let at_home = file.to.as_deref().filter(|to| to.starts_with("~/"));
        let at_home = at_home.map(|to| sources.beside(Path::new(to)).display().to_string());
        let in_file = at_home.as_deref().or(file.to.as_deref());
        let to = sources.pick("backup.to", None, "WEBOX_BACKUP_TO", in_file, |text| {
            text.parse::<BackupPlace>()
        })?;
        let to = match to {
            // A folder that a file names is beside that file.
            Setting { value: Some(BackupPlace::Folder(path)), origin: Origin::File(at) } => {
                Setting {
                    value: Some(BackupPlace::Folder(sources.beside(&path))),
                    origin: Origin::File(at),
                }
            }
            other => other,
        };
        let wrong = |key: &str, what: &str| sources.wrong(&format!("backup.{key}"), &what);
        let schedule = match (&file.every, &file.at) {
            (Some(_), Some(_)) => {
                return Err(wrong("every", "stands beside `at`")
                    .hint("a backup is made `every` so often, or `at` a time of each day"));
            }
            (Some(every), None) if *every < SHORTEST => {
                return Err(wrong("every", "is less than 10 seconds").hint(
                    "to lose less than that, run Litestream beside webox: `docs/backups.md`",
                ));
            }
            (Some(every), None) => Some(BackupSchedule::Every(*every)),
            (None, Some(at)) => {
                let read = BackupSchedule::at(at, zone.clone());
                Some(read.map_err(|error| {
                    wrong("at", error.message()).maybe_hint(error.hint_text().map(str::to_owned))
                })?)
            }
            (None, None) => None,
        };
        if schedule.is_some() && to.value.is_none() {
            return Err(wrong("to", "is missing: where are backups made to?")
                .hint("such as `to = \"/var/backups/webox\"` or `to = \"s3://bucket/webox\"`"));
        }
        if file.keep == Some(BackupKeep::default()) {
            return Err(wrong("keep", "keeps nothing").hint(
                "such as `keep = { daily = 7, weekly = 4, monthly = 6 }`; leave it out to keep all",
            ));
        }
        let from_file = |is_there: bool| if is_there { sources.file() } else { Origin::Default };
        let endpoint = sources.pick(
            "backup.endpoint",
            None,
            "WEBOX_BACKUP_ENDPOINT",
            file.endpoint.as_deref(),
            str::parse::<PublicUrl>,
        )?;
        let without_copy = sources.pick(
            "upgrade_without_copy",
            None,
            "WEBOX_UPGRADE_WITHOUT_COPY",
            None,
            |text| {
                text.trim().parse::<bool>().map_err(|_| {
                    Error::config(format!("`{}` is neither true nor false", text.escape_debug()))
                })
            },
        )?;
        let secret = |names: &secrets::SecretNames, reference: &Option<SecretRef>| {
            names.resolve(sources.environment, reference.as_ref(), sources.path)
        };
        Ok(Self {
            schedule: Setting { origin: from_file(schedule.is_some()), value: schedule },
            keep: Setting { value: file.keep, origin: from_file(file.keep.is_some()) },
            recipients: Setting {
                value: file.recipients.clone().unwrap_or_default(),
                origin: from_file(file.recipients.is_some()),
            },
            identity: Setting {
                value: file.identity.as_ref().map(|path| sources.beside(path)),
                origin: from_file(file.identity.is_some()),
            },
            path_style: Setting {
                value: file.path_style.unwrap_or(endpoint.value.is_some()),
                origin: from_file(file.path_style.is_some()),
            },
            region: sources
                .pick(
                    "backup.region",
                    None,
                    "WEBOX_BACKUP_REGION",
                    file.region.as_deref(),
                    |text| Ok(text.trim().to_owned()),
                )?
                .or_default_with(|| "us-east-1".to_owned()),
            access_key: secret(&secrets::BACKUP_ACCESS_KEY, &file.access_key)?,
            secret_key: secret(&secrets::BACKUP_SECRET_KEY, &file.secret_key)?,
            upgrade_without_copy: without_copy.or_default_with(|| false),
            to,
            endpoint,
        })
    }
}
