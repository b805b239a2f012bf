//! The journal of `--ephemeral`: commits are kept in memory within the retention, and gone with the process.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::RwLock;

use super::{Acknowledge, Durability, Journal, Refused, Tail};
use crate::{
    error::Error,
    session::{Commit, Epoch, Revision, SessionId},
};

/// Commits kept of one session.
const MAX_COMMITS: usize = 100_000;

/// Bytes kept of one session, as [`Commit::weight`] counts them.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Keeps commits in memory.
#[derive(Debug)]
pub struct MemoryJournal {
    sessions: RwLock<HashMap<SessionId, Kept>>,
    max_commits: usize,
}

#[derive(Debug, Default)]
struct Kept {
    commits: VecDeque<Arc<Commit>>,
    bytes: usize,
    last: Revision,
}

impl Default for MemoryJournal {
    fn default() -> Self {
        Self::with_retention(MAX_COMMITS)
    }
}

impl MemoryJournal {
    /// An empty journal that keeps at most so many commits a session.
    pub fn with_retention(max_commits: usize) -> Self {
        Self {
            sessions: RwLock::default(),
            max_commits,
        }
    }
}

impl Journal for MemoryJournal {
    fn durability(&self) -> Durability {
        Durability::Ephemeral
    }

    fn append(&self, session: &SessionId, expected: Revision, commit: Arc<Commit>, done: Acknowledge) {
        let taken = {
            let mut sessions = self.sessions.write();
            sessions
                .entry(session.clone())
                .or_default()
                .take(expected, commit, self.max_commits)
        };
        done(taken);
    }

    fn read(&self, session: &SessionId, epoch: Epoch, after: Revision, limit: usize) -> Result<Tail, Error> {
        let sessions = self.sessions.read();
        Ok(match sessions.get(session) {
            Some(kept) => kept.after(epoch, after, limit),
            None => Tail::Compacted { first: Revision(1) },
        })
    }

    fn first(&self, session: &SessionId) -> Revision {
        let sessions = self.sessions.read();
        sessions.get(session).map_or(Revision(1), Kept::first)
    }

    fn forget(&self, session: &SessionId, epoch: Epoch) {
        let mut sessions = self.sessions.write();
        let same = sessions
            .get(session)
            .and_then(|kept| kept.commits.back())
            .is_some_and(|commit| commit.epoch == epoch);
        if same {
            sessions.remove(session);
        }
    }
}

impl Kept {
    fn take(&mut self, expected: Revision, commit: Arc<Commit>, max_commits: usize) -> Result<(), Refused> {
        if expected != self.last {
            let between = self
                .commits
                .iter()
                .filter(|kept| kept.revision > expected)
                .cloned()
                .collect();
            return Err(Refused::Conflict(between));
        }
        self.last = commit.revision;
        self.bytes += commit.weight();
        self.commits.push_back(commit);
        while self.commits.len() > max_commits || (self.bytes > MAX_BYTES && self.commits.len() > 1) {
            let Some(oldest) = self.commits.pop_front() else {
                break;
            };
            self.bytes -= oldest.weight();
        }
        Ok(())
    }

    fn first(&self) -> Revision {
        self.commits
            .front()
            .map_or(self.last.next(), |commit| commit.revision)
    }

    fn after(&self, epoch: Epoch, after: Revision, limit: usize) -> Tail {
        let first = self.first();
        // A session that went back to a checkpoint has commits of the incarnation before as well.
        let same_epoch = self.commits.back().is_none_or(|commit| commit.epoch == epoch);
        if !same_epoch || after.next() < first || after > self.last {
            return Tail::Compacted { first };
        }
        let skip = usize::try_from(after.next().0 - first.0).unwrap_or(usize::MAX);
        Tail::Commits(self.commits.iter().skip(skip).take(limit).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Event, WallTime};
    use std::sync::mpsc;

    fn commit(revision: u64) -> Arc<Commit> {
        Arc::new(Commit {
            epoch: Epoch(7),
            revision: Revision(revision),
            at: WallTime(0),
            events: vec![Event::Closed {
                reason: String::new(),
            }],
        })
    }

    fn append(
        journal: &MemoryJournal,
        session: &SessionId,
        expected: u64,
        revision: u64,
    ) -> Result<(), Refused> {
        let (send, receive) = mpsc::channel();
        journal.append(
            session,
            Revision(expected),
            commit(revision),
            Box::new(move |done| send.send(done).expect("the test listens")),
        );
        receive.recv().expect("append acknowledges")
    }

    #[test]
    fn an_append_on_an_old_revision_conflicts_and_says_what_came_in_between() {
        let (journal, session) = (MemoryJournal::default(), SessionId::new("s").expect("valid"));
        append(&journal, &session, 0, 1).expect("first");
        append(&journal, &session, 1, 2).expect("second");
        match append(&journal, &session, 1, 2) {
            Err(Refused::Conflict(between)) => assert_eq!(between[0].revision, Revision(2)),
            other => panic!("expected a conflict, got {other:?}"),
        }
    }

    #[test]
    fn what_is_past_retention_is_said_to_be_gone() {
        let (journal, session) = (
            MemoryJournal::with_retention(3),
            SessionId::new("s").expect("valid"),
        );
        for revision in 1..=10 {
            append(&journal, &session, revision - 1, revision).expect("append");
        }
        let read = |after, epoch| {
            journal
                .read(&session, Epoch(epoch), Revision(after), 100)
                .expect("read")
        };
        assert!(matches!(read(6, 7), Tail::Compacted { first: Revision(8) }));
        assert!(matches!(read(7, 7), Tail::Commits(tail) if tail.len() == 3));
        assert!(matches!(read(10, 7), Tail::Commits(tail) if tail.is_empty()));
        assert!(
            matches!(read(11, 7), Tail::Compacted { .. }),
            "a revision from the future"
        );
        assert!(matches!(read(9, 8), Tail::Compacted { .. }), "another epoch");
    }
}
