//! The binary: parse, run, exit code. Nothing else lives here.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut argv = std::env::args_os();
    if argv
        .nth(1)
        .is_some_and(|verb| verb == snakepit::workers::reaper::VERB)
    {
        let rest: Vec<_> = argv.collect();
        return snakepit::workers::reaper::main(&rest).into();
    }
    snakepit::commands::main(std::env::args_os())
}
