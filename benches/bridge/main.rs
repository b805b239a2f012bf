//! Our server beside a yardstick, both in one run: `cargo bench --bench bridge [-- core|variables|batches|tools|chunks] [--rounds N]`.
//!
//! The yardstick is the least that the same crates can do: a tonic service that answers with a message it was given
//! at start. Server and yardstick run in processes of their own, load comes from this one, and rounds are
//! interleaved, so that a noisy machine is noisy for both. Ratios and medians are what to look at.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a bench talks on stdout and stops at the first thing that is not as it should be"
)]

mod batches;
mod core;
mod load;
mod peers;
mod report;
mod tools;
mod variables;
mod yardstick;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let Some(first) = arguments.next() else {
        return all();
    };
    match first.as_str() {
        "yardstick" => yardstick::serve(&arguments.collect::<Vec<_>>()),
        "core" => core::run(),
        "variables" => variables::run(),
        "batches" => batches::run(),
        "tools" => tools::run_unary(),
        "chunks" => tools::run_chunks(),
        other => {
            eprintln!("no bench is called `{other}`: core, variables, batches, tools, chunks");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn all() -> ExitCode {
    core::run();
    variables::run();
    batches::run();
    tools::run_unary();
    tools::run_chunks();
    ExitCode::SUCCESS
}
