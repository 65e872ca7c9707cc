"""`import aipower` costs nothing, and all that it promises is there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import aipower


def modules_after(script: str) -> set[str]:
    """What a fresh interpreter has loaded after `script`, beyond what it has anyway."""
    listing = "import sys; before = set(sys.modules)\n%s\nprint(' '.join(set(sys.modules) - before))"
    command = [sys.executable, "-I", "-c", listing % script]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split())


def test_the_package_brings_nothing_along() -> None:
    assert modules_after("import aipower") == {"aipower"}


def test_phases_bring_only_the_standard_library() -> None:
    loaded = modules_after("import aipower; aipower.phase")
    assert {name for name in loaded if name.startswith("aipower") and "phases" not in name} == {"aipower"}
    assert loaded & {"msgspec", "rich", "psutil", "inspect", "logging", "threading", "asyncio"} == set()


def test_public_names_are_declared_for_type_checkers() -> None:
    stub = ast.parse(Path(aipower.__file__).with_suffix(".pyi").read_text())
    imported = {
        alias.asname: f"{node.module}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == aipower._HOMES  # type: ignore[attr-defined]
    assert {*imported, "__version__"} == set(aipower.__all__)
    assert set(aipower.__all__) <= set(dir(aipower))


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'aipower' has no attribute 'phrase'"):
        aipower.phrase  # type: ignore[attr-defined]  # noqa: B018


def test_from_import() -> None:
    from aipower import phase, phases  # noqa: PLC0415 - this is the test

    assert phase is phases.phase
