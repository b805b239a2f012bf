//! The rules: a state and a command in, events or a refusal out.
//!
//! `decide` changes nothing. All checks of a command come before its first event, so that a refusal leaves no
//! trace and a batch is whole or nothing.

use std::{collections::HashSet, sync::Arc};

use super::{
    Actor, Command, Declare, Delete, Event, IfExists, MAX_BATCH, MAX_VARIABLES, Metadata, RawValue, Revision,
    Set, Source, State, Variable, VariableId, VariableName, Version,
};
use crate::{
    error::{Error, Kind, Result},
    value::{Constraints, Type, Value},
};

/// What a command leads to.
#[derive(Debug)]
pub struct Decision {
    /// What will have happened; empty when everything is as asked already.
    pub events: Vec<Event>,
    /// The variables that the command is about, as of after, in the order asked.
    pub written: Vec<Written>,
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
        Command::Declare(declare) => alone(decide_declare(state, declare, actor), &declare.name),
        Command::Set(set) => alone(decide_set(state, set, actor), &set.target),
        Command::SetAll(sets) => decide_set_all(state, sets, actor),
        Command::Delete(delete) => alone(decide_delete(state, delete, actor), &delete.target),
        Command::Annotate(metadata) => Ok(annotate(state, metadata)),
        Command::Close(reason) => Ok(Decision {
            events: vec![Event::Closed {
                reason: reason.clone(),
            }],
            written: Vec::new(),
        }),
    }
}

fn decide_declare(state: &State, declare: &Declare, actor: &Actor) -> Result<Decision> {
    let name = VariableName::new(&declare.name)?;
    let ty = match declare.ty {
        Some(ty) => ty,
        None => Value::infer(&declare.value.json)?,
    };
    let constraints = Constraints::parse(ty, &declare.constraints)?;
    match state.find(name.as_str()) {
        Some(existing) => redeclare(state, existing, declare, ty, &constraints, actor),
        None => register(state, declare, name, ty, constraints, actor),
    }
}

fn register(
    state: &State,
    declare: &Declare,
    name: VariableName,
    ty: Type,
    constraints: Constraints,
    actor: &Actor,
) -> Result<Decision> {
    if state.len() >= MAX_VARIABLES {
        return Err(Error::new(
            Kind::LimitExceeded,
            format!(
                "session `{}` holds {MAX_VARIABLES} variables, the most it may",
                state.id
            ),
        ));
    }
    let value = constraints
        .apply(decode(ty, &declare.value)?)
        .map_err(|error| about(&name, error))?;
    let said = Arc::new(declare.metadata.clone());
    let variable = Arc::new(Variable {
        id: VariableId::new(&name, declare.number),
        name,
        ty,
        inferred: declare.inferred || declare.ty.is_none(),
        value,
        constraints,
        source: Source::of(&declare.metadata),
        metadata: Arc::clone(&said),
        said,
        version: Version(0),
        revision: state.revision.next(),
        created_at: actor.now,
        updated_at: actor.now,
        changed_by: actor.principal.clone(),
    });
    Ok(Decision {
        events: vec![Event::Registered {
            new: Arc::clone(&variable),
        }],
        written: vec![Written {
            variable,
            before: None,
        }],
    })
}

fn redeclare(
    state: &State,
    existing: &Arc<Variable>,
    declare: &Declare,
    ty: Type,
    constraints: &Constraints,
    actor: &Actor,
) -> Result<Decision> {
    if declare.if_exists == IfExists::Fail {
        return Err(Error::new(
            Kind::VariableExists,
            format!(
                "variable already exists: `{}` in session `{}`",
                existing.name, state.id
            ),
        )
        .hint(
            "keep it with `--if-missing`, change its constraints with `--update`, or write it with `var set`",
        ));
    }
    let widened = existing.inferred && existing.ty == Type::Float && ty == Type::Integer;
    if existing.ty != ty && !widened {
        return Err(differs(
            existing,
            format!("it is of type {}, not {}", existing.ty.as_str(), ty.as_str()),
        ));
    }
    let constraints = if existing.ty == ty {
        constraints.clone()
    } else {
        Constraints::parse(existing.ty, &declare.constraints)?
    };
    match declare.if_exists {
        IfExists::Fail | IfExists::Keep if existing.constraints.json() != constraints.json() => Err(differs(
            existing,
            format!(
                "its constraints are {}, not {}",
                existing.constraints.json(),
                constraints.json()
            ),
        )),
        IfExists::Fail | IfExists::Keep => Ok(Decision {
            events: Vec::new(),
            written: vec![Written {
                variable: Arc::clone(existing),
                before: Some(Arc::clone(existing)),
            }],
        }),
        IfExists::Update => {
            let value = constraints
                .apply(existing.value.clone())
                .map_err(|error| about(&existing.name, error).detail("the value that is there breaks it"))?;
            let new = Arc::new(Variable {
                value,
                constraints,
                ..successor(existing, &declare.metadata, state.revision.next(), actor)
            });
            Ok(Decision {
                events: vec![Event::ConstraintsSet {
                    old: Arc::clone(existing),
                    new: Arc::clone(&new),
                }],
                written: vec![Written {
                    variable: new,
                    before: Some(Arc::clone(existing)),
                }],
            })
        }
        IfExists::Reset => {
            let value = constraints
                .apply(decode(existing.ty, &declare.value)?)
                .map_err(|error| about(&existing.name, error))?;
            let new = Arc::new(Variable {
                value,
                constraints,
                ..successor(existing, &declare.metadata, state.revision.next(), actor)
            });
            Ok(Decision {
                events: vec![Event::ValueSet {
                    old: Arc::clone(existing),
                    new: Arc::clone(&new),
                }],
                written: vec![Written {
                    variable: new,
                    before: Some(Arc::clone(existing)),
                }],
            })
        }
    }
}

