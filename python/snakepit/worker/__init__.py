"""The worker: a process that serves the tools of one file, module or class to the bridge."""

from snakepit.worker.process import main

__all__ = ["main"]
