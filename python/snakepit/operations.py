"""What a session can do, written once: each operation is a generator that yields RPCs and gets their replies.

A driver runs it over a sync or an async stub (`run`, `arun`), so that both have one meaning. This file must never
open a channel, block, or know of an event loop.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc

from snakepit import errors, values
from snakepit.wire import bridge_pb2 as pb

T = TypeVar("T")
#: Yields (method, request), receives the reply; a streaming method's reply is the list of its messages.
Operation = Generator[tuple[str, Any], Any, T]

#: Marks an argument that was not given, where None is a value.
MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING"})()
#: Bytes of chunks that are collected for one call of a streaming tool.
MAX_COLLECTED = 64 * 1024 * 1024


@dataclass(frozen=True)
class Scope:
    """Where operations happen: the session, and the running call that they are made from (empty outside of one)."""

    session_id: str
    parent_call_id: str = ""
    depth: int = 0


def value_of(variable: pb.Variable) -> Any:
    """The Python value of a variable."""
    return values.decode(variable.value)


def get(scope: Scope, name: str, default: Any = MISSING, bypass_cache: bool = False) -> Operation[Any]:
    """Reads a variable by name or id; `default` where there is none."""
    request = pb.GetVariableRequest(session_id=scope.session_id, variable_identifier=name, bypass_cache=bypass_cache)
    try:
        reply = yield "GetVariable", request
    except errors.VariableNotFoundError:
        if default is MISSING:
            raise
        return default
    return value_of(reply.variable)


def contains(scope: Scope, name: str) -> Operation[bool]:
    """Whether a variable exists."""
    return (yield from get(scope, name, _ABSENT)) is not _ABSENT


_ABSENT: Any = object()


def set_value(
    scope: Scope,
    name: str,
    value: Any,
    *,
    expected_version: int | None = None,
    metadata: Mapping[str, str] | None = None,
    register: bool = True,
) -> Operation[int]:
    """Writes a variable and gives its new version. One that does not exist is registered when `register` says so."""
    request = pb.SetVariableRequest(
        session_id=scope.session_id,
        variable_identifier=name,
        value=values.encode(value),
        metadata={"source": "python", **(metadata or {})},
    )
    if expected_version is not None:
        request.expected_version64 = expected_version
    try:
        return int((yield "SetVariable", request).version64)
    except errors.VariableNotFoundError:
        if not register or expected_version is not None:
            raise
    made = yield from register_variable(scope, name, None, value, metadata=metadata, if_exists="keep")
    if not made.existed:
        return int(made.version64)
    # Somebody registered it between the two: the write is still to be done.
    return int((yield "SetVariable", request).version64)


def register_variable(
    scope: Scope,
    name: str,
    type_name: str | None,
    value: Any,
    *,
    constraints: Mapping[str, Any] | None = None,
    metadata: Mapping[str, str] | None = None,
    if_exists: str = "fail",
) -> Operation[Any]:
    """Declares a variable and gives the whole reply. Without a type name the value's own type is taken."""
    chosen = type_name or _inferred(name, value)
    reply = yield (
        "RegisterVariable",
        pb.RegisterVariableRequest(
            session_id=scope.session_id,
            name=name,
            type=chosen,
            initial_value=values.encode(values.as_float(value) if chosen == "float" else value, chosen),
            constraints_json=values.to_json(dict(constraints)) if constraints else "",
            metadata={"source": "python", **(metadata or {})},
            if_exists=_if_exists(if_exists),
            type_inferred=type_name is None,
        ),
    )
    if not reply.success:
        raise errors.ValidationError(reply.error_message)
    return reply


def _inferred(name: str, value: Any) -> str:
    kind = values.type_of(value)
    if kind in ("null", "bytes"):
        raise errors.ValidationError(
            f"no type can be inferred for `{name}` from {value!r}", code="E0303", hint="name the type"
        )
    return kind


