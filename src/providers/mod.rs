//! Outside minds, ears and mouths: one small trait each, one file a vendor.
//!
//! A provider knows its vendor's wire and nothing of calls. It is the only room, with `twilio`
//! and `integrations`, that makes requests.

pub mod breaker;
pub mod check;
pub mod llm;
mod refusal;
pub mod speech;
pub mod stt;
pub mod tts;
