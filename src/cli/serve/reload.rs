//! SIGHUP: settings are read anew. What can be taken over is, the rest waits for a restart, and the
//! log says which is which. A file that is broken changes nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, RandomState},
    path::PathBuf,
};

use super::{Serve, daemon, rates, read, systemd, trust};
use crate::{
    cli::{Context, logging, settings},
    config::{Origin, Settings},
    domain::{Error, KeySource, Result, Secret},
    server::Controls,
};

/// What is taken over while the daemon runs.
const TAKEN_OVER: &[&str] = &[
    "log",
    "twilio.auth_token",
    "twilio.api_key",
    "twilio.api_secret",
    "api.requests_per_minute",
    "limits.calls_to_a_number",
    "limits.calls_of_an_account",
    "server.drain",
];

/// Settings that no running daemon has anything to do with.
const NOT_OURS: &[&str] = &["server", "token"];

/// What is in force, and how it is changed.
pub(super) struct Reloading<'a> {
    args: &'a Serve,
    context: &'a Context,
    controls: Controls,
    filter: logging::Filter,
    in_force: BTreeMap<String, u64>,
    /// The file that they were read from.
    file: Option<PathBuf>,
    hasher: RandomState,
}

impl<'a> Reloading<'a> {
    pub(super) fn new(
        args: &'a Serve,
        context: &'a Context,
        controls: Controls,
        filter: logging::Filter,
        settings: &Settings,
    ) -> Self {
        let hasher = RandomState::new();
        let in_force = marks(settings, context, &hasher);
        let file = settings.file.clone();
        Self { args, context, controls, filter, in_force, file, hasher }
    }

    /// Reads settings and certificate anew.
    pub(super) fn reload(&mut self) {
        if !self.controls.is_stopping() {
            systemd::reloading();
        }
        if let Err(error) = self.take_over() {
            tracing::error!(
                error = error.with_causes(),
                hint = error.hint_text(),
                "the settings cannot be read: those in force stay"
            );
        }
        if let Err(error) = self.controls.reload_certificate() {
            tracing::error!(
                error = error.with_causes(),
                hint = error.hint_text(),
                "the certificate cannot be read: the one in force stays"
            );
        }
        // Whoever stops goes on stopping.
        if !self.controls.is_stopping() {
            systemd::ready();
        }
    }

    fn take_over(&mut self) -> Result<()> {
        if let Some(file) = &self.file
            && matches!(file.try_exists(), Ok(false))
        {
            return Err(Error::config(format!("the settings in {} are gone", file.display()))
                .hint("put the file back; to do without it, start webox anew"));
        }
        let settings = read(self.args, self.context)?;
        // All that may fail comes before anything is changed.
        let trust = trust(self.args, &settings)?;
        logging::parse(&settings.log.value)?;
        for warning in &settings.warnings {
            tracing::warn!("{warning}");
        }
        let wanted = marks(&settings, self.context, &self.hasher);
        let (mut taken, mut waiting) = (Vec::new(), Vec::new());
        let keys: BTreeSet<&String> = wanted.keys().chain(self.in_force.keys()).collect();
        for key in keys {
            if self.in_force.get(key) == wanted.get(key) || NOT_OURS.contains(&key.as_str()) {
                continue;
            }
            if TAKEN_OVER.contains(&key.as_str()) {
                taken.push(key.clone());
            } else {
                waiting.push(key.clone());
            }
        }
        let changed = |key: &str| taken.iter().any(|taken| taken == key);
        if changed("log") {
            self.filter.exchange(&settings.log.value)?;
        }
        if changed("twilio.auth_token") {
            self.controls.believe(trust);
        }
        if taken.iter().any(|key| key.starts_with("twilio.")) {
            self.controls.ask_with(daemon::credentials(&settings));
        }
        // Counting begins anew: only when it is to be otherwise.
        if taken.iter().any(|key| key.starts_with("limits.") || key.starts_with("api.")) {
            self.controls.set_rates(rates(&settings));
        }
        self.controls.set_drain(settings.serving.drain.value);
        self.file = settings.file;
        for key in &taken {
            if let Some(mark) = wanted.get(key) {
                self.in_force.insert(key.clone(), *mark);
            }
        }
        if self.context.environment().path("CREDENTIALS_DIRECTORY").is_some() {
            tracing::info!(
                "systemd's credentials are those of the start: another token or key there needs a restart"
            );
        }
        let told =
            |keys: &[String]| if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
        tracing::info!(
            taken_over = told(&taken),
            needs_restart = told(&waiting),
            "the settings were read anew"
        );
        Ok(())
    }
}

