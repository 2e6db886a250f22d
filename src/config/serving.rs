//! `[server]`: how `webox serve` is reached over TLS, and how it stops. As a text, `server` is
//! something else: the address of a daemon to ask. Nobody is both.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use serde::{Deserialize, de};

use super::{Origin, PublicUrl, Setting, load, load::Sources};
use crate::domain::{EmailAddress, Error, HumanDuration, Result};

/// Let's Encrypt, which certificates come from when nothing else is said.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// What `server` says in the file.
#[derive(Debug, Default)]
pub(super) enum ServerKey {
    /// Nothing.
    #[default]
    Unsaid,
    /// A daemon to ask.
    Asked(String),
    /// How the daemon here is run.
    Run(Box<ServerSection>),
}

/// `[server]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ServerSection {
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    drain: Option<String>,
    acme: AcmeSection,
}

/// `[server.acme]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AcmeSection {
    domains: Option<Vec<String>>,
    contact: Option<String>,
    directory: Option<String>,
    challenge: Option<String>,
    http_listen: Option<String>,
    root: Option<PathBuf>,
}

impl<'de> Deserialize<'de> for ServerKey {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> de::Visitor<'de> for Either {
            type Value = ServerKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the address of a daemon, or a table `[server]`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ServerKey, E> {
                Ok(ServerKey::Asked(text.to_owned()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<ServerKey, A::Error> {
                let section = Deserialize::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(ServerKey::Run(Box::new(section)))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl ServerKey {
    /// The daemon that is to be asked.
    pub(super) fn asked(&self) -> Option<&str> {
        match self {
            Self::Asked(address) => Some(address),
            Self::Unsaid | Self::Run(_) => None,
        }
    }
}

/// How the daemon is reached over TLS, and how it stops.
#[derive(Debug, Clone)]
pub struct Serving {
    /// The certificate and those above it, as PEM.
    pub tls_cert: Setting<Option<PathBuf>>,
    /// Its key, as PEM.
    pub tls_key: Setting<Option<PathBuf>>,
    /// How long live calls may go on after the daemon was told to stop.
    pub drain: Setting<Duration>,
    /// Certificates that are had from a server.
    pub acme: Acme,
}

/// How a server of certificates (RFC 8555) is asked for one.
#[derive(Debug, Clone)]
pub struct Acme {
    /// The names that it is for; nobody is asked without one.
    pub domains: Setting<Vec<String>>,
    /// Whom that server may write to.
    pub contact: Setting<Option<EmailAddress>>,
    /// Where that server answers.
    pub directory: Setting<PublicUrl>,
    /// How it is shown that the names are ours.
    pub challenge: Setting<Challenge>,
    /// Where that is shown, when over HTTP.
    pub http_listen: Setting<SocketAddr>,
    /// The certificate that vouches for that server, when it is one of one's own.
    pub root: Setting<Option<PathBuf>>,
    /// Where the account and the certificate are kept.
    pub folder: PathBuf,
}

/// How it is shown that a name is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// In a handshake, on the port that calls come in at (RFC 8737).
    TlsAlpn01,
    /// In a file that port 80 answers with (RFC 8555, section 8.3).
    Http01,
}

impl Challenge {
    /// As RFC 8555 and RFC 8737 call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::Http01 => "http-01",
        }
    }
}

impl FromStr for Challenge {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let all = [Self::TlsAlpn01, Self::Http01];
        all.into_iter().find(|challenge| challenge.as_str() == text.trim()).ok_or_else(|| {
            Error::config(format!("`{}` is no challenge", text.escape_debug()))
                .hint("write `tls-alpn-01`, or `http-01` where port 80 comes here")
        })
    }
}

impl Serving {
    pub(super) fn load(
        sources: &Sources<'_>,
        key: &ServerKey,
        flags: &super::Flags,
        db: &Path,
    ) -> Result<Self> {
        let nothing = ServerSection::default();
        let section = match key {
            ServerKey::Run(section) => section,
            ServerKey::Unsaid | ServerKey::Asked(_) => &nothing,
        };
        let file =
            |name, flag: Option<(&'static str, &Path)>, variable, given: &Option<PathBuf>| {
                let flag = flag.map(|(name, path)| (name, path.display().to_string()));
                let given = given.as_ref().map(|path| sources.beside(path).display().to_string());
                let flag = flag.as_ref().map(|(name, path)| (*name, path.as_str()));
                sources.pick(name, flag, variable, given.as_deref(), |text| Ok(PathBuf::from(text)))
            };
        let cert = flags.tls_cert.as_deref().map(|path| ("--tls-cert", path));
        let tls_cert = file("server.tls_cert", cert, "WEBOX_TLS_CERT", &section.tls_cert)?;
        let key = flags.tls_key.as_deref().map(|path| ("--tls-key", path));
        let tls_key = file("server.tls_key", key, "WEBOX_TLS_KEY", &section.tls_key)?;
        let drain = sources.pick(
            "server.drain",
            flags.drain.as_deref().map(|text| ("--drain", text)),
            "WEBOX_DRAIN",
            section.drain.as_deref(),
            |text| text.trim().parse::<HumanDuration>().map(HumanDuration::get),
        )?;
        let acme = Acme {
            root: file("server.acme.root", None, "WEBOX_ACME_ROOT", &section.acme.root)?,
            ..Acme::load(sources, &section.acme, db)?
        };
        let serving =
            Self { tls_cert, tls_key, drain: drain.or_default_with(Duration::default), acme };
        serving.check()?;
        Ok(serving)
    }

