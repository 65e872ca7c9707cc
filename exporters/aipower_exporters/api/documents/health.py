"""How sensors, ways out and the agent itself do."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from aipower_exporters.api.documents.common import KindName
from aipower_exporters.api.documents.units import Bytes, Count, Seconds, Share, UnixSeconds, about


class Missing(Struct, frozen=True):
    """A source of data that this machine has not, or that the agent may not read."""

    source: Annotated[str, about("What is missing, for people.")]
    kind: Annotated[KindName, about("Kind of the devices that it would show.")]
    reason: Annotated[str, about("Why.")]
    remedy: Annotated[str, about("What to do about it.")]


class Fault(Struct, frozen=True):
    """Something that went wrong."""

    device: Annotated[str, about("Id of the device; empty where it concerns none.")]
    reason: Annotated[str, about("A short stable word.")]
    count: Annotated[Count, about("Times that it happened.")]


class Sink(Struct, frozen=True):
    """One way out that the agent pushes to."""

    name: Annotated[str, about("As it is called in the settings.")]
    up: Annotated[bool, about("False since the last attempt has failed.")]
    pushes: Annotated[Count, about("Snapshots that arrived.")]
    skipped: Annotated[Count, about("Times that a snapshot was due while the one before was under way.")]
    faults: Annotated[dict[str, Count], about("Number of failures by reason.")]
    pushed_unix_s: Annotated[UnixSeconds | None, about("When a push last succeeded.")]


class Journal(Struct, frozen=True):
    """How the counters are kept on disk."""

    up: Annotated[bool, about("False while they cannot be written.")]
    written_unix_s: Annotated[UnixSeconds | None, about("When the newest counters on disk were taken.")]
    size_bytes: Annotated[Bytes, about("Size of what was written last.")]
    flushes: Annotated[Count, about("Times that they were written.")]


class AgentCost(Struct, frozen=True):
    """The agent's own cost and health."""

    cpu_s: Annotated[Seconds, about("CPU time since the start.")]
    cpu_share: Annotated[Share | None, about("CPU time since the start over the time since then: cores.")]
    resident_bytes: Annotated[Bytes, about("Memory.")]
    ticks: Annotated[Count, about("Times that the sensors were read.")]
    missed_ticks: Annotated[Count, about("Times that they should have been and were not.")]
    late_s: Annotated[Seconds, about("Seconds by which ticks began late, summed.")]
    tick_s: Annotated[Seconds, about("Seconds spent in ticks, summed.")]
    folded_series: Annotated[Count, about("Accounts of processes that were withdrawn.")]
    threads: Annotated[Count, about("Threads; 0 where nobody has counted.")]
    open_descriptors: Annotated[Count, about("Open files and sockets; 0 where nobody has counted.")]
