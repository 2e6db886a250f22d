//! What the commands that run a daemon share: a runtime, and the models that are set up.

use std::{path::Path, sync::Arc, time::Duration};

use tokio::runtime::{Builder, Runtime};

use crate::{
    config::{PublicUrl, Setting, Settings, Speech},
    domain::{
        Actor, BackupPlace, EarProvider, Error, ProviderKind, ProviderStanding, Result, Secret,
        VoiceProvider,
    },
    files,
    integrations::{
        Addresses, Couriers,
        mail::{MailServer, Post},
        outgoing::{Net, Rules},
        s3::{Storage, StorageSettings},
    },
    line::Voices,
    operations::{
        alerts::Watch,
        assistants,
        backups::{Backups, Place, Seals},
        endpoints::Endpoints,
        numbers::{Home, Telephony},
        secrets::Secrets,
    },
    providers::{
        breaker::Breakers,
        check::Asked,
        llm::{self, Models, ProviderSettings},
        stt::{EarSettings, Ears},
        tts::{
            AzureSettings, ElevenLabsSettings, GoogleSettings, LocalSettings, MouthSettings,
            Mouths, OpenAiSettings, Sounds,
        },
    },
    server::{Archive, ScheduledBackups, TwilioAccess},
    store::Store,
    twilio::{
        access::Credential,
        media::Media,
        rest::{self, Rest},
    },
    vault::Vault,
};

pub(super) fn runtime() -> Result<Runtime> {
    // What is done each second goes around among the threads that wait for work: with ten seconds, as usual, as
    // many as a busy minute made would never wait for long enough to end.
    Builder::new_multi_thread()
        .enable_all()
        .thread_keep_alive(Duration::from_secs(1))
        .build()
        .map_err(|error| Error::failure("the daemon's runtime could not be started").because(error))
}

/// Who brings deliveries out, under the rules that the settings give.
pub(super) fn couriers(settings: &Settings) -> Result<Couriers> {
    let outgoing = &settings.outgoing;
    let networks = outgoing.allowed_networks.value.iter();
    let allowed = networks
        .map(|network| network.to_string().parse::<Net>())
        .collect::<std::result::Result<_, _>>()
        .map_err(|cause| Error::config("`outgoing.allowed_networks` is wrong").because(cause))?;
    let rules = Rules { allowed, allow_http: outgoing.allow_http.value, ..Rules::default() };
    let url = |url: &Option<PublicUrl>| url.as_ref().map(ToString::to_string);
    let addresses = Addresses {
        hubspot: url(&outgoing.hubspot_url.value),
        pipedrive: url(&outgoing.pipedrive_url.value),
        google_calendar: url(&outgoing.google_calendar_url.value),
    };
    let couriers = Couriers::new(rules, addresses)
        .map_err(|cause| Error::failure("nothing can be delivered").because(cause))?;
    Ok(couriers.mailing_by(mail(settings)?))
}

/// Backups in a place: the one that is named, the one of the settings otherwise.
pub(super) fn backups(
    settings: &Settings,
    named: Option<&BackupPlace>,
    recipients: &[String],
    identity: Option<(Secret, String)>,
) -> Result<Backups> {
    let backup = &settings.backup;
    let place = named.or(backup.to.value.as_ref()).ok_or_else(|| {
        Error::config("no place for backups is set").hint(
            "`to = \"/var/backups/webox\"` under `[backup]` in webox.toml, WEBOX_BACKUP_TO, or `--to` and `--from`",
        )
    })?;
    let place = match place {
        BackupPlace::Folder(path) => Place::Folder(path.clone()),
        BackupPlace::Bucket { bucket, prefix } => {
            let missing = |key: &str| {
                Error::config(format!("`backup.{key}` is not set, and {place} needs it")).hint(
                    format!(
                        "`{key} = {{ file = \"…\" }}` under `[backup]`, or WEBOX_BACKUP_{}",
                        key.to_uppercase()
                    ),
                )
            };
            let region = backup.region.value.clone();
            let endpoint = backup.endpoint.value.as_ref().map_or_else(
                || format!("https://s3.{region}.amazonaws.com"),
                |url| url.as_str().to_owned(),
            );
            let storage = Storage::new(&StorageSettings {
                endpoint,
                region,
                bucket: bucket.clone(),
                path_style: backup.path_style.value,
                access_key: backup.access_key.value.clone().ok_or_else(|| missing("access_key"))?,
                secret_key: backup.secret_key.value.clone().ok_or_else(|| missing("secret_key"))?,
            })?;
            Place::Bucket(Box::new(storage), prefix.clone())
        }
    };
    let recipients =
        if recipients.is_empty() { backup.recipients.value.as_slice() } else { recipients };
    let seals = Seals::new(Vault::new(settings.master_key.clone())).for_recipients(recipients)?;
    let seals = match identity {
        Some((text, origin)) => seals.opening_with(text, origin),
        None => seals,
    };
    Ok(Backups::new(place, seals))
}

