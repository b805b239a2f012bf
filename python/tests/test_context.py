"""What a running tool sees of its caller, through a bridge: a double of it, or the binary that SNAKEPIT_BIN names."""

import time

import pytest

import snakepit as sp


def test_a_tool_reads_writes_and_registers_variables(session):
    assert session.call_tool("variables") == {
        "before": 0.5,
        "after": 0.25,
        "made": [1, 2],
        "default": 7,
        "missing": "E0201",
        "in": [True, False],
        "session": session.session_id,
    }
    assert session["rate"] == 0.25


def test_async_tools_use_the_twins(session):
    assert session.call_tool("avariables") == {"x": 3, "none": None, "refused": True}


def test_a_refused_write_reaches_the_caller(session):
    with pytest.raises(sp.ToolError) as caught:
        session.call_tool("bad_write")
    assert caught.value.type == "ValidationError"
    assert "above maximum" in caught.value.message
    assert "in bad_write" in caught.value.traceback
    assert "operations.py" not in caught.value.traceback


def test_nested_calls_do_not_need_threads(narrow_session):
    # One thread, and a depth that the bridge allows.
    assert narrow_session.call_tool("nest", depth=15) == 15


def test_nested_calls_of_a_tool_that_runs_alone_do_not_wait_for_themselves(session):
    assert session.call_tool("anest", depth=8) == 8


def test_a_called_stream_is_collected(session):
    assert session.call_tool("collects") == ["done", [1, "two"]]
    assert session.call_tool("count", n=1) == "done"


def test_a_failing_nested_tool_raises_with_its_fields(session):
    told = session.call_tool("calls_failing")
    assert told == {"type": "QuotaExceeded", "retryable": True, "fields": {"left": 0}, "text": "quota"}


def test_host_tools_are_called_by_name(doubled_session):
    assert doubled_session.call_tool("asks_host", text="abc") == "ABC"
    assert doubled_session.host.shout(text="x") == "X"
    assert list(doubled_session.elixir_tools) == ["shout"]


def test_nothing_is_sent_before_a_tool_needs_it(doubled_system, doubled_session):
    before = len(doubled_system.bridge.seen)
    doubled_session.call_tool("add", a=1)
    assert [method for method, _, _ in doubled_system.bridge.seen[before:]] == ["ExecuteTool"]


def test_requests_of_a_tool_carry_its_call(doubled_system, doubled_session):
    before = len(doubled_system.bridge.seen)
    doubled_session.call_tool("nest", depth=1)
    outer, inner = [
        (one, header) for method, one, header in doubled_system.bridge.seen[before:] if method == "ExecuteTool"
    ]
    assert outer[1] is None
    assert inner[1] == "w1"
    assert inner[0].session_id == doubled_session.session_id
    assert inner[0].depth == outer[0].depth + 1
    assert inner[0].parent_call_id


def test_cancelling_a_call_ends_its_wait_for_another(doubled_system, doubled_session, tmp_path):
    from harness import request

    from snakepit.wire import bridge_pb2 as pb

    note = tmp_path / "n"
    stub = doubled_system.bridge.worker.stub
    running = stub.ExecuteTool.future(request("calls_waiting", note=str(note), call_id="cw"))
    before = len(doubled_system.bridge.seen)
    end = time.monotonic() + 5
    while not any(
        one.tool_name == "nap" for m, one, _ in doubled_system.bridge.seen[before - 1 :] if m == "ExecuteTool"
    ):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert stub.CancelCall(pb.CancelCallRequest(call_id="cw")).accepted
    assert running.exception().code().name == "CANCELLED"
    assert note.read_text() == "True"


def test_current_context_outside_of_a_tool():
    with pytest.raises(sp.SnakepitError, match="no tool runs here"):
        sp.current_context()
