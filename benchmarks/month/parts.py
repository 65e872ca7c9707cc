"""The table of the simulated month."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

from benchmarks.month.judge import Verdict, anonymous_mb
from benchmarks.month.life import Life, Plan
from benchmarks.soak.slope import Slope
from benchmarks.suite.table import Options, Table

SAMPLES = 10_000_000
MACHINES = 2
"""Each in a process of its own."""
FULL = Plan(window_s=300.0)
QUICK = Plan(days=0.25, window_s=300.0, checkpoints=24, restart_each=8, reset_each_s=7_200.0)
QUICK_SAMPLES = 100_000
SHOWN = 5


def tables(options: Options) -> Sequence[Table]:
    """About eight minutes on two cores, quick a few seconds."""
    return [measure(QUICK, QUICK_SAMPLES)] if options.quick else [measure(FULL, SAMPLES)]


def measure(plan: Plan, samples: int) -> Table:
    """The lives of `MACHINES` machines with `samples` readings of sensors in all."""
    plans = [replace(paced(plan, samples), seed=1 + number) for number in range(MACHINES)]
    began_s = time.monotonic()
    # Not forked: memory of the suite's own must not be in the figure.
    with ProcessPoolExecutor(MACHINES, multiprocessing.get_context("spawn")) as pool:
        verdicts = list(pool.map(lived, plans))
    return table(plans[0], verdicts, time.monotonic() - began_s)


def paced(plan: Plan, samples: int) -> Plan:
    """`plan`, read so often that all machines make so many readings."""
    return replace(plan, interval_s=plan.days * 86_400 * plan.devices * MACHINES / samples)


def lived(plan: Plan) -> Verdict:
    """A whole life, judged."""
    life, verdict = Life(plan), Verdict()
    for number, checkpoint in enumerate(life.checkpoints(), 1):
        verdict.see(checkpoint, anonymous_mb())
        if 10 * number % plan.checkpoints == 0:
            print(f"month: machine {plan.seed}, {100 * number // plan.checkpoints} %", file=sys.stderr)
    return verdict


def table(plan: Plan, verdicts: Sequence[Verdict], took_s: float) -> Table:
    """What came of it."""
    rows = tuple(row for number, verdict in enumerate(verdicts, 1) for row in _rows(number, verdict))
    columns = ("machine", "device", "used, MJ", "equal to its counter", "over a reset", "drift, ppm", "95 %")
    title = f"A simulated month: {plan.days:g} days of {len(verdicts)} machines in {took_s / 60:.1f} minutes"
    return Table("month", title, columns, rows, tuple(_notes(plan, verdicts)))


def _rows(number: int, verdict: Verdict) -> Iterator[tuple[str, ...]]:
    last = verdict.looks[-1]
    for device in last.energy_uj:
        pairs = list(zip(verdict.looks, verdict.looks[1:], strict=False))
        anew = sum(before.resets[device] != after.resets[device] for before, after in pairs)
        equal = sum(before.off_uj[device] == after.off_uj[device] for before, after in pairs)
        drift = verdict.drift_ppm(device)
        yield (
            str(number),
            device,
            f"{last.energy_uj[device] / 1e12:.1f}",
            f"{equal} of {len(pairs) - anew}",
            str(anew),
            f"{drift.value:+.3f}",
            _interval(drift, 3),
        )


def _interval(found: Slope, digits: int) -> str:
    return f"{found.value - found.half_width:+.{digits}f} to {found.value + found.half_width:+.{digits}f}"


def _notes(plan: Plan, verdicts: Sequence[Verdict]) -> Iterator[str]:
    ends = [verdict.totals for verdict in verdicts]
    reads, wraps = sum(end.reads for end in ends), sum(end.wraps for end in ends)
    resets, restarts = sum(end.resets for end in ends), sum(end.restarts for end in ends)
    yield (
        f"{reads:,} samples, each of {plan.devices} sensors read every {plan.interval_s:.3g} s, attributed every "
        f"{plan.window_s:g} s; {plan.processes} processes at a time, each followed by another after a while; "
        f"{wraps} wraps of 32-bit counters, {resets} resets of GPU counters, {restarts} "
        "restarts of the agent over its journal."
    )
    yield (
        "Equal to its counter: from one checkpoint to the next the account has grown by just what the hardware has "
        "counted, to the microjoule, wraps and restarts included; where a counter began anew power fills the gap."
    )
    yield "Drift: the trend of the account less the energy truly used, in millionths of that, with its 95 % interval."
    for number, verdict in enumerate(verdicts, 1):
        growth = verdict.growth_mb()
        yield (
            f"Memory of machine {number} after a warm-up: {verdict.looks[-1].anonymous_mb:.1f} MB at the end, "
            f"{growth.value:+.3f} MB a day ({_interval(growth, 3)})."
        )
    wrong = [words for verdict in verdicts for words in verdict.wrong]
    yield f"Sums that did not hold: {len(wrong)}." + "".join(f" {words}." for words in wrong[:SHOWN])
