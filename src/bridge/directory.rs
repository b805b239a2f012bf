//! The directory of sessions: opening, finding, ending, sweeping.

use std::sync::Arc;

use super::{Bridge, DEFAULT_HISTORY, DEFAULT_TTL, Live, MAX_SESSIONS, wall_now};
use crate::{
    error::{Error, Kind, Result},
    session::{Actor, Command, Epoch, Event, Metadata, SessionId, Settings, Ttl, WallTime},
};

/// Times that opening tries again when the session that it found ends under it.
const MAX_ATTEMPTS: u32 = 8;

/// How a session is to be opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Its id, unchecked.
    pub id: String,
    /// Merged into the session's own.
    pub metadata: Metadata,
    /// Its time to live if it is new; `None` = [`DEFAULT_TTL`].
    pub ttl: Option<Ttl>,
    /// Versions kept of each variable if it is new; 0 = [`DEFAULT_HISTORY`].
    pub history_limit: u32,
    /// Refuse a session that exists.
    pub create_only: bool,
}

/// An open session.
#[derive(Debug)]
pub struct Opened {
    /// The session.
    pub live: Arc<Live>,
    /// It did not exist before.
    pub created: bool,
}

/// What the end of a session took with it.
#[derive(Debug, Default, Clone, Copy)]
pub struct Ended {
    /// Variables.
    pub variables: usize,
    /// Open watches.
    pub watches: usize,
}

