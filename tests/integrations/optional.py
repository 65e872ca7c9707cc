"""Real libraries, where they are installed; each program with them runs in an interpreter of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from phases.receiver import Receiver, Told

PROGRAMS = Path(__file__).with_name("programs")
REQUIRED = "AIPOWER_REQUIRE_INTEGRATIONS"
PATIENCE_S = 110


def need(*modules: str) -> None:
    """Skip the test where a library is missing, unless the environment says that all are to be there."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing and not os.environ.get(REQUIRED):
        pytest.skip(f"{' and '.join(missing)} not installed; {REQUIRED}=1 makes this an error")
    assert not missing


def run(folder: Path, program: str, *words: str, environment: Mapping[str, str] | None = None) -> Any:
    """What the program has printed last, which is JSON."""
    variables = {
        **os.environ,
        "AIPOWER_POWERCAP_ROOT": str(folder / "none"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONWARNINGS": "ignore",
        **(environment or {}),
    }
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / f"{program}.py"), *words],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def run_within(receiver: Receiver, folder: Path, program: str, *words: str) -> tuple[Any, list[Told]]:
    """As under `aipower-run`: also what the program has told."""
    found = run(folder, program, *words, environment={"AIPOWER_PHASES": receiver.told()})
    return found, receiver.messages()


def stages(told: list[Told]) -> list[str]:
    """The names of the phases in the order of their begins; all are at the top, and all have ended."""
    begun = [message for message in told if message.kind == "B"]
    assert all(message.rest[0] == "0" for message in begun)
    assert sorted(m.span for m in told if m.kind == "E") == sorted(m.span for m in begun)
    open_ = 0
    for message in told:
        open_ += {"B": 1, "E": -1}.get(message.kind, 0)
        assert 0 <= open_ <= 1, "two stages at once"
    return [message.rest[1] for message in begun]


def work(told: list[Told], unit: str) -> dict[str, float]:
    """The amounts of `unit` by the name of the phase that they were told in."""
    names = {0: ""} | {message.span: message.rest[1] for message in told if message.kind == "B"}
    found: dict[str, float] = {}
    for message in told:
        if message.kind == "W" and message.rest[0] == unit:
            name = names[message.span]
            found[name] = found.get(name, 0.0) + float(message.rest[1])
    return found
