"""What a session's variables do from Python, sync and async alike: every form of reading and writing."""

import asyncio
import inspect

import numpy as np
import pytest

import snakepit as sp


class Bare:
    """The async context as if it were sync, so that one test says what both do."""

    def __init__(self, loop, context):
        self._loop = loop
        self._context = context

    def __getattr__(self, name):
        found = getattr(self._context, name)
        if not inspect.iscoroutinefunction(found):
            return found
        return lambda *args, **more: self._loop.run_until_complete(found(*args, **more))

    def __getitem__(self, name):
        return self._loop.run_until_complete(self._context[name])

    def __contains__(self, name):
        return self.contains(name)


@pytest.fixture(params=["sync", "async"])
def any_ctx(request, bridge, named):
    """A session in either form."""
    options = {"session": named, "address": bridge.address}
    if request.param == "sync":
        with sp.connect(**options) as opened:
            yield opened
        return
    loop = asyncio.new_event_loop()

    async def opened():
        return await sp.connect_async(**options)

    context = loop.run_until_complete(opened())
    yield Bare(loop, context)
    loop.run_until_complete(context.close())
    loop.close()


VALUES = [
    ("float", 0.5, 0.25),
    ("integer", 5, 10**40),
    ("string", "é 世界 😀", ""),
    ("boolean", True, False),
    ("choice", "red", "blue"),
    ("module", "dspy.Predict", "a.b.C"),
    ("map", {"a": [1, None, {"b": 2.5}]}, {}),
    ("list", [1, "two", [3.0]], []),
]


@pytest.mark.parametrize(("type_name", "first", "second"), VALUES)
def test_what_goes_in_comes_out(any_ctx, type_name, first, second):
    any_ctx.register_variable("x", type_name, first)
    for value in (first, second):
        any_ctx.set("x", value)
        for read in (any_ctx["x"], any_ctx.get_variable("x", bypass_cache=True), any_ctx.get_variables(["x"])["x"]):
            assert read == value
            assert type(read) is type(value)
    described = any_ctx.list_variables("x")[0]
    assert (described["type"], described["value"], described["version"]) == (type_name, second, 2)


@pytest.mark.parametrize("type_name", ["embedding", "tensor"])
@pytest.mark.parametrize("size", [1280, 1281, 20_000])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_of_every_size_come_back_as_arrays_of_ones_own(any_ctx, other, type_name, size, dtype):
    sent = np.arange(size, dtype=dtype) / 3
    any_ctx.register_variable("x", type_name, sent)
    any_ctx.set("x", sent)
    for reader in (any_ctx, any_ctx, other):
        read = reader["x"]
        assert isinstance(read, np.ndarray)
        assert np.array_equal(read, sent.astype(read.dtype))
        assert read.dtype == ("float64" if type_name == "embedding" else dtype)
        read[:] = 0  # whoever reads gets a copy that is theirs
    assert other.list_variables()[0]["value"][1] == sent[1]


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"]
)
@pytest.mark.parametrize("shape", [(2, 3), (0, 4), (), (64, 64, 3)])
def test_tensors_keep_shape_and_dtype(ctx, other, dtype, shape):
    sent = (np.random.default_rng(7).random(shape) * 100).astype(dtype)
    ctx.register_variable("t", "tensor", sent)
    read = other["t"]
    assert (read.shape, read.dtype) == (sent.shape, sent.dtype)
    assert np.array_equal(read, sent)


def test_orders_and_byte_orders_of_arrays_do_not_matter(ctx):
    plain = np.arange(4096, dtype="float64").reshape(64, 64)
    ctx["t"] = plain
    for form in (np.asfortranarray(plain), plain.astype(">f8"), plain.T.copy().T, plain[::1, ::1]):
        ctx["t"] = form
        assert np.array_equal(ctx["t"], plain)


def test_special_floats(any_ctx):
    any_ctx.declare("x", 0.0)
    for special in (float("inf"), float("-inf"), -0.0):
        any_ctx.set("x", special)
        assert repr(any_ctx["x"]) == repr(special)
    any_ctx.set("x", float("nan"))
    assert any_ctx["x"] != any_ctx["x"]
    any_ctx.declare("t", np.array([np.nan, np.inf, 1.0]))
    assert np.isnan(any_ctx["t"][0])


