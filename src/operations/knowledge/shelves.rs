//! Vectors of the passages of assistants that were asked lately, in memory.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    domain::{Assistant, AssistantId, ModelRef, Passage, Vector, nearest},
    store::{
        StoreError, Tx,
        embeddings::{self, Stamp},
    },
};

/// Bytes of vectors that are kept in all; an assistant with more is read each time.
const MOST: usize = 64 * 1024 * 1024;

/// What a shelf is of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Label {
    assistant: AssistantId,
    revision: i64,
    model: ModelRef,
    stamp: Stamp,
}

/// The vectors of one version, and the rows of its passages.
struct Shelf {
    ids: Vec<i64>,
    vectors: Vec<Vector>,
}

impl Shelf {
    fn size(&self) -> usize {
        self.vectors
            .iter()
            .map(|vector| vector.size() + size_of::<Vector>() + size_of::<i64>())
            .sum()
    }
}

/// The shelves that were used last, the newest first.
#[derive(Default)]
pub(super) struct Shelves(Mutex<VecDeque<(Label, Arc<Shelf>)>>);

impl Shelves {
    /// The passages of a version that are nearest to a question.
    pub(super) fn nearest(
        &self,
        tx: &Tx,
        assistant: &Assistant,
        model: &ModelRef,
        question: &Vector,
    ) -> Result<Vec<(Passage, f32)>, StoreError> {
        let shelf = self.shelf(tx, assistant, model)?;
        let near = nearest(question, &shelf.vectors);
        let ids: Vec<i64> = near.iter().filter_map(|(at, _)| shelf.ids.get(*at).copied()).collect();
        let passages = embeddings::passages(tx, assistant, &ids)?;
        let alike = |id: i64| near.iter().find(|(at, _)| shelf.ids.get(*at) == Some(&id));
        let found = passages
            .into_iter()
            .filter_map(|(id, passage)| Some((passage, alike(id)?.1)))
            .collect();
        Ok(found)
    }

    fn shelf(
        &self,
        tx: &Tx,
        assistant: &Assistant,
        model: &ModelRef,
    ) -> Result<Arc<Shelf>, StoreError> {
        let label = Label {
            assistant: assistant.id,
            revision: assistant.revision,
            model: model.clone(),
            stamp: embeddings::stamp(tx, assistant.id, model)?,
        };
        if let Some(shelf) = self.take(&label) {
            return Ok(shelf);
        }
        let (ids, vectors) = embeddings::of_version(tx, assistant, model)?;
        let shelf = Arc::new(Shelf { ids, vectors });
        self.put(label, &shelf);
        Ok(shelf)
    }

    fn take(&self, label: &Label) -> Option<Arc<Shelf>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|(of, _)| of == label)?;
        let one = all.remove(at)?;
        let shelf = Arc::clone(&one.1);
        all.push_front(one);
        Some(shelf)
    }

    fn put(&self, label: Label, shelf: &Arc<Shelf>) {
        if shelf.size() > MOST {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of one version there is one, as it is now.
        all.retain(|(of, _)| of.assistant != label.assistant || of.revision != label.revision);
        all.push_front((label, Arc::clone(shelf)));
        let mut size = 0;
        all.retain(|(_, shelf)| {
            size += shelf.size();
            size <= MOST
        });
    }
}
