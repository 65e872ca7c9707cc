"""What a person sees while a series runs. Nothing is drawn while the command may write to the same terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Literal, TextIO

from msgspec import Struct

from aipower.run.console import say

CLEAR = "\r\x1b[K"
DRAW_S = 0.1
"""Between drawings of the line."""
NARROW = 20
"""A terminal that says it is narrower does not know how wide it is."""

Mode = Literal["none", "lines", "bar"]
"""No word, a line after each run, or these and a bar that is drawn all the time."""


class Screen(Struct, frozen=True):
    """The terminal at standard error, as far as we may use it."""

    mode: Mode
    alive: bool
    """A line may be drawn and cleared again."""
    blocks: str
    """The characters of a bar: full, and empty."""


def screen_of(stderr: TextIO | None, environ: Mapping[str, str], *, quiet: bool, hidden: bool) -> Screen:
    """`hidden` says that what the command writes goes nowhere, so that the terminal is ours all the time."""
    if quiet or stderr is None or not stderr.isatty():
        return Screen("none", alive=False, blocks="")
    alive = environ.get("TERM", "dumb") != "dumb"
    return Screen("bar" if hidden and alive else "lines", alive, _blocks(stderr.encoding))


def _blocks(encoding: str) -> str:
    try:
        "━─±".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return "#."
    return "━─"


class Progress:
    """Draws on the screen; every method may be called at any time."""

    def __init__(self, screen: Screen, now_s: Callable[[], float], write: Callable[[str], None] = say) -> None:
        self._screen = screen
        self._now_s = now_s
        self._write = write
        self._drawn_s: float | None = None
        self._shown = ""

    def line(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        if self._screen.mode != "none":
            self._write(f"{text}\n")

    def bar(self, text: Callable[[int, str], str]) -> None:
        """While the command runs: what `text` says to the terminal's width and the bar's characters."""
        if self._screen.mode == "bar":
            self._draw(lambda: text(_width(), self._screen.blocks))

    def pause(self, text: str) -> None:
        """While no command runs: `text`, on a line that is cleared again."""
        if self._screen.mode != "none" and self._screen.alive and text:
            self._draw(lambda: text[: _width()])

    def clear(self) -> None:
        """Give the terminal back as it was."""
        if self._shown:
            self._write(CLEAR)
        self._shown, self._drawn_s = "", None

    def _draw(self, text: Callable[[], str]) -> None:
        now_s = self._now_s()
        if self._drawn_s is not None and now_s - self._drawn_s < DRAW_S:
            return
        self._drawn_s, shown = now_s, text()
        if shown != self._shown and in_foreground():
            self._write(f"{CLEAR}{shown}")
            self._shown = shown


def in_foreground() -> bool:
    """False for a job that a shell has put into the background; True where that cannot be told."""
    try:
        return os.tcgetpgrp(2) == os.getpgrp()
    except OSError:
        return True


def _width() -> int:
    """One character less than the terminal has, as the last one may wrap."""
    try:
        columns = os.get_terminal_size(2).columns
    except OSError:
        columns = 0
    return (columns if columns >= NARROW else 80) - 1
