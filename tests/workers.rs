//! Workers as processes: readiness, output, restarts, and above all that nothing is left when anything dies.
//!
//! The worker is `tests/data/workers/stand_in.py`, the reaper is the real binary. What is waited for is polled with a
//! deadline, never slept for. The last two tests use the real package, and an index of packages the first time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Helpers of tests are tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use snakepit::error::{Error, Kind, Result};
use snakepit::sys::machine;
use snakepit::sys::signal::{self, Signal};
use snakepit::sys::tree::{self, Ended};
use snakepit::workers::environment::Environment;
use snakepit::workers::event::{self, Event};
use snakepit::workers::output::{Sink, Stream};
use snakepit::workers::probe::Need;
use snakepit::workers::provision::{self, Request};
use snakepit::workers::spawn::{self, Listen, Start, Worker};
use snakepit::workers::supervise::{
    Announcement, BoxFuture, Lease, Order, Registrar, Supervisor, WorkerSpec,
};
use tokio::sync::mpsc;

/// What the product promises: nothing alive this long after a death.
const PROMISE: Duration = Duration::from_secs(2);
/// The same for what has to start Python again, on a machine that builds meanwhile: speed gates no test.
const LOADED: Duration = Duration::from_secs(20);
/// For what has no promise, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn stand_in() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/workers/stand_in.py")
}

fn binary() -> PathBuf {
    env!("CARGO_BIN_EXE_snakepit").into()
}

fn start(dir: &Path, does: &str) -> Start {
    Start {
        python: "python3".into(),
        boot: stand_in(),
        target: does.into(),
        worker_id: "w1".into(),
        incarnation: machine::random().unwrap(),
        max_concurrent: 4,
        listen: Listen::Unix(dir.to_owned()),
        session: None,
        bridge: "unix:/nowhere".into(),
        variables: Environment::default().variables(0, 1),
        cwd: None,
        reaper: binary(),
        ready_timeout: PATIENCE,
    }
}

fn deaf() -> Sink {
    Arc::new(|_, _| {})
}

fn mark(start: &Start) -> String {
    format!("{}={:016x}", spawn::MARK, start.incarnation)
}

