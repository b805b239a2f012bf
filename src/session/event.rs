//! What happened: the only thing that changes a state, is kept, and is watched.

use std::sync::Arc;

use super::{CheckpointName, Epoch, Metadata, Origin, Principal, Revision, Settings, Variable, WallTime};

/// One fact. It carries whole versions, so that a watcher never has to read anything again.
#[derive(Debug, Clone)]
pub enum Event {
    /// Revision 1: the session began.
    Created {
        /// How it was set up.
        settings: Settings,
        /// What its creator said about it.
        metadata: Metadata,
    },
    /// Revision 1 of a session that began with what another held.
    ForkedFrom {
        /// Where its variables come from.
        origin: Origin,
        /// How it was set up.
        settings: Settings,
        /// What its creator said about it, and what was said about the other.
        metadata: Metadata,
        /// Its variables, as of this revision.
        variables: Vec<Arc<Variable>>,
    },
    /// A variable appeared.
    Registered {
        /// Its first version.
        new: Arc<Variable>,
    },
    /// A value was written, maybe an equal one.
    ValueSet {
        /// The version before.
        old: Arc<Variable>,
        /// The version written.
        new: Arc<Variable>,
    },
    /// Constraints were replaced; the value stayed.
    ConstraintsSet {
        /// The version before.
        old: Arc<Variable>,
        /// The version written.
        new: Arc<Variable>,
    },
    /// Only metadata changed.
    MetadataSet {
        /// The version before.
        old: Arc<Variable>,
        /// The version written.
        new: Arc<Variable>,
    },
    /// A variable went; its last version is the tombstone's.
    Deleted {
        /// The version before.
        old: Arc<Variable>,
        /// The tombstone: the version after, with the last value.
        new: Arc<Variable>,
    },
    /// The session's own metadata grew.
    Annotated {
        /// What was merged in.
        metadata: Metadata,
    },
    /// Everything was kept under a name.
    Checkpointed {
        /// The name.
        name: CheckpointName,
        /// Who asked for it.
        by: Principal,
    },
    /// A checkpoint went.
    CheckpointDropped {
        /// Its name.
        name: CheckpointName,
    },
    /// Everything is as it was at a checkpoint, and a new incarnation begins: what was seen before says nothing now.
    Restored {
        /// The checkpoint.
        name: CheckpointName,
        /// The new incarnation.
        epoch: Epoch,
        /// The variables that there are now; all others went.
        variables: Vec<Arc<Variable>>,
    },
    /// The session ended; nothing follows.
    Closed {
        /// Why, for watchers.
        reason: String,
    },
}

impl Event {
    /// The variable that it is about, as of after.
    pub fn variable(&self) -> Option<&Arc<Variable>> {
        match self {
            Self::Registered { new }
            | Self::ValueSet { new, .. }
            | Self::ConstraintsSet { new, .. }
            | Self::MetadataSet { new, .. }
            | Self::Deleted { new, .. } => Some(new),
            Self::Created { .. }
            | Self::ForkedFrom { .. }
            | Self::Annotated { .. }
            | Self::Checkpointed { .. }
            | Self::CheckpointDropped { .. }
            | Self::Restored { .. }
            | Self::Closed { .. } => None,
        }
    }

    /// The variable as of before, where there was one.
    pub fn before(&self) -> Option<&Arc<Variable>> {
        match self {
            Self::ValueSet { old, .. }
            | Self::ConstraintsSet { old, .. }
            | Self::MetadataSet { old, .. }
            | Self::Deleted { old, .. } => Some(old),
            _ => None,
        }
    }

    /// The incarnation that begins with it, where one does.
    pub fn begins(&self) -> Option<Epoch> {
        match self {
            Self::Restored { epoch, .. } => Some(*epoch),
            _ => None,
        }
    }

    /// Roughly what it holds in memory, in bytes, for the bounds of rings and journals.
    pub fn weight(&self) -> usize {
        const FIXED: usize = 256;
        let brought = match self {
            Self::ForkedFrom { variables, .. } | Self::Restored { variables, .. } => {
                variables.iter().map(|variable| FIXED + variable.weight()).sum()
            }
            _ => 0,
        };
        FIXED
            + brought
            + self.variable().map_or(0, |variable| variable.value.payload_len())
            + self.before().map_or(0, |variable| variable.value.payload_len())
    }
}

/// Everything that one revision brought, in order. Seen whole or not at all.
#[derive(Debug)]
pub struct Commit {
    /// The incarnation it belongs to.
    pub epoch: Epoch,
    /// Its position.
    pub revision: Revision,
    /// When it was decided.
    pub at: WallTime,
    /// What happened, at least one event.
    pub events: Vec<Event>,
}

impl Commit {
    /// Roughly what it holds in memory, in bytes.
    pub fn weight(&self) -> usize {
        self.events.iter().map(Event::weight).sum()
    }
}
