"""Starting and ending loads: each is a child, ended by closing its input, and by its pid where that does not help."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from benchmarks.gpu.seams import LoadReport, LoadSpec, SkipError

ROOT = Path(__file__).parents[2]
LOAD_MODULE = "benchmarks.gpu.load"
READY_S = 180.0
"""Loading torch and CUDA from a cold disk takes a minute at times."""
END_S = 30.0
NO_TORCH = "needs torch for its load: run it with a Python that has torch and nvidia-ml-py"


def environment(uuid: str) -> dict[str, str]:
    """Ours, for a child that shall see only the GPU `uuid` and find this package."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "CUDA_VISIBLE_DEVICES": uuid, "PYTHONPATH": os.pathsep.join(paths)}


def read_line(stream: IO[str], seconds: float) -> dict[str, Any]:
    """The next line as JSON, empty where none comes in time or the stream ends."""
    ready, _, _ = select.select([stream], [], [], seconds)
    line = stream.readline() if ready else ""
    found = json.loads(line) if line.strip() else {}
    return found if isinstance(found, dict) else {}


@dataclass(slots=True)
class ChildLoad:
    """A load in a child."""

    process: subprocess.Popen[str]
    report: LoadReport | None = None
    pid: int = field(init=False)

    def __post_init__(self) -> None:
        self.pid = self.process.pid

    def wait_ready(self) -> None:
        """Return when it is at work.

        Raises:
            SkipError: It did not come up.
        """
        answer = read_line(self._out, READY_S)
        if not answer.get("ready"):
            raise SkipError(f"the load did not come up: {answer.get('error', f'silent for {READY_S:.0f} s or ended')}")

    def change(self, spec: LoadSpec) -> None:
        """Do this from now on."""
        if self.process.stdin is None:
            raise RuntimeError("the load has no input")
        self.process.stdin.write(json.dumps(asdict(spec)) + "\n")
        self.process.stdin.flush()

    def finish(self) -> LoadReport:
        """End it, by force where it has to be."""
        if self.report is None:
            self.report = self._end()
        return self.report

    def _end(self) -> LoadReport:
        try:
            rest, _ = self.process.communicate(timeout=END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            return LoadReport()
        return last_report(rest)

    @property
    def _out(self) -> IO[str]:
        if self.process.stdout is None:
            raise RuntimeError("the load has no output")
        return self.process.stdout


def last_report(text: str) -> LoadReport:
    """What the last line says of the load; zeros where it says nothing."""
    lines = text.strip().splitlines()
    try:
        return LoadReport(**json.loads(lines[-1])) if lines else LoadReport()
    except (TypeError, ValueError):
        return LoadReport()


@dataclass(frozen=True, slots=True)
class ChildLoads:
    """Loads on the GPU `uuid`."""

    uuid: str
    argv: Sequence[str] = (sys.executable, "-m", LOAD_MODULE)
    needs: str = "torch"
    """The module that the child needs; empty for none."""
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> str:
        """That there is no torch, or nothing."""
        return NO_TORCH if self.needs and importlib.util.find_spec(self.needs) is None else ""

    @contextmanager
    def start(self, spec: LoadSpec) -> Iterator[ChildLoad]:
        """A load that is warm and at work.

        Raises:
            SkipError: It did not come up.
        """
        process = subprocess.Popen(
            [*self.argv, "--spec", json.dumps(asdict(spec))],
            env={**environment(self.uuid), **self.extra},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        load = ChildLoad(process)
        try:
            load.wait_ready()
            yield load
        finally:
            load.finish()
