"""The help, with all that is wrong or not measured in full."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from aipower.top.layout import Line, Span

TITLE = "aipower top: who draws which power"
KEYS = (
    ("arrows, PgUp, PgDn, Home, End", "scroll"),
    ("< >", "choose the column to sort by; or w watts, j joules, p pid, s share, u user, n command"),
    ("r", "reverse the order"),
    ("/", "filter by words of the command, user, run or pid; Enter keeps it, Esc clears it"),
    ("d, D", "one device after the other, and all again; the table then speaks of that device alone"),
    ("space", "hold the picture still; the measurement goes on"),
    ("c", "set joules, means and faults to 0"),
    ("a", "energies since the counters began, not since the watch began or c was pressed; and back"),
    ("Esc", "all devices and no filter"),
    ("q, Ctrl-C", "quit"),
)
WORDS = (
    ("W", "mean of the last 3 seconds, or of the last window where an agent counts less often; of devices: now"),
    ("ENERGY", "of process or device since the time in the second line"),
    ("%WORK", "of all measured work: energy of processes, without idle and unattributed"),
    ("±", "half-width of the 95 % interval of the energy"),
    ("~", "never seen apart from others: its sum with them is sure, its own part is not"),
    ("x", "it has ended"),
    ("IDLE% ...", "where the energy of the device went: idle, processes that are shown, others, unattributed"),
    ("METHOD", "counter, integrated or estimated; * contains other devices and is in no total"),
    ("OF", "what a full bar is: the power limit, or the highest power seen so far"),
)
INDENT = 4


def help_lines(found: Sequence[Span], width: int) -> list[Line]:
    """The help in lines of `width`, then the notes `found`."""
    lines: list[Line] = [*_wrapped(TITLE, width, "", Span("", "bold")), ()]
    for key, told in KEYS:
        lines += _wrapped(f"{key}: {told}", width)
    lines.append(())
    for word, told in WORDS:
        lines += _wrapped(f"{word}: {told}", width)
    if found:
        lines.append(())
    for span in found:
        lines += _wrapped(span.text, width, "", span)
    return lines


def _wrapped(text: str, width: int, indent: str = " " * INDENT, like: Span | None = None) -> list[Line]:
    room = max(width, 2 * INDENT)
    parts = textwrap.wrap(text, room, subsequent_indent=indent, break_on_hyphens=False)
    return [(Span(part[:width], like.style if like else ""),) for part in parts]
