//! Where commits go: one trait, so that memory, disk and a distributed store run the same rules.
//!
//! A journal orders and keeps; it never decides, never looks into an event, and never answers a reader of state.

mod memory;

pub use memory::MemoryJournal;

use std::sync::Arc;

use crate::{
    error::Error,
    session::{Commit, Epoch, Revision, SessionId},
};

/// How safe a commit is once its append is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// In memory: gone with the process.
    Ephemeral,
    /// On disk and synced.
    Synced,
}

/// Why an append did not happen. The caller throws its decided state away and decides again.
#[derive(Debug)]
pub enum Refused {
    /// Somebody else appended first; these commits came in between.
    Conflict(Vec<Arc<Commit>>),
    /// There is no room, or the store failed.
    Failed(Error),
}

/// Called exactly once for each append, in revision order within a session, when the commit is as durable as the
/// journal makes it. Must be quick and must not append.
pub type Acknowledge = Box<dyn FnOnce(Result<(), Refused>) + Send>;

/// Commits after some revision.
#[derive(Debug)]
pub enum Tail {
    /// In order, without holes; empty when there are none.
    Commits(Vec<Arc<Commit>>),
    /// They are no longer kept: the first revision that is, or the next one to come.
    Compacted {
        /// The oldest revision that can be read.
        first: Revision,
    },
}

/// An ordered, durable list of commits for each session.
pub trait Journal: Send + Sync + 'static {
    /// What an acknowledgement means here.
    fn durability(&self) -> Durability;

    /// Takes the next commit of a session if `expected` is the last revision it has. Returns at once; appends of
    /// one session may be queued behind each other.
    fn append(&self, session: &SessionId, expected: Revision, commit: Arc<Commit>, done: Acknowledge);

    /// Reads acknowledged commits after a revision, oldest first, at most `limit` of them.
    fn read(&self, session: &SessionId, epoch: Epoch, after: Revision, limit: usize) -> Result<Tail, Error>;

    /// The oldest revision that can be read.
    fn first(&self, session: &SessionId) -> Revision;

    /// Drops everything of a session that ended.
    fn forget(&self, session: &SessionId, epoch: Epoch);
}
