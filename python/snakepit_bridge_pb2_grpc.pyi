from typing import Any

from snakepit.wire.rpc import BridgeServiceStub as BridgeServiceStub

class BridgeServiceServicer:
    def __getattr__(self, name: str) -> Any: ...

def add_BridgeServiceServicer_to_server(servicer: Any, server: Any) -> None: ...
