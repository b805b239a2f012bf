"""`SessionContext`: a session from the outside. Read, write, declare and list variables, call tools."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any

from snakepit import channel, operations, variables
from snakepit.cache import DEFAULT_TTL, CacheStats, VariableCache
from snakepit.coherence import Watcher
from snakepit.context import HostTools
from snakepit.errors import VariableNotFoundError
from snakepit.operations import BINARY_HEADER, MISSING, Driver, Scope
from snakepit.reading import Reader
from snakepit.views import BatchResult, BatchUpdater, VariableNamespace, VariableProxy
from snakepit.wire import rpc

#: The environment variable that names the session.
SESSION_VARIABLE = "SNAKEPIT_SESSION"
#: Objects of `variable()` that are remembered.
MAX_PROXIES = 10_000
#: Seconds that `close` waits for the watch's thread.
CLOSE_TIMEOUT = 2.0


class SessionContext:
    """One session of a bridge, sync. Threads may share it; `AsyncSessionContext` has the same methods to await.

    The first argument is an address (`unix:PATH`, `HOST:PORT`), a grpc channel, or a stub of `BridgeService`.
    With `strict_mode` a write to a variable that does not exist is an error, in every form; without, the variable is
    registered with the value's type.

    Reads are kept for 5 s: a value may be that old. Writes and tool calls of this context are always seen by it.
    `coherent=True` watches the session (one thread, one stream) and drops what others change within milliseconds;
    `bypass_cache=True` reads anew; `cache_ttl=0` keeps nothing.

    >>> ctx = connect(session="docs")
    >>> ctx.declare("rate", 0.1, min=0.0, max=1.0)
    'var_rate_...'
    >>> ctx["rate"] = 0.5
    >>> ctx["rate"], ctx.v.rate, ctx.variable("rate").value
    (0.5, 0.5, 0.5)
    >>> "rate" in ctx, "speed" in ctx
    (True, False)
    >>> ctx["rate"] = 7
    Traceback (most recent call last):
    snakepit.errors.ValidationError: [E0301] ...
    """

    #: What a batch block does with refusals: raise them.
    raises_in_batches = True
    #: Embeddings are read as lists.
    reads_lists = False

    def __init__(
        self,
        stub_or_channel_or_address: Any,
        session_id: str,
        strict_mode: bool = False,
        *,
        cache_ttl: float | timedelta = DEFAULT_TTL,
        coherent: bool = False,
    ) -> None:
        self.session_id = session_id
        self.strict_mode = strict_mode
        self._channel: Any = None
        self._address: str | None = None
        source = stub_or_channel_or_address
        if isinstance(source, str):
            self._address = source
            source = self._channel = channel.open_channel(source)
        #: The stub that every call goes through.
        self.stub = source if hasattr(source, "GetVariable") else rpc.BridgeServiceStub(source)
        self._driver = Driver(self.stub, (BINARY_HEADER,))
        self._cache = VariableCache()
        self._cache.set_ttl(cache_ttl)
        self._scope = Scope(session_id, cache=self._cache, lists=self.reads_lists)
        self._reader = Reader(self._driver, self._scope, self._cache)
        self._namespace = VariableNamespace(self)
        self._proxies: dict[str, VariableProxy] = {}
        self._lock = threading.Lock()
        self._watcher: Watcher | None = None
        if coherent:
            self.start_watch()

    # --- variables: one ---------------------------------------------------------------------------------------

    def get_variable(self, identifier: str, default: Any = MISSING, *, bypass_cache: bool = False) -> Any:
        """Reads a variable by name or id. Raises `VariableNotFoundError` where there is none and no default.

        Tensors and embeddings are numpy arrays of the caller's own where numpy is installed.

        >>> ctx = connect(session="docs-get")
        >>> ctx.get_variable("missing", default=1)
        1
        >>> ctx.get_variable("missing")
        Traceback (most recent call last):
        snakepit.errors.VariableNotFoundError: [E0201] ...
        """
        try:
            return self._reader.read(str(identifier), bypass_cache)
        except VariableNotFoundError:
            if default is MISSING:
                raise
            return default

    def set_variable(
        self,
        identifier: str,
        value: Any,
        *,
        expected_version: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> int:
        """Writes a variable and gives the new version; registers it where there is none, unless in strict mode.

        Raises `ValidationError` for a value that breaks its type or constraints and `VersionConflictError` when
        `expected_version` is not the current one.

        >>> ctx = connect(session="docs-set")
        >>> first = ctx.set("n", 1)
        >>> ctx.set("n", 2, expected_version=first) == first + 1
        True
        >>> ctx.set("n", 3, expected_version=first)
        Traceback (most recent call last):
        snakepit.errors.VersionConflictError: [E0401] ...
        """
        operation = variables.set_value(
            self._scope,
            str(identifier),
            value,
            expected_version=expected_version,
            metadata=metadata,
            register=not self.strict_mode,
        )
        return self._driver.run(operation)

    def update_variable(
        self,
        identifier: str,
        new_value: Any,
        metadata: Mapping[str, str] | None = None,
        *,
        expected_version: int | None = None,
    ) -> int:
        """As `set_variable`, for a variable that exists. Raises `VariableNotFoundError` for another."""
        operation = variables.set_value(
            self._scope,
            str(identifier),
            new_value,
            metadata=metadata,
            expected_version=expected_version,
            register=False,
        )
        return self._driver.run(operation)

    def register_variable(
        self,
        name: str,
        var_type: Any,
        initial_value: Any,
        constraints: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
        *,
        if_exists: str = "fail",
    ) -> str:
        """Registers a variable and gives its id. `var_type` is a type's name or a `VariableType`, None = inferred.

        `constraints` is a mapping; `declare` takes them by name, as `Context.register` does in a tool.
        Raises `VariableExistsError` where the name is taken, unless `if_exists` is keep, update (constraints) or
        reset (constraints and value).
        """
        type_name = None if var_type is None else str(getattr(var_type, "value", var_type)).lower()
        operation = variables.register_variable(
            self._scope,
            name,
            type_name,
            initial_value,
            constraints=constraints,
            metadata=metadata,
            if_exists=if_exists,
        )
        return str(self._driver.run(operation).variable_id)

    def declare(
        self,
        name: str,
        value: Any,
        type: Any = None,
        *,
        if_exists: str = "keep",
        metadata: Mapping[str, str] | None = None,
        **constraints: Any,
    ) -> str:
        """Makes sure that a variable is there and gives its id; running it twice is no error.

        Constraints are given by name. One that exists is kept as it is when type and constraints agree, else
        `VariableExistsError` is raised; `if_exists="update"` replaces constraints and metadata, `"reset"` also the
        value.
        """
        return self.register_variable(name, type, value, constraints, metadata, if_exists=if_exists)

    def delete_variable(self, identifier: str, *, force: bool = False) -> None:
        """Deletes a variable; `force` also one that others depend on. Raises `VariableNotFoundError` for no one."""
        self._driver.run(variables.delete(self._scope, str(identifier), force))

    get = get_variable
    set = set_variable
    register = register_variable

    def __getitem__(self, name: str) -> Any:
        return self._reader.read(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        self.delete_variable(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._driver.run(variables.contains(self._scope, name))

    @property
    def v(self) -> VariableNamespace:
        """The variables as attributes: `ctx.v.rate`, `ctx.v.rate = 0.1`."""
        return self._namespace

    def variable(self, name: str) -> VariableProxy:
        """A variable as an object with a `value`; the same one each time."""
        with self._lock:
            proxy = self._proxies.get(name)
            if proxy is None:
                if len(self._proxies) >= MAX_PROXIES:
                    del self._proxies[next(iter(self._proxies))]
                proxy = self._proxies[name] = VariableProxy(self, name)
            return proxy

    # --- variables: many --------------------------------------------------------------------------------------

    def list_variables(self, pattern: str | None = None) -> list[dict[str, Any]]:
        """The variables that match a glob (`*` and `?`; None = all), by name, each as a dict."""
        return self._driver.run(variables.list_variables(self._scope, pattern or ""))

    def get_variables(
        self, identifiers: Iterable[str], default: Any = MISSING, *, bypass_cache: bool = False
    ) -> dict[str, Any]:
        """Reads up to 1 000 variables at one revision, by what they were asked for.

        Raises `VariableNotFoundError` naming all that do not exist, unless there is a default.
        """
        return self._driver.run(variables.get_many(self._scope, identifiers, default, bypass_cache))

    def update_variables(
        self,
        updates: Mapping[str, Any],
        atomic: bool = False,
        metadata: Mapping[str, str] | None = None,
        *,
        expected_versions: Mapping[str, int] | None = None,
    ) -> BatchResult:
        """Writes up to 1 000 variables that exist. The result says True or a refusal's text for each.

        With `atomic` all are written in one revision, or none and `BatchError` is raised.

        >>> ctx = connect(session="docs-batch")
        >>> ids = ctx.declare("a", 1, max=10), ctx.declare("b", 1)
        >>> ctx.update_variables({"a": 99, "b": 2})
        {'b': True, 'a': '...above maximum...'}
        >>> ctx.update_variables({"a": 99, "b": 3}, atomic=True)
        Traceback (most recent call last):
        snakepit.errors...: [E0301] 1 writes of the batch were refused, nothing was written: `a`: ...
        """
        operation = variables.set_many(
            self._scope, updates, atomic=atomic, metadata=metadata, expected_versions=expected_versions
        )
        result = BatchResult(self._driver.run(operation))
        return result.raise_for_errors(atomic=True) if atomic and self.raises_in_batches else result

    def batch_updates(self, atomic: bool = False, metadata: Mapping[str, str] | None = None) -> BatchUpdater:
        """A block that collects writes (`batch["x"] = 1`) and sends them at its end, unless it raises."""
        return BatchUpdater(self, atomic, metadata)

    # --- the cache --------------------------------------------------------------------------------------------

    def set_cache_ttl(self, ttl: float | timedelta) -> None:
        """Sets how long reads are kept: seconds or a `timedelta`, 0 = not at all."""
        self._cache.set_ttl(ttl)

    def clear_cache(self) -> None:
        """Drops what was read."""
        self._cache.clear()

    def cache_stats(self) -> CacheStats:
        """How the cache did so far, and whether a watch keeps it coherent now."""
        return self._cache.stats()

    def start_watch(self) -> None:
        """Keeps the cache coherent from now on, as `coherent=True` does from the start."""
        with self._lock:
            if self._watcher is None:
                stub, own = self.stub, None
                if self._address is not None:
                    # A connection of its own: what is large in the watch does not hold up reads.
                    own = channel.open_channel(self._address, alone=True)
                    stub = rpc.BridgeServiceStub(own)
                self._watcher = Watcher(stub, self.session_id, self._cache, own)
                weakref.finalize(self, self._watcher.stop)

    def wait_coherent(self, timeout: float | None = None) -> bool:
        """Waits until the watch is in force; False when it is not after so many seconds, or was not asked for."""
        return self._watcher is not None and self._watcher.wait(timeout)

    # --- tools ------------------------------------------------------------------------------------------------

    def call_tool(self, tool_name: str, /, **arguments: Any) -> Any:
        """Calls a tool and waits for its result; one that streams is collected. Raises `ToolError` when it fails."""
        return self._driver.run(operations.call_tool(self._scope, tool_name, arguments))

    @property
    def host(self) -> HostTools:
        """The host tools: `session.host.NAME(**arguments)`."""
        return HostTools(self.call_elixir_tool)

    def call_elixir_tool(self, tool_name: str, /, **arguments: Any) -> Any:
        """Calls a host tool by name (the contract's word for them is Elixir)."""
        return self._driver.run(operations.call_host(self._scope, tool_name, arguments))

    @property
    def elixir_tools(self) -> dict[str, Callable[..., Any]]:
        """The host tools by name, each a function of named arguments. Asks the bridge every time."""
        return {spec.name: self.host[spec.name] for spec in self._driver.run(operations.host_tools(self._scope))}

    def use(self, driver: Driver) -> None:
        """Sends everything through another driver, with its request header."""
        self._driver = driver
        self.stub = driver.stub
        self._reader.use(driver)

    # --- life -------------------------------------------------------------------------------------------------

    def initialize(self, ttl_seconds: int = 0) -> None:
        """Creates the session or attaches to it. `ttl_seconds`: 0 = the bridge's default, -1 = never expires."""
        self._driver.run(operations.initialize(self._scope, ttl_seconds))

    def cleanup(self, force: bool = False) -> int:
        """Ends the session in the bridge, for everybody, and gives the number of things that went with it.

        Raises `ConflictError` while a call runs there, unless `force` says to cancel it.
        """
        return self._driver.run(operations.cleanup(self._scope, force))

    def close(self) -> None:
        """Ends the watch, and the connection if it was opened here. The session stays."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.stop()
        if self._channel is not None:
            self._channel.close()
        if watcher is not None:
            watcher.join(CLOSE_TIMEOUT)

    def __enter__(self) -> SessionContext:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.session_id}>"


def session_name(session: str | None) -> str:
    """The session in force: the one named, else SNAKEPIT_SESSION, else `default`."""
    return session or os.environ.get(SESSION_VARIABLE) or "default"


def connect(
    session: str | None = None,
    address: str | None = None,
    *,
    strict_mode: bool = False,
    cache_ttl: float | timedelta = DEFAULT_TTL,
    coherent: bool = False,
) -> SessionContext:
    """Attaches to a session of a running bridge, and creates one that never expires where there is none.

    `session` is by default SNAKEPIT_SESSION, else `default`; `address` is by default SNAKEPIT_ADDRESS, else this
    user's socket. The session comes first: give an address by name, `connect(address="127.0.0.1:50051")`. A bridge
    with a `--name` has the address that `snakepit serve` prints. The rest is as in `SessionContext`; a loop that
    has to see what others change wants `coherent=True`. Raises `BridgeUnavailableError` when nobody answers there.
    """
    context = SessionContext(
        address or channel.default_address(), session_name(session), strict_mode, cache_ttl=cache_ttl
    )
    try:
        context.initialize(ttl_seconds=-1)
        if coherent:
            context.start_watch()
    except BaseException:
        context.close()
        raise
    return context
