//! The dispatch desk: one table of tools, workers and calls behind one lock that is held for microseconds and
//! never across an await. It admits calls, gives them permits in their turn, and ends each exactly once.
//!
//! This file holds the table and the life of a call that goes well; `turn` gives permits, `roster` brings and loses
//! workers, `registration` their tools, `stop` ends calls early. The desk never reads a parameter or a result.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::call::{Call, Ended, Place, Reply, Ticket, Work, earlier};
use super::failure;
use super::limits::{HOST_CALLS, Limits, MAX_DEPTH};
use super::link::Link;
use super::registry::{Declaration, Registry, ToolId};
use super::roster::Worker;
use crate::error::{Error, Kind, Outcome};
use crate::proto::bridge::{CallTiming, DispatchResult, ExecuteToolResponse};

/// What is counted of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls that a worker or a host tool has now.
    pub running: usize,
    /// Calls that wait for a worker now.
    pub queued: usize,
    /// Calls that ended well since the start.
    pub finished: u64,
    /// Calls that ended otherwise since the start.
    pub failed: u64,
    /// Workers that are attached now.
    pub workers: usize,
    /// Tools that workers serve now.
    pub tools: usize,
}

pub(super) struct Desk {
    pub(super) limits: Limits,
    /// Told when the last call ends.
    pub(super) idle: Notify,
    state: Mutex<State>,
}

pub(super) struct State {
    /// For the tasks that an admission starts.
    pub(super) desk: Weak<Desk>,
    pub(super) registry: Registry,
    pub(super) workers: HashMap<Arc<str>, Worker>,
    pub(super) calls: HashMap<Arc<str>, Call>,
    /// Live calls of each session that has any.
    pub(super) sessions: HashMap<String, usize>,
    /// Tools with a queue.
    pub(super) waiting: BTreeSet<ToolId>,
    pub(super) draining: bool,
    host_calls: usize,
    arrivals: u64,
    finished: u64,
    failed: u64,
}

/// A call that asks to be taken.
pub(super) struct Admission {
    pub(super) id: Arc<str>,
    pub(super) session: String,
    pub(super) declaration: Arc<Declaration>,
    pub(super) nesting: Nesting,
    pub(super) deadline: Option<Instant>,
}

/// Which call this one is made from, as the caller says.
pub(super) struct Nesting {
    pub(super) parent: String,
    pub(super) depth: u32,
    /// The worker that calls, when the caller named itself.
    pub(super) worker: Option<String>,
}

/// What an admitted call got: its place in the depth and its share of the time.
#[derive(Clone, Copy)]
pub(super) struct Granted {
    pub(super) depth: u32,
    pub(super) deadline: Option<Instant>,
}

