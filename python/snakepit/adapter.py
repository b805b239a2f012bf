"""`BaseAdapter`: tools as methods of a class whose instances keep state for one session."""

from __future__ import annotations

from typing import Any

from snakepit import tools


class BaseAdapter:
    """A class whose methods decorated with `@tool` are tools.

    A worker makes one instance for each session that calls it. After construction it calls
    `set_session_context(session_context)` and `initialize()` (sync or async), at the end `cleanup()`. Calls of one
    instance run one at a time; a class that sets `__thread_safe__ = True` has them run side by side.
    """

    #: True when calls of one instance may run at the same time.
    __thread_safe__ = False

    #: The class of that session; None = `snakepit.SessionContext`.
    session_context_class: Any = None

    #: The session that the instance works for; set before `initialize()`.
    session_context: Any = None

    def set_session_context(self, session_context: Any) -> None:
        """Takes the `SessionContext` of the session. Called once, before `initialize()`."""
        self.session_context = session_context

    def initialize(self) -> Any:
        """Prepares the instance (loads a model). May be async. Raising fails the call; the next one tries again."""

    def cleanup(self) -> Any:
        """Gives back what `initialize` took. May be async."""

    @classmethod
    def tool_methods(cls) -> list[tools.Tool]:
        """The tools of the class, by name. Raises `ValidationError` for a method that cannot be one."""
        found = []
        for name in sorted(dir(cls)):
            method = getattr(cls, name, None)
            if callable(method) and tools.note_of(method) is not None:
                bound = isinstance(_raw(cls, name), (staticmethod, classmethod))
                found.append(tools.describe(method, owner=None if bound else cls))
        return found

    def get_tools(self) -> list[Any]:
        """The registrations of the instance's tools, as the bridge is told of them."""
        return [one.registration() for one in self.tool_methods()]

    def call_tool(self, tool_name: str, /, **arguments: Any) -> Any:
        """Calls a tool of this instance, in this process. Raises `ToolNotFoundError` for one that it has not."""
        from snakepit.errors import ToolNotFoundError

        for one in self.tool_methods():
            if one.name == tool_name:
                return getattr(self, one.function.__name__)(**arguments)
        raise ToolNotFoundError(f"Tool '{tool_name}' not found in {type(self).__name__}", code="E0601")


def _raw(cls: type, name: str) -> Any:
    for base in cls.__mro__:
        if name in vars(base):
            return vars(base)[name]
    return None
