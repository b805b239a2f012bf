"""Values: what goes in comes out; what has no JSON form is named."""

import dataclasses
import datetime
import decimal
import enum
import json
import math
import pickle
import uuid
from pathlib import Path

import pytest
from google.protobuf import any_pb2

from snakepit import values
from snakepit.errors import ValidationError, ValueEncodeError


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    inner: object = None


@pytest.mark.parametrize(
    ("value", "url", "text"),
    [
        (None, "null", "null"),
        (True, "boolean", "true"),
        (5, "integer", "5"),
        (2**80, "integer", str(2**80)),
        (0.7, "float", "0.7"),
        (1e300, "float", "1e+300"),
        ("é\n", "string", '"é\\n"'),
        ([1, "a", None], "list", '[1,"a",null]'),
        ({"a": {"b": [1.5]}}, "map", '{"a":{"b":[1.5]}}'),
    ],
)
def test_plain_values_come_back(value, url, text):
    message = values.encode(value)
    assert message.type_url == f"type.googleapis.com/snakepit.{url}"
    assert message.value.decode() == text
    back = values.decode(message)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_special_floats_are_strings_and_come_back(value):
    message = values.encode(value)
    assert json.loads(message.value) in ("NaN", "Infinity", "-Infinity")
    assert repr(values.decode(message)) == repr(value)
    assert values.to_json([value]) == f'["{values.special(value)}"]'


def test_bare_tokens_are_read():
    message = any_pb2.Any(type_url="x/snakepit.list", value=b"[NaN, -Infinity]")
    assert repr(values.decode(message)) == "[nan, -inf]"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, 2), [1, 2]),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset(["b", "a"]), ["a", "b"]),
        (Point(1, Point(2)), {"x": 1, "inner": {"x": 2, "inner": None}}),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), "2026-01-02T03:04:05+00:00"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), str(uuid.UUID(int=1))),
        (Path("/tmp/x"), "/tmp/x"),
        (b"\x00\xff", "AP8="),
        (Colour.RED, "red"),
        ({Colour.RED: 1, 2: (3,), None: b""}, {"red": 1, "2": [3], "null": ""}),
    ],
)
def test_richer_values_have_a_json_form(value, expected):
    assert json.loads(values.to_json(value)) == expected
    assert json.loads(values.to_json({"in": [value]})) == {"in": [expected]}


def test_bytes_come_back_as_bytes():
    assert values.decode(values.encode(b"\x00\xff")) == b"\x00\xff"


def test_numpy_values_have_a_json_form():
    np = pytest.importorskip("numpy")
    value = {"scalar": np.float32(0.5), "int": np.int64(3), "bool": np.bool_(True), "array": np.arange(4).reshape(2, 2)}
    assert json.loads(values.to_json(value)) == {"scalar": 0.5, "int": 3, "bool": True, "array": [[0, 1], [2, 3]]}
    assert json.loads(values.to_json(np.array([1.0, np.nan]))) == [1.0, "NaN"]
    assert values.encode(np.float64(2.0)).type_url.endswith(".float")
    assert values.encode(np.zeros(2)).type_url.endswith(".list")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [1, object()]}, ["value['a'][1]", "object"]),
        (Point(1, 3j), ["value.inner", "complex"]),
        ({(1, 2): 1}, ["key", "tuple"]),
        ("\ud800", ["surrogate"]),
        pytest.param(10**5000, ["no JSON form"], id="huge"),
    ],
)
def test_what_has_no_json_form_is_named(value, words):
    with pytest.raises(ValueEncodeError) as caught:
        values.encode(value)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_circular_and_deep_values_are_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(ValueEncodeError, match="nested deeper than 64"):
        values.encode(loop)


@pytest.mark.parametrize("raw", [pickle.dumps([1, 2]), b"\x83l", b"{", b"\xff\xfe"])
def test_pickle_and_garbage_are_refused(raw):
    with pytest.raises(ValidationError, match="no JSON"):
        values.decode(any_pb2.Any(type_url="type.googleapis.com/snakepit.list", value=raw))


def test_tool_values_of_older_peers_are_read():
    url = "type.googleapis.com/google.protobuf.StringValue"
    assert values.decode(any_pb2.Any(type_url=url, value=b'{"a": 1}')) == {"a": 1}
    assert values.decode(any_pb2.Any()) is None


def test_types_of_the_url_are_kept():
    assert repr(values.decode(any_pb2.Any(type_url="x.float", value=b"1"))) == "1.0"
    assert repr(values.decode(any_pb2.Any(type_url="x.integer", value=b"5.0"))) == "5"


def test_arrays_without_numpy_are_lists_and_dicts(monkeypatch):
    from snakepit import arrays

    monkeypatch.setattr(arrays, "numpy", lambda: None)
    embedding = [0.5] * 2000
    message, payload = values.pack(embedding, "embedding")
    assert len(payload) == 16_000
    assert values.unpack(message, payload) == embedding
    assert values.unpack(*values.pack([1, 2], "embedding")) == [1.0, 2.0]
    tensor = {"shape": [1, 2000], "dtype": "int16", "data": list(range(2000))}
    message, payload = values.pack({**tensor, "dtype": "int64"}, "tensor")
    assert values.unpack(message, payload) == {**tensor, "dtype": "int64"}
    assert values.unpack(*values.pack(tensor, "tensor")) == tensor
    assert values.unpack(*values.pack([[1.5], [2.5]], "tensor")) == {
        "shape": [2, 1],
        "dtype": "float64",
        "data": [1.5, 2.5],
    }


@pytest.mark.parametrize(
    ("value", "type_name", "words"),
    [
        ([[1, 2], [3]], "tensor", "one shape"),
        ({"shape": [3], "data": [1]}, "tensor", "doesn't match shape"),
        ({"shape": [1], "data": [1], "dtype": "complex64"}, "tensor", "no known dtype"),
        ({"shape": [1], "data": [300], "dtype": "uint8"}, "tensor", None),
        (["x"], "tensor", "holds numbers"),
        (["x"], "embedding", "item 0 is str"),
        ([True], "embedding", "item 0 is bool"),
        ("12", "embedding", "list of numbers"),
        ([10**400], "embedding", "range"),
    ],
)
def test_what_is_no_array_is_named(value, type_name, words):
    if words is None:  # the bridge judges what an element may be
        assert b"300" in values.encode(value, type_name).value
        return
    with pytest.raises(ValueEncodeError, match=words):
        values.encode(value, type_name)


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (b"{", b""),
        (b"[]", b""),
        (b'{"shape":[2],"dtype":"float32","binary_format":"raw"}', b"1234567"),
        (b'{"shape":[-1],"dtype":"float32","binary_format":"raw"}', b""),
        (b'{"shape":[true],"dtype":"float32","binary_format":"raw"}', b"1234"),
        (b'{"shape":"2","dtype":"float32","binary_format":"raw"}', b""),
        (b'{"shape":[1],"dtype":"object","binary_format":"raw"}', b"12345678"),
        (b'{"shape":[1],"dtype":"float32"}', b"1234"),
    ],
)
def test_broken_binary_values_are_refused(header, payload):
    message = any_pb2.Any(type_url="type.googleapis.com/snakepit.tensor.binary", value=header)
    with pytest.raises(ValidationError) as caught:
        values.unpack(message, payload)
    assert caught.value.code == "E0305"
