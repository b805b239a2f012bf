//! The binary: parse, run, exit code. Nothing else lives here.

use std::process::ExitCode;

fn main() -> ExitCode {
    snakepit::commands::main(std::env::args_os())
}
