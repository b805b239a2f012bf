//! Registering tools and taking them out again: who may offer what, and under which name. Replicas have to agree,
//! and nothing hides a tool that works.

use std::collections::HashSet;
use std::sync::Arc;

use super::desk::{Desk, State};
use super::registry::{Declaration, GLOBAL, ToolId};
use super::roster::order;
use crate::error::{Error, Kind};
use crate::proto::bridge::ToolRegistration;

impl Desk {
    /// Takes further tools of a worker that is attached. Gives their ids by name.
    pub(super) fn register(
        &self,
        worker_id: &str,
        session: &str,
        tools: Vec<ToolRegistration>,
        host_tools: &HashSet<String>,
    ) -> Result<Vec<(String, ToolId)>, Error> {
        let mut state = self.lock();
        let Some((id, worker)) = state.workers.get_key_value(worker_id) else {
            return Err(Error::new(
                Kind::WorkerUnknown,
                format!("no worker `{worker_id}` is attached"),
            )
            .hint("start it with `snakepit worker spawn FILE`"));
        };
        let id = Arc::clone(id);
        if worker
            .address
            .session
            .as_deref()
            .is_some_and(|own| own != session)
        {
            let text = format!("worker `{worker_id}` serves another session");
            return Err(Error::new(Kind::BadRequest, text));
        }
        // What it serves already is not new: registering the same again changes nothing.
        let served = worker.tools.iter().filter_map(|id| state.registry.get(*id));
        let served: HashSet<&str> = served.map(|tool| &*tool.declaration.name).collect();
        let new = tools.iter().filter(|tool| !served.contains(tool.name.as_str()));
        self.within_limit(worker_id, worker.tools.len() + new.count())?;
        for tool in &tools {
            // A tool that the session can call already must not be hidden by a second one of its name.
            let scope = if state.registry.in_scope(session, &tool.name).is_some() {
                session
            } else {
                GLOBAL
            };
            state.agree(scope, tool, worker_id, host_tools)?;
        }
        let mut ids = Vec::with_capacity(tools.len());
        for tool in tools {
            let name = tool.name.clone();
            let known = state
                .registry
                .in_scope(GLOBAL, &name)
                .filter(|_| session != GLOBAL);
            let serves = known.filter(|known| state.workers[&id].tools.contains(known));
            ids.push((name, serves.unwrap_or_else(|| state.serve(session, tool, &id))));
        }
        state.pump(&id);
        Ok(ids)
    }

    pub(super) fn within_limit(&self, worker: &str, tools: usize) -> Result<(), Error> {
        let limit = self.limits.tools_per_worker;
        if tools <= limit {
            return Ok(());
        }
        Err(Error::new(
            Kind::LimitExceeded,
            format!("worker `{worker}` brings {tools} tools; at most {limit}"),
        ))
    }

    /// Ends what a session has here: its calls are cancelled, its tools go. Says how many of each.
    pub(super) fn end_session(&self, session: &str) -> (usize, usize) {
        let mut state = self.lock();
        let mine = state.calls.iter().filter(|(_, call)| call.session == session);
        let calls: Vec<_> = mine.map(|(id, _)| Arc::clone(id)).collect();
        for id in &calls {
            state.stop(id, "the session ended");
        }
        let tools = if session == GLOBAL {
            Vec::new()
        } else {
            state.registry.scope(session)
        };
        for worker in state.workers.values_mut() {
            worker.tools.retain(|tool| !tools.contains(tool));
            if worker.address.session.as_deref() == Some(session) {
                worker.tell(order::stop("its session ended"));
            }
        }
        for tool in &tools {
            let replicas = state
                .registry
                .get(*tool)
                .map(|tool| tool.replicas.iter().map(|r| r.worker.clone()).collect::<Vec<_>>());
            for worker in replicas.into_iter().flatten() {
                state.registry.leave(*tool, &worker);
            }
        }
        let count = tools.len();
        state.sweep(tools);
        self.tell_if_idle(&state);
        (count, calls.len())
    }
}

impl State {
    /// Refuses a tool that another worker, or the bridge itself, offers with another declaration.
    pub(super) fn agree(
        &self,
        scope: &str,
        tool: &ToolRegistration,
        worker: &str,
        host_tools: &HashSet<String>,
    ) -> Result<(), Error> {
        let conflict = |whose: String| {
            let text = format!("`{}` is declared differently by {whose}", tool.name);
            Error::new(Kind::ToolConflict, text).hint("stop that one first, or rename one of the two")
        };
        if tool.name.is_empty() || tool.name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            let text = format!("`{}` is not a name for a tool", tool.name.escape_default());
            return Err(Error::new(Kind::BadRequest, text));
        }
        if scope == GLOBAL && host_tools.contains(&tool.name) {
            return Err(conflict("the bridge: it is a host tool".to_owned()));
        }
        let there = self
            .registry
            .in_scope(scope, &tool.name)
            .and_then(|id| self.registry.get(id));
        let Some(there) = there.filter(|there| there.declaration.registration != *tool) else {
            return Ok(());
        };
        match there.replicas.iter().find(|replica| &*replica.worker != worker) {
            Some(other) => Err(conflict(format!("worker `{}`", other.worker))),
            None => Ok(()),
        }
    }

    pub(super) fn serve(&mut self, scope: &str, tool: ToolRegistration, worker: &Arc<str>) -> ToolId {
        let id = self.registry.serve(Declaration::new(scope, tool), worker);
        if let Some(worker) = self.workers.get_mut(worker)
            && !worker.tools.contains(&id)
        {
            worker.tools.push(id);
        }
        id
    }
}
