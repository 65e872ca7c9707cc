"""Who uses the node, by process."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from aipower_exporters.api.documents.common import (
    AT_TEXT,
    ENERGY_TEXT,
    NUMBER_TEXT,
    SCHEMA_TEXT,
    SINCE_TEXT,
    MethodName,
)
from aipower_exporters.api.documents.units import Count, Joules, Share, UnixSeconds, Watts, about

AccountName = Literal["idle", "unattributed", "other", "ended"]
HALF_J_TEXT = about("Half-width of the 95 % interval of the energy.")


class ProcessDevice(Struct, frozen=True, gc=False):
    """What a process uses of one device."""

    device: Annotated[str, about("Id of the device.")]
    power_w: Annotated[Watts | None, about("Mean power in the newest window; null where there is none of late.")]
    energy_j: Annotated[Joules, ENERGY_TEXT]
    energy_half_j: Annotated[Joules, HALF_J_TEXT]


class Process(Struct, frozen=True, gc=False):
    """One process with an account of its own."""

    pid: Annotated[int, about("Process id.")]
    started_ticks: Annotated[int, about("Start in clock ticks since boot: with the pid it names one process.")]
    comm: Annotated[str, about("The kernel's short name. Processes name themselves: treat it as hostile.")]
    user: Annotated[str, about("Whose it is.")]
    run: Annotated[str, about("Id of the run that it belongs to; empty for none.")]
    run_name: Annotated[str, about("Name of that run.")]
    system: Annotated[str, about("What it works for: slurm, kubernetes, docker, systemd…; none for nothing known.")]
    job: Annotated[str, about("Id of the job there.")]
    step: Annotated[str, about("Step of the job, or container of the pod.")]
    container: Annotated[str, about("Id of the container.")]
    unit: Annotated[str, about("systemd's unit.")]
    power_w: Annotated[Watts | None, about("Sum over devices of its part in their newest windows.")]
    power_half_w: Annotated[Watts | None, about("Half-width of the 95 % interval of the power.")]
    energy_j: Annotated[Joules, ENERGY_TEXT]
    energy_half_j: Annotated[Joules, HALF_J_TEXT]
    kinds_j: Annotated[dict[str, Joules], about("The energy by kind of device; they sum to it exactly.")]
    devices: Annotated[list[ProcessDevice], about("The same by device.")]
    method: Annotated[MethodName, about("How the energy was found: the weakest method of its devices.")]
    since_unix_s: Annotated[UnixSeconds | None, SINCE_TEXT]
    ended: Annotated[bool, about("True where the process is gone and its account stays for a while.")]
    share: Annotated[Share | None, about("The power as a share of total_w.")]
    energy_share: Annotated[Share | None, about("The energy as a share of total_j.")]


class Account(Struct, frozen=True, gc=False):
    """What no process of the list has."""

    name: Annotated[
        AccountName,
        about("other: processes without an account of their own; ended: those whose accounts were withdrawn."),
    ]
    power_w: Annotated[Watts | None, about("Power in the newest windows.")]
    energy_j: Annotated[Joules, ENERGY_TEXT]


class Processes(Struct, frozen=True):
    """All processes with accounts and all accounts without process: with no limit they sum to the total."""

    schema: Annotated[str, SCHEMA_TEXT]
    number: Annotated[Count, NUMBER_TEXT]
    at_unix_s: Annotated[UnixSeconds, AT_TEXT]
    total_w: Annotated[Watts | None, about("Sum of the mean powers of the devices' newest windows.")]
    total_j: Annotated[Joules, about("Energy of the node since the counters began.")]
    processes: Annotated[list[Process], about("In the order that was asked for.")]
    accounts: Annotated[list[Account], about("Idle, unattributed, other and ended.")]
    more: Annotated[Count, about("Processes that the limit has left off.")]