    /// Whether the daemon ends TLS itself.
    pub fn is_encrypted(&self) -> bool {
        self.tls_cert.value.is_some() || !self.acme.domains.value.is_empty()
    }

    /// What cannot be had together, or not alone.
    fn check(&self) -> Result<()> {
        let lacks = |has: &Setting<Option<PathBuf>>, name: &str, lacks: &str, flag: &str| {
            let message = format!("`{name}` ({}) is set, and `{lacks}` is not", has.origin);
            Err(Error::config(message).hint(format!("name it with {flag} or in `[server]`")))
        };
        match (&self.tls_cert.value, &self.tls_key.value) {
            (Some(_), None) => {
                lacks(&self.tls_cert, "server.tls_cert", "server.tls_key", "--tls-key")
            }
            (None, Some(_)) => {
                lacks(&self.tls_key, "server.tls_key", "server.tls_cert", "--tls-cert")
            }
            (Some(_), Some(_)) if !self.acme.domains.value.is_empty() => {
                Err(Error::config("there is a certificate in a file, and one to be asked for")
                    .hint("leave out `server.tls_cert` or `server.acme.domains`"))
            }
            _ => Ok(()),
        }
    }
}

impl Acme {
    fn load(sources: &Sources<'_>, section: &AcmeSection, db: &Path) -> Result<Self> {
        let joined = section.domains.as_ref().map(|list| list.join(","));
        let domains = sources.pick(
            "server.acme.domains",
            None,
            "WEBOX_ACME_DOMAINS",
            joined.as_deref(),
            |text| load::list(text).iter().map(|name| domain(name)).collect::<Result<Vec<_>>>(),
        )?;
        let contact = sources.pick(
            "server.acme.contact",
            None,
            "WEBOX_ACME_CONTACT",
            section.contact.as_deref(),
            EmailAddress::from_str,
        )?;
        let directory = sources.pick(
            "server.acme.directory",
            None,
            "WEBOX_ACME_DIRECTORY",
            section.directory.as_deref(),
            |text| match text.parse::<PublicUrl>()? {
                url if url.is_encrypted() => Ok(url),
                _ => Err(Error::config("the address lacks its `https://`")),
            },
        )?;
        let challenge = sources.pick(
            "server.acme.challenge",
            None,
            "WEBOX_ACME_CHALLENGE",
            section.challenge.as_deref(),
            Challenge::from_str,
        )?;
        let http_listen = sources.pick(
            "server.acme.http_listen",
            None,
            "WEBOX_ACME_HTTP_LISTEN",
            section.http_listen.as_deref(),
            |text| {
                text.parse::<SocketAddr>().map_err(|_| {
                    Error::config(format!("`{}` is no address to listen at", text.escape_debug()))
                        .hint("write an IP address and a port, such as `0.0.0.0:80`")
                })
            },
        )?;
        let lets_encrypt = || LETS_ENCRYPT.parse::<PublicUrl>();
        let directory = match directory.value {
            Some(value) => Setting { value, origin: directory.origin },
            None => Setting { value: lets_encrypt()?, origin: Origin::Default },
        };
        Ok(Self {
            domains: domains.or_default_with(Vec::new),
            contact,
            directory,
            challenge: challenge.or_default_with(|| Challenge::TlsAlpn01),
            http_listen: http_listen.or_default_with(|| SocketAddr::from(([0, 0, 0, 0], 80))),
            root: Setting { value: None, origin: Origin::Default },
            folder: load::beside_db(db, "acme"),
        })
    }
}

/// A name that a certificate can be for.
fn domain(text: &str) -> Result<String> {
    let wrong = |why: &str| {
        Err(Error::config(format!("`{}` {why}", text.escape_debug()))
            .hint("write the name that Twilio reaches the daemon by, such as `calls.example.com`"))
    };
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    if name.starts_with("*.") {
        return wrong(
            "stands for many names, which needs a proof over DNS that webox does not give",
        );
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if name.len() > 253 || name.split('.').count() < 2 || !name.split('.').all(is_label) {
        return wrong("is no name of a host");
    }
    if name.parse::<std::net::IpAddr>().is_ok() {
        return wrong("is an address, not a name");
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Flags, Settings};

    fn load(text: &str) -> Result<Settings> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("webox.toml");
        std::fs::write(&path, text).unwrap();
        let environment: Environment =
            [("HOME", "/nowhere"), ("WEBOX_CONFIG", path.to_str().unwrap())].into_iter().collect();
        Settings::load(&Flags::default(), &environment)
    }

    #[test]
    fn server_is_a_daemon_to_ask_or_how_the_one_here_is_run() {
        let settings = load("server = \"https://webox.example.com\"\n").unwrap();
        assert_eq!(settings.server.value.unwrap().as_str(), "https://webox.example.com");
        assert!(!settings.serving.is_encrypted());
        let text = "[server]\ndrain = \"10m\"\n[server.acme]\ndomains = [\"Calls.Example.com\"]\n";
        let settings = load(text).unwrap();
        assert!(settings.server.value.is_none());
        assert_eq!(settings.serving.drain.value, Duration::from_mins(10));
        assert_eq!(settings.serving.acme.domains.value, ["calls.example.com"]);
        assert_eq!(settings.serving.acme.challenge.value, Challenge::TlsAlpn01);
        assert!(settings.serving.is_encrypted());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let said = |text: &str| load(text).unwrap_err().to_string();
        let unknown = said("[server]\ndrian = \"1m\"\n[server.acme]\ndomain = 1\n");
        assert!(unknown.contains("webox.toml:2:1") && unknown.contains("`drain`"), "{unknown}");
        assert!(unknown.contains(":4:1"), "{unknown}");
        assert!(said("[server]\ntls_cert = \"a.pem\"\n").contains("`server.tls_key` is not"));
        assert!(said("[server.acme]\ndomains = [\"*.example.com\"]\n").contains("DNS"));
        assert!(said("[server.acme]\ndomains = [\"192.0.2.1\"]\n").contains("address"));
        assert!(said("[server.acme]\ndomains = [\"localhost\"]\n").contains("no name"));
        assert!(said("[server]\ndrain = \"soon\"\n").contains("server.drain"));
    }
}
