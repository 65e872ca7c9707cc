"""What calls of the fake driver cost their caller, and how many a group of processes makes."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LATENCY_VARIABLE = "AIPOWER_FAKE_NVML_LATENCY_US"
SPIN_VARIABLE = "AIPOWER_FAKE_NVML_SPIN"
TALLY_VARIABLE = "AIPOWER_FAKE_NVML_TALLY"
CALL_COUNTS = ("calls", "cpu_ns")
"""What the driver counts: its calls, and the CPU time inside of them."""


@dataclass(frozen=True, slots=True)
class Latency:
    """What each call takes: `spin` burns it on the CPU, otherwise the caller sleeps."""

    microseconds: float = 0.0
    spin: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a process needs beside those of `Machine.environment`."""
        variables = {LATENCY_VARIABLE: repr(self.microseconds)} if self.microseconds else {}
        return {**variables, SPIN_VARIABLE: "1"} if self.spin else variables


class Tally:
    """A file of numbers that processes which map it add to, while it is switched on."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        """Make the file, switched off, with one number for each of `names`."""
        self.path = path
        self._names = tuple(names)
        size = 8 * (1 + len(self._names))
        path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._numbers = memoryview(mmap.mmap(file.fileno(), size)).cast("Q")

    def switch(self, *, on: bool) -> None:
        """From now on count, or do not."""
        self._numbers[0] = on

    def read(self) -> dict[str, int]:
        """All that was counted so far, by name."""
        return dict(zip(self._names, self._numbers[1:], strict=True))
