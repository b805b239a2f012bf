"""Adapters under the module name that existing code imports."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc

import snakepit
from snakepit import tools
from snakepit.errors import ToolNotFoundError
from snakepit.wire import bridge_pb2 as pb
from snakepit_bridge.session_context import SessionContext

__all__ = ["BaseAdapter", "ToolMetadata", "tool"]

F = TypeVar("F", bound=Callable[..., Any])
_log = logging.getLogger("snakepit_bridge")


class MissingToolError(ToolNotFoundError, AttributeError):
    """An adapter has no such method."""


@dataclass
class ToolMetadata:
    """What `@tool` was told, as older code reads it off `function._tool_metadata`."""

    description: str = ""
    supports_streaming: bool = False
    parameters: list[Any] = field(default_factory=list)
    required_variables: list[str] = field(default_factory=list)


def tool(
    description: Any = "",
    supports_streaming: bool = False,
    required_variables: Iterable[str] | None = None,
    **options: Any,
) -> Any:
    """`snakepit.tool`, with the parameters in their old order and the old note beside the new one."""

    def decorate(function: F) -> F:
        told = description if isinstance(description, str) else ""
        marked: F = tools.tool(
            description=told or None,
            supports_streaming=supports_streaming or None,
            required_variables=required_variables,
            **options,
        )(function)
        note = ToolMetadata(
            description=told or (function.__doc__ or "").strip(),
            supports_streaming=supports_streaming,
            required_variables=list(required_variables or ()),
        )
        getattr(marked, "__func__", marked)._tool_metadata = note  # type: ignore[union-attr]
        return marked

    bare = callable(description) or isinstance(description, (staticmethod, classmethod))
    return decorate(description) if bare else decorate


class BaseAdapter(snakepit.BaseAdapter):
    """`snakepit.BaseAdapter` with the methods that only the old one had; its session is the old one's too."""

    session_context_class = SessionContext

    def call_tool(self, tool_name: str, /, **arguments: Any) -> Any:
        """Calls any public method of this instance by name. Raises `ToolNotFoundError` for one that it has not."""
        method = None if tool_name.startswith("_") else getattr(self, tool_name, None)
        if not callable(method):
            text = f"Tool '{tool_name}' not found in {type(self).__name__}"
            raise MissingToolError(text, code="E0601")
        return method(**arguments)

    def register_with_session(self, session_id: str, stub: Any) -> list[str]:
        """Offers the tools to a session and gives their names, [] where the bridge does not take them.

        A worker's tools are registered when it starts; this is for code that still does it by hand.
        """
        request = pb.RegisterToolsRequest(session_id=session_id, tools=self.get_tools(), worker_id=f"python-{id(self)}")
        try:
            reply = stub.RegisterTools(request)
        except grpc.RpcError as error:
            _log.warning("the tools were not registered: %s", error)
            return []
        if not reply.success:
            _log.warning("the tools were not registered: %s", reply.error_message)
            return []
        return list(reply.tool_ids)
