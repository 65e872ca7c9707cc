"""How a run went: the power of its devices over time, and the phases that its programs told of."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from aipower.calibration.apply import true_uj
from aipower.channel import Channel
from aipower.model import Attribution, EnergyDelta, ProcessId, Usage
from aipower.processes.procfs import StatRow
from aipower.record.timeline import Timeline

if TYPE_CHECKING:
    from aipower.record.phases.book import PhaseBook, Sensed
    from aipower.record.phases.marks import Marks

SIGHTING_SE = 1 / math.sqrt(12)
"""Standard deviation of an instant that may lie anywhere in a stretch of length 1."""
MAX_PARENTS = 1 << 16


class Story:
    """A listener of the run's meter, and the ear for what its programs tell. Not thread-safe.

    Most programs tell nothing: the account of phases, which costs 10 ms to import, is opened when one does.
    """

    def __init__(self, is_own: Callable[[ProcessId], bool]) -> None:
        """`is_own` tells the run's processes."""
        self._is_own = is_own
        self._parents: dict[int, tuple[int, int]] = {}
        """Parent and start in ticks, by pid."""
        self._missing: set[int] = set()
        self._started_s: float | None = None
        self._closed = False
        self._opened: tuple[Marks, PhaseBook] | None = None
        self._last: dict[str, tuple[EnergyDelta, Sequence[EnergyDelta], Channel, Usage | None]] = {}
        """The last window of each device that the account of phases was not told of."""
        self._before_uj: dict[str, int] = {}
        """The energy of those before it."""
        self.timeline = Timeline()

    @property
    def has_marks(self) -> bool:
        """True once a program has told something."""
        return self._opened is not None

    @property
    def marks(self) -> Marks:
        """What was told."""
        return self._open()[0]

    @property
    def phases(self) -> PhaseBook:
        """The account of phases."""
        return self._open()[1]

    def start(self, at_s: float) -> None:
        """The run has begun."""
        self._started_s = at_s
        self.timeline.start(at_s)
        if self._opened is not None:
            self.marks.start(at_s)

    def feed(self, chunk: bytes) -> None:
        """Lines that the run's programs wrote."""
        if chunk:
            self.marks.feed(chunk)

    def _open(self) -> tuple[Marks, PhaseBook]:
        if self._opened is not None:
            return self._opened
        from aipower.record.phases.book import PhaseBook  # noqa: PLC0415 - see the class
        from aipower.record.phases.marks import Marks  # noqa: PLC0415 - see the class

        marks = Marks()
        if self._started_s is not None:
            marks.start(self._started_s)
        book = PhaseBook(marks, self._teller)
        self._opened = marks, book
        for device, energy_uj in self._before_uj.items():
            book.outside_before(device, energy_uj)
        for window, pieces, channel, usage in self._last.values():
            book.taken(window, pieces, _sensed(channel, usage))
        self._last.clear()
        self._before_uj.clear()
        return self._opened

    def meet(self, rows: Iterable[StatRow]) -> None:
        """The living processes of the run: whose children do not tell of phases are in those of their parents."""
        living: set[int] = set()
        for row in rows:
            living.add(row.pid)
            if row.pid not in self._parents or self._parents[row.pid][1] != row.started_ticks:
                self._parents[row.pid] = (row.ppid, row.started_ticks)
        while len(self._parents) > MAX_PARENTS:
            del self._parents[next(iter(self._parents))]
        if self._opened is not None:
            self._bury(living)

    def _bury(self, living: Collection[int]) -> None:
        """Who has told and is gone at two meetings is in no phase any more: its last messages were heard between."""
        missing = {pid for pid in self.marks.tellers if pid in self._parents and pid not in living}
        self.marks.close(missing & self._missing)
        self._missing = missing - self._missing

    def end(self, at_s: float) -> None:
        """The run has ended."""
        if self._opened is not None:
            self.marks.end(at_s)

    def close(self) -> None:
        """All that was told is known, and all energy."""
        self._closed = True
        if self._opened is not None:
            self.marks.close()
            self.phases.close()

    def taken(self, channel: Channel, window: EnergyDelta, usage: Usage | None) -> None:
        """See aipower.meter.Listener."""
        pieces, device = _calibrated(channel), window.device.id
        self.timeline.taken(window, pieces)
        if self._opened is not None:
            self.phases.taken(window, pieces, _sensed(channel, usage))
            return
        if device in self._last:
            self._before_uj[device] = self._before_uj.get(device, 0) + self._last[device][0].energy_uj
        self._last[device] = window, pieces, channel, usage

    def posted(self, attribution: Attribution) -> None:
        """See aipower.meter.Listener.

        What is attributed while the run goes on, as after the first hour of it, may be followed by a phase.
        """
        parts = (attribution.context_uj, attribution.active_uj)
        own = [(who, energy_uj) for part in parts for who, energy_uj in part.items() if self._is_own(who)]
        self.timeline.posted(attribution, sum(energy_uj for _, energy_uj in own))
        if self._opened is None and self._closed:
            return
        owners_uj: dict[int, int] = {}
        for process, energy_uj in own:
            teller = self._teller(process.pid)
            owners_uj[teller] = owners_uj.get(teller, 0) + energy_uj
        self.phases.posted(attribution, owners_uj)

    def _teller(self, pid: int) -> int:
        """The process that tells of phases for `pid`: itself, or the nearest above it; NOBODY for none.

        Where none of those that tell is known here, as in a container with pids of its own, ANYBODY of them does.
        """
        from aipower.record.phases.book import NOBODY  # noqa: PLC0415 - see the class
        from aipower.record.phases.levels import ANYBODY  # noqa: PLC0415 - see the class

        tellers = self.marks.tellers
        if not tellers:
            return NOBODY
        seen: set[int] = set()
        at = pid
        while at not in tellers and at in self._parents and at not in seen:
            seen.add(at)
            at = self._parents[at][0]
        if at in tellers:
            return at
        return NOBODY if any(teller in self._parents for teller in tellers) else ANYBODY


def _sensed(channel: Channel, usage: Usage | None) -> Sensed:
    """What is known of the pieces that the channel gives."""
    from aipower.record.phases.book import Sensed  # noqa: PLC0415 - see the class

    energy = channel.energy
    workers = None if usage is None else frozenset(who.pid for who in (*usage.busy_s, *usage.holders))
    if energy.method == "integrated":
        return Sensed(energy.powers.timing_se_s, energy.powers.unseen_s, workers)
    unseen_s = energy.powers.unseen_s if energy.powers.duty == "part" else 0.0
    return Sensed(SIGHTING_SE * energy.sighting_s, unseen_s, workers)


def _calibrated(channel: Channel) -> Sequence[EnergyDelta]:
    """The pieces as far as the calibration tells: an offset changes low powers more than high ones."""
    calibration = channel.calibration
    if calibration.gain == 1 and calibration.offset_w == 0:
        return channel.taken
    return [replace(one, energy_uj=true_uj(calibration, one.energy_uj, one.span_s)) for one in channel.taken]
