"""What unmodified clients and workers of package snakepit.bridge (0.4.1) send and expect, replayed byte by byte.

Needs the binary that SNAKEPIT_BIN names. Requests are written as those clients write them: messages of the frozen
contract, values as Python's own json prints them, no request headers, no field that was added later.
"""

import json
import os
import pickle
import struct

import grpc
import pytest
from google.protobuf import any_pb2
from harness import DATA, RealBridge

import snakepit_bridge_pb2 as pb2
from snakepit_bridge_pb2_grpc import BridgeServiceStub

pytestmark = pytest.mark.skipif("SNAKEPIT_BIN" not in os.environ, reason="needs the binary in SNAKEPIT_BIN")

URL = "type.googleapis.com/snakepit."
TOOL_URL = "type.googleapis.com/google.protobuf.StringValue"
#: The default of grpcio, which old clients never change.
MAX_RECEIVE = 4 * 1024 * 1024
TYPES = ["float", "integer", "string", "boolean", "choice", "module", "embedding", "tensor", "map", "list"]


@pytest.fixture(scope="module")
def bridge():
    started = RealBridge(DATA / "kit.py")
    yield started
    started.close()


class Old:
    """A client as 0.4.1 has it, in the few lines that touch the wire."""

    def __init__(self, address, session):
        options = [("grpc.default_authority", "localhost")]
        self.stub = BridgeServiceStub(grpc.insecure_channel(address, options))
        self.session = session

    def any(self, type_name, text):
        return any_pb2.Any(type_url=URL + type_name, value=text if isinstance(text, bytes) else text.encode())

    def register(self, name, type_name, text, constraints=None, **more):
        return self.stub.RegisterVariable(
            pb2.RegisterVariableRequest(
                session_id=self.session,
                name=name,
                type=type_name,
                initial_value=self.any(type_name, text),
                constraints_json=json.dumps(constraints) if constraints else "",
                **more,
            )
        )

    def get(self, name):
        request = pb2.GetVariableRequest(session_id=self.session, variable_identifier=name, bypass_cache=False)
        return self.stub.GetVariable(request).variable

    def set(self, name, type_name, text, **more):
        return self.stub.SetVariable(
            pb2.SetVariableRequest(
                session_id=self.session, variable_identifier=name, value=self.any(type_name, text), **more
            )
        )

    def value(self, name):
        """What the old decoder makes of a variable: the JSON of `Any.value`, by the url's last segment."""
        variable = self.get(name)
        assert variable.type in TYPES
        assert variable.id
        assert variable.name
        assert variable.value.type_url == URL + variable.type
        assert not variable.binary_value
        value = json.loads(variable.value.value.decode("utf-8"))
        if variable.type == "float":
            value = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}.get(
                value if isinstance(value, str) else "", value
            )
            return float(value)
        return int(value) if variable.type == "integer" else value


@pytest.fixture
def old(bridge, request):
    client = Old(bridge.address, request.node.name)
    assert client.stub.InitializeSession(pb2.InitializeSessionRequest(session_id=client.session)).success
    return client


@pytest.fixture
def nowhere(bridge):
    """A client whose session nobody made."""
    return Old(bridge.address, "nobody-made-this")


def refused(call, *arguments, **more):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **more)
    return caught.value


# --- sessions ---------------------------------------------------------------------------------------------------


def test_a_session_may_be_initialized_again_before_every_tool(old):
    again = old.stub.InitializeSession(pb2.InitializeSessionRequest(session_id=old.session))
    assert again.success
    assert not again.available_tools
    assert not again.initial_variables


def test_cleanup_counts_and_may_be_repeated(old):
    old.register("a", "float", "1.0")
    first = old.stub.CleanupSession(pb2.CleanupSessionRequest(session_id=old.session, force=False))
    assert first.success
    assert first.resources_cleaned >= 1
    second = old.stub.CleanupSession(pb2.CleanupSessionRequest(session_id=old.session))
    assert second.success
    assert "not found" in str(refused(old.get, "a")).lower()


