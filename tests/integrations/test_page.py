"""docs/integrations.md names what there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import aipower

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "integrations.md").read_text()
PACKAGE = Path(aipower.__file__).parent
NAMED = re.findall(r"from aipower\.integrations\.(\w+) import (\w+)", PAGE)
HELPERS = {"__init__", "scalars", "watch", "pytest_meter", "pytest_plugin", "jupyter"}
"""Modules that nobody imports by hand."""


def test_each_module_is_told_of() -> None:
    modules = {file.stem for file in (PACKAGE / "integrations").glob("*.py")} - HELPERS
    assert {module for module, _ in NAMED} == modules
    assert "%load_ext aipower.integrations.jupyter" in PAGE
    assert "pytest --aipower" in PAGE


@pytest.mark.parametrize(("module", "name"), NAMED)
def test_what_is_imported_is_there(module: str, name: str) -> None:
    tree = ast.parse((PACKAGE / "integrations" / f"{module}.py").read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


@pytest.mark.parametrize("option", sorted(set(re.findall(r"--aipower[\w-]*", PAGE))))
def test_options_of_pytest_are_there(option: str) -> None:
    assert f'"{option}"' in (PACKAGE / "integrations" / "pytest_plugin.py").read_text()
