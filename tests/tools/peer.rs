//! A worker on the real wire, written in Rust so that a test decides when each call ends. It lives on a thread
//! and runtime of its own; killing it closes its connections as the death of a process does.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use snakepit::proto::Any;
use snakepit::proto::bridge::bridge_service_server::{BridgeService, BridgeServiceServer};
use snakepit::proto::bridge::*;
use snakepit::tools::{Attached, Tools, WorkerAddress};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_stream::wrappers::{ReceiverStream, UnboundedReceiverStream};
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

type Out<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What a test sees of a worker, and how it steers it.
#[derive(Clone)]
pub struct Seen(Arc<Inner>);

struct Inner {
    tools: Vec<ToolRegistration>,
    capacity: u32,
    /// Calls of `gate` go on with one permit each.
    gate: Semaphore,
    started: watch::Sender<usize>,
    cancelled: watch::Sender<usize>,
    ended: watch::Sender<usize>,
    most: AtomicUsize,
    messages: AtomicUsize,
    rpcs: AtomicUsize,
    calls: Mutex<HashMap<String, CancellationToken>>,
    nested: Mutex<Option<Tools>>,
    refusing: AtomicBool,
}

impl Seen {
    /// Lets so many calls of `gate` end.
    pub fn release(&self, calls: usize) {
        self.0.gate.add_permits(calls);
    }

    /// Waits until so many calls have started in all.
    pub async fn started(&self, calls: usize) {
        wait(&self.0.started, calls, "started").await;
    }

    /// Waits until so many calls have been told to stop.
    pub async fn cancelled(&self, calls: usize) {
        wait(&self.0.cancelled, calls, "cancelled").await;
    }

    /// Waits until so many calls have ended.
    pub async fn ended(&self, calls: usize) {
        wait(&self.0.ended, calls, "ended").await;
    }

    pub fn started_now(&self) -> usize {
        *self.0.started.borrow()
    }

    /// The most calls that ran at once.
    pub fn most(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }

    /// Messages with calls that came over the lanes.
    pub fn messages(&self) -> usize {
        self.0.messages.load(Ordering::SeqCst)
    }

    /// Unary calls that came in an RPC of their own.
    pub fn rpcs(&self) -> usize {
        self.0.rpcs.load(Ordering::SeqCst)
    }

    /// From now on it takes no new calls, as a worker that was told to end.
    pub fn refuse(&self) {
        self.0.refusing.store(true, Ordering::SeqCst);
    }

    /// Lets `nest` call other tools.
    pub fn connect(&self, tools: &Tools) {
        *self.0.nested.lock().unwrap() = Some(tools.clone());
    }
}

async fn wait(counter: &watch::Sender<usize>, at_least: usize, what: &str) {
    let mut seen = counter.subscribe();
    let reached = seen.wait_for(|count| *count >= at_least);
    let waited = tokio::time::timeout(std::time::Duration::from_secs(10), reached).await;
    assert!(
        waited.is_ok(),
        "{} calls {what}, not {at_least}",
        *counter.borrow()
    );
}

/// A running worker.
pub struct Peer {
    pub seen: Seen,
    address: WorkerAddress,
    runtime: Option<tokio::runtime::Runtime>,
    _directory: tempfile::TempDir,
}

impl Peer {
    /// Serves tools on a socket of its own.
    pub fn start(id: &str, capacity: u32, tools: Vec<ToolRegistration>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("w.sock");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let seen = Seen(Arc::new(Inner {
            tools,
            capacity,
            gate: Semaphore::new(0),
            started: watch::Sender::new(0),
            cancelled: watch::Sender::new(0),
            ended: watch::Sender::new(0),
            most: AtomicUsize::new(0),
            messages: AtomicUsize::new(0),
            rpcs: AtomicUsize::new(0),
            calls: Mutex::default(),
            nested: Mutex::default(),
            refusing: AtomicBool::new(false),
        }));
        let guard = runtime.enter();
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        drop(guard);
        let service = BridgeServiceServer::new(seen.clone()).max_decoding_message_size(64 << 20);
        let incoming = tokio_stream::wrappers::UnixListenerStream::new(listener);
        runtime.spawn(
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(incoming),
        );
        let address = WorkerAddress {
            worker_id: id.to_owned(),
            incarnation: 1,
            address: format!("unix:{}", socket.display()),
            ..Default::default()
        };
        Self {
            seen,
            address,
            runtime: Some(runtime),
            _directory: directory,
        }
    }

