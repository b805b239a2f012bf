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
    Checkpoint, CheckpointName, Commit, Epoch, Event, Metadata, Origin, Revision, Selector, SessionId,
    Variable, VariableId, VariableName, Version, WallTime,
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
    bytes: usize,
    top_version: Version,
    checkpoints: BTreeMap<CheckpointName, Arc<Checkpoint>>,
    origin: Option<Arc<Origin>>,
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
            bytes: 0,
            top_version: Version(0),
            checkpoints: BTreeMap::new(),
            origin: None,
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

    /// The bytes that count against the quota.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The highest version that any variable of this session ever had.
    pub(super) fn top_version(&self) -> Version {
        self.top_version
    }

    /// What was kept, by name.
    pub fn checkpoints(&self) -> impl Iterator<Item = &Arc<Checkpoint>> {
        self.checkpoints.values()
    }

    /// What was kept under a name.
    pub fn checkpoint(&self, name: &str) -> Option<&Arc<Checkpoint>> {
        self.checkpoints.get(name)
    }

    /// Where its first variables came from, if it was forked or imported.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_deref()
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
            None => error.hint(
                "list what there is with `snakepit var list`, make it with `snakepit var register NAME VALUE`",
            ),
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
            Event::ForkedFrom {
                origin,
                settings,
                metadata,
                variables,
            } => {
                self.created_at = at;
                self.settings = settings.clone();
                self.metadata = metadata.clone();
                self.origin = Some(Arc::new(origin.clone()));
                self.hold_only(variables);
            }
            Event::Registered { new } => self.hold(new),
            Event::ValueSet { new, .. }
            | Event::ConstraintsSet { new, .. }
            | Event::MetadataSet { new, .. } => {
                if let Some(slot) = self.by_name.get_mut(&new.name) {
                    self.bytes = self.bytes - slot.weight() + new.weight();
                    self.top_version = self.top_version.max(new.version);
                    *slot = Arc::clone(new);
                }
            }
            Event::Deleted { new, .. } => {
                self.names.remove(&new.id);
                if let Some(gone) = self.by_name.remove(&new.name) {
                    self.bytes -= gone.weight();
                }
                self.top_version = self.top_version.max(new.version);
            }
            Event::Checkpointed { name, by } => {
                let kept = Checkpoint {
                    name: name.clone(),
                    revision: self.revision,
                    at,
                    by: by.clone(),
                    variables: self.by_name.values().cloned().collect(),
                    bytes: self.bytes,
                };
                self.checkpoints.insert(name.clone(), Arc::new(kept));
            }
            Event::CheckpointDropped { name } => {
                self.checkpoints.remove(name);
            }
            Event::Restored { epoch, variables, .. } => {
                self.epoch = *epoch;
                self.hold_only(variables);
            }
            Event::Annotated { metadata } => {
                self.metadata
                    .extend(metadata.iter().map(|(key, text)| (key.clone(), text.clone())));
            }
            Event::Closed { .. } => self.closed = true,
        }
    }

    fn hold(&mut self, new: &Arc<Variable>) {
        self.bytes += new.weight();
        self.top_version = self.top_version.max(new.version);
        self.names.insert(new.id.clone(), new.name.clone());
        self.by_name.insert(new.name.clone(), Arc::clone(new));
    }

    fn hold_only(&mut self, variables: &[Arc<Variable>]) {
        self.names.clear();
        self.by_name.clear();
        self.bytes = 0;
        for variable in variables {
            self.hold(variable);
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
