"""Gates: at most so many calls at once through one (a tool's `concurrency`, an adapter instance). First come first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class Gate:
    """Lets `limit` through. Thread-safe; nobody blocks in it."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], None]] = deque()

    def enter(self, go: Callable[[], None], *, first: bool = False) -> None:
        """Runs `go` as soon as there is room, now or in the thread of the one that leaves. `first` overtakes."""
        with self._lock:
            if self._free == 0:
                if first:
                    self._waiting.appendleft(go)
                else:
                    self._waiting.append(go)
                return
            self._free -= 1
        go()

    def leave(self) -> None:
        """Gives the place to the next one that waits."""
        with self._lock:
            if not self._waiting:
                self._free += 1
                return
            go = self._waiting.popleft()
        go()


def enter_all(gates: list[Gate], go: Callable[[], None]) -> None:
    """Enters gates one after the other, then runs `go`. Everybody enters in the same order, so none waits for ever."""
    if not gates:
        go()
    else:
        gates[0].enter(lambda: enter_all(gates[1:], go))
