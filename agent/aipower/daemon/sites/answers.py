"""Answers that were made, kept while the state that they tell of lasts."""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct

from aipower.site.resource import Answer
from aipower.web.compression import MIN_BYTES, compressed

MAX_ANSWERS = 64
MAX_BYTES = 4 * 2**20
"""Of all bodies together. Whoever makes up new questions drives out old answers, and gains no memory of ours."""
COMPRESSIBLE = ("text/", "application/json", "application/openapi+json", "image/svg+xml")


class Coded(Struct, frozen=True):
    """An answer as it goes out."""

    answer: Answer
    body: bytes
    coding: str = ""
    """`gzip`, or empty for none."""


Key = tuple[str, str, str, bool]
"""The path, its query, what is accepted, and whether it may be compressed."""


class Answers:
    """The newest answers by what was asked. Only the loop's thread may use it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, tuple[str, Coded]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Key, version: str) -> Coded | None:
        """The answer of this version, if it is kept."""
        found = self._kept.get(key)
        if found is None or found[0] != version:
            return None
        self._kept.move_to_end(key)
        return found[1]

    def put(self, key: Key, version: str, coded: Coded) -> None:
        """Keep an answer in place of an older one, unless it is too large."""
        old = self._kept.pop(key, None)
        self._bytes -= len(old[1].body) if old else 0
        if len(coded.body) > MAX_BYTES // 4:
            return
        self._bytes += len(coded.body)
        self._kept[key] = (version, coded)
        while len(self._kept) > MAX_ANSWERS or self._bytes > MAX_BYTES:
            _, (_, gone) = self._kept.popitem(last=False)
            self._bytes -= len(gone.body)


def coded(answer: Answer, *, gzip: bool) -> Coded:
    """`answer`, compressed where that may be and is worth it."""
    worth = len(answer.body) >= MIN_BYTES and answer.content_type.startswith(COMPRESSIBLE)
    if not (gzip and worth and "content-encoding" not in answer.headers):
        return Coded(answer, answer.body)
    return Coded(answer, compressed(answer.body), "gzip")
