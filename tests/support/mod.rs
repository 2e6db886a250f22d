//! What tests share: the command builder, and a store with something in it.

pub(crate) mod cmd;
pub(crate) mod pty;
pub(crate) mod seed;
