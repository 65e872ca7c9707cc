"""Whether the books agree with the hardware: exactly where they can, and without a trend where they cannot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aipower.model import Snapshot
from benchmarks.month.life import Checkpoint
from benchmarks.soak.slope import BLOCKS, Slope, slope

DAY_S = 86_400.0
WARM_UP = 0.25
"""Share of the life in which caches fill and accounts reach their bounds."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is kept of a checkpoint."""

    at_s: float
    off_uj: Mapping[str, int]
    """By device: the account less what the hardware's counter has come to; constant while no counter begins anew."""
    error_uj: Mapping[str, int]
    """By device: the account less what the device has truly used, apart from a constant."""
    energy_uj: Mapping[str, int]
    resets: Mapping[str, int]
    anonymous_mb: float


@dataclass(frozen=True, slots=True)
class Totals:
    """What has happened in a life until now."""

    reads: int = 0
    wraps: int = 0
    resets: int = 0
    restarts: int = 0


@dataclass(slots=True)
class Verdict:
    """A life, judged as it goes on. It holds no snapshot, so that it can go from one process to another."""

    looks: list[Look] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    exact: int = 0
    """Comparisons with a counter that came out equal to the microjoule."""
    anew: int = 0
    """Comparisons over a counter that began anew: what it had counted last is filled in from power."""
    totals: Totals = field(default_factory=Totals)

    def see(self, checkpoint: Checkpoint, anonymous_mb: float) -> None:
        """Judge one checkpoint."""
        self.wrong += broken_sums(checkpoint.snapshot)
        look = _look(checkpoint, anonymous_mb)
        for device, off_uj in look.off_uj.items():
            before = self.looks[-1] if self.looks else None
            if before is None:
                continue
            if before.resets[device] != look.resets[device]:
                self.anew += 1
            elif before.off_uj[device] == off_uj:
                self.exact += 1
            else:
                moved_uj = off_uj - before.off_uj[device]
                self.wrong.append(f"{device}: {moved_uj:+d} uJ against its counter at {look.at_s / DAY_S:.2f} days")
        self.looks.append(look)
        resets = sum(checkpoint.resets.values())
        self.totals = Totals(checkpoint.reads, checkpoint.wraps, resets, checkpoint.restarts)

    def drift_ppm(self, device: str) -> Slope:
        """The trend of the error against the truth, in millionths of what the device used.

        Raises:
            ValueError: There are too few checkpoints.
        """
        first, last = self.looks[0], self.looks[-1]
        mean_uj_s = (last.energy_uj[device] - first.energy_uj[device]) / (last.at_s - first.at_s)
        base_uj = first.error_uj[device]
        trend = slope([look.at_s for look in self.looks], [look.error_uj[device] - base_uj for look in self.looks])
        return Slope(1e6 * trend.value / mean_uj_s, 1e6 * trend.half_width / mean_uj_s)

    def growth_mb(self) -> Slope:
        """The trend of the memory after the warm-up, in megabytes per day of the life.

        Raises:
            ValueError: There are too few checkpoints.
        """
        late = self.looks[round(WARM_UP * len(self.looks)) :]
        return slope([look.at_s / DAY_S for look in late], [look.anonymous_mb for look in late], BLOCKS)


def _look(checkpoint: Checkpoint, anonymous_mb: float) -> Look:
    accounts = {
        row.device.id: row.energy_uj + (row.position.pending_uj if row.position else 0)
        for row in checkpoint.snapshot.devices
    }
    return Look(
        checkpoint.at_s,
        {device: energy_uj - checkpoint.counted_uj[device] for device, energy_uj in accounts.items()},
        {device: energy_uj - checkpoint.true_uj[device] for device, energy_uj in accounts.items()},
        accounts,
        checkpoint.resets,
        anonymous_mb,
    )


def broken_sums(snapshot: Snapshot) -> list[str]:
    """Where parts do not sum to the whole."""
    return [words for sums in (_components(snapshot), _rows(snapshot)) for words in sums]


def _components(snapshot: Snapshot) -> Iterator[str]:
    for row in snapshot.devices:
        parts_uj = row.idle_uj + row.context_uj + row.active_uj + row.unattributed_uj
        if parts_uj != row.energy_uj:
            yield f"{row.device.id}: components {parts_uj} uJ, device {row.energy_uj} uJ"


def _rows(snapshot: Snapshot) -> Iterator[str]:
    past = [(row.device.id, row.context_uj + row.active_uj) for row in snapshot.folded_jobs]
    sums = {
        "processes": _summed(
            [
                *((row.device.id, row.context_uj + row.active_uj) for row in snapshot.processes),
                *((row.device.id, row.context_uj + row.active_uj) for row in snapshot.folded),
            ]
        ),
        "users": _summed([(row.device.id, row.energy_uj) for row in snapshot.users]),
        "jobs": _summed([*((row.device.id, row.energy_uj) for row in snapshot.jobs), *past]),
    }
    for row in snapshot.devices:
        work_uj = row.context_uj + row.active_uj
        for what, by_device in sums.items():
            if by_device[row.device.id] != work_uj:
                yield f"{row.device.id}: {what} {by_device[row.device.id]} uJ, their work {work_uj} uJ"


def _summed(rows: Sequence[tuple[str, int]]) -> Mapping[str, int]:
    sums_uj: dict[str, int] = defaultdict(int)
    for device, energy_uj in rows:
        sums_uj[device] += energy_uj
    return sums_uj


def anonymous_mb(status: Path = Path("/proc/self/status")) -> float:
    """Memory of this process that no file stands behind: a leak is here."""
    lines = status.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) * 1024 / 1e6
