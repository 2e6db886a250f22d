//! Which model a name means, where it is asked, and with which key.

use std::sync::Arc;

use super::{
    ChatModel, Embedder, ModelError,
    errors::{self, error},
    http::{Auth, Http, RemoteModel},
    table::{Capabilities, Table, Vendor},
    wire::Wire,
};
use crate::domain::{Error, ModelRef, Outcome, Secret, SecretRef, UserId};

const OPENAI: &str = "https://api.openai.com/v1";
const ANTHROPIC: &str = "https://api.anthropic.com";
const OLLAMA: &str = "http://127.0.0.1:11434/v1";

/// Keys and addresses of the providers.
#[derive(Debug, Clone, Default)]
pub struct ProviderSettings {
    /// Needed for OpenAI itself; sent to a server of one's own if it is set.
    pub openai_api_key: Option<Secret>,
    /// An OpenAI-compatible server, up to and with `/v1`.
    pub openai_base_url: Option<String>,
    /// Needed for Anthropic itself.
    pub anthropic_api_key: Option<Secret>,
    /// A server that speaks Anthropic's messages, up to but without `/v1`.
    pub anthropic_base_url: Option<String>,
}

/// All models that can be asked with the settings given.
#[derive(Clone)]
pub struct Models {
    settings: Arc<ProviderSettings>,
    http: Arc<Http>,
    keeper: Option<Keeper>,
}

/// Finds the secrets that webox keeps itself, by owner and name.
pub type Keeper = Arc<dyn Fn(Option<UserId>, &str) -> Result<Secret, Error> + Send + Sync>;

/// A name, understood.
struct Target<'a> {
    provider: &'static str,
    model: &'a str,
    place: Place,
    wire: Wire,
    capabilities: Capabilities,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    OpenAi,
    Anthropic,
    Ollama,
    Compatible,
}

impl Models {
    /// Makes no connection yet.
    pub fn new(settings: ProviderSettings) -> Self {
        Self { settings: Arc::new(settings), http: Arc::default(), keeper: None }
    }

    /// With secrets of webox's own keeping.
    #[must_use]
    pub fn keeping(self, keeper: Keeper) -> Self {
        Self { keeper: Some(keeper), ..self }
    }

    /// The model of this name, asked with a key of its own if there is one. The key is read now:
    /// one that was replaced counts from the next turn on.
    pub fn find_with(
        &self,
        name: &ModelRef,
        key: Option<&SecretRef>,
        owner: Option<UserId>,
    ) -> Result<Arc<dyn ChatModel>, ModelError> {
        let Some(reference) = key else { return self.find(name) };
        let key = self.secret(reference, owner)?;
        let settings = ProviderSettings {
            openai_api_key: Some(key.clone()),
            anthropic_api_key: Some(key),
            ..(*self.settings).clone()
        };
        Self { settings: Arc::new(settings), http: Arc::clone(&self.http), keeper: None }.find(name)
    }

    /// Whether two models are asked at the same provider, so that a key for one is one for the other.
    pub fn share_a_provider(&self, one: &ModelRef, other: &ModelRef) -> bool {
        let place = |name: &ModelRef| {
            Table::get().and_then(|table| Some(self.understand(table, name.as_str()).ok()?.place))
        };
        place(one).is_some_and(|one| Some(one) == place(other))
    }

    /// The model of this name, if it can be asked with the keys at hand.
    pub fn find(&self, name: &ModelRef) -> Result<Arc<dyn ChatModel>, ModelError> {
        let table = Table::get()
            .ok_or_else(|| error(Outcome::Unusable, "the table of models cannot be read"))?;
        let target = self
            .understand(table, name.as_str())
            .map_err(|wrong| errors::presentable(wrong, None))?;
        let (base, auth) = self.address(target.place)?;
        Ok(Arc::new(RemoteModel {
            id: format!("{}/{}", target.provider, target.model),
            model: target.model.to_owned(),
            url: target.wire.url(&base),
            auth,
            wire: target.wire,
            capabilities: target.capabilities,
            http: Arc::clone(&self.http),
        }))
    }