fn differs(existing: &Variable, how: String) -> Error {
    Error::new(
        Kind::DeclarationDiffers,
        format!("variable `{}` is declared differently", existing.name),
    )
    .detail(how)
    .hint("declare it as it is, or change its constraints with `--update` (in Python `if_exists=\"update\"`)")
}

fn decide_set(state: &State, set: &Set, actor: &Actor) -> Result<Decision> {
    let (event, written) = write(state, set, actor)?;
    Ok(Decision {
        events: vec![event],
        written: vec![written],
    })
}

fn decide_set_all(state: &State, sets: &[Set], actor: &Actor) -> Result<Decision, Refusals> {
    if sets.len() > MAX_BATCH {
        let error = Error::new(
            Kind::LimitExceeded,
            format!("a batch has at most {MAX_BATCH} variables"),
        )
        .detail(format!("this one has {}", sets.len()));
        return Err(vec![(String::new(), error)]);
    }
    let mut decision = Decision {
        events: Vec::new(),
        written: Vec::new(),
    };
    let mut refusals = Refusals::new();
    let mut seen = HashSet::new();
    for set in sets {
        match write(state, set, actor) {
            Ok((_, written)) if !seen.insert(written.variable.id.clone()) => {
                let error = Error::new(
                    Kind::BadRequest,
                    format!("`{}` is named twice in one batch", written.variable.name),
                );
                refusals.push((set.target.clone(), error));
            }
            Ok((event, written)) => {
                decision.events.push(event);
                decision.written.push(written);
            }
            Err(error) => refusals.push((set.target.clone(), error)),
        }
    }
    if refusals.is_empty() {
        Ok(decision)
    } else {
        Err(refusals)
    }
}

fn write(state: &State, set: &Set, actor: &Actor) -> Result<(Event, Written)> {
    let old = state.get(&set.target)?;
    check_version(old, set.expected)?;
    let (ty, value) = decode_for(old, &set.value).map_err(|error| explained(old, error, state))?;
    let constraints = if ty == old.ty {
        old.constraints.clone()
    } else {
        Constraints::parse(ty, old.constraints.json())?
    };
    let value = constraints
        .apply(value)
        .map_err(|error| explained(old, error, state))?;
    let new = Arc::new(Variable {
        ty,
        value,
        constraints,
        ..successor(old, &set.metadata, state.revision.next(), actor)
    });
    let event = Event::ValueSet {
        old: Arc::clone(old),
        new: Arc::clone(&new),
    };
    Ok((
        event,
        Written {
            variable: new,
            before: Some(Arc::clone(old)),
        },
    ))
}

fn decide_delete(state: &State, delete: &Delete, actor: &Actor) -> Result<Decision> {
    let old = state.get(&delete.target)?;
    check_version(old, delete.expected)?;
    let new = Arc::new(successor(old, &delete.metadata, state.revision.next(), actor));
    Ok(Decision {
        events: vec![Event::Deleted {
            old: Arc::clone(old),
            new: Arc::clone(&new),
        }],
        written: vec![Written {
            variable: new,
            before: Some(Arc::clone(old)),
        }],
    })
}

fn annotate(state: &State, metadata: &Metadata) -> Decision {
    let news: Metadata = metadata
        .iter()
        .filter(|(key, text)| state.metadata.get(*key) != Some(text))
        .map(|(key, text)| (key.clone(), text.clone()))
        .collect();
    let events = if news.is_empty() {
        Vec::new()
    } else {
        vec![Event::Annotated { metadata: news }]
    };
    Decision {
        events,
        written: Vec::new(),
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

fn decode(ty: Type, raw: &RawValue) -> Result<Value> {
    match &raw.payload {
        Some(payload) => Value::decode_binary(ty, &raw.json, payload.clone()),
        None => Value::decode(ty, &raw.json),
    }
}

/// Decodes for a variable that is there: an integer that nobody declared becomes a float when it has to.
fn decode_for(old: &Variable, raw: &RawValue) -> Result<(Type, Value)> {
    match decode(old.ty, raw) {
        Ok(value) => Ok((old.ty, value)),
        Err(error) if old.inferred && old.ty == Type::Integer => match decode(Type::Float, raw) {
            Ok(value) => Ok((Type::Float, value)),
            Err(_) => Err(error),
        },
        Err(error) => Err(error),
    }
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
