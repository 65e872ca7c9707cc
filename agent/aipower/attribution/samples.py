"""Busy time that was sampled: how far it may be off, and what the energy of the window says about it.

The driver looks at the engines some six times a second and notes one process. Of n looks a share p falls on a program
that works for p of the time, give or take sqrt(p (1 - p) / n). The window's energy knows better where programs draw
different power: with intensities I, busy seconds b of covariance S and an energy y of error s, the most likely seconds
are b + S I (y - I'b) / (I'SI + s^2), the update of Kalman (1960).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

LEAST_LOOKS = 0.5
"""Fewer tell nothing."""
Covariance = Mapping[tuple[str, str], float]

PSEUDO = 0.5
"""Looks that are taken to have fallen as usual, beside the n of the window: no look says 'never'."""


class Refined(Struct, frozen=True):
    """Busy seconds by column with their covariance in square seconds."""

    seconds: Mapping[str, float]
    covariance_s2: Covariance
    gains: Mapping[str, float] = field(default_factory=dict)
    """Seconds that each column gains per joule beyond what was expected."""


def covariance_s2(seconds: Mapping[str, float], usual: Mapping[str, float], span_s: float, looks: float) -> Covariance:
    """Covariance of sampled seconds (multinomial); `usual` are the shares of all time that columns have on the whole.

    Empty where nothing was sampled (`looks` is 0).
    """
    if looks <= 0 or span_s <= 0:
        return {}
    columns = list(dict.fromkeys([*seconds, *usual]))
    shares = {
        c: (looks * seconds.get(c, 0.0) / span_s + PSEUDO * usual.get(c, 0.0)) / (looks + PSEUDO) for c in columns
    }
    # Shares that were seen vary less by themselves than the true ones allow: estimating p (1 - p) from them is low.
    unbiased = looks * (1 - looks / (looks + PSEUDO) ** 2)
    each_s2 = span_s**2 / max(unbiased, LEAST_LOOKS)
    return {
        (one, other): each_s2 * shares[one] * (max(0.0, 1 - shares[one]) if one == other else -shares[other])
        for one in columns
        for other in columns
    }


def refined(
    seconds: Mapping[str, float],
    covariance: Covariance,
    intensities_w: Mapping[str, float],
    energy_j: float,
    error_j2: float,
) -> Refined:
    """`seconds` as the energy of the window corrects them, none below 0.

    `error_j2` is the variance of the energy that the intensities explain, their own errors included.
    """
    if not covariance:
        return Refined(dict(seconds), {})
    columns = list(dict.fromkeys(one for one, _ in covariance))
    gains = {one: sum(covariance[one, other] * intensities_w.get(other, 0.0) for other in columns) for one in columns}
    spread_j2 = sum(gains[column] * intensities_w.get(column, 0.0) for column in columns)
    total_j2 = spread_j2 + error_j2
    if total_j2 <= 0:
        return Refined(dict(seconds), covariance)
    expected_j = sum(intensities_w.get(column, 0.0) * value for column, value in seconds.items())
    step = (energy_j - expected_j) / total_j2
    better = {column: max(0.0, seconds.get(column, 0.0) + gains[column] * step) for column in columns}
    left = {(a, b): value - gains[a] * gains[b] / total_j2 for (a, b), value in covariance.items()}
    return Refined(better, left, {column: gain / total_j2 for column, gain in gains.items()})
