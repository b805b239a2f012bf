//! Tools: list and describe.

use serde::Serialize;
use serde_json::value::RawValue;

use super::variables::incomplete;
use super::view::object;
use super::{Client, Value};
use crate::error::Result;
use crate::proto::admin::{DescribeToolRequest, ListToolsRequest};
use crate::proto::bridge::{ParameterSpec, ToolSpec};

/// A tool as it is declared.
#[derive(Debug, Clone, Serialize)]
pub struct ToolView {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// `worker` or `host`.
    pub kind: String,
    /// The session it belongs to; none = every session.
    pub scope: Option<String>,
    /// Yields chunks.
    pub streams: bool,
    /// Running it twice is as good as once.
    pub idempotent: bool,
    /// Its parameters, in order.
    pub parameters: Vec<ParameterView>,
    /// Takes parameters that are not declared.
    pub accepts_extra: bool,
    /// Its own deadline in milliseconds; none = none.
    pub timeout_ms: Option<u64>,
    /// Variables that it needs in the caller's session.
    pub required_variables: Vec<String>,
    /// JSON Schema of the parameters.
    pub input_schema: Box<RawValue>,
    /// JSON Schema of the result.
    pub output_schema: Box<RawValue>,
    /// The workers that serve it.
    pub workers: Vec<String>,
}

/// A parameter of a tool.
#[derive(Debug, Clone, Serialize)]
pub struct ParameterView {
    /// Its name.
    pub name: String,
    /// str, int, float, bool, list, dict, bytes or any.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What it is for.
    pub description: String,
    /// The call has to name it.
    pub required: bool,
    /// What it is when the call does not; null = none.
    pub default: Value,
}

impl Client {
    /// Tools that the session can call, by name; an empty pattern lists all.
    pub async fn tools(&self, pattern: &str) -> Result<Vec<ToolView>> {
        let request = ListToolsRequest {
            session_id: self.session().to_owned(),
            pattern: pattern.to_owned(),
        };
        let reply = self
            .ask(request, async |admin, request| admin.list_tools(request).await)
            .await?;
        reply.tools.into_iter().map(read).collect()
    }

    /// One tool.
    ///
    /// # Errors
    /// [`ToolNotFound`](crate::error::Kind::ToolNotFound).
    pub async fn tool(&self, name: &str) -> Result<ToolView> {
        let request = DescribeToolRequest {
            session_id: self.session().to_owned(),
            name: name.to_owned(),
        };
        let reply = self
            .ask(request, async |admin, request| admin.describe_tool(request).await)
            .await?;
        read(reply.tool.ok_or_else(|| incomplete("DescribeTool"))?)
    }
}

fn read(tool: ToolSpec) -> Result<ToolView> {
    Ok(ToolView {
        name: tool.name,
        description: tool.description,
        kind: tool.kind,
        scope: Some(tool.scope).filter(|scope| !scope.is_empty()),
        streams: tool.supports_streaming,
        idempotent: tool.idempotent,
        parameters: tool
            .parameters
            .into_iter()
            .map(parameter)
            .collect::<Result<_>>()?,
        accepts_extra: tool.accepts_extra,
        timeout_ms: Some(tool.timeout_ms).filter(|limit| *limit > 0),
        required_variables: tool.required_variables,
        input_schema: object(&tool.input_schema),
        output_schema: object(&tool.output_schema),
        workers: tool.worker_ids,
    })
}

fn parameter(spec: ParameterSpec) -> Result<ParameterView> {
    Ok(ParameterView {
        name: spec.name,
        type_name: spec.r#type,
        description: spec.description,
        required: spec.required,
        default: Value::decode(spec.default_value.as_ref())?,
    })
}
