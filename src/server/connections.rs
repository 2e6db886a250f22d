//! Accepting connections, cutting off slow ones, and stopping in good order.

mod answers;
mod protocol;
mod syn_filter;

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::pin,
    sync::{Arc, atomic::AtomicU32},
    time::Duration,
};

use axum::Router;
use hyper_util::service::TowerToHyperService;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch},
};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::{
    DRAIN, IpNet,
    known::Known,
    limits,
    peer::Peer,
    shares::{Share, Shares},
};
use syn_filter::SynFilter;

/// A connection's share of what this machine has, for a socket that outlives the request.
#[derive(Clone, Default)]
pub(super) struct Held {
    #[allow(dead_code, reason = "kept, not read")]
    of_all: Option<Arc<OwnedSemaphorePermit>>,
    of_address: Option<Arc<OfAddress>>,
}

/// A connection's share of what its address may have. A proxy's and this machine's own have none: others
/// come over them.
#[derive(Debug)]
pub(super) struct OfAddress {
    #[allow(dead_code, reason = "kept, not read")]
    share: Share<IpAddr>,
    /// Held by the one of its answers that waits just now, of so many.
    pub(super) turn: Mutex<()>,
    pub(super) waiting: AtomicU32,
    /// Ends the connection.
    pub(super) cut: Notify,
}

impl Held {
    fn new(permit: OwnedSemaphorePermit, share: Option<Share<IpAddr>>) -> Self {
        let of_address = share.map(|share| {
            let (turn, waiting, cut) = (Mutex::new(()), AtomicU32::new(0), Notify::new());
            Arc::new(OfAddress { share, turn, waiting, cut })
        });
        Self { of_all: Some(permit.into()), of_address }
    }

    /// Its share of what its address may have, if it counts for one.
    pub(super) fn of_address(&self) -> Option<Arc<OfAddress>> {
        self.of_address.clone()
    }

    /// Resolves when the connection is to end at once.
    async fn cut(&self) {
        match &self.of_address {
            Some(of_address) => of_address.cut.notified().await,
            None => std::future::pending().await,
        }
    }
}

/// Connections at once: beyond, they wait in the kernel's queue. A silent one takes some 10 kB, and is
/// cut off before Twilio would give up on one that waits.
const CONNECTIONS: usize = 16_384;

/// Connections that wait to be accepted, as in `packaging/systemd/webox.socket`: beyond, a client's SYN is lost,
/// and it tries again after a second. The kernel has a bound of its own (`net.core.somaxconn`).
const BACKLOG: u32 = 4_096;

/// A client that takes nothing of its answer for so long is cut off.
const TAKES_WITHIN: Duration = Duration::from_secs(10);

/// Connections at once of one address (IPv6: one /64).
const OF_ONE_ADDRESS: u32 = 512;

/// A connection that is kept is closed when its next request has not come by then: a client's that is slow is
/// cut off. A proxy gives up its own first (Caddy after 120 s, nginx after 60): what it sends just as the
/// other end closes is lost, and it sends no POST twice.
const ASKS_WITHIN: Duration = Duration::from_secs(8);
const PROXY_ASKS_WITHIN: Duration = Duration::from_mins(5);

