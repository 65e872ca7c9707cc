"""What is simulated: two programs on a machine, of which everything is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

SAVINGS_PERCENT = (0.0, 1.0, 5.0)
COUNTS = (2, 3, 5, 10)
SPREADS_PERCENT = (0.3, 1.0, 3.0)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Pairs of one kind. Spreads are standard deviations, errors are standard errors, all in percent."""

    family: str
    saving_percent: float = 0.0
    """Of the second program, in truth."""
    runs: tuple[int, int] = (5, 5)
    """How often each is repeated."""
    spread_percent: tuple[float, float] = (1.0, 1.0)
    """From run to run, lognormal."""
    error_percent: float = 0.1
    """Of each measurement, as its repeatable interval says."""
    lasting: bool = False
    """True where that error is the same in all runs of a program."""
    outliers: float = 0.0
    """The part of runs that something disturbs: they take up to a tenth more."""
    drift_percent: float = 0.0
    """By how much the last run of a series takes more than the first, in a straight line."""
    in_turns: bool = False
    """A B A B instead of A A B B."""
    devices: str = "one"
    """`one` GPU for both; `two`, one each; `mixed`, a GPU and a CPU between which the second program moves work."""
    others: int = 1
    """How many are held against the baseline."""
    pipeline: bool = False
    """True where the product's own meter measures simulated cards; the saving is then one of power above idle."""

    @property
    def name(self) -> str:
        """Family, repetitions, spread and saving."""
        spread = "/".join(f"{each:g}" for each in dict.fromkeys(self.spread_percent))
        runs = "/".join(str(count) for count in dict.fromkeys(self.runs))
        return f"{self.family} n={runs} spread={spread}% saving={self.saving_percent:g}%"


def catalogue() -> Iterator[Scenario]:
    """All that is simulated, in the order of the table."""
    for spread in SPREADS_PERCENT:
        for count in COUNTS:
            yield from _savings(Scenario("plain", runs=(count, count), spread_percent=(spread, spread)))
    for each in _special():
        yield from _savings(each)
    for count in (3, 5, 10):
        yield from _savings(Scenario("pipeline", runs=(count, count), spread_percent=(0.5, 0.5), pipeline=True))
    yield from _savings(Scenario("pipeline", spread_percent=(2.0, 2.0), pipeline=True))
    yield Scenario("three others", others=3)
    yield Scenario("one run each", saving_percent=5.0, runs=(1, 1))
    yield Scenario("one run each, no spread", saving_percent=5.0, runs=(1, 1), spread_percent=(0.0, 0.0))


def _special() -> Iterable[Scenario]:
    yield Scenario("uneven", runs=(3, 10), spread_percent=(3.0, 0.3))
    yield Scenario("uneven", runs=(2, 10), spread_percent=(3.0, 0.3))
    yield Scenario("uneven", runs=(2, 10))
    yield Scenario("uneven", runs=(3, 10))
    yield Scenario("uneven", runs=(4, 5))
    yield Scenario("measurement", spread_percent=(0.1, 0.1), error_percent=1.0)
    yield Scenario("measurement", spread_percent=(0.1, 0.1), error_percent=1.0, runs=(2, 2))
    for count in COUNTS:
        yield Scenario("lasting error", 0.0, (count, count), (0.2, 0.2), 1.0, lasting=True)
    yield Scenario("lasting error in the spread", error_percent=1.0, lasting=True)
    yield Scenario("disturbed", outliers=0.1, runs=(3, 3))
    yield Scenario("disturbed", outliers=0.1, runs=(10, 10))
    for count in (3, 5, 10):
        drifting = Scenario("drift 3 %", drift_percent=3.0, runs=(count, count), spread_percent=(0.3, 0.3))
        yield drifting
        yield replace(drifting, family="drift 3 % in turns", in_turns=True)
        yield Scenario("drift 1 %", drift_percent=1.0, runs=(count, count), spread_percent=(0.3, 0.3))
    yield Scenario("other device", devices="two", spread_percent=(0.3, 0.3))
    yield Scenario("work moved to the CPU", devices="mixed", spread_percent=(0.3, 0.3))
    yield Scenario("one against five", runs=(1, 5))


def _savings(scenario: Scenario) -> Iterable[Scenario]:
    return (replace(scenario, saving_percent=percent) for percent in SAVINGS_PERCENT)
