//! How a conversation travels. A line translates between Twilio and the engine, and decides
//! nothing else: what a caller can do on one, they can do on all.
//!
//! `gather` is spoken over webhooks; `relay` and `stream` will be its neighbours.

mod clock;
mod gather;
mod greeting;
mod late;
mod voice;

pub use clock::Clock;
pub use late::Patience;
pub use voice::Line;
