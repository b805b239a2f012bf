//! The binary: parse, run, exit code. Nothing else lives here.
use std::process::ExitCode;

fn main() -> ExitCode {
    let argv: Vec<_> = std::env::args_os().skip(1).collect();
    if argv
        .first()
        .is_some_and(|verb| verb == snakepit::workers::reaper::VERB)
    {
        return snakepit::workers::reaper::main(&argv[1..]).into();
    }
    ExitCode::SUCCESS
}
