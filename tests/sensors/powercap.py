"""Trees of /sys/class/powercap to test against, planted whole or zone by zone, and counters that run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from aipower.seams import SensorSet
from aipower.sensors.rapl.files import SystemIo

CAPTURES = Path(__file__).resolve().parents[1] / "captures" / "powercap"
UNREADABLE = "!unreadable"
INTEL_RANGE_UJ = 262143328850
DRAM_RANGE_UJ = 65712999613
AMD_RANGE_UJ = 65532610987


def entries(capture: str) -> Iterator[tuple[str, str]]:
    """Paths and contents of a recording."""
    for line in (CAPTURES / f"{capture}.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            path, _, content = line.partition("\t")
            yield path, content


def plant(capture: str, folder: Path) -> Path:
    """Build a recording below `folder`, which becomes the sysfs root and is returned."""
    for name, content in entries(capture):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("-> "):
            path.symlink_to(content.removeprefix("-> "))
        elif content == UNREADABLE:
            path.touch(mode=0)
        else:
            path.write_text(f"{content}\n", encoding="utf-8")
    return folder


def put_zone(
    folder: Path,
    name: str,
    *,
    energy_uj: int = 0,
    range_uj: int = INTEL_RANGE_UJ,
) -> Path:
    """Make one zone's directory with its three files and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    (folder / "max_energy_range_uj").write_text(f"{range_uj}\n")
    return folder


def ids(found: SensorSet) -> list[str]:
    return [sensor.device.id for sensor in found.sensors]


def close_all(found: SensorSet) -> None:
    for sensor in found.sensors:
        sensor.close()


def open_below(folder: Path) -> list[str]:
    """Files below `folder` that this process holds open."""
    held = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = descriptor.readlink()
        except FileNotFoundError:
            continue
        if target.is_relative_to(folder.resolve()):
            held.append(str(target))
    return held


@dataclass
class FakeClock:
    """Time that passes only in `sleep`, and by `read_cost_s` with each look at it."""

    now_s: float = 1000.0
    read_cost_s: float = 0.0
    on_pass: list[Callable[[float], None]] = field(default_factory=list)
    slept_s: float = 0.0

    def monotonic_s(self) -> float:
        now_s = self.now_s
        self._pass(self.read_cost_s)
        return now_s

    def unix_s(self) -> float:
        return self.now_s + 1e9

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        self.now_s += seconds
        for listener in self.on_pass:
            listener(seconds)


class Counter:
    """Plays `power_w` into a zone's energy_uj as the kernel shows it: 32 bits of whole units, with wraps.

    `lag_s` makes the shown value older than the used energy, as on a die whose copy is updated later.
    """

    def __init__(self, zone: Path, power_w: float = 0.0, *, lag_s: float = 0.0) -> None:
        self.path = zone / "energy_uj"
        self.power_w = power_w
        self.lag_s = lag_s
        range_uj = int((zone / "max_energy_range_uj").read_text())
        self.unit_nj = -(-range_uj * 1000 // (2**32 - 1))
        self.start_uj = int(self.path.read_text())
        self.used_uj = Fraction(0)

    def advance(self, seconds: float) -> None:
        self.used_uj += Fraction(self.power_w) * Fraction(seconds) * 10**6
        self.path.write_text(f"{self.shown_uj}\n")

    @property
    def shown_uj(self) -> int:
        lag_uj = Fraction(self.power_w) * Fraction(self.lag_s) * 10**6
        units = (self.start_uj + self.used_uj - lag_uj) * 1000 // self.unit_nj
        return units % 2**32 * self.unit_nj // 1000


@dataclass
class FaultyIo:
    """Real system calls that fail as told: each takes the next entry of its list, None lets it through."""

    opens: list[OSError | None] = field(default_factory=list)
    reads: list[OSError | bytes | None] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    real: SystemIo = field(default_factory=SystemIo)

    def open(self, path: Path) -> int:
        self.opened.append(path.name)
        error = self.opens.pop(0) if self.opens else None
        if error:
            raise error
        return self.real.open(path)

    def pread(self, descriptor: int, size: int) -> bytes:
        planned = self.reads.pop(0) if self.reads else None
        if isinstance(planned, OSError):
            raise planned
        return self.real.pread(descriptor, size) if planned is None else planned

    def replaced(self, descriptor: int) -> bool:
        return self.real.replaced(descriptor)

    def close(self, descriptor: int) -> None:
        self.real.close(descriptor)


def failure(number: int) -> OSError:
    """The error of a system call that fails with `number`."""
    return OSError(number, os.strerror(number))
