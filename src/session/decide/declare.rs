//! Registering a variable, or agreeing with one that is there.

use std::sync::Arc;

use super::{Decision, Written, about, check_room, successor};
use crate::{
    error::{Error, Kind, Result},
    session::{
        Actor, Declare, Event, IfExists, MAX_VARIABLES, Source, State, Variable, VariableId, VariableName,
        Version,
    },
    value::{Constraints, Type, Value},
};

pub(super) fn decide(state: &State, declare: &Declare, actor: &Actor) -> Result<Decision> {
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
    let value = declare
        .value
        .judge(&constraints)
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
    check_room(state, 0, variable.weight())?;
    let event = Event::Registered {
        new: Arc::clone(&variable),
    };
    Ok(Decision::about(event, &variable, None))
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
            check_room(state, existing.weight(), new.weight())?;
            let event = Event::ConstraintsSet {
                old: Arc::clone(existing),
                new: Arc::clone(&new),
            };
            Ok(Decision::about(event, &new, Some(existing)))
        }
        IfExists::Reset => {
            let value = declare
                .value
                .judge(&constraints)
                .map_err(|error| about(&existing.name, error))?;
            let new = Arc::new(Variable {
                value,
                constraints,
                ..successor(existing, &declare.metadata, state.revision.next(), actor)
            });
            check_room(state, existing.weight(), new.weight())?;
            let event = Event::ValueSet {
                old: Arc::clone(existing),
                new: Arc::clone(&new),
            };
            Ok(Decision::about(event, &new, Some(existing)))
        }
    }
}

fn differs(existing: &Variable, how: String) -> Error {
    Error::new(
        Kind::DeclarationDiffers,
        format!("variable `{}` is declared differently", existing.name),
    )
    .detail(how)
    .hint("change its constraints with `--update` (in Python `if_exists=\"update\"`); to change its type, `snakepit var del` it first")
}
