//! TLS, where no proxy ends it: which certificate a handshake is answered with. It comes from files
//! (`files.rs`) or is asked for (`acme/`), and is exchanged without a connection noticing.

mod acme;
mod certificate;
mod files;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

use crate::domain::{Error, Result};

pub use acme::Issuer;
use certificate::Certificate;

/// What is spoken over TLS, the preferred first. A WebSocket asks for HTTP/1.1 by itself.
const H2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// What whoever gives certificates asks for in a handshake (RFC 8737, section 6.1).
const ACME_TLS: &[u8] = b"acme-tls/1";

/// TLS as the daemon ends it.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    certificates: Arc<Certificates>,
    source: Source,
}

/// Where the certificate comes from.
#[derive(Clone)]
enum Source {
    Files(Arc<files::Files>),
    Issuer(Arc<Issuer>),
}

impl Tls {
    /// With the certificate and the key of two files, which must be there and belong together.
    pub fn of_files(certificate: &std::path::Path, key: &std::path::Path) -> Result<Self> {
        let files = files::Files::new(certificate, key);
        let certificates = Arc::new(Certificates::default());
        certificates.put(files.read()?);
        Self::with(certificates, Source::Files(files.into()))
    }

    /// With a certificate that is asked for, or was before.
    pub fn issued(issuer: Issuer) -> Result<Self> {
        let certificates = Arc::new(Certificates::default());
        if let Some(kept) = issuer.kept()? {
            certificates.put(kept);
        }
        Self::with(certificates, Source::Issuer(issuer.into()))
    }

    fn with(certificates: Arc<Certificates>, source: Source) -> Result<Self> {
        let resolver: Arc<dyn ResolvesServerCert> = certificates.clone();
        let mut config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|cause| Error::failure("TLS cannot be set up").because(cause))?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![H2.to_vec(), HTTP1.to_vec()];
        if matches!(&source, Source::Issuer(issuer) if issuer.proves_by_handshake()) {
            config.alpn_protocols.push(ACME_TLS.to_vec());
        }
        Ok(Self { config: config.into(), certificates, source })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// Looks after the certificate for as long as the daemon runs.
    pub(super) async fn look_after(self) {
        match self.source {
            Source::Files(files) => files.follow(self.certificates).await,
            Source::Issuer(issuer) => issuer.follow(self.certificates).await,
        }
    }

    /// Where a proof over HTTP is given, if it is.
    pub(super) fn proofs(&self) -> Option<(std::net::SocketAddr, Proofs)> {
        match &self.source {
            Source::Issuer(issuer) => issuer.proofs(),
            Source::Files(_) => None,
        }
    }

    /// Reads the files anew; the certificate in force stays when they are no good.
    pub(super) fn reload(&self) -> Result<()> {
        match &self.source {
            Source::Files(files) => files.reload(&self.certificates).map(|_| ()),
            // It is renewed when it is time.
            Source::Issuer(_) => Ok(()),
        }
    }
}

/// What whoever gives certificates is to find at which name, over HTTP.
#[derive(Clone, Default)]
pub(super) struct Proofs(Arc<RwLock<HashMap<String, String>>>);

impl Proofs {
    /// What is to be answered for a token.
    pub(super) fn of(&self, token: &str) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    fn put(&self, token: String, proof: String) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(token, proof);
    }

    fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The certificates that handshakes are answered with.
#[derive(Debug, Default)]
struct Certificates {
    current: RwLock<Option<Arc<Certificate>>>,
    /// Proofs that a name is ours, by the name.
    proofs: RwLock<HashMap<String, Arc<CertifiedKey>>>,
}

impl Certificates {
    fn current(&self) -> Option<Arc<Certificate>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, certificate: Certificate) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Some(certificate.into());
    }

    fn prove(&self, name: String, proof: CertifiedKey) {
        let mut proofs = self.proofs.write().unwrap_or_else(PoisonError::into_inner);
        proofs.insert(name, proof.into());
    }

    fn forget_proofs(&self) {
        self.proofs.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let proves = hello.alpn().is_some_and(|names| names.into_iter().eq([ACME_TLS]));
        if !proves {
            return self.current().map(|certificate| Arc::clone(certificate.key()));
        }
        let name = hello.server_name()?.to_ascii_lowercase();
        self.proofs.read().unwrap_or_else(PoisonError::into_inner).get(&name).cloned()
    }
}

/// Whether what was agreed on is HTTP/2.
pub(super) fn is_http2(agreed: Option<&[u8]>) -> bool {
    agreed == Some(H2)
}

/// Whether it was only asked for a proof.
pub(super) fn is_proof(agreed: Option<&[u8]>) -> bool {
    agreed == Some(ACME_TLS)
}
