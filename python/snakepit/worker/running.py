"""Runs tools: sync ones in threads, async ones on the loop, generators into a buffer. Every call ends exactly once."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from snakepit import context as contexts
from snakepit import values
from snakepit.channel import MAX_MESSAGE
from snakepit.context import Context, Uplink
from snakepit.errors import Cancelled, ValidationError
from snakepit.tools import Tool
from snakepit.wire import bridge_pb2 as pb
from snakepit.worker import calls, streams, traces
from snakepit.worker.calls import Call, End
from snakepit.worker.gates import Gate, enter_all
from snakepit.worker.instances import Instances, Slot
from snakepit.worker.threads import Threads

#: Bytes that a result's message may need beside its value.
_HEADROOM = 64 * 1024


class BadParameters(Exception):
    """The parameters do not fit the tool: nothing of it ran."""


class Runner:
    """Starts calls. Its methods are called on the loop unless they say otherwise."""

    def __init__(
        self, tools: dict[str, Tool], threads: Threads, uplink: Uplink, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.threads = threads
        self._uplink = uplink
        self._loop = loop
        self.instances = Instances(threads.submit, loop)
        self._gates = {name: Gate(tool.options.concurrency) for name, tool in tools.items() if tool.options.concurrency}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, call: Call, buffer: streams.Buffer | None = None) -> None:
        """Runs a call as soon as its gates let it; with a buffer its chunks go there."""
        tool = call.tool
        gate = self._gates.get(tool.name)
        if gate is not None:
            call.gates.append(gate)
        slot = None
        if tool.owner is not None:
            slot = self.instances.slot(tool.owner, call.session_id)
            slot.take()
            if slot.gate is not None:
                call.gates.append(slot.gate)
        start = self._start_on_loop if tool.is_async else self._start_in_thread
        enter_all(call.gates, lambda: start(call, buffer, slot))

    def _start_in_thread(self, call: Call, buffer: streams.Buffer | None, slot: Slot | None) -> None:
        self.threads.submit(lambda: self._in_thread(call, buffer, slot))

    def _start_on_loop(self, call: Call, buffer: streams.Buffer | None, slot: Slot | None) -> None:
        self._loop.call_soon_threadsafe(lambda: self._spawn(self._on_loop(call, buffer, slot)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _left(self, call: Call, slot: Slot | None) -> None:
        for gate in call.gates:
            gate.leave()
        if slot is not None:
            slot.give_back()

    # --- in a thread ------------------------------------------------------------------------------------------

    def _in_thread(self, call: Call, buffer: streams.Buffer | None, slot: Slot | None) -> None:
        end = None
        if call.begin():
            end = contextvars.copy_context().run(self._run_sync, call, buffer, slot)
        self._left(call, slot)
        if end is not None:
            call.end(end)

    def _run_sync(self, call: Call, buffer: streams.Buffer | None, slot: Slot | None) -> End:
        try:
            context = Context(call, self._uplink)
            contexts.enter(context)
            arguments, named = bind(call.tool, call.request, context)
            function = self._function(call.tool, slot)
            result = function(*arguments, **named)
            if call.tool.streaming and buffer is not None:
                result = _drain(result, buffer)
            return _good(call, result, absent_none=call.tool.streaming)
        except BaseException as error:
            return _bad(call, error)

    def _function(self, tool: Tool, slot: Slot | None) -> Callable[..., Any]:
        if slot is None:
            return tool.function
        instance = slot.instance or slot.get(self._uplink, self._loop)
        function: Callable[..., Any] = getattr(instance, tool.function.__name__)
        return function

    # --- on the loop ------------------------------------------------------------------------------------------

    async def _on_loop(self, call: Call, buffer: streams.Buffer | None, slot: Slot | None) -> None:
        end = None
        if call.begin():
            end = await self._run_async(call, buffer, slot)
        self._left(call, slot)
        if end is not None:
            call.end(end)

    async def _run_async(self, call: Call, buffer: streams.Buffer | None, slot: Slot | None) -> End:
        task = asyncio.current_task()
        assert task is not None  # this coroutine is only run as a task
        stopper = _Stopper(task)
        forget = call.on_stop(lambda: stopper.soon(self._loop))
        try:
            context = Context(call, self._uplink)
            contexts.enter(context)
            arguments, named = bind(call.tool, call.request, context)
            if slot is not None and slot.instance is None:
                await self._made(slot)
            result = self._function(call.tool, slot)(*arguments, **named)
            if inspect.isawaitable(result):
                result = await result
            if call.tool.streaming and buffer is not None:
                result = await _adrain(result, buffer, stopper)
            return _good(call, result, absent_none=call.tool.streaming)
        except BaseException as error:
            return _bad(call, error)
        finally:
            forget()

    async def _made(self, slot: Slot) -> None:
        done: asyncio.Future[None] = self._loop.create_future()

        def finish(error: BaseException | None) -> None:
            if not done.done():
                done.set_result(None) if error is None else done.set_exception(error)

        def make() -> None:
            try:
                slot.get(self._uplink, self._loop)
            except BaseException as error:
                self._loop.call_soon_threadsafe(finish, error)
            else:
                self._loop.call_soon_threadsafe(finish, None)

        self.threads.submit(make)
        await done


def bind(tool: Tool, request: pb.ExecuteToolRequest, context: Context) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a call. Raises `BadParameters` with everything that does not fit."""
    given = {name: values.decode(value) for name, value in request.parameters.items()}
    for name, data in request.binary_parameters.items():
        given[name] = data
    arguments: list[Any] = []
    named: dict[str, Any] = {}
    problems: list[str] = []
    for parameter in tool.parameters:
        if parameter.name not in given:
            if parameter.required:
                problems.append(f"`{parameter.name}` is missing")
            continue
        value = given.pop(parameter.name)
        if parameter.convert is not None:
            try:
                value = parameter.convert(value)
            except ValidationError as refused:
                problems.append(f"`{parameter.name}`: {refused.message}")
                continue
        if parameter.positional:
            arguments.append(value)
        else:
            named[parameter.name] = value
    if given:
        if tool.accepts_extra:
            named |= given
        else:
            problems += [f"`{name}` is not known" for name in given]
    if problems:
        raise BadParameters(f"invalid parameters for `{tool.name}`: " + ", ".join(problems))
    if tool.context_parameter is not None:
        named[tool.context_parameter] = context
    return arguments, named


