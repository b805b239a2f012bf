"""Adapters under the module name that existing code imports."""

from snakepit.adapter import BaseAdapter
from snakepit.tools import tool

__all__ = ["BaseAdapter", "tool"]
