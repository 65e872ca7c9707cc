"""Which process belongs to which run, for the agent's own accounts."""

from __future__ import annotations

from collections.abc import Container, Iterable

from aipower.model import ProcessId

REMEMBER_S = 30.0
"""How long a process that has ended is still known to be its run's own: windows end late."""


class Members:
    """The runs of processes that were seen lately."""

    def __init__(self) -> None:
        self._runs: dict[ProcessId, str] = {}
        self._seen_s: dict[ProcessId, float] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def run_of(self, process: ProcessId) -> str:
        """The run that `process` belongs to; empty for none."""
        return self._runs.get(process, "")

    def meet(self, run: str, processes: Iterable[ProcessId], now_s: float, active: Container[str]) -> None:
        """`processes` are seen in `run`; those that belong to another of the `active` ones stay there."""
        for process in processes:
            if self._runs.get(process, "") not in active:
                self._runs[process] = run
            if self._runs[process] == run:
                self._seen_s[process] = now_s

    def forget(self, now_s: float) -> None:
        """Let go of those that were not seen for `REMEMBER_S`."""
        gone = [process for process, seen_s in self._seen_s.items() if now_s - seen_s > REMEMBER_S]
        for process in gone:
            del self._runs[process], self._seen_s[process]
