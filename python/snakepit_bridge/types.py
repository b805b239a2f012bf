"""The types of variables under the names that existing code imports."""

from enum import Enum
from typing import Any

from snakepit import values

__all__ = ["VariableType"]


class VariableType(Enum):
    """The types that a variable may have."""

    FLOAT = "float"
    INTEGER = "integer"
    STRING = "string"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    MODULE = "module"
    EMBEDDING = "embedding"
    TENSOR = "tensor"
    MAP = "map"
    LIST = "list"

    def to_proto(self) -> str:
        """The type's name on the wire."""
        return str(self.value)

    @classmethod
    def from_proto(cls, name: str) -> "VariableType":
        """The type of a name on the wire. Raises `ValueError` for one that is not known."""
        return cls(name.lower())

    @classmethod
    def of(cls, value: Any) -> "VariableType":
        """The type that a value is registered with when nobody names one."""
        return cls(values.type_of(value))
