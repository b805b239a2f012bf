//! One session that is up: its decided head, its published state, its watchers, its time to live.
//!
//! `head` is the state as decided, `published` the state as durable; both fold the same commits. Writers decide
//! on head and pipeline behind the journal; readers and watchers see published only. Lock order: head, then the
//! journal's own, then published, then the ring's. No lock is held over an await.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use tokio::sync::oneshot;

use super::{
    Refusals, Repeats,
    clock::{Stopwatch, micros},
};
use crate::{
    error::{Error, Kind},
    journal::{Durability, Journal, Refused},
    session::{
        Actor, Command, Commit, Decision, Epoch, Event, Revision, SessionId, State, Ttl, WallTime, Written,
        decide,
    },
    watch::Hub,
};

/// Times that a write is decided again when others append in between (over a shared journal).
const MAX_ATTEMPTS: u32 = 100;

/// A session that is up.
#[derive(Debug)]
pub struct Live {
    id: SessionId,
    epoch: AtomicU64,
    head: Mutex<Head>,
    published: RwLock<State>,
    hub: Arc<Hub>,
    ttl: Ttl,
    opened: Stopwatch,
    touched: AtomicU64,
    holds: AtomicUsize,
    expired: AtomicBool,
    repeats: Repeats,
}

#[derive(Debug)]
struct Head {
    state: State,
    /// Counts how often the head was thrown away, so that one failure throws it away once.
    generation: u64,
}

/// What a command led to, durable by now.
#[derive(Debug)]
pub struct Committed {
    /// The commit's revision; the newest visible one when nothing had to change.
    pub revision: Revision,
    /// How safe it is.
    pub durability: Durability,
    /// The variables it was about.
    pub written: Vec<Written>,
}

/// Keeps a session from expiring: an open watch, a running call.
#[derive(Debug)]
pub struct Hold(Arc<Live>);

enum Proposal {
    Refused {
        refusals: Refusals,
        seen: Revision,
    },
    Nothing {
        written: Vec<Written>,
        seen: Revision,
    },
    Appended {
        acknowledged: oneshot::Receiver<Result<(), Refused>>,
        revision: Revision,
        generation: u64,
        written: Vec<Written>,
    },
}

impl Live {
    /// A session before its first revision.
    pub(super) fn new(id: SessionId, epoch: Epoch, ttl: Ttl) -> Arc<Self> {
        let state = State::new(id.clone(), epoch);
        Arc::new(Self {
            id,
            epoch: AtomicU64::new(epoch.0),
            head: Mutex::new(Head {
                state: state.clone(),
                generation: 0,
            }),
            published: RwLock::new(state),
            hub: Hub::new(Revision(0)),
            ttl,
            opened: Stopwatch::start(),
            touched: AtomicU64::new(0),
            holds: AtomicUsize::new(0),
            expired: AtomicBool::new(false),
            repeats: Repeats::default(),
        })
    }

