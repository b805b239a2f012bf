//! One worker process, from its command line to its end.
//!
//! It starts under a reaper, says over a pipe that it is ready, and is never lost sight of: when the reaper itself
//! dies, what it guarded is found by its process group and by a mark in its environment, and killed.

use std::ffi::OsString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::{Error, Kind, Result};
use crate::sys::signal::{self, Signal};
use crate::sys::tree::{self, Ended};
use crate::sys::{descriptor, directory, launch, machine};

use super::environment::Variables;
use super::output::{self, Sink, Stream, Tail};
use super::reaper;

/// How long a worker may take to say that it is ready, unless the user says otherwise: imports can be slow.
pub const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a worker may take to end after TERM, unless the user says otherwise.
pub const STOP_GRACE: Duration = Duration::from_secs(5);
/// Largest ready line, in bytes: a traceback fits.
const MAX_READY: u64 = 1024 * 1024;
/// How long a reaper may take to kill a tree before it is killed itself.
const KILL_GRACE: Duration = Duration::from_secs(2);
/// How long the drains may take after the process is gone.
const DRAIN_GRACE: Duration = Duration::from_millis(500);
/// How many lines of output an error shows.
const SHOWN_LINES: usize = 20;
/// The variable that marks every process of a worker: `SNAKEPIT_INCARNATION=` and 16 hexadecimal digits.
pub const MARK: &str = "SNAKEPIT_INCARNATION";

/// Where a worker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// On a socket of its own in this directory.
    Unix(PathBuf),
    /// On any free port of this host name or address.
    Tcp(String),
}

/// Everything that decides how one worker process starts.
#[derive(Debug, Clone)]
pub struct Start {
    /// The Python interpreter.
    pub python: PathBuf,
    /// The boot file that it runs.
    pub boot: PathBuf,
    /// The SPEC for the boot file.
    pub target: String,
    /// The worker's id.
    pub worker_id: String,
    /// One for each process, also its mark.
    pub incarnation: u64,
    /// Calls that it may run at once; 0 = the package's default.
    pub max_concurrent: u32,
    /// Where it listens.
    pub listen: Listen,
    /// The session it serves; `None` = every session.
    pub session: Option<String>,
    /// The bridge's address, for SNAKEPIT_ADDRESS.
    pub bridge: String,
    /// Its environment, without what is added here.
    pub variables: Variables,
    /// Its working directory; `None` = this process's.
    pub cwd: Option<PathBuf>,
    /// The snakepit binary, which becomes the reaper.
    pub reaper: PathBuf,
    /// How long until it must be ready.
    pub ready_timeout: Duration,
}

/// How a worker's process came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// `None` = it is gone and nobody saw how.
    pub ended: Option<Ended>,
    /// The program never started, and why.
    pub not_started: Option<String>,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.not_started, self.ended) {
            (Some(why), _) => write!(out, "it could not be started: {why}"),
            (None, Some(ended)) => ended.fmt(out),
            (None, None) => out.write_str("killed with its reaper"),
        }
    }
}

/// A worker that is ready. Dropping it ends its process tree within a second.
#[derive(Debug)]
pub struct Worker {
    /// The Python process.
    pub pid: u32,
    /// Where it serves: `unix:PATH` or `HOST:PORT`.
    pub address: String,
    process: Process,
}

/// The handles of a started tree.
#[derive(Debug)]
struct Process {
    /// `None` once it is being collected: its number may be another's then.
    reaper: Arc<Mutex<Option<Child>>>,
    exit: watch::Receiver<Option<Exit>>,
    tail: Tail,
    /// Closing it tells the reaper that this process is gone.
    _lifeline: OwnedFd,
    drains: Vec<JoinHandle<()>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Ready {
        address: String,
        pid: u32,
    },
    Error {
        kind: String,
        message: String,
        #[serde(default)]
        traceback: String,
    },
}

