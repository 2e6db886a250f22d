//! Which ear a name means, where it is asked, and with which key.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use serde_json::Value;

use super::{
    SpeechToText,
    deepgram::{self, Deepgram},
    errors,
    google::{self, Access, Connection, Google},
    openai::{self, Openai},
};
use crate::{
    domain::{EarProvider, Outcome, Secret},
    providers::speech::SpeechError,
};

/// Connections to Google that are kept; more keys than these take turns.
const CONNECTIONS: usize = 64;

/// How long ears wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarPatience {
    /// For a connection.
    pub connect: Duration,
    /// For the last words, after an utterance is over.
    pub finish: Duration,
    /// For the transcription of a whole utterance, where it is asked for at once.
    pub answer: Duration,
    /// Between two signs of life.
    pub keep_alive: Duration,
}

impl Default for EarPatience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            finish: Duration::from_secs(1),
            answer: Duration::from_secs(8),
            // Deepgram asks for one each three to five seconds.
            keep_alive: Duration::from_secs(4),
        }
    }
}

/// Keys and addresses of the ears.
#[derive(Debug, Clone, Default)]
pub struct EarSettings {
    /// Deepgram's key.
    pub deepgram_api_key: Option<Secret>,
    /// A server of one's own, up to but without `/v1`.
    pub deepgram_base_url: Option<String>,
    /// A file with Google's credentials, such as the key of a service account.
    pub google_credentials: Option<PathBuf>,
    /// Whether the credentials of this machine are taken otherwise: gcloud's, or the cloud's.
    pub google_machine_credentials: bool,
    /// The project that pays; the one of the service account otherwise.
    pub google_project: Option<String>,
    /// Where Google hears: `global`, `eu`, `europe-west4`, …
    pub google_location: Option<String>,
    /// Another address than Google's; one that begins with `http://` is asked without credentials.
    pub google_base_url: Option<String>,
    /// Needed for OpenAI itself; sent to a server of one's own if it is set.
    pub openai_api_key: Option<Secret>,
    /// A server with OpenAI's transcriptions, up to and with `/v1`.
    pub openai_base_url: Option<String>,
    /// How long they wait.
    pub patience: EarPatience,
}

/// All ears that can be asked with the settings given.
#[derive(Clone)]
pub struct Ears(Arc<Shared>);

struct Shared {
    settings: EarSettings,
    http: OnceLock<reqwest::Client>,
    google: Mutex<Vec<Known>>,
}

/// A connection to Google, and whose it is.
struct Known {
    location: String,
    credentials: Secret,
    connection: Arc<Connection>,
}

impl Ears {
    /// Makes no connection yet.
    pub fn new(settings: EarSettings) -> Self {
        Self(Arc::new(Shared { settings, http: OnceLock::new(), google: Mutex::default() }))
    }

    /// An ear, with a model and a key of its own if there are any. For Google the key is what a
    /// file of credentials says.
    pub fn find(
        &self,
        provider: EarProvider,
        model: Option<&str>,
        key: Option<Secret>,
    ) -> Result<Arc<dyn SpeechToText>, SpeechError> {
        let shown = key.clone();
        let found = match provider {
            EarProvider::Deepgram => self.deepgram(model, key),
            EarProvider::Google => self.google(model, key),
            EarProvider::Openai => self.openai(model, key),
        };
        found.map_err(|error| errors::presentable(error, shown.as_ref()))
    }

    fn deepgram(
        &self,
        model: Option<&str>,
        key: Option<Secret>,
    ) -> Result<Arc<dyn SpeechToText>, SpeechError> {
        let settings = &self.0.settings;
        let key = key
            .or_else(|| settings.deepgram_api_key.clone())
            .ok_or_else(|| no_key("there is no key for Deepgram: set DEEPGRAM_API_KEY"))?;
        let model = model.unwrap_or(deepgram::MODEL);
        Ok(Arc::new(Deepgram {
            id: format!("{}/{model}", EarProvider::Deepgram),
            model: model.to_owned(),
            base: settings.deepgram_base_url.clone().unwrap_or(deepgram::BASE.to_owned()),
            key,
            patience: settings.patience,
        }))
    }

    fn openai(
        &self,
        model: Option<&str>,
        key: Option<Secret>,
    ) -> Result<Arc<dyn SpeechToText>, SpeechError> {
        let settings = &self.0.settings;
        let key = key.or_else(|| settings.openai_api_key.clone());
        let (base, usual) = match &settings.openai_base_url {
            Some(base) => (base.as_str(), openai::COMPATIBLE_MODEL),
            None if key.is_some() => (openai::BASE, openai::MODEL),
            None => {
                return Err(no_key(
                    "there is no key for OpenAI: set OPENAI_API_KEY, or OPENAI_BASE_URL for a \
                     server of your own",
                ));
            }
        };
        let model = model.unwrap_or(usual);
        Ok(Arc::new(Openai {
            id: format!("{}/{model}", EarProvider::Openai),
            model: model.to_owned(),
            base: base.to_owned(),
            key,
            client: self.http()?,
            patience: settings.patience,
        }))
    }

