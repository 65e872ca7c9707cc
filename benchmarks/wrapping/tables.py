"""The tables, made of trials."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.suite.table import Table
from benchmarks.wrapping.arms import AGENT, BARE, CPU_ONLY, HERE, Arm
from benchmarks.wrapping.commands import WIDTH
from benchmarks.wrapping.figures import NONE, spread
from benchmarks.wrapping.trial import Trial

MS, MB = 1e3, 1e6
BUDGET_MS: Mapping[str, float] = {AGENT: 50.0, HERE: 150.0, CPU_ONLY: 150.0}

Results = Mapping[str, Sequence[Trial]]
"""Good trials by the name of the arm."""
Amount = Callable[[Trial], float]


@dataclass(frozen=True, slots=True)
class Told:
    """What rows need beside the trials."""

    arms: Sequence[Arm]
    """In the order of the rows."""
    rest_share: float
    """Of a core, what the agent takes anyhow."""

    def present(self, results: Results) -> list[tuple[Arm, Sequence[Trial]]]:
        """The arms that have trials."""
        return [(arm, results[arm.name]) for arm in self.arms if arm.name in results]


def true_table(told: Told, results: Results, notes: Sequence[str]) -> Table:
    """Of a program that does nothing."""
    columns = (
        "wrapper", "energy of", "runs", "wall ms", "middle half", "over bare ms", "until it starts ms",
        "after it ended ms", "CPU ms", "peak RSS MB",
    )  # fmt: skip
    rows = tuple(_true_row(told, arm, trials, results[BARE]) for arm, trials in told.present(results))
    return Table("wrap-true", "Wrapping a program that does nothing", columns, rows, (*_budgets(results), *notes))


def script_table(told: Told, results: Results) -> Table:
    """Of a script of a second."""
    columns = (
        "wrapper", "runs", "wall ms", "over bare ms", "the script's own wall ms", "middle half",
        "own wall over bare ms", "wrapper's CPU ms", "peak RSS MB",
    )  # fmt: skip
    rows = tuple(_script_row(told, arm, trials, results[BARE]) for arm, trials in told.present(results))
    notes = (
        "The script works through a fixed amount in ten turns and sleeps 50 ms after each.",
        "Its own wall time is from its first line to its last.",
        "Wrapper's CPU is all but the script's own; bare it is what starting and ending an interpreter takes.",
    )
    return Table("wrap-script", "Wrapping a Python script of a second", columns, rows, notes)


def storm_table(told: Told, results: Mapping[str, Results], children: int) -> Table:
    """Of children by the thousand."""
    columns = (
        "storm, wrapper", "runs", "wall s", "the storm's own wall s", "middle half", "wrapper's CPU ms",
        "CPU s that it tells", "truly", "peak RSS MB",
    )  # fmt: skip
    rows = tuple(
        _storm_row(told, kind, arm, trials) for kind, found in results.items() for arm, trials in told.present(found)
    )
    width = f"{children} children of a C program, {WIDTH} at a time"
    notes = (
        f"{width}: with `fork` each ends at once, with `exec` it becomes another program before.",
        "Truly is what the kernel told the storm of itself and its children, where the wrapper erred most.",
    )
    return Table("wrap-storm", f"Wrapping {children} short-lived children", columns, rows, notes)


def _true_row(told: Told, arm: Arm, trials: Sequence[Trial], bare: Sequence[Trial]) -> tuple[str, ...]:
    wall = spread(MS * one.wall_s for one in trials)
    return (
        arm.name,
        arm.energy,
        str(len(trials)),
        f"{wall.middle:.1f}",
        wall.half(1),
        f"{wall.middle - MS * _median(bare, lambda one: one.wall_s):.1f}",
        f"{MS * _median(trials, lambda one: one.before_s):.1f}",
        f"{MS * _median(trials, lambda one: one.after_s):.1f}",
        _cpu_ms(told, arm, trials, lambda one: one.cpu_s),
        _peak_mb(trials),
    )


def _script_row(told: Told, arm: Arm, trials: Sequence[Trial], bare: Sequence[Trial]) -> tuple[str, ...]:
    wall, own = spread(MS * one.wall_s for one in trials), spread(MS * one.own_s for one in trials)
    return (
        arm.name,
        str(len(trials)),
        f"{wall.middle:.0f}",
        f"{wall.middle - MS * _median(bare, lambda one: one.wall_s):.0f}",
        f"{own.middle:.0f}",
        own.half(0),
        f"{own.middle - MS * _median(bare, lambda one: one.own_s):.0f}",
        _cpu_ms(told, arm, trials, lambda one: one.extra_cpu_s),
        _peak_mb(trials),
    )


def _storm_row(told: Told, kind: str, arm: Arm, trials: Sequence[Trial]) -> tuple[str, ...]:
    own = spread(one.own_s for one in trials)
    return (
        f"{kind}, {arm.name}",
        str(len(trials)),
        f"{_median(trials, lambda one: one.wall_s):.2f}",
        f"{own.middle:.2f}",
        own.half(2),
        _cpu_ms(told, arm, trials, lambda one: one.extra_cpu_s),
        *_told_and_true(trials),
        _peak_mb(trials),
    )


def _told_and_true(trials: Sequence[Trial]) -> tuple[str, str]:
    """CPU seconds of the trial in which the wrapper was furthest from the truth."""
    counted = [(one.counted_s, one.own_cpu_s) for one in trials if one.counted_s is not None]
    if not counted:
        return NONE, f"{_median(trials, lambda one: one.own_cpu_s):.3f}"
    counted_s, true_s = max(counted, key=lambda pair: abs(pair[0] / pair[1] - 1))
    return f"{counted_s:.3f}", f"{true_s:.3f}"


def _cpu_ms(told: Told, arm: Arm, trials: Sequence[Trial], of: Amount) -> str:
    """The median. What the agent took more than it takes anyhow stands beside it, as a mean: its ticks are rare."""
    own = f"{MS * _median(trials, of):.1f}"
    if not arm.asks_agent:
        return own
    agent_s = statistics.fmean(one.agent_cpu_s - told.rest_share * one.wall_s for one in trials)
    return f"{own} ({MS * agent_s:+.1f})"


def _peak_mb(trials: Sequence[Trial]) -> str:
    return f"{_median(trials, lambda one: one.peak_bytes) / MB:.1f}"


def _median(trials: Sequence[Trial], of: Amount) -> float:
    return statistics.median(of(trial) for trial in trials)


def _budgets(results: Results) -> tuple[str, ...]:
    """A sentence for each budget."""
    bare_s = _median(results[BARE], lambda one: one.wall_s)
    over_ms = {name: MS * (_median(found, lambda one: one.wall_s) - bare_s) for name, found in results.items()}
    return tuple(
        f"{name}: {over_ms[name]:.1f} ms over bare, budget {most_ms:.0f}."
        for name, most_ms in BUDGET_MS.items()
        if name in over_ms
    )
