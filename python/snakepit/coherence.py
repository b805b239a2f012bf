"""Keeps a context's cache coherent: one watch of the session drops what changed, whoever changed it.

While the watch lives it vouches for the cache, so that entries do not age. When it breaks, entries age by their TTL
again until it is back; then everything is dropped and read anew, so that nothing missed in between can be seen.
A watch holds one stream and keeps nothing of what it hears. It keeps its session alive, as every watch does.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Iterator
from typing import Any

import grpc

from snakepit.cache import VariableCache
from snakepit.operations import BINARY_HEADER
from snakepit.wire import bridge_pb2 as pb

#: Silence in milliseconds after which the bridge sends a sign of life.
HEARTBEAT_MS = 2_000
#: Seconds without a sign of life after which the watch does not vouch any more.
PATIENCE = 5.0
#: The shortest and the longest wait in seconds before a broken watch is tried again.
BACKOFF = (0.05, 5.0)
#: Seconds that one try may take to be answered.
DIAL_TIMEOUT = 10.0

#: What changes a value; control updates always come.
_TYPES = ("value_change", "registered", "deleted")

_log = logging.getLogger("snakepit.cache")


class _Gone(Exception):
    """The session is not there (yet, or any more)."""


def _watch(session_id: str, revision: int, epoch: int) -> pb.WatchVariablesRequest:
    return pb.WatchVariablesRequest(
        session_id=session_id,
        after_revision=revision,
        epoch=epoch,
        heartbeat_ms=HEARTBEAT_MS,
        extended=True,
        accept_batch=True,
        allow_missing=True,
        update_types=_TYPES,
    )


def _anchored(cache: VariableCache, reply: Any) -> tuple[int, int]:
    if not reply.session_valid:
        raise _Gone
    cache.anchor(reply.epoch, reply.revision)
    return reply.revision, reply.epoch


def _apply(cache: VariableCache, message: Any) -> None:
    """Drops what a message of the watch says has changed."""
    for update in message.batch or (message,):
        kind = update.update_type
        if kind in _TYPES:
            name = update.variable.name
            forget = kind != "value_change"
            cache.changed(update.variable_id, name, revision=update.revision, forget_type=forget)
        elif kind == "resync":
            cache.anchor(update.epoch, update.revision)
        elif kind == "session_closed":
            raise _Gone
    cache.vouch(PATIENCE)


def _waits() -> Iterator[float]:
    """Waits between tries: growing, with some chance in them."""
    wait, longest = BACKOFF
    while True:
        yield wait * random.uniform(0.5, 1.0)
        wait = min(wait * 2, longest)


class Watcher:
    """The watch of a sync context, on one thread of its own. A `channel` that is given is closed at its end."""

    def __init__(self, stub: Any, session_id: str, cache: VariableCache, channel: Any = None) -> None:
        self._stub = stub
        self._channel = channel
        self._session_id = session_id
        self._cache = cache
        self._stopped = threading.Event()
        self._alive = threading.Event()
        self._stream: Any = None
        self._thread = threading.Thread(target=self._run, name=f"snakepit-watch-{session_id}", daemon=True)
        self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the watch is in force; False when it is not after so many seconds."""
        return self._alive.wait(timeout)

    def stop(self) -> None:
        """Ends the watch. Safe from any thread, and more than once."""
        self._stopped.set()
        self._cache.vouch(0)
        stream = self._stream
        if stream is not None:
            stream.cancel()

    def join(self, timeout: float) -> None:
        """Waits for the thread to end, at most so many seconds."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._follow()
        finally:
            if self._channel is not None:
                self._channel.close()

    def _follow(self) -> None:
        waits = _waits()
        while not self._stopped.is_set():
            try:
                for message in self._open():
                    waits = _waits()
                    _apply(self._cache, message)
            except _Gone:
                pass
            except (grpc.RpcError, ValueError) as error:  # ValueError: the channel was closed
                if not self._stopped.is_set():
                    _log.debug("the watch of %s broke: %s", self._session_id, error)
            finally:
                self._alive.clear()
                self._cache.vouch(0)
            self._stopped.wait(next(waits))

    def _open(self) -> Any:
        request = pb.HeartbeatRequest(session_id=self._session_id)
        anchor = _anchored(self._cache, self._stub.Heartbeat(request, timeout=DIAL_TIMEOUT))
        self._stream = self._stub.WatchVariables(_watch(self._session_id, *anchor), metadata=(BINARY_HEADER,))
        if self._stopped.is_set():
            self._stream.cancel()
        self._stream.initial_metadata()
        if self._stream.is_active():
            self._cache.vouch(PATIENCE)
            self._alive.set()
        return self._stream


class AsyncWatcher:
    """The watch of an async context, as one task of its loop. A `channel` that is given is closed at its end."""

    def __init__(self, stub: Any, session_id: str, cache: VariableCache, channel: Any = None) -> None:
        self._stub = stub
        self._channel = channel
        self._session_id = session_id
        self._cache = cache
        self._alive = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"snakepit-watch-{session_id}")

    async def wait(self, timeout: float | None = None) -> bool:
        """Waits until the watch is in force; False when it is not after so many seconds."""
        try:
            await asyncio.wait_for(self._alive.wait(), timeout)
        except asyncio.TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """Ends the watch."""
        self._cache.vouch(0)
        self._task.cancel()
        await asyncio.wait([self._task])
        if self._channel is not None:
            await self._channel.close()

    async def _run(self) -> None:
        waits = _waits()
        while True:
            try:
                async for message in await self._open():
                    waits = _waits()
                    _apply(self._cache, message)
            except _Gone:
                pass
            except grpc.RpcError as error:
                _log.debug("the watch of %s broke: %s", self._session_id, error)
            finally:
                self._alive.clear()
                self._cache.vouch(0)
            await asyncio.sleep(next(waits))

    async def _open(self) -> Any:
        request = pb.HeartbeatRequest(session_id=self._session_id)
        anchor = _anchored(self._cache, await self._stub.Heartbeat(request, timeout=DIAL_TIMEOUT))
        stream = self._stub.WatchVariables(_watch(self._session_id, *anchor), metadata=(BINARY_HEADER,))
        await stream.initial_metadata()
        self._cache.vouch(PATIENCE)
        self._alive.set()
        return stream
