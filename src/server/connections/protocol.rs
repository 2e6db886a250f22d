//! One connection: plain or over TLS, HTTP/1.1 or HTTP/2, with a limit to how slow its client may be.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use hyper::{
    Request, Response,
    body::{Frame, Incoming, SizeHint},
    server::conn::{http1, http2},
    service::{Service, service_fn},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Notify, watch},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{TAKES_WITHIN, answers::Answers};
use crate::server::tls;

/// Longer headers are answered with 431.
const HEADER_BYTES: usize = 16 * 1024;

/// A handshake that is not over by then is given up.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(8);

/// Once it is to stop, a connection that has just been made is given so long to ask what it was made
/// for: closed before, its client would hear nothing. One that has been used is likely to be used
/// again at once, or not at all; the answer then says that it is closed.
const ASKS_WITHIN: Duration = Duration::from_secs(1);
const ASKS_AGAIN_WITHIN: Duration = Duration::from_millis(300);

/// How often it is looked then whether a request is still under way. A connection with none is closed the
/// second time that there was none: whoever is silent, or sends a request letter by letter, keeps the next
/// process from nobody.
const LOOKS_EVERY: Duration = Duration::from_millis(300);

/// Requests of one HTTP/2 connection at once.
const REQUESTS_AT_ONCE: u32 = 64;

/// What of the answers of one HTTP/2 stream may wait to be taken.
const SEND_BUFFER: usize = 64 * 1024;

/// How often a client that is waited for is asked whether it is there, and for how long.
const ASK_EVERY: Duration = Duration::from_secs(20);
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Serves a connection until it is closed, or, once `stopping` is true, until its last answer is out. A
/// client that has not sent the headers of its next request `within` that time is cut off.
pub(super) async fn serve<I, S>(
    stream: I,
    service: S,
    tls: Option<TlsAcceptor>,
    within: Duration,
    stopping: watch::Receiver<bool>,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let done = match tls {
        None => over_http1(stream, service, within, stopping).await,
        // Apart: most connections need no room for it.
        Some(tls) => Box::pin(over_tls(stream, service, tls, within, stopping)).await,
    };
    if let Err(error) = done {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn over_tls<I, S>(
    stream: I,
    service: S,
    tls: TlsAcceptor,
    within: Duration,
    mut stopping: watch::Receiver<bool>,
) -> hyper::Result<()>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let shaken = tokio::select! {
        shaken = timeout(HANDSHAKE_WITHIN, tls.accept(stream)) => shaken,
        () = stops_for(&mut stopping, ASKS_WITHIN) => return Ok(()),
    };
    let stream = match shaken {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a handshake came to nothing");
            return Ok(());
        }
        Err(_) => {
            tracing::debug!("a handshake took too long");
            return Ok(());
        }
    };
    let agreed = stream.get_ref().1.alpn_protocol();
    if tls::is_proof(agreed) {
        return Ok(());
    }
    if tls::is_http2(agreed) {
        over_http2(stream, service, within, stopping).await
    } else {
        over_http1(stream, service, within, stopping).await
    }
}