    /// The model of this name that says what texts are about, asked with a key of its own if there is one.
    pub fn find_embedder(
        &self,
        name: &ModelRef,
        key: Option<&SecretRef>,
        owner: Option<UserId>,
    ) -> Result<Embedder, ModelError> {
        let table = Table::get()
            .ok_or_else(|| error(Outcome::Unusable, "the table of models cannot be read"))?;
        let key = key.map(|reference| self.secret(reference, owner)).transpose()?;
        let settings = match key {
            Some(key) => ProviderSettings { openai_api_key: Some(key), ..(*self.settings).clone() },
            None => (*self.settings).clone(),
        };
        let asked =
            Self { settings: Arc::new(settings), http: Arc::clone(&self.http), keeper: None };
        let target = asked
            .understand(table, name.as_str())
            .map_err(|wrong| errors::presentable(wrong, None))?;
        if target.place == Place::Anthropic {
            return Err(error(Outcome::NotFound, "Anthropic has no embeddings"));
        }
        let (base, auth) = asked.address(target.place)?;
        let id = format!("{}/{}", target.provider, target.model);
        Ok(Embedder::new(id, target.model, &base, auth, Arc::clone(&self.http)))
    }

    /// Whether a name means any model, with or without a key for it.
    pub fn knows(&self, name: &ModelRef) -> bool {
        name.is_builtin()
            || Table::get().is_some_and(|table| {
                table.alias(name.as_str()).is_some()
                    || self.understand(table, name.as_str()).is_ok()
            })
    }

    fn understand<'a>(&self, table: &'a Table, name: &'a str) -> Result<Target<'a>, ModelError> {
        if let Some(alias) = table.alias(name) {
            let model = alias.map_err(|why| error(Outcome::NoKey, why))?;
            return self.understand(table, model);
        }
        let Some((provider, model)) = name.split_once('/') else {
            return match table.row(name).map(|row| row.vendor) {
                Some(Vendor::OpenAi) => Ok(self.openai(table, name)),
                Some(Vendor::Anthropic) => Ok(Self::anthropic(table, name)),
                None => Err(unknown(name)),
            };
        };
        if model.is_empty() {
            return Err(unknown(name));
        }
        let compatible = |provider, place| Target {
            provider,
            model,
            place,
            wire: Wire::ChatCompletions,
            capabilities: table.fallback.compatible.clone(),
        };
        match provider {
            "openai" => Ok(self.openai(table, model)),
            "openai-responses" => Ok(self.openai_responses(table, model)),
            "anthropic" => Ok(Self::anthropic(table, model)),
            "ollama" => Ok(compatible("ollama", Place::Ollama)),
            "compatible" => Ok(compatible("compatible", Place::Compatible)),
            _ => Err(unknown(name)),
        }
    }

    /// A server of one's own gets the fields that every server knows; OpenAI gets all that the
    /// model makes use of.
    fn openai<'a>(&self, table: &'a Table, model: &'a str) -> Target<'a> {
        let (wire, capabilities) = match table.row(model) {
            _ if self.own_openai().is_some() => (Wire::ChatCompletions, &table.fallback.compatible),
            Some(row) if row.vendor == Vendor::OpenAi => (row.wire, &row.capabilities),
            _ => (Wire::ChatCompletions, &table.fallback.openai),
        };
        let capabilities = capabilities.clone();
        Target { provider: "openai", model, place: Place::OpenAi, wire, capabilities }
    }

    /// A model that OpenAI takes on both wires reasons as little on this one.
    fn openai_responses<'a>(&self, table: &'a Table, model: &'a str) -> Target<'a> {
        let least = &table.fallback.openai_responses;
        let row = table.row(model).filter(|row| row.vendor == Vendor::OpenAi);
        let capabilities = match row {
            Some(row) if self.own_openai().is_none() => {
                Capabilities { token_limit: least.token_limit.clone(), ..row.capabilities.clone() }
            }
            _ => least.clone(),
        };
        let wire = Wire::Responses;
        Target { provider: "openai", model, place: Place::OpenAi, wire, capabilities }
    }

    fn anthropic<'a>(table: &'a Table, model: &'a str) -> Target<'a> {
        let row = table.row(model).filter(|row| row.vendor == Vendor::Anthropic);
        Target {
            provider: "anthropic",
            model,
            place: Place::Anthropic,
            wire: Wire::Messages,
            capabilities: row.map_or(&table.fallback.anthropic, |row| &row.capabilities).clone(),
        }
    }

    /// The OpenAI-compatible server that is set, unless it is OpenAI's own.
    fn own_openai(&self) -> Option<&str> {
        self.settings
            .openai_base_url
            .as_deref()
            .filter(|url| !url.is_empty() && !is_host(url, "api.openai.com"))
    }

    fn own_anthropic(&self) -> Option<&str> {
        self.settings
            .anthropic_base_url
            .as_deref()
            .filter(|url| !url.is_empty() && !is_host(url, "api.anthropic.com"))
    }

