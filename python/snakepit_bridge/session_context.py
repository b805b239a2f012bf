"""`SessionContext` as existing code knows it: the one of `snakepit`, and what code came to rely on in the old one.

What differs: values are coerced to their variable's type before they are sent, batches answer instead of raising,
embeddings are lists, a failed host tool is a `RuntimeError` too, and leaving a `with` block ends the session.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any

import snakepit
from snakepit import errors, operations
from snakepit.cache import DEFAULT_TTL
from snakepit.errors import VariableNotFoundError
from snakepit.operations import MISSING
from snakepit.views import BatchResult, BatchUpdater, VariableNamespace, VariableProxy
from snakepit_bridge.types import TypeValidator, VariableType

__all__ = [
    "BatchUpdater",
    "SessionContext",
    "VariableNamespace",
    "VariableNotFoundError",
    "VariableProxy",
]


class HostToolError(errors.ToolError, RuntimeError):
    """A host tool failed."""

    __str__ = RuntimeError.__str__


class MissingToolError(errors.ToolNotFoundError, ValueError):
    """Nobody has a tool of that name."""

    __str__ = ValueError.__str__


class SessionContext(snakepit.SessionContext):
    """One session of a bridge. `SessionContext(stub_or_channel_or_address, session_id, strict_mode=False)`."""

    raises_in_batches = False
    reads_lists = True

    def __init__(
        self,
        stub_or_channel_or_address: Any,
        session_id: str,
        strict_mode: bool = False,
        *,
        cache_ttl: float | timedelta = DEFAULT_TTL,
        coherent: bool = False,
    ) -> None:
        super().__init__(stub_or_channel_or_address, session_id, strict_mode, cache_ttl=cache_ttl, coherent=coherent)
        self._tools: dict[str, Callable[..., Any]] = {}

    # --- variables --------------------------------------------------------------------------------------------

    def register_variable(
        self,
        name: str,
        var_type: Any,
        initial_value: Any,
        constraints: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
        ttl: Any = None,
        *,
        if_exists: str = "fail",
    ) -> str:
        """Registers a variable and gives its id. An unknown type is a `KeyError`; `ttl` is not looked at."""
        if isinstance(var_type, str):
            var_type = VariableType[var_type.upper()]
        chosen = var_type or TypeValidator.infer_type(initial_value)
        value = _coerced(initial_value, chosen)
        return super().register_variable(name, chosen, value, constraints, metadata, if_exists=if_exists)

    def set_variable(
        self,
        identifier: str,
        value: Any,
        *,
        expected_version: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> int:
        """Writes a variable; registers it with the value's type where there is none, unless in strict mode."""
        try:
            return self.update_variable(identifier, value, metadata, expected_version=expected_version)
        except VariableNotFoundError:
            if self.strict_mode or expected_version is not None:
                raise
        self.register_variable(identifier, None, value, metadata=metadata, if_exists="keep")
        return self.update_variable(identifier, value, metadata)

    def update_variable(
        self,
        identifier: str,
        new_value: Any,
        metadata: Mapping[str, str] | None = None,
        *,
        expected_version: int | None = None,
    ) -> int:
        """Writes a variable that exists, with the value coerced to its type."""
        name = str(identifier)
        if self._cache.known_type(name) is None:
            self.get_variable(name, bypass_cache=True)
        kind = VariableType.from_proto(self._cache.known_type(name) or "string")
        return super().update_variable(name, _coerced(new_value, kind), metadata, expected_version=expected_version)

    def get_variables(
        self, identifiers: Iterable[str], default: Any = MISSING, *, bypass_cache: bool = False
    ) -> dict[str, Any]:
        """Reads many variables, by what they were asked for and by their names too."""
        asked = [str(identifier) for identifier in identifiers]
        found = super().get_variables(asked, default, bypass_cache=bypass_cache)
        for name in asked:
            own = self._cache.name_of(name)
            if own is not None:
                found.setdefault(own, found[name])
        return found

    def update_variables(
        self,
        updates: Mapping[str, Any],
        atomic: bool = False,
        metadata: Mapping[str, str] | None = None,
        *,
        expected_versions: Mapping[str, int] | None = None,
    ) -> BatchResult:
        """Writes many variables: `{name: True or the refusal's text}`, refusals alone where `atomic` was refused.

        Raises `VariableNotFoundError` where one does not exist, before anything is written.
        """
        unknown = [str(name) for name in updates if self._cache.known_type(str(name)) is None]
        if unknown:
            self.get_variables(unknown, bypass_cache=True)
        coerced = {
            str(name): _coerced(value, VariableType.from_proto(self._cache.known_type(str(name)) or "string"))
            for name, value in updates.items()
        }
        return super().update_variables(coerced, atomic, metadata, expected_versions=expected_versions)

    get = snakepit.SessionContext.get_variable
    set = set_variable
    # Older code says `register` with the type before the value.
    register = register_variable  # type: ignore[assignment]

    def __setitem__(self, name: str, value: Any) -> None:
        self.set_variable(name, value)

    # --- tools ------------------------------------------------------------------------------------------------

    def call_elixir_tool(self, tool_name: str, /, **arguments: Any) -> Any:
        """Calls a host tool. A failure is a `RuntimeError`."""
        try:
            return super().call_elixir_tool(tool_name, **arguments)
        except errors.ToolError as failed:
            raise HostToolError(
                f"Elixir tool execution failed: {failed.message}", type=failed.type, code=failed.code
            ) from None

    def call_tool(self, tool_name: str, /, **arguments: Any) -> Any:
        """Calls a host tool of that name, else a tool of a worker. A `ValueError` where there is neither."""
        if tool_name in self.elixir_tools:
            return self.call_elixir_tool(tool_name, **arguments)
        if tool_name in self._tools:
            return self._tools[tool_name](**arguments)
        try:
            return super().call_tool(tool_name, **arguments)
        except errors.ToolNotFoundError as missing:
            raise MissingToolError(f"Tool '{tool_name}' not found", code=missing.code, hint=missing.hint) from None

    @property
    def elixir_tools(self) -> dict[str, Callable[..., Any]]:
        """The host tools by name, each a function with the tool's name and description."""
        found = {}
        for spec in self._driver.run(operations.host_tools(self._scope)):
            tool = found[spec.name] = self.host[spec.name]
            lines = [
                f"{one.name}: {one.type}{' (required)' if one.required else ''} - {one.description}"
                for one in spec.parameters
            ]
            tool.__doc__ = spec.description + ("\n\nParameters:\n" + "\n".join(lines) if lines else "")
        return found

    def register_tool(self, tool_class: Any) -> None:
        """Does nothing, as ever: tools are registered by their worker."""

    # --- life -------------------------------------------------------------------------------------------------

    def cleanup(self, force: bool = False) -> int:
        """Ends the session in the bridge. Nothing is raised: 0 where it could not be ended."""
        self.clear_cache()
        self._proxies.clear()
        try:
            return super().cleanup(force)
        except errors.SnakepitError:
            return 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cleanup()
        self.close()


def _coerced(value: Any, kind: VariableType) -> Any:
    """A value in the form of its type, as the old client made it before it sent one."""
    if kind in (VariableType.CHOICE, VariableType.MODULE, VariableType.STRING) and isinstance(value, str):
        return value
    return TypeValidator.get_validator(kind).validate(value)