def _if_exists(word: str) -> Any:
    try:
        return pb.IfExists.Value(f"IF_EXISTS_{word.upper()}")
    except ValueError:
        raise errors.ValidationError(f"if_exists={word!r}: fail, keep, update or reset") from None


def list_variables(scope: Scope, pattern: str = "") -> Operation[list[dict[str, Any]]]:
    """Every variable that matches a glob (all when empty), by name."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        reply = yield (
            "ListVariables",
            pb.ListVariablesRequest(session_id=scope.session_id, pattern=pattern, page_token=token),
        )
        found += [_described(variable) for variable in reply.variables]
        token = reply.next_page_token
        if not token:
            return found


def _described(variable: pb.Variable) -> dict[str, Any]:
    return {
        "id": variable.id,
        "name": variable.name,
        "type": variable.type,
        "value": value_of(variable),
        "version": max(variable.version64, variable.version),
        "constraints": json.loads(variable.constraints_json) if variable.constraints_json else {},
        "metadata": dict(variable.metadata),
        "optimizing": variable.optimization_status.optimizing,
    }


def delete(scope: Scope, name: str, force: bool = False) -> Operation[None]:
    """Deletes a variable."""
    yield (
        "DeleteVariable",
        pb.DeleteVariableRequest(session_id=scope.session_id, variable_identifier=name, force=force),
    )


def call_tool(scope: Scope, name: str, arguments: Mapping[str, Any]) -> Operation[Any]:
    """Calls a tool. One that streams is collected: what its generator returned, else the list of its chunks."""
    request = pb.ExecuteToolRequest(
        session_id=scope.session_id,
        tool_name=name,
        parameters={key: values.encode(value) for key, value in arguments.items()},
        parent_call_id=scope.parent_call_id,
        depth=scope.depth,
    )
    try:
        reply = yield "ExecuteTool", request
    except errors.ConflictError as error:
        if error.code != "E0605":
            raise
        request.stream = True
        return collected((yield "ExecuteStreamingTool", request))
    return result_of(reply)


def call_host(scope: Scope, name: str, arguments: Mapping[str, Any]) -> Operation[Any]:
    """Calls a host tool."""
    reply = yield (
        "ExecuteElixirTool",
        pb.ExecuteElixirToolRequest(
            session_id=scope.session_id,
            tool_name=name,
            parameters={key: values.encode(value) for key, value in arguments.items()},
            parent_call_id=scope.parent_call_id,
            depth=scope.depth,
        ),
    )
    return result_of(reply)


def host_tools(scope: Scope) -> Operation[list[Any]]:
    """The specs of the host tools that this session may call."""
    reply = yield "GetExposedElixirTools", pb.GetExposedElixirToolsRequest(session_id=scope.session_id)
    return list(reply.tools)


def initialize(scope: Scope, ttl_seconds: int = 0) -> Operation[Any]:
    """Creates the session, or attaches to it."""
    request = pb.InitializeSessionRequest(session_id=scope.session_id)
    request.config.ttl_seconds = ttl_seconds
    reply = yield "InitializeSession", request
    if not reply.success:
        raise errors.SnakepitError(reply.error_message)
    return reply


def cleanup(scope: Scope, force: bool = False) -> Operation[int]:
    """Ends the session and gives the number of things that went with it."""
    reply = yield "CleanupSession", pb.CleanupSessionRequest(session_id=scope.session_id, force=force)
    return int(reply.resources_cleaned)


def result_of(reply: Any) -> Any:
    """The value of a tool's reply. Raises `ToolError` where the tool failed."""
    if not reply.success:
        raise errors.from_failure(reply.failure, reply.error_message, code="E0602")
    if reply.binary_result:
        return bytes(reply.binary_result)
    return values.decode(reply.result) if reply.HasField("result") else None


