"""Embeddings and tensors: numpy arrays, lists and `{shape, dtype, data}` dicts to the wire and back.

Raw payloads are little-endian and contiguous, checked against their shape; numpy is used where it is there and never
required. Nothing here may read pickle, Erlang terms or object arrays: they are refused by name.
"""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snakepit.errors import ValidationError, ValueEncodeError

#: Payloads of more than so many bytes travel as raw bytes, smaller ones as JSON text.
BINARY_THRESHOLD = 10_240
#: The types that have a binary form.
ARRAY_TYPES = frozenset({"embedding", "tensor"})
#: Element types by numpy's names: `struct`'s letter for each.
DTYPES = {
    "float32": "f", "float64": "d", "int8": "b", "int16": "h", "int32": "i", "int64": "q",
    "uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q", "bool": "?",
}  # fmt: skip

#: From here on floats skip whole numbers.
_EXACT_IN_FLOAT = 2**53
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_HINT = "send JSON, or `binary_format` `raw` with little-endian bytes"


def is_array(value: Any) -> bool:
    """Whether a value is an array with at least one axis: numpy's, or one that numpy can take (torch, jax)."""
    return hasattr(value, "__array__") and hasattr(value, "dtype") and len(getattr(value, "shape", ())) > 0


def numpy() -> Any:
    """The numpy module where the caller uses it or has it installed, else None."""
    try:
        import numpy as np
    except ImportError:
        return None
    return np


@dataclass(frozen=True)
class Block:
    """A block of numbers: its shape, its dtype by numpy's name, and its elements as an array or a flat list.

    `implied` says that nobody named the dtype, so that a variable's constraint may choose it.
    """

    shape: tuple[int, ...]
    dtype: str
    elements: Any
    implied: bool = False

    @property
    def size(self) -> int:
        """The bytes that the elements take."""
        return math.prod(self.shape) * struct.calcsize(DTYPES[self.dtype])

    def raw(self) -> bytes:
        """The elements as little-endian bytes in C order; for an array the one copy that is made of it."""
        if hasattr(self.elements, "tobytes"):
            little = self.elements.dtype.newbyteorder("<")
            return bytes(self.elements.astype(little, order="C", copy=False).tobytes())
        try:
            return struct.pack(f"<{len(self.elements)}{DTYPES[self.dtype]}", *self.elements)
        except (struct.error, OverflowError) as error:
            raise ValueEncodeError(f"an element does not fit into {self.dtype}: {error}") from None

    def flat(self) -> list[Any]:
        """The elements as Python numbers in C order."""
        if not hasattr(self.elements, "reshape"):
            return list(self.elements)
        flat: list[Any] = self.elements.reshape(-1).tolist()
        return flat


def read_block(value: Any, type_name: str) -> Block:
    """The block that a value of an array type stands for. Raises `ValueEncodeError` for what is none."""
    if type_name == "embedding":
        return _embedding(value)
    if isinstance(value, Mapping):
        return _described(value)
    if is_array(value) or hasattr(value, "__array_interface__"):
        return _array(value)
    shape, flat = _flattened(value)
    return _listed(shape, flat)


def _embedding(value: Any) -> Block:
    if is_array(value):
        block = _array(value)
        if len(block.shape) != 1 or block.dtype == "bool":
            raise ValueEncodeError(
                f"an embedding is one axis of numbers, not shape {list(block.shape)} of {block.dtype}", code="E0302"
            )
        if not block.dtype.startswith("float"):
            return Block(block.shape, "float64", block.elements.astype("float64"))
        return block
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence):
        raise ValueEncodeError(f"an embedding is a list of numbers, not {type(value).__name__}", code="E0302")
    return Block((len(value),), "float64", [_number(item, index) for index, item in enumerate(value)])


def _number(item: Any, index: int) -> float:
    if isinstance(item, (str, bytes, bool)) or not hasattr(item, "__float__"):
        raise ValueEncodeError(f"item {index} is {type(item).__name__}, not a number", code="E0302")
    try:
        return float(item)
    except OverflowError:
        raise ValueEncodeError(f"item {index} is out of the range of a 64-bit float", code="E0302") from None


