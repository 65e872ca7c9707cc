"""The rows of the screen, before they are sorted and drawn. All energies are since the last reset."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from aipower.model import SUMMED_KINDS, Device, Kind, Method, Unavailable


class DeviceRow(Struct, frozen=True):
    """One device."""

    device: Device
    up: bool
    power_w: float | None
    """Now; None while that is not known."""
    full_w: float | None
    """What its bar is held against: the power limit, or the most that was seen."""
    limited: bool
    """True where that is the limit."""
    mean_w: float | None
    energy_uj: int
    idle_uj: int
    processes_uj: int
    other_uj: int
    """Work of those without an account, and of those that have ended."""
    unattributed_uj: int
    method: Method
    faults: tuple[tuple[str, int], ...] = ()
    """Reason and number, since the last reset."""

    @property
    def summed(self) -> bool:
        """False where it contains other devices, so that it is in no total."""
        return self.device.kind in SUMMED_KINDS


class Sums(Struct, frozen=True):
    """Energy and power of something, over the devices that are looked at."""

    power_w: float | None
    energy_uj: int
    kinds_uj: Mapping[Kind, int] = field(default_factory=dict)


class ProcessRow(Struct, frozen=True):
    """One process."""

    pid: int
    user: str
    run: str
    """The name of its run, else the run's id; empty where it belongs to none."""
    comm: str
    command: str
    """The full command line where that may be shown, else the kernel's short name."""
    sums: Sums
    share: float | None
    """Of all measured work, 0 to 1."""
    half_uj: float | None
    """Half-width of the 95 % interval of the energy; None where it is not known."""
    together: bool
    """True where it was never seen apart from others on one of the devices."""
    ended: bool


class Account(Struct, frozen=True):
    """What is no process: idle, unattributed, other, ended; and the total."""

    name: str
    sums: Sums


class Picture(Struct, frozen=True):
    """All rows."""

    at_s: float
    at_unix_s: float
    since_unix_s: float
    devices: tuple[DeviceRow, ...]
    processes: tuple[ProcessRow, ...]
    accounts: tuple[Account, ...]
    total: Account | None
    """None where nothing is measured, which is no 0."""
    measured_w: Mapping[Kind, float]
    """Power now by kind of device, of those that are summed and known."""
    unavailable: tuple[Unavailable, ...]
    simulated: bool
    note: str = ""
    without_watts: tuple[Device, ...] = ()
    """Devices that are up, and whose counters have not moved often enough to tell the power of processes."""
