"""3 and 4: whether the energy counter, and the 1 s average, see all of the time. One sweep of phases serves both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from benchmarks.gpu.card import AVERAGE, INSTANT
from benchmarks.gpu.phases import Finding, fit, judge
from benchmarks.gpu.seams import IDLE, STEADY, Bench, Experiment, LoadSpec, Outcome, Row, RunningLoad, SkipError
from benchmarks.gpu.watch import period_s, slope, watch

PHASES = 16
ORDER = 5
"""Every fifth phase next (16 and 5 have no common divisor): the card's warming up must not look like a phase."""
OTHER_PERIODS_S = (0.025, 0.067)
SETTLE_S = 1.5
"""Above the window of the 1 s average."""
MEASURE_S = 3.0
PERIOD_SECONDS = 6.0
PAUSE_S = 0.002
POWER_FIELDS = {"instant": INSTANT, "average": AVERAGE}


@dataclass(frozen=True, slots=True)
class Means:
    """Mean power of the same seconds by each sensor, in watts; sensors that the card lacks are left out."""

    power_w: dict[str, float]


@dataclass(frozen=True, slots=True)
class Sweep:
    """One period of the load: its phases and what the sensors made of them."""

    period_s: float
    points: list[tuple[float, Means]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Measured:
    """All that was collected."""

    update_s: float
    idle: Means
    steady: Means
    sweeps: tuple[Sweep, ...]


def plan(update_s: float) -> list[LoadSpec]:
    """The loads of the sweeps in their order, beginning with the sensor's own period."""
    return [
        LoadSpec(period, 0.5, period * phase / PHASES)
        for period in (update_s, *OTHER_PERIODS_S)
        for phase in ((number * ORDER) % PHASES for number in range(PHASES))
    ]


def means(bench: Bench) -> Means:
    """What each sensor says of the next few seconds, after some for settling.

    Raises:
        SkipError: The counter does not move.
    """
    bench.clock.sleep(SETTLE_S)
    present = {name: number for name, number in POWER_FIELDS.items() if bench.card.has(number)}
    sums_mw = dict.fromkeys(present, 0)
    polls = 0

    def read() -> int:
        nonlocal polls
        polls += 1
        for name, number in present.items():
            sums_mw[name] += bench.card.field(number).value
        return bench.card.energy_mj()

    slope_mw = slope(watch(bench.clock, read, max(1.0, bench.seconds(MEASURE_S)), PAUSE_S))
    if slope_mw is None:
        raise SkipError("the energy counter does not move")
    return Means({"counter": slope_mw / 1e3, **{name: sums_mw[name] / polls / 1e3 for name in present}})


def collect(bench: Bench) -> Measured:
    """The idle card, a steady load, and all phases of all periods.

    Raises:
        SkipError: There is no load, or the counter does not move.
    """
    with bench.need_loads().start(IDLE) as load:
        idle = means(bench)
        load.change(STEADY)
        steady = means(bench)
        update_s = period_s(watch(bench.clock, bench.card.energy_mj, max(2.0, bench.seconds(PERIOD_SECONDS))))
        if update_s is None:
            raise SkipError("the energy counter does not move")
        return Measured(update_s, idle, steady, sweep(bench, load, plan(update_s)))


def sweep(bench: Bench, load: RunningLoad, specs: Sequence[LoadSpec]) -> tuple[Sweep, ...]:
    """The sensors' means under each of `specs`, one sweep for each period."""
    sweeps: dict[float, Sweep] = {}
    for spec in specs:
        load.change(spec)
        one = sweeps.setdefault(spec.period_s, Sweep(spec.period_s))
        one.points.append((spec.shift_s / spec.period_s, means(bench)))
    return tuple(sweeps.values())


def analyse(measured: Measured) -> dict[str, dict[str, Finding]]:
    """The finding of each sensor for each period, by the period in milliseconds."""
    found: dict[str, dict[str, Finding]] = {}
    for one in measured.sweeps:
        phases = [phase for phase, _ in one.points]
        found[f"{1e3 * one.period_s:.1f}"] = {
            name: judge(fit(phases, [means.power_w[name] for _, means in one.points]), swing_w)
            for name, swing_w in swings_w(measured).items()
        }
    return found


def swings_w(measured: Measured) -> dict[str, float]:
    """Steady load minus idle, by each sensor."""
    return {name: power_w - measured.idle.power_w[name] for name, power_w in measured.steady.power_w.items()}


def rows(found: dict[str, dict[str, Finding]]) -> list[Row]:
    """The verdicts; those of the sensor's own period (the first) are the answer."""
    return [
        (f"{name}, square wave of {period} ms", words(one))
        for period, sensors in found.items()
        for name, one in sensors.items()
    ]


def words(one: Finding) -> str:
    """The figures of one sensor under one period."""
    amplitude = f"amplitude {one.fit.amplitude_w:.1f} +- {one.fit.error_w:.1f} W of a swing of {one.swing_w:.0f} W"
    share = f"sees {100 * one.seen_share:.0f} % of the period"
    return f"{one.verdict.upper()}: {amplitude}, {share}; mean {one.fit.mean_w:.1f} W"


def run(bench: Bench) -> Outcome:
    """The whole experiment."""
    measured = collect(bench)
    found = analyse(measured)
    data = {
        "measured": asdict(measured),
        "findings": {period: {name: asdict(one) for name, one in found[period].items()} for period in found},
    }
    half_w = (measured.idle.power_w["counter"] + measured.steady.power_w["counter"]) / 2
    about: list[Row] = [
        ("update period", f"{1e3 * measured.update_s:.3f} ms"),
        ("half way between idle and steady load", f"{half_w:.1f} W"),
    ]
    return Outcome(data, about + rows(found))


EXPERIMENT = Experiment("coverage", "3, 4 Do counter and 1 s average see all of the time?", run, 240)
