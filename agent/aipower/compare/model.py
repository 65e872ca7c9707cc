"""The result of a comparison, schema `aipower.compare/1`. Changes are in percent of the baseline."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from aipower.runrecord import Interval, RunRecord

SCHEMA = "aipower.compare/1"

Verdict = Literal["less", "more", "same", "no difference shown", "not repeated", "not comparable"]
Direction = Literal["higher", "lower"]


class Side(Struct, frozen=True):
    """What is compared: one run, or several of one thing."""

    label: str
    """As it was asked for."""
    runs: tuple[RunRecord, ...]
    """Those that count, by time."""
    left_out: tuple[tuple[RunRecord, str], ...] = ()
    """Those that do not, and why."""


class Summary(Struct, frozen=True):
    """One side of a comparison, for those who read."""

    label: str
    run_ids: list[str]
    runs: int
    left_out: list[str]
    """Run id and reason."""
    mean: float | None
    """Geometric mean of what is compared; None where it was not measured."""
    unit: str
    spread_percent: float | None
    """The standard deviation from run to run; None for one run."""


class Parts(Struct, frozen=True):
    """Half-widths that an interval would have by each of its errors alone, in percent of the baseline."""

    runs_percent: float | None
    """How runs vary; None where neither side was repeated."""
    measurement_percent: float
    """What the measurement may be off by and repetitions do not show."""
    scale_percent: float
    """The sensors' scale, where it does not cancel."""
    drift_percent: float
    """What a drift from run to run may have done."""


class Difference(Struct, frozen=True):
    """One quantity, by how much it differs from the baseline."""

    quantity: str
    """`energy`, `gpu`, `cpu`, `dram`, `whole devices`, `wall time`."""
    unit: str
    """`J`, `s`, or energy per unit of work as in `J/token`."""
    baseline: float
    """Geometric means."""
    other: float
    percent: float
    interval_percent: Interval | None
    """None where one run each is all that is known: of a time nobody tells how it varies."""
    change: float
    """`other` - `baseline`, in `unit`."""
    interval: Interval | None
    """Of `change`; with the scale of the sensors, which a percentage is free of."""
    p: float | None
    """How probable so large a difference is by chance; None where neither side was repeated."""
    confidence: float
    """Of the intervals: 0.95, and more where several are compared with one baseline."""
    parts: Parts
    detectable_percent: float | None
    """The difference that so many runs would have shown in four cases of five."""


class Merit(Struct, frozen=True):
    """A figure of merit on both sides."""

    name: str
    direction: Direction | None
    """Which is better; None where nobody has said."""
    baseline: float
    """Arithmetic means."""
    other: float
    baseline_spread: float | None
    """Standard deviations; None for one run."""
    other_spread: float | None
    change: float
    interval: Interval | None
    """95 %, of the change; None where one side has one run."""
    worse: bool | None
    """True where it is shown to be worse, or is worse and nobody knows how runs vary; None without a direction."""


class Pair(Struct, frozen=True):
    """One side against the baseline."""

    other: Summary
    verdict: Verdict
    sentence: str
    """The verdict in words."""
    headline: Difference | None
    """What the verdict is about; None where there is nothing to compare."""
    rows: list[Difference]
    merits: list[Merit]
    repetitions: dict[str, int | None]
    """Runs of each side by which a difference of 1 % and of 5 % would be shown in four cases of five.

    None: more than 1000, or never. Empty where neither side was repeated.
    """
    warnings: list[str]


class Comparison(Struct, frozen=True):
    """All sides against the first."""

    baseline: Summary
    quantity: str
    """What the verdicts are about: `energy of GPU and CPU`."""
    pairs: list[Pair]
    """The least energy first."""
    at_least_percent: float
    """What is less than this does not count as a difference; 0 where nobody asked."""
    simulated: bool
    """True where a run of any side was: the figures are no measurement."""
    warnings: list[str]
    schema: str = SCHEMA


class Question(Struct, frozen=True):
    """What the user wants to know."""

    of: str = "total"
    """`total`, a kind of device, or `devices`."""
    per: str | None = None
    """A unit of work; empty for whole runs, None for whole runs unless they did different amounts."""
    at_least_percent: float = 0.0
    directions: dict[str, Direction] = field(default_factory=dict)
