//! Sound that was spoken once, kept: what an assistant says to everybody is paid and waited for once.
//!
//! A sound is found by what was asked: provider, voice, language and words, hashed with a secret of
//! the folder's, so that its name tells nothing. Fixed sentences are kept at once. Any other only
//! after three different callers were told it: what concerns one caller is never kept on disk.

mod folder;
mod once;
mod wish;

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use quick_cache::{Weighter, unsync::Cache};
use sha2::{Digest, Sha256};

use super::AudioStream;
use crate::domain::{LanguageTag, SoundFigures};
use folder::Folder;
use once::Once;

pub use wish::Keep;

/// Bytes of sound kept in memory before the folder: a few hundred sentences.
const MEMORY: u64 = 16 * 1024 * 1024;

/// A sound larger than this, four minutes of it, is not kept.
const LARGEST: usize = 2 * 1024 * 1024;

/// Sentences of which it is known who was told them.
const WATCHED: usize = 4_096;

/// Callers who must have been told a sentence before it is kept, besides the one who is told now.
const OTHERS: usize = 2;

/// What a sound is kept under. Nobody without the folder's secret knows what of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SoundName([u8; 16]);

/// The sounds of a daemon. Clones share them.
#[derive(Clone)]
pub struct Sounds(Arc<Inner>);

struct Inner {
    salt: [u8; 32],
    memory: Mutex<Cache<SoundName, Bytes, Length>>,
    folder: Option<Folder>,
    /// Who was told what is not kept yet.
    told: Mutex<Cache<SoundName, Vec<u64>>>,
    once: Once,
    hits: AtomicU64,
    misses: AtomicU64,
    saved_characters: AtomicU64,
}

#[derive(Clone)]
struct Length;

impl Weighter<SoundName, Bytes> for Length {
    fn weight(&self, _: &SoundName, sound: &Bytes) -> u64 {
        // A weight of nothing would never be thrown out.
        sound.len().max(1) as u64
    }
}

impl Sounds {
    /// The sounds of a folder, which is made (mode 0700) if it is not there, and holds no more than
    /// so many bytes.
    pub fn open(folder: &Path, most: u64) -> io::Result<Self> {
        let (folder, salt) = Folder::open(folder, most)?;
        Ok(Self::with(salt, Some(folder)))
    }

    /// Sounds that are forgotten with the process.
    pub fn in_memory() -> io::Result<Self> {
        Ok(Self::with(folder::new_salt()?, None))
    }

    fn with(salt: [u8; 32], folder: Option<Folder>) -> Self {
        Self(Arc::new(Inner {
            salt,
            memory: Mutex::new(Cache::with_weighter(1_024, MEMORY, Length)),
            folder,
            told: Mutex::new(Cache::new(WATCHED)),
            once: Once::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            saved_characters: AtomicU64::new(0),
        }))
    }

    /// What a sentence is kept under, in a provider's voice.
    pub fn name(
        &self,
        provider: &str,
        voice: &str,
        language: &LanguageTag,
        text: &str,
    ) -> SoundName {
        let mut hash = Sha256::new();
        hash.update(self.0.salt);
        for part in [provider, voice, language.as_str(), text] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let hash: [u8; 32] = hash.finalize().into();
        let mut name = [0; 16];
        name.copy_from_slice(&hash[..16]);
        SoundName(name)
    }

