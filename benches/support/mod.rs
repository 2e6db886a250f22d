//! What the benchmarks share: the machine, the daemon as a process of its own, a load client that
//! plays Twilio, a store full of calls, and how figures are written.
//!
//! A benchmark needs no account and no network: everything is on 127.0.0.1 and ends by itself.

#![allow(dead_code, reason = "each benchmark uses its part")]
#![allow(unreachable_pub, reason = "nothing here is reached from outside")]
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

pub mod daemon;
pub mod flood;
pub mod load;
pub mod machine;
pub mod population;
pub mod report;
pub mod speech;

/// What a benchmark may fail with.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A whole number from the environment: `WEBOX_BENCH_CALLS=10000000`.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.replace('_', "").parse().ok()).unwrap_or(default)
}