    /// Its id.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Its incarnation: that of the published state.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::Acquire))
    }

    /// Its writes that were answered, by the ids of their requests.
    pub fn repeats(&self) -> &Repeats {
        &self.repeats
    }

    /// Its time to live.
    pub fn ttl(&self) -> Ttl {
        self.ttl
    }

    /// Its watches and its publishing end.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The published state. Hold it shortly and never over an await: a commit waits for it.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.published.read()
    }

    // --- Writing ---------------------------------------------------------------------------------------------

    pub(super) async fn begin(
        self: &Arc<Self>,
        journal: &dyn Journal,
        event: Event,
        now: WallTime,
    ) -> Result<(), Error> {
        let commit = Arc::new(Commit {
            epoch: self.epoch(),
            revision: Revision(1),
            at: now,
            events: vec![event],
        });
        let acknowledged = {
            let mut head = self.head.lock();
            head.state.apply(&commit);
            self.append(journal, Revision(0), commit)
        };
        match acknowledged.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Refused::Failed(error))) => Err(error),
            Ok(Err(Refused::Conflict(_))) => Err(Error::new(
                Kind::SessionExists,
                format!("session already exists: `{}`", self.id),
            )),
            Err(_) => Err(journal_went_away()),
        }
    }

    pub(super) async fn execute(
        self: &Arc<Self>,
        journal: &dyn Journal,
        command: &Command,
        actor: &Actor,
    ) -> Result<Committed, Refusals> {
        for _ in 0..MAX_ATTEMPTS {
            match self.propose(journal, command, actor) {
                // A refusal tells something of the head it saw, so that head has to be durable first.
                Proposal::Refused { refusals, seen } => {
                    self.hub.reached(seen).await;
                    return Err(refusals);
                }
                Proposal::Nothing { written, seen } => {
                    self.hub.reached(seen).await;
                    return Ok(Committed {
                        revision: seen,
                        durability: journal.durability(),
                        written,
                    });
                }
                Proposal::Appended {
                    acknowledged,
                    revision,
                    generation,
                    written,
                } => match acknowledged.await {
                    Ok(Ok(())) => {
                        return Ok(Committed {
                            revision,
                            durability: journal.durability(),
                            written,
                        });
                    }
                    Ok(Err(Refused::Conflict(between))) => self.start_over(generation, &between),
                    Ok(Err(Refused::Failed(error))) => {
                        self.start_over(generation, &[]);
                        return Err(alone(error));
                    }
                    Err(_) => return Err(alone(journal_went_away())),
                },
            }
        }
        Err(alone(Error::new(
            Kind::Precondition,
            format!(
                "session `{}` is written by others too fast; the write was not done",
                self.id
            ),
        )))
    }

    fn propose(self: &Arc<Self>, journal: &dyn Journal, command: &Command, actor: &Actor) -> Proposal {
        let mut head = self.head.lock();
        let seen = head.state.revision;
        let Decision { events, written } = match decide(&head.state, command, actor) {
            Ok(decision) => decision,
            Err(refusals) => return Proposal::Refused { refusals, seen },
        };
        if events.is_empty() {
            return Proposal::Nothing { written, seen };
        }
        let revision = seen.next();
        let begins = events.iter().find_map(Event::begins);
        let commit = Arc::new(Commit {
            epoch: begins.unwrap_or(head.state.epoch),
            revision,
            at: actor.now,
            events,
        });
        head.state.apply(&commit);
        let acknowledged = self.append(journal, seen, commit);
        Proposal::Appended {
            acknowledged,
            revision,
            generation: head.generation,
            written,
        }
    }

    /// Queues a commit; called under the head's lock, so that the journal sees revisions in order.
    fn append(
        self: &Arc<Self>,
        journal: &dyn Journal,
        expected: Revision,
        commit: Arc<Commit>,
    ) -> oneshot::Receiver<Result<(), Refused>> {
        let (send, acknowledged) = oneshot::channel();
        let live = Arc::clone(self);
        let published = Arc::clone(&commit);
        journal.append(
            &self.id,
            expected,
            commit,
            Box::new(move |done| {
                // Publishing belongs to the journal's acknowledgement and not to the writer that waits for it: the
                // writer may be gone, the commit is not.
                if done.is_ok() {
                    live.publish(published);
                }
                // Nobody listens when the caller went away; the commit stands all the same.
                let _ = send.send(done);
            }),
        );
        acknowledged
    }

    fn publish(&self, commit: Arc<Commit>) {
        let mut published = self.published.write();
        published.apply(&commit);
        self.epoch.store(published.epoch.0, Ordering::Release);
        self.hub.publish(commit);
    }

    /// Throws the head away after a failed append: what was decided on it is decided again.
    fn start_over(&self, generation: u64, between: &[Arc<Commit>]) {
        let mut head = self.head.lock();
        for commit in between {
            let mut published = self.published.write();
            if commit.revision == published.revision.next() {
                published.apply(commit);
                self.epoch.store(published.epoch.0, Ordering::Release);
                self.hub.publish(Arc::clone(commit));
            }
        }
        if head.generation == generation {
            head.state = self.published.read().clone();
            head.generation += 1;
        }
    }

    // --- Time to live ----------------------------------------------------------------------------------------

    /// Starts the time to live again.
    pub fn touch(&self) {
        self.touched.fetch_max(self.opened.micros(), Ordering::Relaxed);
    }

    /// Keeps the session up until the hold is dropped.
    pub fn hold(self: &Arc<Self>) -> Hold {
        self.holds.fetch_add(1, Ordering::AcqRel);
        Hold(Arc::clone(self))
    }

    /// Whether the time to live has run out. Once it has, it has for ever.
    pub fn is_expired(&self) -> bool {
        if self.expired.load(Ordering::Acquire) {
            return true;
        }
        let out = self.remaining().is_some_and(|left| left == 0);
        if out {
            self.expired.store(true, Ordering::Release);
        }
        out
    }

    /// Microseconds until expiry if nobody touches it; `None` = never.
    pub fn remaining(&self) -> Option<u64> {
        let Ttl::After(ttl) = self.ttl else { return None };
        if self.holds.load(Ordering::Acquire) > 0 {
            return Some(micros(ttl));
        }
        let end = self.touched.load(Ordering::Relaxed).saturating_add(micros(ttl));
        Some(end.saturating_sub(self.opened.micros()))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.touch();
        self.0.holds.fetch_sub(1, Ordering::AcqRel);
    }
}

fn alone(error: Error) -> Refusals {
    vec![(String::new(), error)]
}

fn journal_went_away() -> Error {
    Error::new(Kind::ShuttingDown, "the bridge is shutting down")
}