def test_lists_set_arrays_and_arrays_set_lists_whatever_is_known_here(ctx, other):
    ctx.register_variable("t", "tensor", np.zeros((2, 2), "float32"))
    ctx.register_variable("e", "embedding", [0.0, 0.0])
    ctx.declare("l", [0])
    for writer in (ctx, other):
        writer["t"] = [[1, 2], [3, 4]]
        writer["e"] = (1, 2)
        writer["l"] = np.array([1, 2])
        assert ctx.get_variable("t", bypass_cache=True).tolist() == [[1, 2], [3, 4]]
        assert ctx.get_variable("e", bypass_cache=True).tolist() == [1, 2]
        assert ctx.get_variable("l", bypass_cache=True) == [1, 2]
    assert other.update_variables({"t": [[5, 6], [7, 8]], "e": [5, 6], "l": np.array([9])}, atomic=True).ok
    assert ctx.get_variable("t", bypass_cache=True).tolist() == [[5, 6], [7, 8]]


def test_numpy_scalars_are_numbers(any_ctx):
    any_ctx.declare("f", np.float32(0.5))
    any_ctx.declare("i", np.int64(5))
    any_ctx.declare("b", np.bool_(True))
    assert [one["type"] for one in any_ctx.list_variables()] == ["boolean", "float", "integer"]
    assert (any_ctx["f"], any_ctx["i"], any_ctx["b"]) == (0.5, 5, True)


def test_declare_may_run_twice(any_ctx):
    first = any_ctx.declare("rate", 0.1, min=0.0, max=1.0)
    any_ctx.set("rate", 0.5)
    assert any_ctx.declare("rate", 0.1, min=0.0, max=1.0) == first
    assert any_ctx["rate"] == 0.5
    with pytest.raises(sp.VariableExistsError) as differs:
        any_ctx.declare("rate", 0.1, min=0.0, max=2.0)
    assert differs.value.code == "E0204"
    any_ctx.declare("rate", 0.1, if_exists="update", max=2.0)
    assert any_ctx["rate"] == 0.5
    any_ctx.declare("rate", 0.1, if_exists="reset", max=3.0)
    assert any_ctx["rate"] == 0.1
    assert any_ctx.list_variables()[0]["constraints"] == {"max": 3.0}
    with pytest.raises(sp.VariableExistsError) as taken:
        any_ctx.register_variable("rate", "float", 0.1)
    assert taken.value.code == "E0202"
    with pytest.raises(sp.ValidationError, match="if_exists"):
        any_ctx.declare("rate", 0.1, if_exists="whatever")


def test_expected_versions(any_ctx):
    any_ctx.declare("n", 1)
    version = any_ctx.set("n", 2, expected_version=0)
    assert version == 1
    for write in (
        lambda: any_ctx.set("n", 3, expected_version=0),
        lambda: any_ctx.update_variable("n", 3, expected_version=0),
    ):
        with pytest.raises(sp.VersionConflictError, match="version_mismatch") as lost:
            write()
        assert lost.value.code == "E0401"
        assert lost.value.status == "ABORTED"
    assert any_ctx["n"] == 2


def test_errors_carry_code_and_hint(any_ctx):
    any_ctx.declare("n", 1, max=5)
    for action, cls, base, code in (
        (lambda: any_ctx["nope"], sp.VariableNotFoundError, KeyError, "E0201"),
        (lambda: any_ctx.delete_variable("nope"), sp.VariableNotFoundError, KeyError, "E0201"),
        (lambda: any_ctx.set("n", 9), sp.ValidationError, ValueError, "E0301"),
        (lambda: any_ctx.set("n", "a"), sp.ValidationError, ValueError, "E0302"),
        (lambda: any_ctx.register_variable("y", "colour", 1), sp.ValidationError, ValueError, "E0303"),
        (lambda: any_ctx.declare("y", 1, shape=[1]), sp.ValidationError, ValueError, "E0304"),
        (lambda: any_ctx.declare("a b", 1), sp.ValidationError, ValueError, "E0203"),
        (lambda: any_ctx.declare("y", None), sp.ValidationError, ValueError, "E0303"),
        (lambda: any_ctx.declare("y", object()), sp.ValueEncodeError, TypeError, ""),
        (lambda: any_ctx.get_variables(["n", "p", "q"]), sp.VariableNotFoundError, KeyError, "E0201"),
    ):
        with pytest.raises(cls) as caught:
            action()
        assert isinstance(caught.value, base)
        assert isinstance(caught.value, sp.SnakepitError)
        assert caught.value.code == code, caught.value
        assert caught.value.hint or code in ("E0301", "E0302", "E0304", "E0203"), caught.value
    assert "`p`, `q`" in str(caught.value)


