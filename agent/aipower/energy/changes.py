"""When did a counter last move?

A counter that the hardware publishes every 20 to 100 ms is read at other moments. The energy it shows belongs to the
moment of publication, so the edges of a run are only as sharp as our knowledge of that moment.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Sequence

from msgspec import Struct

DENSE_S = 0.02
"""Reads no farther apart than this show every step of the known counters (20 ms on V100, 100 ms later)."""

SHARPEST_SE_S = 0.001
"""No instant is known better: a read takes some ms and publication jitters by 0.5 ms (science of A2 and F1)."""

MOST_PERIODS = 30
"""After so many periods a usual one that fits no better than by chance would show."""
JITTER_S = 0.001
"""Publication is off its rhythm by as much, now and then (standard deviation 0.5 ms, science of F1)."""

FEW_PERIODS = 5
"""Farther away a small error of the period spoils what another sighting says."""

ROOT_12 = math.sqrt(12)

SPARSE_WIDTHS = 2.0
"""Between two changes that sparse reads show, this many times their width must lie without news to be one period."""


class Seen(Struct, frozen=True, gc=False):
    """A change that the read at `after_s` did not show and the one at `by_s` did."""

    after_s: float
    by_s: float

    @property
    def width_s(self) -> float:
        """How uncertain the instant is."""
        return self.by_s - self.after_s

    @property
    def dense(self) -> bool:
        """True where the instant is known well enough to learn a period from."""
        return self.by_s - self.after_s <= DENSE_S

    def middle_s(self, period_s: float) -> float:
        """The likeliest instant by itself: a change shows the last publication, at most a period ago."""
        by_s = self.by_s
        earliest_s = by_s - period_s
        return (max(self.after_s, earliest_s) + by_s) / 2

    def nearest(self, at_s: float, period_s: float) -> float:
        """`at_s`, or the instant nearest to it that the two reads allow."""
        if at_s >= self.by_s:
            return self.by_s
        return max(at_s, self.after_s, self.by_s - period_s)


class ChangeTimes:
    """Estimates the instants at which a counter was published, from the reads between which it moved."""

    def __init__(self, period_s: float) -> None:
        self._default_s = period_s
        self._gaps_s: deque[float] = deque(maxlen=9)
        self._sparse_gaps_s: deque[float] = deque(maxlen=9)
        self.period_s = period_s
        """The update period: measured once reads were dense or long without news, else the sensor's usual one."""
        self.last: Seen | None = None
        """The latest change."""
        self._last_s = 0.0
        self._anchor_s = self._anchor_slack_s = 0.0
        self._steps = 0
        self.se_s = period_s / ROOT_12
        """Standard error of the latest instants."""
        self._first: Seen | None = None
        """The first of the latest row of dense sightings."""
        self._sharp: Seen | None = None
        """The latest dense sighting, narrowed by those before it."""
        self._interrupted = False

    @property
    def believed_s(self) -> float:
        """The period without what sparse reads taught: a rare update is no licence for large ones."""
        return self.period_s if self._gaps_s else self._default_s

    @property
    def measured(self) -> bool:
        """True once the period has been seen and not assumed."""
        return bool(self._gaps_s or self._sparse_gaps_s)

    def interrupt(self) -> None:
        """What lies between the last change and the next one says nothing of the period: the counter began anew."""
        self._interrupted = True

    def observe(self, seen: Seen) -> float:
        """The instant of a change, as far as it can be told at once."""
        last, dense = self.last, seen.by_s - seen.after_s <= DENSE_S
        if last is None or (dense and not last.dense):
            self._first = seen
        if last is not None and not self._interrupted:
            if dense and last.dense:
                self._learn(last, seen)
            elif seen.after_s - last.by_s > self._default_s and not self._gaps_s:
                self._learn_sparsely(last, seen)
        self._interrupted = False
        if dense or last is None or not self._gaps_s:
            sharp = self._sharpened(seen) if dense else seen
            at_s = self._anchor_s = sharp.middle_s(self.period_s)
            self._anchor_slack_s = (sharp.by_s - sharp.after_s) / 2 + JITTER_S
            self._steps = 0
            self.se_s = _uniform_se_s(sharp, self.period_s)
            self._sharp = sharp
        else:
            at_s = self._on_lattice(seen)
        self.last, self._last_s = seen, at_s
        return at_s

    def align(self, sightings: Sequence[Seen]) -> list[float]:
        """The instants of successive changes, a whole number of periods apart, outwards from the sharpest one."""
        period_s = self.period_s
        anchor = min(range(len(sightings)), key=lambda number: sightings[number].width_s)
        sharp = sightings[anchor]
        for seen in sightings:
            sharp = _narrowed(sharp, seen, period_s) if seen.dense and sharp.dense else sharp
        self.se_s = _uniform_se_s(sharp, period_s)
        instants = {anchor: sharp.middle_s(period_s)}
        for number in range(anchor - 1, -1, -1):
            gaps_s = _possible_gaps(sightings[number + 1], period_s)
            expected = [instants[number + 1] - gap_s for gap_s in gaps_s]
            instants[number] = _likeliest(sightings[number], expected, period_s)
        for number in range(anchor + 1, len(sightings)):
            gaps_s = _possible_gaps(sightings[number], period_s)
            expected = [instants[number - 1] + gap_s for gap_s in gaps_s]
            instants[number] = _likeliest(sightings[number], expected, period_s)
        return [instants[number] for number in range(len(sightings))]

    def _sharpened(self, seen: Seen) -> Seen:
        """The dense `seen`, narrowed by what the last dense one says of the rhythm."""
        if self._sharp is None or not self._gaps_s:
            return seen
        return _narrowed(seen, self._sharp, self.period_s)

    def _on_lattice(self, seen: Seen) -> float:
        """Whole periods after the last sharp sighting; one that does not fit corrects that first, then the period."""
        gaps_s = _possible_gaps(seen, self.period_s)
        guess_s = _likeliest(seen, [self._last_s + gap_s for gap_s in gaps_s], self.period_s)
        self._steps += max(1, round((guess_s - self._last_s) / self.period_s))
        expected_s = self._anchor_s + self._steps * self.period_s
        at_s = seen.nearest(expected_s, self.period_s)
        miss_s = at_s - expected_s
        if abs(miss_s) <= self._anchor_slack_s:
            self._anchor_s += miss_s
            self._anchor_slack_s -= abs(miss_s)
        else:
            self.period_s = (at_s - self._anchor_s) / self._steps
        return at_s

    def _learn(self, last: Seen, seen: Seen) -> None:
        """One period lies between two changes with an unchanged read between; else it is no longer than that."""
        gap_s = _gap_s(last, seen)
        if seen.after_s <= last.by_s:
            gap_s = min(gap_s, self._default_s)
        self._gaps_s.append(gap_s)
        self.period_s = self._default_s if self._is_usual(seen) else _median(self._gaps_s)

    def _is_usual(self, seen: Seen) -> bool:
        """True while all that was seen densely agrees with the sensor's usual period."""
        if self._first is None or not self._first.dense:
            return False
        since_s = _gap_s(self._first, seen)
        periods = max(1, round(since_s / self._default_s))
        slack_s = (self._first.width_s + seen.width_s) / 2 + JITTER_S
        return abs(since_s - periods * self._default_s) <= slack_s and periods <= MOST_PERIODS

    def _learn_sparsely(self, last: Seen, seen: Seen) -> None:
        """A counter slower than assumed shows itself between sparse reads: most of them bring no news.

        The two changes are farther apart than the usual period.
        """
        if seen.after_s - last.by_s >= SPARSE_WIDTHS * max(last.width_s, seen.width_s):
            self._sparse_gaps_s.append(_gap_s(last, seen))
            self.period_s = _median(self._sparse_gaps_s)


