"""What a record carries besides the measurement: figures of merit, work, the job, the series, price and place.

It comes as plain words, since a wrapper that has an agent imports next to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from aipower.runrecord import JobRecord, SeriesRecord

MAX_NAME = 100
SERIES_FIELDS = 3


class Words(Struct, frozen=True):
    """As they come."""

    metrics: Sequence[str] = ()
    """`NAME=NUMBER`, as `work`, `job` and `footprint` are `NAME=VALUE`."""
    work: Sequence[str] = ()
    job: Sequence[str] = ()
    leader: bool = True
    series: str = ""
    """`ID:INDEX:COUNT`."""
    footprint: Sequence[str] = ()


class Extras(Struct, frozen=True):
    """As the record wants them."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    work: Mapping[str, float] = field(default_factory=dict)
    job: JobRecord | None = None
    series: SeriesRecord | None = None
    footprint: Sequence[str] = ()
    """Still as words: hardly anybody has configured any."""


def extras_of(words: Words) -> Extras:
    """What the words say; what makes no sense is left out, since the run has been made all the same."""
    return Extras(
        _numbers(words.metrics),
        {unit: amount for unit, amount in _numbers(words.work).items() if amount > 0},
        _job(words),
        _series(words.series),
        words.footprint,
    )


def _pairs(words: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Name and value of each word; those without a name are left out."""
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name:
            yield name, value


def _job(words: Words) -> JobRecord | None:
    if not words.job:
        return None
    from aipower.job.record import from_fields  # noqa: PLC0415 - only the rank of a job needs it

    return from_fields(dict(_pairs(words.job)), leader=words.leader)


def _numbers(words: Iterable[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for word in words:
        name, _, value = word.rpartition("=")
        number = _number(value)
        if name and number is not None:
            found[name[:MAX_NAME]] = number
    return found


def _number(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _series(word: str) -> SeriesRecord | None:
    fields = word.split(":")
    if len(fields) != SERIES_FIELDS or not all(field.isascii() and field.isdecimal() for field in fields[1:]):
        return None
    return SeriesRecord(fields[0][:MAX_NAME], int(fields[1][:9]), int(fields[2][:9]))
