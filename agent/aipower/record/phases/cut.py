"""How much of a device's energy lies in which phase: pieces of energy, cut at the edges of phases.

A piece is what the device used between two updates of its counter. One that holds a single edge is cut by the power
before and after it, as the ends of a run are (aipower.energy.split). One that holds more edges tells nothing of the
phases in it but their sum: it is cut by time, and what that may be off by adds up linearly, since it may be the same
at each repetition.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from aipower.energy.levels import LEAST_SE, LEAST_SE_W, NEIGHBOURS, Level
from aipower.energy.split import UNKNOWN_SE, Split
from aipower.model import EnergyDelta
from aipower.record.phases.teller import OUTSIDE, Path, Stretch

SINGLE_SE = 0.1
"""A level that one piece alone shows is off by this share of it: nothing tells its unrest."""
NEGLIGIBLE = 0.01
"""Of a piece; what takes less of it, as the moment between a phase and the next, is no edge."""
SHORT_S = 1e-6
"""Shorter overlaps are the roundness of floats."""


@dataclass(slots=True)
class Cut:
    """A device's energy while a process was in one phase."""

    energy_uj: float = 0.0
    time_s: float = 0.0
    variance_uj2: float = 0.0
    """Of its edges."""
    systematic_uj: float = 0.0
    """Standard error that is the same at each repetition."""
    blurred_s: float = 0.0
    """How much of the time is in pieces with several edges."""

    def add(self, other: Cut, share: float = 1.0) -> None:
        """Count `share` of `other`."""
        self.energy_uj += share * other.energy_uj
        self.time_s += share * other.time_s
        self.variance_uj2 += share**2 * other.variance_uj2
        self.systematic_uj += share * other.systematic_uj
        self.blurred_s += share * other.blurred_s


def cut(
    pieces: Sequence[EnergyDelta], first: int, last: int, stretches: Sequence[Stretch], timing_se_s: float
) -> dict[Path, Cut]:
    """The energy of `pieces[first:last]` by phase, those within a phase included in it, and `OUTSIDE` of all.

    The pieces around tell what the power was beside them. `stretches` leave no hole, and reach as far as the pieces.
    Each level of phases is cut by itself: an edge between two phases within a third one is none of the third. What a
    phase is given is then shared among those in it.
    """
    found = _level_cuts(pieces, first, last, _at_depth(stretches, 1), timing_se_s)
    deepest = max((len(leaf) for one in stretches for leaf in one.leaves), default=0)
    for depth in range(2, deepest + 1):
        finer = _level_cuts(pieces, first, last, _at_depth(stretches, depth), timing_se_s)
        outer_uj: dict[Path, float] = {}
        for path, one in finer.items():
            outer_uj[path[: depth - 1]] = outer_uj.get(path[: depth - 1], 0.0) + one.energy_uj
        for path, one in finer.items():
            if len(path) == depth:
                around_uj, sum_uj = found[path[:-1]].energy_uj, outer_uj[path[:-1]]
                found[path] = replace(one, energy_uj=one.energy_uj * around_uj / sum_uj if sum_uj > 0 else 0.0)
    return found


def _at_depth(stretches: Iterable[Stretch], depth: int) -> list[Stretch]:
    """The same without what is deeper; neighbours that are then the same are one."""
    shallow: list[Stretch] = []
    for one in stretches:
        leaves = tuple(leaf[:depth] for leaf in one.leaves)
        if shallow and shallow[-1].leaves == leaves:
            shallow[-1] = replace(shallow[-1], end_s=one.end_s)
        else:
            shallow.append(Stretch(one.start_s, one.end_s, leaves))
    return shallow


def _level_cuts(
    pieces: Sequence[EnergyDelta], first: int, last: int, stretches: Sequence[Stretch], timing_se_s: float
) -> dict[Path, Cut]:
    found: dict[Path, Cut] = {}
    place = 0
    for at in range(first, last):
        piece = pieces[at]
        while place < len(stretches) and stretches[place].end_s <= piece.start_s + SHORT_S:
            place += 1
        inside: list[Stretch] = []
        for stretch in stretches[place:]:
            if stretch.start_s >= piece.end_s - SHORT_S:
                break
            inside.append(stretch)
        for stretch, part in _parts(pieces, at, inside, timing_se_s):
            leaves = stretch.leaves or (OUTSIDE,)
            for leaf in leaves:
                found.setdefault(leaf, Cut()).add(part, 1 / len(leaves))
    return found


