"""`VariableCache`: what was read of a session, for a while.

An entry is dropped by time, by a write through the same context, or by a watch that tells of everybody's writes. A
reply that was under way when its variable changed is never kept: replies carry the revision that they show, and the
cache knows the revision of the last change it heard of. This file must never talk to a bridge.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

#: How long an entry is good, in seconds, unless somebody says otherwise.
DEFAULT_TTL = 5.0
#: Entries that are kept; above it the oldest goes.
MAX_ENTRIES = 10_000
#: Payloads of more bytes than this are not kept: reading them again costs less than holding them.
MAX_PAYLOAD = 1024 * 1024

#: What `get` gives when there is nothing.
ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "ABSENT"})()

_FROZEN = (float, int, str, bool, type(None))


@dataclass(frozen=True)
class CacheStats:
    """How a cache did: counts since the context was made, `size` entries now, `ttl` in seconds."""

    hits: int
    misses: int
    invalidations: int
    evictions: int
    size: int
    ttl: float
    coherent: bool

    @property
    def hit_rate(self) -> float:
        """Hits per read, 0.0 before the first read."""
        reads = self.hits + self.misses
        return self.hits / reads if reads else 0.0


class _Entry:
    __slots__ = ("expires", "keys", "make", "revision", "value")

    def __init__(
        self, value: Any, make: Callable[[], Any] | None, expires: float, keys: tuple[str, ...], revision: int
    ) -> None:
        self.revision = revision
        self.value = value
        #: Makes a value anew where it could be changed by whoever gets it; None for what cannot.
        self.make = make
        self.expires = expires
        self.keys = keys


class VariableCache:
    """The cache of one context. Threads may share it."""

    def __init__(self, ttl: float = DEFAULT_TTL) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._types: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._ttl = ttl
        self._epoch = 0
        #: Replies of an older revision may show what has changed since.
        self._floor = 0
        #: Counts how often everything was dropped: a reply that was asked for before is not kept.
        self._generation = 0
        #: Until when a watch vouches for every entry; 0 = nobody does.
        self._vouched = 0.0
        self._hits = self._misses = self._invalidations = self._evictions = 0

    # --- reading ----------------------------------------------------------------------------------------------

    def get(self, identifier: str) -> Any:
        """The value kept for an id or a name, or `ABSENT`."""
        # Without the lock: a dict read is atomic, and an entry never changes once it is in.
        entry = self._entries.get(identifier)
        if entry is not None:
            now = time.monotonic()
            if now < entry.expires or now < self._vouched:
                self._hits += 1
                return entry.value if entry.make is None else entry.make()
        self._misses += 1
        return ABSENT

    def known_type(self, identifier: str) -> str | None:
        """The type of a variable, where it was seen. It does not change while its id lives."""
        return self._types.get(identifier)

    def name_of(self, identifier: str) -> str | None:
        """The name of a variable, where it was seen."""
        return self._names.get(identifier)

    # --- filling ----------------------------------------------------------------------------------------------

    def mark(self) -> int:
        """To be asked before a read and given to `put` after it."""
        return self._generation

    def put(self, mark: int, identifier: str, variable: Any, value: Any, reply: Any, make: Callable[[], Any]) -> None:
        """Keeps a value read by `identifier`, under its id and name too. `reply` has the revision that it shows."""
        keys = {identifier, variable.id, variable.name}
        with self._lock:
            if reply.epoch != self._epoch:
                self._restart(reply.epoch)
            for key in keys:
                self._types[key] = variable.type
                self._names[key] = variable.name
            self._bound(self._types)
            self._bound(self._names)
            if self._ttl <= 0 or reply.revision < self._floor or mark != self._generation:
                return
            if len(variable.binary_value) > MAX_PAYLOAD:
                return
            # Of two replies that come back in the wrong order the newer one stays, so that no reader goes back.
            there = self._entries.get(variable.id)
            if there is not None and there.revision > reply.revision:
                return
            frozen = isinstance(value, _FROZEN)
            expires = time.monotonic() + self._ttl
            entry = _Entry(value if frozen else None, None if frozen else make, expires, tuple(keys), reply.revision)
            for key in keys:
                self._entries.pop(key, None)
                self._entries[key] = entry
            self._evictions += self._bound(self._entries)

    def note_type(self, identifier: str, type_name: str) -> None:
        """Remembers the type of a variable that was registered here."""
        with self._lock:
            self._types[identifier] = type_name
            self._bound(self._types)

    def _bound(self, table: dict[str, Any]) -> int:
        over = len(table) - MAX_ENTRIES
        for _ in range(over):
            del table[next(iter(table))]
        return max(over, 0)

    # --- dropping ---------------------------------------------------------------------------------------------

    def changed(self, *identifiers: str, revision: int = 0, forget_type: bool = False) -> None:
        """Drops what is kept of variables that changed at `revision` (0 = now, whatever that is)."""
        with self._lock:
            self._floor = max(self._floor, revision)
            for identifier in identifiers:
                entry = self._entries.pop(identifier, None)
                if entry is not None:
                    self._invalidations += 1
                    for key in entry.keys:
                        if self._entries.get(key) is entry:
                            del self._entries[key]
                if forget_type:
                    self._types.pop(identifier, None)

    def clear(self) -> None:
        """Drops everything."""
        with self._lock:
            self._invalidations += len({id(entry) for entry in self._entries.values()})
            self._generation += 1
            self._entries.clear()
            self._types.clear()

    def _restart(self, epoch: int) -> None:
        self._entries.clear()
        self._types.clear()
        self._names.clear()
        self._epoch, self._floor = epoch, 0

    # --- coherence --------------------------------------------------------------------------------------------

    def anchor(self, epoch: int, revision: int) -> None:
        """A watch tells of every change after `revision` from now on; what was read before it is dropped."""
        with self._lock:
            self._restart(epoch)
            self._generation += 1
            self._floor = revision

    def vouch(self, seconds: float) -> None:
        """Every entry is good for so long, whatever its age: the watch is alive. 0 takes it back."""
        self._vouched = time.monotonic() + seconds if seconds > 0 else 0.0

    # --- settings ---------------------------------------------------------------------------------------------

    @property
    def ttl(self) -> float:
        """How long an entry is good, in seconds; 0 = nothing is kept."""
        return self._ttl

    def set_ttl(self, ttl: float | timedelta) -> None:
        """Sets how long entries are good from now on; 0 turns the cache off. What is kept is dropped."""
        self._ttl = ttl.total_seconds() if isinstance(ttl, timedelta) else float(ttl)
        with self._lock:
            self._entries.clear()

    def stats(self) -> CacheStats:
        """How it did so far."""
        with self._lock:
            size = len({id(entry) for entry in self._entries.values()})
        vouched = time.monotonic() < self._vouched
        return CacheStats(self._hits, self._misses, self._invalidations, self._evictions, size, self._ttl, vouched)
