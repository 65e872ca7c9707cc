"""What the pages show: the newest snapshot, or, once samples have stopped coming, one that says so."""

from __future__ import annotations

from msgspec.structs import replace

from aipower.daemon.health import STARTING, Health
from aipower.daemon.sampling.sampler import Sampler
from aipower.model import Snapshot


class Served:
    """A sampler as the pages see it. `nothing` is shown before the first sample."""

    def __init__(self, sampler: Sampler, nothing: Snapshot) -> None:
        self._sampler = sampler
        self._nothing = nothing
        self._late: tuple[Snapshot, Snapshot] | None = None

    def snapshot(self) -> Snapshot:
        """The newest snapshot; never the last power of a device that is not being read. The same object each time."""
        newest = self._sampler.snapshot() or self._nothing
        if not self._sampler.stale():
            return newest
        if self._late is None or self._late[0] is not newest:
            self._late = (newest, late(newest))
        return self._late[1]

    def health(self) -> Health:
        """Whether samples keep coming."""
        age_s = self._sampler.age_s()
        if self._sampler.stale():
            reason = "no sample lately: a sensor hangs or the sampler has stopped"
            return Health(ok=False, reason=reason, sample_age_s=age_s)
        return STARTING if age_s is None else Health(ok=True, sample_age_s=age_s)


def late(snapshot: Snapshot) -> Snapshot:
    """`snapshot` with all its devices down; what was counted stays: only the ledger counts, and only that is kept."""
    return replace(snapshot, devices=tuple(replace(device, up=False, power_w=None) for device in snapshot.devices))
