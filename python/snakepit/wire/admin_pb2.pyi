# Written by scripts/python-stubs from proto/. Do not edit.
import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from snakepit.wire import bridge_pb2 as _snakepit_bridge_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DescribeVariablesRequest(_message.Message):
    __slots__ = ("session_id", "variable_identifiers")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    VARIABLE_IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    variable_identifiers: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, session_id: _Optional[str] = ..., variable_identifiers: _Optional[_Iterable[str]] = ...) -> None: ...

class DescribeVariablesResponse(_message.Message):
    __slots__ = ("variables", "missing", "revision")
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    variables: _containers.RepeatedCompositeFieldContainer[_snakepit_bridge_pb2.Variable]
    missing: _containers.RepeatedScalarFieldContainer[str]
    revision: int
    def __init__(self, variables: _Optional[_Iterable[_Union[_snakepit_bridge_pb2.Variable, _Mapping[str, _Any]]]] = ..., missing: _Optional[_Iterable[str]] = ..., revision: _Optional[int] = ...) -> None: ...

class SetConstraintsRequest(_message.Message):
    __slots__ = ("session_id", "variable_identifier", "constraints_json", "metadata", "expected_version64", "request_id")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    VARIABLE_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_JSON_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION64_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    variable_identifier: str
    constraints_json: str
    metadata: _containers.ScalarMap[str, str]
    expected_version64: int
    request_id: str
    def __init__(self, session_id: _Optional[str] = ..., variable_identifier: _Optional[str] = ..., constraints_json: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ..., expected_version64: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class SetConstraintsResponse(_message.Message):
    __slots__ = ("version64", "revision", "durability", "constraints_json")
    VERSION64_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_JSON_FIELD_NUMBER: _ClassVar[int]
    version64: int
    revision: int
    durability: _snakepit_bridge_pb2.Durability
    constraints_json: str
    def __init__(self, version64: _Optional[int] = ..., revision: _Optional[int] = ..., durability: _Optional[_Union[_snakepit_bridge_pb2.Durability, str]] = ..., constraints_json: _Optional[str] = ...) -> None: ...

class SetMetadataRequest(_message.Message):
    __slots__ = ("session_id", "variable_identifier", "metadata", "remove", "expected_version64", "request_id")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    VARIABLE_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION64_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    variable_identifier: str
    metadata: _containers.ScalarMap[str, str]
    remove: _containers.RepeatedScalarFieldContainer[str]
    expected_version64: int
    request_id: str
    def __init__(self, session_id: _Optional[str] = ..., variable_identifier: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ..., remove: _Optional[_Iterable[str]] = ..., expected_version64: _Optional[int] = ..., request_id: _Optional[str] = ...) -> None: ...

class SetMetadataResponse(_message.Message):
    __slots__ = ("version64", "revision", "durability")
    VERSION64_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    version64: int
    revision: int
    durability: _snakepit_bridge_pb2.Durability
    def __init__(self, version64: _Optional[int] = ..., revision: _Optional[int] = ..., durability: _Optional[_Union[_snakepit_bridge_pb2.Durability, str]] = ...) -> None: ...

class ForkSessionRequest(_message.Message):
    __slots__ = ("session_id", "new_session_id", "checkpoint", "ttl_seconds", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    NEW_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    new_session_id: str
    checkpoint: str
    ttl_seconds: int
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, session_id: _Optional[str] = ..., new_session_id: _Optional[str] = ..., checkpoint: _Optional[str] = ..., ttl_seconds: _Optional[int] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ForkSessionResponse(_message.Message):
    __slots__ = ("epoch", "revision", "variables", "forked_revision")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    FORKED_REVISION_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    revision: int
    variables: int
    forked_revision: int
    def __init__(self, epoch: _Optional[int] = ..., revision: _Optional[int] = ..., variables: _Optional[int] = ..., forked_revision: _Optional[int] = ...) -> None: ...

class CreateCheckpointRequest(_message.Message):
    __slots__ = ("session_id", "name")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    name: str
    def __init__(self, session_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class CreateCheckpointResponse(_message.Message):
    __slots__ = ("checkpoint", "revision", "durability")
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    checkpoint: CheckpointSummary
    revision: int
    durability: _snakepit_bridge_pb2.Durability
    def __init__(self, checkpoint: _Optional[_Union[CheckpointSummary, _Mapping[str, _Any]]] = ..., revision: _Optional[int] = ..., durability: _Optional[_Union[_snakepit_bridge_pb2.Durability, str]] = ...) -> None: ...

class CheckpointSummary(_message.Message):
    __slots__ = ("name", "revision", "created_at", "created_by", "variables", "bytes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    revision: int
    created_at: _timestamp_pb2.Timestamp
    created_by: str
    variables: int
    bytes: int
    def __init__(self, name: _Optional[str] = ..., revision: _Optional[int] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, _Any]]] = ..., created_by: _Optional[str] = ..., variables: _Optional[int] = ..., bytes: _Optional[int] = ...) -> None: ...

class ListCheckpointsRequest(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    def __init__(self, session_id: _Optional[str] = ...) -> None: ...

class ListCheckpointsResponse(_message.Message):
    __slots__ = ("checkpoints",)
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    checkpoints: _containers.RepeatedCompositeFieldContainer[CheckpointSummary]
    def __init__(self, checkpoints: _Optional[_Iterable[_Union[CheckpointSummary, _Mapping[str, _Any]]]] = ...) -> None: ...

class DeleteCheckpointRequest(_message.Message):
    __slots__ = ("session_id", "name")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    name: str
    def __init__(self, session_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class DeleteCheckpointResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class RestoreCheckpointRequest(_message.Message):
    __slots__ = ("session_id", "name")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    name: str
    def __init__(self, session_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class RestoreCheckpointResponse(_message.Message):
    __slots__ = ("epoch", "revision", "variables", "durability")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    revision: int
    variables: int
    durability: _snakepit_bridge_pb2.Durability
    def __init__(self, epoch: _Optional[int] = ..., revision: _Optional[int] = ..., variables: _Optional[int] = ..., durability: _Optional[_Union[_snakepit_bridge_pb2.Durability, str]] = ...) -> None: ...

class ExportSessionRequest(_message.Message):
    __slots__ = ("session_id", "checkpoint")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    checkpoint: str
    def __init__(self, session_id: _Optional[str] = ..., checkpoint: _Optional[str] = ...) -> None: ...

class ExportChunk(_message.Message):
    __slots__ = ("data", "variables_done", "variables")
    DATA_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_DONE_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    variables_done: int
    variables: int
    def __init__(self, data: _Optional[bytes] = ..., variables_done: _Optional[int] = ..., variables: _Optional[int] = ...) -> None: ...

class ImportChunk(_message.Message):
    __slots__ = ("target", "data")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    target: ImportTarget
    data: bytes
    def __init__(self, target: _Optional[_Union[ImportTarget, _Mapping[str, _Any]]] = ..., data: _Optional[bytes] = ...) -> None: ...

class ImportTarget(_message.Message):
    __slots__ = ("session_id", "ttl_seconds")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    ttl_seconds: int
    def __init__(self, session_id: _Optional[str] = ..., ttl_seconds: _Optional[int] = ...) -> None: ...

class ImportSessionResponse(_message.Message):
    __slots__ = ("session_id", "epoch", "revision", "variables")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    epoch: int
    revision: int
    variables: int
    def __init__(self, session_id: _Optional[str] = ..., epoch: _Optional[int] = ..., revision: _Optional[int] = ..., variables: _Optional[int] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "name", "pid", "started_at", "addresses", "durability", "data_dir", "sessions", "workers_ready", "workers", "tools", "watches", "calls_running", "calls_finished", "calls_failed", "calls_queued")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    DATA_DIR_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    WORKERS_READY_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    WATCHES_FIELD_NUMBER: _ClassVar[int]
    CALLS_RUNNING_FIELD_NUMBER: _ClassVar[int]
    CALLS_FINISHED_FIELD_NUMBER: _ClassVar[int]
    CALLS_FAILED_FIELD_NUMBER: _ClassVar[int]
    CALLS_QUEUED_FIELD_NUMBER: _ClassVar[int]
    version: str
    name: str
    pid: int
    started_at: _timestamp_pb2.Timestamp
    addresses: _containers.RepeatedScalarFieldContainer[str]
    durability: _snakepit_bridge_pb2.Durability
    data_dir: str
    sessions: int
    workers_ready: int
    workers: int
    tools: int
    watches: int
    calls_running: int
    calls_finished: int
    calls_failed: int
    calls_queued: int
    def __init__(self, version: _Optional[str] = ..., name: _Optional[str] = ..., pid: _Optional[int] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, _Any]]] = ..., addresses: _Optional[_Iterable[str]] = ..., durability: _Optional[_Union[_snakepit_bridge_pb2.Durability, str]] = ..., data_dir: _Optional[str] = ..., sessions: _Optional[int] = ..., workers_ready: _Optional[int] = ..., workers: _Optional[int] = ..., tools: _Optional[int] = ..., watches: _Optional[int] = ..., calls_running: _Optional[int] = ..., calls_finished: _Optional[int] = ..., calls_failed: _Optional[int] = ..., calls_queued: _Optional[int] = ...) -> None: ...

class ListSessionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListSessionsResponse(_message.Message):
    __slots__ = ("sessions",)
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[SessionSummary]
    def __init__(self, sessions: _Optional[_Iterable[_Union[SessionSummary, _Mapping[str, _Any]]]] = ...) -> None: ...

class SessionSummary(_message.Message):
    __slots__ = ("session_id", "created_at", "ttl_seconds", "expires_in_ms", "revision", "epoch", "variables", "tools", "watches", "calls", "metadata", "bytes", "checkpoints", "forked_from")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_IN_MS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    WATCHES_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    FORKED_FROM_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    created_at: _timestamp_pb2.Timestamp
    ttl_seconds: int
    expires_in_ms: int
    revision: int
    epoch: int
    variables: int
    tools: int
    watches: int
    calls: int
    metadata: _containers.ScalarMap[str, str]
    bytes: int
    checkpoints: int
    forked_from: str
    def __init__(self, session_id: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, _Any]]] = ..., ttl_seconds: _Optional[int] = ..., expires_in_ms: _Optional[int] = ..., revision: _Optional[int] = ..., epoch: _Optional[int] = ..., variables: _Optional[int] = ..., tools: _Optional[int] = ..., watches: _Optional[int] = ..., calls: _Optional[int] = ..., metadata: _Optional[_Mapping[str, str]] = ..., bytes: _Optional[int] = ..., checkpoints: _Optional[int] = ..., forked_from: _Optional[str] = ...) -> None: ...