/// A mark of each setting's value, by its key. Secrets are not kept a second time for it.
fn marks(settings: &Settings, context: &Context, hasher: &RandomState) -> BTreeMap<String, u64> {
    // Where no zone of their own is written, that of alerts is `timezone`, which has a mark itself.
    let is_borrowed =
        |key: &str| key == "alerts.timezone" && settings.alerts.zone.origin == Origin::Default;
    let mut marks: BTreeMap<String, u64> = settings::rows(settings, context.environment())
        .into_iter()
        .filter(|row| !is_borrowed(&row.id))
        .map(|row| (row.id, hasher.hash_one(row.json["value"].to_string())))
        .collect();
    let exposed = |secret: &Option<Secret>| secret.as_ref().map(|it| it.expose().to_owned());
    let speech = &settings.speech;
    let tokens = settings.twilio.auth_tokens.value.iter();
    let headers = settings.monitoring.otlp_headers.value.iter();
    let secrets: [(&str, u64); 12] = [
        ("twilio.auth_token", hasher.hash_one(tokens.map(Secret::expose).collect::<Vec<_>>())),
        ("twilio.api_secret", hasher.hash_one(exposed(&settings.twilio.api_secret.value))),
        ("openai.api_key", hasher.hash_one(exposed(&settings.openai.api_key.value))),
        ("anthropic.api_key", hasher.hash_one(exposed(&settings.anthropic.api_key.value))),
        ("elevenlabs.api_key", hasher.hash_one(exposed(&speech.elevenlabs.api_key.value))),
        ("deepgram.api_key", hasher.hash_one(exposed(&speech.deepgram.api_key.value))),
        ("azure.api_key", hasher.hash_one(exposed(&speech.azure.api_key.value))),
        ("google.api_key", hasher.hash_one(exposed(&speech.google.api_key.value))),
        ("backup.access_key", hasher.hash_one(exposed(&settings.backup.access_key.value))),
        ("backup.secret_key", hasher.hash_one(exposed(&settings.backup.secret_key.value))),
        ("smtp.password", hasher.hash_one(exposed(&settings.smtp.password.value))),
        (
            "otlp.headers",
            hasher
                .hash_one(headers.map(|(name, value)| (name, value.expose())).collect::<Vec<_>>()),
        ),
    ];
    marks.extend(secrets.map(|(key, mark)| (key.to_owned(), mark)));
    // What is in them counts, not only where they are.
    let master_key = match &settings.master_key {
        KeySource::File(file) => Some(file),
        _ => None,
    };
    let files = [
        ("billing.file", settings.billing.file.value.as_ref()),
        ("billing.rates", settings.billing.rates.value.as_ref()),
        ("google.credentials", speech.google_credentials.value.as_ref()),
        ("master_key_file", master_key),
    ];
    for (key, file) in files {
        let text = file.map(|file| (file, std::fs::read(file).ok()));
        marks.insert(key.to_owned(), hasher.hash_one(text));
    }
    // Their rows have no more than names.
    let (rules, places) = (&settings.alerts.rules.value, &settings.alerts.destinations.value);
    marks.insert("alerts.rules".to_owned(), hasher.hash_one(format!("{rules:?}")));
    marks.insert("alerts.destinations".to_owned(), hasher.hash_one(format!("{places:?}")));
    marks.insert("defaults".to_owned(), hasher.hash_one(&settings.defaults));
    marks
}
