//! What webox is set to: flags before environment before `webox.toml` before defaults.
//!
//! Every value remembers where it came from. The environment is an argument ([`Environment`]), so
//! that tests need not touch the process's own.

mod alerts;
mod backup;
mod billing;
mod environment;
mod file;
mod load;
mod monitoring;
mod outgoing;
mod public_url;
mod secrets;
mod serving;
mod smtp;
mod speech;
mod twilio;
mod variables;
mod write;

use std::{fmt, net::SocketAddr, path::PathBuf};

use jiff::tz::TimeZone;

pub use alerts::Alerts;
pub use backup::Backup;
pub use billing::Billing;
pub use environment::{Environment, user_id};
pub use load::SERVICE_DB;
pub use monitoring::Monitoring;
pub use outgoing::Outgoing;
pub use public_url::PublicUrl;
pub use serving::{Acme, Challenge, Serving};
pub use smtp::Smtp;
pub use speech::{Speech, SpeechProvider};
pub use twilio::Twilio;
pub use variables::VARIABLES;
pub use write::{Written, write};

use ipnet::IpNet;

use crate::domain::{KeySource, Secret};

/// The address the daemon listens at when nothing else is said: this machine only.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

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
    /// `--metrics-listen`.
    pub metrics_listen: Option<String>,
    /// `--tls-cert`.
    pub tls_cert: Option<PathBuf>,
    /// `--tls-key`.
    pub tls_key: Option<PathBuf>,
    /// `--drain`.
    pub drain: Option<String>,
    /// `--server`.
    pub server: Option<String>,
    /// `--utc`.
    pub utc: bool,
    /// Whether a settings file that is named may not be there yet: it counts as empty then.
    pub may_lack_file: bool,
}

/// The settings of a model provider.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its key.
    pub api_key: Setting<Option<Secret>>,
    /// Its address, when not the usual one.
    pub base_url: Setting<Option<PublicUrl>>,
}

/// The settings of the API, and of who may stand between it and the world.
#[derive(Debug, Clone)]
pub struct Api {
    /// Proxies whose `X-Forwarded-For` is believed; nobody's otherwise.
    pub trusted_proxies: Setting<Vec<IpNet>>,
    /// Web pages from elsewhere that may ask; none otherwise.
    pub cors_origins: Setting<Vec<String>>,
    /// Requests a minute and user.
    pub requests_per_minute: Setting<u32>,
}

/// How often calls may ring, in a minute; above it they are answered as busy.
#[derive(Debug, Clone)]
pub struct Limits {
    /// To one number.
    pub calls_to_a_number: Setting<u32>,
    /// To all numbers of one account at Twilio.
    pub calls_of_an_account: Setting<u32>,
}

/// Sounds that are kept, so that they need not be spoken again.
#[derive(Debug, Clone)]
pub struct Sounds {
    /// Where.
    pub folder: Setting<PathBuf>,
    /// At most so many mebibytes.
    pub max_mib: Setting<u32>,
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
    /// Ears and mouths.
    pub speech: Speech,
    /// Sounds that are kept.
    pub sounds: Sounds,
    /// What costs are reckoned by.
    pub billing: Billing,
    /// The folder that recordings of calls are fetched into; they stay at Twilio where there is none.
    pub recordings_folder: Setting<Option<PathBuf>>,
    /// Where the master key of kept secrets is.
    pub master_key: KeySource,
    /// The API.
    pub api: Api,
    /// How often calls may ring.
    pub limits: Limits,
    /// Requests to addresses that assistants' files name.
    pub outgoing: Outgoing,
    /// The server that mail leaves by.
    pub smtp: Smtp,
    /// Where monitoring is told.
    pub monitoring: Monitoring,
    /// What is watched, and who is told.
    pub alerts: Alerts,
    /// How the daemon is reached over TLS, and how it stops.
    pub serving: Serving,
    /// Backups.
    pub backup: Backup,
    /// A daemon to ask instead of the database here.
    pub server: Setting<Option<PublicUrl>>,
    /// The key that such a daemon is asked with.
    pub token: Setting<Option<Secret>>,
    /// What every assistant's file need not repeat: the section `[defaults]` as a text of TOML.
    pub defaults: Option<String>,
    /// Things a person should know, such as misspelt variables.
    pub warnings: Vec<String>,
}

impl Settings {
    /// The places where a settings file is looked for when none is named, in order.
    pub fn usual_places(environment: &Environment) -> Vec<PathBuf> {
        file::usual_places(environment)
    }

