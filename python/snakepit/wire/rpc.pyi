# Written by scripts/python-stubs from proto/. Do not edit.
"""Types of the stubs that snakepit/wire/rpc.py builds from the descriptor."""
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from snakepit.wire import admin_pb2, bridge_pb2

Q = TypeVar("Q", contravariant=True)
P = TypeVar("P", covariant=True)
Metadata = Iterable[tuple[str, str | bytes]]

class Unary(Protocol[Q, P]):
    def __call__(self, request: Q, *, timeout: float | None = ..., metadata: Metadata | None = ..., wait_for_ready: bool | None = ...) -> P: ...

class ServerStream(Protocol[Q, P]):
    def __call__(self, request: Q, *, timeout: float | None = ..., metadata: Metadata | None = ..., wait_for_ready: bool | None = ...) -> Iterator[P]: ...

class ClientStream(Protocol[Q, P]):
    def __call__(self, request: Iterable[Q], *, timeout: float | None = ..., metadata: Metadata | None = ..., wait_for_ready: bool | None = ...) -> P: ...

class BothStream(Protocol[Q, P]):
    def __call__(self, request: Iterable[Q], *, timeout: float | None = ..., metadata: Metadata | None = ..., wait_for_ready: bool | None = ...) -> Iterator[P]: ...

class AsyncUnary(Generic[Q, P]):
    def __call__(self, request: Q, *, timeout: float | None = ..., metadata: Metadata | None = ..., wait_for_ready: bool | None = ...) -> Any: ...

class AsyncServerStream(Generic[Q, P]):
    def __call__(self, request: Q, *, timeout: float | None = ..., metadata: Metadata | None = ..., wait_for_ready: bool | None = ...) -> Any: ...

class AsyncClientStream(Generic[Q, P]):
    def __call__(self, request: AsyncIterable[Q] | Iterable[Q] | None = ..., *, timeout: float | None = ..., metadata: Metadata | None = ..., wait_for_ready: bool | None = ...) -> Any: ...

class AsyncBothStream(Generic[Q, P]):
    def __call__(self, request: AsyncIterable[Q] | Iterable[Q] | None = ..., *, timeout: float | None = ..., metadata: Metadata | None = ..., wait_for_ready: bool | None = ...) -> Any: ...

class BridgeServiceStub:
    def __init__(self, channel: Any) -> None: ...
    Ping: Unary[bridge_pb2.PingRequest, bridge_pb2.PingResponse]
    InitializeSession: Unary[bridge_pb2.InitializeSessionRequest, bridge_pb2.InitializeSessionResponse]
    CleanupSession: Unary[bridge_pb2.CleanupSessionRequest, bridge_pb2.CleanupSessionResponse]
    GetSession: Unary[bridge_pb2.GetSessionRequest, bridge_pb2.GetSessionResponse]
    Heartbeat: Unary[bridge_pb2.HeartbeatRequest, bridge_pb2.HeartbeatResponse]
    GetVariable: Unary[bridge_pb2.GetVariableRequest, bridge_pb2.GetVariableResponse]
    SetVariable: Unary[bridge_pb2.SetVariableRequest, bridge_pb2.SetVariableResponse]
    GetVariables: Unary[bridge_pb2.BatchGetVariablesRequest, bridge_pb2.BatchGetVariablesResponse]
    SetVariables: Unary[bridge_pb2.BatchSetVariablesRequest, bridge_pb2.BatchSetVariablesResponse]
    RegisterVariable: Unary[bridge_pb2.RegisterVariableRequest, bridge_pb2.RegisterVariableResponse]
    ListVariables: Unary[bridge_pb2.ListVariablesRequest, bridge_pb2.ListVariablesResponse]
    DeleteVariable: Unary[bridge_pb2.DeleteVariableRequest, bridge_pb2.DeleteVariableResponse]
    ExecuteTool: Unary[bridge_pb2.ExecuteToolRequest, bridge_pb2.ExecuteToolResponse]
    ExecuteStreamingTool: ServerStream[bridge_pb2.ExecuteToolRequest, bridge_pb2.ToolChunk]
    RegisterTools: Unary[bridge_pb2.RegisterToolsRequest, bridge_pb2.RegisterToolsResponse]
    GetExposedElixirTools: Unary[bridge_pb2.GetExposedElixirToolsRequest, bridge_pb2.GetExposedElixirToolsResponse]
    ExecuteElixirTool: Unary[bridge_pb2.ExecuteElixirToolRequest, bridge_pb2.ExecuteElixirToolResponse]
    WatchVariables: ServerStream[bridge_pb2.WatchVariablesRequest, bridge_pb2.VariableUpdate]
    AddDependency: Unary[bridge_pb2.AddDependencyRequest, bridge_pb2.AddDependencyResponse]
    StartOptimization: Unary[bridge_pb2.StartOptimizationRequest, bridge_pb2.StartOptimizationResponse]
    StopOptimization: Unary[bridge_pb2.StopOptimizationRequest, bridge_pb2.StopOptimizationResponse]
    GetVariableHistory: Unary[bridge_pb2.GetVariableHistoryRequest, bridge_pb2.GetVariableHistoryResponse]
    RollbackVariable: Unary[bridge_pb2.RollbackVariableRequest, bridge_pb2.RollbackVariableResponse]
    Dispatch: BothStream[bridge_pb2.DispatchBatch, bridge_pb2.DispatchResults]
    Handshake: Unary[bridge_pb2.HandshakeRequest, bridge_pb2.HandshakeResponse]
    CancelCall: Unary[bridge_pb2.CancelCallRequest, bridge_pb2.CancelCallResponse]
    AttachCall: ServerStream[bridge_pb2.AttachCallRequest, bridge_pb2.ToolChunk]

