"""Type hints -> the wire's type names, JSON Schema, and what turns a decoded JSON value into an argument."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from snakepit import arrays, values

_NAMES = {
    str: ("str", "string"),
    int: ("int", "integer"),
    float: ("float", "number"),
    bool: ("bool", "boolean"),
    type(None): ("none", "null"),
}


@dataclass(frozen=True)
class Shape:
    """What a hint says: the type's name in lower case, its JSON Schema, and a conversion where JSON is not exact."""

    type: str = "any"
    schema: dict[str, Any] = field(default_factory=dict)
    convert: Callable[[Any], Any] | None = None


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The hints of a function. One that cannot be resolved is left out; the others stay."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:
        return _hints_one_by_one(function)


def _hints_one_by_one(function: Callable[..., Any]) -> dict[str, Any]:
    """Some name exists only for the type checker. The author's own module resolves the others."""
    found: dict[str, Any] = {}
    for name, hint in getattr(function, "__annotations__", {}).items():
        holder = types.SimpleNamespace(__annotations__={name: hint})
        scope = getattr(inspect.unwrap(function), "__globals__", {})
        try:
            found |= typing.get_type_hints(holder, globalns=scope, include_extras=True)
        except Exception:
            if isinstance(hint, str) and hint.strip("'\"").split(".")[-1].split("|")[0].strip() == "Context":
                from snakepit.context import Context

                found[name] = Context
    return found


def is_context(hint: Any) -> bool:
    """True for `Context` and `Context | None`."""
    from snakepit.context import Context

    if isinstance(hint, type):
        return issubclass(hint, Context)
    return _is_union(hint) and any(is_context(one) for one in typing.get_args(hint))


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def output(hint: Any) -> dict[str, Any] | None:
    """The schema of a declared result, or None where the hint says nothing."""
    if hint is inspect.Signature.empty or hint is Any:
        return None
    return of(hint).schema or None


def of(hint: Any) -> Shape:
    """The shape of a hint. What is not known is `any`, which every value fits."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return of(arguments[0])
    if hint is float:
        return Shape("float", {"type": "number"}, values.as_float)
    if hint in (bytes, bytearray):
        return Shape("bytes", {"type": "string", "contentEncoding": "base64"}, values.as_bytes)
    if isinstance(hint, type) and hint in _NAMES:
        name, word = _NAMES[hint]
        return Shape(name, {"type": word})
    if origin is typing.Literal:
        return _literal(arguments)
    if _is_union(hint):
        return _union(arguments)
    return _container(origin or hint, arguments)


def _literal(choices: tuple[Any, ...]) -> Shape:
    names = {of(type(choice)).type for choice in choices}
    return Shape(names.pop() if len(names) == 1 else "any", {"enum": list(choices)})


def _union(members: tuple[Any, ...]) -> Shape:
    shapes = [of(member) for member in members]
    if any(not shape.schema for shape in shapes):
        return Shape()
    schema = {"anyOf": [shape.schema for shape in shapes]}
    others = [shape for shape in shapes if shape.type != "none"]
    if len(others) != 1:
        return Shape("any", schema)
    # `int | None` is an int that may be null: the schema says so.
    convert = others[0].convert
    return Shape(others[0].type, schema, _unless_none(convert) if convert else None)


def _unless_none(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


def _container(origin: Any, arguments: tuple[Any, ...]) -> Shape:
    if not isinstance(origin, type):
        return Shape()
    if (origin.__module__, origin.__name__) == ("numpy", "ndarray"):
        return _ndarray(arguments)
    if typing.is_typeddict(origin) or issubclass(origin, dict) or origin is typing.get_origin(typing.Mapping[str, int]):
        schema: dict[str, Any] = {"type": "object"}
        if len(arguments) == 2 and of(arguments[1]).schema:
            schema["additionalProperties"] = of(arguments[1]).schema
        return Shape("dict", schema, _each_value(arguments))
    for kind, convert in ((list, None), (tuple, tuple), (frozenset, frozenset), (set, set)):
        if issubclass(origin, kind):
            return _array(origin, arguments, convert)
    if origin is typing.get_origin(typing.Sequence[int]):
        return _array(list, arguments, None)
    return Shape()


def _ndarray(arguments: tuple[Any, ...]) -> Shape:
    """An array: nested lists, a tensor's `{shape, dtype, data}`, one number. `NDArray[float32]` chooses the dtype."""
    # NDArray[X] is ndarray[shape, dtype[X]].
    element = next(iter(typing.get_args(arguments[1])), None) if len(arguments) == 2 else None
    name = getattr(element, "__name__", "").rstrip("_")
    dtype = name if name in arrays.DTYPES or name == "float16" else None
    tensor = {"type": "object", "required": ["shape", "data"]}
    choices = [{"type": "array"}, tensor, {"type": "number"}, {"type": "boolean"}]
    return Shape("any", {"anyOf": choices}, lambda value: arrays.as_array(value, dtype))


def _each_value(arguments: tuple[Any, ...]) -> Callable[[Any], Any] | None:
    inner = of(arguments[1]).convert if len(arguments) == 2 else None
    if inner is None:
        return None
    return lambda value: {k: inner(v) for k, v in value.items()} if isinstance(value, dict) else value


def _array(origin: type, arguments: tuple[Any, ...], make: Callable[[Any], Any] | None) -> Shape:
    one_kind = len(arguments) == 1 or (len(arguments) == 2 and arguments[1] is Ellipsis)
    item = of(arguments[0]) if one_kind else Shape()
    schema: dict[str, Any] = {"type": "array"}
    if item.schema:
        schema["items"] = item.schema
    if make in (set, frozenset):
        schema["uniqueItems"] = True
    inner = item.convert
    if inner is None and make is None:
        return Shape("list", schema)

    def convert(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        items = value if inner is None else [inner(one) for one in value]
        return items if make is None else make(items)

    return Shape("list", schema, convert)
