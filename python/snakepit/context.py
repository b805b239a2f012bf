"""`Context`: what a running tool sees of its caller. Variables, other tools, progress, cancellation.

Nothing is sent before a tool asks for it. Sync methods block their thread and are refused on an event loop; async
tools use the twins with an `a` before the name.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Protocol, TypeVar

import grpc

from snakepit import channel, errors, operations, variables
from snakepit.operations import MISSING, AsyncDriver, Driver, Operation, Scope
from snakepit.wire import rpc

T = TypeVar("T")

#: The shortest time in seconds between two progress reports of `track`.
TRACK_INTERVAL = 0.1

_log = logging.getLogger("snakepit.tool")
_current: contextvars.ContextVar[Context] = contextvars.ContextVar("snakepit_context")


class RunningCall(Protocol):
    """What a context needs to know of its call; the worker runtime provides it."""

    id: str
    session_id: str
    worker_id: str
    depth: int
    deadline: float | None

    @property
    def stop_reason(self) -> str | None:
        """Why the call has to stop, or None."""

    def report(self, fraction: float | None, message: str) -> None:
        """Passes a progress report on."""

    def on_stop(self, action: Callable[[], None]) -> Callable[[], None]:
        """Runs `action` when the call has to stop (at once if it has to already); gives what takes that back."""

    def lend(self) -> AbstractContextManager[None]:
        """Gives the call's thread slot and its exclusive rights away while it waits."""

    def alend(self) -> AbstractAsyncContextManager[None]:
        """The same on the event loop."""


class Uplink:
    """A worker's connection to the bridge, made when it is first needed and shared by all its calls."""

    def __init__(self, address: str | None, worker_id: str) -> None:
        self._address = address
        self._header = (("snakepit-worker-id", worker_id), operations.BINARY_HEADER)
        self._lock = threading.Lock()
        self._driver: Driver | None = None
        self._async_driver: AsyncDriver | None = None

    def driver(self) -> Driver:
        """The driver over the sync channel."""
        with self._lock:
            if self._driver is None:
                stub = rpc.BridgeServiceStub(channel.open_channel(self._address))
                self._driver = Driver(stub, self._header)
            return self._driver

    def async_driver(self) -> AsyncDriver:
        """The driver over the channel of the worker's event loop. Called on that loop only."""
        if self._async_driver is None:
            stub = rpc.AsyncBridgeServiceStub(channel.open_async_channel(self._address))
            self._async_driver = AsyncDriver(stub, self._header)
        return self._async_driver


