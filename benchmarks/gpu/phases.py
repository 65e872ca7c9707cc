"""Whether a sensor sees all of the time: its mean power under square waves of its own period, by their phase.

A mean over all of the time does not depend on the phase. A sensor that looks for the part w of its period shows the
square wave's first harmonic, (2/pi) x swing x sinc(w): the amplitude tells w.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["full", "part-time", "unclear"]

FULL_BELOW, PART_ABOVE = 0.2, 0.5
"""Amplitude, as a part of the greatest possible: a window of 83 % of the period has 0.2, one of 60 % has 0.5."""
MIN_SWING_W = 20.0
"""Below this the load is too small to tell anything."""
HARMONIC = 2 / math.pi
"""First harmonic of a square wave between 0 and 1 with a duty of one half."""


@dataclass(frozen=True, slots=True)
class PhaseFit:
    """Mean power as mean + amplitude x cos(2 pi (phase - at)), with what is left."""

    mean_w: float
    amplitude_w: float
    error_w: float
    """Standard error of the amplitude."""
    range_w: float
    """Between the largest and the smallest."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one sensor does under one period."""

    fit: PhaseFit
    swing_w: float
    relative: float
    """The amplitude as a part of what a sensor that looks only for a moment would show."""
    seen_share: float
    """The part of the load's period that the sensor looks at, by the amplitude; 1 is all of it."""
    verdict: Verdict


def fit(phases: Sequence[float], powers_w: Sequence[float]) -> PhaseFit:
    """The first harmonic of `powers_w` over evenly spaced `phases` (0 to 1).

    Raises:
        ValueError: There are fewer than four phases.
    """
    count = len(phases)
    if count < 4:
        raise ValueError(f"{count} phases are too few")
    mean_w = sum(powers_w) / count
    cosine = 2 / count * sum(w * math.cos(math.tau * phase) for phase, w in zip(phases, powers_w, strict=True))
    sine = 2 / count * sum(w * math.sin(math.tau * phase) for phase, w in zip(phases, powers_w, strict=True))
    left = [
        w - mean_w - cosine * math.cos(math.tau * phase) - sine * math.sin(math.tau * phase)
        for phase, w in zip(phases, powers_w, strict=True)
    ]
    variance = sum(rest * rest for rest in left) / (count - 3)
    error_w = math.sqrt(2 * variance / count)
    return PhaseFit(mean_w, math.hypot(cosine, sine), error_w, max(powers_w) - min(powers_w))


def judge(found: PhaseFit, swing_w: float) -> Finding:
    """What the fit says of the sensor, for a load that swings by `swing_w`."""
    relative = found.amplitude_w / (HARMONIC * swing_w) if swing_w > 0 else math.nan
    share = seen_share(relative)
    return Finding(found, swing_w, relative, share, _verdict(found, swing_w, relative))


def _verdict(found: PhaseFit, swing_w: float, relative: float) -> Verdict:
    if swing_w < MIN_SWING_W:
        return "unclear"
    doubt = 2 * found.error_w / (HARMONIC * swing_w)
    if relative + doubt < FULL_BELOW:
        return "full"
    return "part-time" if relative - doubt > PART_ABOVE else "unclear"


def seen_share(relative: float) -> float:
    """The w from 0 to 1 with sin(pi w) / (pi w) = `relative`, by halving."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if math.sin(math.pi * middle) / (math.pi * middle) > relative:
            low = middle
        else:
            high = middle
    return (low + high) / 2
