//! A caller without a phone: plays Twilio against the real daemon, over real HTTP, signed.

mod call;
mod daemon;
pub mod demo;
mod expect;
mod file;
mod persona;
mod recording;
mod scenario;

pub use call::{Call, Heard, State};
pub use daemon::Daemon;
pub use file::{Input, Rehearsal, SUFFIX, Scenario, Step, check, load};
pub use recording::{Recorded, append};
pub use scenario::{
    CALLER, Minds, Outcome, Played, Report, Stage, act, clock, play, rehearsed, told,
};
