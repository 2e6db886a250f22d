//! What a command is given: settings, the store, the writer, the time. All but the writer lazily,
//! so that `webox --help` needs neither settings nor a database.

use std::{
    cell::OnceCell,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, ZonedDateTime, tz::TimeZone};
use tempfile::TempDir;

use super::{
    arguments::Global,
    credentials, daemon,
    desk::{Desk, Local, Remote},
    output::Output,
};
use crate::{
    api::Me,
    billing::{catalogue::Catalogue, rates},
    config::{Environment, Flags, Origin, SERVICE_DB, Settings, user_id},
    domain::{Actor, Author, EmailAddress, Error, Kind, PriceBook, Result},
    operations::{accounts, knowledge::Library, secrets::Secrets},
    providers::breaker::Breakers,
    provision::Layer,
    store::{Options, Store},
    vault::Vault,
};

/// The surroundings of one command.
pub struct Context {
    /// The one writer.
    pub out: Output,
    /// When the command began.
    pub started: Timestamp,
    environment: Environment,
    flags: Flags,
    no_input: bool,
    act_as: Option<EmailAddress>,
    settings: OnceCell<Settings>,
    store: OnceCell<Store>,
    /// Where an empty store is, for as long as this command runs.
    passing: OnceCell<TempDir>,
}

impl Context {
    pub(super) fn new(global: &Global, environment: Environment) -> Self {
        Self {
            out: Output::new(&global.wishes(), &environment),
            started: Timestamp::now(),
            environment,
            flags: Flags {
                config: global.config.clone(),
                db: global.db.clone(),
                server: global.server.clone(),
                utc: global.utc,
                ..Flags::default()
            },
            no_input: global.no_input,
            act_as: global.act_as.clone(),
            settings: OnceCell::new(),
            store: OnceCell::new(),
            passing: OnceCell::new(),
        }
    }

