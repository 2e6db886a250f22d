//! What tests share: the command builder, and a store with something in it.

pub mod cmd;
pub mod pty;
pub mod seed;
