"""The names that existing code imports. New code says `import snakepit as sp`."""

from snakepit import (
    AsyncSessionContext,
    Context,
    ValidationError,
    VariableNotFoundError,
    VersionConflictError,
    __version__,
    connect,
    connect_async,
    current_context,
)
from snakepit_bridge.base_adapter import BaseAdapter, ToolMetadata, tool
from snakepit_bridge.serialization import TypeSerializer
from snakepit_bridge.session_context import SessionContext, VariableProxy
from snakepit_bridge.types import TypeValidator, VariableType, deserialize_value, serialize_value

__all__ = [
    "AsyncSessionContext",
    "BaseAdapter",
    "Context",
    "SessionContext",
    "ToolMetadata",
    "TypeSerializer",
    "TypeValidator",
    "ValidationError",
    "VariableNotFoundError",
    "VariableProxy",
    "VariableType",
    "VersionConflictError",
    "__version__",
    "connect",
    "connect_async",
    "current_context",
    "deserialize_value",
    "serialize_value",
    "tool",
]
