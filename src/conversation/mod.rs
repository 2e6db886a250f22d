//! The engine of a conversation: what was heard goes in, what to say and do comes out.
//!
//! It knows nothing of Twilio, HTTP or SQL: a line brings it what was heard, and the tools it
//! asks for are run by `operations`.

mod afterwards;
pub mod aloud;
mod asking;
mod called;
pub mod concierge;
mod consent;
mod doing;
pub mod engine;
mod figures;
mod handing_over;
pub mod head_start;
pub mod hold_on;
mod inquiring;
mod last_resort;
mod looked_up;
mod memory;
pub mod phrases;
mod promises;
mod prompt;
mod satisfaction;
pub mod speakable;
mod state;
pub mod tongue;
pub mod tools;
mod urgent;
pub mod whisper;
