//! The core: every rule of a session, as data in and data out.
//!
//! [`decide`] looks at a [`State`] and a [`Command`] and says which [`Event`]s follow, or why none do;
//! [`State::apply`] folds events. Ids, times and principals come in as arguments: nothing here is async, reads a
//! clock, draws a random number or touches a disk, so that every journal and every test runs the same rules.

mod command;
mod decide;
mod event;
mod glob;
mod ident;
mod state;
mod variable;

pub use command::{Actor, Command, Declare, Delete, IfExists, RawValue, Set};
pub use decide::{Decision, Written, decide};
pub use event::{Commit, Event};
pub use glob::{Glob, Selector};
pub use ident::{Epoch, Principal, Revision, SessionId, VariableId, VariableName, Version, WallTime};
pub use state::{Settings, State, Ttl};
pub use variable::{Metadata, Source, Variable};

/// Variables that one session may hold. The reply to one more is RESOURCE_EXHAUSTED.
pub const MAX_VARIABLES: usize = 10_000;

/// Variables that one batch may write or read: a batch is one revision and one message.
pub const MAX_BATCH: usize = 1_000;

#[cfg(test)]
mod tests;