def test_a_session_that_ended_is_told(any_ctx):
    any_ctx.declare("n", 1)
    assert any_ctx.cleanup() >= 1
    with pytest.raises(sp.SessionNotFoundError) as gone:
        any_ctx["n"]
    assert gone.value.code == "E0101"
    assert any_ctx.cleanup() == 0


def test_batches_write_what_they_can_and_say_what_they_could_not(any_ctx):
    any_ctx.declare("a", 1, max=10)
    any_ctx.declare("b", 1)
    done = any_ctx.update_variables({"a": 99, "b": 2, "nope": 3})
    assert done["b"] is True
    assert "above maximum" in done["a"]
    assert "not found" in done["nope"]
    assert done.versions == {"b": 1}
    assert isinstance(done.errors["a"], sp.ValidationError)
    assert isinstance(done.errors["nope"], sp.VariableNotFoundError)
    assert not done.ok
    assert any_ctx.get_variables(["b", "a", "c"], default=0) == {"b": 2, "a": 1, "c": 0}
    assert list(any_ctx.get_variables(["b", "a"])) == ["b", "a"]


def test_atomic_batches_are_all_or_nothing(any_ctx):
    any_ctx.declare("a", 1, max=10)
    any_ctx.declare("b", 1)
    with pytest.raises(sp.ValidationError, match="nothing was written") as refused:
        any_ctx.update_variables({"a": 99, "b": 2}, atomic=True)
    assert isinstance(refused.value, sp.BatchError)
    assert list(refused.value.errors) == ["a"]
    assert any_ctx["b"] == 1
    done = any_ctx.update_variables({"a": 2, "b": 2}, atomic=True, expected_versions={"a": 0})
    assert done == {"a": True, "b": True}
    with pytest.raises(sp.VersionConflictError) as lost:
        any_ctx.update_variables({"a": 3, "b": 3}, atomic=True, expected_versions={"a": 0})
    assert isinstance(lost.value, sp.BatchError)
    assert any_ctx["b"] == 2


def test_batch_blocks(ctx):
    ctx.declare("a", 1, max=10)
    ctx.declare("b", 1)
    with ctx.batch_updates() as batch:
        batch["a"], batch["b"] = 2, 2
        assert ctx["a"] == 1
    assert (ctx["a"], ctx["b"]) == (2, 2)
    assert batch.result.ok
    with pytest.raises(RuntimeError, match="mine"), ctx.batch_updates() as batch:
        batch["a"] = 3
        raise RuntimeError("mine")
    assert ctx["a"] == 2
    with pytest.raises(sp.BatchError, match="the others were written"), ctx.batch_updates() as batch:
        batch["a"], batch["b"] = 99, 3
    assert (ctx["a"], ctx["b"]) == (2, 3)
    with pytest.raises(sp.BatchError), ctx.batch_updates(atomic=True) as batch:
        batch["b"] = 4
        batch.set("a", 4, expected_version=0)
    assert ctx["b"] == 3


def test_async_batch_blocks(bridge, named):
    async def main():
        async with await sp.connect_async(session=named, address=bridge.address) as ctx:
            await ctx.declare("a", 1, max=10)
            async with ctx.batch_updates() as batch:
                batch["a"] = 2
            with pytest.raises(sp.BatchError):
                async with ctx.batch_updates() as batch:
                    batch["a"] = 99
            proxy = ctx.variable("a")
            await proxy.set(3)
            assert ctx.variable("a") is proxy
            return await proxy.get(), await ctx.v.a, await ctx["a"]

    assert asyncio.run(main()) == (3, 3, 3)


def test_namespace_and_proxies(ctx):
    ctx.v.rate = 0.1
    assert (ctx.v.rate, ctx["rate"]) == (0.1, 0.1)
    assert "rate" in ctx.v
    assert dir(ctx.v) == ["rate"]
    assert not hasattr(ctx.v, "speed")
    assert getattr(ctx.v, "speed", 3) == 3
    with pytest.raises(sp.VariableNotFoundError):
        _ = ctx.v.speed
    proxy = ctx.variable("rate")
    proxy.value = 0.2
    assert proxy.value == 0.2
    assert repr(proxy) == "<Variable rate=0.2>"
    assert ctx.variable("rate") is proxy
    del ctx["rate"]
    assert "rate" not in ctx
    assert "not found" in repr(proxy)


