//! Fills a fresh store with generated calls, to try webox on a busy agency's history:
//!
//! ```console
//! $ cargo run --release --example generate -- --calls 1000000 --db busy.db
//! $ webox --db busy.db stats --since 30d
//! ```

#![allow(clippy::print_stdout, reason = "an example talks to whoever runs it")]

#[allow(dead_code, unreachable_pub, reason = "the benchmarks use the rest")]
#[path = "../benches/support/population.rs"]
mod population;
#[allow(unreachable_pub, reason = "the benchmarks share it")]
#[path = "../benches/support/speech.rs"]
mod speech;

use std::{path::PathBuf, time::Instant};

use clap::Parser;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Fills a fresh store with generated calls.
#[derive(Parser)]
struct Arguments {
    /// How many calls.
    #[arg(long, default_value_t = 1_000_000)]
    calls: u64,
    /// How many turns of each.
    #[arg(long, default_value_t = 0)]
    turns: u64,
    /// The file to make.
    #[arg(long)]
    db: PathBuf,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let begun = Instant::now();
    population::generate(&arguments.db, arguments.calls, arguments.turns)?;
    println!(
        "{} calls of {} assistants over {} days in {}, made in {:.1} s",
        arguments.calls,
        population::ASSISTANTS,
        population::DAYS,
        arguments.db.display(),
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}
