"""Tracebacks as the author of a tool wants them: without the frames of this package and of the import machinery."""

from __future__ import annotations

import os
import traceback

from snakepit.errors import ToolError
from snakepit.wire import bridge_pb2 as pb

#: The longest traceback in characters; the middle of a longer one is left out.
MAX_TRACEBACK = 32 * 1024
#: The longest message of a failure in characters.
MAX_MESSAGE = 16 * 1024

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_BOOT = os.path.join(os.path.dirname(os.path.dirname(_PACKAGE)), "snakepit_boot.py")


def shortened(text: str, limit: int) -> str:
    """A text of at most about `limit` characters: what is left out in the middle is counted."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"


def trimmed(error: BaseException) -> str:
    """The traceback of an exception and of its causes, reduced to frames that are not ours."""
    report = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    todo = [report]
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        one.stack = traceback.StackSummary.from_list([frame for frame in one.stack if not _ours(frame.filename)])
        todo += [linked for linked in (one.__cause__, one.__context__) if linked is not None]
    return shortened("".join(report.format()).rstrip("\n"), MAX_TRACEBACK)


def _ours(filename: str) -> bool:
    return filename.startswith((_PACKAGE, "<frozen importlib")) or filename == _BOOT


def text_of(error: BaseException) -> str:
    """What an exception says: its text, or the name of its class where it has none."""
    try:
        text = error.message if isinstance(error, ToolError) else str(error)
    except Exception:
        text = ""
    return shortened(text or type(error).__name__, MAX_MESSAGE)


def failure(error: BaseException) -> pb.ToolFailure:
    """The `ToolFailure` of what a tool raised."""
    from snakepit import values

    told = isinstance(error, ToolError)
    message = pb.ToolFailure(
        type=error.type if isinstance(error, ToolError) else type(error).__name__,
        message=_clean(text_of(error)),
        traceback=_clean(trimmed(error)),
    )
    if isinstance(error, ToolError) and told:
        message.retryable = error.retryable
        if error.fields:
            try:
                message.details_json = values.to_json_bytes(error.fields).decode()
            except ValueError:
                pass  # fields without a JSON form cost the fields, not the failure
    return message


def _clean(text: str) -> str:
    """Lone surrogates cannot travel in a protobuf string."""
    return text.encode(errors="backslashreplace").decode()
