//! Names that people type: slugs of assistants and of sets.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Error, text::text_type};

fn is_slug(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.bytes().all(|b| b.is_ascii_digit())
}

/// What people type: a slug of 1 to 63 lower-case letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AssistantName(String);

impl AssistantName {
    /// The slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A slug made from a client's name: "Café Léon & Fils" → `cafe-leon-fils`.
    pub fn from_client(client: &str) -> Option<Self> {
        let mut slug = String::new();
        for c in client.chars().flat_map(char::to_lowercase) {
            let plain = match c {
                'à' | 'â' | 'ä' | 'á' | 'ã' | 'å' => 'a',
                'ç' => 'c',
                'é' | 'è' | 'ê' | 'ë' => 'e',
                'î' | 'ï' | 'í' | 'ì' => 'i',
                'ñ' => 'n',
                'ô' | 'ö' | 'ó' | 'ò' | 'õ' => 'o',
                'ù' | 'û' | 'ü' | 'ú' => 'u',
                'ÿ' => 'y',
                c => c,
            };
            match plain {
                'œ' => slug.push_str("oe"),
                'æ' => slug.push_str("ae"),
                'ß' => slug.push_str("ss"),
                c if c.is_ascii_alphanumeric() => slug.push(c),
                _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
                _ => {}
            }
        }
        slug.truncate(63);
        let slug = slug.trim_matches('-');
        is_slug(slug).then(|| Self(slug.to_owned()))
    }
}

impl FromStr for AssistantName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if is_slug(text) {
            return Ok(Self(text.to_owned()));
        }
        let shown: String = text.chars().take(80).collect();
        let hint = match Self::from_client(text) {
            Some(slug) => format!("write `{slug}`"),
            None => "use lower-case letters, digits and hyphens, such as `le-gourmet`".to_owned(),
        };
        Err(Error::input(format!("`{}` is not a name for an assistant", shown.escape_debug()))
            .hint(hint))
    }
}

text_type!(AssistantName);

/// The owner of a group of files, such as one repository: what one of them prunes, no other loses.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SetName(String);

impl SetName {
    /// The set of files that name none.
    pub fn usual() -> Self {
        Self("default".to_owned())
    }

    /// The slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SetName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if is_slug(text) {
            return Ok(Self(text.to_owned()));
        }
        let shown: String = text.chars().take(80).collect();
        Err(Error::input(format!("`{}` is not a name for a set", shown.escape_debug()))
            .hint("use lower-case letters, digits and hyphens, such as `agency-paris`"))
    }
}

text_type!(SetName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_slugs() {
        assert_eq!(
            AssistantName::from_client("Café Léon & Fils").unwrap().as_str(),
            "cafe-leon-fils"
        );
        for wrong in ["", "Le Gourmet", "-a", "a-", "42", "é"] {
            assert!(wrong.parse::<AssistantName>().is_err(), "{wrong}");
        }
        let error = "Le Gourmet".parse::<AssistantName>().unwrap_err();
        assert_eq!(error.hint_text(), Some("write `le-gourmet`"));
    }
}
