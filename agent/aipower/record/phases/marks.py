"""All that the programs of a run have told: phases, amounts of work, figures of merit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aipower.record.phases.lines import Lines, Mark
from aipower.record.phases.spans import Spans
from aipower.record.phases.teller import OUTSIDE, Path, Stretch, Teller, Visit, around

MAX_TELLERS = 1024
MAX_PATHS = 500
"""Phases with names of their own; the visits of further ones count as those of the phase around them."""
MAX_UNITS = 100


@dataclass(slots=True)
class Tally:
    """What is known of one phase besides its energy."""

    count: int = 0
    wall_s: float = 0.0
    spans: Spans = field(default_factory=Spans)
    work: dict[str, float] = field(default_factory=dict)


class Marks:
    """Feeds on lines. Not thread-safe."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._tellers: dict[int, Teller] = {}
        self._started_s = 0.0
        self.tallies: dict[Path, Tally] = {}
        self.work: dict[str, float] = {}
        self.metrics: dict[str, float] = {}
        self._lost: dict[int, float] = {}
        self._top_open = 0
        self._top_since_s = 0.0
        self.inside_s = 0.0
        """For how long at least one process was in a phase."""

    def start(self, at_s: float) -> None:
        """The run has begun."""
        self._started_s = at_s

    def feed(self, chunk: bytes) -> None:
        """Take in what was read."""
        for mark in self._lines.feed(chunk):
            self._take(mark)

    @property
    def told(self) -> bool:
        """True once there was a phase."""
        return bool(self.tallies)

    @property
    def lost(self) -> int:
        """Messages that are known to be missing or were none."""
        return self._lines.bad + round(sum(self._lost.values()))

    @property
    def tellers(self) -> Mapping[int, Teller]:
        """Those that tell of phases, by pid."""
        return self._tellers

    def stretches(self, start_s: float, end_s: float) -> list[Stretch]:
        """In which phases any process was from `start_s` to `end_s`."""
        return _joined([teller.stretches(start_s, end_s) for teller in self._tellers.values()])

    def forget(self, before_s: float) -> None:
        """Nobody will ask for what was before."""
        for teller in self._tellers.values():
            teller.forget(before_s)

    def close(self, at_s: float) -> None:
        """The run has ended."""
        for teller in self._tellers.values():
            for visit in teller.close(at_s):
                self._visited(visit, at_s)

    def _take(self, mark: Mark) -> None:
        if mark.kind == "B":
            self._begin(mark)
        elif mark.kind == "E":
            teller = self._tellers.get(mark.pid)
            visit = teller.end(mark) if teller else None
            if visit is not None:
                self._visited(visit, mark.at_s)
        elif mark.kind == "W":
            self._worked(mark)
        elif mark.kind == "M" and (mark.name in self.metrics or len(self.metrics) < MAX_UNITS):
            self.metrics[mark.name] = mark.value
        elif mark.kind == "L":
            self._lost[mark.pid] = max(self._lost.get(mark.pid, 0.0), mark.value)

    def _begin(self, mark: Mark) -> None:
        teller = self._tellers.get(mark.pid)
        if teller is None:
            if len(self._tellers) >= MAX_TELLERS:
                return
            teller = self._tellers[mark.pid] = Teller(min(self._started_s, mark.at_s))
        outer = teller.path_of(mark.parent)
        if (*outer, mark.name) not in self.tallies and len(self.tallies) >= MAX_PATHS:
            return
        path = teller.begin(mark)
        if path is None:
            return
        self.tallies.setdefault(path, Tally())
        if len(path) == 1:
            if not self._top_open:
                self._top_since_s = max(mark.at_s, self._started_s)
            self._top_open += 1

    def _visited(self, visit: Visit, at_s: float) -> None:
        if len(visit.path) == 1:
            self._top_open -= 1
            if not self._top_open:
                self.inside_s += max(0.0, at_s - self._top_since_s)
        start_s = max(visit.start_s, self._started_s)
        if visit.end_s < start_s:
            return
        tally = self.tallies[visit.path]
        tally.count += 1
        tally.wall_s += visit.end_s - start_s
        tally.spans.add(start_s - self._started_s, visit.end_s - self._started_s)

    def _worked(self, mark: Mark) -> None:
        if mark.name not in self.work and len(self.work) >= MAX_UNITS:
            return
        self.work[mark.name] = self.work.get(mark.name, 0.0) + mark.value
        teller = self._tellers.get(mark.pid)
        path = teller.path_of(mark.id) if teller else OUTSIDE
        for outer in around(path) if path else ():
            work = self.tallies[outer].work
            work[mark.name] = work.get(mark.name, 0.0) + mark.value


def _joined(tellers: Iterable[list[Stretch]]) -> list[Stretch]:
    """The stretches of all together: in each, the phases of all of them."""
    found = list(tellers)
    if len(found) == 1:
        return found[0]
    changes: dict[float, list[tuple[int, Path]]] = {}
    for stretches in found:
        for one in stretches:
            for step, at_s in ((1, one.start_s), (-1, one.end_s)):
                changes.setdefault(at_s, []).extend((step, leaf) for leaf in one.leaves)
    open_: dict[Path, int] = {}
    joined: list[Stretch] = []
    since_s = None
    for at_s in sorted(changes):
        if since_s is not None and at_s > since_s:
            joined.append(Stretch(since_s, at_s, tuple(sorted(open_))))
        for step, leaf in changes[at_s]:
            open_[leaf] = open_.get(leaf, 0) + step
            if not open_[leaf]:
                del open_[leaf]
        since_s = at_s
    return joined
