"""Windows as rows of a regression, one by one and as a table by column."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from aipower.attribution.samples import Covariance


class Row(Struct, frozen=True, gc=False):
    """One window: seconds by column, the energy that they explain, and the covariance of the seconds' errors."""

    columns: Sequence[str]
    """Those that were seen, then those that samples may have missed."""
    seconds: Sequence[float]
    energy_j: float
    covariance_s2: Covariance | None = None
    """In the order of the columns."""
    seen: int = 0
    """So many columns were seen."""


class Table:
    """Rows by column: sums of products are then sums over two lists."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.size = len(rows)
        self.columns = list(dict.fromkeys(column for row in rows for column in row.columns))
        self.seconds, self.own_s2, self.draws_s = (
            [[0.0] * len(rows) for _ in self.columns] for _ in ("seconds", "own", "draws")
        )
        self.energies_j = [row.energy_j for row in rows]
        self.sampled = any(row.covariance_s2 is not None for row in rows)
        place = {column: k for k, column in enumerate(self.columns)}
        for number, row in enumerate(rows):
            at = [place[column] for column in row.columns]
            for k, seconds in zip(at, row.seconds, strict=True):
                self.seconds[k][number] = seconds
            if row.covariance_s2 is not None:
                self._take(number, at, row.covariance_s2)

    def _take(self, number: int, at: Sequence[int], covariance: Covariance) -> None:
        """What is taken off the diagonal is a product of two draws."""
        root_s = math.sqrt(covariance.each_s2)
        for k, own_s2, share in zip(at, covariance.own_s2, covariance.shares, strict=True):
            self.own_s2[k][number] = own_s2
            self.draws_s[k][number] = root_s * share
