"""One device of one node, of all records that watched it: counted once as a whole, the runs' own parts added up."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from aipower.merge.spread import Spread, taken_apart, within
from aipower.merge.views import Naming, View
from aipower.merge.windows import Window, length_s, widest
from aipower.runrecord import COVERED, CRUMB, DeviceRecord

MISSING_S = 0.02
"""Less is the roundness of the edges, as in a single run."""


class Watch(Struct, frozen=True):
    """A record's row of the device."""

    view: View
    row: DeviceRecord

    @property
    def window(self) -> Window:
        """When it was watched."""
        return Window(self.view.record.run_id, self.view.start_s, self.view.end_s, self.row.covered_s)


class Flaw(Struct, frozen=True):
    """What the figures of a device fall short of."""

    reason: str
    detail: str


class Account(Struct, frozen=True):
    """The device in the merged run."""

    record: DeviceRecord
    whole: Spread
    part: Spread | None
    """The run's own; None where nobody can say what it is."""
    witnesses: list[Watch]
    """Those whose word counts for the device as a whole; they do not overlap in time."""
    watches: list[Watch]
    flaws: list[Flaw]


class _Split(Struct, frozen=True):
    """Run, idle, unattributed and other processes' parts; they sum to the energy."""

    energy_j: float
    run_j: float
    idle_j: float
    unattributed_j: float

    @property
    def other_j(self) -> float:
        return max(0.0, self.energy_j - self.run_j - self.idle_j - self.unattributed_j)


def account_of(node: str, watches: Sequence[Watch], naming: Naming) -> Account:
    """The device whose rows these are; all are of one device of `node`."""
    known = [watch for watch in watches if watch.row.energy_j is not None]
    if not known:
        first = watches[0].row
        named = replace(first, device=naming.device(node, first.device), index=naming.index(node, first.index))
        return Account(named, Spread(), None, [], list(watches), [])
    witnesses = witnesses_of(known)
    outside_s = _outside_s(known, witnesses)
    most_j = outside_s * max(watch.row.peak_w or watch.row.mean_w or 0.0 for watch in known)
    seen = _whole(witnesses, node)
    part = _part(known, node)
    parts_j = part.energy_j if part else 0.0
    split = _split(seen.energy_j, parts_j, most_j, witnesses)
    whole = seen.at(split.energy_j).wider_by(max(0.0, seen.energy_j + most_j - split.energy_j))
    part = part.at(split.run_j) if part else None
    flaws = [*_partial(known, witnesses), *_overlap(parts_j, split.run_j)]
    row = _row(known, witnesses, whole, part, split)
    named = replace(row, device=naming.device(node, row.device), index=naming.index(node, row.index))
    return Account(named, whole, part, witnesses, known, flaws)


def witnesses_of(known: Sequence[Watch]) -> list[Watch]:
    """Whose word counts for the whole: leaders where they cover (nearly) as much as others would."""
    by_id = {watch.view.record.run_id: watch for watch in known}
    best = widest(watch.window for watch in known)
    led = widest(watch.window for watch in known if watch.view.leader)
    enough_s = COVERED * sum(one.covered_s for one in best)
    chosen = led if led and sum(one.covered_s for one in led) >= enough_s else best
    # Without any covered time there is nothing to choose by.
    return [by_id[one.run_id] for one in chosen] or [min(known, key=lambda watch: watch.view.record.run_id)]


def _covered_s(witnesses: Sequence[Watch]) -> float:
    return sum(watch.row.covered_s for watch in witnesses)


def _lasted_s(known: Sequence[Watch]) -> float:
    return length_s((watch.view.start_s, watch.view.end_s) for watch in known)


def _outside_s(known: Sequence[Watch], witnesses: Sequence[Watch]) -> float:
    """For how long records ran while no witness did; what a witness itself missed is in its own interval."""
    outside_s = _lasted_s(known) - _lasted_s(witnesses)
    return outside_s if outside_s > MISSING_S else 0.0


