//! The rules: a state and a command in, events or a refusal out.
//!
//! `decide` changes nothing. All checks of a command come before its first event, so that a refusal leaves no
//! trace and a batch is whole or nothing.

mod declare;
mod describe;
mod whole;
mod write;

use std::sync::Arc;

use super::{
    Actor, Command, Event, MAX_SESSION_BYTES, Metadata, Revision, Source, State, Variable, VariableName,
    Version,
};
use crate::error::{Error, Kind, Result};

/// What a command leads to.
#[derive(Debug)]
pub struct Decision {
    /// What will have happened; empty when everything is as asked already.
    pub events: Vec<Event>,
    /// The variables that the command is about, as of after, in the order asked.
    pub written: Vec<Written>,
}

impl Decision {
    /// One event about no variable.
    fn only(event: Event) -> Self {
        Self {
            events: vec![event],
            written: Vec::new(),
        }
    }

    /// One event about one variable.
    fn about(event: Event, variable: &Arc<Variable>, before: Option<&Arc<Variable>>) -> Self {
        Self {
            events: vec![event],
            written: vec![Written {
                variable: Arc::clone(variable),
                before: before.cloned(),
            }],
        }
    }
}

/// What became of one variable.
#[derive(Debug, Clone)]
pub struct Written {
    /// As of after (the tombstone of a delete).
    pub variable: Arc<Variable>,
    /// As of before, if it was there.
    pub before: Option<Arc<Variable>>,
}

/// Several refusals of one batch, by the identifier that was used.
pub type Refusals = Vec<(String, Error)>;

/// Judges a command. `Err` holds one refusal for each item that was refused; a command about one thing has one.
pub fn decide(state: &State, command: &Command, actor: &Actor) -> Result<Decision, Refusals> {
    if state.closed {
        let gone = Error::new(
            Kind::SessionNotFound,
            format!("session not found: `{}` has ended", state.id),
        );
        return Err(vec![(String::new(), gone)]);
    }
    let alone = |result: Result<Decision>, name: &str| result.map_err(|error| vec![(name.to_owned(), error)]);
    match command {
        Command::Declare(declare) => alone(declare::decide(state, declare, actor), &declare.name),
        Command::Set(set) => alone(write::decide(state, set, actor), &set.target),
        Command::SetAll(sets) => write::decide_all(state, sets, actor),
        Command::Delete(delete) => alone(write::decide_delete(state, delete, actor), &delete.target),
        Command::Constrain(constrain) => {
            alone(describe::constrain(state, constrain, actor), &constrain.target)
        }
        Command::Remark(remark) => alone(describe::remark(state, remark, actor), &remark.target),
        Command::Annotate(metadata) => Ok(whole::annotate(state, metadata)),
        Command::Checkpoint(name) => alone(whole::checkpoint(state, name, actor), name),
        Command::DropCheckpoint(name) => alone(whole::drop_checkpoint(state, name), name),
        Command::Restore { name, epoch } => alone(whole::restore(state, name, *epoch, actor), name),
        Command::Close(reason) => Ok(Decision::only(Event::Closed {
            reason: reason.clone(),
        })),
    }
}

fn check_version(variable: &Variable, expected: Option<Version>) -> Result<()> {
    match expected {
        Some(expected) if expected != variable.version => Err(Error::new(
            Kind::VersionMismatch,
            format!(
                "version_mismatch: expected {expected}, current {} (variable `{}`)",
                variable.version, variable.name
            ),
        )
        .detail(format!(
            "written by {} in revision {}",
            variable.changed_by, variable.revision
        ))
        .hint(format!(
            "read again with `snakepit var get {}` and decide again",
            variable.name
        ))),
        _ => Ok(()),
    }
}

/// The next version with the same value: what every write starts from.
fn successor(old: &Variable, metadata: &Metadata, revision: Revision, actor: &Actor) -> Variable {
    let merged = if metadata.is_empty() {
        Arc::clone(&old.metadata)
    } else {
        let mut merged = Metadata::clone(&old.metadata);
        merged.extend(metadata.iter().map(|(key, text)| (key.clone(), text.clone())));
        Arc::new(merged)
    };
    Variable {
        id: old.id.clone(),
        name: old.name.clone(),
        ty: old.ty,
        inferred: old.inferred,
        value: old.value.clone(),
        constraints: old.constraints.clone(),
        source: if metadata.contains_key("source") {
            Source::of(metadata)
        } else {
            Source::Host
        },
        metadata: merged,
        said: Arc::new(metadata.clone()),
        version: old.version.next(),
        revision,
        created_at: old.created_at,
        updated_at: actor.now,
        changed_by: actor.principal.clone(),
    }
}

/// Refuses what would take the session over its bytes: `freed` of them go, `added` come.
fn check_room(state: &State, freed: usize, added: usize) -> Result<()> {
    let after = state.bytes().saturating_sub(freed).saturating_add(added);
    // What makes a session smaller is never refused.
    if after <= MAX_SESSION_BYTES || added <= freed {
        return Ok(());
    }
    Err(Error::new(
        Kind::LimitExceeded,
        format!(
            "session `{}` holds at most {MAX_SESSION_BYTES} bytes of values",
            state.id
        ),
    )
    .detail(format!("it would hold {after}"))
    .hint("delete what is no longer needed, or use another session"))
}

/// Puts the variable's name into an error that knows only the value.
fn about(name: &VariableName, error: Error) -> Error {
    let what = match error.kind() {
        Kind::ConstraintViolated => format!("value out of range for `{name}`"),
        Kind::WrongType => format!("wrong type for `{name}`"),
        _ => return error,
    };
    let mut named = Error::new(error.kind(), what);
    if error.details().is_empty() {
        named = named.detail(error.message());
    }
    for line in error.details() {
        named = named.detail(line);
    }
    for hint in error.hints() {
        named = named.hint(hint);
    }
    named
}

fn explained(old: &Variable, error: Error, state: &State) -> Error {
    let named = about(&old.name, error);
    let (name, session) = (&old.name, &state.id);
    match named.kind() {
        Kind::ConstraintViolated => named.hint(format!(
            "`{name}` of session `{session}` has the constraints {}; change one with `snakepit var register {name} --update` and `--min`, `--max` or another",
            old.constraints.json(),
        )),
        Kind::WrongType if named.hints().is_empty() => {
            named.hint(format!("`{name}` of session `{session}` is of type {}", old.ty))
        }
        _ => named,
    }
}
