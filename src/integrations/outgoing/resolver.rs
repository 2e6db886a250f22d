//! The lookup of host names, which hands only permitted addresses to the connector.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::refused::NonePermitted;
use super::rules::{Rules, is_inner_name};

/// What a [`Lookup`] will give: every address of the host, of both families.
pub type Answer = BoxFuture<'static, io::Result<Vec<IpAddr>>>;

/// A source of addresses for host names, unfiltered.
pub trait Lookup: Send + Sync {
    /// Starts looking up `host`, a name and never an address.
    fn lookup(&self, host: &str) -> Answer;
}

/// The lookup of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: &str) -> Answer {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The resolver the HTTP client connects through.
///
/// The client connects to exactly the addresses given here, without a second
/// lookup, so a name that changes its answer (DNS rebinding) gains nothing.
pub(super) struct Guarded {
    pub(super) rules: Arc<Rules>,
    pub(super) lookup: Arc<dyn Lookup>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        if is_inner_name(name.as_str()) {
            return Box::pin(async { Err(NonePermitted.into()) });
        }
        let rules = Arc::clone(&self.rules);
        let answer = self.lookup.lookup(name.as_str());
        Box::pin(async move {
            let found = answer.await?;
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            let kept: Vec<SocketAddr> = found
                .into_iter()
                .filter(|&ip| rules.permits(ip))
                // Port 0 stands for the port of the URL.
                .map(|ip| SocketAddr::new(ip, 0))
                .collect();
            if kept.is_empty() {
                return Err(NonePermitted.into());
            }
            let kept: Addrs = Box::new(kept.into_iter());
            Ok(kept)
        })
    }
}