def test_heartbeats_and_descriptions(old, nowhere):
    beat = old.stub.Heartbeat(pb2.HeartbeatRequest(session_id=old.session))
    assert beat.session_valid
    assert beat.server_time.seconds > 1_600_000_000
    assert not nowhere.stub.Heartbeat(pb2.HeartbeatRequest(session_id=nowhere.session)).session_valid
    old.register("a", "float", "1.0")
    told = old.stub.GetSession(pb2.GetSessionRequest(session_id=old.session))
    assert (told.session_id, told.variable_count) == (old.session, 1)
    assert refused(nowhere.stub.GetSession, pb2.GetSessionRequest(session_id="x")).code().name == "NOT_FOUND"


def test_ping(old):
    reply = old.stub.Ping(pb2.PingRequest(message="connection_test"))
    assert "connection_test" in reply.message
    assert reply.server_time.seconds > 1_600_000_000


# --- not found, by text ----------------------------------------------------------------------------------------


def test_a_missing_variable_is_told_in_words(old):
    error = refused(old.get, "nope")
    assert error.code() == grpc.StatusCode.NOT_FOUND
    assert "not found" in str(error).lower().replace("not_found", "")
    assert "not found" in error.details()


def test_a_missing_session_is_told_in_words(nowhere):
    for call in (lambda: nowhere.get("x"), lambda: nowhere.register("x", "float", "1.0")):
        error = refused(call)
        assert error.code() == grpc.StatusCode.NOT_FOUND
        assert "not found" in error.details()


def test_what_is_missing_is_an_rpc_error_for_set_and_delete(old):
    for call in (
        lambda: old.set("nope", "float", "1.0"),
        lambda: old.stub.DeleteVariable(pb2.DeleteVariableRequest(session_id=old.session, variable_identifier="nope")),
    ):
        error = refused(call)
        assert error.code() == grpc.StatusCode.NOT_FOUND
        assert "not found" in error.details()


def test_old_assignment_registers_what_is_not_there(old):
    # ctx["x"] = 5: get, see "not found", register with the inferred type.
    with pytest.raises(grpc.RpcError) as missing:
        old.get("x")
    assert "not found" in str(missing.value).lower()
    assert old.register("x", "integer", "5").success
    # ctx["x"] = 6: get to learn the type, then set.
    assert old.get("x").type == "integer"
    assert old.set("x", "integer", "6").success
    assert old.value("x") == 6


# --- values: what is sent, what comes back ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_name", "sent", "expected"),
    [
        ("float", "0.7", 0.7),
        ("float", "1.0", 1.0),
        ("float", "1", 1.0),
        ("float", "1e+300", 1e300),
        ("float", '"Infinity"', float("inf")),
        ("float", '"-Infinity"', float("-inf")),
        ("float", "Infinity", float("inf")),
        ("integer", "5", 5),
        ("integer", "123456789012345678901234567890", 123456789012345678901234567890),
        ("string", json.dumps('é 世界 😀 \x00 "'), 'é 世界 😀 \x00 "'),
        ("string", '""', ""),
        ("boolean", "true", True),
        ("choice", '"red"', "red"),
        ("module", '"dspy.Predict"', "dspy.Predict"),
        ("embedding", "[1.0, 2.0]", [1.0, 2.0]),
        ("embedding", "[1, 2]", [1.0, 2.0]),
        ("map", '{"a": {"b": [1, 2.5, null, true]}}', {"a": {"b": [1, 2.5, None, True]}}),
        ("list", '[1, [2], "\\u00e9"]', [1, [2], "é"]),
    ],
)
def test_values_come_back_as_json_of_the_same_value(old, type_name, sent, expected):
    assert old.register("x", type_name, sent).success
    value = old.value("x")
    assert value == expected
    assert type(value) is type(expected)
    assert old.set("x", type_name, sent).success
    assert old.value("x") == expected


