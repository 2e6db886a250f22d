//! Where a secret comes from: systemd's credentials, a file, the environment, or a reference.
//!
//! Files come before variables because variables are visible to every child process.

use std::path::{Path, PathBuf};

use super::{Environment, Origin, Setting};
use crate::domain::{Error, KeySource, Result, Secret, SecretRef};

/// How one secret is called, everywhere it can be.
pub(super) struct SecretNames {
    /// The key in `webox.toml`.
    pub(super) key: &'static str,
    /// The credential under `$CREDENTIALS_DIRECTORY`.
    pub(super) credential: &'static str,
    /// The variable; with `_FILE` appended, the variable that names a file.
    pub(super) variable: &'static str,
    /// Whether such a file is refused when others can read it.
    pub(super) for_owner_alone: bool,
}

pub(super) const TWILIO_AUTH_TOKEN: SecretNames = SecretNames {
    key: "twilio.auth_token",
    credential: "twilio-auth-token",
    variable: "TWILIO_AUTH_TOKEN",
    for_owner_alone: false,
};
pub(super) const TWILIO_API_SECRET: SecretNames = SecretNames {
    key: "twilio.api_secret",
    credential: "twilio-api-secret",
    variable: "TWILIO_API_SECRET",
    for_owner_alone: false,
};
pub(super) const OPENAI_API_KEY: SecretNames = SecretNames {
    key: "openai.api_key",
    credential: "openai-api-key",
    variable: "OPENAI_API_KEY",
    for_owner_alone: false,
};
pub(super) const ANTHROPIC_API_KEY: SecretNames = SecretNames {
    key: "anthropic.api_key",
    credential: "anthropic-api-key",
    variable: "ANTHROPIC_API_KEY",
    for_owner_alone: false,
};

pub(super) const ELEVENLABS_API_KEY: SecretNames = SecretNames {
    key: "elevenlabs.api_key",
    credential: "elevenlabs-api-key",
    variable: "ELEVENLABS_API_KEY",
    for_owner_alone: false,
};
pub(super) const DEEPGRAM_API_KEY: SecretNames = SecretNames {
    key: "deepgram.api_key",
    credential: "deepgram-api-key",
    variable: "DEEPGRAM_API_KEY",
    for_owner_alone: false,
};
pub(super) const AZURE_SPEECH_KEY: SecretNames = SecretNames {
    key: "azure.api_key",
    credential: "azure-speech-key",
    variable: "AZURE_SPEECH_KEY",
    for_owner_alone: false,
};
pub(super) const GOOGLE_API_KEY: SecretNames = SecretNames {
    key: "google.api_key",
    credential: "google-api-key",
    variable: "GOOGLE_API_KEY",
    for_owner_alone: false,
};

pub(super) const SMTP_PASSWORD: SecretNames = SecretNames {
    key: "smtp.password",
    credential: "smtp-password",
    variable: "WEBOX_SMTP_PASSWORD",
    for_owner_alone: false,
};

pub(super) const OTLP_HEADERS: SecretNames = SecretNames {
    key: "otlp.headers",
    credential: "otlp-headers",
    variable: "OTEL_EXPORTER_OTLP_HEADERS",
    for_owner_alone: false,
};

pub(super) const BACKUP_ACCESS_KEY: SecretNames = SecretNames {
    key: "backup.access_key",
    credential: "backup-access-key",
    variable: "WEBOX_BACKUP_ACCESS_KEY",
    for_owner_alone: false,
};
pub(super) const BACKUP_SECRET_KEY: SecretNames = SecretNames {
    key: "backup.secret_key",
    credential: "backup-secret-key",
    variable: "WEBOX_BACKUP_SECRET_KEY",
    for_owner_alone: false,
};

pub(super) const TOKEN: SecretNames = SecretNames {
    key: "token",
    credential: "webox-token",
    variable: "WEBOX_TOKEN",
    for_owner_alone: true,
};

/// Where the master key is: systemd's credential, the file that a variable names, the variable
/// itself, the file of the settings, and the usual one beside them.
pub(super) fn master_key(
    environment: &Environment,
    key_file: Option<&Path>,
    settings_file: Option<&Path>,
) -> KeySource {
    if let Some(folder) = environment.path("CREDENTIALS_DIRECTORY") {
        let path = folder.join("webox-master-key");
        if is_given(&path) {
            return KeySource::Credential(path);
        }
    }
    if let Some(path) = environment.path("WEBOX_MASTER_KEY_FILE") {
        return KeySource::File(path);
    }
    if let Some(text) = environment.get("WEBOX_MASTER_KEY") {
        return KeySource::Given(Secret::new(text), "environment WEBOX_MASTER_KEY".to_owned());
    }
    let beside = settings_file.and_then(Path::parent);
    if let Some(path) = key_file {
        return KeySource::File(beside.unwrap_or(Path::new("")).join(path));
    }
    let user = environment
        .path("XDG_CONFIG_HOME")
        .or_else(|| environment.path("HOME").map(|home| home.join(".config")))
        .map(|folder| folder.join("webox"));
    let folder = beside.map(Path::to_path_buf).or(user);
    KeySource::File(folder.unwrap_or_else(|| PathBuf::from("/etc/webox")).join("master.key"))
}

/// Whether a credential is there. One that cannot be looked at is: reading it says why, where another
/// source in its place would hide it.
fn is_given(credential: &Path) -> bool {
    credential.try_exists().unwrap_or(true)
}

/// Refuses a file that others can read, as the one that `webox login` keeps is refused.
fn private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(()) };
    let mode = metadata.permissions().mode() & 0o777;
    let by_others = mode & 0o077 != 0;
    // A pipe of the shell's, such as `<(pass show webox)`, is nobody else's.
    if !metadata.is_file() || !by_others {
        return Ok(());
    }
    let message = format!("{} can be read by others (mode {mode:04o})", path.display());
    Err(Error::config(message)
        .hint("revoke the key in it, `chmod 600` it, and write another there"))
}

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
            if is_given(&path) {
                return self.in_file(path);
            }
        }
        if let Some(path) = environment.path(&format!("{}_FILE", self.variable)) {
            if self.for_owner_alone {
                private(&path)?;
            }
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
                "`{}` can only be `{{ env = … }}` or `{{ file = … }}`",
                self.key
            ))
            .hint("the settings are read before the store that keeps secrets")),
            (None, _) => Ok(Setting { value: None, origin: Origin::Default }),
        }
    }

    fn in_file(&self, path: PathBuf) -> Result<Setting<Option<Secret>>> {
        let text = std::fs::read_to_string(&path).map_err(|cause| {
            let hint = if cause.kind() == std::io::ErrorKind::NotFound {
                "write the secret into the file, alone, for its owner to read (mode 0600), or name another"
            } else {
                "let this user read the file, or name another"
            };
            Error::config(format!("cannot read `{}` from {}", self.key, path.display()))
                .hint(hint)
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
