//! The room of tools against workers on the real wire: dispatch, permits, queues, deadlines, death, cancel,
//! streams, nesting, registration. `tools/peer.rs` is the worker; the Python one is in `tools/python.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by a panic"
)]

#[path = "tools/dispatch.rs"]
mod dispatch;
#[path = "tools/ends.rs"]
mod ends;
#[path = "tools/host.rs"]
mod host;
#[path = "tools/peer.rs"]
mod peer;
#[path = "tools/python.rs"]
mod python;
#[path = "tools/registration.rs"]
mod registration;
#[path = "tools/streams.rs"]
mod streams;

use std::collections::HashMap;
use std::time::Duration;

use peer::{Peer, json, streaming, tool};
use snakepit::error::{Error, Kind, Outcome};
use snakepit::proto::bridge::{
    ExecuteToolRequest, ExecuteToolResponse, ParameterSpec, RegisterToolsRequest, ToolChunk, ToolRegistration,
};
use snakepit::tools::{ChunkStream, HostTools, Limits, Origin, Tools};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_stream::StreamExt as _;

fn tools() -> Tools {
    Tools::new(HostTools::built_in(), Limits::default())
}

fn request(tool: &str, value: &str) -> ExecuteToolRequest {
    ExecuteToolRequest {
        session_id: "s".into(),
        tool_name: tool.into(),
        parameters: HashMap::from([("value".to_owned(), json(value))]),
        ..Default::default()
    }
}

type Running = JoinHandle<Result<ExecuteToolResponse, Error>>;

fn spawn(tools: &Tools, request: ExecuteToolRequest, origin: Origin) -> Running {
    let tools = tools.clone();
    tokio::spawn(async move { tools.call(request, origin).await })
}

fn spawn_many(tools: &Tools, name: &str, calls: usize) -> Vec<Running> {
    (0..calls)
        .map(|n| spawn(tools, request(name, &n.to_string()), Origin::default()))
        .collect()
}

fn within(time: Duration) -> Origin {
    Origin {
        deadline: Some(Instant::now() + time),
        ..Default::default()
    }
}

/// Waits until the desk shows it: every task that could change it runs on this test's runtime or answers soon.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(10), async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(waited.await.is_ok(), "never: {what}");
}

async fn queued(tools: &Tools, calls: usize) {
    until("queued", || tools.counters().queued == calls).await;
}

async fn ended(call: Running) -> Result<ExecuteToolResponse, Error> {
    tokio::time::timeout(Duration::from_secs(10), call)
        .await
        .expect("the call never ended")
        .unwrap()
}

/// Reads a stream to its end and keeps only that.
async fn final_item(mut stream: ChunkStream) -> Result<ToolChunk, Error> {
    let mut last = None;
    while let Some(item) = stream.next().await {
        last = Some(item);
    }
    last.expect("an empty stream")
}
