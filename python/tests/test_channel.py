"""Addresses, and errors as they come over a channel."""

import asyncio

import grpc
import pytest

import snakepit as sp
from snakepit import channel, errors


@pytest.mark.parametrize(
    ("text", "target", "tls"),
    [
        ("unix:/a/b.sock", "unix:/a/b.sock", False),
        ("unix:///a/b.sock", "unix:/a/b.sock", False),
        ("localhost:50051", "localhost:50051", False),
        ("http://h:1", "h:1", False),
        ("https://h:65535/", "h:65535", True),
        ("[::1]:80", "[::1]:80", False),
    ],
)
def test_addresses(text, target, tls):
    assert channel.parse(text) == channel.Address(target, tls)


@pytest.mark.parametrize("text", ["", "unix:", "host", "host:", "host:0", "host:99999", ":80", "host:ab"])
def test_what_is_no_address(text):
    with pytest.raises(sp.ValidationError) as caught:
        channel.parse(text)
    assert caught.value.code == "E0806"


def test_socket_paths_are_limited_to_107_bytes():
    assert channel.parse("unix:" + "x" * 107)
    with pytest.raises(sp.ValidationError, match="107 bytes"):
        channel.parse("unix:" + "x" * 108)


def test_unix_channels_name_an_authority():
    assert ("grpc.default_authority", "localhost") in channel.options(channel.parse("unix:/x"))
    assert ("grpc.default_authority", "localhost") not in channel.options(channel.parse("h:1"))


def test_default_address(monkeypatch):
    monkeypatch.delenv("SNAKEPIT_ADDRESS", raising=False)
    monkeypatch.delenv("SNAKEPIT_NAME", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert channel.default_address() == "unix:/run/user/7/snakepit/default.sock"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    import os

    assert channel.default_address("x") == f"unix:/tmp/snakepit-{os.getuid()}/x.sock"
    monkeypatch.setenv("SNAKEPIT_ADDRESS", "h:1")
    assert channel.default_address() == "h:1"


def test_the_bridge_of_a_name(monkeypatch):
    monkeypatch.delenv("SNAKEPIT_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    monkeypatch.setenv("SNAKEPIT_NAME", "second")
    assert channel.default_address() == "unix:/run/user/7/snakepit/second.sock"
    assert channel.default_address("third") == "unix:/run/user/7/snakepit/third.sock"
    monkeypatch.setenv("SNAKEPIT_ADDRESS", "h:1")
    assert channel.default_address() == "h:1"
    assert channel.default_address("third") == "unix:/run/user/7/snakepit/third.sock"


@pytest.mark.parametrize("name", ["../x", ".x", "a/b", "x" * 65, "a b", "x\n"])
def test_what_is_no_name_of_a_bridge(name):
    with pytest.raises(sp.ValidationError, match="name of a bridge"):
        channel.default_address(name)


def test_connect_takes_the_name_of_a_bridge_and_the_address_before_it(system, monkeypatch, tmp_path):
    monkeypatch.delenv("SNAKEPIT_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "snakepit").mkdir()
    (tmp_path / "snakepit" / "second.sock").symlink_to(system.bridge.address[5:])

    async def session_id(**where):
        async with await sp.connect_async("named", **where) as ctx:
            return ctx.session_id

    where = [{"name": "second"}, {"name": "none", "address": system.bridge.address}]
    for one in where:
        with sp.connect("named", **one) as ctx:
            assert ctx.session_id == asyncio.run(session_id(**one)) == "named"
    monkeypatch.setenv("SNAKEPIT_NAME", "second")
    with sp.connect("named"), pytest.raises(sp.BridgeUnavailableError):
        sp.connect("named", name="none")


@pytest.mark.parametrize(
    "text", ["unix:/run/x.sock", "unix:", "127.0.0.1:50999", "localhost:1", "[::1]:80", "http://h", "https://h:1"]
)
def test_connect_refuses_an_address_in_the_place_of_the_session(text):
    with pytest.raises(ValueError, match="address=") as caught:
        sp.connect(text)
    assert text in str(caught.value)
    with pytest.raises(ValueError, match="address="):
        asyncio.run(sp.connect_async(text))


@pytest.mark.parametrize("text", ["exp1", "run:a", "a:b:c", "day:99999999", "http", "unix"])
def test_other_session_names_are_no_addresses(text):
    assert not channel.looks_like_address(text)


def test_a_session_may_look_like_an_address_beside_one(system):
    with sp.connect("user:42", system.bridge.address) as ctx:
        assert ctx.session_id == "user:42"


def test_no_bridge_says_what_to_do(tmp_path):
    with pytest.raises(sp.BridgeUnavailableError) as caught:
        sp.connect(address=f"unix:{tmp_path}/none.sock")
    assert "snakepit serve" in caught.value.hint
    assert caught.value.status == "UNAVAILABLE"


class Status(grpc.RpcError):
    def __init__(self, code, text, trailers=()):
        self._parts = code, text, trailers

    def code(self):
        return self._parts[0]

    def details(self):
        return self._parts[1]

    def trailing_metadata(self):
        return self._parts[2]


def test_statuses_of_other_bridges_are_told_by_text():
    missing = errors.from_rpc_error(Status(grpc.StatusCode.NOT_FOUND, "Variable not found: x"))
    assert isinstance(missing, sp.VariableNotFoundError)
    assert isinstance(missing, KeyError)
    session = errors.from_rpc_error(Status(grpc.StatusCode.NOT_FOUND, "Session not found: x"))
    assert isinstance(session, sp.SessionNotFoundError)
    broken = Status(grpc.StatusCode.ABORTED, "x", (("grpc-status-details-bin", b"\xff\xff"),))
    assert isinstance(errors.from_rpc_error(broken), sp.VersionConflictError)
    internal = errors.from_rpc_error(Status(grpc.StatusCode.INTERNAL, "x"))
    assert type(internal) is sp.SnakepitError
