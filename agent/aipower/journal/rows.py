"""What the payload of a slot holds, as JSON. Fields may be added, each with a default; none changes its meaning.

Monotonic times and positions are those of the boot in `boot`; devices are told by their place in `devices`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Struct

from aipower.model import Kind, Method

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""2.5 TWh in microjoules."""
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
Variance = Annotated[float, msgspec.Meta(ge=0, le=1e60)]
Systematic = Annotated[float, msgspec.Meta(ge=-1e30, le=1e30)]
"""No error is so large; beyond, its square is no number."""


class PositionRow(Struct, frozen=True, omit_defaults=True):
    """A `Position`."""

    at_s: float
    counter_uj: int | None = None
    pending_uj: Count = 0


class PartRow(Struct, frozen=True, array_like=True):
    """What somebody used of one device; a run and a user have no context of their own."""

    device: Count
    active_uj: Count
    context_uj: Count = 0
    variance_uj2: Variance = 0.0
    systematic_uj: Systematic = 0.0


class DeviceRow(Struct, frozen=True, omit_defaults=True):
    """A `DeviceState` with its `Device` and `DeviceFacts`. Its energy is the sum of its components."""

    id: str
    kind: Kind
    name: str
    index: str
    idle_uj: Count
    context_uj: Count
    active_uj: Count
    unattributed_uj: Count
    parent: str | None = None
    uuid: str = ""
    driver: str = ""
    method: Method = "counter"
    position: PositionRow | None = None
    seen_unix_s: float = 0.0
    idle_w: Annotated[float, msgspec.Meta(ge=0, le=1e6)] | None = None


class ProcessRow(Struct, frozen=True, omit_defaults=True):
    """The account of one process."""

    pid: int
    ticks: int
    comm: str
    parts: list[PartRow]
    user: str = ""
    run: str = ""
    ended_s: float | None = None
    boot: str = ""
    """Empty for the boot of the whole."""
    since_unix_s: float | None = None


class RunRow(Struct, frozen=True, omit_defaults=True):
    """The account of one run."""

    run: str
    parts: list[PartRow]
    name: str = ""
    user: str = ""
    ended_s: float | None = None
    since_unix_s: float | None = None


class UserRow(Struct, frozen=True, omit_defaults=True):
    """The sums of one user."""

    user: str
    parts: list[PartRow]
    since_unix_s: float | None = None


class HoldRow(Struct, frozen=True, array_like=True):
    """For how long a job held one device, and did not use it."""

    device: Count
    held_s: Seconds
    unused_s: Seconds


class JobRow(Struct, frozen=True, omit_defaults=True):
    """The account of one job."""

    system: str
    parts: list[PartRow]
    job: str = ""
    step: str = ""
    user: str = ""
    holds: list[HoldRow] = []
    words: list[str] = []
    """Name, team, account, partition, namespace and pod."""
    gpus: list[str] = []
    ended_s: float | None = None
    since_unix_s: float | None = None


class FaultRow(Struct, frozen=True, array_like=True):
    """A number of faults."""

    device: str
    reason: str
    count: Count


class Payload(Struct, frozen=True, omit_defaults=True):
    """All counters."""

    at_unix_s: float
    version: str = ""
    boot: str = ""
    naming: str = ""
    since_unix_s: float | None = None
    devices: list[DeviceRow] = []
    processes: list[ProcessRow] = []
    other: list[PartRow] = []
    folded: list[PartRow] = []
    folded_series: Count = 0
    runs: list[RunRow] = []
    users: list[UserRow] = []
    faults: list[FaultRow] = []
    asleep_s: float = 0.0
    jobs: list[JobRow] = []
    folded_jobs: list[PartRow] = []
