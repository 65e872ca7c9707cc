"""A shelf in memory, and sources that know nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Never

from msgspec.structs import replace

from aipower.footprint.settings import Footprint
from aipower.runrecord import RunRecord
from aipower.site.sources import KeptRun, Sources
from exporters.html.records import bare, full, hostile

EVIL = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"


@dataclass
class MemoryShelf:
    """Notes what it is asked for."""

    records: Mapping[str, RunRecord]
    asked: list[str] = field(default_factory=list)

    def hidden(self) -> str:
        """All are shown."""
        return ""

    def runs(self) -> Sequence[KeptRun]:
        return ()

    def record(self, run_id: str) -> RunRecord | None:
        self.asked.append(run_id)
        return self.records.get(run_id)


def never_asked(*asked: object, **named: object) -> Never:
    """In the place of all that reports need not know."""
    raise AssertionError(asked, named)


class NoPast:
    """Neither history nor scales."""

    ticks = chart = latest = reach = power_half_w = energy_half_j = scope = staticmethod(never_asked)


RUNS = MemoryShelf({"full": full(), "bare": bare(), "hostile": replace(hostile(EVIL), run_id="hostile")})


def sources_of(shelf: MemoryShelf) -> Sources:
    past = NoPast()
    return Sources(
        snapshot=never_asked,
        now=never_asked,
        condition=never_asked,
        history=past,
        scales=past,
        shelf=shelf,
        footprint=Footprint(),
        settings={},
        host="node",
    )
