//! The running bridge: the only room that holds sessions, journal, watches and tools together.
//!
//! A write goes decide -> journal -> apply -> publish (`live`); a read looks at the published state and never
//! waits for a writer's disk. Nothing here knows the wire.

mod clock;
mod directory;
mod fork;
mod live;
mod repeats;
mod subscription;

pub use clock::wall_now;
pub use directory::{Ended, Opened, Opening, new_epoch};
pub use fork::Beginning;
pub use live::{Committed, Live};
pub use repeats::{Answer, Claimed, Earlier, MAX_REMEMBERED, REMEMBERED_FOR, Repeats, Ticket};
pub use subscription::{Progress, Snapshot, Start, Subscription, compacted};

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::RwLock;

use crate::{
    error::{Error, Kind, Result},
    journal::{Durability, Journal},
    session::{Command, SessionId, Set},
};

/// Sessions that one bridge holds. One more is RESOURCE_EXHAUSTED.
pub const MAX_SESSIONS: usize = 10_000;

/// The time to live of a session whose creator did not say.
pub const DEFAULT_TTL: Duration = Duration::from_secs(3_600);

/// Versions kept of a variable when nobody says.
pub const DEFAULT_HISTORY: u32 = 50;

/// The session of the command line; it never expires.
pub const DEFAULT_SESSION: &str = "default";

/// How often expired sessions are looked for. Reads see an expiry at once; this only frees what it held.
pub const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Refusals by the identifier that was used; a command about one thing has one.
pub type Refusals = Vec<(String, Error)>;

/// One bridge. Shared by every connection and every runtime.
pub struct Bridge {
    sessions: RwLock<HashMap<SessionId, Arc<Live>>>,
    journal: Arc<dyn Journal>,
    numbers: AtomicU64,
    when_ended: OnceLock<WhenEnded>,
    openings: Repeats,
}

/// What else has to go when a session ends.
type WhenEnded = Box<dyn Fn(&SessionId) + Send + Sync>;

impl Bridge {
    /// A bridge over a journal, without sessions.
    pub fn new(journal: Arc<dyn Journal>) -> Arc<Self> {
        Arc::new(Self {
            sessions: RwLock::default(),
            journal,
            numbers: AtomicU64::new(1),
            when_ended: OnceLock::new(),
            openings: Repeats::default(),
        })
    }

    /// Says what else has to go when a session ends, by hand or by its time to live. The first one said holds. It is
    /// called under the directory's lock, so that it never meets a new session of that id, and must not come back here.
    pub fn when_ended(&self, end: impl Fn(&SessionId) + Send + Sync + 'static) {
        let _ = self.when_ended.set(Box::new(end));
    }

    /// What an acknowledged write means here.
    pub fn durability(&self) -> Durability {
        self.journal.durability()
    }

    /// A number that no other variable of this store has.
    pub fn next_number(&self) -> u64 {
        self.next_numbers(1)
    }

    /// The first of so many numbers that no other variable of this store has.
    pub fn next_numbers(&self, count: usize) -> u64 {
        self.numbers
            .fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed)
    }

    /// Requests to open a session that were answered.
    pub fn openings(&self) -> &Repeats {
        &self.openings
    }

    /// Changes a session, and answers when nobody can take the answer back.
    pub async fn execute(
        &self,
        live: &Arc<Live>,
        command: Command,
        actor: crate::session::Actor,
    ) -> Result<Committed, Refusals> {
        live.execute(&*self.journal, &command, &actor).await
    }

    /// As [`Bridge::execute`] for a command about one thing.
    pub async fn execute_one(
        &self,
        live: &Arc<Live>,
        command: Command,
        actor: crate::session::Actor,
    ) -> Result<Committed> {
        self.execute(live, command, actor).await.map_err(only)
    }

    /// Writes each item on its own, in name order; refused ones stand beside what was written.
    pub async fn execute_each(
        &self,
        live: &Arc<Live>,
        mut sets: Vec<Set>,
        actor: crate::session::Actor,
    ) -> (Vec<(String, Committed)>, Refusals) {
        sets.sort_by(|one, other| one.target.cmp(&other.target));
        let (mut written, mut refused) = (Vec::new(), Refusals::new());
        for set in sets {
            let target = set.target.clone();
            match self.execute(live, Command::Set(set), actor.clone()).await {
                Ok(committed) => written.push((target, committed)),
                Err(mut refusals) => refused.append(&mut refusals),
            }
        }
        (written, refused)
    }
}

/// The one refusal of a command about one thing.
fn only(mut refusals: Refusals) -> Error {
    match refusals.pop() {
        Some((_, error)) => error,
        None => Error::new(Kind::Internal, "a refusal without a reason"),
    }
}

#[cfg(test)]
mod tests;
