//! Which model a name means, where it is asked, and with which key.

use std::sync::Arc;

use super::{
    ChatModel, ModelError,
    errors::error,
    http::{Auth, Http, RemoteModel},
    table::{Capabilities, Table, Vendor},
    wire::Wire,
};
use crate::domain::{ModelRef, Outcome, Secret};

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
}

/// A name, understood.
struct Target<'a> {
    provider: &'static str,
    model: &'a str,
    place: Place,
    wire: Wire,
    capabilities: &'a Capabilities,
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
        Self { settings: Arc::new(settings), http: Arc::default() }
    }

    /// The model of this name, if it can be asked with the keys at hand.
    pub fn find(&self, name: &ModelRef) -> Result<Arc<dyn ChatModel>, ModelError> {
        let table = Table::get()
            .ok_or_else(|| error(Outcome::Unusable, "the table of models cannot be read"))?;
        let target = self.understand(table, name.as_str())?;
        let (base, auth) = self.address(target.place)?;
        Ok(Arc::new(RemoteModel {
            id: format!("{}/{}", target.provider, target.model),
            model: target.model.to_owned(),
            url: target.wire.url(&base),
            auth,
            wire: target.wire,
            capabilities: target.capabilities.clone(),
            http: Arc::clone(&self.http),
        }))
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
            capabilities: &table.fallback.compatible,
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
        Target { provider: "openai", model, place: Place::OpenAi, wire, capabilities }
    }

    fn openai_responses<'a>(&self, table: &'a Table, model: &'a str) -> Target<'a> {
        let row = table.row(model).filter(|row| row.wire == Wire::Responses);
        let capabilities = match row {
            Some(row) if self.own_openai().is_none() => &row.capabilities,
            _ => &table.fallback.openai_responses,
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
            capabilities: row.map_or(&table.fallback.anthropic, |row| &row.capabilities),
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
