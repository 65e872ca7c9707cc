"""Windows and ticks of devices that the tests make up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aipower.calibration.default import default_calibration
from aipower.history.book import HistoryBook
from aipower.model import Attribution, Calibration, Device, EnergyDelta, PartError, ProcessId

GPUS = tuple(Device(f"GPU-{number}", "gpu", "H100", str(number)) for number in range(4))
CPU = Device("package-0", "cpu", "Xeon", "0")
UNCALIBRATED = {"gpu": default_calibration("gpu"), "cpu": default_calibration("cpu")}


def process(pid: int) -> ProcessId:
    """A process of the test's boot."""
    return ProcessId("boot", pid, 7)


@dataclass(frozen=True)
class Made:
    """One window, before it is posted."""

    device: Device
    start_s: float
    end_s: float
    idle_uj: int = 0
    unattributed_uj: int = 0
    active_uj: Mapping[ProcessId, int] = field(default_factory=dict)
    context_uj: Mapping[ProcessId, int] = field(default_factory=dict)
    errors: Mapping[ProcessId, PartError] = field(default_factory=dict)

    @property
    def energy_uj(self) -> int:
        return self.idle_uj + self.unattributed_uj + sum(self.active_uj.values()) + sum(self.context_uj.values())

    @property
    def attribution(self) -> Attribution:
        delta = EnergyDelta(self.device, self.start_s, self.end_s, self.energy_uj)
        return Attribution(delta, self.idle_uj, self.context_uj, self.active_uj, self.unattributed_uj, self.errors)

    def share(self, start_s: float, end_s: float) -> float:
        """How much of it lies in a range, by time."""
        overlap_s = min(self.end_s, end_s) - max(self.start_s, start_s)
        return max(0.0, overlap_s) / (self.end_s - self.start_s)


def steady(device: Device, start_s: float, seconds: int, watts: int, **parts: object) -> list[Made]:
    """Windows of one second; all energy is idle unless `pid` says who used it."""
    joules = watts * 1_000_000
    pid = parts.get("pid")
    if isinstance(pid, int):
        return [Made(device, start_s + s, start_s + s + 1, active_uj={process(pid): joules}) for s in range(seconds)]
    return [Made(device, start_s + s, start_s + s + 1, idle_uj=joules) for s in range(seconds)]


def post(book: HistoryBook, windows: Iterable[Made], calibration: Calibration | None = None) -> None:
    """Post them in the order of their ends."""
    for window in sorted(windows, key=lambda window: window.end_s):
        book.post(window.attribution, calibration or UNCALIBRATED[window.device.kind])