def _parts(
    pieces: Sequence[EnergyDelta], at: int, inside: Sequence[Stretch], timing_se_s: float
) -> Iterator[tuple[Stretch, Cut]]:
    piece = pieces[at]
    long = [one for one in inside if _overlap_s(one, piece) >= NEGLIGIBLE * piece.span_s]
    if len(long) < len(inside) and len(long) in (1, 2):
        yield from _without_crumbs(pieces, at, inside, long, timing_se_s)
    elif len(inside) <= 1:
        alone = inside[0] if inside else Stretch(piece.start_s, piece.end_s, ())
        yield alone, Cut(float(piece.energy_uj), piece.span_s)
    elif len(inside) == 2:  # noqa: PLR2004 - one edge
        yield from _halves(pieces, at, inside[0], inside[1], timing_se_s)
    else:
        yield from _by_time(piece, inside)


def _without_crumbs(
    pieces: Sequence[EnergyDelta], at: int, inside: Sequence[Stretch], long: Sequence[Stretch], timing_se_s: float
) -> Iterator[tuple[Stretch, Cut]]:
    """One or two stretches and crumbs, as between the end of a phase and the begin of the next: these go by time."""
    piece, spent_uj = pieces[at], 0.0
    for one in inside:
        if one not in long:
            span_s = _overlap_s(one, piece)
            crumb_uj = piece.energy_uj * span_s / piece.span_s
            spent_uj += crumb_uj
            yield one, Cut(crumb_uj, span_s, crumb_uj**2)
    closed = list(long)
    if len(closed) == 2:  # noqa: PLR2004 - the crumbs between them leave one edge
        middle_s = (closed[0].end_s + closed[1].start_s) / 2
        closed = [replace(closed[0], end_s=middle_s), replace(closed[1], start_s=middle_s)]
    rest = (piece.energy_uj - spent_uj) / piece.energy_uj if piece.energy_uj else 1.0
    parts = _halves(pieces, at, closed[0], closed[1], timing_se_s) if len(closed) > 1 else _whole(piece, closed[0])
    for (stretch, part), one in zip(parts, long, strict=True):
        part.energy_uj *= rest
        part.time_s = _overlap_s(one, piece)
        yield stretch, part


def _whole(piece: EnergyDelta, one: Stretch) -> Iterator[tuple[Stretch, Cut]]:
    yield one, Cut(float(piece.energy_uj), piece.span_s)


def _overlap_s(one: Stretch, piece: EnergyDelta) -> float:
    return max(0.0, min(one.end_s, piece.end_s) - max(one.start_s, piece.start_s))


def _halves(
    pieces: Sequence[EnergyDelta], at: int, one: Stretch, other: Stretch, timing_se_s: float
) -> Iterator[tuple[Stretch, Cut]]:
    piece, edge_s = pieces[at], one.end_s
    before = _level(_backwards(pieces, at, one.start_s))
    after = _level(_forwards(pieces, at, other.end_s))
    split = Split(piece, edge_s, before, after, timing_se_s)
    left_uj, variance_uj2 = split.before_uj, split.se_uj**2
    yield one, Cut(float(left_uj), edge_s - piece.start_s, variance_uj2)
    yield other, Cut(float(piece.energy_uj - left_uj), piece.end_s - edge_s, variance_uj2)


def _by_time(piece: EnergyDelta, inside: Iterable[Stretch]) -> Iterator[tuple[Stretch, Cut]]:
    for stretch in inside:
        span_s = _overlap_s(stretch, piece)
        share = span_s / piece.span_s
        unknown_uj = UNKNOWN_SE * piece.energy_uj * math.sqrt(max(0.0, share * (1 - share)))
        yield stretch, Cut(piece.energy_uj * share, span_s, 0.0, unknown_uj, span_s)


def _backwards(pieces: Sequence[EnergyDelta], at: int, since_s: float) -> Iterator[EnergyDelta]:
    """The pieces before the one at `at` that lie after `since_s` and join on, the nearest first."""
    for place in range(at - 1, max(-1, at - 1 - NEIGHBOURS), -1):
        if pieces[place].start_s < since_s - SHORT_S or pieces[place].end_s < pieces[place + 1].start_s - SHORT_S:
            return
        yield pieces[place]


def _forwards(pieces: Sequence[EnergyDelta], at: int, until_s: float) -> Iterator[EnergyDelta]:
    for place in range(at + 1, min(len(pieces), at + 1 + NEIGHBOURS)):
        if pieces[place].end_s > until_s + SHORT_S or pieces[place].start_s > pieces[place - 1].end_s + SHORT_S:
            return
        yield pieces[place]


def _level(near: Iterable[EnergyDelta]) -> Level | None:
    """The power beside an edge by the pieces there, the nearest first; their unrest is its error."""
    powers_w = [piece.mean_w for piece in near]
    if not powers_w:
        return None
    steps_w2 = [(one - other) ** 2 for one, other in itertools.pairwise(powers_w)]
    unrest_w = math.sqrt(sum(steps_w2) / len(steps_w2)) if steps_w2 else SINGLE_SE * powers_w[0]
    return Level(powers_w[0], max(unrest_w, LEAST_SE_W, LEAST_SE * powers_w[0]))
