"""The mutable sums behind the ledger; nothing outside the ledger sees them."""

from __future__ import annotations

from dataclasses import dataclass, field

from aipower.model import Attribution, ProcessInfo


@dataclass(slots=True)
class DeviceAccount:
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


@dataclass(slots=True)
class PartAccount:
    """Sums of one process, run or `other` on one device."""

    context_uj: int = 0
    active_uj: int = 0
    variance_uj2: float = 0.0
    systematic_uj: float = 0.0

    @property
    def energy_uj(self) -> int:
        """Context + active."""
        return self.context_uj + self.active_uj

    def merge(self, part: PartAccount) -> None:
        """Take in another account: independent errors add in squares, shared ones linearly."""
        self.context_uj += part.context_uj
        self.active_uj += part.active_uj
        self.variance_uj2 += part.variance_uj2
        self.systematic_uj += part.systematic_uj


@dataclass(slots=True)
class ProcessAccount:
    """Sums of one process over its devices."""

    info: ProcessInfo
    run: str
    parts: dict[str, PartAccount] = field(default_factory=dict)
    ended_s: float | None = None
    folded_uj: int = 0
    """What it used before it had this account; that stays in `other`."""

    @property
    def energy_uj(self) -> int:
        """Over all devices."""
        return sum(part.energy_uj for part in self.parts.values())

    @property
    def rank_uj(self) -> int:
        """All that it ever used, to rank processes by."""
        return self.energy_uj + self.folded_uj


@dataclass(slots=True)
class Dormant:
    """A process without an account, whose sums go to `other`."""

    run: str
    energy_uj: int = 0
    """All that it ever used, over all devices."""
