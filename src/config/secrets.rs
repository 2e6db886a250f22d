//! Where a secret comes from: systemd's credentials, a file, the environment, or a reference.
//!
//! Files come before variables because variables are visible to every child process.

use std::path::{Path, PathBuf};

use super::{Environment, Origin, Setting};
use crate::domain::{Error, Result, Secret, SecretRef};

/// How one secret is called, everywhere it can be.
pub(super) struct SecretNames {
    /// The key in `webox.toml`.
    pub(super) key: &'static str,
    /// The credential under `$CREDENTIALS_DIRECTORY`.
    pub(super) credential: &'static str,
    /// The variable; with `_FILE` appended, the variable that names a file.
    pub(super) variable: &'static str,
}

pub(super) const TWILIO_AUTH_TOKEN: SecretNames = SecretNames {
    key: "twilio.auth_token",
    credential: "twilio-auth-token",
    variable: "TWILIO_AUTH_TOKEN",
};
pub(super) const OPENAI_API_KEY: SecretNames =
    SecretNames { key: "openai.api_key", credential: "openai-api-key", variable: "OPENAI_API_KEY" };
pub(super) const ANTHROPIC_API_KEY: SecretNames = SecretNames {
    key: "anthropic.api_key",
    credential: "anthropic-api-key",
    variable: "ANTHROPIC_API_KEY",
};

impl SecretNames {
    /// The secret by the first of its sources that is there.
    pub(super) fn resolve(
        &self,
        environment: &Environment,
        reference: Option<&SecretRef>,
        settings_file: Option<&Path>,
    ) -> Result<Setting<Option<Secret>>> {
        if let Some(folder) = environment.path("CREDENTIALS_DIRECTORY") {
            let path = folder.join(self.credential);
            if path.exists() {
                return self.in_file(path);
            }
        }
        if let Some(path) = environment.path(&format!("{}_FILE", self.variable)) {
            return self.in_file(path);
        }
        if let Some(value) = environment.get(self.variable) {
            return Ok(Setting {
                value: Some(Secret::new(value.trim())),
                origin: Origin::Environment(self.variable.to_owned()),
            });
        }
        match (reference, settings_file) {
            (Some(SecretRef::Env(name)), _) => match environment.get(name) {
                Some(value) => Ok(Setting {
                    value: Some(Secret::new(value.trim())),
                    origin: Origin::Environment(name.clone()),
                }),
                // Not fatal: commands that need no such key must work without it.
                None => Ok(Setting { value: None, origin: Origin::Environment(name.clone()) }),
            },
            (Some(SecretRef::File(path)), settings_file) => {
                let folder = settings_file.and_then(Path::parent).unwrap_or(Path::new(""));
                self.in_file(folder.join(path))
            }
            (Some(SecretRef::Secret(_)), _) => Err(Error::config(format!(
                "`{}` can only be `{{ env = … }}` or `{{ file = … }}` in this version of webox",
                self.key
            ))
            .hint("it keeps no secrets itself yet")),
            (None, _) => Ok(Setting { value: None, origin: Origin::Default }),
        }
    }

    fn in_file(&self, path: PathBuf) -> Result<Setting<Option<Secret>>> {
        let text = std::fs::read_to_string(&path).map_err(|cause| {
            Error::config(format!("cannot read `{}` from {}", self.key, path.display()))
                .hint("let this user read the file, or name another")
                .because(cause)
        })?;
        let value = text.trim();
        if value.is_empty() {
            return Err(Error::config(format!("`{}`: {} is empty", self.key, path.display()))
                .hint("write the secret into the file, alone"));
        }
        Ok(Setting { value: Some(Secret::new(value)), origin: Origin::File(path) })
    }
}
