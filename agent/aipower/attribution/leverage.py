"""How the parts of one window hang on what is not known well: the samples, the intensities, the floor, the model.

Who has a share `a` of one column depends on everything by `a` times what the whole column does. So that is worked out
once for each column, and what is left for each process are a few products of numbers.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import repeat

from msgspec import Struct

from aipower.attribution.baseline import Floor
from aipower.attribution.evidence import Solution
from aipower.attribution.shares import Shares, Stake, portions, stakes_of
from aipower.attribution.vectors import dot
from aipower.attribution.window import Window
from aipower.attribution.work import STATIC, STEP
from aipower.model import UJ_PER_J, JobKey, ProcessId

MODEL_SE = 5.0
"""Two who share a window divide what the model has wrong in proportion; it may be the other way round."""

Owner = ProcessId | str | JobKey
"""A process, a run by its name, or a job."""
NO_SLOPES = -1
NOTHING: Stake = ((NO_SLOPES, 0.0),)
"""Of who has no share of any column."""


class Direction(Struct, frozen=True, gc=False):
    """How a part changes per watt of each column: by `common` for each of its seconds, and more in some columns."""

    common_uj: float
    more_uj: tuple[tuple[int, float], ...]


class Doubted(Struct, frozen=True, gc=False):
    """One window's parts: row by row an owner, the direction that it depends on and how much of it.

    Rows are no objects: a large node has a thousand of them in each of ninety windows that are remembered.
    """

    columns: tuple[str, ...] = ()
    seconds: Sequence[float] = ()
    directions: Sequence[Direction] = ()
    owners: tuple[Owner, ...] = ()
    kinds: Sequence[int] = ()
    shares: Sequence[float] = ()
    floors_uj: Sequence[float] = ()
    """Standard errors for the idle level's, the contexts' and the model's sake."""

    def rows(self) -> Iterable[tuple[Owner, int, float, float]]:
        """Owner, kind, share and floor of each; kinds and shares are left out where no part depends on intensities."""
        kinds, shares = self.kinds or repeat(NO_SLOPES), self.shares or repeat(0.0)
        return zip(self.owners, kinds, shares, self.floors_uj, strict=False)


Found = tuple[Doubted, list[float]]
"""The doubts of all processes and groups, and the variances of their parts in square microjoules."""


def doubted(
    window: Window,
    floor: Floor,
    shares: Shares,
    solution: Solution,
    processes: Collection[ProcessId],
    groups: Mapping[Owner, Collection[ProcessId]],
) -> Found:
    """How far the parts of `processes` and of `groups` of them may be off for one window's sake."""
    if len(shares.columns) > 1 or not window.work.single or _levels(solution):
        return Leverage(window, floor, shares, solution).doubted(processes, groups)
    return _alone(window, floor, shares, solution, processes, groups)


def _alone(
    window: Window,
    floor: Floor,
    shares: Shares,
    solution: Solution,
    processes: Collection[ProcessId],
    groups: Mapping[Owner, Collection[ProcessId]],
) -> Found:
    """Where one column has all, nothing depends on its intensity: much less work than `Leverage` is."""
    columns, total_j, holders = shares.columns, shares.total_j, window.usage.holders
    known = portions(window.work, columns[0], 1.0) if columns else {}
    parts = [known.get(process, 0.0) for process in processes]
    held = [int(process in holders) for process in processes]
    for members in groups.values():
        parts.append(sum([known.get(process, 0.0) for process in members]))
        held.append(sum([process in holders for process in members]))
    whole = shares.joules[0] / total_j if total_j > 0 else 0.0
    within_uj2 = _within_uj2(window.work_uj(floor) * whole, shares.better.seconds[0], shares) if whole > 0 else 0.0
    model_uj = MODEL_SE * solution.shown_j * UJ_PER_J
    contexts = (len(holders) + window.usage.unknown_holders) or 1
    floors_uj, variances_uj2 = array("d"), []
    for part, contexts_held in zip(parts, held, strict=True):
        floors_uj.append(_floor_uj(floor, part * whole, contexts_held / contexts, model_uj))
        variances_uj2.append(part * (max(0.0, 1 - part) * within_uj2))
    return Doubted(columns, owners=(*processes, *groups), floors_uj=floors_uj), variances_uj2


def _within_uj2(whole_uj: float, seconds: float, shares: Shares) -> float:
    """Variance for telling those of one column apart by their samples alone, for `a (1 - a)` of it."""
    looks_per_s = shares.looks_per_s
    return whole_uj**2 / max(1.0, looks_per_s * seconds) if looks_per_s > 0 else 0.0


