"""Splits the windows of one device among processes, by what all windows together show of them.

With `keep` windows held back the split of each rests on later ones as well: a run's record is only read at its end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import cast

from aipower.attribution.attribute import Parts, parts_of, without_usage
from aipower.attribution.backlog import IDLE, REMEMBERED, Backlog, Key
from aipower.attribution.baseline import Baseline, Floor
from aipower.attribution.columns import Columns, NameOf
from aipower.attribution.designs import Design
from aipower.attribution.doubts import Doubts
from aipower.attribution.evidence import Evidence, Solution
from aipower.attribution.leverage import Doubted, doubted
from aipower.attribution.posting import JobOf, Posting, RunOf, groups_of
from aipower.attribution.residuals import judged, residual, weight_of
from aipower.attribution.rows import Row, Table
from aipower.attribution.samples import Usual
from aipower.attribution.shares import Shares, shares_of
from aipower.attribution.window import Window, window_of
from aipower.attribution.work import work_of
from aipower.model import UJ_PER_J, Attribution, EnergyDelta, ProcessId, Usage

MEMORY = 0.997
"""Share of the evidence that a window leaves where old ones are not kept: half is gone after eight minutes."""
SOLVE_EACH = 64
"""Windows between two solutions while they come, once there were as many; at first less."""
NEWS = 0.01
"""Intensities that differ by no more than this share are the same."""
PASSES = 3
"""Solutions at the end, each with the weights that the one before gives to the windows."""

NOBODY = Doubted()
TOGETHER = "\0together"
"""The name by which the ledger keeps the error of all processes of a device together that nothing tells apart."""


class Apportioner:
    """The windows of one device on their way to the ledger."""

    def __init__(
        self, design: Design, name_of: NameOf, run_of: RunOf, keep: int = 0, job_of: JobOf = lambda _: None
    ) -> None:
        self._run_of = run_of
        self._job_of = job_of
        self._keep = keep
        self._kept: deque[Window] = deque()
        self._design = design
        self._old = Evidence(MEMORY)
        """Of windows that are not remembered any more."""
        self._retired: list[Row] = []
        self._solution = Solution()
        self._mean_w = 0.0
        """What stands for intensities without evidence."""
        self._usual = Usual()
        self._since_solved = 0
        self._solve_after = 2
        self._recent: deque[Window] = deque()
        self._before_w: float | None = None
        self._columns = Columns(name_of)
        self._backlog = Backlog()
        self._doubts = Doubts(REMEMBERED)

    @property
    def baseline(self) -> Baseline:
        """What is learned of the device without work."""
        return self._design.baseline

    def add(self, delta: EnergyDelta, usage: Usage | None) -> list[Attribution]:
        """Take in a window; what is ready for the ledger comes back."""
        if usage is None:
            return [without_usage(delta, Floor(0))]
        self._design.baseline.observe(delta, usage)
        self._columns.count(usage)
        window = self._window(delta, usage)
        if not self._keep:
            self._learn(window)
            return [self._at_once(window)]
        self._kept.append(window)
        if len(self._kept) <= self._keep:
            return []
        if not self._solution.columns:
            self._solve(self._kept)
        return [self._at_once(self._kept.popleft())]

    def settle(self) -> list[Attribution]:
        """All that was held back, by what is known at the end."""
        kept, self._kept = list(self._kept), deque()
        if not kept:
            return []
        self._columns.restart(window.usage for window in kept)
        self._usual, self._before_w = Usual(), None
        kept = [self._window(window.delta, window.usage) for window in kept]
        self._solve(kept)
        doubts = Doubts(None)
        found = [self._finally(window, doubts) for window in kept]
        # What the sums may be off is told with the last window of each.
        done = [posting.told(doubts) for posting in reversed(found)]
        return done[::-1]

    def indistinct(self, processes: Iterable[ProcessId]) -> frozenset[ProcessId]:
        """Those of `processes` whose work was never told from that of others."""
        doubtful = self._solution.unidentified
        return frozenset(process for process in processes if self._columns.latest(process) in doubtful)

    def _at_once(self, window: Window) -> Attribution:
        """The split by what is known now, with what earlier windows owe."""
        if not window.columns and not window.holders:
            return self._of_nobody(window)
        floor, shares = self._split(window)
        given = self._backlog.pay(window, _wanted_uj(window, floor, shares))
        idle_uj = min(round(given.pop(IDLE, 0.0)), window.delta.energy_uj - floor.context_uj)
        weights: Mapping[ProcessId | None, float] = cast("dict[ProcessId | None, float]", given)
        if max(weights.values(), default=0.0) <= 0:
            weights = shares.weights
        parts = parts_of(window, idle_uj, floor.context_uj, weights)
        posting = self._posting(window, parts, floor, shares, self._doubts)
        return posting.told(self._doubts)

    def _of_nobody(self, window: Window) -> Attribution:
        """As `_at_once`, at half its cost: an idle GPU has nobody to weigh, to owe anything or to doubt."""
        floor = self._design.floor(window, self._solution)
        self._backlog.remember(window, {IDLE: float(floor.idle_uj)})
        self._doubts.add(NOBODY, self._solution, self._mean_w)
        return without_usage(window.delta, floor)

    def _finally(self, window: Window, doubts: Doubts) -> Posting:
        """The split by all that will be known."""
        floor, shares = self._split(window)
        parts = parts_of(window, floor.idle_uj, floor.context_uj, shares.weights)
        return self._posting(window, parts, floor, shares, doubts, together=True)

    def _posting(
        self, window: Window, parts: Parts, floor: Floor, shares: Shares, doubts: Doubts, *, together: bool = False
    ) -> Posting:
        processes = parts.processes
        groups = groups_of(processes, self._run_of, self._job_of)
        if together:
            # Of the sum of those that nothing tells apart more is known than of each.
            doubtful = self.indistinct(processes)
            if len(doubtful) > 1:
                groups[TOGETHER] = [process for process in processes if process in doubtful]
        doubt, variances_uj2 = doubted(window, floor, shares, self._solution, processes, groups)
        doubts.add(doubt, self._solution, self._mean_w)
        return Posting(window.delta, parts, groups, variances_uj2)

    def _window(self, delta: EnergyDelta, usage: Usage) -> Window:
        span_s, mean_w, before_w = delta.span_s, delta.mean_w, self._before_w
        roll = self._columns.of(usage)
        work = work_of(usage, roll, span_s)
        covariance_s2 = self._usual.covariance_s2(work, span_s, 0.0 if usage.activity else usage.samples)
        self._before_w = mean_w
        unrest_w = 0.0 if before_w is None else abs(mean_w - before_w)
        return window_of(delta, usage, work, covariance_s2, unrest_w, roll.holders)

    def _learn(self, window: Window) -> None:
        if len(self._recent) == REMEMBERED:
            row = self._design.row(self._recent.popleft())
            if row is not None:
                self._retired.append(row)
        self._recent.append(window)
        self._since_solved += 1
        if self._since_solved < self._solve_after:
            return
        self._retire()
        self._columns.rank(self._since_solved)
        self._since_solved, self._solve_after = 0, min(2 * self._solve_after, SOLVE_EACH)
        if not self._design.has_choice(self._recent):
            return
        before = self._solution
        self._solve(self._recent)
        if _has_changed(before, self._solution):
            self._backlog.revise(lambda old: _wanted_uj(old, *self._split(old)))

    def _retire(self) -> None:
        """The rows of windows that are not remembered any more go to the old evidence: all at once costs least."""
        for row in self._retired:
            self._old.add(row, weight_of(residual(row, self._solution), self._solution))
            self._old.trim(self._solution)
        self._retired.clear()

    def _solve(self, windows: Collection[Window]) -> None:
        """Solve by the old evidence and `windows`; those that a first solution is far from count less in the next."""
        rows = [row for window in windows if (row := self._design.row(window)) is not None]
        table, solve = Table(rows), self._design.solver(windows)
        weights = [1.0] * len(rows)
        for _ in range(PASSES):
            evidence = self._old.copy()
            evidence.add_all(table, weights)
            solution = solve(evidence)
            self._mean_w = evidence.mean_w
            residuals = [residual(row, solution) for row in rows]
            self._solution = judged(solution, residuals)
            weights = [weight_of(found, self._solution) for found in residuals]

    def _split(self, window: Window) -> tuple[Floor, Shares]:
        floor = self._design.floor(window, self._solution)
        energy_j = window.work_uj(floor) / UJ_PER_J
        return floor, shares_of(window, self._solution, energy_j, self._mean_w)


def _wanted_uj(window: Window, floor: Floor, shares: Shares) -> dict[Key, float]:
    """The microjoules of each worker, and of the idle device."""
    wanted: dict[Key, float] = {IDLE: float(floor.idle_uj)}
    if shares.weights:
        each_uj = window.work_uj(floor) / shares.total_j
        for process, weight in shares.weights.items():
            wanted[process] = each_uj * weight
    return wanted


def _has_changed(before: Solution, now: Solution) -> bool:
    return any(
        abs(value - before.intensity_w(column, 0.0)) > NEWS * value
        for column, value in zip(now.columns, now.values_w, strict=True)
    )