def chunk_value(chunk: pb.ToolChunk) -> Any:
    """What a chunk carries: bytes and text where its metadata says so, else the JSON value."""
    kind = chunk.metadata.get("encoding", "json")
    if kind == "bytes":
        return bytes(chunk.data)
    if kind == "text":
        return chunk.data.decode(errors="replace")
    try:
        return json.loads(chunk.data) if chunk.data else None
    except ValueError:
        return bytes(chunk.data)


def collected(chunks: Iterable[pb.ToolChunk]) -> Any:
    """The result of a stream: what its generator returned, else the list of what it yielded."""
    items: list[Any] = []
    for chunk in chunks:
        if chunk.is_final and chunk.HasField("result"):
            return values.decode(chunk.result)
        if chunk.data and chunk.metadata.get("kind") != "progress":
            items.append(chunk_value(chunk))
    return items


def check_collected(size: int) -> None:
    """Raises `LimitError` when a collected stream is larger than `MAX_COLLECTED`."""
    if size > MAX_COLLECTED:
        raise errors.LimitError(
            f"the chunks of the stream are larger than {MAX_COLLECTED} bytes in all",
            code="E0902",
            hint="iterate over them instead of collecting them",
        )


class Driver:
    """Runs operations over a sync stub. `header` is the request header of every RPC."""

    def __init__(self, stub: Any, header: tuple[tuple[str, str], ...] = ()) -> None:
        self.stub = stub
        self.header = header

    def run(self, operation: Operation[T], timeout: float | None = None) -> T:
        """Runs an operation to its end. `timeout` (seconds, None = no limit) is for each of its RPCs."""
        try:
            method, request = next(operation)
            while True:
                failure = None
                try:
                    reply = self.invoke(method, request, timeout)
                except grpc.RpcError as error:
                    failure = errors.from_rpc_error(error)
                # Thrown out here, so that the RPC's own traceback is not shown before it.
                method, request = operation.send(reply) if failure is None else operation.throw(failure)
        except StopIteration as end:
            result: T = end.value
            return result

    def invoke(self, method: str, request: Any, timeout: float | None) -> Any:
        """One RPC; the replies of a streaming one as a list."""
        call = getattr(self.stub, method)
        if method != "ExecuteStreamingTool":
            return call(request, timeout=timeout, metadata=self.header)
        return self.collect(call(request, timeout=timeout, metadata=self.header))

    def collect(self, stream: Any) -> list[Any]:
        """Reads a stream to its end; past `MAX_COLLECTED` it is cancelled and `LimitError` raised."""
        chunks, size = [], 0
        try:
            for chunk in stream:
                size += len(chunk.data)
                check_collected(size)
                chunks.append(chunk)
        except BaseException:
            stream.cancel()
            raise
        return chunks


class AsyncDriver:
    """Runs operations over a `grpc.aio` stub. `header` is the request header of every RPC."""

    def __init__(self, stub: Any, header: tuple[tuple[str, str], ...] = ()) -> None:
        self.stub = stub
        self.header = header

    async def run(self, operation: Operation[T], timeout: float | None = None) -> T:
        """Runs an operation to its end. `timeout` (seconds, None = no limit) is for each of its RPCs."""
        try:
            method, request = next(operation)
            while True:
                failure = None
                try:
                    reply = await self._invoke(method, request, timeout)
                except grpc.RpcError as error:
                    failure = errors.from_rpc_error(error)
                # Thrown out here, so that the RPC's own traceback is not shown before it.
                method, request = operation.send(reply) if failure is None else operation.throw(failure)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _invoke(self, method: str, request: Any, timeout: float | None) -> Any:
        call = getattr(self.stub, method)(request, timeout=timeout, metadata=self.header)
        if method != "ExecuteStreamingTool":
            return await call
        chunks, size = [], 0
        try:
            async for chunk in call:
                size += len(chunk.data)
                check_collected(size)
                chunks.append(chunk)
        except BaseException:
            call.cancel()
            raise
        return chunks
