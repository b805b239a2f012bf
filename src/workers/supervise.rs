//! Keeps N processes of one worker running and registered, until told to stop.
//!
//! There is one supervisor, used by `worker spawn` and inside `serve`; whom it registers with is behind
//! [`Registrar`]. A slot that fails never takes another one down.

use std::any::Any;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Kind, Result};
use crate::sys::machine;

use super::environment::Environment;
use super::event::Listener;
use super::slot::{First, Slot};
use super::spawn::Listen;

/// A future in a box, as the traits here return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where workers are made known: the bridge, over the network or in the same process.
pub trait Registrar: Send + Sync + 'static {
    /// Registers a worker that is ready. It returns once the bridge has shaken hands with it.
    ///
    /// The supervisor repeats a try that failed for a reason that can pass (see [`is_lasting`]).
    fn register(&self, who: Announcement) -> BoxFuture<'_, Result<Lease>>;
}

/// What the bridge is told of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The slot's id, unique among live workers.
    pub worker_id: String,
    /// Random, one for each process, never 0.
    pub incarnation: u64,
    /// Where the bridge dials it.
    pub address: String,
    /// The session it serves; `None` = every session.
    pub session_id: Option<String>,
    /// The Python process.
    pub pid: u32,
    /// The SPEC as typed.
    pub source: String,
    /// How many times its slot was started again.
    pub restarts: u32,
    /// The machine's name.
    pub host: String,
}

/// A registration that holds.
pub struct Lease {
    /// The tools that the worker brought.
    pub tools: Vec<String>,
    /// What the bridge wants; closed = the lease is lost.
    pub orders: mpsc::Receiver<Order>,
    /// Dropping it ends the registration.
    pub keep: Box<dyn Any + Send>,
}

/// What the bridge wants of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// No further call will come; `Stop` follows.
    Drain {
        /// For people.
        reason: String,
    },
    /// End the process. Its slot starts another one.
    Stop {
        /// For people.
        reason: String,
    },
}

/// What a supervisor runs.
#[derive(Debug, Clone)]
pub struct WorkerSpec {
    /// The SPEC as typed, for lists.
    pub source: String,
    /// The SPEC for Python (see [`super::target::Target::argument`]).
    pub argument: String,
    /// The start of the workers' ids (see [`super::target::Target::name`]).
    pub name: String,
    /// How many processes; at least 1.
    pub processes: u32,
    /// The interpreter.
    pub python: PathBuf,
    /// The boot file of the overlay.
    pub boot: PathBuf,
    /// Directories that go last on the workers' sys.path (SNAKEPIT_OVERLAY_PATH).
    pub overlay_path: Vec<PathBuf>,
    /// The rules for their environment.
    pub environment: Environment,
    /// Their directory; `None` = this process's.
    pub cwd: Option<PathBuf>,
    /// Calls that one process may run at once; 0 = the package's default.
    pub max_concurrent: u32,
    /// The session they serve; `None` = every session.
    pub session: Option<String>,
    /// Where they listen.
    pub listen: Listen,
    /// The host name or address under which the bridge reaches them, when it is not the one they listen on.
    pub advertise: Option<String>,
    /// The bridge's address, for SNAKEPIT_ADDRESS.
    pub bridge: String,
    /// How long each may take to be ready.
    pub ready_timeout: Duration,
    /// How long each may take to end after TERM.
    pub stop_grace: Duration,
    /// The snakepit binary for the reaper; `/proc/self/exe` in the binary itself.
    pub reaper: PathBuf,
    /// Keeps trying although no process has ever come up.
    pub persistent: bool,
}

/// N slots of one worker. Dropping it kills what it runs, without waiting.
pub struct Supervisor {
    slots: JoinSet<()>,
    stop: CancellationToken,
    kill: CancellationToken,
    firsts: mpsc::Receiver<First>,
    processes: u32,
    persistent: bool,
}

/// True when trying again cannot help: somebody has to change something first.
pub fn is_lasting(error: &Error) -> bool {
    !matches!(
        error.kind(),
        Kind::NoBridge
            | Kind::ConnectionLost
            | Kind::ShuttingDown
            | Kind::DeadlineExceeded
            | Kind::TimedOut
            | Kind::WorkerUnreachable
            | Kind::WorkerDied
            | Kind::LimitExceeded
            | Kind::Internal
            | Kind::Io
    )
}

impl Supervisor {
    /// Starts every slot and returns at once; must be called on a tokio runtime. Events go to `listener`.
    pub fn start(spec: WorkerSpec, registrar: Arc<dyn Registrar>, listener: Listener) -> Result<Self> {
        let processes = spec.processes.max(1);
        let token = machine::random().map_err(|cause| Error::io("cannot read random bytes", &cause))?;
        let stop = CancellationToken::new();
        let kill = CancellationToken::new();
        // One message a slot: it never waits.
        let (first, firsts) = mpsc::channel(processes as usize);
        let (up, _) = watch::channel(false);
        let spec = Arc::new(spec);
        let mut slots = JoinSet::new();
        for index in 0..processes {
            let slot = Slot {
                spec: spec.clone(),
                index,
                worker_id: format!("{}-{:04x}-{}", spec.name, token & 0xffff, index + 1),
                registrar: registrar.clone(),
                listener: listener.clone(),
                stop: stop.clone(),
                kill: kill.clone(),
                first: Some(first.clone()),
                up: up.clone(),
            };
            slots.spawn(slot.run());
        }
        Ok(Self {
            slots,
            stop,
            kill,
            firsts,
            processes,
            persistent: spec.persistent,
        })
    }

    /// Waits until the first process is registered. Fails with the first slot's error when every slot has failed its
    /// first start and the spec is not persistent; they try no more then.
    pub async fn started(&mut self) -> Result<()> {
        let mut failure = None;
        let mut failed = 0;
        while let Some(first) = self.firsts.recv().await {
            match first {
                First::Up => return Ok(()),
                First::Failed(error) => {
                    failed += 1;
                    let error = failure.get_or_insert(error);
                    if failed == self.processes && !self.persistent {
                        return Err(error.clone());
                    }
                }
            }
        }
        match failure {
            Some(error) => Err(error),
            None => Err(Error::new(
                Kind::Interrupted,
                "the workers were stopped before one was up",
            )),
        }
    }

    /// What ends the wait of [`Self::shutdown`] when cancelled: everything is killed at once.
    pub fn killer(&self) -> CancellationToken {
        self.kill.clone()
    }

    /// Ends every worker: TERM, the grace, KILL. Nothing that they started is alive when it returns.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        while self.slots.join_next().await.is_some() {}
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // The slots' tasks are aborted with the set; each worker's reaper then sees its lifeline close.
        self.kill.cancel();
        self.stop.cancel();
    }
}
