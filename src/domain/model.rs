//! The name of a language model, as people type it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Error, text::text_type};

/// A model: an alias (`gpt-4`), `provider/model` (`anthropic/claude-haiku-5-5`), or `builtin`.
///
/// What it resolves to, and what that model accepts, is the table in `providers::llm`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelRef(String);

impl ModelRef {
    /// The built-in concierge: no network, no key.
    pub const BUILTIN: &str = "builtin";

    /// The built-in concierge.
    pub fn builtin() -> Self {
        Self(Self::BUILTIN.to_owned())
    }

    /// The name as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the built-in concierge.
    pub fn is_builtin(&self) -> bool {
        self.0 == Self::BUILTIN
    }

    /// Whether it is named with a provider that has models for embeddings.
    pub fn can_embed(&self) -> bool {
        let named = self.0.split_once('/');
        named.is_some_and(|(provider, model)| {
            ["openai", "ollama", "compatible"].contains(&provider) && !model.is_empty()
        })
    }
}

impl FromStr for ModelRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:/@".contains(c);
        if text.is_empty() || text.len() > 128 || !text.chars().all(fits) {
            let shown: String = text.chars().take(40).collect();
            return Err(Error::input(format!("`{}` is not a model name", shown.escape_debug()))
                .hint("write `builtin`, an alias such as `gpt-4`, or `provider/model`"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_type!(ModelRef);
