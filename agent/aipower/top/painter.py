"""Writes a screen to a terminal: only the lines that have changed, in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from aipower.top.layout import Line, Style

COLOURED: Mapping[Style, str] = MappingProxyType(
    {
        "bold": "1", "dim": "2", "good": "32", "warn": "33", "bad": "1;31",
        "chosen": "30;46", "title": "30;42",
    }
)  # fmt: skip
UNCOLOURED: Mapping[Style, str] = MappingProxyType(
    {"bold": "1", "dim": "2", "bad": "1", "chosen": "7;1", "title": "7"}
)
ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
"""The other screen, no cursor, no wrapping at the right edge."""
LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"
BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""Around what is to be shown at once; terminals that do not know it ignore it."""
ASCII = str.maketrans({"█": "#", "·": ".", "±": "+", "…": "~", "▲": "^", "▼": "v"})


class Painter:
    """Turns lines into what is written; it remembers what the terminal shows."""

    def __init__(self, *, colour: bool, encoding: str) -> None:
        self._styles = COLOURED if colour else UNCOLOURED
        self._encoding = encoding
        self._unicode = encodable(encoding)
        self._shown: list[str] = []

    def forget(self) -> None:
        """Nothing is known of what the terminal shows."""
        self._shown = []

    def paint(self, lines: Sequence[Line]) -> bytes:
        """What makes the terminal show `lines`; empty where it does already."""
        drawn = [self.ansi(line) for line in lines]
        parts = [] if self._shown else ["\x1b[2J"]
        for number, text in enumerate(drawn):
            if number >= len(self._shown) or self._shown[number] != text:
                # The rest is erased first: at the right edge it would take the last letter.
                parts.append(f"\x1b[{number + 1};1H\x1b[0m\x1b[2K{text}")
        self._shown = drawn
        if not parts:
            return b""
        return f"{BEGIN}{''.join(parts)}{END}".encode(self._encoding, errors="replace")

    def ansi(self, line: Line) -> str:
        """One line with its styles."""
        return "".join(self._span(span.text, span.style) for span in line)

    def _span(self, text: str, style: Style) -> str:
        shown = text if self._unicode else text.translate(ASCII)
        code = self._styles.get(style, "")
        return f"\x1b[{code}m{shown}\x1b[0m" if code and text else shown


def encodable(encoding: str) -> bool:
    """True where the glyphs of the screen can be written."""
    try:
        "█·±…▲▼".encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True
