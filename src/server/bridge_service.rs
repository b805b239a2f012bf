//! The services of the edge and the router before them.
//!
//! The trait that tonic makes of the contract is implemented here once, method by method, and each method is one
//! line: what it does is in the file of its area.

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc};

use http::{Request as HttpRequest, Response as HttpResponse};
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, body::Body};
use tonic_health::server::HealthReporter;
use tower::Service as _;

use super::{MAX_MESSAGE_BYTES, watch::Updates};
use crate::{
    bridge::{Bridge, Live},
    error::{Error, Kind, Result},
    journal,
    proto::{
        DESCRIPTOR_SET,
        admin::admin_service_server::AdminServiceServer,
        bridge::{
            self as pb,
            bridge_service_server::{BridgeService, BridgeServiceServer},
        },
    },
    session::WallTime,
    tools::Tools,
};

/// What a method answers.
pub(super) type Reply<T> = Result<Response<T>, Status>;

/// A stream of chunks of one call.
pub(super) type Chunks = Pin<Box<dyn tokio_stream::Stream<Item = Result<pb::ToolChunk, Status>> + Send>>;

/// What every connection answers from. One pointer, because writes take a copy along.
#[derive(Clone)]
pub(super) struct Service(Arc<Parts>);

/// The parts of a [`Service`].
pub(super) struct Parts {
    pub(super) bridge: Arc<Bridge>,
    pub(super) tools: Tools,
    /// Cancelled when the bridge goes down.
    pub(super) stop: CancellationToken,
    /// Cancelled after that, when no call runs any more.
    pub(super) closing: CancellationToken,
    pub(super) about: Arc<About>,
    /// The runtime of processes, timers and links to workers.
    pub(super) home: tokio::runtime::Handle,
    /// Imports at once; each holds what it has read.
    pub(super) imports: Arc<tokio::sync::Semaphore>,
}

/// What the bridge says of itself.
#[derive(Debug)]
pub(super) struct About {
    pub(super) name: String,
    pub(super) addresses: Vec<String>,
    pub(super) started_at: WallTime,
}

impl std::ops::Deref for Service {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Service {
    pub(super) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Calls that run or wait in a session.
    pub(super) fn running_calls(&self, live: &Live) -> u32 {
        u32::try_from(self.tools.session_calls(live.id().as_str())).unwrap_or(u32::MAX)
    }
}

/// A field of the contract that a later issue serves: refused, so that nobody relies on what is not done.
pub(super) fn unserved(field: &str, used: bool) -> Result<()> {
    if used {
        return Err(Error::new(
            Kind::NotServed,
            format!("`{field}` is not served by this release"),
        ));
    }
    Ok(())
}

fn unserved_method<T>(method: &str) -> Reply<T> {
    Err(Error::new(
        Kind::NotServed,
        format!("`{method}` is not served by this release"),
    )
    .into())
}

/// A method that only workers serve.
fn worker_method<T>(method: &str) -> Reply<T> {
    Err(Error::new(
        Kind::NotServed,
        format!("`{method}` is served by workers, not by the bridge"),
    )
    .into())
}

/// A journal's promise on the wire.
pub(super) fn durability(durability: journal::Durability) -> pb::Durability {
    match durability {
        journal::Durability::Ephemeral => pb::Durability::Ephemeral,
        journal::Durability::Synced => pb::Durability::Synced,
    }
}

#[tonic::async_trait]
impl BridgeService for Service {
    type ExecuteStreamingToolStream = Chunks;
    type WatchVariablesStream = Updates;
    type DispatchStream =
        Pin<Box<dyn tokio_stream::Stream<Item = Result<pb::DispatchResults, Status>> + Send>>;
    type AttachCallStream = Chunks;

    async fn ping(&self, request: Request<pb::PingRequest>) -> Reply<pb::PingResponse> {
        Self::ping(self, request).await
    }

    async fn initialize_session(
        &self,
        request: Request<pb::InitializeSessionRequest>,
    ) -> Reply<pb::InitializeSessionResponse> {
        Self::initialize_session(self, request).await
    }

    async fn cleanup_session(
        &self,
        request: Request<pb::CleanupSessionRequest>,
    ) -> Reply<pb::CleanupSessionResponse> {
        Self::cleanup_session(self, request).await
    }

    async fn get_session(&self, request: Request<pb::GetSessionRequest>) -> Reply<pb::GetSessionResponse> {
        Self::get_session(self, request).await
    }

    async fn heartbeat(&self, request: Request<pb::HeartbeatRequest>) -> Reply<pb::HeartbeatResponse> {
        Self::heartbeat(self, request).await
    }

    async fn get_variable(&self, request: Request<pb::GetVariableRequest>) -> Reply<pb::GetVariableResponse> {
        Self::get_variable(self, request).await
    }

    async fn set_variable(&self, request: Request<pb::SetVariableRequest>) -> Reply<pb::SetVariableResponse> {
        Self::set_variable(self, request).await
    }

    async fn get_variables(
        &self,
        request: Request<pb::BatchGetVariablesRequest>,
    ) -> Reply<pb::BatchGetVariablesResponse> {
        Self::get_variables(self, request).await
    }

    async fn set_variables(
        &self,
        request: Request<pb::BatchSetVariablesRequest>,
    ) -> Reply<pb::BatchSetVariablesResponse> {
        Self::set_variables(self, request).await
    }

