//! A world for black-box tests: a home of its own, a real bridge on a socket of its own, and the real binary.
//!
//! Nothing of the user's environment reaches the programs that are run here.
#![allow(dead_code)] // Each test binary uses its part.

pub mod proc;
pub mod process;

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use process::Process;

/// The longest wait for what has no promise, on a slow machine that installs packages first.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What the product promises: this long after a death nothing is left of what the dead one started.
pub const PROMISE: Duration = Duration::from_secs(2);

/// How long something that is promised within [`PROMISE`] may take on a machine that builds meanwhile: starting Python
/// again is a matter of speed, and speed gates no test. The figure is printed, and `shows/` holds it.
pub const LOADED: Duration = Duration::from_secs(20);

/// The pause between two looks of a poll.
const LOOK: Duration = Duration::from_millis(5);

/// The environment variable that every program of a world carries, and all that it starts.
const MARK: &str = "SNAKEPIT_TEST_WORLD";

/// How long a bridge may take to say that it serves.
const READY_LIMIT: Duration = Duration::from_secs(30);

/// Environment variables that programs under test are given.
const KEPT: &[&str] = &[
    "PATH",
    "LD_LIBRARY_PATH",
    "LLVM_PROFILE_FILE",
    // Where this machine gets packages from, for the run that provisions.
    "PIP_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_CERT",
    "HTTPS_PROXY",
    "https_proxy",
];

/// The binary under test.
pub const SNAKEPIT: &str = env!("CARGO_BIN_EXE_snakepit");

/// A home directory with a runtime directory, gone when dropped.
pub struct World {
    home: tempfile::TempDir,
}

/// What a run printed and how it ended.
#[derive(Debug)]
pub struct Run {
    /// Stdout.
    pub out: String,
    /// Stderr.
    pub err: String,
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
}

impl World {
    /// An empty home.
    pub fn new() -> Self {
        // Short, because a socket's path is.
        let home = tempfile::Builder::new()
            .prefix("sp")
            .tempdir_in("/tmp")
            .expect("a home");
        for folder in ["run", "work"] {
            std::fs::create_dir(home.path().join(folder)).expect("a folder of the home");
        }
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(home.path().join("run"), mode).expect("a private runtime directory");
        Self { home }
    }

    /// The directory that programs run in.
    pub fn work(&self) -> std::path::PathBuf {
        self.home.path().join("work")
    }

    /// Writes a file in the directory that programs run in.
    pub fn file(&self, name: &str, text: &str) {
        std::fs::write(self.work().join(name), text).expect("a file of the test");
    }

    /// A command of the binary in this world.
    pub fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(SNAKEPIT);
        let home = self.home.path();
        command
            .args(arguments)
            .env_clear()
            .envs(
                KEPT.iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", home.join("run"))
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_CACHE_HOME", cache())
            .env(MARK, home)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("LANG", "C.UTF-8")
            .current_dir(self.work())
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary with words split at spaces.
    pub fn run(&self, line: &str) -> Run {
        self.args(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs the binary.
    pub fn args(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().expect("the binary runs");
        output.into()
    }

    /// Starts a bridge and waits until it serves.
    pub fn serve(&self, more: &[&str]) -> Bridge {
        let (read, write) = std::io::pipe().expect("a pipe");
        let fd = write.as_raw_fd();
        let mut command = self.command(["serve", "--ready-fd", &fd.to_string()]);
        // Inherited on purpose: the bridge writes one line to it once it serves.
        nix::fcntl::fcntl(&write, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()))
            .expect("inherited");
        let child = command
            .args(more)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(self.home.path().join("serve.log")).expect("a log"))
            .process_group(0)
            .spawn()
            .expect("the bridge starts");
        drop(write);
        let bridge = Bridge { child };
        let ready = first_line(read);
        assert!(
            !ready.is_empty(),
            "the bridge ended before it served:\n{}",
            self.log()
        );
        bridge
    }

    /// What the bridge said on stderr.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("serve.log")).unwrap_or_default()
    }

