//! The `quorate` program: one command, one exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    quorate::cli::main(std::env::args_os()).into()
}
