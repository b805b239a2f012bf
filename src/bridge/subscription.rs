//! A watch: a snapshot and a cursor taken under one revision, then everything after it, from the ring or, when
//! the reader fell behind, from the journal. A gap is announced, never silent.

use std::sync::Arc;

use super::{Bridge, Live, directory::missing, live::Hold};
use crate::{
    error::{Error, Kind, Result},
    journal::{Journal, Tail},
    session::{Commit, Epoch, Event, Revision, Selector, Variable},
    watch::{STEP_COMMITS, Step, Watcher},
};

/// Where a watch starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With a snapshot of what is there.
    Snapshot,
    /// With the next commit.
    Updates,
    /// With what came after a revision of an incarnation (`None` = the client does not know which).
    After(Revision, Option<Epoch>),
}

/// What was there at one revision.
#[derive(Debug)]
pub struct Snapshot {
    /// The revision.
    pub revision: Revision,
    /// The incarnation that it belongs to.
    pub epoch: Epoch,
    /// The selected variables, by name.
    pub variables: Vec<Arc<Variable>>,
}

/// What a watch finds next.
#[derive(Debug)]
pub enum Progress {
    /// Commits in order, without holes. They may hold nothing that the watch is about.
    Commits(Vec<Arc<Commit>>),
    /// Revisions are gone: how many, the oldest that is kept, and a fresh anchor.
    Resync {
        /// Revisions that were not delivered; 0 when the resume named another incarnation.
        missed: u64,
        /// The oldest revision that is kept.
        first: Revision,
        /// Where it goes on.
        snapshot: Snapshot,
    },
    /// The session ended; nothing follows.
    Closed(String),
}

/// An open watch. Keeps its session from expiring.
pub struct Subscription {
    live: Arc<Live>,
    journal: Arc<dyn Journal>,
    selector: Selector,
    watcher: Watcher,
    epoch: Epoch,
    pending: Option<Progress>,
    _hold: Hold,
}

impl Bridge {
    /// Opens a watch. Names that do not exist are refused unless they may be missing, and a session that has ended.
    pub fn subscribe(
        &self,
        live: &Arc<Live>,
        selector: Selector,
        start: Start,
        allow_missing: bool,
    ) -> Result<(Option<Snapshot>, Subscription)> {
        let hold = live.hold();
        let state = live.read();
        if state.closed {
            // Its last word has been said; a cursor after it would wait for ever.
            return Err(missing(live.id().as_str()));
        }
        if !allow_missing && matches!(start, Start::Snapshot | Start::Updates) {
            for name in selector.exact() {
                state.get(name)?;
            }
        }
        let (revision, mut at) = (state.revision, state.epoch);
        let snapshot = (start == Start::Snapshot).then(|| Snapshot {
            revision,
            epoch: at,
            variables: state.select(&selector).cloned().collect(),
        });
        let mut watcher = live.hub().watch(revision);
        drop(state);

        let mut pending = None;
        if let Start::After(after, epoch) = start {
            if epoch.is_some_and(|epoch| epoch != at) || after > revision {
                let first = self.journal.first(live.id());
                let (found, progress) = anchor(live, &selector, &mut watcher, 0, first);
                at = found;
                pending = Some(progress);
            } else {
                watcher.seek(after);
            }
        }
        let subscription = Subscription {
            live: Arc::clone(live),
            journal: Arc::clone(&self.journal),
            selector,
            watcher,
            epoch: at,
            pending,
            _hold: hold,
        };
        Ok((snapshot, subscription))
    }
}

impl Subscription {
    /// The incarnation of what was seen last.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The last revision seen.
    pub fn cursor(&self) -> Revision {
        self.watcher.cursor()
    }

    /// What the watch is about.
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// Waits for what comes next. Cancel safe.
    pub async fn next(&mut self) -> Result<Progress> {
        if let Some(pending) = self.pending.take() {
            return Ok(pending);
        }
        let step = self.watcher.next().await;
        self.progress(step)
    }

    /// Adds what else can be read without waiting, so that a throttled reader sees only the newest of it. What is no
    /// commit is kept for [`Self::next`]. Bounded by the retention.
    pub fn drain_into(&mut self, commits: &mut Vec<Arc<Commit>>) {
        while self.pending.is_none() && self.watcher.is_behind() {
            let step = self.watcher.take();
            match self.progress(step) {
                Ok(Progress::Commits(more)) if more.is_empty() => return,
                Ok(Progress::Commits(more)) => commits.extend(more),
                Ok(other) => self.pending = Some(other),
                // The journal cannot be read now; `next` meets the same and tells it.
                Err(_) => return,
            }
        }
    }

    fn progress(&mut self, step: Step) -> Result<Progress> {
        let commits = match step {
            Step::Commits(commits) => commits,
            Step::Behind => {
                match self.journal.read(
                    self.live.id(),
                    self.live.epoch(),
                    self.watcher.cursor(),
                    STEP_COMMITS,
                )? {
                    Tail::Commits(commits) => {
                        if let Some(last) = commits.last() {
                            self.watcher.seek(last.revision);
                        }
                        commits
                    }
                    Tail::Compacted { first } => return Ok(self.resync(first)),
                }
            }
        };
        // Where another incarnation begins, what follows says nothing to who saw the one before: an anchor does.
        let begins = |commit: &Arc<Commit>| commit.events.iter().any(|event| event.begins().is_some());
        let mut commits = commits;
        if let Some(at) = commits.iter().position(begins) {
            commits.truncate(at);
            let first = self.journal.first(self.live.id());
            let resync = self.anchored(0, first);
            if commits.is_empty() {
                return Ok(resync);
            }
            self.pending = Some(resync);
            return Ok(Progress::Commits(commits));
        }
        Ok(match close_reason(&commits) {
            Some(reason) if commits.len() == 1 => Progress::Closed(reason),
            Some(reason) => {
                self.pending = Some(Progress::Closed(reason));
                Progress::Commits(commits)
            }
            None => Progress::Commits(commits),
        })
    }

    fn resync(&mut self, first: Revision) -> Progress {
        let missed = first.0.saturating_sub(self.watcher.cursor().next().0);
        self.anchored(missed, first)
    }

    fn anchored(&mut self, missed: u64, first: Revision) -> Progress {
        if self.live.read().closed {
            return Progress::Closed("the session ended".to_owned());
        }
        let (epoch, progress) = anchor(&self.live, &self.selector, &mut self.watcher, missed, first);
        self.epoch = epoch;
        progress
    }
}

/// Anchors a watch anew: snapshot and cursor under one revision.
fn anchor(
    live: &Live,
    selector: &Selector,
    watcher: &mut Watcher,
    missed: u64,
    first: Revision,
) -> (Epoch, Progress) {
    let state = live.read();
    watcher.seek(state.revision);
    let snapshot = Snapshot {
        revision: state.revision,
        epoch: state.epoch,
        variables: state.select(selector).cloned().collect(),
    };
    let progress = Progress::Resync {
        missed,
        first,
        snapshot,
    };
    (state.epoch, progress)
}

fn close_reason(commits: &[Arc<Commit>]) -> Option<String> {
    commits.last().and_then(|commit| {
        commit.events.iter().find_map(|event| match event {
            Event::Closed { reason } => Some(reason.clone()),
            _ => None,
        })
    })
}

/// The error of a strict watch whose revisions are gone.
pub fn compacted(first: Revision) -> Error {
    Error::new(
        Kind::HistoryCompacted,
        format!("updates before revision {first} are no longer kept"),
    )
    .detail(format!("the first that is kept is revision {first}"))
    .hint("watch without `strict` to go on from a fresh snapshot")
}