def _narrowed(seen: Seen, other: Seen, period_s: float) -> Seen:
    """The part of `seen` that agrees with `other`, some whole periods away; `seen` itself where nothing does."""
    periods = round((seen.after_s + seen.by_s - other.after_s - other.by_s) / 2 / period_s)
    if abs(periods) > FEW_PERIODS:
        return seen
    after_s = max(seen.after_s, other.after_s + periods * period_s - JITTER_S)
    by_s = min(seen.by_s, other.by_s + periods * period_s + JITTER_S)
    return Seen(after_s, by_s) if after_s < by_s else seen


def _uniform_se_s(seen: Seen, period_s: float) -> float:
    """Standard error of an instant that lies anywhere between two reads, no more than a period apart."""
    width_s = seen.by_s - seen.after_s
    return math.hypot(SHARPEST_SE_S, (min(width_s, period_s)) / ROOT_12)


def _gap_s(last: Seen, seen: Seen) -> float:
    """Seconds between two changes, by the middles of their sightings."""
    return (seen.after_s + seen.by_s - last.after_s - last.by_s) / 2


def _median(values: Collection[float]) -> float:
    return sorted(values)[len(values) // 2]


def _possible_gaps(seen: Seen, period_s: float) -> list[float]:
    """Seconds since the change before `seen`: all publications since then lie between its two reads."""
    fewest = int(seen.width_s / period_s)
    return [number * period_s for number in (fewest, fewest + 1) if number > 0]


def _likeliest(seen: Seen, expected: Sequence[float], period_s: float) -> float:
    """The one of the instants that the two reads contradict least, moved between them; then the most central."""
    middle_s = seen.middle_s(period_s)
    found = [(seen.nearest(at_s, period_s), at_s) for at_s in expected]
    if len(found) == 1:
        return found[0][0]
    return min(found, key=lambda each: (abs(each[0] - each[1]), abs(each[1] - middle_s)))[0]
