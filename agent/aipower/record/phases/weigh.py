"""What of a piece of energy belongs to each of the phases in it.

The piece's energy E is exact. For each stretch i in it a level says P_i t_i with variance s_i^2; what the sum of these
lacks of E is shared by the variances, as in any weighted mean (JCGM 100, 4.1 and 5.1):

    r = E - sum of P_i t_i,    E_i = P_i t_i + r s_i^2 / S,    var = s_i^2 (1 - s_i^2 / S),    S = sum of s_i^2

Where r is larger than chance allows, the power has changed elsewhere too: as much of it goes by time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from aipower.energy.levels import Level
from aipower.energy.split import FOREIGN
from aipower.model import EnergyDelta
from aipower.record.phases.mixture import PRIOR_SE
from aipower.record.phases.usual import Leaves

UNSEEN_REPEATED = 0.1
"""Share of the variance that is the same at each visit where a sensor looks part of the time: a piece whose end lies
in another phase stands for all of that phase, and what was learned of short phases is of such pieces."""


class Item(Struct):
    """What is known of a stretch of a phase in a piece, or of several."""

    leaves: Leaves
    span_s: float
    level: Level | None
    common_w: float = 0.0
    """Standard error of the level that is the same at each visit."""
    borders: int = 0
    """How many ends of the piece it touches: their instants are not exact."""


class Weighed(Struct):
    """The part of one phase."""

    energy_uj: float = 0.0
    own_uj2: float = 0.0
    """Variance of what its levels say."""
    span_s: float = 0.0
    common_uj: float = 0.0
    """The part of the error that is the same at each visit."""
    variance_uj2: float = 0.0
    """Of the part that is given, without what is systematic."""
    systematic_uj: float = 0.0
    """Its standard error that is the same at each visit."""


def weigh(
    piece: EnergyDelta, items: Sequence[Item], timing_se_s: float, unseen_s: float = 0.0
) -> dict[Leaves, Weighed]:
    """The parts of the phases of `items`, which sum to the piece's energy.

    The piece's energy does not know `unseen_s` of it: with a change of power in there it is off, evenly up to all of
    that change.
    """
    found: dict[Leaves, Weighed] = {}
    levels = _levels(piece, items)
    powers_w = [level.power_w for level in levels]
    change_uj_per_s = 1e6 * (max(powers_w) - min(powers_w))
    for level, item in zip(levels, items, strict=True):
        part = found.setdefault(item.leaves, Weighed())
        part.energy_uj += level.power_w * item.span_s * 1e6
        part.own_uj2 += _own_uj2(level, item, piece, timing_se_s)
        part.own_uj2 += (min(unseen_s, item.span_s) * change_uj_per_s) ** 2 / 3
        part.span_s += item.span_s
        part.common_uj += 1e6 * item.span_s * (item.common_w if item.level else level.se_w)
    _share_rest(piece, list(found.values()), UNSEEN_REPEATED if unseen_s else 0.0)
    _make_possible(list(found.values()), piece.energy_uj)
    return found


def _share_rest(piece: EnergyDelta, parts: Sequence[Weighed], least_repeated: float) -> None:
    sum_uj2 = sum(part.own_uj2 for part in parts)
    rest_uj = piece.energy_uj - sum(part.energy_uj for part in parts)
    foreign = 1 - FOREIGN * sum_uj2 / rest_uj**2 if rest_uj**2 > FOREIGN * sum_uj2 else 0.0
    # What one phase has too much others have too little: what of the errors is repeated is so for all.
    repeated = min(1.0, max(least_repeated, sum(part.common_uj**2 for part in parts) / sum_uj2))
    for part in parts:
        weight, time = part.own_uj2 / sum_uj2, part.span_s / piece.span_s
        part.energy_uj += rest_uj * ((1 - foreign) * weight + foreign * time)
        agreed_uj2, rest_uj2 = part.own_uj2 * (1 - weight), rest_uj**2 * time * max(0.0, 1 - time)
        variance_uj2 = (1 - foreign) * agreed_uj2 + foreign * rest_uj2
        part.variance_uj2 = (1 - repeated) * variance_uj2
        part.systematic_uj = math.sqrt(repeated * variance_uj2)


def _levels(piece: EnergyDelta, items: Sequence[Item]) -> list[Level]:
    """The levels of all; those that are not known have what the others leave, as far as that can be."""
    known = [item for item in items if item.level is not None]
    unknown_s = sum(item.span_s for item in items if item.level is None)
    if not unknown_s:
        return [item.level for item in items if item.level is not None]
    known_w = [(item.level.power_w, item.span_s) for item in known if item.level is not None]
    rest_w = (piece.energy_uj / 1e6 - sum(power_w * span_s for power_w, span_s in known_w)) / unknown_s
    highest_w = max((power_w for power_w, _ in known_w), default=piece.mean_w)
    power_w = min(max(0.0, rest_w), max(highest_w, piece.mean_w))
    unknown = Level(power_w, PRIOR_SE * max(power_w, piece.mean_w))
    return [item.level or unknown for item in items]


def _own_uj2(level: Level, item: Item, piece: EnergyDelta, timing_se_s: float) -> float:
    """Variance of what a level says: a part of a piece may differ from it by more than a piece does."""
    spread_s = item.span_s if item.level is None else math.sqrt(item.span_s * max(item.span_s, piece.span_s))
    timing_w2 = item.borders * (level.power_w**2 + level.se_w**2)
    common_w2 = (item.common_w * item.span_s) ** 2
    return ((level.se_w * spread_s) ** 2 + common_w2 + timing_w2 * timing_se_s**2) * 1e12 + 1.0


def _make_possible(parts: Sequence[Weighed], energy_uj: int) -> None:
    """None is negative, and the sum is kept."""
    positive_uj = sum(max(0.0, part.energy_uj) for part in parts)
    scale = energy_uj / positive_uj if positive_uj > 0 else 0.0
    for part in parts:
        part.energy_uj = scale * max(0.0, part.energy_uj)
