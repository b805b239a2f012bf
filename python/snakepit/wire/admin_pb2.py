"""Messages of package `snakepit.admin`; their types are in the stub beside this file."""

from snakepit.wire import bridge_pb2 as _bridge_pb2  # noqa: F401  (its messages come first)
from snakepit.wire import pool as _pool

_pool.publish(globals(), "snakepit_admin.proto")