class ListToolsRequest(_message.Message):
    __slots__ = ("session_id", "pattern")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    pattern: str
    def __init__(self, session_id: _Optional[str] = ..., pattern: _Optional[str] = ...) -> None: ...

class ListToolsResponse(_message.Message):
    __slots__ = ("tools",)
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    tools: _containers.RepeatedCompositeFieldContainer[_snakepit_bridge_pb2.ToolSpec]
    def __init__(self, tools: _Optional[_Iterable[_Union[_snakepit_bridge_pb2.ToolSpec, _Mapping[str, _Any]]]] = ...) -> None: ...

class DescribeToolRequest(_message.Message):
    __slots__ = ("session_id", "name")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    name: str
    def __init__(self, session_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class DescribeToolResponse(_message.Message):
    __slots__ = ("tool",)
    TOOL_FIELD_NUMBER: _ClassVar[int]
    tool: _snakepit_bridge_pb2.ToolSpec
    def __init__(self, tool: _Optional[_Union[_snakepit_bridge_pb2.ToolSpec, _Mapping[str, _Any]]] = ...) -> None: ...

class ListWorkersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListWorkersResponse(_message.Message):
    __slots__ = ("workers",)
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    workers: _containers.RepeatedCompositeFieldContainer[WorkerSummary]
    def __init__(self, workers: _Optional[_Iterable[_Union[WorkerSummary, _Mapping[str, _Any]]]] = ...) -> None: ...

class WorkerSummary(_message.Message):
    __slots__ = ("worker_id", "state", "pid", "address", "session_id", "capacity", "running", "finished", "failed", "started_at", "tools", "restarts", "source", "package_version", "python_version", "host")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_VERSION_FIELD_NUMBER: _ClassVar[int]
    PYTHON_VERSION_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    state: str
    pid: int
    address: str
    session_id: str
    capacity: int
    running: int
    finished: int
    failed: int
    started_at: _timestamp_pb2.Timestamp
    tools: _containers.RepeatedScalarFieldContainer[str]
    restarts: int
    source: str
    package_version: str
    python_version: str
    host: str
    def __init__(self, worker_id: _Optional[str] = ..., state: _Optional[str] = ..., pid: _Optional[int] = ..., address: _Optional[str] = ..., session_id: _Optional[str] = ..., capacity: _Optional[int] = ..., running: _Optional[int] = ..., finished: _Optional[int] = ..., failed: _Optional[int] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, _Any]]] = ..., tools: _Optional[_Iterable[str]] = ..., restarts: _Optional[int] = ..., source: _Optional[str] = ..., package_version: _Optional[str] = ..., python_version: _Optional[str] = ..., host: _Optional[str] = ...) -> None: ...