def _floor_uj(floor: Floor, own: float, held: float, model_uj: float) -> float:
    """Standard error for what all windows share beside the intensities.

    By the shares of the work's energy and of the contexts.
    """
    error_uj = abs(model_uj * own * (1 - own))
    if not floor.idle_se_uj and not floor.context_se_uj:
        return error_uj
    return math.hypot((own or held) * floor.idle_se_uj, (own - held) * floor.context_se_uj, error_uj)


def _levels(solution: Solution) -> tuple[str, ...]:
    """Columns of the solution that are no work."""
    place = solution.place
    return tuple([column for column in (STATIC, STEP) if column in place]) if place else ()


class Leverage:
    """What the parts of one window depend on."""

    def __init__(self, window: Window, floor: Floor, shares: Shares, solution: Solution) -> None:
        self._window, self._floor, self._shares, self._solution = window, floor, shares, solution
        self._work_uj = window.work_uj(floor)
        self._extra = _levels(solution)
        total_j = shares.total_j
        self._fractions = [joules / total_j if total_j > 0 else 0.0 for joules in shares.joules]
        """The share of the energy of work that each column has."""
        self._several = len(shares.columns) > 1 and total_j > 0
        self._unit_uj = self._work_uj / total_j if self._several else 0.0
        gains = shares.better.gains or [0.0] * len(shares.columns)
        self._pulls = [watts * gain for watts, gain in zip(shares.watts, gains, strict=True)]
        self._pull = sum(self._pulls)
        self._scales = self._per_second()
        self._sampled = total_j > 0 and shares.looks_per_s > 0
        self._among, self._within = self._between_columns(), self._within_columns()
        self._model_uj = MODEL_SE * solution.shown_j * UJ_PER_J
        usage = window.usage
        self._contexts = len(usage.holders) + usage.unknown_holders
        self._stakes = stakes_of(window.work, shares.columns)

    def doubted(self, processes: Collection[ProcessId], groups: Mapping[Owner, Collection[ProcessId]]) -> Found:
        """The doubts of all processes and groups, and the variances of their parts in square microjoules."""
        directions = self._of_columns()
        alike = STEP not in self._extra
        if alike and self._window.work.single:
            rows = self._singles(processes)
        else:
            rows = _Rows([], array("h"), array("d"), array("d"), [])
            for process in processes:
                self._add_joint(rows, process, self._stakes.get(process, ()), (process,), directions)
        for owner, members in groups.items():
            stake = self._joined(members)
            if alike and len(stake) <= 1:
                self._add_single(rows, owner, stake, members)
            else:
                self._add_joint(rows, owner, stake, members, directions)
        columns = (*self._shares.columns, *self._extra)
        seconds = array("d", [*self._shares.better.seconds, *(0.0 for _ in self._extra)])
        found = Doubted(columns, seconds, directions, tuple(rows.owners), rows.kinds, rows.parts, rows.floors_uj)
        return found, rows.variances_uj2

    def _per_second(self) -> list[float]:
        """By what share of the whole each column changes for each of its seconds.

        Where the energy has said nothing of the seconds, those that were not seen count as none.
        """
        shares = self._shares
        counted = len(shares.columns) if shares.better.gains else len(self._window.work.seconds)
        total_j = shares.total_j
        return [watts / total_j if total_j > 0 and k < counted else 0.0 for k, watts in enumerate(shares.watts)]

    def _of_columns(self) -> list[Direction]:
        """The direction of each column; none where one column has all and no level is in the solution."""
        if not self._several and not self._extra:
            return []
        return [self._direction(((k, 1.0),), own, 0.0) for k, own in enumerate(self._fractions)]

    def _direction(self, stake: Stake, own: float, held: float) -> Direction:
        """More watts of a column mean more energy for its seconds.

        But since the window's energy stands, they also mean fewer seconds of columns that the energy says are there.
        """
        seconds, unit_uj = self._shares.better.seconds, self._unit_uj
        pull = sum([self._pulls[k] * part for k, part in stake]) - own * self._pull
        more_uj = [(k, unit_uj * seconds[k] * part) for k, part in stake]
        span_uj = self._window.delta.span_s * UJ_PER_J
        for place, column in enumerate(self._extra, len(seconds)):
            more_uj.append((place, -own * span_uj if column == STATIC else (held - own) * span_uj))
        return Direction(-unit_uj * (own + pull), tuple(more_uj))

    def _singles(self, owners: Collection[ProcessId]) -> _Rows:
        """Who has a share of one column has as much of all that the column depends on."""
        stakes = self._stakes
        found = [stakes.get(owner, NOTHING)[0] for owner in owners]
        # The last of each is of those who have nothing.
        fractions, among, within = ([*values, 0.0] for values in (self._fractions, self._among, self._within))
        owns = [part * fractions[kind] for kind, part in found]
        sloping = self._several or self._extra
        kinds = array("h", [kind for kind, _ in found] if sloping else [NO_SLOPES] * len(found))
        return _Rows(
            [*owners],
            kinds,
            array("d", [part for _, part in found]),
            array("d", self._floors_uj(owns, owners)),
            [part * (part * among[kind] + max(0.0, 1 - part) * within[kind]) for kind, part in found],
        )

    def _floors_uj(self, owns: Sequence[float], owners: Collection[ProcessId]) -> list[float]:
        if self._floor.idle_se_uj or self._floor.context_se_uj:
            return [
                _floor_uj(self._floor, own, self._held((owner,)), self._model_uj)
                for own, owner in zip(owns, owners, strict=True)
            ]
        model_uj = self._model_uj
        return [abs(model_uj * own * (1 - own)) for own in owns]

    def _add_single(self, rows: _Rows, owner: Owner, stake: Stake, members: Collection[ProcessId]) -> None:
        kind, part = (stake or NOTHING)[0]
        own = part * self._fractions[kind] if stake else 0.0
        rows.owners.append(owner)
        rows.kinds.append(kind if self._several or self._extra else NO_SLOPES)
        rows.parts.append(part)
        rows.floors_uj.append(_floor_uj(self._floor, own, self._held(members), self._model_uj))
        within = max(0.0, 1 - part) * self._within[kind] if stake else 0.0
        rows.variances_uj2.append(part * (part * self._among[kind] + within) if stake else 0.0)

    def _add_joint(
        self, rows: _Rows, owner: Owner, stake: Stake, members: Collection[ProcessId], directions: list[Direction]
    ) -> None:
        """By its own direction."""
        own = sum([part * self._fractions[k] for k, part in stake])
        rows.owners.append(owner)
        rows.kinds.append(len(directions) if self._several or self._extra else NO_SLOPES)
        rows.parts.append(1.0)
        rows.floors_uj.append(_floor_uj(self._floor, own, self._held(members), self._model_uj))
        rows.variances_uj2.append(self._variance_uj2(stake, own))
        directions.append(self._direction(stake, own, self._held(members)))

    def _joined(self, members: Collection[ProcessId]) -> Stake:
        found: dict[int, float] = {}
        for member in members:
            for k, part in self._stakes.get(member, ()):
                found[k] = found.get(k, 0.0) + part
        return tuple(found.items())

    def _variance_uj2(self, stake: Stake, own: float) -> float:
        """For the samples' sake: of the columns' seconds, and inside a column."""
        if not self._sampled:
            return 0.0
        within = sum([part * max(0.0, 1 - part) * self._within[k] for k, part in stake])
        if len(self._shares.columns) == 1:
            return within
        lean = [-own * scale for scale in self._scales]
        for k, part in stake:
            lean[k] += part * self._scales[k]
        return self._work_uj**2 * max(0.0, self._shares.better.form(lean)) + within

    def _between_columns(self) -> list[float]:
        """Variance of each column's whole part for the errors of all columns' seconds, in square microjoules."""
        better, scales = self._shares.better, self._scales
        if not self._sampled or len(scales) == 1:
            return [0.0] * len(scales)
        images = better.times(scales)
        whole = dot(images, scales)
        return [
            self._work_uj**2 * max(0.0, scale * (scale * better.variance(k) - 2 * own * image) + own * own * whole)
            for k, (scale, own, image) in enumerate(zip(scales, self._fractions, images, strict=True))
        ]

    def _within_columns(self) -> list[float]:
        if not self._sampled:
            return [0.0] * len(self._fractions)
        return [
            _within_uj2(self._work_uj * own, seconds, self._shares)
            for own, seconds in zip(self._fractions, self._shares.better.seconds, strict=True)
        ]

    def _held(self, members: Collection[ProcessId]) -> float:
        """The share of the contexts that `members` hold."""
        holders = self._window.usage.holders
        return sum([member in holders for member in members]) / self._contexts if self._contexts else 0.0


class _Rows(Struct):
    """Those of a window that is being worked out."""

    owners: list[Owner]
    kinds: array[int]
    parts: array[float]
    floors_uj: array[float]
    variances_uj2: list[float]
