//! The workers that are attached: bringing one in with its tools, losing one with its calls told the
//! truth.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::mpsc;

use super::address::WorkerAddress;
use super::call::{Place, Ticket, Work};
use super::desk::{Desk, State};
use super::failure;
use super::limits::{MAX_CAPACITY, ORDERS};
use super::link::Link;
use super::registry::ToolId;
use crate::error::Error;
use crate::proto::admin::{WorkerOrder, WorkerSummary};
use crate::proto::bridge::{DispatchCall, HandshakeResponse, ToolRegistration};

/// Orders to the supervisor of a worker.
pub(super) mod order {
    use crate::proto::admin::worker_order::Order;
    use crate::proto::admin::{WorkerDrain, WorkerOrder, WorkerStop};

    /// No further call will come.
    pub(in crate::tools) fn drain(reason: &str) -> WorkerOrder {
        WorkerOrder {
            order: Some(Order::Drain(WorkerDrain {
                reason: reason.to_owned(),
            })),
        }
    }

    /// End the process.
    pub(in crate::tools) fn stop(reason: &str) -> WorkerOrder {
        WorkerOrder {
            order: Some(Order::Stop(WorkerStop {
                reason: reason.to_owned(),
            })),
        }
    }
}

/// One attached worker.
pub(super) struct Worker {
    pub(super) link: Arc<Link>,
    pub(super) address: WorkerAddress,
    /// Calls at once.
    pub(super) capacity: usize,
    /// Calls that hold a permit.
    pub(super) outstanding: usize,
    /// It said that it takes no new calls: it is about to end.
    pub(super) leaving: bool,
    pub(super) tools: Vec<ToolId>,
    finished: u64,
    failed: u64,
    started_at: SystemTime,
    package_version: String,
    python_version: String,
    orders: mpsc::Sender<WorkerOrder>,
}

impl Worker {
    pub(super) fn has_room(&self) -> bool {
        !self.leaving && self.outstanding < self.capacity
    }

    pub(super) fn count(&mut self, well: bool) {
        if well {
            self.finished += 1;
        } else {
            self.failed += 1;
        }
    }

    /// Sends an order to whoever holds the lease.
    pub(super) fn tell(&self, order: WorkerOrder) {
        if let Err(error) = self.orders.try_send(order) {
            tracing::warn!(worker = self.address.worker_id, %error, "an order could not be given");
        }
    }
}

/// A worker that was just brought in.
pub(super) struct Enrolled {
    pub(super) tools: Vec<String>,
    pub(super) orders: mpsc::Receiver<WorkerOrder>,
    pub(super) link: Arc<Link>,
}

impl Desk {
    /// Brings a worker in with the tools of its handshake. All of them, or none.
    pub(super) fn enrol(
        &self,
        address: WorkerAddress,
        link: Link,
        hello: HandshakeResponse,
        host_tools: &HashSet<String>,
    ) -> Result<Enrolled, Error> {
        self.within_limit(&address.worker_id, hello.tools.len())?;
        let scope = address.session.clone().unwrap_or_default();
        let mut state = self.lock();
        if state.draining {
            return Err(failure::shutting_down());
        }
        for tool in &hello.tools {
            state.agree(&scope, tool, &address.worker_id, host_tools)?;
        }
        let id = Arc::clone(&link.worker_id);
        let (sender, orders) = mpsc::channel(ORDERS);
        let worker = Worker {
            link: Arc::new(link),
            capacity: (hello.capacity as usize).clamp(1, MAX_CAPACITY),
            outstanding: 0,
            leaving: false,
            tools: Vec::new(),
            finished: 0,
            failed: 0,
            started_at: SystemTime::now(),
            package_version: hello.package_version,
            python_version: hello.python_version,
            orders: sender,
            address: WorkerAddress {
                pid: if address.pid == 0 { hello.pid } else { address.pid },
                ..address
            },
        };
        let enrolled = Enrolled {
            tools: names(&hello.tools),
            orders,
            link: Arc::clone(&worker.link),
        };
        // Its predecessor's tools stay until the new ones are there: calls that wait for them stay too.
        let same = state
            .workers
            .get(&id)
            .is_some_and(|old| old.address.incarnation == worker.address.incarnation);
        // A supervisor that comes back with the same process must not be told to end it.
        let stop = (!same).then_some("superseded by a newer process of this worker");
        let orphans = state.detach(&id, stop);
        state.workers.insert(Arc::clone(&id), worker);
        for tool in hello.tools {
            state.serve(&scope, tool, &id);
        }
        state.sweep(orphans);
        state.pump(&id);
        self.tell_if_idle(&state);
        Ok(enrolled)
    }

