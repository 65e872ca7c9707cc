"""Who worked in a window, in the columns of the regression: seconds by process, and by column."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from operator import attrgetter

from msgspec import Struct, field

from aipower.model import ProcessId, Usage

UNKNOWN = "\0unknown"
"""The column of work that nobody can be named for; no executable has such a name."""
OTHERS = "\0others"
"""The column of programs that have none of their own."""
STATIC = "\0static"
"""The column of what a processor draws without work, in seconds of time."""
STEP = "\0step"
"""The column of what open contexts draw, in seconds of time."""
MEASURE = "\0measure "
"""Columns of measures of activity, which all processes share."""

LEAST_COVER = 0.3
"""Samples of a smaller share of the window are no picture of it."""


class Roll(Struct, frozen=True, gc=False):
    """Those who work in a window or may have, and what they run."""

    held: frozenset[ProcessId]
    holders: tuple[ProcessId, ...]
    """Those who are `held`, in the order that is the same each time."""
    programs: Mapping[ProcessId, str]
    columns: Mapping[ProcessId, str]
    """Few programs have one of their own."""
    present: Mapping[str, tuple[ProcessId, ...]]
    """The holders by column."""

    def is_of(self, usage: Usage) -> bool:
        """True where the same hold the device, and nobody else is there: the samples find some of them by turns."""
        known = self.columns
        return self.held == usage.holders and len(known) == len(self.held) and usage.busy_s.keys() <= known.keys()


class Work(Struct, frozen=True, gc=False):
    """The work of one window, as rows: a process or None for the unknown, a column, and its own seconds there.

    A window of a large node has a thousand rows, and ninety windows are remembered: so rows are no objects.
    """

    processes: tuple[ProcessId | None, ...] = ()
    columns: tuple[str, ...] = ()
    own_s: Sequence[float] = ()
    present: Mapping[str, tuple[ProcessId, ...]] = field(default_factory=dict)
    """Processes by column that may have worked without being seen: they hold the device."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """By column, of all workers together."""
    single: bool = True
    """Nobody has more than one row."""


def work_of(usage: Usage, roll: Roll, span_s: float) -> Work:
    """The work of a window by programs, or by measures of activity where the device has those.

    Samples cover some more or less than the `span_s` of the energy: their shares count, not how many fell into it.
    """
    if usage.activity:
        return _measured(usage)
    scale = span_s / usage.covered_s if usage.covered_s > LEAST_COVER * span_s else 1.0
    own_s = [scale * seconds for seconds in usage.busy_s.values()]
    if usage.weight:
        own_s = [seconds * usage.weight.get(who, 1.0) for who, seconds in zip(usage.busy_s, own_s, strict=True)]
    processes: list[ProcessId | None] = [*usage.busy_s]
    columns = [roll.columns[process] for process in usage.busy_s]
    if usage.unknown_busy_s > 0:
        processes.append(None)
        columns.append(UNKNOWN)
        own_s.append(scale * usage.unknown_busy_s)
    return _made(processes, columns, own_s, roll.present, single=True)


def _measured(usage: Usage) -> Work:
    """Work of the unknown is told as activity of the first measure."""
    activity: dict[ProcessId | None, tuple[float, ...]] = dict(usage.activity.items())
    if usage.unknown_busy_s > 0:
        activity[None] = (usage.unknown_busy_s,)
    rows = [(who, f"{MEASURE}{k}", value) for who, values in activity.items() for k, value in enumerate(values)]
    return _made([who for who, _, _ in rows], [c for _, c, _ in rows], [s for _, _, s in rows], {}, single=False)


def _made(
    processes: Sequence[ProcessId | None],
    columns: Sequence[str],
    own_s: Sequence[float],
    present: Mapping[str, tuple[ProcessId, ...]],
    *,
    single: bool,
) -> Work:
    total: dict[str, float] = {}
    for column, seconds in zip(columns, own_s, strict=True):
        total[column] = total.get(column, 0.0) + seconds
    return Work(tuple(processes), tuple(columns), array("d", own_s), present, total, single)


order = attrgetter("pid", "started_ticks")
"""A key that puts processes into the same order each time."""
