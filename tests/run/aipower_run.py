"""Calling the real `aipower-run` as a user does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT_S = 100.0
CODE = "from aipower.run.cli import entry_point; entry_point()"


@dataclass(frozen=True, slots=True)
class Done:
    """How a call ended."""

    code: int
    out: bytes
    report: str
    record: dict[str, Any]
    """Empty without --json."""


def argv(*words: str | Path) -> list[str]:
    """The command line of `aipower-run words...` of this checkout."""
    return [sys.executable, "-c", CODE, *map(str, words)]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, without what would make the outcome depend on this machine's powercap."""
    return {**os.environ, "AIPOWER_POWERCAP_ROOT": "/nonexistent", "AIPOWER_SOCKET": "/nonexistent", **(extra or {})}


def call(
    folder: Path, *words: str | Path, env: Mapping[str, str] | None = None, json_file: str | None = "run.json"
) -> Done:
    """Call it in `folder`; the record goes to `json_file` there."""
    options: Sequence[str] = ["--json", json_file] if json_file else []
    done = subprocess.run(
        argv(*options, *words), capture_output=True, cwd=folder, env=environment(env), timeout=LIMIT_S, check=False
    )
    path = folder / json_file if json_file else None
    record = json.loads(path.read_bytes()) if path and path.exists() and path.stat().st_size else {}
    return Done(done.returncode, done.stdout, done.stderr.decode(errors="replace"), record)


def sum_of_parts_j(device: Mapping[str, Any]) -> float:
    """Run, idle, other and unattributed of a row of the record; a part of the run that nobody knows counts as 0."""
    return sum(device[part] or 0.0 for part in ("run_energy_j", "idle_j", "other_j", "unattributed_j"))
