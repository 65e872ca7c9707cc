"""Where a process stands, from the text of its /proc/PID/cgroup.

The text has a line `ID:controllers:path` for each hierarchy: one of version 2 (`0::path`), a dozen of version 1, or
both. Schedulers put a process into some of them only, so all lines are looked at, and the best owner counts:
Slurm, then Kubernetes, then a container runtime, then a service of systemd.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from aipower.model import Owner, Place
from aipower.owners import containers, slurm, units

_DELETED = " (deleted)"
_SYSTEMDS = "name=systemd"
"""The hierarchy of version 1 that has no controller and is systemd's own."""
_RANKS = {"slurm": 4, "kubernetes": 3, "none": 0, "systemd": 1}
_RUNTIME = 2
"""The rank of all container runtimes."""
_FOREIGN = ("lxc", "lxc.payload", "lxc.monitor")
"""Below these another system's own services live, under names that may be ours too."""


class _Line(Struct, frozen=True):
    """The path in one hierarchy."""

    names: tuple[str, ...]
    standing: int
    """How much it says of systemd's units: 2 for systemd's own hierarchy of version 1, 1 for version 2, 0 for others.
    Where both are there, version 2 may show no more than the service of a container's runtime."""


def place_of_cgroup(text: str) -> Place:
    """The place that `text`, of /proc/PID/cgroup, tells; an empty one for whatever is not understood.

    Ids are lower case; the step of a pod is the container. A path that begins with `/..`, as seen from inside another
    control group namespace, is understood as far as what remains of it.
    """
    lines = list(_lines(text))
    owner = max((_owner(line.names) for line in lines), key=_goodness, default=Owner())
    standing = _standing(lines)
    if owner.system == "none" and standing.service:
        owner = Owner("systemd", standing.service)
    container = owner.step if owner.system == "kubernetes" else _container_id(lines, owner)
    return Place(owner, container, standing.unit, standing.slice)


def _lines(text: str) -> Iterable[_Line]:
    seen = set[_Line]()
    for line in text.split("\n"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not number.isdecimal() or not path.startswith("/"):
            continue
        names = tuple(name for name in path.removesuffix(_DELETED).split("/") if name)
        unified = number == "0" and not controllers
        found = _Line(names, 2 if controllers == _SYSTEMDS else int(unified))
        if found not in seen:
            seen.add(found)
            yield found


def _owner(names: Sequence[str]) -> Owner:
    return slurm.owner_in(names) or containers.owner_in(names) or Owner()


def _goodness(owner: Owner) -> tuple[int, bool]:
    """Some hierarchies know the job only, others the step too."""
    return _RANKS.get(owner.system, _RUNTIME), bool(owner.step)


def _container_id(lines: Sequence[_Line], owner: Owner) -> str:
    """The container: the owner itself, or one that a job has started."""
    found = (containers.owner_in(line.names) for line in lines)
    inner = max((each for each in found if each), key=_goodness, default=owner)
    if inner.system == "kubernetes":
        return inner.step
    return inner.job if inner.system not in _RANKS else ""


def _standing(lines: Sequence[_Line]) -> units.Standing:
    """From the better one of systemd's own hierarchies that are in use."""
    used = [line for line in lines if line.standing and line.names]
    names = max(used, key=lambda line: line.standing).names if used else ()
    return units.Standing() if _foreign(names) else units.standing_in(names)


def _foreign(names: Sequence[str]) -> bool:
    return bool(names) and (names[0] in _FOREIGN or names[0].startswith(("lxc.payload.", "lxc.monitor.")))
