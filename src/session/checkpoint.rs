//! A session as it was: kept under a name, carried into another session, or read from a file.
//!
//! Variables are shared with the state they came from; nothing is copied but pointers.

use std::sync::Arc;

use super::{
    CheckpointName, Epoch, MAX_SESSION_BYTES, MAX_VARIABLES, Metadata, Principal, RawValue, Revision, Source,
    Variable, VariableId, VariableName, Version, WallTime,
};
use crate::{
    error::{Error, Kind, Result},
    value::{Constraints, Type},
};

/// Everything of a session as of one revision, under a name.
#[derive(Debug)]
pub struct Checkpoint {
    /// Its name.
    pub name: CheckpointName,
    /// The revision before it.
    pub revision: Revision,
    /// When it was made.
    pub at: WallTime,
    /// Who asked for it.
    pub by: Principal,
    /// What it holds, by name.
    pub variables: Vec<Arc<Variable>>,
    /// The bytes of that, counted whole.
    pub bytes: usize,
}

/// Where a session's first variables come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The session they were in, in this bridge or another.
    pub session: String,
    /// Its incarnation.
    pub epoch: Epoch,
    /// The revision that was taken.
    pub revision: Revision,
}

/// A variable that comes from elsewhere with its past: nothing of it is believed before [`Seed::judge`].
#[derive(Debug, Clone)]
pub struct Seed {
    /// Its name, unchecked.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Nobody declared the type.
    pub inferred: bool,
    /// Its value, unchecked.
    pub value: RawValue,
    /// Its constraints as a JSON object, unchecked.
    pub constraints: String,
    /// What was said about it.
    pub metadata: Metadata,
    /// The kind of its last writer.
    pub source: Source,
    /// Its version there.
    pub version: Version,
    /// When it was registered.
    pub created_at: WallTime,
    /// When this version was written.
    pub updated_at: WallTime,
    /// Who wrote it.
    pub changed_by: Principal,
}

impl Seed {
    /// The variable, by the same rules as any that is registered; it belongs to no session yet.
    pub fn judge(self, number: u64) -> Result<Variable> {
        let name = VariableName::new(&self.name)?;
        let constraints = Constraints::parse(self.ty, &self.constraints)?;
        let value = self.value.judge(&constraints)?;
        Ok(Variable {
            id: VariableId::new(&name, number),
            name,
            ty: self.ty,
            inferred: self.inferred,
            value,
            constraints,
            metadata: Arc::new(self.metadata),
            said: Arc::default(),
            source: self.source,
            version: self.version,
            revision: Revision(1),
            created_at: self.created_at,
            updated_at: self.updated_at,
            changed_by: self.changed_by,
        })
    }
}

/// Makes variables the first of a new session: each gets an id of its own and belongs to revision 1. `numbers` says
/// the number of the first; each next one has the next.
pub fn plant(variables: impl IntoIterator<Item = Arc<Variable>>, numbers: u64) -> Result<Vec<Arc<Variable>>> {
    let mut planted = Vec::new();
    let (mut number, mut bytes) = (numbers, 0usize);
    for variable in variables {
        bytes = bytes.saturating_add(variable.weight());
        if planted.len() >= MAX_VARIABLES || bytes > MAX_SESSION_BYTES {
            return Err(Error::new(
                Kind::LimitExceeded,
                format!("a session holds at most {MAX_VARIABLES} variables and {MAX_SESSION_BYTES} bytes"),
            ));
        }
        planted.push(Arc::new(Variable {
            id: VariableId::new(&variable.name, number),
            revision: Revision(1),
            ..Variable::clone(&variable)
        }));
        number += 1;
    }
    Ok(planted)
}
