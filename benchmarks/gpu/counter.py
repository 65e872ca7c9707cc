"""1: how often the energy counter moves, and by how much."""

from __future__ import annotations

from dataclasses import asdict

from benchmarks.gpu.seams import STEADY, Bench, Experiment, Outcome, Row
from benchmarks.gpu.watch import Updates, Watch, slope, updates, watch

SECONDS = 20.0


def collect(bench: Bench) -> dict[str, Watch]:
    """Changes of the counter (mJ) without a load and, where there can be one, under a steady load."""
    seen = {"idle": watch(bench.clock, bench.card.energy_mj, bench.seconds(SECONDS))}
    if not bench.loads.missing:
        with bench.loads.start(STEADY):
            seen["load"] = watch(bench.clock, bench.card.energy_mj, bench.seconds(SECONDS))
    return seen


def rows(state: str, found: Updates, power_w: float | None) -> list[Row]:
    """The figures of one state."""
    if found.interval_s is None or found.step is None or power_w is None:
        return [(f"{state}: energy counter", "did not move")]
    period = "?" if found.period_s is None else f"{1e3 * found.period_s:.3f} ms"
    return [
        (f"{state}: update period", f"{period}, polled every {1e3 * found.poll_s:.3f} ms"),
        (f"{state}: interval", f"{found.interval_s.milli()} ms, {found.interval_s.count} intervals"),
        (f"{state}: step", f"{found.step} mJ, multiples of {found.step_unit} mJ, {found.falls} falls"),
        (f"{state}: power by the counter", f"{power_w:.2f} W"),
    ]


def run(bench: Bench) -> Outcome:
    """The whole experiment."""
    data: dict[str, object] = {}
    table: list[Row] = []
    for state, seen in collect(bench).items():
        found, slope_mw = updates(seen), slope(seen)
        power_w = None if slope_mw is None else slope_mw / 1000
        data[state] = {**asdict(found), "power_w": power_w}
        table += rows(state, found, power_w)
    return Outcome(data, table)


EXPERIMENT = Experiment("counter", "1 Energy counter: update interval and step", run, 50)
