"""Our own side of a calibration: energy of one device over time, as a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from msgspec import Struct

from aipower.calibration.readings import read_lines
from aipower.calibration.series import EnergySeries, Part
from aipower.errors import AipowerError
from aipower.model import Device, Kind

HEADING = "# aipower recording 1"
COLUMNS = "start_unix_s,end_unix_s,energy_j"
KEYS: tuple[str, ...] = ("id", "kind", "index", "name", "driver")


class Recording(Struct, frozen=True):
    """What one sensor saw, without any calibration."""

    device: Device
    driver: str
    parts: tuple[Part, ...]

    @property
    def series(self) -> EnergySeries:
        """The same as a series."""
        return EnergySeries(self.parts)

    @property
    def text(self) -> str:
        """The file's content, read back by `read_recording`."""
        device = self.device
        facts = (device.id, device.kind, device.index, device.name, self.driver)
        heads = [f"# {key}: {' '.join(fact.split())}" for key, fact in zip(KEYS, facts, strict=True)]
        rows = [f"{part.start_unix_s:.6f},{part.end_unix_s:.6f},{part.energy_j:.6f}" for part in self.parts]
        return "\n".join([HEADING, *heads, COLUMNS, *rows, ""])


def read_recording(path: Path) -> Recording:
    """The recording in a file that `aipower calibrate record` made.

    Raises:
        AipowerError: It cannot be read or is something else, with the line's number.
    """
    lines = read_lines(path)
    if not lines or lines[0].strip() != HEADING:
        raise AipowerError(f"{path}: not made by `aipower calibrate record`; the meter's own log belongs to --meter")
    facts = _facts(lines)
    parts = _parts(lines, path)
    kind = next((kind for kind in get_args(Kind) if kind == facts["kind"]), None)
    if kind is None or not facts["id"]:
        raise AipowerError(f"{path}: the lines that name the device are missing; record again")
    device = Device(facts["id"], kind, facts["name"], facts["index"])
    return Recording(device, facts["driver"], parts)


def _facts(lines: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = dict.fromkeys(KEYS, "")
    for line in lines[1:]:
        key, colon, value = line.removeprefix("#").partition(":")
        if line.startswith("#") and colon and key.strip() in found:
            found[key.strip()] = value.strip()
    return found


def _parts(lines: Sequence[str], path: Path) -> tuple[Part, ...]:
    parts: list[Part] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#") or line.strip() == COLUMNS:
            continue
        part = _part(line)
        if part is None or (parts and part.start_unix_s < parts[-1].end_unix_s):
            raise AipowerError(f"{path}:{number}: not {COLUMNS} in order of time; record again")
        parts.append(part)
    if not parts:
        raise AipowerError(f"{path}: it holds no energy; record again")
    return tuple(parts)


def _part(line: str) -> Part | None:
    try:
        start_s, end_s, energy_j = (float(cell) for cell in line.split(","))
    except ValueError:
        return None
    finite = all(map(math.isfinite, (start_s, end_s, energy_j)))
    return Part(start_s, end_s, energy_j) if finite and end_s > start_s and energy_j >= 0 else None
