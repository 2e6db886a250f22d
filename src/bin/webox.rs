//! The `webox` command: everything is in the library.

/// glibc's keeps more and more where threads come and go (`docs/reliability.md`, R13).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    webox::cli::main(std::env::args_os().collect())
}
