//! Permits at what takes long: a few at once, and of these so many of one user, so that nobody keeps all
//! others waiting.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::UserId;

/// How long somebody waits for a permit.
const WITHIN: Duration = Duration::from_secs(20);

/// Users are forgotten once there are more than this: those who wait for nothing.
const MOST_USERS: usize = 1_000;

/// Permits that may be had.
#[derive(Debug)]
pub(super) struct Permits {
    room: Arc<Semaphore>,
    each: usize,
    users: Mutex<HashMap<UserId, Weak<Semaphore>>>,
}

/// A permit, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    room: OwnedSemaphorePermit,
    own: Option<OwnedSemaphorePermit>,
}

impl Permit {
    /// Holds another of the same user's with this one.
    pub(super) fn merge(&mut self, other: Self) {
        self.room.merge(other.room);
        if let (Some(own), Some(others)) = (&mut self.own, other.own) {
            own.merge(others);
        }
    }
}

impl Permits {
    /// So many at once, and of each user.
    pub(super) fn new(at_once: usize, each: usize) -> Self {
        Self { room: Semaphore::new(at_once).into(), each, users: Mutex::default() }
    }

    /// Waits for a permit of a user's; nothing when none was to be had in time.
    pub(super) async fn take(&self, user: Option<UserId>) -> Option<Permit> {
        let permit = async {
            // First among one's own: whoever waits for those holds nobody else up.
            let own = match user {
                Some(user) => Some(self.of(user).acquire_owned().await.ok()?),
                None => None,
            };
            let room = Arc::clone(&self.room).acquire_owned().await.ok()?;
            Some(Permit { room, own })
        };
        tokio::time::timeout(WITHIN, permit).await.ok().flatten()
    }

    /// A permit that is to be had at once.
    pub(super) fn try_take(&self, user: Option<UserId>) -> Option<Permit> {
        self.try_take_many(user, 1)
    }

    /// So many at once, held as one.
    pub(super) fn try_take_many(&self, user: Option<UserId>, count: u32) -> Option<Permit> {
        let own = match user {
            Some(user) => Some(self.of(user).try_acquire_many_owned(count).ok()?),
            None => None,
        };
        let room = Arc::clone(&self.room).try_acquire_many_owned(count).ok()?;
        Some(Permit { room, own })
    }

    fn of(&self, user: UserId) -> Arc<Semaphore> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if users.len() > MOST_USERS {
            users.retain(|_, permits| permits.strong_count() > 0);
        }
        let permits = users.entry(user).or_default();
        permits.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Semaphore::new(self.each));
            *permits = Arc::downgrade(&new);
            new
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_all_permits() {
        let permits = Permits::new(3, 2);
        let (one, other) = (Some(UserId(1)), Some(UserId(2)));
        let mut held: Vec<Permit> = (0..2).map(|_| permits.try_take(one).unwrap()).collect();
        assert!(permits.try_take(one).is_none());
        let last = permits.try_take(other).unwrap();
        assert!(permits.try_take(other).is_none() && permits.try_take(None).is_none());
        held.pop();
        assert!(permits.try_take(one).is_some());
        drop((held, last));
        assert!((0..3).map(|_| permits.try_take(None)).all(|permit| permit.is_some()));
    }

    #[test]
    fn many_are_held_as_one_and_given_back_together() {
        let permits = Permits::new(64, 32);
        let (one, other) = (Some(UserId(1)), Some(UserId(2)));
        let mut held = permits.try_take_many(one, 20).unwrap();
        held.merge(permits.try_take_many(one, 12).unwrap());
        assert!(permits.try_take(one).is_none());
        assert!(permits.try_take_many(other, 32).is_some());
        drop(held);
        assert!(permits.try_take_many(one, 32).is_some());
    }

    #[tokio::test]
    async fn who_waits_for_their_own_permit_leaves_the_room_to_others() {
        let permits = Permits::new(2, 1);
        let held = permits.take(Some(UserId(1))).await.unwrap();
        let mut waiting = Box::pin(permits.take(Some(UserId(1))));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert!(permits.take(Some(UserId(2))).await.is_some());
        drop(held);
        assert!(waiting.await.is_some());
    }
}
