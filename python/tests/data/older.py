"""An adapter as code for snakepit_bridge 2.0 writes it."""

from snakepit_bridge import BaseAdapter, SessionContext, tool


class OlderAdapter(BaseAdapter):
    def __init__(self):
        super().__init__()
        self.session_context = None

    def set_session_context(self, session_context):
        self.session_context = session_context

    async def initialize(self):
        self.ready = True

    @tool(description="Reads and writes variables")
    def tune(self, step: str) -> dict:
        ctx = self.session_context
        ctx["seen"] = ctx.get_variable("rate")
        ctx["rate"] = step
        vector = ctx["vector"]
        return {
            "ready": self.ready,
            "seen": ctx["seen"],
            "rate": ctx["rate"],
            "vector": vector,
            "old": isinstance(ctx, SessionContext) and isinstance(vector, list),
        }
