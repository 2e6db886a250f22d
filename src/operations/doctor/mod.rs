//! `webox doctor`: is everything there that a call needs?
//!
//! A file a group of checks. Each looks, changes nothing, and says what it saw and what to do. They run
//! side by side, each with an end to its patience: where the network is dead, the rest is told all the
//! same.

mod assistants;
mod backups;
mod clock;
mod daemon;
mod files;
mod finding;
mod keys;
mod providers;
mod public;
mod quotas;
mod settings;
mod store;
mod twilio;

use std::{net::SocketAddr, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use futures_util::future::join_all;
use jiff::Timestamp;

pub use daemon::STOPPING;
pub use finding::{Finding, Group, Verdict};

use super::{backups::Backups, secrets::Secrets};
use crate::{
    domain::{
        AccountSid, Allowances, BackupSchedule, Error, ProviderStanding, Result, Secret, SecretRef,
    },
    providers::check::Asked,
    store::{self as rows, Options, Store},
    twilio::{access::Credential, reach::Reach, rest::Rest},
};

/// How long a group may take where others are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the database may take to be looked through, and the same with `deep`.
const LOOKING_THROUGH: Duration = Duration::from_mins(1);
const DEEP: Duration = Duration::from_hours(6);

/// What is looked at: everything that the settings say, as plain values.
#[derive(Clone)]
pub struct Installation {
    /// This webox.
    pub version: &'static str,
    /// The settings file, where one was read.
    pub settings: Option<PathBuf>,
    /// What is odd about the settings.
    pub warnings: Vec<String>,
    /// Keys of the settings that name a variable which is not set, with the variable.
    pub unset: Vec<(String, String)>,
    /// Keys of the settings whose secret is in a file, with the file.
    pub secret_files: Vec<(String, PathBuf)>,
    /// Who is told of alerts, as far as a secret is needed for it.
    pub destinations: Vec<(String, SecretRef)>,
    /// The database.
    pub db: PathBuf,
    /// Its backups, where a place for them is set.
    pub backups: Option<Result<Backups, Arc<Error>>>,
    /// When the daemon makes them.
    pub backup_schedule: Option<BackupSchedule>,
    /// What it keeps.
    pub secrets: Secrets,
    /// Where the daemon listens.
    pub listen: SocketAddr,
    /// Whether it ends TLS there itself.
    pub ends_tls: bool,
    /// What Twilio calls it, without a final slash.
    pub public_url: Option<String>,
    /// The agency's account at Twilio.
    pub account: Option<AccountSid>,
    /// What that account signs with, the newest first.
    pub tokens: Vec<Secret>,
    /// What is asked first where an API key is set.
    pub api_key: Option<Credential>,
    /// Twilio's REST API.
    pub rest: Rest,
    /// Where that is.
    pub twilio_url: String,
    /// Who thinks, listens and speaks.
    pub asked: Asked,
    /// Which of them are set up.
    pub standings: Vec<ProviderStanding>,
    /// How many files a process may have open here, at most.
    pub open_files: Option<u64>,
    /// What plans cover.
    pub allowances: Option<Allowances>,
    /// What time it is.
    pub clock: fn() -> Timestamp,
}

/// What to look at, and how.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// These groups alone; all of them where none is named.
    pub only: Vec<Group>,
    /// Not these.
    pub skip: Vec<Group>,
    /// Whether nobody outside this machine may be asked.
    pub offline: bool,
    /// Whether the database is looked through page by page.
    pub deep: bool,
}

impl Wanted {
    fn has(&self, group: Group) -> bool {
        (self.only.is_empty() || self.only.contains(&group)) && !self.skip.contains(&group)
    }
}

/// What the checks share.
#[derive(Clone)]
struct Case {
    here: Arc<Installation>,
    wanted: Arc<Wanted>,
    reach: Reach,
    /// The database, where it can be opened without changing it.
    store: Option<Store>,
}

type Looking = Pin<Box<dyn Future<Output = Vec<Finding>> + Send>>;

/// Looks at everything that is wanted. The findings are in the order of the groups.
pub async fn examine(installation: Installation, wanted: Wanted) -> Result<Vec<Finding>> {
    let here = Arc::new(installation);
    let file = store::File::look(&here.db);
    let store = open(&here, &file).await;
    let case = Case { here, wanted: Arc::new(wanted), reach: Reach::new()?, store };
    let groups = Group::ALL.into_iter().filter(|group| case.wanted.has(*group));
    let looking = groups.map(|group| {
        if case.wanted.offline && group.needs_network() {
            let skipped = vec![group.skipped("network", "left out: --offline")];
            return Box::pin(std::future::ready(skipped)) as Looking;
        }
        look(group, case.clone(), file.clone())
    });
    Ok(join_all(looking).await.into_iter().flatten().collect())
}

fn look(group: Group, case: Case, file: store::File) -> Looking {
    let patience = match (group, case.wanted.deep) {
        (Group::Store, true) => DEEP,
        (Group::Store, false) => LOOKING_THROUGH + PATIENCE,
        _ => PATIENCE,
    };
    let looking: Looking = match group {
        Group::Settings => Box::pin(async move { settings::look(&case) }),
        Group::Store => Box::pin(aside(group, move || store::look(&case, &file))),
        Group::Backups => Box::pin(backups::look(case)),
        Group::Keys => Box::pin(aside(group, move || keys::look(&case))),
        Group::Clock => Box::pin(clock::look(case)),
        Group::Files => Box::pin(async move { files::look(&case) }),
        Group::Daemon => Box::pin(daemon::look(case)),
        Group::Public => Box::pin(public::look(case)),
        Group::Twilio => Box::pin(twilio::look(case)),
        Group::Providers => Box::pin(providers::look(case)),
        Group::Assistants => Box::pin(aside(group, move || assistants::look(&case))),
        Group::Quotas => Box::pin(aside(group, move || quotas::look(&case))),
    };
    Box::pin(async move {
        tokio::time::timeout(patience, looking).await.unwrap_or_else(|_| {
            let seen = format!("nothing came of it within {} s", patience.as_secs());
            let advice = format!("run `webox doctor --only {group}` again, by itself");
            vec![group.problem("time", seen, advice)]
        })
    })
}

/// Looks on a thread that may block.
async fn aside(group: Group, work: impl FnOnce() -> Vec<Finding> + Send + 'static) -> Vec<Finding> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        vec![group.problem("doctor", format!("it broke off: {error}"), "this is a bug of webox")]
    })
}

/// Opens the database if it is there, and if that changes nothing: opening closes it to others, and
/// brings it up to date.
async fn open(here: &Arc<Installation>, file: &store::File) -> Option<Store> {
    if file.mode.is_none_or(|mode| mode & 0o077 != 0) {
        return None;
    }
    let here = Arc::clone(here);
    let opening = tokio::task::spawn_blocking(move || {
        let schema = rows::checkup::schema(&here.db).ok()?;
        if schema != rows::SCHEMA_VERSION {
            return None;
        }
        let store = Store::open(&here.db, Options::terminal()).ok()?;
        if let Some(allowances) = here.allowances.clone() {
            store.allow_by(Arc::new(allowances));
        }
        Some(store)
    });
    opening.await.ok().flatten()
}

/// What is said where the database cannot be asked.
fn without_store(group: Group) -> Vec<Finding> {
    vec![group.skipped("database", "the database cannot be asked: see `store`")]
}

/// `1 call`, `2 calls`.
fn count(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