impl Bridge {
    /// Creates a session or attaches to it.
    pub async fn open(&self, opening: &Opening, actor: &Actor) -> Result<Opened> {
        let id = SessionId::new(&opening.id)?;
        for _ in 0..MAX_ATTEMPTS {
            match self.claim(&id, opening.ttl.unwrap_or(Ttl::After(DEFAULT_TTL)))? {
                Claim::New(live) => return self.begin_empty(live, opening).await,
                Claim::Ended(live) => {
                    // Its last commit may still have to be written: an expiry is an event like any other.
                    self.end(&live, "expired").await;
                }
                Claim::There(live) => {
                    if opening.create_only {
                        return Err(Self::exists(&id).hint("leave out `create_only` to attach to it"));
                    }
                    live.touch();
                    live.hub().reached(crate::session::Revision(1)).await;
                    if opening.metadata.is_empty() {
                        return Ok(Opened { live, created: false });
                    }
                    let annotate = Command::Annotate(opening.metadata.clone());
                    match self.execute_one(&live, annotate, actor.clone()).await {
                        Ok(_) => return Ok(Opened { live, created: false }),
                        Err(error) if error.kind() == Kind::SessionNotFound => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Err(Error::new(
            Kind::Precondition,
            format!("session `{id}` is being ended and opened too fast"),
        ))
    }

    /// A session by id, touched. NOT_FOUND as soon as its time is over.
    pub fn session(&self, id: &str) -> Result<Arc<Live>> {
        let live = self.peek(id).ok_or_else(|| missing(id))?;
        live.touch();
        Ok(live)
    }

    /// A session by id, not touched.
    pub fn peek(&self, id: &str) -> Option<Arc<Live>> {
        let live = self.sessions.read().get(id).map(Arc::clone)?;
        let visible = {
            let state = live.read();
            !state.closed && state.revision.0 > 0
        };
        (visible && !live.is_expired()).then_some(live)
    }

    /// The oldest revision of a session that can be read.
    pub fn first_revision(&self, live: &Live) -> crate::session::Revision {
        self.journal.first(live.id())
    }

    /// Every session that is up, by id.
    pub fn all(&self) -> Vec<Arc<Live>> {
        let mut all: Vec<_> = self
            .sessions
            .read()
            .values()
            .filter(|live| !live.is_expired())
            .cloned()
            .collect();
        all.sort_by(|one, other| one.id().cmp(other.id()));
        all
    }

    /// Ends a session: watchers get a last word, everything it held goes. Idempotent.
    pub async fn end(&self, live: &Arc<Live>, reason: &str) -> Ended {
        let ended = Ended {
            variables: live.read().len(),
            watches: live.hub().watchers(),
        };
        let actor = Actor {
            principal: crate::session::Principal::new("bridge"),
            now: wall_now(),
        };
        // A refusal means that somebody else closed it first; the rest is the same.
        let _ = self.execute(live, Command::Close(reason.to_owned()), actor).await;
        self.remove(live);
        ended
    }

    /// Ends every session whose time is over; how many there were.
    pub async fn sweep(&self) -> usize {
        let over: Vec<_> = self
            .sessions
            .read()
            .values()
            .filter(|live| live.is_expired() || live.read().closed)
            .cloned()
            .collect();
        for live in &over {
            self.end(live, "expired").await;
        }
        over.len()
    }

    async fn begin_empty(&self, live: Arc<Live>, opening: &Opening) -> Result<Opened> {
        let settings = Settings {
            ttl: live.ttl(),
            history_limit: if opening.history_limit == 0 {
                DEFAULT_HISTORY
            } else {
                opening.history_limit
            },
        };
        let event = Event::Created {
            settings,
            metadata: opening.metadata.clone(),
        };
        self.begin(live, event, wall_now()).await
    }

    /// Commits revision 1 of a session that was claimed.
    pub(super) async fn begin(&self, live: Arc<Live>, event: Event, now: WallTime) -> Result<Opened> {
        match live.begin(&*self.journal, event, now).await {
            Ok(()) => Ok(Opened { live, created: true }),
            Err(error) => {
                self.remove(&live);
                Err(error)
            }
        }
    }

    pub(super) fn exists(id: &SessionId) -> Error {
        Error::new(Kind::SessionExists, format!("session already exists: `{id}`"))
    }

    pub(super) fn claim(&self, id: &SessionId, ttl: Ttl) -> Result<Claim> {
        let mut sessions = self.sessions.write();
        if let Some(live) = sessions.get(id) {
            let over = live.is_expired() || live.read().closed;
            let live = Arc::clone(live);
            return Ok(if over {
                Claim::Ended(live)
            } else {
                Claim::There(live)
            });
        }
        if sessions.len() >= MAX_SESSIONS {
            return Err(Error::new(
                Kind::LimitExceeded,
                format!("the bridge holds {MAX_SESSIONS} sessions, the most it may"),
            )
            .hint("end some with `snakepit session end`"));
        }
        let live = Live::new(id.clone(), new_epoch()?, ttl);
        sessions.insert(id.clone(), Arc::clone(&live));
        Ok(Claim::New(live))
    }

    fn remove(&self, live: &Arc<Live>) {
        let mut sessions = self.sessions.write();
        let same = sessions
            .get(live.id())
            .is_some_and(|there| Arc::ptr_eq(there, live));
        if same {
            // Under the directory's lock, so that a new incarnation never finds the old one's commits.
            self.journal.forget(live.id(), live.epoch());
            if let Some(end) = self.when_ended.get() {
                end(live.id());
            }
            sessions.remove(live.id());
        }
    }
}

pub(super) enum Claim {
    New(Arc<Live>),
    There(Arc<Live>),
    Ended(Arc<Live>),
}

pub(super) fn missing(id: &str) -> Error {
    Error::new(
        Kind::SessionNotFound,
        format!("session not found: `{}`", id.escape_debug()),
    )
    .hint("list them with `snakepit session list`, make one with `snakepit session new NAME`")
}

/// An incarnation that no session had.
pub fn new_epoch() -> Result<Epoch> {
    let random = getrandom::u64()
        .map_err(|cause| Error::new(Kind::Internal, format!("no random numbers: {cause}")))?;
    // 0 means "not known" on the wire.
    Ok(Epoch(random.max(1)))
}
