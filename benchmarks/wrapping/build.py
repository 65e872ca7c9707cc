"""Compiles the small programs that are wrapped and that hold the stopwatch, and puts a Python beside them.

What is wrapped is called by its name alone: `perun` writes its results beside a program that is called by its path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent / "programs"
PYTHON = "wrapped-python"
FLAGS = ("-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-O2")


class BuildError(RuntimeError):
    """There is no compiler, or it refused."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where they are."""

    stopwatch: Path
    load: Path
    counter: Path


def build(folder: Path) -> Programs:
    """The programs, compiled into `folder`, and there a link to the interpreter that we run on.

    Raises:
        BuildError: There is no C compiler, or it refused.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise BuildError("no C compiler: install one (Debian: apt install gcc libc6-dev)")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PYTHON).symlink_to(os.path.realpath(sys.executable))
    return Programs(*(_compile(compiler, name, folder) for name in ("stopwatch", "load", "counter")))


def _compile(compiler: str, name: str, folder: Path) -> Path:
    """Linked statically where that is possible: a program that starts faster leaves more of the time to wrappers."""
    program = folder / name
    command = [compiler, *FLAGS, "-o", str(program), str(SOURCES / f"{name}.c")]
    for how in (["-static"], []):
        done = subprocess.run([*command, *how], check=False, capture_output=True, text=True)
        if not done.returncode:
            return program
    raise BuildError(f"{name}.c does not compile:\n{done.stderr}")
