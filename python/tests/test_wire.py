"""The descriptor set, the stubs beside it, and the modules that older code imports."""

import re
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2
from harness import ROOT

from snakepit.wire import admin_pb2, bridge_pb2, pool

PROTO = ROOT.parent / "proto"
TYPES = {
    "double": 1, "float": 2, "int64": 3, "uint64": 4, "int32": 5, "fixed64": 6, "fixed32": 7, "bool": 8, "string": 9,
    "bytes": 12, "uint32": 13, "sfixed32": 15, "sfixed64": 16, "sint32": 17, "sint64": 18,
}  # fmt: skip
FIELD = re.compile(r"^(optional |repeated )?(map<\s*\w+\s*,\s*[\w.]+\s*>|[\w.]+) (\w+) = (\d+)")
METHOD = re.compile(r"^rpc (\w+)\((stream )?([\w.]+)\) returns \((stream )?([\w.]+)\)")


def read_proto(path):
    """Every field, enum value and method that a .proto file declares, as sorted rows. Knows what our files use."""
    text = re.sub(r"//[^\n]*", "", path.read_text())
    rows, stack = set(), []
    for statement in re.findall(r"[^;{}]+;|[^;{}]+\{|\}", text):
        words = " ".join(statement.split())
        if words == "}":
            stack.pop()
        elif words.endswith("{"):
            stack.append(words[:-1].split())
        elif stack:
            rows |= statement_rows(words, stack)
    return rows


def statement_rows(words, stack):
    owner = ".".join(name for kind, name in stack if kind != "oneof")
    kind = stack[-1][0]
    if method := METHOD.match(words):
        name, many_in, request, many_out, reply = method.groups()
        return {(owner, name, last(request), last(reply), bool(many_in), bool(many_out))}
    if kind == "enum":
        name, number = re.match(r"(\w+) = (\d+)", words).groups()
        return {(owner, name, int(number))}
    label, type_name, name, number = FIELD.match(words).groups()
    shape = "map" if type_name.startswith("map<") else (label or "").strip()
    known = re.sub(r"\s", "", type_name) if shape == "map" else type_name
    return {(owner, name, int(number), shape, last(known) if shape != "map" else known.replace("google.protobuf.", ""))}


def last(type_name):
    return type_name.rpartition(".")[2]


def rows_of(file):
    """The same rows from a descriptor."""
    rows = set()
    for message in file.message_type:
        rows |= message_rows(message, message.name)
    for enum in file.enum_type:
        rows |= {(enum.name, value.name, value.number) for value in enum.value}
    for service in file.service:
        for m in service.method:
            request, reply = last(m.input_type), last(m.output_type)
            rows.add((service.name, m.name, request, reply, m.client_streaming, m.server_streaming))
    return rows


def message_rows(message, owner):
    rows = set()
    entries = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
    for nested in message.nested_type:
        if nested.name not in entries:
            rows |= message_rows(nested, f"{owner}.{nested.name}")
    for enum in message.enum_type:
        rows |= {(f"{owner}.{enum.name}", value.name, value.number) for value in enum.value}
    for field in message.field:
        entry = entries.get(last(field.type_name))
        if entry is not None:
            shape, known = "map", f"map<{word(entry.field[0])},{word(entry.field[1])}>"
        else:
            shape = "repeated" if field.label == field.LABEL_REPEATED else "optional" if field.proto3_optional else ""
            known = word(field)
        rows.add((owner, field.name, field.number, shape, known))
    return rows


def word(field):
    by_number = {number: name for name, number in TYPES.items()}
    return last(field.type_name) if field.type_name else by_number[field.type]


@pytest.mark.parametrize("name", ["snakepit_bridge.proto", "snakepit_admin.proto"])
def test_descriptor_is_what_proto_says(name):
    files = descriptor_pb2.FileDescriptorSet.FromString(pool.DESCRIPTOR_PATH.read_bytes())
    file = next(one for one in files.file if one.name == name)
    rows = rows_of(file)
    assert len(rows) > 50
    assert read_proto(PROTO / name) == rows, "run scripts/python-stubs"


def test_descriptor_set_leaves_the_well_knowns_to_protobuf():
    files = descriptor_pb2.FileDescriptorSet.FromString(pool.DESCRIPTOR_PATH.read_bytes())
    assert [file.name for file in files.file] == ["snakepit_bridge.proto", "snakepit_admin.proto"]


@pytest.mark.parametrize("module", [bridge_pb2, admin_pb2])
def test_stub_file_names_every_class_and_field(module):
    stub = Path(module.__file__).with_suffix(".pyi").read_text()
    classes = dict(re.findall(r"^class (\w+)\(.*?\n(.*?)(?=^class |\Z)", stub, re.M | re.S))
    for name, descriptor in module.DESCRIPTOR.message_types_by_name.items():
        for field in descriptor.fields:
            assert re.search(rf"\b{field.name}: ", classes[name]), (name, field.name)


def test_rpc_stub_file_names_every_method():
    stub = (ROOT / "snakepit" / "wire" / "rpc.pyi").read_text()
    for module in (bridge_pb2, admin_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                assert stub.count(f"    {method.name}: ") == 2, method.name


def test_modules_that_older_code_imports():
    from google.protobuf import any_pb2

    import snakepit_bridge_pb2
    import snakepit_bridge_pb2_grpc

    value = any_pb2.Any(type_url="type.googleapis.com/snakepit.float", value=b"0.5")
    request = snakepit_bridge_pb2.SetVariableRequest(session_id="s", variable_identifier="x", value=value)
    assert snakepit_bridge_pb2.SetVariableRequest.FromString(request.SerializeToString()) == request
    assert snakepit_bridge_pb2.Variable.PYTHON == 1
    assert snakepit_bridge_pb2.Variable(source="PYTHON").source == 1
    assert hasattr(snakepit_bridge_pb2_grpc, "add_BridgeServiceServicer_to_server")
    with pytest.raises(NotImplementedError):
        snakepit_bridge_pb2_grpc.BridgeServiceServicer().Ping(None, type("C", (), {"__getattr__": lambda *a: print})())


def test_names_that_older_code_imports():
    from snakepit_bridge import BaseAdapter, SessionContext, VariableNotFoundError, VariableType, tool
    from snakepit_bridge.base_adapter import BaseAdapter as SameAdapter
    from snakepit_bridge.session_context import SessionContext as SameSession

    assert (SameAdapter, SameSession) == (BaseAdapter, SessionContext)
    assert issubclass(VariableNotFoundError, KeyError)
    assert VariableType.from_proto("float") is VariableType.FLOAT
    assert tool(description="x")(lambda: 1)() == 1
