//! Accepting connections, cutting off slow ones, and stopping in good order.

use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc, watch},
};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use super::{
    IpNet, limits,
    peer::Peer,
    shares::{Share, Shares},
};

/// A connection's share of what this machine has, for a socket that outlives the request.
#[derive(Clone, Default)]
pub(super) struct Held(#[allow(dead_code, reason = "kept, not read")] Option<Arc<Holding>>);

type Holding = (tokio::sync::OwnedSemaphorePermit, Option<Share<IpAddr>>);

/// A client that has not sent its headers by then is cut off. hyper has no limit of its own.
const HEADERS_WITHIN: Duration = Duration::from_secs(8);

/// Longer headers are answered with 431.
const HEADER_BYTES: usize = 16 * 1024;

/// Connections at once: beyond, they wait in the kernel's queue. A silent one takes some 10 kB, and is
/// cut off before Twilio would give up on one that waits.
const CONNECTIONS: usize = 16_384;

/// A client that takes nothing of its answer for so long is cut off.
const TAKES_WITHIN: Duration = Duration::from_secs(10);

/// Connections at once of one address (IPv6: one /64).
const OF_ONE_ADDRESS: u32 = 512;

/// After a failed accept (out of file descriptors), how long to let others finish.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
    drain: Duration,
    proxies: Vec<IpNet>,
) {
    let shares = Connections::new(proxies);
    let (stop, stopping) = watch::channel(false);
    // Each connection holds one of these: when nobody does, all are closed.
    let (open, mut closed) = mpsc::channel::<()>(1);
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let Some((stream, peer, permit)) = accepted else {
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let Ok(share) = shares.take(peer.ip()) else {
            tracing::debug!(%peer, "too many connections of one address");
            continue;
        };
        // Answers are small and wanted at once.
        let _ = stream.set_nodelay(true);
        let held = Held(Some(Arc::new((permit, share))));
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
        let mut server = http1::Builder::new();
        server
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .max_buf_size(HEADER_BYTES);
        let connection =
            server.serve_connection(TokioIo::new(Box::pin(stream)), service).with_upgrades();
        let (mut stopping, open) = (stopping.clone(), open.clone());
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let done = tokio::select! {
                done = connection.as_mut() => done,
                () = stops(&mut stopping) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = done {
                tracing::debug!(%error, "a connection ended early");
            }
            drop((kept, open));
        });
    }
    // Closing the listener first: a new connection goes to the next process, not into our queue.
    drop(listener);
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    tracing::info!(tasks, "stopping: no new connections, finishing turns in flight");
    stop.send_replace(true);
    drop(open);
    if tokio::time::timeout(drain, closed.recv()).await.is_err() {
        tracing::warn!(seconds = drain.as_secs(), "connections were still open at the deadline");
    }
}

/// Resolves when no more requests are to be taken.
async fn stops(stopping: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone: the connection is served to its end.
    if stopping.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(tokio::net::TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            None
        }
    }
}

/// Shares of connections; this machine and trusted proxies have all.
struct Connections {
    shares: Shares<IpAddr>,
    unbounded: Vec<IpNet>,
}

impl Connections {
    fn new(unbounded: Vec<IpNet>) -> Self {
        Self { shares: Shares::new(OF_ONE_ADDRESS), unbounded }
    }

    /// Room for one more; refused when an address has its share.
    fn take(&self, address: IpAddr) -> Result<Option<Share<IpAddr>>, Full> {
        let address = address.to_canonical();
        if address.is_loopback() || self.unbounded.iter().any(|net| net.contains(&address)) {
            return Ok(None);
        }
        self.shares.take(limits::subscriber(address)).map(Some).ok_or(Full)
    }
}

/// An address has as many connections as it may.
#[derive(Debug)]
struct Full;

#[cfg(test)]
mod tests {
    use super::*;

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