impl Desk {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new_cyclic(|desk| Self {
            limits,
            idle: Notify::new(),
            state: Mutex::new(State {
                desk: Weak::clone(desk),
                registry: Registry::default(),
                workers: HashMap::new(),
                calls: HashMap::new(),
                sessions: HashMap::new(),
                waiting: BTreeSet::new(),
                draining: false,
                host_calls: 0,
                arrivals: 0,
                finished: 0,
                failed: 0,
            }),
        })
    }

    pub(super) fn lock(&self) -> parking_lot::MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Takes a call for a worker. `work` makes the request once depth and deadline are known.
    pub(super) fn admit(
        &self,
        tool: ToolId,
        admission: Admission,
        reply: Reply,
        work: impl FnOnce(Granted) -> Work,
    ) -> Result<Granted, Error> {
        let mut state = self.lock();
        if state.registry.get(tool).is_none() {
            return Err(failure::no_worker(&admission.declaration.name));
        }
        let id = Arc::clone(&admission.id);
        let (granted, parent) = state.enter(admission, Some(tool), Place::Queued, Some(reply))?;
        let seq = state.arrivals;
        let ticket = Ticket {
            call: Arc::clone(&id),
            depth: granted.depth,
            seq,
            work: work(granted),
        };
        let head = state
            .registry
            .get(tool)
            .and_then(|tool| tool.queue.front())
            .map(Ticket::turn);
        let first = head.is_none_or(|head| ticket.turn() < head);
        if let Some(worker) = state.best_worker(tool).filter(|_| first) {
            state.hand(ticket, tool, &worker);
        } else if let Err(error) = state.enqueue(ticket, tool, self.limits.queue_per_tool) {
            state.retire(&id, false);
            return Err(error);
        }
        if let Some(worker) = parent.and_then(|parent| state.worker_of(&parent)) {
            state.pump(&worker);
        }
        Ok(granted)
    }

    /// Takes a call for a host tool, which runs in the caller's own task.
    pub(super) fn admit_host(&self, admission: Admission, place: Place) -> Result<Granted, Error> {
        let mut state = self.lock();
        if state.host_calls >= HOST_CALLS {
            let text = format!("{HOST_CALLS} host tools run already");
            return Err(Error::new(Kind::QueueFull, text).outcome(Outcome::NeverStarted));
        }
        let (granted, parent) = state.enter(admission, None, place, None)?;
        if let Some(worker) = parent.and_then(|parent| state.worker_of(&parent)) {
            state.pump(&worker);
        }
        Ok(granted)
    }

    /// Ends the calls whose results came over a lane.
    pub(super) fn settle(&self, link: &Link, results: Vec<DispatchResult>) {
        let mut state = self.lock();
        for result in results {
            let mine =
                |call: &Call| matches!(&call.place, Place::With { link: its, .. } if its.uid == link.uid);
            if !state.calls.get(&*result.call_id).is_some_and(mine) {
                tracing::warn!(
                    worker = &*link.worker_id,
                    call = result.call_id,
                    "a result of no call"
                );
                continue;
            }
            state.note(link, result.status_code);
            let ended = match (result.response, result.status_code) {
                (Some(response), 0) => Ok(response),
                (_, code) => Err((code, result.status_message)),
            };
            state.end(&result.call_id, link, |call| {
                ended.map_err(|(code, message)| match &call.cancelled {
                    Some(reason) if code == 1 => {
                        failure::cancelled(&result.call_id, reason, Outcome::MayHaveRun)
                    }
                    _ => failure::refused(call.subject(&link.worker_id), code, &message),
                })
            });
        }
        state.pump(&link.worker_id);
        self.tell_if_idle(&state);
    }

    /// Ends a call that had an RPC of its own.
    pub(super) fn settle_rpc(
        &self,
        id: &str,
        link: &Link,
        ended: Result<ExecuteToolResponse, tonic::Status>,
    ) {
        let mut state = self.lock();
        if let Err(status) = &ended {
            state.note(link, failure::own_code(status));
        }
        state.end(id, link, |call| {
            ended.map_err(|status| match &call.cancelled {
                Some(reason) if status.code() == tonic::Code::Cancelled => {
                    failure::cancelled(id, reason, Outcome::MayHaveRun)
                }
                _ => failure::of_status(call.subject(&link.worker_id), &status),
            })
        });
        state.pump(&link.worker_id);
        self.tell_if_idle(&state);
    }

    /// A worker refused a call before the call's own stream began.
    pub(super) fn refused(&self, link: &Link, status: &tonic::Status) {
        self.lock().note(link, failure::own_code(status));
    }

    /// Ends a stream or a host call, whose caller has seen its end itself. Says why it was cancelled, if it was.
    pub(super) fn close(&self, id: &str, well: bool) -> Option<String> {
        let mut state = self.lock();
        let worker = state.worker_of(id);
        let call = state.retire(id, well);
        if let Some(worker) = worker {
            state.pump(&worker);
        }
        self.tell_if_idle(&state);
        call.and_then(|call| call.cancelled)
    }

    pub(super) fn knows(&self, worker: &str) -> bool {
        self.lock().workers.contains_key(worker)
    }

    pub(super) fn tell_if_idle(&self, state: &State) {
        if state.draining && state.calls.is_empty() {
            self.idle.notify_waiters();
        }
    }

    pub(super) fn counters(&self) -> Counters {
        let state = self.lock();
        let queued = state
            .waiting
            .iter()
            .filter_map(|id| state.registry.get(*id))
            .map(|tool| tool.queue.len())
            .sum();
        Counters {
            running: state.calls.len() - queued,
            queued,
            finished: state.finished,
            failed: state.failed,
            workers: state.workers.len(),
            tools: state.registry.len(),
        }
    }
}

