//! The bridge as its users have it: the real binary, real Python processes, real sockets, real signals.
//!
//! One file a topic. Nothing here sleeps for a fixed time to wait for something, and nothing shares code with what
//! it judges but the generated messages.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by a panic, and says its figures"
)]

#[path = "bridge/bad_input.rs"]
mod bad_input;
#[path = "bridge/calls.rs"]
mod calls;
#[path = "bridge/contract.rs"]
mod contract;
#[path = "bridge/deaths.rs"]
mod deaths;
#[path = "bridge/main_job.rs"]
mod main_job;
#[path = "bridge/readme.rs"]
mod readme;
#[path = "bridge/shutdown.rs"]
mod shutdown;
mod support;
#[path = "bridge/watch.rs"]
mod watch;
#[path = "bridge/wire.rs"]
mod wire;
