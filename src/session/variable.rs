//! One version of one variable, immutable: a write makes the next one.

use std::{collections::BTreeMap, sync::Arc};

use super::{Principal, Revision, VariableId, VariableName, Version, WallTime};
use crate::value::{Constraints, Type, Value};

/// Free text about a variable or a session, merged on each write.
pub type Metadata = BTreeMap<String, String>;

/// The contract's word for the kind of writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The host side: the bridge, the command line, anybody who does not say python.
    Host,
    /// A Python client.
    Python,
}

impl Source {
    /// What a writer's metadata says, in any case.
    pub fn of(metadata: &Metadata) -> Self {
        match metadata.get("source") {
            Some(source) if source.eq_ignore_ascii_case("python") => Self::Python,
            _ => Self::Host,
        }
    }
}

/// A variable as of one version.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Unique for ever in the store.
    pub id: VariableId,
    /// Unique in the session while the variable lives.
    pub name: VariableName,
    /// What its values are. Fixed, but for an inferred integer that becomes a float.
    pub ty: Type,
    /// Nobody declared the type: it was read off the first value and may widen.
    pub inferred: bool,
    /// The value, valid by type and constraints.
    pub value: Value,
    /// What values have to keep.
    pub constraints: Constraints,
    /// What writers said about it, merged.
    pub metadata: Arc<Metadata>,
    /// What the writer of this version said, alone.
    pub said: Arc<Metadata>,
    /// The kind of the last writer.
    pub source: Source,
    /// Writes since registration.
    pub version: Version,
    /// The commit that made this version.
    pub revision: Revision,
    /// When it was registered.
    pub created_at: WallTime,
    /// When this version was written.
    pub updated_at: WallTime,
    /// Who wrote it.
    pub changed_by: Principal,
}

impl Variable {
    /// The bytes that count against a session's quota: the value, its constraints, its metadata.
    pub fn weight(&self) -> usize {
        let metadata: usize = self
            .metadata
            .iter()
            .map(|(key, text)| key.len() + text.len())
            .sum();
        self.value.payload_len() + self.constraints.json().len() + metadata
    }
}
