"""A training loop without numpy: gradient descent on a parabola, steered by a variable while it streams."""

import time

from snakepit import Context, tool


@tool
def train(ctx: Context, epochs: int = 100, delay: float = 0.02):
    """Walks towards 3 and streams each step. Reads the variable `learning_rate` at every step.

    Args:
        epochs: Steps.
        delay: Seconds to wait after each step.
    """
    ctx.register("learning_rate", 0.05, min=0.0, max=1.0)
    x = 0.0
    for epoch in range(1, epochs + 1):
        rate = ctx["learning_rate"]
        before, x = x, x - rate * 2.0 * (x - 3.0)
        ctx.progress(epoch / epochs, f"epoch {epoch}/{epochs}")
        yield {"epoch": epoch, "learning_rate": rate, "before": before, "x": x}
        time.sleep(delay)
    return {"epochs": epochs, "x": x}
