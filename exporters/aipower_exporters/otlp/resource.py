"""Who sends: the resource attributes of OpenTelemetry's semantic conventions."""

from __future__ import annotations

import os
import re
import socket
import uuid
from collections.abc import Mapping
from pathlib import Path

INSTANCE_NAMESPACE = uuid.UUID("4d63009a-8d0f-11ee-aad7-4c796ed8e320")
"""The semantic conventions name it for ids that are made of what is known of an instance."""
CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io")
"""Docker, Podman and Kubernetes put these there."""
MACHINE_ID = re.compile(r"[0-9a-f]{32}")


def resource(given: Mapping[str, str], root: Path = Path("/"), host: str | None = None) -> Mapping[str, str]:
    """The attributes of this agent. What is `given` stands before what is found; an empty value leaves one out."""
    found = {"service.name": "aipower", "host.name": host or socket.gethostname(), "host.id": _machine_id(root)}
    found |= given
    machine = found["host.id"] or found["host.name"]
    # The same after a restart, and another for the agent of another user on the same machine.
    seed = uuid.uuid5(INSTANCE_NAMESPACE, f"aipower/{machine}/{os.getuid()}")
    found = {"service.instance.id": str(seed), **found}
    return {name: value for name, value in found.items() if value}


def _machine_id(root: Path) -> str:
    """Systemd's id of the machine; "" in a container, whose file says nothing of the machine."""
    if any((root / mark.lstrip("/")).exists() for mark in CONTAINER_MARKS):
        return ""
    try:
        text = (root / "etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return text if MACHINE_ID.fullmatch(text) else ""