    async fn register_variable(
        &self,
        request: Request<pb::RegisterVariableRequest>,
    ) -> Reply<pb::RegisterVariableResponse> {
        Self::register_variable(self, request).await
    }

    async fn list_variables(
        &self,
        request: Request<pb::ListVariablesRequest>,
    ) -> Reply<pb::ListVariablesResponse> {
        Self::list_variables(self, request).await
    }

    async fn delete_variable(
        &self,
        request: Request<pb::DeleteVariableRequest>,
    ) -> Reply<pb::DeleteVariableResponse> {
        Self::delete_variable(self, request).await
    }

    async fn execute_tool(&self, request: Request<pb::ExecuteToolRequest>) -> Reply<pb::ExecuteToolResponse> {
        Self::execute_tool(self, request).await
    }

    async fn execute_streaming_tool(&self, request: Request<pb::ExecuteToolRequest>) -> Reply<Chunks> {
        Self::execute_streaming_tool(self, request).await
    }

    async fn register_tools(
        &self,
        request: Request<pb::RegisterToolsRequest>,
    ) -> Reply<pb::RegisterToolsResponse> {
        Self::register_tools(self, request).await
    }

    async fn get_exposed_elixir_tools(
        &self,
        request: Request<pb::GetExposedElixirToolsRequest>,
    ) -> Reply<pb::GetExposedElixirToolsResponse> {
        Self::get_exposed_elixir_tools(self, request).await
    }

    async fn execute_elixir_tool(
        &self,
        request: Request<pb::ExecuteElixirToolRequest>,
    ) -> Reply<pb::ExecuteElixirToolResponse> {
        Self::execute_elixir_tool(self, request).await
    }

    async fn watch_variables(&self, request: Request<pb::WatchVariablesRequest>) -> Reply<Updates> {
        Self::watch_variables(self, request).await
    }

    async fn cancel_call(&self, request: Request<pb::CancelCallRequest>) -> Reply<pb::CancelCallResponse> {
        Self::cancel_call(self, request).await
    }

    async fn add_dependency(&self, _: Request<pb::AddDependencyRequest>) -> Reply<pb::AddDependencyResponse> {
        unserved_method("AddDependency")
    }

    async fn start_optimization(
        &self,
        _: Request<pb::StartOptimizationRequest>,
    ) -> Reply<pb::StartOptimizationResponse> {
        unserved_method("StartOptimization")
    }

    async fn stop_optimization(
        &self,
        _: Request<pb::StopOptimizationRequest>,
    ) -> Reply<pb::StopOptimizationResponse> {
        unserved_method("StopOptimization")
    }

    async fn get_variable_history(
        &self,
        _: Request<pb::GetVariableHistoryRequest>,
    ) -> Reply<pb::GetVariableHistoryResponse> {
        unserved_method("GetVariableHistory")
    }

    async fn rollback_variable(
        &self,
        _: Request<pb::RollbackVariableRequest>,
    ) -> Reply<pb::RollbackVariableResponse> {
        unserved_method("RollbackVariable")
    }

    async fn attach_call(&self, _: Request<pb::AttachCallRequest>) -> Reply<Chunks> {
        unserved_method("AttachCall")
    }

    async fn dispatch(&self, _: Request<Streaming<pb::DispatchBatch>>) -> Reply<Self::DispatchStream> {
        worker_method("Dispatch")
    }

    async fn handshake(&self, _: Request<pb::HandshakeRequest>) -> Reply<pb::HandshakeResponse> {
        worker_method("Handshake")
    }
}

/// What the router gives back.
pub(super) type Answered = Pin<Box<dyn Future<Output = Result<HttpResponse<Body>, Infallible>> + Send>>;

/// Every service of the edge, chosen by the first part of the path.
#[derive(Clone)]
pub(super) struct Router {
    bridge: BridgeServiceServer<Service>,
    admin: AdminServiceServer<Service>,
    rest: tonic::service::Routes,
}

impl Router {
    /// The router, and the reporter that says whether the bridge is healthy.
    pub(super) fn new(service: &Service) -> (Self, HealthReporter) {
        let bridge = BridgeServiceServer::new(service.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        let admin = AdminServiceServer::new(service.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        let (health, server) = tonic_health::server::health_reporter();
        let mut rest = tonic::service::Routes::builder();
        rest.add_service(server);
        add_reflection(&mut rest);
        (
            Self {
                bridge,
                admin,
                rest: rest.routes(),
            },
            health,
        )
    }

    /// Answers one request. The hot service is found by one comparison; the rest go through tonic's own routes.
    pub(super) fn route(&self, request: HttpRequest<Incoming>) -> Answered {
        let path = request.uri().path();
        if path.starts_with("/snakepit.bridge.BridgeService/") {
            return self.bridge.clone().call(request);
        }
        if path.starts_with("/snakepit.admin.AdminService/") {
            return self.admin.clone().call(request);
        }
        Box::pin(self.rest.clone().call(request))
    }
}

/// Says over the wire which services there are: both versions, because tools in use speak either.
fn add_reflection(rest: &mut tonic::service::RoutesBuilder) {
    let files = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    match (files().build_v1(), files().build_v1alpha()) {
        (Ok(v1), Ok(v1alpha)) => {
            rest.add_service(v1).add_service(v1alpha);
        }
        (Err(cause), _) | (_, Err(cause)) => tracing::error!(%cause, "reflection is off"),
    }
}
