//! Whoever is told what happened: a small HTTP server on this machine that keeps what it was sent.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::sync::oneshot;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e} in {}", self.body))
    }
}

/// What is said to a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A status and a body.
    Says(u16, String),
    /// The same, asking to be left alone for some seconds.
    NotBefore(u16, u32),
    /// Nothing, ever.
    Nothing,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::Says(status, String::new())
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::Says(status, value.to_string())
    }
}

type Answering = dyn FnMut(&Received) -> Reply + Send;

/// A server that stops when it is dropped.
pub(crate) struct Receiver {
    address: std::net::SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    replies: Arc<Mutex<Vec<Reply>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// One that takes everything, but for what [`Receiver::next`] says.
    pub(crate) fn start() -> Self {
        Self::answering(|_| Reply::status(204))
    }

    /// One that answers as it likes.
    pub(crate) fn answering(answering: impl FnMut(&Received) -> Reply + Send + 'static) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let replies = Arc::<Mutex<Vec<Reply>>>::default();
        let answering: Arc<Mutex<Answering>> = Arc::new(Mutex::new(answering));
        let (kept, first) = (Arc::clone(&received), Arc::clone(&replies));
        let handle = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let one = Received {
                method: method.to_string(),
                path: uri.path().to_owned(),
                query: reqwest::Url::parse(&format!("http://x{uri}"))
                    .unwrap()
                    .query_pairs()
                    .into_owned()
                    .collect(),
                headers: headers
                    .iter()
                    .map(|(name, value)| {
                        (name.to_string(), value.to_str().unwrap_or_default().to_owned())
                    })
                    .collect(),
                body: String::from_utf8_lossy(&body).into_owned(),
            };
            let reply = {
                kept.lock().unwrap().push(one.clone());
                let mut first = first.lock().unwrap();
                if first.is_empty() { None } else { Some(first.remove(0)) }
            };
            let reply = reply.unwrap_or_else(|| (answering.lock().unwrap())(&one));
            async move { said(reply).await }
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let router = Router::new().fallback(handle);
                tokio::select! {
                    served = async { axum::serve(listener, router).await } => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self { address, received, replies, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it says to the next requests, before it answers as usual.
    pub(crate) fn next(&self, replies: &[Reply]) {
        *self.replies.lock().unwrap() = replies.to_vec();
    }

    /// Everything so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Everything, once it is so many; a daemon looks every second and waits after a failure.
    #[track_caller]
    pub(crate) fn wait_for(&self, many: usize) -> Vec<Received> {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let received = self.received();
            if received.len() >= many {
                return received;
            }
            assert!(Instant::now() < deadline, "{} of {many}: {received:?}", received.len());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the receiver broke down");
        }
    }
}

async fn said(reply: Reply) -> Response {
    match reply {
        Reply::Says(status, body) => {
            (StatusCode::from_u16(status).unwrap(), [("content-type", "application/json")], body)
                .into_response()
        }
        Reply::NotBefore(status, seconds) => {
            (StatusCode::from_u16(status).unwrap(), [("retry-after", seconds.to_string())])
                .into_response()
        }
        Reply::Nothing => std::future::pending().await,
    }
}
