//! The way of a call through the room: find the tool, check the parameters, take a place at the desk, wait for
//! the end. The request goes on as it came, with the call's id and depth filled in.

use std::sync::Arc;

use prost::Message as _;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::call::{self, Origin, Reply, Work};
use super::call_id;
use super::chunks::{ChunkStream, until};
use super::desk::{Admission, Granted, Nesting};
use super::failure;
use super::host::HostCall;
use super::lease::Lease;
use super::limits::SMALL_REQUEST;
use super::registry::{Declaration, ToolId};
use super::{Target, Tools};
use crate::error::Error;
use crate::proto::bridge::{
    DispatchCall, ExecuteElixirToolRequest, ExecuteElixirToolResponse, ExecuteToolRequest,
    ExecuteToolResponse, ToolChunk,
};

impl Tools {
    /// Runs a tool and waits for its result. Dropping the future cancels the call.
    ///
    /// A tool that raised is a response with `success` = false. Everything else that can happen is an error with
    /// its outcome: `ToolNotFound`, `BadParameters`, `StreamingTool`, `QueueFull`, `DeadlineExceeded`,
    /// `CallCancelled`, `WorkerDied`, `NoWorker`, `TooDeep`, `ShuttingDown`.
    pub async fn call(
        &self,
        request: ExecuteToolRequest,
        origin: Origin,
    ) -> Result<ExecuteToolResponse, Error> {
        match self.target(&request.session_id, &request.tool_name)? {
            Target::Host(tool) => self
                .run_host(tool, HostCall::from(request), &origin)
                .await?
                .into_response(),
            Target::Worker(tool, declaration) => self.unary(tool, &declaration, request, origin).await,
        }
    }

    async fn unary(
        &self,
        tool: ToolId,
        declaration: &Arc<Declaration>,
        request: ExecuteToolRequest,
        origin: Origin,
    ) -> Result<ExecuteToolResponse, Error> {
        if declaration.registration.supports_streaming {
            return Err(failure::streams(&declaration.name));
        }
        let checked = Checked::new(&request, declaration, &origin)?;
        let (reply, answer) = oneshot::channel();
        let admission = checked.admission(&request, declaration, origin.worker_id);
        let granted = self
            .desk
            .admit(tool, admission, Reply::Result(reply), |granted| {
                work(forwarded(request, &checked.id, granted), origin.traceparent)
            })?;
        let lease = Lease::new(&self.desk, &checked.id);
        tokio::select! {
            biased;
            ended = answer => {
                lease.pass_on();
                ended.unwrap_or_else(|_| Err(failure::died(call::subject(declaration))))
            }
            () = until(granted.deadline) => {
                Err(failure::too_late(&declaration.name, lease.give_up("deadline exceeded")))
            }
        }
    }

    /// Runs a tool and relays its chunks; a tool that does not stream sends one final chunk. Dropping the stream
    /// cancels the call. Errors are those of [`Tools::call`], and `ToolFailed` where the tool raised.
    pub async fn stream(&self, request: ExecuteToolRequest, origin: Origin) -> Result<ChunkStream, Error> {
        let (tool, declaration) = match self.target(&request.session_id, &request.tool_name)? {
            Target::Worker(tool, declaration) => (tool, declaration),
            Target::Host(tool) => {
                let chunk: ToolChunk = self
                    .run_host(tool, HostCall::from(request), &origin)
                    .await?
                    .into_chunk()?;
                return Ok(ChunkStream::whole(chunk));
            }
        };
        let checked = Checked::new(&request, &declaration, &origin)?;
        let arrived = Instant::now();
        let (reply, permit) = oneshot::channel();
        let admission = checked.admission(&request, &declaration, origin.worker_id);
        let granted = self
            .desk
            .admit(tool, admission, Reply::Permit(reply), |_| Work::Stream)?;
        let lease = Lease::of_stream(&self.desk, &checked.id);
        let link = tokio::select! {
            biased;
            permit = permit => match permit {
                Ok(Ok(link)) => link,
                Ok(Err(error)) => {
                    lease.pass_on();
                    return Err(error);
                }
                Err(_) => return Err(failure::no_worker(&declaration.name)),
            },
            () = until(granted.deadline) => {
                return Err(failure::too_late(&declaration.name, lease.give_up("deadline exceeded")));
            }
        };
        let request = forwarded(request, &checked.id, granted);
        ChunkStream::open(lease, link, request, declaration, granted.deadline, arrived).await
    }

    /// Runs a host tool by the contract's own method. Fails as [`Tools::call`] does; only host tools are found.
    pub async fn call_host(
        &self,
        request: ExecuteElixirToolRequest,
        origin: Origin,
    ) -> Result<ExecuteElixirToolResponse, Error> {
        let name = &request.tool_name;
        let tool = self
            .host
            .get(name)
            .ok_or_else(|| self.not_found(&request.session_id, name))?;
        self.run_host(tool, HostCall::from(request), &origin)
            .await?
            .into_elixir_response()
    }
}

/// A request that fits its tool.
struct Checked {
    id: Arc<str>,
    deadline: Option<Instant>,
}

impl Checked {
    fn new(request: &ExecuteToolRequest, declaration: &Declaration, origin: &Origin) -> Result<Self, Error> {
        declaration
            .signature
            .check(&request.parameters, &request.binary_parameters)?;
        Ok(Self {
            id: call_id::chosen(&request.call_id)?,
            deadline: call::deadline(origin, &request.metadata, declaration, Instant::now())?,
        })
    }

    fn admission(
        &self,
        request: &ExecuteToolRequest,
        declaration: &Arc<Declaration>,
        worker: Option<String>,
    ) -> Admission {
        Admission {
            id: Arc::clone(&self.id),
            session: request.session_id.clone(),
            declaration: Arc::clone(declaration),
            nesting: Nesting {
                parent: request.parent_call_id.clone(),
                depth: request.depth,
                worker,
            },
            deadline: self.deadline,
        }
    }
}

fn forwarded(mut request: ExecuteToolRequest, id: &str, granted: Granted) -> ExecuteToolRequest {
    id.clone_into(&mut request.call_id);
    request.depth = granted.depth;
    request
}

fn work(request: ExecuteToolRequest, traceparent: String) -> Work {
    if request.encoded_len() < SMALL_REQUEST {
        Work::Small(Box::new(DispatchCall {
            request: Some(request),
            timeout_ms: 0,
            traceparent,
        }))
    } else {
        Work::Large(Box::new(request))
    }
}
