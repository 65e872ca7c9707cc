"""`aipower.measure`: the energy of a part of a script or notebook, without `aipower-run` around it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

from aipower.errors import UsageError
from aipower.measuring.entries import Entry, enter, entered_by, leave
from aipower.measuring.session import Plan, Session
from aipower.measuring.why import why_missing
from aipower.phases.sync import Sync, wait, waiter
from aipower.phases.wrap import wrapped
from aipower.runrecord import Interval, RunRecord
from aipower.seams import SystemClock
from aipower.sensors.select import parse_selection

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

MIN_INTERVAL_S, MAX_INTERVAL_S = 0.01, 60.0
"""As those of `aipower-run --interval`."""


class Measure:
    """A measurement of this process and of all that it starts: `with aipower.measure() as m:`, or a decorator.

    After the block `m` tells what was measured. It may be used again, within itself and by several threads; it then
    tells of the block that ended last.
    """

    __slots__ = ("_entries", "_plan", "_record")

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._entries: dict[Entry, None] = {}
        self._record: RunRecord | None = None

    def __enter__(self) -> Self:
        session = Session(self._plan, SystemClock(), os.environ)
        session.begin()
        self._entries[enter(self, session)] = None
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        entry = self._take()
        if entry is not None:
            leave(entry)
            self._record = entry.session.end(failed=kind is not None)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.__exit__(kind)

    def __call__(self, function: FunctionT) -> FunctionT:
        """`function` as one that is measured each time it is called.

        Raises:
            TypeError: It is no function.
        """
        return wrapped(function, self)

    def __repr__(self) -> str:
        name = f" {self._plan.name!r}" if self._plan.name else ""
        if self._record is None:
            return f"<aipower.measure{name}, {'going on' if self._entries else 'not begun'}>"
        energy = "not measured" if self.energy_j is None else f"{self.energy_j:.4g} J"
        return f"<aipower.measure{name}, {energy} in {self.wall_s:.4g} s>"

    @property
    def record(self) -> RunRecord:
        """All that was measured, as `aipower-run --json` would write it.

        Raises:
            RuntimeError: The block has not ended yet.
        """
        if self._record is None:
            raise RuntimeError("nothing is known before the end of the measured block")
        return self._record

    @property
    def energy_j(self) -> float | None:
        """What this process and those it has started used on all measured devices; None where nothing was measured."""
        return self.record.energy_j.total

    @property
    def interval_j(self) -> Interval | None:
        """The 95 % interval of `energy_j`, with the scale of the sensors."""
        return self.record.interval_j.total

    @property
    def repeatable_interval_j(self) -> Interval | None:
        """The 95 % interval for comparing with other measurements on the same devices: without the sensors' scale."""
        return self.record.repeatable_interval_j.total

    @property
    def gpu_j(self) -> float | None:
        """The part of the GPUs in `energy_j`; None where none was measured, as with the other parts."""
        return self.record.energy_j.gpu

    @property
    def cpu_j(self) -> float | None:
        """The part of the processors."""
        return self.record.energy_j.cpu

    @property
    def dram_j(self) -> float | None:
        """The part of the memory."""
        return self.record.energy_j.dram

    @property
    def wall_s(self) -> float:
        """How long the block took, without the preparation and the last reads of the sensors."""
        return self.record.wall_s

    @property
    def why(self) -> str:
        """Why something was not measured, and what to do about it; empty where all was."""
        return why_missing(self.record)

    def report(self, *, verbose: bool = False) -> str:
        """What `aipower-run` would have printed; `verbose` as its `-v`."""
        from aipower.record.report import render  # noqa: PLC0415 - not all want it

        return render(self.record, verbose=verbose)

    def save(self) -> Path:
        """Keep the record among the runs of `aipower runs`; the file it is in.

        Raises:
            AipowerError: It cannot be written.
        """
        from aipower.store import RunStore, runs_folder  # noqa: PLC0415 - not all want it

        return RunStore(runs_folder(os.environ, Path.home())).put(self.record)

    def _take(self) -> Entry | None:
        """The entry to be left: that of this thread or task if it has one, else the last; None if there is none."""
        entry = entered_by(self)
        try:
            if entry is None:
                return self._entries.popitem()[0]
            del self._entries[entry]
        except KeyError:  # another thread was faster
            return None
        return entry


def measure(name: str = "", *, sync: Sync = None, sensors: str = "auto", interval_s: float = 0.1) -> Measure:
    """A measurement of this process and of all that it starts, for a `with` block or as a decorator.

    It measures the whole process: two at once, in threads for example, both have the energy of both.

    Args:
        name: A name for the record.
        sync: What the GPU is still doing is waited for at both ends: `"torch"`, `"jax"`, `"cupy"` or a function.
        sensors: `auto` takes what is there; `nvml,rapl` or one of them insists; `fake` simulates a machine.
        interval_s: Time between reads of the sensors in seconds, 0.01 to 60.

    Raises:
        UsageError: An argument makes no sense. Only for a sensor that was named and is missing the block itself may
            raise, an `AipowerError`.
        TypeError: `sync` is nothing that can be waited for.
    """
    if not MIN_INTERVAL_S <= interval_s <= MAX_INTERVAL_S:
        raise UsageError(f"interval_s={interval_s:g}: must be from {MIN_INTERVAL_S} to {MAX_INTERVAL_S:g} seconds")
    waits = waiter(sync)
    plan = Plan(name, parse_selection(sensors), interval_s, (lambda: wait(waits)) if waits else (lambda: None))
    return Measure(plan)