def _scope(row: DeviceRecord, node: str) -> str:
    """What one scale holds for: the device where a meter has told it, else all of its kind, on whatever node."""
    return f"{node}/{row.device}" if row.calibration else row.kind


def _whole(witnesses: Sequence[Watch], node: str) -> Spread:
    total = Spread()
    for row in (watch.row for watch in witnesses):
        energy_j = row.energy_j or 0.0
        scope = _scope(row, node)
        total = total.beside(taken_apart(energy_j, row.interval_j, row.repeatable_interval_j, scope))
    return total


def _part(known: Sequence[Watch], node: str) -> Spread | None:
    total = Spread()
    for row in (watch.row for watch in known):
        if row.run_energy_j is None:
            return None
        intervals_j = row.run_interval_j, row.repeatable_run_interval_j
        total = total.beside(taken_apart(row.run_energy_j, *intervals_j, _scope(row, node)))
    return total


def _split(seen_j: float, parts_j: float, most_j: float, witnesses: Sequence[Watch]) -> _Split:
    """The witnesses saw `seen_j`; while none of them looked the device used up to `most_j` more.

    Run's parts come first, as each was seen; the idle level next; what was assigned to nobody has to give way.
    """
    run_j = min(parts_j, seen_j + most_j)
    energy_j = max(seen_j, run_j)
    idle_j = min(energy_j - run_j, sum(watch.row.idle_j or 0.0 for watch in witnesses))
    left_j = max(0.0, energy_j - run_j - idle_j)
    return _Split(energy_j, run_j, idle_j, min(left_j, sum(watch.row.unattributed_j or 0.0 for watch in witnesses)))


def _row(
    known: Sequence[Watch], witnesses: Sequence[Watch], whole: Spread, part: Spread | None, split: _Split
) -> DeviceRecord:
    rows = [watch.row for watch in known]
    covered_s = _covered_s(witnesses)
    seen_j = sum(watch.row.energy_j or 0.0 for watch in witnesses)
    unknown = next((row.run_unknown for row in rows if row.run_energy_j is None), "")
    return replace(
        max(witnesses, key=lambda watch: (watch.row.covered_s, watch.view.record.run_id)).row,
        energy_j=split.energy_j,
        interval_j=whole.absolute_j,
        repeatable_interval_j=whole.repeatable_j,
        mean_w=seen_j / covered_s if covered_s > 0 else None,
        peak_w=max((row.peak_w for row in rows if row.peak_w is not None), default=None),
        run_energy_j=part.energy_j if part else None,
        run_interval_j=within(part.absolute_j, whole.absolute_j) if part else None,
        repeatable_run_interval_j=within(part.repeatable_j, whole.repeatable_j) if part else None,
        run_unknown="" if part else unknown,
        idle_j=split.idle_j,
        other_j=split.other_j,
        unattributed_j=split.unattributed_j,
        covered_s=covered_s,
        power_limit_w=min((row.power_limit_w for row in rows if row.power_limit_w is not None), default=None),
        performance_state=max((r.performance_state for r in rows if r.performance_state is not None), default=None),
    )


def _partial(known: Sequence[Watch], witnesses: Sequence[Watch]) -> list[Flaw]:
    lasted_s, covered_s = _lasted_s(known), _covered_s(witnesses)
    if covered_s >= COVERED * lasted_s:
        return []
    return [
        Flaw(
            "partial",
            f"watched for {covered_s:.1f} of the {lasted_s:.1f} s in which the run's processes could use it;"
            " the energy is that of the time watched",
        )
    ]


def _overlap(parts_j: float, run_j: float) -> list[Flaw]:
    if parts_j <= run_j * (1 + CRUMB):
        return []
    return [
        Flaw(
            "overlap",
            f"its records claim {parts_j:.4g} J, more than the device drew: the same processes were measured twice,"
            " as by aipower-run inside of aipower-run",
        )
    ]
