"""How much of a device's energy lies in which phase: pieces of energy, cut at the edges of phases.

A piece is what the device used between two updates of its counter. One that lies in a single phase is that phase's.
One that holds edges is shared by what each of its phases draws (aipower.record.phases.weigh): by the pieces of the
same visit just before or after it, else by what the phase usually draws, else by what pieces that it shares with
others tell of it (aipower.record.phases.mixture). What that may be off by is the same at each repetition and adds up
linearly.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from aipower.energy.levels import NEIGHBOURS, Level
from aipower.energy.split import UNKNOWN_SE
from aipower.model import EnergyDelta
from aipower.record.phases.mixture import Mixture
from aipower.record.phases.teller import OUTSIDE, Path, Stretch
from aipower.record.phases.usual import SINGLE_SE, Leaves, Timing, Usual, level
from aipower.record.phases.weigh import Item, weigh

SHORT_S = 1e-6
"""Shorter overlaps are the roundness of floats."""
CRUMBS = 0.05
"""Where what lies between two phases takes more of a piece, this has no single edge."""
BLURRED_SE = 0.2
"""A phase whose power is not known better than this share of the device's is not resolved."""


class Cut(Struct):
    """A device's energy while a process was in one phase."""

    energy_uj: float = 0.0
    time_s: float = 0.0
    variance_uj2: float = 0.0
    """Of its edges."""
    systematic_uj: float = 0.0
    """Standard error that is the same at each repetition."""
    blurred_s: float = 0.0
    """How much of the time is in pieces that tell nothing of it."""

    def add(self, other: Cut, share: float = 1.0) -> None:
        """Count `share` of `other`."""
        self.energy_uj += share * other.energy_uj
        self.time_s += share * other.time_s
        self.variance_uj2 += share**2 * other.variance_uj2
        self.systematic_uj += share * other.systematic_uj
        self.blurred_s += share * other.blurred_s


class Learned(Struct, frozen=True):
    """What was seen of one device and one process that tells of phases, on one level of these."""

    usual: Usual = field(default_factory=Usual)
    mixture: Mixture = field(default_factory=Mixture)


class Around(Struct, frozen=True):
    """A window's pieces with some before and after it, which tell what the power was beside them."""

    pieces: Sequence[EnergyDelta]
    first: int
    last: int
    """The window's own are `pieces[first:last]`."""
    timing: Timing
    timing_se_s: float
    """Standard error of the instants between pieces, before any edge has shown it."""
    unseen_s: float = 0.0
    """How much of each piece its energy does not know: a sensor that looks part of the time."""

    @property
    def edge_se_s(self) -> float:
        """Standard error of an edge."""
        return self.timing.se_s(self.timing_se_s)


def cut(around: Around, levels: Sequence[Sequence[Stretch]], learned: dict[int, Learned]) -> dict[Path, Cut]:
    """The energy of a window by phase, those within a phase included in it, and `OUTSIDE` of all.

    `levels` are the stretches as `by_level` gives them. They leave no hole, and reach as far as the pieces. Each level
    of phases is cut by itself: an edge between two phases within a third one is none of the third. What a phase is
    given is then shared among those in it. `learned` is by level, and grows.
    """
    found: dict[Path, Cut] = {}
    for depth, stretches in enumerate(levels or [[]], 1):
        finer = _level_cuts(around, stretches, learned.setdefault(depth, Learned()))
        if depth == 1:
            found = finer
            continue
        outer_uj: dict[Path, float] = {}
        for path, one in finer.items():
            outer_uj[path[: depth - 1]] = outer_uj.get(path[: depth - 1], 0.0) + one.energy_uj
        for path, one in finer.items():
            if len(path) == depth:
                around_uj, sum_uj = found[path[:-1]].energy_uj, outer_uj[path[:-1]]
                found[path] = replace(one, energy_uj=one.energy_uj * around_uj / sum_uj if sum_uj > 0 else 0.0)
    return found


