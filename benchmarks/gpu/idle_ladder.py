"""9: what contexts cost while nobody works: none, one, two, four, and one that holds a lot of memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from benchmarks.gpu.power import Power, measure
from benchmarks.gpu.seams import IDLE, Bench, Experiment, LoadSpec, Outcome, Row

SECONDS = 15.0
SETTLE_S = 6.0
CONTEXTS = (0, 1, 2, 4)
MEMORY_GB = 40.0
MEMORY_SHARE = 0.5
"""At most so much of the card's memory: others may use it too."""


@dataclass(frozen=True, slots=True)
class Rung:
    """The card's power with so many contexts, of which one holds `memory_gb`."""

    contexts: int
    memory_gb: float
    power: Power


@dataclass(frozen=True, slots=True)
class Ladder:
    """What each thing adds, in watts, with standard errors."""

    first: Power
    further: Power
    """Each context after the first."""
    per_gb: Power | None
    drift: Power
    """The card without contexts at the end, minus at the beginning."""


def collect(bench: Bench) -> list[Rung]:
    """All rungs; the first and the last are without a context."""
    rungs = [rung(bench, count, 0.0) for count in CONTEXTS]
    memory_gb = min(MEMORY_GB, MEMORY_SHARE * bench.card.call("nvmlDeviceGetMemoryInfo").total / 1e9)
    return [*rungs, rung(bench, 1, memory_gb), rung(bench, 0, 0.0)]


def rung(bench: Bench, contexts: int, memory_gb: float) -> Rung:
    """The power with `contexts`, each in a process of its own.

    Raises:
        SkipError: There are no loads, or the counter does not move.
    """
    loads = bench.need_loads()
    with ExitStack() as stack:
        for _ in range(contexts):
            stack.enter_context(loads.start(LoadSpec(work=IDLE.work, memory_gb=memory_gb)))
        bench.clock.sleep(SETTLE_S)
        return Rung(contexts, memory_gb, measure(bench, bench.seconds(SECONDS)))


def difference(more: Power, less: Power, parts: float = 1.0) -> Power:
    """(more - less) / parts."""
    error_w = math.hypot(more.error_w, less.error_w)
    return Power((more.mean_w - less.mean_w) / parts, error_w / parts)


def analyse(rungs: Sequence[Rung]) -> Ladder:
    """What a first context, each further one and each gigabyte add."""
    none, one, _, most, memory, after = rungs
    return Ladder(
        first=difference(one.power, none.power),
        further=difference(most.power, one.power, most.contexts - one.contexts),
        per_gb=difference(memory.power, one.power, memory.memory_gb) if memory.memory_gb > 0 else None,
        drift=difference(after.power, none.power),
    )


def words(power: Power) -> str:
    """Watts with their standard error."""
    return f"{power.mean_w:.3f} +- {power.error_w:.3f} W"


def run(bench: Bench) -> Outcome:
    """The whole experiment."""
    rungs = collect(bench)
    found = analyse(rungs)
    table: list[Row] = [(f"{one.contexts} contexts, {one.memory_gb:.0f} GB held", words(one.power)) for one in rungs]
    table += [("the first context adds", words(found.first)), ("each further one adds", words(found.further))]
    if found.per_gb is not None:
        table.append(("each GB adds", words(found.per_gb)))
    table.append(("drift of the empty card", words(found.drift)))
    return Outcome({"rungs": [asdict(one) for one in rungs], "ladder": asdict(found)}, table)


EXPERIMENT = Experiment("idle-ladder", "9 Idle power by contexts and memory", run, 240)
