//! `webox config`: the settings in force, each with where it comes from.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Context, credentials, exit, help,
    output::{Cell, Column, Format, Listing, Row, Tone},
};
use crate::{
    config::{
        Alerts, Backup, Billing, Environment, Monitoring, Origin, Serving, Setting, Settings, Smtp,
        Speech, Twilio,
    },
    domain::{BackupSchedule, HumanDuration, KeySource, Result, Secret},
};

/// Arguments of `webox config`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox config", "every setting, and where it comes from"),
        ("webox config path", "the settings file in force"),
        ("WEBOX_LISTEN=0.0.0.0:80 webox config show -o json", "what a variable would change"),
    ],
    &[exit::CONFIG],
))]
pub struct Config {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print every setting with its source; secrets are masked.
    Show,
    /// Print the path of the settings file, or where it would be looked for.
    Path,
}

pub(super) fn run(args: &Config, context: &Context) -> Result<()> {
    match args.action {
        None | Some(Action::Show) => show(context),
        Some(Action::Path) => path(context),
    }
}

fn show(context: &Context) -> Result<()> {
    let settings = context.settings()?;
    let mut listing = Listing::new(
        "settings",
        [
            Column::new("key", "key"),
            Column::new("value", "value").keeps(),
            Column::new("source", "source").keeps(),
        ],
    );
    listing.rows = rows(settings, context.environment());
    listing.beside.insert(
        "file".to_owned(),
        settings.file.as_ref().map_or(Value::Null, |path| json!(path.display().to_string())),
    );
    context.out.listing(&listing)
}

fn path(context: &Context) -> Result<()> {
    let settings = context.settings()?;
    if matches!(context.out.format(), Format::Json | Format::Jsonl) {
        return context.out.object("settings", json!({ "path": settings.file }));
    }
    if let Some(path) = &settings.file {
        return context.out.text(&format!("{}\n", path.display()));
    }
    context.out.note("There is no settings file. It is looked for in:");
    for place in Settings::usual_places(context.environment()) {
        context.out.note(&format!("  {}", place.display()));
    }
    Ok(())
}

pub(super) fn rows(settings: &Settings, environment: &Environment) -> Vec<Row> {
    let url = |setting: &Setting<Option<crate::config::PublicUrl>>| {
        setting.value.as_ref().map(|url| url.as_str().to_owned())
    };
    let zone = settings.timezone.value.iana_name().map(str::to_owned);
    let list = |items: Vec<String>| (!items.is_empty()).then(|| items.join(","));
    [
        plain("db", Some(settings.db.value.display().to_string()), &settings.db.origin),
        plain("listen", Some(settings.listen.value.to_string()), &settings.listen.origin),
        plain("public_url", url(&settings.public_url), &settings.public_url.origin),
        plain("log", Some(settings.log.value.clone()), &settings.log.origin),
        plain("timezone", zone, &settings.timezone.origin),
        key("openai.api_key", &settings.openai.api_key),
        plain("openai.base_url", url(&settings.openai.base_url), &settings.openai.base_url.origin),
        key("anthropic.api_key", &settings.anthropic.api_key),
        plain(
            "anthropic.base_url",
            url(&settings.anthropic.base_url),
            &settings.anthropic.base_url.origin,
        ),
        plain(
            "openai.voice_model",
            settings.speech.openai_voice_model.value.clone(),
            &settings.speech.openai_voice_model.origin,
        ),
    ]
    .into_iter()
    .chain(twilio(&settings.twilio))
    .chain(speech(&settings.speech))
    .chain([
        plain(
            "recordings.folder",
            settings.recordings_folder.value.as_ref().map(|folder| folder.display().to_string()),
            &settings.recordings_folder.origin,
        ),
        plain(
            "sounds.folder",
            Some(settings.sounds.folder.value.display().to_string()),
            &settings.sounds.folder.origin,
        ),
        plain(
            "sounds.max_mib",
            Some(settings.sounds.max_mib.value.to_string()),
            &settings.sounds.max_mib.origin,
        ),
        plain(
            "api.trusted_proxies",
            list(settings.api.trusted_proxies.value.iter().map(ToString::to_string).collect()),
            &settings.api.trusted_proxies.origin,
        ),
        plain(
            "api.cors_origins",
            list(settings.api.cors_origins.value.clone()),
            &settings.api.cors_origins.origin,
        ),
        plain(
            "api.requests_per_minute",
            Some(settings.api.requests_per_minute.value.to_string()),
            &settings.api.requests_per_minute.origin,
        ),
        plain(
            "limits.calls_to_a_number",
            Some(settings.limits.calls_to_a_number.value.to_string()),
            &settings.limits.calls_to_a_number.origin,
        ),
        plain(
            "limits.calls_of_an_account",
            Some(settings.limits.calls_of_an_account.value.to_string()),
            &settings.limits.calls_of_an_account.origin,
        ),
        plain(
            "outgoing.allowed_networks",
            list(
                settings.outgoing.allowed_networks.value.iter().map(ToString::to_string).collect(),
            ),
            &settings.outgoing.allowed_networks.origin,
        ),
        plain(
            "outgoing.allow_http",
            Some(settings.outgoing.allow_http.value.to_string()),
            &settings.outgoing.allow_http.origin,
        ),
        plain(
            "hubspot.base_url",
            url(&settings.outgoing.hubspot_url),
            &settings.outgoing.hubspot_url.origin,
        ),
        plain(
            "pipedrive.base_url",
            url(&settings.outgoing.pipedrive_url),
            &settings.outgoing.pipedrive_url.origin,
        ),
        plain(
            "google_calendar.base_url",
            url(&settings.outgoing.google_calendar_url),
            &settings.outgoing.google_calendar_url.origin,
        ),
    ])
    .chain(billing(&settings.billing))
    .chain(smtp(&settings.smtp))
    .chain(monitoring(&settings.monitoring))
    .chain(alerts(&settings.alerts))
    .chain(serving(&settings.serving))
    .chain(backup(&settings.backup))
    .chain([
        plain("server", url(&settings.server), &settings.server.origin),
        token(settings, environment),
        master_key(&settings.master_key),
    ])
    .collect()
}

