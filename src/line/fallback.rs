//! What a caller hears when the address that answers calls did not: an apology in the assistant's
//! language, and a human where one is there. It needs no store: who has which number is remembered.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{gather, voice::Line};
use crate::{
    conversation::phrases,
    domain::{Assistant, Country, PhoneNumber},
    operations::live,
};

/// Assistants by the number that callers dial, as they were when somebody last looked.
#[derive(Debug, Clone, Default)]
pub(super) struct Remembered(Arc<Mutex<HashMap<PhoneNumber, Arc<Assistant>>>>);

impl Remembered {
    /// Keeps one in mind.
    pub(super) fn keep(&self, assistant: &Arc<Assistant>) {
        let number = assistant.spec.phone.number.clone();
        self.lock().insert(number, Arc::clone(assistant));
    }

    fn of(&self, number: &PhoneNumber) -> Option<Arc<Assistant>> {
        self.lock().get(number).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PhoneNumber, Arc<Assistant>>> {
        // A map is whole whoever died while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// Answers a call that could not be answered.
    pub async fn fall_back(&self, to: Option<PhoneNumber>) -> String {
        let found = match &to {
            Some(number) => {
                let stored = self.stored(live::assistant_of(&self.store, number.clone())).await;
                stored.unwrap_or_else(|_| self.remembered.of(number))
            }
            None => None,
        };
        if let Some(assistant) = found {
            let spec = &assistant.spec;
            return gather::give_up(spec, &spec.voice.language, self.clock.now());
        }
        let language = Country::language_of(to.as_ref());
        gather::farewell(None, &language, &phrases::for_language(&language).apology)
    }

    /// Keeps in mind who has which number, for when the store cannot be asked.
    pub(super) async fn remember(&self) {
        let Ok(revisions) = live::revisions(&self.store).await else { return };
        let before: HashMap<_, _> = {
            let known = self.remembered.lock();
            known.values().map(|one| ((one.id, one.revision), Arc::clone(one))).collect()
        };
        let mut known = HashMap::new();
        for (id, revision) in revisions {
            let assistant = match before.get(&(id, revision)) {
                Some(same) => Arc::clone(same),
                None => match live::version(&self.store, id, revision).await {
                    Ok(assistant) => assistant,
                    Err(_) => return,
                },
            };
            known.insert(assistant.spec.phone.number.clone(), assistant);
        }
        *self.remembered.lock() = known;
    }
}
