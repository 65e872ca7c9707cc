"""What a measurement leaves behind, and what the supervisor of the command tells: all that a record is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from aipower.books.ledger import Ledger
from aipower.meter import Meter
from aipower.model import Conditions, Unavailable
from aipower.processes.tree import RunTree
from aipower.record.extras import Extras
from aipower.record.story import Story

RUN = "run"
"""The name of the run in its own ledger, which holds no other."""


class Trouble(Struct, frozen=True):
    """What went wrong with the measurement itself, not with one device."""

    reason: str
    """A short stable word: `driver_late`, `hung`, `no_thread`, `calibration`, `internal`, `agent_lost`."""
    detail: str
    at_s: float = 0.0
    """Seconds after the start of the run."""


class Measured(Struct, frozen=True):
    """The books of one run before they are made a record."""

    meter: Meter | None
    """None where the sensors never answered."""
    ledger: Ledger | None
    tree: RunTree | None
    started_s: float
    ended_s: float
    complete: bool
    """False where a sensor hung: the figures end before the command did."""
    troubles: tuple[Trouble, ...] = ()
    conditions: Mapping[str, Conditions] = field(default_factory=dict)
    """Under which conditions each device worked, by its id."""
    unavailable: Sequence[Unavailable] = ()
    story: Story | None = None
    """How it went over time: power and phases."""


class Told(Struct, frozen=True):
    """What is known of the command itself."""

    run_id: str
    command: tuple[str, ...]
    name: str
    exit_code: int
    started_unix_s: float
    cpu_s: float
    """User and system seconds of the command and of all its descendants that have ended."""
    max_rss_bytes: int
    survivors: int
    """Descendants still alive."""
    measured_by: str = "aipower-run"
    extras: Extras = field(default_factory=Extras)
