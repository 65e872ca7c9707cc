"""Slurm's jobs and steps in the path of a control group.

Version 1: `/slurm/uid_1000/job_123/step_0/task_1`; the first name is of the site's choice (CgroupPrepend, older
releases) and has the node's name in it where several slurmd share a machine. Version 2:
`/system.slice/slurmstepd.scope/job_123/step_batch/user/task_0`; the scope has the node's name in front of it where
several slurmd share a machine. Since Slurm 26.05 a job's group has the name of its SLUID (`s5K1KKYAYG5D00`)
unless `CgroupJobIdPaths=yes` is set.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aipower.model import Owner

_USERS_MANAGER = re.compile(r"user@[0-9]+\.service")
"""Below it a user may make groups of any name: no job of somebody else's shall be among them."""
_SCOPE = re.compile(r"(?:.+_)?slurmstepd\.scope")
_USER = re.compile(r"uid_[0-9]{1,10}")
_JOB = re.compile(r"job_([0-9]{1,20})")
_SLUID = re.compile(r"s[0-9A-HJKMNP-TV-Z]{13}")
"""`s` and 13 digits of Crockford's base 32, which has no I, L, O and U."""
_STEP = re.compile(r"step_(.+)")
_STEP_ID = re.compile(r"[0-9A-Za-z+._-]{1,32}")
_NUMBERED_STEPS = {
    "4294967290": "interactive",
    "4294967291": "batch",
    "4294967292": "extern",
    "4294967294": "batch",
    "4294967295": "extern",
}
"""Steps without a number of their own, as releases before 20.11 (the last two) and since then number them."""


def owner_in(names: Sequence[str]) -> Owner | None:
    """The job and step that a path of these `names` is of; None for a path that is not of a job."""
    for at, name in enumerate(names):
        if _USERS_MANAGER.fullmatch(name):
            return None
        job = _job(names, at)
        if job:
            return Owner("slurm", job, _step(names, at + 1))
    return None


def step_name(step: str) -> str:
    """A step as people know it: its number, `batch`, `extern` or `interactive`; empty for what can be none."""
    return _NUMBERED_STEPS.get(step, step) if _STEP_ID.fullmatch(step) else ""


def is_sluid(job: str) -> bool:
    """True where `job` is not the number of a job but its SLUID, which people do not know it by."""
    return _SLUID.fullmatch(job) is not None


def _job(names: Sequence[str], at: int) -> str:
    """The job that the name at `at` is of, empty for none; what is above it says whether it is Slurm's."""
    above = names[at - 1] if at else ".."
    scope = _SCOPE.fullmatch(above)
    if scope and _SLUID.fullmatch(names[at]):
        return names[at]
    # Nothing is to be seen above a job by a reader in a control group namespace below: the step must follow then.
    ours = scope or _USER.fullmatch(above) or (above == ".." and _step(names, at + 1))
    found = _JOB.fullmatch(names[at]) if ours else None
    return found[1] if found else ""


def _step(names: Sequence[str], at: int) -> str:
    found = _STEP.fullmatch(names[at]) if at < len(names) else None
    return step_name(found[1]) if found else ""
