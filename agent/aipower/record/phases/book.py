"""The energy of phases: windows of devices are cut when they are taken, and shared out when they are attributed."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from aipower.attribution.split import largest_remainder
from aipower.energy.levels import NEIGHBOURS
from aipower.model import Attribution, EnergyDelta
from aipower.record.phases.cut import Around, Cut, Learned, cut, cut_by_time
from aipower.record.phases.kept import Kept
from aipower.record.phases.levels import ANYBODY, Levels, LevelsOf, is_in_phases
from aipower.record.phases.marks import Marks
from aipower.record.phases.teller import OUTSIDE, Path
from aipower.record.phases.usual import Timing

LATE_S = 1.0
"""So long messages may be on their way: a window is cut this much after its end."""
REMEMBERED_S = 30.0
"""Windows of devices are no further apart than this."""
NOBODY = 0
"""In place of the process that tells: none does."""
ITSELF: Path = ("",)
"""Stands for what a phase has beside those within it; no other path with an empty name is looked for there."""


class Part(Struct):
    """What the run's processes in a phase have used of one device."""

    own_uj: int = 0
    variance_uj2: float = 0.0
    systematic_uj: float = 0.0
    shared_uj: float = 0.0
    """Where others worked, too: the root of its own energy times theirs, summed over windows."""
    hidden_uj: float = 0.0
    """What nobody is named for in its windows."""
    time_s: float = 0.0
    blurred_s: float = 0.0


class Sensed(Struct, frozen=True):
    """What is known of the pieces of a window."""

    timing_se_s: float = 0.0
    """Standard error of the instants between them."""
    unseen_s: float = 0.0
    """How much of each its energy does not know."""
    workers: frozenset[int] | None = None
    """Pids of all that worked or held a context; None where nobody says."""


class _Device(Struct):
    """The windows of a device on their way."""

    waiting: deque[tuple[EnergyDelta, list[EnergyDelta], Sensed]] = field(default_factory=deque)
    timing: Timing = field(default_factory=Timing)
    idle_uj_per_s: float = math.inf
    """The lowest idle level of a window."""
    before: list[EnergyDelta] = field(default_factory=list)
    """The last pieces of the window before."""
    cut: Kept = field(default_factory=lambda: Kept(ANYBODY))
    """Windows that were not attributed yet."""
    learned: dict[int, dict[int, Learned]] = field(default_factory=dict)
    """By the process that tells, `ANYBODY` for all of them, and by the level of phases."""


