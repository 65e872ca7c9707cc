"""A scripted machine: written to a file for the fake driver, and asked for the true energy by tests.

All times are seconds since the machine's `t0_s`. Everything is a function of time alone, so several processes
that load one script see one machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fake_driver.parts import (
    ONE_SECOND,
    QUARTER,
    EnergyCounter,
    FaultRule,
    Instance,
    PowerSensor,
    Process,
    Sampler,
    not_supported,
    pid_in,
)
from fake_driver.shapes import Busy, Ramp, Segment, Shape, Square, shapes_energy_j

__all__ = [
    "Busy", "EnergyCounter", "FaultRule", "Gpu", "Instance", "Limits", "Machine", "PowerSensor", "Process", "Ramp",
    "Sampler", "Segment", "Shape", "Square", "not_supported", "pid_in", "shapes_energy_j", "write_clock",
]  # fmt: skip

SCRIPT_VARIABLE = "AIPOWER_FAKE_NVML"
LOG_VARIABLE = "AIPOWER_FAKE_NVML_LOG"


@dataclass(frozen=True, slots=True)
class Limits:
    """Power limits in watts; 0 answers NOT_SUPPORTED."""

    min_w: float = 200.0
    max_w: float = 700.0
    default_w: float = 700.0
    current_w: float = 700.0

    @property
    def line(self) -> str:
        """Its line of the script."""
        watts = (self.min_w, self.max_w, self.default_w, self.current_w)
        return "limits " + " ".join(str(round(1000 * limit_w)) for limit_w in watts)


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU: what it is, what it truly draws, and how its sensors see that."""

    uuid: str
    name: str
    architecture: int
    """NVML's number: Volta 5, Ampere 7, Ada 8, Hopper 9."""
    pci_bus_id: str = "00000000:07:00.0"
    pci_device_id: int = 0x233010DE
    pci_subsystem_id: int = 0
    minor: int = 0
    limits: Limits = field(default_factory=Limits)
    persistence: bool = True
    mig: Literal["unsupported", "off", "on"] = "unsupported"
    memory_bytes: int = 80 << 30
    idle_w: float = 70.0
    shapes: tuple[Shape, ...] = ()
    """Power on top of the idle power."""
    energy: EnergyCounter = field(default_factory=EnergyCounter)
    instant: PowerSensor | None = QUARTER
    average: PowerSensor | None = ONE_SECOND
    draw: Literal["instant", "average"] = "average"
    """What nvmlDeviceGetPowerUsage means."""
    gain: float = 1.0
    """All sensors read gain * truth + offset."""
    offset_w: float = 0.0
    gpu_scope: bool = True
    """False: the fields of power and energy reject scope 0, as some boards with a CPU on them do."""
    module_w: float | None = None
    """What scope 1 (the module) adds; None where there is no such scope."""
    memory_share: float | None = None
    """The part of the average power that scope 2 (memory) shows; None where there is no such scope."""
    sampler: Sampler = field(default_factory=Sampler)
    processes: tuple[Process, ...] = ()
    accounting: bool = False
    """Keep accounts of the processes, those of the last 128 dead too."""
    instances: tuple[Instance, ...] = ()
    """The GPU instances where `mig` is on."""
    faults: tuple[FaultRule, ...] = ()
    resets_s: tuple[float, ...] = ()
    """The energy counter begins again at 0."""
    stuck_s: tuple[tuple[float, float], ...] = ()
    """The energy counter does not move, and catches up at the end."""
    jumps_mj: tuple[tuple[float, float], ...] = ()
    """(time, millijoules) by which the energy counter is wrong from then on."""
    lost_s: tuple[tuple[float, float], ...] = ()
    """(from, until) the GPU is off the bus: every call answers GPU_IS_LOST."""

    def __post_init__(self) -> None:
        """Refuse a card that would have to read less than nothing.

        Raises:
            ValueError: A sensor would read below 0 W at idle, where hardware shows 0.
        """
        if self.gain * self.idle_w + self.offset_w < 0:
            raise ValueError(f"{self.uuid} would read {self.gain * self.idle_w + self.offset_w} W at idle")

    def true_energy_j(self, start_s: float, end_s: float) -> float:
        """What the GPU used from `start_s` to `end_s`, in joules."""
        return self.idle_w * (end_s - start_s) + shapes_energy_j(self.shapes, start_s, end_s)

    def metered_energy_j(self, start_s: float, end_s: float) -> float:
        """The same as its own sensors see it: with gain and offset, but without their delay."""
        return self.gain * self.true_energy_j(start_s, end_s) + self.offset_w * (end_s - start_s)

    @property
    def lines(self) -> Iterator[str]:
        """Its lines of the script."""
        yield "gpu"
        yield from self._identity_lines
        yield from self._sensor_lines
        yield from (shape.line for shape in self.shapes)
        yield from self.sampler.lines
        for process in self.processes:
            yield from process.lines
        for instance in self.instances:
            yield from instance.lines
        yield from self._trouble_lines

    @property
    def _identity_lines(self) -> Iterator[str]:
        yield f"uuid {self.uuid}"
        yield f"name {self.name}"
        yield f"architecture {self.architecture}"
        yield f"pci {self.pci_device_id} {self.pci_subsystem_id} {self.pci_bus_id}"
        yield f"minor {self.minor}"
        yield f"persistence {self.persistence:d}"
        yield f"mig {self.mig}"
        yield f"accounting {self.accounting:d}"
        yield f"memory {self.memory_bytes}"
        yield self.limits.line

    @property
    def _sensor_lines(self) -> Iterator[str]:
        yield f"idle {self.idle_w!r}"
        yield f"calibration {self.gain!r} {self.offset_w!r}"
        yield self.energy.line
        yield f"instant {'none' if self.instant is None else self.instant.values}"
        yield f"average {'none' if self.average is None else self.average.values}"
        yield f"draw {self.draw}"
        module_w = -1.0 if self.module_w is None else self.module_w
        memory_share = -1.0 if self.memory_share is None else self.memory_share
        yield f"scopes {self.gpu_scope:d} {module_w!r} {memory_share!r}"

    @property
    def _trouble_lines(self) -> Iterator[str]:
        yield from (rule.line for rule in self.faults)
        yield from (f"reset {at_s!r}" for at_s in self.resets_s)
        yield from (f"stuck {start_s!r} {end_s!r}" for start_s, end_s in self.stuck_s)
        yield from (f"jump {at_s!r} {millijoules!r}" for at_s, millijoules in self.jumps_mj)
        yield from (f"lost {start_s!r} {end_s!r}" for start_s, end_s in self.lost_s)


