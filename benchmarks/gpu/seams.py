"""What an experiment gets and gives: a card, a clock and loads go in; data and rows of a table come out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from benchmarks.gpu.card import Card

Work = Literal["compute", "memory", "none"]
"""Products of matrices, copies of memory, or only a context."""


class SkipError(Exception):
    """The experiment cannot be done here; the message is one line for people."""


class Clock(Protocol):
    """Time as an argument, so that tests own it."""

    def now_s(self) -> float:
        """Seconds of CLOCK_MONOTONIC, which all processes share."""
        ...

    def unix_s(self) -> float:
        """Seconds since 1970."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` have passed."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The real clock."""

    def now_s(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        return time.monotonic()

    def unix_s(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Return after `seconds` have passed."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class LoadSpec:
    """What a load does: the engines are busy while (now - shift) modulo period is below duty x period."""

    period_s: float = 1.0
    duty: float = 1.0
    shift_s: float = 0.0
    work: Work = "compute"
    memory_gb: float = 0.0
    """Held on the GPU beside what the work needs."""


IDLE = LoadSpec(work="none")
STEADY = LoadSpec()


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load says of itself at its end."""

    products: int = 0
    """Units of work that it has done."""
    busy_s: float = 0.0
    """Seconds during which the engines had its work, by CUDA events."""
    wall_s: float = 0.0
    late_s: float = 0.0
    """The most by which an on-time ended late."""


class RunningLoad(Protocol):
    """A load at work in a process of its own."""

    @property
    def pid(self) -> int:
        """Of the process that has the context."""
        ...

    def change(self, spec: LoadSpec) -> None:
        """Do this from now on; the memory it holds stays as it was at the start."""
        ...

    def finish(self) -> LoadReport:
        """End it and return what it did. Safe to call twice."""
        ...


class Loads(Protocol):
    """Where loads come from."""

    @property
    def argv(self) -> Sequence[str]:
        """The command of a load, for who starts it in another way; it wants --spec."""
        ...

    @property
    def missing(self) -> str:
        """Why there can be none, in one line; empty where there can."""
        ...

    def start(self, spec: LoadSpec) -> AbstractContextManager[RunningLoad]:
        """A load that is warm and at work; it ends with the context.

        Raises:
            SkipError: It did not come up.
        """
        ...


@dataclass(frozen=True, slots=True)
class Bench:
    """All that an experiment may touch."""

    card: Card
    clock: Clock
    loads: Loads
    scale: float = 1.0
    """Factor on all durations."""

    def seconds(self, full_s: float) -> float:
        """How long to measure what takes `full_s` at scale 1."""
        return full_s * self.scale

    def need_loads(self) -> Loads:
        """The loads.

        Raises:
            SkipError: There are none.
        """
        if self.loads.missing:
            raise SkipError(self.loads.missing)
        return self.loads


Row = tuple[str, str]
"""What was measured, and the figure with its unit."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out: `data` for machines, `rows` for people."""

    data: Mapping[str, object]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Experiment:
    """One question to the hardware."""

    name: str
    title: str
    run: Callable[[Bench], Outcome]
    seconds: float
    """About how long it takes at scale 1."""
