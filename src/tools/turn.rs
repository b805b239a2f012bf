//! Whose turn it is: permits of workers, the queues of tools, and handing a call over. A nested call goes before
//! others, and while it runs its parent's permit is lent, so that a worker never waits for itself.
//!
//! Everything here happens under the desk's lock and waits for nothing.

use std::sync::{Arc, Weak};

use tokio::time::Instant;

use super::call::{Place, Reply, Ticket, Work};
use super::desk::{Desk, State};
use super::link::{Link, millis_left, rpc};
use super::registry::ToolId;
use super::roster::Worker;
use crate::error::{Error, Kind, Outcome};
use crate::proto::bridge::ExecuteToolRequest;

impl State {
    pub(super) fn enqueue(&mut self, ticket: Ticket, id: ToolId, bound: usize) -> Result<(), Error> {
        let Some(tool) = self.registry.get_mut(id) else {
            return Ok(());
        };
        if tool.queue.len() >= bound {
            let text = format!("{bound} calls wait for `{}` already", tool.declaration.name);
            return Err(Error::new(Kind::QueueFull, text)
                .outcome(Outcome::NeverStarted)
                .hint("slow down, or add workers: `snakepit worker spawn FILE -n N`"));
        }
        tool.enqueue(ticket);
        self.waiting.insert(id);
        Ok(())
    }

    /// The worker with a free permit for the tool that has the fewest calls.
    pub(super) fn best_worker(&self, tool: ToolId) -> Option<Arc<str>> {
        let tool = self.registry.get(tool)?;
        let bound = tool.concurrency();
        tool.replicas
            .iter()
            .filter(|replica| replica.running < bound)
            .filter_map(|replica| self.workers.get(&replica.worker))
            .filter(|worker| worker.has_room())
            .min_by_key(|worker| worker.outstanding)
            .map(|worker| Arc::clone(&worker.link.worker_id))
    }

    /// Gives waiting calls the free permits of a worker: the deepest first, then in the order of arrival.
    pub(super) fn pump(&mut self, worker: &str) {
        while !self.waiting.is_empty() && self.workers.get(worker).is_some_and(Worker::has_room) {
            let turn = |id: &ToolId| {
                let tool = self.registry.get(*id)?;
                let replica = tool.replicas.iter().find(|replica| &*replica.worker == worker)?;
                let head = tool
                    .queue
                    .front()
                    .filter(|_| replica.running < tool.concurrency())?;
                Some((head.turn(), *id))
            };
            let Some((_, id)) = self.waiting.iter().filter_map(turn).min() else {
                return;
            };
            let Some(tool) = self.registry.get_mut(id) else {
                return;
            };
            let ticket = tool.queue.pop_front();
            if tool.queue.is_empty() {
                self.waiting.remove(&id);
            }
            if let Some(ticket) = ticket {
                self.hand(ticket, id, worker);
            }
        }
    }

    /// Hands a call to a worker, under a permit.
    pub(super) fn hand(&mut self, ticket: Ticket, tool: ToolId, worker: &str) {
        let Some(link) = self.workers.get(worker).map(|worker| Arc::clone(&worker.link)) else {
            return;
        };
        self.take_permit(&link, tool);
        let Some(call) = self.calls.get_mut(&ticket.call) else {
            return;
        };
        call.handed = Instant::now();
        let mut lane = None;
        match ticket.work {
            Work::Small(mut request) => {
                request.timeout_ms = millis_left(call.deadline);
                lane = link.outbox.post(link.seat_index(), *request).ok();
            }
            Work::Large(request) => {
                let run = run_large(
                    Weak::clone(&self.desk),
                    Arc::clone(&link),
                    ticket.call,
                    *request,
                    call.deadline,
                );
                link.seat().runtime.spawn(run);
            }
            Work::Stream => {
                if let Some(Reply::Permit(sender)) = call.reply.take() {
                    // A caller that is gone gives the permit back by itself: it closes the call.
                    drop(sender.send(Ok(Arc::clone(&link))));
                }
            }
        }
        call.place = Place::With { link, lane };
    }

    /// A call waits for a nested one: others may use its permit.
    pub(super) fn lend(&mut self, id: &str) {
        let Some(call) = self.calls.get_mut(id) else {
            return;
        };
        call.children += 1;
        if let (1, Place::With { link, .. }, Some(tool)) = (call.children, &call.place, call.tool) {
            let link = Arc::clone(link);
            self.give_permit(&link, tool);
        }
    }

    /// A call goes on after a nested one. Its worker may for a moment have more calls than permits.
    pub(super) fn take_back(&mut self, id: &Arc<str>) {
        // A caller may choose the id of a call that has ended: that one is another call, and lent nothing.
        let same = |(its, _): &(&Arc<str>, _)| Arc::ptr_eq(its, id);
        if self.calls.get_key_value(id).filter(same).is_none() {
            return;
        }
        let Some(call) = self.calls.get_mut(id) else {
            return;
        };
        call.children -= 1;
        if let (0, Place::With { link, .. }, Some(tool)) = (call.children, &call.place, call.tool) {
            let link = Arc::clone(link);
            self.take_permit(&link, tool);
        }
    }

    fn take_permit(&mut self, link: &Link, tool: ToolId) {
        self.permit(link, tool, |count| *count += 1);
    }

    pub(super) fn give_permit(&mut self, link: &Link, tool: ToolId) {
        self.permit(link, tool, |count| *count = count.saturating_sub(1));
    }

    /// Changes the counts of a worker, if it is still the one that the link belongs to.
    fn permit(&mut self, link: &Link, tool: ToolId, change: impl Fn(&mut usize)) {
        let Some(worker) = self
            .workers
            .get_mut(&link.worker_id)
            .filter(|w| w.link.uid == link.uid)
        else {
            return;
        };
        change(&mut worker.outstanding);
        if let Some(replica) = self
            .registry
            .get_mut(tool)
            .and_then(|tool| tool.replica(&link.worker_id))
        {
            change(&mut replica.running);
        }
    }
}

/// A large unary call: an RPC of its own, in a task of its own, so that it outlives its caller.
async fn run_large(
    desk: Weak<Desk>,
    link: Arc<Link>,
    id: Arc<str>,
    request: ExecuteToolRequest,
    deadline: Option<Instant>,
) {
    let mut client = link.seat().client.clone();
    let ended = link
        .closed
        .run_until_cancelled(client.execute_tool(rpc(request, deadline)))
        .await;
    // When the link closed, the desk has ended its calls already.
    if let (Some(ended), Some(desk)) = (ended, desk.upgrade()) {
        desk.settle_rpc(&id, &link, ended.map(tonic::Response::into_inner));
    }
}
