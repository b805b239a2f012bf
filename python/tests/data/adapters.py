"""Adapter classes that the tests call."""

import asyncio
import time
from pathlib import Path

from snakepit import BaseAdapter, tool


class Counter(BaseAdapter):
    def __init__(self):
        self.count = 0
        self.events = ["made"]
        self.inside = 0
        self.most = 0

    def set_session_context(self, session_context):
        self.session = session_context
        self.events.append("session")

    async def initialize(self):
        await asyncio.sleep(0)
        self.events.append("initialized")

    def cleanup(self):
        Path(self.note).write_text("cleaned") if hasattr(self, "note") else None

    @tool(description="Counts")
    def bump(self, by: int = 1) -> int:
        self.count += by
        return self.count

    @tool
    async def abump(self) -> int:
        self.count += 1
        return self.count

    @tool
    def seen(self) -> dict:
        return {"events": self.events, "session": self.session.session_id, "most": self.most}

    @tool
    def slow(self, seconds: float) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(seconds)
        self.inside -= 1

    @tool
    def stream(self, n: int):
        for _ in range(n):
            self.count += 1
            yield self.count

    @tool
    def leave_note(self, path: str) -> None:
        self.note = path

    @staticmethod
    @tool
    def still(a: int) -> int:
        return a


class Parallel(Counter):
    __thread_safe__ = True
