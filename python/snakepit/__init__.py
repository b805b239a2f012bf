"""snakepit: Python functions as tools, variables that steer them, streams that show them at work.

`import snakepit as sp`. A file of functions decorated with `@sp.tool` is served by `snakepit worker spawn FILE`.
"""

import os as _os

# Forked pools (multiprocessing, torch's DataLoader) hang in grpc's fork handlers; it reads this when imported.
_os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from snakepit.adapter import BaseAdapter
from snakepit.async_session import AsyncSessionContext, connect_async
from snakepit.cache import CacheStats
from snakepit.context import Context, current_context
from snakepit.errors import *  # noqa: F403
from snakepit.errors import __all__ as _error_names
from snakepit.session import SessionContext, connect
from snakepit.tools import tool
from snakepit.views import BatchResult

#: The release of the package; the same as the binary's that it came with.
__version__ = "0.1.0"

__all__ = [
    "AsyncSessionContext",
    "BaseAdapter",
    "BatchResult",
    "CacheStats",
    "Context",
    "SessionContext",
    "__version__",
    "connect",
    "connect_async",
    "current_context",
    "tool",
    *_error_names,
]