/// The account at Twilio, and how it is asked.
fn twilio(twilio: &Twilio) -> Vec<Row> {
    let url = |name: &str, setting: &Setting<Option<crate::config::PublicUrl>>| {
        plain(name, setting.value.as_ref().map(ToString::to_string), &setting.origin)
    };
    let word = |name: &str, setting: &Setting<Option<String>>| {
        plain(name, setting.value.clone(), &setting.origin)
    };
    let (sid, api_key) = (&twilio.account_sid, &twilio.api_key);
    let (secret_of_key, overrides) = (&twilio.api_secret, &twilio.webhook_overrides);
    vec![
        plain("twilio.account_sid", sid.value.as_ref().map(ToString::to_string), &sid.origin),
        secret(
            "twilio.auth_token",
            !twilio.auth_tokens.value.is_empty(),
            &twilio.auth_tokens.origin,
        ),
        plain("twilio.api_key", api_key.value.as_ref().map(ToString::to_string), &api_key.origin),
        secret("twilio.api_secret", secret_of_key.value.is_some(), &secret_of_key.origin),
        word("twilio.region", &twilio.region),
        word("twilio.edge", &twilio.edge),
        url("twilio.base_url", &twilio.base_url),
        url("twilio.fallback_url", &twilio.fallback_url),
        plain(
            "twilio.webhook_overrides",
            Some(overrides.value.as_str().to_owned()),
            &overrides.origin,
        ),
    ]
}

/// Plans and rates.
fn billing(billing: &Billing) -> Vec<Row> {
    let path = |name: &str, setting: &Setting<Option<PathBuf>>| {
        plain(name, setting.value.as_ref().map(|path| path.display().to_string()), &setting.origin)
    };
    let currency = billing.currency.value.as_str().to_owned();
    vec![
        path("billing.file", &billing.file),
        path("billing.rates", &billing.rates),
        plain("billing.currency", Some(currency), &billing.currency.origin),
    ]
}

/// Where figures and traces are to be had.
fn monitoring(monitoring: &Monitoring) -> Vec<Row> {
    let listen = &monitoring.metrics_listen;
    let shown = listen.value.map_or_else(|| "off".to_owned(), |address| address.to_string());
    let endpoint = &monitoring.otlp_endpoint;
    let headers = &monitoring.otlp_headers;
    let names: Vec<&str> = headers.value.iter().map(|(name, _)| name.as_str()).collect();
    let names = (!names.is_empty()).then(|| names.join(", "));
    vec![
        plain("metrics.listen", Some(shown), &listen.origin),
        plain("otlp.endpoint", endpoint.value.as_ref().map(ToString::to_string), &endpoint.origin),
        plain("otlp.headers", names, &headers.origin),
    ]
}

