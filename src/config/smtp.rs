//! The server that mail leaves by.

use std::str::FromStr;

use serde::Deserialize;

use super::{Setting, load::Sources, secrets};
use crate::domain::{EmailAddress, Error, MailEncryption, Result, Secret, SecretRef};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SmtpSection {
    host: Option<String>,
    port: Option<u16>,
    encryption: Option<String>,
    user: Option<String>,
    password: Option<SecretRef>,
    from: Option<String>,
}

/// Mail leaves by it when it has a host and an address that it comes from.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// Its name.
    pub host: Setting<Option<String>>,
    /// Its port; the usual one of the encryption otherwise.
    pub port: Setting<Option<u16>>,
    /// How it is spoken to.
    pub encryption: Setting<MailEncryption>,
    /// Who sends.
    pub user: Setting<Option<String>>,
    /// With which password.
    pub password: Setting<Option<Secret>>,
    /// Whom mail is from.
    pub from: Setting<Option<EmailAddress>>,
}

impl Smtp {
    pub(super) fn load(sources: &Sources<'_>, file: &SmtpSection) -> Result<Self> {
        let text = |name: &str, variable: &str, given: &Option<String>| {
            sources.pick(name, None, variable, given.as_deref(), |text| Ok(text.trim().to_owned()))
        };
        let port = file.port.map(|port| port.to_string());
        let encryption = sources.pick(
            "smtp.encryption",
            None,
            "WEBOX_SMTP_ENCRYPTION",
            file.encryption.as_deref(),
            MailEncryption::from_str,
        )?;
        let password = secrets::SMTP_PASSWORD.resolve(
            sources.environment,
            file.password.as_ref(),
            sources.path,
        )?;
        let host = text("smtp.host", "WEBOX_SMTP_HOST", &file.host)?;
        let from = sources.pick(
            "smtp.from",
            None,
            "WEBOX_SMTP_FROM",
            file.from.as_deref(),
            EmailAddress::from_str,
        )?;
        if host.value.is_some() && from.value.is_none() {
            return Err(Error::config("`smtp.from` is missing: whom is mail from?").hint(
                "such as `from = \"standard@agence.fr\"` under `[smtp]`, or WEBOX_SMTP_FROM",
            ));
        }
        Ok(Self {
            host,
            port: sources.pick("smtp.port", None, "WEBOX_SMTP_PORT", port.as_deref(), |text| {
                text.trim().parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(|| {
                    Error::config(format!("`{}` is no port", text.escape_debug()))
                        .hint("from 1 to 65535; usually 465 for `tls`, 587 for `starttls`")
                })
            })?,
            encryption: encryption.or_default_with(MailEncryption::default),
            user: text("smtp.user", "WEBOX_SMTP_USER", &file.user)?,
            password,
            from,
        })
    }
}
