//! What is about the session as a whole: its metadata, checkpoints, and going back to one.

use std::sync::Arc;

use super::Decision;
use crate::{
    error::{Error, Kind, Result},
    session::{
        Actor, Checkpoint, CheckpointName, Epoch, Event, MAX_CHECKPOINT_BYTES, MAX_CHECKPOINTS, Metadata,
        State, Variable, Version,
    },
};

pub(super) fn annotate(state: &State, metadata: &Metadata) -> Decision {
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

pub(super) fn checkpoint(state: &State, name: &str, actor: &Actor) -> Result<Decision> {
    let name = CheckpointName::new(name)?;
    if state.checkpoint(name.as_str()).is_some() {
        return Err(Error::new(
            Kind::CheckpointExists,
            format!("checkpoint already exists: `{name}` in session `{}`", state.id),
        )
        .hint("take another name, or delete that one first"));
    }
    if state.checkpoints().count() >= MAX_CHECKPOINTS {
        return Err(Error::new(
            Kind::LimitExceeded,
            format!(
                "session `{}` keeps {MAX_CHECKPOINTS} checkpoints, the most it may",
                state.id
            ),
        )
        .hint("delete one with `snakepit session checkpoint NAME --delete`"));
    }
    let kept: usize = state.checkpoints().map(|kept| kept.bytes).sum();
    if kept.saturating_add(state.bytes()) > MAX_CHECKPOINT_BYTES {
        return Err(Error::new(
            Kind::LimitExceeded,
            format!(
                "the checkpoints of session `{}` hold at most {MAX_CHECKPOINT_BYTES} bytes",
                state.id
            ),
        )
        .detail("each counts whole, also what it shares with others")
        .hint("delete one with `snakepit session checkpoint NAME --delete`"));
    }
    Ok(Decision::only(Event::Checkpointed {
        name,
        by: actor.principal.clone(),
    }))
}

pub(super) fn drop_checkpoint(state: &State, name: &str) -> Result<Decision> {
    let found = find(state, name)?;
    Ok(Decision::only(Event::CheckpointDropped {
        name: found.name.clone(),
    }))
}

/// Everything as it was, under new versions: a version is never given to two values, so that compare-and-set stays
/// safe for who read before.
pub(super) fn restore(state: &State, name: &str, epoch: Epoch, actor: &Actor) -> Result<Decision> {
    let found = find(state, name)?;
    let variables = found
        .variables
        .iter()
        .map(|kept| Arc::new(brought_back(state, found, kept, actor)))
        .collect();
    Ok(Decision::only(Event::Restored {
        name: found.name.clone(),
        epoch,
        variables,
    }))
}

fn brought_back(state: &State, from: &Checkpoint, kept: &Arc<Variable>, actor: &Actor) -> Variable {
    let version = match state.find(kept.id.as_str()) {
        Some(current) => current.version.next(),
        None => Version(kept.version.0.max(state.top_version().0)).next(),
    };
    Variable {
        version,
        revision: state.revision.next(),
        updated_at: actor.now,
        changed_by: actor.principal.clone(),
        said: Arc::new(Metadata::from([(
            "restored_from".to_owned(),
            from.name.as_str().to_owned(),
        )])),
        ..Variable::clone(kept)
    }
}

fn find<'a>(state: &'a State, name: &str) -> Result<&'a Arc<Checkpoint>> {
    state.checkpoint(name).ok_or_else(|| {
        let error = Error::new(
            Kind::CheckpointNotFound,
            format!(
                "checkpoint not found: `{}` in session `{}`",
                name.escape_debug(),
                state.id
            ),
        );
        let known: Vec<_> = state.checkpoints().map(|kept| kept.name.as_str()).collect();
        if known.is_empty() {
            error.hint("make one with `snakepit session checkpoint NAME`")
        } else {
            error.hint(format!("there are {}", known.join(", ")))
        }
    })
}
