"""The ratio of two repeated quantities, as of the energies of two programs, with its interval.

All is done on logarithms: savings are multiplicative, and so is the spread of energies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from aipower.statistics.chisquare import chi2_quantile
from aipower.statistics.means import CONFIDENCE, LEAST, mean, variance
from aipower.statistics.solve import rising_root
from aipower.statistics.student import t_quantile, two_sided

FEW, MUCH_MORE = 3, 1.5
"""Numbers of runs so different that Welch's freedom is too high."""
HALF = 0.5
"""A spread is judged by its median estimate: few values show too small a spread more often than not."""


@dataclass(frozen=True, slots=True)
class Group:
    """Repetitions of one thing."""

    values: Sequence[float]
    """All above 0."""
    errors: Sequence[float] = ()
    """The standard error of each value's measurement, as a part of it; empty where there is none."""

    @property
    def logs(self) -> list[float]:
        """Their natural logarithms."""
        return [math.log(value) for value in self.values]

    @property
    def error2(self) -> float:
        """The mean variance of measurement."""
        return mean([error * error for error in self.errors]) if self.errors else 0.0


@dataclass(frozen=True, slots=True)
class Component:
    """A variance, and how well it is known."""

    variance: float
    freedom: float = math.inf


@dataclass(frozen=True, slots=True)
class Ratio:
    """ln(other / base) and its errors, each as a standard error in the logarithm."""

    log: float
    components: Sequence[Component]
    run_se: float | None
    """By how runs vary; None where neither side has been repeated, so that nobody knows."""
    measurement_se: float
    """By errors of measurement that repeating does not average out."""
    scale_se: float
    """By the sensors' scales, where they do not cancel."""
    drift: float
    """By how much a drift may have moved the logarithm; a bound."""
    confidence: float
    half: float = field(init=False)
    """The half-width of the interval."""

    def __post_init__(self) -> None:
        quantile = t_quantile((1 + self.confidence) / 2, self.freedom)
        object.__setattr__(self, "half", quantile * self.se + self.drift)

    @property
    def se(self) -> float:
        """The standard error of the logarithm, without the drift."""
        return math.sqrt(math.fsum(component.variance for component in self.components))

    @property
    def freedom(self) -> float:
        """By Welch and Satterthwaite (JCGM 100, "GUM", G.4)."""
        return freedom_of(self.components)

    @property
    def interval(self) -> tuple[float, float]:
        """Of the logarithm."""
        return self.log - self.half, self.log + self.half

    @property
    def p(self) -> float:
        """How probable a difference at least as large is where there is none; two-sided."""
        left = max(0.0, abs(self.log) - self.drift)
        if self.se == 0:
            return 0.0 if left > 0 else 1.0
        return two_sided(left / self.se, self.freedom)


def ratio(
    base: Group, other: Group, *, scale_se: float = 0.0, drift: float = 0.0, confidence: float = CONFIDENCE
) -> Ratio:
    """How `other` compares with `base`.

    Welch's t-test on the logarithms where both are repeated. Where one is, the other is taken to spread as it does;
    where none is, the interval is that of the measurement alone. An error of measurement that changes from run to run
    is part of the spread. What of it the spread is too small for does not change, so the mean has it too.

    Raises:
        ValueError: A side has no value, or one is not above 0.
    """
    spread = run_components(base.logs, other.logs, confidence)
    lasting2 = lasting_variance(base, other.logs) + lasting_variance(other, base.logs)
    return Ratio(
        log=mean(other.logs) - mean(base.logs),
        components=(*spread, Component(lasting2), Component(scale_se * scale_se)),
        run_se=math.sqrt(sum(c.variance for c in spread)) if spread else None,
        measurement_se=math.sqrt(lasting2),
        scale_se=scale_se,
        drift=drift,
        confidence=confidence,
    )


def run_components(base: Sequence[float], other: Sequence[float], confidence: float = CONFIDENCE) -> list[Component]:
    """The variances of the two means by the spread of runs; none where neither side is repeated."""
    repeated = [values for values in (base, other) if len(values) >= LEAST]
    if len(repeated) == 1:
        both = 1 / len(base) + 1 / len(other)
        return [Component(variance(repeated[0]) * both, len(repeated[0]) - 1)]
    found = [Component(variance(values) / len(values), len(values) - 1) for values in repeated]
    return [_cautious(found, confidence)] if repeated and _uneven(len(base), len(other)) else found


def _uneven(base: int, other: int) -> bool:
    """True for two or three runs against half as many again, or more."""
    few, many = sorted((base, other))
    return few <= FEW and many >= MUCH_MORE * few


def _cautious(parts: Sequence[Component], confidence: float) -> Component:
    """Two variances as one, with the quantile of Cochran and Cox (1957): the mean of theirs, weighted by variance.

    Welch's freedom is too high for two or three runs against many: simulated, it holds the truth in 90 and 93 of 100.
    """
    total = math.fsum(part.variance for part in parts)
    if total == 0:
        return Component(0.0, min(part.freedom for part in parts))
    level = (1 + confidence) / 2
    quantile = math.fsum(part.variance / total * t_quantile(level, part.freedom) for part in parts)
    inverse = rising_root(lambda x: (t_quantile(level, 1 / x) if x > 0 else 0.0) - quantile)
    return Component(total, max(1.0, 1 / inverse))


def lasting_variance(group: Group, others: Sequence[float]) -> float:
    """What of the measurement's variance is more than the spread of runs holds, so that it does not average out.

    None where the spread may well hold all of it; a side with one run is judged by the other's spread. How the
    alternatives fare is told in docs/decisions/016.
    """
    logs = group.logs if len(group.values) >= LEAST else others
    if len(logs) < LEAST:
        return group.error2
    seen2, freedom = variance(logs), len(logs) - 1
    return group.error2 - seen2 if group.error2 > seen2 * freedom / chi2_quantile(HALF, freedom) else 0.0


def freedom_of(components: Sequence[Component]) -> float:
    """The degrees of freedom of a sum of variances."""
    total = math.fsum(component.variance for component in components)
    if total == 0:
        return math.inf
    # Each by its part of the sum, for the squares of small variances would vanish.
    inverse = math.fsum((component.variance / total) ** 2 / component.freedom for component in components)
    return 1 / inverse if inverse > 0 else math.inf
