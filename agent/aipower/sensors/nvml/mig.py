"""Who worked on a GPU that MIG has split: the activity of each instance, given to the processes inside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct, field

from aipower.model import ProcessId
from aipower.seams import Clock
from aipower.sensors.nvml.codes import GONE, NEVER, CallError
from aipower.sensors.nvml.driver import Driver
from aipower.sensors.nvml.gpm import Activity, Instance, Monitor, instances

LEAST_S = 0.1
"""Samples of the monitor have to be this far apart (nvml.h)."""
LOOK_AGAIN_S = 5.0
"""Pause between looks at which instances there are, unless one is missed before: they are made anew one by one."""
NEVER_S = 30.0
"""The same where the driver cannot watch instances."""


class MigWork(Struct, frozen=True):
    """Seconds of work of the whole GPU's engines, by process; `unknown_busy_s` is nobody's that is known."""

    busy_s: Mapping[ProcessId, float] = field(default_factory=dict)
    unknown_busy_s: float = 0.0
    activity: Mapping[ProcessId, tuple[float, ...]] = field(default_factory=dict)
    """SM, tensor and memory activity, each weighted with the instance's part of the GPU, in seconds."""


class _Watched(Struct):
    """An instance, its monitor, and what was seen last."""

    instance: Instance
    monitor: Monitor
    latest: Activity = field(default_factory=Activity)


class MigUsage:
    """The instances of one GPU. It costs two driver calls per instance and window."""

    def __init__(self, driver: Driver, handle: Any, clock: Clock) -> None:  # noqa: ANN401 - an NVML handle
        self._driver = driver
        self._handle = handle
        self._clock = clock
        self._watched: dict[int, _Watched] = {}
        self._strange: frozenset[int] = frozenset()
        """Instances that are named with processes, but are not there for us."""
        self._failed = False
        """True after a failure, until activity was seen again."""
        self._ever = False
        """True once activity was seen."""
        self._since_s = clock.monotonic_s()
        self._look_again_s = self._since_s

    def collect(self, holders: Mapping[int, tuple[ProcessId | None, ...]]) -> MigWork | None:
        """The work since the last call; None where nothing is known: no monitor, no instances, or a new one.

        `holders` are the processes in each GPU instance, None for one that could not be identified. Several in one
        instance share its activity equally, since the monitor sees the instance as one.

        Raises:
            CallError: The GPU or the driver has left.
        """
        now_s = self._clock.monotonic_s()
        span_s, self._since_s = now_s - self._since_s, now_s
        watched = len(self._watched)
        try:
            seen = self._look(span_s)
            missed = watched > 0 and holders.keys() - self._watched.keys() - self._strange
            new = self._look_around(now_s, holders) if missed or now_s >= self._look_again_s else 0
        except CallError as error:
            # What was watched has changed: see at once how. What cannot be watched at all need not be tried so often.
            at_once = watched > 0 and not self._failed
            pause_s = NEVER_S if error.code in NEVER and not self._ever else LOOK_AGAIN_S
            self._forget(now_s if at_once else now_s + pause_s)
            self._failed = True
            if error.code in GONE:
                raise
            return None
        if not seen or new:
            return None
        self._failed, self._ever = False, True
        return _shared(seen, holders, span_s)

    def skip(self) -> None:
        """Leave out all work until now."""
        self._since_s = self._clock.monotonic_s()
        if self._watched:
            self._forget(self._since_s)

    def _look(self, span_s: float) -> list[tuple[Instance, Activity]]:
        """Each instance's activity; over a span too short for the monitor, that of the last one."""
        for watched in self._watched.values():
            if span_s >= LEAST_S:
                watched.latest = watched.monitor.activity()
        return [(watched.instance, watched.latest) for watched in self._watched.values()]

    def _look_around(self, now_s: float, holders: Collection[int]) -> int:
        """Watch the instances that are there, new ones from now on; how many those are."""
        self._look_again_s = now_s + LOOK_AGAIN_S
        there = {instance.id: instance for instance in instances(self._driver, self._handle)}
        # One that was made anew may have the same id and another size.
        for id_ in [id_ for id_, watched in self._watched.items() if there.get(id_) != watched.instance]:
            self._watched.pop(id_).monitor.close()
        new = there.keys() - self._watched.keys()
        for id_ in new:
            self._watched[id_] = _Watched(there[id_], Monitor(self._driver, self._handle, id_))
        self._strange = frozenset(holders) - there.keys()
        return len(new)

    def _forget(self, look_again_s: float) -> None:
        for watched in self._watched.values():
            watched.monitor.close()
        self._watched = {}
        self._look_again_s = look_again_s


def _shared(
    seen: list[tuple[Instance, Activity]], holders: Mapping[int, tuple[ProcessId | None, ...]], span_s: float
) -> MigWork:
    busy_s: dict[ProcessId, float] = {}
    activity: dict[ProcessId, tuple[float, ...]] = {}
    unknown_s = 0.0
    for instance, now in seen:
        inside = holders.get(instance.id) or (None,)
        weight_s = instance.part * span_s / len(inside)
        for process in inside:
            if process is None:
                unknown_s += weight_s * now.busy
                continue
            busy_s[process] = busy_s.get(process, 0.0) + weight_s * now.busy
            parts = (weight_s * now.sm, weight_s * now.tensor, weight_s * now.dram)
            before = activity.get(process, (0.0,) * len(parts))
            activity[process] = tuple(old + new for old, new in zip(before, parts, strict=True))
    busy_s = {process: seconds for process, seconds in busy_s.items() if seconds > 0}
    return MigWork(busy_s, unknown_s, {process: parts for process, parts in activity.items() if any(parts)})