/// Backups that the daemon makes, where a schedule is set.
pub(super) fn scheduled_backups(settings: &Settings) -> Result<Option<ScheduledBackups>> {
    let Some(schedule) = settings.backup.schedule.value.clone() else { return Ok(None) };
    let backups = backups(settings, None, &[], None)?;
    let keep = settings.backup.keep.value;
    Ok(Some(ScheduledBackups::new(backups, schedule, keep, jiff::Timestamp::now())))
}

/// What is watched, and who is told.
pub(super) fn watch(settings: &Settings) -> Watch {
    let alerts = &settings.alerts;
    Watch {
        rules: alerts.rules.value.clone().into(),
        destinations: alerts.destinations.value.clone().into(),
        to: alerts.to.value.clone().into(),
        quiet: alerts.quiet.value.clone().into(),
        remind: alerts.remind.value,
        zone: alerts.zone.value.clone(),
        language: alerts.language.value,
    }
}

/// The clients' own systems, asked for real.
pub(super) fn endpoints(settings: &Settings, store: &Store) -> Result<Endpoints> {
    let secrets = Secrets::new(Vault::new(settings.master_key.clone()));
    Ok(Endpoints::real(couriers(settings)?, secrets, store.clone()))
}

/// Where recordings are, and what Twilio is asked for them with.
pub(super) fn archive(settings: &Settings, store: &Store, access: TwilioAccess) -> Result<Archive> {
    let secrets = Secrets::new(Vault::new(settings.master_key.clone()));
    let base_url = settings.twilio.address();
    let media = Media::new(base_url.as_deref().unwrap_or(rest::BASE_URL))?;
    let folder = settings.recordings_folder.value.clone();
    Ok(Archive::new(store.clone(), secrets, access, media, folder))
}

/// Makes a folder that only its owner can look into, where there is none.
pub(super) fn make_private(folder: &Path) -> Result<()> {
    files::make_folder(folder, files::nearest(folder)).map_err(|cause| {
        Error::config(format!("the folder {} cannot be made", folder.display()))
            .because(cause)
            .hint("set `recordings.folder` to one that can, or leave it out: they stay at Twilio")
    })
}

/// The agency's account at Twilio, where, and with what it is asked.
pub(super) fn twilio(settings: &Settings) -> Result<TwilioAccess> {
    let twilio = &settings.twilio;
    let base_url = twilio.address();
    let rest = Rest::new(base_url.as_deref().unwrap_or(rest::BASE_URL))?;
    Ok(TwilioAccess::new(rest, twilio.account_sid.value.clone(), credentials(settings)))
}

/// Where calls are to go, by the settings.
pub(super) fn home_of_numbers(settings: &Settings) -> Home {
    let url = |url: &Option<PublicUrl>| url.as_ref().map(ToString::to_string);
    Home {
        public_url: url(&settings.public_url.value),
        fallback_url: url(&settings.twilio.fallback_url.value),
        overrides: settings.twilio.webhook_overrides.value.clone(),
    }
}

/// The accounts at Twilio, asked with the keys of this machine.
pub(super) fn telephony(settings: &Settings, store: Store, secrets: Secrets) -> Result<Telephony> {
    Ok(Telephony { store, secrets, access: twilio(settings)?, home: home_of_numbers(settings) })
}

/// What the agency's account is asked with: its API key, then its tokens.
pub(super) fn credentials(settings: &Settings) -> Vec<Credential> {
    let twilio = &settings.twilio;
    let key = twilio.api_key.value.clone().zip(twilio.api_secret.value.clone());
    let key = key.map(|(key, secret)| Credential { key: Some(key), of: None, secret });
    let tokens = twilio.auth_tokens.value.iter().cloned().map(Credential::from);
    key.into_iter().chain(tokens).collect()
}

