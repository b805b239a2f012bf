//! One call of a host tool: the same checks, deadline, cancel and place at the desk as a worker's tool has, and
//! its answer in each of the contract's three forms.

use std::collections::HashMap;
use std::sync::Arc;

use crate::proto::Any;
use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::call::{self, Origin, Place};
use super::super::chunks::until;
use super::super::desk::{Admission, Nesting};
use super::super::lease::Lease;
use super::super::{Tools, call_id, failure};
use super::{HostContext, HostTool};
use crate::error::{Error, Kind, Outcome};
use crate::proto::bridge::{
    ExecuteElixirToolRequest, ExecuteElixirToolResponse, ExecuteToolRequest, ExecuteToolResponse, ToolChunk,
    ToolFailure,
};

/// A request for a host tool, whichever method it came by.
pub(in crate::tools) struct HostCall {
    session_id: String,
    parameters: HashMap<String, Any>,
    binary_parameters: HashMap<String, Bytes>,
    metadata: HashMap<String, String>,
    call_id: String,
    parent_call_id: String,
    depth: u32,
}

impl From<ExecuteToolRequest> for HostCall {
    fn from(request: ExecuteToolRequest) -> Self {
        Self {
            session_id: request.session_id,
            parameters: request.parameters,
            binary_parameters: request.binary_parameters,
            metadata: request.metadata,
            call_id: request.call_id,
            parent_call_id: request.parent_call_id,
            depth: request.depth,
        }
    }
}

impl From<ExecuteElixirToolRequest> for HostCall {
    fn from(request: ExecuteElixirToolRequest) -> Self {
        Self {
            session_id: request.session_id,
            parameters: request.parameters,
            binary_parameters: request.binary_parameters,
            metadata: request.metadata,
            call_id: request.call_id,
            parent_call_id: request.parent_call_id,
            depth: request.depth,
        }
    }
}

/// How a host tool ended: its value, or what it failed with.
pub(in crate::tools) struct HostEnd {
    call_id: Arc<str>,
    value: Result<Value, ToolFailure>,
    millis: i64,
}

impl Tools {
    pub(in crate::tools) async fn run_host(
        &self,
        tool: &HostTool,
        request: HostCall,
        origin: &Origin,
    ) -> Result<HostEnd, Error> {
        let declaration = &tool.declaration;
        declaration
            .signature
            .check(&request.parameters, &request.binary_parameters)?;
        let arguments = arguments(&declaration.name, &request)?;
        let id = call_id::chosen(&request.call_id)?;
        let started = Instant::now();
        let deadline = call::deadline(origin, &request.metadata, declaration, started)?;
        let stop = CancellationToken::new();
        let admission = Admission {
            id: Arc::clone(&id),
            session: request.session_id.clone(),
            declaration: Arc::clone(declaration),
            nesting: Nesting {
                parent: request.parent_call_id,
                depth: request.depth,
                worker: origin.worker_id.clone(),
            },
            deadline,
        };
        let granted = self
            .desk
            .admit_host(admission, Place::Host { stop: stop.clone() })?;
        // From here on the call has one end: `close`, by whichever way this function is left.
        let lease = HostLease {
            lease: Some(Lease::new(&self.desk, &id)),
        };
        let context = HostContext {
            call_id: id.to_string(),
            session_id: request.session_id,
            deadline: granted.deadline,
            cancelled: stop.clone(),
        };
        let ended = tokio::select! {
            ended = (tool.run)(Value::Object(arguments), context) => ended,
            () = stop.cancelled() => Err(failure::cancelled(&id, "", Outcome::MayHaveRun)),
            () = until(granted.deadline) => Err(failure::too_late(&declaration.name, Outcome::MayHaveRun)),
        };
        let reason = lease.end(ended.is_ok());
        let value = match (ended, reason) {
            (Ok(value), _) => Ok(value),
            (Err(error), _) if error.kind() == Kind::ToolFailed => Err(failed(&error)),
            (Err(error), Some(reason)) if error.kind() == Kind::CallCancelled => {
                return Err(failure::cancelled(&id, &reason, Outcome::MayHaveRun));
            }
            (Err(error), _) => return Err(error),
        };
        let millis = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        Ok(HostEnd {
            call_id: id,
            value,
            millis,
        })
    }
}

/// Ends a host call when its task ends: nothing else runs it, so there is nobody to wait for.
struct HostLease {
    lease: Option<Lease>,
}

