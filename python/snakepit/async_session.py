"""`AsyncSessionContext`: the surface of `SessionContext` for an event loop, method for method."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any

from snakepit import channel, operations, variables
from snakepit.cache import DEFAULT_TTL, CacheStats, VariableCache
from snakepit.coherence import AsyncWatcher
from snakepit.context import HostTools
from snakepit.operations import BINARY_HEADER, MISSING, AsyncDriver, Scope
from snakepit.session import MAX_PROXIES, chosen_session
from snakepit.views import AsyncBatchUpdater, AsyncVariableNamespace, AsyncVariableProxy, BatchResult
from snakepit.wire import rpc


class AsyncSessionContext:
    """One session of a bridge, for an event loop: the methods of `SessionContext`, each to be awaited.

    What cannot be awaited has another form: `await ctx["x"]` reads, `await ctx.set("x", 1)` writes,
    `await ctx.contains("x")` looks, `async for name in ctx` lists, `ctx.variable("x")` has `get()` and `set()`. It
    belongs to the loop that it was made on, and takes an address, a `grpc.aio` channel or a stub.

    >>> async def main():
    ...     async with await connect_async(session="docs-async") as ctx:
    ...         await ctx.declare("rate", 0.1, min=0.0, max=1.0)
    ...         await ctx.set("rate", 0.5)
    ...         return await ctx["rate"], await ctx.v.rate, await ctx.contains("speed")
    >>> import asyncio
    >>> asyncio.run(main())
    (0.5, 0.5, False)
    """

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
            source = self._channel = channel.open_async_channel(source)
        #: The stub that every call goes through.
        self.stub = source if hasattr(source, "GetVariable") else rpc.AsyncBridgeServiceStub(source)
        self._driver = AsyncDriver(self.stub, (BINARY_HEADER,))
        self._cache = VariableCache()
        self._cache.set_ttl(cache_ttl)
        self._scope = Scope(session_id, cache=self._cache)
        self._namespace = AsyncVariableNamespace(self)
        self._proxies: dict[str, AsyncVariableProxy] = {}
        self._watcher: AsyncWatcher | None = None
        if coherent:
            self.start_watch()

    # --- variables: one ---------------------------------------------------------------------------------------

    async def get_variable(self, identifier: str, default: Any = MISSING, *, bypass_cache: bool = False) -> Any:
        """As `SessionContext.get_variable`."""
        return await self._driver.run(variables.get(self._scope, str(identifier), default, bypass_cache))

    async def set_variable(
        self,
        identifier: str,
        value: Any,
        *,
        expected_version: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> int:
        """As `SessionContext.set_variable`."""
        operation = variables.set_value(
            self._scope,
            str(identifier),
            value,
            expected_version=expected_version,
            metadata=metadata,
            register=not self.strict_mode,
        )
        return await self._driver.run(operation)

    async def update_variable(
        self,
        identifier: str,
        new_value: Any,
        metadata: Mapping[str, str] | None = None,
        *,
        expected_version: int | None = None,
    ) -> int:
        """As `SessionContext.update_variable`."""
        operation = variables.set_value(
            self._scope,
            str(identifier),
            new_value,
            metadata=metadata,
            expected_version=expected_version,
            register=False,
        )
        return await self._driver.run(operation)

    async def register_variable(
        self,
        name: str,
        var_type: Any,
        initial_value: Any,
        constraints: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
        *,
        if_exists: str = "fail",
    ) -> str:
        """As `SessionContext.register_variable`."""
        operation = variables.register_variable(
            self._scope,
            name,
            variables.type_name(var_type),
            initial_value,
            constraints=constraints,
            metadata=metadata,
            if_exists=if_exists,
        )
        return str((await self._driver.run(operation)).variable_id)

    async def declare(
        self,
        name: str,
        value: Any,
        type: Any = None,
        *,
        if_exists: str = "keep",
        metadata: Mapping[str, str] | None = None,
        **constraints: Any,
    ) -> str:
        """As `SessionContext.declare`."""
        return await self.register_variable(name, type, value, constraints, metadata, if_exists=if_exists)

    async def delete_variable(self, identifier: str, *, force: bool = False) -> None:
        """As `SessionContext.delete_variable`."""
        await self._driver.run(variables.delete(self._scope, str(identifier), force))

    async def contains(self, name: str) -> bool:
        """Whether a variable exists: `in` for an event loop."""
        return await self._driver.run(variables.contains(self._scope, name))

    get = get_variable
    set = set_variable
    register = declare

    def __getitem__(self, name: str) -> Awaitable[Any]:
        return self.get_variable(name)

    #: `for` cannot await: it is refused, instead of asking for the variables 0, 1, 2, ... `async for` gives the names.
    __iter__ = None

    async def __aiter__(self) -> AsyncIterator[str]:
        for one in await self.list_variables():
            yield one["name"]

    @property
    def v(self) -> AsyncVariableNamespace:
        """The variables as attributes to await: `await ctx.v.rate`."""
        return self._namespace

    def variable(self, name: str) -> AsyncVariableProxy:
        """A variable as an object with `get()` and `set()`; the same one each time."""
        proxy = self._proxies.get(name)
        if proxy is None:
            if len(self._proxies) >= MAX_PROXIES:
                del self._proxies[next(iter(self._proxies))]
            proxy = self._proxies[name] = AsyncVariableProxy(self, name)
        return proxy

    # --- variables: many --------------------------------------------------------------------------------------

    async def list_variables(self, pattern: str | None = None) -> list[dict[str, Any]]:
        """As `SessionContext.list_variables`."""
        return await self._driver.run(variables.list_variables(self._scope, pattern or ""))

    async def get_variables(
        self, identifiers: Iterable[str], default: Any = MISSING, *, bypass_cache: bool = False
    ) -> dict[str, Any]:
        """As `SessionContext.get_variables`."""
        return await self._driver.run(variables.get_many(self._scope, identifiers, default, bypass_cache))

    async def update_variables(
        self,
        updates: Mapping[str, Any],
        atomic: bool = False,
        metadata: Mapping[str, str] | None = None,
        *,
        expected_versions: Mapping[str, int] | None = None,
    ) -> BatchResult:
        """As `SessionContext.update_variables`."""
        operation = variables.set_many(
            self._scope, updates, atomic=atomic, metadata=metadata, expected_versions=expected_versions
        )
        result = BatchResult(await self._driver.run(operation))
        return result.raise_for_errors(atomic=True) if atomic else result

    def batch_updates(self, atomic: bool = False, metadata: Mapping[str, str] | None = None) -> AsyncBatchUpdater:
        """As `SessionContext.batch_updates`, with `async with`."""
        return AsyncBatchUpdater(self, atomic, metadata)

    # --- the cache --------------------------------------------------------------------------------------------

    def set_cache_ttl(self, ttl: float | timedelta) -> None:
        """As `SessionContext.set_cache_ttl`."""
        self._cache.set_ttl(ttl)

    def clear_cache(self) -> None:
        """As `SessionContext.clear_cache`."""
        self._cache.clear()

    def cache_stats(self) -> CacheStats:
        """As `SessionContext.cache_stats`."""
        return self._cache.stats()

    def start_watch(self) -> None:
        """As `SessionContext.start_watch`: one task of the loop that runs now."""
        if self._watcher is None:
            stub, own = self.stub, None
            if self._address is not None:
                # A connection of its own: what is large in the watch does not hold up reads.
                own = channel.open_async_channel(self._address, alone=True)
                stub = rpc.AsyncBridgeServiceStub(own)
            self._watcher = AsyncWatcher(stub, self.session_id, self._cache, own)

    async def wait_coherent(self, timeout: float | None = None) -> bool:
        """As `SessionContext.wait_coherent`."""
        return self._watcher is not None and await self._watcher.wait(timeout)

    # --- tools ------------------------------------------------------------------------------------------------

    async def call_tool(self, tool_name: str, /, **arguments: Any) -> Any:
        """As `SessionContext.call_tool`."""
        return await self._driver.run(operations.call_tool(self._scope, tool_name, arguments))

    @property
    def host(self) -> HostTools:
        """The host tools: `await session.host.NAME(**arguments)`."""
        return HostTools(self.call_elixir_tool)

    async def call_elixir_tool(self, tool_name: str, /, **arguments: Any) -> Any:
        """As `SessionContext.call_elixir_tool`."""
        return await self._driver.run(operations.call_host(self._scope, tool_name, arguments))

    async def elixir_tools(self) -> dict[str, Callable[..., Any]]:
        """As `SessionContext.elixir_tools`, which is a property there."""
        return {spec.name: self.host[spec.name] for spec in await self._driver.run(operations.host_tools(self._scope))}

    # --- life -------------------------------------------------------------------------------------------------

    async def initialize(self, ttl_seconds: int = 0) -> None:
        """As `SessionContext.initialize`."""
        await self._driver.run(operations.initialize(self._scope, ttl_seconds))

    async def cleanup(self, force: bool = False) -> int:
        """As `SessionContext.cleanup`."""
        return await self._driver.run(operations.cleanup(self._scope, force))

    async def close(self) -> None:
        """As `SessionContext.close`."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            await watcher.stop()
        if self._channel is not None:
            await self._channel.close()

    async def __aenter__(self) -> AsyncSessionContext:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.session_id}>"


async def connect_async(
    session: str | None = None,
    address: str | None = None,
    *,
    name: str | None = None,
    strict_mode: bool = False,
    cache_ttl: float | timedelta = DEFAULT_TTL,
    coherent: bool = False,
) -> AsyncSessionContext:
    """`connect` for an event loop: `async with await connect_async(session="exp1") as ctx`."""
    context = AsyncSessionContext(
        address or channel.default_address(name), chosen_session(session, address), strict_mode, cache_ttl=cache_ttl
    )
    try:
        await context.initialize(ttl_seconds=-1)
        if coherent:
            context.start_watch()
    except BaseException:
        await context.close()
        raise
    return context
