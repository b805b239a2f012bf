//! What can be asked of a session. A command carries text and bytes as they came; `decide` judges them.

use std::sync::Arc;

use super::{Epoch, Metadata, Principal, RawValue, Variable, Version, WallTime};
use crate::{
    error::Result,
    value::{Constraints, Type, Value},
};

/// Who asks, and when: everything that `decide` may not find out by itself.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The authenticated caller.
    pub principal: Principal,
    /// The wall clock at the edge.
    pub now: WallTime,
}

/// A change that somebody wants.
#[derive(Debug, Clone)]
pub enum Command {
    /// Register a variable, or agree with one that is there.
    Declare(Declare),
    /// Write one variable.
    Set(Set),
    /// Write many in one revision, or none.
    SetAll(Vec<Set>),
    /// Delete a variable.
    Delete(Delete),
    /// Replace the constraints of a variable.
    Constrain(Constrain),
    /// Change the metadata of a variable.
    Remark(Remark),
    /// Merge into the session's own metadata.
    Annotate(Metadata),
    /// Keep everything as it is now under a name.
    Checkpoint(String),
    /// Let a checkpoint go.
    DropCheckpoint(String),
    /// Make everything as it was at a checkpoint.
    Restore {
        /// The checkpoint.
        name: String,
        /// The incarnation that begins with it.
        epoch: Epoch,
    },
    /// End the session, with the reason that watchers are told.
    Close(String),
}

/// What to do with a name that is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfExists {
    /// Refuse.
    Fail,
    /// Keep what is there; type and constraints have to agree.
    Keep,
    /// Keep the value, replace constraints and metadata.
    Update,
    /// Replace constraints, metadata and the value.
    Reset,
}

/// Register a variable.
#[derive(Debug, Clone)]
pub struct Declare {
    /// Its name, unchecked.
    pub name: String,
    /// The number that makes its id unique in the store.
    pub number: u64,
    /// Its type; `None` = read it off the value.
    pub ty: Option<Type>,
    /// The type was read off the value by the client.
    pub inferred: bool,
    /// Its first value.
    pub value: RawValue,
    /// Its constraints as a JSON object; empty = none.
    pub constraints: String,
    /// Free text about it.
    pub metadata: Metadata,
    /// What to do if the name is taken.
    pub if_exists: IfExists,
}

/// Write one variable.
#[derive(Debug, Clone)]
pub struct Set {
    /// Its id or name.
    pub target: String,
    /// The new value.
    pub value: RawValue,
    /// The version that has to be current; `None` = whatever is.
    pub expected: Option<Version>,
    /// Merged into the variable's metadata.
    pub metadata: Metadata,
}

/// Delete one variable.
#[derive(Debug, Clone)]
pub struct Delete {
    /// Its id or name.
    pub target: String,
    /// The version that has to be current; `None` = whatever is.
    pub expected: Option<Version>,
    /// Kept with the tombstone.
    pub metadata: Metadata,
}

/// New rules and the value that is there as they want it, or why it breaks them.
pub(super) type Constrained = Result<(Constraints, Value)>;

/// Replace the constraints of one variable. Refused where the value that is there breaks them.
#[derive(Debug, Clone)]
pub struct Constrain {
    /// Its id or name.
    pub target: String,
    /// The new constraints as a JSON object; empty = none.
    pub constraints: String,
    /// The version that has to be current; `None` = whatever is.
    pub expected: Option<Version>,
    /// Merged into the variable's metadata.
    pub metadata: Metadata,
    /// What came out ahead, for the version that was there then.
    pub(super) judged: Option<(Arc<Variable>, Constrained)>,
}

impl Constrain {
    /// New constraints for a variable, whatever its version.
    pub fn new(target: String, constraints: String) -> Self {
        Self {
            target,
            constraints,
            expected: None,
            metadata: Metadata::new(),
            judged: None,
        }
    }
}

/// Change the metadata of one variable.
#[derive(Debug, Clone)]
pub struct Remark {
    /// Its id or name.
    pub target: String,
    /// Merged into what is there.
    pub metadata: Metadata,
    /// Keys that go.
    pub remove: Vec<String>,
    /// The version that has to be current; `None` = whatever is.
    pub expected: Option<Version>,
}
