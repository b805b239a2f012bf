//! What is said about a variable: its constraints and its metadata. Its value stays.

use std::sync::Arc;

use super::{Decision, about, check_room, check_version, successor};
use crate::{
    error::{Error, Kind, Result},
    session::{Actor, Constrain, Event, Metadata, Remark, State, Variable},
    value::{Constraints, Value},
};

impl Constrain {
    /// The new rules, and the value that is there as they want it; refused where it breaks them.
    pub(in crate::session) fn judge(&self, found: &Variable) -> Result<(Constraints, Value)> {
        let rules = Constraints::parse(found.ty, &self.constraints)?;
        let value = rules.apply(found.value.clone()).map_err(|error| {
            about(&found.name, error)
                .detail("the value that is there breaks the new constraints")
                .hint("write a value that keeps them first")
        })?;
        Ok((rules, value))
    }
}

pub(super) fn constrain(state: &State, constrain: &Constrain, actor: &Actor) -> Result<Decision> {
    let old = state.get(&constrain.target)?;
    check_version(old, constrain.expected)?;
    let (constraints, value) = match &constrain.judged {
        Some((found, outcome)) if Arc::ptr_eq(found, old) => outcome.clone()?,
        _ => constrain.judge(old)?,
    };
    let new = Arc::new(Variable {
        value,
        constraints,
        ..successor(old, &constrain.metadata, state.revision.next(), actor)
    });
    check_room(state, old.weight(), new.weight())?;
    let event = Event::ConstraintsSet {
        old: Arc::clone(old),
        new: Arc::clone(&new),
    };
    Ok(Decision::about(event, &new, Some(old)))
}

pub(super) fn remark(state: &State, remark: &Remark, actor: &Actor) -> Result<Decision> {
    let old = state.get(&remark.target)?;
    check_version(old, remark.expected)?;
    if let Some(key) = remark
        .remove
        .iter()
        .find(|key| remark.metadata.contains_key(*key))
    {
        return Err(Error::new(
            Kind::BadRequest,
            format!("metadata `{}` is both set and removed", key.escape_debug()),
        ));
    }
    let mut new = successor(old, &remark.metadata, state.revision.next(), actor);
    if remark.remove.iter().any(|key| new.metadata.contains_key(key)) {
        let mut left = Metadata::clone(&new.metadata);
        left.retain(|key, _| !remark.remove.contains(key));
        new.metadata = Arc::new(left);
    }
    let new = Arc::new(new);
    check_room(state, old.weight(), new.weight())?;
    let event = Event::MetadataSet {
        old: Arc::clone(old),
        new: Arc::clone(&new),
    };
    Ok(Decision::about(event, &new, Some(old)))
}
