"""Rows of documents as JSON, kept while all that they were made of stays the same.

Most processes and jobs have used nothing since the last document: the snapshot has the very objects of before then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import is_
from typing import Generic, TypeVar

from msgspec import Struct

from aipower_exporters.api.encoding import encode
from aipower_exporters.api.numbers import shares

Key = TypeVar("Key")

ENERGY = b',"energy_share":'
NO_SHARES = b"null" + ENERGY + b"null}"
"""The end of a row of whose total nothing is known: of such rows lines are made."""


class Line(Struct, frozen=True, gc=False):
    """A row without its shares: these depend on the rows of all others."""

    head: bytes
    """Up to the value of `share`, behind which only that of `energy_share` comes."""
    power_w: float | None
    energy_uj: int
    by_power: tuple[object, ...]
    """What rows are sorted by."""
    by_energy: tuple[object, ...]


def head_of(row: object) -> bytes:
    """The JSON of a row that has no shares yet, and has them last."""
    body = encode(row)
    assert body.endswith(NO_SHARES)  # noqa: S101 - the struct has other fields last
    return body[: -len(NO_SHARES)]


def rows_of(lines: Sequence[Line], total_w: float | None, total_uj: int) -> bytes:
    """Whole rows with commas between them."""
    powers, energies = (
        encode(values)[1:-1].split(b",")
        for values in (
            shares([line.power_w for line in lines], total_w),
            shares([line.energy_uj for line in lines], total_uj),
        )
    )
    # Of nothing the JSON has one empty value.
    whole = zip(lines, powers, energies, strict=False)
    return b",".join([b"".join((line.head, power, ENERGY, energy, b"}")) for line, power, energy in whole])


class Lines(Generic[Key]):
    """Those of the last document, for the next one. For one thread."""

    def __init__(self) -> None:
        self._setting: object = None
        self._kept: dict[Key, tuple[Sequence[object], Line]] = {}

    def of(self, setting: object, sources: Mapping[Key, Sequence[object]], make: Callable[[Key], Line]) -> list[Line]:
        """The lines of `sources`, and of no others from now on.

        A line is made where one of its sources is another object than before, or `setting` is no longer equal.
        """
        before = self._kept if setting == self._setting else {}
        self._setting, self._kept = setting, {}
        for key, made_of in sources.items():
            known = before.get(key)
            if known is None or len(known[0]) != len(made_of) or not all(map(is_, known[0], made_of)):
                known = made_of, make(key)
            self._kept[key] = known
        return [line for _, line in self._kept.values()]
