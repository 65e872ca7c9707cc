"""Snapshots as text or JSON, for pipes, files and terminals that cannot do more."""

from __future__ import annotations

import threading
from collections.abc import Callable

from msgspec import Struct

from aipower.errors import AipowerError
from aipower.seams import Clock
from aipower.top.document import as_json
from aipower.top.layout import plain
from aipower.top.look import Look, Source
from aipower.top.order import divide, sorted_rows
from aipower.top.screen import text_of
from aipower.top.view import View
from aipower.top.watcher import Wanted, Watcher

FIRST_LOOK_S = 30.0
"""A driver that is loaded for the first time takes some seconds; after so many there will be nothing."""
LATE_S = 10.0
"""A snapshot waits for figures so long; then it says that there are none."""


class Print(Struct, frozen=True):
    """What is to be printed."""

    after_s: float
    """Seconds from the first look to the first snapshot, and between two."""
    count: int | None = 1
    """How many; None for no end."""
    json: bool = False
    width: int = 120


def print_snapshots(
    source: Source, watcher: Watcher, clock: Clock, wanted: Print, view: View, write: Callable[[str], object]
) -> None:
    """Write them one by one.

    Raises:
        AipowerError: Nothing can be measured.
    """
    news = threading.Event()
    source.start(news.set)
    due_s = _first_look_s(source, watcher, clock, news) + wanted.after_s
    shown = watcher.watch.look if wanted.after_s else None
    number = 0
    while wanted.count is None or number < wanted.count:
        _wait(watcher, clock, news, due_s, shown)
        if number and not wanted.json:
            write("\n")
        write(_written(watcher, wanted, view))
        shown = watcher.watch.look
        number += 1
        due_s += wanted.after_s


def _wait(watcher: Watcher, clock: Clock, news: threading.Event, due_s: float, shown: Look | None) -> None:
    """Until `due_s`, and then for a look that was not `shown` yet, but not for ever: a sensor may hang."""
    while True:
        watcher.take()
        late_s = clock.monotonic_s() - due_s
        if late_s >= (0.0 if watcher.watch.look is not shown else LATE_S):
            return
        news.wait(-late_s if late_s < 0 else LATE_S - late_s)
        news.clear()


def _first_look_s(source: Source, watcher: Watcher, clock: Clock, news: threading.Event) -> float:
    until_s = clock.monotonic_s() + FIRST_LOOK_S
    while not watcher.take():
        if source.failure is not None:
            raise source.failure
        left_s = until_s - clock.monotonic_s()
        if left_s <= 0:
            why = source.trouble or "a sensor does not answer; see `aipower doctor`"
            raise AipowerError(f"nothing was measured in {FIRST_LOOK_S:.0f} s: {why}")
        news.wait(left_s)
        news.clear()
    return clock.monotonic_s()


def _written(watcher: Watcher, wanted: Print, view: View) -> str:
    picture = watcher.picture(Wanted())
    assert picture is not None  # noqa: S101 - there has been a look
    around = watcher.around()
    if not wanted.json:
        return "".join(f"{plain(line)}\n" for line in text_of(picture, view, around, wanted.width))
    shown, _ = divide(picture.processes, view.filter)
    return f"{as_json(picture, tuple(sorted_rows(shown, view.sort, reverse=view.reverse)), around)}\n"