/// The server that mail leaves by, where one is set.
fn mail(settings: &Settings) -> Result<Option<Post>> {
    let smtp = &settings.smtp;
    let (Some(host), Some(from)) = (&smtp.host.value, &smtp.from.value) else { return Ok(None) };
    let server = MailServer {
        host: host.clone(),
        port: smtp.port.value,
        encryption: smtp.encryption.value,
        user: smtp.user.value.clone(),
        password: smtp.password.value.clone(),
        from: from.clone(),
    };
    Post::new(&server)
        .map(Some)
        .map_err(|why| Error::config(format!("`smtp.host` ({}): {why}", smtp.host.origin)))
}

/// The models that the settings give keys or addresses for.
pub(super) fn models(settings: &Settings) -> Models {
    let url = |url: &Option<PublicUrl>| url.as_ref().map(ToString::to_string);
    Models::new(ProviderSettings {
        openai_api_key: settings.openai.api_key.value.clone(),
        openai_base_url: url(&settings.openai.base_url.value),
        anthropic_api_key: settings.anthropic.api_key.value.clone(),
        anthropic_base_url: url(&settings.anthropic.base_url.value),
    })
}

/// All providers that can be asked one small thing.
pub(super) fn asked(settings: &Settings) -> Asked {
    Asked { models: models(settings), ears: ears(settings), mouths: mouths(settings) }
}

/// Every provider that webox knows, whether it can be asked, and where. Nobody is asked.
pub(super) fn standings(settings: &Settings) -> Vec<ProviderStanding> {
    let speech = &settings.speech;
    let address = |url: &Setting<Option<PublicUrl>>| url.value.as_ref().map(ToString::to_string);
    let standing = |kind, provider: &str, configured, address| ProviderStanding {
        kind,
        provider: provider.to_owned(),
        configured,
        address,
        state: None,
    };
    let mut all: Vec<ProviderStanding> =
        [("openai", &settings.openai), ("anthropic", &settings.anthropic)]
            .into_iter()
            .map(|(provider, set)| {
                let configured = set.api_key.value.is_some() || set.base_url.value.is_some();
                standing(ProviderKind::Model, provider, configured, address(&set.base_url))
            })
            .collect();
    let ears = ears(settings);
    all.extend(EarProvider::ALL.iter().map(|provider| {
        let configured = ears.find(*provider, None, None).is_ok();
        let url = match provider {
            EarProvider::Deepgram => address(&speech.deepgram.base_url),
            EarProvider::Google => address(&speech.google.base_url),
            EarProvider::Openai => address(&settings.openai.base_url),
        };
        standing(ProviderKind::Ear, provider.as_str(), configured, url)
    }));
    let mouths = mouths(settings);
    let ours = VoiceProvider::ALL.iter().filter(|provider| **provider != VoiceProvider::Twilio);
    all.extend(ours.map(|provider| {
        let configured = match provider {
            VoiceProvider::Local => has_program(speech),
            provider => mouths.find(*provider, None).is_ok(),
        };
        let url = match provider {
            VoiceProvider::Elevenlabs => address(&speech.elevenlabs.base_url),
            VoiceProvider::Google => address(&speech.google_voice_url),
            VoiceProvider::Azure => address(&speech.azure.base_url),
            VoiceProvider::Openai => address(&settings.openai.base_url),
            VoiceProvider::Twilio | VoiceProvider::Local => None,
        };
        standing(ProviderKind::Mouth, provider.as_str(), configured, url)
    }));
    all
}

/// Whether this machine has a program that speaks.
fn has_program(speech: &Speech) -> bool {
    let named = [&speech.espeak.value, &speech.piper.value].into_iter().flatten();
    if named.clone().any(|path| path.is_file()) {
        return true;
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join("espeak-ng").is_file())
}