class RegisterWorkerRequest(_message.Message):
    __slots__ = ("worker_id", "incarnation", "address", "session_id", "pid", "source", "restarts", "host")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    incarnation: int
    address: str
    session_id: str
    pid: int
    source: str
    restarts: int
    host: str
    def __init__(self, worker_id: _Optional[str] = ..., incarnation: _Optional[int] = ..., address: _Optional[str] = ..., session_id: _Optional[str] = ..., pid: _Optional[int] = ..., source: _Optional[str] = ..., restarts: _Optional[int] = ..., host: _Optional[str] = ...) -> None: ...

class WorkerOrder(_message.Message):
    __slots__ = ("accepted", "drain", "stop")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    accepted: WorkerAccepted
    drain: WorkerDrain
    stop: WorkerStop
    def __init__(self, accepted: _Optional[_Union[WorkerAccepted, _Mapping[str, _Any]]] = ..., drain: _Optional[_Union[WorkerDrain, _Mapping[str, _Any]]] = ..., stop: _Optional[_Union[WorkerStop, _Mapping[str, _Any]]] = ...) -> None: ...

class WorkerAccepted(_message.Message):
    __slots__ = ("worker_id", "tools")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    tools: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, worker_id: _Optional[str] = ..., tools: _Optional[_Iterable[str]] = ...) -> None: ...

class WorkerDrain(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class WorkerStop(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...
