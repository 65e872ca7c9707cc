"""The job's words as a part of the record of a run."""

from __future__ import annotations

from collections.abc import Mapping

from aipower.job.fields import KEPT, job_fields
from aipower.runrecord import JobRecord

MOST_DIGITS = 9
"""No job has more ranks; longer words are no numbers of ours."""


def job_of(environ: Mapping[str, str], host: str) -> JobRecord | None:
    """The job that the process with this environment on the machine `host` is part of; None where it is of none."""
    return from_fields(job_fields(environ, host))


def from_fields(fields: Mapping[str, str], *, leader: bool = True) -> JobRecord | None:
    """What `job_fields` has found, as a record; None of nothing. `leader` is what `elect` has said.

    The fields may come from another process: what is not among the known names is left out.
    """
    if not fields.get("system"):
        return None
    return JobRecord(
        system=fields["system"],
        id=fields.get("id", ""),
        node=fields.get("node", ""),
        step=fields.get("step", ""),
        rank=_number(fields.get("rank", "")),
        local_rank=_number(fields.get("local_rank", "")),
        ranks=_number(fields.get("ranks", "")),
        leader=leader,
        variables={name: fields[name] for name in KEPT if name in fields},
    )


def _number(word: str) -> int | None:
    plain = word.isascii() and word.isdecimal() and len(word) <= MOST_DIGITS
    return int(word) if plain else None
