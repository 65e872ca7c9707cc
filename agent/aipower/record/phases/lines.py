"""The lines that a run's programs write: who begins and ends a phase, and what was done in it.

One line a message, see docs/api.md: `B T_NS PID ID PARENT NAME`, `E T_NS PID ID`, `W T_NS PID ID UNIT AMOUNT`,
`M T_NS PID ID NAME VALUE`, `L T_NS PID 0 lost N`. What is none of these is counted and left out: anybody whom the
command has started can write here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
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
        read = _READERS[kind]
        mark = read(kind, int(at_ns) / NS_PER_S, int(pid), int(id_), *more)
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    return mark if mark.pid > 0 and 0 <= mark.id <= MAX_ID and abs(mark.value) <= MAX_VALUE else None


def _begin(kind: str, at_s: float, pid: int, id_: int, parent: str, name: str) -> Mark:
    return Mark(kind, at_s, pid, id_, int(parent), _name(name))


def _end(kind: str, at_s: float, pid: int, id_: int) -> Mark:
    return Mark(kind, at_s, pid, id_)


def _amount(kind: str, at_s: float, pid: int, id_: int, name: str, value: str) -> Mark:
    return Mark(kind, at_s, pid, id_, 0, _name(name), float(value))


def _name(quoted: str) -> str:
    return (unquote(quoted, errors="replace") if "%" in quoted else quoted)[:MAX_NAME]


_READERS: Mapping[str, Callable[..., Mark]] = MappingProxyType(
    {"B": _begin, "E": _end, "W": _amount, "M": _amount, "L": _amount}
)
