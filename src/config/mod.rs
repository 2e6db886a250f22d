//! What webox is set to: flags before environment before `webox.toml` before defaults.
//!
//! Every value remembers where it came from. The environment is an argument ([`Environment`]), so
//! that tests need not touch the process's own.

mod environment;
mod file;
mod public_url;
mod secrets;

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use jiff::tz::TimeZone;

pub use environment::Environment;
pub use public_url::PublicUrl;

use crate::domain::{AccountSid, Error, Result, Secret, ZoneName, did_you_mean};

/// The address the daemon listens at when nothing else is said: this machine only.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// Variables of ours that are read here.
const VARIABLES: &[&str] =
    &["WEBOX_CONFIG", "WEBOX_DB", "WEBOX_LISTEN", "WEBOX_LOG", "WEBOX_PUBLIC_URL", "WEBOX_TZ"];

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A command-line flag.
    Flag(&'static str),
    /// An environment variable.
    Environment(String),
    /// A file.
    File(PathBuf),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

/// What the command line says about settings.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--db`.
    pub db: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--public-url`.
    pub public_url: Option<String>,
    /// `--utc`.
    pub utc: bool,
}

/// The settings of Twilio.
#[derive(Debug, Clone)]
pub struct Twilio {
    /// The account whose numbers ring here.
    pub account_sid: Setting<Option<AccountSid>>,
    /// Its tokens: several, separated by commas, while one replaces another.
    pub auth_tokens: Setting<Vec<Secret>>,
}

/// The settings of a model provider.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its key.
    pub api_key: Setting<Option<Secret>>,
    /// Its address, when not the usual one.
    pub base_url: Setting<Option<PublicUrl>>,
}

/// Everything webox is set to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The settings file that was read, if any.
    pub file: Option<PathBuf>,
    /// The database.
    pub db: Setting<PathBuf>,
    /// The address the daemon listens at.
    pub listen: Setting<SocketAddr>,
    /// The address Twilio reaches the daemon by.
    pub public_url: Setting<Option<PublicUrl>>,
    /// Log filter, such as `info` or `webox=debug`.
    pub log: Setting<String>,
    /// Zone of times in the terminal.
    pub timezone: Setting<TimeZone>,
    /// Twilio.
    pub twilio: Twilio,
    /// OpenAI, and servers that speak like it.
    pub openai: Provider,
    /// Anthropic.
    pub anthropic: Provider,
    /// Things a person should know, such as misspelt variables.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Reads all settings.
    pub fn load(flags: &Flags, environment: &Environment) -> Result<Self> {
        let found = file::find(flags.config.as_deref(), environment)?;
        let (path, file) = match found {
            Some((path, text)) => {
                let settings = file::read(&path, &text)?;
                (Some(path), settings)
            }
            None => (None, file::FileSettings::default()),
        };
        let sources = Sources { environment, path: path.as_deref() };

        let db = match (&flags.db, environment.path("WEBOX_DB"), file.db) {
            (Some(db), _, _) => Setting { value: db.clone(), origin: Origin::Flag("--db") },
            (None, Some(db), _) => {
                Setting { value: db, origin: Origin::Environment("WEBOX_DB".to_owned()) }
            }
            (None, None, Some(db)) => Setting { value: db, origin: sources.file() },
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
            .pick("log", None, "WEBOX_LOG", file.log.as_deref(), |text| Ok(text.to_owned()))?
            .or_default_with(|| "info".to_owned());
        let timezone = if flags.utc {
            Setting { value: TimeZone::UTC, origin: Origin::Flag("--utc") }
        } else {
            let read = |text: &str| text.parse::<ZoneName>().map(|name| name.zone());
            sources
                .pick("timezone", None, "WEBOX_TZ", file.timezone.as_deref(), read)?
                .or_default_with(TimeZone::system)
        };
        let twilio = Twilio {
            account_sid: sources.pick(
                "twilio.account_sid",
                None,
                "TWILIO_ACCOUNT_SID",
                file.twilio.account_sid.as_deref(),
                AccountSid::from_str,
            )?,
            auth_tokens: {
                let tokens = secrets::TWILIO_AUTH_TOKEN.resolve(
                    environment,
                    file.twilio.auth_token.as_ref(),
                    path.as_deref(),
                )?;
                Setting { value: split_tokens(tokens.value.as_ref()), origin: tokens.origin }
            },
        };
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
        let warnings = unknown_variables(environment);
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
            warnings,
        })
    }

    /// The places where a settings file is looked for when none is named, in order.
    pub fn usual_places(environment: &Environment) -> Vec<PathBuf> {
        file::usual_places(environment)
    }
}

/// Environment and file, asked in this order for each key.
struct Sources<'a> {
    environment: &'a Environment,
    path: Option<&'a Path>,
}

impl Sources<'_> {
    fn file(&self) -> Origin {
        self.path.map_or(Origin::Default, |path| Origin::File(path.to_path_buf()))
    }

    /// The first text given for a key, read by `parse`. The error names where it stands.
    fn pick<T>(
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
                let kind = match origin {
                    Origin::Flag(_) => crate::domain::Kind::Usage,
                    _ => crate::domain::Kind::Config,
                };
                Err(Error::new(kind, format!("`{key}` ({origin}): {error}"))
                    .maybe_hint(error.hint_text().map(str::to_owned)))
            }
        }
    }
}

impl<T> Setting<Option<T>> {
    fn or_default_with(self, default: impl FnOnce() -> T) -> Setting<T> {
        match self.value {
            Some(value) => Setting { value, origin: self.origin },
            None => Setting { value: default(), origin: Origin::Default },
        }
    }
}

fn split_tokens(secret: Option<&Secret>) -> Vec<Secret> {
    secret
        .map(Secret::expose)
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|token| !token.is_empty())
        .map(Secret::new)
        .collect()
}

/// The system's database for root where the package laid it, else the user's own.
fn default_db(environment: &Environment) -> Result<PathBuf> {
    let system = Path::new("/var/lib/webox");
    if is_root() && system.is_dir() {
        return Ok(system.join("webox.db"));
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

/// Whether this process runs as root: the owner of its entry under `/proc`.
#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

fn unknown_variables(environment: &Environment) -> Vec<String> {
    environment
        .names()
        .filter(|name| !VARIABLES.contains(name))
        .filter_map(|name| Some((name, name.strip_prefix("WEBOX_")?)))
        .map(|(name, rest)| {
            // Compared without the prefix, which would make all of them look alike.
            let known = VARIABLES.iter().filter_map(|name| name.strip_prefix("WEBOX_"));
            match did_you_mean(rest, known).first() {
                Some(near) => {
                    format!("webox does not know the variable {name}; did you mean `WEBOX_{near}`?")
                }
                None => format!("webox does not know the variable {name}"),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Settings> {
        let home = [("HOME", "/nowhere")];
        let environment = home.iter().chain(variables).copied().collect();
        Settings::load(&Flags::default(), &environment)
    }

    #[test]
    fn without_anything_said_webox_stays_on_this_machine() {
        let settings = load(&[]).unwrap();
        assert_eq!(settings.listen.value.to_string(), DEFAULT_LISTEN);
        assert_eq!(settings.listen.origin, Origin::Default);
        assert_eq!(settings.public_url.value, None);
        assert!(settings.twilio.auth_tokens.value.is_empty());
    }

    #[test]
    fn flags_beat_environment_beats_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("webox.toml");
        std::fs::write(&path, "listen = \"127.0.0.1:1\"\nlog = \"warn\"\ndb = \"/f.db\"\n")
            .unwrap();
        let environment = [
            ("WEBOX_CONFIG", path.to_str().unwrap()),
            ("WEBOX_LISTEN", "127.0.0.1:2"),
            ("WEBOX_DB", "/e.db"),
        ]
        .into_iter()
        .collect();
        let flags = Flags { listen: Some("127.0.0.1:3".into()), ..Flags::default() };
        let settings = Settings::load(&flags, &environment).unwrap();
        assert_eq!(settings.listen.value.port(), 3);
        assert_eq!(settings.listen.origin, Origin::Flag("--listen"));
        assert_eq!(settings.db.value, Path::new("/e.db"));
        assert_eq!(settings.db.origin.to_string(), "environment WEBOX_DB");
        assert_eq!(settings.log.value, "warn");
        assert_eq!(settings.log.origin, Origin::File(path));
    }

    #[test]
    fn secrets_come_from_credentials_then_files_then_variables_then_references() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let config = at(
            "webox.toml",
            "[openai]\napi_key = { file = \"ref\" }\n[anthropic]\napi_key = { env = \"MY_KEY\" }\n",
        );
        at("ref", "from-reference\n");
        let file = at("key", "from-file\n");
        let mut variables = vec![
            ("HOME".to_owned(), "/nowhere".to_owned()),
            ("WEBOX_CONFIG".to_owned(), config),
            ("MY_KEY".to_owned(), "from-env-reference".to_owned()),
        ];
        let key = |variables: &[(String, String)]| {
            let environment = variables.iter().cloned().collect();
            let settings = Settings::load(&Flags::default(), &environment).unwrap();
            assert_eq!(settings.anthropic.api_key.value.unwrap().expose(), "from-env-reference");
            settings.openai.api_key.value.unwrap().expose().to_owned()
        };
        assert_eq!(key(&variables), "from-reference");
        variables.push(("OPENAI_API_KEY".into(), "from-variable".into()));
        assert_eq!(key(&variables), "from-variable");
        variables.push(("OPENAI_API_KEY_FILE".into(), file));
        assert_eq!(key(&variables), "from-file");
        at("openai-api-key", "from-credentials\n");
        variables.push(("CREDENTIALS_DIRECTORY".into(), folder.path().to_str().unwrap().into()));
        assert_eq!(key(&variables), "from-credentials");
    }

    #[test]
    fn tokens_rotate() {
        let settings = load(&[("TWILIO_AUTH_TOKEN", "new, old")]).unwrap();
        let tokens: Vec<_> = settings.twilio.auth_tokens.value.iter().map(Secret::expose).collect();
        assert_eq!(tokens, ["new", "old"]);
    }

    #[test]
    fn a_wrong_value_says_where_it_stands() {
        let error = load(&[("WEBOX_LISTEN", "localhost")]).unwrap_err();
        assert_eq!(error.kind(), crate::domain::Kind::Config);
        assert!(error.to_string().contains("environment WEBOX_LISTEN"), "{error}");
        let settings = load(&[("WEBOX_LISTN", "x")]).unwrap();
        assert!(settings.warnings[0].contains("did you mean `WEBOX_LISTEN`"));
    }

    #[test]
    fn a_named_file_must_exist() {
        let error = load(&[("WEBOX_CONFIG", "/nowhere/webox.toml")]).unwrap_err();
        assert_eq!(error.kind(), crate::domain::Kind::Config);
    }
}
