//! Which tools there are, in which scope, and which workers serve each. Pure data: who may call what, nothing of
//! how. Session scope shadows the global one.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::call::Ticket;
use super::signature::Signature;
use crate::proto::bridge::{ToolRegistration, ToolSpec};

/// Names one registered tool for as long as it has a worker; never used again.
pub(super) type ToolId = u64;

/// The scope of tools that every session can call.
pub(super) const GLOBAL: &str = "";

/// What a tool is, prepared once at its registration.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) name: Arc<str>,
    pub(super) scope: Arc<str>,
    /// As its worker registered it: replicas have to agree on all of it.
    pub(super) registration: ToolRegistration,
    pub(super) signature: Signature,
}

impl Declaration {
    pub(super) fn new(scope: &str, registration: ToolRegistration) -> Self {
        let ToolRegistration {
            name,
            parameters,
            accepts_extra,
            input_schema,
            ..
        } = &registration;
        Self {
            name: name.as_str().into(),
            scope: scope.into(),
            signature: Signature::new(name, parameters, *accepts_extra, input_schema),
            registration,
        }
    }

    /// The contract's form.
    pub(super) fn spec(&self, kind: &str, worker_ids: Vec<String>) -> ToolSpec {
        let tool = self.registration.clone();
        ToolSpec {
            name: tool.name,
            description: tool.description,
            parameters: tool.parameters,
            metadata: tool.metadata,
            supports_streaming: tool.supports_streaming,
            required_variables: tool.required_variables,
            input_schema: tool.input_schema,
            output_schema: tool.output_schema,
            idempotent: tool.idempotent,
            timeout_ms: tool.timeout_ms,
            idle_timeout_ms: tool.idle_timeout_ms,
            concurrency: tool.concurrency,
            accepts_extra: tool.accepts_extra,
            kind: kind.to_owned(),
            scope: self.scope.to_string(),
            worker_ids,
        }
    }
}

/// One worker that serves a tool.
pub(super) struct Replica {
    pub(super) worker: Arc<str>,
    /// Calls of this tool that hold a permit of that worker.
    pub(super) running: usize,
}

/// A registered tool with its workers and the calls that wait for one.
pub(super) struct Tool {
    pub(super) declaration: Arc<Declaration>,
    pub(super) replicas: Vec<Replica>,
    /// Deeper calls first, so that a nested call never waits behind calls that wait for its parent; else the
    /// order of arrival.
    pub(super) queue: VecDeque<Ticket>,
}

impl Tool {
    pub(super) fn replica(&mut self, worker: &str) -> Option<&mut Replica> {
        self.replicas
            .iter_mut()
            .find(|replica| &*replica.worker == worker)
    }

    /// Calls at once that the tool allows in one worker.
    pub(super) fn concurrency(&self) -> usize {
        match self.declaration.registration.concurrency {
            0 => usize::MAX,
            some => some as usize,
        }
    }

    pub(super) fn enqueue(&mut self, ticket: Ticket) {
        let key = ticket.turn();
        let place = self.queue.partition_point(|other| other.turn() < key);
        self.queue.insert(place, ticket);
    }

    pub(super) fn spec(&self) -> ToolSpec {
        let mut workers: Vec<_> = self
            .replicas
            .iter()
            .map(|replica| replica.worker.to_string())
            .collect();
        workers.sort_unstable();
        self.declaration.spec("worker", workers)
    }
}

/// Every tool that a worker serves.
#[derive(Default)]
pub(super) struct Registry {
    tools: HashMap<ToolId, Tool>,
    names: HashMap<Arc<str>, BTreeMap<Arc<str>, ToolId>>,
    last: ToolId,
}

impl Registry {
    /// The tool that a session means by a name.
    pub(super) fn lookup(&self, session: &str, name: &str) -> Option<(ToolId, &Tool)> {
        let id = self
            .in_scope(session, name)
            .or_else(|| self.in_scope(GLOBAL, name))?;
        self.tools.get(&id).map(|tool| (id, tool))
    }

    pub(super) fn in_scope(&self, scope: &str, name: &str) -> Option<ToolId> {
        self.names.get(scope)?.get(name).copied()
    }

    pub(super) fn get(&self, id: ToolId) -> Option<&Tool> {
        self.tools.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ToolId) -> Option<&mut Tool> {
        self.tools.get_mut(&id)
    }

    /// Adds a worker to a tool, and the tool if it is new. A tool that nobody else serves takes the new
    /// declaration.
    pub(super) fn serve(&mut self, declaration: Declaration, worker: &Arc<str>) -> ToolId {
        let (scope, name) = (Arc::clone(&declaration.scope), Arc::clone(&declaration.name));
        let names = self.names.entry(scope).or_default();
        let id = *names.entry(name).or_insert_with(|| {
            self.last += 1;
            self.last
        });
        let declaration = Arc::new(declaration);
        let tool = self.tools.entry(id).or_insert_with(|| Tool {
            declaration: Arc::clone(&declaration),
            replicas: Vec::new(),
            queue: VecDeque::new(),
        });
        if tool.replicas.iter().all(|replica| replica.worker == *worker) {
            tool.declaration = declaration;
        }
        if tool.replica(worker).is_none() {
            tool.replicas.push(Replica {
                worker: Arc::clone(worker),
                running: 0,
            });
        }
        id
    }

    /// Takes a worker off a tool.
    pub(super) fn leave(&mut self, id: ToolId, worker: &str) {
        if let Some(tool) = self.tools.get_mut(&id) {
            tool.replicas.retain(|replica| &*replica.worker != worker);
        }
    }

    /// Removes a tool that nobody serves, and gives it back with the calls that wait for it.
    pub(super) fn sweep(&mut self, id: ToolId) -> Option<Tool> {
        if !self.tools.get(&id)?.replicas.is_empty() {
            return None;
        }
        let tool = self.tools.remove(&id)?;
        if let Some(names) = self.names.get_mut(&tool.declaration.scope) {
            names.remove(&tool.declaration.name);
            if names.is_empty() {
                self.names.remove(&tool.declaration.scope);
            }
        }
        Some(tool)
    }

    /// The ids of one scope's tools.
    pub(super) fn scope(&self, scope: &str) -> Vec<ToolId> {
        self.names
            .get(scope)
            .map(|names| names.values().copied().collect())
            .unwrap_or_default()
    }

    /// What a session can call, or every scope; sorted by name, then scope.
    pub(super) fn list(&self, session: Option<&str>) -> Vec<ToolSpec> {
        let mut seen = BTreeMap::new();
        let mut add = |scope: &str, shadowed: bool| {
            for (name, id) in self.names.get(scope).into_iter().flatten() {
                let key = if shadowed { String::new() } else { scope.to_owned() };
                if let Some(tool) = self.tools.get(id) {
                    seen.entry((name.to_string(), key)).or_insert_with(|| tool.spec());
                }
            }
        };
        match session {
            Some(session) => [session, GLOBAL].into_iter().for_each(|scope| add(scope, true)),
            None => self.names.keys().for_each(|scope| add(scope, false)),
        }
        seen.into_values().collect()
    }

    /// The names that a session can call, to find what somebody meant.
    pub(super) fn names(&self, session: &str) -> impl Iterator<Item = &str> {
        let own = self.names.get(session).into_iter().flatten();
        let global = self.names.get(GLOBAL).into_iter().flatten();
        own.chain(global).map(|(name, _)| &**name)
    }

    pub(super) fn len(&self) -> usize {
        self.tools.len()
    }
}
