"""Starts the doctor as a process that sees the fake driver."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from doctor.worlds import plant_system
from fake_driver.build import Variant, library
from fake_driver.script import Machine

CHILD = Path(__file__).with_name("child.py")
LIMIT_S = 60.0


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that nobody else gets and on which nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def variables(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would change the report, and with `changes`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIPOWER_", "NO_COLOR", "LC_"))}
    return {**kept, **changes}


def driver_of(machine: Machine, folder: Path, variant: str | Variant = "full") -> dict[str, str]:
    return machine.environment(library(variant), machine.write(folder / "script"))


def run_doctor(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """One finished doctor on a healthy host below `folder`; nobody listens where it looks for the agent."""
    if not (folder / "proc").exists():
        plant_system(folder)
    with closed_port() as port:
        return subprocess.run(
            [sys.executable, str(CHILD), str(folder), "--listen", f"127.0.0.1:{port}", *arguments],
            env=variables(env or {}), capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip


def report(folder: Path, machine: Machine, variant: str | Variant = "full") -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code and the checks by id, of a doctor that sees `machine`."""
    done = run_doctor(folder, "--json", env=driver_of(machine, folder, variant))
    assert done.stderr == ""
    checks = json.loads(done.stdout)["checks"]
    return done.returncode, {each["id"]: each for each in checks}
