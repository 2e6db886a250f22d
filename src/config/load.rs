//! How settings are found: for each key the first source that says something.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use ipnet::IpNet;
use jiff::tz::TimeZone;

use super::{
    Alerts, Api, Backup, Billing, Environment, Flags, Limits, Monitoring, Origin, Outgoing,
    Provider, PublicUrl, Serving, Setting, Settings, Smtp, Sounds, Speech, Twilio, file, outgoing,
    secrets, speech, user_id, variables,
};
use crate::{
    document::{self, Problem},
    domain::{Error, Result, ZoneName, did_you_mean, suggestion_hint},
};

impl Settings {
    /// Reads all settings.
    pub fn load(flags: &Flags, environment: &Environment) -> Result<Self> {
        let found = file::find(flags.config.as_deref(), flags.may_lack_file, environment)?;
        let (path, text, file) = match found {
            Some((path, text)) => {
                let settings = file::read(&path, &text)?;
                (Some(path), text, settings)
            }
            None => (None, String::new(), file::FileSettings::default()),
        };
        let sources = Sources { environment, path: path.as_deref(), text: &text };

        let db = match (&flags.db, environment.path("WEBOX_DB"), file.db) {
            (Some(db), _, _) => Setting { value: db.clone(), origin: Origin::Flag("--db") },
            (None, Some(db), _) => {
                Setting { value: db, origin: Origin::Environment("WEBOX_DB".to_owned()) }
            }
            (None, None, Some(db)) => {
                Setting { value: sources.beside(&db), origin: sources.file() }
            }
            (None, None, None) => {
                Setting { value: default_db(environment)?, origin: Origin::Default }
            }
        };
        let listen = sources
            .pick(
                "listen",
                flags.listen.as_deref().map(|text| ("--listen", text)),
                "WEBOX_LISTEN",
                file.listen.as_deref(),
                |text| {
                    text.parse::<SocketAddr>().map_err(|_| {
                        Error::config(format!(
                            "`{}` is no address to listen at",
                            text.escape_debug()
                        ))
                        .hint("write an IP address and a port, such as `127.0.0.1:8080`")
                    })
                },
            )?
            .or_default_with(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
        let public_url = sources.pick(
            "public_url",
            flags.public_url.as_deref().map(|text| ("--public-url", text)),
            "WEBOX_PUBLIC_URL",
            file.public_url.as_deref(),
            PublicUrl::from_str,
        )?;
        let log = sources
            .pick("log", None, "WEBOX_LOG", file.log.as_deref(), log_filter)?
            .or_default_with(|| "info".to_owned());
        let timezone = if flags.utc {
            Setting { value: TimeZone::UTC, origin: Origin::Flag("--utc") }
        } else {
            let read = |text: &str| text.parse::<ZoneName>().map(|name| name.zone());
            sources
                .pick("timezone", None, "WEBOX_TZ", file.timezone.as_deref(), read)?
                .or_default_with(TimeZone::system)
        };
        let twilio = Twilio::load(&sources, &file.twilio)?;
        let openai = Provider {
            api_key: secrets::OPENAI_API_KEY.resolve(
                environment,
                file.openai.api_key.as_ref(),
                path.as_deref(),
            )?,
            base_url: sources.pick(
                "openai.base_url",
                None,
                "OPENAI_BASE_URL",
                file.openai.base_url.as_deref(),
                PublicUrl::from_str,
            )?,
        };
        let anthropic = Provider {
            api_key: secrets::ANTHROPIC_API_KEY.resolve(
                environment,
                file.anthropic.api_key.as_ref(),
                path.as_deref(),
            )?,
            base_url: sources.pick(
                "anthropic.base_url",
                None,
                "ANTHROPIC_BASE_URL",
                file.anthropic.base_url.as_deref(),
                PublicUrl::from_str,
            )?,
        };
        let speech = Speech::load(
            &sources,
            &speech::Sections {
                elevenlabs: &file.elevenlabs,
                deepgram: &file.deepgram,
                azure: &file.azure,
                google: &file.google,
                local: &file.local,
                openai_voice_model: file.openai.voice_model.as_deref(),
            },
        )?;
        let joined = |list: &Option<Vec<String>>| list.as_ref().map(|list| list.join(","));
        let api = Api {
            trusted_proxies: sources
                .pick(
                    "api.trusted_proxies",
                    None,
                    "WEBOX_TRUSTED_PROXIES",
                    joined(&file.api.trusted_proxies).as_deref(),
                    |text| list(text).iter().map(|text| network(text)).collect(),
                )?
                .or_default_with(Vec::new),
            cors_origins: sources
                .pick(
                    "api.cors_origins",
                    None,
                    "WEBOX_CORS_ORIGINS",
                    joined(&file.api.cors_origins).as_deref(),
                    |text| Ok(list(text)),
                )?
                .or_default_with(Vec::new),
            requests_per_minute: sources.number(file.api.requests_per_minute, REQUESTS_PER_MINUTE),
        };
        let limits = Limits {
            calls_to_a_number: sources.number(file.limits.calls_to_a_number, CALLS_TO_A_NUMBER),
            calls_of_an_account: sources
                .number(file.limits.calls_of_an_account, CALLS_OF_AN_ACCOUNT),
        };
        let sounds = Sounds {
            folder: match &file.sounds.folder {
                Some(folder) => Setting { value: sources.beside(folder), origin: sources.file() },
                None => Setting { value: beside_db(&db.value, "sounds"), origin: Origin::Default },
            },
            max_mib: sources.number(file.sounds.max_mib, SOUNDS_MIB),
        };
        let billing = Billing::load(&sources, &file.billing, path.as_deref());
        let recordings = file.recordings.folder.as_ref().map(|folder| sources.beside(folder));
        let recordings_folder = sources.pick(
            "recordings.folder",
            None,
            "WEBOX_RECORDINGS_FOLDER",
            recordings.as_ref().map(|folder| folder.display().to_string()).as_deref(),
            |text| Ok(PathBuf::from(text.trim())),
        )?;
        let outgoing = Outgoing::load(
            &sources,
            &outgoing::Sections {
                outgoing: &file.outgoing,
                hubspot: &file.hubspot,
                pipedrive: &file.pipedrive,
                google_calendar: &file.google_calendar,
            },
        )?;
        let smtp = Smtp::load(&sources, &file.smtp)?;
        let monitoring =
            Monitoring::load(&sources, &file.metrics, &file.otlp, flags.metrics_listen.as_deref())?;
        let alerts = Alerts::load(&sources, file.alerts, &timezone.value);
        let serving = Serving::load(&sources, &file.server, flags, &db.value)?;
        let backup = Backup::load(&sources, &file.backup, &timezone.value)?;
        let server = sources.pick(
            "server",
            flags.server.as_deref().map(|text| ("--server", text)),
            "WEBOX_SERVER",
            file.server.asked(),
            PublicUrl::from_str,
        )?;
        let token = secrets::TOKEN.resolve(environment, None, path.as_deref())?;
        let master_key =
            secrets::master_key(environment, file.vault.key_file.as_deref(), path.as_deref());
        let mut warnings = unknown_variables(environment);
        warnings.extend(twilio.half_a_key());
        Ok(Self {
            file: path,
            db,
            listen,
            public_url,
            log,
            timezone,
            twilio,
            openai,
            anthropic,
            speech,
            sounds,
            billing,
            recordings_folder,
            master_key,
            api,
            limits,
            outgoing,
            smtp,
            monitoring,
            alerts,
            serving,
            backup,
            server,
            token,
            defaults: file.defaults.as_ref().map(ToString::to_string),
            warnings,
        })
    }
}

/// How often a user may ask in a minute when nothing is said: ten a second.
const REQUESTS_PER_MINUTE: u32 = 600;

/// Calls that may ring in a minute when nothing is said: more than any line of people gets, and less
/// than what would fill the database of somebody who is attacked.
const CALLS_TO_A_NUMBER: u32 = 600;
const CALLS_OF_AN_ACCOUNT: u32 = 6_000;

/// How much sound is kept when nothing is said: nine hours of it.
const SOUNDS_MIB: u32 = 256;

/// A folder beside a database, such as `webox.db.sounds`.
pub(super) fn beside_db(db: &Path, what: &str) -> PathBuf {
    let mut name = db.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

/// Words between commas.
pub(super) fn list(text: &str) -> Vec<String> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// What is logged. A lone word is a module's name to whoever filters: a level with a slip in it would
/// silence all others.
fn log_filter(text: &str) -> Result<String> {
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |word: &str| {
        levels.contains(&&*word.to_ascii_lowercase())
            || matches!(word, "0" | "1" | "2" | "3" | "4" | "5")
    };
    // A module of ours, or one that is written with its path, is meant.
    let is_module = |word: &str| word == "webox" || word.contains("::");
    let is_name =
        |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || "_:-.".contains(c));
    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    for part in &parts {
        let (target, level) = part.split_once('=').map_or((*part, None), |(t, l)| (t, Some(l)));
        let is_meant = level.is_some() || is_level(part) || is_module(part);
        if part.contains('[') || (is_meant && is_name(target)) {
            continue;
        }
        let word = target.escape_debug().to_string();
        let hint = suggestion_hint(&word, levels).unwrap_or_else(|| {
            format!("the levels are {}; `h2=warn` is one for a module", levels.join(", "))
        });
        return Err(Error::config(format!("`{word}` is no level to log")).hint(hint));
    }
    Ok(parts.join(","))
}

/// A network, or one address.
pub(super) fn network(text: &str) -> Result<IpNet> {
    text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from)).map_err(
        |_| {
            Error::config(format!("`{}` is no address or network", text.escape_debug()))
                .hint("such as `127.0.0.1` or `10.0.0.0/8`")
        },
    )
}

