//! Sessions that begin with what another one held: forks, and imports of a file.

use std::sync::Arc;

use super::{Bridge, DEFAULT_HISTORY, Live, Opened, Opening, directory::Claim, wall_now};
use crate::{
    error::{Error, Kind, Result},
    session::{Event, Metadata, Origin, SessionId, Settings, Ttl, Variable, plant},
};

/// What a session begins with.
#[derive(Debug)]
pub struct Beginning {
    /// Where it comes from.
    pub origin: Origin,
    /// What was said about the session there.
    pub metadata: Metadata,
    /// Its time to live there; the new one's where nobody says another.
    pub ttl: Ttl,
    /// Versions kept of each variable there.
    pub history_limit: u32,
    /// Its variables.
    pub variables: Vec<Arc<Variable>>,
}

impl Beginning {
    /// Everything of a session as it is now, or as it was at a checkpoint.
    ///
    /// # Errors
    /// [`Kind::CheckpointNotFound`].
    pub fn of(live: &Live, checkpoint: Option<&str>) -> Result<Self> {
        let state = live.read();
        let (revision, variables) = match checkpoint {
            None => (state.revision, state.variables().cloned().collect()),
            Some(name) => {
                let kept = state.checkpoint(name).ok_or_else(|| {
                    Error::new(
                        Kind::CheckpointNotFound,
                        format!(
                            "checkpoint not found: `{}` in session `{}`",
                            name.escape_debug(),
                            live.id()
                        ),
                    )
                })?;
                (kept.revision, kept.variables.clone())
            }
        };
        Ok(Self {
            origin: Origin {
                session: live.id().as_str().to_owned(),
                epoch: state.epoch,
                revision,
            },
            metadata: state.metadata.clone(),
            ttl: live.ttl(),
            history_limit: state.settings.history_limit,
            variables,
        })
    }
}

impl Bridge {
    /// Makes a new session that begins with what is given, in one revision or not at all.
    ///
    /// # Errors
    /// [`Kind::SessionExists`]; [`Kind::LimitExceeded`] where it is more than a session may hold.
    pub async fn begin_with(&self, opening: &Opening, beginning: Beginning) -> Result<Opened> {
        let id = SessionId::new(&opening.id)?;
        let numbers = self.next_numbers(beginning.variables.len());
        let variables = plant(beginning.variables, numbers)?;
        let ttl = opening.ttl.unwrap_or(beginning.ttl);
        let live = match self.claim(&id, ttl)? {
            Claim::New(live) => live,
            Claim::There(_) => return Err(Self::exists(&id)),
            Claim::Ended(ended) => {
                self.end(&ended, "expired").await;
                match self.claim(&id, ttl)? {
                    Claim::New(live) => live,
                    _ => return Err(Self::exists(&id)),
                }
            }
        };
        let mut metadata = beginning.metadata;
        metadata.extend(opening.metadata.clone());
        let history_limit = match (opening.history_limit, beginning.history_limit) {
            (0, 0) => DEFAULT_HISTORY,
            (0, there) => there,
            (asked, _) => asked,
        };
        let event = Event::ForkedFrom {
            origin: beginning.origin,
            settings: Settings { ttl, history_limit },
            metadata,
            variables,
        };
        self.begin(live, event, wall_now()).await
    }
}
