//! A double of the daemon's sockets: answers webhooks with TwiML given, checks every signature, and
//! speaks the daemon's side of a socket as a test tells it to.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{
        OriginalUri, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{any, post},
};
use futures_util::future::BoxFuture;
use serde_json::Value;
use webox::{
    domain::Secret,
    twilio::{caller::Caller, form::Form, signature},
};

pub(crate) const PUBLIC_URL: &str = "https://calls.example.test/webox";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A request's fields, and the route it went to.
pub(crate) type Posted = (String, BTreeMap<String, String>);

type Session = Box<dyn Fn(Wire) -> BoxFuture<'static, ()> + Send + Sync>;

#[derive(Default)]
struct Seen {
    twiml: VecDeque<String>,
    posted: Vec<Posted>,
    messages: Vec<Value>,
    /// Upgrades to be refused before one is taken.
    refusals: usize,
}

struct Inner {
    seen: Mutex<Seen>,
    session: Session,
}

/// A daemon that stops when it is dropped.
pub(crate) struct FakeDaemon {
    inner: Arc<Inner>,
    pub(crate) caller: Caller,
    task: tokio::task::JoinHandle<()>,
}

/// The daemon's end of one socket.
pub(crate) struct Wire {
    socket: WebSocket,
    inner: Arc<Inner>,
    /// Counts the sockets of this daemon, from 1.
    pub(crate) number: usize,
}

impl FakeDaemon {
    /// Answers the documents one after the other; `PUBLIC` and `SOCKET` in them are its addresses.
    pub(crate) async fn start<F>(
        twiml: &[&str],
        session: impl Fn(Wire) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let socket = PUBLIC_URL.replacen("https", "wss", 1);
        let twiml = twiml
            .iter()
            .map(|text| text.replace("PUBLIC", PUBLIC_URL).replace("SOCKET", &socket))
            .collect();
        let inner = Arc::new(Inner {
            seen: Mutex::new(Seen { twiml, ..Seen::default() }),
            session: Box::new(move |wire| Box::pin(session(wire))),
        });
        let router = Router::new()
            .route("/api/voice/webhook/{name}", post(webhook))
            .route("/socket", any(upgrade))
            .with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let account = "AC00000000000000000000000000000001".parse().unwrap();
        let caller =
            Caller::new(&format!("http://{address}"), PUBLIC_URL, Secret::new(TOKEN), account);
        Self { inner, caller: caller.unwrap(), task }
    }

    /// Refuses so many upgrades first.
    pub(crate) fn refuse(&self, refusals: usize) {
        self.inner.seen.lock().unwrap().refusals = refusals;
    }

    /// Every webhook so far.
    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.inner.seen.lock().unwrap().posted.clone()
    }

    /// Every message so far, of all sockets.
    pub(crate) fn messages(&self) -> Vec<Value> {
        self.inner.seen.lock().unwrap().messages.clone()
    }
}

impl Drop for FakeDaemon {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Wire {
    /// The next message; nothing when the caller's end is closed or lost.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            match self.socket.recv().await?.ok()? {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    self.inner.seen.lock().unwrap().messages.push(message.clone());
                    return Some(message);
                }
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// The next message of a kind, by the field that tells kinds apart.
    pub(crate) async fn next_of(&mut self, field: &str, kind: &str) -> Option<Value> {
        loop {
            let message = self.next().await?;
            if message[field] == kind {
                return Some(message);
            }
        }
    }

    /// Sends a message; a caller who has left does not get it.
    pub(crate) async fn send(&mut self, text: String) {
        let _ = self.socket.send(Message::text(text)).await;
    }

    /// Closes the socket.
    pub(crate) async fn close(mut self) {
        let _ = self.socket.send(Message::Close(None)).await;
        // Until the caller has closed it as well.
        while self.socket.recv().await.is_some_and(|got| got.is_ok()) {}
    }
}

async fn webhook(
    State(inner): State<Arc<Inner>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path_and_query().unwrap().as_str();
    let form = Form::parse(&body).unwrap();
    let given = headers["x-twilio-signature"].to_str().unwrap();
    let tokens = [Secret::new(TOKEN)];
    assert!(signature::verify(&tokens, &format!("{PUBLIC_URL}{path}"), &form, given), "{path}");
    let fields = form.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut seen = inner.seen.lock().unwrap();
    seen.posted.push((path.to_owned(), fields));
    if path.ends_with("/status") {
        return StatusCode::NO_CONTENT.into_response();
    }
    let twiml = seen.twiml.pop_front().unwrap_or_else(|| "<Response><Hangup/></Response>".into());
    ([("content-type", "text/xml")], twiml).into_response()
}

async fn upgrade(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let given = headers["x-twilio-signature"].to_str().unwrap();
    let url = format!("{}/socket", PUBLIC_URL.replacen("https", "wss", 1));
    assert!(signature::verify_upgrade(&[Secret::new(TOKEN)], &url, given));
    let number = {
        let mut seen = inner.seen.lock().unwrap();
        if seen.refusals > 0 {
            seen.refusals -= 1;
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let opened = |message: &&Value| message["type"] == "setup" || message["event"] == "start";
        seen.messages.iter().filter(opened).count() + 1
    };
    upgrade.on_upgrade(async move |socket| {
        let session = Arc::clone(&inner);
        (session.session)(Wire { socket, inner, number }).await;
    })
}
