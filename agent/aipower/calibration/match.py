"""From two series to a fit: one clock, then windows in which both saw the same steady load."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aipower.calibration.align import Shift, find_shift
from aipower.calibration.checks import check_fit
from aipower.calibration.fit import Fit, Point, check_range, fit_points
from aipower.calibration.series import EnergySeries, groups
from aipower.errors import AipowerError

WINDOW_S = 5.0
"""Several times the second at which meters log, and short enough for many of them."""
MIN_WINDOWS = 5
LOOKS_S = (-2.0, -0.25, 0.25)
"""A window is steady if its mean hardly changes when it is moved by so much: a rest of the shift, or a meter that
settles within two seconds after a step, then costs nothing."""
STEADY = 0.01
"""Of the highest power."""


class Match(Struct, frozen=True):
    """A fit of two series."""

    fit: Fit
    shift: Shift


def match(ours: EnergySeries, meter: EnergySeries, around_s: float = 0.0) -> Match:
    """Gain and offset from our recording and the meter's; the meter's clock is about `around_s` ahead.

    Raises:
        AipowerError: It cannot be told, with the remedy.
    """
    _check_overlap(ours, meter, around_s)
    check_range([part.mean_w for part in ours.coarse(WINDOW_S / 2).parts])
    shift = find_shift(ours, meter, around_s)
    points = list(_points(ours, meter, shift.seconds))
    if len(points) < MIN_WINDOWS:
        raise AipowerError(
            f"only {len(points)} windows of {WINDOW_S:g} s have a steady load, at least {MIN_WINDOWS} are needed;"
            " hold each load level for 30 s while both record"
        )
    fit = fit_points(points)
    check_fit(fit)
    return Match(fit, shift)


def _points(ours: EnergySeries, meter: EnergySeries, shift_s: float) -> Iterator[Point]:
    highest_w = max(part.mean_w for part in ours.coarse(WINDOW_S / 2).parts)
    for group in groups(meter.parts, WINDOW_S):
        start_s, end_s = group[0].start_unix_s, group[-1].end_unix_s
        mean_w = _steady_w(ours, start_s - shift_s, end_s - shift_s, STEADY * highest_w)
        if mean_w is not None:
            yield Point(mean_w, sum(part.energy_j for part in group) / (end_s - start_s), end_s - start_s)


def _steady_w(ours: EnergySeries, start_s: float, end_s: float, most_w: float) -> float | None:
    """The mean power; None where it depends on where exactly the window lies, or is not known."""
    mean_w = ours.mean_w(start_s, end_s)
    if mean_w is None:
        return None
    # Beyond our recording nothing can be said against a window.
    moved_w = (ours.mean_w(start_s + look_s, end_s + look_s) for look_s in LOOKS_S)
    return mean_w if all(abs(w - mean_w) <= most_w for w in moved_w if w is not None) else None


def _check_overlap(ours: EnergySeries, meter: EnergySeries, around_s: float) -> None:
    begins_s = meter.start_unix_s - around_s
    ends_s = meter.end_unix_s - around_s
    together_s = min(ends_s, ours.end_unix_s) - max(begins_s, ours.start_unix_s)
    if together_s >= MIN_WINDOWS * WINDOW_S:
        return
    if together_s > 0:
        raise AipowerError(
            f"the two recordings overlap for {together_s:.0f} s only; record at least {MIN_WINDOWS * WINDOW_S:g} s"
            " together, better two minutes"
        )
    gap_s = begins_s - ours.end_unix_s if begins_s > ours.end_unix_s else ends_s - ours.start_unix_s
    raise AipowerError(
        f"the meter's log and our recording have no time in common: it is {abs(gap_s):.0f} s too"
        f" {'late' if gap_s > 0 else 'early'}; check the time zone of its times, or give --shift SECONDS"
    )
