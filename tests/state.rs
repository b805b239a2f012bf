//! Variables and sessions against the real bridge over gRPC: every type and constraint, a model of a session, limits,
//! races, forks, checkpoints and files; and the shell's verbs of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by a panic"
)]

#[path = "state/caller.rs"]
mod caller;
#[path = "state/limits.rs"]
mod limits;
#[path = "state/memory.rs"]
mod memory;
#[path = "state/model.rs"]
mod model;
#[path = "state/properties.rs"]
mod properties;
#[path = "state/races.rs"]
mod races;
#[path = "state/shell.rs"]
mod shell;
mod support;
#[path = "state/vectors.rs"]
mod vectors;
#[path = "state/whole.rs"]
mod whole;
