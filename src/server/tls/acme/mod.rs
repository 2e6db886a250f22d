//! A certificate that is asked for (RFC 8555), kept, and renewed long before it ends. While another
//! cannot be had, the one before stays in force.

mod kept;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, OrderStatus,
    RetryPolicy,
};
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};
use tokio::time;

use super::{
    Certificates, Proofs,
    certificate::{Certificate, Wrong},
};
use crate::{
    config::{self, Challenge},
    domain::Result,
};
use kept::Kept;

/// One that cannot be had by then is asked for again later.
const WITHIN: Duration = Duration::from_mins(5);

/// How soon it is asked again; twice as long after each failure. Let's Encrypt takes five failed
/// proofs an hour and name.
const AGAIN: Duration = Duration::from_mins(1);
const AGAIN_AT_MOST: Duration = Duration::from_hours(6);

/// How long is slept at once: the machine may have been asleep.
const NAP: Duration = Duration::from_hours(1);

/// With less than this left, that it cannot be renewed is told every time.
const URGENT: SignedDuration = SignedDuration::from_hours(3 * 24);

/// Whoever gives certificates, and what is asked of them.
pub struct Issuer {
    domains: Vec<String>,
    contact: Option<String>,
    directory: String,
    challenge: Challenge,
    http_listen: SocketAddr,
    root: Option<PathBuf>,
    kept: Kept,
    proofs: Proofs,
}

/// Why a certificate could not be had.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Asking(#[from] instant_acme::Error),
    #[error("no proof by {0} is taken for {1}")]
    NoChallenge(&'static str, String),
    #[error("the proof for the names was refused: {0}")]
    Refused(String),
    #[error("it took longer than five minutes")]
    Late,
    #[error("what came is no certificate with its key: {0}")]
    Wrong(#[from] Wrong),
    #[error("a proof could not be made: {0}")]
    Proof(String),
    #[error("`server.acme.root` = {0} is of no use: {1}")]
    Root(String, instant_acme::Error),
    #[error("it cannot be kept: {0}")]
    Unkept(#[from] std::io::Error),
    #[error(
        "the account kept in {0} cannot be read ({1}): move the file away, and another account is made"
    )]
    Account(std::path::PathBuf, std::io::Error),
}

impl Failed {
    /// In one line, with what it comes from: of what a client of HTTP says, only the last part tells anything.
    fn with_causes(&self) -> String {
        let mut told = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let why = error.to_string();
            if !told.contains(&why) {
                told = format!("{told}: {why}");
            }
            cause = error.source();
        }
        told
    }
}

impl Issuer {
    /// As the settings say; makes the folder that the account and the certificate are kept in.
    pub fn new(settings: &config::Acme) -> Result<Self> {
        let directory = settings.directory.value.as_str().to_owned();
        Ok(Self {
            domains: settings.domains.value.clone(),
            contact: settings.contact.value.as_ref().map(|address| format!("mailto:{address}")),
            kept: Kept::open(&settings.folder, &directory)?,
            directory,
            challenge: settings.challenge.value,
            http_listen: settings.http_listen.value,
            root: settings.root.value.clone(),
            proofs: Proofs::default(),
        })
    }

    pub(super) fn proves_by_handshake(&self) -> bool {
        self.challenge == Challenge::TlsAlpn01
    }

    pub(super) fn proofs(&self) -> Option<(SocketAddr, Proofs)> {
        (self.challenge == Challenge::Http01).then(|| (self.http_listen, self.proofs.clone()))
    }

    /// The certificate that was had before, even if it has ended.
    pub(super) fn kept(&self) -> Result<Option<Certificate>> {
        self.kept.certificate()
    }

    /// Has a certificate, and another before it ends.
    pub(super) async fn follow(&self, certificates: Arc<Certificates>) {
        let mut failures = 0_u32;
        loop {
            let now = Timestamp::now();
            let current = certificates.current();
            let due = match &current {
                Some(current) if self.is_for_us(current) => current.renewed_from(),
                _ => now,
            };
            if due > now {
                let left = due.duration_since(now).try_into().unwrap_or(NAP);
                time::sleep(NAP.min(left)).await;
                continue;
            }
            match self.have_another(&certificates).await {
                Ok(until) => {
                    tracing::info!(domains = self.domains.join(","), %until, "another certificate is in force");
                    let still_due = certificates.current().is_none_or(|current| {
                        !self.is_for_us(&current) || current.renewed_from() <= Timestamp::now()
                    });
                    if still_due {
                        // Asked for at once again and again, it would use up what may be asked for in a week.
                        tracing::warn!(
                            domains = self.domains.join(","),
                            again_s = AGAIN_AT_MOST.as_secs(),
                            "it is due already, or not for all of the names: is the clock right?"
                        );
                        time::sleep(AGAIN_AT_MOST).await;
                    }
                    failures = 0;
                }
                Err(failed) => {
                    let wait = AGAIN.saturating_mul(1 << failures.min(9)).min(AGAIN_AT_MOST);
                    self.tell(&failed, current.as_deref(), failures == 0, wait);
                    failures = failures.saturating_add(1);
                    time::sleep(wait).await;
                }
            }
        }
    }

