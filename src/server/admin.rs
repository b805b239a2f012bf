//! The admin service: what an operator, a supervisor and the command line need beyond the contract.

use std::pin::Pin;

use tokio::sync::mpsc;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::{
    archive::Lines,
    bridge_service::{Reply, Service, durability},
    sessions::{expires_in_ms, ttl_seconds},
};
use crate::{
    bridge::Live,
    error::{Error, Kind},
    proto::admin::{self as pb, admin_service_server::AdminService},
    session::Glob,
    tools::{Attached, WorkerAddress},
    wire::time::timestamp,
};

/// Orders to one supervisor that it has not read yet.
const ORDERS: usize = 8;

#[tonic::async_trait]
impl AdminService for Service {
    type ExportSessionStream = Lines;
    type RegisterWorkerStream = Pin<Box<dyn Stream<Item = Result<pb::WorkerOrder, Status>> + Send>>;

    async fn get_server_info(
        &self,
        _: Request<pb::GetServerInfoRequest>,
    ) -> Reply<pb::GetServerInfoResponse> {
        let sessions = self.bridge.all();
        let workers = self.tools.workers();
        let counters = self.tools.counters();
        Ok(Response::new(pb::GetServerInfoResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: self.about.name.clone(),
            pid: std::process::id(),
            started_at: Some(timestamp(self.about.started_at)),
            addresses: self.about.addresses.clone(),
            durability: durability(self.bridge.durability()) as i32,
            data_dir: String::new(),
            sessions: count(sessions.len()),
            workers_ready: count(
                workers
                    .iter()
                    .filter(|worker| worker.state == "ready" || worker.state == "busy")
                    .count(),
            ),
            workers: count(workers.len()),
            tools: count(self.tools.list(None).len()),
            watches: count(sessions.iter().map(|live| live.hub().watchers()).sum()),
            calls_running: count(counters.running),
            calls_finished: counters.finished,
            calls_failed: counters.failed,
            calls_queued: count(counters.queued),
        }))
    }

    async fn list_sessions(&self, _: Request<pb::ListSessionsRequest>) -> Reply<pb::ListSessionsResponse> {
        let sessions = self.bridge.all().iter().map(|live| self.summary(live)).collect();
        Ok(Response::new(pb::ListSessionsResponse { sessions }))
    }

    async fn list_tools(&self, request: Request<pb::ListToolsRequest>) -> Reply<pb::ListToolsResponse> {
        let request = request.into_inner();
        let session = (!request.session_id.is_empty()).then_some(request.session_id.as_str());
        let mut tools = self.tools.list(session);
        if !request.pattern.is_empty() {
            let glob = Glob::new(&request.pattern);
            tools.retain(|tool| glob.matches(&tool.name));
        }
        Ok(Response::new(pb::ListToolsResponse { tools }))
    }

    async fn describe_tool(
        &self,
        request: Request<pb::DescribeToolRequest>,
    ) -> Reply<pb::DescribeToolResponse> {
        let request = request.into_inner();
        let tool = self.tools.describe(&request.session_id, &request.name)?;
        Ok(Response::new(pb::DescribeToolResponse { tool: Some(tool) }))
    }

    async fn list_workers(&self, _: Request<pb::ListWorkersRequest>) -> Reply<pb::ListWorkersResponse> {
        Ok(Response::new(pb::ListWorkersResponse {
            workers: self.tools.workers(),
        }))
    }

    async fn describe_variables(
        &self,
        request: Request<pb::DescribeVariablesRequest>,
    ) -> Reply<pb::DescribeVariablesResponse> {
        Self::describe_variables(self, request).await
    }

    async fn set_constraints(
        &self,
        request: Request<pb::SetConstraintsRequest>,
    ) -> Reply<pb::SetConstraintsResponse> {
        Self::set_constraints(self, request).await
    }

    async fn set_metadata(&self, request: Request<pb::SetMetadataRequest>) -> Reply<pb::SetMetadataResponse> {
        Self::set_metadata(self, request).await
    }

    async fn fork_session(&self, request: Request<pb::ForkSessionRequest>) -> Reply<pb::ForkSessionResponse> {
        Self::fork_session(self, request).await
    }

    async fn create_checkpoint(
        &self,
        request: Request<pb::CreateCheckpointRequest>,
    ) -> Reply<pb::CreateCheckpointResponse> {
        Self::create_checkpoint(self, request).await
    }

    async fn list_checkpoints(
        &self,
        request: Request<pb::ListCheckpointsRequest>,
    ) -> Reply<pb::ListCheckpointsResponse> {
        Self::list_checkpoints(self, request).await
    }

    async fn delete_checkpoint(
        &self,
        request: Request<pb::DeleteCheckpointRequest>,
    ) -> Reply<pb::DeleteCheckpointResponse> {
        Self::delete_checkpoint(self, request).await
    }

    async fn restore_checkpoint(
        &self,
        request: Request<pb::RestoreCheckpointRequest>,
    ) -> Reply<pb::RestoreCheckpointResponse> {
        Self::restore_checkpoint(self, request).await
    }

    async fn export_session(&self, request: Request<pb::ExportSessionRequest>) -> Reply<Lines> {
        Self::export_session(self, request).await
    }

    async fn import_session(
        &self,
        request: Request<Streaming<pb::ImportChunk>>,
    ) -> Reply<pb::ImportSessionResponse> {
        Self::import_session(self, request).await
    }

    async fn register_worker(
        &self,
        request: Request<pb::RegisterWorkerRequest>,
    ) -> Reply<Self::RegisterWorkerStream> {
        let request = request.into_inner();
        if !request.session_id.is_empty() {
            // Nothing would ever take the tools of a session that is not there away again.
            self.bridge.session(&request.session_id)?;
        }
        let worker_id = request.worker_id.clone();
        let worker = WorkerAddress {
            worker_id: request.worker_id,
            incarnation: request.incarnation,
            address: request.address,
            session: (!request.session_id.is_empty()).then_some(request.session_id),
            pid: request.pid,
            source: request.source,
            restarts: request.restarts,
            host: request.host,
        };
        let tools = self.tools.clone();
        // The link's tasks live where it is dialled: not on the front that happens to have this connection.
        let attached = self.home.spawn(async move { tools.attach(worker).await }).await;
        let attached =
            attached.map_err(|_| Error::new(Kind::ShuttingDown, "the bridge is shutting down"))??;
        Ok(Response::new(Box::pin(orders(
            worker_id,
            attached,
            self.closing.clone(),
        ))))
    }
}

