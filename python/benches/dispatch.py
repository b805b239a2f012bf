"""Calls a second through Dispatch of one worker: a trivial tool, 64 in flight, 8 calls a message, 4 streams.

    python python/benches/dispatch.py [SECONDS]

Also prints one call at a time (latency), and plain ExecuteTool at 64 for comparison.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from snakepit import channel, values  # noqa: E402
from snakepit.wire import bridge_pb2 as pb  # noqa: E402
from snakepit.wire import rpc  # noqa: E402

TOOLS = """
from snakepit import tool
@tool
def add(a: int, b: int) -> int:
    return a + b
@tool
async def aadd(a: int, b: int) -> int:
    return a + b
@tool
def numbers(n: int):
    yield from range(n)
"""


def request(tool: str, call_id: str) -> pb.ExecuteToolRequest:
    """A call with two small arguments."""
    parameters = {"a": values.encode(1), "b": values.encode(2)}
    return pb.ExecuteToolRequest(session_id="s", tool_name=tool, call_id=call_id, parameters=parameters)


async def one_stream(stub, tool: str, in_flight: int, batch: int, until: float, number: int) -> int:
    """Keeps `in_flight` calls going on one stream; sends a new batch when `batch` results are back."""
    stream = stub.Dispatch()
    sent = done = 0

    async def send(count: int) -> None:
        nonlocal sent
        requests = [pb.DispatchCall(request=request(tool, f"{number}-{sent + i}")) for i in range(count)]
        sent += count
        await stream.write(pb.DispatchBatch(calls=requests))

    for _ in range(max(1, in_flight // batch)):
        await send(min(batch, in_flight))
    back = 0
    while True:
        results = await stream.read()
        assert all(r.response.success for r in results.results), results
        done += len(results.results)
        back += len(results.results)
        while back >= batch and time.perf_counter() < until:
            back -= batch
            await send(batch)
        if time.perf_counter() >= until and done >= sent:
            await stream.done_writing()
            return done


async def measure(address: str, seconds: float) -> None:
    """Prints every figure."""
    stub = rpc.AsyncBridgeServiceStub(channel.open_async_channel(address))
    for tool in ("add", "aadd"):
        for label, streams, in_flight, batch in [("1 in flight", 1, 1, 1), ("64 in flight", 4, 16, 8)]:
            start = time.perf_counter()
            work = [one_stream(stub, tool, in_flight, batch, start + seconds, n) for n in range(streams)]
            done = sum(await asyncio.gather(*work))
            rate = done / (time.perf_counter() - start)
            print(f"dispatch {tool:5} {label:13} {rate:9.0f} calls/s")
    start = time.perf_counter()

    async def unary(number: int) -> int:
        count = 0
        while time.perf_counter() < start + seconds:
            await stub.ExecuteTool(request("add", f"u{number}-{count}"))
            count += 1
        return count

    done = sum(await asyncio.gather(*[unary(n) for n in range(64)]))
    print(f"unary    add   64 in flight  {done / (time.perf_counter() - start):9.0f} calls/s")
    start = time.perf_counter()
    count = 0
    call = pb.ExecuteToolRequest(tool_name="numbers", parameters={"n": values.encode(20000)})
    async for _ in stub.ExecuteStreamingTool(call):
        count += 1
    print(f"stream   numbers             {count / (time.perf_counter() - start):9.0f} chunks/s")


def main() -> None:
    """Starts a worker and measures it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    with tempfile.TemporaryDirectory() as folder:
        tools = Path(folder) / "bench_tools.py"
        tools.write_text(TOOLS)
        read, write = os.pipe()
        command = [sys.executable, "-u", str(ROOT / "snakepit_boot.py"), str(tools), "--worker-id", "w"]
        command += ["--listen", f"unix:{folder}/w.sock", "--ready-fd", str(write), "--max-concurrent", "64"]
        worker = subprocess.Popen(command, pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as ready:
            address = json.loads(ready.readline())["ready"]["address"]
        try:
            asyncio.run(measure(address, seconds))
        finally:
            worker.terminate()
            worker.wait()


if __name__ == "__main__":
    main()