def _array(value: Any) -> Block:
    np = numpy()
    array = np.asarray(value)
    name = array.dtype.name
    if name == "float16":  # every half fits into a single
        array, name = array.astype("float32"), "float32"
    if name not in DTYPES:
        raise ValueEncodeError(
            f"an array of dtype {name} cannot be sent", code="E0302", hint="the dtypes are " + ", ".join(DTYPES)
        )
    return Block(tuple(int(axis) for axis in array.shape), name, array)


def _described(value: Mapping[str, Any]) -> Block:
    if "shape" not in value or "data" not in value:
        raise ValueEncodeError("a tensor is an array, nested lists, or a dict of shape and data", code="E0302")
    shape, dtype = tuple(int(axis) for axis in value["shape"]), value.get("dtype")
    if dtype is not None and dtype not in DTYPES:
        raise ValueEncodeError(f"`{dtype}` is no known dtype", code="E0302", hint="the dtypes are " + ", ".join(DTYPES))
    if is_array(value["data"]):
        inner = _array(value["data"])
        block = Block(shape, dtype or inner.dtype, inner.elements.reshape(-1).astype(dtype or inner.dtype, copy=False))
    else:
        block = _listed(shape, _flattened(value["data"])[1], dtype)
    if math.prod(shape) != len(block.elements):
        raise ValueEncodeError(
            f"data size doesn't match shape {list(shape)} ({len(block.elements)} numbers)", code="E0302"
        )
    return block


def _listed(shape: tuple[int, ...], flat: list[Any], dtype: str | None = None) -> Block:
    """The block of Python numbers. Where nobody names a dtype it is float64, as in the bridge, unless that loses."""
    if dtype is not None:
        return Block(shape, dtype, [float(item) for item in flat] if dtype.startswith("float") else flat)
    if flat and all(isinstance(item, bool) for item in flat):
        return Block(shape, "bool", flat)
    if any(isinstance(item, int) and abs(item) > _EXACT_IN_FLOAT for item in flat):
        return Block(shape, "int64", flat)
    return Block(shape, "float64", [float(item) for item in flat], implied=True)


def _flattened(value: Any) -> tuple[tuple[int, ...], list[Any]]:
    """The shape of nested lists and their numbers. Raises for ragged ones."""
    if not isinstance(value, (list, tuple)):
        if isinstance(value, str) and value in _SPECIAL:
            return (), [_SPECIAL[value]]
        if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
            raise ValueEncodeError(f"a tensor holds numbers, not {type(value).__name__}", code="E0302")
        return (), [value.item() if hasattr(value, "item") else value]
    if not any(isinstance(item, (list, tuple)) for item in value):
        return (len(value),), [_flattened(item)[1][0] for item in value]
    parts = [_flattened(item) for item in value]
    if len({shape for shape, _ in parts}) != 1:
        raise ValueEncodeError("the lists of a tensor are not all of one shape", code="E0302")
    return (len(value), *parts[0][0]), [item for _, flat in parts for item in flat]


# --- the wire's forms -------------------------------------------------------------------------------------------


def to_plain(block: Block, type_name: str) -> Any:
    """The JSON form: a list for an embedding, `{shape, dtype, data}` with flat data for a tensor."""
    flat = _plain_floats(block)
    if type_name == "embedding":
        return flat
    if block.implied:
        return {"shape": list(block.shape), "data": flat}
    return {"shape": list(block.shape), "dtype": block.dtype, "data": flat}


def _plain_floats(block: Block) -> list[Any]:
    flat = block.flat()
    if block.dtype.startswith("float"):
        return [float(item) if math.isfinite(item) else _special_name(item) for item in flat]
    return flat