/// Environment and file, asked in this order for each key.
pub(super) struct Sources<'a> {
    pub(super) environment: &'a Environment,
    /// The settings file.
    pub(super) path: Option<&'a Path>,
    /// Its text.
    pub(super) text: &'a str,
}

impl Sources<'_> {
    /// A number of the file, at least one.
    fn number(&self, in_file: Option<u32>, usual: u32) -> Setting<u32> {
        let origin = in_file.map_or(Origin::Default, |_| self.file());
        Setting { value: in_file.unwrap_or(usual).max(1), origin }
    }

    /// A path of the file's, which is relative to it, or to the home folder: no shell reads `~` there.
    pub(super) fn beside(&self, path: &Path) -> PathBuf {
        if let (Ok(below), Some(home)) = (path.strip_prefix("~"), self.environment.path("HOME")) {
            return home.join(below);
        }
        self.path.and_then(Path::parent).unwrap_or(Path::new("")).join(path)
    }

    /// That the file is wrong about a key, with the place where it stands.
    pub(super) fn wrong(&self, key: &str, what: &impl std::fmt::Display) -> Error {
        let name = self.path.unwrap_or(Path::new("")).display().to_string();
        let table = document::parse(&name, self.text).ok();
        let place = table.and_then(|table| document::place_at(table.get_ref(), key));
        let message = format!("`{key}`: {what}");
        Error::config(match place {
            Some(span) => Problem::on(&name, self.text, span, message).to_string(),
            None => Problem::of_file(&name, message).to_string(),
        })
    }

    pub(super) fn file(&self) -> Origin {
        self.path.map_or(Origin::Default, |path| Origin::File(path.to_path_buf()))
    }

    /// The first text given for a key, read by `parse`. The error names where it stands.
    pub(super) fn pick<T>(
        &self,
        key: &str,
        flag: Option<(&'static str, &str)>,
        variable: &str,
        in_file: Option<&str>,
        parse: impl Fn(&str) -> Result<T>,
    ) -> Result<Setting<Option<T>>> {
        let from_environment = self.environment.get(variable);
        let (text, origin) = match (flag, from_environment.as_deref(), in_file) {
            (Some((flag, text)), _, _) => (text, Origin::Flag(flag)),
            (None, Some(text), _) => (text, Origin::Environment(variable.to_owned())),
            (None, None, Some(text)) => (text, self.file()),
            (None, None, None) => return Ok(Setting { value: None, origin: Origin::Default }),
        };
        match parse(text) {
            Ok(value) => Ok(Setting { value: Some(value), origin }),
            Err(error) => {
                let told = match origin {
                    Origin::File(_) => self.wrong(key, &error),
                    Origin::Flag(_) => Error::usage(format!("`{key}` ({origin}): {error}")),
                    _ => Error::config(format!("`{key}` ({origin}): {error}")),
                };
                Err(told.maybe_hint(error.hint_text().map(str::to_owned)))
            }
        }
    }
}