impl Service {
    fn summary(&self, live: &Live) -> pb::SessionSummary {
        let state = live.read();
        pb::SessionSummary {
            session_id: live.id().as_str().to_owned(),
            created_at: Some(timestamp(state.created_at)),
            ttl_seconds: ttl_seconds(live.ttl()),
            expires_in_ms: expires_in_ms(live),
            revision: state.revision.0,
            epoch: state.epoch.0,
            variables: count(state.len()),
            tools: count(self.tools.list(Some(live.id().as_str())).len()),
            watches: count(live.hub().watchers()),
            calls: self.running_calls(live),
            metadata: state.metadata.clone().into_iter().collect(),
            bytes: u64::try_from(state.bytes()).unwrap_or(u64::MAX),
            checkpoints: count(state.checkpoints().count()),
            forked_from: state
                .origin()
                .map(|origin| origin.session.clone())
                .unwrap_or_default(),
        }
    }
}

/// The lease of a worker as a stream: it lasts as long as the supervisor reads it, and ends with the bridge.
fn orders(
    worker_id: String,
    mut attached: Attached,
    closing: CancellationToken,
) -> impl Stream<Item = Result<pb::WorkerOrder, Status>> + Send {
    let (send, receive) = mpsc::channel(ORDERS);
    let accepted = pb::WorkerAccepted {
        worker_id,
        tools: attached.tools.clone(),
    };
    tokio::spawn(async move {
        let mut next = Some(pb::WorkerOrder {
            order: Some(pb::worker_order::Order::Accepted(accepted)),
        });
        while let Some(order) = next {
            if send.send(Ok(order)).await.is_err() {
                return;
            }
            next = tokio::select! {
                () = closing.cancelled() => None,
                () = send.closed() => None,
                order = attached.orders.recv() => order,
            };
        }
    });
    ReceiverStream::new(receive)
}

pub(super) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
