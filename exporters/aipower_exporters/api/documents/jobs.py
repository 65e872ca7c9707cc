"""Who uses the node, by job."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from aipower_exporters.api.documents.common import AT_TEXT, ENERGY_TEXT, NUMBER_TEXT, SCHEMA_TEXT, SINCE_TEXT
from aipower_exporters.api.documents.units import Count, Joules, Seconds, Share, UnixSeconds, Watts, about


class JobDevice(Struct, frozen=True, gc=False):
    """What a job has used of one device."""

    device: Annotated[str, about("Id of the device.")]
    energy_j: Annotated[Joules, ENERGY_TEXT]


class Job(Struct, frozen=True, gc=False):
    """All processes of one user in one step of a job."""

    system: Annotated[
        str, about("slurm, kubernetes, docker, systemd…; none: outside of jobs; other: without account.")
    ]
    job: Annotated[str, about("Id of the job there; empty for none and other.")]
    step: Annotated[str, about("Step of the job, or container of the pod.")]
    user: Annotated[str, about("Whose processes they are.")]
    name: Annotated[str, about("Name that the job was given.")]
    team: Annotated[str, about("Team that the job says it is of.")]
    account: Annotated[str, about("Slurm's account.")]
    partition: Annotated[str, about("Slurm's partition.")]
    namespace: Annotated[str, about("Namespace of the pod.")]
    pod: Annotated[str, about("Name of the pod.")]
    processes: Annotated[Count, about("Processes with accounts that have not ended.")]
    power_w: Annotated[Watts | None, about("Sum of the powers of its processes with accounts.")]
    power_half_w: Annotated[Watts | None, about("Half-width of the 95 % interval of the power.")]
    energy_j: Annotated[Joules, ENERGY_TEXT]
    energy_half_j: Annotated[Joules, about("Half-width of the 95 % interval of the energy.")]
    held_s: Annotated[Seconds, about("GPU seconds for which it held GPUs.")]
    unused_s: Annotated[Seconds, about("Of these, seconds in which none of its processes was seen at work there.")]
    since_unix_s: Annotated[UnixSeconds | None, SINCE_TEXT]
    ended: Annotated[bool, about("True where the job is over and its account stays for a while.")]
    devices: Annotated[list[JobDevice], about("The energy by device.")]
    share: Annotated[Share | None, about("The power as a share of the total of the newest windows.")]
    energy_share: Annotated[Share | None, about("The energy as a share of the node's.")]


class Jobs(Struct, frozen=True):
    """All jobs with accounts, and by user what is in no job; those that draw most come first."""

    schema: Annotated[str, SCHEMA_TEXT]
    number: Annotated[Count, NUMBER_TEXT]
    at_unix_s: Annotated[UnixSeconds, AT_TEXT]
    jobs: Annotated[list[Job], about("One for each user in each step.")]
