"""Which powercap zones there are, and which of them may be counted without counting a joule twice."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from aipower.sensors.rapl.files import FileIo, read_once

MSR: Final = "intel-rapl"
"""The control type that reads the CPU's registers; AMD's zones bear the same name."""
MMIO: Final = "intel-rapl-mmio"
"""The control type that shows the same meters again through memory-mapped registers."""

_TOP: Final = re.compile(rf"(?:{MSR}|{MMIO})(?::[0-9]+)*")
_PACKAGE: Final = re.compile(r"package-([0-9]+)(?:-die-[0-9]+)?")


class Zone(Struct, frozen=True):
    """One powercap zone that has an energy counter."""

    id: str
    """Its directory's name, unique on the machine: `intel-rapl:0:1`."""
    path: Path
    name: str
    """What the kernel calls it: `package-0`, `package-0-die-1`, `dram`, `core`, `uncore`, `psys`."""

    @property
    def interface(self) -> str:
        """Its control type."""
        return self.id.partition(":")[0]

    @property
    def parent_id(self) -> str:
        """The zone that contains it, or its control type."""
        return self.id.rpartition(":")[0]

    @property
    def socket(self) -> int | None:
        """The socket whose package (or die) this is; None for every other zone."""
        match = _PACKAGE.fullmatch(self.name)
        return int(match[1]) if match and self.parent_id == self.interface else None

    @property
    def energy_path(self) -> Path:
        """The file of its counter."""
        return self.path / "energy_uj"


def find_powercap(root: Path) -> Path | None:
    """The directory of the zones: `root` itself or, where `root` is a sysfs, its class; None without one."""
    for folder in (root / "class" / "powercap", root):
        if os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir may raise
            return folder
    return None


def scan(powercap: Path, io: FileIo) -> tuple[Zone, ...]:
    """Every zone with a counter, once each, ordered by interface and number.

    A class directory lists zones flat, as links, and its control types hold the same zones nested.
    """
    found: dict[str, Zone] = {}
    for path in (*_entries(powercap), *_nested(powercap)):
        if ":" in path.name and path.name not in found and os.path.lexists(path / "energy_uj"):
            found[path.name] = Zone(path.name, path, _label(path, io))
    return tuple(sorted(found.values(), key=_order))


def hidden(powercap: Path) -> bool:
    """True where zones are listed as links that lead nowhere: container runtimes hide their target."""
    return any(os.path.lexists(path) and not os.path.exists(path) for path in _entries(powercap))  # noqa: PTH110 - Path.exists may raise


def choose(zones: Sequence[Zone]) -> tuple[Zone, ...]:
    """The zones to count: packages and their dram.

    `core` and `uncore` are parts of the package, `psys` contains it, and an MMIO zone is the same meter again
    wherever the MSR interface shows that socket.
    """
    packages = [zone for zone in zones if zone.socket is not None]
    by_msr = {zone.socket for zone in packages if zone.interface == MSR}
    kept = {zone.id for zone in packages if zone.interface == MSR or zone.socket not in by_msr}
    return tuple(zone for zone in zones if zone.id in kept or (zone.name == "dram" and zone.parent_id in kept))


def _entries(folder: Path) -> Iterator[Path]:
    """Entries of a class directory that are named as RAPL's control types and zones are."""
    return (path for path in _listing(folder) if _TOP.fullmatch(path.name))


def _nested(folder: Path) -> Iterator[Path]:
    """Zones below the entries of `folder`, found by name, since links in a zone lead back up."""
    pending = list(_entries(folder))
    while pending:
        parent = pending.pop()
        children = [path for path in _listing(parent) if path.name.startswith(f"{parent.name}:")]
        zones = [path for path in children if _TOP.fullmatch(path.name)]
        yield from zones
        pending += zones


def _listing(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _label(path: Path, io: FileIo) -> str:
    return read_once(path / "name", io).decode("ascii", errors="replace").removesuffix("\n")


def _order(zone: Zone) -> tuple[str, list[int]]:
    interface, *numbers = zone.id.split(":")
    return interface, [int(number) for number in numbers]