    /// The settings, read when first asked for.
    pub fn settings(&self) -> Result<&Settings> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let settings = self.settings_with(|_| {})?;
        for warning in &settings.warnings {
            self.out.warn(warning);
        }
        Ok(self.settings.get_or_init(|| settings))
    }

    /// The settings with a command's own flags added.
    pub fn settings_with(&self, add: impl FnOnce(&mut Flags)) -> Result<Settings> {
        let mut flags = self.flags.clone();
        add(&mut flags);
        Settings::load(&flags, &self.environment)
    }

    /// The flags that say where things are, as they were given: a command that is told of works only with
    /// them.
    pub(super) fn places(&self) -> String {
        let named = [("--config", &self.flags.config), ("--db", &self.flags.db)];
        named
            .iter()
            .filter_map(|(flag, path)| Some(format!(" {flag} {}", shell_word(path.as_ref()?))))
            .collect()
    }

    /// The settings file that is in force, or that would be if somebody wrote it.
    pub(super) fn settings_place(&self) -> Option<PathBuf> {
        let named = self.flags.config.clone().or_else(|| self.environment.path("WEBOX_CONFIG"));
        let usual = Settings::usual_places(&self.environment);
        let found = || usual.iter().find(|place| place.exists()).or(usual.first()).cloned();
        named.or_else(found)
    }

    /// The defaults that the settings give to files of assistants.
    pub fn defaults(&self) -> Result<Option<Layer>> {
        let settings = self.settings()?;
        let file = settings.file.as_ref().map_or_else(String::new, |p| p.display().to_string());
        Ok(settings.defaults.clone().map(|text| Layer { file: format!("{file} [defaults]"), text }))
    }

    /// The prices that costs are reckoned by.
    pub fn prices(&self) -> Result<Arc<PriceBook>> {
        match &self.settings()?.billing.rates.value {
            Some(path) => rates::open(path).map(Arc::new),
            None => Ok(rates::shipped()),
        }
    }

    /// Who bills, by which plans, and whom.
    pub fn catalogue(&self) -> Result<Catalogue> {
        match &self.settings()?.billing.file.value {
            Some(path) => Catalogue::open(path),
            None => Ok(Catalogue::shipped()),
        }
    }

    /// Who runs this command, for the history. In CI it is who set the job off.
    pub fn author(&self, command: &str) -> Author {
        let who = ["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "SUDO_USER", "USER", "LOGNAME"]
            .iter()
            .find_map(|name| self.environment.get(name).filter(|who| !who.trim().is_empty()))
            .or_else(|| user_id().map(|id| format!("uid {id}")))
            .unwrap_or_else(|| "unknown".to_owned());
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        let host = Some(host).filter(|host| !host.is_empty());
        Author { host, ..Author::new(who.trim(), command) }
    }

    /// Where a command is carried out: the store's file, which is there, or a daemon.
    pub(super) fn desk(&self, command: &str) -> Result<Box<dyn Desk>> {
        match self.remote()? {
            Some(remote) => Ok(Box::new(remote)),
            None => self.local(command, self.store()?),
        }
    }

    /// The same for a command that puts something into a store: it may begin one.
    pub(super) fn desk_to_fill(&self, command: &str) -> Result<Box<dyn Desk>> {
        match self.remote()? {
            Some(remote) => Ok(Box::new(remote)),
            None => self.local(command, self.store_to_fill()?),
        }
    }

    /// The same for a command that asks what would be: where there is no store, an empty one answers,
    /// and goes again.
    pub(super) fn desk_to_ask(&self, command: &str) -> Result<Box<dyn Desk>> {
        match self.remote()? {
            Some(remote) => Ok(Box::new(remote)),
            None => self.local(command, self.store_to_ask()?),
        }
    }

    /// The same as to fill one, waiting for another process as long as the user says.
    pub(super) fn desk_waiting(&self, command: &str, patience: Duration) -> Result<Box<dyn Desk>> {
        if let Some(remote) = self.remote()? {
            return Ok(Box::new(remote));
        }
        let settings = self.settings()?;
        let options = Options {
            lock_timeout: patience,
            keeps_a_copy: !settings.backup.upgrade_without_copy.value,
            ..Options::terminal()
        };
        let store = Store::open(&settings.db.value, options)?;
        self.local(command, store)
    }

    /// Where the daemon of this database, or the one asked, is reached, as far as it is known.
    pub(super) fn daemon_url(&self) -> Result<Option<String>> {
        let settings = self.settings()?;
        let url = match (&settings.server.value, &self.flags.db) {
            (Some(server), None) => Some(server),
            _ => settings.public_url.value.as_ref(),
        };
        Ok(url.map(|url| url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The daemon that is to be asked, if one is.
    fn remote(&self) -> Result<Option<Remote>> {
        self.remote_of(self.settings()?)
    }

    fn remote_of(&self, settings: &Settings) -> Result<Option<Remote>> {
        let Some(server) = &settings.server.value else {
            return self.is_meant_for_here(settings).map(|()| None);
        };
        // A database named on the command line is meant, whatever the environment says.
        if self.flags.db.is_some() {
            if self.flags.server.is_some() {
                return Err(Error::usage("--db and --server are two places"));
            }
            return Ok(None);
        }
        if self.act_as.is_some() {
            return Err(Error::usage("--as is for the database on this machine")
                .hint("with --server, the key says who asks"));
        }
        let token = match &settings.token.value {
            Some(token) => Some(token.clone()),
            None => credentials::find(&self.environment, server)?,
        };
        let token = token.ok_or_else(|| {
            Error::new(Kind::Denied, format!("there is no key for {server}"))
                .hint(format!("`webox login {server}`, or give the key in WEBOX_TOKEN"))
        })?;
        Remote::new(server, token).map(Some)
    }

    /// Refuses to work on a database here where a daemon seems to be meant: in CI, a variable that
    /// has come out empty would otherwise make a new database, and everything would look well.
    fn is_meant_for_here(&self, settings: &Settings) -> Result<()> {
        if self.flags.db.is_some() {
            return Ok(());
        }
        if self.environment.is_empty("WEBOX_SERVER") {
            return Err(Error::usage("WEBOX_SERVER is set, and empty")
                .hint("set it to a daemon's address; for the database here, unset it or name the file with --db"));
        }
        if settings.token.value.is_some() {
            let origin = &settings.token.origin;
            return Err(Error::usage(format!("there is a key ({origin}), but no daemon to ask"))
                .hint("name it with --server or WEBOX_SERVER; for the database here, name the file with --db"));
        }
        Ok(())
    }

    /// Whose key is used; nobody's for whoever may open the file.
    pub(super) fn who(&self) -> Result<Option<Me>> {
        if let Some(remote) = self.remote()? {
            return remote.me().map(Some);
        }
        if self.act_as.is_none() {
            return Ok(None);
        }
        let account = self.actor("whoami", &self.store()?)?.account;
        Ok(account.map(Me::from))
    }

    /// Refuses the flag that names a daemon.
    pub(super) fn without_server(&self, command: &str) -> Result<()> {
        if self.flags.server.is_none() {
            return Ok(());
        }
        Err(Error::usage(format!("`webox {command}` asks no daemon, it is one"))
            .hint("leave --server out"))
    }

    /// Refuses the flag that names a daemon, for a command that uses this machine's keys.
    pub(super) fn with_own_keys(&self, command: &str) -> Result<()> {
        if self.flags.server.is_none() {
            return Ok(());
        }
        Err(Error::usage(format!(
            "`webox {command}` uses the keys of this machine, and asks no daemon"
        ))
        .hint("leave --server out, and run it where the daemon runs"))
    }

    /// Refuses a command that is carried out on this machine only.
    pub(super) fn here(&self, command: &str) -> Result<()> {
        self.here_by(self.settings()?, command)
    }

    /// The same by settings that are not in force yet.
    pub(super) fn here_by(&self, settings: &Settings, command: &str) -> Result<()> {
        match self.remote_of(settings)? {
            None => Ok(()),
            Some(_) => Err(Error::usage(format!("`webox {command}` cannot be asked of a daemon"))
                .hint("run it on the daemon's own machine, without --server")),
        }
    }

    /// Whether somebody else is acted as.
    pub(super) fn acts_as_another(&self) -> bool {
        self.act_as.is_some()
    }

    /// Whether a daemon is asked.
    pub(super) fn is_far(&self) -> Result<bool> {
        Ok(self.remote()?.is_some())
    }

    fn local(&self, command: &str, store: Store) -> Result<Box<dyn Desk>> {
        let actor = self.actor(command, &store)?;
        let secrets = self.secrets()?;
        let providers = daemon::standings(self.settings()?);
        let models = daemon::models_with(self.settings()?, &store, &secrets);
        let library = Library::asking(models, Breakers::default());
        let billing = self.settings()?.billing.file.value.clone();
        let rates = self.settings()?.billing.rates.value.clone();
        let now = self.started;
        Ok(Box::new(Local { store, actor, now, secrets, library, providers, billing, rates }))
    }

    /// Who is at the store: whoever may open it, or the user of `--as`.
    pub fn actor(&self, command: &str, store: &Store) -> Result<Actor> {
        let author = self.author(command);
        match &self.act_as {
            None => Ok(Actor::local(author)),
            Some(email) => accounts::act_as(store, author, email, self.started),
        }
    }

    /// The secrets in webox's keeping.
    pub fn secrets(&self) -> Result<Secrets> {
        Ok(Secrets::new(Vault::new(self.settings()?.master_key.clone())))
    }

    /// The store, opened when first asked for. There is one: at a place that somebody mistyped, nothing
    /// is made, and nothing looks as if it were well.
    pub fn store(&self) -> Result<Store> {
        self.open_store(false)
    }

    /// The store, for what a command enters into the ledger: by the prices that the daemon reckons by.
    pub fn store_to_reckon(&self) -> Result<Store> {
        let store = self.store()?;
        store.reckon_by(self.prices()?);
        Ok(store)
    }

    /// The store, begun where there is none.
    pub fn store_to_fill(&self) -> Result<Store> {
        self.open_store(true)
    }

    /// The store; where there is none, an empty one that goes with this process, and a word about it.
    pub fn store_to_ask(&self) -> Result<Store> {
        let db = &self.settings()?.db.value;
        if self.store.get().is_some() || !is_missing(db) {
            return self.store();
        }
        self.out.note(&format!("There is no database {} yet.", db.display()));
        let failed = |cause| Error::failure("there is no room for temporary files").because(cause);
        let folder = tempfile::tempdir().map_err(failed)?;
        let store = Store::open(&folder.path().join("webox.db"), Options::terminal())?;
        self.passing.set(folder).ok();
        Ok(self.store.get_or_init(|| store).clone())
    }

    fn open_store(&self, begins: bool) -> Result<Store> {
        if let Some(store) = self.store.get() {
            return Ok(store.clone());
        }
        let settings = self.settings()?;
        let options = Options {
            keeps_a_copy: !settings.backup.upgrade_without_copy.value,
            begins,
            ..Options::terminal()
        };
        let db = &settings.db;
        let store = Store::open(&db.value, options).map_err(|error| {
            // Whoever named no file means the one of the service, where there is one.
            let is_meant = db.origin == Origin::Default && db.value != Path::new(SERVICE_DB);
            if !begins && is_meant && is_missing(&db.value) && !is_missing(Path::new(SERVICE_DB)) {
                return error.hint(format!("that of the service is {SERVICE_DB}: ask with `sudo`"));
            }
            error
        })?;
        Ok(self.store.get_or_init(|| store).clone())
    }

    /// The environment that the command was started in.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The zone of times in tables and on the command line.
    pub fn zone(&self) -> Result<TimeZone> {
        Ok(self.settings()?.timezone.value.clone())
    }

    /// When the command began, in the zone of times.
    pub fn now(&self) -> Result<ZonedDateTime> {
        Ok(self.started.to_zoned_datetime(self.zone()?))
    }

    /// Whether somebody is there who could answer a question.
    pub fn may_ask(&self) -> bool {
        !self.no_input
            && !self.environment.has("CI")
            && io::stdin().is_terminal()
            && io::stderr().is_terminal()
    }
}

/// A path as a shell reads it.
pub(super) fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Whether nothing is there, as far as this user may look: one that may not be looked at is not missing.
pub(super) fn is_missing(db: &Path) -> bool {
    match std::fs::symlink_metadata(db) {
        // A file that was just made, and nothing put into it.
        Ok(found) => found.is_file() && found.len() == 0,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}
