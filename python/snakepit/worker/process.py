"""The worker's process: arguments, readiness, signals, the lifeline, the end. It prints nothing of its own."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import threading
from typing import Any

import grpc

from snakepit import channel
from snakepit.tools import Tool
from snakepit.worker import traces
from snakepit.worker.loading import LoadError, load
from snakepit.worker.service import Service

#: Calls at once where the supervisor says nothing.
DEFAULT_CONCURRENCY = 16
#: Seconds that running calls get after the first TERM.
GRACE = 5.0
#: Seconds that stopped calls and the cleanup of adapters get after that.
LAST_WORDS = 1.0
#: Seconds that open RPCs get to be answered at the end.
CLOSING = 0.2
#: Seconds between the last write and the end of the process.
FLUSHING = 0.03


def main(argv: list[str] | None = None) -> None:
    """Runs a worker until it is told to end, and ends the process."""
    arguments = _arguments(argv)
    _keep_from_children(arguments.ready_fd, arguments.lifeline_fd)
    _watch_lifeline(arguments.lifeline_fd)
    # A Ctrl-C in the supervisor's terminal reaches everybody in it; the supervisor decides what follows.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _set_up_logging()
    sys.argv = [arguments.spec]
    ready = Ready(arguments.ready_fd)
    try:
        tools = load(arguments.spec)
        asyncio.run(_serve(arguments, tools, ready))
    except LoadError as error:
        ready.fail(error.kind, error.message, error.traceback)
    except ListenError as error:
        ready.fail("listen", str(error))
    except BaseException as error:
        ready.fail("internal", f"{type(error).__name__}: {traces.text_of(error)}", traces.trimmed(error))
    _leave(1 if ready.failed else 0)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="snakepit_boot.py", description="Serves the tools of SPEC.")
    parser.add_argument("spec", metavar="SPEC", help="file.py, package.module, either with :Class")
    parser.add_argument("--worker-id", required=True)
    parser.add_argument("--listen", required=True, metavar="unix:PATH|tcp:HOST:PORT")
    parser.add_argument("--max-concurrent", type=_count, default=DEFAULT_CONCURRENCY)
    parser.add_argument("--ready-fd", type=int)
    parser.add_argument("--lifeline-fd", type=int)
    parser.add_argument("--session", help="the session it is registered for; for information")
    return parser.parse_args(argv)


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 1024:
        raise argparse.ArgumentTypeError("1 to 1024")
    return count


class ListenError(Exception):
    """The address could not be bound."""


class Ready:
    """The one line that the supervisor waits for."""

    def __init__(self, fd: int | None) -> None:
        self._fd = fd
        self.failed = False

    def tell(self, address: str) -> None:
        """The worker serves at `address`."""
        self._write({"ready": {"address": address, "pid": os.getpid()}})

    def fail(self, kind: str, message: str, traceback: str = "") -> None:
        """The worker cannot start. Also on stderr when there is nobody to tell any more."""
        self.failed = True
        if self._fd is None:
            sys.stderr.write(f"{message}\n{traceback}\n")
        self._write({"error": {"kind": kind, "message": message, "traceback": traceback}})

    def _write(self, message: dict[str, Any]) -> None:
        fd, self._fd = self._fd, None
        if fd is None:
            return
        data = (json.dumps(message) + "\n").encode()
        try:
            while data:
                data = data[os.write(fd, data) :]
            os.close(fd)
        except OSError:
            pass  # the supervisor is gone; the lifeline says so too


def _watch_lifeline(fd: int | None) -> None:
    if fd is None:
        return

    def watch() -> None:
        try:
            while os.read(fd, 64):
                pass
        except OSError:
            pass
        _leave(0)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _keep_from_children(*fds: int | None) -> None:
    """What a tool forks or starts must not hold our pipes, nor pass its signals on to us.

    A fork shares the loop's wakeup socket: a TERM that ends a child of a multiprocessing pool would arrive here.
    """
    for fd in fds:
        if fd is not None:
            os.set_inheritable(fd, False)

    masks = threading.local()

    def before() -> None:
        masks.old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def in_parent() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, masks.old)

    def in_child() -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # Only now: a TERM that came since the fork ends the child, and is not told to the loop.
        signal.pthread_sigmask(signal.SIG_SETMASK, masks.old)

    os.register_at_fork(before=before, after_in_parent=in_parent, after_in_child=in_child)


def _leave(code: int) -> None:
    """Ends the process whatever its threads do."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
    os._exit(code)


def _set_up_logging() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.getLogger("snakepit")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


async def _serve(arguments: argparse.Namespace, tools: dict[str, Tool], ready: Ready) -> None:
    service = Service(tools, arguments.worker_id, arguments.max_concurrent, channel.default_address())
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", channel.MAX_MESSAGE),
            ("grpc.max_send_message_length", channel.MAX_MESSAGE),
            ("grpc.so_reuseport", 0),
            ("grpc.http2.max_ping_strikes", 0),
            ("grpc.http2.min_ping_interval_without_data_ms", 1000),
        ]
    )
    server.add_generic_rpc_handlers((service.handler(),))
    address = _bind(server, arguments.listen)
    await server.start()
    told = _on_term()
    ready.tell(address)
    await told.wait()
    await service.drain(GRACE, LAST_WORDS)
    await server.stop(CLOSING)
    # What was written last is in gRPC's hands; its own thread needs a moment to send it.
    await asyncio.sleep(FLUSHING)
    await _cleaned_up(service)
    if address.startswith("unix:"):
        try:
            os.unlink(address[5:])
        except OSError:
            pass
    _leave(0)


async def _cleaned_up(service: Service) -> None:
    try:
        await asyncio.wait_for(asyncio.to_thread(service.runner.instances.cleanup), LAST_WORDS)
    except asyncio.TimeoutError:
        pass


def _bind(server: Any, listen: str) -> str:
    """Binds and gives the address as others dial it."""
    if listen.startswith("unix:"):
        # Only this user may connect.
        before = os.umask(0o177)
        try:
            _add_port(server, listen, listen)
        finally:
            os.umask(before)
        return listen
    if not listen.startswith("tcp:"):
        raise ListenError(f"cannot listen on `{listen}`: it is neither unix:PATH nor tcp:HOST:PORT")
    host = listen[4:].rpartition(":")[0]
    port = _add_port(server, listen[4:], listen)
    return f"{host}:{port}"


def _add_port(server: Any, target: str, listen: str) -> int:
    try:
        port = int(server.add_insecure_port(target))
    except Exception as error:
        raise ListenError(f"cannot listen on `{listen}`: {error}") from None
    if port == 0:
        raise ListenError(f"cannot listen on `{listen}`")
    return port


def _on_term() -> asyncio.Event:
    """Set by the first TERM; the second one ends the process at once."""
    told = asyncio.Event()

    def on_term() -> None:
        if told.is_set():
            _leave(143)
        told.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, on_term)
    return told