def test_a_view_does_not_keep_its_session_alive(bridge, named):
    proxy = sp.connect(session=named, address=bridge.address).variable("x")
    with pytest.raises(RuntimeError, match="SessionContext has been destroyed"):
        _ = proxy.value


def test_strict_mode_holds_in_every_form(bridge, named):
    with sp.connect(session=named, address=bridge.address, strict_mode=True) as ctx:
        for write in (
            lambda: ctx.__setitem__("x", 1),
            lambda: setattr(ctx.v, "x", 1),
            lambda: setattr(ctx.variable("x"), "value", 1),
            lambda: ctx.set("x", 1),
            lambda: ctx.update_variable("x", 1),
        ):
            with pytest.raises(sp.VariableNotFoundError):
                write()
        with pytest.raises(sp.VariableNotFoundError), ctx.batch_updates() as batch:
            batch["x"] = 1
        assert ctx.list_variables() == []
        ctx.declare("x", 1)
        ctx.v.x = 2
        assert ctx["x"] == 2


def test_inferred_integers_take_floats(ctx):
    ctx["x"] = 1
    ctx["x"] = 1.5
    assert ctx["x"] == 1.5
    ctx.register_variable("y", "integer", 1)
    with pytest.raises(sp.ValidationError):
        ctx["y"] = 1.5


def test_a_variable_may_come_back_with_another_type(ctx, other):
    ctx.set_cache_ttl(0)
    for value in (1.5, 7, "text", True, [1, 2], 2.5):
        other["x"] = value
        for _ in range(3):
            assert ctx["x"] == value
            assert type(ctx["x"]) is type(value)
        other.delete_variable("x")
        with pytest.raises(sp.VariableNotFoundError):
            ctx["x"]
    other["x"] = np.ones(3000)
    assert ctx["x"].sum() == 3000


def test_ids_serve_as_names(ctx):
    made = ctx.declare("x", 1)
    ctx[made] = 2
    assert (ctx["x"], ctx[made]) == (2, 2)
    assert ctx.get_variables([made]) == {made: 2}
    ctx.delete_variable(made)
    assert "x" not in ctx


def test_lists_are_paged_and_matched(ctx):
    with ctx.batch_updates():
        for number in range(30):
            ctx.declare(f"layer{number:02}.rate", 0.1)
    assert len(ctx.list_variables()) == 30
    assert [one["name"] for one in ctx.list_variables("layer0?.*")] == [f"layer0{n}.rate" for n in range(10)]


def test_sync_and_async_have_one_surface():
    def surface(cls):
        found = {}
        for name, member in inspect.getmembers(cls):
            if not name.startswith("_"):
                is_method = inspect.isfunction(member)
                found[name] = list(inspect.signature(member).parameters.items()) if is_method else None
        return found

    sync, loop = surface(sp.SessionContext), surface(sp.AsyncSessionContext)
    assert loop.pop("contains")
    for only_sync in ("use", "raises_in_batches", "reads_lists"):
        sync.pop(only_sync)
    # A property cannot be awaited.
    sync.pop("elixir_tools"), loop.pop("elixir_tools")
    assert sync == loop


def test_connect_takes_the_address_and_session_of_the_environment(bridge, named, monkeypatch):
    monkeypatch.setenv("SNAKEPIT_ADDRESS", bridge.address)
    monkeypatch.setenv("SNAKEPIT_SESSION", named)
    with sp.connect() as ctx:
        assert ctx.session_id == named
        ctx["x"] = 1
    with sp.connect() as again:
        assert again["x"] == 1


def test_named_sessions_never_expire_and_ids_get_the_default(bridge, named):
    from snakepit.wire import bridge_pb2 as pb

    with sp.connect(session=named, address=bridge.address) as ctx:
        assert ctx.stub.GetSession(pb.GetSessionRequest(session_id=named)).ttl_seconds == -1
    made_up = sp.SessionContext(bridge.address, named + "-id")
    made_up.initialize()
    assert made_up.stub.GetSession(pb.GetSessionRequest(session_id=named + "-id")).ttl_seconds == 3600
    made_up.close()


def test_a_context_takes_an_address_a_channel_or_a_stub(bridge, named):
    from snakepit import channel
    from snakepit.wire import rpc

    opened = channel.open_channel(bridge.address)
    for source in (bridge.address, opened, rpc.BridgeServiceStub(opened)):
        with sp.SessionContext(source, named) as ctx:
            ctx.initialize()
            ctx["x"] = 1
            assert ctx["x"] == 1
    opened.close()
