"""`@tool` and what a function says of itself: its parameters, types, defaults, descriptions, whether it streams.

A decorated function stays the function that it was: the decorator only leaves a note on it. This file must never
call a tool.
"""

from __future__ import annotations

import collections.abc
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from snakepit import docstrings, schema, values
from snakepit.errors import ValidationError
from snakepit.wire import bridge_pb2 as pb

F = TypeVar("F", bound=Callable[..., Any])

#: The attribute that carries a decorated function's `ToolOptions`.
NOTE = "__snakepit_tool__"
#: A tool's name has at most so many bytes.
MAX_NAME = 255

_STREAMS = (
    collections.abc.Iterator,
    collections.abc.Generator,
    collections.abc.Iterable,
)
_ASYNC_STREAMS = (
    collections.abc.AsyncIterator,
    collections.abc.AsyncGenerator,
    collections.abc.AsyncIterable,
)


@dataclass(frozen=True)
class ToolOptions:
    """What `@tool` was told. `None` and 0 mean: not said."""

    name: str | None = None
    description: str | None = None
    idempotent: bool = False
    timeout: float | None = None
    idle: float | None = None
    concurrency: int = 0
    streaming: bool | None = None
    required_variables: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)


@overload
def tool(function: F, /) -> F: ...
@overload
def tool(
    function: str | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    idempotent: bool = False,
    timeout: float | None = None,
    idle: float | None = None,
    concurrency: int = 0,
    streaming: bool | None = None,
    supports_streaming: bool | None = None,
    required_variables: collections.abc.Iterable[str] | None = None,
    metadata: collections.abc.Mapping[str, str] | None = None,
) -> Callable[[F], F]: ...
def tool(function: Any = None, /, **options: Any) -> Any:
    """Marks a function, or a method of a `BaseAdapter`, as a tool. It stays a plain callable.

    Used as `@tool` or `@tool(...)`:

    - `name`: by default the function's name.
    - `description`: by default the first paragraph of the docstring.
    - `idempotent`: running it twice is as good as once, so a call that may have run may be repeated. Default False.
    - `timeout`: seconds that a call may take when the caller says nothing. Default None: no limit.
    - `idle`: the longest silence in seconds between chunks, progress reports and log lines. Default None: no limit.
    - `concurrency`: calls at once in one worker. Default 0: the worker's own limit.
    - `streaming`: overrides what the function's form says (generators and functions annotated to return an
      Iterator or AsyncIterator stream). `supports_streaming` is the older name; False there says nothing.
    - `required_variables`: names of variables that the tool needs in the caller's session.
    - `metadata`: strings that are shown with the tool.

    Raises `TypeError` for what is no function, `ValidationError` for an option that makes no sense.
    """
    if callable(function) or isinstance(function, (staticmethod, classmethod)):
        return _note(function, {})
    if isinstance(function, str):  # @tool("description"), as older code writes it
        options.setdefault("description", function)
    elif function is not None:
        raise TypeError(f"@tool decorates functions, not {type(function).__name__}")
    return lambda decorated: _note(decorated, options)


def _note(function: Any, options: dict[str, Any]) -> Any:
    target = function.__func__ if isinstance(function, (staticmethod, classmethod)) else function
    if not inspect.isroutine(target):
        raise TypeError(f"@tool decorates functions, not {type(target).__name__}")
    if options.pop("supports_streaming", None):
        options.setdefault("streaming", True)
    options["required_variables"] = tuple(options.get("required_variables") or ())
    options["metadata"] = dict(options.get("metadata") or {})
    options["description"] = options.get("description") or None
    note = ToolOptions(**options)
    _check(note)
    setattr(target, NOTE, note)
    return function


def _check(note: ToolOptions) -> None:
    for name, seconds in (("timeout", note.timeout), ("idle", note.idle)):
        if seconds is not None and not seconds > 0:
            raise ValidationError(f"@tool({name}={seconds!r}): seconds are above 0, or None for no limit")
    if note.concurrency < 0:
        raise ValidationError(f"@tool(concurrency={note.concurrency!r}): a count, or 0 for the worker's own limit")
    if note.name is not None:
        check_name(note.name)


