//! Worker processes: which Python, with what on its path, how one starts, and how it is kept alive and ended.
//!
//! `interpreter` and `provision` find and complete a Python, `spawn` starts one process under a `reaper`,
//! `supervise` keeps N of them registered with somebody behind the `supervise::Registrar` trait. This room must
//! never know gRPC, the client or the bridge, and never write to the user's environments.

pub mod backoff;
pub mod environment;
mod errand;
pub mod event;
mod interpreter;
pub mod options;
pub mod output;
mod overlay;
mod pip;
pub mod probe;
pub mod provision;
pub mod reaper;
mod script;
mod slot;
pub mod spawn;
pub mod supervise;
pub mod target;
