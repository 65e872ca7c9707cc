"""The parts of a scripted GPU: sensors, processes, faults; each knows its lines of the script."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fake_driver.shapes import Busy

NO_INSTANCE = 0xFFFFFFFF
"""Instance id of a process outside MIG."""

EnergyMode = Literal["full", "parttime", "constant", "none"]
Kind = Literal["compute", "graphics", "mps"]

_KIND_BITS: dict[Kind, int] = {"compute": 1, "graphics": 2, "mps": 4}


@dataclass(frozen=True, slots=True)
class EnergyCounter:
    """Publishes at `phase_ms + k * period_ms` what was used since time 0, on top of `base_mj`.

    `parttime` measures the last `window_ms` of each period only; `none` answers NOT_SUPPORTED.
    """

    mode: EnergyMode = "full"
    period_ms: float = 100.0
    phase_ms: float = 0.0
    window_ms: float = 25.0
    base_mj: int = 5_000_000_000

    @property
    def line(self) -> str:
        """Its line of the script."""
        return f"energy {self.mode} {_s(self.period_ms)} {_s(self.phase_ms)} {_s(self.window_ms)} {self.base_mj}"


@dataclass(frozen=True, slots=True)
class PowerSensor:
    """Publishes every `period_ms` the mean power of the last `window_ms`.

    With `sample_ms` the mean is of one sample of that length in each period of the window, not of all of it.
    """

    period_ms: float = 100.0
    window_ms: float = 100.0
    phase_ms: float = 0.0
    sample_ms: float = 0.0

    @property
    def values(self) -> str:
        """Its words in the script."""
        return f"every {_s(self.period_ms)} {_s(self.window_ms)} {_s(self.phase_ms)} {_s(self.sample_ms)}"


QUARTER = PowerSensor(100, 25)
"""25 ms of every 100 ms: instant power of the large cards."""
ONE_SECOND = PowerSensor(100, 1000)
"""The moving average of one second."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """The driver's process sampler and its known quirks.

    `one` names one process per sample, with the engine's whole utilisation, as the hardware does: shares have
    sampling noise. `each` credits every process with its own: no noise, for tests of everything else.
    """

    mode: Literal["one", "each"] = "one"
    period_s: float = 1 / 6
    ring_s: float = 10.0
    seed: int = 1
    sizing_success: bool = False
    """The call that asks for the number of rows answers SUCCESS and 100."""
    zero_rows: bool = False
    """Fill all the rows that the caller has room for, with zeros after the last."""
    garbage_rows: int = 0
    """Add so many rows of processes that do not exist, with more than 100 percent."""
    garbage_stamp_us: int = 0
    """Their time; 0 for that of the latest sample."""

    @property
    def lines(self) -> tuple[str, str]:
        """Its lines of the script."""
        flags = f"{self.sizing_success:d} {self.zero_rows:d}"
        return (
            f"sampler {self.mode} {self.period_s!r} {self.ring_s!r} {self.seed}",
            f"quirks {flags} {self.garbage_rows} {self.garbage_stamp_us}",
        )


@dataclass(frozen=True, slots=True)
class Process:
    """A process on a GPU. `pid` is a number, `env:NAME`, or `file:PATH` (read when the file is there)."""

    pid: int | str
    start_s: float = -math.inf
    end_s: float = math.inf
    busy: float | tuple[Busy, ...] = 0.0
    """Utilisation of the engines: a constant percentage or parts that add up."""
    kinds: tuple[Kind, ...] = ("compute",)
    memory_bytes: int = 1 << 30
    instance: int = NO_INSTANCE
    only_alive: bool = False
    """Leave it out (with its samples) while no process has the pid."""

    @property
    def parts(self) -> tuple[Busy, ...]:
        """Its utilisation as parts."""
        if isinstance(self.busy, tuple):
            return self.busy
        return (Busy(-math.inf, math.inf, self.busy),)

    def true_busy_s(self, start_s: float, end_s: float) -> float:
        """Seconds of work between the two times."""
        low_s, high_s = max(start_s, self.start_s), min(end_s, self.end_s)
        return sum(part.busy_s(low_s, high_s) for part in self.parts)

    @property
    def lines(self) -> Iterator[str]:
        """Its lines of the script."""
        kinds = sum(_KIND_BITS[kind] for kind in set(self.kinds))
        span = f"{self.start_s!r} {self.end_s!r}"
        yield f"process {span} {kinds} {self.memory_bytes} {self.instance} {self.only_alive:d} {self.pid}"
        yield from (part.line for part in self.parts)


@dataclass(frozen=True, slots=True)
class Instance:
    """A GPU instance of MIG: how busy it is, in percent of itself, each a constant or parts that add up."""

    id: int
    slices: int
    sm: float | tuple[Busy, ...] = 0.0
    tensor: float | tuple[Busy, ...] = 0.0
    dram: float | tuple[Busy, ...] = 0.0
    graphics: float | tuple[Busy, ...] = 0.0

    @property
    def lines(self) -> Iterator[str]:
        """Its lines of the script."""
        yield f"instance {self.id} {self.slices}"
        for name in ("graphics", "sm", "tensor", "dram"):
            level = getattr(self, name)
            parts = level if isinstance(level, tuple) else (Busy(-math.inf, math.inf, level),)
            yield from (f"measure {name} {part.start_s!r} {part.end_s!r} {part.percent!r}" for part in parts)


@dataclass(frozen=True, slots=True)
class FaultRule:
    """Calls whose name matches `function` (a glob) answer `code`, after `delay_s`, from `start_s` to `end_s`.

    `field/ID` names one field of nvmlDeviceGetFieldValues. Code 0 only delays. What `probability`
    decides is a function of the time in microseconds, so all processes agree on it.
    """

    function: str = "*"
    start_s: float = -math.inf
    end_s: float = math.inf
    code: int = 0
    probability: float = 1.0
    delay_s: float = 0.0

    @property
    def line(self) -> str:
        """Its line of the script."""
        span = f"{self.start_s!r} {self.end_s!r}"
        return f"fault {span} {self.code} {self.probability!r} {self.delay_s!r} {self.function}"


def not_supported(*functions: str) -> tuple[FaultRule, ...]:
    """Rules by which `functions` (or `field/ID`) answer NOT_SUPPORTED for ever."""
    return tuple(FaultRule(function, code=3) for function in functions)


def pid_in(path: Path) -> str:
    """The `pid` of a process that writes its own pid to `path` when it starts."""
    return f"file:{path}"


def _s(milliseconds: float) -> str:
    return repr(milliseconds / 1000)
