"""What a function says of itself: names, types, defaults, descriptions, whether it streams."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Dict, List, Literal, Optional, Union

import numpy as np
import pytest
from numpy.typing import NDArray

from snakepit import BaseAdapter, Context, ValidationError, tool, tools, values

if TYPE_CHECKING:
    from nowhere import Missing


def spec(function):
    return tools.describe(function).registration()


def schema(function, name):
    return json.loads(spec(function).input_schema)["properties"][name]


def test_decorated_functions_stay_plain_callables():
    @tool
    def plain(a):
        return a

    @tool(name="other", idempotent=True)
    def named(a):
        return a

    @tool()
    def empty(a):
        return a

    assert (plain(1), named(2), empty(3)) == (1, 2, 3)
    assert plain.__name__ == "plain"
    assert spec(named).name == "other"
    assert spec(named).idempotent


def test_options_are_told_to_the_bridge():
    @tool(timeout=1.5, idle=0.25, concurrency=2, required_variables=["lr"], metadata={"k": "v"}, description="D")
    def f():
        """Doc."""

    told = spec(f)
    assert (told.timeout_ms, told.idle_timeout_ms, told.concurrency) == (1500, 250, 2)
    assert list(told.required_variables) == ["lr"]
    assert dict(told.metadata) == {"k": "v"}
    assert told.description == "D"


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"idle": -1}, {"concurrency": -1}, {"name": "a b"}, {"name": ""}, {"name": "x*"}]
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        tool(**options)(lambda: None)


def test_only_functions_are_decorated():
    with pytest.raises(TypeError):
        tool(5)
    with pytest.raises(TypeError):
        tool(name="x")(5)


@pytest.mark.parametrize(
    ("hint", "type_name", "expected"),
    [
        (str, "str", {"type": "string"}),
        (int, "int", {"type": "integer"}),
        (float, "float", {"type": "number"}),
        (bool, "bool", {"type": "boolean"}),
        (list, "list", {"type": "array"}),
        (list[int], "list", {"type": "array", "items": {"type": "integer"}}),
        (List[str], "list", {"type": "array", "items": {"type": "string"}}),
        (tuple[int, ...], "list", {"type": "array", "items": {"type": "integer"}}),
        (set[str], "list", {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
        (dict, "dict", {"type": "object"}),
        (dict[str, float], "dict", {"type": "object", "additionalProperties": {"type": "number"}}),
        (Dict[str, int], "dict", {"type": "object", "additionalProperties": {"type": "integer"}}),
        (bytes, "bytes", {"type": "string", "contentEncoding": "base64"}),
        (Optional[int], "int", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (int | None, "int", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Union[int, str], "any", {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (Literal["a", "b"], "str", {"enum": ["a", "b"]}),
        (Literal[1, "b"], "any", {"enum": [1, "b"]}),
        (Any, "any", {}),
        (object, "any", {}),
    ],
)
def test_hints_become_types_and_schemas(hint, type_name, expected):
    def f(x):
        pass

    f.__annotations__ = {"x": hint}
    assert spec(f).parameters[0].type == type_name
    assert schema(f, "x") == expected


def array_of(hint, value):
    def f(x):
        pass

    f.__annotations__ = {"x": hint}
    (parameter,) = tools.describe(f).parameters
    assert parameter.type == "any"
    return parameter.convert(value)


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (np.ndarray, [[1, 2], [3, 4]], np.array([[1, 2], [3, 4]])),
        (np.ndarray, [1, 2.5, "NaN"], np.array([1, 2.5, np.nan])),
        (np.ndarray, [], np.array([])),
        (np.ndarray, 3.5, np.array(3.5)),
        (np.ndarray, {"shape": [2, 1], "data": [1, 2], "dtype": "int8"}, np.array([[1], [2]], "int8")),
        (np.ndarray, {"shape": [2], "data": [1, 2]}, np.array([1.0, 2.0])),
        (NDArray, [True, False], np.array([True, False])),
        (NDArray[np.float32], [1, 2], np.array([1, 2], "float32")),
        (NDArray[np.bool_], [1, 0], np.array([True, False])),
        (NDArray[np.floating], [1.5], np.array([1.5])),
        (NDArray[np.float32], {"shape": [1], "data": [2]}, np.array([2], "float32")),
    ],
)
def test_an_array_hint_makes_an_array(hint, value, expected):
    made = array_of(hint, value)
    assert made.dtype == expected.dtype
    np.testing.assert_array_equal(made, expected)
    np.testing.assert_array_equal(array_of(Optional[hint], value), expected)
    assert array_of(hint | None, None) is None


@pytest.mark.parametrize(
    "value", [[[1], [1, 2]], "text", ["a"], {"a": 1}, {"shape": [3], "data": [1]}, None, [2**70, "NaN"]]
)
def test_what_is_no_array_is_refused(value):
    with pytest.raises(ValidationError):
        array_of(np.ndarray, value)


def test_without_the_hint_lists_stay_lists():
    def f(x: list[float], y: Any):
        pass

    x, y = tools.describe(f).parameters
    assert x.convert([1]) == [1.0]
    assert isinstance(x.convert([1]), list)
    assert y.convert is None


def test_defaults_requirement_and_extras():
    def f(a, b: int = 5, c: str | None = None, *rest, d: object = object(), **extra):
        pass

    told = spec(f)
    by_name = {parameter.name: parameter for parameter in told.parameters}
    assert list(by_name) == ["a", "b", "c", "d"]
    assert by_name["a"].required
    assert not by_name["b"].required
    assert values.decode(by_name["b"].default_value) == 5
    assert by_name["c"].default_value.value == b"null"
    assert not by_name["d"].required
    assert not by_name["d"].HasField("default_value")
    assert told.accepts_extra
    whole = json.loads(told.input_schema)
    assert whole["required"] == ["a"]
    assert whole["additionalProperties"] is True


def test_literal_choices_are_told_beside_the_schema():
    def f(kind: Literal["a", "b"] = "a"):
        pass

    assert json.loads(spec(f).parameters[0].validation_json) == {"enum": ["a", "b"]}


def test_google_numpy_and_sphinx_docstrings():
    def google(a, b):
        """First line
        goes on.

        More.

        Args:
            a (int): The first,
                over two lines.
            b: The second.

        Returns:
            c: Not a parameter.
        """

    def numpy(a, b):
        """First line goes on.

        Parameters
        ----------
        a : int
            The first,
            over two lines.
        b
            The second.

        Returns
        -------
        c
            Not a parameter.
        """

    def sphinx(a, b):
        """First line goes on.

        :param int a: The first,
            over two lines.
        :param b: The second.
        :returns: c
        """

    for function in (google, numpy, sphinx):
        told = spec(function)
        assert told.description == "First line goes on.", function
        found = {parameter.name: parameter.description for parameter in told.parameters}
        assert found == {"a": "The first, over two lines.", "b": "The second."}, function


def test_context_is_injected_by_annotation_only():
    def annotated(c: Context, ctx: int):
        pass

    def optional(a: int, c: Context | None = None):
        pass

    assert [parameter.name for parameter in spec(annotated).parameters] == ["ctx"]
    assert tools.describe(annotated).context_parameter == "c"
    assert [parameter.name for parameter in spec(optional).parameters] == ["a"]
    assert tools.describe(lambda ctx: 1, tools.ToolOptions(name="x")).context_parameter is None


def test_hints_that_cannot_be_resolved_cost_only_themselves():
    def f(a: Missing, b: int, c: Context):
        pass

    assert [(p.name, p.type) for p in spec(f).parameters] == [("a", "any"), ("b", "int")]


def generator():
    yield 1


async def async_generator():
    yield 1


def to_iterator() -> Iterator[int]:
    return iter([1])


def to_iterable() -> Iterable[int]:
    return [1]


def to_generator() -> Generator[int, None, str]:
    return generator()


def to_async_iterator() -> AsyncIterator[int]:
    return async_generator()


def to_list() -> list[int]:
    return [1]


def to_dict() -> dict:
    return {}


def to_str() -> str:
    return ""


def to_unknown():
    return iter([1])


@pytest.mark.parametrize(
    "function", [generator, async_generator, to_iterator, to_iterable, to_generator, to_async_iterator]
)
def test_generators_and_iterators_stream(function):
    assert spec(function).supports_streaming


@pytest.mark.parametrize("function", [to_list, to_dict, to_str, to_unknown])
def test_lists_dicts_and_strings_are_values(function):
    assert not spec(function).supports_streaming


def test_streaming_can_be_said():
    @tool(streaming=True)
    def streams():
        return [1]

    @tool(supports_streaming=False)
    def older():
        yield 1

    assert spec(streams).supports_streaming
    assert spec(older).supports_streaming


def test_output_schema_comes_from_the_return_hint():
    assert json.loads(spec(to_list).output_schema) == {"type": "array", "items": {"type": "integer"}}
    assert spec(generator).output_schema == ""


def test_adapter_methods_are_found_without_self():
    class Adapter(BaseAdapter):
        @tool("Older code says it like this")
        def one(self, a: int):
            pass

        @staticmethod
        @tool
        def two(b: int):
            pass

        def other(self):
            pass

    found = {one.name: one.registration() for one in Adapter.tool_methods()}
    assert sorted(found) == ["one", "two"]
    assert found["one"].description == "Older code says it like this"
    assert [parameter.name for parameter in found["one"].parameters] == ["a"]
    assert [parameter.name for parameter in found["two"].parameters] == ["b"]
    assert Adapter().call_tool("two", b=1) is None
