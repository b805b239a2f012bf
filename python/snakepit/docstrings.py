"""Reads a docstring: its first paragraph, and the descriptions of parameters in Google, NumPy or Sphinx form."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_GOOGLE_HEAD = re.compile(r"^(Args|Arguments|Parameters|Params):\s*$")
_GOOGLE_ITEM = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_SPHINX_ITEM = re.compile(r"^:(?:param|parameter|arg)\s+(?:[^:]*?\s)?\*{0,2}(\w+)\s*:\s*(.*)$")
_NUMPY_HEAD = re.compile(r"^(Parameters|Other Parameters)\s*$")
_NUMPY_ITEM = re.compile(r"^\*{0,2}(\w+(?:\s*,\s*\w+)*)\s*(?::.*)?$")


@dataclass(frozen=True)
class Docstring:
    """`summary` is the first paragraph on one line; `parameters` maps a name to its description."""

    summary: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


def read(text: str) -> Docstring:
    """Reads a docstring as `inspect.getdoc` gives it. What is in no known form is left alone."""
    lines = text.splitlines()
    found: dict[str, list[str]] = {}
    for index, line in enumerate(lines):
        if _GOOGLE_HEAD.match(line):
            _google(lines[index + 1 :], found)
        elif _NUMPY_HEAD.match(line) and index + 1 < len(lines) and re.match(r"^-{3,}\s*$", lines[index + 1]):
            _numpy(lines[index + 2 :], found)
        elif _SPHINX_ITEM.match(line):
            _sphinx(lines[index:], found)
    return Docstring(_summary(lines), {name: _joined(parts) for name, parts in found.items()})


def _joined(parts: list[str]) -> str:
    return " ".join(part.strip() for part in parts if part.strip())


def _summary(lines: list[str]) -> str:
    first: list[str] = []
    for line in lines:
        if not line.strip():
            if first:
                break
            continue
        if _GOOGLE_HEAD.match(line) or line.startswith(":"):
            break
        first.append(line)
    return _joined(first)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _google(lines: list[str], found: dict[str, list[str]]) -> None:
    depth, current = None, None
    for line in lines:
        if not line.strip():
            continue
        if _indent(line) == 0:
            return
        depth = depth or _indent(line)
        item = _GOOGLE_ITEM.match(line.strip()) if _indent(line) <= depth else None
        if item:
            current = found.setdefault(item[1], [item[2]])
        elif current is not None:
            current.append(line)


def _numpy(lines: list[str], found: dict[str, list[str]]) -> None:
    current: list[list[str]] = []
    for index, line in enumerate(lines):
        underlined = index + 1 < len(lines) and re.match(r"^-{3,}\s*$", lines[index + 1])
        if line.strip() and _indent(line) == 0:
            item = _NUMPY_ITEM.match(line)
            if underlined or not item:
                return
            current = [found.setdefault(name.strip(), []) for name in item[1].split(",")]
        elif line.strip():
            for parts in current:
                parts.append(line)


def _sphinx(lines: list[str], found: dict[str, list[str]]) -> None:
    item = _SPHINX_ITEM.match(lines[0])
    if item is None:
        return
    parts = found.setdefault(item[1], [item[2]])
    for line in lines[1:]:
        if not line.strip() or line.startswith(":"):
            return
        parts.append(line)
