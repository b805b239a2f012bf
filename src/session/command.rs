//! What can be asked of a session. A command carries text and bytes as they came; `decide` judges them.

use bytes::Bytes;

use super::{Metadata, Principal, Version, WallTime};
use crate::value::Type;

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
    /// Merge into the session's own metadata.
    Annotate(Metadata),
    /// End the session, with the reason that watchers are told.
    Close(String),
}

/// A value as it came over the wire: nothing is known of it yet.
#[derive(Debug, Clone)]
pub struct RawValue {
    /// JSON text; the header when there is a payload.
    pub json: Bytes,
    /// The raw payload of a binary tensor or embedding.
    pub payload: Option<Bytes>,
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
