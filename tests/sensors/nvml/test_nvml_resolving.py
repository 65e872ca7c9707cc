"""A pid is looked up once in a window, whether it works, holds a context or both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from aipower.model import ProcessId
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.usage import COMPUTE, GpuUsage
from aipower.sensors.nvml.utilization import PLAIN
from fakes import FakeClock, process


@dataclass
class Row:
    pid: int
    timeStamp: int = 0  # noqa: N815  # the name in NVML
    smUtil: int = 50  # noqa: N815  # likewise


@dataclass
class Lists:
    """A driver that answers with rows."""

    clock: FakeClock
    workers: tuple[int, ...]
    holders: tuple[int, ...]
    nvml: None = None
    """No module with a library to be asked past it."""

    def rows(self, function: str, *_: object) -> list[Row]:
        if function == PLAIN:
            return [Row(pid, round((self.clock.unix_s() - 0.1) * 1e6)) for pid in self.workers]
        return [Row(pid) for pid in self.holders] if function == COMPUTE[0] else []

    def number(self, *_: object) -> None:
        """No accounting here."""


def collected(workers: tuple[int, ...], holders: tuple[int, ...], known: frozenset[int]) -> tuple[Any, Counter[int]]:
    """The usage of a second, and how often each pid was resolved for it."""
    asked: Counter[int] = Counter()

    def resolve(sightings: Iterable[tuple[int, float | None]]) -> list[ProcessId | None]:
        pids = [pid for pid, _ in sightings]
        asked.update(pids)
        return [process(pid) if pid in known else None for pid in pids]

    clock = FakeClock()
    usage = GpuUsage(cast("Driver", Lists(clock, workers, holders)), None, resolve, clock)
    clock.sleep(1.0)
    return usage.collect(), asked


def test_who_works_and_holds_is_looked_up_once() -> None:
    usage, asked = collected((1, 2), (1, 2, 3), frozenset({1, 2, 3}))
    assert asked == {1: 1, 2: 1, 3: 1}
    assert set(usage.busy_s) == {process(1), process(2)}
    assert usage.holders == {process(1), process(2), process(3)}


def test_a_stranger_is_counted_as_holder_and_worker() -> None:
    usage, asked = collected((1, 9), (1, 9), frozenset({1}))
    assert asked[1] == 1
    assert usage.unknown_busy_s > 0
    assert (usage.holders, usage.unknown_holders) == ({process(1)}, 1)
