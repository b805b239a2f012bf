"""The cache of a session: what it keeps, for how long, and who drops it."""

import asyncio
import threading
import time
from datetime import timedelta

import numpy as np
import pytest
from harness import Bridge

import snakepit as sp
from snakepit import cache, coherence
from snakepit.wire import bridge_pb2 as pb

#: How long a test waits for what comes within milliseconds.
PATIENCE = 10.0


def until(true, timeout=PATIENCE):
    """Waits until something is true; polls, because nobody tells a reader that a cache was told."""
    end = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


# --- by itself --------------------------------------------------------------------------------------------------


class Reply:
    def __init__(self, revision, epoch=1):
        self.revision, self.epoch = revision, epoch


def kept(name="x", type_name="float"):
    return pb.Variable(id=f"var_{name}_1", name=name, type=type_name)


def put(target, value, revision=1, name="x", mark=0, epoch=1):
    target.put(mark, name, kept(name), value, Reply(revision, epoch), lambda: value)


def test_entries_are_found_by_id_and_name_and_age(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(cache.time, "monotonic", lambda: now[0])
    target = cache.VariableCache(ttl=5.0)
    put(target, 1.0)
    assert (target.get("x"), target.get("var_x_1")) == (1.0, 1.0)
    now[0] = 104.999
    assert target.get("x") == 1.0
    now[0] = 105.0
    assert target.get("x") is cache.ABSENT
    assert target.stats() == cache.CacheStats(3, 1, 0, 0, 1, 5.0, False)
    assert target.stats().hit_rate == 0.75


def test_a_change_drops_every_key_of_a_variable():
    target = cache.VariableCache()
    put(target, 1.0)
    target.changed("var_x_1")
    assert target.get("x") is cache.ABSENT
    assert target.stats().invalidations == 1


def test_a_reply_that_a_change_overtook_is_not_kept():
    target = cache.VariableCache()
    put(target, 1.0, revision=5)
    target.changed("x", revision=7)
    put(target, 1.0, revision=6)
    assert target.get("x") is cache.ABSENT
    put(target, 2.0, revision=7)
    assert target.get("x") == 2.0


def test_of_two_replies_the_newer_one_stays():
    target = cache.VariableCache()
    put(target, 2.0, revision=7)
    put(target, 1.0, revision=6)
    assert target.get("x") == 2.0


def test_a_reply_that_was_asked_for_before_a_clear_is_not_kept():
    target = cache.VariableCache()
    mark = target.mark()
    target.clear()
    put(target, 1.0, mark=mark)
    assert target.get("x") is cache.ABSENT


def test_another_incarnation_of_the_session_starts_anew():
    target = cache.VariableCache()
    put(target, 1.0, revision=900)
    target.changed("y", revision=1000)
    put(target, 2.0, revision=1, name="z", epoch=2)
    assert target.get("x") is cache.ABSENT
    assert target.get("z") == 2.0


def test_entries_are_bounded(monkeypatch):
    monkeypatch.setattr(cache, "MAX_ENTRIES", 20)
    target = cache.VariableCache()
    for number in range(100):
        put(target, 1.0, name=f"x{number}")
    assert len(target._entries) == len(target._types) == 20
    assert target.get("x99") == 1.0
    assert target.get("x0") is cache.ABSENT
    assert target.stats().evictions == 180


def test_a_watch_vouches_for_old_entries_while_it_lives(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(cache.time, "monotonic", lambda: now[0])
    target = cache.VariableCache(ttl=5.0)
    put(target, 1.0)
    now[0] = 200.0
    target.vouch(5.0)
    assert target.get("x") == 1.0
    now[0] = 206.0
    assert target.get("x") is cache.ABSENT


# --- through a bridge ------------------------------------------------------------------------------------------


def test_reads_are_kept_and_own_writes_are_seen(ctx, other):
    ctx["x"] = 1
    assert (ctx["x"], ctx["x"]) == (1, 1)
    other["x"] = 2
    assert ctx["x"] == 1
    assert ctx.get_variable("x", bypass_cache=True) == 2
    assert ctx["x"] == 2
    ctx["x"] = 3
    assert ctx["x"] == 3
    ctx.update_variables({"x": 4})
    assert ctx["x"] == 4
    ctx.delete_variable("x")
    assert "x" not in ctx
    assert ctx.cache_stats().hits >= 2


def test_a_lost_compare_and_set_makes_the_next_read_new(ctx, other):
    ctx["x"] = 1
    assert ctx["x"] == 1
    version = other.set("x", 2)
    with pytest.raises(sp.VersionConflictError):
        ctx.set("x", 3, expected_version=version - 1)
    assert ctx["x"] == 2


def test_ttl_can_be_set_and_the_cache_cleared(ctx, other):
    ctx["x"] = 1
    assert ctx["x"] == 1
    other["x"] = 2
    ctx.clear_cache()
    assert ctx["x"] == 2
    other["x"] = 3
    ctx.set_cache_ttl(timedelta(0))
    assert ctx["x"] == 3
    other["x"] = 4
    assert ctx["x"] == 4
    ctx.set_cache_ttl(60)
    assert (ctx.cache_stats().ttl, ctx["x"]) == (60.0, 4)
    assert ctx.cache_stats().size == 1


def test_what_a_reader_does_to_a_value_does_not_reach_the_next(ctx):
    ctx["l"], ctx["t"] = [1, 2], np.arange(3.0)
    for _ in range(3):
        ctx["l"].append(9)
        ctx["t"][0] = 9
    assert ctx["l"] == [1, 2]
    assert ctx["t"][0] == 0
    assert ctx.cache_stats().hits >= 6


def test_listing_fills_the_cache(ctx):
    ctx["x"] = 1
    ctx.list_variables()
    before = ctx.cache_stats().hits
    assert ctx["x"] == 1
    assert ctx.cache_stats().hits == before + 1


@pytest.fixture
def watched(bridge, named):
    with sp.connect(session=named, address=bridge.address, coherent=True, cache_ttl=3600) as opened:
        assert opened.wait_coherent(PATIENCE)
        yield opened


def test_a_watch_drops_what_others_change(watched, other):
    other["x"] = 1
    for value in range(2, 30):
        watched["x"]
        other["x"] = value
        until(lambda: watched["x"] == value)  # noqa: B023
    other.delete_variable("x")
    until(lambda: "x" not in watched)
    other["x"] = "text"
    until(lambda: watched.get_variable("x", default=None) == "text")
    stats = watched.cache_stats()
    assert stats.coherent
    assert stats.invalidations >= 28


def test_a_watch_keeps_entries_that_nobody_changes(watched, other):
    other["x"], other["y"] = 1, 1
    assert watched["x"] == 1
    until(lambda: watched.cache_stats().size == 1)
    before = watched.cache_stats().misses
    for value in range(50):
        other["y"] = value
        assert watched["x"] == 1
    assert watched.cache_stats().misses - before <= 1


def test_readers_of_a_watched_cache_never_go_back(watched, other):
    other["x"] = 0
    stop, wrong = threading.Event(), []

    def read():
        last = 0
        while not stop.is_set():
            seen = watched["x"]
            if seen < last:
                wrong.append((last, seen))
            last = seen

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for value in range(1, 100):
        other["x"] = value
    until(lambda: watched["x"] == 99)
    stop.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert not wrong


def test_a_watch_comes_back_after_the_bridge_did(monkeypatch):
    if "SNAKEPIT_BIN" not in __import__("os").environ:
        pytest.skip("needs the binary in SNAKEPIT_BIN")
    monkeypatch.setattr(coherence, "BACKOFF", (0.01, 0.1))
    first = Bridge()
    with sp.connect(session="s", address=first.address, coherent=True, cache_ttl=0.05) as ctx:
        assert ctx.wait_coherent(PATIENCE)
        ctx["x"] = 1
        assert ctx["x"] == 1
        first.process.kill()
        first.process.wait()
        until(lambda: not ctx.cache_stats().coherent)
        second = Bridge(first.address)
        until(lambda: _answers(ctx))
        ctx["x"] = 2
        assert ctx.wait_coherent(PATIENCE)
        assert ctx["x"] == 2
        with sp.connect(session="s", address=first.address) as other:
            other["x"] = 3
        until(lambda: ctx["x"] == 3)
    second.close()
    first.close()


def _answers(ctx):
    try:
        ctx.initialize()
    except sp.BridgeUnavailableError:
        return False
    return True


def test_closing_ends_the_thread(bridge, named):
    ctx = sp.connect(session=named, address=bridge.address, coherent=True)
    assert ctx.wait_coherent(PATIENCE)
    ctx.close()
    until(lambda: not any(named in thread.name for thread in threading.enumerate()))


def test_a_context_that_is_forgotten_ends_its_thread(bridge, named):
    ctx = sp.connect(session=named, address=bridge.address, coherent=True)
    assert ctx.wait_coherent(PATIENCE)
    del ctx
    until(lambda: not any(named in thread.name for thread in threading.enumerate()))


def test_an_async_watch_drops_what_others_change(bridge, named, other):
    async def main():
        async with await sp.connect_async(session=named, address=bridge.address, coherent=True, cache_ttl=3600) as ctx:
            assert await ctx.wait_coherent(PATIENCE)
            for value in range(20):
                other["x"] = value
                end = time.monotonic() + PATIENCE
                while await ctx.get("x", default=None) != value:
                    assert time.monotonic() < end
                    await asyncio.sleep(0.001)
            assert ctx.cache_stats().coherent
        return [task.get_name() for task in asyncio.all_tasks()]

    assert not any("snakepit-watch" in name for name in asyncio.run(main()))
