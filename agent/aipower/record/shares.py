"""What a run used of its devices, with all that bounds it, so that devices can be added up."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from aipower.books.uncertainty import Error
from aipower.model import SUMMED_KINDS, UJ_PER_J, Kind
from aipower.runrecord import Interval


class Range(Struct, frozen=True):
    """An energy and how far it may be off."""

    energy_j: float = 0.0
    error: Error = field(default_factory=Error)
    less_j: float = 0.0
    """It may be less by this beyond its error: work that may have been another's. A bound, so bounds add up."""
    more_j: float = 0.0
    """It may be more by this beyond its error: work that was not seen to be its own."""

    def __add__(self, other: Range) -> Range:
        """Both together."""
        return Range(
            self.energy_j + other.energy_j,
            self.error + other.error,
            self.less_j + other.less_j,
            self.more_j + other.more_j,
        )

    @property
    def absolute_j(self) -> Interval:
        """95 %, the scale of the sensors included."""
        return self._around(self.error.absolute_95_uj / UJ_PER_J)

    @property
    def repeatable_j(self) -> Interval:
        """95 %, the scale of the sensors left out."""
        return self._around(self.error.repeatable_95_uj / UJ_PER_J)

    def _around(self, half_j: float) -> Interval:
        return max(0.0, self.energy_j - half_j - self.less_j), self.energy_j + half_j + self.more_j


class Share(Struct, frozen=True):
    """The run's part, and the whole that it cannot exceed."""

    own: Range = field(default_factory=Range)
    whole: Range = field(default_factory=Range)

    def __add__(self, other: Share) -> Share:
        """Both together."""
        return Share(self.own + other.own, self.whole + other.whole)

    @property
    def absolute_j(self) -> Interval:
        """95 %, the scale of the sensors included."""
        return _within(self.own.absolute_j, self.whole.absolute_j)

    @property
    def repeatable_j(self) -> Interval:
        """95 %, the scale of the sensors left out."""
        return _within(self.own.repeatable_j, self.whole.repeatable_j)


def _within(own_j: Interval, whole_j: Interval) -> Interval:
    return own_j[0], min(own_j[1], whole_j[1])


def sums_by_kind(shares: Iterable[tuple[str, Share | None]]) -> dict[str, Share]:
    """The sums of devices' shares, given with their kinds: `total`, and each kind of which something is known."""
    known = [(kind, share) for kind, share in shares if share is not None]
    wanted: dict[str, tuple[Kind, ...]] = {"total": SUMMED_KINDS, **{kind: (kind,) for kind in SUMMED_KINDS}}
    found = {name: [share for kind, share in known if kind in kinds] for name, kinds in wanted.items()}
    return {name: sum(parts, Share()) for name, parts in found.items() if parts}