def test_nan_is_the_json_string(old):
    old.register("x", "float", '"NaN"')
    assert old.get("x").value.value == b'"NaN"'
    old.set("x", "float", "NaN")
    assert old.get("x").value.value == b'"NaN"'


@pytest.mark.parametrize(("type_name", "sent"), [("map", '{"a": NaN}'), ("list", "[1.0, Infinity, -Infinity]")])
def test_bare_special_tokens_are_read_and_come_back_as_json(old, type_name, sent):
    assert old.register("x", type_name, sent).success

    def strict(token):
        raise AssertionError(token)

    json.loads(old.get("x").value.value, parse_constant=strict)


def test_bare_special_tokens_in_an_embedding_are_refused_with_a_reason(old):
    error = refused(old.register, "x", "embedding", "[NaN]")
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "finite" in error.details()


@pytest.mark.parametrize(
    "sent", ['{"shape": [2, 2], "data": [[1, 2], [3, 4]]}', '{"shape": [2, 2], "data": [1, 2, 3, 4]}']
)
def test_tensors_flat_and_nested(old, sent):
    import numpy as np

    assert old.register("x", "tensor", sent).success
    value = old.value("x")
    assert set(value) >= {"shape", "data"}
    assert np.array(value["data"]).reshape(value["shape"]).tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "url",
    ["type.googleapis.com/snakepit.float", "dspex.variables/float", "snakepit.float", TOOL_URL, "anything/integer"],
)
def test_urls_of_every_form_are_read_and_the_declared_type_counts(old, url):
    old.register("x", "float", "0.5")
    reply = old.stub.SetVariable(
        pb2.SetVariableRequest(
            session_id=old.session, variable_identifier="x", value=any_pb2.Any(type_url=url, value=b"0.25")
        )
    )
    assert reply.success
    assert old.value("x") == 0.25


def test_an_integer_sets_a_float(old):
    old.register("x", "float", "0.5")
    assert old.set("x", "integer", "3").success
    assert old.get("x").value.value == b"3.0"


def test_large_values_come_as_json_whatever_the_size(old):
    numbers = [float(n) / 3 for n in range(50_000)]
    old.register("e", "embedding", json.dumps(numbers))
    old.register("t", "tensor", json.dumps({"shape": [250, 200], "data": numbers}))
    assert old.value("e") == numbers
    assert old.value("t")["data"] == numbers
    listed = old.stub.ListVariables(pb2.ListVariablesRequest(session_id=old.session, pattern="")).variables
    assert [variable.value.type_url for variable in listed] == [URL + "embedding", URL + "tensor"]
    together = old.stub.GetVariables(pb2.BatchGetVariablesRequest(session_id=old.session, variable_identifiers=["e"]))
    assert json.loads(together.variables["e"].value.value) == numbers


def test_raw_payloads_are_read_from_clients_that_get_json_back(old):
    payload = struct.pack("<2000f", *range(2000))
    header = json.dumps({"shape": [2000], "dtype": "float32", "binary_format": "raw", "type": "embedding"})
    made = old.stub.RegisterVariable(
        pb2.RegisterVariableRequest(
            session_id=old.session,
            name="e",
            type="embedding",
            initial_value=any_pb2.Any(type_url=URL + "embedding.binary", value=header.encode()),
            initial_binary_value=payload,
        )
    )
    assert made.success
    assert old.value("e") == [float(n) for n in range(2000)]


@pytest.mark.parametrize(
    ("form", "payload"), [("pickle", pickle.dumps([1.0] * 2000)), ("erlang_binary", b"\x83l\x00\x00\x07\xd0")]
)
def test_pickle_and_erlang_terms_are_refused_by_name(old, form, payload):
    header = json.dumps({"shape": [2000], "dtype": "float32", "binary_format": form, "type": "embedding"})
    request = pb2.RegisterVariableRequest(
        session_id=old.session,
        name="e",
        type="embedding",
        initial_value=any_pb2.Any(type_url=URL + "embedding.binary", value=header.encode()),
        initial_binary_value=payload,
    )
    error = refused(old.stub.RegisterVariable, request)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert form in error.details()


