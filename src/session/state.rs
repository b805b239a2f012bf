//! A session's state as of one revision, and the fold that makes it.
//!
//! Variables are shared by `Arc`: a state is two maps of pointers, so that the decided and the published state of
//! a session cost little more than one.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use super::{
    Commit, Epoch, Event, Metadata, Revision, Selector, SessionId, Variable, VariableId, VariableName,
    WallTime,
};
use crate::error::{Error, Kind};

/// How long a session lives after the last call that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// For ever.
    Never,
    /// Sliding.
    After(Duration),
}

/// What is fixed when a session begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its time to live.
    pub ttl: Ttl,
    /// Versions kept of each variable.
    pub history_limit: u32,
}

/// A session as of one revision.
#[derive(Debug, Clone)]
pub struct State {
    /// Its id.
    pub id: SessionId,
    /// Its incarnation.
    pub epoch: Epoch,
    /// The last commit that was applied.
    pub revision: Revision,
    /// When it began.
    pub created_at: WallTime,
    /// How it was set up.
    pub settings: Settings,
    /// What callers said about it.
    pub metadata: Metadata,
    /// It ended; nothing may follow.
    pub closed: bool,
    by_name: BTreeMap<VariableName, Arc<Variable>>,
    names: HashMap<VariableId, VariableName>,
}

impl State {
    /// A session before its first revision.
    pub fn new(id: SessionId, epoch: Epoch) -> Self {
        Self {
            id,
            epoch,
            revision: Revision(0),
            created_at: WallTime(0),
            settings: Settings {
                ttl: Ttl::Never,
                history_limit: 0,
            },
            metadata: Metadata::new(),
            closed: false,
            by_name: BTreeMap::new(),
            names: HashMap::new(),
        }
    }

    /// How many variables live.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there is no variable.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// A variable by id or name.
    pub fn find(&self, identifier: &str) -> Option<&Arc<Variable>> {
        // A name never has the shape of an id, so one look is enough.
        if VariableId::looks_like_one(identifier) {
            return self.by_name.get(self.names.get(identifier)?);
        }
        self.by_name.get(identifier)
    }

    /// A variable by id or name, or the error that says what is meant instead.
    pub fn get(&self, identifier: &str) -> Result<&Arc<Variable>, Error> {
        self.find(identifier).ok_or_else(|| self.missing(identifier))
    }

    /// The error for a name that does not exist; it costs a pass over the names, so it is made only when needed.
    pub fn missing(&self, identifier: &str) -> Error {
        let error = Error::new(
            Kind::VariableNotFound,
            format!("variable not found: `{identifier}` in session `{}`", self.id),
        );
        match nearest(identifier, self.by_name.keys().map(VariableName::as_str)) {
            Some(name) => error.hint(format!("did you mean `{name}`?")),
            None => error.hint("list what there is with `snakepit var list`"),
        }
    }

    /// The variables that a selector is about, by name.
    pub fn select<'a>(&'a self, selector: &'a Selector) -> impl Iterator<Item = &'a Arc<Variable>> {
        self.by_name
            .values()
            .filter(move |variable| selector.matches(variable))
    }

    /// Every variable, by name.
    pub fn variables(&self) -> impl Iterator<Item = &Arc<Variable>> {
        self.by_name.values()
    }

    /// Folds a commit in. Commits come in revision order, each once.
    pub fn apply(&mut self, commit: &Commit) {
        debug_assert_eq!(
            commit.revision,
            self.revision.next(),
            "a revision was skipped or applied twice"
        );
        for event in &commit.events {
            self.apply_event(event, commit.at);
        }
        self.revision = commit.revision;
    }

    fn apply_event(&mut self, event: &Event, at: WallTime) {
        match event {
            Event::Created { settings, metadata } => {
                self.created_at = at;
                self.settings = settings.clone();
                self.metadata = metadata.clone();
            }
            Event::Registered { new } => {
                self.names.insert(new.id.clone(), new.name.clone());
                self.by_name.insert(new.name.clone(), Arc::clone(new));
            }
            Event::ValueSet { new, .. }
            | Event::ConstraintsSet { new, .. }
            | Event::MetadataSet { new, .. } => {
                if let Some(slot) = self.by_name.get_mut(&new.name) {
                    *slot = Arc::clone(new);
                }
            }
            Event::Deleted { new, .. } => {
                self.names.remove(&new.id);
                self.by_name.remove(&new.name);
            }
            Event::Annotated { metadata } => {
                self.metadata
                    .extend(metadata.iter().map(|(key, text)| (key.clone(), text.clone())));
            }
            Event::Closed { .. } => self.closed = true,
        }
    }
}

/// The name that somebody most likely meant, if any is near.
fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR: f64 = 0.72;
    names
        .map(|name| (strsim::jaro_winkler(wanted, name), name))
        .filter(|(score, _)| *score >= NEAR)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}
