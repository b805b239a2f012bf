"""Sessions under the module name that existing code imports."""

from snakepit.errors import VariableNotFoundError
from snakepit.session import SessionContext

__all__ = ["SessionContext", "VariableNotFoundError"]
