//! Calls of tools: unary and streaming behind one type, with a deadline, and a cancel that reaches the tool.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use tokio::time::Instant;
use tonic::{Request, Status, Streaming};

use super::connection::Bridge;
use super::{Client, Value, fault};
use crate::error::{Error, Kind, Outcome, Result};
use crate::proto::bridge::{
    CallTiming, CancelCallRequest, ExecuteToolRequest, ExecuteToolResponse, ToolChunk, ToolFailure,
};

/// The trailing header that a failure in the middle of a stream comes in.
const FAILURE_HEADER: &str = "snakepit-failure-bin";

/// How much longer than the deadline the bridge has to say so itself, with what is known of the call.
const DEADLINE_MARGIN: Duration = Duration::from_millis(500);

/// A call to make.
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    /// The tool.
    pub tool: String,
    /// It yields chunks.
    pub streams: bool,
    /// Its parameters.
    pub parameters: Vec<(String, Value)>,
    /// Parameters that are bytes.
    pub binary: Vec<(String, Vec<u8>)>,
    /// The deadline; none = the tool's own, if it has one.
    pub timeout: Option<Duration>,
}

/// A call that runs. Dropping it without [`Call::cancel`] leaves the end to the bridge.
#[derive(Debug)]
pub struct Call {
    id: String,
    tool: String,
    bridge: Bridge,
    request: Option<ExecuteToolRequest>,
    chunks: Option<Streaming<ToolChunk>>,
    streams: bool,
    deadline: Option<Instant>,
    timeout: Option<Duration>,
    started: Instant,
}

/// What a call does, one after another.
#[derive(Debug, Clone)]
pub enum CallEvent {
    /// A report of progress: how far (0 to 1) and a few words, where the tool says them.
    Progress(Option<f64>, Option<String>),
    /// A chunk, and its number from 1.
    Chunk(u64, Bytes),
    /// The end: the result (null for none), and where the time went.
    Finished(Value, Timing),
}

/// Where the time of a call went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    /// Waiting for a worker.
    pub queued: Duration,
    /// From handing it to the worker until its answer.
    pub worker: Duration,
    /// Inside the tool.
    pub tool: Duration,
    /// From asking to the end, as the client saw it.
    pub total: Duration,
}

impl Client {
    /// Prepares a call. Nothing is sent before [`Call::next`].
    pub fn call(&self, options: CallOptions) -> Call {
        let id = call_id();
        let mut metadata = HashMap::new();
        if let Some(timeout) = options.timeout {
            metadata.insert("timeout_ms".to_owned(), timeout.as_millis().to_string());
        }
        let request = ExecuteToolRequest {
            session_id: self.session().to_owned(),
            tool_name: options.tool.clone(),
            parameters: options
                .parameters
                .iter()
                .map(|(name, value)| (name.clone(), value.encode()))
                .collect(),
            binary_parameters: options
                .binary
                .into_iter()
                .map(|(name, bytes)| (name, bytes.into()))
                .collect(),
            metadata,
            stream: options.streams,
            call_id: id.clone(),
            ..Default::default()
        };
        let started = Instant::now();
        Call {
            id,
            tool: options.tool,
            bridge: self.bridge(),
            request: Some(request),
            chunks: None,
            streams: options.streams,
            deadline: options.timeout.map(|timeout| started + timeout + DEADLINE_MARGIN),
            timeout: options.timeout,
            started,
        }
    }
}

impl Call {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it does next; none after [`CallEvent::Finished`]. Never to be called again after an error. Not cancel
    /// safe: dropping the future gives the call up.
    ///
    /// # Errors
    /// [`Kind::ToolFailed`] with the traceback when the tool raised; else what kept the call from its end.
    pub async fn next(&mut self) -> Option<Result<CallEvent>> {
        let Some(deadline) = self.deadline else {
            return self.step().await;
        };
        match tokio::time::timeout_at(deadline, self.step()).await {
            Ok(event) => event,
            Err(_) => Some(Err(Error::new(
                Kind::DeadlineExceeded,
                format!("`{}` did not end in time", self.tool),
            ))),
        }
    }

    /// Asks the bridge to stop the call.
    pub async fn cancel(&mut self, reason: &str) -> Result<()> {
        self.chunks = None;
        let request = CancelCallRequest {
            call_id: self.id.clone(),
            reason: reason.to_owned(),
        };
        let reply = self.bridge.cancel_call(request).await;
        reply.map(drop).map_err(|status| fault::error(&status))
    }