    pub fn address(&self) -> WorkerAddress {
        self.address.clone()
    }

    pub async fn attach(&self, tools: &Tools) -> Attached {
        tools.attach(self.address()).await.unwrap()
    }

    /// Ends it at once, as SIGKILL does.
    pub fn kill(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A tool that takes anything.
pub fn tool(name: &str) -> ToolRegistration {
    ToolRegistration {
        name: name.into(),
        accepts_extra: true,
        ..Default::default()
    }
}

/// A streaming tool that takes anything.
pub fn streaming(name: &str) -> ToolRegistration {
    ToolRegistration {
        supports_streaming: true,
        ..tool(name)
    }
}

pub fn json(text: &str) -> Any {
    Any {
        type_url: "type.googleapis.com/snakepit.any".into(),
        value: text.to_owned().into(),
    }
}

impl Seen {
    fn begin(&self, call_id: &str) -> CancellationToken {
        let token = CancellationToken::new();
        let running = {
            let mut calls = self.0.calls.lock().unwrap();
            calls.insert(call_id.to_owned(), token.clone());
            calls.len()
        };
        self.0.most.fetch_max(running, Ordering::SeqCst);
        self.0.started.send_modify(|count| *count += 1);
        token
    }

    fn end(&self, call_id: &str) {
        self.0.calls.lock().unwrap().remove(call_id);
        self.0.ended.send_modify(|count| *count += 1);
    }

    /// Tells a call to stop. False = it is not here.
    fn cancel(&self, call_id: &str) -> bool {
        let calls = self.0.calls.lock().unwrap();
        let Some(token) = calls.get(call_id) else {
            return false;
        };
        token.cancel();
        drop(calls);
        self.0.cancelled.send_modify(|count| *count += 1);
        true
    }

    async fn run(
        &self,
        request: ExecuteToolRequest,
        stop: CancellationToken,
    ) -> Result<ExecuteToolResponse, Status> {
        let ended = self.answer(&request, &stop).await;
        self.end(&request.call_id);
        ended
    }

    async fn answer(
        &self,
        request: &ExecuteToolRequest,
        stop: &CancellationToken,
    ) -> Result<ExecuteToolResponse, Status> {
        let good = |result: Option<Any>| {
            Ok(ExecuteToolResponse {
                success: true,
                result,
                metadata: request.metadata.clone(),
                ..Default::default()
            })
        };
        match request.tool_name.as_str() {
            "gate" | "gate_idempotent" => {
                let passed = stop.run_until_cancelled(self.0.gate.acquire()).await;
                passed
                    .ok_or_else(|| Status::cancelled("stopped"))?
                    .unwrap()
                    .forget();
                good(None)
            }
            // Ignores a cancel until its gate opens.
            "stubborn" => {
                self.0.gate.acquire().await.unwrap().forget();
                Err(Status::cancelled("stopped late"))
            }
            "fails" => Ok(ExecuteToolResponse {
                success: false,
                error_message: "no".into(),
                failure: Some(ToolFailure {
                    r#type: "ValueError".into(),
                    message: "no".into(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            _ if self.0.refusing.load(Ordering::SeqCst) => Err(Status::unavailable("going down")),
            "nest" => self.nest(request).await,
            _ => good(request.parameters.get("value").cloned()),
        }
    }

    /// Calls itself as deep as `value` says.
    async fn nest(&self, request: &ExecuteToolRequest) -> Result<ExecuteToolResponse, Status> {
        let left: u32 = std::str::from_utf8(&request.parameters["value"].value)
            .unwrap()
            .parse()
            .unwrap();
        if left == 0 {
            return Ok(ExecuteToolResponse {
                success: true,
                result: Some(json("0")),
                ..Default::default()
            });
        }
        let inner = ExecuteToolRequest {
            tool_name: "nest".into(),
            parameters: HashMap::from([("value".to_owned(), json(&(left - 1).to_string()))]),
            parent_call_id: request.call_id.clone(),
            depth: request.depth + 1,
            ..Default::default()
        };
        let tools = self.0.nested.lock().unwrap().clone().unwrap();
        let ended = tools.call(inner, Default::default()).await;
        ended.map_err(|error| Status::internal(format!("{}: {error}", error.kind().code())))
    }

    async fn chunks(self, request: ExecuteToolRequest, out: mpsc::Sender<Result<ToolChunk, Status>>) {
        let stop = self.begin(&request.call_id);
        let chunk = |seq: u64, is_final| ToolChunk {
            chunk_id: format!("{}-{seq}", request.tool_name),
            data: seq.to_string().into_bytes().into(),
            seq,
            is_final,
            ..Default::default()
        };
        let mut seq = 0;
        loop {
            seq += 1;
            let last = match request.tool_name.as_str() {
                "count" => seq == 5,
                "breaks" if seq == 3 => {
                    drop(out.send(Err(raised())).await);
                    break;
                }
                "endless" | "breaks" => false,
                _ => true,
            };
            // A full channel is a paused reader: a cancel has to be seen there too.
            let sent = stop.run_until_cancelled(out.send(Ok(chunk(seq, last)))).await;
            match sent {
                None => {
                    drop(out.try_send(Err(Status::cancelled("stopped"))));
                    break;
                }
                Some(Err(_)) => break,
                Some(Ok(())) if last => break,
                Some(Ok(())) => tokio::task::yield_now().await,
            }
        }
        self.end(&request.call_id);
    }
}

fn raised() -> Status {
    use prost::Message as _;
    let failure = ToolFailure {
        r#type: "ValueError".into(),
        message: "bad loss".into(),
        traceback: "  File \"train.py\", line 7, in train\n    raise ValueError(\"bad loss\")".into(),
        ..Default::default()
    };
    let mut status = Status::unknown("ValueError: bad loss");
    let bytes = tonic::metadata::MetadataValue::from_bytes(&failure.encode_to_vec());
    status.metadata_mut().insert_bin("snakepit-failure-bin", bytes);
    status
}

macro_rules! worker {
    ({ $($own:tt)* } $($method:ident: $request:ident => $response:ident,)*) => {
        #[tonic::async_trait]
        impl BridgeService for Seen {
            $($own)*
            $(
                async fn $method(&self, _: Request<$request>) -> Result<Response<$response>, Status> {
                    Err(Status::unimplemented("a worker does not serve this"))
                }
            )*
        }
    };
}

worker! {
    {
        type ExecuteStreamingToolStream = Out<ToolChunk>;
        type WatchVariablesStream = Out<VariableUpdate>;
        type DispatchStream = Out<DispatchResults>;
        type AttachCallStream = Out<ToolChunk>;

        async fn ping(&self, request: Request<PingRequest>) -> Result<Response<PingResponse>, Status> {
            Ok(Response::new(PingResponse { message: request.into_inner().message, server_time: None }))
        }

        async fn handshake(
            &self,
            request: Request<HandshakeRequest>,
        ) -> Result<Response<HandshakeResponse>, Status> {
            Ok(Response::new(HandshakeResponse {
                worker_id: request.into_inner().worker_id,
                tools: self.0.tools.clone(),
                capacity: self.0.capacity,
                ..Default::default()
            }))
        }

        async fn execute_tool(
            &self,
            request: Request<ExecuteToolRequest>,
        ) -> Result<Response<ExecuteToolResponse>, Status> {
            self.0.rpcs.fetch_add(1, Ordering::SeqCst);
            let request = request.into_inner();
            let stop = self.begin(&request.call_id);
            self.run(request, stop).await.map(Response::new)
        }

        async fn execute_streaming_tool(
            &self,
            request: Request<ExecuteToolRequest>,
        ) -> Result<Response<Out<ToolChunk>>, Status> {
            let (out, chunks) = mpsc::channel(1);
            tokio::spawn(self.clone().chunks(request.into_inner(), out));
            Ok(Response::new(Box::pin(ReceiverStream::new(chunks))))
        }

        async fn cancel_call(
            &self,
            request: Request<CancelCallRequest>,
        ) -> Result<Response<CancelCallResponse>, Status> {
            let accepted = self.cancel(&request.into_inner().call_id);
            let state = if accepted { "running" } else { "unknown" };
            Ok(Response::new(CancelCallResponse { accepted, state: state.into() }))
        }

        async fn dispatch(
            &self,
            request: Request<Streaming<DispatchBatch>>,
        ) -> Result<Response<Out<DispatchResults>>, Status> {
            let (out, results) = mpsc::unbounded_channel();
            let seen = self.clone();
            let mut batches = request.into_inner();
            tokio::spawn(async move {
                while let Some(Ok(batch)) = batches.next().await {
                    seen.0.messages.fetch_add(usize::from(!batch.calls.is_empty()), Ordering::SeqCst);
                    for call in batch.calls {
                        let (seen, out) = (seen.clone(), out.clone());
                        let request = call.request.unwrap();
                        let call_id = request.call_id.clone();
                        let stop = seen.begin(&call_id);
                        tokio::spawn(async move {
                            let result = match seen.run(request, stop).await {
                                Ok(response) => DispatchResult { call_id, response: Some(response), ..Default::default() },
                                Err(status) => DispatchResult {
                                    call_id,
                                    status_code: status.code() as i32,
                                    status_message: status.message().into(),
                                    ..Default::default()
                                },
                            };
                            drop(out.send(Ok(DispatchResults { results: vec![result] })));
                        });
                    }
                    for id in &batch.cancel {
                        seen.cancel(id);
                    }
                }
            });
            Ok(Response::new(Box::pin(UnboundedReceiverStream::new(results))))
        }

        async fn watch_variables(
            &self,
            _: Request<WatchVariablesRequest>,
        ) -> Result<Response<Out<VariableUpdate>>, Status> {
            Err(Status::unimplemented("a worker does not serve this"))
        }

        async fn attach_call(&self, _: Request<AttachCallRequest>) -> Result<Response<Out<ToolChunk>>, Status> {
            Err(Status::unimplemented("a worker does not serve this"))
        }
    }
    initialize_session: InitializeSessionRequest => InitializeSessionResponse,
    cleanup_session: CleanupSessionRequest => CleanupSessionResponse,
    get_session: GetSessionRequest => GetSessionResponse,
    heartbeat: HeartbeatRequest => HeartbeatResponse,
    get_variable: GetVariableRequest => GetVariableResponse,
    set_variable: SetVariableRequest => SetVariableResponse,
    get_variables: BatchGetVariablesRequest => BatchGetVariablesResponse,
    set_variables: BatchSetVariablesRequest => BatchSetVariablesResponse,
    register_variable: RegisterVariableRequest => RegisterVariableResponse,
    list_variables: ListVariablesRequest => ListVariablesResponse,
    delete_variable: DeleteVariableRequest => DeleteVariableResponse,
    register_tools: RegisterToolsRequest => RegisterToolsResponse,
    get_exposed_elixir_tools: GetExposedElixirToolsRequest => GetExposedElixirToolsResponse,
    execute_elixir_tool: ExecuteElixirToolRequest => ExecuteElixirToolResponse,
    add_dependency: AddDependencyRequest => AddDependencyResponse,
    start_optimization: StartOptimizationRequest => StartOptimizationResponse,
    stop_optimization: StopOptimizationRequest => StopOptimizationResponse,
    get_variable_history: GetVariableHistoryRequest => GetVariableHistoryResponse,
    rollback_variable: RollbackVariableRequest => RollbackVariableResponse,
}
