"""What code written for snakepit_bridge 2.0 imports, calls and gets."""

import os
import pickle
import struct

import numpy as np
import pytest
from google.protobuf import any_pb2
from harness import DATA, RealBridge

import snakepit
from snakepit import channel
from snakepit.wire import rpc
from snakepit_bridge import SessionContext, TypeValidator, VariableNotFoundError, VariableProxy, VariableType
from snakepit_bridge.base_adapter import BaseAdapter, ToolMetadata, tool
from snakepit_bridge.serialization import BINARY_THRESHOLD, TypeSerializer
from snakepit_bridge.types import deserialize_value, serialize_value, validate_constraints

URL = "type.googleapis.com/snakepit."


@pytest.fixture
def old(bridge, named):
    stub = rpc.BridgeServiceStub(channel.open_channel(bridge.address))
    context = SessionContext(stub, named)
    context.initialize()
    yield context
    context.cleanup()


# --- the client -------------------------------------------------------------------------------------------------


def test_values_are_coerced_as_the_old_client_did(old):
    old.register_variable("f", "float", "0.5", {"min": 0.0})
    old.register_variable("i", VariableType.INTEGER, 5.0)
    old.register_variable("b", "boolean", "True")
    old.register_variable("s", "string", 12)
    assert (old["f"], old["i"], old["b"], old["s"]) == (0.5, 5, True, "12")
    old["f"], old["i"], old["b"], old["s"] = True, "7", 0, None
    assert (old["f"], old["i"], old["b"], old["s"]) == (1.0, 7, False, "None")
    with pytest.raises(ValueError, match="not a whole number"):
        old["i"] = 1.5
    with pytest.raises(KeyError):
        old.register_variable("x", "colour", 1)


def test_assignment_registers_unless_strict(old, bridge):
    old["n"], old.v.name, old["none"] = 1, "a", None
    assert {one["name"]: one["type"] for one in old.list_variables()} == {
        "n": "integer",
        "name": "string",
        "none": "string",
    }
    strict = SessionContext(bridge.address, old.session_id, strict_mode=True)
    for write in (lambda: strict.__setitem__("q", 1), lambda: setattr(strict.v, "q", 1)):
        with pytest.raises(VariableNotFoundError):
            write()
    strict.close()


def test_arrays_can_be_sent_now_and_embeddings_are_lists(old):
    old.register_variable("e", "embedding", [1, 2, 3], {"dimensions": 3})
    old.register_variable("large", "embedding", [0.5] * 2000)
    old.register_variable("t", "tensor", np.arange(6.0).reshape(2, 3))
    assert old["e"] == [1.0, 2.0, 3.0]
    assert old["large"] == [0.5] * 2000
    assert old["t"].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    old["l"], old["m"] = [1, 2], {"a": 1}
    assert (old["l"], old["m"]) == ([1, 2], {"a": 1})


def test_batches_answer_and_do_not_raise(old):
    old.register_variable("a", "float", 1, {"max": 10})
    old["b"] = 1
    assert old.update_variables({"a": "2", "b": 2}) == {"a": True, "b": True}
    partly = old.update_variables({"a": 99, "b": 3})
    assert partly["b"] is True
    assert "above maximum" in partly["a"]
    refused = old.update_variables({"a": 99, "b": 4}, atomic=True)
    assert list(refused) == ["a"]
    assert old["b"] == 3
    with old.batch_updates() as batch:
        batch["a"], batch["b"] = 99, 5
    assert old["b"] == 5
    with pytest.raises(VariableNotFoundError):
        old.update_variables({"nope": 1})


def test_batch_reads_have_the_names_too(old):
    made = old.register_variable("x", "integer", 1)
    assert old.get_variables([made]) == {made: 1, "x": 1}
    with pytest.raises(VariableNotFoundError):
        old.get_variables(["x", "nope"])


def test_proxies_and_misses(old):
    old["x"] = 1
    proxy = old.variable("x")
    assert isinstance(proxy, VariableProxy)
    assert (proxy.value, repr(proxy), "x" in old, "y" in old) == (1, "<Variable x=1>", True, False)
    with pytest.raises(KeyError):
        old.get_variable("y")


def test_leaving_a_block_ends_the_session_and_cleanup_never_raises(bridge, named):
    with SessionContext(bridge.address, named) as context:
        context.initialize()
        context["x"] = 1
    watcher = snakepit.SessionContext(bridge.address, named)
    with pytest.raises(snakepit.SessionNotFoundError):
        watcher["x"]
    watcher.close()
    nowhere = SessionContext("unix:/nonexistent/bridge.sock", named)
    assert nowhere.cleanup() == 0


def test_tools_by_the_old_names(old):
    assert isinstance(old.elixir_tools, dict)
    old.register_tool(object)
    with pytest.raises(ValueError, match="Tool 'nope' not found"):
        old.call_tool("nope")


# --- types and values -------------------------------------------------------------------------------------------


def test_types():
    assert VariableType.from_proto("FLOAT") is VariableType.FLOAT
    assert VariableType.from_proto("whatever") is VariableType.STRING
    assert VariableType.LIST.to_proto() == "list"
    inferred = [TypeValidator.infer_type(value) for value in (True, 1, 1.5, "a", {}, [], None, b"")]
    assert [kind.value for kind in inferred] == ["boolean", "integer", "float", "string", "map", "list"] + [
        "string"
    ] * 2


