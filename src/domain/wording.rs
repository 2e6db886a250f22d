//! What an assistant says, written once or once a language.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LanguageTag;

/// Words of an assistant's file: the same in every language, or a table by language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Wording {
    /// In whatever language the call is.
    One(String),
    /// By language, such as `{ fr = "Un instant.", en = "One moment." }`.
    ByLanguage(BTreeMap<LanguageTag, String>),
}

impl Wording {
    /// The words of a language: its own, one of the same tongue, else the first there is.
    pub fn in_language(&self, language: &LanguageTag) -> &str {
        match self {
            Self::One(text) => text,
            Self::ByLanguage(texts) => {
                let tongue = || {
                    let same = |(tag, _): &(&LanguageTag, _)| tag.primary() == language.primary();
                    texts.iter().find(same).map(|(_, text)| text)
                };
                let any = || texts.values().next();
                texts.get(language).or_else(tongue).or_else(any).map_or("", String::as_str)
            }
        }
    }

    /// All texts of it, with the key that each stands under.
    pub fn texts(&self) -> Vec<(String, &str)> {
        match self {
            Self::One(text) => vec![(String::new(), text)],
            Self::ByLanguage(texts) => {
                texts.iter().map(|(tag, text)| (format!(".{tag}"), text.as_str())).collect()
            }
        }
    }

    /// The rule broken, if any: where in it, and what is wrong.
    pub(super) fn broken(&self, longest: usize) -> Option<(String, String)> {
        let texts = self.texts();
        if texts.is_empty() {
            return Some((String::new(), "says nothing".to_owned()));
        }
        texts.into_iter().find_map(|(at, text)| {
            if text.trim().is_empty() {
                return Some((at, "says nothing".to_owned()));
            }
            let is_long = text.chars().count() > longest;
            is_long.then(|| (at, format!("is longer than {longest} characters")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_finds_its_words() {
        let words: Wording =
            serde_json::from_str(r#"{"en":"One moment.","fr-FR":"Un instant."}"#).unwrap();
        let said = |tag: &str| words.in_language(&tag.parse().unwrap()).to_owned();
        assert_eq!(said("fr-FR"), "Un instant.");
        assert_eq!(said("fr-CA"), "Un instant.");
        assert_eq!(said("en-GB"), "One moment.");
        assert_eq!(said("de-DE"), "One moment.");
        let one: Wording = serde_json::from_str(r#""Un instant.""#).unwrap();
        assert_eq!(one.in_language(&LanguageTag::french()), "Un instant.");
    }
}
