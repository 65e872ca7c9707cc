"""Splits the windows of one device among processes, by what all windows together show of them.

With `keep` windows held back the split of each rests on later ones as well: a run's record is only read at its end.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aipower.attribution.attribute import attribute, without_usage
from aipower.attribution.backlog import IDLE, REMEMBERED, Backlog, Key
from aipower.attribution.baseline import Baseline, Floor
from aipower.attribution.columns import Columns, NameOf
from aipower.attribution.designs import Design, Residual
from aipower.attribution.doubts import Doubt, Doubts, Owner
from aipower.attribution.evidence import Evidence, Solution
from aipower.attribution.samples import covariance_s2
from aipower.attribution.shares import Shares, shares_of
from aipower.attribution.window import Window
from aipower.attribution.work import STATIC, STEP, work_of
from aipower.model import UJ_PER_J, Attribution, EnergyDelta, JobKey, PartError, ProcessId, Usage

MEMORY = 0.997
"""Share of the evidence that a window leaves where old ones are not kept: half of it is gone after four minutes."""
LOCAL = 0.5
"""Share of the usual mix of work that a window leaves: programs work in phases, and a phase tells the next second."""
SOLVE_EACH = 64
"""Windows between two solutions while they come, once there were as many; at first less."""
NEWS = 0.01
"""Intensities that differ by no more than this share are the same."""

PASSES = 3
"""Solutions at the end, each with the weights that the one before gives to the windows."""
SHARED = 4.0
"""Windows whose samples leave so many times the model's own variance open have been shared by unlike programs."""
FEWEST = 5
"""Fewer shared windows show no misfit."""
MISFIT_Z = 3.0
"""Standard errors beyond which shared windows do not have the sum of their parts' energies by chance."""
MODEL_SE = 5.0
"""Two who share a window divide what the model has wrong in proportion; it may be the other way round."""
FAR = 2.4
"""Standard errors at which a window counts half less: 95 % efficient on normal errors (Holland and Welsch, 1977)."""
MEDIAN_CHI2 = 0.455
"""Median of the square of a standard normal variable."""

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
        work_uj, total_j = self.window.work_uj(self.floor), self.shares.total_j
        parts: dict[Key, float] = {IDLE: float(self.floor.idle_uj)}
        for process, weight in self.shares.weights.items():
            parts[process] = work_uj * weight / total_j
        return parts

    def variance_uj2(self, members: frozenset[ProcessId]) -> float:
        """Variance of the part of `members` for the samples' sake, in square microjoules."""
        return self.window.work_uj(self.floor) ** 2 * self.shares.sampling_variance(members)

    def doubt(self, members: frozenset[ProcessId]) -> Doubt:
        """What the part of `members` depends on."""
        work_uj = self.window.work_uj(self.floor)
        slopes_uj = {c: work_uj * slope for c, slope in self.shares.slopes(members).items()}
        own, held = self.shares.share_of(members), self._held(members)
        if STATIC in self.solution.place:
            slopes_uj[STATIC] = -own * self.window.delta.span_s * UJ_PER_J
        if STEP in self.solution.place:
            slopes_uj[STEP] = (held - own) * self.window.delta.span_s * UJ_PER_J
        floor = self.floor
        model_uj = MODEL_SE * own * (1 - own) * self.solution.shown_j * UJ_PER_J
        return Doubt(
            slopes_uj, math.hypot((own or held) * floor.idle_se_uj, (own - held) * floor.context_se_uj, model_uj)
        )

    def _held(self, members: frozenset[ProcessId]) -> float:
        usage = self.window.usage
        contexts = len(usage.holders) + usage.unknown_holders
        return len(usage.holders & members) / contexts if contexts else 0.0


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
        splits = [self._split(window) for window in kept]
        found = [self._attribution(split) for split in splits]
        owners = [self._with_group(self._owners(attribution)) for attribution in found]
        for split, members in zip(splits, owners, strict=True):
            doubts.add({owner: split.doubt(who) for owner, who in members.items()}, self._solution, split.mean_w)
        done = [
            self._with_errors(attribution, split, members, doubts)
            for attribution, split, members in zip(reversed(found), reversed(splits), reversed(owners), strict=True)
        ]
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
        doubts = {owner: split.doubt(members) for owner, members in owners.items()}
        self._doubts.add(doubts, self._solution, split.mean_w)
        return self._with_errors(found, split, owners, self._doubts)

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
            oldest = self._recent.popleft()
            self._design.add(self._old, oldest, self._weight(self._design.residual(oldest, self._solution)))
            self._old.trim(self._solution)
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

    def _solve(self, windows: Collection[Window]) -> None:
        """Solve by the old evidence and `windows`; those that a first solution is far from count less in the next."""
        weights = [1.0] * len(windows)
        for _ in range(PASSES):
            self._design, self._evidence = self._design.anew(), self._old.copy()
            for window, weight in zip(windows, weights, strict=True):
                self._design.add(self._evidence, window, weight)
            weights = [self._weight(found) for found in self._judge(windows)]

    def _judge(self, windows: Iterable[Window]) -> Sequence[Residual | None]:
        """Solve, and judge from `windows` what the model does not explain; their residuals.

        By the median: phases that change inside a window make some of them far off.
        """
        solution = self._design.solve(self._evidence)
        floor_j2 = max(solution.floor_j2, TRACE)
        residuals = [self._design.residual(window, solution) for window in windows]
        found = [residual for residual in residuals if residual is not None]
        squares = sorted(r.energy_j**2 * floor_j2 / (floor_j2 + r.sampling_j2) for r in found)
        median_j2 = squares[len(squares) // 2] / MEDIAN_CHI2 if squares else 0.0
        misfit_j = _misfit_j([r for r in found if r.sampling_j2 > SHARED * floor_j2])
        error_j2, shown_j2 = max(floor_j2, median_j2), max(floor_j2 / 4, median_j2)
        self._solution = replace(solution, model_error_j2=error_j2, seen_j2=shown_j2, misfit_j=misfit_j)
        return residuals

    def _weight(self, found: Residual | None) -> float:
        """Less for a window that the solution is far from (Cauchy's weight function)."""
        if found is None:
            return 1.0
        return 1 / (1 + found.energy_j**2 / (FAR**2 * self._solution.model_error_j2))

    def _split(self, window: Window) -> _Split:
        floor = self._design.floor(window, self._solution)
        mean_w = self._evidence.mean_w
        energy_j = window.work_uj(floor) / UJ_PER_J
        shares = shares_of(window, self._solution, energy_j, mean_w)
        return _Split(window, floor, shares, self._solution, mean_w)

    def _attribution(self, split: _Split, weights: Mapping[ProcessId | None, float] | None = None) -> Attribution:
        window = split.window
        return attribute(window.delta, window.usage, split.floor, weights or split.shares.weights)

    def _owners(self, attribution: Attribution) -> dict[Owner, frozenset[ProcessId]]:
        """The processes that got something, and the runs and jobs that they belong to."""
        processes = {**attribution.context_uj, **attribution.active_uj}
        groups: dict[Owner, set[ProcessId]] = {}
        for process in processes:
            if run := self._run_of(process):
                groups.setdefault(run, set()).add(process)
            if (job := self._job_of(process)) is not None:
                groups.setdefault(job, set()).add(process)
        singles: dict[Owner, frozenset[ProcessId]] = {process: frozenset((process,)) for process in processes}
        return {**singles, **{group: frozenset(members) for group, members in groups.items()}}

    def _with_group(self, owners: dict[Owner, frozenset[ProcessId]]) -> dict[Owner, frozenset[ProcessId]]:
        """`owners` and those of them together that nothing tells apart: of their sum more is known than of each."""
        group = self.indistinct(owner for owner in owners if isinstance(owner, ProcessId))
        return {**owners, TOGETHER: group} if len(group) > 1 else owners

    def _with_errors(
        self, attribution: Attribution, split: _Split, owners: Mapping[Owner, frozenset[ProcessId]], doubts: Doubts
    ) -> Attribution:
        errors: dict[ProcessId, PartError] = {}
        run_errors: dict[str, PartError] = {}
        job_errors: dict[JobKey, PartError] = {}
        for owner, members in owners.items():
            news_uj = doubts.news_uj(owner, self._solution, split.mean_w)
            error = PartError(split.variance_uj2(members), news_uj)
            if isinstance(owner, ProcessId):
                errors[owner] = error
            elif isinstance(owner, str):
                run_errors[owner] = error
            else:
                job_errors[owner] = error
        return replace(attribution, errors=errors, run_errors=run_errors, job_errors=job_errors)


TRACE = 1e-6
"""A smaller share of the usual mix is forgotten."""


def _misfit_j(shared: Sequence[Residual]) -> float:
    """The mean of what shared windows have beyond the sum of their parts, 0 if chance explains it."""
    if len(shared) < FEWEST:
        return 0.0
    mean_j = sum(r.energy_j for r in shared) / len(shared)
    se_j = math.sqrt(sum(r.sampling_j2 for r in shared)) / len(shared)
    return abs(mean_j) if abs(mean_j) > MISFIT_Z * se_j else 0.0


def _has_changed(before: Solution, now: Solution) -> bool:
    return any(
        abs(value - before.intensity_w(column, 0.0)) > NEWS * value
        for column, value in zip(now.columns, now.values_w, strict=True)
    )
