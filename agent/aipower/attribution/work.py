"""Who worked in a window, in the columns of the regression: seconds by process, and by column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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


class Worker(Struct, frozen=True):
    """One process, or None for those that are not known, with its seconds in each column."""

    process: ProcessId | None
    seconds: Mapping[str, float]


class Work(Struct, frozen=True):
    """The work of one window."""

    workers: tuple[Worker, ...] = ()
    present: Mapping[str, tuple[ProcessId, ...]] = field(default_factory=dict)
    """Processes by column that may have worked without being seen: they hold the device."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """By column, of all workers together."""


def work_of(usage: Usage, columns: Mapping[ProcessId, str], span_s: float) -> Work:
    """The work of a window by programs, or by measures of activity where the device has those.

    Samples cover some more or less than the `span_s` of the energy: their shares count, not how many fell into it.
    """
    if usage.activity:
        return _measured(usage)
    scale = span_s / usage.covered_s if usage.covered_s > LEAST_COVER * span_s else 1.0
    workers = [
        Worker(process, {columns[process]: scale * seconds * usage.weight.get(process, 1.0)})
        for process, seconds in usage.busy_s.items()
    ]
    if usage.unknown_busy_s > 0:
        workers.append(Worker(None, {UNKNOWN: scale * usage.unknown_busy_s}))
    present: dict[str, list[ProcessId]] = {}
    for holder in sorted(usage.holders, key=order):
        present.setdefault(columns[holder], []).append(holder)
    held = {column: tuple(holders) for column, holders in present.items()}
    return Work(tuple(workers), held, _seconds(workers))


def _measured(usage: Usage) -> Work:
    """Work of the unknown is told as activity of the first measure."""
    workers = [Worker(process, _measures(values)) for process, values in usage.activity.items()]
    if usage.unknown_busy_s > 0:
        workers.append(Worker(None, _measures((usage.unknown_busy_s,))))
    return Work(tuple(workers), {}, _seconds(workers))


def _seconds(workers: Iterable[Worker]) -> dict[str, float]:
    total: dict[str, float] = {}
    for worker in workers:
        for column, seconds in worker.seconds.items():
            total[column] = total.get(column, 0.0) + seconds
    return total


def order(process: ProcessId) -> tuple[int, int]:
    """A key that puts processes into the same order each time."""
    return process.pid, process.started_ticks


def _measures(values: tuple[float, ...]) -> dict[str, float]:
    return {f"{MEASURE}{number}": value for number, value in enumerate(values)}
