//! The tarpit: an answer to whoever asked too often without being known is held back for a second, and
//! with it the connection's share. However an address goes about it, it has no more such answers a second
//! than connections, so that a flood leaves the processor to those who are let in.
//!
//! A proxy's connections are its callers' as well, and so are those of an address that somebody was let in
//! from: nothing is held back there.

use std::{
    collections::HashSet,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::Extensions,
    middleware::Next,
    response::Response,
};
use tokio::sync::{Semaphore, watch};

use super::{App, connections::Held, limits::subscriber, peer::Peer, problem};

/// How long an answer is held back.
const FOR: Duration = Duration::from_secs(1);

/// Answers held back at once; those beyond are given at once. Only HTTP/2 has more than one a connection.
const AT_ONCE: usize = 16_384;

/// Addresses that somebody was let in from, at most; then they are learned anew.
const MOST_KNOWN: usize = 4_096;

/// Marks an answer that is to be held back.
#[derive(Debug, Clone, Copy)]
struct HeldBack;

/// Asked too often by somebody who is not known: as slow as it may be.
pub(super) fn turn_away(wait: Duration) -> Response {
    let mut response = problem::too_many(wait);
    response.extensions_mut().insert(HeldBack);
    response
}

/// Gives every answer in its time.
pub(super) async fn pass(State(app): State<App>, request: Request, next: Next) -> Response {
    let of = |extensions: &Extensions| {
        let Peer(peer) = *extensions.get::<Peer>()?;
        Some((peer.ip(), extensions.get::<Held>()?.clone()))
    };
    let from = of(request.extensions());
    let response = next.run(request).await;
    if let Some((peer, held)) = from
        && response.extensions().get::<HeldBack>().is_some()
    {
        app.tarpit.hold_back(peer, held).await;
    }
    response
}

/// Who is held back, and for how long.
#[derive(Debug, Clone)]
pub(super) struct Tarpit {
    known: Arc<RwLock<HashSet<IpAddr>>>,
    room: Arc<Semaphore>,
    length: Duration,
    stopping: watch::Receiver<bool>,
}

impl Tarpit {
    /// One that lets go of everybody when the daemon stops.
    pub(super) fn new(stopping: watch::Receiver<bool>) -> Self {
        let room = Semaphore::new(AT_ONCE).into();
        Self { known: Arc::default(), room, length: FOR, stopping }
    }

    /// Somebody was let in over this connection: nobody is held back where it comes from.
    pub(super) fn vouch(&self, extensions: &Extensions) {
        let Some(Peer(peer)) = extensions.get::<Peer>() else { return };
        let address = subscriber(peer.ip());
        if self.knows(address) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(address);
    }

    fn knows(&self, address: IpAddr) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).contains(&address)
    }

    /// Waits, if somebody who comes from there has to.
    async fn hold_back(&self, peer: IpAddr, held: Held) {
        if !held.is_counted() || self.knows(subscriber(peer)) {
            return;
        }
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else { return };
        let (length, mut stopping) = (self.length, self.stopping.clone());
        // In a task of its own: the connection of whoever hangs up meanwhile counts to the end.
        let holding = tokio::spawn(async move {
            let _ = tokio::time::timeout(length, stopping.wait_for(|stop| *stop)).await;
            drop((room, held));
        });
        let _ = holding.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::connections::counted;

    fn tarpit(length: Duration) -> (watch::Sender<bool>, Tarpit) {
        let (stop, stopping) = watch::channel(false);
        (stop, Tarpit { length, ..Tarpit::new(stopping) })
    }

    async fn is_held(tarpit: &Tarpit, address: &str, held: &Held) -> bool {
        let holding = tarpit.hold_back(address.parse().unwrap(), held.clone());
        tokio::time::timeout(Duration::from_millis(50), holding).await.is_err()
    }

    fn from(address: &str) -> Extensions {
        let mut extensions = Extensions::new();
        extensions.insert(Peer((address.parse::<IpAddr>().unwrap(), 1).into()));
        extensions
    }

    #[tokio::test]
    async fn only_strangers_over_their_own_connections_are_held_back() {
        let (_stop, tarpit) = tarpit(Duration::from_hours(1));
        let (held, _) = counted();
        assert!(is_held(&tarpit, "192.0.2.1", &held).await);
        assert!(!is_held(&tarpit, "192.0.2.1", &Held::default()).await);
        tarpit.vouch(&from("2001:db8::1"));
        assert!(!is_held(&tarpit, "2001:db8::2", &held).await);
        assert!(is_held(&tarpit, "2001:db8:0:1::1", &held).await);
    }

    #[tokio::test]
    async fn who_hangs_up_has_the_connection_counted_all_the_same_until_the_end() {
        let (stop, tarpit) = tarpit(Duration::from_hours(1));
        let (held, is_open) = counted();
        assert!(is_held(&tarpit, "192.0.2.1", &held).await);
        drop(held);
        assert!(is_open(), "given back before its time");
        stop.send_replace(true);
        while is_open() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn beyond_the_room_there_is_nobody_waits_and_a_second_is_all_of_it() {
        let (_stop, tarpit) = tarpit(FOR);
        let (held, _) = counted();
        let room = Arc::clone(&tarpit.room).acquire_many_owned(AT_ONCE as u32).await.unwrap();
        assert!(!is_held(&tarpit, "192.0.2.1", &held).await);
        drop(room);
        let begun = std::time::Instant::now();
        tarpit.hold_back("192.0.2.1".parse().unwrap(), held).await;
        assert!(begun.elapsed() >= FOR);
        assert_eq!(tarpit.room.available_permits(), AT_ONCE);
    }

    #[test]
    fn the_addresses_that_are_known_are_bounded() {
        let (_stop, tarpit) = tarpit(FOR);
        for n in 0..=MOST_KNOWN as u32 {
            tarpit.vouch(&from(&std::net::Ipv4Addr::from_bits(0x0A00_0000 + n).to_string()));
        }
        assert_eq!(tarpit.known.read().unwrap().len(), 1);
    }
}
