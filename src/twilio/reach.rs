//! An address as Twilio would find it: does it answer, with what certificate, and at what time by its
//! clock? Nothing is sent there but the question.

use std::{error::Error as _, time::Duration};

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{header, redirect::Policy, tls::TlsInfo};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::domain::{Error, Result};

/// Twilio waits for fifteen seconds; whoever takes so long is no address to answer a phone by.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Longest part of an answer that is read.
const LONGEST: usize = 4 * 1024;

/// What an address answered.
#[derive(Debug, Clone)]
pub struct Reached {
    /// HTTP status.
    pub status: u16,
    /// Where it sends whoever asks, if it does.
    pub location: Option<String>,
    /// The time by its clock.
    pub date: Option<Timestamp>,
    /// The beginning of what it said.
    pub body: Vec<u8>,
    /// What it shows who it is with; nothing over plain HTTP.
    pub certificate: Option<Certificate>,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The moment from which it is good.
    pub from: Timestamp,
    /// The moment from which it no longer is.
    pub until: Timestamp,
    /// The hosts that it is for.
    pub names: Vec<String>,
    /// Who vouches for it.
    pub issuer: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreached {
    /// The host has no address.
    Unknown(String),
    /// Nobody listens there.
    Refused(String),
    /// Nobody answered in time.
    Late,
    /// Whoever answers does not show who it is, or not as it must.
    Untrusted {
        /// Why.
        why: String,
        /// What it shows.
        certificate: Option<Certificate>,
    },
    /// Whoever answers has no certificate to show, and says so: webox, before it was given one.
    Bare,
    /// Something else.
    Broken(String),
}

/// Asks addresses.
#[derive(Debug, Clone)]
pub struct Reach {
    strict: reqwest::Client,
    lax: reqwest::Client,
}

impl Reach {
    /// Follows nobody elsewhere, and goes through no proxy: neither does Twilio.
    pub fn new() -> Result<Self> {
        let builder = || {
            reqwest::Client::builder()
                .timeout(TIMEOUT)
                .no_proxy()
                .redirect(Policy::none())
                .tls_info(true)
                .user_agent(concat!("webox/", env!("CARGO_PKG_VERSION")))
        };
        let failed = |error| Error::failure("no HTTP client could be made").because(error);
        Ok(Self {
            strict: builder().build().map_err(failed)?,
            lax: builder().tls_danger_accept_invalid_certs(true).build().map_err(failed)?,
        })
    }

    /// Asks an address of this machine's own for what is there: a certificate is for another name.
    pub async fn ask_here(&self, url: &str) -> Result<Reached, Unreached> {
        read(&self.lax, url).await
    }

    /// Asks an address for what is there.
    pub async fn ask(&self, url: &str) -> Result<Reached, Unreached> {
        match read(&self.strict, url).await {
            Err(Unreached::Untrusted { why, .. }) => {
                // Asked once more only to see what it shows: nothing of that is believed.
                let shown = read(&self.lax, url).await.ok();
                let certificate = shown.and_then(|shown| shown.certificate);
                Err(Unreached::Untrusted { why, certificate })
            }
            answered => answered,
        }
    }
}

async fn read(client: &reqwest::Client, url: &str) -> Result<Reached, Unreached> {
    let mut response = client.get(url).send().await.map_err(|error| unreached(&error))?;
    let text = |name: header::HeaderName| {
        let value = response.headers().get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let date = text(header::DATE).and_then(|text| rfc2822::parse(&text).ok());
    let certificate = response
        .extensions()
        .get::<TlsInfo>()
        .and_then(TlsInfo::peer_certificate)
        .and_then(Certificate::read);
    let (status, location) = (response.status().as_u16(), text(header::LOCATION));
    let mut body = Vec::new();
    while let Ok(Some(part)) = response.chunk().await {
        body.extend_from_slice(&part);
        if body.len() > LONGEST {
            break;
        }
    }
    let date = date.map(|date| date.timestamp());
    Ok(Reached { status, location, date, body, certificate })
}

impl Certificate {
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.as_slice()).unwrap_or_default();
        let names = names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        });
        Some(Self {
            from: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
            until: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
            names: names.collect(),
            issuer: certificate.issuer().to_string(),
        })
    }
}

/// What a failure means. Libraries tell it in words alone.
fn unreached(error: &reqwest::Error) -> Unreached {
    if error.is_timeout() {
        return Unreached::Late;
    }
    let (mut causes, mut next) = (Vec::new(), error.source());
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    let deepest = causes.last().cloned().unwrap_or_else(|| "it failed".to_owned());
    let all = causes.join(" ").to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| all.contains(word));
    // Of a server without a certificate (RFC 8446, section 6.2): rustls sends it for want of one.
    if says(&["received fatal alert: accessdenied"]) {
        return Unreached::Bare;
    }
    if says(&["certificate", "tls", "handshake", "corrupt message"]) {
        return Unreached::Untrusted { why: plainly(deepest), certificate: None };
    }
    if says(&["dns error", "failed to lookup", "name or service not known"]) {
        return Unreached::Unknown(deepest);
    }
    if error.is_connect() { Unreached::Refused(deepest) } else { Unreached::Broken(deepest) }
}

/// The two that people meet most, which the library names by a word of its own.
fn plainly(why: String) -> String {
    if why.contains("CaUsedAsEndEntity") {
        return "it is self-signed: nobody else vouches for it".to_owned();
    }
    if why.contains("UnknownIssuer") {
        return "it is self-signed, or of an authority that is not known, or its chain is not whole".to_owned();
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_meet_most_is_said_in_words() {
        let self_signed = "invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))";
        assert!(plainly(self_signed.to_owned()).starts_with("it is self-signed"));
        let unknown = plainly("invalid peer certificate: UnknownIssuer".to_owned());
        assert!(unknown.contains("authority that is not known"), "{unknown}");
        let expired = "invalid peer certificate: certificate expired: verification time 1 (UNIX)";
        assert_eq!(plainly(expired.to_owned()), expired);
    }
}