def test_constraints_by_hand():
    for kind, value, rules, words in (
        (VariableType.FLOAT, 5.0, {"max": 1}, "above maximum"),
        (VariableType.INTEGER, 0, {"min": 1}, "below minimum"),
        (VariableType.STRING, "a", {"min_length": 2}, "at least 2 characters"),
        (VariableType.STRING, "a", {"enum": ["b"]}, "one of"),
        (VariableType.CHOICE, "a", {"choices": ["b"]}, "one of"),
        (VariableType.EMBEDDING, [1.0], {"dimensions": 2}, "dimensions"),
        (VariableType.TENSOR, np.zeros((2, 2)), {"shape": [2, 3]}, "shape must be"),
    ):
        with pytest.raises(ValueError, match=words):
            validate_constraints(value, kind, rules)
    validate_constraints("xab", VariableType.STRING, {"pattern": "a", "max_length": 3, "unknown": 1})


def test_small_values_are_json_and_large_arrays_raw():
    assert BINARY_THRESHOLD == 10_240
    small, payload = TypeSerializer.encode_any([1.0] * 1280, "embedding")
    assert (small.type_url, payload) == (URL + "embedding", None)
    large, payload = serialize_value([1.0] * 1281, VariableType.EMBEDDING)
    assert large.type_url == URL + "embedding.binary"
    assert payload == struct.pack("<1281d", *[1.0] * 1281)
    assert b'"binary_format":"raw"' in large.value
    assert deserialize_value(large, VariableType.EMBEDDING, payload) == [1.0] * 1281
    tensor, payload = TypeSerializer.encode_any(np.ones((1300, 2), "float32"), "tensor")
    assert TypeSerializer.decode_any(tensor, payload).shape == (1300, 2)
    assert TypeSerializer.encode_any(float("nan"), "float")[0].value == b'"NaN"'
    with pytest.raises(ValueError, match="list of numbers"):
        TypeSerializer.encode_any("[1, 2]", "embedding")


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


@pytest.mark.parametrize("form", ["pickle", "erlang_binary"])
def test_pickle_is_refused_by_name_and_never_loaded(form):
    header = f'{{"shape": [2], "dtype": "float32", "binary_format": "{form}", "type": "embedding"}}'
    message = any_pb2.Any(type_url=URL + "embedding.binary", value=header.encode())
    with pytest.raises(ValueError, match=form):
        TypeSerializer.decode_any(message, pickle.dumps(Bomb()))
    npy = any_pb2.Any(type_url=URL + "tensor.binary", value=b'{"binary_format": "npy"}')
    with pytest.raises(ValueError, match="npy"):
        TypeSerializer.decode_any(npy, pickle.dumps(Bomb()))


def test_npy_payloads_are_read_but_no_objects(tmp_path):
    message = any_pb2.Any(type_url=URL + "tensor.binary", value=b'{"binary_format": "npy"}')
    np.save(tmp_path / "a.npy", np.arange(3))
    assert TypeSerializer.decode_any(message, (tmp_path / "a.npy").read_bytes()).tolist() == [0, 1, 2]
    np.save(tmp_path / "b.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="npy file of numbers"):
        TypeSerializer.decode_any(message, (tmp_path / "b.npy").read_bytes())


def test_urls_of_older_peers_are_read():
    assert TypeSerializer.decode_any(any_pb2.Any(type_url="dspex.variables/float", value=b'"Infinity"')) == float("inf")
    assert TypeSerializer.decode_any(any_pb2.Any(type_url="dspex.variables/embedding", value=b"[1]")) == [1.0]


# --- adapters ---------------------------------------------------------------------------------------------------


class Adapter(BaseAdapter):
    @tool(description="Adds", required_variables=["x"])
    def plus(self, a: int, b: int = 1) -> int:
        return a + b

    @tool
    def bare(self):
        """Says so."""

    def unmarked(self, a):
        return a


def test_adapters_keep_their_notes_and_methods():
    adapter = Adapter()
    assert Adapter.plus._tool_metadata == ToolMetadata("Adds", False, [], ["x"])
    assert Adapter.bare._tool_metadata.description == "Says so."
    assert [one.name for one in adapter.get_tools()] == ["bare", "plus"]
    assert (adapter.call_tool("plus", a=1), adapter.call_tool("unmarked", a=2)) == (2, 2)
    with pytest.raises(AttributeError, match="Tool 'nope' not found in Adapter"):
        adapter.call_tool("nope")


def test_adapters_that_register_by_hand_get_no_error(bridge, named):
    stub = rpc.BridgeServiceStub(channel.open_channel(bridge.address))
    assert Adapter().register_with_session(named, stub) == []
    assert Adapter().register_with_session("nobody", rpc.BridgeServiceStub(channel.open_channel("unix:/none"))) == []


def test_an_older_adapter_runs_in_a_worker(named):
    if "SNAKEPIT_BIN" not in os.environ:
        pytest.skip("needs the binary in SNAKEPIT_BIN")
    started = RealBridge(f"{DATA / 'older.py'}:OlderAdapter")
    try:
        with snakepit.connect(session=named, address=started.address) as ctx:
            ctx.declare("rate", 0.1)
            ctx.register_variable("vector", "embedding", [1, 2])
            for rate, step in ((0.1, "0.2"), (0.5, "0.3")):
                ctx["rate"] = rate  # the instance outlives its calls, and sees what changed in between
                told = ctx.call_tool("tune", step=step)
                assert told == {
                    "ready": True,
                    "seen": rate,
                    "rate": float(step),
                    "vector": [1.0, 2.0],
                    "old": True,
                }
                assert ctx["rate"] == float(step)
    finally:
        started.close()
