//! Answers over HTTP/2. A client may keep the window of a stream shut for as long as it likes, while its
//! connection is alive: what it does not take is dropped after a while, so that nothing is held for it.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::{Buf as _, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

/// What is handed over at a time. The rest stays here, where it can be dropped.
const PIECE: usize = 16 * 1024;

/// With more than are on their way at once, those that are out are forgotten.
const MANY: usize = 256;

/// An answer that is on its way.
pub(super) struct Answer<K>(Arc<Mutex<State<K>>>);

struct State<K> {
    /// What is still to come; nothing once it was given up.
    body: Option<Body>,
    /// What came of it, and was not taken yet.
    rest: Bytes,
    /// Since when the client is to take more; nothing while it waits for us.
    since: Option<Instant>,
    /// Kept until the last of it is out.
    kept: Option<K>,
}

/// The answers of one connection.
pub(super) struct Answers<K>(Arc<Mutex<Vec<Begun<K>>>>);

type Begun<K> = Weak<Mutex<State<K>>>;

// By hand: deriving would ask for what is kept to be cloned.
impl<K> Clone for Answers<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Answers<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K> Answers<K> {
    /// One more, with what is to be kept until it is out.
    pub(super) fn one_more(&self, body: Body, kept: K) -> Answer<K> {
        let state = State {
            body: Some(body),
            rest: Bytes::new(),
            since: Some(Instant::now()),
            kept: Some(kept),
        };
        let state = Arc::new(Mutex::new(state));
        let mut begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if begun.len() >= MANY {
            begun.retain(|answer| answer.strong_count() > 0);
        }
        begun.push(Arc::downgrade(&state));
        Answer(state)
    }

    /// Drops what no client has taken anything of for so long; says how many there were.
    pub(super) fn give_up(&self, after: Duration) -> usize {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut given_up = 0;
        answers.retain(|answer| {
            let Some(answer) = answer.upgrade() else { return false };
            let mut state = answer.lock().unwrap_or_else(PoisonError::into_inner);
            if state.since.is_none_or(|since| since.elapsed() < after) {
                return true;
            }
            given_up += usize::from(state.body.is_some());
            (state.body, state.rest) = (None, Bytes::new());
            drop(state.kept.take());
            false
        });
        given_up
    }
}

/// Why an answer ends before its end.
#[derive(Debug, thiserror::Error)]
#[error("the client took nothing of the answer for too long")]
struct NotTaken;

impl<K> hyper::body::Body for Answer<K> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.rest.is_empty() {
            let Some(body) = &mut state.body else {
                return Poll::Ready(Some(Err(axum::Error::new(NotTaken))));
            };
            match Pin::new(body).poll_frame(context) {
                Poll::Pending => {
                    state.since = None;
                    return Poll::Pending;
                }
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => state.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                Poll::Ready(other) => return Poll::Ready(other),
            }
        }
        state.since = Some(Instant::now());
        if state.rest.len() <= PIECE {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut state.rest)))));
        }
        // A copy: a part of the whole would keep the whole for as long as it waits to be sent.
        let piece = Bytes::copy_from_slice(&state.rest[..PIECE]);
        state.rest.advance(PIECE);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.rest.is_empty() && state.body.as_ref().is_some_and(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = state.rest.len() as u64;
        let left = state.body.as_ref().map(Body::size_hint).unwrap_or_default();
        let mut hint = SizeHint::new();
        hint.set_lower(left.lower() + rest);
        if let Some(upper) = left.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use hyper::body::Body as _;

    use super::*;

    /// Bytes that tell whether they are still there.
    struct Whole(Vec<u8>, #[allow(dead_code, reason = "counted, not read")] Arc<()>);

    impl AsRef<[u8]> for Whole {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    const LONG: Duration = Duration::from_mins(1);

    #[tokio::test]
    async fn what_is_not_taken_is_dropped_and_what_is_taken_arrives() {
        let (answers, kept) = (Answers::default(), Arc::new(()));
        let whole = Whole(vec![1; 40_000], Arc::clone(&kept));
        let mut stuck = answers.one_more(Body::from(Bytes::from_owner(whole)), Arc::clone(&kept));
        let taken = answers.one_more(Body::from(vec![2; 40_000]), Arc::clone(&kept));
        assert_eq!(stuck.size_hint().exact(), Some(40_000));
        let piece = stuck.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((piece.len(), stuck.size_hint().exact()), (PIECE, Some(40_000 - PIECE as u64)));
        assert_eq!(answers.give_up(LONG), 0);
        assert_eq!(taken.collect().await.unwrap().to_bytes(), vec![2; 40_000]);
        assert_eq!(Arc::strong_count(&kept), 3);
        assert_eq!(answers.give_up(Duration::ZERO), 1);
        assert_eq!(
            Arc::strong_count(&kept),
            1,
            "neither what was kept nor the answer is still held"
        );
        drop(piece);
        assert!(!stuck.is_end_stream(), "it is not taken for whole");
        assert!(stuck.frame().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn an_answer_that_waits_for_us_is_no_client_that_takes_nothing() {
        let answers = Answers::default();
        let silent = futures_util::stream::pending::<Result<Bytes, axum::Error>>();
        let mut answer = answers.one_more(Body::from_stream(silent), ());
        assert!(futures_util::poll!(answer.frame()).is_pending());
        assert_eq!(answers.give_up(Duration::ZERO), 0);
        // One that was never asked for is.
        let _never = answers.one_more(Body::from("x"), ());
        assert_eq!(answers.give_up(Duration::ZERO), 1);
    }
}
