//! A caller without a phone: plays Twilio against the real daemon, over real HTTP and real sockets,
//! signed. [`Call`] has webhooks alone, [`relayed`] text over a socket, [`streamed`] sound over one,
//! which [`aloud`] makes easy to follow; [`bench`] plays many calls at once.

pub mod aloud;
pub mod bench;
mod call;
mod daemon;
pub mod demo;
mod errand;
mod expect;
mod file;
mod handed;
mod human;
mod lateness;
mod leg;
mod named;
mod persona;
mod recording;
pub mod relayed;
mod scenario;
pub mod streamed;
mod wanted;

pub use call::{Call, Heard, State};
pub use daemon::Daemon;
pub use file::{Input, Rehearsal, SUFFIX, Scenario, Step, check, load};
pub use human::{Human, Humans};
pub use lateness::Lateness;
pub use leg::PickedUp;
pub use recording::{Recorded, append};
pub use scenario::{
    CALLER, Minds, Outcome, Played, Report, Stage, act, clock, play, rehearsed, told,
};
