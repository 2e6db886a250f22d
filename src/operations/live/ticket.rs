//! What lets a call's socket in: a word that only Twilio was told, good once and for a short while.
//!
//! Anybody can dial an open media socket and speak at the expense of whoever runs it.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::domain::{Error, Result};

/// Twilio connects within a second of reading our TwiML, a filler's or a transfer's length later.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(2);

/// A ticket. The store keeps its hash only.
#[derive(Clone)]
pub struct Ticket {
    word: String,
    hash: [u8; 32],
    expires_at: Timestamp,
}

impl Ticket {
    /// A ticket that nobody can guess: 128 bits.
    pub fn new(now: Timestamp) -> Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|cause| Error::failure("this machine has no random numbers").because(cause))?;
        let word = hex::encode(bytes);
        let hash = hash_of(&word);
        Ok(Self { word, hash, expires_at: now.checked_add(GOOD_FOR).unwrap_or(now) })
    }

    /// What Twilio is told.
    pub fn word(&self) -> &str {
        &self.word
    }

    pub(super) fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    pub(super) fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The hash that a ticket is found by.
pub(super) fn hash_of(word: &str) -> [u8; 32] {
    Sha256::digest(word.as_bytes()).into()
}