    /// Starts the binary and reads its stdout line by line.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut child = self
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let lines = child.stdout.take().map(BufReader::new);
        Running { child, lines }
    }

    /// The home.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Starts the binary; its lines are collected.
    pub fn process(&self, arguments: &[&str]) -> Process {
        Process::start(self.command(arguments))
    }

    /// Starts `serve` in the foreground, and waits until its socket answers and its workers are up.
    pub fn foreground(&self, more: &[&str]) -> Process {
        let mut command = self.command(["serve", "--ready-fd", "1"]);
        command.args(more).args(python());
        let mut bridge = Process::start(command);
        bridge.line_where("line that says where it serves", |line| line.contains("unix:"));
        bridge
    }

    /// Starts `worker spawn` of a file of the test and waits until one process is ready.
    pub fn worker(&self, file: &str, more: &[&str]) -> Process {
        let mut command = self.command(["worker", "spawn", file]);
        command.args(more).args(python());
        let mut worker = Process::start(command);
        worker.says(" is ready ");
        worker
    }

    /// Writes a file of tools from `tests/data/tools` where programs run.
    pub fn tools(&self, name: &str) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data/tools")
            .join(name);
        std::fs::copy(&from, self.work().join(name)).expect("a file of tools");
    }

    /// Every live process of this world.
    pub fn alive(&self) -> Vec<proc::Seen> {
        proc::marked(&self.mark())
    }

    /// Waits until no process of this world is alive; fails after [`PROMISE`].
    pub fn nothing_is_alive(&self, since: Instant) {
        loop {
            let alive = self.alive();
            if alive.is_empty() {
                return;
            }
            assert!(since.elapsed() < PROMISE, "still alive: {alive:#?}");
            std::thread::sleep(LOOK);
        }
    }

    /// The socket files in the runtime directory.
    pub fn sockets(&self) -> Vec<String> {
        let folder = self.home.path().join("run/snakepit");
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".sock"))
            .collect();
        found.sort();
        found
    }

    /// The bridge's socket.
    pub fn socket(&self) -> std::path::PathBuf {
        self.home.path().join("run/snakepit/default.sock")
    }

    /// What a run with `-o json` printed, as JSON.
    pub fn json(&self, line: &str) -> serde_json::Value {
        let run = self.run(&format!("-o json {line}"));
        assert_eq!(run.code, 0, "{line}: {}", run.err);
        serde_json::from_str(&run.out).unwrap_or_else(|cause| panic!("{cause}: {}", run.out))
    }

    /// The workers that the bridge lists.
    pub fn workers(&self) -> Vec<serde_json::Value> {
        self.json("worker list").as_array().cloned().unwrap_or_default()
    }

    /// Waits until the bridge lists so many workers that take calls.
    pub fn pool(&self, size: usize, within: Duration) -> Vec<serde_json::Value> {
        eventually(within, "a whole pool", || {
            let ready =
                |worker: &serde_json::Value| matches!(worker["state"].as_str(), Some("ready" | "busy"));
            let workers: Vec<_> = self.workers().into_iter().filter(ready).collect();
            (workers.len() == size).then_some(workers)
        })
    }

    fn mark(&self) -> String {
        format!("{MARK}={}", self.home.path().display())
    }
}

impl Drop for World {
    #[allow(clippy::print_stderr)] // What a failed test needs and its home would take with it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the bridge said:\n{}", self.log());
        }
        // A test that failed must not leave anything: these are its own, by their mark. Looked for again, because one
        // may just be starting another.
        for _ in 0..10 {
            let alive = self.alive();
            for process in &alive {
                let _ = kill(Pid::from_raw(process.pid as i32), Signal::SIGKILL);
            }
            if alive.is_empty() {
                break;
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Waits until the look finds something.
pub fn eventually<T>(within: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < within, "{what} did not come within {within:?}");
        std::thread::sleep(LOOK);
    }
}

/// The packages of workers, installed once for all tests.
fn cache() -> std::path::PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    target.expect("a target directory").join("test-cache")
}

/// The interpreter that the tests were told to use; none = the binary chooses and provisions.
pub fn python() -> Vec<String> {
    match std::env::var("SNAKEPIT_TEST_PYTHON") {
        Ok(path) if !path.is_empty() => vec!["--python".into(), path],
        _ => Vec::new(),
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            out: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            err: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
            code: output.status.code().unwrap_or(-1),
        }
    }
}

/// A bridge; it and all it started are killed when dropped.
pub struct Bridge {
    child: Child,
}

impl Bridge {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end and waits; its exit code.
    pub fn stop(mut self, signal: Signal) -> Option<i32> {
        let _ = kill(Pid::from_raw(self.child.id() as i32), signal);
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = killpg(Pid::from_raw(self.child.id() as i32), Signal::SIGKILL);
            let _ = self.child.wait();
        }
    }
}

/// A program that runs; killed when dropped.
pub struct Running {
    child: Child,
    lines: Option<BufReader<std::process::ChildStdout>>,
}

impl Running {
    /// Waits for the next line of stdout; empty at its end.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        let lines = self.lines.as_mut().expect("its stdout is open");
        lines.read_line(&mut line).expect("a line of UTF-8");
        line.trim_end().to_owned()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("it is there");
    }

    /// Closes its stdout, as a reader does that has seen enough.
    pub fn close_out(&mut self) {
        self.lines = None;
    }

    /// Waits for its end; exit code and stderr.
    pub fn wait(mut self) -> (i32, String) {
        let mut err = String::new();
        if let Some(mut stream) = self.child.stderr.take() {
            std::io::Read::read_to_string(&mut stream, &mut err).expect("stderr is UTF-8");
        }
        (self.child.wait().expect("it ends").code().unwrap_or(-1), err)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first line of a pipe, waited for no longer than [`READY_LIMIT`]; empty when it was closed without one.
fn first_line(pipe: std::io::PipeReader) -> String {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = BufReader::new(pipe).read_line(&mut line);
        let _ = send.send(line);
    });
    receive
        .recv_timeout(READY_LIMIT)
        .expect("the bridge says in time that it serves")
}