/// What is watched otherwise than usual, and who is told: rules and places by their names.
fn alerts(alerts: &Alerts) -> Vec<Row> {
    let several = |items: Vec<String>| (!items.is_empty()).then(|| items.join(", "));
    let quiet = alerts.quiet.value.iter().map(ToString::to_string).collect();
    let zone = alerts.zone.value.iana_name().map(str::to_owned);
    let rules: Vec<String> = alerts.rules.value.iter().map(|rule| rule.name().to_owned()).collect();
    let places: Vec<String> =
        alerts.destinations.value.iter().map(|one| one.name.clone()).collect();
    vec![
        plain("alerts.language", Some(alerts.language.value.to_string()), &alerts.language.origin),
        plain("alerts.quiet", several(quiet), &alerts.quiet.origin),
        plain("alerts.timezone", zone, &alerts.zone.origin),
        plain("alerts.to", several(alerts.to.value.clone()), &alerts.to.origin),
        plain(
            "alerts.remind",
            alerts.remind.value.map(|length| length.to_string()),
            &alerts.remind.origin,
        ),
        plain("alerts.rules", several(rules), &alerts.rules.origin),
        plain("alerts.destinations", several(places), &alerts.destinations.origin),
    ]
}

/// TLS, and how the daemon stops.
fn serving(serving: &Serving) -> Vec<Row> {
    let path = |name: &str, setting: &Setting<Option<PathBuf>>| {
        plain(name, setting.value.as_ref().map(|path| path.display().to_string()), &setting.origin)
    };
    let acme = &serving.acme;
    let domains = (!acme.domains.value.is_empty()).then(|| acme.domains.value.join(","));
    let contact = acme.contact.value.as_ref().map(ToString::to_string);
    let drain = HumanDuration::from_secs(serving.drain.value.as_secs()).to_string();
    let (challenge, listen) = (&acme.challenge, &acme.http_listen);
    vec![
        path("server.tls_cert", &serving.tls_cert),
        path("server.tls_key", &serving.tls_key),
        plain("server.drain", Some(drain), &serving.drain.origin),
        plain("server.acme.domains", domains, &acme.domains.origin),
        plain("server.acme.contact", contact, &acme.contact.origin),
        plain(
            "server.acme.directory",
            Some(acme.directory.value.to_string()),
            &acme.directory.origin,
        ),
        plain(
            "server.acme.challenge",
            Some(challenge.value.as_str().to_owned()),
            &challenge.origin,
        ),
        plain("server.acme.http_listen", Some(listen.value.to_string()), &listen.origin),
        path("server.acme.root", &acme.root),
    ]
}

/// Backups.
fn backup(backup: &Backup) -> Vec<Row> {
    // As the file has it: one key or the other.
    let (every, at) = match &backup.schedule.value {
        Some(BackupSchedule::Every(length)) => (Some(length.to_string()), None),
        Some(BackupSchedule::At(time, _)) => (None, Some(time.strftime("%H:%M").to_string())),
        None => (None, None),
    };
    let recipients = &backup.recipients;
    let shown = (!recipients.value.is_empty()).then(|| recipients.value.join(","));
    let identity = backup.identity.value.as_ref().map(|path| path.display().to_string());
    let endpoint = backup.endpoint.value.as_ref().map(|url| url.as_str().to_owned());
    vec![
        plain("backup.to", backup.to.value.as_ref().map(ToString::to_string), &backup.to.origin),
        written("backup.every", every, &backup.schedule.origin),
        written("backup.at", at, &backup.schedule.origin),
        plain("backup.keep", backup.keep.value.map(|keep| keep.to_string()), &backup.keep.origin),
        plain("backup.recipients", shown, &recipients.origin),
        plain("backup.identity", identity, &backup.identity.origin),
        plain("backup.endpoint", endpoint, &backup.endpoint.origin),
        plain("backup.region", Some(backup.region.value.clone()), &backup.region.origin),
        plain(
            "backup.path_style",
            Some(backup.path_style.value.to_string()),
            &backup.path_style.origin,
        ),
        key("backup.access_key", &backup.access_key),
        key("backup.secret_key", &backup.secret_key),
    ]
}