async fn over_http1<I, S>(
    stream: I,
    service: S,
    within: Duration,
    mut stopping: watch::Receiver<bool>,
) -> hyper::Result<()>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
{
    let requests = Requests::default();
    let counted = requests.clone();
    let service = service_fn(move |request| {
        let under_way = counted.one_more();
        let answer = service.call(request);
        async move {
            let Ok(answer) = answer.await;
            Ok::<_, Infallible>(answer.map(|body| Whole { body, _under_way: under_way }))
        }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(within).max_buf_size(HEADER_BYTES);
    let connection = server.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        done = connection.as_mut() => done,
        () = stops(&mut stopping) => {
            tokio::select! {
                done = connection.as_mut() => return done,
                () = requests.asks() => {}
            }
            connection.as_mut().graceful_shutdown();
            // Apart, so that each connection does not have the room for it all the time.
            let until_quiet = Box::pin(async {
                let mut quiet = 0;
                while quiet < 2 {
                    sleep(LOOKS_EVERY).await;
                    quiet = if requests.under_way() { 0 } else { quiet + 1 };
                }
            });
            tokio::select! {
                done = connection => done,
                () = until_quiet => Ok(()),
            }
        }
    }
}

/// An answer whose request is under way until the last of it is out.
struct Whole {
    body: Body,
    _under_way: Arc<()>,
}

impl hyper::body::Body for Whole {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

async fn over_http2<I, S>(
    stream: I,
    service: S,
    within: Duration,
    mut stopping: watch::Receiver<bool>,
) -> hyper::Result<()>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let requests = Requests::default();
    let counted = requests.clone();
    let on_their_way = Answers::default();
    let begun = on_their_way.clone();
    let service = service_fn(move |request| {
        let under_way = counted.one_more();
        let answer = service.call(request);
        let answers = begun.clone();
        async move {
            let Ok(answer) = answer.await;
            // Under way until the last of the answer is out, or given up.
            Ok::<_, Infallible>(answer.map(|body| answers.one_more(body, under_way)))
        }
    });
    let mut server = http2::Builder::new(TokioExecutor::new());
    server
        .timer(TokioTimer::new())
        .max_header_list_size(HEADER_BYTES as u32)
        .max_concurrent_streams(REQUESTS_AT_ONCE)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(ASK_EVERY)
        .keep_alive_timeout(ANSWERS_WITHIN);
    let connection = server.serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // hyper has no limit for headers that come slowly here: a connection without a request is not
    // kept, as with HTTP/1.1.
    let mut look = interval(within);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    look.tick().await;
    let (mut before, mut told, mut quiet) = (0, false, 0);
    loop {
        tokio::select! {
            done = connection.as_mut() => return done,
            () = stops(&mut stopping), if !told => {
                tokio::select! {
                    done = connection.as_mut() => return done,
                    () = requests.asks() => {}
                }
                connection.as_mut().graceful_shutdown();
                told = true;
                look = interval(LOOKS_EVERY);
                look.tick().await;
            }
            _ = look.tick() => {
                let given_up = on_their_way.give_up(TAKES_WITHIN);
                if given_up > 0 {
                    tracing::debug!(given_up, "answers were not taken");
                    // What the protocol holds of them goes with the connection: others' requests end first,
                    // and no more come.
                    connection.as_mut().graceful_shutdown();
                    told = true;
                }
                let so_far = requests.so_far();
                if requests.under_way() || so_far != std::mem::replace(&mut before, so_far) {
                    quiet = 0;
                    continue;
                }
                quiet += 1;
                if told && quiet < 2 {
                    continue;
                }
                if told {
                    // It was told to go, and has no request under way that would keep it.
                    return Ok(());
                }
                connection.as_mut().graceful_shutdown();
                told = true;
            }
        }
    }
}

/// The requests of one connection.
#[derive(Clone, Default)]
struct Requests {
    so_far: Arc<AtomicU64>,
    next: Arc<Notify>,
    under_way: Arc<()>,
}

impl Requests {
    /// One that is under way until what is answered is dropped.
    fn one_more(&self) -> Arc<()> {
        self.so_far.fetch_add(1, Ordering::Relaxed);
        self.next.notify_waiters();
        Arc::clone(&self.under_way)
    }

    fn so_far(&self) -> u64 {
        self.so_far.load(Ordering::Relaxed)
    }

    /// Resolves when one is under way, or there has been time enough for one.
    async fn asks(&self) {
        if self.under_way() {
            return;
        }
        let within = if self.so_far() == 0 { ASKS_WITHIN } else { ASKS_AGAIN_WITHIN };
        let _ = timeout(within, self.next.notified()).await;
    }

    /// Whether there is one; this and the copy that the service has are none.
    fn under_way(&self) -> bool {
        Arc::strong_count(&self.under_way) > 2
    }
}

/// Resolves when no more requests are to be taken.
async fn stops(stopping: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone: the connection is served to its end.
    if stopping.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Resolves so long after that.
async fn stops_for(stopping: &mut watch::Receiver<bool>, time: Duration) {
    stops(stopping).await;
    sleep(time).await;
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// Whoever has sent this when it is to stop, and what they hear then. Without a stop, their headers would be
    /// waited for much longer.
    async fn stopped_beside(sent: &'static str) -> String {
        let (mut client, ours) = duplex(64 * 1024);
        let (stop, stopping) = watch::channel(false);
        let slowly = service_fn(async |_: Request<Incoming>| {
            sleep(Duration::from_secs(2)).await;
            Ok::<_, Infallible>(Response::new(Body::from("late")))
        });
        let within = Duration::from_mins(5);
        let served = tokio::spawn(serve(ours, slowly, None, within, stopping));
        client.write_all(sent.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        stop.send_replace(true);
        timeout(Duration::from_mins(1), served).await.expect("it is closed").unwrap();
        let mut heard = String::new();
        client.read_to_string(&mut heard).await.unwrap();
        heard
    }

    #[tokio::test]
    async fn whoever_asks_nothing_holds_up_no_stop_and_whoever_asked_is_answered() {
        let (silent, slow, asked) = tokio::join!(
            stopped_beside(""),
            stopped_beside("POST / HTTP/1.1\r\nHost: a"),
            stopped_beside("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        );
        assert_eq!((silent.as_str(), slow.as_str()), ("", ""));
        assert!(asked.ends_with("late"), "{asked}");
    }

    #[test]
    fn a_request_is_under_way_until_its_answer_is_out() {
        let requests = Requests::default();
        let counted = requests.clone();
        assert!(!requests.under_way());
        let (one, two) = (counted.one_more(), counted.one_more());
        drop(one);
        assert!(requests.under_way() && requests.so_far() == 2);
        drop(two);
        assert!(!requests.under_way());
    }
}
