"""Runs that have begun and left no record yet: they still go, or somebody has killed them."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

PROC = Path("/proc")
CLOCK_SLACK_S = 30.0
"""Wall clocks are set while a run goes: a process is another one only if it is younger by more than this."""

State = Literal["running", "killed", "elsewhere"]
"""`elsewhere`: on another host, so nobody here can tell."""


class Marker(msgspec.Struct, frozen=True, gc=False):
    """What `aipower-run` writes into `RUN_ID.going` when a run begins."""

    run_id: str
    pid: int
    """Of aipower-run."""
    started_unix_s: float
    name: str = ""
    command: list[str] = msgspec.field(default_factory=list)
    host: str = ""
    boot: str = ""
    """The kernel's random id of the boot; a run does not outlive it."""


class Going(Struct, frozen=True):
    """A marker, and what has become of its run."""

    marker: Marker
    state: State


class Here(Struct, frozen=True):
    """The machine that looks at the markers."""

    host: str
    boot: str
    birth_unix_s: Callable[[int], float | None]
    """When the process of a pid began; None where there is none."""


def this_machine() -> Here:
    """The machine we run on."""
    return Here(socket.gethostname(), _text(PROC / "sys/kernel/random/boot_id").strip(), _birth_unix_s)


def state_of(marker: Marker, here: Here) -> State:
    """Whether its run still goes. A pid that was given to a younger process is not the run's."""
    if marker.host and marker.host != here.host:
        return "elsewhere"
    if marker.boot and here.boot and marker.boot != here.boot:
        return "killed"
    born_s = here.birth_unix_s(marker.pid)
    return "killed" if born_s is None or born_s > marker.started_unix_s + CLOCK_SLACK_S else "running"


def read_marker(content: bytes) -> Marker | None:
    """The marker, or None for what is none."""
    try:
        return msgspec.json.decode(content, type=Marker)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _birth_unix_s(pid: int) -> float | None:
    stat = _text(PROC / str(pid) / "stat")
    if not stat:
        return None
    after_name = stat.rpartition(")")[2].split()
    if after_name[0] in {"Z", "X"}:  # dead, and not yet waited for
        return None
    ticks = int(after_name[19])  # field 22 of proc_pid_stat(5): after the boot
    return _boot_unix_s() + ticks / os.sysconf("SC_CLK_TCK")


def _boot_unix_s() -> float:
    lines = _text(PROC / "stat").splitlines()
    return next((float(line.split()[1]) for line in lines if line.startswith("btime ")), 0.0)


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
