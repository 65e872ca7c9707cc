"""2: how often the power readings move, and how old they are."""

from __future__ import annotations

from bisect import bisect_right
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass

from benchmarks.gpu.card import AVERAGE, GPU_SCOPE, INSTANT, MEMORY_SCOPE, MODULE_SCOPE, CallFailedError
from benchmarks.gpu.figures import Spread, spread
from benchmarks.gpu.seams import STEADY, Bench, Experiment, LoadSpec, Outcome, Row
from benchmarks.gpu.watch import Updates, Watch, updates, watch

SECONDS = 10.0
STEP_SECONDS = 40.0
STEPS = LoadSpec(period_s=4.0, duty=0.5)
SOURCES = {
    "instant": (INSTANT, GPU_SCOPE),
    "average": (AVERAGE, GPU_SCOPE),
    "average of memory": (AVERAGE, MEMORY_SCOPE),
    "instant of module": (INSTANT, MODULE_SCOPE),
}


@dataclass(frozen=True, slots=True)
class Field:
    """What polling one field saw: its changes (mW) and the age of each answer by the driver's own stamp."""

    seen: Watch
    ages_s: tuple[float, ...]


def collect(bench: Bench, source: tuple[int, int]) -> Field:
    """One field, polled as fast as it goes.

    Raises:
        CallFailedError: This GPU has no such field.
    """
    ages_s: list[float] = []

    def read() -> int:
        answer = bench.card.field(*source)
        ages_s.append(bench.clock.unix_s() - answer.at_us / 1e6)
        return answer.value

    return Field(watch(bench.clock, read, bench.seconds(SECONDS)), tuple(ages_s))


def collect_steps(bench: Bench, source: tuple[int, int]) -> Watch:
    """The field (mW) under a load that switches at each even second of the clock."""
    with bench.need_loads().start(STEPS):
        read = lambda: bench.card.field(*source).value  # noqa: E731 - shorter than a function of its own
        return watch(bench.clock, read, bench.seconds(STEP_SECONDS), 0.001)


def delays_s(seen: Watch, half_s: float) -> list[float]:
    """How long after each multiple of `half_s` the number had gone half of the way to the other level, in seconds.

    This is what a user sees: the age of the reading, half of its window and what the load takes to start.
    """
    if len(seen.changes) < 2:
        return []
    moments_s = [at_s for at_s, _ in seen.changes]
    levels = [value for _, value in seen.changes]
    middle = (max(levels) + min(levels)) / 2
    found = []
    edge_s = (moments_s[0] // half_s + 1) * half_s
    while edge_s + half_s <= moments_s[-1]:
        place = bisect_right(moments_s, edge_s)
        high = levels[place - 1] > middle
        end = bisect_right(moments_s, edge_s + half_s)
        crossed = [moments_s[i] for i in range(place, end) if (levels[i] > middle) != high]
        found += [crossed[0] - edge_s] if crossed else []
        edge_s += half_s
    return found


def describe(name: str, found: Updates, age_s: Spread | None, delay_s: Spread | None) -> list[Row]:
    """The figures of one field."""
    if found.interval_s is None:
        return [(f"{name}: power", "did not move")]
    table = [(f"{name}: interval", f"{found.interval_s.milli()} ms, longest {1e3 * found.interval_s.most:.0f} ms")]
    if age_s is not None:
        table.append((f"{name}: age by its stamp", f"{age_s.milli()} ms"))
    if delay_s is not None:
        table.append((f"{name}: delay after a step", f"{delay_s.milli()} ms, {delay_s.count} steps"))
    return table


def examine(bench: Bench, name: str, source: tuple[int, int]) -> Outcome:
    """One field.

    Raises:
        CallFailedError: This GPU has no such field.
    """
    load: AbstractContextManager[object] = nullcontext() if bench.loads.missing else bench.loads.start(STEADY)
    with load:
        field = collect(bench, source)
    found, age_s = updates(field.seen), spread(field.ages_s)
    steps = None if bench.loads.missing else collect_steps(bench, source)
    delay_s = None if steps is None else spread(delays_s(steps, STEPS.period_s / 2))
    data = {**asdict(found), "age_s": age_s and asdict(age_s), "delay_s": delay_s and asdict(delay_s)}
    return Outcome(data, describe(name, found, age_s, delay_s))


def run(bench: Bench) -> Outcome:
    """The whole experiment."""
    data: dict[str, object] = {}
    table: list[Row] = []
    for name, source in SOURCES.items():
        try:
            outcome = examine(bench, name, source)
        except CallFailedError as error:
            outcome = Outcome({"unavailable": str(error)}, [(f"{name}: power", f"not available: {error}")])
        data[name] = outcome.data
        table += outcome.rows
    return Outcome(data, table)


EXPERIMENT = Experiment("power-fields", "2 Power readings: update interval and staleness", run, 180)
