//! Messages: written down for the client.

use crate::{
    domain::{Message, Result},
    store::{Store, messages},
};

/// Stores a message; answers once it is on disk.
pub async fn take(store: &Store, message: Message) -> Result<()> {
    store.write_async(move |tx| messages::insert(tx, &message)).await
}
