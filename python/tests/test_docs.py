"""The examples in docstrings, run against a real bridge."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["session", "async_session", "views", "variables", "values", "arrays"])
def test_examples_in_docstrings_run(module, bridge, monkeypatch):
    monkeypatch.setenv("SNAKEPIT_ADDRESS", bridge.address)
    found = importlib.import_module(f"snakepit.{module}")
    outcome = doctest.testmod(found, optionflags=doctest.ELLIPSIS)
    assert outcome.failed == 0
    assert outcome.attempted > 0 or module not in ("session", "async_session")


def test_examples_of_the_readme_run(bridge, monkeypatch):
    from harness import ROOT

    monkeypatch.setenv("SNAKEPIT_ADDRESS", bridge.address)
    outcome = doctest.testfile(str(ROOT / "README.md"), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert outcome.failed == 0
    assert outcome.attempted > 10
