"""The test's side of `child.py`: the sensors of aipower on the fake driver, in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fake_driver.build import Variant, library
from fake_driver.script import FaultRule, Gpu, Machine, write_clock

CHILD = Path(__file__).with_name("child.py")
T0_S, WALL_OFFSET_S = 1000.0, 1_700_000_000.0
FIELDS = "nvmlDeviceGetFieldValues"
ENERGY_CALL, POWER_CALL = "nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetPowerUsage"


class SensorFailure(Exception):  # noqa: N818 - what a sensor of the child raised, not an error of the rig
    """A sensor of the child raised `kind` with `reason`."""

    def __init__(self, kind: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Rig:
    """A child that owns sensors; every method makes it do one thing and waits for the answer."""

    process: subprocess.Popen[str]
    directory: Path

    def discover(self) -> Any:
        return self.ask("discover")

    def read(self, sensor: int = 0) -> Any:
        return self.ask("read", sensor=sensor)

    def collect(self, sensor: int = 0) -> Any:
        return self.ask("collect", sensor=sensor)

    def close(self, sensor: int = 0) -> None:
        self.ask("close", sensor=sensor)

    def at(self, now_s: float) -> Rig:
        """The same rig after the machine's clock says `now_s`."""
        write_clock(self.directory / "clock", now_s)
        return self

    def ask(self, operation: str, **request: object) -> Any:
        """The answer to a request that `child.py` knows.

        Raises:
            SensorFailure: A sensor raised.
        """
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the child has no pipes")
        self.process.stdin.write(json.dumps({"operation": operation, **request}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the child died: {(self.directory / 'stderr').read_text()}")
        answer = json.loads(line)
        if "error" in answer:
            raise SensorFailure(answer["error"], answer["reason"], answer["message"])
        return answer["value"]

    @property
    def calls(self) -> Counter[str]:
        """How often each "function gpu" was called so far."""
        log = self.directory / "calls"
        return Counter(log.read_text().splitlines() if log.exists() else ())

    def calls_of(self, operation: str, sensor: int = 0) -> Counter[str]:
        """The calls that one more `operation` makes."""
        before = self.calls
        self.ask(operation, sensor=sensor)
        return self.calls - before

    def failure(self, operation: str = "read", sensor: int = 0) -> SensorFailure:
        """What an operation raises."""
        try:
            self.ask(operation, sensor=sensor)
        except SensorFailure as failure:
            return failure
        raise AssertionError(f"{operation} did not fail")


@contextmanager
def rig(
    directory: Path,
    *gpus: Gpu,
    faults: tuple[FaultRule, ...] = (),
    variant: str | Variant = "full",
    libraries: Path | None = None,
    **changes: Any,
) -> Iterator[Rig]:
    """A child on a machine with `gpus`, at time 0. `libraries` replaces the folder of the fake driver."""
    clock = write_clock(directory / "clock", 0.0)
    machine = Machine(gpus, t0_s=T0_S, wall_offset_s=WALL_OFFSET_S, clock=clock, faults=faults, **changes)
    script = machine.write(directory / "script")
    variables = machine.environment(libraries or library(variant), script, directory / "calls")
    with (
        (directory / "stderr").open("w") as errors,
        subprocess.Popen(
            [sys.executable, str(CHILD), str(clock), repr(T0_S), repr(WALL_OFFSET_S)],
            env={**os.environ, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors.fileno(),
            text=True,
        ) as process,
    ):
        try:
            yield Rig(process, directory)
        finally:
            process.kill()
            process.communicate()