class PhaseBook:
    """The account of each phase and device. Not thread-safe."""

    def __init__(self, marks: Marks, teller_of: Callable[[int], int] = lambda pid: pid) -> None:
        """`teller_of` gives the process that tells of phases for a pid."""
        self._marks = marks
        self._teller_of = teller_of
        self._levels = LevelsOf(marks)
        self._devices: dict[str, _Device] = {}
        self.parts: dict[tuple[str, Path], Part] = {}
        """By device and phase; a phase includes those in it."""
        self.devices_uj: dict[tuple[str, Path], float] = {}
        """What the whole device used while anybody was in the phase."""

    def outside_before(self, device: str, energy_uj: int) -> None:
        """A device's energy before this account was opened: in no phase."""
        self._whole(device, OUTSIDE, float(energy_uj))

    def taken(self, window: EnergyDelta, pieces: Sequence[EnergyDelta], sensed: Sensed) -> None:
        """A device's energy is known for a window that starts where the last one ended, or later."""
        device = self._devices.setdefault(window.device.id, _Device())
        device.waiting.append((window, _scaled(pieces, window.energy_uj), sensed))
        while len(device.waiting) > 1 and device.waiting[0][0].end_s <= window.end_s - LATE_S:
            self._cut_first(device)

    def close(self) -> None:
        """No further message will come."""
        for device in self._devices.values():
            while device.waiting:
                self._cut_first(device)

    def posted(self, attribution: Attribution, owners_uj: Mapping[int, int]) -> None:
        """Who used a window is known: by process that tells of phases, NOBODY for those of whom nobody told."""
        id_ = attribution.delta.device.id
        slices = self._devices.setdefault(id_, _Device()).cut.take(attribution.delta.start_s)
        outside = {OUTSIDE: _all_of(attribution.delta)}
        anybody = slices.get(ANYBODY) or outside
        # Where only what anybody did was kept, it stands for all who tell; else who is missing was in no phase.
        others = anybody if len(slices) == 1 else outside
        for teller, own_uj in owners_uj.items():
            cuts = outside if teller == NOBODY else slices.get(teller) or others
            self._share(id_, attribution, own_uj, cuts)
        self._hide(id_, attribution, anybody)

    def _cut_first(self, device: _Device) -> None:
        window, pieces, sensed = device.waiting.popleft()
        if self._marks.told:
            context = [*device.before, *pieces, *(device.waiting[0][1][:NEIGHBOURS] if device.waiting else ())]
            self._cut(device, window, context, len(device.before), len(pieces), sensed)
        else:
            self._whole(window.device.id, OUTSIDE, float(window.energy_uj))
        device.before = pieces[-NEIGHBOURS:]
        self._marks.forget(window.start_s - REMEMBERED_S)

    def _cut(
        self,
        device: _Device,
        window: EnergyDelta,
        context: list[EnergyDelta],
        first: int,
        count: int,
        sensed: Sensed,
    ) -> None:
        if not context:
            return
        start_s, end_s = context[0].start_s, context[-1].end_s

        around = Around(context, first, first + count, device.timing, sensed.timing_se_s, sensed.unseen_s)

        def cut_by(teller: int, levels: Levels) -> dict[Path, Cut]:
            return cut(around, levels, device.learned.setdefault(teller, {}))

        tellers = self._marks.tellers
        levels = {teller: self._levels.between(teller, start_s, end_s) for teller in self._working(tellers, sensed)}
        slices = {teller: cut_by(teller, one) for teller, one in levels.items() if is_in_phases(one)}
        if len(tellers) == len(slices) == 1:
            together = next(iter(slices.values()))
        else:
            everybody = self._levels.between(ANYBODY, start_s, end_s)
            together = cut_by_time(around, everybody)
            if not slices and is_in_phases(everybody):
                slices = {NOBODY: {OUTSIDE: _all_of(window)}}  # so that who tells and worked is seen to be in no phase
        device.cut.put(window.start_s, {**slices, ANYBODY: together})
        for path, found in together.items():
            self._whole(window.device.id, path, found.energy_uj)

    def _working(self, tellers: Collection[int], sensed: Sensed) -> Collection[int]:
        """Those of `tellers` for whom somebody worked: nobody asks for the phases of the others."""
        if sensed.workers is None:
            return tellers
        wanted = {self._teller_of(pid) for pid in sensed.workers}
        return [teller for teller in tellers if teller in wanted]

    def _whole(self, device: str, path: Path, energy_uj: float) -> None:
        self.devices_uj[device, path] = self.devices_uj.get((device, path), 0.0) + energy_uj

    def _share(self, id_: str, attribution: Attribution, own_uj: int, cuts: Mapping[Path, Cut]) -> None:
        """Share out what the processes of one teller have used, by what the device used beyond its idle level."""
        idle_uj_per_s = attribution.idle_uj / attribution.delta.span_s
        work_uj = {path: max(0.0, one.energy_uj - idle_uj_per_s * one.time_s) for path, one in cuts.items()}
        top = [path for path in cuts if len(path) <= 1]
        total_uj = sum(work_uj[path] for path in top)
        own = min(1.0, own_uj / total_uj) if total_uj > 0 else 0.0
        others = (_used_uj(attribution) - own_uj) / total_uj if total_uj > 0 else 0.0
        if total_uj <= 0:  # nothing but idle energy: by time
            work_uj = {path: one.time_s for path, one in cuts.items()}
        for path, given_uj in _given(own_uj, top, work_uj, _inner(cuts)).items():
            part, one = self._part(id_, path), cuts[path]
            part.own_uj += given_uj
            part.variance_uj2 += own**2 * one.variance_uj2
            part.systematic_uj += own * one.systematic_uj
            part.shared_uj += math.sqrt(max(0.0, given_uj * work_uj[path] * others))
            part.time_s += one.time_s
            part.blurred_s += one.blurred_s

    def _hide(self, id_: str, attribution: Attribution, cuts: Mapping[Path, Cut]) -> None:
        """What may be the run's although nobody is named for it.

        What is unattributed may be of any phase of the window, by the energy of these. Where nobody is known to hold a
        context, as at the end of a run, one that was open counts as idle: it is of any phase, by time.
        """
        device, span_s = self._devices[id_], attribution.delta.span_s
        device.idle_uj_per_s = min(device.idle_uj_per_s, attribution.idle_uj / span_s)
        context_uj = 0.0 if attribution.context_uj else attribution.idle_uj - device.idle_uj_per_s * span_s
        if not context_uj and not attribution.unattributed_uj:
            return
        top = [one for path, one in cuts.items() if len(path) <= 1]
        all_uj, all_s = sum(one.energy_uj for one in top), sum(one.time_s for one in top)
        for path, one in cuts.items():
            by_energy = one.energy_uj / all_uj if all_uj > 0 else 1.0
            by_time = one.time_s / all_s if all_s > 0 else 1.0
            self._part(id_, path).hidden_uj += by_energy * attribution.unattributed_uj + by_time * context_uj

    def _part(self, device: str, path: Path) -> Part:
        return self.parts.setdefault((device, path), Part())


