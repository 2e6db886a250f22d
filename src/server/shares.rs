//! How many of something each may hold at once: connections of an address, streams of a user.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

/// Who holds how many.
#[derive(Debug)]
pub(super) struct Shares<K> {
    held: Arc<Mutex<HashMap<K, u32>>>,
    most: u32,
}

// By hand: deriving would ask for keys that can be cloned.
impl<K> Clone for Shares<K> {
    fn clone(&self) -> Self {
        Self { held: Arc::clone(&self.held), most: self.most }
    }
}

/// One of somebody's, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share<K: Eq + Hash> {
    shares: Shares<K>,
    of: K,
}

impl<K: Eq + Hash + Clone> Shares<K> {
    /// At most so many each.
    pub(super) fn new(most: u32) -> Self {
        Self { held: Arc::default(), most }
    }

    /// One more, unless there are as many as may be.
    pub(super) fn take(&self, of: K) -> Option<Share<K>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(of.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Share { shares: self.clone(), of })
    }
}

#[cfg(test)]
impl<K> Shares<K> {
    /// Whether nobody holds any.
    pub(super) fn is_empty(&self) -> bool {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut held = self.shares.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_share_and_gives_it_back() {
        let shares = Shares::new(2);
        let mut held: Vec<_> = (0..2).map(|_| shares.take("a").unwrap()).collect();
        assert!(shares.take("a").is_none());
        assert!(shares.take("b").is_some());
        held.pop();
        assert!(shares.take("a").is_some());
        drop(held);
        assert!(shares.is_empty());
    }
}
