"""Text in a grid of cells: foreign names made harmless, and cut or filled to a width."""

from __future__ import annotations

from wcwidth import wcwidth

from aipower.record.wording import clean

ELLIPSIS = "…"


def harmless(text: str) -> str:
    """`text` with `?` for all that cannot be printed, and without marks that take no cell of their own.

    What is left takes one or two cells a character, so that no name can break the lines of a table.
    """
    shown = clean(text)
    if shown.isascii():
        return shown
    return "".join(char for char in shown if wcwidth(char) > 0)


def width_of(text: str) -> int:
    """Cells that `text` takes; it is harmless."""
    return len(text) if text.isascii() else sum(map(wcwidth, text))


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text`, which is harmless, in exactly `width` cells: filled with spaces, or cut with an ellipsis."""
    room = width - width_of(text)
    if room < 0:
        text = cut(text, width)
        room = width - width_of(text)
    return " " * room + text if right else text + " " * room


def cut(text: str, width: int) -> str:
    """`text`, which is harmless, in at most `width` cells."""
    if width_of(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, used = [], 0
    for char in text:
        used += wcwidth(char)
        if used > width - 1:
            break
        kept.append(char)
    return "".join(kept) + ELLIPSIS
