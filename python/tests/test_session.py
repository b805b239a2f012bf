"""A session from the outside, through a bridge: a double of it, or the binary that SNAKEPIT_BIN names."""

import asyncio
import inspect
import sys
import traceback

import numpy as np
import pytest

import snakepit as sp
from snakepit import channel
from snakepit.wire import rpc


def test_values_are_written_read_and_registered(session):
    session["x"] = 0.5
    assert session["x"] == 0.5
    assert "x" in session
    assert "y" not in session
    first = session.set_variable("x", 0.6)
    assert session.set_variable("x", 0.7, expected_version=first) == first + 1
    assert session.get_variable("y", default=None) is None


def test_errors_are_of_their_kind(session):
    session.register_variable("lr", "float", 0.1, constraints={"min": 0.0, "max": 1.0})
    with pytest.raises(KeyError) as missing:
        session["nope"]
    assert isinstance(missing.value, sp.VariableNotFoundError)
    assert missing.value.code == "E0201"
    assert str(missing.value).startswith("[E0201] variable")
    with pytest.raises(ValueError, match="above maximum") as invalid:
        session["lr"] = 5.0
    assert isinstance(invalid.value, sp.ValidationError)
    assert invalid.value.code == "E0301"
    assert invalid.value.hint
    with pytest.raises(sp.VersionConflictError):
        session.set_variable("lr", 0.2, expected_version=99)
    with pytest.raises(sp.ConflictError):
        session.register_variable("lr", "float", 0.1)
    assert invalid.value.__cause__ is None
    assert invalid.value.__context__ is None


def test_declaring_twice_keeps_what_is_there(session):
    first = session.register_variable("n", None, 3, if_exists="keep")
    session["n"] = 4
    assert session.register_variable("n", None, 3, if_exists="keep") == first
    assert session["n"] == 4


def test_register_says_the_same_in_a_session_and_in_a_tool(session):
    first = session.register("alpha", 0.5, min=0, max=1)
    session["alpha"] = 0.25
    assert session.register("alpha", 0.5, min=0, max=1) == first
    assert session["alpha"] == 0.25
    with pytest.raises(sp.ValidationError, match="above maximum"):
        session["alpha"] = 2.0
    declared = [inspect.signature(cls.register) for cls in (sp.SessionContext, sp.AsyncSessionContext, sp.Context)]
    assert declared[0] == declared[1] == declared[2] == inspect.signature(sp.Context.aregister)


def test_variables_are_listed_over_pages(session):
    for name in "abcde":
        session.register_variable(name, "integer", ord(name))
    listed = session.list_variables()
    assert [one["name"] for one in listed] == list("abcde")
    assert [one["value"] for one in listed] == [97, 98, 99, 100, 101]
    session.delete_variable("c")
    assert "c" not in session


def test_a_session_is_iterated_over_the_names_of_its_variables(session):
    for name in "bac":
        session[name] = 1
    assert list(session) == ["a", "b", "c"]
    assert [session[name] for name in session] == [1, 1, 1]
    assert session.call_tool("names") == ["a", "b", "c"]


def test_an_async_session_is_iterated_with_async_for_only(system, session):
    session["a"] = 1

    async def main():
        async with await sp.connect_async(session.session_id, system.bridge.address) as ctx:
            with pytest.raises(TypeError, match="not iterable"):
                list(ctx)
            return [name async for name in ctx]

    assert asyncio.run(main()) == ["a"]


def test_strict_mode_registers_nothing(system, session):
    strict = sp.SessionContext(system.bridge.address, session.session_id, strict_mode=True)
    with strict, pytest.raises(sp.VariableNotFoundError):
        strict["new"] = 1
    with pytest.raises(sp.VariableNotFoundError):
        session.update_variable("new", 1)


def test_stubs_channels_and_addresses_are_taken(system, session):
    session["x"] = 1
    opened = channel.open_channel(system.bridge.address)
    for source in (opened, rpc.BridgeServiceStub(opened), system.bridge.address):
        with sp.SessionContext(source, session.session_id) as other:
            assert other["x"] == 1


def test_tools_are_called(session):
    assert session.call_tool("add", a=1, b=5) == 6
    with pytest.raises(sp.ToolError) as caught:
        session.call_tool("boom", text="why")
    assert (caught.value.tool, caught.value.type, caught.value.message) == ("boom", "ValueError", "why")
    assert "in boom" in caught.value.traceback
    with pytest.raises(sp.NotFoundError):
        session.call_tool("nope")


def test_a_failed_tool_is_told_by_name_type_and_code_with_its_traceback(system, session):
    async def fails():
        async with await sp.connect_async(session.session_id, system.bridge.address) as ctx:
            await ctx.call_tool("boom", text="why")

    for call in (lambda: session.call_tool("boom", text="why"), lambda: asyncio.run(fails())):
        with pytest.raises(sp.ToolError) as caught:
            call()
        error = caught.value
        assert str(error).splitlines()[0] == "[E0602] tool `boom` failed: ValueError: why"
        assert repr(error) == "ToolError('why', tool='boom', type='ValueError', code='E0602')"
        shown = "".join(traceback.format_exception(error))
        assert shown.count("in _inner") == 1
        assert shown.index("[E0602] tool `boom`") < shown.index("in _inner")


def test_a_tool_that_is_hinted_an_array_gets_one(session):
    assert session.call_tool("arrays", w=[[1, 2], [3, 4]]) == "ndarray (2, 2) int64 None"
    assert session.call_tool("arrays", w=np.ones((2, 3)), v=[1.5]) == "ndarray (2, 3) float64 [1.5]"
    assert (
        session.call_tool("arrays", w={"shape": [1, 2], "data": [1, 2], "dtype": "int8"}) == "ndarray (1, 2) int8 None"
    )
    assert session.call_tool("arrays", w=[1], v=None) == "ndarray (1,) int64 None"
    with pytest.raises(sp.ValidationError, match="`w`: the lists of a tensor are not all of one shape"):
        session.call_tool("arrays", w=[[1], [1, 2]])


def test_the_authors_own_tool_error_keeps_its_words(session):
    with pytest.raises(sp.ToolError) as caught:
        session.call_tool("fails_well")
    assert "tool `fails_well` failed: QuotaExceeded: quota" in str(caught.value)
    assert str(sp.ToolError("quota")) == "quota"


def test_where_there_are_no_notes_the_text_ends_with_the_remote_traceback(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 14))
    error = sp.ToolError("why", type="ValueError", tool="boom", code="E0602", traceback="in _inner")
    assert not hasattr(error, "__notes__")
    assert str(error) == "[E0602] tool `boom` failed: ValueError: why\nThe traceback in the tool:\nin _inner"