/// All that speaks and listens for the daemon, and the sounds that are kept.
pub(super) fn voices(settings: &Settings, breakers: Breakers) -> Voices {
    let (mouths, ears) = (mouths(settings), ears(settings));
    let voices = Voices::new(mouths, ears, breakers);
    let folder = &settings.sounds.folder.value;
    let most = u64::from(settings.sounds.max_mib.value) * 1024 * 1024;
    let sounds = Sounds::open(folder, most).or_else(|error| {
        tracing::warn!(
            folder = %folder.display(), %error,
            "sounds cannot be kept: they are spoken anew after each restart"
        );
        Sounds::in_memory()
    });
    match sounds {
        Ok(sounds) => voices.keeping(sounds),
        Err(error) => {
            tracing::warn!(%error, "no sound is kept");
            voices
        }
    }
}

/// The mouths that the settings give keys or addresses for.
pub(super) fn mouths(settings: &Settings) -> Mouths {
    let url = |url: &Option<PublicUrl>| url.as_ref().map(ToString::to_string);
    let speech = &settings.speech;
    // Whoever speaks is asked with the same account as whoever listens.
    let google_key = speech.google.api_key.value.clone().or_else(|| {
        let file = speech.google_credentials.value.as_deref()?;
        let text = std::fs::read_to_string(file).ok()?;
        Some(Secret::new(text))
    });
    Mouths::new(MouthSettings {
        elevenlabs: ElevenLabsSettings {
            api_key: speech.elevenlabs.api_key.value.clone(),
            base_url: url(&speech.elevenlabs.base_url.value),
            model: speech.elevenlabs_model.value.clone(),
            socket: speech.elevenlabs_socket.value,
        },
        google: GoogleSettings { key: google_key, base_url: url(&speech.google_voice_url.value) },
        azure: AzureSettings {
            api_key: speech.azure.api_key.value.clone(),
            region: speech.azure_region.value.clone(),
            base_url: url(&speech.azure.base_url.value),
        },
        openai: OpenAiSettings {
            api_key: settings.openai.api_key.value.clone(),
            base_url: url(&settings.openai.base_url.value),
            model: speech.openai_voice_model.value.clone(),
        },
        local: LocalSettings {
            espeak: speech.espeak.value.clone(),
            piper: speech.piper.value.clone(),
            models: speech.piper_models.value.clone(),
            at_once: None,
        },
        ..MouthSettings::default()
    })
}

/// The ears that the settings give keys or addresses for.
pub(super) fn ears(settings: &Settings) -> Ears {
    let url = |url: &Option<PublicUrl>| url.as_ref().map(ToString::to_string);
    let speech = &settings.speech;
    Ears::new(EarSettings {
        deepgram_api_key: speech.deepgram.api_key.value.clone(),
        deepgram_base_url: url(&speech.deepgram.base_url.value),
        google_credentials: speech.google_credentials.value.clone(),
        google_machine_credentials: false,
        google_project: speech.google_project.value.clone(),
        google_location: speech.google_location.value.clone(),
        google_base_url: url(&speech.google.base_url.value),
        openai_api_key: settings.openai.api_key.value.clone(),
        openai_base_url: url(&settings.openai.base_url.value),
        ..EarSettings::default()
    })
}

/// The same, with the secrets that a store keeps.
pub(super) fn models_with(settings: &Settings, store: &Store, secrets: &Secrets) -> Models {
    let (store, secrets) = (store.clone(), secrets.clone());
    models(settings).keeping(Arc::new(move |owner, name| secrets.find(&store, owner, name)))
}

/// Says which assistants use a model that is, or soon will be, shut down or without a key.
pub(super) fn warn_of_models(store: &Store, models: &Models) -> Result<()> {
    let today = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    for overview in assistants::list(store, &Actor::webox("serve"))? {
        let spec = &overview.assistant.spec;
        let owner = overview.assistant.owner.as_ref().map(|owner| owner.id);
        for model in std::iter::once(&spec.ai.model).chain(&spec.ai.fallbacks) {
            if model.is_builtin() {
                continue;
            }
            if let Some(warning) = llm::warning(model, today) {
                tracing::warn!(assistant = %spec.name, model = %model, "{warning}");
            }
            let key = spec.ai.api_key.as_ref();
            let key = key.filter(|_| models.share_a_provider(model, &spec.ai.model));
            if let Err(error) = models.find_with(model, key, owner) {
                tracing::warn!(
                    assistant = %spec.name, model = %model, detail = %error.detail,
                    "this model cannot be asked; the next in the chain will answer"
                );
            }
        }
    }
    Ok(())
}