def _wall_offset_s() -> float:
    return time.time() - time.monotonic()


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine with the fake driver. Made without arguments for its times, it begins now."""

    gpus: tuple[Gpu, ...] = ()
    t0_s: float = field(default_factory=time.monotonic)
    """CLOCK_MONOTONIC at time 0 of the script."""
    wall_offset_s: float = field(default_factory=_wall_offset_s)
    """Unix time minus CLOCK_MONOTONIC, for the stamps that the driver gives."""
    clock: Path | None = None
    """A file that holds the time instead of the clock, for tests that own it; see `write_clock`."""
    driver: str = "570.86.15"
    nvml: str = "12.570.86.15"
    cuda: int = 12080
    init_code: int = 0
    """What nvmlInit answers; a FaultRule for `nvmlInit*` does it for a while only."""
    faults: tuple[FaultRule, ...] = ()
    """Rules for all GPUs and for the calls that concern none."""
    live: bool = False
    """The driver reads the script again when another one was written to its path."""
    epoch: int = 0
    """With another one the driver was loaded anew: sessions of before answer DRIVER_NOT_LOADED until all have ended,
    and handles of before mean nothing."""
    wall_steps: tuple[tuple[float, float], ...] = ()
    """(time, seconds) by which the wall clock was set; samples keep the stamps that they had."""

    def now_s(self) -> float:
        """The time of the machine, unless it has a clock of its own."""
        return time.monotonic() - self.t0_s

    @property
    def text(self) -> str:
        """The script."""
        return "".join(f"{line}\n" for line in self._lines)

    def write(self, path: Path) -> Path:
        """Write the script to `path`, in place of another at once, and return that."""
        return _put(path, self.text)

    def environment(self, lib_dir: Path, path: Path, log: Path | None = None) -> dict[str, str]:
        """The variables that a child needs beside its others to see this machine, written to `path`.

        With `log`, each call appends a line "function gpu" to that file.
        """
        variables = {"LD_LIBRARY_PATH": str(lib_dir), SCRIPT_VARIABLE: str(path)}
        if log is not None:
            variables[LOG_VARIABLE] = str(log)
        return variables

    @property
    def _lines(self) -> Iterator[str]:
        yield "aipower-fake-nvml 1"
        yield f"t0 {self.t0_s!r}"
        yield f"wall_offset {self.wall_offset_s!r}"
        if self.clock is not None:
            yield f"clock {self.clock}"
        yield f"driver {self.driver}"
        yield f"nvml {self.nvml}"
        yield f"cuda {self.cuda}"
        yield f"init {self.init_code}"
        yield f"live {self.live:d}"
        yield f"epoch {self.epoch}"
        yield from (f"wall_step {at_s!r} {by_s!r}" for at_s, by_s in self.wall_steps)
        yield from (rule.line for rule in self.faults)
        for gpu in self.gpus:
            yield from gpu.lines


def write_clock(path: Path, now_s: float) -> Path:
    """Set the time of machines whose `clock` is `path`, never showing half a number, and return the path."""
    return _put(path, f"{now_s!r}\n")


def _put(path: Path, text: str) -> Path:
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    return fresh.replace(path)
