"""The short path of a sync read: the steps between grpcio's call and the value left out, where the type is a scalar's.

It means what `variables.get` means, which it falls back on. The generic path costs a quarter of the whole read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

from snakepit import errors, values, variables
from snakepit.cache import ABSENT, VariableCache
from snakepit.operations import BINARY_HEADER, Driver, Scope
from snakepit.wire import bridge_pb2 as pb

#: Variables whose request is kept ready.
MAX_READY = 1_000


class Reader:
    """Reads the variables of one session. Threads may share it."""

    def __init__(self, driver: Driver, scope: Scope, cache: VariableCache) -> None:
        self._scope = scope
        self._cache = cache
        #: By identifier: its request, its type's url, and what reads that type.
        self._ready: dict[str, tuple[pb.GetVariableRequest, str, Callable[[bytes], Any]]] = {}
        self.use(driver)

    def use(self, driver: Driver) -> None:
        """Reads through this driver from now on."""
        self._driver = driver
        self._get = driver.stub.GetVariable
        # A scalar has no binary form to be asked for, and a header costs.
        self._header = tuple(one for one in driver.header if one != BINARY_HEADER) or None

    def read(self, name: str, bypass_cache: bool = False) -> Any:
        """The value of a variable. Raises `VariableNotFoundError` where there is none."""
        cache = self._cache
        keeps = cache.ttl > 0
        if keeps and not bypass_cache:
            kept = cache.get(name)
            if kept is not ABSENT:
                return kept
        ready = self._ready.get(name)
        if ready is None:
            return self._first(name)
        request, url, reader = ready
        mark = cache.mark() if keeps else 0
        failure = None
        try:
            reply = self._get(request, metadata=self._header)
        except grpc.RpcError as error:
            failure = errors.from_rpc_error(error)
        if failure is not None:
            # Raised out here, so that the RPC's own traceback is not shown before it.
            raise failure
        variable = reply.variable
        message = variable.value
        if message.type_url != url:
            return self._first(name)
        try:
            value = reader(message.value)
        except (KeyError, ValueError):
            value = variables.value_of(self._scope, variable)
        if keeps:
            cache.put(mark, name, variable, value, reply, lambda: variables.value_of(self._scope, variable))
        return value

    def _first(self, name: str) -> Any:
        """The long way, for what is not known yet or has become of another type."""
        self._ready.pop(name, None)
        value = self._driver.run(variables.get(self._scope, name, bypass_cache=True))
        url = values.PREFIX + (self._cache.known_type(name) or "")
        reader = values.READERS.get(url)
        if reader is not None and len(self._ready) < MAX_READY:
            request = pb.GetVariableRequest(session_id=self._scope.session_id, variable_identifier=name)
            self._ready[name] = request, url, reader
        return value
