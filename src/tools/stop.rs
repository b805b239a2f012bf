//! Ending calls early: the caller went away, somebody cancelled, the session ends, the bridge drains.
//!
//! A call that a worker has is asked to stop and stays in the table, with its permit, until the worker says that
//! it ended: a permit that is free is really free.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::call::{Call, Place};
use super::desk::{Desk, State};
use super::limits::CANCEL_WAIT;
use super::roster::order;
use super::{failure, lane};
use crate::error::Outcome;
use crate::proto::bridge::CancelCallResponse;

impl Desk {
    /// Somebody asks a call to stop; who waits for it is told.
    pub(super) fn cancel(&self, id: &str, reason: &str) -> CancelCallResponse {
        let mut state = self.lock();
        let Some(call) = state.calls.get(id) else {
            return CancelCallResponse {
                accepted: false,
                state: "unknown".to_owned(),
            };
        };
        let was = match call.place {
            Place::Queued => "queued",
            _ if call.cancelled.is_some() => "cancelled",
            _ => "running",
        };
        state.stop(id, reason);
        self.tell_if_idle(&state);
        CancelCallResponse {
            accepted: true,
            state: was.to_owned(),
        }
    }

    /// Nobody waits for a call any more. Says how far it came; `None` when it has ended.
    pub(super) fn abandon(&self, id: &str, reason: &str) -> Option<Outcome> {
        let mut state = self.lock();
        state.calls.get_mut(id)?.reply = None;
        state.stop(id, reason);
        self.tell_if_idle(&state);
        Some(if state.calls.contains_key(id) {
            Outcome::MayHaveRun
        } else {
            Outcome::NeverStarted
        })
    }

    /// The caller of a stream left before it made the RPC. If it had a permit, no worker knows of the call and none
    /// will say that it ended.
    pub(super) fn withdraw(&self, id: &str, reason: &str) {
        let mut state = self.lock();
        match state.worker_of(id) {
            Some(worker) => {
                state.retire(id, false);
                state.pump(&worker);
            }
            None => {
                if let Some(call) = state.calls.get_mut(id) {
                    call.reply = None;
                }
                state.stop(id, reason);
            }
        }
        self.tell_if_idle(&state);
    }

    /// Takes no new calls, lets those that are here end, and cancels what is left after the grace.
    pub(super) async fn drain(&self, grace: Duration) {
        {
            let mut state = self.lock();
            state.draining = true;
            for worker in state.workers.values() {
                worker.tell(order::drain("the bridge is shutting down"));
            }
        }
        if self.empty_by(Instant::now() + grace).await {
            return;
        }
        let left: Vec<Arc<str>> = self.lock().calls.keys().cloned().collect();
        for id in left {
            self.cancel(&id, "the bridge is shutting down");
        }
        self.empty_by(Instant::now() + CANCEL_WAIT).await;
    }

    async fn empty_by(&self, at: Instant) -> bool {
        loop {
            let idle = self.idle.notified();
            if self.lock().calls.is_empty() {
                return true;
            }
            if tokio::time::timeout_at(at, idle).await.is_err() {
                return self.lock().calls.is_empty();
            }
        }
    }
}

impl State {
    /// Ends a call that no worker has; asks a worker to end one that it has. Nested calls follow.
    pub(super) fn stop(&mut self, id: &str, reason: &str) {
        let Some(call) = self.calls.get_mut(id) else {
            return;
        };
        let nested = call.children > 0;
        let again = call.cancelled.replace(reason.to_owned()).is_some();
        let never_left = match &call.place {
            Place::Queued => true,
            _ if again => false,
            Place::With {
                link,
                lane: Some(lane),
            } => link.outbox.withdraw(*lane, id).is_some(),
            Place::With { link, lane: None } => {
                lane::cancel_rpc(Weak::clone(&self.desk), link, id, reason);
                false
            }
            Place::Host { stop } => {
                stop.cancel();
                false
            }
        };
        if never_left {
            self.drop_ticket(id);
            let worker = self.worker_of(id);
            if let Some(Call {
                reply: Some(reply), ..
            }) = self.retire(id, false)
            {
                reply.fail(failure::cancelled(id, reason, Outcome::NeverStarted));
            }
            if let Some(worker) = worker {
                self.pump(&worker);
            }
        }
        if nested {
            let inner = |(_, call): &(&Arc<str>, &Call)| call.parent.as_deref() == Some(id);
            let inner: Vec<_> = self
                .calls
                .iter()
                .filter(inner)
                .map(|(id, _)| Arc::clone(id))
                .collect();
            for id in inner {
                self.stop(&id, "the call that made it was cancelled");
            }
        }
    }

    /// Takes a call out of its tool's queue.
    fn drop_ticket(&mut self, id: &str) {
        let Some(tool_id) = self.calls.get(id).and_then(|call| call.tool) else {
            return;
        };
        if let Some(tool) = self.registry.get_mut(tool_id) {
            tool.queue.retain(|ticket| &*ticket.call != id);
            if tool.queue.is_empty() {
                self.waiting.remove(&tool_id);
            }
        }
    }
}
