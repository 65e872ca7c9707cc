"""How a report is laid out: width, colour, characters."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from aipower.record.wording import clean

Style = Literal["plain", "strong", "dim", "warn", "bad", "name"]
SGR: Mapping[Style, str] = MappingProxyType(
    {"plain": "", "strong": "\x1b[1m", "dim": "\x1b[2m", "warn": "\x1b[33m", "bad": "\x1b[31m", "name": "\x1b[36m"}
)
"""ECMA-48 select graphic rendition: colours of the terminal's own palette, so that they suit light and dark."""
RESET = "\x1b[0m"
LABEL_WIDTH = 9
LEAST_COLUMNS = 30
"""Narrower terminals get lines that are wrapped for this width."""
MOST_COLUMNS = 1000


class Page(Struct, frozen=True):
    """What the report is written for."""

    columns: int = 0
    """Width of the terminal; 0 for none: lines are as long as they are."""
    color: bool = False
    glyphs: bool = True
    """Whether block characters can be shown."""
    saved: bool = False
    """True where the run is kept, so that there is something to do with it next."""
    verbose: bool = False

    @property
    def width(self) -> int:
        """Columns to fill; 0 for any number."""
        return min(MOST_COLUMNS, max(LEAST_COLUMNS, self.columns)) if self.columns > 0 else 0


class Row(Struct, frozen=True):
    """A label in the margin, and text that may take several lines."""

    label: str
    text: str
    style: Style = "plain"
    solid: bool = False
    """Cut where there is no room for it, instead of going on in the next line."""


def lay_out(rows: Iterable[Row], page: Page) -> list[str]:
    """The lines of `rows`. Foreign text in them is made harmless here."""
    return [line for row in rows for line in _lines(row, page)]


def paint(text: str, style: Style, page: Page) -> str:
    """`text` in the colour of `style`, if there are colours."""
    return f"{SGR[style]}{text}{RESET}" if page.color and SGR[style] and text else text


def _lines(row: Row, page: Page) -> Iterable[str]:
    label, text = clean(row.label), clean(row.text)
    room = page.width - LABEL_WIDTH - 2
    if not page.width:
        pieces = [text]
    elif row.solid:
        pieces = [text[:room]]
    else:
        pieces = textwrap.wrap(text, room, subsequent_indent="  ", break_on_hyphens=False) or [""]
    for at, piece in enumerate(pieces):
        margin = f"  {label if at == 0 else '':<{LABEL_WIDTH - 1}} "
        yield f"{paint(margin, 'name', page) if label and at == 0 else margin}{paint(piece, row.style, page)}".rstrip()
