//! A certificate with its key: read from PEM, and how long it is good for.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use x509_parser::{extensions::GeneralName, parse_x509_certificate};

/// A certificate that handshakes can be answered with.
#[derive(Debug)]
pub(super) struct Certificate {
    key: Arc<CertifiedKey>,
    names: Vec<String>,
    from: Timestamp,
    until: Timestamp,
}

/// Why two texts are no certificate with its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("holds no certificate in PEM")]
    NoCertificate,
    #[error("holds a certificate that cannot be read: {0}")]
    Unreadable(String),
    #[error("holds no private key in PEM")]
    NoKey,
    #[error("holds a key with a password, which nobody is there to type")]
    LockedKey,
    #[error("holds a key that cannot be used: {0}")]
    BadKey(String),
    #[error("the key is not that of the certificate")]
    Strangers,
}

impl Certificate {
    /// Reads a chain, the certificate itself first, and its key.
    pub(super) fn read(chain: &[u8], key: &[u8]) -> Result<Self, Wrong> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|error| Wrong::Unreadable(error.to_string()))?;
        let (names, from, until) = match chain.first() {
            Some(certificate) => about(certificate)?,
            None => return Err(Wrong::NoCertificate),
        };
        let locked = String::from_utf8_lossy(key).contains("ENCRYPTED");
        let no_key = if locked { Wrong::LockedKey } else { Wrong::NoKey };
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| no_key)?;
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
        let key = key.map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => Wrong::Strangers,
            error => Wrong::BadKey(error.to_string()),
        })?;
        Ok(Self { key: key.into(), names, from, until })
    }

    pub(super) fn key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }

    /// Whether it is the very same.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.key.cert == other.key.cert
    }

    /// The names that it is for.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// When it ends.
    pub(super) fn until(&self) -> Timestamp {
        self.until
    }

    /// When another is to be had: when a third of its time is left, which is thirty days of ninety.
    pub(super) fn renewed_from(&self) -> Timestamp {
        let whole = self.until.duration_since(self.from);
        self.until.checked_sub(whole / 3).unwrap_or(self.from)
    }

    /// How long it is still good for.
    pub(super) fn left(&self, now: Timestamp) -> SignedDuration {
        self.until.duration_since(now)
    }
}

/// A certificate's names, and from when until when it is good.
fn about(der: &CertificateDer<'_>) -> Result<(Vec<String>, Timestamp, Timestamp), Wrong> {
    let unreadable = |error: String| Wrong::Unreadable(error);
    let (_, read) = parse_x509_certificate(der).map_err(|error| unreadable(error.to_string()))?;
    let at =
        |seconds| Timestamp::from_second(seconds).map_err(|error| unreadable(error.to_string()));
    let names = read.subject_alternative_name().ok().flatten().map_or_else(Vec::new, |names| {
        let names = names.value.general_names.iter();
        names
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
                _ => None,
            })
            .collect()
    });
    let validity = read.validity();
    Ok((names, at(validity.not_before.timestamp())?, at(validity.not_after.timestamp())?))
}

#[cfg(test)]
pub(super) mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    /// A certificate of ninety days from the beginning of 2026, and its key.
    pub(in crate::server::tls) fn pair(name: &str) -> (String, String) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, 4, 1);
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn a_pair_is_read_and_says_when_another_is_to_be_had() {
        let (chain, key) = pair("calls.example.com");
        let read = Certificate::read(chain.as_bytes(), key.as_bytes()).unwrap();
        assert_eq!(read.names(), ["calls.example.com"]);
        assert_eq!(read.until().to_string(), "2026-04-01T00:00:00Z");
        assert_eq!(read.renewed_from().to_string(), "2026-03-02T00:00:00Z");
        let other = pair("calls.example.com");
        let wrong = |chain: &str, key: &str| {
            Certificate::read(chain.as_bytes(), key.as_bytes()).map(|_| ()).unwrap_err()
        };
        assert_eq!(wrong(&chain, &other.1), Wrong::Strangers);
        assert_eq!(wrong("", &key), Wrong::NoCertificate);
        assert_eq!(wrong(&chain, &chain), Wrong::NoKey);
        assert!(matches!(wrong(&chain[..200], &key), Wrong::Unreadable(_) | Wrong::NoCertificate));
    }
}
