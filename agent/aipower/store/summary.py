"""What a table needs of a record: a few of its fields, read without building the rest."""

from __future__ import annotations

import shlex

import msgspec

from aipower.runrecord import SCHEMA, CarbonRecord, CostRecord, Energies, Intervals, JobRecord, SeriesRecord


class Summary(msgspec.Struct, frozen=True, gc=False):
    """A few fields of a `RunRecord`, under the same names."""

    run_id: str
    name: str
    command: list[str]
    exit_code: int
    started_unix_s: float
    wall_s: float
    host: str
    energy_j: Energies
    interval_j: Intervals
    estimated_j: Energies
    complete: bool
    simulated: bool
    schema: str
    """`aipower.run/1`; anything else is not read."""
    carbon: CarbonRecord | None = None
    cost: CostRecord | None = None
    series: SeriesRecord | None = None
    job: JobRecord | None = None
    merged_from: list[str] = msgspec.field(default_factory=list)

    @property
    def mean_w(self) -> float | None:
        """The run's mean power; None where no energy was measured."""
        energy_j = self.energy_j.total
        return energy_j / self.wall_s if energy_j is not None and self.wall_s > 0 else None

    @property
    def command_line(self) -> str:
        """The command as a shell would take it."""
        return shlex.join(self.command)


class NotReadError(Exception):
    """A file of the store that holds no record which this version reads; the message says why, in a few words."""


class _Head(msgspec.Struct, frozen=True):
    schema: str = ""


_summary = msgspec.json.Decoder(Summary)
_head = msgspec.json.Decoder(_Head)


def read_summary(content: bytes, run_id: str) -> Summary:
    """The summary of the record in `content`, whose file says that it is `run_id`'s.

    Raises:
        NotReadError: It holds none.
    """
    try:
        summary = _summary.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotReadError(_why(content, str(error))) from error
    if summary.schema != SCHEMA:
        raise NotReadError(_why(content, ""))
    if summary.run_id != run_id:
        raise NotReadError(f"it holds run {summary.run_id[:60]!r}; name the file after its run")
    return summary


def _why(content: bytes, error: str) -> str:
    """A newer schema explains whatever was wrong with the rest."""
    try:
        schema = _head.decode(content).schema
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return f"no record of a run: {error}"
    if schema.startswith("aipower.run/") and schema != SCHEMA:
        return f"its schema is {schema[:40]!r}: it takes another version of aipower"
    return f"no record of a run: {error or f'its schema is {schema[:40]!r}'}"