    async fn step(&mut self) -> Option<Result<CallEvent>> {
        if let Some(message) = self.request.take() {
            let mut request = Request::new(message);
            if let Some(timeout) = self.timeout {
                request.set_timeout(timeout + DEADLINE_MARGIN);
            }
            if !self.streams {
                let reply = self.bridge.execute_tool(request).await;
                return Some(
                    reply
                        .map_err(|status| self.failed(&status))
                        .and_then(|reply| self.finished(reply.into_inner())),
                );
            }
            match self.bridge.execute_streaming_tool(request).await {
                Ok(reply) => self.chunks = Some(reply.into_inner()),
                Err(status) => return Some(Err(self.failed(&status))),
            }
        }
        let chunk = self.chunks.as_mut()?.message().await;
        match chunk {
            Ok(Some(chunk)) => Some(self.chunk(chunk)),
            Ok(None) => {
                self.chunks = None;
                Some(Err(Error::new(
                    Kind::ConnectionLost,
                    format!("the stream of `{}` ended early", self.tool),
                )))
            }
            Err(status) => {
                self.chunks = None;
                Some(Err(self.failed(&status)))
            }
        }
    }

    fn chunk(&mut self, chunk: ToolChunk) -> Result<CallEvent> {
        if chunk.is_final {
            self.chunks = None;
            let result = match &chunk.result {
                Some(result) => Value::decode(Some(result))?,
                // A unary tool behind a stream: its value is the chunk itself.
                None if !chunk.data.is_empty() => from_data(&chunk.data)?,
                None => Value::decode(None)?,
            };
            return Ok(CallEvent::Finished(result, self.timing(chunk.timing)));
        }
        if chunk.metadata.get("kind").is_some_and(|kind| kind == "progress") {
            let report: serde_json::Value = serde_json::from_slice(&chunk.data).unwrap_or_default();
            let message = report["message"]
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned);
            return Ok(CallEvent::Progress(report["fraction"].as_f64(), message));
        }
        Ok(CallEvent::Chunk(chunk.seq, chunk.data))
    }

    fn finished(&self, reply: ExecuteToolResponse) -> Result<CallEvent> {
        if !reply.success {
            let failure = reply.failure.unwrap_or_else(|| ToolFailure {
                message: reply.error_message,
                ..Default::default()
            });
            return Err(raised(&self.tool, &failure));
        }
        let timing = self.timing(reply.timing);
        Ok(CallEvent::Finished(Value::decode(reply.result.as_ref())?, timing))
    }

    fn failed(&self, status: &Status) -> Error {
        let failure = status
            .metadata()
            .get_bin(FAILURE_HEADER)
            .and_then(|value| value.to_bytes().ok());
        if let Some(failure) = failure.and_then(|bytes| ToolFailure::decode(bytes).ok()) {
            return raised(&self.tool, &failure);
        }
        let error = fault::error(status);
        // The request was on its way: nobody can say that it never started.
        match (error.kind(), error.known_outcome()) {
            (Kind::ConnectionLost, None) => error.outcome(Outcome::MayHaveRun),
            _ => error,
        }
    }

    fn timing(&self, timing: Option<CallTiming>) -> Timing {
        let timing = timing.unwrap_or_default();
        Timing {
            queued: Duration::from_micros(timing.queued_us),
            worker: Duration::from_micros(timing.worker_us),
            tool: Duration::from_micros(timing.tool_us),
            total: self.started.elapsed(),
        }
    }
}

fn from_data(data: &Bytes) -> Result<Value> {
    let text = String::from_utf8_lossy(data);
    Value::from_json("", &text).or_else(|_| Value::from_text("string", &text))
}

/// The error of a tool that raised: what, and its traceback line by line.
fn raised(tool: &str, failure: &ToolFailure) -> Error {
    let what = match (failure.r#type.as_str(), failure.message.as_str()) {
        ("", message) => format!("`{tool}` failed: {message}"),
        (name, "") => format!("`{tool}` raised {name}"),
        (name, message) => format!("`{tool}` raised {name}: {message}"),
    };
    let mut error = Error::new(Kind::ToolFailed, what);
    for line in failure.traceback.lines() {
        error = error.detail(line);
    }
    if failure.retryable {
        error = error.hint("its author says that trying again may succeed");
    }
    error
}

/// An id that no other call has: 128 random bits.
fn call_id() -> String {
    let bits = || RandomState::new().build_hasher().finish();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64);
    let mut second = RandomState::new().build_hasher();
    second.write_u64(now);
    second.write_u32(std::process::id());
    format!("call_{:016x}{:016x}", bits(), second.finish())
}
