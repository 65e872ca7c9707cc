"""Compiles the small C programs of the benchmark."""

from __future__ import annotations

import subprocess
from pathlib import Path

HERE = Path(__file__).parent
FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-O2")


def program(name: str, folder: Path) -> Path:
    """The program of `name`.c, in `folder`."""
    return _compile(name, folder / name, ())


def preload(name: str, folder: Path) -> Path:
    """The library of `name`.c, for LD_PRELOAD, in `folder`."""
    return _compile(name, folder / f"{name}.so", ("-shared", "-fPIC", "-ldl"))


def _compile(name: str, target: Path, more: tuple[str, ...]) -> Path:
    """`target`.

    Raises:
        RuntimeError: There is no C compiler, or it refused.
    """
    if target.exists():
        return target
    argv = ["cc", *FLAGS, str(HERE / f"{name}.c"), "-o", str(target), *more]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise RuntimeError(
            "the benchmark needs a C compiler: install one (Debian: apt install gcc libc6-dev)"
        ) from error
    if done.returncode != 0:
        raise RuntimeError(f"{name}.c does not compile:\n{done.stderr}")
    return target
