"""Stretches of phases by level: the outermost phases alone, then those with the ones in them, and so on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from aipower.record.phases.marks import Marks
from aipower.record.phases.teller import Path, Stretch

ANYBODY = -1
"""In place of a process that tells: all of them together."""
MARGIN_S = 1.5
"""Windows of several devices differ by less: their stretches are made once."""

Levels = Sequence[Sequence[Stretch]]


class _Made(Struct, frozen=True):
    version: int
    start_s: float
    end_s: float
    levels: Levels


class LevelsOf:
    """Makes them once for the windows of all devices."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._made: dict[int, _Made] = {}

    def between(self, teller: int, start_s: float, end_s: float) -> Levels:
        """At least from `start_s` to `end_s`, without a hole."""
        made, version = self._made.get(teller), self._version(teller)
        if made is None or made.version != version or made.start_s > start_s or made.end_s < end_s:
            start_s, end_s = start_s - MARGIN_S, end_s + MARGIN_S
            made = self._made[teller] = _Made(version, start_s, end_s, by_level(self._told(teller, start_s, end_s)))
        return made.levels

    def _version(self, teller: int) -> int:
        tellers = self._marks.tellers
        return tellers[teller].version if teller in tellers else sum(one.version for one in tellers.values())

    def _told(self, teller: int, start_s: float, end_s: float) -> Sequence[Stretch]:
        return (self._marks if teller == ANYBODY else self._marks.tellers[teller]).stretches(start_s, end_s)


def is_in_phases(levels: Levels) -> bool:
    """False where there is no phase in them."""
    return any(one.leaves for one in levels[0]) if levels else False


def by_level(stretches: Sequence[Stretch]) -> Levels:
    """The stretches without what is deeper than each level; neighbours that are then the same are one."""
    deepest = max((len(leaf) for one in stretches for leaf in one.leaves), default=0)
    return [list(_at_depth(stretches, depth)) for depth in range(1, max(1, deepest) + 1)]


def _at_depth(stretches: Iterable[Stretch], depth: int) -> Iterable[Stretch]:
    start_s, end_s, before = 0.0, 0.0, None
    for one in stretches:
        leaves = _shallow(one.leaves, depth)
        if leaves != before:
            if before is not None:
                yield Stretch(start_s, end_s, before)
            start_s, before = one.start_s, leaves
        end_s = one.end_s
    if before is not None:
        yield Stretch(start_s, end_s, before)


def _shallow(leaves: tuple[Path, ...], depth: int) -> tuple[Path, ...]:
    if len(leaves) == 1:
        return (leaves[0][:depth],)
    return tuple(sorted({leaf[:depth] for leaf in leaves}))
