//! Messages: written down for the client.

use crate::{
    domain::{Message, Redaction, Result, redact_numbers},
    store::{Store, messages},
};

/// Stores a message; answers once it is on disk. Card numbers and the like are masked as in
/// transcripts; an e-mail address stays, since the client may have to answer there.
pub async fn take(store: &Store, mut message: Message, redaction: Redaction) -> Result<()> {
    if redaction == Redaction::Mask {
        message.text = redact_numbers(&message.text).into_owned();
        message.name = message.name.map(|name| redact_numbers(&name).into_owned());
    }
    store.write_async(move |tx| messages::insert(tx, &message)).await
}
