"""A bench whose machine is scripted: its clock is a file, and a load is a stretch of the script that has its shape."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle

from benchmarks.gpu.seams import LoadReport, LoadSpec
from fake_driver.script import Ramp, Segment, Shape, Square

TICK_S = 0.001
BLOCK_S = 100.0
"""Loads begin so far apart; a little before the next one each ends."""
REST = 0.05
PIDS = (9001, 9002)


def key(spec: LoadSpec) -> tuple[str, float, float, int]:
    """What tells loads apart. The period is one that was measured, so it is rounded to milliseconds."""
    return spec.work, round(spec.period_s, 3), spec.duty, round(16 * spec.shift_s / spec.period_s)


def start_s(number: int, block_s: float = BLOCK_S) -> float:
    """When the load of the script's place `number` begins."""
    return (number + 1) * block_s


def shapes(
    specs: Sequence[LoadSpec], watts: float, drift_w: float = 0.0, block_s: float = BLOCK_S
) -> tuple[Shape, ...]:
    """The script of loads that come in this order; a steady one drifts by `drift_w`."""
    found: list[Shape] = []
    for number, spec in enumerate(specs):
        begin_s = start_s(number, block_s)
        end_s = begin_s + (1 - REST) * block_s
        if spec.work == "none":
            continue
        if spec.duty >= 1:
            found += [Segment(begin_s, end_s, watts), Ramp(begin_s, end_s, 0.0, drift_w)]
        else:
            found.append(Square(begin_s + spec.shift_s, end_s, watts, spec.period_s, spec.duty))
    return tuple(found)


@dataclass(slots=True)
class FileClock:
    """The machine's time, which passes by being asked for.

    It is written in place, which takes microseconds: the driver that reads it is in the same thread.
    """

    file: int
    """Open for writing."""
    unix_zero_s: float
    at_s: float = 0.0

    def now_s(self) -> float:
        self.jump(self.at_s + TICK_S)
        return self.at_s

    def unix_s(self) -> float:
        return self.unix_zero_s + self.at_s

    def sleep(self, seconds: float) -> None:
        self.jump(self.at_s + seconds)

    def jump(self, at_s: float) -> None:
        self.at_s = at_s
        os.pwrite(self.file, f"{at_s:.6f}\n".encode(), 0)


@dataclass(slots=True)
class ScriptedLoad:
    pid: int
    loads: ScriptedLoads

    def change(self, spec: LoadSpec) -> None:
        self.loads.go_to(spec)

    def finish(self) -> LoadReport:
        return LoadReport()


@dataclass(slots=True)
class ScriptedLoads:
    """Goes to the next stretch of the script that has the wanted load, if the script has loads at all."""

    clock: FileClock
    specs: Sequence[LoadSpec]
    block_s: float = BLOCK_S
    missing: str = ""
    argv: Sequence[str] = ()
    next_pid: Iterator[int] = field(default_factory=lambda: cycle(PIDS))

    @contextmanager
    def start(self, spec: LoadSpec) -> Iterator[ScriptedLoad]:
        self.go_to(spec)
        yield ScriptedLoad(next(self.next_pid), self)

    def go_to(self, spec: LoadSpec) -> None:
        if not self.specs:
            return
        starts_s = [start_s(n, self.block_s) for n, one in enumerate(self.specs) if key(one) == key(spec)]
        later_s = [begin_s for begin_s in starts_s if begin_s > self.clock.at_s]
        if not later_s:
            raise LookupError(f"the script has no {spec} after {self.clock.at_s} s")
        self.clock.jump(later_s[0])