def _used_uj(attribution: Attribution) -> int:
    """What all processes that are known have used."""
    return sum(attribution.context_uj.values()) + sum(attribution.active_uj.values())


def _all_of(window: EnergyDelta) -> Cut:
    return Cut(float(window.energy_uj), window.span_s)


def _inner(cuts: Iterable[Path]) -> dict[Path, list[Path]]:
    """The phases directly within each."""
    inner: dict[Path, list[Path]] = {}
    for path in cuts:
        if len(path) > 1:
            inner.setdefault(path[:-1], []).append(path)
    return inner


def _given(
    own_uj: int, paths: Sequence[Path], work: Mapping[Path, float], inner: Mapping[Path, Sequence[Path]]
) -> dict[Path, int]:
    """Whole microjoules for `paths`, and for those within them: what a phase has beside these is its own."""
    given = _split(own_uj, {path: work[path] for path in paths})
    for path in paths:
        if path in inner and path:
            own_work = max(0.0, work[path] - sum(work[one] for one in inner[path]))
            shares = _split(given[path], {**{one: work[one] for one in inner[path]}, ITSELF: own_work})
            for one in inner[path]:
                given.update(_given(shares[one], [one], work, inner))
    return given


def _split(own_uj: int, weights: Mapping[Path, float]) -> dict[Path, int]:
    """By weight; evenly where nothing weighs anything."""
    some = any(weight > 0 for weight in weights.values())
    given = largest_remainder(own_uj, weights if some else dict.fromkeys(weights, 1.0))
    return {path: given.get(path, 0) for path in weights}


def _scaled(pieces: Sequence[EnergyDelta], energy_uj: int) -> list[EnergyDelta]:
    """The pieces, which sum to the energy of the window that they make up."""
    raw_uj = sum(piece.energy_uj for piece in pieces)
    if raw_uj == energy_uj:
        return list(pieces)
    if not raw_uj:
        span_s = sum(piece.span_s for piece in pieces)
        return [replace(piece, energy_uj=round(energy_uj * piece.span_s / span_s)) for piece in pieces]
    return [
        EnergyDelta(
            piece.device, piece.start_s, piece.end_s, round(piece.energy_uj * energy_uj / raw_uj), piece.method
        )
        for piece in pieces
    ]
