//! The `webox` command: everything is in the library.

fn main() -> std::process::ExitCode {
    webox::cli::main(std::env::args_os().collect())
}
