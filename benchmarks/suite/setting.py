"""Where and with what the figures were measured."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from aipower import __version__

ROOT = Path(__file__).resolve().parents[2]


def machine() -> Iterator[tuple[str, str]]:
    """What the machine is: each fact with its name."""
    yield "CPU", f"{_line('/proc/cpuinfo', 'model name')}, {os.cpu_count()} logical"
    yield "memory", f"{int(_line('/proc/meminfo', 'MemTotal').split()[0]) * 1024 / 1e9:.1f} GB"
    yield "kernel", platform.release()
    yield "Python", platform.python_version()
    yield "aipower", f"{__version__}, commit {commit()}"


def today() -> str:
    """The date, as results are named by it."""
    return datetime.now(UTC).date().isoformat()


def command(module: str, argv: Sequence[str] | None) -> str:
    """The line that measures again; `argv` is None for that of this program."""
    return shlex.join(["python", "-m", module, *(sys.argv[1:] if argv is None else argv)])


def load_average() -> str:
    """The mean number of runnable processes of the last minute."""
    return f"{os.getloadavg()[0]:.2f}"


def commit() -> str:
    """The commit of the working tree, and whether that was changed since."""
    head = _git("rev-parse", "--short=12", "HEAD")
    changed = bool(_git("status", "--porcelain", "--untracked-files=no"))
    return f"{head or 'unknown'}{' with changes' if changed else ''}"


def _git(*words: str) -> str:
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _line(path: str, name: str) -> str:
    """The value after `name:`; "unknown" where the file has none, as on some processors."""
    lines = (line.partition(":") for line in Path(path).read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "unknown")