/// Starts a worker and waits until it is ready. Lines that it prints go to `sink` from the first on.
///
/// Fails with `WorkerImport`, `NoTools`, `WorkerUnreachable` or `WorkerExited` as the worker said, or did not; its
/// process tree is gone then.
pub async fn spawn(start: &Start, sink: Sink) -> Result<Worker> {
    let socket = match &start.listen {
        Listen::Unix(dir) => Some(socket_path(dir)?),
        Listen::Tcp(_) => None,
    };
    let (mut process, ready) = launch_tree(start, socket.as_deref(), sink)?;
    let said = tokio::select! {
        said = tokio::time::timeout(start.ready_timeout, read_ready(ready)) => said,
        () = process.ended_before_ready() => Ok(Ok(None)),
    };
    match said {
        Ok(Ok(Some(Said::Ready { address, pid }))) => Ok(Worker {
            pid,
            address,
            process,
        }),
        Ok(Ok(Some(Said::Error {
            kind,
            message,
            traceback,
        }))) => {
            // It exits by itself after this line; what does not is killed.
            process.end_within(DRAIN_GRACE).await;
            Err(said_error(start, &kind, &message, &traceback))
        }
        Ok(Ok(None)) => {
            let exit = process.end_within(DRAIN_GRACE).await;
            Err(process.explain(&format!(
                "worker `{}` ended before it was ready ({exit})",
                start.target
            )))
        }
        Ok(Err(why)) => {
            process.end_within(Duration::ZERO).await;
            Err(process.explain(&format!(
                "worker `{}` said something that is no ready line: {why}",
                start.target
            )))
        }
        Err(_) => {
            process.end_within(Duration::ZERO).await;
            let limit = start.ready_timeout.as_secs_f64();
            let what = format!("worker `{}` was not ready after {limit} s", start.target);
            Err(process.explain(&what).hint("give it more with `--ready-timeout`"))
        }
    }
}

fn socket_path(dir: &Path) -> Result<PathBuf> {
    let random = machine::random().map_err(|cause| Error::io("cannot read random bytes", &cause))?;
    let path = dir.join(format!("w-{random:016x}.sock"));
    let length = path.as_os_str().len();
    if length > directory::MAX_SOCKET_PATH {
        return Err(Error::new(
            Kind::BadAddress,
            format!(
                "the worker's socket path has {length} bytes, more than {}: {}",
                directory::MAX_SOCKET_PATH,
                path.display()
            ),
        )
        .hint("set XDG_RUNTIME_DIR to a shorter directory"));
    }
    Ok(path)
}

