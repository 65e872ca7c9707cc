"""Stand-ins for hardware, time and processes, scripted by the test that uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from aipower.attribution.attribute import parts_of
from aipower.attribution.baseline import Floor
from aipower.attribution.window import window_of
from aipower.attribution.work import Work, order
from aipower.model import Attribution, Device, DeviceFacts, EnergyDelta, ProcessId, ProcessInfo, Reading, Usage
from aipower.seams import SensorTraits

GPU = Device("GPU-0", "gpu", "H100", "0")
CPU = Device("package-0", "cpu", "Xeon", "0")
DRAM = Device("package-0/dram", "dram", "Xeon", "0", "package-0")


def process(pid: int, started_ticks: int = 100) -> ProcessId:
    """A process of the test's boot."""
    return ProcessId("boot", pid, started_ticks)


def attributed(
    delta: EnergyDelta, usage: Usage, floor: Floor, weights: Mapping[ProcessId | None, float]
) -> Attribution:
    """The energy of a window, split by `weights` as the product splits it, without errors."""
    window = window_of(delta, usage, Work(), None, holders=sorted(usage.holders, key=order))
    parts = parts_of(window, floor.idle_uj, floor.context_uj, weights)
    return Attribution(delta, parts.idle_uj, parts.context_uj, parts.active_uj, parts.nobody_uj)


class FakeClock:
    """Time that moves only when told to."""

    def __init__(self, now_s: float = 0.0, unix_at_zero_s: float = 1_700_000_000.0) -> None:
        self.now_s = now_s
        self._unix_at_zero_s = unix_at_zero_s

    def monotonic_s(self) -> float:
        return self.now_s

    def unix_s(self) -> float:
        return self._unix_at_zero_s + self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += max(0.0, seconds)

    def wait_until(self, at_s: float) -> None:
        """Move to `at_s`, never back."""
        self.now_s = max(self.now_s, at_s)


class ScriptedSensor:
    """A sensor whose readings are a function of time; the function may raise as a sensor may."""

    def __init__(
        self,
        clock: FakeClock,
        reading_at: Callable[[float], tuple[int | None, float | None]],
        device: Device = GPU,
        traits: SensorTraits | None = None,
        latency_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.device = device
        self.facts = DeviceFacts()
        self.traits = traits or SensorTraits()
        self.closed = 0
        self.reads = 0
        self._clock = clock
        self._reading_at = reading_at
        self._latency_s = latency_s

    def read(self) -> Reading:
        self.reads += 1
        latency_s = self._latency_s()
        before_s = self._clock.monotonic_s()
        self._clock.sleep(latency_s / 2)
        counter_uj, power_w = self._reading_at(self._clock.monotonic_s())
        self._clock.sleep(latency_s / 2)
        return Reading((before_s + self._clock.monotonic_s()) / 2, counter_uj, power_w)

    def close(self) -> None:
        self.closed += 1


class ScriptedUsage:
    """A source that says what the test's function says of each window."""

    def __init__(self, clock: FakeClock, usage_of: Callable[[float, float], Usage]) -> None:
        self.asked = 0
        self._clock = clock
        self._usage_of = usage_of
        self._since_s = clock.monotonic_s()

    def collect(self) -> Usage:
        self.asked += 1
        since_s, now_s = self._since_s, self._clock.monotonic_s()
        usage = self._usage_of(since_s, now_s)
        self._since_s = now_s
        return usage


@dataclass(slots=True)
class FakeDirectory:
    """Knows the processes that it was given; those in `dead` have ended."""

    by_pid: dict[int, ProcessId] = field(default_factory=dict)
    dead: set[ProcessId] = field(default_factory=set)

    def resolve(self, pid: int) -> ProcessId | None:
        return self.by_pid.get(pid)

    def describe(self, process: ProcessId) -> ProcessInfo:
        return ProcessInfo(process, f"p{process.pid}", "user")

    def alive(self, process: ProcessId) -> bool:
        return process not in self.dead

    def end(self, processes: Iterable[ProcessId]) -> None:
        self.dead.update(processes)
