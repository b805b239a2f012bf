"""What a session can do, written once: each operation is a generator that yields RPCs and gets their replies.

Variables have their own file, `variables`. A driver runs an operation over a sync or an async stub (`Driver`,
`AsyncDriver`), so that both have one meaning. This file must never open a channel, block, or know of an event loop.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc

from snakepit import errors, values
from snakepit.cache import VariableCache
from snakepit.wire import bridge_pb2 as pb

T = TypeVar("T")
#: Yields (method, request), receives the reply; a streaming method's reply is the list of its messages.
Operation = Generator[tuple[str, Any], Any, T]

#: Marks an argument that was not given, where None is a value.
MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING"})()
#: The request header by which a client says that it reads binary values.
BINARY_HEADER = ("snakepit-binary", "raw")
#: Bytes of chunks that are collected for one call of a streaming tool.
MAX_COLLECTED = 64 * 1024 * 1024


@dataclass(frozen=True)
class Scope:
    """Where operations happen: the session, and the running call that they are made from (empty outside of one).

    `cache` is what reads of variables are kept in, None = nowhere. With `lists` embeddings are read as lists of
    float, as older code expects them.
    """

    session_id: str
    parent_call_id: str = ""
    depth: int = 0
    cache: VariableCache | None = None
    lists: bool = False


def call_tool(scope: Scope, name: str, arguments: Mapping[str, Any]) -> Operation[Any]:
    """Calls a tool. One that streams is collected: what its generator returned, else the list of its chunks."""
    try:
        return (yield from _call_tool(scope, name, arguments))
    except errors.ToolError as failed:
        failed.tool = name
        raise
    finally:
        _tool_ran(scope)


def _tool_ran(scope: Scope) -> None:
    """A tool may have written any variable: what this context reads next is read anew."""
    if scope.cache is not None:
        scope.cache.clear()


def _call_tool(scope: Scope, name: str, arguments: Mapping[str, Any]) -> Operation[Any]:
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
    request = pb.ExecuteElixirToolRequest(
        session_id=scope.session_id,
        tool_name=name,
        parameters={key: values.encode(value) for key, value in arguments.items()},
        parent_call_id=scope.parent_call_id,
        depth=scope.depth,
    )
    try:
        return result_of((yield "ExecuteElixirTool", request))
    except errors.ToolError as failed:
        failed.tool = name
        raise
    finally:
        _tool_ran(scope)


def host_tools(scope: Scope) -> Operation[list[Any]]:
    """The specs of the host tools that this session may call."""
    reply = yield "GetExposedElixirTools", pb.GetExposedElixirToolsRequest(session_id=scope.session_id)
    return list(reply.tools)


def initialize(scope: Scope, ttl_seconds: int = 0) -> Operation[Any]:
    """Creates the session, or attaches to it."""
    request = pb.InitializeSessionRequest(session_id=scope.session_id)
    request.config.ttl_seconds = ttl_seconds
    reply = yield "InitializeSession", request
    if scope.cache is not None:
        scope.cache.clear()
    if not reply.success:
        raise errors.SnakepitError(reply.error_message)
    return reply


def cleanup(scope: Scope, force: bool = False) -> Operation[int]:
    """Ends the session and gives the number of things that went with it."""
    if scope.cache is not None:
        scope.cache.clear()
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
