"""Tables: which columns fit into a width, and lines of spans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from aipower.top.cells import cut, fit, width_of

Style = Literal["", "bold", "dim", "good", "warn", "bad", "chosen", "title"]


class Span(Struct, frozen=True):
    """A piece of a line in one style."""

    text: str
    style: Style = ""


Line = tuple[Span, ...]


class Column(Struct, frozen=True):
    """A column of a table."""

    id: str
    title: str
    width: int
    rank: int
    """Those with a low one come first where there is not room for all."""
    right: bool = True
    """True for numbers."""
    most: int = 0
    """Where there is room to spare it grows up to this."""


class Placed(Struct, frozen=True):
    """A column and the width it got."""

    column: Column
    width: int


def place(columns: Sequence[Column], width: int) -> tuple[Placed, ...]:
    """Those of `columns` that fit into `width` with a space between, by rank; spare room goes to those that grow.

    At least one is placed, as wide as there is room for.
    """
    chosen: list[Column] = []
    left = width + 1
    for column in sorted(columns, key=lambda column: column.rank):
        if column.width + 1 <= left:
            chosen.append(column)
            left -= column.width + 1
        elif not chosen:
            return (Placed(column, max(0, width)),)
    widths = {column.id: column.width for column in chosen}
    for column in sorted(chosen, key=lambda column: column.rank):
        more = min(left, max(0, column.most - column.width))
        widths[column.id] += more
        left -= more
    return tuple(Placed(column, widths[column.id]) for column in columns if column.id in widths)


def heading(placed: Sequence[Placed], width: int, sort: str = "", mark: str = "") -> Line:
    """The titles, with `mark` at the one of the column `sort`."""
    spans: list[Span] = []
    for number, one in enumerate(placed):
        column = one.column
        title = f"{column.title}{mark}" if column.id == sort else column.title
        spans.append(Span(fit(title, one.width, right=column.right), "chosen" if column.id == sort else "title"))
        if number < len(placed) - 1:
            spans.append(Span(" ", "title"))
    used = sum(width_of(span.text) for span in spans)
    return (*spans, Span(" " * max(0, width - used), "title"))


def cells(placed: Sequence[Placed], texts: Sequence[Span]) -> Line:
    """One row: the texts, which are harmless, each in its column."""
    spans: list[Span] = []
    for number, (one, span) in enumerate(zip(placed, texts, strict=True)):
        last = number == len(placed) - 1
        text = cut(span.text, one.width) if last and not one.column.right else None
        spans.append(Span(fit(span.text, one.width, right=one.column.right) if text is None else text, span.style))
        if not last:
            spans.append(Span(" "))
    return tuple(spans)


def joined(spans: Sequence[Span], width: int, gap: str = "  ") -> Line:
    """`spans` on one line with `gap` between, as many as fit; the first is cut if need be."""
    line: list[Span] = []
    used = 0
    for span in spans:
        needed = width_of(span.text) + (len(gap) if line else 0)
        if used + needed > width:
            if not line:
                line.append(Span(cut(span.text, width), span.style))
            break
        if line:
            line.append(Span(gap))
        line.append(span)
        used += needed
    return tuple(line)


def first_fit(choices: Sequence[Sequence[Span]], width: int, gap: str = "  ") -> Line:
    """The first of `choices` that fits as a whole; of the last as much as fits."""
    for spans in choices:
        if sum(width_of(span.text) + len(gap) for span in spans) - len(gap) <= width:
            return joined(spans, width, gap)
    return joined(choices[-1], width, gap)


def clipped(line: Line, width: int) -> Line:
    """`line` in at most `width` cells."""
    left = width
    spans: list[Span] = []
    for span in line:
        text = cut(span.text, left)
        spans.append(Span(text, span.style))
        left -= width_of(text)
        if text != span.text:
            break
    return tuple(spans)


def plain(line: Line) -> str:
    """A line without its styles, nor spaces at its end."""
    return "".join(span.text for span in line).rstrip()
