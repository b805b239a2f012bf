"""The cases that Rust and Python agree on, byte for byte: tests/data/values.jsonl, made by scripts/value-vectors.

Python's encoder has to write what the file says, its decoder has to read it, and the bridge has to give it back.
"""

import base64
import collections
import json

import pytest
from google.protobuf import any_pb2
from harness import ROOT

import snakepit as sp
from snakepit import arrays, errors, values
from snakepit.wire import bridge_pb2 as pb

VECTORS = ROOT.parent / "tests" / "data" / "values.jsonl"
CASES = [json.loads(line) for line in VECTORS.read_text().splitlines()] if VECTORS.exists() else []
TYPES = ["float", "integer", "string", "boolean", "choice", "module", "embedding", "tensor", "map", "list"]
#: Types whose text is one token: nothing about it is a matter of spacing.
SCALARS = TYPES[:6]

pytestmark = pytest.mark.skipif(not CASES, reason="run scripts/value-vectors")


def of(type_name, *, ok):
    found = [case for case in CASES if case["type"] == type_name and case["ok"] is ok]
    assert found
    return found


def compact(text):
    """The one way to write a JSON text: no spacing, no needless escapes, the shortest digits of a float."""
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")).encode()


def url(case):
    return values.PREFIX + case["type"] + (".binary" if "payload" in case else "")


def value_of(case):
    """The Python value that a case sends."""
    if "payload" in case:
        message = any_pb2.Any(type_url=url(case), value=case["text"].encode())
        return values.unpack(message, base64.b64decode(case["payload"]))
    return json.loads(case["text"])


def is_changed_by_rules(case):
    return "normalize" in case["constraints"]


@pytest.mark.parametrize("type_name", TYPES)
def test_python_writes_what_the_file_says(type_name):
    for case in of(type_name, ok=True):
        if is_changed_by_rules(case):
            continue
        value, wanted = value_of(case), compact(case["out"])
        if isinstance(value, dict) and type_name == "tensor" and "dtype" not in value:
            # Nobody named a dtype: it is left to the bridge, which takes float64 or what a constraint says.
            without = {key: item for key, item in json.loads(wanted).items() if key != "dtype"}
            wanted = json.dumps(without, separators=(",", ":")).encode()
        assert values.encode(value, type_name).value == wanted, case
        if type_name in arrays.ARRAY_TYPES and "out_payload" in case and type_name != "embedding":
            assert arrays.read_block(value, type_name).raw() == base64.b64decode(case["out_payload"]), case


@pytest.mark.parametrize("type_name", TYPES)
def test_python_reads_what_it_wrote(type_name):
    for case in of(type_name, ok=True):
        message = any_pb2.Any(type_url=values.PREFIX + type_name, value=case["out"].encode())
        read = values.unpack(message)
        assert values.encode(read, type_name).value == compact(case["out"]), case


def test_python_refuses_broken_payloads():
    refused = [case for case in CASES if not case["ok"] and "payload" in case and case["code"] == "E0305"]
    assert len(refused) >= 4
    for case in refused:
        with pytest.raises(errors.ValidationError) as caught:
            value_of(case)
        assert caught.value.code == "E0305"
        form = json.loads(case["text"])["binary_format"]
        assert form == "raw" or form in str(caught.value)


def test_the_bridge_gives_back_what_the_file_says(bridge, named):
    """Every case through the wire, as JSON and as Python reads it; prints the counts."""
    counts = collections.Counter()
    with sp.connect(session=named, address=bridge.address, cache_ttl=0) as ctx:
        for number, case in enumerate(CASES):
            name, type_name = f"x{number}", case["type"]
            request = pb.RegisterVariableRequest(
                session_id=named,
                name=name,
                type=type_name,
                initial_value=any_pb2.Any(type_url=url(case), value=case["text"].encode()),
                initial_binary_value=base64.b64decode(case.get("payload", "")),
                constraints_json=json.dumps(case["constraints"]),
            )
            counts[type_name, case["case"]] += 1
            if not case["ok"]:
                with pytest.raises(sp.ValidationError) as caught:
                    ctx._driver.run(iter_once("RegisterVariable", request))
                assert caught.value.code == case["code"], case
                continue
            ctx._driver.run(iter_once("RegisterVariable", request))
            wire = ctx.stub.GetVariable(pb.GetVariableRequest(session_id=named, variable_identifier=name)).variable
            if type_name in SCALARS:
                assert wire.value.value == compact(case["out"]), case
            assert compact(wire.value.value) == compact(case["out"]), case
            # What Python reads, it writes back as the same value: the write changes nothing.
            ctx[name] = ctx[name]
            again = ctx.stub.GetVariable(pb.GetVariableRequest(session_id=named, variable_identifier=name)).variable
            assert compact(again.value.value) == compact(case["out"]), case
            counts[type_name, "Python"] += 1
    kinds = ["accepts", "coerces", "refuses", "constraint", "binary", "Python"]
    print("\n" + "type".ljust(10) + "".join(kind.rjust(11) for kind in kinds))
    for type_name in TYPES:
        print(type_name.ljust(10) + "".join(str(counts[type_name, kind]).rjust(11) for kind in kinds))


def iter_once(method, request):
    """An operation of one RPC."""
    return (yield method, request)
