"""The mutable sums behind the ledger; nothing outside the ledger sees them."""

from __future__ import annotations

import math

from msgspec import Struct, field
from msgspec.structs import replace

from aipower.books.drafts import JobDraft, ProcessDraft
from aipower.model import Attribution, JobKey, PartError, ProcessInfo, UserEnergy

SeriesKey = tuple[str, ...]
"""What tells the series of one process from those of another: pid, name, user and run as an exporter shows them."""


def series_key(info: ProcessInfo, run: str) -> SeriesKey:
    """The key of the series of a process; names that differ only in what cannot be printed have the same one."""
    return (str(info.id.pid), *(_printable(text) for text in (info.comm, info.user, run)))


def job_key(info: ProcessInfo) -> JobKey:
    """Whose account the work of a process belongs to."""
    return info.place.owner, info.user


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


class DeviceAccount(Struct):
    """Sums of one device."""

    energy_uj: int = 0
    idle_uj: int = 0
    context_uj: int = 0
    active_uj: int = 0
    unattributed_uj: int = 0

    def add(self, attribution: Attribution) -> None:
        """Take in one window."""
        self.energy_uj += attribution.delta.energy_uj
        self.idle_uj += attribution.idle_uj
        self.context_uj += sum(attribution.context_uj.values())
        self.active_uj += sum(attribution.active_uj.values())
        self.unattributed_uj += attribution.unattributed_uj


class PartAccount(Struct):
    """Sums of one process or run, of `other` or of what was folded, on one device."""

    context_uj: int = 0
    active_uj: int = 0
    variance_uj2: float = 0.0
    systematic_uj: float = 0.0

    @property
    def energy_uj(self) -> int:
        """Context + active."""
        return self.context_uj + self.active_uj

    @property
    def error(self) -> PartError:
        """How far it may be off beside the scale of the sensor."""
        return PartError(self.variance_uj2, self.systematic_uj)

    @property
    def sums(self) -> tuple[int, int, float, float]:
        """All four, in their order here."""
        return self.context_uj, self.active_uj, self.variance_uj2, self.systematic_uj

    def merge(self, part: PartAccount) -> None:
        """Take in another account: independent errors add in squares, shared ones linearly."""
        self.count(part)
        self.variance_uj2 += part.variance_uj2
        self.systematic_uj += part.systematic_uj

    def copy(self) -> PartAccount:
        """The same, to be added to."""
        return PartAccount(*self.sums)

    def count(self, part: PartAccount) -> None:
        """Take in the energy of another account, not its errors."""
        self.context_uj += part.context_uj
        self.active_uj += part.active_uj

    def doubt(self, error: PartError) -> None:
        """Take in how far one window's energy may be off."""
        self.variance_uj2 += error.variance_uj2
        self.systematic_uj += error.systematic_uj


class ProcessPart(PartAccount):
    """Sums of one process, or of `other`, on one device."""

    row: ProcessDraft | None = None
    """What snapshots show of it, until that changes."""


class JobPart(PartAccount):
    """Sums of one job on one device."""

    row: JobDraft | None = None
    """What snapshots show of it, until that changes."""
    sure: bool = True
    """Whether what its processes use next belongs here too; if not, that is to be found out each time."""


class UserSum(Struct):
    """What one user used of one device."""

    energy_uj: int = 0
    row: UserEnergy | None = None
    """What snapshots show of it, until that changes."""

    def add(self, energy_uj: int) -> None:
        """Take in more of it."""
        self.energy_uj += energy_uj
        self.row = None


class Route(Struct):
    """All accounts that what a process uses of a device belongs to, but that of its run."""

    account: ProcessAccount | None
    """None for work that goes to `other`."""
    part: ProcessPart
    user: UserSum
    job: JobPart

    def add(self, context_uj: int, active_uj: int, error: PartError) -> None:
        """Take in a part of one window. It is done for each process of each window: no other way is as short."""
        part, user, job = self.part, self.user, self.job
        part.context_uj += context_uj
        part.active_uj += active_uj
        part.variance_uj2 += error.variance_uj2
        part.systematic_uj += error.systematic_uj
        user.energy_uj += context_uj + active_uj
        job.context_uj += context_uj
        job.active_uj += active_uj
        part.row = user.row = job.row = None
        if self.account is not None:
            self.account.shown = ()


class ProcessAccount(Struct):
    """Sums of one process over its devices, and of those that had its pid, name, user and run before it."""

    info: ProcessInfo
    run: str
    parts: dict[str, ProcessPart] = field(default_factory=dict)
    ended_s: float | None = None
    earlier_uj: int = 0
    """What it used before it had this account; that stays in `other` or in what was folded."""
    shown: tuple[ProcessDraft, ...] = ()
    """What snapshots show of it, in the order of `parts`; empty where some of that has to be made."""
    since_unix_s: float | None = None
    """When the account began at 0."""
    routes: dict[str, Route] = field(default_factory=dict)
    """By device, until its process is another one or belongs elsewhere."""
    job: JobKey | None = None
    """What its process works for, None for no job."""
    ask_s: float = -math.inf
    """From when on it is to be asked again where its process belongs: it may have been moved."""

    def __post_init__(self) -> None:
        """Note its job."""
        self._changed()

    @property
    def energy_uj(self) -> int:
        """Over all devices."""
        return sum(part.energy_uj for part in self.parts.values())

    @property
    def rank_uj(self) -> int:
        """All that it ever used, to rank processes by."""
        return self.energy_uj + self.earlier_uj

    @property
    def key(self) -> SeriesKey:
        """The key of its series."""
        return series_key(self.info, self.run)

    def part(self, device: str) -> ProcessPart:
        """Its account of `device`."""
        part = self.parts.get(device)
        if part is None:
            part = self.parts[device] = ProcessPart()
            self.shown = ()
        return part

    def know(self, info: ProcessInfo) -> None:
        """Take in where its process belongs now; name and user stay, as they are in the names of its series."""
        if info.comm and info.place != self.info.place:
            self.info = replace(self.info, place=info.place)
            self._changed()

    def end(self, now_s: float) -> None:
        """Note the end of its process."""
        self.ended_s = now_s
        self._changed()

    def pass_to(self, successor: ProcessInfo, earlier_uj: int) -> None:
        """Go on as the account of `successor`, who used `earlier_uj` before."""
        self.info, self.ended_s = successor, None
        self.earlier_uj += earlier_uj
        self._changed()

    def _changed(self) -> None:
        """What was worked out of its process is worked out anew."""
        key = job_key(self.info)
        self.job = key if key[0].job else None
        self.shown = ()
        self.routes.clear()
        for part in self.parts.values():
            part.row = None


class Dormant(Struct):
    """A process without an account, whose work goes to `other`."""

    run: str
    info: ProcessInfo
    energy_uj: int = 0
    """All that it ever used, over all devices."""
    withdrawn_s: float = -math.inf
    """When it lost its account, if it had one; infinite until that is known."""
