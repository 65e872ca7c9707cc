"""When a phase lasted, in a bounded number of pieces."""

from __future__ import annotations

import bisect
import itertools

MAX_SPANS = 200


class Spans:
    """A union of stretches of time; where there are too many, the smallest holes between them are closed."""

    def __init__(self) -> None:
        self._spans: list[tuple[float, float]] = []

    def add(self, start_s: float, end_s: float) -> None:
        """Add one, usually later than all others."""
        if self._spans and start_s > self._spans[-1][1]:
            self._spans.append((start_s, end_s))
        elif self._spans and start_s >= self._spans[-1][0]:
            self._spans[-1] = (self._spans[-1][0], max(end_s, self._spans[-1][1]))
        else:
            bisect.insort(self._spans, (start_s, end_s))
            self._spans = _united(self._spans)
        if len(self._spans) > 2 * MAX_SPANS:
            self._spans = _fewer(self._spans)

    def clip(self, end_s: float) -> None:
        """Nothing is later than `end_s`."""
        self._spans = [(low_s, min(high_s, end_s)) for low_s, high_s in self._spans if low_s <= end_s]

    def listed(self) -> list[tuple[float, float]]:
        """At most `MAX_SPANS`, in order, in seconds after the start of the run."""
        return _fewer(self._spans)


def _united(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    united: list[tuple[float, float]] = []
    for start_s, end_s in spans:
        if united and start_s <= united[-1][1]:
            united[-1] = (united[-1][0], max(end_s, united[-1][1]))
        else:
            united.append((start_s, end_s))
    return united


def _fewer(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    too_many = len(spans) - MAX_SPANS
    if too_many <= 0:
        return list(spans)
    holes = [after[0] - before[1] for before, after in itertools.pairwise(spans)]
    closed = set(sorted(range(len(holes)), key=holes.__getitem__)[:too_many])
    kept = [spans[0]]
    for place, span in enumerate(spans[1:]):
        if place in closed:
            kept[-1] = (kept[-1][0], max(span[1], kept[-1][1]))
        else:
            kept.append(span)
    return kept