impl HostLease {
    fn end(mut self, well: bool) -> Option<String> {
        let (desk, id) = self.lease.take()?.pass_on();
        desk.close(&id, well)
    }
}

impl Drop for HostLease {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            let (desk, id) = lease.pass_on();
            desk.abandon(&id, "the caller went away");
            desk.close(&id, false);
        }
    }
}

/// The parameters as one JSON object.
fn arguments(tool: &str, request: &HostCall) -> Result<Map<String, Value>, Error> {
    let refuse = |name: &str, why: String| {
        Error::new(Kind::BadParameters, format!("invalid parameters for `{tool}`"))
            .detail(format!("`{name}` {why}"))
            .outcome(Outcome::NeverStarted)
    };
    if let Some(name) = request.binary_parameters.keys().next() {
        return Err(refuse(name, "is binary, and host tools take JSON".to_owned()));
    }
    let mut names: Vec<_> = request.parameters.iter().collect();
    names.sort_unstable_by_key(|(name, _)| *name);
    let parse = |(name, value): (&String, &Any)| {
        let value = serde_json::from_slice(&value.value)
            .map_err(|why| refuse(name, format!("is not JSON: {why}")))?;
        Ok((name.clone(), value))
    };
    names.into_iter().map(parse).collect()
}

fn failed(error: &Error) -> ToolFailure {
    ToolFailure {
        r#type: "HostToolError".to_owned(),
        message: error.message().to_owned(),
        traceback: error.details().join("\n"),
        ..Default::default()
    }
}

impl HostEnd {
    pub(in crate::tools) fn into_response(self) -> Result<ExecuteToolResponse, Error> {
        let (value, failure) = split(self.value);
        Ok(ExecuteToolResponse {
            success: failure.is_none(),
            result: value.as_ref().map(typed).transpose()?,
            error_message: failure
                .as_ref()
                .map(|failure| failure.message.clone())
                .unwrap_or_default(),
            metadata: times(self.millis),
            execution_time_ms: self.millis,
            call_id: self.call_id.to_string(),
            failure,
            ..Default::default()
        })
    }

    /// For old clients the value is JSON text under the name of a string.
    pub(in crate::tools) fn into_elixir_response(self) -> Result<ExecuteElixirToolResponse, Error> {
        let (value, failure) = split(self.value);
        let untyped = |value: &Value| {
            any(
                "type.googleapis.com/google.protobuf.StringValue".to_owned(),
                value,
            )
        };
        Ok(ExecuteElixirToolResponse {
            success: failure.is_none(),
            result: value.as_ref().map(untyped).transpose()?,
            error_message: failure
                .as_ref()
                .map(|failure| failure.message.clone())
                .unwrap_or_default(),
            metadata: times(self.millis),
            execution_time_ms: self.millis,
            call_id: self.call_id.to_string(),
            failure,
            ..Default::default()
        })
    }

    pub(in crate::tools) fn into_chunk(self) -> Result<ToolChunk, Error> {
        let value = self.value.map_err(|failure| {
            let error = Error::new(Kind::ToolFailed, failure.message).outcome(Outcome::MayHaveRun);
            failure
                .traceback
                .lines()
                .fold(error, |error, line| error.detail(line))
        })?;
        let result = typed(&value)?;
        Ok(ToolChunk {
            chunk_id: format!("{}-1", self.call_id),
            data: result.value.clone(),
            is_final: true,
            seq: 1,
            call_id: self.call_id.to_string(),
            result: Some(result),
            produced_at: Some(std::time::SystemTime::now().into()),
            ..Default::default()
        })
    }
}

fn split(value: Result<Value, ToolFailure>) -> (Option<Value>, Option<ToolFailure>) {
    match value {
        Ok(value) => (Some(value), None),
        Err(failure) => (None, Some(failure)),
    }
}

fn times(millis: i64) -> HashMap<String, String> {
    ["execution_time", "execution_time_ms"]
        .map(|key| (key.to_owned(), millis.to_string()))
        .into()
}

/// A value under the name of the type that it shows.
fn typed(value: &Value) -> Result<Any, Error> {
    let name = match value {
        Value::Null => "any",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    };
    any(format!("type.googleapis.com/snakepit.{name}"), value)
}

fn any(type_url: String, value: &Value) -> Result<Any, Error> {
    let value = serde_json::to_vec(value).map_err(|why| {
        Error::new(Kind::Internal, "a host tool's result is no JSON").detail(why.to_string())
    })?;
    Ok(Any {
        type_url,
        value: value.into(),
    })
}
