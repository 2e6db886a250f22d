//! How a conversation travels. A line translates between Twilio and the engine, and decides
//! nothing else: what a caller can do on one, they can do on all.
//!
//! `gather` is spoken over webhooks, `relay` in words over a socket, `stream` in sound over one.

mod afterwards;
mod clock;
mod connect;
mod declined;
mod early;
mod fallback;
mod fixed;
mod gather;
mod greeting;
mod handover;
mod heard;
mod keys;
mod late;
mod lengths;
mod meter;
mod outbound;
mod player;
mod relay;
mod resume;
mod sentences;
mod sessions;
mod socket;
mod stream;
mod talk;
mod unstored;
mod voice;
mod voices;
mod waits;
mod warming;

pub use clock::Clock;
pub use late::Patience;
pub use socket::{Closed, Goodbye, LAST_WORDS, Socket};
pub use stream::{WORDS_ASKED_AFTER, pause_after};
pub use voice::Line;
pub use voices::Voices;
