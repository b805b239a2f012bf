"""Values to the wire and back, under the names that existing code imports. Nothing here reads or writes pickle."""

from typing import Any

from google.protobuf import any_pb2

from snakepit import arrays, values

__all__ = ["BINARY_THRESHOLD", "TypeSerializer"]

#: Payloads of more bytes than this travel as raw bytes beside the message.
BINARY_THRESHOLD = arrays.BINARY_THRESHOLD


class TypeSerializer:
    """Static functions over values and `Any` messages."""

    @staticmethod
    def encode_any(value: Any, var_type: str) -> tuple[any_pb2.Any, bytes | None]:
        """The message of a value, and its raw payload where it is a large array. Raises `ValueError`."""
        message, payload = values.pack(value, getattr(var_type, "value", var_type))
        return message, payload or None

    @staticmethod
    def decode_any(any_msg: any_pb2.Any, binary_data: bytes | None = None) -> Any:
        """The value of a message: embeddings as lists of float, tensors as arrays where numpy is there.

        Raises `ValueError` for what is no JSON and no raw payload; pickle is refused by name.
        """
        value = values.unpack(any_msg, binary_data or b"")
        embedding = "embedding" in any_msg.type_url.rpartition("/")[2]
        return value.tolist() if embedding and hasattr(value, "tolist") else value

    @staticmethod
    def validate_constraints(value: Any, var_type: str, constraints: dict[str, Any]) -> None:
        """Raises `ValueError` where a value breaks a constraint of its type. Unknown constraints are passed over."""
        from snakepit_bridge.types import TypeValidator, VariableType

        kind = str(getattr(var_type, "value", var_type)).lower()
        if kind in ("choice", "module"):
            allowed = constraints.get("choices") or constraints.get("allowed_modules")
            if allowed and value not in allowed:
                raise ValueError(f"must be one of: {', '.join(map(str, allowed))}")
        elif kind == "embedding" and constraints.get("dimensions") is not None:
            if len(value) != constraints["dimensions"]:
                raise ValueError(f"must have exactly {constraints['dimensions']} dimensions, got {len(value)}")
        elif kind == "tensor" and constraints.get("shape") is not None:
            shape = list(arrays.read_block(value, "tensor").shape)
            wanted = list(constraints["shape"])
            if len(shape) != len(wanted) or any(w not in (None, s) for w, s in zip(wanted, shape, strict=True)):
                raise ValueError(f"shape must be {wanted}, got {shape}")
        else:
            TypeValidator.get_validator(VariableType.from_proto(kind)).validate_constraints(value, constraints)