    /// Base URL and key. Only the vendors' own servers insist on a key.
    fn address(&self, place: Place) -> Result<(String, Auth), ModelError> {
        let settings = &self.settings;
        let openai_key = || settings.openai_api_key.clone();
        match place {
            Place::Ollama => Ok((self.own_openai().unwrap_or(OLLAMA).to_owned(), Auth::None)),
            Place::Compatible => {
                let base = settings.openai_base_url.clone().ok_or_else(|| {
                    error(
                        Outcome::NoKey,
                        "a compatible server has no address: set OPENAI_BASE_URL to it",
                    )
                })?;
                Ok((base, openai_key().map_or(Auth::None, Auth::Bearer)))
            }
            Place::OpenAi => match (self.own_openai(), openai_key()) {
                (Some(base), key) => Ok((base.to_owned(), key.map_or(Auth::None, Auth::Bearer))),
                (None, Some(key)) => {
                    let base = settings.openai_base_url.as_deref().filter(|url| !url.is_empty());
                    Ok((base.unwrap_or(OPENAI).to_owned(), Auth::Bearer(key)))
                }
                (None, None) => Err(error(
                    Outcome::NoKey,
                    "OpenAI has no key: set OPENAI_API_KEY, or OPENAI_BASE_URL to a server of yours",
                )),
            },
            Place::Anthropic => match (self.own_anthropic(), settings.anthropic_api_key.clone()) {
                (Some(base), key) => Ok((base.to_owned(), key.map_or(Auth::None, Auth::ApiKey))),
                (None, Some(key)) => {
                    let base = settings.anthropic_base_url.as_deref().filter(|url| !url.is_empty());
                    Ok((base.unwrap_or(ANTHROPIC).to_owned(), Auth::ApiKey(key)))
                }
                (None, None) => {
                    Err(error(Outcome::NoKey, "Anthropic has no key: set ANTHROPIC_API_KEY"))
                }
            },
        }
    }
}

impl Models {
    /// Reads a secret where it is kept: in this process's environment, in a file of this machine,
    /// or in webox's own keeping.
    fn secret(&self, reference: &SecretRef, owner: Option<UserId>) -> Result<Secret, ModelError> {
        let missing = |why: String| error(Outcome::NoKey, why);
        let found = match (reference, &self.keeper) {
            (SecretRef::Env(name), _) => std::env::var(name).ok(),
            (SecretRef::File(path), _) => match std::fs::read_to_string(path) {
                Ok(text) => Some(text),
                Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => None,
                Err(cause) => {
                    let what = format!("the assistant's own key {reference} cannot be read");
                    return Err(missing(format!("{what}: {cause}")));
                }
            },
            (SecretRef::Secret(name), Some(keeper)) => {
                return keeper(owner, name).map_err(|error| missing(error.to_string()));
            }
            (SecretRef::Secret(_), None) => None,
        };
        match found.as_deref().map(str::trim) {
            Some(key) if !key.is_empty() => Ok(Secret::new(key)),
            _ => {
                Err(missing(format!("the assistant's own key {reference} is not there, or empty")))
            }
        }
    }
}

fn unknown(name: &str) -> ModelError {
    error(
        Outcome::NotFound,
        format!(
            "`{name}` is no model known here: name its provider too, as openai/…, anthropic/…, \
             ollama/… or compatible/…"
        ),
    )
}

