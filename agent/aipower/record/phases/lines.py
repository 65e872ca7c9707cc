"""The lines that a run's programs write: who begins and ends a phase, and what was done in it.

One line a message, see docs/api.md: `B T_NS PID ID PARENT NAME`, `E T_NS PID ID`, `W T_NS PID ID UNIT AMOUNT`,
`M T_NS PID ID NAME VALUE`, `L T_NS PID 0 lost N`. What is none of these is counted and left out: anybody whom the
command has started can write here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

MAX_LINE_BYTES = 512
MAX_NAME = 100
"""Characters of a name that are kept."""
NS_PER_S = 1e9
MAX_ID = 1 << 62
MAX_VALUE = 1e300
"""Of an amount: sums stay finite."""


class Mark(NamedTuple):
    """One message."""

    kind: str
    """`B`, `E`, `W`, `M` or `L`."""
    at_s: float
    """CLOCK_MONOTONIC."""
    pid: int
    id: int
    """Of the phase, unique in the process; 0 for none."""
    parent: int = 0
    name: str = ""
    value: float = 0.0


class Lines:
    """Cuts what is read into messages."""

    def __init__(self) -> None:
        self._rest = b""
        self.bad = 0
        """Lines that were none."""

    def feed(self, chunk: bytes) -> list[Mark]:
        """The messages that `chunk` completes."""
        *lines, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest[: MAX_LINE_BYTES + 1]
        marks = [mark for line in lines if (mark := parse(line)) is not None]
        self.bad += len(lines) - len(marks)
        return marks


def parse(line: bytes) -> Mark | None:
    """The message of a line without its end; None where it is none."""
    if len(line) >= MAX_LINE_BYTES:
        return None
    try:
        kind, at_ns, pid, id_, *more = line.decode("ascii").split(" ")
        parent, name, value = _rest(kind, more)
        mark = Mark(kind, int(at_ns) / NS_PER_S, int(pid), int(id_), parent, name, value)
    except (ValueError, OverflowError):
        return None
    return mark if mark.pid > 0 and 0 <= mark.id <= MAX_ID and abs(mark.value) <= MAX_VALUE else None


def _rest(kind: str, more: Sequence[str]) -> tuple[int, str, float]:
    """Parent, name and value; a ValueError where the message has others."""
    if kind == "E" and not more:
        return 0, "", 0.0
    one, other = more
    if kind == "B":
        return int(one), _name(other), 0.0
    if kind in {"W", "M", "L"}:
        return 0, _name(one), float(other)
    raise ValueError(kind)


def _name(quoted: str) -> str:
    return (unquote(quoted, errors="replace") if "%" in quoted else quoted)[:MAX_NAME]
