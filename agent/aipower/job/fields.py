"""Which part of which job this process is, from its environment, as plain words.

`aipower-run` asks this before its command starts: it imports nothing, and looks up a few names where there is no job.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # see aipower.run.cli
if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT = (
    "SLURM_JOB_ID",
    "SLURM_JOB_NAME",
    "SLURM_JOB_PARTITION",
    "SLURM_JOB_NUM_NODES",
    "SLURM_JOB_NODELIST",
    "SLURM_JOB_GPUS",
    "SLURM_CLUSTER_NAME",
    "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_HET_JOB_ID",
    "SLURM_HET_JOB_OFFSET",
    "SLURM_RESTART_COUNT",
    "SLURM_STEP_ID",
    "SLURM_STEP_NODELIST",
    "SLURM_STEP_NUM_NODES",
    "SLURM_STEP_NUM_TASKS",
    "SLURM_STEP_GPUS",
    "SLURM_NTASKS",
    "SLURM_PROCID",
    "SLURM_LOCALID",
    "SLURM_NODEID",
    "SLURM_CPUS_PER_TASK",
    "SLURMD_NODENAME",
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "GROUP_RANK",
    "GROUP_WORLD_SIZE",
    "ROLE_NAME",
    "ROLE_RANK",
    "ROLE_WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
    "TORCHELASTIC_RUN_ID",
    "TORCHELASTIC_RESTART_COUNT",
    "TORCHELASTIC_MAX_RESTARTS",
    "OMPI_COMM_WORLD_RANK",
    "OMPI_COMM_WORLD_SIZE",
    "OMPI_COMM_WORLD_LOCAL_RANK",
    "OMPI_COMM_WORLD_LOCAL_SIZE",
    "OMPI_COMM_WORLD_NODE_RANK",
    "PMIX_NAMESPACE",
    "PMIX_RANK",
    "PMI_RANK",
    "PMI_SIZE",
    "MPI_LOCALRANKID",
    "MPI_LOCALNRANKS",
    "CUDA_VISIBLE_DEVICES",
)
"""The only variables that a record shows: they tell ranks, nodes and devices. Others may hold secrets."""
LONGEST = 1000
"""Characters of a value that are kept: a list of nodes can be long."""

_SIGNS = ("SLURM_JOB_ID", "SLURM_JOBID", "WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK")
"""Without one of them there is no job."""
_NO_RUN_ID = ("", "none")
"""torchrun's id of a run that was given none: that of every such run."""


def job_fields(environ: Mapping[str, str], host: str) -> dict[str, str]:
    """The job as words by name, empty where there is none; `aipower.job.record.from_fields` makes a record of them.

    Names in lower case (`system`, `id`, `step`, `node`, `rank`, `local_rank`, `ranks`) are ours and stand there only
    where they are known; those in upper case are the variables of `KEPT`. `host` is the machine's name, for jobs that
    do not name their nodes.
    """
    if not any(environ.get(sign) for sign in _SIGNS):
        return {}
    fields = _slurm(environ) or {"system": "", "id": ""}
    # The innermost launcher has started this process: its ranks are the ones that differ.
    inner = _torchrun(environ) or _mpi(environ)
    fields.update(inner if not fields["system"] else {name: inner[name] for name in inner if name not in _OUTER})
    if not fields["system"]:
        return {}
    fields.setdefault("node", host)
    known = {name: _shown(word) for name, word in fields.items() if word}
    return known | {name: _shown(environ[name]) for name in KEPT if environ.get(name)}


_OUTER = ("system", "id")
"""What the scheduler knows better than the launcher within its job."""


def _slurm(environ: Mapping[str, str]) -> dict[str, str]:
    job = environ.get("SLURM_JOB_ID") or environ.get("SLURM_JOBID", "")
    if not job:
        return {}
    fields = {"system": "slurm", "id": job}
    if node := environ.get("SLURMD_NODENAME", ""):
        fields["node"] = node
    step = environ.get("SLURM_STEP_ID") or environ.get("SLURM_STEPID", "")
    if step:
        # A batch script has these variables too, but it is one process, whatever its tasks will be.
        fields["step"] = step
        fields["rank"] = environ.get("SLURM_PROCID", "")
        fields["local_rank"] = environ.get("SLURM_LOCALID", "")
        fields["ranks"] = environ.get("SLURM_STEP_NUM_TASKS") or environ.get("SLURM_NTASKS", "")
    return fields


def _torchrun(environ: Mapping[str, str]) -> dict[str, str]:
    """Of torchrun and all that sets its variables: accelerate, DeepSpeed, or a person."""
    rank, ranks = environ.get("RANK", ""), environ.get("WORLD_SIZE", "")
    if not rank or not ranks:
        return {}
    run = environ.get("TORCHELASTIC_RUN_ID", "")
    if run in _NO_RUN_ID:
        where = environ.get("MASTER_ADDR", ""), environ.get("MASTER_PORT", "")
        run = ":".join(where) if all(where) else ""
    return {
        "system": "torchrun",
        "id": run,
        "rank": rank,
        "local_rank": environ.get("LOCAL_RANK", ""),
        "ranks": ranks,
    }


def _mpi(environ: Mapping[str, str]) -> dict[str, str]:
    """Of Open MPI, of all that speak PMIx, and of MPICH and Intel MPI, which have no id that can be relied on."""
    kinds = (
        ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
        ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
        ("PMIX_RANK", "", ""),
    )
    for rank, ranks, local in kinds:
        if environ.get(rank):
            found = {"rank": environ[rank], "ranks": environ.get(ranks, ""), "local_rank": environ.get(local, "")}
            known = {name: word for name, word in found.items() if word}
            return {"system": "mpi", "id": environ.get("PMIX_NAMESPACE", ""), **known}
    return {}


def _shown(word: str) -> str:
    """`word` as valid Unicode on one line: variables may hold any bytes."""
    text = os.fsencode(word[:LONGEST]).decode(errors="replace")
    return "".join(char if char.isprintable() else "?" for char in text)
