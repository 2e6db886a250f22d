//! The last of what was said, kept until it is understood: to be told again to another ear.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::audio::RATE;

/// The most that is told again: longer utterances lose their beginning.
pub(super) const LONGEST: usize = 30 * RATE as usize;

/// Sound with its place in the whole, in bytes. μ-law: a byte is a sample.
#[derive(Debug)]
pub(super) struct Tail {
    sound: VecDeque<Bytes>,
    start: usize,
    end: usize,
    most: usize,
}

impl Default for Tail {
    fn default() -> Self {
        Self::holding(LONGEST)
    }
}

impl Tail {
    /// Holds so many bytes at most.
    pub(super) fn holding(most: usize) -> Self {
        Self { sound: VecDeque::new(), start: 0, end: 0, most }
    }

    pub(super) fn push(&mut self, sound: Bytes) {
        self.end += sound.len();
        self.sound.push_back(sound);
        self.keep_last(self.most);
    }

    /// Where the next sound begins.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Everything before this place is understood.
    pub(super) fn forget_until(&mut self, place: usize) {
        while let Some(first) = self.sound.front_mut() {
            let before = place.saturating_sub(self.start);
            if before < first.len() {
                let _ = first.split_to(before);
                self.start += before;
                break;
            }
            self.start += first.len();
            self.sound.pop_front();
        }
    }

    /// Keeps no more than this many bytes.
    pub(super) fn keep_last(&mut self, most: usize) {
        self.forget_until(self.end.saturating_sub(most));
    }

    /// All that is kept, in one piece; places are counted from its beginning from now on.
    pub(super) fn again(&mut self) -> Bytes {
        let mut whole = BytesMut::with_capacity(self.end - self.start);
        for sound in self.sound.drain(..) {
            whole.extend_from_slice(&sound);
        }
        let whole = whole.freeze();
        (self.start, self.end) = (0, whole.len());
        if !whole.is_empty() {
            self.sound.push_back(whole.clone());
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_understood_is_forgotten_and_the_rest_is_told_again() {
        let mut tail = Tail::default();
        for sound in ["abc", "def", "ghi"] {
            tail.push(Bytes::from(sound));
        }
        tail.forget_until(4);
        assert_eq!(tail.end(), 9);
        assert_eq!(tail.again(), "efghi");
        assert_eq!(tail.end(), 5);
        tail.forget_until(2);
        tail.forget_until(1);
        assert_eq!(tail.again(), "ghi");
        tail.forget_until(99);
        assert_eq!(tail.again(), "");
    }

    #[test]
    fn it_is_bounded() {
        let mut tail = Tail::default();
        for _ in 0..40 {
            tail.push(Bytes::from(vec![1; RATE as usize]));
        }
        assert_eq!(tail.again().len(), LONGEST);
    }
}
