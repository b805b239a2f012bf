"""Stubs and handlers of our services, from the descriptor's method table. Types are in the stub beside this file.

One class serves `grpc` and `grpc.aio` channels: both make their multicallables by the same four calls.
"""

import grpc
from google.protobuf import descriptor_pb2

from snakepit.wire import admin_pb2, bridge_pb2, pool

_FILES = {"snakepit.bridge.BridgeService": bridge_pb2, "snakepit.admin.AdminService": admin_pb2}


def _methods(service):
    descriptor = _FILES[service].DESCRIPTOR.services_by_name[service.rpartition(".")[2]]
    table = descriptor_pb2.ServiceDescriptorProto()
    descriptor.CopyToProto(table)
    for method in table.method:
        yield (
            method.name,
            ("stream" if method.client_streaming else "unary")
            + "_"
            + ("stream" if method.server_streaming else "unary"),
            pool.message_class(method.input_type.lstrip(".")),
            pool.message_class(method.output_type.lstrip(".")),
        )


def _stub_class(service, name):
    def __init__(self, channel):
        for method, kind, request, reply in _methods(service):
            make = getattr(channel, kind)
            call = make(
                f"/{service}/{method}",
                request_serializer=request.SerializeToString,
                response_deserializer=reply.FromString,
            )
            setattr(self, method, call)

    doc = f"Calls {service} over the channel that it is given; every method of the contract is an attribute."
    return type(name, (), {"__init__": __init__, "__doc__": doc, "__module__": __name__})


BridgeServiceStub = _stub_class("snakepit.bridge.BridgeService", "BridgeServiceStub")
AsyncBridgeServiceStub = _stub_class("snakepit.bridge.BridgeService", "AsyncBridgeServiceStub")
AdminServiceStub = _stub_class("snakepit.admin.AdminService", "AdminServiceStub")
AsyncAdminServiceStub = _stub_class("snakepit.admin.AdminService", "AsyncAdminServiceStub")


def _as_it_is(data):
    return data


def generic_handler(service, methods, raw_replies=frozenset()):
    """A gRPC handler that serves `methods` (name -> function) of a service; every other one is UNIMPLEMENTED.

    The functions named in `raw_replies` give serialised messages.
    """
    handlers = {}
    for method, kind, request, reply in _methods(service):
        if method not in methods:
            continue
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        handlers[method] = make(
            methods[method],
            request_deserializer=request.FromString,
            response_serializer=_as_it_is if method in raw_replies else reply.SerializeToString,
        )
    return grpc.method_handlers_generic_handler(service, handlers)
