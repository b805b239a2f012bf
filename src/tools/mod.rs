//! Registry, dispatch, calls, host tools: a call comes in, a worker or the bridge itself runs it, it ends once.
//!
//! [`Tools`] is the whole room for those above. Inside: `registry` says which tools there are, `desk` and `turn` who
//! runs a call and when, `link`, `outbox` and `lane` carry it to a worker and back, `chunks` relays a stream, `host`
//! runs what the bridge itself offers. This room never touches a session's state and never re-encodes a
//! parameter or a result.

mod address;
mod attached;
mod call;
mod call_id;
mod chunks;
mod desk;
mod failure;
pub mod host;
mod lane;
mod lease;
mod limits;
mod link;
mod nearest;
mod outbox;
mod registration;
mod registry;
mod roster;
mod signature;
mod stop;
mod through;
mod turn;

pub use address::WorkerAddress;
pub use attached::Attached;
pub use call::Origin;
pub use chunks::ChunkStream;
pub use desk::Counters;
pub use host::{HostContext, HostTools};
pub use limits::Limits;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::runtime::Handle;

use crate::error::{Error, Kind, Outcome};
use crate::proto::admin::WorkerSummary;
use crate::proto::bridge::{CancelCallResponse, RegisterToolsRequest, RegisterToolsResponse, ToolSpec};
use desk::Desk;
use registry::{Declaration, GLOBAL, ToolId};

/// The tools of one bridge. Clones are the same tools.
#[derive(Clone)]
pub struct Tools {
    desk: Arc<Desk>,
    host: Arc<HostTools>,
    host_names: Arc<HashSet<String>>,
    /// Where calls come from; empty = whatever runtime attaches a worker.
    runtimes: Arc<RwLock<Vec<Handle>>>,
}

/// Who runs a tool.
enum Target<'a> {
    Worker(ToolId, Arc<Declaration>),
    Host(&'a host::HostTool),
}

impl Tools {
    /// Tools of a bridge that has no worker yet.
    pub fn new(host: HostTools, limits: Limits) -> Self {
        let host_names = Arc::new(host.names().map(str::to_owned).collect());
        Self {
            desk: Desk::new(limits),
            host: Arc::new(host),
            host_names,
            runtimes: Arc::default(),
        }
    }

    /// Names the runtimes that calls will come from: each gets a connection of its own to every worker that is attached
    /// from now on. They have to outlive the workers.
    pub fn called_from(&self, runtimes: Vec<Handle>) {
        *self.runtimes.write() = runtimes;
    }

    fn callers(&self) -> Vec<Handle> {
        let runtimes = self.runtimes.read();
        if runtimes.is_empty() {
            return vec![Handle::current()];
        }
        runtimes.clone()
    }

    /// Dials a worker, shakes hands through the real channel and makes its tools callable. Dropping what comes
    /// back takes the worker and its tools out again.
    ///
    /// Fails with `WorkerUnreachable`, `BadAddress`, `ToolConflict` (another worker declares one of the tools
    /// differently), `LimitExceeded` (too many tools) or `ShuttingDown`.
    pub async fn attach(&self, worker: WorkerAddress) -> Result<Attached, Error> {
        if worker.worker_id.is_empty() {
            return Err(Error::new(Kind::BadRequest, "a worker needs an id"));
        }
        let (link, hello) = link::Link::dial(&worker, &self.callers()).await?;
        let enrolled = self.desk.enrol(worker, link, hello, &self.host_names)?;
        lane::start(&self.desk, &enrolled.link);
        Ok(Attached::new(&self.desk, enrolled))
    }

    /// Takes further tools of a worker that is attached: the one in the request, or the one that the request came
    /// from. Registering the same again changes nothing.
    ///
    /// Fails with `WorkerUnknown` for anybody else, and as [`Tools::attach`] does for the tools.
    pub fn register(
        &self,
        request: RegisterToolsRequest,
        origin: &Origin,
    ) -> Result<RegisterToolsResponse, Error> {
        let known = |id: &&str| self.desk.knows(id);
        let named = Some(request.worker_id.as_str()).filter(known);
        let worker = named
            .or(origin.worker_id.as_deref().filter(known))
            .unwrap_or(&request.worker_id);
        let ids = self
            .desk
            .register(worker, &request.session_id, request.tools, &self.host_names)?;
        Ok(RegisterToolsResponse {
            success: true,
            tool_ids: ids
                .into_iter()
                .map(|(name, id)| (name, format!("tool_{id}")))
                .collect(),
            error_message: String::new(),
        })
    }