def _good(call: Call, value: Any, *, absent_none: bool) -> End:
    """The end of a call that gave a value. Raises what the value's encoding raises."""
    response = pb.ExecuteToolResponse(success=True, call_id=call.id, worker_id=call.worker_id)
    if value is not None or not absent_none:
        data = values.to_json_bytes(value)
        if len(data) > MAX_MESSAGE - _HEADROOM:
            message = f"the result of `{call.tool.name}` has {len(data)} bytes, and a message at most {MAX_MESSAGE}"
            return End(None, calls.RESOURCE_EXHAUSTED, message + ": yield it in chunks")
        response.result.type_url = values.PREFIX + values.type_of(value)
        response.result.value = data
    _timed(response, call)
    return End(response)


def _timed(response: pb.ExecuteToolResponse, call: Call) -> None:
    elapsed = call.elapsed_us()
    response.execution_time_ms = elapsed // 1000
    response.timing.tool_us = elapsed


def _bad(call: Call, error: BaseException) -> End:
    """The end of a call that raised."""
    if isinstance(error, BadParameters):
        return End(None, calls.INVALID_ARGUMENT, str(error))
    if call.stop_reason is not None and isinstance(
        error, (Cancelled, asyncio.CancelledError, streams.Closed, GeneratorExit)
    ):
        return End(None, calls.CANCELLED, call.stop_reason)
    response = pb.ExecuteToolResponse(
        success=False, call_id=call.id, worker_id=call.worker_id, failure=traces.failure(error)
    )
    response.error_message = response.failure.message
    _timed(response, call)
    return End(response)


def _drain(result: Any, buffer: streams.Buffer) -> Any:
    """Runs an iterator to its end and gives its return value. Closed from outside, it closes the generator."""
    iterator = iter(result)
    try:
        while True:
            try:
                value = next(iterator)
            except StopIteration as end:
                return end.value
            buffer.put(streams.item_of(value))
    finally:
        # Runs the generator's `finally` here and now, not when it is collected.
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


class _Stopper:
    """Cancels a task once, unless its generator is being closed: that must not be cut short."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task
        self.closing = False

    def soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """From any thread."""
        loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if not self.closing:
            self._task.cancel()


async def _adrain(result: Any, buffer: streams.Buffer, stopper: _Stopper) -> Any:
    if not hasattr(result, "__aiter__"):
        raise ValidationError(f"the tool returned {type(result).__name__}, which is no async iterator")
    iterator = aiter(result)
    try:
        async for value in iterator:
            await buffer.aput(streams.item_of(value))
    finally:
        stopper.closing = True
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()
