"""A user's shell, with some runs kept."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from runs.commands import Shell
from store.records import fifty, store_of


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """With no run."""
    monkeypatch.setenv("AIPOWER_RUNS_DIR", str(tmp_path / "runs"))
    for variable in ("COLUMNS", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    return Shell(tmp_path / "runs", capsys)


@pytest.fixture
def full(shell: Shell) -> Shell:
    """With fifty runs."""
    store_of(shell.folder, fifty(time.time()))
    return shell
