"""A process that finds the GPUs with the real pynvml and reads them as it is told: JSON requests in, JSON out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pynvml
from msgspec.structs import asdict

from aipower.errors import SensorError
from aipower.model import ProcessId
from aipower.seams import Conditioned, SensorSet
from aipower.sensors.nvml.discovery import discover

Request = dict[str, Any]
UNKNOWN_PID_FROM, KNOWN_PID_FROM = 9000, 5_000_000
"""Pids between these resolve to nobody. From the second on no process can live (PID_MAX_LIMIT is 2^22)."""


@dataclass(frozen=True, slots=True)
class FileClock:
    """The clock that the fake driver has: the time in a file, and where that stands on the real scales."""

    path: Path
    t0_s: float
    wall_offset_s: float

    def monotonic_s(self) -> float:
        return self.t0_s + float(self.path.read_text())

    def unix_s(self) -> float:
        return self.monotonic_s() + self.wall_offset_s

    def sleep(self, seconds: float) -> None:
        raise NotImplementedError(seconds)


def resolve(pid: int, at_unix_s: float | None) -> ProcessId | None:
    """Every known pid is a process; a sample must not be resolved as of nonsense."""
    if at_unix_s is not None and not 1.6e9 < at_unix_s < 1.8e9:
        raise ValueError(f"a sample of {at_unix_s}")
    return None if UNKNOWN_PID_FROM <= pid < KNOWN_PID_FROM else ProcessId("boot", pid, 1)


def resolve_all(sightings: Iterable[tuple[int, float | None]]) -> list[ProcessId | None]:
    return [resolve(pid, at_unix_s) for pid, at_unix_s in sightings]


class Child:
    """Answers requests about what it discovered last."""

    def __init__(self, clock: FileClock) -> None:
        self._clock = clock
        self._found = SensorSet()

    def discover(self, _: Request) -> Any:
        self._found = found = discover(pynvml, resolve_all, self._clock)
        return {
            "devices": [asdict(sensor.device) for sensor in found.sensors],
            "facts": [asdict(sensor.facts) for sensor in found.sensors],
            "traits": [asdict(sensor.traits) for sensor in found.sensors],
            "usage": list(found.usage),
            "unavailable": [asdict(missing) for missing in found.unavailable],
        }

    def read(self, request: Request) -> Any:
        return asdict(self._found.sensors[request["sensor"]].read())

    def conditions(self, request: Request) -> Any:
        sensor = self._found.sensors[request["sensor"]]
        return asdict(sensor.conditions()) if isinstance(sensor, Conditioned) else None

    def close(self, request: Request) -> Any:
        self._found.sensors[request["sensor"]].close()

    def collect(self, request: Request) -> Any:
        device = self._found.sensors[request["sensor"]].device
        usage = self._found.usage[device.id].collect()
        return {
            "span": [usage.start_s, usage.end_s],
            "busy_s": {process.pid: seconds for process, seconds in usage.busy_s.items()},
            "unknown_busy_s": usage.unknown_busy_s,
            "holders": sorted(process.pid for process in usage.holders),
            "unknown_holders": usage.unknown_holders,
            "sampled": usage.sampled,
            "samples": usage.samples,
            "activity": {process.pid: parts for process, parts in usage.activity.items()},
        }


def main() -> None:
    path, t0_s, wall_offset_s = sys.argv[1:]
    child = Child(FileClock(Path(path), float(t0_s), float(wall_offset_s)))
    for line in sys.stdin:
        request = json.loads(line)
        operation: Callable[[Request], Any] = getattr(child, request["operation"])
        try:
            answer = {"value": operation(request)}
        except SensorError as error:
            answer = {"error": type(error).__name__, "reason": error.reason, "message": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
