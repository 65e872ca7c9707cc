"""What the tests of packages need of the machine, and the one place that says what to do where it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[2]
BUILD_TIMEOUT_S = 500.0


def unable(reason: str) -> NoReturn:
    """Skips the test; in CI, which must be able to run every one, fails it."""
    if os.environ.get("CI"):
        pytest.fail(f"CI must be able to run this: {reason}")
    pytest.skip(reason)


def need_root() -> None:
    """The test changes the system."""
    if os.geteuid() != 0:
        unable("needs root")


def need(command: str, package: str) -> None:
    """The test runs `command`."""
    if shutil.which(command) is None:
        unable(f"{command} is not installed (Debian package {package})")


def run(*words: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """What the command prints; the test fails with all that it said if it does."""
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        check=False,
        env=env,
        cwd=cwd,
        timeout=BUILD_TIMEOUT_S,
    )
    assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
