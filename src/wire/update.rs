//! Events as `VariableUpdate`s, in the vocabulary that the client knows.

use std::collections::HashMap;

use super::{
    time::timestamp,
    value::{Encoding, encode},
    variable::variable,
};
use crate::{
    proto::bridge as pb,
    session::{self, Commit, Epoch, Event, Revision, WallTime},
};

/// Update types of the contract.
pub mod kind {
    #![allow(missing_docs)] // The names are the contract's own words.
    pub const INITIAL_VALUE: &str = "initial_value";
    pub const INITIAL_COMPLETE: &str = "initial_complete";
    pub const REGISTERED: &str = "registered";
    pub const VALUE_CHANGE: &str = "value_change";
    pub const DELETED: &str = "deleted";
    pub const CONSTRAINT_CHANGE: &str = "constraint_change";
    pub const METADATA_CHANGE: &str = "metadata_change";
    pub const HEARTBEAT: &str = "heartbeat";
    pub const RESYNC: &str = "resync";
    pub const SESSION_CLOSED: &str = "session_closed";
}

/// A value before that is larger than this is left out of an update, with a flag.
const MAX_OLD_VALUE: usize = 64 * 1024;

/// What a client's words are.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// It knows every update type; otherwise control updates come as heartbeats.
    pub extended: bool,
    /// How it wants its values.
    pub encoding: Encoding,
}

/// A variable of a snapshot.
pub fn initial(
    dialect: Dialect,
    epoch: Epoch,
    revision: Revision,
    of: &session::Variable,
) -> pb::VariableUpdate {
    pb::VariableUpdate {
        variable_id: of.id.as_str().to_owned(),
        variable: Some(variable(of, dialect.encoding)),
        update_source: "initial".to_owned(),
        update_metadata: HashMap::from([("initial".to_owned(), "true".to_owned())]),
        timestamp: Some(timestamp(of.updated_at)),
        update_type: kind::INITIAL_VALUE.to_owned(),
        revision: revision.0,
        epoch: epoch.0,
        changed_by: of.changed_by.as_str().to_owned(),
        ..Default::default()
    }
}

/// An update about no variable. One who does not know the word gets a heartbeat that names it in its metadata.
pub fn control(
    dialect: Dialect,
    word: &str,
    epoch: Epoch,
    revision: Revision,
    now: WallTime,
) -> pb::VariableUpdate {
    let plain = !dialect.extended && word != kind::HEARTBEAT;
    let mut metadata = HashMap::from([("revision".to_owned(), revision.to_string())]);
    if plain {
        metadata.insert("control".to_owned(), word.to_owned());
    }
    pb::VariableUpdate {
        update_source: "bridge".to_owned(),
        update_metadata: metadata,
        timestamp: Some(timestamp(now)),
        update_type: if plain { kind::HEARTBEAT } else { word }.to_owned(),
        revision: revision.0,
        epoch: epoch.0,
        revision_end: true,
        ..Default::default()
    }
}

/// The word for an event about a variable; `None` for events about the session.
pub fn word(event: &Event) -> Option<&'static str> {
    Some(match event {
        Event::Registered { .. } => kind::REGISTERED,
        Event::ValueSet { .. } => kind::VALUE_CHANGE,
        Event::ConstraintsSet { .. } => kind::CONSTRAINT_CHANGE,
        Event::MetadataSet { .. } => kind::METADATA_CHANGE,
        Event::Deleted { .. } => kind::DELETED,
        Event::Created { .. }
        | Event::ForkedFrom { .. }
        | Event::Annotated { .. }
        | Event::Checkpointed { .. }
        | Event::CheckpointDropped { .. }
        | Event::Restored { .. }
        | Event::Closed { .. } => return None,
    })
}

/// An event about a variable.
pub fn event(dialect: Dialect, commit: &Commit, event: &Event) -> Option<pb::VariableUpdate> {
    let (word, new) = (word(event)?, event.variable()?);
    let plain = !dialect.extended;
    let word = match word {
        kind::REGISTERED if plain => kind::VALUE_CHANGE,
        kind::VALUE_CHANGE => word,
        _ if plain => {
            let mut update = control(dialect, word, commit.epoch, commit.revision, commit.at);
            update
                .update_metadata
                .insert("variable".to_owned(), new.name.as_str().to_owned());
            update.revision_end = false;
            return Some(update);
        }
        word => word,
    };
    let mut update = pb::VariableUpdate {
        variable_id: new.id.as_str().to_owned(),
        variable: Some(variable(new, dialect.encoding)),
        update_source: new
            .metadata
            .get("source")
            .cloned()
            .unwrap_or_else(|| "unknown".to_owned()),
        timestamp: Some(timestamp(commit.at)),
        update_type: word.to_owned(),
        revision: commit.revision.0,
        epoch: commit.epoch.0,
        changed_by: new.changed_by.as_str().to_owned(),
        ..Default::default()
    };
    if let Some(old) = event.before() {
        update.old_version64 = Some(old.version.0);
        if old.value.payload_len() > MAX_OLD_VALUE {
            update.old_value_omitted = true;
        } else {
            let (value, payload) = encode(&old.value, dialect.encoding);
            update.old_value = Some(value);
            update.old_binary_value = payload;
        }
    }
    Some(update)
}
