"""Python values <-> the wire's values: an `Any` that holds JSON text under `type.googleapis.com/snakepit.<type>`.

Nothing here may unpickle, evaluate or import what came over the wire. Encoding is strict: what has no JSON form is an
error that names the type and the place, never a `str()` of it.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import json
import math
import os
import uuid
from collections.abc import Callable, Mapping, Set
from typing import Any

from google.protobuf import any_pb2

from snakepit import arrays
from snakepit.errors import ValidationError, ValueEncodeError

#: The part of a type URL before the type.
PREFIX = "type.googleapis.com/snakepit."
#: How deep lists and dicts may be nested.
MAX_DEPTH = 64

#: What the url of a binary value ends with.
_BINARY = ".binary"
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
# Refuses NaN, so that only the slow path meets special floats.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def special(number: float) -> str:
    """The JSON string of a float that JSON has no number for: `NaN`, `Infinity`, `-Infinity`."""
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def to_json(value: Any) -> str:
    """The compact JSON text of a value. Raises `ValueEncodeError` for what has none."""
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError):
        pass  # it holds something that is no plain JSON
    try:
        return _encode(plain(value))
    except ValueEncodeError:
        raise
    except ValueError as error:  # an integer with more digits than Python writes
        raise ValueEncodeError(f"the value has no JSON form: {error}") from None


def to_json_bytes(value: Any) -> bytes:
    """`to_json` in UTF-8."""
    try:
        return to_json(value).encode()
    except UnicodeEncodeError:
        raise ValueEncodeError("a string with a lone surrogate has no UTF-8 form") from None


def plain(value: Any, path: str = "value", depth: int = 0) -> Any:
    """The value made of dict, list, str, int, float, bool and None only.

    Special floats become strings, tuples and sets lists, dataclasses dicts, dates ISO 8601, Decimal and UUID
    strings, bytes base64, numpy scalars and arrays their Python form.
    """
    if value is None or isinstance(value, (bool, str)):
        return str(value) if type(value) not in (bool, str) and isinstance(value, str) else value
    if isinstance(value, enum.Enum):
        return plain(value.value, path, depth)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else special(value)
    if depth >= MAX_DEPTH:
        raise ValueEncodeError(f"{path} is nested deeper than {MAX_DEPTH}")
    if isinstance(value, Mapping):
        return {_key(key, path): plain(item, f"{path}[{key!r}]", depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, Set):
        return [plain(item, f"{path}{{...}}", depth + 1) for item in _ordered(value)]
    return _special_type(value, path, depth)


def _special_type(value: Any, path: str, depth: int) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {f.name: plain(getattr(value, f.name), f"{path}.{f.name}", depth + 1) for f in fields}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    # numpy's arrays and scalars (and whatever counts as one) without importing numpy.
    if hasattr(value, "__array_interface__") and hasattr(value, "tolist"):
        return plain(value.tolist(), path, depth)
    name = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    raise ValueEncodeError(
        f"{path} is of type {name}, which has no JSON form",
        hint="return dicts, lists, strings, numbers, booleans, None, bytes, dataclasses or numpy arrays",
    )


def _key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, enum.Enum):
        return _key(key.value, path)
    if isinstance(key, bool) or key is None:
        return {True: "true", False: "false", None: "null"}[key]
    if isinstance(key, (int, float)):
        return repr(key)
    if hasattr(key, "__array_interface__") and hasattr(key, "item"):
        return _key(key.item(), path)
    raise ValueEncodeError(f"a key of {path} is of type {type(key).__qualname__}, and JSON's keys are strings")


def _ordered(values: Set[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return list(values)


def type_of(value: Any) -> str:
    """The wire's word for a value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "bytes"
    if isinstance(value, (list, tuple, Set)):
        return "list"
    if isinstance(value, Mapping) or dataclasses.is_dataclass(value):
        return "map"
    # Whatever else has a JSON form is named after that form.
    return type_of(plain(value))


