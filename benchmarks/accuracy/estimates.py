"""What a method says of one run, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass

Interval = tuple[float, float]
METHOD = "aipower"
"""The product; all other methods are naive."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number of one method in one run, in joules."""

    method: str
    subject: str
    """`device`, `run`, `process`, or the name of a group of processes."""
    true_j: float
    found_j: float
    interval_j: Interval | None = None
    """95 %, scale of the sensor included."""
    repeatable_j: Interval | None = None
    """95 %, scale of the sensor left out."""
    flagged: bool = False
    """True where the method says that it cannot tell this one apart."""

    @property
    def error_j(self) -> float:
        """Found less true."""
        return self.found_j - self.true_j


@dataclass(frozen=True, slots=True)
class Outcome:
    """All estimates of one run."""

    scenario: str
    number: int
    estimates: tuple[Estimate, ...]
    broken: tuple[str, ...] = ()
    """Hard laws that did not hold."""
    faults: tuple[str, ...] = ()
    """Reasons of the faults that aipower reported."""
    took_s: float = 0.0