impl<T> Setting<Option<T>> {
    pub(super) fn or_default_with(self, default: impl FnOnce() -> T) -> Setting<T> {
        match self.value {
            Some(value) => Setting { value, origin: self.origin },
            None => Setting { value: default(), origin: Origin::Default },
        }
    }
}

/// The database of the service, as the package and `webox init --systemd` lay it.
pub const SERVICE_DB: &str = "/var/lib/webox/webox.db";

/// The system's database for root where the package laid it, else the user's own.
fn default_db(environment: &Environment) -> Result<PathBuf> {
    let system = Path::new(SERVICE_DB);
    if user_id() == Some(0) && system.parent().is_some_and(Path::is_dir) {
        return Ok(system.to_owned());
    }
    environment
        .path("XDG_DATA_HOME")
        .or_else(|| environment.path("HOME").map(|home| home.join(".local").join("share")))
        .map(|data| data.join("webox").join("webox.db"))
        .ok_or_else(|| {
            Error::config("there is no home folder to keep the database in")
                .hint("name the file with --db or WEBOX_DB")
        })
}

fn unknown_variables(environment: &Environment) -> Vec<String> {
    environment
        .names()
        .filter(|name| !variables::ours().any(|known| known == *name))
        .filter_map(|name| Some((name, name.strip_prefix("WEBOX_")?)))
        .map(|(name, rest)| {
            // Compared without the prefix, which would make all of them look alike.
            let known = variables::ours().filter_map(|name| name.strip_prefix("WEBOX_"));
            match did_you_mean(rest, known).first() {
                Some(near) => {
                    format!("webox does not know the variable {name}; did you mean `WEBOX_{near}`?")
                }
                None => format!("webox does not know the variable {name}"),
            }
        })
        .collect()
}