    fn http(&self) -> Result<reqwest::Client, SpeechError> {
        if let Some(client) = self.0.http.get() {
            return Ok(client.clone());
        }
        let client = reqwest::Client::builder()
            .connect_timeout(self.0.settings.patience.connect)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|cause| errors::unreachable(&cause))?;
        Ok(self.0.http.get_or_init(|| client).clone())
    }

    fn google(
        &self,
        model: Option<&str>,
        key: Option<Secret>,
    ) -> Result<Arc<dyn SpeechToText>, SpeechError> {
        let settings = &self.0.settings;
        let key = match (key, &settings.google_credentials) {
            (Some(key), _) => Some(key),
            (None, Some(path)) => {
                let read = std::fs::read_to_string(path).map_err(|cause| {
                    let path = path.display();
                    no_key(format!("GOOGLE_APPLICATION_CREDENTIALS: {path}: {cause}"))
                })?;
                Some(Secret::new(read))
            }
            (None, None) => None,
        };
        let plain = settings.google_base_url.as_ref().is_some_and(|url| url.starts_with("http://"));
        let (access, project) = match &key {
            // Nobody sends a key where everybody can read it.
            _ if plain => (Access::Anonymous, None),
            Some(key) => {
                let json: Value = serde_json::from_str(key.expose()).map_err(|_| {
                    let told = "Google's credentials are no JSON: take the whole file that Google \
                                made, as it is";
                    SpeechError::new(Outcome::Denied, told)
                })?;
                let project = json["project_id"].as_str().map(str::to_owned);
                (Access::Key(json), project)
            }
            None if settings.google_machine_credentials => (Access::Machine, None),
            None => {
                return Err(no_key(
                    "there are no credentials for Google: set GOOGLE_APPLICATION_CREDENTIALS to \
                     the file with the key of a service account",
                ));
            }
        };
        let project = settings.google_project.clone().or(project).ok_or_else(|| {
            no_key("Google wants to know which project pays: set GOOGLE_CLOUD_PROJECT")
        })?;
        let location = settings.google_location.as_deref().unwrap_or("global");
        let model = model.unwrap_or(google::MODEL);
        Ok(Arc::new(Google {
            id: format!("{}/{model}", EarProvider::Google),
            model: model.to_owned(),
            project,
            location: location.to_owned(),
            connection: self.connection(location, key.as_ref(), access),
            key,
            patience: settings.patience,
        }))
    }

    /// The connection with these credentials: calls share it.
    fn connection(&self, location: &str, key: Option<&Secret>, access: Access) -> Arc<Connection> {
        let credentials = key.cloned().unwrap_or_else(|| Secret::new(""));
        let mut kept = self.0.google.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept
            .iter()
            .find(|known| known.location == location && known.credentials == credentials);
        if let Some(known) = known {
            return Arc::clone(&known.connection);
        }
        if kept.len() >= CONNECTIONS {
            kept.remove(0);
        }
        let endpoint = self.0.settings.google_base_url.as_deref();
        let connection = Arc::new(Connection::new(endpoint, location, access));
        kept.push(Known {
            location: location.to_owned(),
            credentials,
            connection: Arc::clone(&connection),
        });
        connection
    }
}

fn no_key(told: impl Into<String>) -> SpeechError {
    SpeechError::new(Outcome::NoKey, told)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = r#"{"type":"service_account","project_id":"acme"}"#;

    fn told(settings: EarSettings, provider: EarProvider) -> Result<String, SpeechError> {
        Ears::new(settings).find(provider, None, None).map(|ear| ear.id().to_owned())
    }

    #[test]
    fn without_a_key_it_is_told_what_to_set() {
        for (provider, variable) in [
            (EarProvider::Deepgram, "DEEPGRAM_API_KEY"),
            (EarProvider::Google, "GOOGLE_APPLICATION_CREDENTIALS"),
            (EarProvider::Openai, "OPENAI_BASE_URL"),
        ] {
            let error = told(EarSettings::default(), provider).unwrap_err();
            assert_eq!(error.outcome, Outcome::NoKey);
            assert!(error.detail.contains(variable), "{error}");
        }
        let missing = EarSettings {
            google_credentials: Some("/nowhere/google.json".into()),
            ..EarSettings::default()
        };
        let error = told(missing, EarProvider::Google).unwrap_err();
        assert!(error.detail.contains("/nowhere/google.json"), "{error}");
    }

    #[test]
    fn each_has_its_usual_model() {
        let settings = EarSettings {
            deepgram_api_key: Some(Secret::new("k")),
            openai_api_key: Some(Secret::new("k")),
            google_machine_credentials: true,
            google_project: Some("acme".to_owned()),
            ..EarSettings::default()
        };
        let id = |provider| told(settings.clone(), provider).unwrap();
        assert_eq!(id(EarProvider::Deepgram), "deepgram/nova-3");
        assert_eq!(id(EarProvider::Google), "google/telephony");
        assert_eq!(id(EarProvider::Openai), "openai/gpt-transcribe");
        let own = EarSettings {
            openai_base_url: Some("http://127.0.0.1:9/v1".to_owned()),
            ..EarSettings::default()
        };
        assert_eq!(told(own, EarProvider::Openai).unwrap(), "openai/whisper-1");
        let ears = Ears::new(settings);
        let ends_turns =
            |model| ears.find(EarProvider::Deepgram, Some(model), None).map(|ear| ear.ends_turns());
        assert_eq!(ends_turns("flux"), Ok(true));
        assert_eq!(ends_turns("nova-3"), Ok(false));
    }

    #[test]
    fn an_account_of_google_names_its_project_and_shares_its_connection() {
        let ears = Ears::new(EarSettings::default());
        let find = |key: &str| {
            ears.google(None, Some(Secret::new(key))).map(|_| ears.0.google.lock().unwrap().len())
        };
        assert_eq!(find(ACCOUNT), Ok(1));
        assert_eq!(find(ACCOUNT), Ok(1));
        assert_eq!(find(&ACCOUNT.replace("acme", "other")), Ok(2));
        let error = find("sk-not-json").unwrap_err();
        assert!(!error.to_string().contains("sk-not-json"));
        assert_eq!(find(r#"{"type":"service_account"}"#).unwrap_err().outcome, Outcome::NoKey);
    }
}
