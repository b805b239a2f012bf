//! The ring and its cursors.
//!
//! Lock order: the bridge publishes while it holds the session's published state for writing, so that a snapshot
//! and a cursor taken under the read lock agree. The ring's own lock is a leaf: nothing is called under it.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{RING_BYTES, RING_COMMITS, STEP_COMMITS};
use crate::session::{Commit, Revision};

/// The publishing end of one session.
#[derive(Debug)]
pub struct Hub {
    ring: Mutex<Ring>,
    tip: watch::Sender<Revision>,
    open: AtomicUsize,
}

#[derive(Debug, Default)]
struct Ring {
    commits: VecDeque<Arc<Commit>>,
    bytes: usize,
}

/// What a watcher finds after its cursor.
#[derive(Debug)]
pub enum Step {
    /// The next commits, in order, without holes; the cursor has moved past them.
    Commits(Vec<Arc<Commit>>),
    /// What comes next has left the ring; read it from the journal, then [`Watcher::seek`].
    Behind,
}

/// One reader's place in the session.
#[derive(Debug)]
pub struct Watcher {
    hub: Arc<Hub>,
    tip: watch::Receiver<Revision>,
    cursor: Revision,
}

// === impl Hub ===

impl Hub {
    /// A hub whose next commit is the one after `tip`.
    pub fn new(tip: Revision) -> Arc<Self> {
        Arc::new(Self {
            ring: Mutex::default(),
            tip: watch::Sender::new(tip),
            open: AtomicUsize::new(0),
        })
    }

    /// Shows a commit to every watcher. Called in revision order.
    pub fn publish(&self, commit: Arc<Commit>) {
        let revision = commit.revision;
        {
            let mut ring = self.ring.lock();
            ring.bytes += commit.weight();
            ring.commits.push_back(commit);
            while ring.commits.len() > RING_COMMITS || (ring.bytes > RING_BYTES && ring.commits.len() > 1) {
                let Some(oldest) = ring.commits.pop_front() else {
                    break;
                };
                ring.bytes -= oldest.weight();
            }
        }
        self.tip.send_replace(revision);
    }

    /// The newest revision that watchers can see.
    pub fn tip(&self) -> Revision {
        *self.tip.borrow()
    }

    /// Waits until a revision can be seen.
    pub async fn reached(&self, revision: Revision) {
        let mut tip = self.tip.subscribe();
        // The sender lives as long as `self`, so the wait ends only by the condition.
        let _ = tip.wait_for(|tip| *tip >= revision).await;
    }

    /// A reader that has seen everything up to `cursor`.
    pub fn watch(self: &Arc<Self>, cursor: Revision) -> Watcher {
        self.open.fetch_add(1, Ordering::Relaxed);
        Watcher {
            hub: Arc::clone(self),
            tip: self.tip.subscribe(),
            cursor,
        }
    }

    /// Readers that are open.
    pub fn watchers(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

// === impl Ring ===

impl Ring {
    fn after(&self, cursor: Revision) -> Step {
        let Some(front) = self.commits.front() else {
            return Step::Behind;
        };
        if cursor.next() < front.revision {
            return Step::Behind;
        }
        let skip = usize::try_from(cursor.next().0 - front.revision.0).unwrap_or(usize::MAX);
        Step::Commits(
            self.commits
                .iter()
                .skip(skip)
                .take(STEP_COMMITS)
                .cloned()
                .collect(),
        )
    }
}

// === impl Watcher ===

impl Watcher {
    /// The last revision seen.
    pub fn cursor(&self) -> Revision {
        self.cursor
    }

    /// Whether something is after the cursor.
    pub fn is_behind(&self) -> bool {
        *self.tip.borrow() > self.cursor
    }

    /// Puts the cursor after a revision that was read elsewhere.
    pub fn seek(&mut self, cursor: Revision) {
        self.cursor = cursor;
    }

    /// Waits for something after the cursor. Cancel safe: the cursor moves only when commits are returned.
    pub async fn next(&mut self) -> Step {
        let cursor = self.cursor;
        // As in `Hub::reached`: the hub is held, so its sender lives.
        let _ = self.tip.wait_for(|tip| *tip > cursor).await;
        self.take()
    }

    /// What is after the cursor now; no commits when nothing is.
    pub fn take(&mut self) -> Step {
        if !self.is_behind() {
            return Step::Commits(Vec::new());
        }
        let step = self.hub.ring.lock().after(self.cursor);
        if let Step::Commits(commits) = &step
            && let Some(last) = commits.last()
        {
            self.cursor = last.revision;
        }
        step
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.hub.open.fetch_sub(1, Ordering::Relaxed);
    }
}
