//! The gRPC edge out: a typed async client of one session. Commands use nothing else to reach a bridge.
//!
//! Statuses come back as [`Error`](crate::error::Error)s. Reads are repeated for a moment over a lost connection,
//! writes too where they carry a request id: without one nobody knows whether they arrived. This room never prints.

mod archive;
mod call;
mod connection;
mod fault;
mod registrar;
mod sessions;
mod tools;
mod value;
mod variables;
mod view;
mod watch;
mod workers;

pub use crate::proto::bridge::IfExists;
pub use archive::{CheckpointView, Exported, Forked, Imported};
pub use call::{Call, CallEvent, CallOptions, Timing};
pub use connection::{Client, Options};
pub use registrar::{RemoteRegistrar, translate};
pub use sessions::SessionView;
pub use tools::{ParameterView, ToolView};
pub use value::Value;
pub use variables::{Register, Registered, Written, WrittenMany};
pub use view::{VariableView, time};
pub use watch::{Change, ChangeKind, Event, Watch, WatchOptions};
pub use workers::WorkerView;
