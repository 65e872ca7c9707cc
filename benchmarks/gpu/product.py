"""aipower itself as a child: where its command is, and what it needs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.gpu.loads import ROOT, environment
from benchmarks.gpu.seams import SkipError

NEEDED = ("msgspec", "psutil", "apscheduler", "prometheus_client", "starlette", "uvicorn")
RUN = "from aipower.run.cli import entry_point; entry_point()"
END_S = 30.0


def require_aipower() -> None:
    """Nothing.

    Raises:
        SkipError: This Python cannot run aipower.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise SkipError(f"aipower cannot run in this Python: {', '.join(missing)} missing; python -m pip install -e .")


def run_argv(record: Path, command: Sequence[str]) -> list[str]:
    """`aipower-run` of this checkout around `command`, with the GPUs alone."""
    return [sys.executable, "-c", RUN, "-q", "--sensors", "nvml", "--json", str(record), "--", *command]


def product_environment(uuid: str) -> dict[str, str]:
    """For a child that imports aipower from this checkout."""
    variables = environment(uuid)
    paths = [str(ROOT / "agent"), str(ROOT / "exporters"), variables["PYTHONPATH"]]
    return {**variables, "PYTHONPATH": ":".join(paths)}


@contextmanager
def agent(address: str, uuid: str) -> Iterator[int]:
    """The pid of an agent at work; it is ended with the context.

    Raises:
        SkipError: It ended before that.
    """
    argv = [sys.executable, "-m", "aipower", "agent", "--listen", address, "--sensors", "nvml"]
    process = subprocess.Popen(argv, env=product_environment(uuid), stderr=subprocess.DEVNULL)
    try:
        yield process.pid
        if process.poll() is not None:
            raise SkipError(f"the agent ended by itself with code {process.returncode}")
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
