//! The WebSockets that Twilio opens: let in by signature, then handed to the line, which wants the
//! call's ticket as well.

use axum::{
    extract::{
        FromRequestParts, Path, State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket, close_code},
    },
    http::request::Parts,
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use super::{
    App,
    admission::{self, Refused},
    connections::Held,
    peer,
};
use crate::{
    domain::{CallSid, Kind},
    line::{Closed, Goodbye, Socket},
    twilio::{relay, stream},
};

/// A frame of sound is 300 bytes; tungstenite's own buffer of 128 KiB would be most of what a call
/// takes, and what is not needed of it is cleared for each message.
const READ_BUFFER: usize = 1024;

/// What a peer that does not read may leave with us; then it is cut off.
const WRITE_BUFFER: usize = 256 * 1024;

/// A socket's request, signed for the call that its address names.
pub(super) struct Signed {
    sid: CallSid,
    upgrade: WebSocketUpgrade,
    held: Held,
}

impl FromRequestParts<App> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let address = peer::address(&parts.extensions, &parts.headers, &app.api.trusted_proxies);
        admit(parts, app).await.map_err(|refused| refused.answer(app, address))
    }
}

async fn admit(parts: &mut Parts, app: &App) -> Result<Signed, Refused> {
    let stranger = |path: &str| Refused::Stranger(path.to_owned());
    if !app.gate.may_let_in(&parts.headers) {
        return Err(stranger(parts.uri.path()));
    }
    let sid = match Path::<String>::from_request_parts(parts, app).await {
        Ok(Path(sid)) => sid.parse::<CallSid>().ok(),
        Err(_) => None,
    };
    // No call has such a name, and a stranger need not learn what one looks like.
    let Some(sid) = sid else { return Err(stranger(parts.uri.path())) };
    let agencys = app.gate.lets_upgrade(&parts.headers, &parts.uri, None);
    // As with webhooks: a forgery has nothing read for it, where no client has an account of its own.
    if !agencys && !app.accounts.may_be_any().await {
        return Err(stranger(parts.uri.path()));
    }
    let own = if app.gate.is_open() {
        None
    } else {
        match app.accounts.of(Some(sid.clone()), None).await {
            Ok(own) => own,
            Err(error) if error.kind() != Kind::Config && error.kind() != Kind::NotFound => None,
            Err(error) => return Err(admission::unusable_account(&error)),
        }
    };
    let let_in =
        own.map_or(agencys, |own| app.gate.lets_upgrade(&parts.headers, &parts.uri, Some(&own)));
    if !let_in {
        return Err(stranger(parts.uri.path()));
    }
    app.known.vouch(&parts.extensions);
    let held = parts.extensions.get::<Held>().cloned().unwrap_or_default();
    let upgrade = WebSocketUpgrade::from_request_parts(parts, app)
        .await
        .map_err(|error| Refused::NoSocket(error.into_response()))?;
    Ok(Signed { sid, upgrade, held })
}

/// The socket of a relayed call.
pub(super) async fn relay(State(app): State<App>, signed: Signed) -> Response {
    signed.hold(relay::LONGEST_MESSAGE, "relay", move |sid, mut wire| async move {
        app.line.relay(sid, &mut wire, app.stopping.clone()).await;
    })
}

/// The socket of a streamed call.
pub(super) async fn stream(State(app): State<App>, signed: Signed) -> Response {
    signed.hold(stream::LONGEST_MESSAGE, "stream", move |sid, mut wire| async move {
        app.line.stream(sid, &mut wire, app.stopping.clone()).await;
    })
}

impl Signed {
    /// Takes the socket, and holds the connection's share until it is closed.
    fn hold<F>(
        self,
        longest: usize,
        line: &'static str,
        talk: impl FnOnce(CallSid, Wire) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { sid, upgrade, held } = self;
        let span = tracing::info_span!("call", call_sid = %sid, line);
        let failed = span.clone();
        upgrade
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BUFFER)
            .max_message_size(longest)
            .max_frame_size(longest)
            .on_failed_upgrade(move |error| {
                let _in = failed.enter();
                tracing::warn!(%error, "a socket could not be opened");
            })
            .on_upgrade(move |socket| {
                async move {
                    talk(sid, Wire(socket)).await;
                    drop(held);
                }
                .instrument(span)
            })
    }
}

/// A WebSocket as a line sees it.
struct Wire(WebSocket);

impl Socket for Wire {
    async fn receive(&mut self) -> Option<String> {
        loop {
            match self.0.recv().await {
                Some(Ok(Message::Text(text))) => return Some(text.as_str().to_owned()),
                // Pings are answered below us.
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_))) | None => return None,
                Some(Ok(Message::Binary(_))) => {
                    tracing::warn!("a binary message, which Twilio does not send");
                    return None;
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "a socket broke");
                    return None;
                }
            }
        }
    }

    async fn send(&mut self, message: String) -> Result<(), Closed> {
        self.0.send(Message::Text(message.into())).await.map_err(|error| {
            tracing::debug!(%error, "a socket takes no more");
            Closed
        })
    }

    async fn close(&mut self, why: Goodbye) {
        let (code, reason) = match why {
            Goodbye::Done => (close_code::NORMAL, "done"),
            Goodbye::Refused => (close_code::POLICY, "refused"),
        };
        // Gone already, as likely as not.
        let _ = self.0.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
    }
}