    /// The tools that a session can call, or those of every scope, sorted by name. Session scope shadows the
    /// global one. Host tools are among them.
    pub fn list(&self, session: Option<&str>) -> Vec<ToolSpec> {
        let mut tools = self.desk.lock().registry.list(session);
        // A session's own tool hides a host tool of its name, as it hides a global one.
        let shadowed = |host: &ToolSpec| session.is_some() && tools.iter().any(|tool| tool.name == host.name);
        let host: Vec<_> = self
            .host_specs()
            .into_iter()
            .filter(|host| !shadowed(host))
            .collect();
        tools.extend(host);
        tools.sort_by(|a, b| (&a.name, &a.scope).cmp(&(&b.name, &b.scope)));
        tools
    }

    /// The tool that a session means by a name. Fails with `ToolNotFound`.
    pub fn describe(&self, session: &str, name: &str) -> Result<ToolSpec, Error> {
        if let Some((_, tool)) = self.desk.lock().registry.lookup(session, name) {
            return Ok(tool.spec());
        }
        let host = self.host.get(name).ok_or_else(|| self.not_found(session, name))?;
        Ok(host.spec())
    }

    /// The host tools, sorted by name.
    pub fn host_specs(&self) -> Vec<ToolSpec> {
        self.host.iter().map(host::HostTool::spec).collect()
    }

    /// Asks a call to stop. Its caller is told by the call's own end. Repeating it changes nothing.
    pub fn cancel(&self, call_id: &str, reason: &str) -> CancelCallResponse {
        self.desk.cancel(call_id, reason)
    }

    /// The attached workers, sorted by id.
    pub fn workers(&self) -> Vec<WorkerSummary> {
        self.desk.workers()
    }

    /// Calls of a session that wait or run.
    pub fn session_calls(&self, session: &str) -> usize {
        self.desk.lock().sessions.get(session).copied().unwrap_or(0)
    }

    /// Tools that belong to a session alone.
    pub fn session_tools(&self, session: &str) -> usize {
        if session == GLOBAL {
            0
        } else {
            self.desk.lock().registry.scope(session).len()
        }
    }

    /// Cancels a session's calls and removes its tools. Says how many tools and calls there were.
    pub fn end_session(&self, session: &str) -> (usize, usize) {
        self.desk.end_session(session)
    }

    /// What there is and was.
    pub fn counters(&self) -> Counters {
        self.desk.counters()
    }

    /// Takes no new calls (nested ones of running calls excepted), waits for those that are here, and cancels what
    /// is left after the grace. Returns when nothing runs, or a second after the cancels.
    pub async fn drain(&self, grace: Duration) {
        self.desk.drain(grace).await;
    }

    fn target(&self, session: &str, name: &str) -> Result<Target<'_>, Error> {
        if let Some((id, tool)) = self.desk.lock().registry.lookup(session, name) {
            return Ok(Target::Worker(id, Arc::clone(&tool.declaration)));
        }
        self.host
            .get(name)
            .map(Target::Host)
            .ok_or_else(|| self.not_found(session, name))
    }

    fn not_found(&self, session: &str, name: &str) -> Error {
        let state = self.desk.lock();
        let known = || state.registry.names(session).chain(self.host.names());
        let error = Error::new(Kind::ToolNotFound, format!("tool not found: `{name}`"))
            .outcome(Outcome::NeverStarted);
        match nearest::nearest(name, known()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if state.workers.is_empty() => {
                error.hint("no worker is up: start one with `snakepit worker spawn FILE`")
            }
            None => error.hint("see `snakepit tool list`"),
        }
    }
}
