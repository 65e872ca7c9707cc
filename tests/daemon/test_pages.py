"""The pages of an exporter, and how often they are rendered."""

from __future__ import annotations

import gzip as gzip_module
from dataclasses import dataclass

from msgspec.structs import replace

from aipower.daemon.serving.pages import MAX_PAGES, Pages
from aipower.model import Snapshot
from exporters.snapshots import node

LONG = " and so on" * 100


@dataclass
class Counting:
    """An exporter that counts its renderings."""

    path: str = "/echo"
    tail: str = ""
    renderings: int = 0

    def render(self, snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
        self.renderings += 1
        return f"{snapshot.at_unix_s} {accept}{self.tail}".encode(), "text/plain"


def at(unix_s: float) -> Snapshot:
    return replace(node(), at_unix_s=unix_s)


def test_a_snapshot_is_rendered_once_for_each_format_and_a_new_one_anew() -> None:
    pages = Pages(counting := Counting())
    first, second = at(1.0), at(2.0)
    for accept in ("a/a", "b/b", "a/a", "b/b"):
        assert pages.get(first, accept, gzip=False).body == f"1.0 {accept}".encode()
    assert counting.renderings == 2
    assert pages.get(second, "a/a", gzip=False).body == b"2.0 a/a"
    assert counting.renderings == 3


def test_two_snapshots_in_turns_are_rendered_once_each() -> None:
    pages = Pages(counting := Counting())
    snapshots = [at(1.0), at(2.0)]
    bodies = [pages.get(snapshot, "", gzip=False).body for snapshot in snapshots * 3]
    assert bodies == [b"1.0 ", b"2.0 "] * 3
    assert counting.renderings == 2


def test_made_up_accept_headers_get_the_page_of_none_and_cost_no_rendering() -> None:
    pages, newest = Pages(counting := Counting()), at(1.0)
    bodies = [pages.get(newest, f"x/{number}", gzip=number % 2 == 0).body for number in range(3 * MAX_PAGES)]
    assert bodies[:MAX_PAGES] == [f"1.0 x/{number}".encode() for number in range(MAX_PAGES)]
    assert set(bodies[MAX_PAGES:]) == {b"1.0 "}
    assert pages.get(newest, "x/0", gzip=False).body == b"1.0 x/0"
    assert counting.renderings == MAX_PAGES + 1


def test_a_long_page_is_compressed_once_and_a_short_one_never() -> None:
    pages, newest = Pages(counting := Counting(tail=LONG)), at(1.0)
    small, plain = pages.get(newest, "", gzip=True), pages.get(newest, "", gzip=False)
    assert (small.coding, plain.coding) == ("gzip", "")
    assert gzip_module.decompress(small.body) == plain.body
    assert pages.get(newest, "", gzip=True) is small
    assert counting.renderings == 1
    assert Pages(Counting()).get(newest, "", gzip=True).coding == ""
