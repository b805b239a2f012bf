"""Every error that the package raises, and how a gRPC status becomes one.

A status of ours carries an `ErrorInfo` (domain `snakepit`) with the stable code, the message, details, hints and
the outcome. What carries none keeps its text under the nearest class. This file must never open a channel.
"""

from __future__ import annotations

import sys
from typing import Any

import grpc
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

__all__ = [
    "SnakepitError",
    "BatchError",
    "BridgeUnavailableError",
    "CallCancelledError",
    "Cancelled",
    "ConflictError",
    "DeadlineError",
    "LimitError",
    "NotFoundError",
    "PermissionDeniedError",
    "SessionNotFoundError",
    "ToolError",
    "ToolNotFoundError",
    "ValidationError",
    "ValueEncodeError",
    "VariableExistsError",
    "VariableNotFoundError",
    "VersionConflictError",
]

_DOMAIN = "snakepit"


class SnakepitError(Exception):
    """The base of every error of the package.

    `code` is the stable code (`E0301`, "" when the peer sent none), `details` says why, `hint` says what to do next
    ("" = nothing known), `outcome` says how far a failed call came: `NEVER_STARTED`, `MAY_HAVE_RUN`,
    `FINISHED_RESULT_LOST`, or "" when it does not apply. `status` is the gRPC status name, "" for local errors.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        details: str = "",
        hint: str = "",
        outcome: str = "",
        status: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.details = details
        self.hint = hint
        self.outcome = outcome
        self.status = status

    def __str__(self) -> str:
        text = f"[{self.code}] {self.message}" if self.code else self.message
        for line in self.details.splitlines():
            text += f": {line}"
        return f"{text} (hint: {self.hint})" if self.hint else text


class NotFoundError(SnakepitError, KeyError):
    """What was named does not exist."""

    # KeyError would show the repr of its argument.
    __str__ = SnakepitError.__str__


class VariableNotFoundError(NotFoundError):
    """The session has no variable of that name or id."""


class SessionNotFoundError(NotFoundError):
    """The session does not exist, or no longer."""


class ToolNotFoundError(NotFoundError):
    """No worker and no host tool has that name."""


class ValidationError(SnakepitError, ValueError):
    """A value, name or parameter breaks a type, a constraint or a rule. Nothing was changed."""


class ValueEncodeError(ValidationError, TypeError):
    """A Python value has no JSON form. The message names its type and its place in the value."""


class ConflictError(SnakepitError):
    """The state does not allow the request now: it exists already, is locked, or has dependents."""


class VariableExistsError(ConflictError):
    """The name is taken in this session, or taken by a variable that is declared differently."""


class VersionConflictError(ConflictError):
    """A write expected another version than the current one. Nothing was written."""


class PermissionDeniedError(SnakepitError, PermissionError):
    """The caller is not known or may not do that."""

    __str__ = SnakepitError.__str__


class LimitError(SnakepitError):
    """A documented limit of size or count was reached."""


class DeadlineError(SnakepitError, TimeoutError):
    """It did not end in time. `outcome` says whether it may have run."""

    __str__ = SnakepitError.__str__


class BridgeUnavailableError(SnakepitError, ConnectionError):
    """Nobody answers at the address, or nobody can take the call. It never started."""

    __str__ = SnakepitError.__str__


class CallCancelledError(SnakepitError):
    """The call was cancelled before it ended."""


class BatchError(SnakepitError):
    """Writes of a batch were refused: all of it when it was atomic, else those in `errors`.

    `errors` has the refusal of each variable by the name that was asked for. Where all refusals are of one kind the
    error is of that class too: a batch that lost a compare-and-set is a `VersionConflictError` as well.
    """

    def __init__(self, errors: dict[str, SnakepitError], *, atomic: bool) -> None:
        lines = [f"`{name}`: {error.message}" for name, error in sorted(errors.items())]
        kept = "nothing was written" if atomic else "the others were written"
        hints = {error.hint for error in errors.values()}
        SnakepitError.__init__(
            self,
            f"{len(errors)} writes of the batch were refused, {kept}",
            code=next(iter(codes)) if len(codes := {error.code for error in errors.values()}) == 1 else "",
            details="\n".join(lines),
            hint=hints.pop() if len(hints) == 1 else "",
        )
        self.errors = errors


class _BatchConflict(BatchError, VersionConflictError):
    pass


class _BatchInvalid(BatchError, ValidationError):
    pass


class _BatchMissing(BatchError, VariableNotFoundError):
    pass


def batch_error(errors: dict[str, SnakepitError], *, atomic: bool) -> BatchError:
    """The `BatchError` of these refusals, of their own class too where they agree."""
    for kind, cls in (
        (VersionConflictError, _BatchConflict),
        (ValidationError, _BatchInvalid),
        (VariableNotFoundError, _BatchMissing),
    ):
        if all(isinstance(error, kind) for error in errors.values()):
            return cls(errors, atomic=atomic)
    return BatchError(errors, atomic=atomic)


def from_code(code: str, text: str) -> SnakepitError:
    """The error of a stable code, as it stands in the reply of a batch."""
    cls = _BY_CODE.get(code) or next((cls for start, cls in _BY_FAMILY if code.startswith(start)), SnakepitError)
    return cls(text, code=code)


class ToolError(SnakepitError):
    """A tool failed. Raised inside a tool it reaches the caller with the same fields.

    `tool` is the name of the tool that was called ("" inside of it), `type` the class name of what it raised,
    `traceback` its traceback trimmed to the author's frames, `retryable` whether the author says that another try may
    succeed, `fields` further JSON fields of the author. An uncaught one shows the remote traceback under its own.
    """

    def __init__(
        self,
        message: str,
        *,
        type: str = "ToolError",
        tool: str = "",
        traceback: str = "",
        retryable: bool = False,
        fields: dict[str, Any] | None = None,
        **rest: str,
    ) -> None:
        super().__init__(message, **rest)
        self.type = type
        self.tool = tool
        self.traceback = traceback
        self.retryable = retryable
        self.fields = dict(fields or {})
        if sys.version_info >= (3, 11) and traceback:
            self.add_note(self._remote())

    def __str__(self) -> str:
        text = self.message if self.type == "ToolError" else f"{self.type}: {self.message}"
        if self.tool:
            code = f"[{self.code}] " if self.code else ""
            text = f"{code}tool `{self.tool}` failed: {text}"
        # Python 3.10 has no notes: there the text is the only part of an uncaught error that is shown.
        return text if sys.version_info >= (3, 11) or not self.traceback else f"{text}\n{self._remote()}"

    def __repr__(self) -> str:
        told = f"tool={self.tool!r}, type={self.type!r}, code={self.code!r}"
        return f"{type(self).__name__}({self.message!r}, {told})"

    def _remote(self) -> str:
        return f"The traceback in the tool:\n{self.traceback}"


class Cancelled(BaseException):
    """Raised inside a tool whose call was cancelled or ran out of time, by `check_cancelled()` and `track()`.

    It is no `Exception`, so that a tool's `except Exception` does not swallow the wish to stop.
    """


_BY_CODE: dict[str, type[SnakepitError]] = {
    "E0101": SessionNotFoundError,
    "E0201": VariableNotFoundError,
    "E0202": VariableExistsError,
    "E0204": VariableExistsError,
    "E0401": VersionConflictError,
    "E0601": ToolNotFoundError,
    "E0602": ToolError,
    "E0603": ToolError,
}

#: The classes of what a batch may refuse, by the start of the code.
_BY_FAMILY: tuple[tuple[str, type[SnakepitError]], ...] = (
    ("E03", ValidationError),
    ("E02", ValidationError),
    ("E04", ConflictError),
    ("E09", LimitError),
    ("E11", ValidationError),
)

_BY_STATUS: dict[str, type[SnakepitError]] = {
    "CANCELLED": CallCancelledError,
    "INVALID_ARGUMENT": ValidationError,
    "DEADLINE_EXCEEDED": DeadlineError,
    "NOT_FOUND": NotFoundError,
    "ALREADY_EXISTS": ConflictError,
    "PERMISSION_DENIED": PermissionDeniedError,
    "UNAUTHENTICATED": PermissionDeniedError,
    "RESOURCE_EXHAUSTED": LimitError,
    "FAILED_PRECONDITION": ConflictError,
    "ABORTED": VersionConflictError,
    "UNAVAILABLE": BridgeUnavailableError,
}


def _status_class() -> Any:
    """`google.rpc.Status` and `ErrorInfo` under names of our own, so that no other copy of them can clash."""
    file = descriptor_pb2.FileDescriptorProto(
        name="snakepit/rpc_status.proto",
        package="snakepit.rpc",
        syntax="proto3",
        dependency=["google/protobuf/any.proto"],
    )
    text, message = (
        descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
        descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE,
    )
    one, many = (
        descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
        descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED,
    )
    status = file.message_type.add(name="Status")
    status.field.add(name="code", number=1, type=descriptor_pb2.FieldDescriptorProto.TYPE_INT32, label=one)
    status.field.add(name="message", number=2, type=text, label=one)
    status.field.add(name="details", number=3, type=message, label=many, type_name=".google.protobuf.Any")
    info = file.message_type.add(name="ErrorInfo")
    info.field.add(name="reason", number=1, type=text, label=one)
    info.field.add(name="domain", number=2, type=text, label=one)
    info.field.add(
        name="metadata", number=3, type=message, label=many, type_name=".snakepit.rpc.ErrorInfo.MetadataEntry"
    )
    entry = info.nested_type.add(name="MetadataEntry")
    entry.field.add(name="key", number=1, type=text, label=one)
    entry.field.add(name="value", number=2, type=text, label=one)
    entry.options.map_entry = True
    assert any_pb2.DESCRIPTOR is not None  # the pool knows Any before it is named
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return tuple(
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"snakepit.rpc.{name}"))
        for name in ("Status", "ErrorInfo")
    )


_Status, _ErrorInfo = _status_class()


def _trailer(error: Any, name: str) -> bytes | None:
    for key, value in error.trailing_metadata() or ():
        if key == name and isinstance(value, bytes):
            return value
    return None


def _error_info(error: Any) -> Any:
    """The `ErrorInfo` of ours that a status carries, or None."""
    raw = _trailer(error, "grpc-status-details-bin")
    if raw is None:
        return None
    try:
        for detail in _Status.FromString(raw).details:
            if detail.type_url.endswith("google.rpc.ErrorInfo"):
                info = _ErrorInfo.FromString(detail.value)
                if info.domain == _DOMAIN:
                    return info
    except Exception:  # a detail that is not what it says costs the detail, not the status
        return None
    return None


def from_failure(failure: Any, fallback: str = "", **rest: str) -> ToolError:
    """The `ToolError` of a `ToolFailure` message; `fallback` is the text where the failure has none."""
    import json

    try:
        fields = json.loads(failure.details_json) if failure.details_json else {}
    except ValueError:
        fields = {}
    return ToolError(
        failure.message or fallback,
        type=failure.type or "ToolError",
        traceback=failure.traceback,
        retryable=failure.retryable,
        fields=fields if isinstance(fields, dict) else {},
        **rest,
    )


#: Code and hint of statuses that grpcio itself makes, or a peer that is no bridge of ours.
_OWN = {
    "UNAVAILABLE": ("E0801", "start a bridge with `snakepit serve`, or name its address in SNAKEPIT_ADDRESS"),
    "RESOURCE_EXHAUSTED": ("E0902", "a message has at most 64 MiB: send less at once, or a smaller dtype"),
}


def from_rpc_error(error: grpc.RpcError) -> SnakepitError:
    """The error that a failed RPC stands for. Raise it `from None`: its text has everything."""
    status = error.code().name if error.code() is not None else "UNKNOWN"
    text = error.details() or status
    info = _error_info(error)
    code, rest = "", {"status": status}
    if info is not None:
        code = info.reason
        text = info.metadata.get("message", text)
        rest |= {
            "details": info.metadata.get("details", ""),
            "hint": info.metadata.get("hints", "").replace("\n", "; "),
            "outcome": info.metadata.get("outcome", ""),
        }
    raw = _trailer(error, "snakepit-failure-bin")
    if raw is not None:
        from snakepit.wire import bridge_pb2

        return from_failure(bridge_pb2.ToolFailure.FromString(raw), text, code=code, **rest)
    cls = _BY_CODE.get(code) or _BY_STATUS.get(status, SnakepitError)
    if not code and status == "NOT_FOUND":
        cls = _not_found_by_text(text)
    if info is None and status in _OWN:
        code, rest["hint"] = _OWN[status]
    return cls(text, code=code, **rest)


def _not_found_by_text(text: str) -> type[SnakepitError]:
    """A bridge of another make says what is missing only in words."""
    lowered = text.lower()
    for word, cls in (("session", SessionNotFoundError), ("tool", ToolNotFoundError)):
        if lowered.startswith(word):
            return cls
    return VariableNotFoundError
