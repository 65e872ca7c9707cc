"""Splits the windows of one device among processes, by what all windows together show of them.

With `keep` windows held back the split of each rests on later ones as well: a run's record is only read at its end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from aipower.attribution.attribute import attribute, without_usage
from aipower.attribution.backlog import IDLE, REMEMBERED, Backlog, Key
from aipower.attribution.baseline import Baseline, Floor
from aipower.attribution.columns import Columns, NameOf
from aipower.attribution.designs import Design
from aipower.attribution.doubts import Doubts
from aipower.attribution.evidence import Evidence, Solution
from aipower.attribution.leverage import Leverage, Owner
from aipower.attribution.residuals import judged, residual, weight_of
from aipower.attribution.rows import Table
from aipower.attribution.samples import covariance_s2
from aipower.attribution.shares import Shares, shares_of
from aipower.attribution.window import Window
from aipower.attribution.work import work_of
from aipower.model import UJ_PER_J, Attribution, EnergyDelta, JobKey, PartError, ProcessId, Usage

MEMORY = 0.997
"""Share of the evidence that a window leaves where old ones are not kept: half of it is gone after four minutes."""
LOCAL = 0.5
"""Share of the usual mix of work that a window leaves: programs work in phases, and a phase tells the next second."""
TRACE = 1e-6
"""A smaller share of the usual mix is forgotten."""
SOLVE_EACH = 64
"""Windows between two solutions while they come, once there were as many; at first less."""
NEWS = 0.01
"""Intensities that differ by no more than this share are the same."""
PASSES = 3
"""Solutions at the end, each with the weights that the one before gives to the windows."""

TOGETHER = "\0together"
"""The name by which the ledger keeps the error of all processes of a device together that nothing tells apart."""

RunOf = Callable[[ProcessId], str]
JobOf = Callable[[ProcessId], JobKey | None]


class _Split(Struct, frozen=True):
    """One window with its floor and shares."""

    window: Window
    floor: Floor
    shares: Shares
    solution: Solution
    mean_w: float

    def wanted_uj(self) -> dict[Key, float]:
        """The microjoules of each worker, and of the idle device."""
        weights = self.shares.weights
        each_uj = self.window.work_uj(self.floor) / self.shares.total_j if weights else 0.0
        parts: dict[Key, float] = {IDLE: float(self.floor.idle_uj)}
        parts.update({process: each_uj * weight for process, weight in weights.items()})
        return parts

    def leverage(self) -> Leverage:
        """What its parts depend on."""
        return Leverage(self.window, self.floor, self.shares, self.solution)


class _Owners(Struct, frozen=True):
    """Who got something of a window: processes, and the runs and jobs that they belong to."""

    processes: Collection[ProcessId]
    groups: dict[Owner, list[ProcessId]]

    @property
    def all(self) -> tuple[Owner, ...]:
        """In the order of their doubts."""
        return (*self.processes, *self.groups)


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
        self._evidence = Evidence()
        self._solution = Solution()
        self._usual: Mapping[str, float] = {}
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
        self._usual, self._before_w = {}, None
        kept = [self._window(window.delta, window.usage) for window in kept]
        self._solve(kept)
        doubts = Doubts(None)
        found: list[tuple[Attribution, _Owners, list[float]]] = []
        for window in kept:
            split = self._split(window)
            attribution = self._attribution(split)
            owners = self._with_group(self._owners(attribution))
            doubted, variances_uj2 = split.leverage().doubted(owners.processes, owners.groups)
            doubts.add(doubted, self._solution, split.mean_w)
            found.append((attribution, owners, variances_uj2))
        # What the sums may be off is told with the last window of each.
        done = [_with_errors(*one, doubts) for one in reversed(found)]
        return done[::-1]

    def indistinct(self, processes: Iterable[ProcessId]) -> frozenset[ProcessId]:
        """Those of `processes` whose work was never told from that of others."""
        doubtful = self._solution.unidentified
        return frozenset(process for process in processes if self._columns.latest(process) in doubtful)

    def _at_once(self, window: Window) -> Attribution:
        """The split by what is known now, with what earlier windows owe."""
        split = self._split(window)
        given = self._backlog.pay(window, split.wanted_uj())
        idle_uj = min(round(given.pop(IDLE, 0.0)), window.delta.energy_uj - split.floor.context_uj)
        weights = {key: value for key, value in given.items() if not isinstance(key, str) and value > 0}
        paid = replace(split, floor=replace(split.floor, idle_uj=idle_uj))
        found = self._attribution(paid, weights)
        owners = self._owners(found)
        doubted, variances_uj2 = split.leverage().doubted(owners.processes, owners.groups)
        self._doubts.add(doubted, self._solution, split.mean_w)
        return _with_errors(found, owners, variances_uj2, self._doubts)

    def _window(self, delta: EnergyDelta, usage: Usage) -> Window:
        span_s = delta.span_s
        work = work_of(usage, self._columns.of(usage), span_s)
        seconds = work.seconds
        shares = {c: min(1.0, seconds.get(c, 0.0) / span_s) for c in {**self._usual, **seconds}}
        before = self._usual or shares
        usual = {c: before.get(c, 0.0) for c in {**seconds, **work.present}}
        looks = 0.0 if usage.activity else usage.samples
        self._usual = {c: v for c, s in shares.items() if (v := (1 - LOCAL) * before.get(c, 0.0) + LOCAL * s) > TRACE}
        unrest_w = 0.0 if self._before_w is None else abs(delta.mean_w - self._before_w)
        self._before_w = delta.mean_w
        return Window(delta, usage, work, covariance_s2(seconds, usual, span_s, looks), unrest_w)

    def _learn(self, window: Window) -> None:
        if len(self._recent) == REMEMBERED:
            self._retire(self._recent.popleft())
        self._recent.append(window)
        self._since_solved += 1
        if self._since_solved < self._solve_after:
            return
        self._columns.rank(self._since_solved)
        self._since_solved, self._solve_after = 0, min(2 * self._solve_after, SOLVE_EACH)
        if not self._design.has_choice(self._recent):
            return
        before = self._solution
        self._solve(self._recent)
        if _has_changed(before, self._solution):
            self._backlog.revise(lambda old: self._split(old).wanted_uj())

    def _retire(self, oldest: Window) -> None:
        """Its row goes to the old evidence."""
        row = self._design.row(oldest)
        if row is not None:
            self._old.add(row, weight_of(residual(row, self._solution), self._solution))
            self._old.trim(self._solution)

    def _solve(self, windows: Collection[Window]) -> None:
        """Solve by the old evidence and `windows`; those that a first solution is far from count less in the next."""
        rows = [row for window in windows if (row := self._design.row(window)) is not None]
        table, solve = Table(rows), self._design.solver(windows)
        weights = [1.0] * len(rows)
        for _ in range(PASSES):
            self._evidence = self._old.copy()
            self._evidence.add_all(table, weights)
            solution = solve(self._evidence)
            residuals = [residual(row, solution) for row in rows]
            self._solution = judged(solution, residuals)
            weights = [weight_of(found, self._solution) for found in residuals]

    def _split(self, window: Window) -> _Split:
        floor = self._design.floor(window, self._solution)
        mean_w = self._evidence.mean_w
        energy_j = window.work_uj(floor) / UJ_PER_J
        shares = shares_of(window, self._solution, energy_j, mean_w)
        return _Split(window, floor, shares, self._solution, mean_w)

    def _attribution(self, split: _Split, weights: Mapping[ProcessId | None, float] | None = None) -> Attribution:
        window = split.window
        return attribute(window.delta, window.usage, split.floor, weights or split.shares.weights)

    def _owners(self, attribution: Attribution) -> _Owners:
        """The processes that got something, and the runs and jobs that they belong to."""
        processes = {**attribution.context_uj, **attribution.active_uj}
        run_of, job_of = self._run_of, self._job_of
        groups: dict[Owner, list[ProcessId]] = {}
        for process in processes:
            if run := run_of(process):
                groups.setdefault(run, []).append(process)
            if (job := job_of(process)) is not None:
                groups.setdefault(job, []).append(process)
        return _Owners(processes, groups)

    def _with_group(self, owners: _Owners) -> _Owners:
        """`owners` and those of them together that nothing tells apart: of their sum more is known than of each."""
        doubtful = self.indistinct(owners.processes)
        group = [process for process in owners.processes if process in doubtful]
        return _Owners(owners.processes, {**owners.groups, TOGETHER: group}) if len(group) > 1 else owners


def _with_errors(
    attribution: Attribution, owners: _Owners, variances_uj2: Iterable[float], doubts: Doubts
) -> Attribution:
    news_uj = doubts.news_uj(owners.all)
    errors = dict(zip(owners.all, map(PartError, variances_uj2, news_uj), strict=True))
    own = {process: errors.pop(process) for process in owners.processes}
    run_errors = {owner: error for owner, error in errors.items() if isinstance(owner, str)}
    job_errors = {owner: error for owner, error in errors.items() if isinstance(owner, tuple)}
    return replace(attribution, errors=own, run_errors=run_errors, job_errors=job_errors)


def _has_changed(before: Solution, now: Solution) -> bool:
    return any(
        abs(value - before.intensity_w(column, 0.0)) > NEWS * value
        for column, value in zip(now.columns, now.values_w, strict=True)
    )