class Context:
    """The caller's side of a running tool. Declare a parameter of this type, or ask `current_context()`.

    `ctx["lr"]`, `ctx["lr"] = 0.1` and `"lr" in ctx` read, write and look for variables of the caller's session.
    """

    __slots__ = ("_call", "_scope", "_uplink")

    def __init__(self, call: RunningCall, uplink: Uplink) -> None:
        self._call = call
        self._uplink = uplink
        self._scope: Scope | None = None

    # --- who and where ----------------------------------------------------------------------------------------

    @property
    def session_id(self) -> str:
        """The caller's session."""
        return self._call.session_id

    @property
    def call_id(self) -> str:
        """The id of this call."""
        return self._call.id

    @property
    def worker_id(self) -> str:
        """The id of the worker that runs the call."""
        return self._call.worker_id

    @property
    def deadline(self) -> float | None:
        """When the call has to be done, as `time.monotonic()` counts; None = no limit."""
        return self._call.deadline

    # --- stopping and reporting -------------------------------------------------------------------------------

    @property
    def cancelled(self) -> bool:
        """True once the call was cancelled or ran out of time."""
        return self._call.stop_reason is not None

    def check_cancelled(self) -> None:
        """Raises `Cancelled` once the call was cancelled or ran out of time."""
        reason = self._call.stop_reason
        if reason is not None:
            raise errors.Cancelled(reason)

    def progress(self, fraction: float | None = None, message: str = "") -> None:
        """Reports progress: `fraction` from 0 to 1 (None = not known) and a few words.

        Callers that stream see it; a report that nobody has read when the next one comes is replaced by it.
        """
        self._call.report(None if fraction is None else float(fraction), message)

    def track(self, iterable: Iterable[T], label: str = "", total: int | None = None) -> Iterator[T]:
        """Iterates and reports progress, at most ten times a second; raises `Cancelled` at each step.

        `total` is the number of items where `iterable` has no length.
        """
        if total is None and isinstance(iterable, Sized):
            total = len(iterable)
        reported = 0.0
        for index, item in enumerate(iterable):
            self.check_cancelled()
            now = time.monotonic()
            if now - reported >= TRACK_INTERVAL:
                reported = now
                self._report_step(index, label, total)
            yield item
        if total:
            self._report_step(total, label, total)

    def _report_step(self, index: int, label: str, total: int | None) -> None:
        count = f"{index}/{total}" if total else str(index)
        self.progress(index / total if total else None, f"{label} {count}".strip())

    def log(self, message: object, level: str = "info") -> None:
        """Writes a line to the worker's log. `level` is debug, info, warning or error."""
        _log.log(logging.getLevelName(level.upper()), "%s", message)

    # --- variables --------------------------------------------------------------------------------------------

    def get(self, name: str, default: Any = MISSING) -> Any:
        """Reads a variable. Raises `VariableNotFoundError` where there is none and no default."""
        return self._run(variables.get(self.scope, name, default))

    def set(self, name: str, value: Any, *, expected_version: int | None = None) -> int:
        """Writes a variable, registers it where there is none, and gives the new version.

        Raises `ValidationError` for a value that breaks its type or constraints, `VersionConflictError` when
        `expected_version` is not the current one.
        """
        return self._run(variables.set_value(self.scope, name, value, expected_version=expected_version))

    def register(
        self,
        name: str,
        value: Any,
        type: Any = None,
        *,
        if_exists: str = "keep",
        metadata: Mapping[str, str] | None = None,
        **constraints: Any,
    ) -> str:
        """Declares a variable and gives its id; one that exists is kept unless `if_exists` says otherwise.

        `if_exists` is keep, fail, update (constraints) or reset (constraints and value). Constraints are given by
        name: `ctx.register("lr", 0.1, min=0.0, max=1.0)`.
        """
        return str(self._run(self._registration(name, value, type, if_exists, metadata, constraints)).variable_id)

    def _registration(
        self,
        name: str,
        value: Any,
        type: Any,
        if_exists: str,
        metadata: Mapping[str, str] | None,
        constraints: dict[str, Any],
    ) -> Operation[Any]:
        return variables.register_variable(
            self.scope,
            name,
            variables.type_name(type),
            value,
            constraints=constraints,
            metadata=metadata,
            if_exists=if_exists,
        )

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.set(name, value)

    def __contains__(self, name: str) -> bool:
        return self._run(variables.contains(self.scope, name))

    def __iter__(self) -> Iterator[str]:
        return iter([one["name"] for one in self._run(variables.list_variables(self.scope))])

    # --- tools ------------------------------------------------------------------------------------------------

    def call_tool(self, tool_name: str, /, **arguments: Any) -> Any:
        """Calls another tool of the session and waits for its result; one that streams is collected.

        Raises `ToolError` when it fails, `ToolNotFoundError` when there is none of that name. The wait costs no
        thread slot, and it ends when this call is cancelled.
        """
        with self._call.lend():
            return self._run(operations.call_tool(self.scope, tool_name, arguments))

    @property
    def host(self) -> HostTools:
        """The host tools: `ctx.host.NAME(**arguments)`."""
        return HostTools(self._call_host)

    def _call_host(self, tool_name: str, /, **arguments: Any) -> Any:
        with self._call.lend():
            return self._run(operations.call_host(self.scope, tool_name, arguments))

    # --- async twins ------------------------------------------------------------------------------------------

    async def aget(self, name: str, default: Any = MISSING) -> Any:
        """`get` for async tools."""
        return await self._arun(variables.get(self.scope, name, default))

    async def aset(self, name: str, value: Any, *, expected_version: int | None = None) -> int:
        """`set` for async tools."""
        return await self._arun(variables.set_value(self.scope, name, value, expected_version=expected_version))

    async def aregister(
        self,
        name: str,
        value: Any,
        type: Any = None,
        *,
        if_exists: str = "keep",
        metadata: Mapping[str, str] | None = None,
        **constraints: Any,
    ) -> str:
        """`register` for async tools."""
        reply = await self._arun(self._registration(name, value, type, if_exists, metadata, constraints))
        return str(reply.variable_id)

    async def acontains(self, name: str) -> bool:
        """`name in ctx` for async tools."""
        return await self._arun(variables.contains(self.scope, name))

    async def acall_tool(self, tool_name: str, /, **arguments: Any) -> Any:
        """`call_tool` for async tools."""
        async with self._call.alend():
            return await self._arun(operations.call_tool(self.scope, tool_name, arguments))

    @property
    def ahost(self) -> HostTools:
        """The host tools for async tools: `await ctx.ahost.NAME(**arguments)`."""
        return HostTools(self._acall_host)

    async def _acall_host(self, tool_name: str, /, **arguments: Any) -> Any:
        async with self._call.alend():
            return await self._arun(operations.call_host(self.scope, tool_name, arguments))

    # --- inside -----------------------------------------------------------------------------------------------

    @property
    def scope(self) -> Scope:
        """Where this call's operations happen."""
        if self._scope is None:
            call = self._call
            self._scope = Scope(call.session_id, call.id, call.depth + 1)
        return self._scope

    def _remaining(self) -> float | None:
        deadline = self._call.deadline
        return None if deadline is None else max(0.001, deadline - time.monotonic())

    def _run(self, operation: Operation[T]) -> T:
        if asyncio._get_running_loop() is not None:
            operation.close()
            raise errors.SnakepitError(
                "a blocking method of the context was called on an event loop",
                hint="in an async tool use `await ctx.aget(...)`, `ctx.aset`, `ctx.acall_tool`, `ctx.ahost`",
            )
        self.check_cancelled()
        return _StoppableDriver(self._uplink.driver(), self._call).run(operation, self._remaining())

    async def _arun(self, operation: Operation[T]) -> T:
        self.check_cancelled()
        return await self._uplink.async_driver().run(operation, self._remaining())


