"""All that pages may know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from aipower.footprint.settings import Footprint
from aipower.model import Snapshot
from aipower.runrecord import RunRecord
from aipower.site.history import History
from aipower.site.resource import Resource

GROUP = "aipower.sites"
"""The group of entry points under which factories are found."""


class Now(Struct, frozen=True):
    """One instant on both clocks."""

    monotonic_s: float
    unix_s: float


class Condition(Struct, frozen=True):
    """Whether the agent does its work."""

    status: Literal["ok", "starting", "stale", "stopping"]
    reason: str = ""
    """Why not, for people; empty while all is well."""
    sample_age_s: float | None = None
    """Age of the newest sample; None before the first."""


class KeptRun(Struct, frozen=True):
    """A run that has a record, or goes on; what is not known is None."""

    run_id: str
    name: str
    state: Literal["going", "ended", "killed"]
    started_unix_s: float
    wall_s: float | None = None
    exit_code: int | None = None
    energy_j: float | None = None
    interval_j: tuple[float, float] | None = None
    """95 %."""


class Shelf(Protocol):
    """The runs whose records the agent may show."""

    def runs(self) -> Sequence[KeptRun]:
        """The newest first, a bounded number. It reads files."""
        ...

    def record(self, run_id: str) -> RunRecord | None:
        """The record of a run; None where there is none that can be read. It reads a file."""
        ...

    def hidden(self) -> str:
        """Why no records are shown, for people, in a line; empty where they are."""
        ...


class Scales(Protocol):
    """How far the sensors' scales may be off."""

    def power_half_w(self, device: str, power_w: float) -> float | None:
        """Half-width of the 95 % interval of a power of `device`; None where the device is not known."""
        ...

    def energy_half_j(self, device: str, energy_j: float, span_s: float) -> float | None:
        """Half-width of the 95 % interval of an energy of the whole device over `span_s`."""
        ...

    def scope(self, device: str) -> str | None:
        """The id of a device that was calibrated by itself, else its kind.

        Sensors of one scope may all be off in the same direction: their half-widths add up linearly, those of
        different scopes in squares.
        """
        ...


class Sources(Struct, frozen=True):
    """What the agent tells its pages. All may be called at any time, from the server's loop."""

    snapshot: Callable[[], Snapshot | None]
    """The newest, the same object until the next one; None before the first."""
    now: Callable[[], Now]
    condition: Callable[[], Condition]
    history: History
    scales: Scales
    shelf: Shelf
    footprint: Footprint
    settings: Mapping[str, object]
    """The agent's settings by name, without those of sinks. Those of the start where a reload has changed them."""
    host: str


class SiteFactory(Protocol):
    """Makes the resources of a site."""

    def __call__(self, sources: Sources) -> Sequence[Resource]:
        """All paths and what is served there."""
        ...
