"""Calibration by hand: a person holds load levels and types what the meter shows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from aipower.calibration.fit import Point
from aipower.calibration.recording import Recording
from aipower.errors import AipowerError

MEASURE_S = 5.0
MIN_LEVELS = 3
MAX_METER_W = 1e5
STEADY = 0.03
"""The halves of a level may differ by this part, or STEADY_W, before it is measured again."""
STEADY_W = 1.0


class Console(Protocol):
    """The person at the keyboard."""

    def ask(self, question: str) -> str | None:
        """The line that was typed, None at the end of input."""
        ...

    def say(self, text: str) -> None:
        """Show a line."""
        ...


class _Level(Struct, frozen=True):
    watts: float
    halves_w: tuple[float, float]

    @property
    def steady(self) -> bool:
        low_w, high_w = sorted(self.halves_w)
        return high_w - low_w <= max(STEADY * high_w, STEADY_W)


def take_steps(console: Console, measure: Callable[[float], Recording]) -> list[Point]:
    """A point for each load level; `measure` records for so many seconds.

    Raises:
        AipowerError: The input ends before there are enough levels.
    """
    console.say(f"Hold at least {MIN_LEVELS} load levels, from idle to full, for 20 s each.")
    console.say(f"At each, type the watts that the meter shows and press Enter; then {MEASURE_S:g} s are measured.")
    points: list[Point] = []
    while True:
        answer = console.ask(f"level {len(points) + 1}: the meter's watts (empty line to finish): ")
        if not (answer or "").strip():
            if len(points) >= MIN_LEVELS:
                return points
            if answer is None:
                raise AipowerError(f"{len(points)} of {MIN_LEVELS} load levels were measured; nothing is written")
            console.say(f"{MIN_LEVELS} levels are needed, {len(points)} measured (Ctrl-C to give up)")
            continue
        point = _point(console, answer or "", measure)
        points.extend([point] if point else [])


def _point(console: Console, answer: str, measure: Callable[[float], Recording]) -> Point | None:
    meter_w = _watts(answer)
    if meter_w is None:
        console.say(f'"{answer.strip()[:40]}" is no number of watts')
        return None
    level = _level(measure(MEASURE_S))
    if not level.steady:
        first_w, second_w = level.halves_w
        console.say(f"not steady: {first_w:.1f} W, then {second_w:.1f} W; wait until it is and type it again")
        return None
    console.say(f"  sensor {level.watts:.1f} W, meter {meter_w:.1f} W")
    return Point(level.watts, meter_w)


def _level(recording: Recording) -> _Level:
    series = recording.series
    start_s, end_s = series.start_unix_s, series.end_unix_s
    middle_s = (start_s + end_s) / 2
    whole_w = series.mean_w(start_s, end_s)
    first_w, second_w = series.mean_w(start_s, middle_s), series.mean_w(middle_s, end_s)
    if whole_w is None or first_w is None or second_w is None or end_s - start_s < MEASURE_S / 2:
        raise AipowerError("the sensor was silent for too long; see aipower doctor")
    return _Level(whole_w, (first_w, second_w))


def _watts(text: str) -> float | None:
    try:
        watts = float(text.strip().removesuffix("W").removesuffix("w").strip().replace(",", "."))
    except ValueError:
        return None
    return watts if math.isfinite(watts) and 0 <= watts <= MAX_METER_W else None
