"""Reads the checked-in descriptor set into protobuf's default pool and publishes its classes.

The default pool is used so that messages take the `Any` and `Timestamp` of `google.protobuf` that callers make.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

# Imported so that the pool knows them before our files name them.
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.internal import enum_type_wrapper

_WELL_KNOWN = (any_pb2.DESCRIPTOR, timestamp_pb2.DESCRIPTOR)

#: The serialised `google.protobuf.FileDescriptorSet` of proto/, without google's own files.
DESCRIPTOR_PATH = Path(__file__).with_name("descriptor.bin")


def _fill() -> Any:
    pool = descriptor_pool.Default()
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTOR_PATH.read_bytes())
    for file in files.file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


_POOL = _fill()


def file(name: str) -> Any:
    """The `FileDescriptor` of a file of the set, by its name in proto/."""
    return _POOL.FindFileByName(name)


def message_class(full_name: str) -> Any:
    """The class of a message, by its full name (`snakepit.bridge.Variable`)."""
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(full_name))


def publish(namespace: dict[str, Any], name: str) -> None:
    """Puts every message, enum and enum value of a file into a module's namespace, as generated code would."""
    descriptor = file(name)
    namespace["DESCRIPTOR"] = descriptor
    for message in descriptor.message_types_by_name.values():
        namespace[message.name] = message_factory.GetMessageClass(message)
    for enum in descriptor.enum_types_by_name.values():
        namespace[enum.name] = enum_type_wrapper.EnumTypeWrapper(enum)
        for value in enum.values:
            namespace[value.name] = value.number
