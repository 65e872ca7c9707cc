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
from dataclasses import dataclass

from aipower.energy.levels import LEAST_SE, LEAST_SE_W, NEIGHBOURS, Level
from aipower.energy.split import UNKNOWN_SE, Split
from aipower.model import EnergyDelta
from aipower.record.phases.teller import OUTSIDE, Path, Stretch

SINGLE_SE = 0.1
"""A level that one piece alone shows is off by this share of it: nothing tells its unrest."""
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
    """The energy of `pieces[first:last]` by innermost phase; the pieces around tell what the power was beside them.

    `stretches` leave no hole, and reach as far as the pieces.
    """
    found: dict[Path, Cut] = {}
    place = 0
    for at in range(first, last):
        piece = pieces[at]
        while place < len(stretches) and stretches[place].end_s <= piece.start_s + SHORT_S:
            place += 1
        inside = list(
            itertools.takewhile(lambda one: one.start_s < piece.end_s - SHORT_S, stretches[place:])  # noqa: B023 - used at once
        )
        for stretch, part in _parts(pieces, at, inside, timing_se_s):
            leaves = stretch.leaves or (OUTSIDE,)
            for leaf in leaves:
                found.setdefault(leaf, Cut()).add(part, 1 / len(leaves))
    return found


def _parts(
    pieces: Sequence[EnergyDelta], at: int, inside: Sequence[Stretch], timing_se_s: float
) -> Iterator[tuple[Stretch, Cut]]:
    piece = pieces[at]
    if len(inside) <= 1:
        alone = inside[0] if inside else Stretch(piece.start_s, piece.end_s, ())
        yield alone, Cut(float(piece.energy_uj), piece.span_s)
    elif len(inside) == 2:  # noqa: PLR2004 - one edge
        yield from _halves(pieces, at, inside[0], inside[1], timing_se_s)
    else:
        yield from _by_time(piece, inside)


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
        span_s = min(stretch.end_s, piece.end_s) - max(stretch.start_s, piece.start_s)
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
