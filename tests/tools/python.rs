//! The room against the real Python worker: the package of this repository in a real process. The interpreter is
//! `SNAKEPIT_TEST_PYTHON`, or `python3` where grpc and protobuf can be imported; without one the tests say so and
//! pass.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use snakepit::error::{Kind, Outcome};
use snakepit::proto::bridge::{ExecuteToolRequest, ExecuteToolResponse};
use snakepit::tools::{HostTools, Limits, Origin, Tools, WorkerAddress};
use tokio_stream::StreamExt as _;

use crate::peer::json;

const TOOLS: &str = r#"
import time
from snakepit import tool

@tool
def add(a: int, b: int = 2) -> int:
    return a + b

@tool
def nap(seconds: float) -> str:
    time.sleep(seconds)
    return "rested"

@tool
def bad(text: str):
    raise ValueError(f"cannot read {text}")

@tool
def steps(n: int):
    for i in range(n):
        yield {"step": i}
    return "done"

@tool
def breaks():
    yield 1
    raise RuntimeError("in the middle")

@tool
def forever(path: str):
    try:
        while True:
            time.sleep(0.01)
            yield 0
    finally:
        open(path, "w").close()
"#;

/// A Python worker that serves [`TOOLS`], killed when dropped.
struct Worker {
    process: Child,
    address: WorkerAddress,
    directory: tempfile::TempDir,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// An interpreter that can run the package.
fn python() -> Option<String> {
    let python = std::env::var("SNAKEPIT_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let able = Command::new(&python)
        .args(["-c", "import grpc, google.protobuf"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !able {
        let mut out = std::io::stderr();
        writeln!(
            out,
            "skipped: `{python}` has no grpc; name one in SNAKEPIT_TEST_PYTHON"
        )
        .ok();
    }
    able.then_some(python)
}

async fn start(capacity: u32) -> Option<Worker> {
    let python = python()?;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("kit.py");
    std::fs::write(&file, TOOLS).unwrap();
    let socket = directory.path().join("w.sock");
    let address = format!("unix:{}", socket.display());
    let boot = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/snakepit_boot.py");
    let process = Command::new(python)
        .arg("-u")
        .arg(boot)
        .arg(&file)
        .args([
            "--worker-id",
            "py",
            "--listen",
            &address,
            "--max-concurrent",
            &capacity.to_string(),
        ])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let address = WorkerAddress {
        worker_id: "py".into(),
        incarnation: 1,
        address,
        ..Default::default()
    };
    let mut worker = Worker {
        process,
        address,
        directory,
    };
    // Without a supervisor here, readiness is the socket's being there.
    let until = Instant::now() + Duration::from_secs(30);
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert_eq!(worker.process.try_wait().unwrap(), None, "the worker ended");
        assert!(Instant::now() < until, "the worker did not listen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Some(worker)
}

fn request(tool: &str, parameters: &[(&str, &str)]) -> ExecuteToolRequest {
    let parameters = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json(value)));
    ExecuteToolRequest {
        session_id: "s".into(),
        tool_name: tool.into(),
        parameters: parameters.collect::<HashMap<_, _>>(),
        ..Default::default()
    }
}

fn text(response: ExecuteToolResponse) -> String {
    assert!(response.success, "{response:?}");
    String::from_utf8(response.result.unwrap().value.to_vec()).unwrap()
}

fn tools() -> Tools {
    Tools::new(HostTools::built_in(), Limits::default())
}

#[tokio::test]
async fn a_python_function_is_called_checked_and_its_failure_brought_back() {
    let Some(worker) = start(4).await else { return };
    let tools = tools();
    let attached = tools.attach(worker.address.clone()).await.unwrap();
    assert_eq!(
        attached.tools,
        ["add", "bad", "breaks", "forever", "nap", "steps"]
    );
    let call = |request| tools.call(request, Origin::default());
    assert_eq!(text(call(request("add", &[("a", "40")])).await.unwrap()), "42");
    let problems = call(request("add", &[("a", "\"x\""), ("c", "1")]))
        .await
        .unwrap_err();
    assert_eq!(problems.details().len(), 2, "{problems}");
    let failed = call(request("bad", &[("text", "\"it\"")])).await.unwrap();
    let failure = failed.failure.unwrap();
    assert_eq!((failed.success, failure.r#type.as_str()), (false, "ValueError"));
    assert!(failure.traceback.contains("kit.py") && !failure.traceback.contains("snakepit/worker"));
    let streams = call(request("steps", &[("n", "1")])).await.unwrap_err();
    assert_eq!(streams.kind(), Kind::StreamingTool);
}

#[tokio::test]
async fn ten_sleeping_calls_take_the_time_of_one() {
    let Some(worker) = start(16).await else { return };
    let tools = tools();
    let _attached = tools.attach(worker.address.clone()).await.unwrap();
    let began = Instant::now();
    let naps: Vec<_> = (0..10)
        .map(|_| {
            let tools = tools.clone();
            tokio::spawn(async move {
                tools
                    .call(request("nap", &[("seconds", "0.5")]), Origin::default())
                    .await
            })
        })
        .collect();
    for nap in naps {
        assert_eq!(text(nap.await.unwrap().unwrap()), "\"rested\"");
    }
    assert!(
        began.elapsed() < Duration::from_millis(1500),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_python_generator_streams_fails_in_the_middle_and_is_closed_on_cancel() {
    let Some(worker) = start(2).await else { return };
    let tools = tools();
    let _attached = tools.attach(worker.address.clone()).await.unwrap();
    let stream = |request| tools.stream(request, Origin::default());
    let chunks: Vec<_> = stream(request("steps", &[("n", "3")]))
        .await
        .unwrap()
        .collect()
        .await;
    let chunks: Vec<_> = chunks.into_iter().map(Result::unwrap).collect();
    assert_eq!(
        chunks.iter().map(|chunk| chunk.seq).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    let last = chunks.last().unwrap();
    assert!(last.is_final && &*last.result.as_ref().unwrap().value == b"\"done\"");

    let broken: Vec<_> = stream(request("breaks", &[])).await.unwrap().collect().await;
    let error = broken.last().unwrap().as_ref().unwrap_err();
    assert_eq!((error.kind(), broken.len()), (Kind::ToolFailed, 2));
    assert_eq!(error.message(), "`breaks` raised RuntimeError: in the middle");
    assert!(
        error.details().iter().any(|line| line.contains("kit.py")),
        "{error}"
    );

    let closed = worker.directory.path().join("closed");
    let path = format!("{closed:?}");
    let mut endless = stream(request("forever", &[("path", &path)])).await.unwrap();
    endless.next().await.unwrap().unwrap();
    drop(endless);
    let until = Instant::now() + Duration::from_secs(5);
    while !closed.exists() || tools.workers()[0].running > 0 {
        assert!(
            Instant::now() < until,
            "`finally` ran: {}, {:?}",
            closed.exists(),
            tools.workers()
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_killed_python_worker_ends_its_calls() {
    let Some(mut worker) = start(2).await else { return };
    let tools = tools();
    let _attached = tools.attach(worker.address.clone()).await.unwrap();
    let naps: Vec<_> = (0..4)
        .map(|_| {
            let tools = tools.clone();
            tokio::spawn(async move {
                tools
                    .call(request("nap", &[("seconds", "30")]), Origin::default())
                    .await
            })
        })
        .collect();
    while tools.counters().queued < 2 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await; // the messages have to leave: nobody says when
    worker.process.kill().unwrap();
    let mut outcomes = Vec::new();
    for nap in naps {
        let error = nap.await.unwrap().unwrap_err();
        outcomes.push((error.kind(), error.known_outcome().unwrap()));
    }
    let died = (Kind::WorkerDied, Outcome::MayHaveRun);
    let waited = (Kind::NoWorker, Outcome::NeverStarted);
    assert_eq!(outcomes, [died, died, waited, waited]);
}
