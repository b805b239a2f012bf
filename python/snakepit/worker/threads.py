"""Threads for sync tools: at most `limit` work at once, and few are woken for small jobs.

Handing each small job to a thread of its own costs more than the job. One thread takes job after job; the loop looks
every millisecond whether it got stuck and wakes more, twice as many each time.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable

#: Seconds between two looks at a queue that nobody may be taking from.
LOOK = 0.001
#: Threads that may wait in nested calls beside those that work.
MAX_LENT = 512


class _Parked:
    __slots__ = ("wake",)

    def __init__(self) -> None:
        self.wake = threading.Semaphore(0)


class Threads:
    """A pool of daemon threads. `submit`, `lend` and `take_back` may be called from any thread."""

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        self.limit = limit
        self._loop = loop
        self._lock = threading.Lock()
        self._jobs: deque[Callable[[], None]] = deque()
        self._parked: list[_Parked] = []
        self._busy = 0
        self._alive = 0
        self._taken = 0
        self._watched = False

    def submit(self, job: Callable[[], None]) -> None:
        """Queues a job. Jobs start in order. A job must not raise."""
        with self._lock:
            self._jobs.append(job)
            if self._busy == 0:
                self._wake(1)
                return
            if self._watched or self._busy >= self.limit:
                return
            self._watched = True
        self._loop.call_soon_threadsafe(self._watch)

    def lend(self) -> None:
        """The calling thread begins to wait: another may work in its place."""
        with self._lock:
            self._busy -= 1
            if self._jobs:
                self._wake(1)

    def take_back(self) -> None:
        """The calling thread works again, for a while beside the one that took its place."""
        with self._lock:
            self._busy += 1

    def _wake(self, count: int) -> None:
        """Wakes or starts up to `count` threads. The lock is held."""
        for _ in range(min(count, len(self._jobs), self.limit - self._busy)):
            if self._parked:
                self._busy += 1
                self._parked.pop().wake.release()
            elif self._alive < self.limit + MAX_LENT:
                self._busy += 1
                self._alive += 1
                threading.Thread(target=self._work, name=f"tool-{self._alive}", daemon=True).start()

    def _watch(self) -> None:
        self._loop.call_later(LOOK, self._look, self._taken, 1)

    def _look(self, taken: int, count: int) -> None:
        with self._lock:
            if not self._jobs or self._busy >= self.limit:
                # With every thread at work the next one that is free looks at the queue by itself.
                self._watched = False
                return
            stuck = self._taken == taken
            if stuck:
                self._wake(count)
            now = self._taken
        self._loop.call_later(LOOK, self._look, now, count * 2 if stuck else 1)

    def _work(self) -> None:
        me = _Parked()
        while True:
            with self._lock:
                if self._jobs and self._busy <= self.limit:
                    job = self._jobs.popleft()
                    self._taken += 1
                else:
                    self._busy -= 1
                    self._parked.append(me)
                    job = None
            if job is None:
                me.wake.acquire()
            else:
                job()
