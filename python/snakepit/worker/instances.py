"""Instances of adapter classes: one for each session, made at its first call, the oldest idle ones let go."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from snakepit.context import Uplink
from snakepit.worker.gates import Gate

#: Instances of one class that are kept; above it the one that was used longest ago is cleaned up.
MAX_INSTANCES = 256

_log = logging.getLogger("snakepit.worker")


class Slot:
    """The place of one instance: its gate, and the instance once it is made."""

    def __init__(self, cls: type, session_id: str) -> None:
        self.gate = None if getattr(cls, "__thread_safe__", False) else Gate(1)
        self._users = 0
        self.instance: Any = None
        self._cls = cls
        self._session_id = session_id
        self._lock = threading.Lock()
        self._count = threading.Lock()

    @property
    def idle(self) -> bool:
        """No call uses it or waits for it."""
        return self._users == 0

    def take(self) -> None:
        """A call is going to use it."""
        with self._count:
            self._users += 1

    def give_back(self) -> None:
        """A call does not need it any more. From any thread."""
        with self._count:
            self._users -= 1

    def get(self, uplink: Uplink, loop: asyncio.AbstractEventLoop) -> Any:
        """The instance, made and initialized when it is not there. Blocks; never called on the loop."""
        with self._lock:
            if self.instance is None:
                instance = self._cls()
                if hasattr(instance, "set_session_context"):
                    from snakepit.session import SessionContext

                    # An instance outlives its calls, and each call has to see what is there now.
                    context_class = getattr(self._cls, "session_context_class", None) or SessionContext
                    session = context_class(uplink.driver().stub, self._session_id, cache_ttl=0)
                    session.use(uplink.driver())
                    instance.set_session_context(session)
                if hasattr(instance, "initialize"):
                    _finish(instance.initialize(), loop)
                self.instance = instance
            return self.instance

    def cleanup(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends the instance. What its `cleanup` raises is logged. Blocks; never called on the loop."""
        with self._lock:
            instance, self.instance = self.instance, None
        if instance is not None and hasattr(instance, "cleanup"):
            try:
                _finish(instance.cleanup(), loop)
            except Exception:
                _log.exception("cleanup of %s failed", self._cls.__name__)


def _finish(result: Any, loop: asyncio.AbstractEventLoop) -> None:
    if inspect.isawaitable(result):

        async def wait() -> None:
            await result

        asyncio.run_coroutine_threadsafe(wait(), loop).result()


class Instances:
    """The slots of every adapter class. Called on the loop, except where a method says otherwise."""

    def __init__(self, in_thread: Callable[[Callable[[], None]], None], loop: asyncio.AbstractEventLoop) -> None:
        self._in_thread = in_thread
        self._loop = loop
        self._slots: OrderedDict[tuple[type, str], Slot] = OrderedDict()

    def slot(self, cls: type, session_id: str) -> Slot:
        """The slot of a class and session. The caller says `take` and `give_back`."""
        key = (cls, session_id)
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = Slot(cls, session_id)
            self._evict()
        self._slots.move_to_end(key)
        return slot

    def _evict(self) -> None:
        if len(self._slots) <= MAX_INSTANCES:
            return
        for key, slot in self._slots.items():
            if slot.idle:
                del self._slots[key]
                self._in_thread(partial(slot.cleanup, self._loop))
                return

    def cleanup(self) -> None:
        """Ends every instance. Blocks; never called on the loop."""
        while self._slots:
            self._slots.popitem()[1].cleanup(self._loop)
