"""Power over time in closed form, the same arithmetic as `power.c`, so that the truth has no step size."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Segment:
    """`watts` more from `start_s` to `end_s`; both may be infinite."""

    start_s: float
    end_s: float
    watts: float

    def energy_j(self, start_s: float, end_s: float) -> float:
        """Joules that it adds between the two times."""
        low_s, high_s = max(start_s, self.start_s), min(end_s, self.end_s)
        return self.watts * (high_s - low_s) if high_s > low_s else 0.0

    @property
    def line(self) -> str:
        """Its line of the script."""
        return f"segment {self.start_s!r} {self.end_s!r} {self.watts!r}"


@dataclass(frozen=True, slots=True)
class Square:
    """`watts` more during the first `duty` of each period, counted from `start_s`."""

    start_s: float
    end_s: float
    watts: float
    period_s: float
    duty: float = 0.5

    def energy_j(self, start_s: float, end_s: float) -> float:
        """Joules that it adds between the two times."""
        low_s, high_s = max(start_s, self.start_s), min(end_s, self.end_s)
        if high_s <= low_s:
            return 0.0
        return self.watts * (self._on_s(high_s - self.start_s) - self._on_s(low_s - self.start_s))

    def _on_s(self, elapsed_s: float) -> float:
        periods = math.floor(elapsed_s / self.period_s)
        rest_s = max(elapsed_s - periods * self.period_s, 0.0)
        return periods * self.duty * self.period_s + min(rest_s, self.duty * self.period_s)

    @property
    def line(self) -> str:
        """Its line of the script."""
        return f"square {self.start_s!r} {self.end_s!r} {self.watts!r} {self.period_s!r} {self.duty!r}"


@dataclass(frozen=True, slots=True)
class Ramp:
    """From `first_w` at `start_s` in a straight line to `last_w` at `end_s`, and nothing outside."""

    start_s: float
    end_s: float
    first_w: float
    last_w: float

    def energy_j(self, start_s: float, end_s: float) -> float:
        """Joules that it adds between the two times."""
        low_s, high_s = max(start_s, self.start_s), min(end_s, self.end_s)
        if high_s <= low_s:
            return 0.0
        return (high_s - low_s) * (self._level_w(low_s) + self._level_w(high_s)) / 2

    def _level_w(self, at_s: float) -> float:
        part = (at_s - self.start_s) / (self.end_s - self.start_s)
        return self.first_w + part * (self.last_w - self.first_w)

    @property
    def line(self) -> str:
        """Its line of the script."""
        return f"ramp {self.start_s!r} {self.end_s!r} {self.first_w!r} {self.last_w!r}"


Shape = Segment | Square | Ramp


def shapes_energy_j(shapes: Iterable[Shape], start_s: float, end_s: float) -> float:
    """Joules of all `shapes` from `start_s` to `end_s`; negative where the end is before the start."""
    if end_s < start_s:
        return -shapes_energy_j(shapes, end_s, start_s)
    return sum(shape.energy_j(start_s, end_s) for shape in shapes)


@dataclass(frozen=True, slots=True)
class Busy:
    """A process keeps the engines busy for `percent` of the time; with `period_s` only in bursts."""

    start_s: float
    end_s: float
    percent: float
    period_s: float | None = None
    duty: float = 0.5

    def busy_s(self, start_s: float, end_s: float) -> float:
        """Seconds of work between the two times."""
        return self._shape.energy_j(start_s, end_s) / 100

    @property
    def _shape(self) -> Segment | Square:
        if self.period_s is None:
            return Segment(self.start_s, self.end_s, self.percent)
        return Square(self.start_s, self.end_s, self.percent, self.period_s, self.duty)

    @property
    def line(self) -> str:
        """Its line of the script."""
        keyword, values = self._shape.line.split(" ", 1)
        return f"{'busy' if keyword == 'segment' else 'busy_square'} {values}"