/// Waits until `done` holds. Blocking: only for short waits.
fn eventually(within: Duration, what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !done() {
        assert!(
            Instant::now() < deadline,
            "{what} did not happen within {within:?}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The pid of the `sleep 61` that a stand-in with `fork` leaves behind, among everything with this mark.
fn runaway(mark: &str) -> Option<u32> {
    tree::marked(mark).into_iter().find(|pid| {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"sleep\x0061"))
    })
}

async fn forked(dir: &Path) -> (Start, Worker, u32) {
    let start = start(dir, "fork+deaf+stubborn");
    let worker = spawn::spawn(&start, deaf()).await.unwrap();
    let mut found = None;
    eventually(PATIENCE, "the runaway grandchild", || {
        found = runaway(&mark(&start));
        found.is_some()
    });
    (start, worker, found.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_ready_with_its_address_and_stops_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let start = start(dir.path(), "ready");
    let mut worker = spawn::spawn(&start, deaf()).await.unwrap();
    let path = worker.address.strip_prefix("unix:").unwrap().to_owned();
    std::os::unix::net::UnixStream::connect(&path).unwrap();
    assert!(tree::is_alive(worker.pid));
    let exit = worker.stop(PATIENCE, std::future::pending()).await;
    assert_eq!(exit.ended, Some(Ended::Exit(0)));
    assert!(!tree::is_alive(worker.pid));
    assert!(!Path::new(&path).exists(), "the socket is removed");
    assert_eq!(tree::marked(&mark(&start)), Vec::<u32>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_says_is_wrong_is_the_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = spawn::spawn(&start(dir.path(), "import"), deaf())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::WorkerImport);
    assert!(error.message().contains("No module named 'nowhere'"), "{error}");
    assert!(
        error.details().iter().any(|line| line.contains("tools.py")),
        "{error:?}"
    );
    let error = spawn::spawn(&start(dir.path(), "no_tools"), deaf())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::NoTools);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_before_readiness_shows_the_exit_code_and_the_last_words() {
    let dir = tempfile::tempdir().unwrap();
    let error = spawn::spawn(&start(dir.path(), "tail+exit"), deaf())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::WorkerExited);
    assert!(error.message().contains("exit code 3"), "{error}");
    assert!(
        error.details().iter().any(|line| line == "about to end"),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_never_gets_ready_is_ended_at_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    for does in ["hang", "garbage"] {
        let mut start = start(dir.path(), does);
        start.ready_timeout = Duration::from_millis(700);
        let error = spawn::spawn(&start, deaf()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::WorkerExited, "{error}");
        assert_eq!(tree::marked(&mark(&start)), Vec::<u32>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cannot_be_started_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let mut start = start(dir.path(), "ready");
    start.python = "/no/such/python".into();
    let error = spawn::spawn(&start, deaf()).await.unwrap_err();
    assert!(error.message().contains("No such file"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_ignores_term_is_killed_after_the_grace() {
    let dir = tempfile::tempdir().unwrap();
    let mut worker = spawn::spawn(&start(dir.path(), "stubborn"), deaf())
        .await
        .unwrap();
    let asked = Instant::now();
    let exit = worker
        .stop(Duration::from_millis(300), std::future::pending())
        .await;
    assert_eq!(exit.ended, Some(Ended::Signal(9)));
    assert!(asked.elapsed() >= Duration::from_millis(300));
    assert!(!tree::is_alive(worker.pid));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_output_is_drained_and_handed_on_whole() {
    let dir = tempfile::tempdir().unwrap();
    let lines = Arc::new(AtomicUsize::new(0));
    let counter = lines.clone();
    let sink: Sink = Arc::new(move |stream, line| {
        assert_eq!(stream, Stream::Stdout);
        assert!(line.starts_with("xxx"));
        counter.fetch_add(1, Ordering::Relaxed);
    });
    // It prints 20 MB before it says that it is ready: an undrained pipe would hold 64 KiB of them.
    let mut worker = spawn::spawn(&start(dir.path(), "flood"), sink).await.unwrap();
    worker.stop(PATIENCE, std::future::pending()).await;
    assert_eq!(lines.load(Ordering::Relaxed), 20_000);
    assert!(worker.tail().last().unwrap().ends_with("19999"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grandchild_in_a_session_of_its_own_dies_with_the_worker() {
    let dir = tempfile::tempdir().unwrap();
    for how in [Signal::SIGKILL, Signal::SIGSEGV] {
        let (_start, mut worker, grandchild) = forked(dir.path()).await;
        signal::send(worker.pid, how);
        let died = Instant::now();
        let exit = worker.wait().await;
        assert_eq!(exit.ended, Some(Ended::Signal(how as i32)));
        assert!(!tree::is_alive(grandchild), "{how}");
        assert!(died.elapsed() < PROMISE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grandchild_that_cleared_its_environment_dies_too() {
    let dir = tempfile::tempdir().unwrap();
    let start = start(dir.path(), "fork+bare");
    let mut worker = spawn::spawn(&start, deaf()).await.unwrap();
    let reaper = tree::marked(&mark(&start))
        .into_iter()
        .find(|pid| tree::descendants(*pid).contains(&worker.pid))
        .unwrap();
    let mut grandchild = None;
    eventually(PATIENCE, "the bare grandchild", || {
        grandchild = tree::descendants(reaper).into_iter().find(|pid| {
            std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"sleep\x0061"))
        });
        grandchild.is_some()
    });
    worker.stop(PATIENCE, std::future::pending()).await;
    assert!(!tree::is_alive(grandchild.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_when_the_reaper_dies_by_any_signal() {
    let dir = tempfile::tempdir().unwrap();
    for how in [Signal::SIGKILL, Signal::SIGSEGV, Signal::SIGTERM, Signal::SIGINT] {
        let (start, mut worker, _) = forked(dir.path()).await;
        let reaper = tree::marked(&mark(&start))
            .into_iter()
            .find(|pid| tree::descendants(*pid).contains(&worker.pid))
            .unwrap();
        signal::send(reaper, how);
        let died = Instant::now();
        tokio::time::timeout(PATIENCE, worker.wait())
            .await
            .expect("the end is seen");
        assert_eq!(tree::marked(&mark(&start)), Vec::<u32>::new(), "{how}");
        assert!(died.elapsed() < PROMISE, "{how}: {:?}", died.elapsed());
        assert!(!Path::new(worker.address.strip_prefix("unix:").unwrap()).exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_worker_ends_its_tree() {
    let dir = tempfile::tempdir().unwrap();
    let (start, worker, _) = forked(dir.path()).await;
    drop(worker);
    eventually(PROMISE, "the end of the tree", || {
        tree::marked(&mark(&start)).is_empty()
    });
}

/// Not a test of its own: the supervisor process that the next test kills. It runs when the next one asks.
#[tokio::test(flavor = "multi_thread")]
async fn supervisor_process() {
    let Some(dir) = std::env::var_os("WORKERS_TEST_DIR") else {
        return;
    };
    signal::die_of_faults().unwrap();
    let registrar = Arc::new(Book::default());
    let (listener, mut events) = event::queue();
    let spec = spec(Path::new(&dir), "fork+deaf+stubborn", 2);
    let _supervisor = Supervisor::start(spec, registrar, listener).unwrap();
    let mut up = 0;
    while let Some(event) = events.recv().await {
        if let Event::Ready { .. } = event {
            up += 1;
        }
        if up == 2 {
            std::fs::write(Path::new(&dir).join("up"), "").unwrap();
        }
    }
}

#[test]
fn nothing_is_left_when_the_supervisor_dies_by_any_signal() {
    for how in [Signal::SIGKILL, Signal::SIGSEGV, Signal::SIGTERM, Signal::SIGINT] {
        let dir = tempfile::tempdir().unwrap();
        let token = format!("{:016x}", machine::random().unwrap());
        let mut supervisor = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "supervisor_process", "--nocapture"])
            .env("WORKERS_TEST_DIR", dir.path())
            .env("WORKERS_TEST_TOKEN", &token)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mark = format!("WORKERS_TEST_TOKEN={token}");
        eventually(PATIENCE, "two workers", || dir.path().join("up").exists());
        // Supervisor, two reapers, two workers, two grandchildren.
        eventually(PATIENCE, "all seven processes", || tree::marked(&mark).len() >= 7);
        signal::send(supervisor.id(), how);
        supervisor.wait().unwrap();
        let died = Instant::now();
        eventually(PROMISE, "the end of everything", || {
            tree::marked(&mark).is_empty()
        });
        let sockets = || {
            std::fs::read_dir(dir.path())
                .unwrap()
                .flatten()
                .any(|entry| entry.path().extension().is_some())
        };
        eventually(PROMISE, "the removal of the sockets", || !sockets());
        println!("{how}: everything gone after {:?}", died.elapsed());
    }
}

/// A bridge's side of the registration, in memory.
#[derive(Default)]
struct Book {
    seen: Mutex<Vec<Announcement>>,
    orders: Mutex<Vec<mpsc::Sender<Order>>>,
    refusals: Mutex<Vec<Error>>,
}

impl Registrar for Book {
    fn register(&self, who: Announcement) -> BoxFuture<'_, Result<Lease>> {
        Box::pin(async move {
            if let Some(error) = self.refusals.lock().pop() {
                return Err(error);
            }
            self.seen.lock().push(who);
            let (sender, orders) = mpsc::channel(4);
            self.orders.lock().push(sender);
            Ok(Lease {
                tools: vec!["train".into()],
                orders,
                keep: Box::new(()),
            })
        })
    }
}

fn spec(dir: &Path, does: &str, processes: u32) -> WorkerSpec {
    WorkerSpec {
        source: does.into(),
        argument: does.into(),
        name: "stand_in".into(),
        processes,
        python: "python3".into(),
        boot: stand_in(),
        overlay_path: Vec::new(),
        environment: Environment::default(),
        cwd: None,
        max_concurrent: 0,
        session: None,
        listen: Listen::Unix(dir.to_owned()),
        advertise: None,
        bridge: "unix:/nowhere".into(),
        ready_timeout: PATIENCE,
        stop_grace: Duration::from_secs(5),
        reaper: binary(),
        persistent: false,
    }
}

async fn until<T>(events: &mut mpsc::Receiver<Event>, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
    tokio::time::timeout(PATIENCE, async {
        loop {
            let event = events.recv().await.expect("the supervisor is there");
            if let Some(found) = pick(&event) {
                return found;
            }
        }
    })
    .await
    .expect("the event came")
}

fn ready(event: &Event) -> Option<u32> {
    match event {
        Event::Ready { pid, .. } => Some(*pid),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_is_back_and_registered_within_two_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let book = Arc::new(Book::default());
    let (listener, mut events) = event::queue();
    let mut supervisor = Supervisor::start(spec(dir.path(), "ready", 1), book.clone(), listener).unwrap();
    supervisor.started().await.unwrap();
    let pid = until(&mut events, ready).await;
    signal::send(pid, Signal::SIGKILL);
    let killed = Instant::now();
    let exit = until(&mut events, |event| match event {
        Event::Exited { exit, .. } => Some(exit.clone()),
        _ => None,
    })
    .await;
    assert_eq!(exit.ended, Some(Ended::Signal(9)));
    let again = until(&mut events, ready).await;
    assert!(killed.elapsed() < LOADED, "{:?}", killed.elapsed());
    assert_ne!(pid, again);
    let seen = book.seen.lock().clone();
    assert_eq!(seen[0].worker_id, seen[1].worker_id);
    assert_ne!(seen[0].incarnation, seen[1].incarnation);
    assert_eq!((seen[0].restarts, seen[1].restarts), (0, 1));
    supervisor.shutdown().await;
    assert!(!tree::is_alive(again));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_lease_keeps_the_process_and_registers_again() {
    let dir = tempfile::tempdir().unwrap();
    let book = Arc::new(Book::default());
    let (listener, mut events) = event::queue();
    let supervisor = Supervisor::start(spec(dir.path(), "ready", 1), book.clone(), listener).unwrap();
    let pid = until(&mut events, ready).await;
    book.refusals.lock().extend([
        Error::new(Kind::NoBridge, "gone"),
        Error::new(Kind::NoBridge, "gone"),
    ]);
    book.orders.lock().clear();
    until(&mut events, |event| {
        matches!(event, Event::LeaseLost { .. }).then_some(())
    })
    .await;
    until(&mut events, |event| {
        matches!(event, Event::Waiting { .. }).then_some(())
    })
    .await;
    assert_eq!(until(&mut events, ready).await, pid);
    let seen = book.seen.lock().clone();
    assert_eq!(seen[0], seen[1]);
    supervisor.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bridge_can_drain_and_stop_a_worker_and_gets_another() {
    let dir = tempfile::tempdir().unwrap();
    let book = Arc::new(Book::default());
    let (listener, mut events) = event::queue();
    let supervisor = Supervisor::start(spec(dir.path(), "ready", 1), book.clone(), listener).unwrap();
    let pid = until(&mut events, ready).await;
    let orders = book.orders.lock()[0].clone();
    orders
        .send(Order::Drain {
            reason: "stuck".into(),
        })
        .await
        .unwrap();
    until(&mut events, |event| {
        matches!(event, Event::Draining { .. }).then_some(())
    })
    .await;
    assert!(tree::is_alive(pid));
    orders
        .send(Order::Stop {
            reason: "stuck".into(),
        })
        .await
        .unwrap();
    let again = until(&mut events, ready).await;
    assert!(!tree::is_alive(pid) && again != pid);
    supervisor.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_that_fails_ends_the_supervisor_with_its_error() {
    let dir = tempfile::tempdir().unwrap();
    let (listener, _events) = event::queue();
    let mut supervisor =
        Supervisor::start(spec(dir.path(), "import", 2), Arc::new(Book::default()), listener).unwrap();
    assert_eq!(supervisor.started().await.unwrap_err().kind(), Kind::WorkerImport);
    supervisor.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_refused_for_good_is_an_error_and_leaves_no_process() {
    let dir = tempfile::tempdir().unwrap();
    let book = Arc::new(Book::default());
    book.refusals
        .lock()
        .push(Error::new(Kind::ToolConflict, "train differs"));
    let (listener, mut events) = event::queue();
    let mut supervisor = Supervisor::start(spec(dir.path(), "print", 1), book, listener).unwrap();
    assert_eq!(supervisor.started().await.unwrap_err().kind(), Kind::ToolConflict);
    until(&mut events, |event| {
        matches!(event, Event::Failed { .. }).then_some(())
    })
    .await;
    supervisor.shutdown().await;
    assert!(
        std::fs::read_dir(dir.path()).unwrap().next().is_none(),
        "no socket is left"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_after_readiness_is_started_again_with_growing_pauses() {
    let dir = tempfile::tempdir().unwrap();
    let (listener, mut events) = event::queue();
    let mut spec = spec(dir.path(), "crash", 1);
    spec.persistent = true;
    let supervisor = Supervisor::start(spec, Arc::new(Book::default()), listener).unwrap();
    let mut pauses = Vec::new();
    while pauses.len() < 4 {
        let pause = until(&mut events, |event| match event {
            Event::Restarting { after, .. } => Some(*after),
            _ => None,
        });
        pauses.push(pause.await);
    }
    assert!(pauses[3] > pauses[0], "{pauses:?}");
    supervisor.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_get_their_number_and_their_share_of_the_cores() {
    let dir = tempfile::tempdir().unwrap();
    let (listener, mut events) = event::queue();
    let mut spec = spec(dir.path(), "ready", 2);
    spec.environment =
        Environment::new(true, &["STAND_IN=note".into(), "INDEX={index}".into()], None).unwrap();
    let supervisor = Supervisor::start(spec, Arc::new(Book::default()), listener).unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        seen.push(
            until(&mut events, |event| match event {
                Event::Output { line, .. } => line.strip_prefix("env ").map(str::to_owned),
                _ => None,
            })
            .await,
        );
    }
    seen.sort();
    let share = (machine::cores() / 2).max(1);
    for (index, line) in seen.iter().enumerate() {
        let found: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(found["INDEX"], index.to_string());
        assert_eq!(found["OMP_NUM_THREADS"], share.to_string());
    }
    supervisor.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_stubborn_worker_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (listener, mut events) = event::queue();
    let mut spec = spec(dir.path(), "stubborn", 1);
    spec.stop_grace = Duration::from_secs(60);
    let supervisor = Supervisor::start(spec, Arc::new(Book::default()), listener).unwrap();
    let pid = until(&mut events, ready).await;
    let killer = supervisor.killer();
    let down = tokio::spawn(supervisor.shutdown());
    until(&mut events, |event| {
        matches!(event, Event::Stopping { .. }).then_some(())
    })
    .await;
    killer.cancel();
    tokio::time::timeout(PATIENCE, down).await.unwrap().unwrap();
    assert!(!tree::is_alive(pid));
}

/// Not a test of its own: provisioning as a process, for the environment that the tests below give it.
#[test]
fn provision_process() {
    let Some(extra) = std::env::var_os("WORKERS_TEST_PROVISION") else {
        return;
    };
    let extra: Vec<_> = (!extra.is_empty())
        .then(|| Need::new("snakepit_test_dep", "snakepit-test-dep>=1.0"))
        .into_iter()
        .collect();
    let python = std::env::var_os("WORKERS_TEST_PYTHON").map(PathBuf::from);
    let file = std::env::var("WORKERS_TEST_TARGET").ok();
    let target = file.map(|file| snakepit::workers::target::Target::parse(&file).unwrap());
    let request = Request {
        python: python.as_deref(),
        target: target.as_ref(),
        extra: &extra,
        variables: Environment::default().variables(0, 1),
    };
    match provision::provision(&request, &provision::Silent) {
        Ok(made) => {
            let paths: Vec<_> = made
                .overlay_path
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            println!(
                "\nmade|{}|{}|{}",
                made.python.display(),
                paths.join(":"),
                made.line()
            );
        }
        Err(error) => println!(
            "\nerror|{}|{error}|{}",
            error.kind().code(),
            error.hints().join(" ")
        ),
    }
}

/// A machine for provisioning: a cache and packages of its own, an index that cannot be reached.
struct Machine {
    dir: tempfile::TempDir,
    settings: Vec<(&'static str, String)>,
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        for package in ["site/grpc", "site/google/protobuf", "wheels"] {
            std::fs::create_dir_all(dir.path().join(package)).unwrap();
        }
        for module in ["site/grpc/__init__.py", "site/google/protobuf/__init__.py"] {
            std::fs::write(dir.path().join(module), "").unwrap();
        }
        let settings = vec![
            ("XDG_CACHE_HOME", path("cache")),
            ("PYTHONPATH", path("site")),
            ("PIP_FIND_LINKS", path("wheels")),
            ("PIP_INDEX_URL", "http://127.0.0.1:9/simple".into()),
            ("PIP_CONFIG_FILE", "/dev/null".into()),
            ("PIP_RETRIES", "1".into()),
        ];
        Self { dir, settings }
    }

    /// A wheel of the package that the tests ask for, in the folder that pip looks into.
    fn wheel(&self) {
        let script = r#"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + "/snakepit_test_dep-1.2-py3-none-any.whl", "w") as wheel:
    wheel.writestr("snakepit_test_dep.py", "VALUE = 7\n")
    info = "snakepit_test_dep-1.2.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: snakepit-test-dep\nVersion: 1.2\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "")
"#;
        let made = Command::new("python3")
            .args(["-c", script])
            .arg(self.dir.path().join("wheels"))
            .status();
        assert!(made.unwrap().success());
    }

    fn command(&self, extra: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "provision_process", "--nocapture"])
            .env("WORKERS_TEST_PROVISION", extra);
        for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
            command.env_remove(name);
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.stderr(std::process::Stdio::inherit());
        command
    }
}

/// The fields of the line that a provisioning process printed.
fn outcome(command: &mut Command) -> Vec<String> {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text
        .lines()
        .rev()
        .find(|line| line.starts_with("made|") || line.starts_with("error|"));
    line.unwrap_or_else(|| panic!("no outcome in {text}"))
        .split('|')
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_the_interpreter_lacks_is_installed_once_into_the_cache() {
    let machine = Machine::new();
    machine.wheel();
    let made = outcome(&mut machine.command("extra"));
    assert_eq!(made[0], "made", "{made:?}");
    assert!(
        Path::new(&made[2]).join("snakepit_test_dep.py").exists(),
        "{made:?}"
    );
    assert!(
        made[2].starts_with(&machine.settings[0].1) && made[3].contains("snakepit-test-dep"),
        "{made:?}"
    );
    // The second run must not need pip again.
    std::fs::remove_dir_all(machine.dir.path().join("wheels")).unwrap();
    assert_eq!(outcome(&mut machine.command("extra")), made);
}

#[test]
fn runs_at_the_same_time_install_once() {
    let machine = Machine::new();
    machine.wheel();
    let start = || {
        machine
            .command("extra")
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    for run in [start(), start()] {
        let output = run.wait_with_output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains("\nmade|"));
    }
    let folder = machine.dir.path().join("cache/snakepit");
    let folders = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().is_dir() && entry.file_name().to_string_lossy().starts_with("deps-"));
    assert_eq!(folders.count(), 1);
}

#[test]
fn a_complete_interpreter_gets_nothing_but_the_package() {
    let machine = Machine::new();
    let made = outcome(&mut machine.command(""));
    assert_eq!((made[0].as_str(), made[2].as_str()), ("made", ""), "{made:?}");
}

#[test]
fn without_a_network_it_is_said_and_the_mending_command_named() {
    let machine = Machine::new();
    let failed = outcome(&mut machine.command("extra"));
    assert_eq!(failed[1], Kind::ProvisionFailed.code(), "{failed:?}");
    assert!(
        failed[3].contains("-m pip install 'snakepit-test-dep>=1.0'"),
        "{failed:?}"
    );
    assert!(failed[2].contains("cannot be reached"), "{failed:?}");
    let left = std::fs::read_dir(machine.dir.path().join("cache/snakepit"))
        .unwrap()
        .flatten();
    assert!(
        left.into_iter()
            .all(|entry| !entry.file_name().to_string_lossy().contains(".new-"))
    );
}

#[test]
fn an_interpreter_without_pip_and_without_network_is_said_so() {
    let machine = Machine::new();
    let bare = machine.dir.path().join("bare");
    let made = Command::new("python3")
        .args(["-m", "venv", "--without-pip"])
        .arg(&bare)
        .status()
        .unwrap();
    assert!(made.success());
    let mut command = machine.command("extra");
    command
        .env("WORKERS_TEST_PYTHON", bare.join("bin/python"))
        .env("PATH", "/usr/bin:/bin");
    let failed = outcome(&mut command);
    assert_eq!(failed[1], Kind::ProvisionFailed.code(), "{failed:?}");
    assert!(
        failed[2].contains("has no pip") && failed[3].contains("python3-pip"),
        "{failed:?}"
    );
}

#[test]
fn no_python_at_all_is_said_with_what_to_install() {
    let machine = Machine::new();
    let failed = outcome(machine.command("").env("PATH", machine.dir.path()));
    assert_eq!(failed[1], Kind::NoPython.code(), "{failed:?}");
    assert!(failed[3].contains("apt install python3"), "{failed:?}");
    let failed = outcome(machine.command("").env("WORKERS_TEST_PYTHON", "/bin/false"));
    assert_eq!(failed[1], Kind::NoPython.code(), "{failed:?}");
}

#[test]
fn the_interpreter_is_the_first_that_applies() {
    let machine = Machine::new();
    let project = machine.dir.path().join("project");
    let file = project.join("src/tools.py");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "").unwrap();
    let venv = |path: &Path| {
        let made = Command::new("python3")
            .args(["-m", "venv", "--without-pip"])
            .arg(path)
            .status()
            .unwrap();
        assert!(made.success());
        path.join("bin/python").display().to_string()
    };
    let (project_python, active) = (venv(&project.join(".venv")), machine.dir.path().join("active"));
    let active_python = venv(&active);
    let mut command = machine.command("");
    command.env("WORKERS_TEST_TARGET", &file);
    let made = outcome(&mut command);
    assert_eq!(made[1], project_python, "{made:?}");
    let made = outcome(command.env("VIRTUAL_ENV", &active));
    assert_eq!(made[1], active_python, "{made:?}");
    std::fs::write(&file, "# /// script\n# dependencies = []\n# ///\n").unwrap();
    // Without uv a file's own block changes nothing about which Python it is, only about what is brought.
    let made = outcome(command.env("PATH", "/usr/bin:/bin"));
    assert_eq!(made[1], active_python, "{made:?}");
}

/// With the package from the binary, and grpcio from an index the first time: what a newcomer's machine does.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_file_of_tools_is_served_and_back_within_two_seconds_of_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tools.py");
    std::fs::write(
        &file,
        "from snakepit import tool\n\nprint('imported')\n\n@tool\ndef add(a: int, b: int) -> int:\n    return a + b\n",
    )
    .unwrap();
    let target = snakepit::workers::target::Target::parse(file.to_str().unwrap()).unwrap();
    let variables = Environment::default().variables(0, 1);
    let asked = target.clone();
    let made = tokio::task::spawn_blocking(move || {
        let request = Request {
            target: Some(&asked),
            variables,
            ..Request::default()
        };
        provision::provision(&request, &provision::Silent)
    });
    let made = made.await.unwrap().unwrap();
    println!("{}", made.line());

    let mut spec = spec(dir.path(), file.to_str().unwrap(), 1);
    (spec.python, spec.boot, spec.overlay_path) = (made.python, made.boot, made.overlay_path);
    let (listener, mut events) = event::queue();
    let book = Arc::new(Book::default());
    let mut supervisor = Supervisor::start(spec, book.clone(), listener).unwrap();
    supervisor.started().await.unwrap();
    // Two pipes: which of the two comes first is not said.
    let (mut pid, mut line) = (None, None);
    until(&mut events, |event| {
        pid = pid.or(ready(event));
        if let Event::Output { line: text, .. } = event {
            line = Some(text.clone());
        }
        (pid.is_some() && line.is_some()).then_some(())
    })
    .await;
    assert_eq!(line.as_deref(), Some("imported"));
    let pid = pid.unwrap();
    let address = book.seen.lock()[0].address.clone();
    std::os::unix::net::UnixStream::connect(address.strip_prefix("unix:").unwrap()).unwrap();
    signal::send(pid, Signal::SIGKILL);
    let killed = Instant::now();
    let again = until(&mut events, ready).await;
    println!("back after {:?}", killed.elapsed());
    assert!(killed.elapsed() < LOADED, "{:?}", killed.elapsed());
    let asked = Instant::now();
    supervisor.shutdown().await;
    println!("stopped after {:?}", asked.elapsed());
    assert!(!tree::is_alive(again));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_file_that_does_not_import_is_reported_with_its_traceback() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("broken.py");
    std::fs::write(&file, "import nowhere_to_be_found\n").unwrap();
    let variables = Environment::default().variables(0, 1);
    let made = tokio::task::spawn_blocking(move || {
        provision::provision(
            &Request {
                variables,
                ..Request::default()
            },
            &provision::Silent,
        )
    });
    let made = made.await.unwrap().unwrap();
    let mut start = start(dir.path(), file.to_str().unwrap());
    let path = std::env::join_paths(&made.overlay_path).unwrap();
    start.variables.insert("SNAKEPIT_OVERLAY_PATH".into(), path);
    (start.python, start.boot) = (made.python, made.boot);
    let error = spawn::spawn(&start, deaf()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::WorkerImport, "{error}");
    assert!(
        error.details().iter().any(|line| line.contains("broken.py")),
        "{error:?}"
    );
}
