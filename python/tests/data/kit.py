"""The tools that the tests call."""

import asyncio
import contextlib
import dataclasses
import multiprocessing
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Literal

import helper_beside  # the file's folder is importable
import numpy as np

import snakepit as sp
from snakepit import Context, tool


@tool
def add(a: int, b: int = 2) -> int:
    """Adds two numbers.

    Args:
        a: The first.
        b: The second.
    """
    return a + b


@tool(idempotent=True, timeout=30, idle=5, name="renamed")
async def original(word: str) -> str:
    """Echoes.

    Parameters
    ----------
    word : str
        What to echo.
    """
    await asyncio.sleep(0)
    return word


@tool
def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@tool
def spin(seconds: float) -> int:
    end, count = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        count += 1
    return count


@tool
def boom(text: str = "no") -> None:
    _inner(text)


def _inner(text):
    raise ValueError(text)


@tool
def fails_well() -> None:
    raise sp.ToolError("quota", type="QuotaExceeded", retryable=True, fields={"left": 0})


@tool
def arrays(w: np.ndarray, v: np.ndarray | None = None) -> str:
    return f"{type(w).__name__} {w.shape} {w.dtype} {v if v is None else v.tolist()}"


@tool
def names(ctx: Context) -> list[str]:
    return list(ctx)


@tool
def odd_values() -> dict:
    @dataclasses.dataclass
    class Point:
        x: int
        y: float

    return {"set": {3, 1}, "tuple": (1, 2), "point": Point(1, float("nan")), "bytes": b"\x00\xff", "path": Path("/a")}


@tool
def unsendable() -> dict:
    return {"a": [1, object()]}


@tool
def takes(data: bytes, rate: float, kind: Literal["x", "y"] = "x", limit: int | None = None, **rest) -> str:
    return f"{data!r} {rate!r} {kind} {limit} {sorted(rest.items())}"


@tool
def nothing() -> None:
    return None


@tool
def count(n: int, ctx: Context, note: str = "") -> Iterator[dict]:
    try:
        for i in range(n):
            ctx.progress(i / n, f"step {i}")
            yield {"i": i}
        return "done"
    finally:
        if note:
            Path(note).write_text(threading.current_thread().name)


@tool
def forever(note: str, pause: float = 0.005):
    number = 0
    try:
        while True:
            number += 1
            yield number
            time.sleep(pause)
    finally:
        Path(note).write_text("closed")


@tool
async def aforever(note: str) -> AsyncIterator[int]:
    try:
        number = 0
        while True:
            number += 1
            yield number
            await asyncio.sleep(0.005)
    finally:
        await asyncio.sleep(0)
        Path(note).write_text("closed")


@tool
def flood(note: str):
    for number in range(100_000):
        Path(note).write_text(str(number))
        yield b"x" * 60_000


@tool
def mixed():
    yield "text"
    yield b"\x00\x01"
    yield [1, 2]
    yield None


@tool
def breaks():
    yield 1
    raise KeyError("gone")


@tool
def waits(ctx: Context, note: str) -> str:
    try:
        while True:
            ctx.check_cancelled()
            time.sleep(0.005)
    finally:
        Path(note).write_text(str(ctx.cancelled))


@tool
async def awaits(note: str) -> None:
    try:
        await asyncio.sleep(60)
    finally:
        Path(note).write_text("closed")


@tool(concurrency=1)
def alone(seconds: float) -> list:
    start = time.monotonic()
    time.sleep(seconds)
    return [start, time.monotonic()]


@tool
def who(ctx: Context) -> dict:
    same = sp.current_context() is ctx
    return {"session": ctx.session_id, "call": ctx.call_id, "worker": ctx.worker_id, "same": same}


@tool
async def awho(ctx: Context) -> dict:
    async def inner():
        return sp.current_context().call_id

    return {"call": await asyncio.create_task(inner()), "deadline": ctx.deadline is not None}


@tool
def variables(ctx: Context) -> dict:
    ctx.register("rate", 0.5, min=0.0, max=1.0)
    before = ctx["rate"]
    ctx["rate"] = 0.25
    ctx["made"] = [1, 2]
    missing = None
    try:
        ctx["nope"]
    except sp.VariableNotFoundError as error:
        missing = error.code
    return {
        "before": before,
        "after": ctx.get("rate"),
        "made": ctx["made"],
        "default": ctx.get("nope", 7),
        "missing": missing,
        "in": ["rate" in ctx, "nope" in ctx],
        "session": ctx.session_id,
    }


@tool
async def avariables(ctx: Context) -> dict:
    await ctx.aset("x", 3)
    refused = ""
    try:
        ctx.get("x")
    except sp.SnakepitError as error:
        refused = error.hint
    return {"x": await ctx.aget("x"), "none": await ctx.aget("nope", None), "refused": "aget" in refused}


@tool
def bad_write(ctx: Context) -> None:
    ctx.register("rate", 0.5, min=0.0, max=1.0)
    ctx["rate"] = 5.0


@tool
def nest(depth: int, ctx: Context) -> int:
    return 0 if depth == 0 else 1 + ctx.call_tool("nest", depth=depth - 1)


@tool(concurrency=1)
async def anest(depth: int, ctx: Context) -> int:
    return 0 if depth == 0 else 1 + await ctx.acall_tool("anest", depth=depth - 1)


@tool
def collects(ctx: Context) -> list:
    return [ctx.call_tool("count", n=2), ctx.call_tool("mixed_values")]


@tool
def mixed_values():
    yield 1
    yield "two"


@tool
def calls_failing(ctx: Context) -> dict:
    try:
        ctx.call_tool("fails_well")
    except sp.ToolError as error:
        return {"type": error.type, "retryable": error.retryable, "fields": error.fields, "text": error.message}


@tool
def calls_waiting(ctx: Context, note: str) -> None:
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: Path(note).write_text(str(ctx.cancelled)))
        ctx.call_tool("nap", seconds=30.0)


@tool
def asks_host(ctx: Context, text: str) -> str:
    return ctx.host.shout(text=text)


@tool
def tracked(ctx: Context, n: int) -> int:
    return sum(ctx.track(range(n), "items"))


@tool
def beside() -> str:
    return helper_beside.WORD


@tool
def says() -> None:
    print("a line of the tool")


def _square(x):
    return x * x


@tool
def forks(times: int) -> list:
    results = []
    for _ in range(times):
        with multiprocessing.get_context("fork").Pool(2) as pool:
            results.append(pool.map(_square, [1, 2, 3]))
    return results


def not_a_tool():
    pass
