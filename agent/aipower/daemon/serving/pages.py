"""The pages of an exporter, kept for the newest snapshots, so that ten scrapers at once cost one rendering."""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct

from aipower.model import Snapshot
from aipower.seams import Exporter
from aipower.web.compression import MIN_BYTES, compressed

MAX_PAGES = 8
"""Pages kept of a snapshot for different Accept headers. A client that makes up new ones gets the page of those who
send none: it gains neither memory nor time of ours."""
MAX_SNAPSHOTS = 2
"""While some wait for a snapshot to be settled, others may be shown the one before."""


class Page(Struct, frozen=True):
    """A page in one format."""

    body: bytes
    content_type: str
    coding: str = ""
    """`gzip`, or empty for none."""


class Pages:
    """The pages of one exporter. Only the loop's thread may use it."""

    def __init__(self, exporter: Exporter) -> None:
        self._exporter = exporter
        self._kept: OrderedDict[int, tuple[Snapshot, dict[tuple[str, bool], Page]]] = OrderedDict()

    def get(self, snapshot: Snapshot, accept: str, *, gzip: bool) -> Page:
        """The page of `snapshot`, compressed where that is wanted and worth it."""
        pages = self._pages(snapshot)
        if (accept, False) not in pages and sum(not coded for _, coded in pages) >= MAX_PAGES:
            accept = ""
        page = pages.get((accept, gzip))
        if page is None:
            page = pages[accept, gzip] = self._made(snapshot, accept, gzip=gzip)
        return page

    def _pages(self, snapshot: Snapshot) -> dict[tuple[str, bool], Page]:
        # A snapshot that is kept keeps its id to itself.
        if id(snapshot) not in self._kept:
            self._kept[id(snapshot)] = (snapshot, {})
            while len(self._kept) > MAX_SNAPSHOTS:
                self._kept.popitem(last=False)
        return self._kept[id(snapshot)][1]

    def _made(self, snapshot: Snapshot, accept: str, *, gzip: bool) -> Page:
        if not gzip:
            return Page(*self._exporter.render(snapshot, accept))
        plain = self.get(snapshot, accept, gzip=False)
        if len(plain.body) < MIN_BYTES:
            return plain
        return Page(compressed(plain.body), plain.content_type, "gzip")