fn launch_tree(start: &Start, socket: Option<&Path>, sink: Sink) -> Result<(Process, Receiver)> {
    let os = |cause: std::io::Error| Error::io("cannot make the pipes of a worker", &cause);
    let lifeline = descriptor::pipe().map_err(os)?;
    let status = descriptor::pipe().map_err(os)?;
    let worker_lifeline = descriptor::pipe().map_err(os)?;
    let ready = descriptor::pipe().map_err(os)?;

    let inherited = [worker_lifeline.read.as_raw_fd(), ready.write.as_raw_fd()];
    let mut command = Command::new(&start.reaper);
    command.arg(reaper::VERB).args(reaper::arguments(
        &lifeline.read,
        &status.write,
        &worker_lifeline.write,
        &inherited,
        socket,
    ));
    command.args(worker_arguments(
        start,
        socket,
        &ready.write,
        &worker_lifeline.read,
    ));
    command.env_clear().envs(&start.variables);
    command
        .env("SNAKEPIT_ADDRESS", &start.bridge)
        .env("SNAKEPIT_WORKER_ID", &start.worker_id);
    command.env(MARK, format!("{:016x}", start.incarnation));
    if let Some(cwd) = &start.cwd {
        command.current_dir(cwd);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let keep = [
        &lifeline.read,
        &status.write,
        &worker_lifeline.write,
        &worker_lifeline.read,
        &ready.write,
    ];
    let launch = launch::Launch {
        pass: keep.iter().map(|fd| fd.as_raw_fd()).collect(),
        own_session: true,
        // The reaper asks for the signal by itself, once it can handle it.
        on_parent_death: None,
    };
    let mut child = launch::spawn(command, launch).map_err(|cause| {
        let at = start
            .cwd
            .as_ref()
            .map(|dir| format!(" in `{}`", dir.display()))
            .unwrap_or_default();
        Error::io(format!("cannot start a process{at}"), &cause)
    })?;

    let tail = Tail::default();
    let mut drains = Vec::new();
    if let Some(pipe) = child.stdout.take() {
        let pipe = Receiver::from_owned_fd(pipe.into()).map_err(os)?;
        drains.push(tokio::spawn(output::drain(
            pipe,
            Stream::Stdout,
            tail.clone(),
            sink.clone(),
        )));
    }
    if let Some(pipe) = child.stderr.take() {
        let pipe = Receiver::from_owned_fd(pipe.into()).map_err(os)?;
        drains.push(tokio::spawn(output::drain(
            pipe,
            Stream::Stderr,
            tail.clone(),
            sink,
        )));
    }
    let status = Receiver::from_owned_fd(status.read).map_err(os)?;
    let ready = Receiver::from_owned_fd(ready.read).map_err(os)?;
    let reaper = Arc::new(Mutex::new(Some(child)));
    let (told, exit) = watch::channel(None);
    let mark = format!("{MARK}={:016x}", start.incarnation);
    tokio::spawn(guard(
        status,
        reaper.clone(),
        mark,
        socket.map(Path::to_owned),
        told,
    ));
    Ok((
        Process {
            reaper,
            exit,
            tail,
            _lifeline: lifeline.write,
            drains,
        },
        ready,
    ))
}

fn worker_arguments(
    start: &Start,
    socket: Option<&Path>,
    ready: &OwnedFd,
    lifeline: &OwnedFd,
) -> Vec<OsString> {
    let listen = match (socket, &start.listen) {
        (Some(path), _) => {
            let mut listen = OsString::from("unix:");
            listen.push(path);
            listen
        }
        (None, Listen::Tcp(host)) => format!("tcp:{host}:0").into(),
        // A socket path was made for every unix listener.
        (None, Listen::Unix(dir)) => dir.into(),
    };
    let mut words: Vec<OsString> = vec![
        start.python.clone().into(),
        "-u".into(),
        start.boot.clone().into(),
    ];
    words.extend([
        start.target.clone().into(),
        "--worker-id".into(),
        start.worker_id.clone().into(),
    ]);
    if start.max_concurrent > 0 {
        words.extend(["--max-concurrent".into(), start.max_concurrent.to_string().into()]);
    }
    words.extend(["--listen".into(), listen]);
    words.extend(["--ready-fd".into(), descriptor::number(ready).into()]);
    words.extend(["--lifeline-fd".into(), descriptor::number(lifeline).into()]);
    if let Some(session) = &start.session {
        words.extend(["--session".into(), session.into()]);
    }
    words
}

/// Reads the one ready line. `None` = end of file without one.
async fn read_ready(pipe: Receiver) -> Result<Option<Said>, String> {
    let mut line = Vec::new();
    let mut limited = BufReader::new(pipe.take(MAX_READY));
    limited
        .read_until(b'\n', &mut line)
        .await
        .map_err(|cause| cause.to_string())?;
    if line.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&line)
        .map(Some)
        .map_err(|cause| cause.to_string())
}

fn said_error(start: &Start, kind: &str, message: &str, traceback: &str) -> Error {
    let kind = match kind {
        "import" | "spec" => Kind::WorkerImport,
        "no_tools" => Kind::NoTools,
        "listen" => Kind::WorkerUnreachable,
        _ => Kind::WorkerExited,
    };
    let error = match message.strip_prefix(&start.target) {
        Some(rest) => Error::new(kind, format!("`{}`{rest}", start.target)),
        None => Error::new(kind, format!("`{}`: {message}", start.target)),
    };
    let error = traceback.lines().fold(error, |error, line| error.detail(line));
    match kind {
        Kind::WorkerImport => error.hint(format!(
            "the interpreter is `{}`; name another with `--python PATH`",
            start.python.display()
        )),
        Kind::NoTools => error.hint("tools of a class are named `FILE:CLASS` or `MODULE:CLASS`"),
        _ => error,
    }
}