    /// Whoever listens, as a number that says nothing of them.
    pub fn listener(&self, whom: &str) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.0.salt);
        hash.update(b"listener");
        hash.update(whom);
        let hash: [u8; 32] = hash.finalize().into();
        let mut number = [0; 8];
        number.copy_from_slice(&hash[..8]);
        u64::from_le_bytes(number)
    }

    /// A sound instead of speaking so many characters. Counted, whether it is there or not.
    pub async fn find(&self, name: SoundName, characters: usize) -> Option<Bytes> {
        let found = match self.in_reach(name) {
            None if self.0.folder.as_ref().is_some_and(|folder| folder.lists(name)) => {
                let sounds = self.clone();
                tokio::task::spawn_blocking(move || sounds.read(name)).await.ok().flatten()
            }
            found => found,
        };
        if found.is_some() {
            self.spared(1, characters);
        } else {
            self.0.misses.fetch_add(1, Ordering::Relaxed);
        }
        found
    }

    /// Counts sentences that are played from here, and how many characters they have.
    pub fn spared(&self, sentences: usize, characters: usize) {
        self.0.hits.fetch_add(sentences as u64, Ordering::Relaxed);
        self.0.saved_characters.fetch_add(characters as u64, Ordering::Relaxed);
    }

    /// Whether a sound is there. Looks at its file, and reads nothing.
    pub fn holds(&self, name: SoundName) -> bool {
        self.in_reach(name).is_some()
            || self.0.folder.as_ref().is_some_and(|folder| folder.holds(name))
    }

    /// A sound, from its file if need be. Blocks.
    pub fn read(&self, name: SoundName) -> Option<Bytes> {
        if let Some(sound) = self.in_reach(name) {
            return Some(sound);
        }
        let sound = self.0.folder.as_ref()?.read(name, &self.0.salt)?;
        lock(&self.0.memory).insert(name, sound.clone());
        Some(sound)
    }

    fn in_reach(&self, name: SoundName) -> Option<Bytes> {
        lock(&self.0.memory).get(&name).cloned()
    }

    /// Whether what a listener is told now is to be kept.
    pub fn wants(&self, name: SoundName, text: &str, keep: Keep, listener: u64) -> bool {
        match keep {
            Keep::Always => true,
            Keep::IfCommon if wish::may_be_personal(text) => false,
            Keep::IfCommon => {
                let mut told = lock(&self.0.told);
                let mut listeners = told.get(&name).cloned().unwrap_or_default();
                if listeners.contains(&listener) {
                    return false;
                }
                if listeners.len() >= OTHERS {
                    told.remove(&name);
                    return true;
                }
                listeners.push(listener);
                told.insert(name, listeners);
                false
            }
        }
    }

    /// Keeps a sound. Blocks. What cannot be written is told, and spoken anew another time.
    pub fn keep(&self, name: SoundName, sound: &Bytes) {
        if sound.is_empty() || sound.len() > LARGEST {
            return;
        }
        lock(&self.0.memory).insert(name, sound.clone());
        if let Some(folder) = &self.0.folder
            && let Err(error) = folder.write(name, sound, &self.0.salt)
        {
            tracing::warn!(%error, "a sound could not be kept");
        }
    }

    /// The same sound, kept once it has come to its end.
    pub fn keeping(&self, name: SoundName, sound: AudioStream) -> AudioStream {
        let begun = (sound, BytesMut::new(), self.clone());
        Box::pin(stream::try_unfold(begun, move |(mut sound, mut whole, sounds)| async move {
            if let Some(piece) = sound.next().await.transpose()? {
                if whole.len() <= LARGEST {
                    whole.extend_from_slice(&piece);
                }
                return Ok(Some((piece, (sound, whole, sounds))));
            }
            let whole = whole.freeze();
            // Nobody waits for it.
            tokio::task::spawn_blocking(move || sounds.keep(name, &whole));
            Ok(None)
        }))
    }

    /// How much was spared.
    pub fn figures(&self) -> SoundFigures {
        let (files, bytes, most_bytes) = self.0.folder.as_ref().map_or((0, 0, 0), Folder::size);
        SoundFigures {
            hits: self.0.hits.load(Ordering::Relaxed),
            misses: self.0.misses.load(Ordering::Relaxed),
            saved_characters: self.0.saved_characters.load(Ordering::Relaxed),
            files,
            bytes,
            most_bytes,
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change of what is locked here is one step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