def cut_by_time(around: Around, levels: Sequence[Sequence[Stretch]]) -> dict[Path, Cut]:
    """As `cut`, each piece by time alone: for the phases of several programs together, of which nobody asks for more.

    An edge may be off by the energy of a piece; that error is told as one that is the same at each repetition.
    """
    found: dict[Path, Cut] = {}
    for depth, stretches in enumerate(levels or [[]], 1):
        place = 0
        for piece in around.pieces[around.first : around.last]:
            while place < len(stretches) and stretches[place].end_s <= piece.start_s + SHORT_S:
                place += 1
            inside = list(_inside(stretches, place, piece)) or [Stretch(piece.start_s, piece.end_s, ())]
            for one in inside:
                part = _timed(piece, one, alone=len(inside) == 1)
                for leaf in one.leaves or (OUTSIDE,):
                    if depth == 1 or len(leaf) == depth:
                        found.setdefault(leaf, Cut()).add(part, 1 / max(1, len(one.leaves)))
    return found


def _timed(piece: EnergyDelta, one: Stretch, *, alone: bool) -> Cut:
    if alone:
        return Cut(float(piece.energy_uj), piece.span_s)
    span_s = _overlap_s(one, piece)
    share = span_s / piece.span_s
    unknown_uj = UNKNOWN_SE * piece.energy_uj * math.sqrt(max(0.0, share * (1 - share)))
    return Cut(piece.energy_uj * share, span_s, 0.0, unknown_uj, span_s)


def _level_cuts(around: Around, stretches: Sequence[Stretch], learned: Learned) -> dict[Path, Cut]:
    found: dict[Path, Cut] = {}
    place = 0
    for at in range(around.first, around.last):
        piece = around.pieces[at]
        while place < len(stretches) and stretches[place].end_s <= piece.start_s + SHORT_S:
            place += 1
        inside = list(_inside(stretches, place, piece))
        parts = _parts(around, at, inside, learned) if len(inside) > 1 else _whole(around, piece, inside, learned)
        for leaves, part in parts:
            for leaf in leaves or (OUTSIDE,):
                found.setdefault(leaf, Cut()).add(part, 1 / max(1, len(leaves)))
    return found


def _inside(stretches: Sequence[Stretch], place: int, piece: EnergyDelta) -> Iterator[Stretch]:
    for stretch in itertools.islice(stretches, place, None):
        if stretch.start_s >= piece.end_s - SHORT_S:
            return
        yield stretch


def _parts(around: Around, at: int, inside: Sequence[Stretch], learned: Learned) -> Iterator[tuple[Leaves, Cut]]:
    piece = around.pieces[at]
    before = _near(_backwards(around.pieces, at, inside[0].start_s), inside[0].leaves, learned)
    after = _near(_forwards(around.pieces, at, inside[-1].end_s), inside[-1].leaves, learned)
    items = _items(piece, inside, before, after, learned)
    if not around.unseen_s:
        _learn_edge(piece, items, around.timing)
    items = _together(items)
    for leaves, part in weigh(piece, items, around.edge_se_s, around.unseen_s).items():
        blurred = part.common_uj > BLURRED_SE * piece.mean_w * part.span_s * 1e6
        blurred_s = part.span_s if blurred or around.unseen_s else 0.0
        yield leaves, Cut(part.energy_uj, part.span_s, part.variance_uj2, part.systematic_uj, blurred_s)
    learned.mixture.see(_shares(piece, items), piece.mean_w)


def _whole(
    around: Around, piece: EnergyDelta, inside: Sequence[Stretch], learned: Learned
) -> Iterator[tuple[Leaves, Cut]]:
    """A piece in a single phase. Where that begins or ends close to it, a little of the piece may be another's."""
    one = inside[0] if inside else Stretch(-math.inf, math.inf, ())
    learned.usual.see(one.leaves, piece.mean_w)
    learned.mixture.see({one.leaves: 1.0}, piece.mean_w)
    se_s = around.edge_se_s
    beyond_s2 = sum(_beyond_s2(gap_s, se_s) for gap_s in (piece.start_s - one.start_s, one.end_s - piece.end_s))
    yield one.leaves, Cut(float(piece.energy_uj), piece.span_s, beyond_s2 * (piece.mean_w * 1e6) ** 2)