    /// Says that it failed: once, and more often when it is urgent.
    fn tell(&self, failed: &Failed, current: Option<&Certificate>, first: bool, wait: Duration) {
        let (domains, again_s) = (self.domains.join(","), wait.as_secs());
        let failed = failed.with_causes();
        match current.map(|current| current.left(Timestamp::now())) {
            None => {
                tracing::error!(
                    domains,
                    failed,
                    again_s,
                    "there is no certificate yet, and none can be had: Twilio cannot call"
                );
            }
            Some(left) if left < URGENT => {
                let hours = left.as_hours();
                tracing::error!(
                    domains,
                    failed,
                    hours,
                    again_s,
                    "the certificate ends, and another cannot be had"
                );
            }
            Some(_) if first => {
                tracing::warn!(
                    domains,
                    failed,
                    again_s,
                    "another certificate cannot be had: the one before stays in force, and it is asked again"
                );
            }
            Some(_) => tracing::debug!(domains, failed, again_s, "still no other certificate"),
        }
    }

    /// Whether a certificate is for the names that are set.
    fn is_for_us(&self, certificate: &Certificate) -> bool {
        self.domains.iter().all(|name| certificate.names().contains(name))
    }

    /// Asks for a certificate, keeps it and puts it into force; says until when it is good.
    async fn have_another(
        &self,
        certificates: &Certificates,
    ) -> std::result::Result<Timestamp, Failed> {
        let asked = time::timeout(WITHIN, self.ask(certificates)).await;
        self.proofs.clear();
        certificates.forget_proofs();
        let (chain, key) = asked.map_err(|_| Failed::Late)??;
        let certificate = Certificate::read(chain.as_bytes(), key.as_bytes())?;
        let until = certificate.until();
        certificates.put(certificate);
        // A disk that is full is no reason to let the one before end.
        if let Err(error) = self.kept.keep_certificate(&chain, &key) {
            tracing::error!(%error, "the certificate cannot be kept: after a restart another is asked for");
        }
        Ok(until)
    }

    /// The order of RFC 8555, section 7.1: account, order, proofs, certificate. Answers the chain and
    /// the key.
    async fn ask(
        &self,
        certificates: &Certificates,
    ) -> std::result::Result<(String, String), Failed> {
        let account = self.account().await?;
        let names: Vec<Identifier> = self.domains.iter().cloned().map(Identifier::Dns).collect();
        let mut order = match account.new_order(&NewOrder::new(&names)).await {
            Err(error) if is_of_no_account(&error) => {
                // A server that has forgotten us is told of us anew, the next time.
                self.kept.forget_account()?;
                return Err(error.into());
            }
            order => order?,
        };
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            match authorization.status {
                AuthorizationStatus::Pending => {}
                AuthorizationStatus::Valid => continue,
                _ => return Err(Failed::Refused(format!("{:?}", authorization.status))),
            }
            let name = authorization.identifier().to_string();
            let kind = match self.challenge {
                Challenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
                Challenge::Http01 => ChallengeType::Http01,
            };
            let mut challenge = authorization
                .challenge(kind)
                .ok_or_else(|| Failed::NoChallenge(self.challenge.as_str(), name.clone()))?;
            let proof = challenge.key_authorization();
            match self.challenge {
                Challenge::TlsAlpn01 => {
                    certificates.prove(name.clone(), proof_for(&name, proof.digest().as_ref())?);
                }
                Challenge::Http01 => {
                    self.proofs.put(challenge.token.clone(), proof.as_str().to_owned());
                }
            }
            challenge.set_ready().await?;
        }
        let patience = RetryPolicy::new().timeout(WITHIN);
        if order.poll_ready(&patience).await? != OrderStatus::Ready {
            return Err(Failed::Refused(self.why_not(&mut order).await));
        }
        let key = order.finalize().await?;
        let chain = order.poll_certificate(&patience).await?;
        Ok((chain, key))
    }

    /// What is wrong with the proofs of an order that came to nothing.
    async fn why_not(&self, order: &mut instant_acme::Order) -> String {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let Ok(mut authorization) = authorization else { break };
            let Ok(state) = authorization.refresh().await else { break };
            if let Some(error) = state.challenges.iter().find_map(|it| it.error.as_ref()) {
                return error.to_string();
            }
        }
        "no reason was given".to_owned()
    }

    /// The account that was kept, or another.
    async fn account(&self) -> std::result::Result<Account, Failed> {
        let builder = || match &self.root {
            Some(root) => Account::builder_with_root(root)
                .map_err(|error| Failed::Root(root.display().to_string(), error)),
            None => Ok(Account::builder()?),
        };
        if let Some(credentials) = self.kept.account()? {
            return Ok(builder()?.from_credentials(credentials).await?);
        }
        let contact: Vec<&str> = self.contact.as_deref().into_iter().collect();
        let wanted = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let made = builder()?.create(&wanted, self.directory.clone(), None).await?;
        let (account, credentials) = made;
        self.kept.keep_account(&credentials)?;
        tracing::info!(directory = self.directory, "there is an account for certificates now");
        Ok(account)
    }
}

/// Whether the server does not know the account.
fn is_of_no_account(error: &instant_acme::Error) -> bool {
    let instant_acme::Error::Api(problem) = error else { return false };
    problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:accountDoesNotExist")
}

/// The certificate that shows that a name is ours (RFC 8737, section 3).
fn proof_for(name: &str, digest: &[u8]) -> std::result::Result<CertifiedKey, Failed> {
    let failed = |error: rcgen::Error| Failed::Proof(error.to_string());
    let mut params = CertificateParams::new([name.to_owned()]).map_err(failed)?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // Not compared with its certificate, which has an extension that nobody else knows.
    let key = aws_lc_rs::default_provider().key_provider.load_private_key(key);
    let key = key.map_err(|error| Failed::Proof(error.to_string()))?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}
