"""What to tell a person about energy counters that cannot be used."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aipower.model import Kind, Unavailable
from aipower.sensors.rapl.layout import Zone

SOURCES: Final[dict[Kind, str]] = {"cpu": "CPU (RAPL)", "dram": "DRAM (RAPL)"}


def no_rapl() -> Unavailable:
    """There is no zone at all."""
    return _cpu(
        "this machine offers no RAPL (usual in a virtual machine)",
        "CPU energy can only be estimated; on bare metal try: sudo modprobe intel_rapl_msr",
    )


def masked() -> Unavailable:
    """The zones are named but hidden."""
    return _cpu(
        "the container runtime hides /sys/devices/virtual/powercap",
        "run the agent on the host, or start its container with --privileged "
        "or (Docker) --security-opt systempaths=unconfined",
    )


def closed(powercap: Path) -> Unavailable:
    """The directory of the zones may not be listed."""
    return _cpu(f"{powercap} may not be listed", "run the agent as root or with CAP_DAC_READ_SEARCH")


def no_package() -> Unavailable:
    """There are zones, and none is a package with a counter."""
    return _cpu(
        "powercap has no package zone with an energy counter",
        "CPU energy can only be estimated; a newer kernel may know this CPU",
    )


def no_dram() -> Unavailable:
    """The packages have no memory meter."""
    reason = "this CPU has no memory meter (usual outside Intel servers)"
    return Unavailable(SOURCES["dram"], "dram", reason, "none: DRAM energy is not measured")


def denied(kind: Kind, zones: Sequence[Zone]) -> Unavailable:
    """The counters of `zones` may not be opened.

    Since Linux 5.10 only root may: CVE-2020-8694 told secrets of other users' programs from the counters.
    So the remedy gives the right to one group, never to all.
    """
    return Unavailable(
        SOURCES[kind],
        kind,
        f"energy_uj of {_ids(zones)} may be read by root only (CVE-2020-8694)",
        "run the agent as root or with CAP_DAC_READ_SEARCH, or let your group read until the next boot: "
        + grant_command([zone.energy_path for zone in zones]),
    )


def grant_command(paths: Sequence[Path]) -> str:
    """The shell command that lets the caller's group read `paths`."""
    files = " ".join(shlex.quote(str(path)) for path in paths)
    return f'sudo chgrp "$(id -gn)" {files} && sudo chmod 0440 {files}'


def not_opened(kind: Kind, zone: Zone, error: OSError) -> Unavailable:
    """Opening failed for another reason than a missing right."""
    reason = f"energy_uj of {zone.id} cannot be opened: {error.strerror}"
    return Unavailable(SOURCES[kind], kind, reason, f"look at it with: sudo cat {shlex.quote(str(zone.energy_path))}")


def undecided(zone: Zone, other: str, detail: str) -> Unavailable:
    """A die that could not be compared with its neighbour is left out, lest one meter counts twice."""
    return Unavailable(
        SOURCES["cpu"],
        "cpu",
        f"{zone.id} may show the meter of {other} again and could not be compared with it: {detail}",
        "it is left out; restart the agent to compare again",
    )


def _cpu(reason: str, remedy: str) -> Unavailable:
    return Unavailable(SOURCES["cpu"], "cpu", reason, remedy)


def _ids(zones: Sequence[Zone]) -> str:
    return ", ".join(zone.id for zone in zones)
