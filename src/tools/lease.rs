//! A caller's hold on its call: while the caller's future lives, so does the call; dropping it cancels.

use std::sync::Arc;

use super::desk::Desk;
use crate::error::Outcome;

pub(super) struct Lease {
    /// False once the call ended or another one answers for it.
    held: bool,
    desk: Arc<Desk>,
    id: Arc<str>,
}

impl Lease {
    pub(super) fn new(desk: &Arc<Desk>, id: &Arc<str>) -> Self {
        Self {
            held: true,
            desk: Arc::clone(desk),
            id: Arc::clone(id),
        }
    }

    pub(super) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    pub(super) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The call ended, or another one answers for it from here on.
    pub(super) fn pass_on(mut self) -> (Arc<Desk>, Arc<str>) {
        self.held = false;
        (Arc::clone(&self.desk), Arc::clone(&self.id))
    }

    /// Stops waiting. Says how far the call came.
    pub(super) fn give_up(mut self, reason: &str) -> Outcome {
        self.held = false;
        self.desk.abandon(&self.id, reason).unwrap_or(Outcome::MayHaveRun)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.held {
            self.desk.abandon(&self.id, "the caller went away");
        }
    }
}
