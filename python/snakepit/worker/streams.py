"""Between a tool that produces chunks and the RPC that writes them: a bounded buffer that makes the producer wait."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import Any

from snakepit import values
from snakepit.errors import LimitError
from snakepit.wire import bridge_pb2 as pb
from snakepit.worker.calls import End

#: Chunks that wait for the writer.
MAX_WAITING = 64
#: Bytes of chunks that wait for the writer; one chunk may be larger than this.
MAX_WAITING_BYTES = 4 * 1024 * 1024
#: The largest chunk in bytes.
MAX_CHUNK = 1024 * 1024

#: A chunk's data, the encoding it has beside JSON ("" = JSON), and whether it is a progress report.
Item = tuple[bytes, str, bool]


class Closed(Exception):
    """The stream was closed: nobody reads what is produced."""


def item_of(value: Any) -> Item:
    """The chunk of a yielded value. Raises `LimitError` for one over `MAX_CHUNK`, `ValueEncodeError` for no JSON."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        item = (bytes(value), "bytes", False)
    elif isinstance(value, str):
        item = (value.encode(errors="surrogatepass"), "text", False)
    else:
        item = (values.to_json_bytes(value), "", False)
    if len(item[0]) > MAX_CHUNK:
        raise LimitError(
            f"a chunk of {len(item[0])} bytes is above the limit of {MAX_CHUNK}",
            code="E0902",
            hint="yield smaller pieces",
        )
    return item


class Buffer:
    """One producer (a thread or a task), one writer (a task)."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._room = threading.Condition()
        self._room_on_loop: asyncio.Future[None] | None = None
        self._filled = asyncio.Event()
        self._signalled = False
        self._closed = False
        self._end: End | None = None

    # --- the producer's side ----------------------------------------------------------------------------------

    def _full(self) -> bool:
        return len(self._items) >= MAX_WAITING or self._bytes >= MAX_WAITING_BYTES

    def put(self, item: Item) -> None:
        """Adds a chunk; waits while the buffer is full. Raises `Closed`. Called in a thread."""
        with self._room:
            while self._full() and not self._closed:
                self._room.wait()
            self._add(item)

    async def aput(self, item: Item) -> None:
        """Adds a chunk; waits while the buffer is full. Raises `Closed`. Called on the loop."""
        while True:
            with self._room:
                if self._closed or not self._full():
                    self._add(item)
                    return
                waiter = self._room_on_loop = self._loop.create_future()
            await waiter

    def _add(self, item: Item) -> None:
        if self._closed:
            raise Closed
        self._items.append(item)
        self._bytes += len(item[0])
        self._signal()

    def report(self, data: bytes) -> None:
        """Adds a progress report, or replaces the last chunk if that is one. Never waits. From any thread."""
        with self._room:
            if self._closed:
                return
            if self._items and self._items[-1][2]:
                self._bytes -= len(self._items.pop()[0])
            self._items.append((data, "", True))
            self._bytes += len(data)
            self._signal()

    def finish(self, end: End) -> None:
        """Says how the call ended; what was added before is still written. From any thread."""
        with self._room:
            self._end = end
            self._signal()

    def close(self) -> None:
        """Nobody reads any more: what waits is dropped and the producer learns it. From any thread."""
        with self._room:
            self._closed = True
            self._items.clear()
            self._bytes = 0
            self._room.notify_all()
        self._loop.call_soon_threadsafe(self._let_in)

    # --- the writer's side ------------------------------------------------------------------------------------

    def _signal(self) -> None:
        if not self._signalled:
            self._signalled = True
            self._loop.call_soon_threadsafe(self._filled.set)

    def _let_in(self) -> None:
        waiter, self._room_on_loop = self._room_on_loop, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def take(self) -> tuple[list[Item], End | None]:
        """Waits for chunks or the end; gives all that are there. Called on the loop."""
        await self._filled.wait()
        with self._room:
            self._filled.clear()
            self._signalled = False
            items = list(self._items)
            self._items.clear()
            self._bytes = 0
            self._room.notify_all()
            end = self._end
        self._let_in()
        return items, end


def chunk(call_id: str, tool: str, seq: int, item: Item) -> pb.ToolChunk:
    """The message of an item."""
    data, encoding, progress = item
    message = pb.ToolChunk(chunk_id=f"{tool}-{seq}", data=data, seq=seq, call_id=call_id)
    if progress:
        message.metadata["kind"] = "progress"
    elif encoding:
        message.metadata["encoding"] = encoding
    message.produced_at.GetCurrentTime()
    return message
