//! What of speech is used in a call, until it is entered.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{domain::Use, providers::tts::Speaking};

/// Counts characters. Clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter(Arc<Mutex<Vec<Use>>>);

impl Meter {
    /// Somebody speaks some words: they are paid for, heard to their end or not.
    pub(super) fn spoke(&self, speaking: &Speaking, text: &str) {
        let speaker = &speaking.speaker;
        self.count(Use::of_speech(&speaker.provider, &speaker.voice, text));
    }

    fn count(&self, used: Use) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        add_to(&mut uses, used);
    }

    /// What was counted since the last time that this was asked.
    pub(super) fn take(&self) -> Vec<Use> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Adds a use to others, together with one of the same.
pub(super) fn add_to(uses: &mut Vec<Use>, used: Use) {
    let same = uses.iter_mut().find(|one| {
        (&one.provider, &one.product, one.unit) == (&used.provider, &used.product, used.unit)
    });
    match same {
        Some(one) => one.quantity = one.quantity.saturating_add(used.quantity),
        None => uses.push(used),
    }
}
