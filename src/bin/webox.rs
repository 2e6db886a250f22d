//! The `webox` command: everything is in the library.

/// It gives memory back: glibc's keeps what lies between long-lived pieces, and grows for years
/// (`docs/reliability.md`, R13). SQLite's memory is its as well. Not in builds for tests: where libfaketime turns
/// the clock, each waits for the other to begin.
#[cfg(not(debug_assertions))]
#[global_allocator]
static MEMORY: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    webox::cli::main(std::env::args_os().collect())
}
