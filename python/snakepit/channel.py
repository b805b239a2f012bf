"""Addresses of bridges and channels to them, sync and async.

An address is `unix:PATH`, `HOST:PORT`, `http://HOST:PORT` or `https://HOST:PORT`. A channel connects lazily: making
one costs nothing and cannot fail because nobody listens.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

import grpc

from snakepit.errors import ValidationError

#: The largest message in bytes, in either direction.
MAX_MESSAGE = 64 * 1024 * 1024
#: The longest wait in milliseconds before a lost bridge is dialled again.
MAX_RECONNECT_MS = 2_000
#: The environment variable that says where the bridge is.
ADDRESS_VARIABLE = "SNAKEPIT_ADDRESS"
#: The environment variable that names the bridge of this machine, as `snakepit serve --name` does.
NAME_VARIABLE = "SNAKEPIT_NAME"
#: A unix socket's path has at most so many bytes (Linux).
MAX_SOCKET_PATH = 107
_BRIDGE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Address:
    """Where a bridge or worker listens: `target` as gRPC takes it, and whether TLS is spoken there."""

    target: str
    tls: bool = False

    @property
    def is_unix(self) -> bool:
        """True for a unix socket."""
        return self.target.startswith("unix:")


def runtime_dir() -> str:
    """The directory of this user's sockets: `$XDG_RUNTIME_DIR/snakepit`, else `/tmp/snakepit-<uid>`."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    return os.path.join(base, "snakepit") if os.path.isabs(base) else f"/tmp/snakepit-{os.getuid()}"


def default_address(name: str | None = None) -> str:
    """The address in force: the socket of the bridge called `name`; without one SNAKEPIT_ADDRESS, else the socket of
    the bridge that SNAKEPIT_NAME names, else of `default`. The command line chooses in the same order.

    Raises `ValidationError` (E1104) for what cannot be the name of a bridge.
    """
    if not name and (address := os.environ.get(ADDRESS_VARIABLE)):
        return address
    chosen = name or os.environ.get(NAME_VARIABLE) or "default"
    if not _BRIDGE_NAME.fullmatch(chosen):
        raise ValidationError(
            f"`{chosen}` cannot be the name of a bridge",
            code="E1104",
            hint="a name is 1 to 64 letters, digits, `-`, `_` or `.`, and does not begin with `.`",
        )
    return f"unix:{os.path.join(runtime_dir(), chosen + '.sock')}"


def parse(address: str) -> Address:
    """Reads an address. Raises `ValidationError` (E0806) for one that is none."""
    text = address.strip()
    if text.startswith("unix:"):
        return _unix(text[5:], address)
    for scheme, tls in (("http://", False), ("https://", True)):
        if text.startswith(scheme):
            return Address(_host_port(text[len(scheme) :].rstrip("/"), address), tls)
    return Address(_host_port(text, address))


def looks_like_address(text: str) -> bool:
    """Whether a text is meant as an address: it has one's scheme, or is `HOST:PORT`."""
    if text.startswith(("unix:", "http://", "https://")):
        return True
    try:
        parse(text)
    except ValidationError:
        return False
    return True


def _unix(path: str, address: str) -> Address:
    path = path[2:] if path.startswith("//") else path
    if not path:
        raise _bad(address, "it names no path")
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise _bad(address, f"a socket's path has at most {MAX_SOCKET_PATH} bytes")
    return Address(f"unix:{path}")


def _host_port(text: str, address: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host:
        raise _bad(address, "it has no port")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise _bad(address, f"`{port}` is no port")
    return text


def _bad(address: str, why: str) -> ValidationError:
    return ValidationError(
        f"invalid address `{address}`: {why}",
        code="E0806",
        hint="an address is unix:PATH, HOST:PORT, http://HOST:PORT or https://HOST:PORT",
    )


def options(address: Address, alone: bool = False) -> list[tuple[str, Any]]:
    """The channel options for an address. One that is `alone` shares its connection with no other channel."""
    chosen: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", MAX_MESSAGE),
        ("grpc.max_send_message_length", MAX_MESSAGE),
        ("grpc.http2.bdp_probe", 1),
        ("grpc.http2.lookahead_bytes", 1024 * 1024),
        # A bridge that was restarted is found again at once, not after grpc's two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_MS),
    ]
    if alone:
        chosen.append(("grpc.use_local_subchannel_pool", 1))
    if address.is_unix:
        # grpcio would send the percent-encoded path as :authority, which h2 refuses.
        chosen.append(("grpc.default_authority", "localhost"))
    return chosen


def open_channel(address: str | None = None, alone: bool = False) -> Any:
    """A sync channel to an address, by default `default_address()`. Threads may share it."""
    parsed = parse(address or default_address())
    if parsed.tls:
        return grpc.secure_channel(parsed.target, grpc.ssl_channel_credentials(), options(parsed, alone))
    return grpc.insecure_channel(parsed.target, options(parsed, alone))


def open_async_channel(address: str | None = None, alone: bool = False) -> Any:
    """A `grpc.aio` channel to an address; it belongs to the event loop that runs now."""
    parsed = parse(address or default_address())
    if parsed.tls:
        return grpc.aio.secure_channel(parsed.target, grpc.ssl_channel_credentials(), options(parsed, alone))
    return grpc.aio.insecure_channel(parsed.target, options(parsed, alone))
