"""The stub, servicer and registration of `BridgeService` under the module name that older code imports."""

import grpc

from snakepit.wire import bridge_pb2 as _bridge_pb2
from snakepit.wire import rpc as _rpc
from snakepit.wire.rpc import BridgeServiceStub

__all__ = ["BridgeServiceServicer", "BridgeServiceStub", "add_BridgeServiceServicer_to_server"]

_SERVICE = _bridge_pb2.DESCRIPTOR.services_by_name["BridgeService"]


def _unimplemented(name):
    def method(self, request, context):
        context.set_code(grpc.StatusCode.UNIMPLEMENTED)
        context.set_details("Method not implemented!")
        raise NotImplementedError("Method not implemented!")

    method.__name__ = name
    return method


#: Answers every method with UNIMPLEMENTED; override what is served.
BridgeServiceServicer = type(
    "BridgeServiceServicer", (), {name: _unimplemented(name) for name in _SERVICE.methods_by_name}
)


def add_BridgeServiceServicer_to_server(servicer, server):
    """Registers a servicer with a grpc or grpc.aio server."""
    methods = {name: getattr(servicer, name) for name in _SERVICE.methods_by_name if hasattr(servicer, name)}
    server.add_generic_rpc_handlers((_rpc.generic_handler(_SERVICE.full_name, methods),))
