"""What one run says of a quantity: its value, how far the measurement may be off, and by which sensors' scale."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct, field

from aipower.calibration.default import GAIN_95
from aipower.calibration.entry import Z_95
from aipower.runrecord import DeviceRecord, Energies, Interval, Intervals, RunRecord

KINDS = ("gpu", "cpu", "dram")
UNIQUE = ("GPU-", "MIG-")
"""A driver gives these ids to one device in the world; others are the same on each host."""
UUID_LENGTH = 40
"""Of such an id: four characters and the 36 of RFC 9562."""


class Reading(Struct, frozen=True):
    """A quantity of one run."""

    value: float
    error: float = 0.0
    """The standard error of what does not repeat, as a part of the value."""
    scales: Mapping[str, float] = field(default_factory=dict)
    """By how much one standard error of each sensor's scale changes the value, as a part of it."""


Reader = Callable[[RunRecord], Reading | None]
"""Finds a quantity in a record; None where it was not measured."""


def energy_reader(kinds: Sequence[str]) -> Reader:
    """What the run used of `kinds` of devices."""
    return lambda record: _energy(record, kinds)


def per_unit(reader: Reader, unit: str) -> Reader:
    """The same for each `unit` of work."""

    def read(record: RunRecord) -> Reading | None:
        reading, amount = reader(record), amounts(record).get(unit, 0.0)
        if reading is None or amount <= 0:
            return None
        return Reading(reading.value / amount, reading.error, reading.scales)

    return read


def devices_reader(ids: frozenset[str]) -> Reader:
    """All that the devices `ids` (as by `device_key`) drew, idle and others' work included."""
    return lambda record: _devices(record, ids)


def wall_time(record: RunRecord) -> Reading:
    """How long it took, in seconds."""
    return Reading(record.wall_s)


def amounts(record: RunRecord) -> dict[str, float]:
    """How much work was done, by unit."""
    return {row.unit: row.amount for row in record.per} | record.work


def device_key(record: RunRecord, device: DeviceRecord) -> str:
    """What tells a device from all others, on any host; ids of a run of many nodes begin with the node."""
    named = [node.host for node in record.nodes if device.device.startswith(f"{node.host}/")]
    host, own = (named[0], device.device.removeprefix(f"{named[0]}/")) if named else (record.host, device.device)
    return own if own.startswith(UNIQUE) and len(own) == UUID_LENGTH else f"{host}/{own}"


def kinds_of(energies: Energies) -> tuple[str, ...]:
    """The kinds that were measured."""
    return tuple(kind for kind in KINDS if getattr(energies, kind) is not None)


def used(record: RunRecord, kinds: Sequence[str] = KINDS) -> list[DeviceRecord]:
    """The devices that the run is known to have used."""
    return [d for d in record.devices if d.kind in kinds and d.run_energy_j is not None and d.run_energy_j > 0]


def _energy(record: RunRecord, kinds: Sequence[str]) -> Reading | None:
    values = [_of(record.energy_j, kind) for kind in kinds]
    known_j = [value for value in values if value is not None]
    if not kinds or len(known_j) < len(values):
        return None
    energy_j = math.fsum(known_j)
    if energy_j <= 0:
        return Reading(0.0)
    whole = set(kinds) == set(kinds_of(record.energy_j)) and record.energy_j.total is not None
    halves_j = [
        _half(record.repeatable_interval_j, record.energy_j, kind) for kind in (("total",) if whole else kinds)
    ]
    return Reading(energy_j, math.hypot(*halves_j) / Z_95 / energy_j, _run_scales(record, kinds, energy_j))


def _devices(record: RunRecord, ids: frozenset[str]) -> Reading | None:
    rows = [d for d in record.devices if device_key(record, d) in ids and d.energy_j is not None]
    energy_j = math.fsum(d.energy_j or 0.0 for d in rows)
    if {device_key(record, d) for d in rows} != ids or energy_j <= 0:
        return None
    error_j = math.hypot(*(_reach(d.energy_j, d.repeatable_interval_j) for d in rows)) / Z_95
    scales: defaultdict[str, float] = defaultdict(float)
    for device in rows:
        share = (device.energy_j or 0.0) / energy_j
        scales[f"{_sensor(record, device)} gain"] += share * gain_se(device)
        scales[f"{_sensor(record, device)} offset"] += share * _offset_se(device)
    return Reading(energy_j, error_j / energy_j, dict(scales))


def _run_scales(record: RunRecord, kinds: Sequence[str], energy_j: float) -> dict[str, float]:
    """By the gains alone: what a run used is above idle, which was read from the same sensor, so offsets cancel."""
    scales: defaultdict[str, float] = defaultdict(float)
    for device in used(record, kinds):
        scales[f"{_sensor(record, device)} gain"] += (device.run_energy_j or 0.0) / energy_j * gain_se(device)
    return dict(scales)


def _sensor(record: RunRecord, device: DeviceRecord) -> str:
    """A device with another calibration has another scale."""
    return f"{device_key(record, device)} {device.calibration}".rstrip()


def gain_se(device: DeviceRecord) -> float:
    """The standard error of the sensor's gain: the usual one, or what the calibration has left of it."""
    if not device.calibration:
        return GAIN_95 / Z_95
    return _scale_se(device.run_energy_j, device.run_interval_j, device.repeatable_run_interval_j)


def _offset_se(device: DeviceRecord) -> float:
    """What of a whole device's error of scale is not its gain's, as a part of its energy."""
    whole = _scale_se(device.energy_j, device.interval_j, device.repeatable_interval_j)
    return math.sqrt(max(0.0, whole * whole - gain_se(device) ** 2))


def _scale_se(energy_j: float | None, absolute_j: Interval | None, repeatable_j: Interval | None) -> float:
    """What the scale adds to an interval; the side that says more counts, for one may be cut off at a bound."""
    if not energy_j or absolute_j is None or repeatable_j is None:
        return 0.0
    sides = (
        (energy_j - absolute_j[0], energy_j - repeatable_j[0]),
        (absolute_j[1] - energy_j, repeatable_j[1] - energy_j),
    )
    return math.sqrt(max(0.0, *(wide * wide - narrow * narrow for wide, narrow in sides))) / Z_95 / energy_j


def _half(intervals: Intervals, energies: Energies, kind: str) -> float:
    interval: Interval | None = getattr(intervals, kind)
    return _reach(_of(energies, kind), interval)


def _reach(energy_j: float | None, interval_j: Interval | None) -> float:
    """The farther end: the nearer may be cut off at 0."""
    if energy_j is None or interval_j is None:
        return 0.0
    return max(0.0, energy_j - interval_j[0], interval_j[1] - energy_j)


def _of(energies: Energies, kind: str) -> float | None:
    value: float | None = getattr(energies, kind)
    return value


def values_of(readings: Iterable[Reading]) -> list[float]:
    """The values alone."""
    return [reading.value for reading in readings]
