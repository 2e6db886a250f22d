//! Messages: written down for the client.

use std::sync::Arc;

use crate::{
    domain::{Assistant, Message, Redaction, Result, redact_numbers},
    operations::outbox::{self, Happened},
    store::{Store, messages},
};

/// Stores a message; answers once it is on disk. Card numbers and the like are masked as in
/// transcripts; an e-mail address stays, since the client may have to answer there.
pub async fn take(store: &Store, assistant: Arc<Assistant>, mut message: Message) -> Result<()> {
    if assistant.spec.compliance.redact == Redaction::Mask {
        message.text = redact_numbers(&message.text).into_owned();
        message.name = message.name.map(|name| redact_numbers(&name).into_owned());
    }
    store
        .write_async(move |tx| {
            let Some(row) = messages::insert(tx, &message)? else { return Ok(()) };
            let taken = Happened::MessageTaken { row, message: &message };
            outbox::tell(tx, &assistant, Some(message.call), &taken, message.created_at)
        })
        .await
}