def _beyond_s2(gap_s: float, se_s: float) -> float:
    """About the mean square of what of an edge's error, of standard error `se_s`, goes beyond `gap_s`."""
    return se_s**2 / 2 * math.exp(-((gap_s / se_s) ** 2) / 2)


def _shares(piece: EnergyDelta, items: Iterable[Item]) -> dict[Leaves, float]:
    shares: dict[Leaves, float] = {}
    for item in items:
        shares[item.leaves] = shares.get(item.leaves, 0.0) + item.span_s / piece.span_s
    return shares


def _items(
    piece: EnergyDelta, inside: Sequence[Stretch], before: Level | None, after: Level | None, learned: Learned
) -> list[Item]:
    """The first and the last stretch by the pieces beside them, then those between by phase."""
    first, *between, last = inside
    near = {leaves: level for leaves, level in ((first.leaves, before), (last.leaves, after)) if level}
    found = [_item(piece, first, before, near, learned), _item(piece, last, after, near, learned)]
    found[0].borders = found[1].borders = 1
    return [*found, *(_item(piece, one, None, near, learned) for one in between)]


def _item(
    piece: EnergyDelta, one: Stretch, beside: Level | None, near: Mapping[Leaves, Level], learned: Learned
) -> Item:
    known, span_s = beside or learned.usual.level(one.leaves) or near.get(one.leaves), _overlap_s(one, piece)
    mixed = None if known else learned.mixture.power_w(one.leaves)
    if mixed is None:
        return Item(one.leaves, span_s, known)
    return Item(one.leaves, span_s, level(mixed[0], learned.mixture.noise_w), mixed[1])


def _together(items: Iterable[Item]) -> list[Item]:
    """Items of one phase of which one level or none is known are one: their errors are the same."""
    kept: dict[tuple[Leaves, float | None], Item] = {}
    for item in items:
        key = (item.leaves, item.level.power_w if item.level else None)
        if key in kept:
            kept[key].span_s += item.span_s
            kept[key].borders += item.borders
        else:
            kept[key] = item
    return list(kept.values())


def _learn_edge(piece: EnergyDelta, items: Sequence[Item], timing: Timing) -> None:
    """Compare the piece with what two phases draw; the moment between these draws as much as the one or the other."""
    one, other, *between = items
    if one.leaves == other.leaves or one.level is None or other.level is None or one.common_w or other.common_w:
        return
    crumbs_s = sum(item.span_s for item in between)
    if crumbs_s > CRUMBS * piece.span_s:
        return
    told_uj = 1e6 * (one.level.power_w * one.span_s + other.level.power_w * other.span_s)
    crumbs_uj = 1e6 * crumbs_s * (one.level.power_w + other.level.power_w) / 2
    noise_uj = 1e6 * math.hypot(one.level.se_w * one.span_s, other.level.se_w * other.span_s, crumbs_uj / 2e6)
    timing.see(piece, piece.energy_uj - told_uj - crumbs_uj, one.level.power_w - other.level.power_w, noise_uj)


def _overlap_s(one: Stretch, piece: EnergyDelta) -> float:
    return max(0.0, min(one.end_s, piece.end_s) - max(one.start_s, piece.start_s))


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


def _near(near: Iterable[EnergyDelta], leaves: Leaves, learned: Learned) -> Level | None:
    """The power beside an edge by the pieces there, the nearest first; their unrest is its error."""
    powers_w = [piece.mean_w for piece in near]
    if not powers_w:
        return None
    steps_w2 = [(one - other) ** 2 for one, other in itertools.pairwise(powers_w)]
    if steps_w2:
        return level(powers_w[0], math.sqrt(sum(steps_w2) / len(steps_w2)))
    usual = learned.usual.level(leaves)
    single_w = SINGLE_SE * powers_w[0]
    return level(powers_w[0], min(single_w, math.sqrt(2) * usual.se_w) if usual else single_w)
