"""All that the programs of a run have told: phases, amounts of work, figures of merit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from aipower.record.phases.lines import Lines, Mark
from aipower.record.phases.spans import Spans
from aipower.record.phases.teller import OUTSIDE, Path, Stretch, Teller, Visit, around

MAX_TELLERS = 1024
MAX_PATHS = 500
"""Phases with names of their own; the visits of further ones count as those of the phase around them."""
MAX_UNITS = 100
MAX_LOST = 1e12
AHEAD_S = 30 * 86400.0
"""What is so much later than all that was told before is no time."""


class Tally(Struct):
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
        self._odd = 0
        """Messages of a time that cannot be."""
        self._lost: dict[int, float] = {}
        self._ended_s = math.inf
        self._latest_s = 0.0
        """The latest time that anybody has told of."""
        self._top_open = 0
        self._top_since_s = 0.0
        self.inside_s = 0.0
        """For how long at least one process was in a phase."""

    def start(self, at_s: float) -> None:
        """The run has begun."""
        self._started_s = self._latest_s = at_s

    def end(self, at_s: float) -> None:
        """The run has ended: what lasts longer ends there."""
        self._ended_s = at_s
        # Who outlives the command may have told of a later time already.
        self.inside_s = min(self.inside_s, max(0.0, at_s - self._started_s))
        for tally in self.tallies.values():
            tally.spans.clip(at_s - self._started_s)

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
        return self._lines.bad + self._odd + round(sum(self._lost.values()))

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

    def close(self, pids: Iterable[int] | None = None) -> None:
        """Nobody, or none of `pids`, tells any more: what is open ends with the run, or with what was told last."""
        at_s = self._ended_s if math.isfinite(self._ended_s) else self._latest_s
        for pid in list(self._tellers) if pids is None else pids:
            for visit in self._tellers[pid].close(at_s if pids is None else min(at_s, self._latest_s)):
                self._visited(visit)

    def _take(self, mark: Mark) -> None:
        if mark.at_s > self._latest_s:
            if mark.at_s > self._latest_s + AHEAD_S:
                self._odd += 1
                return
            self._latest_s = mark.at_s
        if mark.kind == "B":
            self._begin(mark)
        elif mark.kind == "E":
            teller = self._tellers.get(mark.pid)
            visit = teller.end(mark) if teller else None
            if visit is not None:
                self._visited(visit)
        elif mark.kind == "W":
            self._worked(mark)
        elif mark.kind == "M" and (mark.name in self.metrics or len(self.metrics) < MAX_UNITS):
            self.metrics[mark.name] = mark.value
        elif mark.kind == "L" and (mark.pid in self._lost or len(self._lost) < MAX_TELLERS):
            self._lost[mark.pid] = max(self._lost.get(mark.pid, 0.0), min(mark.value, MAX_LOST))

    def _begin(self, mark: Mark) -> None:
        teller = self._tellers.get(mark.pid)
        if teller is None:
            if len(self._tellers) >= MAX_TELLERS:
                return
            teller = self._tellers[mark.pid] = Teller(min(self._started_s, mark.at_s))
        elif teller.begins_again(mark):
            for visit in teller.close(mark.at_s):
                self._visited(visit)
        known = len(self.tallies) < MAX_PATHS or (*teller.path_of(mark.parent), mark.name) in self.tallies
        path = teller.begin(mark, counted=known)
        if path is None:
            return
        self.tallies.setdefault(path, Tally())
        if len(path) == 1:
            if not self._top_open:
                self._top_since_s = max(mark.at_s, self._started_s)
            self._top_open += 1

    def _visited(self, visit: Visit) -> None:
        start_s, end_s = max(visit.start_s, self._started_s), min(visit.end_s, self._ended_s)
        if len(visit.path) == 1:
            self._top_open -= 1
            if not self._top_open:
                self.inside_s += max(0.0, end_s - self._top_since_s)
        if end_s < start_s:
            return
        tally = self.tallies[visit.path]
        tally.count += 1
        tally.wall_s += end_s - start_s
        tally.spans.add(start_s - self._started_s, end_s - self._started_s)

    def _worked(self, mark: Mark) -> None:
        if mark.name not in self.work and len(self.work) >= MAX_UNITS:
            return
        _add(self.work, mark)
        teller = self._tellers.get(mark.pid)
        path = teller.path_of(mark.id) if teller else OUTSIDE
        for outer in around(path) if path else ():
            _add(self.tallies[outer].work, mark)


def _add(work: dict[str, float], mark: Mark) -> None:
    total = work.get(mark.name, 0.0) + mark.value
    if math.isfinite(total):
        work[mark.name] = total


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
