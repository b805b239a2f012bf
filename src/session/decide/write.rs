//! Writing values, one or many, and deleting variables.

use std::{collections::HashSet, sync::Arc};

use super::{Decision, Refusals, Written, check_room, check_version, explained, successor};
use crate::{
    error::{Error, Kind, Result},
    session::{Actor, Delete, Event, MAX_BATCH, RawValue, Set, State, Variable},
    value::{Constraints, Type, Value},
};

pub(super) fn decide(state: &State, set: &Set, actor: &Actor) -> Result<Decision> {
    let (event, written) = write(state, set, actor)?;
    check_room(state, freed(&written), written.variable.weight())?;
    Ok(Decision {
        events: vec![event],
        written: vec![written],
    })
}

pub(super) fn decide_all(state: &State, sets: &[Set], actor: &Actor) -> Result<Decision, Refusals> {
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
    let freed = decision.written.iter().map(freed).sum();
    let added = decision
        .written
        .iter()
        .map(|written| written.variable.weight())
        .sum();
    if let Err(error) = check_room(state, freed, added) {
        refusals.push((String::new(), error));
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
    let (constraints, value) = judge(old, &set.value).map_err(|error| explained(old, error, state))?;
    let new = Arc::new(Variable {
        ty: value.ty(),
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

pub(super) fn decide_delete(state: &State, delete: &Delete, actor: &Actor) -> Result<Decision> {
    let old = state.get(&delete.target)?;
    check_version(old, delete.expected)?;
    let new = Arc::new(successor(old, &delete.metadata, state.revision.next(), actor));
    let event = Event::Deleted {
        old: Arc::clone(old),
        new: Arc::clone(&new),
    };
    Ok(Decision::about(event, &new, Some(old)))
}

/// The value to store and the rules it keeps: an integer that nobody declared becomes a float when it has to.
fn judge(old: &Variable, raw: &RawValue) -> Result<(Constraints, Value)> {
    match raw.judge(&old.constraints) {
        Ok(value) => Ok((old.constraints.clone(), value)),
        Err(error) if old.inferred && old.ty == Type::Integer && error.kind() == Kind::WrongType => {
            let Ok(value) = raw.decode(Type::Float) else {
                return Err(error);
            };
            let constraints = Constraints::parse(Type::Float, old.constraints.json())?;
            let value = constraints.apply(value)?;
            Ok((constraints, value))
        }
        Err(error) => Err(error),
    }
}

/// The bytes that a write gives back.
fn freed(written: &Written) -> usize {
    written.before.as_ref().map_or(0, |before| before.weight())
}
