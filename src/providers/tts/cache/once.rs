//! Addresses of sound: a key that Twilio fetches a sound with. Whoever has the key may hear it, for
//! ten minutes, and nobody can guess one.
//!
//! A sound that is played once has a random key, and is kept in memory only. Kept ones are named by
//! the key itself, signed with the folder's secret: it is good after a restart as well.

use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::Mutex,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{SoundName, Sounds, lock};

/// How long a sound can be fetched. Twilio does so at once.
const GOOD_FOR: Duration = Duration::from_mins(10);

/// Bytes of sound that wait to be fetched; the oldest go first.
const WAITING: usize = 64 * 1024 * 1024;

/// Sentences of one key.
const SENTENCES: usize = 16;

/// The length of the random part of a key, and of a signature.
const LENGTH: usize = 16;

/// What keys begin with, by kind: one byte.
const RANDOM: u8 = 0;
const SIGNED: u8 = 1;

/// Sounds that are played once.
#[derive(Default)]
pub(super) struct Once(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    sounds: HashMap<[u8; LENGTH], Bytes>,
    order: VecDeque<(Instant, [u8; LENGTH])>,
    bytes: usize,
}

impl Waiting {
    /// Throws out what is too old, and the oldest of what is too much.
    fn tidy(&mut self, now: Instant) {
        while let Some((at, key)) = self.order.front().copied() {
            if now.duration_since(at) < GOOD_FOR && self.bytes <= WAITING {
                return;
            }
            self.order.pop_front();
            if let Some(sound) = self.sounds.remove(&key) {
                self.bytes -= sound.len();
            }
        }
    }
}

impl Once {
    pub(super) fn put(&self, sound: Bytes, now: Instant) -> io::Result<[u8; LENGTH]> {
        let mut key = [0; LENGTH];
        getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
        let mut waiting = lock(&self.0);
        waiting.bytes += sound.len();
        waiting.sounds.insert(key, sound);
        waiting.order.push_back((now, key));
        waiting.tidy(now);
        Ok(key)
    }

    pub(super) fn get(&self, key: &[u8], now: Instant) -> Option<Bytes> {
        let mut waiting = lock(&self.0);
        waiting.tidy(now);
        waiting.sounds.get(key).cloned()
    }
}

/// A key, understood.
enum Key {
    Random([u8; LENGTH]),
    Kept(Vec<SoundName>),
}

impl Sounds {
    /// The key to a sound that is played once.
    pub fn key_to(&self, sound: Bytes) -> io::Result<String> {
        let key = self.0.once.put(sound, Instant::now())?;
        Ok(URL_SAFE_NO_PAD.encode([&[RANDOM], key.as_slice()].concat()))
    }

    /// The key to sounds that are kept, one after the other; `now` in seconds. It is the same for
    /// some minutes, so that Twilio need not fetch it for every call.
    pub fn key_to_kept(&self, names: &[SoundName], now: i64) -> Option<String> {
        if names.is_empty() || names.len() > SENTENCES {
            return None;
        }
        let good_for = GOOD_FOR.as_secs().cast_signed();
        let until = (now.div_euclid(good_for) + 2) * good_for;
        let mut key = vec![SIGNED];
        key.extend_from_slice(&until.to_le_bytes());
        key.extend(names.iter().flat_map(|name| name.0));
        key.extend(self.signature(&key));
        Some(URL_SAFE_NO_PAD.encode(key))
    }

    /// The sound that a key is to. Blocks when it is in a file.
    pub fn behind(&self, key: &str, now: i64) -> Option<Bytes> {
        match self.understand(key, now)? {
            Key::Random(key) => self.0.once.get(&key, Instant::now()),
            Key::Kept(names) => {
                let mut sound = BytesMut::new();
                for name in names {
                    sound.extend_from_slice(&self.read(name)?);
                }
                Some(sound.freeze())
            }
        }
    }

    /// Whether a key is good, and its sound there.
    pub fn opens(&self, key: &str, now: i64) -> bool {
        match self.understand(key, now) {
            Some(Key::Random(key)) => self.0.once.get(&key, Instant::now()).is_some(),
            Some(Key::Kept(names)) => names.into_iter().all(|name| self.holds(name)),
            None => false,
        }
    }

    fn understand(&self, key: &str, now: i64) -> Option<Key> {
        // The longest there is; longer ones are not even read.
        if key.len() > (1 + 8 + (SENTENCES + 1) * LENGTH) * 4 / 3 + 1 {
            return None;
        }
        let key = URL_SAFE_NO_PAD.decode(key).ok()?;
        match key.split_first()? {
            (&RANDOM, random) => Some(Key::Random(random.try_into().ok()?)),
            (&SIGNED, _) => {
                let (signed, signature) = key.split_at(key.len().checked_sub(LENGTH)?);
                if !bool::from(self.signature(signed).ct_eq(signature)) {
                    return None;
                }
                let (until, names) = signed.get(1..)?.split_first_chunk::<8>()?;
                let (names, []) = names.as_chunks::<LENGTH>() else { return None };
                let is_good = i64::from_le_bytes(*until) > now && !names.is_empty();
                is_good.then(|| Key::Kept(names.iter().copied().map(SoundName).collect()))
            }
            _ => None,
        }
    }

    /// Hashed twice, so that nothing can be added to what is signed.
    fn signature(&self, signed: &[u8]) -> [u8; LENGTH] {
        let salt = &self.0.salt;
        let inner = Sha256::new().chain_update(salt).chain_update(b"key").chain_update(signed);
        let outer = Sha256::new().chain_update(salt).chain_update(inner.finalize());
        let hash: [u8; 32] = outer.finalize().into();
        let mut signature = [0; LENGTH];
        signature.copy_from_slice(&hash[..LENGTH]);
        signature
    }
}
