"""Starts a series in a folder and reads what it has left there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LIMIT_S = 100.0


@dataclass(frozen=True, slots=True)
class Done:
    """How a series ended."""

    code: int
    out: str
    err: str
    summary: dict[str, Any]
    """Of the --json file; empty without one."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder to run series in."""

    folder: Path

    def argv(self, command: Sequence[str], **options: Any) -> list[str]:
        words = {"repetitions": 3, "cool_down": "off", "json": "series.json", **options}
        return [sys.executable, str(HERE / "driver.py"), json.dumps(words), *command]

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "AIPOWER_SOCKET": "none",
            "AIPOWER_POWERCAP_ROOT": "/nonexistent",
            "AIPOWER_RUNS_DIR": str(self.folder / "runs"),
            "TMPDIR": str(self.temporary),
        }

    @property
    def temporary(self) -> Path:
        path = self.folder / "temporary"
        path.mkdir(exist_ok=True)
        return path

    def call(self, command: Sequence[str] = ("true",), stdin: str = "", **options: Any) -> Done:
        done = subprocess.run(
            self.argv(command, **options),
            input=stdin, capture_output=True, text=True, cwd=self.folder, env=self.environment(), timeout=LIMIT_S,
            check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr, self.summary())

    def script(self, *steps: dict[str, Any]) -> None:
        """What the fake wrapper does at each call."""
        (self.folder / "script.json").write_text(json.dumps(steps or [{}]))

    def calls(self) -> list[dict[str, Any]]:
        """How the fake wrapper was called."""
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def summary(self) -> dict[str, Any]:
        path = self.folder / "series.json"
        found: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
        return found
