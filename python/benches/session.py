"""How long a sync read of a variable takes: `ctx["x"]`, uncached and cached, against the bare grpcio stub.

    SNAKEPIT_BIN=target/release/snakepit python python/benches/session.py [SECONDS]

Bare is the same method of the same bridge on the same kind of channel, with a request made beforehand and a reply
that nobody looks at: all that grpcio itself takes. Both sides run in turns, and the medians are compared.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import snakepit as sp  # noqa: E402
from snakepit import channel  # noqa: E402
from snakepit.wire import bridge_pb2 as pb  # noqa: E402
from snakepit.wire import rpc  # noqa: E402

#: Reads in one turn.
TURN = 500


def timed(read) -> float:
    """Seconds that one read takes, over a turn."""
    start = time.perf_counter()
    for _ in range(TURN):
        read()
    return (time.perf_counter() - start) / TURN


def measure(address: str, seconds: float) -> None:
    """Prints every figure; the ratio of rates comes last."""
    stub = rpc.BridgeServiceStub(channel.open_channel(address))
    uncached = sp.connect(session="bench", address=address, cache_ttl=0)
    cached = sp.connect(session="bench", address=address, cache_ttl=3600)
    uncached["x"] = 0.5
    request = pb.GetVariableRequest(session_id="bench", variable_identifier="x")
    sides = {
        "bare stub": lambda: stub.GetVariable(request),
        'ctx["x"]': lambda: uncached["x"],
        'ctx["x"] cached': lambda: cached["x"],
    }
    turns: dict[str, list[float]] = {name: [] for name in sides}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for name, read in sides.items():
            turns[name].append(timed(read))
    medians = {name: statistics.median(took[1:] or took) for name, took in turns.items()}
    for name, took in medians.items():
        print(f"{name:16} {took * 1e6:8.1f} us  {1 / took:9.0f} reads/s")
    bare, plain, kept = medians.values()
    print(f"cached / bare    {bare / kept:8.1f}")
    print(f"uncached / bare  {bare / plain:8.3f}")


def main() -> None:
    """Starts a bridge and measures it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{folder}/bridge.sock"
        read, write = os.pipe()
        command = [os.environ["SNAKEPIT_BIN"], "serve", "--socket", address[5:], "--ready-fd", str(write)]
        bridge = subprocess.Popen(
            command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
        )
        os.close(write)
        with os.fdopen(read) as ready:
            assert ready.readline()
        try:
            measure(address, seconds)
        finally:
            bridge.terminate()
            bridge.wait()


if __name__ == "__main__":
    main()
