"""Imports what a worker was asked to serve and finds the tools in it.

A SPEC is `path/file.py`, `package.module`, and either with `:Class`. Names come from the command line only, never
from the wire.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from types import ModuleType
from typing import Any

from snakepit import tools
from snakepit.adapter import BaseAdapter
from snakepit.errors import SnakepitError, ValidationError
from snakepit.worker import traces

#: Tools that one worker may have.
MAX_TOOLS = 1000


class LoadError(Exception):
    """The worker cannot start. `kind` is import, no_tools or spec; `traceback` is trimmed, or empty."""

    def __init__(self, kind: str, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.traceback = traceback


def load(spec: str) -> dict[str, tools.Tool]:
    """The tools of a SPEC by name. Raises `LoadError`."""
    target, class_name = _split(spec)
    module = _import_file(target) if _is_file(target) else _import_module(target)
    try:
        found = _tools_of_class(module, class_name) if class_name else _tools_of_module(module)
    except SnakepitError as error:
        raise LoadError("spec", str(error)) from None
    if not found:
        where = f"class {class_name} of {target}" if class_name else target
        raise LoadError(
            "no_tools", f"{where} declares no tool: put `@tool` (from snakepit import tool) above a function"
        )
    if len(found) > MAX_TOOLS:
        raise LoadError("spec", f"{target} declares {len(found)} tools, and a worker has at most {MAX_TOOLS}")
    by_name: dict[str, tools.Tool] = {}
    for tool in found:
        if tool.name in by_name:
            raise LoadError("spec", f"two tools of {target} are called `{tool.name}`")
        by_name[tool.name] = tool
    return by_name


def _split(spec: str) -> tuple[str, str]:
    target, colon, class_name = spec.rpartition(":")
    if not colon:
        return spec, ""
    if not class_name.isidentifier():
        raise LoadError("spec", f"`{class_name}` of `{spec}` is no name of a class")
    return target, class_name


def _is_file(target: str) -> bool:
    return target.endswith(".py") or os.sep in target


def _import_file(path: str) -> ModuleType:
    full = os.path.abspath(path)
    if not os.path.isfile(full):
        raise LoadError("spec", f"no such file: {path}")
    sys.path.insert(0, os.path.dirname(full))
    stem = os.path.splitext(os.path.basename(full))[0]
    # A file called `json.py` must not take the place of a module that is in use.
    name = stem if stem.isidentifier() and stem not in sys.modules else f"_snakepit_file_{abs(hash(full))}"
    found = importlib.util.spec_from_file_location(name, full)
    if found is None or found.loader is None:
        raise LoadError("spec", f"{path} is no Python file")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    with _reported(path):
        found.loader.exec_module(module)
    return module


def _import_module(name: str) -> ModuleType:
    # As `python -m` does: the working directory is importable.
    sys.path.insert(0, os.getcwd())
    if not all(part.isidentifier() for part in name.split(".")):
        raise LoadError("spec", f"`{name}` is neither a file nor a module's name")
    with _reported(name):
        return importlib.import_module(name)


class _reported:
    """Turns what an import raises into a `LoadError`."""

    def __init__(self, target: str) -> None:
        self._target = target

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, KeyboardInterrupt):
            return
        if isinstance(error, ModuleNotFoundError) and error.name and self._target.startswith(error.name):
            raise LoadError("spec", f"no module named {error.name}") from None
        message = f"{self._target} does not import: {type(error).__name__}: {traces.text_of(error)}"
        raise LoadError("import", message, traces.trimmed(error)) from None


def _tools_of_module(module: ModuleType) -> list[tools.Tool]:
    found: list[tools.Tool] = []
    seen: set[int] = set()
    for value in list(vars(module).values()):
        if isinstance(value, type):
            if issubclass(value, BaseAdapter) and value.__module__ == module.__name__:
                found += value.tool_methods()
        elif callable(value) and tools.note_of(value) is not None and id(value) not in seen:
            seen.add(id(value))
            found.append(tools.describe(value))
    return found


def _tools_of_class(module: ModuleType, class_name: str) -> list[tools.Tool]:
    cls = getattr(module, class_name, None)
    if not isinstance(cls, type):
        raise ValidationError(f"{module.__name__} has no class `{class_name}`")
    if issubclass(cls, BaseAdapter):
        return cls.tool_methods()
    raise ValidationError(f"`{class_name}` is no BaseAdapter (from snakepit import BaseAdapter)")
