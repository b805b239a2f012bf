"""One call in a worker: who made it, whether it has to stop, and that it ends exactly once."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple, Protocol

from snakepit.tools import Tool
from snakepit.wire import bridge_pb2 as pb
from snakepit.worker.gates import Gate
from snakepit.worker.threads import Threads

CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS = 1, 2, 3, 4, 5, 6
RESOURCE_EXHAUSTED, FAILED_PRECONDITION, UNAVAILABLE = 8, 9, 14


class End(NamedTuple):
    """How a call ended: `response` when the tool ran to an end, else a gRPC status."""

    response: pb.ExecuteToolResponse | None
    status: int = 0
    message: str = ""


class Sink(Protocol):
    """Where the progress of a call goes."""

    def report(self, data: bytes) -> None:
        """Takes a report; one that nobody has read yet is replaced."""


class Call:
    """A call from its arrival to its end. Methods may be called from any thread unless they say otherwise."""

    __slots__ = (
        "_actions",
        "_lock",
        "_on_end",
        "_started_at",
        "_state",
        "_stop",
        "deadline",
        "depth",
        "gates",
        "id",
        "request",
        "session_id",
        "sink",
        "threads",
        "timer",
        "tool",
        "worker_id",
    )

    def __init__(
        self,
        request: pb.ExecuteToolRequest,
        tool: Tool,
        worker_id: str,
        threads: Threads,
        on_end: Callable[[Call, End], None],
    ) -> None:
        self.id = request.call_id
        self.session_id = request.session_id
        self.depth = request.depth
        self.request = request
        self.tool = tool
        self.worker_id = worker_id
        self.threads = threads
        self.deadline: float | None = None
        self.gates: list[Gate] = []
        self.sink: Sink | None = None
        self.timer: asyncio.TimerHandle | None = None
        self._on_end = on_end
        self._lock = threading.Lock()
        self._state = "queued"
        self._stop: tuple[int, str] | None = None
        self._actions: list[Callable[[], None]] = []
        self._started_at = 0.0

    # --- its life ---------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """queued, running or finished."""
        return self._state

    def begin(self) -> bool:
        """Marks it as running. False when it ended while it waited: then not a line of the tool may run."""
        with self._lock:
            if self._state != "queued":
                return False
            self._state = "running"
        self._started_at = time.perf_counter()
        return True

    def elapsed_us(self) -> int:
        """Microseconds since it began."""
        return int((time.perf_counter() - self._started_at) * 1e6)

    def end(self, end: End) -> None:
        """Ends it; only the first end counts. An end after a stop is the stop's status."""
        with self._lock:
            if self._state == "finished":
                return
            self._state = "finished"
            if self._stop is not None:
                end = End(None, *self._stop)
        self._on_end(self, end)

    def stop(self, status: int, reason: str) -> bool:
        """Asks it to stop. One that has not begun ends at once. False when it had ended or was stopped before."""
        with self._lock:
            if self._state == "finished" or self._stop is not None:
                return False
            self._stop = (status, reason)
            queued = self._state == "queued"
            actions, self._actions = self._actions, []
        if queued:
            self.end(End(None, status, reason))
        for action in actions:
            action()
        return True

    # --- what a context needs ---------------------------------------------------------------------------------

    @property
    def stop_reason(self) -> str | None:
        """Why it has to stop, or None."""
        stop = self._stop
        return None if stop is None else stop[1]

    def on_stop(self, action: Callable[[], None]) -> Callable[[], None]:
        """Runs `action` when it has to stop, at once if it has to already; gives what takes that back."""
        with self._lock:
            if self._stop is None:
                self._actions.append(action)
                return lambda: self._forget(action)
        action()
        return lambda: None

    def _forget(self, action: Callable[[], None]) -> None:
        with self._lock:
            if action in self._actions:
                self._actions.remove(action)

    def report(self, fraction: float | None, message: str) -> None:
        """Passes progress on to a caller that streams; nobody else can see it."""
        if self.sink is not None:
            self.sink.report(json.dumps({"fraction": fraction, "message": message}).encode())

    @contextmanager
    def lend(self) -> Iterator[None]:
        """While its thread waits, others use its slot and its gates."""
        self.threads.lend()
        for gate in self.gates:
            gate.leave()
        try:
            yield
        finally:
            for gate in self.gates:
                entered = threading.Event()
                gate.enter(entered.set, first=True)
                entered.wait()
            self.threads.take_back()

    @asynccontextmanager
    async def alend(self) -> AsyncIterator[None]:
        """While its task waits, others use its gates."""
        for gate in self.gates:
            gate.leave()
        try:
            yield
        finally:
            for gate in self.gates:
                await asyncio.shield(entered(gate))


def entered(gate: Gate) -> asyncio.Future[None]:
    """A future of the running loop that is done once the gate is entered."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def go() -> None:
        loop.call_soon_threadsafe(future.set_result, None)

    gate.enter(go, first=True)
    return future
