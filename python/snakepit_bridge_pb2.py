"""The messages of package `snakepit.bridge` under the module name that older code imports."""

from snakepit.wire import bridge_pb2 as _bridge_pb2

globals().update({_name: _value for _name, _value in vars(_bridge_pb2).items() if not _name.startswith("_")})
