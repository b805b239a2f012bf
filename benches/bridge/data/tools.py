"""The tools that the benches call: as little work as a tool can do."""

from collections.abc import Iterator

from snakepit import tool


@tool
def echo(text: str) -> str:
    """Gives back what it got."""
    return text


@tool
def chunks(count: int, size: int) -> Iterator[bytes]:
    """Yields `count` chunks of `size` bytes."""
    chunk = bytes(size)
    for _ in range(count):
        yield chunk