class _StoppableDriver(Driver):
    """Ends the RPC that it waits for when the call that made it has to stop."""

    def __init__(self, driver: Driver, call: RunningCall) -> None:
        super().__init__(driver.stub, driver.header)
        self._call = call

    def invoke(self, method: str, request: Any, timeout: float | None) -> Any:
        call = getattr(self.stub, method)
        if method not in ("ExecuteTool", "ExecuteElixirTool", "ExecuteStreamingTool"):
            return call(request, timeout=timeout, metadata=self.header)
        try:
            if method == "ExecuteStreamingTool":
                stream = call(request, timeout=timeout, metadata=self.header)
                return self._guarded(stream.cancel, lambda: self.collect(stream))
            future = call.future(request, timeout=timeout, metadata=self.header)
            return self._guarded(future.cancel, future.result)
        except (grpc.FutureCancelledError, grpc.RpcError):
            reason = self._call.stop_reason
            if reason is not None:
                raise errors.Cancelled(reason) from None
            raise

    def _guarded(self, cancel: Callable[[], Any], wait: Callable[[], Any]) -> Any:
        forget = self._call.on_stop(lambda: (cancel(), None)[1])
        try:
            return wait()
        finally:
            forget()


class HostTools:
    """Host tools as attributes; each takes named arguments and gives the tool's result."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Callable[..., Any]:
        def tool(**arguments: Any) -> Any:
            return self._call(name, **arguments)

        tool.__name__ = name
        return tool


def current_context() -> Context:
    """The context of the tool that runs here: in its thread or task, and in tasks that it started.

    Raises `SnakepitError` outside of a tool.
    """
    try:
        return _current.get()
    except LookupError:
        raise errors.SnakepitError(
            "no tool runs here", hint="current_context() works inside a tool that a worker runs"
        ) from None


def enter(context: Context) -> contextvars.Token[Context]:
    """Makes a context the current one; the runtime calls it at the start of a call."""
    return _current.set(context)
