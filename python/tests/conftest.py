"""Fixtures: a worker of the tests' tools, and a bridge with that worker behind it."""

import os
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

from harness import DATA, Bridge, BridgeDouble, RealBridge, Worker

import snakepit as sp


@pytest.fixture(scope="module")
def worker():
    """A worker of data/kit.py without a bridge."""
    with Worker(DATA / "kit.py") as started:
        yield started


class System:
    """A bridge, real or doubled, with a worker of data/kit.py; `real` says which."""

    def __init__(self, concurrent=16, real="SNAKEPIT_BIN" in os.environ):
        self.real = real
        if self.real:
            self.bridge = RealBridge(DATA / "kit.py", concurrent)
        else:
            self.bridge = BridgeDouble()
            self.bridge.worker = Worker(DATA / "kit.py", bridge=self.bridge.address, concurrent=concurrent)

    def session(self, name):
        """A session of its own for a test."""
        return sp.connect(session=name, address=self.bridge.address)

    def close(self):
        if not self.real:
            self.bridge.worker.close()
        self.bridge.close()


@pytest.fixture(scope="module")
def system():
    """A bridge with a worker that takes 16 calls at once."""
    started = System()
    yield started
    started.close()


@pytest.fixture(scope="module")
def narrow_system():
    """A bridge with a worker that takes one call at once."""
    started = System(concurrent=1)
    yield started
    started.close()


@pytest.fixture(scope="module")
def doubled_system():
    """The double, whatever SNAKEPIT_BIN says: for tests that look at what was sent."""
    started = System(real=False)
    yield started
    started.close()


@pytest.fixture
def doubled_session(doubled_system, request):
    """A session named after the test, of the double."""
    with doubled_system.session(request.node.name) as opened:
        yield opened


@pytest.fixture
def session(system, request):
    """A session named after the test."""
    with system.session(request.node.name) as opened:
        yield opened


@pytest.fixture
def narrow_session(narrow_system, request):
    """A session named after the test, on the worker that takes one call at once."""
    with narrow_system.session(request.node.name) as opened:
        yield opened


@pytest.fixture(scope="session")
def bridge():
    """A bridge of the binary, which these tests need."""
    if "SNAKEPIT_BIN" not in os.environ:
        pytest.skip("needs the binary in SNAKEPIT_BIN")
    started = Bridge()
    yield started
    started.close()


@pytest.fixture
def named(request):
    """A name for a session of the test's own."""
    return request.node.name[:200]


@pytest.fixture
def ctx(bridge, named):
    """A session of a real bridge, with the cache as it is by default."""
    with sp.connect(session=named, address=bridge.address) as opened:
        yield opened


@pytest.fixture
def other(bridge, named):
    """Somebody else in the same session, who keeps nothing."""
    with sp.connect(session=named, address=bridge.address, cache_ttl=0) as opened:
        yield opened