class AsyncBridgeServiceStub:
    def __init__(self, channel: Any) -> None: ...
    Ping: AsyncUnary[bridge_pb2.PingRequest, bridge_pb2.PingResponse]
    InitializeSession: AsyncUnary[bridge_pb2.InitializeSessionRequest, bridge_pb2.InitializeSessionResponse]
    CleanupSession: AsyncUnary[bridge_pb2.CleanupSessionRequest, bridge_pb2.CleanupSessionResponse]
    GetSession: AsyncUnary[bridge_pb2.GetSessionRequest, bridge_pb2.GetSessionResponse]
    Heartbeat: AsyncUnary[bridge_pb2.HeartbeatRequest, bridge_pb2.HeartbeatResponse]
    GetVariable: AsyncUnary[bridge_pb2.GetVariableRequest, bridge_pb2.GetVariableResponse]
    SetVariable: AsyncUnary[bridge_pb2.SetVariableRequest, bridge_pb2.SetVariableResponse]
    GetVariables: AsyncUnary[bridge_pb2.BatchGetVariablesRequest, bridge_pb2.BatchGetVariablesResponse]
    SetVariables: AsyncUnary[bridge_pb2.BatchSetVariablesRequest, bridge_pb2.BatchSetVariablesResponse]
    RegisterVariable: AsyncUnary[bridge_pb2.RegisterVariableRequest, bridge_pb2.RegisterVariableResponse]
    ListVariables: AsyncUnary[bridge_pb2.ListVariablesRequest, bridge_pb2.ListVariablesResponse]
    DeleteVariable: AsyncUnary[bridge_pb2.DeleteVariableRequest, bridge_pb2.DeleteVariableResponse]
    ExecuteTool: AsyncUnary[bridge_pb2.ExecuteToolRequest, bridge_pb2.ExecuteToolResponse]
    ExecuteStreamingTool: AsyncServerStream[bridge_pb2.ExecuteToolRequest, bridge_pb2.ToolChunk]
    RegisterTools: AsyncUnary[bridge_pb2.RegisterToolsRequest, bridge_pb2.RegisterToolsResponse]
    GetExposedElixirTools: AsyncUnary[bridge_pb2.GetExposedElixirToolsRequest, bridge_pb2.GetExposedElixirToolsResponse]
    ExecuteElixirTool: AsyncUnary[bridge_pb2.ExecuteElixirToolRequest, bridge_pb2.ExecuteElixirToolResponse]
    WatchVariables: AsyncServerStream[bridge_pb2.WatchVariablesRequest, bridge_pb2.VariableUpdate]
    AddDependency: AsyncUnary[bridge_pb2.AddDependencyRequest, bridge_pb2.AddDependencyResponse]
    StartOptimization: AsyncUnary[bridge_pb2.StartOptimizationRequest, bridge_pb2.StartOptimizationResponse]
    StopOptimization: AsyncUnary[bridge_pb2.StopOptimizationRequest, bridge_pb2.StopOptimizationResponse]
    GetVariableHistory: AsyncUnary[bridge_pb2.GetVariableHistoryRequest, bridge_pb2.GetVariableHistoryResponse]
    RollbackVariable: AsyncUnary[bridge_pb2.RollbackVariableRequest, bridge_pb2.RollbackVariableResponse]
    Dispatch: AsyncBothStream[bridge_pb2.DispatchBatch, bridge_pb2.DispatchResults]
    Handshake: AsyncUnary[bridge_pb2.HandshakeRequest, bridge_pb2.HandshakeResponse]
    CancelCall: AsyncUnary[bridge_pb2.CancelCallRequest, bridge_pb2.CancelCallResponse]
    AttachCall: AsyncServerStream[bridge_pb2.AttachCallRequest, bridge_pb2.ToolChunk]

