"""The test's side of `child.py`: calls of the real pynvml in a process that has the fake driver."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fake_driver.build import Variant, library
from fake_driver.script import Machine, write_clock

CHILD = Path(__file__).with_name("child.py")


class NvmlFailureError(Exception):
    """pynvml raised NVMLError with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"NVML error {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Driver:
    """A running child; every method makes it do one thing and waits for the answer."""

    process: subprocess.Popen[str]
    directory: Path

    def call(self, function: str, gpu: int | None = None, *arguments: object) -> Any:
        """What `pynvml.FUNCTION` returns, with the handle of `gpu` in front of the arguments.

        Raises:
            NvmlFailureError: pynvml raised an NVMLError.
        """
        return self.ask("call", function=function, gpu=gpu, arguments=list(arguments))

    def code(self, function: str, gpu: int | None = None, *arguments: object) -> int:
        """The NVML code with which the call fails; 0 where it does not."""
        try:
            self.call(function, gpu, *arguments)
        except NvmlFailureError as failure:
            return failure.code
        return 0

    def utilization(self, gpu: int, room: int | None, last_seen_us: int = 0) -> Any:
        """Code, count and rows of one bare nvmlDeviceGetProcessUtilization; no `room` passes NULL."""
        return self.ask("utilization", gpu=gpu, room=room, last_seen_us=last_seen_us)

    def ask(self, operation: str, **request: object) -> Any:
        """The answer to a request that `child.py` knows.

        Raises:
            NvmlFailureError: The answer is an error code.
        """
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the child has no pipes")
        self.process.stdin.write(json.dumps({"operation": operation, **request}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the child died: {self.errors}")
        answer = json.loads(line)
        if "error" in answer:
            raise NvmlFailureError(answer["error"])
        return answer["value"]

    def at(self, now_s: float) -> Driver:
        """The same driver after the machine's clock file says `now_s`."""
        write_clock(self.directory / "clock", now_s)
        return self

    @property
    def errors(self) -> str:
        """What the child wrote to stderr so far."""
        return (self.directory / "stderr").read_text()

    @property
    def calls(self) -> list[str]:
        """The driver's log: a line "function gpu" for each call so far."""
        return (self.directory / "calls").read_text().splitlines()


@contextmanager
def connect(
    machine: Machine,
    directory: Path,
    *,
    variant: str | Variant = "full",
    init: bool = True,
    extra: dict[str, str] | None = None,
) -> Iterator[Driver]:
    """A child with the fake driver of `machine`, initialised where `init`; its files are in `directory`."""
    script = machine.write(directory / "script")
    variables = machine.environment(library(variant), script, directory / "calls")
    with (
        (directory / "stderr").open("w") as errors,
        _child({**variables, **(extra or {})}, errors.fileno()) as process,
    ):
        driver = Driver(process, directory)
        if init:
            driver.call("nvmlInit")
        yield driver


@contextmanager
def _child(variables: dict[str, str], stderr: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(CHILD)],
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