/// Whether a URL leads to a host or, as the vendors have them for regions, to one below it.
fn is_host(url: &str, host: &str) -> bool {
    reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).is_some_and(
        |found| {
            found
                .strip_suffix(host)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(openai: Option<&str>, base: Option<&str>, anthropic: Option<&str>) -> Models {
        Models::new(ProviderSettings {
            openai_api_key: openai.map(Secret::new),
            openai_base_url: base.map(str::to_owned),
            anthropic_api_key: anthropic.map(Secret::new),
            anthropic_base_url: None,
        })
    }

    /// Id, wire and the field that bounds the answer: what tells one way of asking from another.
    fn asked(models: &Models, name: &str) -> (String, Wire, String) {
        let table = Table::get().unwrap();
        let target = models.understand(table, name).unwrap();
        let id = models.find(&name.parse().unwrap()).unwrap().id().to_owned();
        (id, target.wire, target.capabilities.token_limit)
    }

    fn failure(models: &Models, name: &str) -> ModelError {
        models.find(&name.parse().unwrap()).err().expect(name)
    }

    #[test]
    fn names_lead_to_models() {
        let models = models(Some("k"), None, Some("k"));
        let chat = "max_completion_tokens";
        for (name, id, wire, limit) in [
            ("gpt-4", "openai/gpt-6.1-terra", Wire::ChatCompletions, chat),
            ("gpt-3.5-turbo", "openai/gpt-6-luna", Wire::ChatCompletions, chat),
            ("claude-3", "anthropic/claude-haiku-5-5", Wire::Messages, "max_tokens"),
            ("gpt-6-astra", "openai/gpt-6-astra", Wire::Responses, "max_output_tokens"),
            ("openai/gpt-9", "openai/gpt-9", Wire::ChatCompletions, chat),
            (
                "openai-responses/gpt-6-luna",
                "openai/gpt-6-luna",
                Wire::Responses,
                "max_output_tokens",
            ),
            ("anthropic/claude-9", "anthropic/claude-9", Wire::Messages, "max_tokens"),
            ("ollama/llama3:8b", "ollama/llama3:8b", Wire::ChatCompletions, "max_tokens"),
        ] {
            assert_eq!(asked(&models, name), (id.to_owned(), wire, limit.to_owned()), "{name}");
        }
    }

    #[test]
    fn responses_forced_on_a_model_keep_its_ways() {
        let models = models(Some("k"), None, None);
        let table = Table::get().unwrap();
        let target = models.understand(table, "openai-responses/gpt-6-luna").unwrap();
        assert_eq!(target.capabilities.reasoning_effort.as_deref(), Some("none"));
        assert!(target.capabilities.cache_key);
    }

    #[test]
    fn a_server_of_ones_own_is_asked_plainly_and_needs_no_key() {
        let models = models(None, Some("http://127.0.0.1:9/v1"), None);
        for name in ["gpt-4", "openai/gpt-6-astra", "compatible/mistral/small", "ollama/x"] {
            let (_, wire, limit) = asked(&models, name);
            assert_eq!((wire, limit.as_str()), (Wire::ChatCompletions, "max_tokens"), "{name}");
        }
        assert_eq!(asked(&models, "compatible/a/b").0, "compatible/a/b");
    }

    #[test]
    fn openai_by_its_own_address_is_openai() {
        for base in ["https://api.openai.com/v1", "https://eu.api.openai.com/v1", ""] {
            let models = models(Some("k"), Some(base), None);
            assert_eq!(asked(&models, "gpt-4").2, "max_completion_tokens", "{base}");
        }
        for base in ["https://notapi.openai.com.test/v1", "https://xapi.openai.com/v1"] {
            let models = models(Some("k"), Some(base), None);
            assert_eq!(asked(&models, "gpt-4").2, "max_tokens", "{base}");
        }
    }

    #[test]
    fn keys_go_where_they_belong() {
        let address = |models: &Models, place| {
            let (base, auth) = models.address(place).unwrap();
            (
                base,
                match auth {
                    Auth::Bearer(key) => format!("bearer {}", key.expose()),
                    Auth::ApiKey(key) => format!("key {}", key.expose()),
                    Auth::None => String::new(),
                },
            )
        };
        let vendors = models(Some("o"), None, Some("a"));
        assert_eq!(address(&vendors, Place::OpenAi), (OPENAI.into(), "bearer o".into()));
        assert_eq!(address(&vendors, Place::Anthropic), (ANTHROPIC.into(), "key a".into()));
        assert_eq!(address(&vendors, Place::Ollama), (OLLAMA.into(), String::new()));
        let own = models(Some("o"), Some("http://h/v1"), None);
        assert_eq!(address(&own, Place::Compatible), ("http://h/v1".into(), "bearer o".into()));
        assert_eq!(address(&own, Place::Ollama), ("http://h/v1".into(), String::new()));
    }

    #[test]
    fn what_cannot_be_asked_says_why() {
        let none = Models::new(ProviderSettings::default());
        for (name, hint) in [
            ("gpt-4", "OPENAI_API_KEY"),
            ("claude-3", "ANTHROPIC_API_KEY"),
            ("compatible/x", "OPENAI_BASE_URL"),
            ("gemini-pro", "compatible/"),
        ] {
            let failure = failure(&none, name);
            assert_eq!(failure.outcome, Outcome::NoKey, "{name}");
            assert!(failure.detail.contains(hint), "{name}: {}", failure.detail);
        }
        for name in ["gpt-99", "builtin", "nobody/x", "openai/"] {
            assert_eq!(failure(&none, name).outcome, Outcome::NotFound, "{name}");
        }
    }
}