/// The mail server.
fn smtp(smtp: &Smtp) -> Vec<Row> {
    let port = smtp.port.value.map(|port| port.to_string());
    let from = smtp.from.value.as_ref().map(ToString::to_string);
    vec![
        plain("smtp.host", smtp.host.value.clone(), &smtp.host.origin),
        plain("smtp.port", port, &smtp.port.origin),
        plain("smtp.encryption", Some(smtp.encryption.value.to_string()), &smtp.encryption.origin),
        plain("smtp.user", smtp.user.value.clone(), &smtp.user.origin),
        key("smtp.password", &smtp.password),
        plain("smtp.from", from, &smtp.from.origin),
    ]
}

/// Ears and mouths.
fn speech(speech: &Speech) -> Vec<Row> {
    let url = |name: &str, setting: &Setting<Option<crate::config::PublicUrl>>| {
        plain(name, setting.value.as_ref().map(|url| url.as_str().to_owned()), &setting.origin)
    };
    let text = |name: &str, setting: &Setting<Option<String>>| {
        plain(name, setting.value.clone(), &setting.origin)
    };
    let path = |name: &str, setting: &Setting<Option<PathBuf>>| {
        plain(name, setting.value.as_ref().map(|path| path.display().to_string()), &setting.origin)
    };
    vec![
        key("elevenlabs.api_key", &speech.elevenlabs.api_key),
        url("elevenlabs.base_url", &speech.elevenlabs.base_url),
        text("elevenlabs.model", &speech.elevenlabs_model),
        plain(
            "elevenlabs.socket",
            Some(speech.elevenlabs_socket.value.to_string()),
            &speech.elevenlabs_socket.origin,
        ),
        key("deepgram.api_key", &speech.deepgram.api_key),
        url("deepgram.base_url", &speech.deepgram.base_url),
        key("azure.api_key", &speech.azure.api_key),
        text("azure.region", &speech.azure_region),
        url("azure.base_url", &speech.azure.base_url),
        key("google.api_key", &speech.google.api_key),
        path("google.credentials", &speech.google_credentials),
        text("google.project", &speech.google_project),
        text("google.location", &speech.google_location),
        url("google.base_url", &speech.google.base_url),
        url("google.voice_base_url", &speech.google_voice_url),
        path("local.espeak", &speech.espeak),
        path("local.piper", &speech.piper),
        path("local.models", &speech.piper_models),
    ]
}

/// The key that a daemon is asked with: one that is given, or the one that `webox login` kept.
fn token(settings: &Settings, environment: &Environment) -> Row {
    let setting = &settings.token;
    let kept = || -> Option<PathBuf> {
        let server = settings.server.value.as_ref()?;
        credentials::find(environment, server).ok()??;
        credentials::place(environment).ok()
    };
    match setting.value.is_none().then(kept).flatten() {
        Some(path) => secret("token", true, &Origin::File(path)),
        None => key("token", setting),
    }
}

/// Where the master key is, or would be.
fn master_key(source: &KeySource) -> Row {
    match source {
        KeySource::Given(_, origin) => shown("master_key", Some("***".to_owned()), origin),
        KeySource::File(path) | KeySource::Credential(path) => {
            let is_there = path.exists().then(|| "***".to_owned());
            shown("master_key", is_there, &Origin::File(path.clone()).to_string())
        }
    }
}

fn plain(key: &str, value: Option<String>, origin: &Origin) -> Row {
    shown(key, value, &origin.to_string())
}

/// One of several keys: that which is not there came from nowhere.
fn written(key: &str, value: Option<String>, origin: &Origin) -> Row {
    let origin = if value.is_some() { origin } else { &Origin::Default };
    plain(key, value, origin)
}

fn shown(key: &str, value: Option<String>, source: &str) -> Row {
    Row {
        id: key.to_owned(),
        json: json!({"key": key, "value": value, "source": source}),
        cells: vec![Cell::same(key), Cell::maybe(value), Cell::same(source).tone(Tone::Faint)],
    }
}

fn key(name: &str, setting: &Setting<Option<Secret>>) -> Row {
    secret(name, setting.value.is_some(), &setting.origin)
}

fn secret(name: &str, is_set: bool, origin: &Origin) -> Row {
    plain(name, is_set.then(|| "***".to_owned()), origin)
}
