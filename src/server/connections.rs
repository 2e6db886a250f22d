//! Accepting connections, cutting off slow ones, and stopping in good order.

use std::{
    collections::HashMap,
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

use super::{IpNet, limits, peer::Peer};

/// A client that has not sent its headers by then is cut off. hyper has no limit of its own.
const HEADERS_WITHIN: Duration = Duration::from_secs(8);

/// Longer headers are answered with 431.
const HEADER_BYTES: usize = 16 * 1024;

/// Connections at once: beyond, they wait in the kernel's queue.
const CONNECTIONS: usize = 8_192;

/// A client that takes nothing of its answer for so long is cut off.
const TAKES_WITHIN: Duration = Duration::from_secs(10);

/// Connections at once of one address (IPv6: one /64). This machine and trusted proxies have all.
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
    let shares = Shares::new(proxies);
    let graceful = GracefulShutdown::new();
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
        let Some(share) = shares.take(peer.ip()) else {
            tracing::debug!(%peer, "too many connections of one address");
            continue;
        };
        // Answers are small and wanted at once.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(TAKES_WITHIN));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .max_buf_size(HEADER_BYTES)
            .serve_connection(
                TokioIo::new(Box::pin(stream)),
                TowerToHyperService::new(router.clone().map_request(
                    move |mut request: hyper::Request<_>| {
                        request.extensions_mut().insert(Peer(peer));
                        request
                    },
                )),
            );
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop((permit, share));
        });
    }
    // Closing the listener first: a new connection goes to the next process, not into our queue.
    drop(listener);
    tracing::info!("stopping: no new connections, finishing turns in flight");
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(seconds = drain.as_secs(), "connections were still open at the deadline");
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

/// Who has how many connections.
#[derive(Clone)]
struct Shares {
    taken: Arc<Mutex<HashMap<IpAddr, u32>>>,
    unbounded: Arc<[IpNet]>,
}

/// A connection of an address, given back when it is dropped.
struct Share {
    shares: Shares,
    of: Option<IpAddr>,
}

impl Shares {
    fn new(unbounded: Vec<IpNet>) -> Self {
        Self { taken: Arc::default(), unbounded: unbounded.into() }
    }

    fn take(&self, address: IpAddr) -> Option<Share> {
        let address = address.to_canonical();
        if address.is_loopback() || self.unbounded.iter().any(|net| net.contains(&address)) {
            return Some(Share { shares: self.clone(), of: None });
        }
        let of = limits::subscriber(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(of).or_default();
        if *count >= OF_ONE_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Share { shares: self.clone(), of: Some(of) })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some(of) = self.of else { return };
        let mut taken = self.shares.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&of) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_its_share_and_gives_it_back() {
        let shares = Shares::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let take = |address: &str| shares.take(address.parse().unwrap());
        let mut held: Vec<_> = (0..OF_ONE_ADDRESS).map(|_| take("192.0.2.1").unwrap()).collect();
        assert!(take("192.0.2.1").is_none() && take("::ffff:192.0.2.1").is_none());
        assert!(take("192.0.2.2").is_some());
        held.pop();
        assert!(take("192.0.2.1").is_some());
        let proxied: Vec<_> = (0..2 * OF_ONE_ADDRESS).filter_map(|_| take("10.1.2.3")).collect();
        assert_eq!(proxied.len(), 2 * OF_ONE_ADDRESS as usize);
        drop(held);
        assert!(shares.taken.lock().unwrap().is_empty());
    }
}
