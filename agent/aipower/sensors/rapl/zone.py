"""The sensor of one powercap zone: its counter, its wrap and what its failures mean."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

from aipower.errors import SensorError, SensorFailedError, SensorGoneError
from aipower.model import Device, DeviceFacts, Reading
from aipower.seams import Clock, SensorTraits
from aipower.sensors.rapl.files import EnergyFile, FileIo, number, read_once, stale
from aipower.sensors.rapl.layout import Zone

UPDATE_PERIOD_S: Final = 0.001
"""The hardware adds to the counter about once a millisecond (Intel SDM volume 3, RAPL interfaces)."""
PACKAGE_MAX_W: Final = 2000.0
"""Four times a 500 W package. The zone's own `constraint_*_max_power_uw` is no bound: boards exceed it."""
DRAM_MAX_W: Final = 1000.0
"""Above 32 DIMMs at 25 W."""

_COUNTER_MAX: Final = 2**32 - 1


def modulus_uj(range_uj: int) -> int | None:
    """Microjoules after which a counter is at 0 again; None where the range is unknown (0).

    The register has 32 bits and the kernel multiplies it by the CPU's energy unit. So the largest value,
    `max_energy_range_uj`, is (2^32 - 1) units, and the wrap adds one unit more. An Intel package at 61.035 uJ
    shows up to 262143328850, DRAM of many servers at 15.3 uJ up to 65712999613, AMD at 15.258 uJ up to
    65532610987. The unit is rounded to whole microjoules (at least 1): off by less than 1 uJ for each wrap.
    """
    if range_uj <= 0:
        return None
    return range_uj + max(1, (range_uj + _COUNTER_MAX // 2) // _COUNTER_MAX)


class RaplSensor:
    """Reads one zone's counter. Power is left to the deltas: single values jitter by an update."""

    __slots__ = ("_clock", "_device", "_facts", "_file", "_range_uj", "_traits")

    def __init__(self, device: Device, zone: Zone, clock: Clock, io: FileIo) -> None:
        self._device = device
        self._clock = clock
        self._file = EnergyFile(zone.energy_path, io)
        self._facts = DeviceFacts(driver=zone.interface, method="counter")
        self._range_uj = range_uj(zone.path, io)
        self._traits = SensorTraits(
            update_period_s=UPDATE_PERIOD_S,
            counter_modulus_uj=modulus_uj(self._range_uj),
            max_power_w=DRAM_MAX_W if device.kind == "dram" else PACKAGE_MAX_W,
        )

    @property
    def device(self) -> Device:
        """The package or its memory."""
        return self._device

    @property
    def facts(self) -> DeviceFacts:
        """Method `counter`; the driver is the powercap control type."""
        return self._facts

    @property
    def traits(self) -> SensorTraits:
        """Period, wrap and bound."""
        return self._traits

    def open(self) -> None:
        """Open the counter now, while the rights are there.

        Raises:
            OSError: It cannot be opened.
        """
        self._file.open()

    def read(self) -> Reading:
        """The counter in microjoules, stamped at the middle of the read.

        Raises:
            SensorFailedError: This read failed or gave no believable number; the next may work.
            SensorGoneError: The zone has left (driver unloaded, socket offline).
        """
        before_s = self._clock.monotonic_s()
        counter_uj = self.counter_uj()
        after_s = self._clock.monotonic_s()
        return Reading(at_s=(before_s + after_s) / 2, counter_uj=counter_uj)

    def counter_uj(self) -> int:
        """The counter alone, in microjoules; raises as `read` does."""
        try:
            counter_uj = number(self._file.read())
        except OSError as error:
            raise self._failure(error) from error
        except ValueError as error:
            raise SensorFailedError("read_failed", f"{self._file.path}: {error}") from error
        if 0 < self._range_uj < counter_uj:
            message = f"{self._file.path}: {counter_uj} is above the zone's range {self._range_uj}"
            raise SensorFailedError("read_failed", message)
        return counter_uj

    def close(self) -> None:
        """Free the descriptor. Safe to call twice."""
        self._file.close()

    def _failure(self, error: OSError) -> SensorError:
        message = f"{self._file.path}: {error.strerror or error}"
        if stale(error):
            return SensorGoneError("gone", message)
        return SensorFailedError("read_failed", _with_name(error, message))


def range_uj(zone: Path, io: FileIo) -> int:
    """The largest value that the zone's counter can show; 0 where the kernel does not say."""
    try:
        return number(read_once(zone / "max_energy_range_uj", io))
    except ValueError:
        return 0


def _with_name(error: OSError, message: str) -> str:
    name = errno.errorcode.get(error.errno or 0)
    return f"{message} ({name})" if name else message
