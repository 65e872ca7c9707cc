"""Pods and containers in the path of a control group.

A path is looked through from the top: the outermost pod owns the process, else the outermost container. What stands
above (`/docker/ID/kubelet/...` of kind) or below (a Docker inside of a pod) does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aipower.model import Owner

_POD = re.compile(
    r"(?:.*-)?pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})"
    r"(?:\.slice(?::.*)?)?",
    re.IGNORECASE,
)
"""A pod by its uid: `kubepods-burstable-podUID.slice`, `podUID`, and the first of `podUID.slice:cri-containerd:ID`.
The uid of a static pod is a hash without dashes."""
_NAMED_POD = re.compile(r"(?:.*-)?pod([0-9A-Za-z._-]{1,64}?)(?:\.slice(?::.*)?)?")
"""A pod whose uid somebody made up; believed only below `kubepods`."""
_KUBEPODS = "kubepods"
_ID = re.compile(r"(?:(.*)[-:_])?([0-9a-f]{64})(?:\.scope)?")
"""A container: the prefix says whose it is."""
_FARGATE = re.compile(r"[0-9a-f]{32}-[0-9]{6,12}")
_SYSTEMS = {
    "docker": "docker",
    "libpod": "podman",
    "libpod-conmon": "podman",
    "libpod-payload": "podman",
    "crio": "crio",
}
_MONITOR = "crio-conmon"
"""CRI-O's monitor of a container: in the pod's own group it is the pod's, outside it would be a job beside the pod."""
_PODMANS_PARENT = "libpod_parent"
_CONTAINERD_PARENTS = frozenset({"default", "k8s.io", "containerd.service", "containerd", "nerdctl", "kata_overhead"})
"""Above a bare id: containerd's namespaces that everyone has. All others are a cgroup parent that Docker was given."""


def owner_in(names: Sequence[str]) -> Owner | None:
    """The pod, else the container, that a path of these `names` is of; None for a path of neither."""
    for at, name in enumerate(names):
        uid = _pod(names, at)
        if uid:
            return Owner("kubernetes", uid, _first_id(names[at:] if ":" in name else names[at + 1 :]))
    for at in range(len(names)):
        owner = _container(names, at)
        if owner:
            return owner
    return None


def _pod(names: Sequence[str], at: int) -> str:
    found = _POD.fullmatch(names[at])
    if not found and any(_KUBEPODS in above for above in names[: at + 1]):
        found = _NAMED_POD.fullmatch(names[at])
    # systemd has a meaning for dashes in the name of a slice: the kubelet writes underscores.
    return found[1].replace("_", "-").lower() if found else ""


def _first_id(names: Sequence[str]) -> str:
    for name in names:
        found = _ID.fullmatch(name)
        if found:
            return found[2]
    return ""


def _container(names: Sequence[str], at: int) -> Owner | None:
    found = _ID.fullmatch(names[at])
    if not found:
        return _fargate_task(names, at)
    above = names[at - 1] if at else ""
    if found[1] == _MONITOR or (found[1] is None and above == _PODMANS_PARENT):
        return None  # below Podman's parent stand the ids of its pods too, each with its containers in it
    if found[1] is not None:
        return Owner(_SYSTEMS.get(found[1].rpartition(":")[2], "containerd"), found[2])
    return Owner("containerd" if above in _CONTAINERD_PARENTS else "docker", found[2])


def _fargate_task(names: Sequence[str], at: int) -> Owner | None:
    """ECS's Fargate has containerd, and ids of its own making."""
    return Owner("containerd", names[at]) if "ecs" in names[:at] and _FARGATE.fullmatch(names[at]) else None
