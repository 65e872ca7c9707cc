"""Time and processes of the simulated machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aipower.model import ProcessId, ProcessInfo


@dataclass(slots=True)
class SimulatedClock:
    """Time that moves when somebody waits or a driver works."""

    now_s: float = 0.0
    wall_steps: Sequence[tuple[float, float]] = ()
    """When somebody sets the wall clock, and by how many seconds; the monotonic clock does not notice."""

    def monotonic_s(self) -> float:
        """Simulated seconds."""
        return self.now_s

    def unix_s(self) -> float:
        """The same on the wall."""
        return self.unix_at(self.now_s)

    def unix_at(self, at_s: float) -> float:
        """What the wall showed at `at_s`."""
        return 1_700_000_000.0 + at_s + sum(by_s for from_s, by_s in self.wall_steps if from_s <= at_s)

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.now_s += max(0.0, seconds)


@dataclass(frozen=True, slots=True)
class SimulatedProcesses:
    """Knows all processes of a case by name."""

    names: Mapping[ProcessId, str]

    def resolve(self, pid: int) -> ProcessId | None:
        """The process of `pid`."""
        return next((process for process in self.names if process.pid == pid), None)

    def describe(self, process: ProcessId) -> ProcessInfo:
        """Its executable's name."""
        return ProcessInfo(process, self.names.get(process, f"p{process.pid}"), "user")

    def alive(self, process: ProcessId) -> bool:
        """Accounts stay for the whole case."""
        return process in self.names