    /// A worker is gone: its calls end, what never left goes to other workers.
    pub(super) fn lose(&self, link: &Link) {
        let mut state = self.lock();
        if state
            .workers
            .get(&link.worker_id)
            .is_some_and(|worker| worker.link.uid == link.uid)
        {
            let orphans = state.detach(&link.worker_id, None);
            state.sweep(orphans);
        }
        self.tell_if_idle(&state);
    }

    pub(super) fn workers(&self) -> Vec<WorkerSummary> {
        let state = self.lock();
        let mut all: Vec<_> = state
            .workers
            .values()
            .map(|worker| state.summary(worker))
            .collect();
        all.sort_unstable_by(|a, b| a.worker_id.cmp(&b.worker_id));
        all
    }
}

impl State {
    /// Takes a worker out of the roster and ends its calls. Gives its tools back, to be swept.
    fn detach(&mut self, id: &str, stop: Option<&str>) -> Vec<ToolId> {
        let Some(worker) = self.workers.remove(id) else {
            return Vec::new();
        };
        if let Some(reason) = stop {
            worker.tell(order::stop(reason));
        }
        for tool in &worker.tools {
            self.registry.leave(*tool, id);
        }
        for call in worker.link.outbox.close() {
            self.requeue(call);
        }
        let uid = worker.link.uid;
        let lost = |place: &Place| matches!(place, Place::With { link, .. } if link.uid == uid);
        let lost = self
            .calls
            .iter()
            .filter(|(_, call)| lost(&call.place))
            .map(|(id, _)| Arc::clone(id));
        for call_id in lost.collect::<Vec<_>>() {
            if let Some(mut call) = self.retire(&call_id, false)
                && let Some(reply) = call.reply.take()
            {
                reply.fail(failure::died(call.subject(id)));
            }
        }
        // Streams and RPCs of their own see this and end.
        worker.link.closed.cancel();
        worker.tools
    }

    /// A call that never left goes back into its queue, in its old turn.
    fn requeue(&mut self, request: DispatchCall) {
        let id = request.request.as_ref().map_or("", |request| &request.call_id);
        let Some((id, call)) = self
            .calls
            .get_key_value(id)
            .map(|(id, _)| Arc::clone(id))
            .and_then(|id| {
                let call = self.calls.get_mut(&id)?;
                Some((id, call))
            })
        else {
            return;
        };
        let Some(tool_id) = call.tool else { return };
        call.place = Place::Queued;
        let ticket = Ticket {
            call: id,
            depth: call.depth,
            seq: call.seq,
            work: Work::Small(Box::new(request)),
        };
        if let Some(tool) = self.registry.get_mut(tool_id) {
            tool.enqueue(ticket);
            self.waiting.insert(tool_id);
        }
    }

    /// Removes the tools that nobody serves any more and ends the calls that wait for them; other workers take
    /// what was put back.
    pub(super) fn sweep(&mut self, tools: Vec<ToolId>) {
        for id in tools {
            if let Some(tool) = self.registry.sweep(id) {
                self.waiting.remove(&id);
                for ticket in tool.queue {
                    if let Some(reply) = self.retire(&ticket.call, false).and_then(|call| call.reply) {
                        reply.fail(failure::no_worker(&tool.declaration.name));
                    }
                }
                continue;
            }
            let replicas = self.registry.get(id).into_iter().flat_map(|tool| &tool.replicas);
            for worker in replicas
                .map(|replica| Arc::clone(&replica.worker))
                .collect::<Vec<_>>()
            {
                self.pump(&worker);
            }
        }
    }

    fn summary(&self, worker: &Worker) -> WorkerSummary {
        let address = worker.address.clone();
        let tools = worker.tools.iter().filter_map(|id| self.registry.get(*id));
        let mut tools: Vec<_> = tools.map(|tool| tool.declaration.name.to_string()).collect();
        tools.sort_unstable();
        let state = match (self.draining || worker.leaving, worker.has_room()) {
            (true, _) => "draining",
            (false, true) => "ready",
            (false, false) => "busy",
        };
        WorkerSummary {
            worker_id: address.worker_id,
            state: state.to_owned(),
            pid: address.pid,
            address: address.address,
            session_id: address.session.unwrap_or_default(),
            capacity: worker.capacity as u32,
            running: worker.outstanding as u32,
            finished: worker.finished,
            failed: worker.failed,
            started_at: Some(worker.started_at.into()),
            tools,
            restarts: address.restarts,
            source: address.source,
            package_version: worker.package_version.clone(),
            python_version: worker.python_version.clone(),
            host: address.host,
        }
    }
}

fn names(tools: &[ToolRegistration]) -> Vec<String> {
    let mut names: Vec<_> = tools.iter().map(|tool| tool.name.clone()).collect();
    names.sort_unstable();
    names
}