def check_name(name: str) -> None:
    """Raises `ValidationError` unless `name` is a tool's name: 1-255 bytes, no white space, control or glob signs."""
    bad = any(c.isspace() or not c.isprintable() or c in "*?" for c in name)
    if not name or bad or len(name.encode(errors="replace")) > MAX_NAME:
        raise ValidationError(f"{name!r} is no name for a tool: 1 to {MAX_NAME} bytes, no spaces, no * and ?")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a tool: how it is declared to callers and how a value becomes an argument."""

    name: str
    type: str
    description: str
    required: bool
    default: Any
    schema: dict[str, Any]
    positional: bool
    #: Makes an argument of a decoded JSON value, where JSON alone is not exact (float, bytes, tuple, set).
    convert: Callable[[Any], Any] | None


@dataclass(frozen=True)
class Tool:
    """A function that can be called as a tool, with everything that its signature says."""

    name: str
    description: str
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    #: The parameter that takes the `Context`, or None.
    context_parameter: str | None
    accepts_extra: bool
    streaming: bool
    is_async: bool
    output_schema: dict[str, Any] | None
    options: ToolOptions
    #: The adapter class whose instance the function is called on; None for a plain function.
    owner: type | None = None

    def registration(self) -> pb.ToolRegistration:
        """The tool as the bridge is told of it."""
        options = self.options
        return pb.ToolRegistration(
            name=self.name,
            description=self.description,
            parameters=[_parameter_spec(parameter) for parameter in self.parameters],
            metadata=options.metadata,
            supports_streaming=self.streaming,
            required_variables=options.required_variables,
            input_schema=values.to_json(self.input_schema()),
            output_schema=values.to_json(self.output_schema) if self.output_schema else "",
            idempotent=options.idempotent,
            timeout_ms=_milliseconds(options.timeout),
            idle_timeout_ms=_milliseconds(options.idle),
            concurrency=options.concurrency,
            accepts_extra=self.accepts_extra,
        )

    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema (2020-12) of the parameters as one object."""
        properties: dict[str, Any] = {}
        for parameter in self.parameters:
            entry = dict(parameter.schema)
            if parameter.description:
                entry["description"] = parameter.description
            if not parameter.required and parameter.default is not _NO_DEFAULT:
                entry["default"] = parameter.default
            properties[parameter.name] = entry
        return {
            "type": "object",
            "properties": properties,
            "required": [parameter.name for parameter in self.parameters if parameter.required],
            "additionalProperties": self.accepts_extra,
        }


#: The default of a parameter whose default has no JSON form.
_NO_DEFAULT: Any = object()


def _milliseconds(seconds: float | None) -> int:
    return max(1, round(seconds * 1000)) if seconds else 0


def _parameter_spec(parameter: Parameter) -> pb.ParameterSpec:
    spec = pb.ParameterSpec(
        name=parameter.name,
        type=parameter.type,
        description=parameter.description,
        required=parameter.required,
    )
    if not parameter.required and parameter.default is not _NO_DEFAULT:
        spec.default_value.CopyFrom(values.encode(parameter.default))
    if "enum" in parameter.schema:
        spec.validation_json = values.to_json({"enum": parameter.schema["enum"]})
    return spec


def note_of(function: Any) -> ToolOptions | None:
    """The options that `@tool` left on a function, or None for one without it."""
    note = getattr(function, NOTE, None)
    return note if isinstance(note, ToolOptions) else None


def describe(function: Callable[..., Any], options: ToolOptions | None = None, *, owner: type | None = None) -> Tool:
    """Reads a function's signature, hints and docstring. With an `owner` it is a method and the first parameter falls.

    Raises `ValidationError` for a signature that cannot be called with named parameters.
    """
    options = options or note_of(function) or ToolOptions()
    hints = schema.hints_of(function)
    doc = docstrings.read(inspect.getdoc(function) or "")
    name = options.name or function.__name__
    check_name(name)
    parameters: list[Parameter] = []
    context_parameter, accepts_extra = None, False
    declared = list(inspect.signature(function).parameters.values())
    for declaration in declared[1:] if owner else declared:
        hint = hints.get(declaration.name, declaration.annotation)
        if schema.is_context(hint):
            context_parameter = declaration.name
        elif declaration.kind is declaration.VAR_KEYWORD:
            accepts_extra = True
        elif declaration.kind is not declaration.VAR_POSITIONAL:
            parameters.append(_parameter(declaration, hint, doc.parameters.get(declaration.name, "")))
    returned = hints.get("return", inspect.Signature.empty)
    streaming = _streams(function, returned) if options.streaming is None else options.streaming
    return Tool(
        name=name,
        description=options.description or doc.summary,
        function=function,
        parameters=tuple(parameters),
        context_parameter=context_parameter,
        accepts_extra=accepts_extra,
        streaming=streaming,
        is_async=_is_async(function, returned),
        output_schema=None if streaming else schema.output(returned),
        options=options,
        owner=owner,
    )


def _parameter(declaration: inspect.Parameter, hint: Any, description: str) -> Parameter:
    required = declaration.default is declaration.empty
    default = _NO_DEFAULT
    if not required:
        try:
            default = values.plain(declaration.default)
        except ValidationError:
            pass
    shape = schema.of(hint)
    return Parameter(
        name=declaration.name,
        type=shape.type,
        description=description,
        required=required,
        default=default,
        schema=shape.schema,
        positional=declaration.kind is declaration.POSITIONAL_ONLY,
        convert=shape.convert,
    )


def _streams(function: Callable[..., Any], returned: Any) -> bool:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return True
    return (typing.get_origin(returned) or returned) in _STREAMS + _ASYNC_STREAMS


def _is_async(function: Callable[..., Any], returned: Any) -> bool:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return True
    return (typing.get_origin(returned) or returned) in _ASYNC_STREAMS
