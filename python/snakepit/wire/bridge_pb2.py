"""Messages of package `snakepit.bridge`; their types are in the stub beside this file."""

from snakepit.wire import pool as _pool

_pool.publish(globals(), "snakepit_bridge.proto")
