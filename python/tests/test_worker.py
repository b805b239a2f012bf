"""The worker process for real: spawned with pipes, dialled by a channel, called, cancelled, ended."""

import itertools
import os
import queue
import signal
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from harness import DATA, Worker, request

from snakepit import channel, operations, values
from snakepit.wire import bridge_pb2 as pb
from snakepit.wire import rpc


def value(reply):
    assert reply.success, reply
    return values.decode(reply.result)


def call(worker, tool, /, **arguments):
    return value(worker.stub.ExecuteTool(request(tool, **arguments)))


def stream(worker, tool, /, **arguments):
    return list(worker.stub.ExecuteStreamingTool(request(tool, **arguments)))


def within(seconds, condition):
    """Waits for something that happens in another process."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.002)
    return False


class Lane:
    """A Dispatch stream: send batches, take results."""

    def __init__(self, worker):
        self._batches = queue.Queue()
        self.stream = worker.stub.Dispatch(iter(self._batches.get, None))

    def send(self, *requests, timeout_ms=0, cancel=()):
        calls = [pb.DispatchCall(request=one, timeout_ms=timeout_ms) for one in requests]
        self._batches.put(pb.DispatchBatch(calls=calls, cancel=cancel))

    def take(self, count):
        taken = []
        while len(taken) < count:
            taken += next(self.stream).results
        return taken

    def end(self):
        self._batches.put(None)
        return [one for message in self.stream for one in message.results]


# --- start ------------------------------------------------------------------------------------------------------


def test_ready_line_and_handshake(worker):
    assert worker.line["ready"] == {"address": worker.address, "pid": worker.process.pid}
    hello = worker.stub.Handshake(pb.HandshakeRequest(worker_id="w1", server_version="0"))
    assert (hello.worker_id, hello.capacity, hello.pid) == ("w1", 16, worker.process.pid)
    tools = {tool.name: tool for tool in hello.tools}
    assert "not_a_tool" not in tools
    assert tools["add"].description == "Adds two numbers."
    assert tools["renamed"].parameters[0].description == "What to echo."
    assert (tools["renamed"].timeout_ms, tools["renamed"].idempotent) == (30_000, True)
    assert [name for name, tool in tools.items() if tool.supports_streaming] == [
        "count", "forever", "aforever", "flood", "mixed", "breaks", "mixed_values",
    ]  # fmt: skip
    assert [p.name for p in tools["count"].parameters] == ["n", "note"]


def test_socket_is_for_its_user_only(worker):
    mode = os.stat(worker.address[5:]).st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) & 0o077 == 0


def test_listens_on_tcp():
    with Worker(f"{DATA / 'adapters.py'}:Counter", listen="tcp:127.0.0.1:0") as started:
        assert started.address.startswith("127.0.0.1:")
        assert not started.address.endswith(":0")
        assert call(started, "still", a=4) == 4


@pytest.mark.parametrize(
    ("spec", "kind", "words"),
    [
        ("data/raises_at_import.py", "import", ["ZeroDivisionError", "division by zero"]),
        ("data/exits.py", "import", ["SystemExit"]),
        ("data/no_tools.py", "no_tools", ["declares no tool", "@tool"]),
        ("data/twice.py", "spec", ["two tools", "`a`"]),
        ("data/missing.py", "spec", ["no such file"]),
        ("no_such_package.inner", "spec", ["no module named no_such_package"]),
        ("data/adapters.py:Nope", "spec", ["no class `Nope`"]),
        ("data/kit.py:Path", "spec", ["no BaseAdapter"]),
        ("data/kit.py:a b", "spec", ["no name of a class"]),
    ],
)
def test_what_does_not_load_is_reported(spec, kind, words):
    with Worker(spec, cwd=DATA.parent) as started:
        error = started.line["error"]
        assert error["kind"] == kind
        assert all(word in error["message"] for word in words), error
        assert started.process.wait(5) == 1


def test_import_tracebacks_have_only_the_users_frames():
    with Worker(DATA / "raises_at_import.py") as started:
        trace = started.line["error"]["traceback"]
    assert trace.count("File ") == 2
    assert "raises_at_import.py" in trace
    assert "helper_that_raises.py" in trace
    assert "importlib" not in trace


def test_syntax_errors_are_shown(tmp_path):
    (tmp_path / "bad.py").write_text((DATA / "syntax_error.txt").read_text())
    with Worker(tmp_path / "bad.py") as started:
        error = started.line["error"]
    assert error["kind"] == "import"
    assert "SyntaxError" in error["message"]
    assert "def broken(:" in error["traceback"]


def test_an_address_that_cannot_be_bound_is_reported():
    with Worker(f"{DATA / 'adapters.py'}:Counter", listen="unix:/nonexistent/x.sock") as started:
        assert started.line["error"]["kind"] == "listen"


def test_modules_and_classes_are_loaded():
    with Worker("data.adapters:Counter", cwd=DATA.parent) as started:
        tools = [tool.name for tool in started.stub.Handshake(pb.HandshakeRequest()).tools]
    assert tools == ["abump", "bump", "leave_note", "seen", "slow", "still", "stream"]


# --- calls ------------------------------------------------------------------------------------------------------


def test_sync_async_and_neighbour_imports(worker):
    assert call(worker, "add", a=1) == 3
    assert call(worker, "renamed", word="é") == "é"
    assert call(worker, "beside") == "beside"
    assert call(worker, "nothing") is None


def test_arguments_become_what_the_hints_say(worker):
    assert call(worker, "takes", data=b"\x00", rate=1) == "b'\\x00' 1.0 x None []"
    assert call(worker, "takes", data="AA==", rate="NaN", kind="y", limit=3, z=1) == "b'\\x00' nan y 3 [('z', 1)]"
    reply = worker.stub.ExecuteTool(request("takes", rate=0.5, binary={"data": b"\xff"}))
    assert value(reply) == "b'\\xff' 0.5 x None []"


def test_values_without_a_plain_json_form(worker):
    assert call(worker, "odd_values") == {
        "set": [1, 3], "tuple": [1, 2], "point": {"x": 1, "y": "NaN"}, "bytes": "AP8=", "path": "/a",
    }  # fmt: skip
    reply = worker.stub.ExecuteTool(request("unsendable"))
    assert not reply.success
    assert "value['a'][1] is of type object" in reply.error_message


def test_an_exception_is_a_failure_with_the_users_frames(worker):
    reply = worker.stub.ExecuteTool(request("boom", text="why"))
    assert (reply.success, reply.error_message) == (False, "why")
    assert (reply.failure.type, reply.failure.message) == ("ValueError", "why")
    assert "in _inner" in reply.failure.traceback
    assert "in boom" in reply.failure.traceback
    assert "snakepit/worker" not in reply.failure.traceback


def test_a_tool_error_keeps_its_fields(worker):
    failure = worker.stub.ExecuteTool(request("fails_well")).failure
    assert (failure.type, failure.message, failure.retryable) == ("QuotaExceeded", "quota", True)
    assert failure.details_json == '{"left":0}'


@pytest.mark.parametrize(
    ("made", "code", "words"),
    [
        (request("nope"), grpc.StatusCode.NOT_FOUND, "not found"),
        (request("count", n=1), grpc.StatusCode.FAILED_PRECONDITION, "ExecuteStreamingTool"),
        (request("add", b=1, c=2), grpc.StatusCode.INVALID_ARGUMENT, "`a` is missing, `c` is not known"),
    ],
)
def test_calls_that_cannot_be(worker, made, code, words):
    with pytest.raises(grpc.RpcError) as caught:
        worker.stub.ExecuteTool(made)
    assert caught.value.code() == code
    assert words in caught.value.details()


def test_the_rest_of_the_contract_is_unimplemented(worker):
    with pytest.raises(grpc.RpcError) as caught:
        worker.stub.GetVariable(pb.GetVariableRequest())
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_ten_sleeps_take_the_time_of_one_and_a_ping_answers_meanwhile(worker):
    start = time.perf_counter()
    running = [worker.stub.ExecuteTool.future(request("nap", seconds=0.5)) for _ in range(10)]
    pings = []
    while not all(one.done() for one in running):
        before = time.perf_counter()
        assert worker.stub.Ping(pb.PingRequest(message="x")).message == "x"
        pings.append(time.perf_counter() - before)
    took = time.perf_counter() - start
    assert all(value(one.result()) == 0.5 for one in running)
    assert 0.5 <= took < 0.9, took
    assert sorted(pings)[len(pings) // 2] < 0.05


def test_a_tool_that_computes_does_not_block_a_ping(worker):
    running = worker.stub.ExecuteTool.future(request("spin", seconds=1.0))
    pings = []
    while not running.done():
        before = time.perf_counter()
        worker.stub.Ping(pb.PingRequest())
        pings.append(time.perf_counter() - before)
    assert sorted(pings)[len(pings) // 2] < 0.1
    assert len(pings) > 5


def test_concurrency_of_a_tool_is_kept(worker):
    with ThreadPoolExecutor(4) as pool:
        spans = sorted(pool.map(lambda _: call(worker, "alone", seconds=0.05), range(4)))
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


def test_context_knows_its_call(worker):
    told = call(worker, "who", call_id="c7", session="sess")
    assert told == {"session": "sess", "call": "c7", "worker": "w1", "same": True}
    assert call(worker, "awho", call_id="c8") == {"call": "c8", "deadline": False}
    reply = worker.stub.ExecuteTool(request("awho", call_id="c9"), timeout=5)
    assert value(reply) == {"call": "c9", "deadline": True}


def test_results_say_who_and_how_long(worker):
    reply = worker.stub.ExecuteTool(request("nap", seconds=0.05, call_id="t1"))
    assert (reply.worker_id, reply.call_id) == ("w1", "t1")
    assert 50_000 <= reply.timing.tool_us < 1_000_000
    assert reply.execution_time_ms >= 50


def test_output_reaches_stdout_at_once(worker):
    call(worker, "says")
    assert within(1, lambda: "a line of the tool\n" in worker.printed())


# --- dispatch ---------------------------------------------------------------------------------------------------


def test_dispatch_answers_each_call_once_in_the_order_of_their_ends(worker):
    lane = Lane(worker)
    lane.send(request("nap", seconds=0.2, call_id="slow"), request("add", a=1, call_id="fast"))
    assert [one.call_id for one in lane.take(2)] == ["fast", "slow"]
    lane.send(*[request("add", a=i, call_id=f"n{i}") for i in range(100)])
    results = {one.call_id: value(one.response) for one in lane.take(100)}
    assert results == {f"n{i}": i + 2 for i in range(100)}
    assert lane.end() == []


def test_dispatch_refusals_and_failures(worker):
    lane = Lane(worker)
    lane.send(
        request("nope", call_id="a"),
        request("count", n=1, call_id="b"),
        request("add", call_id="c"),
        request("boom", call_id="d"),
    )
    results = {one.call_id: one for one in lane.take(4)}
    assert {name: one.status_code for name, one in results.items()} == {"a": 5, "b": 9, "c": 3, "d": 0}
    assert results["d"].response.failure.type == "ValueError"
    assert lane.end() == []


def test_dispatch_enforces_the_timeout(worker, tmp_path):
    lane = Lane(worker)
    lane.send(request("waits", note=str(tmp_path / "n"), call_id="a"), timeout_ms=50)
    lane.send(request("awaits", note=str(tmp_path / "m"), call_id="b"), timeout_ms=50)
    assert {(one.call_id, one.status_code) for one in lane.take(2)} == {("a", 4), ("b", 4)}
    assert (tmp_path / "n").read_text() == "True"
    assert (tmp_path / "m").read_text() == "closed"
    lane.end()


def test_dispatch_cancel_gives_exactly_one_result(worker, tmp_path):
    lane, other = Lane(worker), Lane(worker)
    lane.send(request("waits", note=str(tmp_path / "n"), call_id="c1"))
    lane.send(request("awaits", note=str(tmp_path / "m"), call_id="c2"))
    lane.send(request("add", a=1, call_id="c3"))
    assert lane.take(1)[0].call_id == "c3"
    other.send(cancel=["c1", "c2", "unknown"])
    assert {(one.call_id, one.status_code) for one in lane.take(2)} == {("c1", 1), ("c2", 1)}
    assert lane.end() == []
    assert other.end() == []


def test_a_queued_call_is_cancelled_at_once(worker):
    lane = Lane(worker)
    lane.send(request("alone", seconds=0.5, call_id="q1"), request("alone", seconds=0.0, call_id="q2"))
    start = time.perf_counter()
    lane.send(cancel=["q2"])
    (first,) = lane.take(1)
    assert (first.call_id, first.status_code) == ("q2", 1)
    assert time.perf_counter() - start < 0.4
    assert lane.take(1)[0].response.success
    assert call(worker, "alone", seconds=0.0)


def test_a_call_id_that_runs_already_is_refused(worker):
    lane = Lane(worker)
    lane.send(request("nap", seconds=0.2, call_id="twin"))
    lane.send(request("add", a=1, call_id="twin"))
    assert [one.status_code for one in lane.take(2)] == [6, 0]
    lane.end()


def test_calls_of_a_broken_stream_are_stopped(worker, tmp_path):
    lane = Lane(worker)
    lane.send(request("waits", note=str(tmp_path / "n"), call_id="z"), request("add", a=1))
    lane.take(1)
    lane.stream.cancel()
    assert within(2, lambda: (tmp_path / "n").exists())
    assert worker.stub.CancelCall(pb.CancelCallRequest(call_id="z")).state in ("unknown", "finished", "running")


# --- streams ----------------------------------------------------------------------------------------------------


def test_a_stream_numbers_its_chunks_and_ends_with_one_final(worker, tmp_path):
    chunks = stream(worker, "count", n=3, note=str(tmp_path / "n"), call_id="st")
    assert [chunk.seq for chunk in chunks] == list(range(1, len(chunks) + 1))
    assert [chunk.chunk_id for chunk in chunks] == [f"count-{n}" for n in range(1, len(chunks) + 1)]
    assert [chunk.is_final for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert all(chunk.call_id == "st" for chunk in chunks)
    data = [operations.chunk_value(c) for c in chunks[:-1] if c.metadata.get("kind") != "progress"]
    assert data == [{"i": 0}, {"i": 1}, {"i": 2}]
    progress = [operations.chunk_value(c) for c in chunks if c.metadata.get("kind") == "progress"]
    assert progress[0] == {"fraction": 0.0, "message": "step 0"}
    assert values.decode(chunks[-1].result) == "done"
    assert chunks[-1].worker_id == "w1"
    assert (tmp_path / "n").read_text().startswith("tool-")


def test_chunks_of_every_kind(worker):
    chunks = stream(worker, "mixed")
    assert [chunk.data for chunk in chunks[:-1]] == [b"text", b"\x00\x01", b"[1,2]", b"null"]
    assert [operations.chunk_value(chunk) for chunk in chunks[:-1]] == ["text", b"\x00\x01", [1, 2], None]
    assert not chunks[-1].HasField("result")


def test_an_exception_in_the_middle_is_a_status_with_the_failure(worker):
    chunks = worker.stub.ExecuteStreamingTool(request("breaks"))
    assert next(chunks).data == b"1"
    with pytest.raises(grpc.RpcError) as caught:
        next(chunks)
    assert caught.value.code() == grpc.StatusCode.UNKNOWN
    assert caught.value.details() == "KeyError: 'gone'"
    failure = pb.ToolFailure.FromString(dict(caught.value.trailing_metadata())["snakepit-failure-bin"])
    assert (failure.type, failure.message) == ("KeyError", "'gone'")
    assert "in breaks" in failure.traceback


def test_a_unary_tool_streams_one_final_chunk(worker):
    (chunk,) = stream(worker, "add", a=1)
    assert (chunk.is_final, chunk.seq, chunk.data) == (True, 1, b"3")
    assert values.decode(chunk.result) == 3
    chunks = stream(worker, "tracked", n=3)
    assert [chunk.metadata.get("kind") for chunk in chunks][-2:] == ["progress", None]
    assert values.decode(chunks[-1].result) == 3


@pytest.mark.parametrize("tool", ["forever", "aforever"])
@pytest.mark.parametrize("how", ["rpc", "call", "deadline"])
def test_cancelling_a_stream_runs_its_finally(worker, tmp_path, tool, how):
    note = tmp_path / "n"
    call_id = f"{tool}-{how}"
    chunks = worker.stub.ExecuteStreamingTool(
        request(tool, note=str(note), call_id=call_id), timeout=0.3 if how == "deadline" else None
    )
    assert [next(chunks).data for _ in range(3)] == [b"1", b"2", b"3"]
    start = time.perf_counter()
    if how == "rpc":
        chunks.cancel()
    elif how == "call":
        reply = worker.stub.CancelCall(pb.CancelCallRequest(call_id=call_id, reason="enough"))
        assert (reply.accepted, reply.state) == (True, "running")
        with pytest.raises(grpc.RpcError) as caught:
            list(chunks)
        assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.CANCELLED, "enough")
    else:
        with pytest.raises(grpc.RpcError) as caught:
            list(chunks)
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        start = time.perf_counter()
    assert within(0.5, note.exists)
    assert time.perf_counter() - start < 0.2
    again = worker.stub.CancelCall(pb.CancelCallRequest(call_id=call_id))
    assert not again.accepted


def test_a_slow_reader_holds_the_producer(worker, tmp_path):
    note = tmp_path / "n"
    chunks = worker.stub.ExecuteStreamingTool(request("flood", note=str(note)))
    next(chunks)
    produced = [-1]

    def settled():
        before, produced[0] = produced[0], int(note.read_text() or 0)
        time.sleep(0.2)
        return produced[0] == before

    assert within(10, settled)
    # What lies between: the buffer (4 MiB) and the windows of both ends, of 6 GB in all.
    assert produced[0] * 60_000 < 64 * 1024 * 1024
    chunks.cancel()


def test_a_chunk_over_the_limit_fails_the_stream(tmp_path):
    (tmp_path / "big.py").write_text(
        "from snakepit import tool\n@tool\ndef big(n: int):\n    yield b'x' * n\n@tool\ndef text(n: int) -> str:\n"
        "    return 'x' * n\n"
    )
    with Worker(tmp_path / "big.py") as started:
        assert len(stream(started, "big", n=1024 * 1024)[0].data) == 1024 * 1024
        with pytest.raises(grpc.RpcError, match="above the limit"):
            stream(started, "big", n=1024 * 1024 + 1)
        assert len(call(started, "text", n=60 * 1024 * 1024)) == 60 * 1024 * 1024
        with pytest.raises(grpc.RpcError) as caught:
            call(started, "text", n=64 * 1024 * 1024)
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


# --- adapters ---------------------------------------------------------------------------------------------------


def test_an_adapter_has_one_instance_a_session():
    with Worker(str(DATA / "adapters.py") + ":Counter") as started:
        assert [call(started, "bump", session="a") for _ in range(3)] == [1, 2, 3]
        assert call(started, "abump", session="a") == 4
        assert call(started, "abump", session="b") == 1
        seen = call(started, "seen", session="a")
        assert seen["events"] == ["made", "session", "initialized"]
        assert seen["session"] == "a"
        assert call(started, "still", a=9) == 9
        assert [chunk.data for chunk in stream(started, "stream", n=2, session="b")[:-1]] == [b"2", b"3"]


@pytest.mark.parametrize(("cls", "most"), [("Counter", 1), ("Parallel", 4)])
def test_calls_of_an_instance_run_one_at_a_time_unless_it_is_thread_safe(cls, most):
    with Worker(f"{DATA / 'adapters.py'}:{cls}") as started, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: call(started, "slow", seconds=0.1), range(4)))
        assert call(started, "seen")["most"] == most


def test_adapters_are_cleaned_up_at_the_end(tmp_path):
    with Worker(f"{DATA / 'adapters.py'}:Counter") as started:
        call(started, "leave_note", path=str(tmp_path / "n"))
        started.process.terminate()
        assert started.process.wait(5) == 0
    assert (tmp_path / "n").read_text() == "cleaned"


# --- end --------------------------------------------------------------------------------------------------------


def test_end_of_the_lifeline_ends_it_at_once(tmp_path):
    with Worker(DATA / "kit.py") as started:
        stuck = started.stub.ExecuteTool.future(request("nap", seconds=60.0))
        assert call(started, "add", a=1) == 3
        start = time.perf_counter()
        os.close(started.lifeline)
        started.process.wait(2)
        assert time.perf_counter() - start < 0.5
        started.lifeline = os.open(os.devnull, os.O_RDONLY)
        assert stuck.exception() is not None


def test_term_lets_running_calls_end_and_takes_no_more():
    with Worker(DATA / "kit.py") as started:
        lane = Lane(started)
        lane.send(request("nap", seconds=0.5, call_id="run"), request("add", a=1, call_id="sync"))
        assert lane.take(1)[0].call_id == "sync"
        started.process.terminate()
        refused = []

        def refuses():
            lane.send(request("add", a=1, call_id=f"late{len(refused)}"))
            refused.append(lane.take(1)[0])
            return refused[-1].status_code == 14

        assert within(0.4, refuses)
        assert value(lane.take(1)[0].response) == 0.5
        assert started.process.wait(1) == 0
        assert not Path(started.address[5:]).exists()


def test_term_of_an_idle_worker_with_an_open_stream_is_quick():
    with Worker(DATA / "kit.py") as started:
        lane = Lane(started)
        lane.send(request("add", a=1))
        lane.take(1)
        start = time.perf_counter()
        started.process.terminate()
        assert started.process.wait(5) == 0
        assert time.perf_counter() - start < 0.7


def test_a_second_term_ends_it_at_once():
    with Worker(DATA / "kit.py") as started:
        stuck = started.stub.ExecuteTool.future(request("nap", seconds=60.0))
        call(started, "add", a=1)
        started.process.terminate()
        ended = threading.Event()
        threading.Thread(target=lambda: (started.process.wait(), ended.set()), daemon=True).start()
        assert not ended.wait(0.3)
        started.process.terminate()
        assert ended.wait(1)
        assert stuck.exception() is not None


def test_forked_pools_neither_hang_nor_end_the_worker():
    with Worker(DATA / "kit.py") as started:
        assert call(started, "forks", times=30) == [[1, 4, 9]] * 30
        assert call(started, "add", a=1) == 3
        assert started.process.poll() is None


def test_interrupts_are_the_supervisors_business():
    with Worker(DATA / "kit.py") as started:
        started.process.send_signal(signal.SIGINT)
        assert call(started, "add", a=1) == 3


def test_unary_cancel_and_deadline_reach_the_tool(worker, tmp_path):
    for number, tool in enumerate(["waits", "awaits"]):
        note = tmp_path / f"n{number}"
        running = worker.stub.ExecuteTool.future(request(tool, note=str(note), call_id=f"u{number}"))
        assert within(2, lambda n=number: worker.stub.CancelCall(pb.CancelCallRequest(call_id=f"u{n}")).accepted)
        assert running.exception().code() == grpc.StatusCode.CANCELLED
        late = tmp_path / f"late{number}"
        with pytest.raises(grpc.RpcError) as caught:
            worker.stub.ExecuteTool(request(tool, note=str(late)), timeout=0.2)
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert within(0.5, late.exists)


def test_user_packages_win_over_the_overlay(tmp_path):
    (tmp_path / "t.py").write_text(
        "import sys\nfrom snakepit import tool\n@tool\ndef path() -> list:\n    return sys.path\n"
    )
    with Worker(tmp_path / "t.py") as started:
        path = call(started, "path")
    assert path[0] == str(tmp_path)
    assert path[-1] == str(DATA.parent.parent)


def test_async_channels_reach_it(worker):
    import asyncio

    async def ping():
        async with channel.open_async_channel(worker.address) as opened:
            return await rpc.AsyncBridgeServiceStub(opened).Ping(pb.PingRequest(message="a"))

    assert asyncio.run(ping()).message == "a"
