"""The worker's side of the contract: Dispatch, ExecuteTool, ExecuteStreamingTool, CancelCall, Ping, Handshake."""

from __future__ import annotations

import asyncio
import os
import platform
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

import grpc

import snakepit
from snakepit.context import Uplink
from snakepit.tools import Tool
from snakepit.wire import bridge_pb2 as pb
from snakepit.wire import rpc
from snakepit.worker import calls, streams
from snakepit.worker.calls import Call, End
from snakepit.worker.running import Runner
from snakepit.worker.threads import Threads

#: Calls that one worker holds, running and waiting. The bridge sends far fewer; this bounds other callers.
MAX_CALLS = 4096
#: Bytes of results that go out in one message, unless one is larger.
MAX_COALESCED = 1024 * 1024
#: Bytes of a failure and of its text in a stream's trailers; header lists are at most 8 KiB.
MAX_TRAILER, MAX_DETAILS = 4096, 1024

_STATUS = {code.value[0]: code for code in grpc.StatusCode}


class Service:
    """Serves the tools of one process. Everything here runs on the loop unless it says otherwise."""

    def __init__(self, tools: dict[str, Tool], worker_id: str, capacity: int, address: str | None) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._tools = tools
        self._worker_id = worker_id
        self._capacity = capacity
        self._threads = Threads(capacity, loop)
        self.runner = Runner(tools, self._threads, Uplink(address, worker_id), loop)
        self._calls: dict[str, Call] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._outboxes: set[Outbox] = set()
        self.draining = False
        self._closing = False

    def handler(self) -> Any:
        """The gRPC handler of the service."""
        methods: dict[str, Callable[..., Any]] = {
            "Ping": self.ping,
            "Handshake": self.handshake,
            "Dispatch": self.dispatch,
            "ExecuteTool": self.execute_tool,
            "ExecuteStreamingTool": self.execute_streaming_tool,
            "CancelCall": self.cancel_call,
        }
        return rpc.generic_handler("snakepit.bridge.BridgeService", methods, frozenset({"Dispatch"}))

    # --- small ones -------------------------------------------------------------------------------------------

    async def ping(self, request: pb.PingRequest, context: Any) -> pb.PingResponse:
        """Answers with the message it got and the time."""
        reply = pb.PingResponse(message=request.message)
        reply.server_time.GetCurrentTime()
        return reply

    async def handshake(self, request: pb.HandshakeRequest, context: Any) -> pb.HandshakeResponse:
        """Says who this worker is and which tools it has."""
        return pb.HandshakeResponse(
            worker_id=self._worker_id,
            tools=[tool.registration() for tool in self._tools.values()],
            capacity=self._capacity,
            pid=os.getpid(),
            package_version=snakepit.__version__,
            python_version=platform.python_version(),
        )

    async def cancel_call(self, request: pb.CancelCallRequest, context: Any) -> pb.CancelCallResponse:
        """Asks a call to stop."""
        call = self._calls.get(request.call_id)
        if call is None:
            return pb.CancelCallResponse(accepted=False, state="unknown")
        state = call.state
        accepted = call.stop(calls.CANCELLED, request.reason or "the call was cancelled")
        return pb.CancelCallResponse(accepted=accepted, state=state)

    # --- taking and ending calls ------------------------------------------------------------------------------

    def _admit(
        self,
        request: pb.ExecuteToolRequest,
        on_end: Callable[[Call, End], None],
        *,
        streaming: bool,
        timeout: float | None,
    ) -> Call | End:
        """A call that is registered and not started, or why it is refused."""
        tool = self._tools.get(request.tool_name)
        if tool is None:
            return End(None, calls.NOT_FOUND, f"tool not found: `{request.tool_name}` is no tool of this worker")
        if tool.streaming and not streaming:
            message = f"`{tool.name}` is a streaming tool: call it by ExecuteStreamingTool"
            return End(None, calls.FAILED_PRECONDITION, message)
        if self.draining:
            return End(None, calls.UNAVAILABLE, "the worker is going down: the call never started")
        if len(self._calls) >= MAX_CALLS:
            return End(None, calls.RESOURCE_EXHAUSTED, f"the worker holds {MAX_CALLS} calls: this one never started")
        if not request.call_id:
            request.call_id = f"call-{uuid.uuid4().hex}"
        if request.call_id in self._calls:
            return End(None, calls.ALREADY_EXISTS, f"call `{request.call_id}` runs already")
        call = Call(request, tool, self._worker_id, self._threads, on_end)
        if timeout is not None:
            call.deadline = self._loop.time() + timeout
            call.timer = self._loop.call_later(timeout, call.stop, calls.DEADLINE_EXCEEDED, "deadline exceeded")
        self._calls[call.id] = call
        self._idle.clear()
        return call

    def _release(self, call: Call) -> None:
        """Forgets a call that ended."""
        if call.timer is not None:
            call.timer.cancel()
            call.timer = None
        self._calls.pop(call.id, None)
        if not self._calls:
            self._idle.set()

    async def drain(self, grace: float, last_words: float) -> None:
        """Takes no more calls and gives the running ones `grace` seconds; then they are told to stop.

        What has not ended `last_words` seconds later is left behind. Streams of calls are closed when it returns.
        """
        self.draining = True
        if not await self._idle_within(grace):
            for call in list(self._calls.values()):
                call.stop(calls.CANCELLED, "the worker is going down")
            await self._idle_within(last_words)
        self._closing = True
        for outbox in self._outboxes:
            outbox.wake()

    async def _idle_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        return True

    # --- unary ------------------------------------------------------------------------------------------------

    async def execute_tool(self, request: pb.ExecuteToolRequest, context: Any) -> pb.ExecuteToolResponse:
        """Runs one tool for one RPC. Cancelling the RPC stops the call."""
        done: asyncio.Future[End] = self._loop.create_future()

        def on_end(call: Call, end: End) -> None:
            self._loop.call_soon_threadsafe(finish, call, end)

        def finish(call: Call, end: End) -> None:
            self._release(call)
            if not done.done():
                done.set_result(end)

        call = self._admit(request, on_end, streaming=False, timeout=context.time_remaining())
        if isinstance(call, End):
            end = call
        else:
            self.runner.start(call)
            try:
                end = await done
            except asyncio.CancelledError:
                call.stop(calls.CANCELLED, "the caller went away")
                raise
        if end.response is None:
            await context.abort(_STATUS[end.status], end.message)
            raise AssertionError("abort raises")
        return end.response

    # --- streams ----------------------------------------------------------------------------------------------

    async def execute_streaming_tool(self, request: pb.ExecuteToolRequest, context: Any) -> None:
        """Runs one tool and writes its chunks. Cancelling the RPC closes the generator."""
        buffer = streams.Buffer(self._loop)

        def on_end(call: Call, end: End) -> None:
            buffer.finish(end)
            self._loop.call_soon_threadsafe(self._release, call)

        call = self._admit(request, on_end, streaming=True, timeout=context.time_remaining())
        if isinstance(call, End):
            await context.abort(_STATUS[call.status], call.message)
            return
        call.sink = buffer
        call.on_stop(buffer.close)
        self.runner.start(call, buffer)
        try:
            await self._write_chunks(call, buffer, context)
        finally:
            # Without effect on a call that ended; else the RPC was cancelled or broke.
            call.stop(calls.CANCELLED, "the caller went away")

    async def _write_chunks(self, call: Call, buffer: streams.Buffer, context: Any) -> None:
        seq, end, name = 0, None, call.tool.name
        while end is None:
            items, end = await buffer.take()
            for item in items:
                seq += 1
                await context.write(streams.chunk(call.id, name, seq, item))
        if end.response is None:
            await context.abort(_STATUS[end.status], end.message)
        elif not end.response.success:
            await self._abort_with_failure(end.response.failure, context)
        else:
            await context.write(self._final_chunk(call, seq + 1, end.response))

    def _final_chunk(self, call: Call, seq: int, response: pb.ExecuteToolResponse) -> pb.ToolChunk:
        final = streams.chunk(call.id, call.tool.name, seq, (b"", "", False))
        final.is_final = True
        final.worker_id = self._worker_id
        final.timing.CopyFrom(response.timing)
        if response.HasField("result"):
            final.result.CopyFrom(response.result)
            if not call.tool.streaming:
                final.data = response.result.value
        return final

    async def _abort_with_failure(self, failure: pb.ToolFailure, context: Any) -> None:
        details = f"{failure.type}: {failure.message}"
        failure.message = failure.message[:MAX_DETAILS]
        room = max(0, MAX_TRAILER - len(failure.message.encode()) - len(failure.details_json.encode()))
        failure.traceback = failure.traceback.encode()[-room:].decode(errors="ignore") if room else ""
        if len(failure.details_json) > MAX_TRAILER:
            failure.details_json = ""
        await context.abort(
            grpc.StatusCode.UNKNOWN,
            details[:MAX_DETAILS],
            (("snakepit-failure-bin", failure.SerializeToString()),),
        )

    # --- dispatch ---------------------------------------------------------------------------------------------

    async def dispatch(self, batches: Any, context: Any) -> None:
        """Runs many small calls for one stream. When the stream breaks, its calls are stopped."""
        outbox = Outbox(self._loop)
        open_calls: dict[str, Call] = {}
        reader = self._loop.create_task(self._read_batches(batches, outbox, open_calls))
        self._outboxes.add(outbox)
        try:
            while not ((outbox.input_ended or self._closing) and not open_calls and outbox.empty):
                for call, end in await outbox.take():
                    if call is not None:
                        self._release(call)
                        open_calls.pop(call.id, None)
                    outbox.add(end)
                for message in outbox.messages():
                    await context.write(message)
        finally:
            self._outboxes.discard(outbox)
            reader.cancel()
            for call in list(open_calls.values()):
                call.stop(calls.CANCELLED, "the stream of the call broke")
            outbox.abandon(self._release)

    async def _read_batches(self, batches: Any, outbox: Outbox, open_calls: dict[str, Call]) -> None:
        try:
            async for batch in batches:
                for entry in batch.calls:
                    timeout = entry.timeout_ms / 1000 if entry.timeout_ms else None
                    call = self._admit(entry.request, outbox.push, streaming=False, timeout=timeout)
                    if isinstance(call, End):
                        outbox.refuse(entry.request.call_id, call)
                    else:
                        open_calls[call.id] = call
                        self.runner.start(call)
                for call_id in batch.cancel:
                    running = self._calls.get(call_id)
                    if running is not None:
                        running.stop(calls.CANCELLED, "the call was cancelled")
        finally:
            outbox.end_of_input()


