"""Power over time of one device, from the series of several records that began at different moments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from msgspec import Struct

from aipower.merge.devices import Account, Watch
from aipower.runrecord import PowerSeries, RunRecord

MOST_STEPS = 1000
"""Steps of a merged series, but for records that have more themselves."""
KNOWN = 0.99
"""A step of which less is known is not known; rounding of the edges leaves a little out."""


class Grid(Struct, frozen=True):
    """The steps of the merged run."""

    started_s: float
    """Unix time of its start."""
    wall_s: float
    step_s: float

    @property
    def count(self) -> int:
        """How many steps there are, at least one."""
        return max(1, math.ceil(self.wall_s / self.step_s - 1e-6))

    def length_s(self, step: int) -> float:
        """Of the step; the last may be shorter."""
        return max(0.0, min(self.step_s, self.wall_s - step * self.step_s))


class _Poured:
    """Energy, known time and unknown time in each step."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.energy_j, self.seen_s, self.missed_s = ([0.0] * grid.count for _ in range(3))

    def add(self, record: RunRecord, step_s: float, powers_w: Iterable[tuple[int, float | None]]) -> None:
        """Spread a record's steps, each with its number, over ours. Those are no shorter: a step meets two at most."""
        offset_s, our_step_s, last = record.started_unix_s - self.grid.started_s, self.grid.step_s, self.grid.count - 1
        for number, power_w in powers_w:
            start_s, end_s = offset_s + number * step_s, offset_s + min((number + 1) * step_s, record.wall_s)
            step = min(last, int(start_s / our_step_s))
            edge_s = (step + 1) * our_step_s
            if end_s <= edge_s or step == last:
                self._put(step, end_s - start_s, power_w)
            else:
                self._put(step, edge_s - start_s, power_w)
                self._put(step + 1, end_s - edge_s, power_w)

    def _put(self, step: int, span_s: float, power_w: float | None) -> None:
        if span_s <= 0:
            return
        if power_w is None:
            self.missed_s[step] += span_s
        else:
            self.energy_j[step] += power_w * span_s
            self.seen_s[step] += span_s


def grid_of(records: Sequence[RunRecord], started_s: float, wall_s: float) -> Grid | None:
    """The coarsest grid of the records, over all of the run; None where no record has a series."""
    series = [one for record in records for one in record.power if one.step_s > 0]
    if not series or wall_s <= 0:
        return None
    most = max(MOST_STEPS, *(len(one.power_w) for one in series))
    return Grid(started_s, wall_s, max(wall_s / most, *(one.step_s for one in series)))


def series_of(account: Account, grid: Grid) -> PowerSeries | None:
    """The device as its witnesses saw it, and the sum of all records' own parts; None where there is no series."""
    whole, own = _Poured(grid), _Poured(grid)
    for watch, series in _known(account.witnesses):
        whole.add(watch.view.record, series.step_s, enumerate(series.power_w))
    for watch, series in _known(account.watches):
        # Most ranks use few of a node's devices, and nothing adds nothing.
        worked_w = ((number, power_w) for number, power_w in enumerate(series.run_power_w) if power_w != 0)
        own.add(watch.view.record, series.step_s, worked_w)
    if not any(whole.seen_s):
        return None
    powers_w = [_mean_w(whole, step) for step in range(grid.count)]
    owns_w = [_sum_w(own, step, power_w) for step, power_w in enumerate(powers_w)]
    return PowerSeries(account.record.device, grid.step_s, powers_w, owns_w)


def _known(watches: Iterable[Watch]) -> Iterable[tuple[Watch, PowerSeries]]:
    for watch in watches:
        device = f"{watch.view.prefix}{watch.row.device}"
        for series in watch.view.record.power:
            if series.device == device and series.step_s > 0:
                yield watch, series


def _mean_w(whole: _Poured, step: int) -> float | None:
    """Over the time that is known; None where that is next to nothing."""
    seen_s = whole.seen_s[step]
    return whole.energy_j[step] / seen_s if seen_s > (1 - KNOWN) * whole.grid.length_s(step) else None


def _sum_w(own: _Poured, step: int, power_w: float | None) -> float | None:
    """Over the whole step, no more than the device's; None where a record that ran then does not know its part."""
    length_s = own.grid.length_s(step)
    if power_w is None or length_s <= 0 or own.missed_s[step] > (1 - KNOWN) * length_s:
        return None
    return min(own.energy_j[step] / length_s, power_w)
