//! How often somebody may ask: GCRA (governor), by user, by address, by address for failures; how
//! often a number and an account may ring.
//!
//! Twilio's own requests come from few addresses, so that those with a good signature are never
//! counted by address.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

use governor::{Quota, RateLimiter, clock::Clock, state::keyed::DashMapStateStore};

use crate::domain::{AccountSid, PhoneNumber, UserId};

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, governor::clock::DefaultClock>;

/// Wrong keys a minute and address; a good key from the same address is not slowed down.
const WRONG_KEYS: u32 = 10;

/// Requests without a valid signature, or without any key, a minute and address.
const STRANGERS: u32 = 120;

/// More keys than this at once, and those that have recovered are dropped before the next is kept.
const MOST_KEYS: usize = 50_000;

/// All limits of a daemon.
#[derive(Debug)]
pub(super) struct Limits {
    wrong_keys: Keyed<IpAddr>,
    strangers: Keyed<IpAddr>,
    rated: RwLock<Rated>,
}

/// Those that may be set.
#[derive(Debug)]
struct Rated {
    users: Keyed<UserId>,
    numbers: Keyed<PhoneNumber>,
    accounts: Keyed<Signer>,
}

/// Whose token a call is signed with: anybody may say that an account is a client's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Signer {
    /// The agency's, for its account or one below it.
    Agency(AccountSid),
    /// A client's own.
    Client(AccountSid),
}

/// What may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Requests of the API, a minute and user: another key is no other user.
    pub requests: u32,
    /// Calls that ring, a minute and number dialled.
    pub calls_to_a_number: u32,
    /// Calls that ring, a minute and account at Twilio.
    pub calls_of_an_account: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self { requests: 600, calls_to_a_number: 600, calls_of_an_account: 6_000 }
    }
}

impl Limits {
    /// With what is set.
    pub(super) fn new(rates: Rates) -> Self {
        Self {
            wrong_keys: RateLimiter::keyed(a_minute(WRONG_KEYS)),
            strangers: RateLimiter::keyed(a_minute(STRANGERS)),
            rated: RwLock::new(Rated::new(rates)),
        }
    }

    /// Counts anew, by other rates.
    pub(super) fn set(&self, rates: Rates) {
        *self.rated.write().unwrap_or_else(PoisonError::into_inner) = Rated::new(rates);
    }

    fn rated(&self) -> RwLockReadGuard<'_, Rated> {
        self.rated.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request with a good key.
    pub(super) fn user(&self, user: UserId) -> Result<(), Duration> {
        check(&self.rated().users, &user)
    }

    /// A request with a wrong key.
    pub(super) fn wrong_key(&self, address: IpAddr) -> Result<(), Duration> {
        check(&self.wrong_keys, &subscriber(address))
    }

    /// A request of somebody who is not known.
    pub(super) fn stranger(&self, address: IpAddr) -> Result<(), Duration> {
        check(&self.strangers, &subscriber(address))
    }

    /// A call that rings, signed by its account.
    pub(super) fn ring(
        &self,
        signer: Option<Signer>,
        number: Option<&PhoneNumber>,
    ) -> Result<(), Duration> {
        let rated = self.rated();
        number.map_or(Ok(()), |number| check(&rated.numbers, number))?;
        signer.map_or(Ok(()), |signer| check(&rated.accounts, &signer))
    }

    /// Forgets those who have been quiet.
    pub(super) fn tidy(&self) {
        self.wrong_keys.retain_recent();
        self.strangers.retain_recent();
        let rated = self.rated();
        rated.users.retain_recent();
        rated.numbers.retain_recent();
        rated.accounts.retain_recent();
    }
}

fn a_minute(n: u32) -> Quota {
    Quota::per_minute(NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN))
}

impl Rated {
    fn new(rates: Rates) -> Self {
        Self {
            users: RateLimiter::keyed(a_minute(rates.requests)),
            numbers: RateLimiter::keyed(a_minute(rates.calls_to_a_number)),
            accounts: RateLimiter::keyed(a_minute(rates.calls_of_an_account)),
        }
    }
}

fn check<K: Eq + std::hash::Hash + Clone>(keyed: &Keyed<K>, key: &K) -> Result<(), Duration> {
    if keyed.len() > MOST_KEYS {
        keyed.retain_recent();
        if keyed.len() > MOST_KEYS {
            // Somebody sends from everywhere at once: the table does not grow for it.
            return Err(Duration::from_mins(1));
        }
    }
    keyed.check_key(key).map_err(|wait| wait.wait_time_from(keyed.clock().now()))
}

/// An address, or the /64 that a single subscriber has of IPv6.
pub(super) fn subscriber(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_keys_are_counted_by_subscriber() {
        let limits = Limits::new(Rates::default());
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        for n in 0..10 {
            assert!(limits.wrong_key(at(&format!("2001:db8::{n}"))).is_ok(), "{n}");
        }
        let wait = limits.wrong_key(at("2001:db8::ffff")).unwrap_err();
        assert!(wait <= Duration::from_mins(1) && !wait.is_zero(), "{wait:?}");
        assert!(limits.wrong_key(at("2001:db8:0:1::1")).is_ok());
        assert!(limits.wrong_key(at("192.0.2.1")).is_ok());
        assert_eq!(subscriber(at("::ffff:192.0.2.1")), at("192.0.2.1"));
    }
}
