//! The tarpit: an answer to whoever asked too often without being known is held back for about a second,
//! one after the other on a connection, and the connection counts until then even if its client hangs up.
//! However an address goes about it, it has no more such answers a second than connections, so that a
//! flood leaves the processor to those who are let in.
//!
//! A proxy's connections are its callers' as well, and so are those of an address that somebody was let in
//! from: nothing is held back there.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::{Extensions, StatusCode},
    middleware::Next,
    response::Response,
};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
};

use super::{
    App,
    connections::{Held, OfAddress},
    known::Known,
    limits::subscriber,
    peer::Peer,
    problem,
};

/// How long an answer is held back, and up to how much longer: those who come all at once go one after the
/// other.
const FOR: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(1));

/// Connections whose answers are held back at once; beyond, they are given at once.
const AT_ONCE: usize = 16_384;

/// Answers of one connection that wait, over HTTP/2; whoever asks for more is cut off.
const ON_A_CONNECTION: u32 = 64;

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
    let Some(mut stranger) = app.tarpit.stranger(request.extensions()) else {
        return next.run(request).await;
    };
    let response = next.run(request).await;
    // Whoever looks for what is not there is counted with those who are refused.
    let looks =
        [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&response.status());
    let is_slow = response.extensions().get::<HeldBack>().is_some()
        || looks && app.limits.stranger(stranger.address).is_err();
    stranger.is_answered = !is_slow;
    if is_slow && let Some(holding) = stranger.hold() {
        let _ = holding.await;
    }
    response
}

/// Who is held back, and for how long.
#[derive(Debug, Clone)]
pub(super) struct Tarpit {
    known: Known,
    room: Arc<Semaphore>,
    length: (Duration, Duration),
    spread: Arc<AtomicU32>,
    stopping: watch::Receiver<bool>,
}

impl Tarpit {
    /// One that holds nobody back who is known, and lets go of everybody when the daemon stops.
    pub(super) fn new(known: Known, stopping: watch::Receiver<bool>) -> Self {
        let room = Semaphore::new(AT_ONCE).into();
        Self { known, room, length: FOR, spread: Arc::default(), stopping }
    }

    /// The other end of a connection that is its client's own, where it comes from no address that is known.
    fn stranger(&self, extensions: &Extensions) -> Option<Stranger> {
        let of_address = extensions.get::<Held>()?.of_address()?;
        let address = subscriber(extensions.get::<Peer>()?.0.ip());
        let known = self.known.has(address);
        (!known).then(|| Stranger { tarpit: self.clone(), address, of_address, is_answered: false })
    }

    /// Each length as far as can be from those before it: steps of the golden ratio.
    fn next_length(&self) -> Duration {
        let at = self.spread.fetch_add(0x9E37_79B9, Ordering::Relaxed);
        let (least, more) = self.length;
        least + more.mul_f64(f64::from(at) / f64::from(u32::MAX))
    }
}

/// Who asks, over a connection that may be held.
struct Stranger {
    tarpit: Tarpit,
    address: IpAddr,
    of_address: Arc<OfAddress>,
    is_answered: bool,
}