class AdminServiceStub:
    def __init__(self, channel: Any) -> None: ...
    GetServerInfo: Unary[admin_pb2.GetServerInfoRequest, admin_pb2.GetServerInfoResponse]
    ListSessions: Unary[admin_pb2.ListSessionsRequest, admin_pb2.ListSessionsResponse]
    ListTools: Unary[admin_pb2.ListToolsRequest, admin_pb2.ListToolsResponse]
    DescribeTool: Unary[admin_pb2.DescribeToolRequest, admin_pb2.DescribeToolResponse]
    ListWorkers: Unary[admin_pb2.ListWorkersRequest, admin_pb2.ListWorkersResponse]
    RegisterWorker: ServerStream[admin_pb2.RegisterWorkerRequest, admin_pb2.WorkerOrder]
    DescribeVariables: Unary[admin_pb2.DescribeVariablesRequest, admin_pb2.DescribeVariablesResponse]
    SetConstraints: Unary[admin_pb2.SetConstraintsRequest, admin_pb2.SetConstraintsResponse]
    SetMetadata: Unary[admin_pb2.SetMetadataRequest, admin_pb2.SetMetadataResponse]
    ForkSession: Unary[admin_pb2.ForkSessionRequest, admin_pb2.ForkSessionResponse]
    CreateCheckpoint: Unary[admin_pb2.CreateCheckpointRequest, admin_pb2.CreateCheckpointResponse]
    ListCheckpoints: Unary[admin_pb2.ListCheckpointsRequest, admin_pb2.ListCheckpointsResponse]
    DeleteCheckpoint: Unary[admin_pb2.DeleteCheckpointRequest, admin_pb2.DeleteCheckpointResponse]
    RestoreCheckpoint: Unary[admin_pb2.RestoreCheckpointRequest, admin_pb2.RestoreCheckpointResponse]
    ExportSession: ServerStream[admin_pb2.ExportSessionRequest, admin_pb2.ExportChunk]
    ImportSession: ClientStream[admin_pb2.ImportChunk, admin_pb2.ImportSessionResponse]

class AsyncAdminServiceStub:
    def __init__(self, channel: Any) -> None: ...
    GetServerInfo: AsyncUnary[admin_pb2.GetServerInfoRequest, admin_pb2.GetServerInfoResponse]
    ListSessions: AsyncUnary[admin_pb2.ListSessionsRequest, admin_pb2.ListSessionsResponse]
    ListTools: AsyncUnary[admin_pb2.ListToolsRequest, admin_pb2.ListToolsResponse]
    DescribeTool: AsyncUnary[admin_pb2.DescribeToolRequest, admin_pb2.DescribeToolResponse]
    ListWorkers: AsyncUnary[admin_pb2.ListWorkersRequest, admin_pb2.ListWorkersResponse]
    RegisterWorker: AsyncServerStream[admin_pb2.RegisterWorkerRequest, admin_pb2.WorkerOrder]
    DescribeVariables: AsyncUnary[admin_pb2.DescribeVariablesRequest, admin_pb2.DescribeVariablesResponse]
    SetConstraints: AsyncUnary[admin_pb2.SetConstraintsRequest, admin_pb2.SetConstraintsResponse]
    SetMetadata: AsyncUnary[admin_pb2.SetMetadataRequest, admin_pb2.SetMetadataResponse]
    ForkSession: AsyncUnary[admin_pb2.ForkSessionRequest, admin_pb2.ForkSessionResponse]
    CreateCheckpoint: AsyncUnary[admin_pb2.CreateCheckpointRequest, admin_pb2.CreateCheckpointResponse]
    ListCheckpoints: AsyncUnary[admin_pb2.ListCheckpointsRequest, admin_pb2.ListCheckpointsResponse]
    DeleteCheckpoint: AsyncUnary[admin_pb2.DeleteCheckpointRequest, admin_pb2.DeleteCheckpointResponse]
    RestoreCheckpoint: AsyncUnary[admin_pb2.RestoreCheckpointRequest, admin_pb2.RestoreCheckpointResponse]
    ExportSession: AsyncServerStream[admin_pb2.ExportSessionRequest, admin_pb2.ExportChunk]
    ImportSession: AsyncClientStream[admin_pb2.ImportChunk, admin_pb2.ImportSessionResponse]

def generic_handler(service: str, methods: Mapping[str, Callable[..., Any]], raw_replies: frozenset[str] = ...) -> Any: ...
