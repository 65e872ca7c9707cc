"""Busy time that was sampled: how far it may be off, and what the energy of the window says about it.

The driver looks at the engines some six times a second and notes one process. Of n looks a share p falls on a program
that works for p of the time, give or take sqrt(p (1 - p) / n). The window's energy knows better where programs draw
different power: with intensities I, busy seconds b of covariance S and an energy y of error s, the most likely seconds
are b + S I (y - I'b) / (I'SI + s^2), the update of Kalman (1960).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from aipower.attribution.vectors import dot
from aipower.attribution.work import Work

LEAST_LOOKS = 0.5
"""Fewer tell nothing."""
LOCAL = 0.5
"""Share of the usual mix of work that a window leaves: programs work in phases, and a phase tells the next second."""
TRACE = 1e-6
"""A smaller share of the usual mix is forgotten."""
PSEUDO = 0.5
"""Looks that are taken to have fallen as usual, beside the n of the window: no look says 'never'."""


class Covariance(Struct, frozen=True, gc=False):
    """Covariance of sampled seconds: a diagonal less the products of the shares, as of all draws.

    So it takes two numbers for each column, and its product with a vector as many steps as there are columns.
    """

    columns: tuple[str, ...]
    own_s2: Sequence[float]
    """The diagonal, before the products are taken off."""
    shares: Sequence[float]
    each_s2: float
    """Square seconds for each product of two shares."""

    def at(self, one: int, other: int) -> float:
        """One element, in square seconds."""
        product = self.each_s2 * self.shares[one] * self.shares[other]
        return self.own_s2[one] - product if one == other else -product

    def times(self, vector: Sequence[float]) -> list[float]:
        """The product with `vector`."""
        shared = self.each_s2 * dot(self.shares, vector)
        return [own * x - shared * p for own, x, p in zip(self.own_s2, vector, self.shares, strict=True)]

    def form(self, vector: Sequence[float]) -> float:
        """The quadratic form of `vector`: its variance."""
        diagonal: float = sum([own * x * x for own, x in zip(self.own_s2, vector, strict=True)])
        return diagonal - self.each_s2 * dot(self.shares, vector) ** 2


class Usual:
    """The usual mix of work of a device: the share of all time that each column has."""

    def __init__(self) -> None:
        self._shares: Mapping[str, float] = {}

    def covariance_s2(self, work: Work, span_s: float, looks: float) -> Covariance | None:
        """That of a window's seconds, by what was usual before it; it becomes part of that."""
        if looks <= 0:
            return None
        seconds, columns = work.seconds, tuple({**work.seconds, **work.present})
        if not columns and not self._shares:
            return None
        shares = {column: min(1.0, seconds_s / span_s) for column, seconds_s in seconds.items()}
        before = self._shares or shares
        self._shares = {
            column: share
            for column in {**before, **shares}
            if (share := (1 - LOCAL) * before.get(column, 0.0) + LOCAL * shares.get(column, 0.0)) > TRACE
        }
        return covariance_s2(columns, seconds, before, span_s, looks)


class Refined(Struct, frozen=True, gc=False):
    """Busy seconds in the order of the columns, and what is left of their covariance.

    That is `sampled` less the products of the gains, times `energy_j2`.
    """

    seconds: Sequence[float]
    sampled: Covariance | None = None
    gains: Sequence[float] = ()
    """Seconds that each column gains per joule beyond what was expected; none where energy says nothing."""
    energy_j2: float = 0.0
    """Variance of the window's energy about what was expected."""

    def form(self, vector: Sequence[float]) -> float:
        """Variance of the sum of all seconds, each times its element of `vector`."""
        if self.sampled is None:
            return 0.0
        form = self.sampled.form(vector)
        return form - self.energy_j2 * dot(self.gains, vector) ** 2 if self.gains else form

    def variance(self, column: int) -> float:
        """Of the seconds of one column."""
        if self.sampled is None:
            return 0.0
        variance = self.sampled.at(column, column)
        return variance - self.energy_j2 * self.gains[column] ** 2 if self.gains else variance

    def times(self, vector: Sequence[float]) -> Sequence[float]:
        """The product of the covariance with `vector`."""
        if self.sampled is None:
            return [0.0] * len(vector)
        product = self.sampled.times(vector)
        if not self.gains:
            return product
        known = self.energy_j2 * dot(self.gains, vector)
        return [value - known * gain for value, gain in zip(product, self.gains, strict=True)]


def covariance_s2(
    columns: tuple[str, ...], seconds: Mapping[str, float], usual: Mapping[str, float], span_s: float, looks: float
) -> Covariance | None:
    """Covariance of sampled seconds (multinomial); `usual` are the shares of all time that columns have on the whole.

    None where nothing was sampled (`looks` is 0).
    """
    if looks <= 0 or span_s <= 0 or not columns:
        return None
    shares = [(looks * seconds.get(c, 0.0) / span_s + PSEUDO * usual.get(c, 0.0)) / (looks + PSEUDO) for c in columns]
    # Shares that were seen vary less by themselves than the true ones allow: estimating p (1 - p) from them is low.
    unbiased = looks * (1 - looks / (looks + PSEUDO) ** 2)
    each_s2 = span_s**2 / max(unbiased, LEAST_LOOKS)
    return Covariance(columns, [each_s2 * (p if p <= 1 else p * p) for p in shares], shares, each_s2)


def refined(
    seconds: Sequence[float],
    covariance: Covariance | None,
    watts: Sequence[float],
    energy_j: float,
    error_j2: float,
) -> Refined:
    """`seconds` as the energy of the window corrects them by the columns' `watts`, none below 0.

    `error_j2` is the variance of the energy that the intensities explain, their own errors included.
    """
    if covariance is None:
        return Refined(seconds)
    pulls = covariance.times(watts)
    total_j2 = dot(pulls, watts) + error_j2
    if total_j2 <= 0:
        return Refined(seconds, covariance)
    step = (energy_j - dot(watts, seconds)) / total_j2
    better = [max(0.0, value + pull * step) for value, pull in zip(seconds, pulls, strict=True)]
    return Refined(better, covariance, [pull / total_j2 for pull in pulls], total_j2)
