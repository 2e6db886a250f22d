//! Secrets: values that never print, and the places where they are kept.

use std::{fmt, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};

/// A secret value. It has no `Display`, its `Debug` says `***`, it is not serialisable, and its
/// memory is overwritten when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl Secret {
    /// Takes a value out of circulation.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value itself: for a header or a key, never for a message.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where the master keys are.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// Told by the environment or by systemd: what is said, and where it was said.
    Given(Secret, String),
    /// A file of webox's own, which it may also write.
    File(PathBuf),
    /// A file that systemd puts there.
    Credential(PathBuf),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_, place) => f.write_str(place),
            Self::File(path) | Self::Credential(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Where a secret is kept. Files and the store hold this, never the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// In an environment variable of the process that uses it.
    Env(String),
    /// In a file on its machine, alone.
    File(PathBuf),
    /// In webox's own keeping, under a name.
    Secret(String),
}

/// How a reference is written.
const FORMS: &str = "`{ env = \"NAME\" }`, `{ file = \"PATH\" }` or `{ secret = \"NAME\" }`";

/// What is said of a secret that stands in a file: `document` knows it by its beginning.
pub const WRITTEN_OUT: &str = "a secret is written out here";

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "{{env {name}}}"),
            Self::File(path) => write!(f, "{{file {}}}", path.display()),
            Self::Secret(name) => write!(f, "{{secret {name}}}"),
        }
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Env(name) => map.serialize_entry("env", name)?,
            Self::File(path) => map.serialize_entry("file", path)?,
            Self::Secret(name) => map.serialize_entry("secret", name)?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RefVisitor)
    }
}

/// By hand: a derived reading would repeat the secret in its error.
struct RefVisitor;

impl<'de> de::Visitor<'de> for RefVisitor {
    type Value = SecretRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FORMS)
    }

    fn visit_str<E: de::Error>(self, _secret: &str) -> Result<SecretRef, E> {
        Err(E::custom(format!(
            "{WRITTEN_OUT}: write {FORMS} instead, and change the secret if others could read this file"
        )))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<SecretRef, A::Error> {
        let wrong = || de::Error::custom(format!("expected {FORMS}"));
        let key: String = map.next_key()?.ok_or_else(wrong)?;
        let value: String = map.next_value().map_err(|_| wrong())?;
        if value.trim().is_empty() || map.next_key::<String>()?.is_some() {
            return Err(wrong());
        }
        match key.as_str() {
            "env" => Ok(SecretRef::Env(value)),
            "file" => Ok(SecretRef::File(value.into())),
            "secret" => Ok(SecretRef::Secret(value)),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        assert_eq!(format!("{:?}", Some(Secret::new("sk-123"))), "Some(***)");
    }

    #[test]
    fn a_reference_reads_back_and_a_secret_is_not_repeated() {
        for text in [r#"{"env":"KEY"}"#, r#"{"file":"/etc/key"}"#, r#"{"secret":"acme"}"#] {
            let reference: SecretRef = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&reference).unwrap(), text);
        }
        for text in [r#""sk-live-1""#, r#"{"env":"A","sk-live-1":"B"}"#, r#"{"sk-live-1":"x"}"#] {
            let said = serde_json::from_str::<SecretRef>(text).unwrap_err().to_string();
            assert!(!said.contains("sk-live"), "{said}");
        }
    }
}
