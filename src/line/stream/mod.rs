//! The line `stream`: the caller's sound both ways over a socket; we listen and speak
//! (Twilio, "Media Streams: WebSocket messages").
//!
//! ```text
//! frame ─► hearing (voice? finished? interrupting?) ─► ear ─► talk ─► words
//!                                                                       │
//! frame ◄── playback (what was heard of it) ◄── voicing ◄── sentences ◄─┘
//! ```

mod barge_in;
mod call;
mod endpointing;
mod hearing;
mod listening;
mod playback;
mod reply;
mod replying;
mod voicing;

pub use endpointing::pause_after;
pub use hearing::WORDS_ASKED_AFTER;

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

use super::{
    connect::TICKET,
    socket::{Goodbye, Socket},
    voice::Line,
};
use crate::{
    domain::CallSid,
    operations::live::Opened,
    twilio::stream::{FromTwilio, MediaFormat},
};

/// A socket that has not said which call it is of by then is closed.
const START_WITHIN: Duration = Duration::from_secs(5);

impl Line {
    /// Holds the streamed part of a call, from the opening of its socket to the end of it. `stopping`
    /// becomes true when the daemon is to stop.
    pub async fn stream(
        &self,
        sid: CallSid,
        socket: &mut impl Socket,
        stopping: watch::Receiver<bool>,
    ) {
        let started = timeout(START_WITHIN, self.start(&sid, socket)).await.ok().flatten();
        let Some((standing, stream_sid)) = started else {
            return socket.close(Goodbye::Refused).await;
        };
        tracing::info!(assistant = %standing.assistant.spec.name, tickets = standing.tickets, "a call is streamed");
        let session = self.sessions.open(standing.call.id);
        if let Some(call) = call::Call::new(self, &standing, socket, stream_sid) {
            // What a call keeps is kept once, and not in each future around it.
            Box::pin(call.hold(&standing, &session, stopping)).await;
        } else {
            self.over_webhooks(&standing).await;
            socket.close(Goodbye::Done).await;
        }
    }

    /// Reads what a stream begins with; its call, if it shows a good ticket.
    async fn start(&self, sid: &CallSid, socket: &mut impl Socket) -> Option<(Opened, String)> {
        loop {
            let message = socket.receive().await?;
            match FromTwilio::read(&message) {
                Ok(FromTwilio::Connected {}) => {}
                Ok(FromTwilio::Start { start, stream_sid }) => {
                    if start.call_sid != *sid || start.media_format != MediaFormat::default() {
                        tracing::warn!("refused a stream of another call, or in another format");
                        return None;
                    }
                    let ticket = start.custom_parameters.get(TICKET).cloned();
                    return Some((self.with_ticket(sid, ticket).await?, stream_sid));
                }
                Ok(_) => {
                    tracing::warn!("a socket began with something else than its start");
                    return None;
                }
                Err(error) => {
                    tracing::warn!(%error, "a socket began with something else than its start");
                    return None;
                }
            }
        }
    }

    /// Nobody of ours can listen or speak: Twilio does, over webhooks.
    pub(super) async fn over_webhooks(&self, standing: &Opened) {
        tracing::error!("nobody can listen or speak on this line: the call goes on over webhooks");
        let noted = crate::operations::live::over_webhooks(&self.store, standing.call.id);
        if let Err(error) = self.stored(noted).await {
            tracing::error!(%error, "that a call goes on over webhooks could not be stored");
        }
    }
}
