"""The types of variables, and the checks of them, under the names that existing code imports.

The bridge checks every value and constraint itself; these run in the client and are what code calls by hand.
"""

import math
import re
from enum import Enum
from typing import Any

from google.protobuf import any_pb2

from snakepit import values
from snakepit_bridge.serialization import TypeSerializer

__all__ = [
    "BooleanValidator",
    "FloatValidator",
    "IntegerValidator",
    "StringValidator",
    "TypeValidator",
    "VariableType",
    "deserialize_value",
    "serialize_value",
    "validate_constraints",
]


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
        """The type of a name on the wire; `STRING` for one that is not known."""
        known = {one.value: one for one in cls}
        return known.get(name.lower(), cls.STRING)

    @classmethod
    def of(cls, value: Any) -> "VariableType":
        """The type that a value is registered with when nobody names one."""
        return cls(values.variable_type(value))


class TypeValidator:
    """Turns a value into its type's Python form and checks constraints; the base takes everything as it is."""

    @staticmethod
    def validate(value: Any) -> Any:
        """The value in its type's form. Raises `ValueError` for what has none."""
        return value

    @staticmethod
    def validate_constraints(value: Any, constraints: dict[str, Any]) -> None:
        """Raises `ValueError` where the value breaks a constraint."""

    @classmethod
    def get_validator(cls, var_type: VariableType) -> "type[TypeValidator]":
        """The validator of a type; what has none of its own is checked by the bridge alone."""
        return _VALIDATORS.get(var_type, TypeValidator)

    @classmethod
    def infer_type(cls, value: Any) -> VariableType:
        """The type of a Python value; `STRING` for what has no type of its own."""
        try:
            return VariableType.of(value)
        except ValueError:  # None, bytes, and what has no JSON form
            return VariableType.STRING


def _refused(value: Any, wanted: str) -> ValueError:
    shown = f"'{value}'" if isinstance(value, str) else type(value).__name__
    return ValueError(f"Cannot convert {shown} to {wanted}")


def _check_range(value: float, constraints: dict[str, Any]) -> None:
    low, high = constraints.get("min"), constraints.get("max")
    if low is not None and value < low:
        raise ValueError(f"Value {value} below minimum {low}")
    if high is not None and value > high:
        raise ValueError(f"Value {value} above maximum {high}")


class FloatValidator(TypeValidator):
    """Numbers, and texts that are numbers."""

    @staticmethod
    def validate(value: Any) -> float:
        """The value as a float."""
        if not isinstance(value, (int, float, str)) and not hasattr(value, "__float__"):
            raise _refused(value, "float")
        try:
            return float(value)
        except (ValueError, TypeError, OverflowError):
            raise _refused(value, "float") from None

    @staticmethod
    def validate_constraints(value: float, constraints: dict[str, Any]) -> None:
        """`min` and `max`; a NaN is within neither."""
        if math.isnan(value) and {"min", "max"} & constraints.keys():
            raise ValueError("Value nan is within no minimum and maximum")
        _check_range(value, constraints)


class IntegerValidator(TypeValidator):
    """Whole numbers, and texts that are whole numbers."""

    @staticmethod
    def validate(value: Any) -> int:
        """The value as an int; no bool, and no float with a fraction."""
        if isinstance(value, bool):
            raise _refused(value, "integer")
        if isinstance(value, float):
            if not value.is_integer():
                raise ValueError(f"Float {value} is not a whole number")
            return int(value)
        if not isinstance(value, (int, str)) and not hasattr(value, "__index__"):
            raise _refused(value, "integer")
        try:
            return int(value)
        except ValueError:
            raise _refused(value, "integer") from None

    @staticmethod
    def validate_constraints(value: int, constraints: dict[str, Any]) -> None:
        """`min` and `max`."""
        _check_range(value, constraints)


class StringValidator(TypeValidator):
    """Everything, as its text."""

    @staticmethod
    def validate(value: Any) -> str:
        """`str(value)`."""
        return str(value)

    @staticmethod
    def validate_constraints(value: str, constraints: dict[str, Any]) -> None:
        """`min_length`, `max_length`, `pattern` and `enum`, as the bridge means them: a pattern may match anywhere."""
        shortest, longest = constraints.get("min_length"), constraints.get("max_length")
        if shortest is not None and len(value) < shortest:
            raise ValueError(f"String too short: must be at least {shortest} characters, got {len(value)}")
        if longest is not None and len(value) > longest:
            raise ValueError(f"String too long: must be at most {longest} characters, got {len(value)}")
        if "pattern" in constraints and not re.search(constraints["pattern"], value):
            raise ValueError(f"String doesn't match pattern: {constraints['pattern']}")
        if "enum" in constraints and value not in constraints["enum"]:
            raise ValueError(f"Value must be one of: {constraints['enum']}")


class BooleanValidator(TypeValidator):
    """Truths, their words in any case, 1 and 0."""

    @staticmethod
    def validate(value: Any) -> bool:
        """The value as a bool."""
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        raise _refused(value, "boolean")


_VALIDATORS: dict[VariableType, type[TypeValidator]] = {
    VariableType.FLOAT: FloatValidator,
    VariableType.INTEGER: IntegerValidator,
    VariableType.STRING: StringValidator,
    VariableType.BOOLEAN: BooleanValidator,
    VariableType.CHOICE: StringValidator,
    VariableType.MODULE: StringValidator,
}


def serialize_value(value: Any, var_type: VariableType) -> tuple[any_pb2.Any, bytes | None]:
    """As `TypeSerializer.encode_any`."""
    return TypeSerializer.encode_any(value, var_type.value)


def deserialize_value(message: any_pb2.Any, expected_type: VariableType, binary_data: bytes | None = None) -> Any:
    """As `TypeSerializer.decode_any`; the message says its own type."""
    return TypeSerializer.decode_any(message, binary_data)


def validate_constraints(value: Any, var_type: VariableType, constraints: dict[str, Any]) -> None:
    """Raises `ValueError` where the value breaks a constraint of its type."""
    TypeSerializer.validate_constraints(value, var_type.value, constraints)