impl State {
    /// Puts a call into the table and lends its parent's permit.
    fn enter(
        &mut self,
        admission: Admission,
        tool: Option<ToolId>,
        place: Place,
        reply: Option<Reply>,
    ) -> Result<(Granted, Option<Arc<str>>), Error> {
        let Nesting {
            parent,
            depth,
            worker,
        } = admission.nesting;
        let parent = self
            .calls
            .get_key_value(&*parent)
            .filter(|(_, call)| match (&call.place, &worker) {
                (Place::With { link, .. }, Some(worker)) => *link.worker_id == **worker,
                (place, _) => !matches!(place, Place::Queued),
            });
        if self.draining && parent.is_none() {
            return Err(failure::shutting_down());
        }
        if self.calls.contains_key(&admission.id) {
            let text = format!("call id `{}` is in use", admission.id);
            return Err(Error::new(Kind::BadRequest, text).outcome(Outcome::NeverStarted));
        }
        let granted = Granted {
            depth: parent.map_or(0, |(_, call)| call.depth + 1).max(depth),
            deadline: earlier(admission.deadline, parent.and_then(|(_, call)| call.deadline)),
        };
        let name = &admission.declaration.name;
        if granted.depth > MAX_DEPTH {
            let text = format!(
                "`{name}` would be nested {} calls deep; at most {MAX_DEPTH}",
                granted.depth
            );
            return Err(Error::new(Kind::TooDeep, text)
                .outcome(Outcome::NeverStarted)
                .hint(format!(
                    "a tool that calls itself without end? see who calls `{name}`"
                )));
        }
        let parent = parent.map(|(id, _)| Arc::clone(id));
        let now = Instant::now();
        self.arrivals += 1;
        self.host_calls += usize::from(tool.is_none());
        match self.sessions.get_mut(&admission.session) {
            Some(count) => *count += 1,
            None => drop(self.sessions.insert(admission.session.clone(), 1)),
        }
        if let Some(parent) = &parent {
            self.lend(parent);
        }
        let call = Call {
            session: admission.session,
            tool,
            declaration: admission.declaration,
            parent: parent.clone(),
            depth: granted.depth,
            seq: self.arrivals,
            deadline: granted.deadline,
            place,
            reply,
            children: 0,
            cancelled: None,
            arrived: now,
            handed: now,
        };
        self.calls.insert(admission.id, call);
        Ok((granted, parent))
    }

    /// Ends a call that a worker had and tells who waits for it.
    fn end(&mut self, id: &str, link: &Link, result: impl FnOnce(&Call) -> Ended) {
        let mine = |call: &Call| matches!(&call.place, Place::With { link: its, .. } if its.uid == link.uid);
        let Some(call) = self.calls.get(id).filter(|call| mine(call)) else {
            return;
        };
        let mut ended = result(call);
        let well = ended.as_ref().is_ok_and(|response| response.success);
        let Some(call) = self.retire(id, well) else {
            return;
        };
        if let Ok(response) = &mut ended {
            sign(response, id, link, &call);
        }
        if let Some(Reply::Result(sender)) = call.reply {
            drop(sender.send(ended));
        }
    }

    /// A worker that takes no new calls gets none: it refuses faster than others work, and would draw all of them.
    fn note(&mut self, link: &Link, code: i32) {
        let worker = self
            .workers
            .get_mut(&link.worker_id)
            .filter(|w| w.link.uid == link.uid);
        if let Some(worker) = worker.filter(|_| code == tonic::Code::Unavailable as i32) {
            worker.leaving = true;
        }
    }

    /// Takes a call out of the table: its one end. Gives back its permit, and its parent's.
    pub(super) fn retire(&mut self, id: &str, well: bool) -> Option<Call> {
        let call = self.calls.remove(id)?;
        if let Some(count) = self.sessions.get_mut(&call.session) {
            *count -= 1;
            if *count == 0 {
                self.sessions.remove(&call.session);
            }
        }
        if well {
            self.finished += 1;
        } else {
            self.failed += 1;
        }
        self.host_calls -= usize::from(call.tool.is_none());
        if let (Place::With { link, .. }, Some(tool)) = (&call.place, call.tool) {
            if call.children == 0 {
                self.give_permit(link, tool);
            }
            if let Some(worker) = self
                .workers
                .get_mut(&link.worker_id)
                .filter(|w| w.link.uid == link.uid)
            {
                worker.count(well);
            }
        }
        if let Some(parent) = &call.parent {
            self.take_back(parent);
        }
        Some(call)
    }

    /// The worker that has a call.
    pub(super) fn worker_of(&self, id: &str) -> Option<Arc<str>> {
        match &self.calls.get(id)?.place {
            Place::With { link, .. } => Some(Arc::clone(&link.worker_id)),
            _ => None,
        }
    }
}

/// Fills what the bridge knows of a result; everything else stays as the worker sent it.
fn sign(response: &mut ExecuteToolResponse, id: &str, link: &Link, call: &Call) {
    let micros = |duration: std::time::Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    id.clone_into(&mut response.call_id);
    response.worker_id = link.worker_id.to_string();
    let timing = response.timing.get_or_insert_with(CallTiming::default);
    timing.queued_us = micros(call.handed.saturating_duration_since(call.arrived));
    timing.worker_us = micros(call.handed.elapsed());
}