@pytest.mark.parametrize("broken", [b"", b"{", b"\xff", b"'x'"])
def test_what_is_no_json_is_refused(old, broken):
    old.register("x", "string", '"a"')
    error = refused(old.set, "x", "string", broken)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert old.value("x") == "a"


# --- constraints and refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "{}"])
def test_empty_constraints(old, text):
    request = pb2.RegisterVariableRequest(
        session_id=old.session, name="x", type="float", initial_value=old.any("float", "1.0"), constraints_json=text
    )
    assert old.stub.RegisterVariable(request).success
    # list_variables parses what is not empty.
    found = old.stub.ListVariables(pb2.ListVariablesRequest(session_id=old.session, pattern="")).variables[0]
    assert json.loads(found.constraints_json or "{}") == {}


def test_refusals_keep_their_words(old):
    old.register("x", "float", "0.5", {"min": 0.0, "max": 1})
    old.register("s", "string", '"abc"', {"min_length": 2})
    assert "above maximum" in str(refused(old.set, "x", "float", "5.0")).lower()
    assert "below minimum" in str(refused(old.set, "x", "float", "-5.0")).lower()
    assert "must be at least 2 characters" in str(refused(old.set, "s", "string", '"a"')).lower()
    assert "above maximum" in str(refused(old.register, "y", "float", "9.0", {"max": 1})).lower()
    assert refused(old.get, "y").code() == grpc.StatusCode.NOT_FOUND
    assert old.get("x").version == 0


def test_versions_count_writes_from_0_and_expected_version_0_is_unconditional_only_when_absent(old):
    old.register("x", "float", "0.5")
    assert old.get("x").version == 0
    assert old.set("x", "float", "0.6").new_version == 1
    assert old.set("x", "float", "0.7", metadata={"why": "test"}).new_version == 2
    assert old.get("x").metadata["why"] == "test"


def test_ids_and_lookup_by_id_or_name(old):
    made = old.register("temp", "float", "0.5", metadata={"description": "d"})
    assert made.variable_id.startswith("var_temp_")
    assert old.get(made.variable_id).name == "temp"
    assert old.get("temp").id == made.variable_id
    assert old.get("temp").metadata["description"] == "d"
    assert old.get("temp").last_updated_at.seconds > 1_600_000_000


# --- batches ---------------------------------------------------------------------------------------------------


def batch(old, updates, atomic):
    return old.stub.SetVariables(
        pb2.BatchSetVariablesRequest(
            session_id=old.session, updates={n: old.any("float", t) for n, t in updates.items()}, atomic=atomic
        )
    )


def test_batch_reads_are_keyed_by_what_was_asked_for(old):
    made = old.register("a", "float", "1.0")
    old.register("b", "float", "2.0")
    reply = old.stub.GetVariables(
        pb2.BatchGetVariablesRequest(session_id=old.session, variable_identifiers=[made.variable_id, "b", "z", "y"])
    )
    assert sorted(reply.variables) == sorted([made.variable_id, "b"])
    assert reply.variables[made.variable_id].name == "a"
    assert list(reply.missing_variables) == ["z", "y"]


def test_a_batch_that_is_not_atomic_succeeds_in_part(old):
    old.register("a", "float", "0.0", {"max": 1})
    old.register("b", "float", "0.0", {"max": 1})
    reply = batch(old, {"a": "0.5", "b": "5.0", "nope": "1.0"}, atomic=False)
    assert reply.success
    assert "above maximum" in reply.errors["b"]
    assert "not found" in reply.errors["nope"]
    assert dict(reply.new_versions) == {"a": 1}
    assert (old.value("a"), old.value("b")) == (0.5, 0.0)


