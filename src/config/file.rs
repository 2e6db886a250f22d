//! `webox.toml`: its shape, where it is looked for, and how its mistakes are told.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Environment, alerts, backup, billing, monitoring, serving, smtp, speech};
use crate::{
    document,
    domain::{Error, Result, SecretRef},
};

/// The keys of `webox.toml`. Every one is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FileSettings {
    /// The database.
    pub(super) db: Option<PathBuf>,
    /// The address the daemon listens at.
    pub(super) listen: Option<String>,
    /// The address Twilio reaches it by.
    pub(super) public_url: Option<String>,
    /// Log filter.
    pub(super) log: Option<String>,
    /// Zone of times in the terminal.
    pub(super) timezone: Option<String>,
    /// Twilio.
    pub(super) twilio: TwilioSection,
    /// OpenAI, and servers that speak like it.
    pub(super) openai: OpenAiSection,
    /// Anthropic.
    pub(super) anthropic: ProviderSection,
    /// ElevenLabs.
    pub(super) elevenlabs: speech::ElevenLabsSection,
    /// Deepgram.
    pub(super) deepgram: speech::DeepgramSection,
    /// Azure.
    pub(super) azure: speech::AzureSection,
    /// Google Cloud.
    pub(super) google: speech::GoogleSection,
    /// Programs of this machine that speak.
    pub(super) local: speech::LocalSection,
    /// Sounds that are kept.
    pub(super) sounds: SoundsSection,
    /// What costs are reckoned by.
    pub(super) billing: billing::BillingSection,
    /// Recordings of calls.
    pub(super) recordings: RecordingsSection,
    /// The API.
    pub(super) api: ApiSection,
    /// How often calls may ring.
    pub(super) limits: LimitsSection,
    /// HubSpot.
    pub(super) hubspot: VendorSection,
    /// Pipedrive.
    pub(super) pipedrive: VendorSection,
    pub(super) google_calendar: VendorSection,
    /// Requests to addresses that assistants' files name.
    pub(super) outgoing: OutgoingSection,
    /// The server that mail leaves by.
    pub(super) smtp: smtp::SmtpSection,
    /// Where figures are to be had.
    pub(super) metrics: monitoring::MetricsSection,
    /// Where figures and traces are pushed to.
    pub(super) otlp: monitoring::OtlpSection,
    /// Secrets in webox's own keeping.
    pub(super) vault: VaultSection,
    /// What is watched, and who is told.
    pub(super) alerts: alerts::AlertsSection,
    /// Backups.
    pub(super) backup: backup::BackupSection,
    /// A daemon to ask instead of the database here, or how the one here is run.
    pub(super) server: serving::ServerKey,
    /// What every assistant's file need not repeat.
    pub(super) defaults: Option<toml::Table>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TwilioSection {
    pub(super) account_sid: Option<String>,
    pub(super) auth_token: Option<SecretRef>,
    pub(super) base_url: Option<String>,
    pub(super) api_key: Option<String>,
    pub(super) api_secret: Option<SecretRef>,
    pub(super) region: Option<String>,
    pub(super) edge: Option<String>,
    pub(super) fallback_url: Option<String>,
    pub(super) webhook_overrides: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApiSection {
    pub(super) trusted_proxies: Option<Vec<String>>,
    pub(super) cors_origins: Option<Vec<String>>,
    pub(super) requests_per_minute: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LimitsSection {
    pub(super) calls_to_a_number: Option<u32>,
    pub(super) calls_of_an_account: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RecordingsSection {
    pub(super) folder: Option<PathBuf>,
}

/// `[sounds]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SoundsSection {
    pub(super) folder: Option<PathBuf>,
    pub(super) max_mib: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OutgoingSection {
    pub(super) allowed_networks: Option<Vec<String>>,
    pub(super) allow_http: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct VendorSection {
    pub(super) base_url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct VaultSection {
    pub(super) key_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OpenAiSection {
    pub(super) api_key: Option<SecretRef>,
    pub(super) base_url: Option<String>,
    pub(super) voice_model: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ProviderSection {
    pub(super) api_key: Option<SecretRef>,
    pub(super) base_url: Option<String>,
}

/// Finds the file: named by flag, by environment, then the user's, then the system's.
/// The first that exists wins; one that is named must exist.
pub(super) fn find(
    flag: Option<&Path>,
    may_be_missing: bool,
    environment: &Environment,
) -> Result<Option<(PathBuf, String)>> {
    let named = flag.map(Path::to_path_buf).or_else(|| environment.path("WEBOX_CONFIG"));
    if let Some(path) = named {
        if may_be_missing && !path.exists() {
            return Ok(Some((path, String::new())));
        }
        let text = std::fs::read_to_string(&path).map_err(|cause| {
            Error::config(format!("cannot read the settings file {}", path.display()))
                .hint("correct --config or WEBOX_CONFIG, or leave them out")
                .because(cause)
        })?;
        return Ok(Some((path, text)));
    }
    for path in usual_places(environment) {
        match std::fs::read_to_string(&path) {
            Ok(text) => return Ok(Some((path, text))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {}
            Err(cause) => {
                return Err(Error::config(format!(
                    "cannot read the settings file {}",
                    path.display()
                ))
                .hint("let this user read it, or name another with --config")
                .because(cause));
            }
        }
    }
    Ok(None)
}

/// The user's and the system's place for `webox.toml`, in order.
pub(super) fn usual_places(environment: &Environment) -> Vec<PathBuf> {
    let user = environment
        .path("XDG_CONFIG_HOME")
        .or_else(|| environment.path("HOME").map(|home| home.join(".config")));
    user.into_iter()
        .chain([PathBuf::from("/etc")])
        .map(|folder| folder.join("webox").join("webox.toml"))
        .collect()
}

/// Reads the file's text; every mistake in it in one error.
pub(super) fn read(path: &Path, text: &str) -> Result<FileSettings> {
    let name = path.display().to_string();
    let told = |problems: Vec<document::Problem>| {
        let (first, rest) = match problems.split_first() {
            Some((first, rest)) => (first.to_string(), rest),
            None => (name.clone(), problems.as_slice()),
        };
        let lines: Vec<String> =
            std::iter::once(first).chain(rest.iter().map(ToString::to_string)).collect();
        Error::config(lines.join("\n")).hint("the keys are in `man webox.toml`")
    };
    let table = document::parse(&name, text).map_err(told)?;
    let sources = document::Sources::one(&name, text);
    let settings: FileSettings = document::from_table(&sources, &table).map_err(told)?;
    match settings.alerts.broken() {
        None => Ok(settings),
        Some((path, what)) => {
            let message = format!("`{path}` {what}");
            let place = document::place_at(table.get_ref(), &path);
            Err(told(vec![match place {
                Some(span) => document::Problem::on(&name, text, span, message),
                None => document::Problem::of_file(&name, message),
            }]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_written_out_is_refused_and_never_repeated() {
        let text = "[openai]\napi_key = \"sk-live-123\"\n\n[twilio]\nauth_token = 'tok-456'\n";
        let error = read(Path::new("webox.toml"), text).unwrap_err();
        let said = error.to_string();
        assert!(said.contains("webox.toml:2:11") && said.contains("webox.toml:5:14"), "{said}");
        assert!(!said.contains("sk-live") && !said.contains("tok-456"), "{said}");
        // Nor when it stands in a place where no secret belongs.
        for text in
            ["openai = \"sk-live-123\"", "[openai]\napi_key = { env = \"A\", sk-live-123 = \"B\" }"]
        {
            let said = read(Path::new("webox.toml"), text).unwrap_err().to_string();
            assert!(!said.contains("sk-live"), "{said}");
        }
    }

    #[test]
    fn references_are_read() {
        let file = read(
            Path::new("webox.toml"),
            "[openai]\napi_key = { env = \"KEY\" }\n[twilio]\nauth_token = { file = \"token\" }\n",
        )
        .unwrap();
        assert_eq!(file.openai.api_key, Some(SecretRef::Env("KEY".into())));
        assert_eq!(file.twilio.auth_token, Some(SecretRef::File("token".into())));
    }
}