    /// The keys of secrets, whether each is there, and where it comes from.
    fn secrets(&self) -> [(&'static str, bool, &Origin); 12] {
        fn one<'s>(
            key: &'static str,
            secret: &'s Setting<Option<Secret>>,
        ) -> (&'static str, bool, &'s Origin) {
            (key, secret.value.is_some(), &secret.origin)
        }
        let (speech, tokens) = (&self.speech, &self.twilio.auth_tokens);
        let headers = &self.monitoring.otlp_headers;
        [
            ("twilio.auth_token", !tokens.value.is_empty(), &tokens.origin),
            one("twilio.api_secret", &self.twilio.api_secret),
            one("openai.api_key", &self.openai.api_key),
            one("anthropic.api_key", &self.anthropic.api_key),
            one("elevenlabs.api_key", &speech.elevenlabs.api_key),
            one("deepgram.api_key", &speech.deepgram.api_key),
            one("azure.api_key", &speech.azure.api_key),
            one("google.api_key", &speech.google.api_key),
            one("smtp.password", &self.smtp.password),
            one("backup.access_key", &self.backup.access_key),
            one("backup.secret_key", &self.backup.secret_key),
            ("otlp.headers", !headers.value.is_empty(), &headers.origin),
        ]
    }

    /// The keys that name a variable which is not set, each with the variable.
    pub fn unset_variables(&self) -> Vec<(String, String)> {
        let unset = self.secrets().into_iter().filter_map(|(key, there, origin)| match origin {
            Origin::Environment(name) if !there => Some((key.to_owned(), name.clone())),
            _ => None,
        });
        unset.collect()
    }

    /// Where a provider's key comes from, and what it is.
    pub fn provider_key(&self, key: &str) -> Option<&Setting<Option<Secret>>> {
        let speech = &self.speech;
        Some(match key {
            "openai.api_key" => &self.openai.api_key,
            "anthropic.api_key" => &self.anthropic.api_key,
            "elevenlabs.api_key" => &speech.elevenlabs.api_key,
            "deepgram.api_key" => &speech.deepgram.api_key,
            "azure.api_key" => &speech.azure.api_key,
            "google.api_key" => &speech.google.api_key,
            _ => return None,
        })
    }

    /// The files that hold one secret each, with the key that each is for.
    pub fn secret_files(&self) -> Vec<(String, PathBuf)> {
        let files = self.secrets().into_iter().filter_map(|(key, there, origin)| match origin {
            Origin::File(path) if there => Some((key.to_owned(), path.clone())),
            _ => None,
        });
        files.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::{BackupPlace, Result};

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
    fn the_home_folder_is_known_without_a_shell() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("webox.toml");
        let text =
            "db = \"~/data/w.db\"\n[backup]\nto = \"~/kept\"\n[recordings]\nfolder = \"rec\"\n";
        std::fs::write(&path, text).unwrap();
        let environment = [("WEBOX_CONFIG", path.to_str().unwrap()), ("HOME", "/home/ada")];
        let environment = environment.into_iter().collect();
        let settings = Settings::load(&Flags::default(), &environment).unwrap();
        assert_eq!(settings.db.value, Path::new("/home/ada/data/w.db"));
        let to = Some(BackupPlace::Folder("/home/ada/kept".into()));
        assert_eq!(settings.backup.to.value, to);
        assert_eq!(settings.recordings_folder.value, Some(folder.path().join("rec")));
        assert!("~/kept".parse::<BackupPlace>().is_err(), "no shell reads `--to=~/kept`");
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
        // One that cannot be looked at, here since its folder is a file: told, and no other is taken instead.
        variables.pop();
        let no_folder = folder.path().join("key");
        variables.push(("CREDENTIALS_DIRECTORY".into(), no_folder.to_str().unwrap().into()));
        let environment = variables.iter().cloned().collect();
        let error = Settings::load(&Flags::default(), &environment).unwrap_err();
        assert!(error.to_string().contains("/key/"), "{error}");
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
        let key = "SK0123456789abcdef0123456789abcdef";
        let half = load(&[("TWILIO_API_KEY", key)]).unwrap();
        assert!(half.warnings[0].contains("TWILIO_API_SECRET"), "{:?}", half.warnings);
        let whole = load(&[("TWILIO_API_KEY", key), ("TWILIO_API_SECRET", "s")]).unwrap();
        assert_eq!(whole.warnings, <[String; 0]>::default());
    }

    #[test]
    fn a_named_file_must_exist() {
        let error = load(&[("WEBOX_CONFIG", "/nowhere/webox.toml")]).unwrap_err();
        assert_eq!(error.kind(), crate::domain::Kind::Config);
    }
}
