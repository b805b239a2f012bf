//! A caller's hold on its call: while the caller's future lives, so does the call; dropping it cancels.

use std::sync::Arc;

use super::desk::Desk;
use crate::error::Outcome;

pub(super) struct Lease {
    /// False once the call ended or another one answers for it.
    held: bool,
    /// False while the caller of a stream has not used its permit: then nothing runs that could end the call.
    begun: bool,
    desk: Arc<Desk>,
    id: Arc<str>,
}

impl Lease {
    pub(super) fn new(desk: &Arc<Desk>, id: &Arc<str>) -> Self {
        Self {
            held: true,
            begun: true,
            desk: Arc::clone(desk),
            id: Arc::clone(id),
        }
    }

    /// The lease of a stream before its RPC is made.
    pub(super) fn of_stream(desk: &Arc<Desk>, id: &Arc<str>) -> Self {
        let mut lease = Self::new(desk, id);
        lease.begun = false;
        lease
    }

    /// The RPC is being made: from here on the worker's word ends the call.
    pub(super) fn begin(&mut self) {
        self.begun = true;
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
        self.leave(reason)
    }

    fn leave(&self, reason: &str) -> Outcome {
        if self.begun {
            return self.desk.abandon(&self.id, reason).unwrap_or(Outcome::MayHaveRun);
        }
        self.desk.withdraw(&self.id, reason);
        Outcome::NeverStarted
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.held {
            self.leave("the caller went away");
        }
    }
}