def test_an_atomic_batch_that_is_refused_says_why_and_changes_nothing(old):
    old.register("a", "float", "0.0", {"max": 1})
    old.register("b", "float", "0.0", {"max": 1})
    reply = batch(old, {"a": "0.5", "b": "5.0"}, atomic=True)
    assert not reply.success
    assert list(reply.errors) == ["b"]
    assert not reply.new_versions
    assert (old.value("a"), old.value("b")) == (0.0, 0.0)
    assert batch(old, {"a": "0.5", "b": "0.5"}, atomic=True).success


def test_patterns(old):
    for name in ("temp_a", "my_temp_b", "other"):
        old.register(name, "float", "1.0")

    def listed(pattern):
        reply = old.stub.ListVariables(pb2.ListVariablesRequest(session_id=old.session, pattern=pattern))
        return sorted(variable.name for variable in reply.variables)

    assert listed("") == ["my_temp_b", "other", "temp_a"]
    assert listed("temp_*") == ["temp_a"]
    assert listed("*temp_*") == ["my_temp_b", "temp_a"]


def test_delete(old):
    made = old.register("x", "float", "1.0")
    request = pb2.DeleteVariableRequest(session_id=old.session, variable_identifier=made.variable_id)
    assert old.stub.DeleteVariable(request).success
    assert "not found" in str(refused(old.get, "x")).lower()
    assert old.register("x", "string", '"again"').variable_id != made.variable_id


# --- tools -----------------------------------------------------------------------------------------------------


def test_host_tools_of_an_unknown_session_are_no_error(nowhere):
    # The constructor of every old SessionContext asks this first.
    request = pb2.GetExposedElixirToolsRequest(session_id=nowhere.session)
    for spec in nowhere.stub.GetExposedElixirTools(request).tools:
        assert spec.name
        for parameter in spec.parameters:
            json.loads(parameter.validation_json or "{}")


def test_tools_of_a_worker_that_nobody_knows_are_refused_and_hide_nothing(old, nowhere):
    # The old adapter takes any failure as "none registered" and goes on.
    tools = [pb2.ToolRegistration(name="add", metadata={"adapter_class": "A"})]
    for client in (old, nowhere):
        request = pb2.RegisterToolsRequest(session_id=client.session, tools=tools, worker_id="python-140234")
        try:
            reply = client.stub.RegisterTools(request)
        except grpc.RpcError as error:
            assert error.code().name in ("FAILED_PRECONDITION", "NOT_FOUND")  # noqa: PT017
        else:
            assert not reply.success
            assert reply.error_message
    assert old.stub.ExecuteTool(call(old, "add", a=b"2", b=b"3")).success


def test_a_missing_tool_is_told_in_words(old):
    host = pb2.ExecuteElixirToolRequest(session_id=old.session, tool_name="no_such_tool")
    for error in (
        refused(old.stub.ExecuteElixirTool, host),
        refused(old.stub.ExecuteTool, call(old, "no_such_tool")),
    ):
        assert error.code() == grpc.StatusCode.NOT_FOUND
        assert "no_such_tool" in error.details()


def call(old, tool, **parameters):
    """A tool call with raw JSON under the url that old clients use for tool values."""
    given = {name: any_pb2.Any(type_url=TOOL_URL, value=raw) for name, raw in parameters.items()}
    return pb2.ExecuteToolRequest(session_id=old.session, tool_name=tool, parameters=given)


def test_tool_values_under_the_string_value_url_and_their_own(old):
    request = call(old, "add", a=b"2")
    request.parameters["b"].CopyFrom(old.any("integer", "3"))
    reply = old.stub.ExecuteTool(request)
    assert reply.success, reply.error_message
    assert json.loads(reply.result.value) == 5
    assert reply.result.type_url == URL + "integer"


def test_a_tool_that_fails_is_told_softly(old):
    reply = old.stub.ExecuteTool(call(old, "boom"))
    assert not reply.success
    assert reply.error_message
    assert not reply.HasField("result")