/// After a failed accept (out of file descriptors), how long to let others finish.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Listens at an address, with room for a rush: [`TcpListener::bind`] lets 128 wait.
///
/// # Errors
///
/// When the address is taken, is no address of this machine, or may not be listened at.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
    proxies: Vec<IpNet>,
    known: Known,
    tls: Option<TlsAcceptor>,
) {
    let shares = Connections::new(proxies);
    let (stop, stopping) = watch::channel(false);
    // Each connection holds one of these: when nobody does, all are closed.
    let (open, mut closed) = mpsc::channel::<()>(1);
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut shutdown = pin!(shutdown);
    let mut filter = SynFilter::on(&listener);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            () = filter.let_in_again() => continue,
            accepted = accept(&listener, &room) => accepted,
        };
        let Some((stream, peer, permit)) = accepted else {
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let Ok(share) = shares.take(peer.ip()) else {
            tracing::debug!(%peer, "too many connections of one address");
            if !known.has(peer.ip()) {
                filter.refused(limits::subscriber(peer.ip()));
            }
            continue;
        };
        // Answers are small and wanted at once.
        let _ = stream.set_nodelay(true);
        let held = Held::new(permit, share);
        let kept = held.clone();
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(TAKES_WITHIN));
        let service = TowerToHyperService::new(router.clone().map_request(
            move |mut request: hyper::Request<_>| {
                request.extensions_mut().insert(Peer(peer));
                request.extensions_mut().insert(held.clone());
                request
            },
        ));
        let (stopping, open, tls) = (stopping.clone(), open.clone(), tls.clone());
        let within = if shares.is_proxy(peer.ip()) { PROXY_ASKS_WITHIN } else { ASKS_WITHIN };
        tokio::spawn(async move {
            tokio::select! {
                () = protocol::serve(Box::pin(stream), service, tls, within, stopping) => {}
                () = kept.cut() => tracing::debug!(%peer, "cut off: it asks and asks"),
            }
            drop((kept, open));
        });
    }
    // Closing the listener first: a new connection goes to the next process, not into our queue.
    drop(filter);
    drop(listener);
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    tracing::info!(tasks, "stopping: no new connections, finishing turns in flight");
    stop.send_replace(true);
    drop(open);
    if tokio::time::timeout(DRAIN, closed.recv()).await.is_err() {
        tracing::warn!(seconds = DRAIN.as_secs(), "connections were still open at the deadline");
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(tokio::net::TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            None
        }
    }
}

/// Shares of connections; 127.0.0.1, ::1 and trusted proxies have all.
struct Connections {
    shares: Shares<IpAddr>,
    proxies: Vec<IpNet>,
}

impl Connections {
    fn new(proxies: Vec<IpNet>) -> Self {
        Self { shares: Shares::new(OF_ONE_ADDRESS), proxies }
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.proxies.iter().any(|net| net.contains(&address))
    }

    /// Room for one more; refused when an address has its share.
    fn take(&self, address: IpAddr) -> Result<Option<Share<IpAddr>>, Full> {
        let address = address.to_canonical();
        let this_machine = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
        if this_machine.contains(&address) || self.is_proxy(address) {
            return Ok(None);
        }
        self.shares.take(limits::subscriber(address)).map(Some).ok_or(Full)
    }
}

/// An address has as many connections as it may.
#[derive(Debug)]
struct Full;

/// A connection's share of one address, and whether it is held still.
#[cfg(test)]
pub(super) fn counted() -> (Held, impl Fn() -> bool) {
    let (room, connections) = (Arc::new(Semaphore::new(1)), Connections::new(Vec::new()));
    let share = connections.take(Ipv4Addr::new(192, 0, 2, 1).into()).unwrap();
    let permit = Arc::clone(&room).try_acquire_owned().unwrap();
    (Held::new(permit, share), move || !connections.shares.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_rush_waits_for_us_and_is_not_lost() {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let soon = Duration::from_millis(500);
        let rush: Vec<_> =
            (0..200).map(|_| std::net::TcpStream::connect_timeout(&address, soon)).collect();
        assert!(rush.iter().all(Result::is_ok));
    }

    #[test]
    fn one_address_has_its_share_and_gives_it_back() {
        let connections = Connections::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let take = |address: &str| connections.take(address.parse().unwrap());
        let mut held: Vec<_> = (0..OF_ONE_ADDRESS).map(|_| take("192.0.2.1").unwrap()).collect();
        assert!(take("192.0.2.1").is_err() && take("::ffff:192.0.2.1").is_err());
        assert!(take("192.0.2.2").is_ok());
        held.pop();
        assert!(take("192.0.2.1").is_ok());
        assert!((0..2 * OF_ONE_ADDRESS).all(|_| take("10.1.2.3").unwrap().is_none()));
    }
}
