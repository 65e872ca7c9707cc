"""Runs of `aipower run`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from aipower_exporters.api.documents.common import SCHEMA_TEXT
from aipower_exporters.api.documents.units import Joules, Seconds, UnixSeconds, Watts, about


class Run(Struct, frozen=True):
    """One run."""

    run_id: Annotated[str, about("Id of the run.")]
    name: Annotated[str, about("Name that its owner gave it.")]
    user: Annotated[str, about("Whose it is; empty where that is not known.")]
    state: Annotated[Literal["going", "ended", "killed"], about("killed: it ended without having said so.")]
    power_w: Annotated[Watts | None, about("Sum of the powers of its processes; null where that is not known.")]
    energy_j: Annotated[Joules | None, about("Energy that its processes used.")]
    interval_j: Annotated[tuple[float, float] | None, about("95 % interval of the energy.")]
    started_unix_s: Annotated[UnixSeconds | None, about("When it began.")]
    wall_s: Annotated[Seconds | None, about("How long it has taken.")]
    exit_code: Annotated[int | None, about("Exit code of its command; null while it is not known.")]
    report: Annotated[str | None, about("Path of its report on this agent; null where it has no record.")]


class Runs(Struct, frozen=True):
    """Runs that go on and those that were, the newest first."""

    schema: Annotated[str, SCHEMA_TEXT]
    at_unix_s: Annotated[UnixSeconds, about("When this was put together.")]
    records: Annotated[bool, about("False where the agent shows no records of runs.")]
    hidden: Annotated[str, about("Why it shows none, for people; empty where it does.")]
    runs: Annotated[list[Run], about("All that are known.")]
