//! A call goes on: over a socket, and after one broke.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Ticket, next_number, ticket};
use crate::{
    domain::{Assistant, Call, CallId, CallSid, Heard, Result, Turn},
    store::{Store, StoreError, Tx, calls, tickets, turns},
};

/// Where a call stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The call.
    pub call: Call,
    /// Who answers.
    pub assistant: Arc<Assistant>,
    /// Its last turn, the greeting if nothing else; nothing of a call that was taken over.
    pub last: Option<Turn>,
    /// The turn that is next: an open one, or the one after.
    pub next: u32,
    /// How often it was given a ticket for a socket; [`Standing::NO_MORE`] when it gets no other.
    pub tickets: u32,
}

impl Standing {
    /// Tickets of a call that goes on over webhooks.
    pub const NO_MORE: u32 = 6;

    /// What the caller was told and has not heard.
    pub fn unheard(&self) -> Option<&str> {
        let last = self.last.as_ref()?;
        last.unheard.as_deref().filter(|_| last.said.as_deref() == Some(""))
    }

    /// What the caller said that has no reply.
    pub fn unanswered(&self) -> Option<&Heard> {
        let last = self.last.as_ref()?;
        last.heard.as_ref().filter(|_| last.said.is_none())
    }
}

/// Where a call stands; nothing when nobody knows it.
pub async fn standing(store: &Store, sid: CallSid) -> Result<Option<Standing>> {
    let cache = store.clone();
    store.read_async(move |tx| read(tx, &cache, &sid)).await
}

fn read(tx: &Tx, store: &Store, sid: &CallSid) -> Result<Option<Standing>, StoreError> {
    let Some(call) = calls::by_sid(tx, sid)? else { return Ok(None) };
    let assistant = store.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
    let mut history = turns::of_call(tx, call.id)?;
    let next = next_number(&history);
    let tickets = tickets::given(tx, call.id)?;
    Ok(Some(Standing { call, assistant, last: history.pop(), next, tickets }))
}

/// Gives a call another ticket.
pub async fn reconnect(store: &Store, id: CallId, ticket: Ticket) -> Result<()> {
    store.write_async(move |tx| tickets::give(tx, id, ticket.hash(), ticket.expires_at())).await
}

/// Lets no more sockets of a call in: it goes on over webhooks.
pub async fn over_webhooks(store: &Store, id: CallId) -> Result<()> {
    store.write_async(move |tx| tickets::exhaust(tx, id, Standing::NO_MORE)).await
}

/// A socket that was let in.
pub type Opened = Standing;

/// Lets a socket in with its ticket, once; nothing for any other.
pub async fn open(
    store: &Store,
    sid: CallSid,
    word: String,
    now: Timestamp,
) -> Result<Option<Opened>> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            if !tickets::take(tx, &sid, &ticket::hash_of(&word), now)? {
                return Ok(None);
            }
            read(tx, &cache, &sid)
        })
        .await
}
