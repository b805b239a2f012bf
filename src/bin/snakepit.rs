//! The binary: parse, run, exit code. Nothing else lives here.

use std::process::ExitCode;

/// The system's allocator grows a thread's memory by the page, with a system call each: a write then takes a quarter longer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
