//! A caller without a phone: plays Twilio against the real daemon, over real HTTP, signed.

mod call;
mod daemon;
pub mod demo;

pub use call::{Call, Heard, State};
pub use daemon::Daemon;
