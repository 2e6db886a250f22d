//! Addresses that somebody was let in from: nobody is held back or turned away there.
//!
//! (Twilio's addresses are those of everybody's accounts; a flood from there is one that somebody pays
//! Twilio for.)

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use axum::http::Extensions;

use super::{limits::subscriber, peer::Peer};

/// Addresses, at most; then they are learned anew.
const MOST: usize = 4_096;

/// So long after somebody was let in from there, an address is known; it is noted anew after half of that.
const FOR: Duration = Duration::from_hours(24);

/// Which addresses are known.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Arc<RwLock<HashMap<IpAddr, Instant>>>);

impl Known {
    /// Somebody was let in over this connection.
    pub(super) fn vouch(&self, extensions: &Extensions) {
        let Some(Peer(peer)) = extensions.get::<Peer>() else { return };
        let address = subscriber(peer.ip());
        if self.since(address, FOR / 2) {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(address, Instant::now());
    }

    /// Whether somebody was let in from there (IPv6: from its /64).
    pub(super) fn has(&self, address: IpAddr) -> bool {
        self.since(subscriber(address), FOR)
    }

    fn since(&self, address: IpAddr, length: Duration) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&address).is_some_and(|at| at.elapsed() < length)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn the_addresses_that_are_known_are_bounded() {
        let known = Known::default();
        for n in 0..=MOST as u32 {
            let mut extensions = Extensions::new();
            extensions.insert(Peer((Ipv4Addr::from_bits(0x0A00_0000 + n), 1).into()));
            known.vouch(&extensions);
        }
        assert_eq!(known.0.read().unwrap().len(), 1);
    }
}