def variable_type(value: Any) -> str:
    """The type that a variable gets from its value: arrays are tensors, all else as `type_of`."""
    return "tensor" if arrays.is_array(value) else type_of(value)


def encode(value: Any, type_name: str | None = None) -> any_pb2.Any:
    """A value as an `Any` of JSON text. `type_name` is the wire's type, by default `type_of(value)`."""
    name = type_name or type_of(value)
    return any_pb2.Any(type_url=PREFIX + name, value=to_json_bytes(of_type(value, name)))


def of_type(value: Any, name: str) -> Any:
    """The value as its type writes it: whole floats become integers where those are wanted, and the reverse."""
    if name == "float":
        return as_float(value)
    if name == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if name in arrays.ARRAY_TYPES:
        return arrays.to_plain(arrays.read_block(value, name), name)
    return value


def pack(value: Any, type_name: str | None = None) -> tuple[any_pb2.Any, bytes]:
    """A variable's value and the payload beside it, which is empty unless the value is large and numeric.

    Without a type, arrays go in the binary form, which fits embeddings and tensors alike.
    """
    if type_name in arrays.ARRAY_TYPES:
        block = arrays.read_block(value, str(type_name))
        if block.size > arrays.BINARY_THRESHOLD and not block.implied:
            return _binary(block, type_name)
        plain_form = arrays.to_plain(block, str(type_name))
        return any_pb2.Any(type_url=f"{PREFIX}{type_name}", value=to_json_bytes(plain_form)), b""
    if type_name is None and arrays.is_array(value):
        return _binary(arrays.read_block(value, "tensor"), None)
    return encode(value, type_name), b""


def _binary(block: arrays.Block, type_name: str | None) -> tuple[any_pb2.Any, bytes]:
    url = f"{PREFIX}{type_name or 'tensor'}{_BINARY}"
    return any_pb2.Any(type_url=url, value=arrays.header(block, type_name)), block.raw()


def unpack(message: any_pb2.Any, payload: bytes = b"") -> Any:
    """The value of a variable: arrays for embeddings and tensors where numpy is there, else as `decode`."""
    url = message.type_url
    if url.endswith(_BINARY):
        return arrays.from_binary(message.value, payload)
    kind = _kind(url)
    value = decode(message)
    return arrays.from_plain(value, kind) if kind in arrays.ARRAY_TYPES else value


_TRUTHS = {b"true": True, b"false": False}
#: How the commonest values are read, by their url; each raises ValueError for what it leaves to `unpack`.
READERS: dict[str, Callable[[bytes], Any]] = {
    PREFIX + "float": float,
    PREFIX + "integer": int,
    PREFIX + "boolean": lambda raw: _TRUTHS[raw],
    PREFIX + "string": json.loads,
    PREFIX + "choice": json.loads,
    PREFIX + "module": json.loads,
}
#: The types that have no binary form to be asked for.
SCALARS = frozenset(url.rpartition(".")[2] for url in READERS)


def _kind(url: str) -> str:
    """The type that a url names: what follows its last dot or slash."""
    return url.rpartition("/")[2].rpartition(".")[2]


def decode(message: any_pb2.Any) -> Any:
    """The value of an `Any`. Raises `ValidationError` for what is no JSON, and for pickle and Erlang terms."""
    raw = message.value
    kind = _kind(message.type_url)
    if not raw:
        return None
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ValidationError(
            f"a value of type `{message.type_url}` is no JSON text: {error}",
            code="E0305",
            hint="a value is JSON text; pickle and Erlang terms are refused",
        ) from None
    if kind == "float":
        return as_float(value)
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "bytes" and isinstance(value, str):
        return as_bytes(value)
    return value


def as_float(value: Any) -> Any:
    """Numbers and the three special strings as float; everything else as it is."""
    if isinstance(value, str):
        return _SPECIAL.get(value, value)
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return value
    return value


def as_bytes(value: Any) -> Any:
    """A base64 string as bytes; everything else as it is. Raises `ValidationError` for a broken one."""
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        raise ValidationError("a value of type bytes is no base64 text", code="E0305") from None
