"""The names that existing code imports. New code says `import snakepit as sp`."""

from snakepit import (
    BaseAdapter,
    Context,
    SessionContext,
    VariableNotFoundError,
    __version__,
    connect,
    current_context,
    tool,
)
from snakepit_bridge.types import VariableType

__all__ = [
    "BaseAdapter",
    "Context",
    "SessionContext",
    "VariableNotFoundError",
    "VariableType",
    "__version__",
    "connect",
    "current_context",
    "tool",
]
