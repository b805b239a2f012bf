"""Tools that do well and badly, for the tests that run the real binary."""

import os
import subprocess
import threading
import time

from snakepit import Context, tool
from snakepit.session import SessionContext


@tool
def add(a: int, b: int = 2) -> int:
    """Adds.

    Args:
        a: The first.
        b: The second.
    """
    return a + b


@tool
def nap(seconds: float, path: str = "") -> str:
    """Blocks its thread. Writes a line to `path` when it begins and one when it ends."""
    note(path, "began")
    time.sleep(seconds)
    note(path, "ended")
    return "rested"


@tool
def bad(text: str):
    """Raises two frames deep."""
    return deeper(text)


def deeper(text):
    raise ValueError(f"cannot read {text}")


@tool
def breaks():
    """Raises in the middle of its stream."""
    yield {"step": 1}
    yield {"step": 2}
    raise RuntimeError("in the middle")


@tool
def endless(path: str, delay: float = 0.01):
    """Yields until it is closed; writes to `path` when its `finally` runs."""
    try:
        count = 0
        while True:
            yield {"count": count}
            count += 1
            time.sleep(delay)
    finally:
        note(path, "closed")


@tool
def pid() -> int:
    """The worker's process."""
    return os.getpid()


@tool
def detach() -> int:
    """Leaves a process behind that has left the worker's group and session; its pid."""
    child = subprocess.Popen(["sleep", "3600"], start_new_session=True, close_fds=True)
    return child.pid


@tool
def outer(ctx: Context, a: int) -> dict:
    """Calls `add` of whatever worker has it, this one too."""
    return {"thread": threading.current_thread().name != "", "sum": ctx.call_tool("add", a=a)}


@tool
def deep(ctx: Context, levels: int) -> int:
    """Calls itself; counts the levels below."""
    if levels == 0:
        return 0
    return 1 + ctx.call_tool("deep", levels=levels - 1)


@tool
def ask_host(ctx: Context, name: str, arguments: dict):
    """Calls a host tool."""
    return ctx.host[name](**arguments)


@tool
def host_names(ctx: Context, address: str) -> list:
    """The names of the host tools, by the method of the contract."""
    return sorted(SessionContext(address, ctx.session_id).elixir_tools)


def note(path, word):
    if path:
        with open(path, "a") as file:
            file.write(word + "\n")