/// Follows one reaper to its end, and does its work when it could not.
async fn guard(
    status: Receiver,
    reaper: Arc<Mutex<Option<Child>>>,
    mark: String,
    socket: Option<PathBuf>,
    told: watch::Sender<Option<Exit>>,
) {
    let mut exit = Exit {
        ended: None,
        not_started: None,
    };
    let mut worker = None;
    let mut lines = BufReader::new(status).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match line.split_once(':') {
            Some(("pid", text)) => worker = text.parse::<u32>().ok(),
            Some(("exit", text)) => exit.ended = text.parse().ok().map(Ended::Exit),
            Some(("signal", text)) => exit.ended = text.parse().ok().map(Ended::Signal),
            Some(("error", text)) => exit.not_started = Some(text.to_owned()),
            _ => {}
        }
    }
    // End of file: the reaper is gone. Its number is free for others once it is collected.
    let child = reaper.lock().take();
    let ended = tokio::task::spawn_blocking(move || {
        use std::os::unix::process::ExitStatusExt;
        let killed = child
            .and_then(|mut child| child.wait().ok())
            .is_none_or(|status| status.signal().is_some());
        if killed {
            end_marked(worker, &mark);
            if let Some(path) = socket {
                let _ = std::fs::remove_file(path);
            }
        }
    });
    let _ = ended.await;
    let _ = told.send(Some(exit));
}

/// Kills what a dead reaper left behind.
fn end_marked(worker: Option<u32>, mark: &str) {
    let deadline = Instant::now() + KILL_GRACE;
    loop {
        let left = tree::marked(mark);
        // The group is the worker's for as long as one of its processes is there.
        if let Some(worker) = worker.filter(|_| !left.is_empty()) {
            signal::send_group(worker, Signal::SIGKILL);
        }
        for pid in &left {
            signal::send(*pid, Signal::SIGKILL);
        }
        if left.is_empty() || Instant::now() >= deadline {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Process {
    fn send(&self, signal: Signal) {
        if let Some(reaper) = &*self.reaper.lock() {
            signal::send(reaper.id(), signal);
        }
    }

    async fn wait(&mut self) -> Exit {
        match self.exit.wait_for(Option::is_some).await {
            Ok(exit) => exit.clone().unwrap_or(Exit {
                ended: None,
                not_started: None,
            }),
            // The guard always tells; it is gone only together with the runtime.
            Err(_) => Exit {
                ended: None,
                not_started: None,
            },
        }
    }

    /// Resolves when the tree has ended and the last words on the ready pipe have had time to be read.
    async fn ended_before_ready(&mut self) {
        self.wait().await;
        tokio::time::sleep(DRAIN_GRACE).await;
    }

    /// Waits for the end, forces it after `grace`, and lets the drains finish.
    async fn end_within(&mut self, grace: Duration) -> Exit {
        let exit = match tokio::time::timeout(grace, self.wait()).await {
            Ok(exit) => exit,
            Err(_) => {
                self.send(Signal::SIGUSR1);
                match tokio::time::timeout(KILL_GRACE, self.wait()).await {
                    Ok(exit) => exit,
                    Err(_) => {
                        self.send(Signal::SIGKILL);
                        self.wait().await
                    }
                }
            }
        };
        for drain in self.drains.drain(..) {
            let abort = drain.abort_handle();
            if tokio::time::timeout(DRAIN_GRACE, drain).await.is_err() {
                abort.abort();
            }
        }
        exit
    }

    fn explain(&self, what: &str) -> Error {
        let tail = self.tail.last(SHOWN_LINES);
        let error = Error::new(Kind::WorkerExited, what);
        if tail.is_empty() {
            return error.detail("it printed nothing");
        }
        tail.into_iter().fold(error, Error::detail)
    }
}

impl Worker {
    /// Waits until the process and everything that it started is gone.
    pub async fn wait(&mut self) -> Exit {
        self.process.wait().await
    }

    /// The last lines that it printed, oldest first.
    pub fn tail(&self) -> Vec<String> {
        self.process.tail.last(SHOWN_LINES)
    }

    /// Asks it to end (TERM to its group), and ends it by force after `grace` or as soon as `now` resolves.
    /// Everything that it started is gone when this returns.
    pub async fn stop(&mut self, grace: Duration, now: impl Future<Output = ()>) -> Exit {
        self.process.send(Signal::SIGUSR2);
        tokio::select! {
            _ = tokio::time::timeout(grace, self.process.wait()) => {}
            () = now => {}
        }
        self.process.end_within(Duration::ZERO).await
    }

    /// Lets the drains finish after the process ended, so that the tail is whole.
    pub async fn settle(&mut self) {
        self.process.end_within(Duration::ZERO).await;
    }
}
