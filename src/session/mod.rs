//! The core: every rule of a session, as data in and data out.
//!
//! [`decide`] looks at a [`State`] and a [`Command`] and says which [`Event`]s follow, or why none do;
//! [`State::apply`] folds events. Ids, times and principals come in as arguments: nothing here is async, reads a
//! clock, draws a random number or touches a disk, so that every journal and every test runs the same rules.

mod checked;
mod checkpoint;
mod command;
mod decide;
mod event;
mod glob;
mod ident;
mod state;
mod variable;

pub use checked::{Ahead, HEAVY_BYTES, RawValue};
pub use checkpoint::{Checkpoint, Origin, Seed, plant};
pub use command::{Actor, Command, Constrain, Declare, Delete, IfExists, Remark, Set};
pub use decide::{Decision, Written, decide};
pub use event::{Commit, Event};
pub use glob::{Glob, Selector};
pub use ident::{
    CheckpointName, Epoch, Principal, Revision, SessionId, VariableId, VariableName, Version, WallTime,
};
pub use state::{Settings, State, Ttl};
pub use variable::{Metadata, Source, Variable};

/// Variables that one session may hold. The reply to one more is RESOURCE_EXHAUSTED.
pub const MAX_VARIABLES: usize = 10_000;

/// Variables that one batch may write or read: a batch is one revision and one message.
pub const MAX_BATCH: usize = 1_000;

/// Bytes of values, constraints and metadata that one session may hold. The reply to more is RESOURCE_EXHAUSTED.
pub const MAX_SESSION_BYTES: usize = 256 * 1024 * 1024;

/// Bytes of one value as it comes: a message less room for what stands around the value in a reply.
pub const MAX_VALUE_BYTES: usize = 63 * 1024 * 1024;

/// Checkpoints that one session keeps.
pub const MAX_CHECKPOINTS: usize = 16;

/// Bytes that the checkpoints of one session hold, each counted whole although they share.
pub const MAX_CHECKPOINT_BYTES: usize = 1024 * 1024 * 1024;

#[cfg(test)]
mod tests;