class Outbox:
    """Results on their way to one stream: ended in any thread, written by one task, many in a message."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ended: deque[tuple[Call | None, bytes]] = deque()
        self._event = asyncio.Event()
        self._signalled = False
        self._abandoned: Callable[[Call], None] | None = None
        self._parts: list[bytes] = []
        self.input_ended = False

    @property
    def empty(self) -> bool:
        """Nothing waits to be written."""
        return not self._ended and not self._parts

    def push(self, call: Call, end: End) -> None:
        """Takes the end of a call. From any thread."""
        self._ended.append((call, _encoded(call.id, end)))
        abandoned = self._abandoned
        if abandoned is not None:
            self._loop.call_soon_threadsafe(abandoned, call)
        elif not self._signalled:
            self._signalled = True
            self._loop.call_soon_threadsafe(self._event.set)

    def refuse(self, call_id: str, end: End) -> None:
        """Takes the end of a call that was not admitted."""
        self._ended.append((None, _encoded(call_id, end)))
        self._event.set()

    def end_of_input(self) -> None:
        """No more calls will come."""
        self.input_ended = True
        self._event.set()

    def wake(self) -> None:
        """Lets the writer look whether it is done."""
        self._event.set()

    def abandon(self, release: Callable[[Call], None]) -> None:
        """The stream is gone: calls that still run are only released when they end."""
        self._abandoned = release
        while self._ended:
            call = self._ended.popleft()[0]
            if call is not None:
                release(call)

    async def take(self) -> list[tuple[Call | None, bytes]]:
        """Waits for ends and gives all that are there."""
        await self._event.wait()
        self._event.clear()
        self._signalled = False
        taken = []
        while self._ended:
            taken.append(self._ended.popleft())
        return taken

    def add(self, encoded: bytes) -> None:
        """Adds an encoded result to what is written next."""
        self._parts.append(encoded)

    def messages(self) -> list[bytes]:
        """What was added, in as few messages as the limit allows.

        A message with one repeated field is the concatenation of messages with one element each.
        """
        found: list[bytes] = []
        group: list[bytes] = []
        size = 0
        for part in self._parts:
            if group and size + len(part) > MAX_COALESCED:
                found.append(b"".join(group))
                size, group = 0, []
            group.append(part)
            size += len(part)
        if group:
            found.append(b"".join(group))
        self._parts.clear()
        return found


def _encoded(call_id: str, end: End) -> bytes:
    """A `DispatchResults` with one result, serialised."""
    message = pb.DispatchResults()
    if end.response is not None:
        message.results.add(call_id=call_id, response=end.response)
    else:
        message.results.add(call_id=call_id, status_code=end.status, status_message=end.message)
    data: bytes = message.SerializeToString()
    return data
