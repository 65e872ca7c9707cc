"""How far is the meter's clock from ours? The shift at which the two series are most alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from msgspec import Struct

from aipower.calibration.series import EnergySeries
from aipower.errors import AipowerError

MAX_SHIFT_S = 5.0
GRID_S = 0.25
"""Finer than the second at which meters log; steps of a load are seen to a fraction of that."""
FINEST_S = 0.01
BIN_S = 0.2
"""Meters that log faster are joined to such bins: a shift needs no more, and an hour stays quick."""
MIN_PAIRS = 5
MIN_CORRELATION = 0.9
GOLDEN = (math.sqrt(5) - 1) / 2


class Shift(Struct, frozen=True):
    """The meter's clock minus ours, and how well the series agree then."""

    seconds: float
    correlation: float


def find_shift(ours: EnergySeries, meter: EnergySeries, around_s: float = 0.0) -> Shift:
    """The shift within MAX_SHIFT_S of `around_s` that fits best.

    It also takes up half the meter's interval where the meter shows instants and not means, and its delay.

    Raises:
        AipowerError: The best is at the end of the range, or the two do not move together.
    """
    coarse = meter.coarse(BIN_S)

    def likeness(shift_s: float) -> float:
        return _correlation(ours, coarse, shift_s)

    steps = round(MAX_SHIFT_S / GRID_S)
    grid_s = [around_s + number * GRID_S for number in sorted(range(-steps, steps + 1), key=abs)]
    best_s = max(grid_s, key=likeness)
    if likeness(best_s) >= MIN_CORRELATION and abs(best_s - around_s) >= MAX_SHIFT_S:
        raise AipowerError(
            f"the meter's clock is {MAX_SHIFT_S:g} s or more from this machine's; set both by NTP,"
            " or tell about how far it is ahead with --shift SECONDS"
        )
    refined_s = _golden(likeness, best_s - GRID_S, best_s + GRID_S)
    found = max((Shift(at_s, likeness(at_s)) for at_s in (best_s, refined_s)), key=lambda shift: shift.correlation)
    if found.correlation < MIN_CORRELATION:
        raise AipowerError(
            f"the meter does not follow the device (correlation {found.correlation:.2f}); check that it is in the"
            " supply of this very device, and that its clock is right (--shift SECONDS)"
        )
    return found


def _correlation(ours: EnergySeries, meter: EnergySeries, shift_s: float) -> float:
    """Pearson's, over the meter's intervals that we know; -1 where there are too few."""
    pairs = [
        (mean_w, part.mean_w)
        for part in meter.parts
        if (mean_w := ours.mean_w(part.start_unix_s - shift_s, part.end_unix_s - shift_s)) is not None
    ]
    return pearson(pairs) if len(pairs) >= MIN_PAIRS else -1.0


def pearson(pairs: Sequence[tuple[float, float]]) -> float:
    """The correlation of the pairs; -1 where one side does not vary."""
    count = len(pairs)
    mean_x = sum(x for x, _ in pairs) / count
    mean_y = sum(y for _, y in pairs) / count
    sxx = sum((x - mean_x) ** 2 for x, _ in pairs)
    syy = sum((y - mean_y) ** 2 for _, y in pairs)
    sxy = sum((x - mean_x) * (y - mean_y) for x, y in pairs)
    return sxy / math.sqrt(sxx * syy) if sxx > 0 and syy > 0 else -1.0


def _golden(function: Callable[[float], float], low: float, high: float) -> float:
    """The place of a maximum between `low` and `high`, to FINEST_S, by golden section."""
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > FINEST_S:
        if at_left >= at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = function(right)
    return (low + high) / 2
