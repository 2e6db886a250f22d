//! Who speaks for a provider's word, and with which key.

use std::sync::Arc;

use super::{
    TextToSpeech,
    azure::{Azure, AzureSettings},
    elevenlabs::{ElevenLabs, ElevenLabsSettings},
    google::{Accounts, Google, GoogleSettings},
    http::{Deadlines, Http},
    local::{Local, LocalSettings},
    openai::{OpenAi, OpenAiSettings},
};
use crate::{
    domain::{Outcome, Secret, VoiceProvider},
    providers::speech::SpeechError,
};

/// Keys and addresses of all that speak.
#[derive(Debug, Clone, Default)]
pub struct MouthSettings {
    /// ElevenLabs.
    pub elevenlabs: ElevenLabsSettings,
    /// Google Cloud.
    pub google: GoogleSettings,
    /// Azure.
    pub azure: AzureSettings,
    /// OpenAI, and servers that speak as it does.
    pub openai: OpenAiSettings,
    /// Programs of this machine.
    pub local: LocalSettings,
    /// How long they are waited for.
    pub deadlines: Deadlines,
}

/// All that can speak with the settings given. Clones share connections, tokens and the bound on
/// programs.
#[derive(Clone)]
pub struct Mouths {
    settings: Arc<MouthSettings>,
    http: Http,
    accounts: Accounts,
    local: Local,
}

impl Mouths {
    /// Makes no connection and starts no program yet.
    pub fn new(settings: MouthSettings) -> Self {
        Self {
            http: Http::new(settings.deadlines),
            accounts: Accounts::default(),
            local: Local::new(&settings.local, settings.deadlines),
            settings: Arc::new(settings),
        }
    }

    /// Who speaks for a provider, with an assistant's own key if it has one.
    pub fn find(
        &self,
        provider: VoiceProvider,
        key: Option<Secret>,
    ) -> Result<Arc<dyn TextToSpeech>, SpeechError> {
        let settings = &*self.settings;
        let http = self.http.clone();
        Ok(match provider {
            VoiceProvider::Elevenlabs => {
                let key = of(key, settings.elevenlabs.api_key.as_ref())
                    .ok_or_else(|| no_key("ElevenLabs has no key: set ELEVENLABS_API_KEY"))?;
                Arc::new(ElevenLabs::new(&settings.elevenlabs, key, http))
            }
            VoiceProvider::Google => {
                let key = of(key, settings.google.key.as_ref()).ok_or_else(|| {
                    no_key(
                        "Google has no key: set GOOGLE_API_KEY to an API key, or to the JSON of a \
                         service account's",
                    )
                })?;
                Arc::new(Google::new(&settings.google, key, Arc::clone(&self.accounts), http))
            }
            VoiceProvider::Azure => {
                let key = of(key, settings.azure.api_key.as_ref())
                    .ok_or_else(|| no_key("Azure has no key: set AZURE_SPEECH_KEY"))?;
                Arc::new(Azure::new(&settings.azure, key, http)?)
            }
            VoiceProvider::Openai => {
                let key = of(key, settings.openai.api_key.as_ref());
                let mouth = OpenAi::new(&settings.openai, key, http);
                if mouth.key.is_none() && mouth.is_openais() {
                    return Err(no_key(
                        "OpenAI has no key: set OPENAI_API_KEY, or OPENAI_BASE_URL to a server of \
                         yours",
                    ));
                }
                Arc::new(mouth)
            }
            VoiceProvider::Local => Arc::new(self.local.clone()),
            VoiceProvider::Twilio => {
                return Err(SpeechError::new(
                    Outcome::NotFound,
                    "Twilio speaks its own voices itself, by <Say>",
                ));
            }
        })
    }
}

/// An assistant's key, or the daemon's; an empty one is none.
fn of(own: Option<Secret>, ours: Option<&Secret>) -> Option<Secret> {
    own.or_else(|| ours.cloned()).filter(|key| !key.expose().trim().is_empty())
}

fn no_key(what: &str) -> SpeechError {
    SpeechError::new(Outcome::NoKey, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(settings: MouthSettings, provider: VoiceProvider) -> Result<String, SpeechError> {
        Mouths::new(settings).find(provider, None).map(|mouth| mouth.id().to_owned())
    }

    #[test]
    fn without_a_key_it_says_what_to_set() {
        for (provider, variable) in [
            (VoiceProvider::Elevenlabs, "ELEVENLABS_API_KEY"),
            (VoiceProvider::Google, "GOOGLE_API_KEY"),
            (VoiceProvider::Azure, "AZURE_SPEECH_KEY"),
            (VoiceProvider::Openai, "OPENAI_API_KEY"),
        ] {
            let refused = find(MouthSettings::default(), provider).unwrap_err();
            assert_eq!(refused.outcome, Outcome::NoKey);
            assert!(refused.detail.contains(variable), "{refused}");
        }
        assert_eq!(find(MouthSettings::default(), VoiceProvider::Local).unwrap(), "local");
        let said_by_twilio = find(MouthSettings::default(), VoiceProvider::Twilio).unwrap_err();
        assert_eq!(said_by_twilio.outcome, Outcome::NotFound);
    }

    #[test]
    fn an_assistants_own_key_will_do() {
        let mouths = Mouths::new(MouthSettings::default());
        let own = || Some(Secret::new("own"));
        for provider in [VoiceProvider::Elevenlabs, VoiceProvider::Google, VoiceProvider::Openai] {
            assert_eq!(mouths.find(provider, own()).unwrap().id(), provider.as_str());
        }
        assert!(mouths.find(VoiceProvider::Google, Some(Secret::new(" "))).is_err());
        let azure = mouths.find(VoiceProvider::Azure, own()).err().unwrap();
        assert!(azure.detail.contains("AZURE_SPEECH_REGION"), "{azure}");
    }

    #[test]
    fn a_region_is_a_word_and_a_server_of_ones_own_needs_no_key() {
        let azure = |region: &str| MouthSettings {
            azure: AzureSettings {
                api_key: Some(Secret::new("k")),
                region: Some(region.to_owned()),
                base_url: None,
            },
            ..MouthSettings::default()
        };
        assert_eq!(find(azure("westeurope"), VoiceProvider::Azure).unwrap(), "azure");
        for wrong in ["", "evil.example/x?", "West Europe"] {
            assert!(find(azure(wrong), VoiceProvider::Azure).is_err(), "{wrong}");
        }
        let own = OpenAiSettings {
            base_url: Some("http://127.0.0.1:9/v1".to_owned()),
            ..OpenAiSettings::default()
        };
        let settings = MouthSettings { openai: own, ..MouthSettings::default() };
        assert_eq!(find(settings, VoiceProvider::Openai).unwrap(), "openai");
    }
}
