"""Other ways to say the same: the `.v` namespace, variables as objects, batches as blocks, results of batches.

Each is a thin view of a context, which it never outlives: what is asked of a view whose context is gone is an error.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from snakepit import errors
from snakepit.operations import MISSING

if TYPE_CHECKING:
    from snakepit.async_session import AsyncSessionContext
    from snakepit.session import SessionContext


class BatchResult(dict[str, Any]):
    """What became of each write of a batch, by the name that was asked for: True, or the text of its refusal.

    `versions` has the new version of each that was written, `errors` the refusals as exceptions, `revision` the
    session's revision that made the last of them (0 = nothing was written).
    """

    def __init__(self, reply: Any) -> None:
        self.versions: dict[str, int] = {name: int(version) for name, version in reply.new_versions64.items()}
        self.errors: dict[str, errors.SnakepitError] = {
            name: errors.from_code(reply.error_codes.get(name, ""), text) for name, text in reply.errors.items()
        }
        self.revision = int(reply.revision)
        self.success = bool(reply.success)
        super().__init__(dict.fromkeys(self.versions, True) | dict(reply.errors))

    @property
    def ok(self) -> bool:
        """True when every write was done."""
        return not self.errors

    def raise_for_errors(self, *, atomic: bool = False) -> BatchResult:
        """Raises a `BatchError` where a write was refused; else gives itself."""
        if self.errors:
            raise errors.batch_error(self.errors, atomic=atomic)
        return self


def _alive(context: weakref.ref[Any]) -> Any:
    found = context()
    if found is None:
        raise RuntimeError("SessionContext has been destroyed")
    return found


class VariableNamespace:
    """Variables as attributes: `ctx.v.rate`, `ctx.v.rate = 0.1`. Names that start with `_` are no variables."""

    __slots__ = ("__weakref__", "_context")

    def __init__(self, context: SessionContext) -> None:
        object.__setattr__(self, "_context", weakref.ref(context))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return _alive(self._context)[name]
        except errors.VariableNotFoundError as missing:
            # So that hasattr() and getattr() with a default work.
            raise _MissingAttribute(missing) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            raise AttributeError(f"`{name}` is no name of a variable in this form; use ctx[{name!r}]")
        _alive(self._context)[name] = value

    def __delattr__(self, name: str) -> None:
        _alive(self._context).delete_variable(name)

    def __contains__(self, name: str) -> bool:
        return name in _alive(self._context)

    def __dir__(self) -> list[str]:
        return [one["name"] for one in _alive(self._context).list_variables()]


class _MissingAttribute(errors.VariableNotFoundError, AttributeError):
    def __init__(self, missing: errors.VariableNotFoundError) -> None:
        super().__init__(
            missing.message, code=missing.code, details=missing.details, hint=missing.hint, status=missing.status
        )


class VariableProxy:
    """One variable as an object: `rate = ctx.variable("rate")`, `rate.value`, `rate.value = 0.1`."""

    __slots__ = ("__weakref__", "_context", "_name")

    def __init__(self, context: SessionContext, name: str) -> None:
        self._context = weakref.ref(context)
        self._name = name

    @property
    def name(self) -> str:
        """The name or id that it was asked for by."""
        return self._name

    @property
    def value(self) -> Any:
        """The value; assigning writes it."""
        return _alive(self._context)[self._name]

    @value.setter
    def value(self, value: Any) -> None:
        _alive(self._context)[self._name] = value

    def get(self, default: Any = MISSING, *, bypass_cache: bool = False) -> Any:
        """As `SessionContext.get_variable`."""
        return _alive(self._context).get_variable(self._name, default, bypass_cache=bypass_cache)

    def set(self, value: Any, *, expected_version: int | None = None) -> int:
        """As `SessionContext.set`."""
        version: int = _alive(self._context).set(self._name, value, expected_version=expected_version)
        return version

    def __repr__(self) -> str:
        try:
            return f"<Variable {self._name}={self.value!r}>"
        except (errors.SnakepitError, RuntimeError) as error:
            return f"<Variable {self._name}: {error}>"


class AsyncVariableProxy:
    """One variable as an object: `await rate.get()`, `await rate.set(0.1)`."""

    __slots__ = ("__weakref__", "_context", "_name")

    def __init__(self, context: AsyncSessionContext, name: str) -> None:
        self._context = weakref.ref(context)
        self._name = name

    @property
    def name(self) -> str:
        """The name or id that it was asked for by."""
        return self._name

    async def get(self, default: Any = MISSING, *, bypass_cache: bool = False) -> Any:
        """As `AsyncSessionContext.get_variable`."""
        return await _alive(self._context).get_variable(self._name, default, bypass_cache=bypass_cache)

    async def set(self, value: Any, *, expected_version: int | None = None) -> int:
        """As `AsyncSessionContext.set`."""
        version: int = await _alive(self._context).set(self._name, value, expected_version=expected_version)
        return version

    def __repr__(self) -> str:
        return f"<Variable {self._name}>"


class AsyncVariableNamespace:
    """Variables as attributes: `await ctx.v.rate`. Writing is `await ctx.set("rate", 0.1)`."""

    __slots__ = ("__weakref__", "_context")

    def __init__(self, context: AsyncSessionContext) -> None:
        object.__setattr__(self, "_context", weakref.ref(context))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _alive(self._context).get_variable(name)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"an assignment cannot be awaited; use `await ctx.set({name!r}, ...)`")


class _Collected:
    """Writes on their way into a batch."""

    def __init__(self, context: Any, atomic: bool, metadata: Mapping[str, str] | None) -> None:
        self._context = context
        self._atomic = atomic
        self._metadata = metadata
        self._updates: dict[str, Any] = {}
        self._versions: dict[str, int] = {}
        #: What became of the writes, once they were sent.
        self.result: BatchResult | None = None

    def __setitem__(self, name: str, value: Any) -> None:
        self._updates[name] = value

    def __getitem__(self, name: str) -> Any:
        return self._updates[name]

    def __len__(self) -> int:
        return len(self._updates)

    def set(self, name: str, value: Any, *, expected_version: int | None = None) -> None:
        """Adds a write; with `expected_version` one that is refused unless that is the current version."""
        self._updates[name] = value
        if expected_version is not None:
            self._versions[name] = expected_version

    def _taken(self) -> tuple[dict[str, Any], dict[str, int]]:
        taken = self._updates, self._versions
        self._updates, self._versions = {}, {}
        return taken


class BatchUpdater(_Collected):
    """Collects writes and sends them together at the end of its block; nothing is sent when the block raises."""

    def commit(self, atomic: bool | None = None) -> BatchResult | None:
        """Sends what was collected. Raises `BatchError` where a write is refused."""
        updates, versions = self._taken()
        if not updates:
            return None
        chosen = self._atomic if atomic is None else atomic
        self.result = self._context.update_variables(
            updates, atomic=chosen, metadata=self._metadata, expected_versions=versions
        )
        if self._context.raises_in_batches:
            self.result.raise_for_errors(atomic=chosen)
        return self.result

    def __enter__(self) -> BatchUpdater:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()


class AsyncBatchUpdater(_Collected):
    """`BatchUpdater` for `async with`."""

    async def commit(self, atomic: bool | None = None) -> BatchResult | None:
        """Sends what was collected. Raises `BatchError` where a write is refused."""
        updates, versions = self._taken()
        if not updates:
            return None
        chosen = self._atomic if atomic is None else atomic
        result: BatchResult = await self._context.update_variables(
            updates, atomic=chosen, metadata=self._metadata, expected_versions=versions
        )
        self.result = result
        return result.raise_for_errors(atomic=chosen)

    async def __aenter__(self) -> AsyncBatchUpdater:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.commit()
