//! Turns of a live call.
