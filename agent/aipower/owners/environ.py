"""What a process's environment says of its job: a fixed list of names, nothing else is looked at or kept.

Anyone may write anything into an environment of their own, so it never overrules what the control group says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from aipower.model import JobFacts, Owner, Place
from aipower.owners import slurm

NAMES = (
    "SLURM_JOB_ID",
    "SLURM_STEP_ID",
    "SLURM_JOB_NAME",
    "SLURM_JOB_ACCOUNT",
    "SLURM_JOB_PARTITION",
    "SLURM_JOB_GPUS",
    "SLURM_STEP_GPUS",
    "AIPOWER_JOB",
    "AIPOWER_TEAM",
    "AIPOWER_NAMESPACE",
    "AIPOWER_POD",
    "NVIDIA_VISIBLE_DEVICES",
    "HOSTNAME",
    "SLURM_SCRIPT_CONTEXT",
)
"""All that is ever read of an environment."""
_ENTRY = re.compile(b"\\0(" + "|".join(NAMES).encode() + b")=([^\\0]*)")
"""One search is four times as fast as a split of all that is there."""
MOST_CHARACTERS = 128
"""A value is cut here."""
MOST_GPUS = 64
"""More than any machine has."""
_JOB_ID = re.compile(r"[0-9]{1,20}")
_GPU = re.compile(r"[0-9]{1,3}|(?:GPU|MIG)-[0-9A-Za-z/-]{1,80}")
_RANGE = re.compile(r"([0-9]{1,3})-([0-9]{1,3})")
_NO_FACTS = JobFacts()
_SLURMS_OWN = ("prolog_", "epilog_")
"""Slurm's prologs and epilogs have the job's variables, but are no work of the job (Prolog and Epilog Guide)."""


class Claims(Struct, frozen=True):
    """What an environment says, cut and printable; empty where it says nothing."""

    slurm_job: str = ""
    slurm_step: str = ""
    slurm_gpus: tuple[str, ...] = ()
    container_gpus: tuple[str, ...] = ()
    hostname: str = ""
    facts: JobFacts = _NO_FACTS
    """Without GPUs: whose they are depends on the place."""


Entries = tuple[tuple[bytes, bytes], ...]
"""Names and values as they stand in an environment."""


def facts_of_environ(block: bytes) -> Claims:
    """What the bytes of /proc/PID/environ (`NAME=value`, each ended by NUL) say; never raises.

    Of a name that is there twice the first counts, as for getenv(3).
    """
    return claims_of(entries_of(block))


def entries_of(block: bytes) -> Entries:
    """Those entries of an environment that are looked at, in their order."""
    return tuple(_ENTRY.findall(b"\0" + block))


def claims_of(entries: Entries) -> Claims:
    """What `entries` say."""
    found = {name.decode(): _printable(value) for name, value in reversed(entries)}
    get = found.get
    if get("SLURM_SCRIPT_CONTEXT", "").startswith(_SLURMS_OWN) and "task" not in get("SLURM_SCRIPT_CONTEXT", ""):
        return Claims()
    job = get("SLURM_JOB_ID", "")
    return Claims(
        slurm_job=job if _JOB_ID.fullmatch(job) else "",
        slurm_step=slurm.step_name(get("SLURM_STEP_ID", "")),
        slurm_gpus=gpus_of(get("SLURM_STEP_GPUS") or get("SLURM_JOB_GPUS", "")),
        container_gpus=gpus_of(get("NVIDIA_VISIBLE_DEVICES", "")),
        hostname=get("HOSTNAME", ""),
        facts=JobFacts(
            name=get("AIPOWER_JOB") or get("SLURM_JOB_NAME", ""),
            team=get("AIPOWER_TEAM", ""),
            account=get("SLURM_JOB_ACCOUNT", ""),
            partition=get("SLURM_JOB_PARTITION", ""),
            namespace=get("AIPOWER_NAMESPACE", ""),
            pod=get("AIPOWER_POD", ""),
        ),
    )


def gpus_of(text: str) -> tuple[str, ...]:
    """The GPUs of a list of indices and UUIDs, with ranges as in `0-3`; none for `all`, `void`, `none` and garbage."""
    words = [word.strip() for word in text.split(",")]
    gpus = [gpu for word in words for gpu in _gpus(word)]
    return tuple(dict.fromkeys(gpus))[:MOST_GPUS]


def joined(place: Place, claims: Claims, node_names: frozenset[str] = frozenset()) -> Place:
    """`place` with what the environment says where the control group says nothing.

    Args:
        place: From the control group.
        claims: From the environment.
        node_names: Names of the machine: that of a pod in the network of its node is no name of the pod.
    """
    owner = _owner(place.owner, claims)
    in_pod = owner.system == "kubernetes"
    pod = claims.hostname if in_pod and claims.hostname not in node_names else ""
    gpus = claims.slurm_gpus if owner.system == "slurm" else claims.container_gpus if place.container else ()
    facts = replace(claims.facts, pod=claims.facts.pod or pod, gpus=gpus)
    return replace(place, owner=owner, facts=facts)


def _owner(owner: Owner, claims: Claims) -> Owner:
    """Slurm's job where no path can name it: its processes are then inside of slurmd's own service."""
    if claims.slurm_job and owner.system in {"none", "systemd"}:
        return Owner("slurm", claims.slurm_job, claims.slurm_step)
    return owner


def _printable(value: bytes) -> str:
    """The first characters of `value`, with a `?` for each that cannot be shown."""
    text = value[: 4 * MOST_CHARACTERS].decode(errors="replace").strip()[:MOST_CHARACTERS]
    return text if text.isprintable() else "".join(each if each.isprintable() else "?" for each in text)


def _gpus(word: str) -> Iterable[str]:
    if _GPU.fullmatch(word):
        return (word,)
    ends = _RANGE.fullmatch(word)
    return (str(index) for index in range(int(ends[1]), int(ends[2]) + 1)) if ends else ()
