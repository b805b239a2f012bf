//! Workers as processes: readiness, output, restarts, and above all that nothing is left when anything dies.
//!
//! The worker is `tests/data/workers/stand_in.py`, the reaper is the real binary. What is waited for is polled with a
//! deadline, never slept for.

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
use snakepit::workers::spawn::{self, Listen, Start, Worker};
use snakepit::workers::supervise::{
    Announcement, BoxFuture, Lease, Order, Registrar, Supervisor, WorkerSpec,
};
use tokio::sync::mpsc;

/// What the product promises: nothing alive this long after a death.
const PROMISE: Duration = Duration::from_secs(2);
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
    assert!(killed.elapsed() < PROMISE, "{:?}", killed.elapsed());
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
