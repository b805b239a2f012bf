"""`SessionContext`: a session from the outside. Read, write, register and list variables, call tools."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from snakepit import channel, operations
from snakepit.context import HostTools
from snakepit.operations import MISSING, Driver, Scope
from snakepit.wire import rpc

#: The environment variable that names the session.
SESSION_VARIABLE = "SNAKEPIT_SESSION"


class SessionContext:
    """One session of a bridge, sync. Threads may share it.

    The first argument is an address (`unix:PATH`, `HOST:PORT`), a grpc channel, or a stub of `BridgeService`.
    Nothing is sent before a method needs it. With `strict_mode` a write to a variable that does not exist is an
    error; without, the variable is registered with the value's type.
    """

    def __init__(self, stub_or_channel_or_address: Any, session_id: str, strict_mode: bool = False) -> None:
        self.session_id = session_id
        self.strict_mode = strict_mode
        self._channel: Any = None
        source = stub_or_channel_or_address
        if isinstance(source, str):
            source = self._channel = channel.open_channel(source)
        #: The stub that every call goes through.
        self.stub = source if hasattr(source, "GetVariable") else rpc.BridgeServiceStub(source)
        self._driver = Driver(self.stub)
        self._scope = Scope(session_id)

    # --- variables --------------------------------------------------------------------------------------------

    def get_variable(self, identifier: str, default: Any = MISSING, *, bypass_cache: bool = False) -> Any:
        """Reads a variable by name or id. Raises `VariableNotFoundError` where there is none and no default."""
        return self._driver.run(operations.get(self._scope, str(identifier), default, bypass_cache))

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
        """
        operation = operations.set_value(
            self._scope,
            str(identifier),
            value,
            expected_version=expected_version,
            metadata=metadata,
            register=not self.strict_mode,
        )
        return self._driver.run(operation)

    def update_variable(
        self, identifier: str, new_value: Any, metadata: Mapping[str, str] | None = None, **options: Any
    ) -> int:
        """As `set_variable`, for a variable that exists. Raises `VariableNotFoundError` for another."""
        operation = operations.set_value(
            self._scope, str(identifier), new_value, metadata=metadata, register=False, **options
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
        """Declares a variable and gives its id. `var_type` is a type's name or a `VariableType`, None = inferred.

        `if_exists` is fail, keep, update (constraints) or reset (constraints and value).
        """
        type_name = None if var_type is None else str(getattr(var_type, "value", var_type)).lower()
        operation = operations.register_variable(
            self._scope,
            name,
            type_name,
            initial_value,
            constraints=constraints,
            metadata=metadata,
            if_exists=if_exists,
        )
        return str(self._driver.run(operation).variable_id)

    def list_variables(self, pattern: str | None = None) -> list[dict[str, Any]]:
        """The variables that match a glob (`*` and `?`; None = all), by name, each as a dict."""
        return self._driver.run(operations.list_variables(self._scope, pattern or ""))

    def delete_variable(self, identifier: str, *, force: bool = False) -> None:
        """Deletes a variable; `force` also one that others depend on."""
        self._driver.run(operations.delete(self._scope, str(identifier), force))

    get = get_variable
    set = set_variable
    register = register_variable
    list = list_variables

    def __getitem__(self, name: str) -> Any:
        return self.get_variable(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.set_variable(name, value)

    def __contains__(self, name: str) -> bool:
        return self._driver.run(operations.contains(self._scope, name))

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

    # --- life -------------------------------------------------------------------------------------------------

    def initialize(self, ttl_seconds: int = 0) -> None:
        """Creates the session or attaches to it. `ttl_seconds`: 0 = the bridge's default, -1 = never expires."""
        self._driver.run(operations.initialize(self._scope, ttl_seconds))

    def cleanup(self, force: bool = False) -> int:
        """Ends the session in the bridge and gives the number of things that went with it."""
        return self._driver.run(operations.cleanup(self._scope, force))

    def close(self) -> None:
        """Closes the connection if it was opened here. The session stays."""
        if self._channel is not None:
            self._channel.close()

    def __enter__(self) -> SessionContext:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SessionContext {self.session_id}>"


def connect(session: str | None = None, address: str | None = None, *, strict_mode: bool = False) -> SessionContext:
    """Attaches to a session of a running bridge, and creates one that never expires where there is none.

    `session` is by default SNAKEPIT_SESSION, else `default`; `address` is by default SNAKEPIT_ADDRESS, else this
    user's socket. Raises `BridgeUnavailableError` when nobody answers there.
    """
    name = session or os.environ.get(SESSION_VARIABLE) or "default"
    context = SessionContext(address or channel.default_address(), name, strict_mode)
    try:
        context.initialize(ttl_seconds=-1)
    except BaseException:
        context.close()
        raise
    return context