def _special_name(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def header(block: Block, type_name: str | None) -> bytes:
    """The JSON header of the binary form; without a type it fits an embedding and a tensor alike."""
    fields: dict[str, Any] = {"shape": list(block.shape), "dtype": block.dtype, "binary_format": "raw"}
    if type_name is not None:
        fields["type"] = type_name
    return json.dumps(fields, separators=(",", ":")).encode()


def from_binary(raw_header: bytes, payload: bytes) -> Any:
    """The array of a binary value; an embedding's is always of float64, as it is when it came as JSON.

    Raises `ValidationError` (E0305) for other formats and lengths that do not fit."""
    try:
        fields = json.loads(raw_header)
        shape, dtype = fields.get("shape"), fields.get("dtype")
        form = fields.get("binary_format")
    except (ValueError, AttributeError, RecursionError):
        raise _bad("the header of a binary value is no JSON object") from None
    if form in ("pickle", "erlang_binary"):
        raise _bad(f"`{form}` payloads are refused: reading one can run code")
    if form == "npy":
        return _read_npy(payload)
    if form != "raw":
        raise _bad(f"unknown `binary_format` {form!r}: `raw` and `npy` are read")
    if dtype not in DTYPES or not isinstance(shape, list) or not all(_is_axis(axis) for axis in shape):
        raise _bad(f"the header names shape {shape!r} of dtype {dtype!r}")
    wanted = math.prod(shape) * struct.calcsize(DTYPES[dtype])
    if wanted != len(payload):
        raise _bad(f"payload has {len(payload)} bytes, shape {shape} of {dtype} takes {wanted}")
    return _read_raw(tuple(shape), dtype, payload, fields.get("type") == "embedding")


def _is_axis(axis: Any) -> bool:
    return isinstance(axis, int) and not isinstance(axis, bool) and axis >= 0


def _read_raw(shape: tuple[int, ...], dtype: str, payload: bytes, embedding: bool) -> Any:
    np = numpy()
    if np is not None:
        view = np.frombuffer(payload, dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)
        # The one copy: what a caller gets is theirs to write to.
        return view.astype("float64" if embedding else dtype, order="C", copy=True)
    flat = list(struct.unpack(f"<{len(payload) // struct.calcsize(DTYPES[dtype])}{DTYPES[dtype]}", payload))
    return flat if embedding else {"shape": list(shape), "dtype": dtype, "data": flat}


def _read_npy(payload: bytes) -> Any:
    np = numpy()
    if np is None:
        raise _bad("an `npy` payload needs numpy", hint="pip install 'snakepit[numpy]'")
    try:
        array = np.lib.format.read_array(io.BytesIO(payload), allow_pickle=False)
    except ValueError as error:
        raise _bad(f"the payload is no npy file of numbers: {error}") from None
    return array


def from_plain(value: Any, type_name: str) -> Any:
    """The array of a JSON value, where numpy is there; else an embedding's list, a tensor's dict."""
    np = numpy()
    if type_name == "embedding":
        return value if np is None else np.array(value, dtype="float64")
    if not isinstance(value, dict) or "shape" not in value or "data" not in value:
        return value
    block = _described(value)
    if np is None:
        return {"shape": list(block.shape), "dtype": block.dtype, "data": block.flat()}
    return np.array(block.elements, dtype=block.dtype).reshape(block.shape)


def as_array(value: Any, dtype: str | None = None) -> Any:
    """The numpy array that a JSON value or an array stands for, of that dtype where one is named. Needs numpy.

    A list's own dtype is numpy's choice: whole numbers stay whole. Raises `ValidationError` for what is no array.
    """
    import numpy as np

    try:
        array = _natural(np, value)
        if array is None:
            block = read_block(value, "tensor")
            array = np.array(block.elements, dtype=block.dtype).reshape(block.shape)
        return array if dtype is None else array.astype(dtype, copy=False)
    except ValidationError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueEncodeError(f"no array can be made of it: {error}", code="E0302") from None


def _natural(np: Any, value: Any) -> Any:
    """The array as numpy makes it, or None where that is none of numbers (ragged lists, `"NaN"`, text)."""
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    return array if array.dtype.kind in "biuf" else None


def _bad(text: str, hint: str = _HINT) -> ValidationError:
    return ValidationError(text, code="E0305", hint=hint)
