//! What webox can be asked, by the terminal, the daemon, or an assistant in a call.
//!
//! One function a request: is it valid, do it in one transaction, say what came of it. Whoever
//! asks, the same checks hold.

pub mod assistants;
pub mod bookings;
pub mod calls;
pub mod import;
pub mod live;
pub mod messages;
pub mod provisioning;
pub mod stats;
