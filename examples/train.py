# /// script
# requires-python = ">=3.10"
# dependencies = ["numpy>=1.24"]
# ///
"""A small real training loop that obeys a variable while it runs.

    snakepit worker spawn examples/train.py
    snakepit tool call train epochs=200
    snakepit var set learning_rate 0.01        (in a second terminal, while it runs)

Logistic regression on two overlapping clouds of points, by gradient descent with numpy.
"""

import time

import numpy as np
from snakepit import Context, tool


def clouds(seed: int, points: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Points around (-1, -1) labelled 0 and around (1, 1) labelled 1, with a column of ones in front."""
    random = np.random.default_rng(seed)
    half = points // 2
    features = np.concatenate(
        [random.normal(-1.0, 1.2, (half, 2)), random.normal(1.0, 1.2, (half, 2))]
    )
    labels = np.concatenate([np.zeros(half), np.ones(half)])
    return np.hstack([np.ones((len(features), 1)), features]), labels


def loss_and_gradient(
    weights: np.ndarray, features: np.ndarray, labels: np.ndarray
) -> tuple[float, np.ndarray]:
    """The mean cross entropy and its gradient."""
    predicted = 1.0 / (1.0 + np.exp(-features @ weights))
    safe = np.clip(predicted, 1e-12, 1.0 - 1e-12)
    loss = -np.mean(labels * np.log(safe) + (1.0 - labels) * np.log(1.0 - safe))
    return float(loss), features.T @ (predicted - labels) / len(labels)


@tool
def train(ctx: Context, epochs: int = 50, delay: float = 0.05, seed: int = 7):
    """Trains a classifier and streams its loss. Reads the variable `learning_rate` at every step.

    Args:
        epochs: Steps of gradient descent.
        delay: Seconds to wait after each step, so that one can watch.
        seed: The seed of the generated data.
    """
    ctx.register("learning_rate", 0.05, min=0.0, max=10.0)
    features, labels = clouds(seed)
    weights = np.zeros(features.shape[1])
    loss = loss_and_gradient(weights, features, labels)[0]
    for epoch in range(1, epochs + 1):
        learning_rate = ctx["learning_rate"]
        loss, gradient = loss_and_gradient(weights, features, labels)
        weights -= learning_rate * gradient
        ctx.progress(epoch / epochs, f"epoch {epoch}/{epochs}, loss {loss:.4f}")
        yield {"epoch": epoch, "loss": round(loss, 6), "learning_rate": learning_rate}
        time.sleep(delay)
    accuracy = np.mean((features @ weights > 0) == (labels > 0.5))
    return {
        "epochs": epochs,
        "loss": round(loss, 6),
        "accuracy": accuracy,
        "weights": weights.round(4),
    }
