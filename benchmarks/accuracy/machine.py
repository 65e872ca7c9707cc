"""Time and processes of the simulated machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aipower.model import ProcessId, ProcessInfo


@dataclass(slots=True)
class SimulatedClock:
    """Time that moves when somebody waits or a driver works."""

    now_s: float = 0.0

    def monotonic_s(self) -> float:
        """Simulated seconds."""
        return self.now_s

    def unix_s(self) -> float:
        """The same on the wall."""
        return 1_700_000_000.0 + self.now_s

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