impl Stranger {
    /// Holds the connection, after those of its answers that are held already, in a task of its own: also
    /// for whoever hangs up meanwhile. Resolves when it is over.
    fn hold(&mut self) -> Option<JoinHandle<()>> {
        self.is_answered = true;
        let room = Arc::clone(&self.tarpit.room);
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        let held = Arc::clone(&self.of_address);
        let waiting = held.waiting.fetch_add(1, Ordering::Relaxed);
        if waiting >= ON_A_CONNECTION {
            held.cut.notify_one();
        }
        let (length, mut stopping) = (self.tarpit.next_length(), self.tarpit.stopping.clone());
        Some(runtime.spawn(async move {
            let in_turn = async {
                let _turn = held.turn.lock().await;
                if let Ok(_room) = room.try_acquire() {
                    tokio::time::sleep(length).await;
                }
            };
            tokio::select! {
                () = in_turn => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
            held.waiting.fetch_sub(1, Ordering::Relaxed);
            drop(held);
        }))
    }
}

impl Drop for Stranger {
    /// Gone before the answer, and so before it was known what it would be.
    fn drop(&mut self) {
        if !self.is_answered {
            self.hold();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::server::connections::counted;

    const LONG: (Duration, Duration) = (Duration::from_hours(1), Duration::ZERO);

    fn tarpit(length: (Duration, Duration)) -> (watch::Sender<bool>, Tarpit) {
        let (stop, stopping) = watch::channel(false);
        (stop, Tarpit { length, ..Tarpit::new(Known::default(), stopping) })
    }

    fn from(address: &str, held: &Held) -> Extensions {
        let mut extensions = Extensions::new();
        extensions.insert(Peer((address.parse::<IpAddr>().unwrap(), 1).into()));
        extensions.insert(held.clone());
        extensions
    }

    #[tokio::test]
    async fn only_strangers_over_their_own_connections_are_held_back() {
        let (_stop, tarpit) = tarpit(LONG);
        let (held, _) = counted();
        let is_held = |address: &str, held: &Held| {
            tarpit.stranger(&from(address, held)).is_some_and(|mut it| it.hold().is_some())
        };
        assert!(is_held("192.0.2.1", &held));
        assert!(!is_held("192.0.2.1", &Held::default()));
        tarpit.known.vouch(&from("2001:db8::1", &held));
        assert!(!is_held("2001:db8::2", &held));
        assert!(is_held("2001:db8:0:1::1", &held));
    }

    #[tokio::test]
    async fn who_hangs_up_has_the_connection_counted_all_the_same_until_the_end() {
        let (stop, tarpit) = tarpit(LONG);
        let (held, is_counted) = counted();
        // One who was to wait, and one who was gone before.
        let stranger = || tarpit.stranger(&from("192.0.2.1", &held)).unwrap();
        drop(stranger().hold());
        drop(stranger());
        assert_eq!(held.of_address().unwrap().waiting.load(Ordering::Relaxed), 2);
        drop(held);
        assert!(is_counted(), "given back before its time");
        stop.send_replace(true);
        while is_counted() {
            tokio::task::yield_now().await;
        }
        assert_eq!(tarpit.room.available_permits(), AT_ONCE);
    }

    #[tokio::test]
    async fn on_a_connection_they_wait_one_after_the_other_and_too_many_end_it() {
        let least = Duration::from_millis(20);
        let (_stop, tarpit) = tarpit((least, Duration::ZERO));
        let (held, _) = counted();
        let of_address = held.of_address().unwrap();
        let begun = Instant::now();
        let hold = || tarpit.stranger(&from("192.0.2.1", &held)).unwrap().hold().unwrap();
        let waiting: Vec<_> = (0..ON_A_CONNECTION).map(|_| hold()).collect();
        let cut = of_address.cut.notified();
        let mut cut = std::pin::pin!(cut);
        assert!(futures_util::poll!(cut.as_mut()).is_pending());
        hold().abort();
        assert!(futures_util::poll!(cut.as_mut()).is_ready());
        for one in waiting {
            one.await.unwrap();
        }
        assert!(begun.elapsed() >= least * ON_A_CONNECTION);
    }

    #[tokio::test]
    async fn those_who_wait_at_once_go_one_after_the_other_and_there_is_room_for_so_many() {
        let (held, _) = counted();
        let hold = |of: &Tarpit| of.stranger(&from("192.0.2.1", &held)).unwrap().hold().unwrap();
        let (_going, full) = tarpit(LONG);
        let _all = Arc::clone(&full.room).acquire_many_owned(AT_ONCE as u32).await.unwrap();
        hold(&full).await.unwrap();
        let (_stop, tarpit) = tarpit(FOR);
        let begun = Instant::now();
        hold(&tarpit).await.unwrap();
        assert!(begun.elapsed() >= FOR.0);
        let mut lengths: Vec<Duration> = (0..512).map(|_| tarpit.next_length()).collect();
        lengths.sort_unstable();
        assert!(lengths[0] >= FOR.0 && lengths[511] <= FOR.0 + FOR.1);
        let close = |two: &[Duration]| two[1] < two[0] + Duration::from_millis(10);
        assert!(lengths.windows(2).all(close));
    }
}
