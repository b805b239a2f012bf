//! Tool calls: the session is checked, the request goes on as it came.

use std::sync::Arc;

use tokio_stream::StreamExt as _;
use tonic::{Request, Response, Status};

use super::{
    bridge_service::{Chunks, Reply, Service, unserved},
    origin,
};
use crate::{bridge::Live, proto::bridge as pb, tools::Origin, wire::status::to_status};

impl Service {
    pub(super) async fn execute_tool(
        &self,
        request: Request<pb::ExecuteToolRequest>,
    ) -> Reply<pb::ExecuteToolResponse> {
        let origin = call_origin(&request);
        let request = request.into_inner();
        unserved_options(&request)?;
        let live = self.bridge.session(&request.session_id)?;
        let _hold = live.hold();
        Ok(Response::new(self.tools.call(request, origin).await?))
    }

    pub(super) async fn execute_streaming_tool(
        &self,
        request: Request<pb::ExecuteToolRequest>,
    ) -> Reply<Chunks> {
        let origin = call_origin(&request);
        let request = request.into_inner();
        unserved_options(&request)?;
        let live = self.bridge.session(&request.session_id)?;
        let hold = live.hold();
        let chunks = self.tools.stream(request, origin).await?;
        Ok(Response::new(Box::pin(chunks.map(move |chunk| {
            // The stream is the running call: as long as it is there, so is its session.
            let _held = &hold;
            chunk.map_err(|error| to_status(&error))
        }))))
    }

    pub(super) async fn get_exposed_elixir_tools(
        &self,
        _: Request<pb::GetExposedElixirToolsRequest>,
    ) -> Reply<pb::GetExposedElixirToolsResponse> {
        // Old clients ask before they know whether their session exists, so that is not looked at.
        Ok(Response::new(pb::GetExposedElixirToolsResponse {
            tools: self.tools.host_specs(),
        }))
    }

    pub(super) async fn execute_elixir_tool(
        &self,
        request: Request<pb::ExecuteElixirToolRequest>,
    ) -> Reply<pb::ExecuteElixirToolResponse> {
        let origin = call_origin(&request);
        let request = request.into_inner();
        unserved("idempotency_key", !request.idempotency_key.is_empty())?;
        let live = self.bridge.session(&request.session_id)?;
        let _hold = live.hold();
        Ok(Response::new(self.tools.call_host(request, origin).await?))
    }

    pub(super) async fn register_tools(
        &self,
        request: Request<pb::RegisterToolsRequest>,
    ) -> Reply<pb::RegisterToolsResponse> {
        let origin = call_origin(&request);
        let request = request.into_inner();
        let _live: Option<Arc<Live>> = match request.session_id.as_str() {
            "" => None,
            session => Some(self.bridge.session(session)?),
        };
        Ok(Response::new(self.tools.register(request, &origin)?))
    }

    pub(super) async fn cancel_call(
        &self,
        request: Request<pb::CancelCallRequest>,
    ) -> Reply<pb::CancelCallResponse> {
        let request = request.into_inner();
        Ok(Response::new(
            self.tools.cancel(&request.call_id, &request.reason),
        ))
    }
}

fn call_origin<T>(request: &Request<T>) -> Origin {
    Origin {
        deadline: origin::deadline(request.metadata()),
        worker_id: origin::worker(request.metadata()),
        ..Origin::default()
    }
}

/// What the contract can say and a later issue serves.
fn unserved_options(request: &pb::ExecuteToolRequest) -> Result<(), Status> {
    unserved("idempotency_key", !request.idempotency_key.is_empty())?;
    unserved("detach", request.detach)?;
    unserved("affinity", request.affinity != pb::Affinity::Hint as i32)?;
    Ok(())
}
