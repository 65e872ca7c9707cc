"""The lines of the table: runs that have ended, and runs that have left no record."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from aipower.store.finding import short_id
from aipower.store.folder import Listing
from aipower.store.going import Going
from aipower.store.summary import Summary


class Row(Struct, frozen=True):
    """One run; without a summary it still goes or was killed."""

    run_id: str
    started_unix_s: float
    name: str
    words: Sequence[str]
    """The command line."""
    host: str
    state: str
    """`ended`, `running`, `killed` or `elsewhere`."""
    summary: Summary | None = None

    @property
    def command(self) -> str:
        """The command line as one text."""
        return " ".join(self.words)

    @property
    def failed(self) -> bool:
        """True where the command's exit code was not 0, and for a run that was killed with its meter."""
        return self.summary.exit_code != 0 if self.summary else self.state == "killed"


class Filters(Struct, frozen=True):
    """What a run must be to be listed; a field that is None does not ask for anything."""

    name: str | None = None
    """A shell pattern, as in `base*`."""
    command: str | None = None
    """A part of the command line."""
    host: str | None = None
    series: str | None = None
    """A series' id, or the beginning of it."""
    failed: bool = False
    since_unix_s: float | None = None
    before_unix_s: float | None = None

    def take(self, row: Row) -> bool:
        """True for a run that is asked for."""
        return (
            (self.name is None or self.name == row.name or fnmatch.fnmatchcase(row.name, self.name))
            and (self.command is None or self.command in row.command)
            and (self.host is None or self.host == row.host)
            and (self.series is None or _in_series(row, self.series))
            and (not self.failed or row.failed)
            and (self.since_unix_s is None or row.started_unix_s >= self.since_unix_s)
            and (self.before_unix_s is None or row.started_unix_s < self.before_unix_s)
        )


def rows_of(listing: Listing) -> list[Row]:
    """All runs of the folder, the oldest first."""
    ended = [_of_summary(summary) for summary in listing.summaries]
    return sorted([*ended, *map(_of_going, listing.going)], key=lambda row: row.run_id)


SORTS: Mapping[str, Callable[[Row], tuple[float, str]]] = MappingProxyType(
    {
        "time": lambda row: (0.0, row.run_id),
        "energy": lambda row: (_energy_j(row), row.run_id),
        "duration": lambda row: (row.summary.wall_s if row.summary else -1.0, row.run_id),
    }
)
"""The largest is the last, next to the prompt; what is not known comes first."""


def chosen(rows: Iterable[Row], filters: Filters, sort: str = "time") -> Sequence[Row]:
    """The rows that are asked for, in the order that is."""
    return sorted((row for row in rows if filters.take(row)), key=SORTS[sort])


def _energy_j(row: Row) -> float:
    energy_j = row.summary.energy_j.total if row.summary else None
    return -1.0 if energy_j is None else energy_j


def _in_series(row: Row, word: str) -> bool:
    series = row.summary.series if row.summary else None
    return series is not None and (series.id.startswith(word) or short_id(series.id).startswith(word))


def _of_summary(summary: Summary) -> Row:
    told = (summary.run_id, summary.started_unix_s, summary.name, summary.command, summary.host)
    return Row(*told, "ended", summary)


def _of_going(going: Going) -> Row:
    marker = going.marker
    return Row(marker.run_id, marker.started_unix_s, marker.name, marker.command, marker.host, going.state)
