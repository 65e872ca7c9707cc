"""Joining the usage of windows whose energy comes later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aipower.model import ProcessId, Usage


def merge(usages: Sequence[Usage]) -> Usage:
    """One usage over successive windows of one device; holders are those at the end.

    Raises:
        ValueError: There is none.
    """
    if not usages:
        raise ValueError("no usage to merge")
    first, last = usages[0], usages[-1]
    if len(usages) == 1:
        return last
    busy_s: dict[ProcessId, float] = {}
    for usage in usages:
        for process, seconds in usage.busy_s.items():
            busy_s[process] = busy_s.get(process, 0.0) + seconds
    return Usage(
        first.start_s,
        last.end_s,
        busy_s,
        sum(usage.unknown_busy_s for usage in usages),
        last.holders,
        last.unknown_holders,
        _capacity_s(usages),
        all(usage.sampled for usage in usages),
        sum(usage.samples for usage in usages),
        _activity(usages),
        _weight(usages, busy_s),
        sum(usage.covered_s or usage.end_s - usage.start_s for usage in usages) if _covered(usages) else 0.0,
    )


def _covered(usages: Sequence[Usage]) -> bool:
    return any(usage.covered_s > 0 for usage in usages)


def _activity(usages: Sequence[Usage]) -> dict[ProcessId, tuple[float, ...]]:
    """The sums of each process's measures."""
    found: dict[ProcessId, tuple[float, ...]] = {}
    for usage in usages:
        for process, values in usage.activity.items():
            before = found.get(process, (0.0,) * len(values))
            found[process] = tuple(a + b for a, b in zip(before, values, strict=False))
    return found


def _weight(usages: Sequence[Usage], busy_s: Mapping[ProcessId, float]) -> dict[ProcessId, float]:
    """The mean weight of each process by its busy seconds; empty where no window has any."""
    if not any(usage.weight for usage in usages):
        return {}
    work = dict.fromkeys(busy_s, 0.0)
    for usage in usages:
        for process, seconds in usage.busy_s.items():
            work[process] += seconds * usage.weight.get(process, 1.0)
    return {process: work[process] / seconds for process, seconds in busy_s.items() if seconds > 0}


def _capacity_s(usages: Sequence[Usage]) -> float | None:
    """The sum, or None where one of them is not known."""
    known = [usage.capacity_s for usage in usages if usage.capacity_s is not None]
    return sum(known) if len(known) == len(usages) else None
