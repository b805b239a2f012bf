//! snakepit: one binary that gives Python workers, shell scripts and people a shared, live, typed state and a
//! two-way tool registry over gRPC.
//!
//! This page is the map of the house; `docs/architecture.md` says why it is built so. A file imports only from
//! floors below its own, and `tests/house.rs` enforces it.

pub mod bridge;
pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
pub mod error;
pub mod journal;
pub mod proto;
pub mod server;
pub mod session;
pub mod sys;
pub mod tools;
pub mod ui;
pub mod value;
pub mod watch;
pub mod wire;
pub mod workers;
