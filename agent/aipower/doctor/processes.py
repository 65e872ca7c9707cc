"""Checks of what can be seen of processes."""

from __future__ import annotations

import re
from typing import Final

from aipower.doctor.finding import Result
from aipower.doctor.text import read_text
from aipower.doctor.world import World
from aipower.processes.procfs import ProcFs
from aipower.processes.table import INITIAL_PID_NAMESPACE

HIDEPID: Final = re.compile(r"(?:^|,)hidepid=([a-z0-9]+)")
HARMLESS: Final = frozenset({"0", "off"})


def pid_namespace(world: World) -> Result:
    """Whether pids here are the host's, which the NVIDIA driver may speak of."""
    try:
        namespace = str((world.proc / "self/ns/pid").readlink())
    except OSError as error:
        return Result("skip", f"cannot be told: {error.strerror or error}")
    if namespace == INITIAL_PID_NAMESPACE:
        return Result("ok", "the host's")
    return Result(
        "warn",
        f"a container's ({namespace}): the GPU driver may give the host's process ids, so that GPU energy "
        "goes to `unattributed` instead of to a process",
        "start the container with `--pid=host` (Kubernetes: `hostPID: true`)",
    )


def accounting(world: World) -> Result:
    """Whether processes of other users can be seen."""
    try:
        first = ProcFs(world.proc).stat(1)
    except OSError as error:
        return Result("fail", f"/proc cannot be read: {error.strerror or error}", "mount -t proc proc /proc")
    hidepid = _hidepid(world)
    if first is None:
        cause = f"/proc is mounted with hidepid={hidepid}" if hidepid else "/proc/1/stat cannot be read"
        return Result(
            "warn",
            f"other users' processes are hidden ({cause}): their energy goes to `unattributed`",
            "run the agent as root, or show them until the next boot: sudo mount -o remount,hidepid=0 /proc",
        )
    exempt = f" (although /proc is mounted with hidepid={hidepid})" if hidepid else ""
    return Result("ok", f"all users' processes can be seen{exempt}")


def _hidepid(world: World) -> str:
    """The option of the mounted /proc; "" where there is none or it hides nothing."""
    option = ""
    for line in read_text(world.proc / "self/mountinfo").splitlines():
        mount, _, rest = line.partition(" - ")
        fields, kinds = mount.split(), rest.split()
        if len(fields) > 4 and fields[4] == "/proc" and len(kinds) > 2 and kinds[0] == "proc":  # noqa: PLR2004 - proc(5)
            match = HIDEPID.search(kinds[2])
            option = match[1] if match else ""  # the last mount lies on top
    return "" if option in HARMLESS else option


def subreaper(world: World) -> Result:
    """Whether `aipower run` can keep orphans of a command in its account."""
    refusal = world.subreaper_refusal()
    if not refusal:
        return Result("ok", "orphaned children of a command stay with its run")
    return Result(
        "warn",
        f"prctl(PR_GET_CHILD_SUBREAPER) is refused ({refusal}): processes that leave a run are found late or lost",
        "let the sandbox's seccomp profile allow prctl, as Docker's default profile does",
    )
